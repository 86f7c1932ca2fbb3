/* Digest challenges of a phone (RFC 3261 22, RFC 8760: MD5 and SHA-256): nonces that expire and whose counts are used
 * once. Checked against the accounts' own credentials: account.X.auth_name (else user_name) and password. */
#ifndef DIALTONE_PHONE_RING_LOGIN_H
#define DIALTONE_PHONE_RING_LOGIN_H

#include "guide/settings.h"
#include "phone/ring.h"
#include "proto/auth.h"

#define RING_ACCOUNTS_MAX 16
/* A round trip, and a person who types a password. */
#define RING_NONCE_S 60
/* Nonces in use at once; an older one is stale then. */
#define RING_NONCES 256

struct ring_login {
    unsigned char secret[RING_SECRET_BYTES];
    uint32_t serial; /* of the last nonce */
    uint32_t floor;  /* nonces up to this one that are not in `used` are stale */
    struct {
        uint32_t serial, highest;
    } used[RING_NONCES];
    size_t next;
};

enum ring_login_answer {
    RING_LOGIN_DONE,
    RING_LOGIN_NONE, /* no credentials in the request */
    RING_LOGIN_WRONG,
    RING_LOGIN_STALE /* right, but with a nonce or a count that is used up */
};

/* Whether any account has a password. */
bool ring_login_possible(const struct settings *s);
/* The WWW-Authenticate fields, MD5 first: RFC 8760 2.4 wants the better one there, but senders in use
 * (sipp 3.6) look at the first alone and give up. */
void ring_login_challenge(struct ring_login *l, const struct settings *s, bool stale, uint64_t now_ms,
                          struct buf *out);
enum ring_login_answer ring_login_check(struct ring_login *l, const struct settings *s,
                                        const struct sip_message *request, uint64_t now_ms);
/* Hexadecimal digits of a keyed hash, for tags too. False: the crypto library refuses. */
bool ring_login_hash(const struct ring_login *l, struct slice text, size_t digits, struct buf *out);

#endif
