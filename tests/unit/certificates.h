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
