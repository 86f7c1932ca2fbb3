#include "phone/trust.h"

#include "phone/flash.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* facts.md 5.8: 5 MB. */
#define FILE_BYTES_MAX ((size_t)5 * 1024 * 1024)
#define KEPT_BYTES_MAX ((size_t)TRUST_IMPORTED_MAX * FILE_BYTES_MAX)
#define IMPORTED "static.trusted_certificates.url"

struct trust {
    STACK_OF(X509) * trusted;
    X509 *device;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

/* --- files --------------------------------------------------------------------------------------------------- */

static int no_passphrase(char *into, int size, int writing, void *context)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

/* PEM with any number of them, or one in DER. False: none. */
static bool parse_all(struct slice bytes, STACK_OF(X509) * into)
{
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    int before = sk_X509_num(into);
    X509 *x;
    while (from && (x = PEM_read_bio_X509(from, NULL, no_passphrase, NULL)))
        if (!sk_X509_push(into, x))
            X509_free(x);
    BIO_free(from);
    if (sk_X509_num(into) == before && (x = d2i_X509(NULL, &at, (long)bytes.len)) && !sk_X509_push(into, x))
        X509_free(x);
    ERR_clear_error();
    return sk_X509_num(into) > before;
}

static int read_file(const char *path, struct arena *arena, struct buf *why, struct slice *ret_bytes)
{
    char *bytes = arena_alloc(arena, FILE_BYTES_MAX);
    FILE *file = bytes ? fopen(path, "re") : NULL;
    size_t len = file ? fread(bytes, 1, FILE_BYTES_MAX, file) : 0;
    int error = !bytes ? ENOMEM : !file || ferror(file) ? errno : len == FILE_BYTES_MAX ? EFBIG : 0;
    if (file)
        fclose(file);
    if (error) {
        buf_format(why, "%s: %s", path, strerror(error));
        return -error;
    }
    *ret_bytes = slice_of(bytes, len);
    return 0;
}

static int load_certificates(const char *path, STACK_OF(X509) * into, struct arena *arena, struct buf *why)
{
    struct slice bytes;
    int error = read_file(path, arena, why, &bytes);
    if (error)
        return error;
    if (parse_all(bytes, into))
        return 0;
    buf_format(why, "%s: no certificate in PEM or DER", path);
    return -EINVAL;
}

static int load_key(const char *path, struct trust *t, struct arena *arena, struct buf *why)
{
    struct slice bytes;
    int error = read_file(path, arena, why, &bytes);
    if (error)
        return error;
    BIO *from = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    t->key = from ? PEM_read_bio_PrivateKey(from, NULL, no_passphrase, NULL) : NULL;
    BIO_free(from);
    OPENSSL_cleanse((char *)(uintptr_t)bytes.ptr, bytes.len);
    bool fits = t->key && X509_check_private_key(t->device, t->key) == 1;
    ERR_clear_error();
    if (fits)
        return 0;
    buf_format(why, "%s: %s", path,
               t->key ? "is not the key of the certificate" : "no private key without a passphrase");
    return -EINVAL;
}

static int load_device(const struct trust_files *files, struct trust *t, struct arena *arena, struct buf *why)
{
    int error = load_certificates(files->device_certificate, t->chain, arena, why);
    if (!error)
        t->device = sk_X509_shift(t->chain);
    return error ? error : load_key(files->device_key, t, arena, why);
}

int trust_open(const struct trust_files *files, struct buf *why, struct trust **ret_trust)
{
    struct trust *t = calloc(1, sizeof *t);
    struct arena arena;
    int error = 0;
    arena_init(&arena, 4 * FILE_BYTES_MAX);
    if (t) {
        t->trusted = sk_X509_new_null();
        t->chain = sk_X509_new_null();
    }
    if (!t || !t->trusted || !t->chain)
        error = -ENOMEM;
    if (!error && files->trusted)
        error = load_certificates(files->trusted, t->trusted, &arena, why);
    if (!error && files->device_certificate)
        error = load_device(files, t, &arena, why);
    arena_free(&arena);
    if (error)
        trust_close(t);
    else
        *ret_trust = t;
    return error;
}

void trust_close(struct trust *t)
{
    if (!t)
        return;
    sk_X509_pop_free(t->trusted, X509_free);
    sk_X509_pop_free(t->chain, X509_free);
    X509_free(t->device);
    EVP_PKEY_free(t->key);
    free(t);
}

/* --- settings ------------------------------------------------------------------------------------------------ */

/* '0', '1' or '2'; `otherwise` when it says nothing. */
static char value_of(const struct settings *s, const char *name, char otherwise)
{
    char bytes[96];
    static const char *const prefixes[] = { "static.security.auto_provision.", "static.security." };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        struct buf key = BUF_ON(bytes);
        buf_str(&key, prefixes[i]);
        buf_str(&key, name);
        struct slice value = settings_value(s, buf_slice(&key));
        if (value.len == 1 && value.ptr[0] >= '0' && value.ptr[0] <= '2')
            return value.ptr[0];
    }
    return otherwise;
}

void trust_demand(const struct settings *s, const struct flash *flash, struct transport_request *r)
{
    char list = value_of(s, "ca_cert", '2');
    r->verify_peer = value_of(s, "trust_certificates", '1') != '0';
    r->verify_host = value_of(s, "cn_validation", '0') == '1';
    r->only_imported = list == '1';
    r->no_imported = list == '0';
    r->custom_device = value_of(s, "dev_cert", '0') == '1';
    r->flash = flash;
}

/* --- one connection ------------------------------------------------------------------------------------------ */

static int verdict_index = -1;

static void make_index(void)
{
    verdict_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* The common name, or else whatever the name has. */
static void put_name(X509_NAME *from, char *into, size_t cap)
{
    char text[256] = "";
    struct buf out = buf_on(into, cap);
    if (X509_NAME_get_text_by_NID(from, NID_commonName, text, sizeof text) <= 0)
        X509_NAME_oneline(from, text, sizeof text);
    buf_escaped(&out, slice_first(slice_str(text), 31));
    buf_terminate(&out);
}

static int on_verify(int good, X509_STORE_CTX *about)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(about, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct trust_verdict *v = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), verdict_index);
    X509 *x = X509_STORE_CTX_get_current_cert(about), *leaf = X509_STORE_CTX_get0_cert(about);
    if (leaf && !v->seen)
        put_name(X509_get_subject_name(leaf), v->name, sizeof v->name);
    v->seen = true;
    if (!good && !v->error) {
        v->error = X509_STORE_CTX_get_error(about);
        if (x) {
            put_name(X509_get_subject_name(x), v->culprit, sizeof v->culprit);
            put_name(X509_get_issuer_name(x), v->authority, sizeof v->authority);
        }
    }
    return good;
}

struct adding {
    X509_STORE *store;
    int count;
};

static bool add_kept(void *context, struct slice name, struct slice bytes)
{
    struct adding *a = context;
    STACK_OF(X509) *list = sk_X509_new_null();
    (void)name;
    if (list && parse_all(bytes, list))
        for (int i = 0; i < sk_X509_num(list); i++)
            X509_STORE_add_cert(a->store, sk_X509_value(list, i));
    sk_X509_pop_free(list, X509_free);
    return ++a->count < TRUST_IMPORTED_MAX;
}

static void add_imported(const struct trust *t, const struct transport_request *r, X509_STORE *store)
{
    struct adding adding = { store, 0 };
    struct arena arena;
    for (int i = 0; t && i < sk_X509_num(t->trusted); i++)
        X509_STORE_add_cert(store, sk_X509_value(t->trusted, i));
    if (!r->flash)
        return;
    arena_init(&arena, KEPT_BYTES_MAX);
    flash_each(r->flash, SLICE(IMPORTED), &arena, add_kept, &adding);
    arena_free(&arena);
}

static bool show_device(const struct trust *t, SSL_CTX *context)
{
    bool fine = SSL_CTX_use_certificate(context, t->device) == 1 && SSL_CTX_use_PrivateKey(context, t->key) == 1;
    for (int i = 0; fine && i < sk_X509_num(t->chain); i++)
        fine = SSL_CTX_add1_chain_cert(context, sk_X509_value(t->chain, i)) == 1;
    return fine;
}

bool trust_apply(const struct trust *t, const struct transport_request *r, SSL_CTX *context,
                 struct trust_verdict *verdict)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    pthread_once(&once, make_index);
    if (r->verify_peer && !r->no_imported)
        add_imported(t, r, store);
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    bool fine = verdict_index >= 0 && SSL_CTX_set_ex_data(context, verdict_index, verdict) == 1;
    if (fine)
        SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_verify);
    if (fine && t && t->device && !r->custom_device)
        fine = show_device(t, context);
    ERR_clear_error();
    return fine;
}

/* --- words --------------------------------------------------------------------------------------------------- */

#define IMPORT " at Security > Trusted Certificates"

static const struct {
    int error;
    const char *words; /* behind the certificate's name */
    bool authority;    /* whose certificate it is that the phone lacks */
} failures[] = {
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is not in the phone's trusted certificates list", false },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "is not in the phone's trusted certificates list", false },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is by", true },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "is by", true },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "is by", true },
    { X509_V_ERR_CERT_HAS_EXPIRED, "has expired", false },
    { X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet: is the phone's time right?", false },
    { X509_V_ERR_INVALID_PURPOSE, "is not for servers", false },
    { X509_V_ERR_EE_KEY_TOO_SMALL, "has too short a key", false },
    { X509_V_ERR_CA_KEY_TOO_SMALL, "has too short a key", false },
    { X509_V_ERR_CA_MD_TOO_WEAK, "is signed with a digest that is too weak", false },
};

static bool is_a_matter_of_import(int error)
{
    for (size_t i = 0; i < 5; i++)
        if (failures[i].error == error)
            return true;
    return false;
}

static void put_reason(const struct trust_verdict *v, struct buf *why)
{
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].error != v->error)
            continue;
        buf_str(why, failures[i].words);
        if (failures[i].authority)
            buf_format(why, " '%s', which is not in the phone's trusted certificates list", v->authority);
        return;
    }
    buf_str(why, X509_verify_cert_error_string(v->error));
}

void trust_explain(const struct trust_verdict *v, struct buf *why)
{
    if (!v->error)
        return;
    buf_format(why, "the server's certificate is not trusted: '%s' ", v->culprit);
    put_reason(v, why);
    if (is_a_matter_of_import(v->error))
        buf_str(why, ": import it" IMPORT " > Import Trusted Certificates, or switch off Only Accept Trusted"
                     " Certificates there");
}
