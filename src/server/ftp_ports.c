#include "server/ftp_ports.h"

#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <unistd.h>

/* Drawn at once, for one system call. */
#define RANDOM_NUMBERS 64

struct ftp_port {
    struct listener listener;
    struct ftp_ports *ports;
    void *context; /* NULL: free */
    TAILQ_ENTRY(ftp_port) link;
    uint64_t lent_ms;
    uint16_t number;
};
TAILQ_HEAD(lent_ports, ftp_port);

struct ftp_ports {
    struct loop *loop;
    const struct ftp_borrower *borrower;
    struct ftp_port *port;
    uint16_t *free;         /* indices into `port`; the first free_count */
    struct lent_ports lent; /* longest first */
    size_t count, free_count, open;
    uint32_t random[RANDOM_NUMBERS]; /* drawn, the first random_left not used yet */
    size_t random_left;
    void (*done)(void *context);
    void *done_context;
};

static struct ftp_port *port_of(struct listener *l)
{
    return container_of(l, struct ftp_port, listener);
}

static void on_accepted(struct listener *l, int fd, const union address *peer)
{
    struct ftp_port *port = port_of(l);
    if (port->context)
        port->ports->borrower->accepted(port->context, fd, peer);
    else
        close(fd);
}

static void free_ports(struct ftp_ports *p)
{
    free(p->port);
    free(p->free);
    free(p);
}

static void on_closed(struct listener *l)
{
    struct ftp_ports *p = port_of(l)->ports;
    if (--p->open)
        return;
    void (*done)(void *context) = p->done;
    void *context = p->done_context;
    free_ports(p);
    if (done)
        done(context);
}

/* False when it cannot be had. */
static bool bind_port(struct ftp_ports *p, const union address *at, uint16_t number)
{
    struct ftp_port *port = &p->port[p->count];
    union address address = *at;
    int fd;
    address_set_port(&address, number);
    if (socket_reserve(&address, &fd))
        return false;
    *port = (struct ftp_port){ .ports = p, .number = number };
    port->listener.speaks_first = port->listener.paused = true;
    port->listener.accepted = on_accepted;
    port->listener.closed = on_closed;
    if (listener_open(&port->listener, p->loop, fd)) {
        close(fd);
        return false;
    }
    p->free[p->free_count++] = (uint16_t)p->count++;
    p->open++;
    return true;
}

int ftp_ports_open(struct loop *loop, const union address *at, const struct ftp_ports_range *range,
                   const struct ftp_borrower *borrower, struct ftp_ports **ret_ports)
{
    struct ftp_ports *p = calloc(1, sizeof *p);
    size_t room = (size_t)(range->last - range->first) / range->share + 1;
    if (!p)
        return -ENOMEM;
    p->loop = loop;
    p->borrower = borrower;
    p->port = calloc(room, sizeof *p->port);
    p->free = calloc(room, sizeof *p->free);
    TAILQ_INIT(&p->lent);
    if (!p->port || !p->free) {
        free_ports(p);
        return -ENOMEM;
    }
    for (unsigned n = range->first + range->index; n <= range->last; n += range->share)
        bind_port(p, at, (uint16_t)n);
    if (p->count == 0) {
        free_ports(p);
        return -EADDRINUSE;
    }
    *ret_ports = p;
    return 0;
}

void ftp_ports_close(struct ftp_ports *p, void (*done)(void *context), void *context)
{
    p->done = done;
    p->done_context = context;
    for (size_t i = 0; i < p->count; i++)
        listener_close(&p->port[i].listener);
}

/* Any of the free ones, none more likely than another to whoever watches. */
static size_t pick(struct ftp_ports *p, size_t count)
{
    if (p->random_left == 0) {
        if (getrandom(p->random, sizeof p->random, 0) != sizeof p->random)
            return count;
        p->random_left = RANDOM_NUMBERS;
    }
    return p->random[--p->random_left] % count;
}

static void take_back_oldest(struct ftp_ports *p)
{
    struct ftp_port *port = TAILQ_FIRST(&p->lent);
    if (!port || p->loop->now_ms - port->lent_ms < FTP_PORTS_GRACE_MS)
        return;
    void *context = port->context;
    ftp_ports_give_back(p, port);
    p->borrower->lost(context);
}

struct ftp_port *ftp_ports_lend(struct ftp_ports *p, void *context)
{
    if (p->free_count == 0)
        take_back_oldest(p);
    /* One that somebody else listens on by now stays free for another day; so many are tried. */
    for (unsigned tries = 0; tries < 8 && p->free_count; tries++) {
        size_t at = pick(p, p->free_count);
        if (at == p->free_count)
            return NULL;
        struct ftp_port *port = &p->port[p->free[at]];
        if (listener_resume(&port->listener))
            continue;
        p->free[at] = p->free[--p->free_count];
        port->context = context;
        port->lent_ms = p->loop->now_ms;
        TAILQ_INSERT_TAIL(&p->lent, port, link);
        return port;
    }
    return NULL;
}

uint16_t ftp_port_number(const struct ftp_port *port)
{
    return port->number;
}

void ftp_ports_give_back(struct ftp_ports *p, struct ftp_port *port)
{
    listener_pause(&port->listener);
    port->context = NULL;
    TAILQ_REMOVE(&p->lent, port, link);
    p->free[p->free_count++] = (uint16_t)(port - p->port);
}

size_t ftp_ports_free(const struct ftp_ports *p)
{
    return p->free_count;
}
