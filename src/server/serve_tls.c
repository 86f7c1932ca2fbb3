/* The certificates of a server and whose it trusts: read before privileges go, read again at SIGHUP. */
#include "base/log.h"
#include "net/tls.h"
#include "server/confine.h"
#include "server/serve_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

bool serve_has_https(const struct config *c)
{
    return c->https_enable && c->tls_certificate.len;
}

bool serve_has_ftps(const struct config *c)
{
    return c->ftp_enable && c->tls_certificate.len && !slice_eq(c->ftp_tls, SLICE("off"));
}

bool serve_has_tls(const struct config *c)
{
    return serve_has_https(c) || serve_has_ftps(c);
}

/* The paths of the two lists, as C strings. */
struct paths {
    char certificate[TLS_PAIRS_MAX][PATH_MAX], key[TLS_PAIRS_MAX][PATH_MAX];
};

/* How many there are, -1 when too many or when one is blank or too long. */
static int split(struct slice list, char (*into)[PATH_MAX])
{
    struct slice part;
    int count = 0;
    while (slice_cut(&list, ',', &part)) {
        part = slice_trim(part);
        if (count == TLS_PAIRS_MAX || part.len == 0 || part.len >= PATH_MAX)
            return -1;
        snprintf(into[count++], PATH_MAX, "%.*s", SLICE_ARG(part));
    }
    return count;
}

static int set_pairs(const struct config *c, struct paths *paths, struct tls_options *o, struct buf *why)
{
    int certificates = split(c->tls_certificate, paths->certificate);
    int keys = split(c->tls_key, paths->key);
    if (certificates < 1 || keys != certificates) {
        buf_format(why, "tls.certificate and tls.key name as many files as each other, at most %d",
                   TLS_PAIRS_MAX);
        return -EINVAL;
    }
    o->pair_count = (size_t)certificates;
    for (size_t i = 0; i < o->pair_count; i++)
        o->pairs[i] = (struct tls_pair){ paths->certificate[i], paths->key[i] };
    return 0;
}

static enum tls_clients clients_of(struct slice word)
{
    return slice_eq(word, SLICE("required"))   ? TLS_CLIENTS_REQUIRED
           : slice_eq(word, SLICE("optional")) ? TLS_CLIENTS_OPTIONAL
                                               : TLS_CLIENTS_OFF;
}

struct contexts {
    struct ssl_ctx_st *usual, *legacy;
};

/* Both, or none. `live`: whose live keys count. `pairs_of`: where certificates and keys are taken from, NULL: their
 * files. */
static int load(const struct serve *s, const struct config *live, struct ssl_ctx_st *pairs_of, struct buf *why,
                struct contexts *ret_contexts)
{
    const struct config *c = s->config;
    struct paths paths;
    char ca[PATH_MAX], crl[PATH_MAX];
    struct contexts made = { 0 };
    struct tls_options o = { .only_1_3 = slice_eq(c->tls_min_version, SLICE("1.3")),
                             .tickets = s->tickets,
                             .key_owner = s->key_owner,
                             .pairs_of = pairs_of,
                             .clients = clients_of(c->tls_client_certificates),
                             .client_ca = ca,
                             .client_crl = crl,
                             .client_revoked = live->tls_client_revoked,
                             .server_names = live->tls_server_names };
    snprintf(ca, sizeof ca, "%.*s", SLICE_ARG(c->tls_client_ca));
    snprintf(crl, sizeof crl, "%.*s", SLICE_ARG(c->tls_client_crl));
    int error = set_pairs(c, &paths, &o, why);
    if (!error)
        error = tls_context_open(&o, why, &made.usual);
    o.legacy = true;
    if (!error && c->tls_legacy)
        error = tls_context_open(&o, why, &made.legacy);
    if (error)
        tls_context_close(made.usual);
    else
        *ret_contexts = made;
    return error;
}

static void warn(const struct config *c)
{
    if (c->https_enable && c->https_port_set && !serve_has_tls(c))
        log_warning("https.port is set and tls.certificate is not: HTTPS is not served");
    if (c->tls_legacy && serve_has_tls(c))
        log_warning("tls.legacy: one more HTTPS port speaks TLS 1.0 and 1.1 and ciphers that can be broken; it is for"
                    " phones that know nothing better, and no port for the internet");
    else if (c->tls_legacy)
        log_warning("tls.legacy is set and tls.certificate is not: nothing is served for old phones");
}

int serve_tls_open(struct serve *s)
{
    char bytes[PATH_MAX + 256];
    struct buf why = BUF_ON(bytes);
    struct contexts made;
    warn(s->config);
    if (!serve_has_tls(s->config))
        return 0;
    int error = confine_account(s->root.fd, s->config->run_user, &s->key_owner);
    if (!error)
        error = tls_tickets_open(&clock_system, &s->tickets);
    if (!error)
        error = load(s, s->config, NULL, &why, &made);
    if (error) {
        log_error("tls: %.*s", SLICE_ARG(why.len ? buf_slice(&why) : slice_str(strerror(-error))));
        return error;
    }
    s->tls = made.usual;
    s->tls_legacy = made.legacy;
    return 0;
}

static void take(struct serve *s, struct contexts fresh)
{
    struct contexts old = { s->tls, s->tls_legacy };
    pthread_mutex_lock(&s->fresh_lock);
    s->tls = fresh.usual;
    s->tls_legacy = fresh.legacy;
    pthread_mutex_unlock(&s->fresh_lock);
    tls_context_close(old.usual);
    tls_context_close(old.legacy);
}

/* A revocation must not wait for keys that this process may no longer read. */
static void reload_clients(struct serve *s, const struct config *fresh)
{
    char bytes[PATH_MAX + 256];
    struct buf why = BUF_ON(bytes);
    struct contexts made;
    if (load(s, fresh, s->tls, &why, &made)) {
        log_error("tls: who is trusted stays as it was: %.*s", SLICE_ARG(buf_slice(&why)));
        return;
    }
    take(s, made);
    log_info("tls: authorities and revocations of phones read again");
}

void serve_tls_reload(struct serve *s, const struct config *fresh)
{
    char bytes[PATH_MAX + 256];
    struct buf why = BUF_ON(bytes);
    struct contexts made;
    if (!s->tls)
        return;
    int error = load(s, fresh, NULL, &why, &made);
    if (!error) {
        take(s, made);
        log_info("tls: certificates read again");
        return;
    }
    log_error("tls: the certificates stay as they were: %.*s%s", SLICE_ARG(buf_slice(&why)),
              error == -EACCES ? "; the server gave up root, so the file has to be its user's, or restart" : "");
    if (clients_of(s->config->tls_client_certificates) != TLS_CLIENTS_OFF)
        reload_clients(s, fresh);
}

void serve_tls_close(struct serve *s)
{
    tls_context_close(s->tls);
    tls_context_close(s->tls_legacy);
    tls_tickets_close(s->tickets);
    s->tls = s->tls_legacy = NULL;
    s->tickets = NULL;
}
