/* Dates of HTTP (RFC 9110 5.6.7): three forms are read, one is written.
 *
 * A date is seconds since 1970-01-01 00:00 UTC, years 1900 to 9999 of the proleptic Gregorian calendar. */
#ifndef DIALTONE_PROTO_HTTP_DATE_H
#define DIALTONE_PROTO_HTTP_DATE_H

#include "base/buf.h"

/* `Sun, 06 Nov 1994 08:49:37 GMT`. */
#define HTTP_DATE_BYTES 29

/* IMF-fixdate; a time outside the years above prints as the nearest one inside. */
void http_date_print(int64_t seconds, struct buf *out);
/* IMF-fixdate, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`, letter case exact as the RFC
 * asks. False for any other text and for a day or hour that does not exist. The day's name is not compared
 * with the date. `now` (seconds) decides the century of a two-digit year: more than 50 years ahead of it
 * means the past. */
bool http_date_parse(struct slice text, int64_t now, int64_t *ret_seconds);

#endif
