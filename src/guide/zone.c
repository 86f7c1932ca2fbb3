#include "guide/zone.h"

#include "base/civil.h"

#define DAY_S 86400

/* Up to four numbers, separated by slashes, each in its bounds. */
static bool read_fields(struct slice text, const unsigned (*bounds)[2], unsigned *fields, size_t count)
{
    struct slice part;
    size_t i = 0;
    for (; slice_cut(&text, '/', &part); i++) {
        uint64_t value;
        if (i == count || !slice_u64(slice_trim(part), bounds[i][0], bounds[i][1], &value))
            return false;
        fields[i] = (unsigned)value;
    }
    return i == count;
}

bool zone_rule_parse(struct slice text, bool by_week, struct zone_rule *ret_rule)
{
    static const unsigned week_bounds[][2] = { { 1, 12 }, { 1, 5 }, { 1, 7 }, { 0, 23 } };
    static const unsigned date_bounds[][2] = { { 1, 12 }, { 1, 31 }, { 0, 23 } };
    unsigned f[4];
    if (!read_fields(text, by_week ? week_bounds : date_bounds, f, by_week ? 4 : 3))
        return false;
    *ret_rule = by_week ? (struct zone_rule){ true, f[0], 0, f[1], f[2], f[3] }
                        : (struct zone_rule){ false, f[0], f[1], 0, 0, f[2] };
    return true;
}

bool zone_offset_parse(struct slice text, int32_t *ret_offset_s)
{
    uint64_t hours, minutes = 0;
    struct slice head;
    text = slice_trim(text);
    bool west = slice_starts(text, SLICE("-"));
    if (west || slice_starts(text, SLICE("+")))
        text = slice_from(text, 1);
    if (!slice_cut(&text, ':', &head) || !slice_u64(head, 0, 14, &hours) ||
        (text.len && !slice_u64(text, 0, 59, &minutes)))
        return false;
    int32_t offset = (int32_t)(hours * 3600 + minutes * 60);
    *ret_offset_s = west ? -offset : offset;
    return true;
}

static bool read_saving(const struct settings *s, struct zone *z)
{
    struct slice start = settings_value(s, SLICE("local_time.start_time"));
    struct slice end = settings_value(s, SLICE("local_time.end_time"));
    bool by_week = settings_is_on(s, SLICE("local_time.dst_time_type"));
    int32_t saving_min = 60;
    uint64_t given;
    struct slice minutes = settings_value(s, SLICE("local_time.offset_time"));
    bool back = slice_starts(minutes, SLICE("-"));
    if (slice_u64(back ? slice_from(minutes, 1) : minutes, 0, 300, &given))
        saving_min = back ? -(int32_t)given : (int32_t)given;
    z->saving_s = saving_min * 60;
    return zone_rule_parse(start, by_week, &z->begin) && zone_rule_parse(end, by_week, &z->end);
}

struct zone zone_of_settings(const struct settings *s, const struct zone *automatic)
{
    struct zone z = { 0 };
    struct slice saving = settings_value(s, SLICE("local_time.summer_time"));
    if (!zone_offset_parse(settings_value(s, SLICE("local_time.time_zone")), &z.offset_s))
        z.offset_s = 0;
    if (slice_eq(saving, SLICE("2")) && automatic) {
        z.saving_s = automatic->saving_s;
        z.begin = automatic->begin;
        z.end = automatic->end;
    } else if (!slice_eq(saving, SLICE("1")) || !read_saving(s, &z)) {
        z.saving_s = 0;
    }
    return z;
}

/* Monday 1 .. Sunday 7; 1970-01-01 was a Thursday. */
static unsigned weekday_of(int64_t day)
{
    return (unsigned)(((day + 3) % 7 + 7) % 7) + 1;
}

static int64_t day_of_rule(const struct zone_rule *r, int64_t year)
{
    if (!r->by_week)
        return civil_days(year, r->month, r->day);
    int64_t first = civil_days(year, r->month, 1);
    int64_t day = first + (r->weekday + 7 - weekday_of(first)) % 7 + (int64_t)(r->week - 1) * 7;
    int64_t next_month = r->month == 12 ? civil_days(year + 1, 1, 1) : civil_days(year, r->month + 1, 1);
    return day >= next_month ? day - 7 : day;
}

/* As local time that holds before the change. */
static int64_t change_at(const struct zone_rule *r, int64_t year)
{
    return day_of_rule(r, year) * DAY_S + (int64_t)r->hour * 3600;
}

int32_t zone_offset_at(const struct zone *z, int64_t utc_s)
{
    if (z->saving_s == 0)
        return z->offset_s;
    struct civil c;
    int64_t local = utc_s + z->offset_s;
    civil_of_days(local >= 0 ? local / DAY_S : (local - DAY_S + 1) / DAY_S, &c);
    int64_t begin = change_at(&z->begin, c.year) - z->offset_s;
    int64_t end = change_at(&z->end, c.year) - z->offset_s - z->saving_s;
    /* South of the equator it begins in one year and ends in the next. */
    bool saving = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
    return z->offset_s + (saving ? z->saving_s : 0);
}

int64_t zone_instant(const struct zone *z, int64_t local_s)
{
    int32_t most = z->saving_s > 0 ? z->saving_s : 0;
    int64_t earlier = local_s - z->offset_s - most, later = earlier + (z->saving_s > 0 ? most : -z->saving_s);
    if (earlier + zone_offset_at(z, earlier) == local_s)
        return earlier;
    if (later + zone_offset_at(z, later) == local_s)
        return later;
    /* Skipped: the change lies between the two. */
    while (later - earlier > 1) {
        int64_t middle = earlier + (later - earlier) / 2;
        if (zone_offset_at(z, middle) == zone_offset_at(z, earlier))
            earlier = middle;
        else
            later = middle;
    }
    return later;
}
