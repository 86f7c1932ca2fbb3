/* Inside dialtone cert: what its files share.
 *
 *   cert.c          the CA and the server's certificates
 *   cert_devices.c  certificates of phones, and the list of those that are revoked */
#ifndef DIALTONE_CLI_CERT_H
#define DIALTONE_CLI_CERT_H

#include "base/rootdir.h"
#include "cli/authority.h"
#include "cli/verb.h"

#include <limits.h>

/* Names and addresses of one server. */
#define CERT_NAMES_MAX 16
/* RFC 5280, ub-common-name. */
#define CERT_NAME_BYTES_MAX 64

/* The CA lies apart: the daemon sees the directory of its own files, and never the key that signs. */
#define CERT_CA "ca/ca.pem"
#define CERT_CA_KEY "ca/ca.key"

struct cert_request {
    const char *directory;
    const char *first; /* name or address */
    char names[CERT_NAMES_MAX * (CERT_NAME_BYTES_MAX + 8)];
    size_t count;
    uint64_t days;
    bool force;
    const char *devices, *device_file; /* MACs: separated by commas; one a line */
    const char *revoke;                /* MACs and serial numbers, separated by commas */
};

struct cert {
    const struct cert_request *request;
    struct rootdir root;
    struct arena arena;
    char path[PATH_MAX]; /* of the directory, absolute */
};

/* These three return EXIT_DONE, or EXIT_FAILED after saying what is wrong. */
int cert_fail(const struct cert *c, const char *name, int error);
/* Keys stay at the 0600 that they are made with; a certificate is for everybody. */
int cert_put(struct cert *c, const char *name, struct slice bytes, bool secret);
int cert_put_pair(struct cert *c, const char *certificate, const char *key, const struct authority_pair *pair);
bool cert_exists(const struct cert *c, const char *name);

bool cert_wants_devices(const struct cert_request *r);
int cert_devices(struct cert *c, const struct authority_pair *ca);

#endif
