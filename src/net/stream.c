#include "net/stream.h"

#include "net/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_open(struct stream *s, struct loop *loop, int fd, void (*ready)(struct stream *s),
                 void (*closed)(struct stream *s))
{
    s->loop = loop;
    s->fd = fd;
    s->polled = false;
    s->waiting = 0;
    s->filtered = false;
    s->ready = ready;
    s->closed = closed;
}

static struct tls_session *filter_of(const struct stream *s)
{
    return s->poll.data;
}

int stream_filter(struct stream *s, struct ssl_ctx_st *context)
{
    return stream_filter_for(s, context, TLS_HTTP);
}

int stream_filter_for(struct stream *s, struct ssl_ctx_st *context, enum tls_purpose purpose)
{
    struct tls_session *session;
    int error = tls_session_open(context, s->fd, &session);
    if (error)
        return error;
    tls_session_set_purpose(session, purpose);
    s->poll.data = session;
    s->filtered = true;
    return 0;
}

int stream_filter_to(struct stream *s, struct ssl_ctx_st *context, struct slice host)
{
    int error = stream_filter_for(s, context, TLS_HTTP);
    if (!error && !tls_session_connect(filter_of(s), host)) {
        stream_unfilter(s);
        error = -EINVAL;
    }
    return error;
}

int stream_settle(struct stream *s)
{
    return s->filtered ? tls_session_settle(filter_of(s)) : 0;
}

void stream_unfilter(struct stream *s)
{
    if (s->filtered)
        tls_session_close(filter_of(s));
    s->filtered = false;
}

const char *stream_fault(const struct stream *s)
{
    return s->filtered ? tls_session_fault(filter_of(s)) : NULL;
}

enum tls_peer stream_peer(const struct stream *s, struct buf *name, const char **ret_why)
{
    return s->filtered ? tls_session_peer(filter_of(s), name, ret_why) : TLS_PEER_NONE;
}

bool stream_still_good(const struct stream *s, struct ssl_ctx_st *context)
{
    return !s->filtered || tls_session_still_good(filter_of(s), context);
}

ssize_t stream_read(struct stream *s, void *into, size_t len)
{
    if (s->filtered)
        return tls_session_read(filter_of(s), into, len);
    for (;;) {
        ssize_t n = recv(s->fd, into, len, 0);
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return -errno;
    }
}

/* Copied together up to here, for copying is cheaper than a second piece is to the kernel. */
#define SMALL_BYTES 2048

static ssize_t write_pieces(struct stream *s, struct slice first, struct slice second, int flags)
{
    char small[SMALL_BYTES];
    struct iovec parts[2] = { { (void *)(uintptr_t)first.ptr, first.len },
                              { (void *)(uintptr_t)second.ptr, second.len } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    if (second.len == 0)
        return send(s->fd, first.ptr, first.len, flags);
    if (first.len + second.len > sizeof small)
        return sendmsg(s->fd, &message, flags);
    if (first.len)
        memcpy(small, first.ptr, first.len);
    memcpy(small + first.len, second.ptr, second.len);
    return send(s->fd, small, first.len + second.len, flags);
}

ssize_t stream_write(struct stream *s, struct slice first, struct slice second, bool more)
{
    if (s->filtered)
        return tls_session_write(filter_of(s), first, second, more);
    for (;;) {
        ssize_t n = write_pieces(s, first, second, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return -errno;
    }
}

ssize_t stream_send_file(struct stream *s, int file, uint64_t offset, size_t len)
{
    if (s->filtered)
        return tls_session_send_file(filter_of(s), file, offset, len);
    off_t at = (off_t)offset;
    for (;;) {
        ssize_t n = sendfile(s->fd, file, &at, len);
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return -errno;
    }
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct stream *s = container_of(poll, struct stream, poll);
    (void)events;
    if (status < 0)
        s->waiting = 0; /* libuv gives up polling a socket in error */
    loop_woke(s->loop);
    s->ready(s);
}

int stream_wait(struct stream *s, int event)
{
    int error = 0;
    if (s->filtered)
        event = tls_session_events(filter_of(s), event);
    if (s->waiting == event)
        return 0;
    if (!s->polled) {
        error = uv_poll_init_socket(&s->loop->uv, &s->poll, s->fd);
        if (error)
            return error;
        s->polled = true;
    }
    error = event ? uv_poll_start(&s->poll, event, on_event) : uv_poll_stop(&s->poll);
    s->waiting = error ? 0 : (uint8_t)event;
    return error;
}

int stream_connected(const struct stream *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? -errno : -error;
}

int stream_local_address(const struct stream *s, union address *ret_address)
{
    return socket_local_address(s->fd, ret_address);
}

uint64_t stream_unacknowledged(const struct stream *s)
{
    int bytes = 0;
    return ioctl(s->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

void stream_pace(struct stream *s, uint32_t bytes_a_second)
{
    if (bytes_a_second)
        setsockopt(s->fd, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_a_second, sizeof bytes_a_second);
}

void stream_end(struct stream *s)
{
    if (s->filtered)
        tls_session_end(filter_of(s));
    shutdown(s->fd, SHUT_WR);
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = container_of((uv_poll_t *)handle, struct stream, poll);
    s->closed(s);
}

int stream_release(struct stream *s)
{
    int fd = s->fd;
    s->fd = -1;
    s->waiting = 0;
    /* libuv takes it out of its epoll set at once. */
    if (s->polled)
        uv_close((uv_handle_t *)&s->poll, on_closed);
    else
        s->closed(s);
    return fd;
}

void stream_close(struct stream *s, bool abort)
{
    if (s->filtered && !abort)
        tls_session_end(filter_of(s));
    stream_unfilter(s);
    if (s->polled)
        uv_close((uv_handle_t *)&s->poll, on_closed);
    if (abort) {
        struct linger now = { 1, 0 };
        setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(s->fd);
    s->fd = -1;
    s->waiting = 0;
    if (!s->polled)
        s->closed(s);
}
