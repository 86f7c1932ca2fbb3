#include "server/pnp_service.h"

#include "base/log.h"
#include "net/datagram.h"
#include "net/multicast.h"
#include "server/pnp_machine.h"
#include "server/pnp_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

struct pnp_service {
    struct worker *worker;
    struct pnp_world world;
    struct pnp_machine *machine;
    struct datagram_set *set;
    struct datagram socket;
    struct multicast *multicast;
    struct timer timer;
    unsigned handles; /* that have not closed yet */
    bool listening, closing;
    void (*drained)(void *context);
    void *drained_context;
};

static void send_datagram(struct pnp_world *world, const union address *to, const struct datagram_local *from,
                          struct slice bytes)
{
    struct pnp_service *s = container_of(world, struct pnp_service, world);
    struct buf room;
    if (!datagram_reserve(&s->socket, to, from, bytes.len, &room))
        return;
    buf_text(&room, bytes);
    datagram_commit(s->set, room.len);
}

static void note(struct pnp_world *world, struct journal_event *e)
{
    journal_note(container_of(world, struct pnp_service, world)->worker->journal, e);
}

static void on_timer(struct timer *timer);

/* A timer that runs and is due before is left: it starts the next one. */
static void wait_for_next(struct pnp_service *s)
{
    struct loop *l = &s->worker->loop;
    uint64_t due_ms;
    if (s->drained || !pnp_machine_due(s->machine, &due_ms) ||
        (timer_is_running(&s->timer) && s->timer.due_ms <= due_ms))
        return;
    loop_timer(l, &s->timer, due_ms > l->now_ms ? due_ms - l->now_ms : 0, on_timer);
}

static void on_timer(struct timer *timer)
{
    struct pnp_service *s = container_of(timer, struct pnp_service, timer);
    pnp_machine_advance(s->machine, s->worker->loop.now_ms);
    wait_for_next(s);
}

static void on_received(struct datagram *d, const struct datagram_in *messages, size_t count)
{
    struct pnp_service *s = d->context;
    for (size_t i = 0; i < count; i++)
        pnp_machine_receive(s->machine, &messages[i], s->worker->loop.now_ms, s->worker->loop.wall_ms);
    wait_for_next(s);
}

static void on_undelivered(struct datagram *d, const union address *to)
{
    struct pnp_service *s = d->context;
    pnp_machine_undelivered(s->machine, to, s->worker->loop.now_ms);
    wait_for_next(s);
}

static void on_changed(void *context, struct slice interface, bool joined, int error)
{
    (void)context;
    if (error)
        log_warning("pnp: %.*s cannot be listened on: %s", SLICE_ARG(interface), strerror(-error));
    else
        log_info("pnp: %s on %.*s", joined ? "listening" : "no longer listening", SLICE_ARG(interface));
}

static void free_service(struct pnp_service *s)
{
    pnp_machine_close(s->machine);
    datagram_set_close(s->set);
    free(s);
}

static void handle_closed(struct pnp_service *s)
{
    if (--s->handles == 0 && s->closing)
        free_service(s);
}

static void on_socket_closed(struct datagram *d)
{
    handle_closed(d->context);
}

static void on_left(void *context)
{
    handle_closed(context);
}

static int open_machine(struct pnp_service *s)
{
    union address own;
    struct pnp_options options = { .config = s->worker->config, .world = &s->world };
    s->world = (struct pnp_world){ send_datagram, note };
    options.hash_seed = s->worker->hash_seed;
    int error = datagram_local_address(&s->socket, &own);
    if (!error && getrandom(&options.tag_seed, sizeof options.tag_seed, 0) != sizeof options.tag_seed)
        error = -EIO;
    options.own_port = address_port(&own);
    return error ? error : pnp_machine_open(&options, s->worker->loop.now_ms, &s->machine);
}

static int open_sockets(struct pnp_service *s, int fd)
{
    int error = datagram_set_open(&s->worker->loop, PNP_SUBSCRIBE_BYTES_MAX + 1, &s->set);
    if (error) {
        close(fd);
        return error;
    }
    error = datagram_open(&s->socket, s->set, fd, true, on_received, s);
    if (error)
        return error;
    s->listening = true;
    s->handles++;
    error = datagram_tell_undelivered(&s->socket, on_undelivered);
    if (!error)
        error = open_machine(s);
    return error;
}

/* Without an interface it waits for one. */
static int join(struct pnp_service *s)
{
    struct multicast_options options = { .socket = s->socket.fd,
                                         .interfaces = s->worker->config->pnp_interfaces,
                                         .changed = on_changed,
                                         .context = s };
    inet_pton(AF_INET, PNP_GROUP, &options.group);
    int error = multicast_open(&s->worker->loop, &options, &s->multicast);
    if (error)
        return error;
    s->handles++;
    if (multicast_count(s->multicast) == 0)
        log_warning("pnp: no network interface to listen on yet (pnp.interfaces)");
    return 0;
}

int pnp_service_open(struct worker *worker, int fd, struct pnp_service **ret_service)
{
    struct pnp_service *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return -ENOMEM;
    }
    s->worker = worker;
    int error = open_sockets(s, fd);
    if (!error)
        error = join(s);
    if (error)
        pnp_service_close(s);
    else
        *ret_service = s;
    return error;
}

static void stop_listening(struct pnp_service *s)
{
    timer_stop(&s->worker->loop.wheel, &s->timer);
    if (s->multicast)
        multicast_close(s->multicast, on_left, s);
    s->multicast = NULL;
    if (s->listening)
        datagram_close(&s->socket, on_socket_closed);
    s->listening = false;
}

static void on_drained(struct timer *timer)
{
    struct pnp_service *s = container_of(timer, struct pnp_service, timer);
    stop_listening(s);
    s->drained(s->drained_context);
}

/* What is queued in this round leaves at its end; closing the socket would drop it. */
void pnp_service_drain(struct pnp_service *s, void (*done)(void *context), void *context)
{
    s->drained = done;
    s->drained_context = context;
    loop_timer(&s->worker->loop, &s->timer, 0, on_drained);
}

void pnp_service_close(struct pnp_service *s)
{
    stop_listening(s);
    s->closing = true;
    if (s->handles == 0)
        free_service(s);
}
