#include "server/http_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Idle connections are what there are thousands of; http_service.h states the size. */
_Static_assert(sizeof(struct http_connection) <= 352, "an idle connection grew");

enum progress { PROGRESS_DONE, PROGRESS_TURN_OVER, PROGRESS_BLOCKED, PROGRESS_GONE, PROGRESS_BROKEN };

static struct loop *loop_of(const struct http_connection *c)
{
    return &c->service->worker->loop;
}

static void let_go_of_kept(struct http_connection *c)
{
    free(c->kept);
    c->kept = NULL;
    c->kept_len = 0;
}

bool http_connection_keep(struct http_connection *c, struct slice input)
{
    if (input.len == 0) {
        let_go_of_kept(c);
        return true;
    }
    if (!c->kept)
        c->kept = malloc(HTTP_HEAD_BYTES_MAX);
    if (!c->kept)
        return false;
    memmove(c->kept, input.ptr, input.len);
    c->kept_len = (uint16_t)input.len;
    return true;
}

static struct http_connections *list_of(struct http_connection *c)
{
    bool waits = c->state == HTTP_STATE_READING || c->state == HTTP_STATE_CLOSING;
    return waits ? &c->service->waiting : &c->service->sending;
}

static void drop(struct http_connection *c, bool abort)
{
    struct http_service *s = c->service;
    timer_stop(&loop_of(c)->wheel, &c->timer);
    let_go_of_kept(c);
    if (c->limit) {
        TAILQ_REMOVE(list_of(c), c, link);
        peer_limits_end(s->limits, c->limit);
        c->limit = NULL;
        s->slots--;
    }
    stream_close(&c->stream, abort); /* may free c */
    http_service_slot_freed(s);
}

void http_connection_enter(struct http_connection *c, enum http_state state)
{
    if (c->limit)
        TAILQ_REMOVE(list_of(c), c, link);
    c->state = (uint8_t)state;
    if (c->limit)
        TAILQ_INSERT_TAIL(list_of(c), c, link);
}

/* The answer is small and the socket's buffer empty, or nothing can be done about it. */
static void write_and_drop(struct http_connection *c)
{
    struct http_reply *r = c->reply;
    stream_write(&c->stream, slice_of(r->text, r->text_len), SLICE_NONE, false);
    http_reply_finish(c);
    stream_end(&c->stream);
    drop(c, false);
}

static bool make_room(struct http_service *s)
{
    struct http_connection *c = TAILQ_FIRST(&s->waiting);
    if (!c)
        return false;
    if (c->state == HTTP_STATE_READING && c->kept_len) {
        http_reply_refuse(c, slice_of(c->kept, c->kept_len), 503, "made room for others");
        write_and_drop(c);
    } else {
        drop(c, false);
    }
    return true;
}

bool http_connection_admit(struct http_connection *c)
{
    struct http_service *s = c->service;
    if (c->limit)
        return true;
    struct peer_limit *limit = peer_limits_of(s->limits, &c->peer);
    if (!limit || limit->busy >= s->worker->config->http_peer_connections)
        return false;
    if (s->slots >= s->slots_max && !make_room(s))
        return false;
    /* Asked again: making room may have moved the entry. */
    limit = peer_limits_of(s->limits, &c->peer);
    if (!limit)
        return false;
    peer_limits_begin(s->limits, limit);
    c->limit = limit;
    s->slots++;
    TAILQ_INSERT_TAIL(list_of(c), c, link);
    return true;
}

static void on_head_late(struct timer *timer)
{
    struct http_connection *c = container_of(timer, struct http_connection, timer);
    struct slice input = slice_of(c->kept, c->kept_len);
    if (input.len == 0) {
        drop(c, false);
        return;
    }
    http_reply_refuse(c, input, 408, "head not whole in time");
    write_and_drop(c);
}

/* Waits for the next bytes of a head, or for the first. What cannot wait is answered 503. */
static void wait_for_input(struct http_connection *c, struct slice input)
{
    const struct config *config = c->service->worker->config;
    bool partial = input.len || c->fresh;
    uint64_t since_ms = partial ? c->since_ms : loop_of(c)->now_ms;
    uint64_t due_ms = since_ms + (uint64_t)(partial ? config->http_head_s : config->http_idle_s) * 1000;
    if (!partial && c->service->draining) {
        drop(c, false);
    } else if (!http_connection_admit(c) || !http_connection_keep(c, input) ||
               stream_wait(&c->stream, UV_READABLE) != 0) {
        if (partial) {
            http_reply_refuse(c, input, 503, "too many connections");
            write_and_drop(c);
        } else {
            drop(c, false);
        }
    } else if (!timer_is_running(&c->timer) || c->timer.due_ms != due_ms) {
        timer_start(&loop_of(c)->wheel, &c->timer, due_ms, on_head_late);
    }
}

static void on_linger_over(struct timer *timer)
{
    drop(container_of(timer, struct http_connection, timer), false);
}

/* Throws away what comes until the peer closes too; closing at once could make the kernel send a reset that
 * overtakes the answer. */
static void drain_input(struct http_connection *c)
{
    char *into = c->service->input;
    for (;;) {
        ssize_t n = stream_read(&c->stream, into, sizeof c->service->input);
        if (n == -EAGAIN)
            break;
        if (n > 0)
            c->drained += (uint32_t)n;
        if (n <= 0 || c->drained > HTTP_LINGER_BYTES_MAX) {
            drop(c, false);
            return;
        }
    }
    if (!http_connection_admit(c) || stream_wait(&c->stream, UV_READABLE) != 0)
        drop(c, false);
    else if (!timer_is_running(&c->timer))
        loop_timer(loop_of(c), &c->timer, HTTP_LINGER_S * 1000, on_linger_over);
}

static void end_connection(struct http_connection *c, bool linger)
{
    let_go_of_kept(c);
    if (!linger) {
        drop(c, false);
        return;
    }
    stream_end(&c->stream);
    timer_stop(&loop_of(c)->wheel, &c->timer);
    http_connection_enter(c, HTTP_STATE_CLOSING);
    drain_input(c);
}

/* What sendfile takes the body from; -1: it goes from memory, as by TLS whatever is there. */
static int body_descriptor(const struct http_connection *c)
{
    const struct tree_file *file = &c->reply->file;
    if (!file->blob)
        return file->fd;
    return c->stream.filtered ? -1 : blob_descriptor(file->blob);
}

/* Text and what follows it from memory, in one call. */
static ssize_t push_memory(struct http_connection *c)
{
    struct http_reply *r = c->reply;
    struct slice text = slice_from(slice_of(r->text, r->text_len), r->text_at), body = SLICE_NONE;
    bool in_memory = r->holds_file && body_descriptor(c) < 0;
    if (in_memory)
        body = slice_first(slice_from(blob_bytes(r->file.blob), r->at), r->end - r->at);
    /* Before a close it need not leave at once: the kernel sends the FIN along with it, one packet less. */
    bool more = r->parts.count || (!in_memory && r->at < r->end) || r->close;
    ssize_t n = stream_write(&c->stream, text, body, more);
    if (n < 0)
        return n;
    size_t of_text = (size_t)n < text.len ? (size_t)n : text.len;
    r->text_at = (uint16_t)(r->text_at + of_text);
    r->at += (size_t)n - of_text;
    r->event.bytes += (size_t)n - of_text;
    r->written += (size_t)n;
    return (size_t)n < text.len + body.len ? -EAGAIN : n;
}

static ssize_t push_file(struct http_connection *c, size_t limit)
{
    struct http_reply *r = c->reply;
    uint64_t left = r->end - r->at;
    if (!r->file.blob && !tree_file_unchanged(&r->file))
        return -ESTALE;
    ssize_t n = stream_send_file(&c->stream, body_descriptor(c), r->at, left < limit ? (size_t)left : limit);
    if (n <= 0)
        return n ? n : -ESTALE;
    r->at += (size_t)n;
    r->event.bytes += (size_t)n;
    r->written += (size_t)n;
    return n;
}

static enum progress push(struct http_connection *c)
{
    struct http_reply *r = c->reply;
    ssize_t n = 0;
    for (size_t sent = 0; n >= 0 && sent < STREAM_TURN_BYTES; sent += (size_t)(n > 0 ? n : 0)) {
        if (r->text_at < r->text_len || (r->at < r->end && body_descriptor(c) < 0))
            n = push_memory(c);
        else if (r->at < r->end)
            n = push_file(c, STREAM_TURN_BYTES - sent);
        else if (!http_reply_next_part(r))
            return PROGRESS_DONE;
        else
            n = 0;
    }
    if (n >= 0)
        return PROGRESS_TURN_OVER;
    if (n == -EAGAIN)
        return PROGRESS_BLOCKED;
    return n == -ESTALE || n == -EIO ? PROGRESS_BROKEN : PROGRESS_GONE;
}

/* Ends the reply short: the client sees fewer bytes than Content-Length and takes nothing of it. */
void http_connection_cut(struct http_connection *c, enum outcome outcome, const char *reason)
{
    c->reply->event.outcome = outcome;
    c->reply->event.reason = reason;
    http_reply_finish(c);
    drop(c, true);
}

static void on_send_check(struct timer *timer)
{
    struct http_connection *c = container_of(timer, struct http_connection, timer);
    int64_t taken = (int64_t)c->reply->written - (int64_t)stream_unacknowledged(&c->stream);
    if (taken - c->taken < (int64_t)HTTP_SEND_FLOOR_BYTES) {
        http_connection_cut(c, OUTCOME_STOPPED, "took too little for too long");
        return;
    }
    c->taken = taken;
    loop_timer(loop_of(c), &c->timer, HTTP_SEND_CHECK_S * 1000, on_send_check);
}

bool http_connection_own_reply(struct http_connection *c)
{
    struct http_reply *own;
    if (!http_reply_is_scratch(c))
        return true;
    own = malloc(sizeof *own);
    if (!own)
        return false;
    memcpy(own, c->reply, sizeof *own);
    own->connection = c;
    c->reply = own;
    c->service->scratch_used--;
    return true;
}

static void on_turn(struct turn *turn);

/* Between turns nobody asks the kernel whether there is room: the next write says so. */
static bool await_turn(struct http_connection *c)
{
    loop_take_turn(loop_of(c), &c->reply->turn, on_turn);
    return stream_wait(&c->stream, 0) == 0;
}

static void wait_for_output(struct http_connection *c, struct slice input, bool blocked)
{
    if (c->state != HTTP_STATE_SENDING) {
        timer_stop(&loop_of(c)->wheel, &c->timer);
        http_connection_enter(c, HTTP_STATE_SENDING);
    }
    if (!http_connection_own_reply(c) || !http_connection_admit(c) || !http_connection_keep(c, input) ||
        !(blocked ? stream_wait(&c->stream, UV_WRITABLE) == 0 : await_turn(c)))
        http_connection_cut(c, OUTCOME_BROKEN, "no room to wait for the reader");
    else if (!timer_is_running(&c->timer))
        loop_timer(loop_of(c), &c->timer, HTTP_SEND_CHECK_S * 1000, on_send_check);
}

/* Sends on. True when the reply is out and the connection ready for the next; `input` is what lies behind the
 * request. Otherwise the connection waits or is gone. */
static bool send_on(struct http_connection *c, struct slice input)
{
    bool close, linger;
    switch (push(c)) {
    case PROGRESS_DONE:
        break;
    case PROGRESS_TURN_OVER:
        wait_for_output(c, input, false);
        return false;
    case PROGRESS_BLOCKED:
        wait_for_output(c, input, true);
        return false;
    case PROGRESS_GONE:
        http_connection_cut(c, OUTCOME_STOPPED, "the peer went away");
        return false;
    case PROGRESS_BROKEN:
        http_connection_cut(c, OUTCOME_BROKEN, "the file changed or could not be read");
        return false;
    }
    close = c->reply->close;
    linger = c->reply->linger || input.len;
    http_reply_finish(c);
    c->fresh = false;
    if (c->state == HTTP_STATE_SENDING)
        timer_stop(&loop_of(c)->wheel, &c->timer);
    http_connection_enter(c, HTTP_STATE_READING);
    if (close)
        end_connection(c, linger);
    return !close;
}

static void serve(struct http_connection *c, struct slice input)
{
    while (input.len) {
        enum http_guard_answer answer = http_guard(&c->guard, input);
        struct slice rest = slice_from(input, c->guard.at);
        if (answer == HTTP_GUARD_MORE)
            break;
        if (answer == HTTP_GUARD_WHOLE)
            http_reply_to_request(c, slice_first(input, c->guard.at));
        else
            http_reply_refuse(c, input, c->guard.status, c->guard.reason);
        c->guard = (struct http_guard){ 0 };
        if (c->reply->intake) {
            http_take_begin(c, rest);
            return;
        }
        if (!send_on(c, rest))
            return;
        c->since_ms = loop_of(c)->now_ms;
        input = rest;
    }
    wait_for_input(c, input);
}

void http_connection_answer(struct http_connection *c, struct slice input)
{
    timer_stop(&loop_of(c)->wheel, &c->timer);
    if (!send_on(c, input))
        return;
    c->since_ms = loop_of(c)->now_ms;
    serve(c, input);
}

/* The peer ended, or the connection broke. */
static void stop_reading(struct http_connection *c, struct slice input, ssize_t error)
{
    const char *fault = stream_fault(&c->stream);
    if (error == -EPROTOTYPE) {
        stream_unfilter(&c->stream);
        http_reply_refuse(c, SLICE_NONE, 400, fault);
        send_on(c, SLICE_NONE);
        return;
    }
    if (input.len)
        http_reply_note_unanswered(c, input, "the peer went away within its request");
    else if (fault && http_service_may_note_fault(c->service, &c->peer))
        http_reply_note_unanswered(c, input, fault);
    /* The alert that tells why is on its way, and by TLS 1.3 a client sends its request without waiting for it. */
    bool told = error == -EPROTO && c->stream.filtered;
    if (told)
        stream_unfilter(&c->stream);
    end_connection(c, told);
}

static void receive(struct http_connection *c)
{
    char *into = c->kept ? c->kept : c->service->input;
    size_t have = c->kept_len;
    ssize_t n = stream_read(&c->stream, into + have, HTTP_HEAD_BYTES_MAX - have);
    if (n == -EAGAIN) {
        wait_for_input(c, slice_of(into, have));
    } else if (n <= 0) {
        stop_reading(c, slice_of(into, have), n);
    } else {
        if (have == 0 && !c->fresh)
            c->since_ms = loop_of(c)->now_ms;
        serve(c, slice_of(into, have + (size_t)n));
    }
}

/* `kept` holds what the peer pipelined behind the request. */
static void on_turn(struct turn *turn)
{
    struct http_connection *c = container_of(turn, struct http_reply, turn)->connection;
    if (send_on(c, slice_of(c->kept, c->kept_len))) {
        c->since_ms = loop_of(c)->now_ms;
        serve(c, slice_of(c->kept, c->kept_len));
    }
}

static void on_ready(struct stream *stream)
{
    struct http_connection *c = container_of(stream, struct http_connection, stream);
    switch ((enum http_state)c->state) {
    case HTTP_STATE_READING:
        receive(c);
        break;
    case HTTP_STATE_SENDING:
        if (!await_turn(c))
            http_connection_cut(c, OUTCOME_BROKEN, "no room to wait for a turn");
        break;
    case HTTP_STATE_TAKING:
        http_take_ready(c);
        break;
    case HTTP_STATE_STORING: /* nothing was waited for */
        break;
    case HTTP_STATE_CLOSING:
        drain_input(c);
        break;
    }
}

static void on_closed(struct stream *stream)
{
    http_service_give(container_of(stream, struct http_connection, stream));
}

void http_connection_accept(struct http_service *s, int fd, const union address *peer)
{
    struct http_connection *c = http_service_take(s);
    if (!c) {
        close(fd);
        return;
    }
    stream_open(&c->stream, &s->worker->loop, fd, on_ready, on_closed);
    stream_pace(&c->stream, service_rate(s->worker->config->http_rate_bytes));
    c->peer = *peer;
    c->since_ms = s->worker->loop.now_ms;
    c->fresh = true;
    if (s->protocol == PROTOCOL_HTTPS && stream_filter(&c->stream, http_service_tls(s)) != 0)
        drop(c, true);
    else
        receive(c);
}

void http_connection_retire(struct http_connection *c)
{
    if (c->reply) {
        c->reply->close = true;
    } else if (c->state == HTTP_STATE_READING && c->kept_len) {
        http_reply_refuse(c, slice_of(c->kept, c->kept_len), 503, "the server is stopping");
        write_and_drop(c);
    } else if (c->state == HTTP_STATE_READING) {
        drop(c, false);
    }
}

void http_connection_abort(struct http_connection *c, const char *reason)
{
    if (c->reply) {
        http_connection_cut(c, OUTCOME_BROKEN, reason);
        return;
    }
    if (c->state == HTTP_STATE_READING && c->kept_len)
        http_reply_note_unanswered(c, slice_of(c->kept, c->kept_len), reason);
    drop(c, false);
}
