/* Inside serve: listeners (serve_bind.c), certificates (serve_tls.c) and workers (serve_worker.c). */
#ifndef DIALTONE_SERVER_SERVE_INTERNAL_H
#define DIALTONE_SERVER_SERVE_INTERNAL_H

#include "server/access.h"
#include "server/ftp_relay.h"
#include "server/guard.h"
#include "server/login.h"
#include "server/serve.h"
#include "server/service.h"
#include "server/upload.h"

#include <pthread.h>

/* Addresses times protocols; an operator names a handful. */
#define ENDPOINTS_MAX 60
#define WORKERS_MAX 64

/* One protocol on one worker's socket. */
struct service_kind {
    enum protocol protocol;
    int socket_type;
    const char *port_key;
    uint16_t port, port_unprivileged;
    bool legacy;
    bool tls; /* on the TLS workers: a handshake holds its thread for a millisecond (design.md) */
    bool one; /* on the first worker only, and on any address (server/pnp_service.h) */
    int (*open)(struct worker *worker, int fd, void **ret_service);
    void (*drain)(void *service, void (*done)(void *context), void *context);
    void (*close)(void *service);
    bool behind; /* has no listener of its own: connections come from another kind at the same address */
};

struct endpoint {
    const struct service_kind *kind;
    union address address;
    int fds[WORKERS_MAX]; /* one a worker of the kind's; -1: given to a service */
};

enum wish { WISH_NOTHING, WISH_DRAIN, WISH_HURRY };

struct crew {
    struct worker worker;
    struct serve *serve;
    pthread_t thread;
    bool tls; /* serves what needs TLS, and nothing else */
    bool has_thread, has_loop, draining;
    void *services[ENDPOINTS_MAX]; /* NULL: of the other workers */
    size_t undrained;
    struct timer at_last;
    struct config config; /* this worker's; its limits change at SIGHUP on its own thread */
    unsigned seen_reloads;
    _Atomic(struct access *) access; /* the one it uses; others may be freed */
    atomic_bool ended;
};

struct serve {
    const struct config *config;
    struct rootdir root;
    char *root_path, *database, *uploads_path;
    struct uploads *uploads;
    struct journal *journal;
    struct login *login;
    struct guard *guard;
    bool writes_root;      /* what the walls were set up for */
    struct access *access; /* the newest, and behind `older` those that workers may use; under fresh_lock */
    struct endpoint endpoints[ENDPOINTS_MAX];
    size_t endpoint_count;
    struct crew *crew;
    size_t workers, tls_workers; /* in `crew`, in this order */
    struct tls_tickets *tickets; /* NULL without TLS */
    struct ftp_relay *ftp_relay; /* NULL without FTP over TLS */
    uid_t key_owner;             /* whom this process becomes; looked up while users can be */
    struct ssl_ctx_st *tls, *tls_legacy; /* the newest; under fresh_lock once threads run */
    uint64_t hash_seed;
    _Atomic(enum wish) wish;
    atomic_uint reloads;
    pthread_mutex_t fresh_lock;
    struct config fresh; /* what workers take over; under fresh_lock */
};

/* Fills listeners. 0 or a negative errno, said in the log. */
int serve_bind(struct serve *s);
void serve_unbind(struct serve *s);

/* HTTPS; FTP over TLS; either. */
bool serve_has_https(const struct config *c);
bool serve_has_ftps(const struct config *c);
bool serve_has_tls(const struct config *c);
/* Reads certificates and keys, when there are any. 0 or a negative errno, said in the log. */
int serve_tls_open(struct serve *s);
/* Reads them again, with what `fresh` says of live keys; what cannot be read stays as it was. The workers take them
 * over with the configuration. */
void serve_tls_reload(struct serve *s, const struct config *fresh);
void serve_tls_close(struct serve *s);

/* serve_guard.c: the guard, and what it remembers of phones from the journal and from what they have sent. 0 or
 * a negative errno. */
int serve_guard_open(struct serve *s);

size_t serve_crew_count(const struct serve *s);
/* How many workers serve this kind. */
size_t serve_workers_of(const struct serve *s, const struct service_kind *kind);

/* Opens loop, tree and services of one worker; its thread comes later. */
int crew_open(struct serve *s, size_t index);
int crew_run(struct crew *c);
void crew_close(struct crew *c);

#endif
