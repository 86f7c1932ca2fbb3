#include "net/tls_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int tls_say(struct buf *why, const char *file, const char *what, int error)
{
    buf_format(why, "%s: %s", file, what);
    return error;
}

int tls_say_openssl(struct buf *why, const char *file, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    buf_format(why, "%s: %s%s%s", file, what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return -EINVAL;
}

static int check_key(const struct stat *st, uid_t owner, const char *file, struct buf *why)
{
    if (st->st_mode & 077) {
        buf_format(why, "%s: mode %04o lets others than its owner at the private key: chmod 600", file,
                   (unsigned)st->st_mode & 07777);
        return -EPERM;
    }
    if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != owner) {
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

/* The key's file is looked at through the descriptor that it is read from. `key_owner` NULL: no key. */
static int load_file(const char *file, const uid_t *key_owner, struct buf *into, struct buf *why)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = fd < 0 || fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
    if (error)
        tls_say(why, file, error == -EINVAL ? "is no regular file" : strerror(-error), error);
    else if (key_owner)
        error = check_key(&st, *key_owner, file, why);
    if (!error) {
        error = read_all(fd, into);
        if (error)
            tls_say(why, file, strerror(-error), error);
    }
    if (fd >= 0)
        close(fd);
    return error;
}

int tls_read_list(const char *file, struct buf *why, char **ret_bytes, size_t *ret_len)
{
    char *bytes = malloc(TLS_LIST_BYTES_MAX);
    struct buf into = buf_on(bytes, TLS_LIST_BYTES_MAX);
    int error = bytes ? load_file(file, NULL, &into, why) : tls_say(why, file, strerror(ENOMEM), -ENOMEM);
    if (error) {
        free(bytes);
        return error;
    }
    *ret_bytes = bytes;
    *ret_len = into.len;
    return 0;
}

/* A daemon has nobody to ask. */
int tls_no_passphrase(char *into, int size, int writing, void *context)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static int parse_certificates(struct slice bytes, struct tls_loaded *l, const char *file, struct buf *why)
{
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    X509 *next = NULL;
    l->chain = sk_X509_new_null();
    l->certificate = from ? PEM_read_bio_X509(from, NULL, tls_no_passphrase, NULL) : NULL;
    while (l->certificate && l->chain && (next = PEM_read_bio_X509(from, NULL, tls_no_passphrase, NULL)))
        if (!sk_X509_push(l->chain, next)) {
            X509_free(next);
            break;
        }
    BIO_free(from);
    /* The end of the file is an error to the reader of PEM. */
    bool whole = l->certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!whole)
        return tls_say_openssl(why, file, "no certificate in PEM");
    ERR_clear_error();
    return 0;
}

static int parse_key(struct slice bytes, struct tls_loaded *l, const char *file, struct buf *why)
{
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    l->key = from ? PEM_read_bio_PrivateKey(from, NULL, tls_no_passphrase, NULL) : NULL;
    BIO_free(from);
    return l->key ? 0 : tls_say_openssl(why, file, "no private key in PEM without a passphrase");
}

static int load_both(const struct tls_pair *pair, uid_t key_owner, struct tls_loaded *l, struct buf *why)
{
    char *bytes = malloc(TLS_FILE_BYTES_MAX);
    struct buf into = buf_on(bytes, TLS_FILE_BYTES_MAX);
    if (!bytes)
        return tls_say(why, pair->certificate, strerror(ENOMEM), -ENOMEM);
    int error = load_file(pair->certificate, NULL, &into, why);
    if (!error)
        error = parse_certificates(buf_slice(&into), l, pair->certificate, why);
    into.len = 0;
    if (!error)
        error = load_file(pair->key, &key_owner, &into, why);
    if (!error)
        error = parse_key(buf_slice(&into), l, pair->key, why);
    OPENSSL_cleanse(bytes, TLS_FILE_BYTES_MAX);
    free(bytes);
    return error;
}

int tls_load_pair(const struct tls_pair *pair, uid_t key_owner, struct tls_loaded *l, struct buf *why)
{
    ERR_clear_error();
    int error = load_both(pair, key_owner, l, why);
    if (!error && X509_check_private_key(l->certificate, l->key) != 1)
        error = tls_say_openssl(why, pair->key, "is not the key of the certificate");
    return error;
}

bool tls_share_pair(const struct tls_loaded *from, struct tls_loaded *l)
{
    l->chain = X509_chain_up_ref(from->chain);
    if (!l->chain || X509_up_ref(from->certificate) != 1)
        return false;
    l->certificate = from->certificate;
    if (EVP_PKEY_up_ref(from->key) != 1)
        return false;
    l->key = from->key;
    return true;
}

void tls_free_pair(struct tls_loaded *l)
{
    X509_free(l->certificate);
    sk_X509_pop_free(l->chain, X509_free);
    EVP_PKEY_free(l->key);
    *l = (struct tls_loaded){ 0 };
}
