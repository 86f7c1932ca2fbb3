#include "server/notify_wire.h"

#include "net/datagram.h"
#include "net/socket.h"
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum { V4, V6, FAMILIES };

struct job {
    struct job *next, **link;
    struct notify_wire *wire;
    union address to;
    void *mark;
    struct notify notify;
    struct timer timer;
    /* TCP and TLS. */
    bool streams, connected, closed;
    struct stream stream;
    size_t sent, in_len;
    char *in; /* SIP_MESSAGE_BYTES_MAX */
};

struct notify_wire {
    struct loop *loop;
    struct ssl_ctx_st *tls;
    notify_done *done;
    void *context;
    struct datagram_set *set;
    struct datagram udp[FAMILIES];
    unsigned open;
    size_t streams; /* that are not closed yet */
    struct job *jobs;
    bool closing;
};

static void free_when_done(struct notify_wire *w)
{
    if (!w->closing || w->open || w->streams)
        return;
    datagram_set_close(w->set);
    free(w);
}

/* --- the end of one --- */

static void free_job(struct job *j)
{
    free(j->in);
    free(j);
}

static void on_stream_closed(struct stream *s)
{
    struct job *j = container_of(s, struct job, stream);
    struct notify_wire *w = j->wire;
    w->streams--;
    free_job(j);
    free_when_done(w);
}

static void drop(struct job *j)
{
    timer_stop(&j->wire->loop->wheel, &j->timer);
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    if (j->streams)
        stream_close(&j->stream, false);
    else
        free_job(j);
}

static void send_message(struct job *j);
static void on_timer(struct timer *timer);

/* After anything has happened to it: it goes on, or it is over and gone. */
static void settle(struct job *j, bool send)
{
    struct notify_wire *w = j->wire;
    uint64_t now_ms = w->loop->now_ms;
    if (send) {
        j->sent = 0;
        send_message(j);
    }
    uint64_t due_ms = notify_due_ms(&j->notify);
    if (j->notify.outcome == NOTIFY_GOING) {
        loop_timer(w->loop, &j->timer, due_ms > now_ms ? due_ms - now_ms : 0, on_timer);
        return;
    }
    w->done(w->context, j->mark, &j->notify);
    drop(j);
}

static void on_timer(struct timer *timer)
{
    struct job *j = container_of(timer, struct job, timer);
    settle(j, notify_timeout(&j->notify, j->wire->loop->now_ms));
}

/* --- what comes --- */

static struct job *job_of(struct notify_wire *w, const struct sip_message *m)
{
    for (struct job *j = w->jobs; j; j = j->next)
        if (notify_is_mine(&j->notify, m))
            return j;
    return NULL;
}

static void take(struct notify_wire *w, struct slice bytes)
{
    struct arena arena;
    struct sip_message m;
    const char *reason;
    arena_init(&arena, SIP_READ_BYTES_MAX);
    struct job *j = sip_read(bytes, &arena, &m, &reason) ? job_of(w, &m) : NULL;
    if (j)
        settle(j, notify_answered(&j->notify, &m, w->loop->now_ms));
    arena_free(&arena);
}

static void on_datagrams(struct datagram *d, const struct datagram_in *messages, size_t count)
{
    struct notify_wire *w = d->context;
    for (size_t i = 0; i < count && !w->closing; i++)
        if (!messages[i].cut)
            take(w, messages[i].bytes);
}

static void on_undelivered(struct datagram *d, const union address *to)
{
    struct notify_wire *w = d->context;
    for (struct job *j = w->jobs, *next; j && !w->closing; j = next) {
        next = j->next;
        if (j->streams || !address_eq(&j->to, to))
            continue;
        notify_unreachable(&j->notify, "nobody takes it there (ICMP)");
        settle(j, false);
    }
}

/* --- UDP --- */

static int open_udp(struct notify_wire *w, int family)
{
    union address any = { 0 };
    any.sa.sa_family = family == V6 ? AF_INET6 : AF_INET;
    int fd = datagram_bind(&any);
    if (fd < 0)
        return fd;
    int error = datagram_open(&w->udp[family], w->set, fd, false, on_datagrams, w);
    if (error)
        return error;
    w->open++;
    if (family == V4)
        datagram_tell_undelivered(&w->udp[family], on_undelivered);
    return 0;
}

static void send_datagram(struct job *j)
{
    struct notify_wire *w = j->wire;
    struct slice message = notify_message(&j->notify);
    struct buf room;
    if (!datagram_reserve(&w->udp[j->to.sa.sa_family == AF_INET6 ? V6 : V4], &j->to, NULL, message.len, &room))
        return; /* as if the wire had lost it */
    buf_text(&room, message);
    datagram_commit(w->set, room.len);
}

static int start_datagram(struct job *j, union address *local)
{
    struct notify_wire *w = j->wire;
    int family = j->to.sa.sa_family == AF_INET6 ? V6 : V4;
    union address bound;
    int error = w->udp[family].set ? 0 : open_udp(w, family);
    if (!error)
        error = socket_towards(&j->to, local);
    if (!error)
        error = datagram_local_address(&w->udp[family], &bound);
    if (!error)
        address_set_port(local, address_port(&bound));
    return error;
}

/* --- TCP and TLS --- */

static const char *words_of(int error)
{
    switch (-error) {
    case ECONNREFUSED:
        return "connection refused";
    case ETIMEDOUT:
        return "the connection timed out";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "no route to it";
    case ECONNRESET:
    case EPIPE:
        return "it hung up";
    default:
        return "the connection broke";
    }
}

static void lose(struct job *j, int error)
{
    const char *fault = stream_fault(&j->stream);
    notify_unreachable(&j->notify, fault ? fault : words_of(error));
}

/* 0, -EAGAIN, or what broke. */
static int connect_on(struct job *j)
{
    if (!j->connected) {
        int error = stream_connected(&j->stream);
        if (!error && j->notify.options.target.transport == NOTIFY_TLS)
            error = stream_filter_to(&j->stream, j->wire->tls, j->notify.options.target.host);
        if (error)
            return error;
        j->connected = true;
    }
    return stream_settle(&j->stream);
}

static int write_on(struct job *j)
{
    struct slice message = notify_message(&j->notify);
    while (j->sent < message.len) {
        ssize_t n = stream_write(&j->stream, slice_from(message, j->sent), SLICE_NONE, false);
        if (n < 0)
            return (int)n;
        j->sent += (size_t)n;
    }
    return 0;
}

static void send_stream(struct job *j)
{
    int error = connect_on(j);
    if (!error)
        error = write_on(j);
    if (error == -EAGAIN)
        error = stream_wait(&j->stream, UV_WRITABLE);
    else if (!error)
        error = stream_wait(&j->stream, UV_READABLE);
    if (error)
        lose(j, error);
}

static void send_message(struct job *j)
{
    if (j->streams)
        send_stream(j);
    else
        send_datagram(j);
}

/* Answers out of the stream. True: the next message is to be sent. */
static bool read_answers(struct job *j)
{
    struct arena arena;
    struct sip_message m;
    const char *reason;
    size_t len = 0;
    bool send = false;
    enum sip_frame frame;
    while (!send && j->in_len && (frame = sip_frame(slice_of(j->in, j->in_len), &len)) != SIP_FRAME_MORE) {
        if (frame == SIP_FRAME_BAD) {
            notify_unreachable(&j->notify, "it does not speak SIP");
            break;
        }
        arena_init(&arena, SIP_READ_BYTES_MAX);
        if (frame == SIP_FRAME_WHOLE && sip_read(slice_of(j->in, len), &arena, &m, &reason) &&
            notify_is_mine(&j->notify, &m))
            send = notify_answered(&j->notify, &m, j->wire->loop->now_ms);
        arena_free(&arena);
        j->in_len -= len;
        memmove(j->in, j->in + len, j->in_len);
    }
    return send;
}

static void on_ready(struct stream *s)
{
    struct job *j = container_of(s, struct job, stream);
    if (j->sent < notify_message(&j->notify).len) {
        send_stream(j);
        settle(j, false);
        return;
    }
    ssize_t got = stream_read(s, j->in + j->in_len, SIP_MESSAGE_BYTES_MAX - j->in_len);
    bool send = false;
    if (got > 0) {
        j->in_len += (size_t)got;
        send = read_answers(j);
    } else if (got != -EAGAIN) {
        lose(j, got ? (int)got : -EPIPE);
    }
    if (j->notify.outcome == NOTIFY_GOING && !send && stream_wait(s, UV_READABLE) != 0)
        lose(j, -EIO);
    settle(j, send);
}

static int start_stream(struct job *j, union address *local)
{
    int fd;
    if (j->notify.options.target.transport == NOTIFY_TLS && !j->wire->tls)
        return -EPROTONOSUPPORT;
    j->in = malloc(SIP_MESSAGE_BYTES_MAX);
    if (!j->in)
        return -ENOMEM;
    int error = socket_connect(&j->to, &fd);
    if (error)
        return error;
    stream_open(&j->stream, j->wire->loop, fd, on_ready, on_stream_closed);
    j->streams = true;
    j->wire->streams++;
    error = stream_local_address(&j->stream, local);
    return error ? error : stream_wait(&j->stream, UV_WRITABLE);
}

/* --- all of them --- */

int notify_wire_open(struct loop *loop, struct ssl_ctx_st *tls, notify_done *done, void *context,
                     struct notify_wire **ret_wire)
{
    struct notify_wire *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    *w = (struct notify_wire){ .loop = loop, .tls = tls, .done = done, .context = context };
    int error = datagram_set_open(loop, SIP_MESSAGE_BYTES_MAX, &w->set);
    if (error) {
        free(w);
        return error;
    }
    *ret_wire = w;
    return 0;
}

static int start(struct job *j, const struct notify_options *options)
{
    struct notify_options o = *options;
    j->notify.options = o;
    int error = o.target.transport == NOTIFY_UDP ? start_datagram(j, &o.local) : start_stream(j, &o.local);
    if (!error && getrandom(&o.number, sizeof o.number, 0) != sizeof o.number)
        error = -EIO;
    if (!error && !notify_start(&j->notify, &o, j->wire->loop->now_ms))
        error = -EMSGSIZE;
    return error;
}

int notify_wire_send(struct notify_wire *w, const union address *to, const struct notify_options *options, void *mark)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    j->wire = w;
    j->to = *to;
    j->mark = mark;
    j->next = w->jobs;
    j->link = &w->jobs;
    if (j->next)
        j->next->link = &j->next;
    w->jobs = j;
    int error = start(j, options);
    if (error) {
        drop(j);
        return error;
    }
    if (!j->streams)
        send_datagram(j);
    uint64_t due_ms = notify_due_ms(&j->notify), now_ms = w->loop->now_ms;
    loop_timer(w->loop, &j->timer, due_ms > now_ms ? due_ms - now_ms : 0, on_timer);
    return 0;
}

static void on_udp_closed(struct datagram *d)
{
    struct notify_wire *w = d->context;
    w->open--;
    free_when_done(w);
}

void notify_wire_close(struct notify_wire *w)
{
    if (!w)
        return;
    while (w->jobs)
        drop(w->jobs);
    for (int i = 0; i < FAMILIES; i++)
        if (w->udp[i].set)
            datagram_close(&w->udp[i], on_udp_closed);
    w->closing = true;
    free_when_done(w);
}
