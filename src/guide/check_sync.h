/* What a SIP NOTIFY with `Event: check-sync` asks of a phone (guide, "SIP NOTIFY Message"; facts.md 3).
 *
 *   sip.notify_reboot_enable   without reboot=true   with reboot=true
 *   0                          provision             reboot
 *   1 (default)                reboot                reboot
 *   2                          nothing               nothing
 *
 * The 200 goes out in every case. */
#ifndef DIALTONE_GUIDE_CHECK_SYNC_H
#define DIALTONE_GUIDE_CHECK_SYNC_H

#include "guide/settings.h"

enum check_sync {
    CHECK_SYNC_OTHER,     /* another event */
    CHECK_SYNC_IGNORED,
    CHECK_SYNC_PROVISION,
    CHECK_SYNC_REBOOT     /* then it provisions by power on */
};

/* `event`: the value of the header, parameters and all, in any case and spacing. */
enum check_sync check_sync_decide(const struct settings *s, struct slice event);

#endif
