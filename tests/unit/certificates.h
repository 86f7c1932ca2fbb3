/* Self-signed certificates as PEM files, for tests of TLS: in a directory of their own below /tmp. */
#ifndef DIALTONE_TESTS_CERTIFICATES_H
#define DIALTONE_TESTS_CERTIFICATES_H

#include "tests/unit/test.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct certificates {
    char dir[64];
    char ecdsa[96], ecdsa_key[96], rsa[96], rsa_key[96];
};

static inline void certificate_make(EVP_PKEY *key, const char *certificate, const char *key_file)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    assert_non_null(key);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    FILE *to = fopen(certificate, "w");
    assert_true(to && PEM_write_X509(to, x) == 1 && fclose(to) == 0);
    to = fopen(key_file, "w");
    assert_true(to && fchmod(fileno(to), 0600) == 0 &&
                PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(to) == 0);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* An authority's files, and those of peers that it signs. */
struct test_authority {
    X509 *x;
    EVP_PKEY *key;
    char file[96], crl[96];
};

/* What differs from a good peer. */
struct test_peer {
    const char *common_name, *second_name; /* NULL: none */
    long serial;
    const char *usage;   /* extended key usage; NULL: clientAuth */
    int from_s, until_s; /* of its validity, from now; 0: yesterday and tomorrow */
    bool authority;      /* may sign others */
};

static inline void certificate_extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static inline X509 *test_certificate(const struct test_authority *by, const struct test_peer *peer, EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    const char *const names[] = { peer->common_name, peer->second_name };
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), peer->serial);
    X509_gmtime_adj(X509_getm_notBefore(x), peer->from_s ? peer->from_s : -86400);
    X509_gmtime_adj(X509_getm_notAfter(x), peer->until_s ? peer->until_s : 86400);
    for (size_t i = 0; i < 2; i++)
        if (names[i])
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)names[i], -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"tests", -1, -1, 0);
    X509_set_pubkey(x, key);
    X509_set_issuer_name(x, by ? X509_get_subject_name(by->x) : name);
    certificate_extend(x, by ? by->x : x, NID_basic_constraints, peer->authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!peer->authority)
        certificate_extend(x, by->x, NID_ext_key_usage, peer->usage ? peer->usage : "clientAuth");
    assert_true(X509_sign(x, by ? by->key : key, EVP_sha256()) > 0);
    return x;
}

static inline void test_write(const char *file, X509 *x)
{
    FILE *to = fopen(file, "w");
    assert_true(to && PEM_write_X509(to, x) == 1 && fclose(to) == 0);
}

static inline void test_authority_make(struct test_authority *a, const char *dir, const char *name)
{
    const struct test_peer self = { .common_name = name, .serial = 1, .authority = true };
    snprintf(a->file, sizeof a->file, "%s/%s.pem", dir, name);
    snprintf(a->crl, sizeof a->crl, "%s/%s.crl", dir, name);
    a->key = EVP_EC_gen("P-256");
    a->x = test_certificate(NULL, &self, a->key);
    test_write(a->file, a->x);
}

/* A revocation list of this one serial number (0: of none), good for `until_s` from now. */
static inline void test_authority_revoke(struct test_authority *a, long serial, int until_s)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = X509_gmtime_adj(NULL, -7200), *until = X509_gmtime_adj(NULL, until_s);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->x));
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, until);
    if (serial) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_INTEGER_set(number, serial);
        X509_REVOKED_set_serialNumber(r, number);
        X509_REVOKED_set_revocationDate(r, from);
        X509_CRL_add0_revoked(crl, r);
        ASN1_INTEGER_free(number);
    }
    assert_true(X509_CRL_sign(crl, a->key, EVP_sha256()) > 0);
    FILE *to = fopen(a->crl, "w");
    assert_true(to && PEM_write_X509_CRL(to, crl) == 1 && fclose(to) == 0);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    X509_CRL_free(crl);
}

static inline void test_authority_remove(struct test_authority *a)
{
    unlink(a->file);
    unlink(a->crl);
    X509_free(a->x);
    EVP_PKEY_free(a->key);
}

static inline void certificates_make(struct certificates *c)
{
    snprintf(c->dir, sizeof c->dir, "/tmp/dialtone-tls-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    snprintf(c->ecdsa, sizeof c->ecdsa, "%s/ecdsa.pem", c->dir);
    snprintf(c->ecdsa_key, sizeof c->ecdsa_key, "%s/ecdsa.key", c->dir);
    snprintf(c->rsa, sizeof c->rsa, "%s/rsa.pem", c->dir);
    snprintf(c->rsa_key, sizeof c->rsa_key, "%s/rsa.key", c->dir);
    certificate_make(EVP_EC_gen("P-256"), c->ecdsa, c->ecdsa_key);
    certificate_make(EVP_RSA_gen(2048), c->rsa, c->rsa_key);
}

static inline void certificates_remove(struct certificates *c)
{
    unlink(c->ecdsa);
    unlink(c->ecdsa_key);
    unlink(c->rsa);
    unlink(c->rsa_key);
    rmdir(c->dir);
}

#endif
