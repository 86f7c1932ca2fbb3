/* The body of an HTTP/1.1 request: by Content-Length or in chunks (RFC 9112 6 and 7.1), as it comes.
 *
 * A state machine without memory of its own: what is data is handed out in pieces that borrow from the input, what
 * frames it is looked at once and forgotten, so a body of any length costs these few bytes. The verdict does not
 * depend on how the bytes are cut.
 *
 * Strict where a second reader could read otherwise (security.md R20): a line ends in CRLF and nothing else, a size is
 * hexadecimal digits alone, blanks only before a `;`. What an extension or a trailer says is ignored, as the RFC
 * allows; how much of it there may be is bounded, since each costs its sender less than us. Every refusal is final:
 * 400 and close. */
#ifndef DIALTONE_PROTO_HTTP_BODY_H
#define DIALTONE_PROTO_HTTP_BODY_H

#include "proto/http_request.h"

/* Chunk extensions of one body together: no client of ours sends any. */
#define HTTP_CHUNK_EXTENSION_BYTES_MAX 1024
/* The trailer section of one body. */
#define HTTP_TRAILER_BYTES_MAX 4096
/* Digits of a chunk's size, leading zeros among them. */
#define HTTP_CHUNK_DIGITS_MAX 16

enum http_body_answer {
    HTTP_BODY_MORE, /* the input is used up */
    HTTP_BODY_DATA, /* *ret_data is the next piece, at least a byte of it */
    HTTP_BODY_WHOLE, /* what is left of the input is the next request */
    HTTP_BODY_REFUSED
};

struct http_body {
    uint64_t left;       /* bytes of the body, or of the present chunk, that are still to come */
    const char *reason;  /* of a refusal; static */
    uint16_t extensions; /* bytes */
    uint16_t trailers;   /* bytes */
    uint8_t digits;      /* of the present size */
    uint8_t state;
};

void http_body_start(struct http_body *b, const struct http_request *request);
/* Takes what it uses off the front of *input. To be called again after HTTP_BODY_DATA. */
enum http_body_answer http_body_next(struct http_body *b, struct slice *input, struct slice *ret_data);

#endif
