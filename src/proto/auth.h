/* HTTP authentication: Basic (RFC 7617) and Digest with MD5 and SHA-256, qop=auth (RFC 7616): bytes to struct,
 * struct to challenge, and the digests that both sides compute.
 *
 * Which phones know which is not documented (facts.md 5.3 saw Basic and Digest with MD5), so all three are
 * spoken. Left out: auth-int, the -sess algorithms, `username*`, `userhash`, and Digest without qop (RFC 2069),
 * in which a reader on the wire could repeat a request at will. */
#ifndef DIALTONE_PROTO_AUTH_H
#define DIALTONE_PROTO_AUTH_H

#include "base/buf.h"

/* Longer user names and passwords are refused. */
#define AUTH_USER_BYTES_MAX 64
#define AUTH_PASSWORD_BYTES_MAX 128
/* An Authorization value that is longer is refused: a target of 2 KiB and the rest. */
#define AUTH_VALUE_BYTES_MAX 4096
/* 64 hexadecimal digits and a NUL. */
#define AUTH_HEX_BYTES 65

enum auth_algorithm { AUTH_MD5, AUTH_SHA256 };
enum auth_scheme { AUTH_BASIC, AUTH_DIGEST };

/* What an Authorization header says. Texts lie in it or in the room that auth_parse() was given. */
struct auth {
    enum auth_scheme scheme;
    struct slice user;
    struct slice password; /* Basic */
    /* Digest */
    enum auth_algorithm algorithm;
    struct slice realm, nonce, uri, response, cnonce;
    struct slice nc; /* the eight digits as sent */
    uint32_t count;  /* and their value, at least 1 */
};

/* Of the value of one Authorization field. `room` takes what had to be decoded; AUTH_VALUE_BYTES_MAX are always
 * enough. False: another scheme, malformed, or something that is left out above. */
bool auth_parse(struct slice value, struct buf *room, struct auth *ret_auth);

/* --- the side that is asked --- */

/* A Digest challenge; texts as above. */
struct auth_challenge {
    enum auth_algorithm algorithm;
    struct slice realm, nonce, opaque; /* opaque.ptr NULL: none */
    bool qop; /* with `auth`; false: the old form of RFC 2069, which RFC 3261 22.4 still asks for */
    bool stale;                        /* the password was right */
};
/* Of the value of one WWW-Authenticate field. False: another scheme or algorithm, malformed, only auth-int. */
bool auth_challenge_parse(struct slice value, struct buf *room, struct auth_challenge *ret_challenge);
/* What the request for `uri` answers it with. */
struct auth_reply {
    struct slice user, password, method, uri;
    struct slice cnonce; /* drawn by chance, no quote in it */
    uint32_t count;      /* of requests with this nonce, from 1 */
};
/* The value of an Authorization field. False: full, or the crypto library refuses. */
bool auth_put_digest(const struct auth_challenge *challenge, const struct auth_reply *reply, struct buf *out);

/* --- the side that asks --- */

/* What stands behind `WWW-Authenticate: `. `nonce` must not hold a quote. */
void auth_challenge_basic(struct slice realm, struct buf *out);
void auth_challenge_digest(struct slice realm, enum auth_algorithm algorithm, struct slice nonce, bool stale,
                           struct buf *out);

/* "MD5", "SHA-256". */
const char *auth_algorithm_name(enum auth_algorithm algorithm);
/* Hexadecimal digits of a digest: 32 or 64. */
size_t auth_digits(enum auth_algorithm algorithm);
/* Lower-case hexadecimal, NUL behind it. False when the crypto library refuses (MD5 in a FIPS build) or the
 * texts are too long. The password is not kept. */
bool auth_ha1(enum auth_algorithm algorithm, struct slice user, struct slice realm, struct slice password,
              char ret_hex[AUTH_HEX_BYTES]);
/* What `auth->response` must be for this request method. `ha1` has auth_digits() digits. */
bool auth_response(const struct auth *auth, struct slice ha1, struct slice method,
                   char ret_hex[AUTH_HEX_BYTES]);

/* Strict: no blanks, padding as RFC 4648 wants it, no stray bits. False: malformed, or `out` is full. */
bool auth_base64_decode(struct slice text, struct buf *out);

#endif
