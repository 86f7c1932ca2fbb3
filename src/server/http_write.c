/* Requests that write: what PUT, POST, DELETE and OPTIONS are answered. */
#include "base/rootdir.h"
#include "guide/model.h"
#include "server/change.h"
#include "server/guard.h"
#include "server/http_connection.h"

struct slice http_write_methods(struct http_connection *c, struct slice name)
{
    static const char methods[] = "GET, HEAD, OPTIONS, PUT, POST, DELETE";
    const struct worker *w = c->service->worker;
    struct access_request ask = { .caller = http_reply_caller(c), .name = name, .act = ACCESS_WRITE };
    struct access_verdict v = access_decide(w->access, &ask);
    bool uploads = w->uploads && uploads_root(w->uploads);
    if (v.answer == ACCESS_NO || v.write == ACCESS_WRITE_NONE || (v.write == ACCESS_WRITE_UPLOADS && !uploads))
        return slice_first(SLICE(methods), strlen("GET, HEAD, OPTIONS"));
    if (v.write != ACCESS_WRITE_OVERWRITE)
        return slice_first(SLICE(methods), strlen("GET, HEAD, OPTIONS, PUT, POST"));
    return SLICE(methods);
}

/* A body that nobody has read makes what follows unreadable. */
static void refuse(struct http_connection *c, const struct http_request *request, unsigned status, const char *reason)
{
    if (request->chunked || request->content_length)
        c->reply->close = c->reply->linger = true;
    http_reply_words(c, request, status, OUTCOME_REFUSED, reason);
}

static enum outcome outcome_of(enum upload_answer answer)
{
    if (answer == UPLOAD_ABSENT)
        return OUTCOME_ABSENT;
    return answer == UPLOAD_BROKEN || answer == UPLOAD_READ_ONLY ? OUTCOME_BROKEN : OUTCOME_REFUSED;
}

/* `/desk/` is how a directory is written; the rules and the tree know it without its slash. Nothing but a form can be
 * sent to one. */
static bool take_slash(const struct http_request *request, struct slice *name)
{
    bool slash = request->method == HTTP_METHOD_POST && name->len > 1 && name->ptr[name->len - 1] == '/';
    *name = slice_first(*name, name->len - slash);
    return slash;
}

static bool name_ok(const struct http_request *request, struct slice name)
{
    name = rootdir_name(name);
    return rootdir_name_ok(name) || (name.len == 0 && request->method == HTTP_METHOD_POST);
}

static void store(struct http_connection *c, const struct http_request *request, const struct access_request *ask,
                  enum access_write write, bool directory)
{
    const char *reason = NULL;
    const struct http_intake_order order = { c->service->worker, request, ask->caller, ask->name, directory, write };
    unsigned status = http_intake_open(&order, &c->reply->intake, &reason);
    /* R11: who sends as slowly as he may must not keep the others out. */
    if (status == 503 && http_take_make_room(c->service))
        status = http_intake_open(&order, &c->reply->intake, &reason);
    if (status)
        refuse(c, request, status, reason);
}

static void remove_file(struct http_connection *c, const struct http_request *request,
                        const struct access_request *ask, enum access_write write)
{
    struct worker *w = c->service->worker;
    struct http_validator v = { 0 };
    if (write != ACCESS_WRITE_OVERWRITE) {
        refuse(c, request, 405, "not to be removed");
        return;
    }
    bool there = http_intake_version(w, ask->name, &v);
    if (!http_condition_write(request, there ? &v : NULL, w->loop.wall_ms / 1000)) {
        refuse(c, request, 412, "precondition failed");
        return;
    }
    enum upload_answer answer = change_remove(w, &ask->caller, ask->name);
    if (answer != UPLOAD_FINE) {
        refuse(c, request, http_intake_status(answer), upload_answer_words(answer));
        c->reply->event.outcome = outcome_of(answer);
        return;
    }
    c->reply->event.outcome = OUTCOME_REMOVED;
    http_reply_bare(c, request, 204, SLICE_NONE);
}

void http_write_request(struct http_connection *c, const struct http_request *request, struct slice name)
{
    struct user_agent agent = user_agent_parse(request->field[HTTP_FIELD_USER_AGENT]);
    bool removes = request->method == HTTP_METHOD_DELETE, directory = take_slash(request, &name);
    struct access_request ask = { .caller = http_reply_caller(c), .name = name, .act = ACCESS_WRITE };
    if (!name_ok(request, name)) {
        refuse(c, request, 400, "refused name");
        return;
    }
    if (removes && (request->chunked || request->content_length)) {
        refuse(c, request, 413, "no body is taken");
        return;
    }
    if (agent.has_mac)
        ask.caller.agent = &agent.mac;
    struct http_admission a = http_reply_admit(c, request, &ask);
    if (a.status)
        refuse(c, request, a.status, a.reason);
    else if (!guard_write(c->service->worker, &ask.caller, name))
        refuse(c, request, 429, tree_answer_words(TREE_GUARDED));
    else if (removes)
        remove_file(c, request, &ask, a.write);
    else
        store(c, request, &ask, a.write, directory);
}

void http_write_options(struct http_connection *c, const struct http_request *request, struct slice name)
{
    c->reply->event.outcome = OUTCOME_SENT;
    http_reply_bare(c, request, 204, http_write_methods(c, name));
}

/* What the head has said is gone by now. */
static struct http_request request_of(const struct http_intake *i)
{
    return (struct http_request){ .method = HTTP_METHOD_PUT, .http_1_0 = http_intake_is_1_0(i) };
}

static void note(struct http_connection *c, const struct http_intake *i)
{
    journal_event_set_name(&c->reply->event, http_intake_name(i));
    c->reply->event.bytes = http_intake_bytes(i);
}

void http_write_refuse(struct http_connection *c, unsigned status, enum outcome outcome, const char *reason)
{
    struct http_request request = request_of(c->reply->intake);
    note(c, c->reply->intake);
    http_reply_words(c, &request, status, outcome, reason);
}

void http_write_stored(struct http_connection *c, enum upload_answer answer)
{
    const struct http_intake *i = c->reply->intake;
    struct http_request request = request_of(i);
    unsigned status = http_intake_status(answer);
    if (answer != UPLOAD_FINE) {
        http_write_refuse(c, status, outcome_of(answer), upload_answer_words(answer));
        return;
    }
    note(c, i);
    if (http_intake_replaces(i)) {
        c->reply->event.outcome = OUTCOME_STORED;
        http_reply_bare(c, &request, 204, SLICE_NONE);
    } else {
        http_reply_words(c, &request, 201, OUTCOME_STORED, NULL);
    }
}
