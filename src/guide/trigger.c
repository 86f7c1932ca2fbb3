#include "guide/trigger.h"

#define DAY_S 86400
/* In two weeks every chosen weekday comes, also when this week's was drawn already. */
#define DAYS_AHEAD 14

const char *trigger_name(enum trigger trigger)
{
    static const char *const names[TRIGGERS] = {
        [TRIGGER_NONE] = "none",
        [TRIGGER_POWER_ON] = "power on",
        [TRIGGER_REPEATEDLY] = "repeatedly",
        [TRIGGER_WEEKLY] = "weekly",
        [TRIGGER_FLEXIBLE] = "flexible",
        [TRIGGER_NOW] = "auto provision now",
        [TRIGGER_CHECK_SYNC] = "check-sync",
        [TRIGGER_ACTIVATION] = "activation code",
    };
    return names[trigger];
}

/* --- windows of a day --- */

struct window {
    int64_t begin_s, end_s; /* UTC; begin is in, end is not */
};

/* Seconds of the day of "hh:mm"; false when it is not one. */
static bool read_time(struct slice text, int64_t *ret_second)
{
    struct slice hour;
    uint64_t hours, minutes;
    if (!slice_cut(&text, ':', &hour) || !slice_u64(slice_trim(hour), 0, 23, &hours) ||
        !slice_u64(slice_trim(text), 0, 59, &minutes))
        return false;
    *ret_second = (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static struct window window_of(const struct trigger_look *look, const char *begin_key, const char *end_key, int64_t day)
{
    int64_t begin, end;
    if (!read_time(settings_value(look->settings, slice_str(begin_key)), &begin))
        begin = 0;
    if (!read_time(settings_value(look->settings, slice_str(end_key)), &end))
        end = begin;
    if (end < begin)
        end += DAY_S;
    struct window w = { .begin_s = zone_instant(look->zone, day * DAY_S + begin) };
    w.end_s = end == begin ? w.begin_s + 60 : zone_instant(look->zone, day * DAY_S + end);
    /* Where the clock skips all of it, its minute is the one of the change. */
    if (w.end_s <= w.begin_s)
        w.end_s = w.begin_s + 60;
    return w;
}

static int64_t day_at(const struct zone *zone, int64_t utc_s)
{
    int64_t local = utc_s + zone_offset_at(zone, utc_s);
    return local >= 0 ? local / DAY_S : (local - DAY_S + 1) / DAY_S;
}

/* Sunday 0 .. Saturday 6; 1970-01-01 was a Thursday. */
static unsigned weekday_of(int64_t day)
{
    return (unsigned)(((day + 4) % 7 + 7) % 7);
}

/* The Sunday on or before it. */
static int64_t week_of(int64_t day)
{
    return day - weekday_of(day);
}

/* --- chance --- */

/* splitmix64's finisher: every bit of the input moves half of the output's. */
static uint64_t stir(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t draw(const struct trigger_look *look, int64_t day, uint64_t power_ons)
{
    uint64_t mac = 0;
    for (size_t i = 0; i < sizeof look->mac.bytes; i++)
        mac = mac << 8 | look->mac.bytes[i];
    return stir(stir(stir(mac) ^ (uint64_t)day) ^ power_ons);
}

static int64_t time_in(const struct trigger_look *look, const struct window *w, int64_t day)
{
    return w->begin_s + (int64_t)(draw(look, day, look->memory->power_ons) % (uint64_t)(w->end_s - w->begin_s));
}

static void earliest(struct trigger_due *best, enum trigger trigger, int64_t at_s, int64_t day)
{
    if (best->trigger == TRIGGER_NONE || at_s < best->at_s)
        *best = (struct trigger_due){ trigger, at_s, day };
}

/* --- weekly --- */

static unsigned chosen_days(const struct trigger_look *look)
{
    struct slice text = settings_value(look->settings, SLICE("static.auto_provision.weekly.dayofweek"));
    unsigned days = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '6')
            days |= 1u << (text.ptr[i] - '0');
    return days;
}

/* One of the chosen weekdays, the same for a phone and a week. */
static unsigned day_drawn(const struct trigger_look *look, unsigned days, int64_t week)
{
    unsigned count = (unsigned)__builtin_popcount(days);
    unsigned nth = (unsigned)(draw(look, week, 0) % count);
    for (unsigned day = 0; day < 7; day++)
        if (days & 1u << day && nth-- == 0)
            return day;
    return 0;
}

/* When this window's run is due; false: not in it any more. */
static bool in_window(const struct trigger_look *look, const struct window *w, int64_t day, int64_t *ret_at_s)
{
    uint64_t idle_min = settings_number(look->settings, SLICE("static.auto_provision.inactivity_time_expire"));
    int64_t at = time_in(look, w, day);
    if (idle_min) {
        int64_t idle_since = look->now_s - (int64_t)look->idle_s;
        at = (idle_since > w->begin_s ? idle_since : w->begin_s) + (int64_t)idle_min * 60;
    }
    *ret_at_s = at > look->now_s ? at : look->now_s;
    return *ret_at_s < w->end_s;
}

static bool weekly_on(const struct trigger_look *look, int64_t day, int64_t *ret_at_s)
{
    struct window w = window_of(look, "static.auto_provision.weekly.begin_time",
                                "static.auto_provision.weekly.end_time", day);
    return in_window(look, &w, day, ret_at_s);
}

static void weekly(const struct trigger_look *look, struct trigger_due *best)
{
    unsigned days = chosen_days(look);
    int64_t weeks = (int64_t)settings_number(look->settings, SLICE("static.auto_provision.weekly_upgrade_interval"));
    int64_t last = look->memory->weekly_day, today = day_at(look->zone, look->now_s), at;
    /* Yesterday's window may reach into today. */
    int64_t from = today - 1;
    /* A clock that was set back past the last run must not stop it for good. */
    bool counts = last && last <= today;
    if (counts && weeks && from < week_of(last) + 7 * weeks)
        from = week_of(last) + 7 * weeks;
    if (counts && from <= last)
        from = last + 1;
    for (int64_t day = from; days && day < from + DAYS_AHEAD; day++) {
        bool chosen = weeks ? weekday_of(day) == day_drawn(look, days, week_of(day)) : days & 1u << weekday_of(day);
        if (chosen && weekly_on(look, day, &at)) {
            earliest(best, TRIGGER_WEEKLY, at, day);
            return;
        }
    }
}

/* --- flexible and repeatedly --- */

static void flexible(const struct trigger_look *look, struct trigger_due *best)
{
    int64_t interval = (int64_t)settings_number(look->settings, SLICE("static.auto_provision.flexible.interval"));
    int64_t phase = (int64_t)(draw(look, 0, 0) % (uint64_t)interval);
    int64_t first = day_at(look->zone, look->now_s) - 1;
    first += ((phase - first) % interval + interval) % interval;
    for (int64_t day = first; day <= first + 2 * interval; day += interval) {
        struct window w = window_of(look, "static.auto_provision.flexible.begin_time",
                                    "static.auto_provision.flexible.end_time", day);
        bool ran = look->memory->ran_s >= w.begin_s && look->memory->ran_s < w.end_s;
        int64_t at = time_in(look, &w, day);
        if (at < look->now_s)
            at = look->now_s;
        if (!ran && at < w.end_s) {
            earliest(best, TRIGGER_FLEXIBLE, at, day);
            return;
        }
    }
}

static void repeatedly(const struct trigger_look *look, struct trigger_due *best)
{
    uint64_t every = settings_number(look->settings, SLICE("static.auto_provision.repeat.minutes")) * 60;
    uint64_t left = look->rest_s < every ? every - look->rest_s : 0;
    earliest(best, TRIGGER_REPEATEDLY, look->now_s + (int64_t)left, 0);
}

struct trigger_due trigger_next(const struct trigger_look *look)
{
    struct trigger_due best = { .trigger = TRIGGER_NONE };
    if (settings_is_on(look->settings, SLICE("static.auto_provision.repeat.enable")))
        repeatedly(look, &best);
    if (settings_is_on(look->settings, SLICE("static.auto_provision.weekly.enable")))
        weekly(look, &best);
    if (settings_is_on(look->settings, SLICE("static.auto_provision.flexible.enable")))
        flexible(look, &best);
    return best;
}

void trigger_ran(struct trigger_memory *memory, const struct trigger_due *due, int64_t now_s)
{
    memory->ran_s = now_s;
    if (due->trigger == TRIGGER_WEEKLY)
        memory->weekly_day = due->day;
}
