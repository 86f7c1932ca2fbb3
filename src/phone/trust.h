/* Whose certificates a phone accepts, and which one it shows itself (guide, "Why does the IP phone fail to authenticate
 * the provisioning server"; facts.md 5.8, 6.2).
 *
 *   static.security.trust_certificates  1: only accept trusted certificates; 0: any
 *   static.security.ca_cert             trusted are 0: the default ones, 1: the imported ones, 2: both
 *   static.security.cn_validation       1: the certificate's name has to be the server's
 *   static.security.dev_cert            0: the phone shows the certificate that it was made with; 1: a custom one
 *
 * Each also as static.security.auto_provision.NAME, which goes before. Default certificates are this machine's, or what
 * SSL_CERT_FILE names. Imported ones are what static.trusted_certificates.url brought (at most TRUST_IMPORTED_MAX, in
 * flash) and --trusted. An imported certificate is trusted as it stands: it need not be an authority's, nor bring the
 * ones above it. The certificate that a phone was made with is --device-cert; custom ones there are none of. */
#ifndef DIALTONE_PHONE_TRUST_H
#define DIALTONE_PHONE_TRUST_H

#include "phone/transport.h"

struct ssl_ctx_st;

/* facts.md 5.8. */
#define TRUST_IMPORTED_MAX 10

/* What comes from outside of the phone's settings; phones of one process may share it. */
struct trust;
struct trust_files {
    const char *trusted;                        /* PEM or DER, one or several; NULL: none */
    const char *device_certificate, *device_key; /* PEM; both or none */
};
/* 0, or a negative errno and in `why` one line that names the file. */
int trust_open(const struct trust_files *files, struct buf *why, struct trust **ret_trust);
/* NULL is none. */
void trust_close(struct trust *t);

/* What the settings say, into a request. `flash` outlives the request. */
void trust_demand(const struct settings *settings, const struct flash *flash, struct transport_request *r);

/* What the handshake saw of the server's certificate. */
struct trust_verdict {
    bool seen;
    int error;          /* of the first that is not good, X509_V_ERR_*; 0: all are */
    char name[128];     /* of the server's certificate; printable */
    char culprit[128];  /* of the one that is not good */
    char authority[128]; /* who signed that one */
};

/* For one connection's context, before its handshake: the lists, the phone's own certificate, and a watch that
 * fills the verdict, which has to live as long. `t` may be NULL. False: no memory. */
bool trust_apply(const struct trust *t, const struct transport_request *r, struct ssl_ctx_st *context,
                 struct trust_verdict *verdict);
/* Why the server was not accepted, in the guide's words; nothing when the verdict is a good one. */
void trust_explain(const struct trust_verdict *verdict, struct buf *why);

#endif
