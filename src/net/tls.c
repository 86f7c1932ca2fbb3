#include "net/tls_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* RSA of 2048 bits or P-224 and more, no SHA-1 (SSL_CTX_set_security_level(3)). */
#define SECURITY_LEVEL 2
#define SUITES_1_2                                                                                             \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                               \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                               \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS "X25519:P-256:P-384"

static int say(struct buf *why, const char *file, const char *what, int error)
{
    buf_format(why, "%s: %s", file, what);
    return error;
}

/* OpenSSL's own first word about it. */
static int say_openssl(struct buf *why, const char *file, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    buf_format(why, "%s: %s%s%s", file, what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return -EINVAL;
}

static int check_key(const struct stat *st, const struct tls_options *o, const char *file, struct buf *why)
{
    if (st->st_mode & 077) {
        buf_format(why, "%s: mode %04o lets others than its owner at the private key: chmod 600", file,
                   (unsigned)st->st_mode & 07777);
        return -EPERM;
    }
    if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != o->key_owner) {
        buf_format(why, "%s: the private key belongs to user %u, neither root nor the server's user", file,
                   (unsigned)st->st_uid);
        return -EPERM;
    }
    return 0;
}

static int read_all(int fd, struct buf *into)
{
    ssize_t n = 1;
    while (n > 0 && into->len < into->cap) {
        n = read(fd, into->ptr + into->len, into->cap - into->len);
        into->len += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? -errno : into->len == into->cap ? -EFBIG : 0;
}

/* The key's file is looked at through the descriptor that it is read from. */
static int load_file(const char *file, const struct tls_options *key_of, struct buf *into, struct buf *why)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = fd < 0 || fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
    if (error)
        say(why, file, error == -EINVAL ? "is no regular file" : strerror(-error), error);
    else if (key_of)
        error = check_key(&st, key_of, file, why);
    if (!error) {
        error = read_all(fd, into);
        if (error)
            say(why, file, strerror(-error), error);
    }
    if (fd >= 0)
        close(fd);
    return error;
}

/* A daemon has nobody to ask. */
static int no_passphrase(char *into, int size, int writing, void *context)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

struct loaded {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

static int parse_certificates(struct slice bytes, struct loaded *l, const char *file, struct buf *why)
{
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    X509 *next = NULL;
    l->chain = sk_X509_new_null();
    l->certificate = from ? PEM_read_bio_X509(from, NULL, no_passphrase, NULL) : NULL;
    while (l->certificate && l->chain && (next = PEM_read_bio_X509(from, NULL, no_passphrase, NULL)))
        if (!sk_X509_push(l->chain, next)) {
            X509_free(next);
            break;
        }
    BIO_free(from);
    /* The end of the file is an error to the reader of PEM. */
    bool whole = l->certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!whole)
        return say_openssl(why, file, "no certificate in PEM");
    ERR_clear_error();
    return 0;
}

static int parse_key(struct slice bytes, struct loaded *l, const char *file, struct buf *why)
{
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    l->key = from ? PEM_read_bio_PrivateKey(from, NULL, no_passphrase, NULL) : NULL;
    BIO_free(from);
    return l->key ? 0 : say_openssl(why, file, "no private key in PEM without a passphrase");
}

static int load_both(const struct tls_pair *pair, const struct tls_options *o, struct loaded *l,
                     struct buf *why)
{
    char *bytes = malloc(TLS_FILE_BYTES_MAX);
    struct buf into = buf_on(bytes, TLS_FILE_BYTES_MAX);
    if (!bytes)
        return say(why, pair->certificate, strerror(ENOMEM), -ENOMEM);
    int error = load_file(pair->certificate, NULL, &into, why);
    if (!error)
        error = parse_certificates(buf_slice(&into), l, pair->certificate, why);
    into.len = 0;
    if (!error)
        error = load_file(pair->key, o, &into, why);
    if (!error)
        error = parse_key(buf_slice(&into), l, pair->key, why);
    OPENSSL_cleanse(bytes, TLS_FILE_BYTES_MAX);
    free(bytes);
    return error;
}

static int use_pair(SSL_CTX *context, const struct tls_pair *pair, const struct tls_options *o, struct buf *why)
{
    struct loaded l = { 0 };
    ERR_clear_error();
    int error = load_both(pair, o, &l, why);
    if (!error && X509_check_private_key(l.certificate, l.key) != 1)
        error = say_openssl(why, pair->key, "is not the key of the certificate");
    /* 0: refuses a second one of the same kind. */
    if (!error && SSL_CTX_use_cert_and_key(context, l.certificate, l.key, l.chain, 0) != 1)
        error = say_openssl(why, pair->certificate, "cannot be used");
    X509_free(l.certificate);
    sk_X509_pop_free(l.chain, X509_free);
    EVP_PKEY_free(l.key);
    return error;
}

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

static bool set_up(SSL_CTX *c, const struct tls_options *o)
{
    static const unsigned char purpose[] = "dialtone https";
    SSL_CTX_set_security_level(c, SECURITY_LEVEL);
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
    return SSL_CTX_set_min_proto_version(c, o->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(c, 0) == 1 && SSL_CTX_set_cipher_list(c, SUITES_1_2) == 1 &&
           SSL_CTX_set_ciphersuites(c, SUITES_1_3) == 1 && SSL_CTX_set1_groups_list(c, GROUPS) == 1 &&
           SSL_CTX_set_num_tickets(c, 1) == 1 && tls_tickets_use(o->tickets, c) &&
           SSL_CTX_set_session_id_context(c, purpose, sizeof purpose - 1) == 1;
}

int tls_context_open(const struct tls_options *o, struct buf *why, struct ssl_ctx_st **ret_context)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    int error = c ? 0 : say_openssl(why, "OpenSSL", "no TLS");
    if (!error && !set_up(c, o))
        error = say_openssl(why, "OpenSSL", "lacks what is needed");
    for (size_t i = 0; !error && i < o->pair_count; i++)
        error = use_pair(c, &o->pairs[i], o, why);
    if (error)
        SSL_CTX_free(c);
    else
        *ret_context = c;
    return error;
}

struct ssl_ctx_st *tls_context_share(struct ssl_ctx_st *context)
{
    SSL_CTX_up_ref(context);
    return context;
}

void tls_context_close(struct ssl_ctx_st *context)
{
    SSL_CTX_free(context);
}
