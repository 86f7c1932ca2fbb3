/* Days and calendar dates of the proleptic Gregorian calendar. */
#ifndef DIALTONE_BASE_CIVIL_H
#define DIALTONE_BASE_CIVIL_H

#include <stdint.h>

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
    unsigned hour, minute, second;
};

/* Days since 1970-01-01 of a date. */
int64_t civil_days(int64_t year, unsigned month, unsigned day);
/* Fills year, month and day. */
void civil_of_days(int64_t days, struct civil *c);

#endif
