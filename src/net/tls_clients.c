#include "net/tls_inside.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* A phone's certificate and what leads to its authority. */
#define CHAIN_BYTES_MAX ((size_t)32 * 1024)
/* RFC 5280, 4.1.2.2: 20 bytes, and a sign. */
#define SERIAL_BYTES_MAX 21
/* RFC 5280, ub-common-name. */
#define COMMON_NAME_BYTES_MAX 64

/* --- serial numbers ---------------------------------------------------------------------------------------- */

/* As people write it, `01:0A:ff`, `0x10aff` or `10AFF`, into a number. */
static bool parse_serial(struct slice text, struct buf *out)
{
    text = slice_trim(text);
    if (slice_starts_nocase(text, SLICE("0x")))
        text = slice_from(text, 2);
    for (size_t i = 0; i < text.len; i++) {
        bool leading = out->len == 0 && text.ptr[i] == '0';
        if (text.ptr[i] == ':' || leading)
            continue;
        if (byte_hex(text.ptr[i]) < 0)
            return false;
        buf_byte(out, byte_lower(text.ptr[i]));
    }
    if (out->len == 0 && text.len && text.ptr[text.len - 1] == '0')
        buf_byte(out, '0');
    return out->len && buf_ok(out);
}

static int check_serials(struct slice list, struct buf *why)
{
    struct slice part;
    while (slice_cut(&list, ',', &part)) {
        char bytes[2 * SERIAL_BYTES_MAX];
        struct buf out = BUF_ON(bytes);
        if (!parse_serial(part, &out)) {
            buf_str(why, "tls.client_revoked: '");
            buf_escaped(why, slice_trim(part));
            buf_str(why, "' is no serial number in hexadecimal");
            return -EINVAL;
        }
    }
    return 0;
}

/* Without memory everybody is. */
static bool is_revoked(const struct tls_mind *m, const X509 *certificate)
{
    struct slice list = slice_str(m->revoked), part;
    char own_bytes[2 * SERIAL_BYTES_MAX], bytes[2 * SERIAL_BYTES_MAX];
    struct buf own = BUF_ON(own_bytes);
    if (list.len == 0)
        return false;
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *text = number ? BN_bn2hex(number) : NULL;
    bool revoked = !text || !parse_serial(slice_str(text), &own);
    while (!revoked && slice_cut(&list, ',', &part)) {
        struct buf out = BUF_ON(bytes);
        revoked = parse_serial(part, &out) && slice_eq(buf_slice(&out), buf_slice(&own));
    }
    OPENSSL_free(text);
    BN_free(number);
    return revoked;
}

/* --- the verdict ------------------------------------------------------------------------------------------- */

static const struct {
    int verdict;
    const char *words;
} verdicts[] = {
    { X509_V_ERR_CERT_HAS_EXPIRED, "the peer's certificate has expired" },
    { X509_V_ERR_CERT_NOT_YET_VALID, "the peer's certificate is not valid yet: is this machine's clock right?" },
    { X509_V_ERR_CERT_REVOKED, "the peer's certificate is revoked" },
    { X509_V_ERR_INVALID_PURPOSE, "the peer's certificate is not for clients" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "the peer's certificate is by an authority that is not trusted" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "the peer's certificate is by an authority that is not trusted" },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "the peer's certificate is by an authority that is not trusted" },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "the peer's certificate is by an authority that is not trusted" },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the peer's certificate is its own authority, and not trusted" },
    { X509_V_ERR_UNABLE_TO_GET_CRL, "there is no revocation list of the peer's authority" },
    { X509_V_ERR_CRL_HAS_EXPIRED, "the revocation list of the peer's authority is out of date" },
    { X509_V_ERR_EE_KEY_TOO_SMALL, "the key of the peer's certificate is too short" },
    { X509_V_ERR_CA_KEY_TOO_SMALL, "the key of the peer's authority is too short" },
    { X509_V_ERR_CA_MD_TOO_WEAK, "the peer's certificate is signed with a digest that is too weak" },
};

const char *tls_clients_words(long verdict)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (verdicts[i].verdict == verdict)
            return verdicts[i].words;
    return X509_verify_cert_error_string(verdict);
}

static bool verify(const struct tls_mind *m, X509_STORE_CTX *about)
{
    bool good = X509_verify_cert(about) == 1;
    if (good && is_revoked(m, X509_STORE_CTX_get0_cert(about))) {
        X509_STORE_CTX_set_error(about, X509_V_ERR_CERT_REVOKED);
        good = false;
    }
    if (!good && X509_STORE_CTX_get_error(about) == X509_V_OK)
        X509_STORE_CTX_set_error(about, X509_V_ERR_UNSPECIFIED);
    return good;
}

/* OpenSSL keeps the verdict with the session, and with its ticket. */
static int on_verify(X509_STORE_CTX *about, void *context)
{
    const struct tls_mind *m = context;
    bool good = verify(m, about);
    ERR_clear_error();
    return good || m->clients == TLS_CLIENTS_OPTIONAL;
}

/* --- whom to trust ----------------------------------------------------------------------------------------- */

static int add_authorities(SSL_CTX *context, struct slice bytes, const char *file, struct buf *why)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    X509 *x;
    size_t count = 0;
    bool fine = from != NULL;
    while (fine && (x = PEM_read_bio_X509(from, NULL, tls_no_passphrase, NULL))) {
        fine = X509_STORE_add_cert(store, x) == 1 && SSL_CTX_add_client_CA(context, x) == 1;
        X509_free(x);
        count++;
    }
    BIO_free(from);
    bool whole = fine && count && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!whole)
        return tls_say_openssl(why, file, "no authorities' certificates in PEM");
    ERR_clear_error();
    return 0;
}

static int add_revocations(SSL_CTX *context, struct slice bytes, const char *file, struct buf *why)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    X509_CRL *crl;
    size_t count = 0;
    bool fine = from != NULL;
    while (fine && (crl = PEM_read_bio_X509_CRL(from, NULL, tls_no_passphrase, NULL))) {
        fine = X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
        count++;
    }
    BIO_free(from);
    bool whole = fine && count && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!whole)
        return tls_say_openssl(why, file, "no revocation lists in PEM");
    ERR_clear_error();
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return 0;
}

struct digest {
    EVP_MD_CTX *context;
    bool fine;
};

/* With its length, so that no two lists of parts look alike. */
static void digest_part(struct digest *d, struct slice part)
{
    uint64_t len = part.len;
    d->fine = d->fine && EVP_DigestUpdate(d->context, &len, sizeof len) == 1 &&
              EVP_DigestUpdate(d->context, part.ptr ? part.ptr : "", part.len) == 1;
}

typedef int add_list(SSL_CTX *context, struct slice bytes, const char *file, struct buf *why);

static int use_file(SSL_CTX *context, const char *file, add_list *add, struct digest *d, struct buf *why)
{
    char *bytes = NULL;
    size_t len = 0;
    if (!file || !file[0])
        return 0;
    ERR_clear_error();
    int error = tls_read_list(file, why, &bytes, &len);
    if (error)
        return error;
    digest_part(d, slice_str(file));
    digest_part(d, slice_of(bytes, len));
    error = add(context, slice_of(bytes, len), file, why);
    free(bytes);
    return error;
}

static int use_lists(const struct tls_options *o, SSL_CTX *context, struct digest *d, struct buf *why)
{
    if (!o->client_ca || !o->client_ca[0]) {
        buf_str(why, "tls.client_certificates wants tls.client_ca: whose certificates are good?");
        return -EINVAL;
    }
    int error = check_serials(o->client_revoked, why);
    if (!error)
        error = use_file(context, o->client_ca, add_authorities, d, why);
    if (!error)
        error = use_file(context, o->client_crl, add_revocations, d, why);
    digest_part(d, o->client_revoked);
    return error;
}

static void ask_peers(struct tls_mind *m, SSL_CTX *context)
{
    int must = m->clients == TLS_CLIENTS_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    /* Whoever names the authority that signs need not name those above it. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_set_purpose(store, X509_PURPOSE_SSL_CLIENT);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, NULL);
    SSL_CTX_set_cert_verify_callback(context, on_verify, m);
    SSL_CTX_set_max_cert_list(context, (long)CHAIN_BYTES_MAX);
}

int tls_clients_use(const struct tls_options *o, struct tls_mind *m, SSL_CTX *context, struct buf *why)
{
    struct digest d = { EVP_MD_CTX_new(), true };
    unsigned char kind[2] = { (unsigned char)o->clients, o->legacy };
    int error = 0;
    m->clients = o->clients;
    m->revoked = strndup(o->client_revoked.ptr ? o->client_revoked.ptr : "", o->client_revoked.len);
    d.fine = d.context && m->revoked && EVP_DigestInit_ex(d.context, EVP_sha256(), NULL) == 1;
    digest_part(&d, SLICE("dialtone https"));
    digest_part(&d, slice_of(kind, sizeof kind));
    if (d.fine && o->clients != TLS_CLIENTS_OFF) {
        error = use_lists(o, context, &d, why);
        ask_peers(m, context);
    }
    if (!error)
        d.fine = d.fine && EVP_DigestFinal_ex(d.context, m->trust, NULL) == 1 &&
                 SSL_CTX_set_session_id_context(context, m->trust, sizeof m->trust) == 1;
    EVP_MD_CTX_free(d.context);
    return error ? error : d.fine ? 0 : tls_say_openssl(why, "OpenSSL", "lacks what is needed");
}

/* --- a session's peer -------------------------------------------------------------------------------------- */

bool tls_clients_session_ok(SSL_SESSION *session, int64_t wall_ms)
{
    const X509 *x = SSL_SESSION_get0_peer(session);
    time_t now = (time_t)(wall_ms / 1000);
    return !x || X509_cmp_time(X509_get0_notAfter(x), &now) > 0;
}

/* One name and nothing odd in it: two readers of the certificate must not see two different ones. */
static void put_common_name(const X509 *x, struct buf *name)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *bytes = NULL;
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return;
    int len = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    struct slice text = slice_of(bytes, len > 0 ? (size_t)len : 0);
    bool fine = text.len <= COMMON_NAME_BYTES_MAX;
    for (size_t i = 0; fine && i < text.len; i++)
        fine = !byte_is_control(text.ptr[i]);
    if (fine)
        buf_text(name, text);
    OPENSSL_free(bytes);
    ERR_clear_error();
}

enum tls_peer tls_ssl_peer(const SSL *ssl, struct buf *name, const char **ret_why)
{
    const X509 *x = SSL_get0_peer_certificate(ssl);
    long verdict = SSL_get_verify_result(ssl);
    if (tls_mind_of(SSL_get_SSL_CTX(ssl))->clients == TLS_CLIENTS_OFF || !SSL_is_init_finished(ssl) || !x)
        return TLS_PEER_NONE;
    if (verdict != X509_V_OK) {
        *ret_why = tls_clients_words(verdict);
        return TLS_PEER_BAD;
    }
    put_common_name(x, name);
    return TLS_PEER_GOOD;
}

/* A resumed session brings no chain: then the list of authorities has to lead to the certificate by itself. */
bool tls_ssl_still_good(const SSL *ssl, SSL_CTX *context)
{
    const struct tls_mind *then = tls_mind_of(SSL_get_SSL_CTX(ssl)), *now = tls_mind_of(context);
    X509 *x = SSL_get0_peer_certificate(ssl);
    if (memcmp(then->trust, now->trust, sizeof now->trust) == 0)
        return true;
    if (now->clients == TLS_CLIENTS_OFF || !x || SSL_get_verify_result(ssl) != X509_V_OK)
        return now->clients != TLS_CLIENTS_REQUIRED;
    X509_STORE_CTX *about = X509_STORE_CTX_new();
    bool good = about &&
                X509_STORE_CTX_init(about, SSL_CTX_get_cert_store(context), x, SSL_get_peer_cert_chain(ssl)) == 1 &&
                X509_STORE_CTX_set_default(about, "ssl_client") == 1 && verify(now, about);
    X509_STORE_CTX_free(about);
    ERR_clear_error();
    return good;
}
