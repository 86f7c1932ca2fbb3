#include "server/fault_log.h"

#include "base/log.h"

#define SAY_EVERY_MS 60000

bool fault_log_may_tell(struct fault_log *f, struct peer_limit *peer, enum protocol protocol, uint64_t now_ms)
{
    if (peer && bucket_take(&peer->faults, 1, FAULT_LOG_PEER, now_ms) &&
        bucket_take(&f->all, FAULT_LOG_S, 10 * FAULT_LOG_S, now_ms))
        return true;
    f->untold++;
    if (f->told_ms == 0 || now_ms - f->told_ms >= SAY_EVERY_MS) {
        log_warning("%s: %llu failed handshakes were left out of the journal", protocol_name(protocol),
                    (unsigned long long)f->untold);
        f->told_ms = now_ms ? now_ms : 1;
        f->untold = 0;
    }
    return false;
}
