/* Passwords: made into what the configuration keeps, and checked against it.
 *
 * Each check of a name takes the same time whether there is such a user or not, and whether its password is
 * nearly right or not at all. Where every user has an HA1 (server/user_hash.h), that one is compared first, so
 * that a wrong password costs microseconds; scrypt then decides, once (server/login.h remembers). When one user
 * has none, every wrong password costs scrypt's milliseconds: the ones without must not stand out. */
#ifndef DIALTONE_SERVER_USERS_H
#define DIALTONE_SERVER_USERS_H

#include "base/arena.h"
#include "proto/auth.h"
#include "server/user_hash.h"

/* 4 MiB and some 10 ms. More would keep a worker from its phones, and would not help: with the line goes the
 * HA1, which is quicker to attack. */
#define USER_SCRYPT_N 4096
#define USER_SCRYPT_R 8
#define USER_SCRYPT_P 1

struct user {
    struct slice name;
    struct user_hash hash;
};

/* Immutable, so threads share it. */
struct users {
    const struct user *list;
    size_t count;
    const uint32_t *slots; /* index + 1 into `list`, by hash; 0: free */
    size_t slot_mask;
    size_t repeated; /* of `list`, not found: a later one has the same name */
    bool all_have_ha1;
    bool any_mac; /* some name is a MAC */
};

/* Why a password is not taken: too short or only digits (security.md R4), control bytes, too long; NULL: it is.
 * `weak_too`: only what cannot work at all. */
const char *password_fault(struct slice password, bool weak_too);
/* `salt` is 16 random bytes. MD5 is left out where the crypto library has none. False: no memory. */
bool user_hash_make(struct slice name, struct slice password, const unsigned char salt[16],
                    struct user_hash *ret_hash);

/* `list` stays the caller's and must outlive the users, as must the arena. Of several of one name the last one counts.
 * False: no memory. */
bool users_of(const struct user *list, size_t count, struct arena *arena, struct users *ret_users);
/* A MAC is found in any spelling; another name must be the very same. Digest works only in the spelling that the hash
 * was made with, which is in it. */
const struct user *users_find(const struct users *u, struct slice name);
/* Constant time, as above. NULL: no such user, wrong password, or no memory for scrypt. */
const struct user *users_check_password(const struct users *u, struct slice name, struct slice password);
/* The response of a Digest login; its nonce and count are not looked at. */
const struct user *users_check_digest(const struct users *u, const struct auth *auth, struct slice method);

#endif
