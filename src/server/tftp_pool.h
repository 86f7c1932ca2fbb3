/* The sockets that transfers answer from: bound at start, before the process is confined, and shared by all
 * transfers of a worker, told apart by the peer's address and port. None in single-port mode. */
#ifndef DIALTONE_SERVER_TFTP_POOL_H
#define DIALTONE_SERVER_TFTP_POOL_H

#include "net/datagram.h"
#include "server/service.h"

/* More would not be told apart better; fewer, and requests that one recvmmsg brought would share one with the next. */
#define TFTP_POOL_SOCKETS 64

struct tftp_pool {
    struct datagram socket[TFTP_POOL_SOCKETS];
    unsigned count; /* open ones */
};

/* At the host of `at`, on ports that the kernel picks, or on those of tftp.port_range that are this worker's: every
 * `share`-th from first + index on; those that somebody else has are left out. 0 or a negative errno, said in the log
 * when the range is what failed: then -EADDRINUSE. `p` is zeroed; what is open after an error is counted. */
int tftp_pool_open(struct tftp_pool *p, const struct worker *w, struct datagram_set *set, const union address *at,
                   bool learn_local, datagram_received *received, void *context);

#endif
