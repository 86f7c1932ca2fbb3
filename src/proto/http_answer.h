/* The head of an HTTP/1.1 answer (RFC 9112 4, RFC 9110 15), and the type of a file. */
#ifndef DIALTONE_PROTO_HTTP_ANSWER_H
#define DIALTONE_PROTO_HTTP_ANSWER_H

#include "proto/http_condition.h"
#include "proto/http_range.h"

/* Room that any head below fits in: challenges never come with a location. */
#define HTTP_ANSWER_HEAD_BYTES_MAX 1088
/* The guide's URLs have at most 511 characters. */
#define HTTP_LOCATION_BYTES_MAX 640

/* "Not Found" ...; "Unknown" for a status that dialtone never sends. */
const char *http_status_words(unsigned status);

/* By the end of the file's name, whatever its case. CFG and boot files are text/plain: phones take that and
 * application/octet-stream alike (facts.md 5.3), and an administrator's browser shows the former. No charset:
 * the files need not be UTF-8. */
struct slice http_content_type(struct slice name);

struct http_answer {
    unsigned status;
    struct slice date;                      /* `Date: ...` line with its CRLF; may be empty */
    struct slice content_type;              /* "": no content */
    uint64_t content_length;                /* bytes; unused with 204 and 304 */
    const struct http_validator *validator; /* NULL: none */
    struct slice modified;                  /* the validator's date as text; "": it is printed anew */
    const struct http_range *range;         /* of a 206 with a single range; else NULL */
    uint64_t file_size;                     /* for Content-Range of 206 and 416 */
    bool http_1_0;                          /* the client's */
    bool close;
    unsigned retry_after_s; /* 0: none */
    struct slice challenges; /* WWW-Authenticate lines with their CRLFs, at most 400 bytes; "": none */
    struct slice allow;      /* methods; "": no Allow line */
    struct slice location;   /* fit for a header, at most HTTP_LOCATION_BYTES_MAX; "": none */
};

/* With the empty line at its end. */
void http_answer_print(const struct http_answer *a, struct buf *out);

/* multipart/byteranges (RFC 9110 14.6). The separator is fixed: a file that happened to hold it could only
 * confuse a client that ignores the Content-Range of the parts. */
struct slice http_multipart_type(void);
/* What stands before part `index`; for index == count the end of it all. */
void http_multipart_print(const struct http_ranges *ranges, size_t index, struct slice content_type,
                          uint64_t file_size, struct buf *out);
/* Bytes of the whole: heads, parts and end. */
uint64_t http_multipart_length(const struct http_ranges *ranges, struct slice content_type, uint64_t file_size);

#endif
