/* Conditional requests (RFC 9110 13): is the phone's copy still good?
 *
 * Evaluated in the order of RFC 9110 13.2.2. */
#ifndef DIALTONE_PROTO_HTTP_CONDITION_H
#define DIALTONE_PROTO_HTTP_CONDITION_H

#include "base/buf.h"
#include "proto/http_request.h"

/* What tells one version of a file from another. */
struct http_validator {
    uint64_t etag;
    int64_t modified; /* seconds, see http_date.h */
};

/* `"00f3..."`: a strong entity-tag, quotes included. */
#define HTTP_ETAG_BYTES 18
void http_etag_print(uint64_t etag, struct buf *out);

enum http_condition {
    HTTP_CONDITION_HOLDS,
    HTTP_CONDITION_NOT_MODIFIED, /* 304 */
    HTTP_CONDITION_FAILED        /* 412 */
};

/* For GET and HEAD of a file that exists. `now` in seconds. A date that cannot be read is ignored, as the RFC asks. */
enum http_condition http_condition(const struct http_request *r, const struct http_validator *v, int64_t now);
/* For what writes; `v` NULL: there is no such file. False: 412. */
bool http_condition_write(const struct http_request *r, const struct http_validator *v, int64_t now);
/* True when the Range header counts: there is one, alone, and If-Range (if any) names this version. */
bool http_range_applies(const struct http_request *r, const struct http_validator *v, int64_t now);

#endif
