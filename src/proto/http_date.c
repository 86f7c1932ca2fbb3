#include "proto/http_date.h"

#include "base/civil.h"

#define DAY_S 86400
#define YEAR_FIRST 1900
#define YEAR_LAST 9999

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
/* 1970-01-01 was a Thursday. */
static const char day_names[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
static const char *const long_days[7] = { "Thursday", "Friday",  "Saturday", "Sunday",
                                          "Monday",   "Tuesday", "Wednesday" };

static void put_two(struct buf *out, unsigned value)
{
    char digits[2] = { (char)('0' + value / 10 % 10), (char)('0' + value % 10) };
    buf_bytes(out, digits, sizeof digits);
}

void http_date_print(int64_t seconds, struct buf *out)
{
    const int64_t first = civil_days(YEAR_FIRST, 1, 1) * DAY_S, end = civil_days(YEAR_LAST + 1, 1, 1) * DAY_S;
    seconds = seconds < first ? first : seconds >= end ? end - 1 : seconds;
    int64_t days = seconds / DAY_S, rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    struct civil c;
    civil_of_days(days, &c);
    buf_bytes(out, day_names[(days % 7 + 7) % 7], 3);
    buf_bytes(out, ", ", 2);
    put_two(out, c.day);
    buf_byte(out, ' ');
    buf_bytes(out, month_names[c.month - 1], 3);
    buf_byte(out, ' ');
    put_two(out, (unsigned)(c.year / 100));
    put_two(out, (unsigned)(c.year % 100));
    buf_byte(out, ' ');
    put_two(out, (unsigned)(rest / 3600));
    buf_byte(out, ':');
    put_two(out, (unsigned)(rest / 60 % 60));
    buf_byte(out, ':');
    put_two(out, (unsigned)(rest % 60));
    buf_bytes(out, " GMT", 4);
}

/* The takers below eat from the front of *s; false leaves it anywhere. */
static bool take(struct slice *s, const char *literal)
{
    struct slice wanted = slice_str(literal);
    if (!slice_starts(*s, wanted))
        return false;
    *s = slice_from(*s, wanted.len);
    return true;
}

static bool take_number(struct slice *s, size_t digits, uint64_t min, uint64_t max, unsigned *ret_value)
{
    uint64_t value;
    if (s->len < digits || !slice_u64(slice_first(*s, digits), min, max, &value))
        return false;
    *s = slice_from(*s, digits);
    *ret_value = (unsigned)value;
    return true;
}

static bool take_month(struct slice *s, unsigned *ret_month)
{
    for (unsigned i = 0; i < 12; i++)
        if (take(s, month_names[i])) {
            *ret_month = i + 1;
            return true;
        }
    return false;
}

static bool take_time(struct slice *s, struct civil *c)
{
    return take_number(s, 2, 0, 23, &c->hour) && take(s, ":") && take_number(s, 2, 0, 59, &c->minute) &&
           take(s, ":") && take_number(s, 2, 0, 60, &c->second);
}

static bool take_year(struct slice *s, struct civil *c)
{
    unsigned year;
    if (!take_number(s, 4, YEAR_FIRST, YEAR_LAST, &year))
        return false;
    c->year = year;
    return true;
}

static bool parse_imf(struct slice s, struct civil *c)
{
    return take(&s, ", ") && take_number(&s, 2, 1, 31, &c->day) && take(&s, " ") && take_month(&s, &c->month) &&
           take(&s, " ") && take_year(&s, c) && take(&s, " ") && take_time(&s, c) && take(&s, " GMT") &&
           s.len == 0;
}

static bool parse_asctime(struct slice s, struct civil *c)
{
    if (!take(&s, " ") || !take_month(&s, &c->month) || !take(&s, " "))
        return false;
    bool day = take(&s, " ") ? take_number(&s, 1, 1, 9, &c->day) : take_number(&s, 2, 1, 31, &c->day);
    return day && take(&s, " ") && take_time(&s, c) && take(&s, " ") && take_year(&s, c) && s.len == 0;
}

static bool parse_rfc850(struct slice s, int64_t now, struct civil *c)
{
    unsigned year;
    struct civil today;
    if (!take(&s, ", ") || !take_number(&s, 2, 1, 31, &c->day) || !take(&s, "-") ||
        !take_month(&s, &c->month) || !take(&s, "-") || !take_number(&s, 2, 0, 99, &year) || !take(&s, " ") ||
        !take_time(&s, c) || !take(&s, " GMT") || s.len)
        return false;
    civil_of_days(now / DAY_S, &today);
    c->year = today.year / 100 * 100 + year;
    if (c->year > today.year + 50)
        c->year -= 100;
    return true;
}

static bool parse_any(struct slice text, int64_t now, struct civil *c)
{
    for (size_t i = 0; i < 7; i++) {
        struct slice s = text;
        if (take(&s, long_days[i]))
            return parse_rfc850(s, now, c);
        if (take(&s, day_names[i]))
            return s.len && s.ptr[0] == ',' ? parse_imf(s, c) : parse_asctime(s, c);
    }
    return false;
}

bool http_date_parse(struct slice text, int64_t now, int64_t *ret_seconds)
{
    struct civil c = { 0 }, back;
    if (!parse_any(text, now < 0 ? 0 : now, &c))
        return false;
    int64_t days = civil_days(c.year, c.month, c.day);
    civil_of_days(days, &back);
    if (back.day != c.day || back.month != c.month)
        return false;
    *ret_seconds = days * DAY_S + (int64_t)c.hour * 3600 + (int64_t)c.minute * 60 + c.second;
    return true;
}
