/* Who logs in: passwords and Digest answers, nonces, and the guard against guessing (security.md R4).
 *
 * One for all workers, behind a mutex that is not held while a password is checked.
 *
 * Guessing: an address (of IPv6 its /64) may fail LOGIN_TRIES times, then once in LOGIN_TRY_S seconds; tries
 * beyond that are refused unlooked-at, and after LOGIN_REFUSALS of them everything is, for LOGIN_SHUT_S
 * seconds. A burst of failures is one line in the log, the one that fail2ban reads:
 *
 *   guessing: too many failed logins from 10.2.20.73 by http
 *
 * Phones behind one NAT share an address. So a name that has logged in from an address has an allowance of its
 * own there, which only failures under that name use up: a stranger behind the NAT shuts out nobody who came
 * before him. Should he guess at that very name, a running Digest nonce of the phone still works.
 *
 * A password that was right is remembered as a keyed hash over it and the user's line, so that scrypt is not
 * paid for every file, and a changed line forgets. */
#ifndef DIALTONE_SERVER_LOGIN_H
#define DIALTONE_SERVER_LOGIN_H

#include "net/address.h"
#include "server/protocol.h"
#include "server/users.h"

#define LOGIN_TRIES 10
#define LOGIN_TRY_S 6
#define LOGIN_REFUSALS 50
#define LOGIN_SHUT_S 300
/* A nonce is good for this long: a provisioning run takes seconds. */
#define LOGIN_NONCE_S 300
/* Bytes of a nonce, hexadecimal. */
#define LOGIN_NONCE_BYTES 52

struct login;
/* Draws its keys, and makes the crypto library load what it needs while files may still be read. 0 or a
 * negative errno. */
int login_open(struct login **ret_login);
/* NULL is none. */
void login_close(struct login *l);

struct login_try {
    const struct users *users;
    const union address *peer;
    enum protocol protocol; /* for the log */
    uint64_t now_ms;        /* monotonic, the same clock for all workers */
};

enum login_answer {
    LOGIN_DONE,  /* *ret_user */
    LOGIN_WRONG, /* user or password; which one is not told */
    LOGIN_STALE, /* right, but the nonce has expired or its count was used: ask again with a new one */
    LOGIN_WAIT   /* too many failures; it was not looked at */
};

enum login_answer login_password(struct login *l, const struct login_try *t, struct slice name,
                                 struct slice password, const struct user **ret_user);
/* That `auth->uri` is what was asked for is the caller's to check. */
enum login_answer login_digest(struct login *l, const struct login_try *t, const struct auth *auth,
                               struct slice method, const struct user **ret_user);
/* A new one, LOGIN_NONCE_BYTES long; nothing is kept of it. False: the crypto library failed. */
bool login_nonce(struct login *l, uint64_t now_ms, struct buf *out);

#endif
