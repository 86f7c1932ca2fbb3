#include "server/http_service.h"

#include "base/log.h"
#include "proto/http_date.h"
#include "server/http_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Connections that are kept for the next ones to come. */
#define SPARES_MAX 256
/* A machine at its limit is not helped by a full log. */
#define WARN_EVERY_MS 60000

static struct http_service *of(struct listener *l)
{
    return container_of(l, struct http_service, listener);
}

static void free_when_closed(struct http_service *s)
{
    struct http_connection *c;
    if (--s->open || !s->closing)
        return;
    while ((c = TAILQ_FIRST(&s->spare))) {
        TAILQ_REMOVE(&s->spare, c, link);
        free(c);
    }
    peer_limits_close(s->limits);
    free(s);
}

struct http_connection *http_service_take(struct http_service *s)
{
    struct http_connection *c = TAILQ_FIRST(&s->spare);
    if (c) {
        TAILQ_REMOVE(&s->spare, c, link);
        s->spares--;
    } else {
        c = malloc(sizeof *c);
    }
    if (!c)
        return NULL;
    s->open++;
    c->service = s;
    c->timer = (struct timer){ 0 };
    c->guard = (struct http_guard){ 0 };
    c->limit = NULL;
    c->kept = NULL;
    c->reply = NULL;
    c->taken = 0;
    c->drained = 0;
    c->kept_len = 0;
    c->state = HTTP_STATE_READING;
    return c;
}

void http_service_give(struct http_connection *c)
{
    struct http_service *s = c->service;
    if (s->spares < SPARES_MAX) {
        TAILQ_INSERT_HEAD(&s->spare, c, link);
        s->spares++;
    } else {
        free(c);
    }
    free_when_closed(s);
}

void http_service_slot_freed(struct http_service *s)
{
    if (!s->done || s->drained || s->slots)
        return;
    s->drained = true;
    s->done(s->done_context);
}

struct slice http_service_date(struct http_service *s)
{
    int64_t second = s->worker->loop.wall_ms / 1000;
    if (second != s->date_second || s->date_len == 0) {
        struct buf out = BUF_ON(s->date);
        buf_text(&out, SLICE("Date: "));
        http_date_print(second, &out);
        buf_text(&out, SLICE("\r\n"));
        s->date_len = (uint8_t)out.len;
        s->date_second = second;
    }
    return slice_of(s->date, s->date_len);
}

struct ssl_ctx_st *http_service_tls(const struct http_service *s)
{
    if (s->protocol != PROTOCOL_HTTPS)
        return NULL;
    return s->legacy ? s->worker->tls_legacy : s->worker->tls;
}

bool http_service_may_note_fault(struct http_service *s, const union address *peer)
{
    return fault_log_may_tell(&s->faults, peer_limits_of(s->limits, peer), s->protocol, s->worker->loop.now_ms);
}

struct slice http_service_modified(struct http_service *s, int64_t second)
{
    struct http_date_kept *kept = &s->dates[(uint64_t)second % HTTP_DATES_KEPT];
    if (kept->len == 0 || kept->second != second) {
        struct buf out = BUF_ON(kept->text);
        http_date_print(second, &out);
        kept->len = (uint8_t)out.len;
        kept->second = second;
    }
    return slice_of(kept->text, kept->len);
}

static void on_accepted(struct listener *l, int fd, const union address *peer)
{
    http_connection_accept(of(l), fd, peer);
}

/* An idle connection is worth less than the one that cannot be accepted. */
static void on_exhausted(struct listener *l, int error)
{
    struct http_service *s = of(l);
    struct http_connection *c = TAILQ_FIRST(&s->waiting);
    uint64_t now_ms = s->worker->loop.now_ms;
    if (now_ms >= s->warn_ms) {
        log_warning("%s: cannot accept connections: %s", s->protocol == PROTOCOL_HTTPS ? "https" : "http",
                    strerror(-error));
        s->warn_ms = now_ms + WARN_EVERY_MS;
    }
    if (c && (error == -EMFILE || error == -ENFILE))
        http_connection_abort(c, "out of descriptors");
}

static void on_closed(struct listener *l)
{
    free_when_closed(of(l));
}

static int open_service(struct worker *worker, int fd, enum protocol protocol,
                        struct http_service **ret_service)
{
    struct http_service *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return -ENOMEM;
    }
    unsigned share = worker->share ? worker->share : 1;
    s->worker = worker;
    s->protocol = protocol;
    s->slots_max = (worker->config->http_connections + share - 1) / share;
    s->open = 1;
    TAILQ_INIT(&s->waiting);
    TAILQ_INIT(&s->sending);
    TAILQ_INIT(&s->spare);
    s->listener.accepted = on_accepted;
    s->listener.exhausted = on_exhausted;
    s->listener.closed = on_closed;
    int error = peer_limits_open(s->slots_max, worker->hash_seed, &s->limits);
    if (!error)
        error = listener_open(&s->listener, &worker->loop, fd);
    if (error) {
        peer_limits_close(s->limits);
        free(s);
        close(fd);
        return error;
    }
    *ret_service = s;
    return 0;
}

int http_service_open(struct worker *worker, int fd, struct http_service **ret_service)
{
    return open_service(worker, fd, PROTOCOL_HTTP, ret_service);
}

int https_service_open(struct worker *worker, int fd, struct http_service **ret_service)
{
    return open_service(worker, fd, PROTOCOL_HTTPS, ret_service);
}

int https_legacy_service_open(struct worker *worker, int fd, struct http_service **ret_service)
{
    int error = open_service(worker, fd, PROTOCOL_HTTPS, ret_service);
    if (!error)
        (*ret_service)->legacy = true;
    return error;
}

/* Either list shrinks or stays while it is walked: the next one is taken first. */
static void for_each(struct http_connections *list, void (*call)(struct http_connection *c, const char *reason),
                     const char *reason)
{
    for (struct http_connection *c = TAILQ_FIRST(list), *next; c; c = next) {
        next = TAILQ_NEXT(c, link);
        call(c, reason);
    }
}

static void retire(struct http_connection *c, const char *reason)
{
    (void)reason;
    http_connection_retire(c);
}

void http_service_drain(struct http_service *s, void (*done)(void *context), void *context)
{
    s->draining = true;
    listener_stop(&s->listener);
    for_each(&s->waiting, retire, NULL);
    for_each(&s->sending, retire, NULL);
    s->done = done;
    s->done_context = context;
    http_service_slot_freed(s);
}

void http_service_close(struct http_service *s)
{
    s->draining = s->drained = true; /* whoever closes waits for nothing more */
    s->closing = true;
    for_each(&s->waiting, http_connection_abort, "the server stopped");
    for_each(&s->sending, http_connection_abort, "the server stopped");
    listener_close(&s->listener);
}
