#include "net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* Without the first, small answers wait for the peer's delayed acknowledgement; without the second, a
 * connection is accepted before there is anything to read. Both are a matter of speed: a socket that takes them
 * not serves. */
static void set_options(int fd, bool speaks_first)
{
    int on = 1, wait_s = LISTENER_DEFER_S;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!speaks_first)
        setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s, sizeof wait_s);
}

/* Errors of one connection that died in the queue, or of its network (accept(2)): the next one may be fine. */
static bool is_passing(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_rested(struct timer *timer)
{
    struct listener *l = container_of(timer, struct listener, rest);
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void take_rest(struct listener *l, int error)
{
    if (l->exhausted)
        l->exhausted(l, -error);
    if (l->fd < 0 || l->paused)
        return;
    uv_poll_stop(&l->poll);
    loop_timer(l->loop, &l->rest, LISTENER_REST_MS, on_rested);
}

/* Returns how many came; fewer than asked for means that the queue is empty, or that it rests. */
static unsigned accept_some(struct listener *l, unsigned limit)
{
    unsigned count = 0;
    while (count < limit && l->fd >= 0 && !l->paused) {
        union address peer = { 0 };
        socklen_t len = sizeof peer;
        int fd = accept4(l->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->accepted(l, fd, &peer);
        } else if (errno == EAGAIN) {
            break;
        } else if (!is_passing(errno)) {
            take_rest(l, errno);
            break;
        }
        count++;
    }
    return count;
}

/* An accept4 that finds nothing costs half of one that does. So the batch follows the load: it doubles while
 * the queue keeps up with it and falls back to what the queue held, one at a quiet hour. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *l = container_of(poll, struct listener, poll);
    (void)status;
    (void)events;
    loop_woke(l->loop);
    unsigned count = accept_some(l, l->batch);
    if (count == l->batch)
        l->batch = count * 2 > LISTENER_BATCH ? LISTENER_BATCH : count * 2;
    else
        l->batch = count ? count : 1;
}

int listener_open(struct listener *l, struct loop *loop, int fd)
{
    int error = uv_poll_init_socket(&loop->uv, &l->poll, fd);
    if (error)
        return error;
    set_options(fd, l->speaks_first);
    l->loop = loop;
    l->fd = fd;
    l->batch = 1;
    l->rest = (struct timer){ 0 };
    return l->paused ? 0 : uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void listener_pause(struct listener *l)
{
    l->paused = true;
    timer_stop(&l->loop->wheel, &l->rest);
    uv_poll_stop(&l->poll);
    shutdown(l->fd, SHUT_RDWR);
}

int listener_resume(struct listener *l)
{
    if (listen(l->fd, LISTENER_BATCH) < 0)
        return -errno;
    l->paused = false;
    l->batch = 1;
    return uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void listener_stop(struct listener *l)
{
    if (l->fd < 0 || l->paused)
        return;
    accept_some(l, LISTENER_BATCH);
    if (l->fd >= 0)
        listener_pause(l);
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *l = container_of((uv_poll_t *)handle, struct listener, poll);
    l->closed(l);
}

void listener_close(struct listener *l)
{
    timer_stop(&l->loop->wheel, &l->rest);
    /* In this order: libuv takes the number out of its epoll set here, whoever has it by then. */
    uv_close((uv_handle_t *)&l->poll, on_closed);
    close(l->fd);
    l->fd = -1;
}
