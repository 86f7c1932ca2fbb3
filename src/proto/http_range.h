/* Byte ranges (RFC 9110 14): the Range header against the size of a file.
 *
 * Bounds of security.md R21: arithmetic in 64 bits with every overflow refused, at most HTTP_RANGES_MAX ranges,
 * and together never more bytes than the file has. What goes past them is answered with the whole file, which
 * RFC 9110 14.2 allows; so is a header that is no byte range at all. */
#ifndef DIALTONE_PROTO_HTTP_RANGE_H
#define DIALTONE_PROTO_HTTP_RANGE_H

#include "base/buf.h"

#define HTTP_RANGES_MAX 5

/* Bytes `from` up to, not with, `end`; never empty. */
struct http_range {
    uint64_t from, end;
};

struct http_ranges {
    struct http_range range[HTTP_RANGES_MAX]; /* in the order asked for */
    size_t count;
};

enum http_range_answer {
    HTTP_RANGE_WHOLE, /* 200: ignore the header */
    HTTP_RANGE_PARTS, /* 206: *ret_ranges holds at least one range */
    HTTP_RANGE_NONE   /* 416: none of the ranges lies in the file */
};

enum http_range_answer http_range_parse(struct slice value, uint64_t size, struct http_ranges *ret_ranges);

/* `bytes 0-499/1234`, the value of Content-Range. */
void http_range_print(const struct http_range *range, uint64_t size, struct buf *out);

#endif
