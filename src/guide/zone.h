/* The phone's local time: what local_time.* and AutoDST.xml say, and nothing of the machine's own zone.
 *
 * Provisioning windows are given in local time (guide, "Weekly", "Flexible Auto Provision"), so a window's place in
 * time moves with daylight saving. */
#ifndef DIALTONE_GUIDE_ZONE_H
#define DIALTONE_GUIDE_ZONE_H

#include "guide/settings.h"

/* When daylight saving begins or ends, in the local time that holds before. */
struct zone_rule {
    bool by_week;     /* else by date */
    unsigned month;   /* 1..12 */
    unsigned day;     /* by date: 1..31 */
    unsigned week;    /* by week: 1..4, 5 the last one of the month */
    unsigned weekday; /* by week: 1 Monday .. 7 Sunday */
    unsigned hour;    /* 0..23 */
};

struct zone {
    int32_t offset_s; /* of standard time, east of UTC */
    int32_t saving_s; /* added while daylight saving holds; 0: it never does */
    struct zone_rule begin, end;
};

/* "3/5/7/2" (month/week/weekday/hour) with `by_week`, else "1/31/2" (month/day/hour): the form of
 * local_time.start_time and of AutoDST.xml's szStart (facts.md 6.3). */
bool zone_rule_parse(struct slice text, bool by_week, struct zone_rule *ret_rule);
/* "+8", "-3:30", "+05:45": local_time.time_zone and szTime. Seconds. */
bool zone_offset_parse(struct slice text, int32_t *ret_offset_s);
/* From the settings. `automatic` is what AutoDST.xml says of the zone, used when local_time.summer_time is 2; NULL:
 * there is none. What cannot be read counts as not set. */
struct zone zone_of_settings(const struct settings *s, const struct zone *automatic);

/* Seconds to add to UTC at this instant (seconds since 1970-01-01). */
int32_t zone_offset_at(const struct zone *z, int64_t utc_s);
/* The instant of a local time, given as if it were UTC. One that the clock skips is the instant at which it
 * skips; one that comes twice is the first. */
int64_t zone_instant(const struct zone *z, int64_t local_s);

#endif
