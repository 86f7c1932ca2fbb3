#include "phone/pnp_client.h"

#include "net/multicast.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

/* As many digits as a W52P's number has. */
#define NUMBER_MIN UINT64_C(1000000000)
#define NUMBER_MAX UINT64_C(9999999999)

struct pnp_client {
    struct loop *loop;
    struct datagram_set *set;
    bool own_set;
    struct datagram socket;
    struct timer timer;
    union address destination;
    struct pnp pnp;
    pnp_client_done *done;
    pnp_client_heard *heard;
    void *context;
};

static void on_closed(struct datagram *d)
{
    struct pnp_client *c = d->context;
    if (c->own_set)
        datagram_set_close(c->set);
    free(c);
}

/* The loop may stop with this round: the last answer is sent and the socket closed before anybody is told. */
static void finish(struct pnp_client *c)
{
    const struct pnp *p = &c->pnp;
    struct pnp_client_result result = { p->state == PNP_FOUND, pnp_url(p), p->from, p->why };
    pnp_client_done *done = c->done;
    c->done = NULL;
    timer_stop(&c->loop->wheel, &c->timer);
    datagram_flush(c->set);
    datagram_close(&c->socket, on_closed);
    done(c->context, &result);
}

static void send_bytes(struct pnp_client *c, const union address *to, struct slice bytes)
{
    struct buf room;
    if (!bytes.len || !datagram_reserve(&c->socket, to, NULL, bytes.len, &room))
        return;
    buf_text(&room, bytes);
    datagram_commit(c->set, room.len);
}

static void on_timer(struct timer *timer);

static void after(struct pnp_client *c)
{
    uint64_t now_ms = c->loop->now_ms, due_ms = pnp_due_ms(&c->pnp);
    if (c->pnp.state != PNP_ASKING)
        finish(c);
    else
        loop_timer(c->loop, &c->timer, due_ms > now_ms ? due_ms - now_ms : 0, on_timer);
}

static void on_timer(struct timer *timer)
{
    struct pnp_client *c = container_of(timer, struct pnp_client, timer);
    if (pnp_timeout(&c->pnp, c->loop->now_ms))
        send_bytes(c, &c->destination, pnp_subscribe(&c->pnp));
    after(c);
}

static void on_received(struct datagram *d, const struct datagram_in *messages, size_t count)
{
    struct pnp_client *c = d->context;
    char bytes[2 * PNP_MESSAGE_BYTES_MAX];
    for (size_t i = 0; i < count; i++) {
        struct buf out = BUF_ON(bytes);
        unsigned heard = c->pnp.heard;
        if (messages[i].cut)
            continue;
        pnp_receive(&c->pnp, &messages[i].from, messages[i].bytes, c->loop->now_ms, &out);
        send_bytes(c, &messages[i].from, buf_slice(&out));
        if (c->heard && c->done && c->pnp.heard != heard)
            c->heard(c->context, &c->pnp.from, pnp_url(&c->pnp));
    }
    if (c->done)
        after(c);
}

static int draw_number(uint64_t *ret_number)
{
    uint64_t drawn;
    if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
        return -EIO;
    *ret_number = NUMBER_MIN + drawn % (NUMBER_MAX - NUMBER_MIN + 1);
    return 0;
}

/* Keeps the port that was wanted. */
static int towards(const union address *to, union address *local)
{
    union address ours;
    int error = socket_towards(to, &ours);
    if (!error)
        local->v4.sin_addr = ours.v4.sin_addr;
    return error;
}

static int open_socket(struct pnp_client *c, const struct pnp_client_options *o, union address *ret_local)
{
    union address local = o->local;
    int error = 0;
    if (local.sa.sa_family == AF_UNSPEC)
        local = (union address){ .v4 = { .sin_family = AF_INET } };
    if (local.sa.sa_family != AF_INET || c->destination.sa.sa_family != AF_INET)
        return -EAFNOSUPPORT;
    if (local.v4.sin_addr.s_addr == htonl(INADDR_ANY))
        error = towards(&c->destination, &local);
    int fd = error ? error : datagram_bind(&local);
    if (fd < 0)
        return fd;
    error = datagram_open(&c->socket, c->set, fd, false, on_received, c);
    if (error)
        return error;
    if (address_is_multicast(&c->destination))
        error = multicast_send_from(c->socket.fd, &local);
    if (!error)
        error = datagram_local_address(&c->socket, ret_local);
    return error;
}

static int begin(struct pnp_client *c, const struct pnp_client_options *o)
{
    union address local;
    struct pnp_identity who = {
        .id = o->id, .vendor = o->vendor, .local = &local, .timeout_ms = o->timeout_ms, .collect = o->heard != NULL
    };
    int error = draw_number(&who.number);
    if (!error && !c->set) {
        error = datagram_set_open(c->loop, PNP_MESSAGE_BYTES_MAX + 1, &c->set);
        c->own_set = !error;
    }
    if (!error)
        error = open_socket(c, o, &local);
    if (!error && !pnp_start(&c->pnp, &who, c->loop->now_ms))
        error = -EMSGSIZE;
    return error;
}

static void drop(struct pnp_client *c)
{
    c->done = NULL;
    timer_stop(&c->loop->wheel, &c->timer);
    if (c->socket.set) {
        datagram_close(&c->socket, on_closed);
        return;
    }
    if (c->own_set)
        datagram_set_close(c->set);
    free(c);
}

int pnp_client_start(struct loop *loop, const struct pnp_client_options *options, pnp_client_done *done,
                     void *context, struct pnp_client **ret_client)
{
    struct pnp_client *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->loop = loop;
    c->set = options->set;
    c->destination = options->destination;
    if (c->destination.sa.sa_family == AF_UNSPEC)
        address_parse(SLICE(PNP_GROUP_HOST), PNP_GROUP_PORT, &c->destination);
    c->done = done;
    c->heard = options->heard;
    c->context = context;
    int error = begin(c, options);
    if (error) {
        drop(c);
        return error;
    }
    send_bytes(c, &c->destination, pnp_subscribe(&c->pnp));
    after(c);
    *ret_client = c;
    return 0;
}

void pnp_client_cancel(struct pnp_client *c)
{
    drop(c);
}
