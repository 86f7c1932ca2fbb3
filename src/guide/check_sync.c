#include "guide/check_sync.h"

static bool asks_reboot(struct slice parameters)
{
    struct slice parameter, name;
    while (slice_cut(&parameters, ';', &parameter)) {
        if (slice_cut(&parameter, '=', &name) && slice_eq_nocase(slice_trim(name), SLICE("reboot")))
            return slice_eq_nocase(slice_trim(parameter), SLICE("true"));
    }
    return false;
}

enum check_sync check_sync_decide(const struct settings *s, struct slice event)
{
    struct slice package;
    if (!slice_cut(&event, ';', &package) || !slice_eq_nocase(slice_trim(package), SLICE("check-sync")))
        return CHECK_SYNC_OTHER;
    switch (settings_number(s, SLICE("sip.notify_reboot_enable"))) {
    case 0:
        return asks_reboot(event) ? CHECK_SYNC_REBOOT : CHECK_SYNC_PROVISION;
    case 2:
        return CHECK_SYNC_IGNORED;
    default:
        return CHECK_SYNC_REBOOT;
    }
}
