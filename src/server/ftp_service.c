#include "server/ftp_service.h"

#include "base/log.h"
#include "net/socket.h"
#include "server/ftp_session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A machine at its limit is not helped by a full log. */
#define WARN_EVERY_MS 60000

static struct ftp_service *of(struct listener *l)
{
    return container_of(l, struct ftp_service, listener);
}

void ftp_service_let_go(struct ftp_service *s)
{
    if (--s->open || !s->closing)
        return;
    peer_limits_close(s->limits);
    free(s);
}

static struct ftp_sessions *list_of(struct ftp_service *s, enum ftp_place place)
{
    switch (place) {
    case FTP_PLACE_STRANGER:
        return &s->strangers;
    case FTP_PLACE_IDLE:
        return &s->idle;
    case FTP_PLACE_BUSY:
        return &s->busy;
    case FTP_PLACE_NONE:
        break;
    }
    return NULL;
}

void ftp_service_put(struct ftp_session *s, enum ftp_place place)
{
    struct ftp_sessions *from = list_of(s->service, (enum ftp_place)s->place), *to = list_of(s->service, place);
    if (from)
        TAILQ_REMOVE(from, s, link);
    if (to)
        TAILQ_INSERT_TAIL(to, s, link);
    s->place = (uint8_t)place;
}

/* The one that has waited longest without saying who it is. */
static bool make_room(struct ftp_service *service)
{
    struct ftp_session *s = TAILQ_FIRST(&service->strangers);
    if (s)
        ftp_session_drop(s, 421, "Others wait: log in faster.");
    return s != NULL;
}

bool ftp_service_admit(struct ftp_service *service, struct ftp_session *s)
{
    struct peer_limit *limit = peer_limits_of(service->limits, &s->peer);
    if (!limit || limit->busy >= service->worker->config->ftp_peer_sessions)
        return false;
    if (service->slots >= service->slots_max && !make_room(service))
        return false;
    /* Asked again: making room may have moved the entry. */
    limit = peer_limits_of(service->limits, &s->peer);
    if (!limit)
        return false;
    peer_limits_begin(service->limits, limit);
    s->limit = limit;
    service->slots++;
    ftp_service_put(s, FTP_PLACE_STRANGER);
    return true;
}

void ftp_service_slot_freed(struct ftp_service *s)
{
    if (!s->done || s->drained || s->slots)
        return;
    s->drained = true;
    s->done(s->done_context);
}

static void on_accepted(struct listener *l, int fd, const union address *peer)
{
    ftp_session_accept(of(l), fd, peer);
}

/* Whoever does nothing is worth less than the one that cannot be accepted. */
static void on_exhausted(struct listener *l, int error)
{
    struct ftp_service *s = of(l);
    uint64_t now_ms = s->worker->loop.now_ms;
    if (now_ms >= s->warn_ms) {
        log_warning("ftp: cannot accept connections: %s", strerror(-error));
        s->warn_ms = now_ms + WARN_EVERY_MS;
    }
    struct ftp_session *least = TAILQ_FIRST(&s->strangers);
    if (!least)
        least = TAILQ_FIRST(&s->idle);
    if (least && (error == -EMFILE || error == -ENFILE))
        ftp_session_drop(least, 421, "Out of descriptors: come back later.");
}

static void on_closed(struct listener *l)
{
    ftp_service_let_go(of(l));
}

static void on_let_go(void *context)
{
    ftp_service_let_go(context);
}

/* At the address of the control connections' listener. */
static int open_ports(struct ftp_service *s, int fd)
{
    const struct config *c = s->worker->config;
    struct ftp_ports_range range = { .index = s->worker->ftp_index, .share = s->worker->ftp_share };
    if (!config_ports(c->ftp_passive_ports, &range.first, &range.last))
        return -EINVAL;
    int error = socket_local_address(fd, &s->at);
    if (!error)
        error = ftp_ports_open(&s->worker->loop, &s->at, &range, &ftp_data_borrower, &s->ports);
    if (error)
        log_error("ftp: no port of ftp.passive_ports %.*s for worker %u of %u: %s",
                  SLICE_ARG(c->ftp_passive_ports), s->worker->ftp_index + 1, s->worker->ftp_share,
                  strerror(-error));
    return error;
}

static int open_common(struct ftp_service *s, int fd)
{
    int error = peer_limits_open(s->slots_max, s->worker->hash_seed, &s->limits);
    if (!error)
        error = open_ports(s, fd);
    s->open += !error;
    return error;
}

static int open_listener(struct ftp_service *s, int fd)
{
    s->listener.speaks_first = true;
    s->listener.accepted = on_accepted;
    s->listener.exhausted = on_exhausted;
    s->listener.closed = on_closed;
    socket_keep_urgent(fd);
    int error = listener_open(&s->listener, &s->worker->loop, fd);
    s->open += !error;
    return error;
}

static void on_came(void *context, int fd, const union address *peer)
{
    ftp_session_take(context, fd, peer);
}

static int open_inbox(struct ftp_service *s)
{
    struct ftp_inbox_owner owner = { on_came, on_let_go, s };
    int error = ftp_relay_join(s->worker->ftp_relay, &s->at, &s->worker->loop, &owner, &s->inbox);
    s->open += !error;
    return error;
}

static struct ftp_service *new_service(struct worker *worker)
{
    struct ftp_service *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->worker = worker;
    s->slots_max = (worker->config->ftp_sessions + worker->share - 1) / worker->share;
    TAILQ_INIT(&s->strangers);
    TAILQ_INIT(&s->idle);
    TAILQ_INIT(&s->busy);
    return s;
}

/* One that could not be opened. */
static void give_up(struct ftp_service *s)
{
    s->closing = true;
    if (s->ports) {
        ftp_ports_close(s->ports, on_let_go, s);
    } else {
        s->open = 1;
        ftp_service_let_go(s);
    }
}

int ftp_service_open(struct worker *worker, int fd, struct ftp_service **ret_service)
{
    struct ftp_service *s = new_service(worker);
    int error = s ? open_common(s, fd) : -ENOMEM;
    if (!error)
        error = open_listener(s, fd);
    if (!error) {
        *ret_service = s;
        return 0;
    }
    close(fd);
    if (s)
        give_up(s);
    return error;
}

int ftps_service_open(struct worker *worker, int fd, struct ftp_service **ret_service)
{
    struct ftp_service *s = new_service(worker);
    int error = s ? open_common(s, fd) : -ENOMEM;
    close(fd);
    if (!error)
        error = open_inbox(s);
    if (!error)
        *ret_service = s;
    else if (s)
        give_up(s);
    return error;
}

static void retire_all(struct ftp_sessions *list)
{
    for (struct ftp_session *s = TAILQ_FIRST(list), *next; s; s = next) {
        next = TAILQ_NEXT(s, link);
        ftp_session_retire(s);
    }
}

void ftp_service_drain(struct ftp_service *s, void (*done)(void *context), void *context)
{
    if (!s->inbox)
        listener_stop(&s->listener);
    s->draining = true;
    s->done = done;
    s->done_context = context;
    retire_all(&s->strangers);
    retire_all(&s->idle);
    ftp_service_slot_freed(s);
}

static void drop_all(struct ftp_sessions *list)
{
    struct ftp_session *s;
    while ((s = TAILQ_FIRST(list)))
        ftp_session_drop(s, 421, "The server stopped.");
}

void ftp_service_close(struct ftp_service *s)
{
    s->draining = s->drained = true; /* whoever closes waits for nothing more */
    s->closing = true;
    drop_all(&s->strangers);
    drop_all(&s->idle);
    drop_all(&s->busy);
    ftp_ports_close(s->ports, on_let_go, s);
    if (s->inbox)
        ftp_inbox_close(s->inbox);
    else
        listener_close(&s->listener);
}
