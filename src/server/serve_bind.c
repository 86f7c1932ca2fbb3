#include "server/serve_internal.h"

#include "base/log.h"
#include "net/socket.h"
#include "server/ftp_service.h"
#include "server/http_service.h"
#include "server/pnp_service.h"
#include "server/tftp_service.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A service's own functions behind one shape. */
static int open_tftp(struct worker *worker, int fd, void **ret_service)
{
    struct tftp_service *service;
    int error = tftp_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static void drain_tftp(void *service, void (*done)(void *context), void *context)
{
    tftp_service_drain(service, done, context);
}

static void close_tftp(void *service)
{
    tftp_service_close(service);
}

static int open_http(struct worker *worker, int fd, void **ret_service)
{
    struct http_service *service;
    int error = http_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static void drain_http(void *service, void (*done)(void *context), void *context)
{
    http_service_drain(service, done, context);
}

static void close_http(void *service)
{
    http_service_close(service);
}

static int open_ftp(struct worker *worker, int fd, void **ret_service)
{
    struct ftp_service *service;
    int error = ftp_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static int open_ftps(struct worker *worker, int fd, void **ret_service)
{
    struct ftp_service *service;
    int error = ftps_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static int open_https(struct worker *worker, int fd, void **ret_service)
{
    struct http_service *service;
    int error = https_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static void drain_ftp(void *service, void (*done)(void *context), void *context)
{
    ftp_service_drain(service, done, context);
}

static void close_ftp(void *service)
{
    ftp_service_close(service);
}

static int open_legacy(struct worker *worker, int fd, void **ret_service)
{
    struct http_service *service;
    int error = https_legacy_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static int open_pnp(struct worker *worker, int fd, void **ret_service)
{
    struct pnp_service *service;
    int error = pnp_service_open(worker, fd, &service);
    if (!error)
        *ret_service = service;
    return error;
}

static void drain_pnp(void *service, void (*done)(void *context), void *context)
{
    pnp_service_drain(service, done, context);
}

static void close_pnp(void *service)
{
    pnp_service_close(service);
}

static const struct service_kind tftp = {
    .protocol = PROTOCOL_TFTP, .socket_type = SOCK_DGRAM, .port_key = "tftp.port", .port = 69,
    .port_unprivileged = 6969, .open = open_tftp, .drain = drain_tftp, .close = close_tftp,
};
static const struct service_kind http = {
    .protocol = PROTOCOL_HTTP, .socket_type = SOCK_STREAM, .port_key = "http.port", .port = 80,
    .port_unprivileged = 8080, .open = open_http, .drain = drain_http, .close = close_http,
};
static const struct service_kind https = {
    .protocol = PROTOCOL_HTTPS, .socket_type = SOCK_STREAM, .port_key = "https.port", .port = 443,
    .port_unprivileged = 8443, .tls = true, .open = open_https, .drain = drain_http, .close = close_http,
};
static const struct service_kind legacy = {
    .protocol = PROTOCOL_HTTPS,
    .socket_type = SOCK_STREAM,
    .port_key = "tls.legacy_port",
    .port = 8444,
    .port_unprivileged = 8444,
    .legacy = true,
    .tls = true,
    .open = open_legacy,
    .drain = drain_http,
    .close = close_http,
};
static const struct service_kind ftp = {
    .protocol = PROTOCOL_FTP, .socket_type = SOCK_STREAM, .port_key = "ftp.port", .port = 21,
    .port_unprivileged = 2121, .open = open_ftp, .drain = drain_ftp, .close = close_ftp,
};
static const struct service_kind ftps = {
    .protocol = PROTOCOL_FTP, .socket_type = SOCK_STREAM, .port_key = "ftp.port", .tls = true, .behind = true,
    .open = open_ftps, .drain = drain_ftp, .close = close_ftp,
};
static const struct service_kind pnp = {
    .protocol = PROTOCOL_PNP, .socket_type = SOCK_DGRAM, .port_key = "pnp.port", .port = 5060,
    .port_unprivileged = 5060, .one = true, .open = open_pnp, .drain = drain_pnp, .close = close_pnp,
};

size_t serve_workers_of(const struct serve *s, const struct service_kind *kind)
{
    return kind->one ? 1 : kind->tls ? s->tls_workers : s->workers;
}

static int refuse(const struct service_kind *kind, const union address *address, int error)
{
    char bytes[96];
    struct buf out = BUF_ON(bytes);
    address_print(address, &out);
    buf_terminate(&out);
    log_error("%s: cannot listen on %s: %s (%s%s)", protocol_name(kind->protocol), bytes, strerror(-error),
              kind->port_key, kind->one ? "" : ", listen");
    return error;
}

/* The port to take when none is configured: the protocol's own when we may bind it. */
static uint16_t usual_port(const struct service_kind *kind, union address address)
{
    address_set_port(&address, kind->port);
    return socket_probe(kind->socket_type, &address) == -EACCES ? kind->port_unprivileged : kind->port;
}

/* A worker's socket each; the first one settles the port when any will do. */
static int bind_workers(struct serve *s, struct endpoint *l)
{
    size_t workers = serve_workers_of(s, l->kind);
    for (size_t i = 0; i < workers; i++)
        l->fds[i] = -1;
    s->endpoint_count++;
    for (size_t i = 0; i < workers; i++) {
        int error = socket_bind(l->kind->socket_type, &l->address, &l->fds[i]);
        if (error)
            return error;
    }
    return 0;
}

static int bind_one(struct serve *s, const struct service_kind *kind, struct slice host, uint16_t port)
{
    struct endpoint *l = &s->endpoints[s->endpoint_count];
    if (s->endpoint_count == ENDPOINTS_MAX) {
        log_error("listen: more than %d addresses", ENDPOINTS_MAX / 5);
        return -E2BIG;
    }
    *l = (struct endpoint){ .kind = kind };
    if (!address_parse(host, port, &l->address))
        return -EINVAL;
    int error = socket_probe(kind->socket_type, &l->address);
    /* A machine without IPv6 still serves the others of the list. */
    if (error == -EAFNOSUPPORT && l->address.sa.sa_family == AF_INET6) {
        log_info("%s: no IPv6 here", protocol_name(kind->protocol));
        return 0;
    }
    if (!error)
        error = bind_workers(s, l);
    return error ? refuse(kind, &l->address, error) : 0;
}

static int bind_kind(struct serve *s, const struct service_kind *kind, bool port_set, uint32_t port)
{
    struct slice rest = s->config->listen, part;
    bool first = true;
    while (slice_cut(&rest, ',', &part)) {
        union address probe;
        part = slice_trim(part);
        if (!port_set && first && address_parse(part, 0, &probe)) {
            port = usual_port(kind, probe);
            if (port != kind->port)
                log_info("%s: port %u may not be bound by this user: using %u", protocol_name(kind->protocol),
                         kind->port, port);
        }
        first = false;
        int error = bind_one(s, kind, part, (uint16_t)port);
        if (error)
            return error;
    }
    return 0;
}

/* The TLS workers' part of each listener of FTP. */
static int bind_ftps(struct serve *s)
{
    size_t count = s->endpoint_count;
    for (size_t i = 0; i < count; i++) {
        const struct endpoint *from = &s->endpoints[i];
        if (from->kind != &ftp)
            continue;
        if (s->endpoint_count == ENDPOINTS_MAX)
            return -E2BIG;
        struct endpoint *l = &s->endpoints[s->endpoint_count++];
        *l = (struct endpoint){ .kind = &ftps, .address = from->address };
        for (size_t w = 0; w < s->tls_workers; w++)
            l->fds[w] = fcntl(from->fds[0], F_DUPFD_CLOEXEC, 0);
    }
    return 0;
}

/* A kind that the configuration switches on. */
struct wanted {
    const struct service_kind *kind;
    bool port_set;
    uint32_t port;
};
#define KINDS_MAX 6

static size_t list_wanted(const struct config *c, struct wanted list[KINDS_MAX])
{
    const struct {
        bool on;
        struct wanted wanted;
    } all[KINDS_MAX] = {
        { c->tftp_enable, { &tftp, c->tftp_port_set, c->tftp_port } },
        { c->http_enable, { &http, c->http_port_set, c->http_port } },
        { c->ftp_enable, { &ftp, c->ftp_port_set, c->ftp_port } },
        { serve_has_https(c), { &https, c->https_port_set, c->https_port } },
        { serve_has_tls(c) && c->tls_legacy, { &legacy, c->tls_legacy_port_set, c->tls_legacy_port } },
        { c->pnp_enable, { &pnp, true, c->pnp_port_set ? c->pnp_port : pnp.port } },
    };
    size_t count = 0;
    for (size_t i = 0; i < KINDS_MAX; i++)
        if (all[i].on)
            list[count++] = all[i].wanted;
    return count;
}

size_t serve_places(const struct config *c, struct serve_place places[SERVE_PLACES_MAX])
{
    struct wanted list[KINDS_MAX];
    size_t kinds = list_wanted(c, list), count = 0;
    for (size_t i = 0; i < kinds; i++) {
        const struct service_kind *kind = list[i].kind;
        struct slice rest = kind->one ? SLICE("*") : c->listen, part;
        while (count < SERVE_PLACES_MAX && slice_cut(&rest, ',', &part)) {
            struct serve_place *p = &places[count];
            *p = (struct serve_place){ kind->protocol, kind->socket_type, kind->port_key, .usual_port = kind->port };
            if (!address_parse(slice_trim(part), (uint16_t)list[i].port, &p->address))
                continue;
            if (!list[i].port_set)
                address_set_port(&p->address, usual_port(kind, p->address));
            p->fallback = !list[i].port_set && address_port(&p->address) != kind->port;
            p->error = socket_probe(kind->socket_type, &p->address);
            count++;
        }
    }
    return count;
}

int serve_bind(struct serve *s)
{
    struct wanted list[KINDS_MAX];
    size_t kinds = list_wanted(s->config, list);
    int error = 0;
    for (size_t i = 0; !error && i < kinds; i++) {
        const struct wanted *w = &list[i];
        error = w->kind->one ? bind_one(s, w->kind, SLICE("*"), (uint16_t)w->port)
                             : bind_kind(s, w->kind, w->port_set, w->port);
        if (!error && w->kind == &ftp && serve_has_ftps(s->config))
            error = bind_ftps(s);
    }
    if (!error && s->endpoint_count == 0) {
        log_error(
            "nothing to serve: tftp.enable, http.enable, ftp.enable and pnp.enable are 0 and HTTPS has no certificate, or no "
            "address of listen could be bound");
        error = -EDESTADDRREQ;
    }
    return error;
}

void serve_unbind(struct serve *s)
{
    for (size_t i = 0; i < s->endpoint_count; i++)
        for (size_t w = 0; w < serve_workers_of(s, s->endpoints[i].kind); w++)
            if (s->endpoints[i].fds[w] >= 0)
                close(s->endpoints[i].fds[w]);
    s->endpoint_count = 0;
}
