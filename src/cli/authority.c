#include "cli/authority.h"

#include "base/buf.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>

#define SERIAL_BYTES 16

static EVP_PKEY *new_key(enum authority_kind kind)
{
    return kind == AUTHORITY_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static bool set_serial(X509 *x)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of one length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    return ok;
}

static bool set_subject(X509 *x, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x);
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"dialtone", -1, -1, 0) ==
               1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1,
                                      0) == 1;
}

static X509 *blank(const char *common_name, unsigned days, EVP_PKEY *key)
{
    X509 *x = X509_new();
    if (x && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_subject(x, common_name) &&
        ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "20000101000000Z") == 1 &&
        X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, NULL) && X509_set_pubkey(x, key) == 1)
        return x;
    X509_free(x);
    return NULL;
}

struct extension {
    int nid;
    const char *value;
};

static bool add_extensions(X509 *x, X509 *issuer, const struct extension *list, size_t count)
{
    X509V3_CTX context;
    bool ok = true;
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    for (size_t i = 0; ok && i < count; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, list[i].nid, list[i].value);
        ok = e && X509_add_ext(x, e, -1) == 1;
        X509_EXTENSION_free(e);
    }
    return ok;
}

/* --- PEM -------------------------------------------------------------------------------------------------- */

static bool take(BIO *from, struct arena *arena, struct slice *ret_text)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(from, &bytes);
    return len > 0 && arena_copy(arena, slice_of(bytes, (size_t)len), ret_text);
}

static bool print(X509 *x, EVP_PKEY *key, struct arena *arena, struct authority_pair *ret_pair)
{
    BIO *certificate = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
    bool ok = certificate && secret && PEM_write_bio_X509(certificate, x) == 1 &&
              PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              take(certificate, arena, &ret_pair->certificate) && take(secret, arena, &ret_pair->key);
    BIO_free(certificate);
    BIO_free(secret);
    return ok;
}

static int no_passphrase(char *into, int size, int writing, void *context)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static bool parse(const struct authority_pair *pair, X509 **ret_x, EVP_PKEY **ret_key)
{
    BIO *certificate = BIO_new_mem_buf(pair->certificate.ptr, (int)pair->certificate.len);
    BIO *secret = BIO_new_mem_buf(pair->key.ptr, (int)pair->key.len);
    *ret_x = certificate ? PEM_read_bio_X509(certificate, NULL, no_passphrase, NULL) : NULL;
    *ret_key = secret ? PEM_read_bio_PrivateKey(secret, NULL, no_passphrase, NULL) : NULL;
    BIO_free(certificate);
    BIO_free(secret);
    return *ret_x && *ret_key && X509_check_private_key(*ret_x, *ret_key) == 1 && X509_check_ca(*ret_x) == 1;
}

/* --- certificates ------------------------------------------------------------------------- */

int authority_new(const char *name, struct arena *arena, struct authority_pair *ret_ca)
{
    static const struct extension extensions[] = {
        { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
        { NID_key_usage, "critical,keyCertSign,cRLSign" },
        { NID_subject_key_identifier, "hash" },
    };
    EVP_PKEY *key = new_key(AUTHORITY_RSA_2048);
    X509 *x = key ? blank(name, AUTHORITY_CA_DAYS, key) : NULL;
    bool ok = x && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
              add_extensions(x, x, extensions, sizeof extensions / sizeof *extensions) &&
              X509_sign(x, key, EVP_sha256()) > 0 && print(x, key, arena, ret_ca);
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? 0 : -ENOMEM;
}

/* RFC 5280, 4.2.1: RSA without a forward-secret exchange is never used here, but older phones look for the
 * usage of one. */
static bool sign_server(X509 *x, X509 *ca, EVP_PKEY *ca_key, enum authority_kind kind, const char *names)
{
    const struct extension extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, kind == AUTHORITY_RSA_2048 ? "critical,digitalSignature,keyEncipherment"
                                                    : "critical,digitalSignature" },
        { NID_ext_key_usage, "serverAuth" },
        { NID_subject_alt_name, names },
        { NID_subject_key_identifier, "hash" },
        { NID_authority_key_identifier, "keyid" },
    };
    return X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 &&
           add_extensions(x, ca, extensions, sizeof extensions / sizeof *extensions) &&
           X509_sign(x, ca_key, EVP_sha256()) > 0;
}

static bool sign_device(X509 *x, X509 *ca, EVP_PKEY *ca_key, enum authority_kind kind, const char *names)
{
    static const struct extension extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature" },
        { NID_ext_key_usage, "clientAuth" },
        { NID_subject_key_identifier, "hash" },
        { NID_authority_key_identifier, "keyid" },
    };
    (void)kind;
    (void)names;
    return X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 &&
           add_extensions(x, ca, extensions, sizeof extensions / sizeof *extensions) &&
           X509_sign(x, ca_key, EVP_sha256()) > 0;
}

typedef bool sign_kind(X509 *x, X509 *ca, EVP_PKEY *ca_key, enum authority_kind kind, const char *names);

static int sign_pair(const struct authority_pair *ca, sign_kind *sign, enum authority_kind kind,
                     const char *common_name, const char *names, unsigned days, struct arena *arena,
                     struct authority_pair *ret_pair)
{
    X509 *issuer, *x = NULL;
    EVP_PKEY *issuer_key, *key = NULL;
    int error = parse(ca, &issuer, &issuer_key) ? 0 : -EINVAL;
    if (!error) {
        key = new_key(kind);
        x = key ? blank(common_name, days, key) : NULL;
        error = x && sign(x, issuer, issuer_key, kind, names) && print(x, key, arena, ret_pair) ? 0 : -ENOMEM;
    }
    X509_free(x);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(issuer_key);
    ERR_clear_error();
    return error;
}

int authority_sign(const struct authority_pair *ca, enum authority_kind kind, const char *common_name,
                   const char *names, unsigned days, struct arena *arena, struct authority_pair *ret_server)
{
    return sign_pair(ca, sign_server, kind, common_name, names, days, arena, ret_server);
}

int authority_sign_device(const struct authority_pair *ca, const char *common_name, unsigned days,
                          struct arena *arena, struct authority_pair *ret_device)
{
    return sign_pair(ca, sign_device, AUTHORITY_ECDSA_P256, common_name, NULL, days, arena, ret_device);
}

/* --- taking back ------------------------------------------------------------------------------------------ */

int authority_serial(struct slice certificate, struct arena *arena, struct slice *ret_serial)
{
    BIO *from = BIO_new_mem_buf(certificate.ptr, (int)certificate.len);
    X509 *x = from ? PEM_read_bio_X509(from, NULL, no_passphrase, NULL) : NULL;
    BIGNUM *number = x ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL) : NULL;
    char *text = number ? BN_bn2hex(number) : NULL;
    int error = !x ? -EINVAL : text && arena_copy(arena, slice_str(text), ret_serial) ? 0 : -ENOMEM;
    OPENSSL_free(text);
    BN_free(number);
    X509_free(x);
    BIO_free(from);
    ERR_clear_error();
    return error;
}

static bool add_revoked(X509_CRL *list, struct slice serial)
{
    char hex[2 * SERIAL_BYTES + 16];
    BIGNUM *number = NULL;
    X509_REVOKED *r = X509_REVOKED_new(), *there = NULL;
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    struct buf out = BUF_ON(hex);
    buf_text(&out, serial);
    ASN1_INTEGER *n = buf_terminate(&out) && BN_hex2bn(&number, hex) ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    bool ok = r && now && n;
    if (ok && X509_CRL_get0_by_serial(list, &there, n) == 0) {
        ok = X509_REVOKED_set_serialNumber(r, n) == 1 && X509_REVOKED_set_revocationDate(r, now) == 1 &&
             X509_CRL_add0_revoked(list, r) == 1;
        r = ok ? NULL : r;
    }
    X509_REVOKED_free(r);
    ASN1_TIME_free(now);
    ASN1_INTEGER_free(n);
    BN_free(number);
    return ok;
}

/* RFC 5280, 5.2.3: each list has a higher number than the one before; seconds do. */
static bool number_list(X509_CRL *list)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number && ASN1_INTEGER_set_int64(number, (int64_t)time(NULL)) == 1 &&
              X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, X509V3_ADD_REPLACE) == 1;
    ASN1_INTEGER_free(number);
    return ok;
}

static bool date_list(X509_CRL *list, const X509 *ca)
{
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    bool ok = now && X509_CRL_set1_lastUpdate(list, now) == 1 &&
              X509_CRL_set1_nextUpdate(list, X509_get0_notAfter(ca)) == 1;
    ASN1_TIME_free(now);
    return ok;
}

static X509_CRL *open_list(struct slice old, const X509 *ca)
{
    X509_CRL *list = NULL;
    if (old.len) {
        BIO *from = BIO_new_mem_buf(old.ptr, (int)old.len);
        list = from ? PEM_read_bio_X509_CRL(from, NULL, no_passphrase, NULL) : NULL;
        BIO_free(from);
        return list;
    }
    list = X509_CRL_new();
    if (list && X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
        X509_CRL_set_issuer_name(list, X509_get_subject_name(ca)) == 1)
        return list;
    X509_CRL_free(list);
    return NULL;
}

static bool print_list(X509_CRL *list, struct arena *arena, struct slice *ret_list)
{
    BIO *to = BIO_new(BIO_s_mem());
    bool ok = to && PEM_write_bio_X509_CRL(to, list) == 1 && take(to, arena, ret_list);
    BIO_free(to);
    return ok;
}

int authority_revoke(const struct authority_pair *ca, struct slice old, struct slice serials, struct arena *arena,
                     struct slice *ret_list)
{
    X509 *issuer;
    EVP_PKEY *key;
    struct slice serial;
    X509_CRL *list = parse(ca, &issuer, &key) ? open_list(old, issuer) : NULL;
    bool ok = list && date_list(list, issuer) && number_list(list);
    int error = list ? -ENOMEM : -EINVAL;
    while (ok && slice_cut(&serials, ',', &serial))
        ok = add_revoked(list, slice_trim(serial));
    ok = ok && X509_CRL_sort(list) == 1 && X509_CRL_sign(list, key, EVP_sha256()) > 0 &&
         print_list(list, arena, ret_list);
    X509_CRL_free(list);
    X509_free(issuer);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? 0 : error;
}
