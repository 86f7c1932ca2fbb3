#include "phone/control.h"

#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"
#include "phone/control_inside.h"
#include "proto/http_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct connection {
    struct connection *next, *previous; /* the oldest is the last */
    struct control *control;
    struct stream stream;
    struct timer timer;
    struct http_guard guard;
    struct http_request request;
    bool head_whole;
    char in[HTTP_HEAD_BYTES_MAX + CONTROL_BODY_MAX];
    size_t in_len;
    char head[HTTP_ANSWER_HEAD_BYTES_MAX + 128];
    struct control_answer answer;
    size_t head_len, sent; /* of head and answer */
    bool answering, closing;
};

struct control {
    struct loop *loop;
    struct life *life;
    struct screen *screen;
    union address address;
    struct listener listener;
    bool listening, closing;
    struct connection *newest, *oldest;
    size_t count;
};

static void free_when_done(struct control *c)
{
    if (c->closing && !c->listening && c->count == 0)
        free(c);
}

/* --- connections --- */

static void on_stream_closed(struct stream *s)
{
    struct connection *n = container_of(s, struct connection, stream);
    struct control *c = n->control;
    c->count--;
    free(n->answer.bytes);
    free(n);
    free_when_done(c);
}

static void drop(struct connection *n)
{
    struct control *c = n->control;
    if (n->closing)
        return;
    n->closing = true;
    timer_stop(&c->loop->wheel, &n->timer);
    *(n->next ? &n->next->previous : &c->oldest) = n->previous;
    *(n->previous ? &n->previous->next : &c->newest) = n->next;
    stream_close(&n->stream, false);
}

static void on_timeout(struct timer *timer)
{
    drop(container_of(timer, struct connection, timer));
}

static void send_answer(struct connection *n)
{
    while (n->sent < n->head_len + n->answer.len) {
        struct slice head = slice_from(slice_of(n->head, n->head_len), n->sent);
        size_t at = n->sent > n->head_len ? n->sent - n->head_len : 0;
        ssize_t done =
            stream_write(&n->stream, head, slice_from(slice_of(n->answer.bytes, n->answer.len), at), false);
        if (done == -EAGAIN && stream_wait(&n->stream, UV_WRITABLE) == 0)
            return;
        if (done <= 0)
            break;
        n->sent += (size_t)done;
    }
    stream_end(&n->stream);
    drop(n);
}

static void start_answer(struct connection *n, struct control_answer answer)
{
    struct buf head = BUF_ON(n->head);
    if (!answer.bytes)
        answer = (struct control_answer){ .status = 500 };
    struct http_answer a = {
        .status = answer.status,
        /* Nobody keeps what a phone showed a moment ago. */
        .date = SLICE("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"),
        .content_type = SLICE("application/json"),
        .content_length = answer.len,
        .close = true,
    };
    http_answer_print(&a, &head);
    n->answer = answer;
    n->answering = true;
    n->head_len = head.len;
    send_answer(n);
}

/* --- requests --- */

static void refuse(struct connection *n, unsigned status, const char *why)
{
    start_answer(n, control_refuse(status, why));
}

/* False: it has been answered, and may be gone. */
static bool take_head(struct connection *n)
{
    struct slice input = slice_of(n->in, n->in_len);
    enum http_guard_answer verdict = http_guard(&n->guard, input);
    const char *why = "";
    if (verdict == HTTP_GUARD_MORE)
        return true;
    if (verdict == HTTP_GUARD_REFUSED) {
        refuse(n, n->guard.status, n->guard.reason);
        return false;
    }
    int status = http_request_parse(&n->guard, slice_first(input, n->guard.at), &n->request, &why);
    if (status == 0)
        status = (int)control_check(&n->request, &why);
    if (status) {
        refuse(n, (unsigned)status, why);
        return false;
    }
    n->head_whole = true;
    return true;
}

/* False as above. */
static bool take(struct connection *n)
{
    if (!n->head_whole && !take_head(n))
        return false;
    if (!n->head_whole)
        return true;
    struct slice body = slice_from(slice_of(n->in, n->in_len), n->guard.at);
    if (body.len < n->request.content_length)
        return true;
    body = slice_first(body, (size_t)n->request.content_length);
    start_answer(n, control_handle(n->control->life, n->control->screen, &n->request, body));
    return false;
}

static void read_more(struct connection *n)
{
    for (;;) {
        size_t room = sizeof n->in - n->in_len;
        ssize_t got = room ? stream_read(&n->stream, n->in + n->in_len, room) : 0;
        if (got == -EAGAIN && stream_wait(&n->stream, UV_READABLE) == 0)
            return;
        if (got <= 0) {
            drop(n);
            return;
        }
        n->in_len += (size_t)got;
        if (!take(n))
            return;
    }
}

static void on_ready(struct stream *s)
{
    struct connection *n = container_of(s, struct connection, stream);
    loop_woke(s->loop);
    if (n->answering)
        send_answer(n);
    else
        read_more(n);
}

static void on_accepted(struct listener *l, int fd, const union address *peer)
{
    struct control *c = container_of(l, struct control, listener);
    struct connection *n = calloc(1, sizeof *n);
    (void)peer;
    if (!n) {
        close(fd);
        return;
    }
    if (c->count >= CONTROL_CONNECTIONS_MAX && c->oldest)
        drop(c->oldest);
    loop_woke(c->loop);
    n->control = c;
    n->next = c->newest;
    *(n->next ? &n->next->previous : &c->oldest) = n;
    c->newest = n;
    c->count++;
    stream_open(&n->stream, c->loop, fd, on_ready, on_stream_closed);
    loop_timer(c->loop, &n->timer, CONTROL_TIMEOUT_MS, on_timeout);
    read_more(n);
}

static void on_listener_closed(struct listener *l)
{
    struct control *c = container_of(l, struct control, listener);
    c->listening = false;
    free_when_done(c);
}

int control_open(struct loop *loop, const union address *at, struct life *life, struct screen *screen,
                 struct control **ret_control)
{
    int fd;
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (struct control){ .loop = loop, .life = life, .screen = screen, .address = *at };
    c->listener.accepted = on_accepted;
    c->listener.closed = on_listener_closed;
    int error = socket_probe(SOCK_STREAM, at);
    if (!error)
        error = socket_bind(SOCK_STREAM, &c->address, &fd);
    if (!error && (error = listener_open(&c->listener, loop, fd)))
        close(fd);
    if (error) {
        free(c);
        return error;
    }
    c->listening = true;
    *ret_control = c;
    return 0;
}

const union address *control_address(const struct control *c)
{
    return &c->address;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    /* The last connection to close must not free it before the listener has. */
    c->closing = true;
    while (c->newest)
        drop(c->newest);
    listener_close(&c->listener);
}
