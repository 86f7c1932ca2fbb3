#include "phone/ring_port.h"

#include "net/datagram.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"
#include "phone/ring_names.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

struct connection {
    struct connection *next, *previous; /* the oldest is the last */
    struct ring_port *port;
    struct stream stream;
    struct timer timer;
    union address peer;
    bool closing;
    size_t len;
    char in[SIP_MESSAGE_BYTES_MAX];
};

struct ring_port {
    struct loop *loop;
    struct life *life; /* NULL: closing */
    struct ring *ring;
    struct ring_names *names;
    void (*told)(void *context, struct slice line);
    void *context; /* of it */
    union address address;
    struct datagram_set *set;
    struct datagram udp;
    struct listener listener;
    unsigned open; /* of udp and listener */
    struct connection *newest, *oldest;
    size_t count;
};

static void free_when_done(struct ring_port *p)
{
    if (p->life || p->open || p->count)
        return;
    if (p->set)
        datagram_set_close(p->set);
    ring_close(p->ring);
    free(p);
}

/* --- the ring's world --- */

static struct ring_view on_view(void *context)
{
    const struct ring_port *p = context;
    struct life_facts f = life_facts(p->life);
    bool on = f.state != LIFE_OFF && f.state != LIFE_REBOOTING;
    return (struct ring_view){ on ? f.effective : NULL, f.id };
}

static size_t trusted_hosts(const struct ring_port *p, struct slice hosts[RING_HOSTS_MAX])
{
    struct life_facts f = life_facts(p->life);
    bool on = f.state != LIFE_OFF && f.state != LIFE_REBOOTING;
    return on ? ring_trusted_hosts(f.effective, f.server, hosts) : 0;
}

static enum ring_trust on_trust(void *context, const union address *from)
{
    struct ring_port *p = context;
    struct slice hosts[RING_HOSTS_MAX];
    return ring_names_judge(p->names, hosts, trusted_hosts(p, hosts), from);
}

static void on_check_sync(void *context, bool reboot)
{
    life_check_sync(((struct ring_port *)context)->life, reboot);
}

static void on_told(void *context, struct slice line)
{
    const struct ring_port *p = context;
    if (p->told)
        p->told(p->context, line);
}

void ring_port_look(struct ring_port *p)
{
    struct slice hosts[RING_HOSTS_MAX];
    ring_names_look(p->names, hosts, trusted_hosts(p, hosts));
}

/* --- UDP --- */

static void on_datagrams(struct datagram *d, const struct datagram_in *messages, size_t count)
{
    struct ring_port *p = d->context;
    char bytes[RING_ANSWER_BYTES_MAX];
    struct buf room;
    for (size_t i = 0; i < count && p->life; i++) {
        const struct datagram_in *in = &messages[i];
        struct ring_source from = { in->from, false };
        struct buf out = BUF_ON(bytes);
        /* Four bytes and less: keep-alives. */
        if (in->cut || in->to_group || in->bytes.len <= 4 ||
            ring_receive(p->ring, &from, in->bytes, p->loop->now_ms, &out) != RING_ANSWERED ||
            !datagram_reserve(d, &in->from, &in->to, out.len, &room))
            continue;
        buf_text(&room, buf_slice(&out));
        datagram_commit(p->set, room.len);
    }
}

static void on_udp_closed(struct datagram *d)
{
    struct ring_port *p = d->context;
    p->open--;
    free_when_done(p);
}

/* --- TCP --- */

static void on_stream_closed(struct stream *s)
{
    struct connection *c = container_of(s, struct connection, stream);
    struct ring_port *p = c->port;
    p->count--;
    free(c);
    free_when_done(p);
}

static void drop(struct connection *c)
{
    struct ring_port *p = c->port;
    if (c->closing)
        return;
    c->closing = true;
    timer_stop(&p->loop->wheel, &c->timer);
    *(c->next ? &c->next->previous : &p->oldest) = c->previous;
    *(c->previous ? &c->previous->next : &p->newest) = c->next;
    stream_close(&c->stream, false);
}

static void on_idle(struct timer *timer)
{
    drop(container_of(timer, struct connection, timer));
}

static bool send_bytes(struct connection *c, struct slice bytes)
{
    return stream_write(&c->stream, bytes, SLICE_NONE, false) == (ssize_t)bytes.len;
}

/* One message, or empty lines: two of them ask for one (RFC 5626 4.4.1). False: hang up. */
static bool take_frame(struct connection *c, enum sip_frame frame, struct slice bytes)
{
    struct ring_source from = { c->peer, true };
    char answer[RING_ANSWER_BYTES_MAX];
    struct buf out = BUF_ON(answer);
    if (frame == SIP_FRAME_EMPTY)
        return bytes.len < 4 || send_bytes(c, SLICE("\r\n"));
    loop_timer(c->port->loop, &c->timer, RING_IDLE_MS, on_idle);
    switch (ring_receive(c->port->ring, &from, bytes, c->port->loop->now_ms, &out)) {
    case RING_ANSWERED:
        return send_bytes(c, buf_slice(&out));
    case RING_SILENT:
        return true;
    case RING_BAD:
        break;
    }
    return false;
}

/* What begins like TLS would be waited for to its end. */
static enum sip_frame frame_of(struct slice rest, size_t *ret_len)
{
    if (!rest.len)
        return SIP_FRAME_MORE;
    bool no_sip = byte_is_control(rest.ptr[0]) && rest.ptr[0] != '\r' && rest.ptr[0] != '\n';
    return no_sip ? SIP_FRAME_BAD : sip_frame(rest, ret_len);
}

/* False: it is gone. */
static bool take(struct connection *c)
{
    size_t at = 0, len = 0;
    for (;;) {
        struct slice rest = slice_from(slice_of(c->in, c->len), at);
        enum sip_frame frame = frame_of(rest, &len);
        if (frame == SIP_FRAME_MORE)
            break;
        if (frame == SIP_FRAME_BAD || !take_frame(c, frame, slice_first(rest, len))) {
            drop(c);
            return false;
        }
        at += len;
    }
    memmove(c->in, c->in + at, c->len - at);
    c->len -= at;
    return true;
}

static void read_more(struct connection *c)
{
    for (;;) {
        size_t room = sizeof c->in - c->len;
        ssize_t got = room ? stream_read(&c->stream, c->in + c->len, room) : 0;
        if (got == -EAGAIN && stream_wait(&c->stream, UV_READABLE) == 0)
            return;
        if (got <= 0) {
            drop(c);
            return;
        }
        c->len += (size_t)got;
        if (!take(c))
            return;
    }
}

static void on_ready(struct stream *s)
{
    read_more(container_of(s, struct connection, stream));
}

static void on_accepted(struct listener *l, int fd, const union address *peer)
{
    struct ring_port *p = container_of(l, struct ring_port, listener);
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    if (p->count >= RING_CONNECTIONS_MAX && p->oldest)
        drop(p->oldest);
    c->port = p;
    c->peer = *peer;
    c->next = p->newest;
    *(c->next ? &c->next->previous : &p->oldest) = c;
    p->newest = c;
    p->count++;
    stream_open(&c->stream, p->loop, fd, on_ready, on_stream_closed);
    loop_timer(p->loop, &c->timer, RING_IDLE_MS, on_idle);
    read_more(c);
}

static void on_listener_closed(struct listener *l)
{
    struct ring_port *p = container_of(l, struct ring_port, listener);
    p->open--;
    free_when_done(p);
}

/* --- opening and closing --- */

/* Both protocols on one port. */
static int bind_both(union address *at, int *ret_udp, int *ret_tcp)
{
    int error = -EADDRINUSE;
    for (int tries = address_port(at) ? 1 : RING_PORT_TRIES; tries > 0 && error == -EADDRINUSE; tries--) {
        union address both = *at;
        int udp = datagram_bind(&both);
        if (udp < 0)
            return udp;
        error = socket_local_address(udp, &both);
        if (!error)
            error = socket_probe(SOCK_STREAM, &both);
        if (!error)
            error = socket_bind(SOCK_STREAM, &both, ret_tcp);
        if (error) {
            close(udp);
            continue;
        }
        *at = both;
        *ret_udp = udp;
    }
    return error;
}

static int listen_both(struct ring_port *p)
{
    int udp, tcp;
    int error = bind_both(&p->address, &udp, &tcp);
    if (error)
        return error;
    p->listener.accepted = on_accepted;
    p->listener.closed = on_listener_closed;
    error = listener_open(&p->listener, p->loop, tcp);
    if (error) {
        close(tcp);
        close(udp);
        return error;
    }
    p->open++;
    error = datagram_open(&p->udp, p->set, udp, true, on_datagrams, p);
    p->open += !error;
    return error;
}

static int prepare(struct ring_port *p, const struct ring_port_options *o)
{
    struct ring_options options = {
        .world = { on_view, on_trust, on_check_sync, on_told, p },
        .auth = o->auth,
    };
    if (getrandom(options.secret, sizeof options.secret, 0) != sizeof options.secret)
        return -EIO;
    p->names = ring_names_new(p->loop);
    int error = p->names ? ring_open(&options, &p->ring) : -ENOMEM;
    return error ? error : datagram_set_open(p->loop, SIP_MESSAGE_BYTES_MAX, &p->set);
}

int ring_port_open(const struct ring_port_options *o, struct ring_port **ret_port)
{
    struct ring_port *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->loop = o->loop;
    p->life = o->life;
    p->told = o->told;
    p->context = o->context;
    p->address = o->at;
    int error = prepare(p, o);
    if (!error)
        error = listen_both(p);
    if (error) {
        ring_port_close(p);
        return error;
    }
    *ret_port = p;
    return 0;
}

const union address *ring_port_address(const struct ring_port *p)
{
    return &p->address;
}

void ring_port_close(struct ring_port *p)
{
    if (!p)
        return;
    while (p->newest)
        drop(p->newest);
    ring_names_close(p->names);
    p->names = NULL;
    if (p->open > 0)
        listener_close(&p->listener);
    if (p->udp.set)
        datagram_close(&p->udp, on_udp_closed);
    p->life = NULL;
    free_when_done(p);
}
