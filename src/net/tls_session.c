#include "net/tls_inside.h"

#include "base/rootdir.h"
#include "net/address.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

struct tls_session {
    SSL *ssl;
    int fd;
    bool more;                       /* what is written now is followed by more: the packet may wait for it */
    bool heard;                      /* anything at all */
    bool ended;                      /* the peer sends no more bytes */
    bool dry;                        /* what OpenSSL holds is no whole record */
    bool broken;                     /* no close_notify any more */
    uint8_t read_event, write_event; /* what the last read and the last write want to wait for */
    int error;                       /* of the last system call */
    const char *fault;
};

/* --- the BIO: recv and send ------------------------------------------------------------------------------ */

static int on_bio_read(BIO *bio, char *into, int len)
{
    struct tls_session *t = BIO_get_data(bio);
    ssize_t n;
    do
        n = recv(t->fd, into, (size_t)len, 0);
    while (n < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    t->heard = t->heard || n > 0;
    t->ended = n == 0;
    t->error = n < 0 ? errno : 0;
    return (int)n;
}

static int on_bio_write(BIO *bio, const char *bytes, int len)
{
    struct tls_session *t = BIO_get_data(bio);
    ssize_t n;
    do
        n = send(t->fd, bytes, (size_t)len, MSG_NOSIGNAL | (t->more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    t->error = n < 0 ? errno : 0;
    return (int)n;
}

static long on_bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls_session *t = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return t->ended;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;

static void make_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dialtone socket");
    if (bio_method) {
        BIO_meth_set_read(bio_method, on_bio_read);
        BIO_meth_set_write(bio_method, on_bio_write);
        BIO_meth_set_ctrl(bio_method, on_bio_control);
    }
}

static BIO *new_bio(struct tls_session *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    BIO *bio = bio_method ? BIO_new(bio_method) : NULL;
    if (bio) {
        BIO_set_data(bio, t);
        BIO_set_init(bio, 1);
    }
    return bio;
}

int tls_session_open(struct ssl_ctx_st *context, int fd, struct tls_session **ret_session)
{
    struct tls_session *t = calloc(1, sizeof *t);
    BIO *bio = t ? new_bio(t) : NULL;
    if (bio)
        t->ssl = SSL_new(context);
    if (!t || !t->ssl) {
        BIO_free(bio);
        free(t);
        ERR_clear_error();
        return -ENOMEM;
    }
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_accept_state(t->ssl);
    t->fd = fd;
    t->read_event = UV_READABLE;
    t->write_event = UV_WRITABLE;
    *ret_session = t;
    return 0;
}

bool tls_session_connect(struct tls_session *t, struct slice host)
{
    char name[256];
    struct buf text = BUF_ON(name);
    union address numeric;
    buf_text(&text, host);
    if (!host.len || !buf_terminate(&text))
        return false;
    SSL_set_connect_state(t->ssl);
    if (address_parse(host, 0, &numeric))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), name) == 1;
    return SSL_set_tlsext_host_name(t->ssl, name) == 1 && SSL_set1_host(t->ssl, name) == 1;
}

void tls_session_set_purpose(struct tls_session *t, enum tls_purpose purpose)
{
    static const struct slice alpn = { "\x03" "ftp", 4 };
    if (purpose == TLS_HTTP)
        return;
    SSL_set_app_data(t->ssl, (void *)(uintptr_t)&alpn);
    /* Neither a ticket of HTTPS nor one from when others were trusted is good here. */
    unsigned char trust[sizeof(((struct tls_mind *)NULL)->trust)];
    memcpy(trust, tls_mind_of(SSL_get_SSL_CTX(t->ssl))->trust, sizeof trust);
    trust[0] ^= 'f';
    SSL_set_session_id_context(t->ssl, trust, sizeof trust);
    if (purpose == TLS_FTP_DATA) {
        SSL_set_num_tickets(t->ssl, 0);
        SSL_clear_options(t->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
}

struct slice tls_session_alpn(const SSL *ssl)
{
    const struct slice *alpn = SSL_get_app_data(ssl);
    return alpn ? *alpn : SLICE("\x08http/1.1");
}

void tls_session_close(struct tls_session *t)
{
    SSL_free(t->ssl);
    free(t);
}

/* --- what went wrong -------------------------------------------------------------------------------------- */

/* What an operator can use; anything else is OpenSSL's own text. */
static const struct {
    int reason;
    const char *text;
} faults[] = {
    { SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the peer does not trust the certificate: is the CA imported there?" },
    { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer does not accept the certificate" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer does not accept the certificate" },
    { SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "the peer does not know this kind of certificate" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
      "the peer takes the certificate for expired: is its clock right?" },
    { SSL_R_UNSUPPORTED_PROTOCOL, "the peer speaks only older versions of TLS" },
    { SSL_R_VERSION_TOO_LOW, "the peer speaks only older versions of TLS" },
    { SSL_R_NO_SHARED_CIPHER, "the peer speaks only older cipher suites" },
    { SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS" },
    { SSL_R_HTTP_REQUEST, "plain HTTP on the port of HTTPS" },
    { SSL_R_CALLBACK_FAILED, "the peer names another server: is it in tls.server_names?" },
    { SSL_R_NO_APPLICATION_PROTOCOL, "the peer wants another protocol than HTTP/1.1" },
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer has no certificate, and one is required" },
};

static const char *words_of(unsigned long error)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == faults[i].reason)
            return faults[i].text;
    const char *text = ERR_reason_error_string(error);
    return text ? text : "TLS failed";
}

static ssize_t break_off(struct tls_session *t)
{
    unsigned long error = ERR_peek_error();
    bool unverified = ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    t->broken = true;
    t->fault = unverified ? tls_clients_words(SSL_get_verify_result(t->ssl)) : words_of(error);
    ERR_clear_error();
    return ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST ? -EPROTOTYPE : -EPROTO;
}

/* The stream broke or ended below TLS. */
static ssize_t lose(struct tls_session *t)
{
    t->broken = true;
    if (t->heard && !SSL_is_init_finished(t->ssl))
        t->fault = "the peer went away within the TLS handshake";
    ERR_clear_error();
    return t->error ? -t->error : 0;
}

/* Of a call that gave no bytes. */
static ssize_t judge(struct tls_session *t, int result, uint8_t *event)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *event = UV_READABLE;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        *event = UV_WRITABLE;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return t->ended ? lose(t) : 0;
    case SSL_ERROR_SYSCALL:
        return lose(t);
    default:
        return break_off(t);
    }
}

const char *tls_session_fault(const struct tls_session *t)
{
    return t->fault;
}

enum tls_peer tls_session_peer(const struct tls_session *t, struct buf *name, const char **ret_why)
{
    return tls_ssl_peer(t->ssl, name, ret_why);
}

bool tls_session_still_good(const struct tls_session *t, struct ssl_ctx_st *context)
{
    return tls_ssl_still_good(t->ssl, context);
}

/* --- reading and writing ---------------------------------------------------------------------------------- */

ssize_t tls_session_read(struct tls_session *t, void *into, size_t len)
{
    size_t n = 0;
    if (t->broken)
        return -ECONNRESET;
    ERR_clear_error();
    t->more = false;
    int result = SSL_read_ex(t->ssl, into, len, &n);
    t->dry = result != 1;
    return result == 1 ? (ssize_t)n : judge(t, result, &t->read_event);
}

int tls_session_settle(struct tls_session *t)
{
    if (t->broken)
        return -EPIPE;
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    if (result == 1) {
        t->read_event = UV_READABLE;
        t->write_event = UV_WRITABLE;
        return 0;
    }
    ssize_t error = judge(t, result, &t->write_event);
    return error ? (int)error : -EPIPE;
}

static ssize_t write_record(struct tls_session *t, const void *bytes, size_t len, bool more)
{
    size_t n = 0;
    ERR_clear_error();
    t->more = more;
    int result = SSL_write_ex(t->ssl, bytes, len, &n);
    t->more = false;
    if (result == 1)
        return (ssize_t)n;
    ssize_t error = judge(t, result, &t->write_event);
    return error ? error : -EPIPE;
}

/* The record that holds the end of `first` begins with it and goes on with `second`: one packet for a small
 * answer. Returns the record's bytes. */
static struct slice next_record(struct slice first, struct slice second, char *joined)
{
    if (first.len == 0 || second.len == 0 || first.len >= TLS_RECORD_BYTES)
        return slice_first(first.len ? first : second, TLS_RECORD_BYTES);
    struct slice tail = slice_first(second, TLS_RECORD_BYTES - first.len);
    memcpy(joined, first.ptr, first.len);
    memcpy(joined + first.len, tail.ptr, tail.len);
    return slice_of(joined, first.len + tail.len);
}

ssize_t tls_session_write(struct tls_session *t, struct slice first, struct slice second, bool more)
{
    char joined[TLS_RECORD_BYTES];
    size_t total = first.len + second.len, done = 0;
    if (t->broken)
        return -EPIPE;
    while (done < total) {
        struct slice record = next_record(first, second, joined);
        ssize_t n = write_record(t, record.ptr, record.len, more || done + record.len < total);
        if (n < 0)
            return done && n == -EAGAIN ? (ssize_t)done : n;
        size_t of_first = (size_t)n < first.len ? (size_t)n : first.len;
        first = slice_from(first, of_first);
        second = slice_from(second, (size_t)n - of_first);
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t tls_session_send_file(struct tls_session *t, int file, uint64_t offset, size_t len)
{
    char bytes[TLS_RECORD_BYTES];
    if (t->broken)
        return -EPIPE;
    ssize_t n = rootdir_read_at(file, offset, bytes, len < sizeof bytes ? len : sizeof bytes);
    /* Records that follow at once fill the packet. */
    return n <= 0 ? n : write_record(t, bytes, (size_t)n, (size_t)n < len);
}

void tls_session_end(struct tls_session *t)
{
    if (t->broken || !SSL_is_init_finished(t->ssl) || SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN)
        return;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
}

int tls_session_events(const struct tls_session *t, int event)
{
    if (event == UV_WRITABLE)
        return t->write_event;
    if (event == UV_READABLE && !t->dry && SSL_has_pending(t->ssl))
        return UV_READABLE | UV_WRITABLE; /* a socket can nearly always be written to */
    return event ? t->read_event : 0;
}
