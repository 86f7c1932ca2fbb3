/* Requests that write: what PUT, POST, DELETE and OPTIONS are answered. */
#include "base/rootdir.h"
#include "guide/model.h"
#include "server/http_connection.h"

struct slice http_write_methods(struct http_connection *c, struct slice name)
{
    struct worker *w = c->service->worker;
    struct access_request ask = {
        .caller = { .protocol = c->service->protocol, .peer = &c->peer }, .name = name, .act = ACCESS_WRITE
    };
    struct access_verdict v = access_decide(w->access, &ask);
    if (v.answer == ACCESS_NO || v.write == ACCESS_WRITE_NONE || (v.write == ACCESS_WRITE_UPLOADS && !w->uploads))
        return SLICE("GET, HEAD, OPTIONS");
    return SLICE("GET, HEAD, OPTIONS, PUT, POST");
}

/* A body that nobody has read makes what follows unreadable. */
static void refuse(struct http_connection *c, const struct http_request *request, unsigned status, const char *reason)
{
    if (request->chunked || request->content_length)
        c->reply->close = c->reply->linger = true;
    http_reply_words(c, request, status, OUTCOME_REFUSED, reason);
}

static bool name_ok(struct slice name)
{
    name = rootdir_name(name);
    if (name.len && name.ptr[name.len - 1] == '/')
        name = slice_first(name, name.len - 1);
    return name.len == 0 || rootdir_name_ok(name);
}

void http_write_request(struct http_connection *c, const struct http_request *request, struct slice name)
{
    struct user_agent agent = user_agent_parse(request->field[HTTP_FIELD_USER_AGENT]);
    struct access_request ask = { .name = name, .act = ACCESS_WRITE };
    const char *reason = NULL;
    if (!name_ok(name)) {
        refuse(c, request, 400, "refused name");
        return;
    }
    ask.caller = (struct caller){ .protocol = c->service->protocol,
                                  .peer = &c->peer,
                                  .agent = agent.has_mac ? &agent.mac : NULL };
    struct http_admission a = http_reply_admit(c, request, &ask);
    if (a.status) {
        refuse(c, request, a.status, a.reason);
        return;
    }
    const struct http_intake_order order = { c->service->worker, request, ask.caller, name, a.write };
    unsigned status = http_intake_open(&order, &c->reply->intake, &reason);
    if (status)
        refuse(c, request, status, reason);
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
    bool broken = answer == UPLOAD_BROKEN;
    if (answer != UPLOAD_FINE) {
        http_write_refuse(c, status, broken ? OUTCOME_BROKEN : OUTCOME_REFUSED, upload_answer_words(answer));
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
