/* Reading the body of a request that writes. */
#include "server/http_connection.h"

#include <errno.h>

/* So much of a body in one go, then the others get their turn. */
#define TAKE_BYTES_A_ROUND ((size_t)128 * 1024)

/* The body is not read further: what is behind it cannot be told from it. */
static void refuse(struct http_connection *c, unsigned status, enum outcome outcome, const char *reason)
{
    c->reply->close = c->reply->linger = true;
    http_write_refuse(c, status, outcome, reason);
    http_connection_answer(c, SLICE_NONE);
}

static void on_stored(void *context, enum upload_answer answer)
{
    struct http_connection *c = context;
    http_intake_stored(c->reply->intake);
    http_write_stored(c, answer);
    http_connection_answer(c, slice_of(c->kept, c->kept_len));
}

/* The body is whole; `input` lies behind it and waits until the disk has it. */
static void store(struct http_connection *c, struct slice input)
{
    const char *reason = NULL;
    http_connection_enter(c, HTTP_STATE_STORING);
    if (!http_connection_keep(c, input) || stream_wait(&c->stream, 0) != 0) {
        refuse(c, 503, OUTCOME_BROKEN, "out of memory");
        return;
    }
    unsigned status = http_intake_store(c->reply->intake, on_stored, c, &reason);
    if (status) {
        http_write_refuse(c, status, OUTCOME_REFUSED, reason);
        http_connection_answer(c, slice_of(c->kept, c->kept_len));
    }
}

/* False: the body has come to an end, or the connection. */
static bool feed(struct http_connection *c, struct slice input)
{
    const char *reason = NULL;
    switch (http_intake_feed(c->reply->intake, &input)) {
    case HTTP_INTAKE_MORE:
        return true;
    case HTTP_INTAKE_WHOLE:
        store(c, input);
        return false;
    case HTTP_INTAKE_REFUSED:
        break;
    }
    unsigned status = http_intake_refusal(c->reply->intake, &reason);
    refuse(c, status, status == 500 ? OUTCOME_BROKEN : OUTCOME_REFUSED, reason);
    return false;
}

static void on_take_check(struct timer *timer)
{
    struct http_connection *c = container_of(timer, struct http_connection, timer);
    int64_t received = (int64_t)http_intake_received(c->reply->intake);
    if (received - c->taken < (int64_t)HTTP_TAKE_FLOOR_BYTES) {
        refuse(c, 408, OUTCOME_STOPPED, "sent too little for too long");
        return;
    }
    c->taken = received;
    loop_timer(&c->service->worker->loop, &c->timer, HTTP_TAKE_CHECK_S * 1000, on_take_check);
}

static void wait_for_more(struct http_connection *c)
{
    if (stream_wait(&c->stream, UV_READABLE) != 0)
        refuse(c, 503, OUTCOME_BROKEN, "cannot be waited for");
    else if (!timer_is_running(&c->timer))
        loop_timer(&c->service->worker->loop, &c->timer, HTTP_TAKE_CHECK_S * 1000, on_take_check);
}

void http_take_ready(struct http_connection *c)
{
    char *into = c->service->input;
    for (size_t came = 0; came < TAKE_BYTES_A_ROUND;) {
        ssize_t n = stream_read(&c->stream, into, sizeof c->service->input);
        if (n == -EAGAIN)
            break;
        if (n <= 0) {
            http_connection_cut(c, OUTCOME_STOPPED, "the peer went away within its upload");
            return;
        }
        came += (size_t)n;
        if (!feed(c, slice_of(into, (size_t)n)))
            return;
    }
    wait_for_more(c);
}

static bool send_continue(struct http_connection *c)
{
    static const struct slice text = { "HTTP/1.1 100 Continue\r\n\r\n", 25 };
    return stream_write(&c->stream, text, SLICE_NONE, false) == (ssize_t)text.len;
}

void http_take_begin(struct http_connection *c, struct slice input)
{
    if (!http_connection_own_reply(c) || !http_connection_admit(c)) {
        refuse(c, 503, OUTCOME_REFUSED, "too many connections");
        return;
    }
    c->taken = 0;
    http_connection_enter(c, HTTP_STATE_TAKING);
    if (!feed(c, input))
        return;
    http_connection_keep(c, SLICE_NONE);
    /* Nothing of the body is here yet, and all that was answered before has been written: it goes out whole. */
    if (http_intake_is_awaited(c->reply->intake) && !send_continue(c))
        http_connection_cut(c, OUTCOME_STOPPED, "the peer went away");
    else
        wait_for_more(c);
}

bool http_take_make_room(struct http_service *s)
{
    uint64_t now_ms = s->worker->loop.now_ms;
    struct http_connection *c;
    TAILQ_FOREACH(c, &s->sending, link)
        if (c->state == HTTP_STATE_TAKING && now_ms - c->since_ms >= HTTP_TAKE_CHECK_S * 1000) {
            http_connection_cut(c, OUTCOME_STOPPED, "made room for others");
            return true;
        }
    return false;
}
