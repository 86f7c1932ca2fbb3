/* A certificate authority of one house: the key that signs, and the servers' certificates that it signs.
 *
 * Nothing here touches a file: keys and certificates come and go as PEM (RFC 7468). The CA is RSA-2048, which
 * phones of every age can check. Everything is signed with SHA-256. */
#ifndef DIALTONE_CLI_AUTHORITY_H
#define DIALTONE_CLI_AUTHORITY_H

#include "base/arena.h"

/* A phone that has lost its clock lives in the past until it reached a time server; it must be able to fetch
 * all the same, so certificates are valid since 2000-01-01. */
#define AUTHORITY_CA_DAYS 7300
/* The longest a server's certificate may be asked for: it is no good without its CA. */
#define AUTHORITY_DAYS_MAX 7300

enum authority_kind { AUTHORITY_RSA_2048, AUTHORITY_ECDSA_P256 };

/* In the arena that was handed in; the key without a passphrase. */
struct authority_pair {
    struct slice certificate, key;
};

/* All three: 0, or a negative errno (-EINVAL: what was handed in is not what it should be). */
int authority_new(const char *name, struct arena *arena, struct authority_pair *ret_ca);
/* `names` as OpenSSL writes alternative names, `DNS:h.example,IP:10.2.1.199`; `common_name` is the first of
 * them. The caller has looked at both. */
int authority_sign(const struct authority_pair *ca, enum authority_kind kind, const char *common_name,
                   const char *names, unsigned days, struct arena *arena, struct authority_pair *ret_server);

#endif
