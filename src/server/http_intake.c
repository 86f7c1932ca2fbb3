#include "server/http_intake.h"

#include "base/rootdir.h"
#include "proto/http_condition.h"
#include "proto/http_form.h"

#include <stdlib.h>

struct http_intake {
    struct worker *worker;
    struct upload *upload; /* NULL: its name is not known yet, or it has ended */
    struct caller caller;  /* its pointers are to the following two; the user is looked up by name each time */
    struct mac certificate, agent;
    enum access_write write;
    bool expects, http_1_0, conditional;
    bool is_form, to_directory, in_file, had_file, ended, storing;
    bool replaces;
    uint64_t etag; /* of what it replaces */
    uint64_t received, bytes, beside, announced;
    bool has_announced;
    unsigned status;
    const char *reason;
    struct http_body body;
    struct http_form form;
    uint8_t user_len;
    char user[USER_NAME_BYTES_MAX];
    size_t name_len, name_max;
    char name[];
};

unsigned http_intake_status(enum upload_answer answer)
{
    static const uint16_t statuses[UPLOAD_ANSWERS] = {
        [UPLOAD_FINE] = 201,         [UPLOAD_OFF] = 405,       [UPLOAD_BAD_NAME] = 403,  [UPLOAD_STRANGER] = 403,
        [UPLOAD_FORBIDDEN] = 403,    [UPLOAD_NO_DIRECTORY] = 409, [UPLOAD_ABSENT] = 404, [UPLOAD_EXISTS] = 409,
        [UPLOAD_NOT_EMPTY] = 409,    [UPLOAD_BAD_OFFSET] = 400, [UPLOAD_TOO_LARGE] = 413, [UPLOAD_FULL] = 507,
        [UPLOAD_BUSY] = 503,         [UPLOAD_TOO_OFTEN] = 429, [UPLOAD_READ_ONLY] = 500, [UPLOAD_BROKEN] = 500,
    };
    return statuses[answer];
}

uint64_t http_intake_received(const struct http_intake *i)
{
    return i->received;
}

uint64_t http_intake_bytes(const struct http_intake *i)
{
    return i->bytes;
}

struct slice http_intake_name(const struct http_intake *i)
{
    return slice_of(i->name, i->name_len);
}

bool http_intake_replaces(const struct http_intake *i)
{
    return i->replaces;
}

bool http_intake_is_awaited(const struct http_intake *i)
{
    return i->expects && i->received == 0;
}

bool http_intake_is_1_0(const struct http_intake *i)
{
    return i->http_1_0;
}

unsigned http_intake_refusal(const struct http_intake *i, const char **ret_reason)
{
    *ret_reason = i->reason;
    return i->status;
}

static bool refuse(struct http_intake *i, unsigned status, const char *reason)
{
    i->status = status;
    i->reason = reason;
    return false;
}

static bool refuse_as(struct http_intake *i, enum upload_answer answer)
{
    return refuse(i, http_intake_status(answer), upload_answer_words(answer));
}

/* --- what is there now --- */

bool http_intake_version(struct worker *w, struct slice name, struct http_validator *ret_version)
{
    struct tree_file file;
    const struct tree_question question = { name };
    if (tree_ask(w->tree, &question, &file) != TREE_FILE)
        return false;
    *ret_version = (struct http_validator){ file.etag, file.mtime.tv_sec };
    tree_file_release(&file);
    return true;
}

static bool note_version(struct http_intake *i, const struct http_request *request)
{
    struct http_validator v = { 0 };
    i->replaces = http_intake_version(i->worker, http_intake_name(i), &v);
    i->etag = v.etag;
    if (!request || http_condition_write(request, i->replaces ? &v : NULL, i->worker->loop.wall_ms / 1000))
        return true;
    return refuse(i, 412, "precondition failed");
}

/* --- may it come? --- */

static bool has(const struct http_request *r, enum http_field field)
{
    return http_request_has(r, field);
}

static bool is_form(const struct http_request *r)
{
    return r->method == HTTP_METHOD_POST &&
           slice_starts_nocase(r->field[HTTP_FIELD_CONTENT_TYPE], SLICE("multipart/"));
}

/* What the head alone tells. */
static bool judge_head(struct http_intake *i, const struct http_request *r)
{
    struct slice type = r->field[HTTP_FIELD_CONTENT_TYPE], coding = r->field[HTTP_FIELD_CONTENT_ENCODING];
    unsigned twice = 1u << HTTP_FIELD_CONTENT_TYPE | 1u << HTTP_FIELD_CONTENT_ENCODING;
    if (has(r, HTTP_FIELD_CONTENT_RANGE)) /* RFC 9110 14.5: a part must not be taken for the whole */
        return refuse(i, 400, "a part of a file is not taken");
    if (r->repeated & twice)
        return refuse(i, 400, "said twice what the body is");
    if (coding.len && !slice_eq_nocase(coding, SLICE("identity")))
        return refuse(i, 415, "content coding not served");
    if (!r->chunked && !r->has_length)
        return refuse(i, 411, "no body length");
    if (!i->is_form)
        return !i->to_directory || refuse(i, 415, "a directory takes forms alone");
    if (!slice_eq_nocase(http_media_type(type), SLICE("multipart/form-data")))
        return refuse(i, 415, "not a form");
    return http_form_start(&i->form, type) || refuse(i, 400, "no boundary of the form");
}

static bool begin_upload(struct http_intake *i)
{
    struct upload_request request = { .caller = i->caller,
                                      .name = http_intake_name(i),
                                      .write = i->write,
                                      .has_size = i->has_announced,
                                      .size = i->announced };
    request.caller.user = i->user_len && i->worker->access
                              ? users_find(&i->worker->access->users, slice_of(i->user, i->user_len))
                              : NULL;
    enum upload_answer answer = upload_begin(i->worker, &request, &i->upload);
    return answer == UPLOAD_FINE || refuse_as(i, answer);
}

static bool is_directory(const struct http_intake_order *o)
{
    struct tree_file file;
    const struct tree_question question = { o->name };
    enum tree_answer answer = tree_ask(o->worker->tree, &question, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    return answer == TREE_DIRECTORY;
}

static void copy_caller(struct http_intake *i, const struct caller *from)
{
    i->caller = *from;
    i->caller.user = NULL;
    if (from->certificate) {
        i->certificate = *from->certificate;
        i->caller.certificate = &i->certificate;
    }
    if (from->agent) {
        i->agent = *from->agent;
        i->caller.agent = &i->agent;
    }
    if (from->user && from->user->name.len <= sizeof i->user) {
        i->user_len = (uint8_t)from->user->name.len;
        memcpy(i->user, from->user->name.ptr, i->user_len);
    }
}

static struct http_intake *make(const struct http_intake_order *o)
{
    const struct http_request *r = o->request;
    size_t name_max = o->name.len + 1 + HTTP_FORM_HEAD_BYTES_MAX;
    struct http_intake *i = calloc(1, sizeof *i + name_max);
    if (!i)
        return NULL;
    i->worker = o->worker;
    i->write = o->write;
    i->expects = r->expect_continue;
    i->http_1_0 = r->http_1_0;
    i->is_form = is_form(r);
    i->to_directory = r->method == HTTP_METHOD_POST && is_directory(o);
    i->conditional = has(r, HTTP_FIELD_IF_MATCH) || has(r, HTTP_FIELD_IF_NONE_MATCH) ||
                     has(r, HTTP_FIELD_IF_UNMODIFIED_SINCE);
    i->has_announced = !r->chunked && !i->is_form;
    i->announced = r->content_length;
    i->name_max = name_max;
    i->name_len = o->name.len;
    memcpy(i->name, o->name.ptr, o->name.len);
    copy_caller(i, &o->caller);
    http_body_start(&i->body, r);
    return i;
}

unsigned http_intake_open(const struct http_intake_order *order, struct http_intake **ret_intake,
                          const char **ret_reason)
{
    struct http_intake *i = make(order);
    if (!i) {
        *ret_reason = "out of memory";
        return 503;
    }
    bool found = !order->directory || i->to_directory || refuse_as(i, UPLOAD_NO_DIRECTORY);
    if (found && judge_head(i, order->request) && note_version(i, order->request) &&
        (i->to_directory || begin_upload(i))) {
        *ret_intake = i;
        return 0;
    }
    unsigned status = http_intake_refusal(i, ret_reason);
    http_intake_close(i);
    return status;
}

void http_intake_close(struct http_intake *i)
{
    if (i->upload && i->storing)
        upload_leave(i->upload);
    else if (i->upload)
        upload_abort(i->upload);
    free(i);
}

/* --- the body --- */

static bool write_file(struct http_intake *i, struct slice data)
{
    enum upload_answer answer = upload_write(i->upload, data);
    if (answer != UPLOAD_FINE)
        return refuse_as(i, answer);
    i->bytes += data.len;
    return true;
}

/* The name that the form gives, within the directory that was asked for; whether this caller may write there is
 * another question than whether it may write to the directory. */
static bool name_file(struct http_intake *i)
{
    struct slice file = i->form.filename;
    struct buf name = { i->name, i->name_len, i->name_max, false };
    struct access_request ask = { .caller = i->caller, .act = ACCESS_WRITE };
    if (!rootdir_name_ok(file) || slice_find(file, '/') < file.len)
        return refuse(i, 400, "refused name in the form");
    if (name.len && name.ptr[name.len - 1] != '/')
        buf_byte(&name, '/');
    buf_text(&name, file);
    i->name_len = name.len;
    if (i->user_len && i->worker->access)
        ask.caller.user = users_find(&i->worker->access->users, slice_of(i->user, i->user_len));
    ask.name = http_intake_name(i);
    struct access_verdict v = access_decide(i->worker->access, &ask);
    if (v.answer != ACCESS_YES)
        return refuse(i, 403, v.reason);
    i->write = v.write;
    return note_version(i, NULL) && begin_upload(i);
}

static bool begin_part(struct http_intake *i)
{
    i->in_file = i->form.is_file;
    if (!i->in_file)
        return true;
    if (i->had_file)
        return refuse(i, 400, "more than one file in the form");
    i->had_file = true;
    return !i->to_directory || name_file(i);
}

static bool take_form(struct http_intake *i, struct slice data)
{
    struct slice part;
    i->beside += data.len;
    for (;;) {
        switch (http_form_next(&i->form, &data, &part)) {
        case HTTP_FORM_MORE:
            return i->beside <= HTTP_FORM_BESIDE_BYTES_MAX || refuse(i, 413, "too much beside the file of the form");
        case HTTP_FORM_PART:
            if (!begin_part(i))
                return false;
            break;
        case HTTP_FORM_DATA:
            if (!i->in_file)
                break;
            /* Of a delimiter that was none, bytes may have been counted in an earlier call: still the file's. */
            i->beside -= part.len < i->beside ? part.len : i->beside;
            if (!write_file(i, part))
                return false;
            break;
        case HTTP_FORM_END:
            i->ended = true;
            i->in_file = false;
            break;
        case HTTP_FORM_REFUSED:
            return refuse(i, 400, i->form.reason);
        }
    }
}

static enum http_intake_step end_body(struct http_intake *i)
{
    bool whole = !i->is_form || (i->ended && i->had_file);
    if (!whole)
        refuse(i, 400, i->had_file ? "the form has no end" : "no file in the form");
    return whole ? HTTP_INTAKE_WHOLE : HTTP_INTAKE_REFUSED;
}

enum http_intake_step http_intake_feed(struct http_intake *i, struct slice *input)
{
    struct slice data;
    size_t len = input->len;
    for (;;) {
        enum http_body_answer answer = http_body_next(&i->body, input, &data);
        i->received += len - input->len;
        len = input->len;
        switch (answer) {
        case HTTP_BODY_MORE:
            return HTTP_INTAKE_MORE;
        case HTTP_BODY_DATA:
            if (!(i->is_form ? take_form(i, data) : write_file(i, data)))
                return HTTP_INTAKE_REFUSED;
            break;
        case HTTP_BODY_WHOLE:
            return end_body(i);
        case HTTP_BODY_REFUSED:
            refuse(i, 400, i->body.reason);
            return HTTP_INTAKE_REFUSED;
        }
    }
}

/* --- the end --- */

unsigned http_intake_store(struct http_intake *i, upload_done *done, void *context, const char **ret_reason)
{
    struct http_validator v = { 0 };
    /* Somebody else may have written it meanwhile. */
    if (i->conditional &&
        (http_intake_version(i->worker, http_intake_name(i), &v) != i->replaces || v.etag != i->etag)) {
        *ret_reason = "precondition failed";
        return 412;
    }
    i->storing = true;
    upload_commit(i->upload, done, context);
    return 0;
}

void http_intake_stored(struct http_intake *i)
{
    i->upload = NULL;
}
