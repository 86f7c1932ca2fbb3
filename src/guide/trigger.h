/* When the next provisioning run is due: a pure function of settings, MAC, what flash holds and the time (guide,
 * "Triggering the IP Phone to Perform Auto Provisioning"; facts.md 6.1).
 *
 * Any mix holds at once; the earliest is due.
 *
 *   Repeatedly  repeat.minutes after the last run, or after power on when there was none since. Counted by the
 *               monotonic clock: setting the time neither hurries nor stops it.
 *   Weekly      on the days of weekly.dayofweek between begin_time and end_time.
 *               weekly_upgrade_interval 0: every chosen day of every week; n: on one of the chosen days, drawn
 *               anew each time, n weeks after the week of the last weekly run (facts.md 6.1). A week starts on Sunday.
 *               inactivity_time_expire 0: at a random time in the window; n: once the phone was idle for n minutes
 *               in it, and not in this window when that does not come.
 *   Flexible    one day in every flexible.interval days, which one by the MAC and so the same after every reboot;
 *               at a random time between begin_time and end_time. Any run inside of the window, whatever
 *               started it, counts as this one: the next is an interval later.
 *
 * A random time is a hash of MAC, day and the number of power-ons: it stays while the phone runs and is drawn anew
 * at a reboot. What is found late but still within its window is due at once; what was slept through (power cut, a
 * clock set forward over it) waits for its next turn. A window whose end is blank or equals its begin is that
 * minute; an end before the begin lies on the next day. Times are local (guide/zone.h). */
#ifndef DIALTONE_GUIDE_TRIGGER_H
#define DIALTONE_GUIDE_TRIGGER_H

#include "guide/mac.h"
#include "guide/zone.h"

enum trigger {
    TRIGGER_NONE,
    TRIGGER_POWER_ON,
    TRIGGER_REPEATEDLY,
    TRIGGER_WEEKLY,
    TRIGGER_FLEXIBLE,
    TRIGGER_NOW,
    TRIGGER_CHECK_SYNC,
    TRIGGER_ACTIVATION
};
#define TRIGGERS ((size_t)TRIGGER_ACTIVATION + 1)
/* "power on", "repeatedly" ... as the guide says it. */
const char *trigger_name(enum trigger trigger);

/* What survives a reboot. Zeroed: a phone out of its box. */
struct trigger_memory {
    uint64_t power_ons;
    int64_t ran_s;      /* UTC of the last run's start; 0: never */
    int64_t weekly_day; /* local day (since 1970-01-01) whose window the last weekly run served; 0: never */
};

struct trigger_look {
    const struct settings *settings;
    const struct zone *zone;
    const struct trigger_memory *memory;
    struct mac mac;
    int64_t now_s;    /* UTC */
    uint64_t rest_s;  /* since the last run or power on, by the monotonic clock */
    uint64_t idle_s;  /* since the user last touched the phone or hung up; 0 in a call */
};

struct trigger_due {
    enum trigger trigger; /* TRIGGER_NONE: nothing is ever due */
    int64_t at_s;         /* UTC, not before now_s */
    int64_t day;          /* of the window it serves, local; 0 for repeatedly */
};

/* With an idle time asked for the answer holds until the user touches the phone; otherwise until settings, memory
 * or the wall clock change. It looks some 1,000 days ahead at most. */
struct trigger_due trigger_next(const struct trigger_look *look);
/* What to remember when a run starts that `due` asked for; a run of another kind says TRIGGER_NOW or its own. */
void trigger_ran(struct trigger_memory *memory, const struct trigger_due *due, int64_t now_s);

#endif
