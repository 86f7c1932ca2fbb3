#include "net/datagram.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Large enough for either family's packet information, aligned as the kernel wants it. */
struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct outgoing {
    struct datagram *socket; /* NULL: closed meanwhile */
    union address to;
    struct control control;
    struct iovec bytes;
};

struct batch {
    struct mmsghdr headers[DATAGRAM_BATCH];
    struct iovec at[DATAGRAM_BATCH];
    struct control control[DATAGRAM_BATCH];
    struct datagram_in in[DATAGRAM_BATCH];
};

struct datagram_set {
    struct loop *loop;
    struct round_end at_round_end;
    uint64_t lost;

    /* The second is for datagram_receive_now(). */
    struct batch batch[2];
    unsigned depth; /* batches being handled */
    char *receive_area;

    /* Queue and headers run side by side, so that neighbours with the same socket are one sendmmsg. */
    struct outgoing out[DATAGRAM_QUEUE];
    struct mmsghdr send[DATAGRAM_QUEUE];
    size_t queued;
    size_t area_used;
    char *send_area;
};

static void on_round_end(struct round_end *work)
{
    datagram_flush(container_of(work, struct datagram_set, at_round_end));
}

static void prepare(struct batch *b, char *area, size_t receive_bytes)
{
    for (size_t i = 0; i < DATAGRAM_BATCH; i++) {
        b->at[i] = (struct iovec){ area + i * receive_bytes, receive_bytes };
        b->headers[i].msg_hdr.msg_iov = &b->at[i];
        b->headers[i].msg_hdr.msg_iovlen = 1;
        b->headers[i].msg_hdr.msg_name = &b->in[i].from;
    }
}

int datagram_set_open(struct loop *loop, size_t receive_bytes, struct datagram_set **ret_set)
{
    struct datagram_set *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->loop = loop;
    s->receive_area = malloc(receive_bytes * DATAGRAM_BATCH * 2);
    s->send_area = malloc(DATAGRAM_QUEUE_BYTES);
    if (!s->receive_area || !s->send_area) {
        datagram_set_close(s);
        return -ENOMEM;
    }
    prepare(&s->batch[0], s->receive_area, receive_bytes);
    prepare(&s->batch[1], s->receive_area + receive_bytes * DATAGRAM_BATCH, receive_bytes);
    *ret_set = s;
    return 0;
}

void datagram_set_close(struct datagram_set *s)
{
    if (!s)
        return;
    s->queued = 0;
    /* Its place in the loop's list of round ends must not outlive it. */
    for (struct round_end **at = &s->loop->ending; *at; at = &(*at)->next) {
        if (*at == &s->at_round_end) {
            *at = s->at_round_end.next;
            break;
        }
    }
    free(s->receive_area);
    free(s->send_area);
    free(s);
}

uint64_t datagram_set_lost(const struct datagram_set *s)
{
    return s->lost;
}

int datagram_bind(const union address *local)
{
    int fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    /* `::` is IPv6's only, as for listeners, so that 0.0.0.0 can have the same port. */
    if (local->sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &local->sa, address_length(local)) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

/* With the privilege past the machine's ceiling, without it up to that; either way better than the default. */
static void set_buffer(int fd, int force, int plain, int bytes)
{
    if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) != 0)
        setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

static void want_local(int fd)
{
    int on = 1;
    union address own = { 0 };
    socklen_t len = sizeof own;
    if (getsockname(fd, &own.sa, &len) == 0 && own.sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    else
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

static void learn(struct msghdr *header, struct datagram_in *in)
{
    struct datagram_local *local = &in->to;
    local->family = AF_UNSPEC;
    in->to_group = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            /* ipi_spec_dst is ours even when the packet was a broadcast. */
            *local = (struct datagram_local){ .family = AF_INET, .v4 = info.ipi_spec_dst };
            in->to_group = IN_MULTICAST(ntohl(info.ipi_addr.s_addr));
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
                *local = (struct datagram_local){ .family = AF_INET6, .v6 = info.ipi6_addr };
        }
    }
}

static size_t fill(struct batch *b, int fd)
{
    for (size_t i = 0; i < DATAGRAM_BATCH; i++) {
        b->headers[i].msg_hdr.msg_namelen = sizeof b->in[i].from;
        b->headers[i].msg_hdr.msg_control = b->control[i].bytes;
        b->headers[i].msg_hdr.msg_controllen = sizeof b->control[i].bytes;
    }
    int count = recvmmsg(fd, b->headers, DATAGRAM_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        struct msghdr *header = &b->headers[i].msg_hdr;
        b->in[i].bytes = slice_of(b->at[i].iov_base, b->headers[i].msg_len);
        b->in[i].cut = header->msg_flags & MSG_TRUNC;
        learn(header, &b->in[i]);
    }
    return count > 0 ? (size_t)count : 0;
}

/* One batch a readiness: a flooded socket waits its turn, since epoll tells again. */
static void receive(struct datagram *d)
{
    struct datagram_set *s = d->set;
    struct batch *b = &s->batch[s->depth];
    size_t count = fill(b, d->fd);
    s->depth++;
    if (count)
        d->received(d, b->in, count);
    s->depth--;
}

void datagram_receive_now(struct datagram *d)
{
    assert(d->set->depth < 2);
    receive(d);
}

/* Errors of datagrams that were sent. The kernel gives back whom they were for. */
static void read_errors(struct datagram *d)
{
    union address to;
    struct control control;
    struct msghdr header = { .msg_name = &to, .msg_control = control.bytes };
    for (size_t i = 0; i < DATAGRAM_BATCH; i++) {
        header.msg_namelen = sizeof to;
        header.msg_controllen = sizeof control.bytes;
        if (recvmsg(d->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        d->undelivered(d, &to);
    }
}

static int readable(const struct datagram *d)
{
    return d->undelivered ? UV_READABLE | UV_PRIORITIZED : UV_READABLE;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct datagram *d = poll->data;
    loop_woke(d->set->loop);
    if (events & UV_PRIORITIZED)
        read_errors(d);
    if (d->fd < 0)
        return;
    if (d->blocked && (status < 0 || events & UV_WRITABLE)) {
        d->blocked = false;
        uv_poll_start(poll, readable(d), on_ready);
        loop_at_round_end(d->set->loop, &d->set->at_round_end, on_round_end);
    }
    if (status < 0 || events & UV_READABLE)
        receive(d);
}

int datagram_open(struct datagram *d, struct datagram_set *set, int fd, bool learn_local,
                  datagram_received *received, void *context)
{
    *d = (struct datagram){ .fd = fd, .set = set, .received = received, .context = context };
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, DATAGRAM_RECEIVE_BUFFER);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, DATAGRAM_SEND_BUFFER);
    if (learn_local)
        want_local(fd);
    int error = uv_poll_init(&set->loop->uv, &d->poll, fd);
    if (error) {
        close(fd);
        d->set = NULL;
        return error;
    }
    d->poll.data = d;
    /* Cannot fail for a descriptor that uv_poll_init() took. */
    return uv_poll_start(&d->poll, UV_READABLE, on_ready);
}

int datagram_tell_undelivered(struct datagram *d,
                              void (*undelivered)(struct datagram *d, const union address *to))
{
    int on = 1;
    if (setsockopt(d->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) != 0 ||
        setsockopt(d->fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, &on, sizeof on) != 0)
        return -errno;
    d->undelivered = undelivered;
    return uv_poll_start(&d->poll, readable(d), on_ready);
}

int datagram_local_address(const struct datagram *d, union address *ret_address)
{
    union address own = { 0 };
    socklen_t len = sizeof own;
    if (getsockname(d->fd, &own.sa, &len) != 0)
        return -errno;
    *ret_address = own;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct datagram *d = handle->data;
    d->closed(d);
}

void datagram_close(struct datagram *d, void (*closed)(struct datagram *d))
{
    for (size_t i = 0; i < d->set->queued; i++) {
        if (d->set->out[i].socket == d)
            d->set->out[i].socket = NULL;
    }
    d->closed = closed;
    uv_close((uv_handle_t *)&d->poll, on_closed);
    close(d->fd);
    d->fd = -1;
}

static void put_source(struct msghdr *header, struct control *control, const struct datagram_local *from)
{
    header->msg_control = NULL;
    header->msg_controllen = 0;
    if (!from || from->family == AF_UNSPEC)
        return;
    memset(control, 0, sizeof *control);
    header->msg_control = control->bytes;
    header->msg_controllen = sizeof control->bytes;
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    if (from->family == AF_INET) {
        struct in_pktinfo info = { .ipi_spec_dst = from->v4 };
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = { .ipi6_addr = from->v6 };
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

bool datagram_reserve(struct datagram *d, const union address *to, const struct datagram_local *from,
                      size_t cap, struct buf *ret_room)
{
    struct datagram_set *s = d->set;
    if (s->queued == DATAGRAM_QUEUE || cap > DATAGRAM_QUEUE_BYTES - s->area_used)
        datagram_flush(s);
    if (s->queued == DATAGRAM_QUEUE || cap > DATAGRAM_QUEUE_BYTES - s->area_used) {
        s->lost++;
        return false;
    }
    struct outgoing *o = &s->out[s->queued];
    struct msghdr *header = &s->send[s->queued].msg_hdr;
    o->socket = d;
    o->bytes.iov_base = s->send_area + s->area_used;
    header->msg_name = NULL;
    header->msg_namelen = 0;
    if (to) {
        o->to = *to;
        header->msg_name = &o->to;
        header->msg_namelen = address_length(to);
    }
    header->msg_iov = &o->bytes;
    header->msg_iovlen = 1;
    header->msg_flags = 0;
    put_source(header, &o->control, from);
    *ret_room = buf_on(o->bytes.iov_base, cap);
    return true;
}

void datagram_commit(struct datagram_set *s, size_t len)
{
    s->out[s->queued].bytes.iov_len = len;
    s->area_used += len;
    s->queued++;
    loop_at_round_end(s->loop, &s->at_round_end, on_round_end);
}

/* Sends out[first..end), all of one socket. What the kernel will not take now stays; what it will never take
 * (no route, too long, a filter) is lost: the peer's patience is the remedy, not ours. */
static size_t send_run(struct datagram_set *s, size_t first, size_t end)
{
    struct datagram *d = s->out[first].socket;
    bool again = false;
    while (first < end && !d->blocked) {
        int sent = sendmmsg(d->fd, s->send + first, (unsigned)(end - first), MSG_DONTWAIT);
        if (sent > 0) {
            first += (size_t)sent;
            again = false;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            d->blocked = true;
            uv_poll_start(&d->poll, readable(d) | UV_WRITABLE, on_ready);
        } else if (d->undelivered && !again && errno != EINTR) {
            /* What the kernel says may be of a datagram that was sent before. */
            again = true;
        } else if (errno != EINTR) {
            again = false;
            s->lost++;
            first++;
        }
    }
    return first;
}

/* Moves an entry that could not be sent to the front; its bytes move down over those that were. */
static void keep(struct datagram_set *s, size_t from)
{
    size_t to = s->queued++;
    char *at = s->send_area + s->area_used;
    memmove(at, s->out[from].bytes.iov_base, s->out[from].bytes.iov_len);
    if (to != from) {
        s->out[to] = s->out[from];
        s->send[to] = s->send[from];
        struct msghdr *header = &s->send[to].msg_hdr;
        if (header->msg_name)
            header->msg_name = &s->out[to].to;
        header->msg_iov = &s->out[to].bytes;
        if (header->msg_control)
            header->msg_control = s->out[to].control.bytes;
    }
    s->out[to].bytes.iov_base = at;
    s->area_used += s->out[to].bytes.iov_len;
}

void datagram_flush(struct datagram_set *s)
{
    size_t count = s->queued;
    s->queued = 0;
    s->area_used = 0;
    for (size_t first = 0, end; first < count; first = end) {
        struct datagram *d = s->out[first].socket;
        for (end = first + 1; end < count && s->out[end].socket == d; end++)
            continue;
        if (!d)
            continue;
        for (size_t i = send_run(s, first, end); i < end; i++)
            keep(s, i);
    }
}
