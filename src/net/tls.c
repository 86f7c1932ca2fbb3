#include "net/tls_inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

/* RSA of 2048 bits or P-224 and more, no SHA-1 (SSL_CTX_set_security_level(3)). */
#define SECURITY_LEVEL 2
#define SUITES_1_2                                                                                             \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                               \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                               \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS "X25519:P-256:P-384"
/* TLS 1.0 signs with MD5 and SHA-1, which no higher level has. The forward-secret ones still come first; a
 * library without 3DES or RSA key exchange leaves those out. No RC4, DES or export suite. */
#define SECURITY_LEVEL_LEGACY 0
#define SUITES_LEGACY                                                                                          \
    SUITES_1_2 ":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:"                    \
               "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"                             \
               "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:"        \
               "DES-CBC3-SHA"

/* --- what hangs at a context ------------------------------------------------------------------------------- */

static int mind_index = -1;

static void free_mind(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number, void *context)
{
    struct tls_mind *m = pointer;
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)context;
    for (size_t i = 0; m && i < m->pair_count; i++)
        tls_free_pair(&m->pairs[i]);
    if (m) {
        free(m->revoked);
        free(m->names);
    }
    free(m);
}

static void make_index(void)
{
    mind_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_mind);
}

struct tls_mind *tls_mind_of(const SSL_CTX *context)
{
    return SSL_CTX_get_ex_data(context, mind_index);
}

static struct tls_mind *make_mind(SSL_CTX *c, const struct tls_options *o)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_index);
    struct tls_mind *m = mind_index < 0 ? NULL : calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->tickets = o->tickets;
    m->names = strndup(o->server_names.ptr ? o->server_names.ptr : "", o->server_names.len);
    if (m->names && SSL_CTX_set_ex_data(c, mind_index, m) == 1)
        return m;
    free(m->names);
    free(m);
    return NULL;
}

/* --- what the peer's hello may name ------------------------------------------------------------------------ */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned in_len, void *context)
{
    struct slice ours = tls_session_alpn(ssl);
    unsigned char *chosen = NULL;
    (void)context;
    if (SSL_select_next_proto(&chosen, out_len, (const unsigned char *)ours.ptr, (unsigned)ours.len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* RFC 6066, 3: no dot at the end; one is forgiven. */
static bool is_ours(struct slice list, struct slice name)
{
    struct slice part;
    if (name.len && name.ptr[name.len - 1] == '.')
        name = slice_first(name, name.len - 1);
    while (slice_cut(&list, ',', &part)) {
        part = slice_trim(part);
        struct slice parent = slice_from(name, slice_find(name, '.'));
        if (slice_eq_nocase(part, name) ||
            (slice_starts(part, SLICE("*.")) && parent.len && slice_eq_nocase(slice_from(part, 1), parent)))
            return true;
    }
    return false;
}

static int on_name(SSL *ssl, int *alert, void *context)
{
    const struct tls_mind *m = tls_mind_of(SSL_get_SSL_CTX(ssl));
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)context;
    if (!name || !m->names[0] || is_ours(slice_str(m->names), slice_str(name)))
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- putting one together ---------------------------------------------------------------------------------- */

static bool set_strength(SSL_CTX *c, const struct tls_options *o)
{
    int oldest = o->legacy ? TLS1_VERSION : o->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_security_level(c, o->legacy ? SECURITY_LEVEL_LEGACY : SECURITY_LEVEL);
    return SSL_CTX_set_min_proto_version(c, oldest) == 1 && SSL_CTX_set_max_proto_version(c, 0) == 1 &&
           SSL_CTX_set_cipher_list(c, o->legacy ? SUITES_LEGACY : SUITES_1_2) == 1 &&
           SSL_CTX_set_ciphersuites(c, SUITES_1_3) == 1 && SSL_CTX_set1_groups_list(c, GROUPS) == 1;
}

static bool set_up(SSL_CTX *c, const struct tls_options *o)
{
    /* The machine's openssl.cnf may say otherwise. */
    SSL_CTX_clear_options(c, SSL_CTX_get_options(c));
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_ENABLE_MIDDLEBOX_COMPAT |
                               /* A request says itself where it ends (RFC 9112, 9.8). */
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1); /* head and body of a record with one system call */
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(c, TLS_TICKET_S);
    SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
    SSL_CTX_set_tlsext_servername_callback(c, on_name);
    return set_strength(c, o) && SSL_CTX_set_num_tickets(c, 1) == 1 && tls_tickets_use(c);
}

static int use_pair(SSL_CTX *c, struct tls_mind *m, const char *file, struct buf *why)
{
    struct tls_loaded *l = &m->pairs[m->pair_count - 1];
    /* 0: refuses a second one of the same kind. */
    if (SSL_CTX_use_cert_and_key(c, l->certificate, l->key, l->chain, 0) != 1)
        return tls_say_openssl(why, file, "cannot be used");
    return 0;
}

static int use_pairs(SSL_CTX *c, struct tls_mind *m, const struct tls_options *o, struct buf *why)
{
    const struct tls_mind *from = o->pairs_of ? tls_mind_of(o->pairs_of) : NULL;
    size_t count = from ? from->pair_count : o->pair_count;
    int error = 0;
    for (size_t i = 0; !error && i < count; i++) {
        struct tls_loaded *l = &m->pairs[m->pair_count++];
        if (!from)
            error = tls_load_pair(&o->pairs[i], o->key_owner, l, why);
        else if (!tls_share_pair(&from->pairs[i], l))
            error = tls_say(why, "OpenSSL", "out of memory", -ENOMEM);
        if (!error)
            error = use_pair(c, m, from ? "certificate" : o->pairs[i].certificate, why);
    }
    return error;
}

int tls_context_open(const struct tls_options *o, struct buf *why, struct ssl_ctx_st **ret_context)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    struct tls_mind *m = c ? make_mind(c, o) : NULL;
    int error = m ? 0 : tls_say_openssl(why, "OpenSSL", "no TLS");
    if (!error && !set_up(c, o))
        error = tls_say_openssl(why, "OpenSSL", "lacks what is needed");
    if (!error)
        error = use_pairs(c, m, o, why);
    if (!error)
        error = tls_clients_use(o, m, c, why);
    if (error)
        SSL_CTX_free(c);
    else
        *ret_context = c;
    return error;
}

struct ssl_ctx_st *tls_context_share(struct ssl_ctx_st *context)
{
    if (context)
        SSL_CTX_up_ref(context);
    return context;
}

void tls_context_close(struct ssl_ctx_st *context)
{
    SSL_CTX_free(context);
}
