#include "base/civil.h"

/* Years counted from March put the leap day last, so that a month's first day is a linear formula; 400 years
 * always have 146097 days. */
int64_t civil_days(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t from_march = month <= 2 ? month + 9 : month - 3;
    int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

void civil_of_days(int64_t days, struct civil *c)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097, in_era = z % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t day = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;
    c->day = (unsigned)(day - (153 * month + 2) / 5 + 1);
    c->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    c->year = year + era * 400 + (c->month <= 2);
}
