/* A certificate authority of one house: the key that signs, the certificates of servers and phones that it signs, and
 * the list of those that it takes back.
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

/* All of them: 0, or a negative errno (-EINVAL: what was handed in is not what it should be). */
int authority_new(const char *name, struct arena *arena, struct authority_pair *ret_ca);
/* `names` as OpenSSL writes alternative names, `DNS:h.example,IP:10.2.1.199`; `common_name` is the first of
 * them. The caller has looked at both. */
int authority_sign(const struct authority_pair *ca, enum authority_kind kind, const char *common_name,
                   const char *names, unsigned days, struct arena *arena, struct authority_pair *ret_server);
/* A phone's: for clients, ECDSA P-256, `common_name` its MAC. */
int authority_sign_device(const struct authority_pair *ca, const char *common_name, unsigned days,
                          struct arena *arena, struct authority_pair *ret_device);
/* Of a certificate in PEM, hexadecimal, upper case. */
int authority_serial(struct slice certificate, struct arena *arena, struct slice *ret_serial);
/* A revocation list (PEM) that holds what `old` holds ("": nothing) and these serial numbers too, hexadecimal and
 * separated by commas. It is good for as long as the CA: who has no daemon to renew it would lose his phones. */
int authority_revoke(const struct authority_pair *ca, struct slice old, struct slice serials, struct arena *arena,
                     struct slice *ret_list);

#endif
