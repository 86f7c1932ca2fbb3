/* What callers are remembered by, for the two guards against guessing: of passwords (server/login.h) and of phones
 * (server/guard.h). A table of fixed size under keyed hashes, so that no name and no password is in it.
 *
 * A key falls into a set of eight; when it is full the one makes room that was not used for longest, of those
 * that are not good as long as there is one: a guesser with many addresses cannot push good phones out. */
#ifndef DIALTONE_SERVER_LOGIN_TABLE_H
#define DIALTONE_SERVER_LOGIN_TABLE_H

#include "server/peer_limit.h"

#define LOGIN_TABLE_WAYS ((size_t)8)

struct login_key {
    uint64_t words[2]; /* never both zero */
};

struct login_entry {
    struct login_key key; /* zero: free */
    uint64_t used_ms;
    bool good;     /* has logged in; of phones: a file was there for it */
    bool is_nonce; /* of the union */
    union {
        /* An address, or a name at an address: what failed. */
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
    size_t sets;
    struct login_entry (*entries)[LOGIN_TABLE_WAYS];
    /* Nonces made before then may have been forgotten in this set: one that is not in it is not fresh. */
    uint64_t *floor_ms;
};

/* Pages that no key has fallen into cost nothing. 0 or -ENOMEM; closed once, also after that. */
int login_table_open(struct login_table *t, size_t sets);
void login_table_close(struct login_table *t);
/* NULL: not there. Marks it as used. */
struct login_entry *login_table_find(struct login_table *t, struct login_key key, uint64_t now_ms);
/* Found, or new and all zero but for its key and `used_ms`. Valid until the next call. */
struct login_entry *login_table_of(struct login_table *t, struct login_key key, uint64_t now_ms);
uint64_t login_table_floor(const struct login_table *t, struct login_key key);

/* So many failures at once, then one in `try_s` seconds; what is over that is refused unlooked-at, and after `refusals`
 * of them everything is, for `shut_s` seconds. `try_s` has to stay what it was when the entry was made. */
struct login_bounds {
    uint32_t tries, try_s, refusals, shut_s;
};
bool login_entry_may_try(struct login_entry *e, const struct login_bounds *b, uint64_t now_ms);
/* True: it was the last of its allowance, and the burst is to be said. */
bool login_entry_failed(struct login_entry *e, const struct login_bounds *b, uint64_t now_ms);

#endif
