#include "base/url.h"
#include "proto/http_date.h"
#include "server/guard.h"
#include "server/http_connection.h"

#include <stdlib.h>

bool http_reply_is_scratch(const struct http_connection *c)
{
    const struct http_reply *scratch = c->service->scratch;
    return c->reply == &scratch[0] || c->reply == &scratch[1];
}

static struct http_reply *begin(struct http_connection *c)
{
    struct http_reply *r = &c->service->scratch[c->service->scratch_used++];
    const struct loop *loop = &c->service->worker->loop;
    struct journal_event *e = &r->event;
    uint64_t ms = loop->now_ms > c->since_ms ? loop->now_ms - c->since_ms : 0;
    e->protocol = c->service->protocol;
    e->outcome = OUTCOME_REFUSED;
    e->peer = c->peer;
    e->wall_ms = loop->wall_ms - (int64_t)ms;
    e->duration_ms = 0;
    e->bytes = 0;
    e->code = 0;
    e->reason = NULL;
    caller_note_certificate(&c->stream, e);
    e->name_len = e->agent_len = 0;
    r->turn.run = NULL;
    r->start_ms = c->since_ms;
    r->intake = NULL;
    r->holds_file = r->linger = false;
    r->close = true;
    r->at = r->end = r->written = 0;
    r->parts.count = r->part = 0;
    r->text_at = r->text_len = 0;
    c->reply = r;
    c->taken = 0;
    return r;
}

/* `text` is the reply's own, filled from the front. */
static void put_head(struct http_connection *c, const struct http_request *request, struct http_answer *a)
{
    struct http_reply *r = c->reply;
    struct buf out = BUF_ON(r->text);
    r->event.code = (uint16_t)a->status;
    a->date = http_service_date(c->service);
    if (a->validator)
        a->modified = http_service_modified(c->service, a->validator->modified);
    a->close = r->close;
    a->challenges = a->status == 401 ? buf_slice(&c->service->challenges) : SLICE_NONE;
    a->http_1_0 = request && request->http_1_0;
    http_answer_print(a, &out);
    r->text_len = (uint16_t)out.len;
}

static void append(struct http_reply *r, struct slice text)
{
    struct buf out = buf_on(r->text + r->text_len, sizeof r->text - r->text_len);
    buf_text(&out, text);
    r->text_len = (uint16_t)(r->text_len + out.len);
}

/* Decoded into `name`, whose text must live on. */
static bool name_of(const struct http_request *request, struct buf *name)
{
    struct slice path;
    return http_target_path(request->target, &path) && url_decode(path, name);
}

static struct slice methods_of(struct http_connection *c, const struct http_request *request)
{
    char bytes[HTTP_TARGET_BYTES_MAX];
    struct buf name = BUF_ON(bytes);
    bool named = request && name_of(request, &name);
    return http_write_methods(c, named ? buf_slice(&name) : SLICE_NONE);
}

/* `a` has the status and what is special about it. Nothing that came from outside is in the text. */
static void answer_text(struct http_connection *c, const struct http_request *request, enum outcome outcome,
                        const char *reason, struct http_answer *a)
{
    char bytes[160];
    struct buf words = BUF_ON(bytes);
    buf_format(&words, "%u %s%s%s\n", a->status, http_status_words(a->status), reason ? ": " : "",
               reason ? reason : "");
    a->content_type = SLICE("text/plain");
    a->content_length = words.len;
    a->allow = a->status == 405 ? methods_of(c, request) : SLICE_NONE;
    a->retry_after_s = a->status == 503 ? HTTP_RETRY_S : a->status == 429 ? HTTP_LOGIN_RETRY_S : 0;
    c->reply->event.outcome = outcome;
    c->reply->event.reason = reason;
    put_head(c, request, a);
    if (!request || request->method != HTTP_METHOD_HEAD)
        append(c->reply, buf_slice(&words));
}

/* `size` is of the file, for a 416. */
static void answer_words(struct http_connection *c, const struct http_request *request, unsigned status,
                         enum outcome outcome, const char *reason, uint64_t size)
{
    struct http_answer a = { .status = status, .file_size = size };
    answer_text(c, request, outcome, reason, &a);
}

void http_reply_words(struct http_connection *c, const struct http_request *request, unsigned status,
                      enum outcome outcome, const char *reason)
{
    answer_words(c, request, status, outcome, reason, 0);
}

void http_reply_bare(struct http_connection *c, const struct http_request *request, unsigned status,
                     struct slice allow)
{
    struct http_answer a = { .status = status, .allow = allow };
    put_head(c, request, &a);
}

/* The last word on this connection: the peer may still be sending what nobody will read. */
static void answer_and_close(struct http_connection *c, const struct http_request *request, unsigned status,
                             const char *reason)
{
    c->reply->close = c->reply->linger = true;
    answer_words(c, request, status, OUTCOME_REFUSED, reason, 0);
}

static void answer_multipart(struct http_connection *c, const struct http_request *request,
                             struct http_answer *a)
{
    struct http_reply *r = c->reply;
    a->content_type = http_multipart_type();
    a->content_length = http_multipart_length(&r->parts, r->content_type, r->file.size);
    put_head(c, request, a);
    http_reply_next_part(r);
}

/* 200 or 206. */
static void answer_file(struct http_connection *c, const struct http_request *request,
                        const struct http_validator *v, enum http_range_answer ranges)
{
    struct http_reply *r = c->reply;
    struct http_answer a = { .status = 200,
                             .content_type = r->content_type,
                             .content_length = r->file.size,
                             .validator = v,
                             .file_size = r->file.size };
    r->event.outcome = OUTCOME_SENT;
    r->end = r->file.size;
    if (ranges == HTTP_RANGE_PARTS) {
        a.status = 206;
        if (r->parts.count > 1) {
            answer_multipart(c, request, &a);
            return;
        }
        r->at = r->parts.range[0].from;
        r->end = r->parts.range[0].end;
        a.range = &r->parts.range[0];
        a.content_length = r->end - r->at;
    }
    put_head(c, request, &a);
    r->parts.count = 0;
    if (request->method == HTTP_METHOD_HEAD)
        r->at = r->end = 0;
}

static void answer_not_modified(struct http_connection *c, const struct http_request *request,
                                const struct http_validator *v)
{
    struct http_answer a = { .status = 304, .validator = v };
    c->reply->event.outcome = OUTCOME_UNCHANGED;
    put_head(c, request, &a);
}

/* The order of RFC 9110 13.2.2: conditions first, then ranges. */
static void answer_found(struct http_connection *c, const struct http_request *request, struct slice name)
{
    struct http_reply *r = c->reply;
    const struct http_validator v = { r->file.etag, r->file.mtime.tv_sec };
    int64_t now = c->service->worker->loop.wall_ms / 1000;
    enum http_range_answer ranges = HTTP_RANGE_WHOLE;
    enum http_condition condition = http_condition(request, &v, now);
    r->holds_file = true;
    r->content_type = http_content_type(name);
    if (condition == HTTP_CONDITION_NOT_MODIFIED) {
        answer_not_modified(c, request, &v);
        return;
    }
    if (condition == HTTP_CONDITION_FAILED) {
        answer_words(c, request, 412, OUTCOME_REFUSED, "precondition failed", 0);
        return;
    }
    if (http_range_applies(request, &v, now))
        ranges = http_range_parse(request->field[HTTP_FIELD_RANGE], r->file.size, &r->parts);
    if (ranges == HTTP_RANGE_NONE)
        answer_words(c, request, 416, OUTCOME_REFUSED, "no such range", r->file.size);
    else if (!r->file.blob && request->method == HTTP_METHOD_GET && !http_connection_admit(c))
        /* A large file has to wait for its reader; better said now than in the middle. */
        answer_and_close(c, request, 503, "too many connections");
    else
        answer_file(c, request, &v, ranges);
}

static const struct {
    unsigned status;
    enum outcome outcome;
} tree_replies[] = {
    [TREE_FILE] = { 200, OUTCOME_SENT },         [TREE_ABSENT] = { 404, OUTCOME_ABSENT },
    [TREE_BAD_NAME] = { 400, OUTCOME_REFUSED },  [TREE_FORBIDDEN] = { 403, OUTCOME_REFUSED },
    [TREE_DIRECTORY] = { 404, OUTCOME_REFUSED }, [TREE_BROKEN] = { 503, OUTCOME_BROKEN },
    [TREE_GUARDED] = { 429, OUTCOME_REFUSED },
};

struct caller http_reply_caller(const struct http_connection *c)
{
    return (struct caller){ .protocol = c->service->protocol,
                            .peer = &c->peer,
                            .certificate = c->reply ? journal_event_certificate(&c->reply->event) : NULL };
}

struct http_admission http_reply_admit(struct http_connection *c, const struct http_request *request,
                                       struct access_request *ask)
{
    c->service->challenges = BUF_ON(c->service->challenge_bytes);
    return http_login(c->service->worker, request, ask, &c->service->challenges);
}

static void answer_nothing(struct http_connection *c, const struct http_request *request, enum tree_answer answer)
{
    answer_words(c, request, tree_replies[answer].status, tree_replies[answer].outcome, tree_answer_words(answer), 0);
}

/* Another phone's file: not to be told from one that is not there, but by the journal. */
static void answer_hidden(struct http_connection *c, const struct http_request *request,
                          const struct access_request *ask, const char *reason)
{
    enum tree_answer answer = guard_hide(c->service->worker, &ask->caller, ask->name);
    answer_nothing(c, request, answer);
    c->reply->event.outcome = OUTCOME_REFUSED;
    if (answer == TREE_ABSENT)
        c->reply->event.reason = reason;
}

/* False: refused, and answered. */
static bool admit(struct http_connection *c, const struct http_request *request, struct access_request *ask)
{
    struct http_admission a = http_reply_admit(c, request, ask);
    if (a.status == 404)
        answer_hidden(c, request, ask, a.reason);
    else if (a.status)
        answer_words(c, request, a.status, OUTCOME_REFUSED, a.reason, 0);
    return a.status == 0;
}

static void answer_name(struct http_connection *c, const struct http_request *request, struct slice name)
{
    struct access_request ask = { .caller = http_reply_caller(c), .name = name };
    struct http_reply *r = c->reply;
    if (!admit(c, request, &ask))
        return;
    enum tree_answer answer = guard_ask(c->service->worker, &ask.caller, name, &r->file);
    if (answer == TREE_FILE)
        answer_found(c, request, name);
    else
        answer_nothing(c, request, answer);
    bool body = r->at < r->end || r->parts.count;
    if (r->holds_file && !body) {
        tree_file_release(&r->file);
        r->holds_file = false;
    }
}

static void note_agent(struct http_connection *c, struct slice agent)
{
    if (agent.len)
        journal_event_set_agent(&c->reply->event, agent);
}

/* True: what is asked for has moved, and that is the answer. It does not depend on who asks: the target is no secret,
 * and answers for itself. */
static bool answer_moved(struct http_connection *c, const struct http_request *request, struct slice name)
{
    const struct access *access = c->service->worker->access;
    char bytes[HTTP_LOCATION_BYTES_MAX];
    struct buf location = BUF_ON(bytes);
    if (!access || access->redirects.count == 0)
        return false;
    size_t mark = slice_find(request->target, '?');
    const struct redirect_question q = { .name = name,
                                         .query = slice_from(request->target, mark + 1),
                                         .has_query = mark < request->target.len,
                                         .https = c->service->protocol == PROTOCOL_HTTPS,
                                         .host = request->field[HTTP_FIELD_HOST] };
    unsigned status = redirect_find(&access->redirects, &q, &location);
    if (!status)
        return false;
    if (request->chunked || request->content_length)
        c->reply->close = c->reply->linger = true;
    if (!buf_ok(&location)) {
        answer_words(c, request, 414, OUTCOME_REFUSED, "has moved, and its new name is too long", 0);
        return true;
    }
    struct http_answer a = { .status = status, .location = buf_slice(&location) };
    answer_text(c, request, OUTCOME_SENT, "moved", &a);
    return true;
}

static void answer_method(struct http_connection *c, const struct http_request *request, struct slice name)
{
    bool body = request->chunked || request->content_length;
    if (http_method_writes(request->method)) {
        http_write_request(c, request, name);
        return;
    }
    if (body)
        c->reply->close = c->reply->linger = true;
    if (request->method == HTTP_METHOD_OTHER)
        answer_words(c, request, 405, OUTCOME_REFUSED, "method not served", 0);
    else if (body)
        answer_words(c, request, 413, OUTCOME_REFUSED, "no body is taken", 0);
    else if (request->method == HTTP_METHOD_OPTIONS)
        http_write_options(c, request, name);
    else
        answer_name(c, request, name);
}

static void answer_whole(struct http_connection *c, const struct http_request *request)
{
    char bytes[HTTP_TARGET_BYTES_MAX];
    struct buf name = BUF_ON(bytes);
    c->reply->close = !request->keep_alive || c->service->draining;
    if (name_of(request, &name)) {
        journal_event_set_name(&c->reply->event, buf_slice(&name));
        if (!answer_moved(c, request, buf_slice(&name)))
            answer_method(c, request, buf_slice(&name));
        return;
    }
    journal_event_set_name(&c->reply->event, request->target);
    bool body = request->chunked || request->content_length;
    if (request->method == HTTP_METHOD_OPTIONS && slice_eq(request->target, SLICE("*")) && !body)
        http_write_options(c, request, SLICE_NONE);
    else if (request->method == HTTP_METHOD_OTHER)
        answer_and_close(c, request, 405, "method not served");
    else
        answer_and_close(c, request, 400, "bad target");
}

void http_reply_to_request(struct http_connection *c, struct slice head)
{
    struct http_request request;
    const char *reason = NULL;
    struct http_reply *r = begin(c);
    int status = http_request_parse(&c->guard, head, &request, &reason);
    if (status) {
        struct slice agent = SLICE_NONE;
        size_t at = 0;
        http_request_next(&request, HTTP_FIELD_USER_AGENT, &at, &agent);
        note_agent(c, agent);
        journal_event_set_name(&r->event, request.target);
        answer_and_close(c, &request, (unsigned)status, reason);
        return;
    }
    note_agent(c, request.field[HTTP_FIELD_USER_AGENT]);
    /* The same phone on a new connection gets the verdict of today. */
    if (!stream_still_good(&c->stream, http_service_tls(c->service)))
        answer_and_close(c, &request, 503, "the trusted certificates have changed");
    else
        answer_whole(c, &request);
}

/* What can be known of a head that is not whole. */
static void note_partial(struct http_connection *c, struct slice input)
{
    struct http_request partial = { .head = input };
    struct slice agent = SLICE_NONE;
    size_t at = 0;
    journal_event_set_name(&c->reply->event, http_guard_target(&c->guard, input));
    if (http_request_next(&partial, HTTP_FIELD_USER_AGENT, &at, &agent))
        note_agent(c, agent);
}

void http_reply_refuse(struct http_connection *c, struct slice input, unsigned status, const char *reason)
{
    begin(c);
    note_partial(c, input);
    answer_and_close(c, NULL, status, reason);
}

void http_reply_note_unanswered(struct http_connection *c, struct slice input, const char *reason)
{
    struct http_reply *r = begin(c);
    note_partial(c, input);
    r->event.outcome = OUTCOME_STOPPED;
    r->event.reason = reason;
    http_reply_finish(c);
}

bool http_reply_next_part(struct http_reply *r)
{
    struct buf out;
    if (r->text_at == r->text_len)
        r->text_at = r->text_len = 0;
    if (r->parts.count == 0)
        return false;
    out = buf_on(r->text + r->text_len, sizeof r->text - r->text_len);
    http_multipart_print(&r->parts, r->part, r->content_type, r->file.size, &out);
    r->text_len = (uint16_t)(r->text_len + out.len);
    if (r->part == r->parts.count) {
        r->parts.count = 0;
    } else {
        r->at = r->parts.range[r->part].from;
        r->end = r->parts.range[r->part].end;
        r->part++;
    }
    return true;
}

void http_reply_finish(struct http_connection *c)
{
    struct http_reply *r = c->reply;
    loop_drop_turn(&c->service->worker->loop, &r->turn);
    uint64_t now_ms = c->service->worker->loop.now_ms;
    uint64_t ms = now_ms > r->start_ms ? now_ms - r->start_ms : 0;
    r->event.duration_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
    journal_note(c->service->worker->journal, &r->event);
    if (r->intake)
        http_intake_close(r->intake);
    if (r->holds_file)
        tree_file_release(&r->file);
    if (http_reply_is_scratch(c))
        c->service->scratch_used--;
    else
        free(r);
    c->reply = NULL;
}
