/* What logins are remembered by: a table of fixed size under keyed hashes, so that no name and no password is
 * in it.
 *
 * A key falls into a set of eight; when it is full the one makes room that was not used for longest, of those
 * that never logged in as long as there is one: a guesser with many addresses cannot push good phones out. */
#ifndef DIALTONE_SERVER_LOGIN_TABLE_H
#define DIALTONE_SERVER_LOGIN_TABLE_H

#include "server/peer_limit.h"

#define LOGIN_TABLE_SETS ((size_t)2048)
#define LOGIN_TABLE_WAYS ((size_t)8)

struct login_key {
    uint64_t words[2]; /* never both zero */
};

struct login_entry {
    struct login_key key; /* zero: free */
    uint64_t used_ms;
    bool good;     /* has logged in */
    bool is_nonce; /* of the union */
    union {
        /* An address, or a name at an address: failed logins (login.h). */
        struct {
            struct bucket tries;
            uint64_t shut_until_ms;
            uint32_t refusals; /* since it was last let try */
            bool told;         /* the burst has its line in the log */
        };
        /* A nonce that a user has logged in with (RFC 7616 3.4: nc). */
        struct {
            uint64_t made_ms;
            uint64_t seen; /* bit i: highest - i has come */
            uint32_t highest;
        };
    };
};

struct login_table {
    struct login_entry entries[LOGIN_TABLE_SETS][LOGIN_TABLE_WAYS];
    /* Nonces made before then may have been forgotten in this set: one that is not in it is not fresh. */
    uint64_t floor_ms[LOGIN_TABLE_SETS];
};

/* NULL: not there. Marks it as used. */
struct login_entry *login_table_find(struct login_table *t, struct login_key key, uint64_t now_ms);
/* Found, or new and all zero but for its key and `used_ms`. Valid until the next call. */
struct login_entry *login_table_of(struct login_table *t, struct login_key key, uint64_t now_ms);
uint64_t login_table_floor(const struct login_table *t, struct login_key key);

#endif
