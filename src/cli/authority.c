#include "cli/authority.h"

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

/* --- the two kinds of certificate ------------------------------------------------------------------------- */

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
static bool sign(X509 *x, X509 *ca, EVP_PKEY *ca_key, enum authority_kind kind, const char *names)
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

int authority_sign(const struct authority_pair *ca, enum authority_kind kind, const char *common_name,
                   const char *names, unsigned days, struct arena *arena, struct authority_pair *ret_server)
{
    X509 *issuer, *x = NULL;
    EVP_PKEY *issuer_key, *key = NULL;
    int error = parse(ca, &issuer, &issuer_key) ? 0 : -EINVAL;
    if (!error) {
        key = new_key(kind);
        x = key ? blank(common_name, days, key) : NULL;
        error = x && sign(x, issuer, issuer_key, kind, names) && print(x, key, arena, ret_server) ? 0 : -ENOMEM;
    }
    X509_free(x);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(issuer_key);
    ERR_clear_error();
    return error;
}
