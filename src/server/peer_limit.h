/* What one address may do: so much at once, so many requests a second (security.md R4, R11, R13).
 *
 * A table of fixed size: an address that has something under way stays, of the others the one that was
 * silent longest makes room. Time is passed in. */
#ifndef DIALTONE_SERVER_PEER_LIMIT_H
#define DIALTONE_SERVER_PEER_LIMIT_H

#include "base/bucket.h"
#include "net/address.h"

struct peer_limit {
    union address host; /* port 0 */
    struct bucket requests;
    struct bucket faults; /* of TLS handshakes, that are told */
    uint32_t busy; /* things under way; change it with peer_limits_begin and _end */
    uint32_t next_in_bucket, older, newer;
};

struct peer_limits;
/* `busy_max`: how many addresses can have something under way at once. 0 or -ENOMEM. */
int peer_limits_open(uint32_t busy_max, uint64_t seed, struct peer_limits **ret_limits);
void peer_limits_close(struct peer_limits *l);
/* The entry of the host (its port does not matter), made when there is none. Never NULL as long as at most
 * `busy_max` are busy. Valid until the next call of this, longer only while it is busy. */
struct peer_limit *peer_limits_of(struct peer_limits *l, const union address *host);
void peer_limits_begin(struct peer_limits *l, struct peer_limit *p);
void peer_limits_end(struct peer_limits *l, struct peer_limit *p);

#endif
