/* TLS handshakes that fail, as events of the journal: everybody who reaches the port can make as many as he
 * likes, so not all of them are told. Of the others the log says how many they were, once a minute. */
#ifndef DIALTONE_SERVER_FAULT_LOG_H
#define DIALTONE_SERVER_FAULT_LOG_H

#include "server/peer_limit.h"
#include "server/protocol.h"

/* Of one address so many and then one a second; of all so many a second. */
#define FAULT_LOG_PEER 20
#define FAULT_LOG_S 50

/* One a service. Zeroed: nothing has failed yet. */
struct fault_log {
    struct bucket all;
    uint64_t untold, told_ms;
};
/* `peer` NULL: there is no room to remember the address; it is not told. */
bool fault_log_may_tell(struct fault_log *f, struct peer_limit *peer, enum protocol protocol, uint64_t now_ms);

#endif
