/* The certificates of a server: read before privileges go, read again at SIGHUP. */
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

static int load(const struct serve *s, struct buf *why, struct ssl_ctx_st **ret_context)
{
    const struct config *c = s->config;
    struct tls_options o = { .only_1_3 = slice_eq(c->tls_min_version, SLICE("1.3")),
                             .tickets = s->tickets,
                             .key_owner = s->key_owner };
    struct paths paths;
    int error = set_pairs(c, &paths, &o, why);
    return error ? error : tls_context_open(&o, why, ret_context);
}

int serve_tls_open(struct serve *s)
{
    char bytes[PATH_MAX + 256];
    struct buf why = BUF_ON(bytes);
    if (s->config->https_enable && s->config->https_port_set && !serve_has_tls(s->config))
        log_warning("https.port is set and tls.certificate is not: HTTPS is not served");
    if (!serve_has_tls(s->config))
        return 0;
    int error = confine_account(s->root.fd, s->config->run_user, &s->key_owner);
    if (!error)
        error = tls_tickets_open(&clock_system, &s->tickets);
    if (!error)
        error = load(s, &why, &s->tls);
    if (error)
        log_error("tls: %.*s", SLICE_ARG(why.len ? buf_slice(&why) : slice_str(strerror(-error))));
    return error;
}

void serve_tls_reload(struct serve *s)
{
    char bytes[PATH_MAX + 256];
    struct buf why = BUF_ON(bytes);
    struct ssl_ctx_st *fresh, *old;
    if (!s->tls)
        return;
    int error = load(s, &why, &fresh);
    if (error) {
        log_error("tls: the certificates stay as they were: %.*s%s", SLICE_ARG(buf_slice(&why)),
                  error == -EACCES ? "; the server gave up root, so the file has to be its user's, or restart"
                                   : "");
        return;
    }
    pthread_mutex_lock(&s->fresh_lock);
    old = s->tls;
    s->tls = fresh;
    pthread_mutex_unlock(&s->fresh_lock);
    tls_context_close(old);
    log_info("tls: certificates read again");
}

void serve_tls_close(struct serve *s)
{
    tls_context_close(s->tls);
    tls_tickets_close(s->tickets);
    s->tls = NULL;
    s->tickets = NULL;
}
