#include "proto/http_body.h"

enum state {
    STATE_LENGTH, /* Content-Length says how much */
    STATE_SIZE,
    STATE_SIZE_BLANK, /* only an extension may follow */
    STATE_EXTENSION,
    STATE_SIZE_LF,
    STATE_CHUNK,
    STATE_CHUNK_CR,
    STATE_CHUNK_LF,
    STATE_LINE, /* at the first byte of a trailer line */
    STATE_NAME,
    STATE_VALUE,
    STATE_VALUE_LF,
    STATE_END_LF,
    STATE_WHOLE,
    STATE_REFUSED
};

void http_body_start(struct http_body *b, const struct http_request *request)
{
    *b = (struct http_body){ .left = request->content_length };
    b->state = request->chunked ? STATE_SIZE : request->content_length ? STATE_LENGTH : STATE_WHOLE;
}

static uint8_t refuse(struct http_body *b, const char *reason)
{
    b->reason = reason;
    return STATE_REFUSED;
}

static uint8_t size(struct http_body *b, char c)
{
    int digit = byte_hex(c);
    if (digit < 0 && b->digits == 0)
        return refuse(b, "bad chunk size");
    if (c == '\r')
        return STATE_SIZE_LF;
    if (c == ';')
        return STATE_EXTENSION;
    if (c == ' ' || c == '\t')
        return STATE_SIZE_BLANK;
    /* With a bound below 2^63 a sum of offsets cannot overflow either. */
    if (digit < 0 || ++b->digits > HTTP_CHUNK_DIGITS_MAX || b->left > (uint64_t)INT64_MAX >> 4)
        return refuse(b, "bad chunk size");
    b->left = b->left << 4 | (uint64_t)digit;
    return STATE_SIZE;
}

/* RFC 9112 7.1.1: blanks may stand before a `;`, for old clients' sake. */
static uint8_t extension(struct http_body *b, char c)
{
    if (++b->extensions > HTTP_CHUNK_EXTENSION_BYTES_MAX)
        return refuse(b, "chunk extensions too long");
    if (b->state == STATE_SIZE_BLANK && c != ';')
        return c == ' ' || c == '\t' ? STATE_SIZE_BLANK : refuse(b, "bad chunk size");
    if (c == '\r')
        return STATE_SIZE_LF;
    return byte_is_control(c) && c != '\t' ? refuse(b, "control byte in a chunk extension") : STATE_EXTENSION;
}

static uint8_t size_end(struct http_body *b, char c)
{
    if (c != '\n')
        return refuse(b, "CR without LF");
    b->digits = 0;
    return b->left ? STATE_CHUNK : STATE_LINE;
}

static uint8_t trailer(struct http_body *b, char c)
{
    if (b->state == STATE_LINE && c == '\r')
        return STATE_END_LF;
    if (++b->trailers > HTTP_TRAILER_BYTES_MAX)
        return refuse(b, "trailers too long");
    if (b->state == STATE_VALUE) {
        if (c == '\r')
            return STATE_VALUE_LF;
        return byte_is_control(c) && c != '\t' ? refuse(b, "control byte in a trailer") : STATE_VALUE;
    }
    if (c == ':' && b->state == STATE_NAME)
        return STATE_VALUE;
    return http_is_token(c) ? STATE_NAME : refuse(b, "bad trailer name");
}

static uint8_t expect(struct http_body *b, char c, char wanted, enum state next)
{
    return c == wanted ? (uint8_t)next : refuse(b, "bad end of a chunk");
}

/* What frames the data, byte by byte. */
static uint8_t step(struct http_body *b, char c)
{
    switch ((enum state)b->state) {
    case STATE_SIZE:
        return size(b, c);
    case STATE_SIZE_BLANK:
    case STATE_EXTENSION:
        return extension(b, c);
    case STATE_SIZE_LF:
        return size_end(b, c);
    case STATE_CHUNK_CR:
        return expect(b, c, '\r', STATE_CHUNK_LF);
    case STATE_CHUNK_LF:
        return expect(b, c, '\n', STATE_SIZE);
    case STATE_LINE:
    case STATE_NAME:
    case STATE_VALUE:
        return trailer(b, c);
    case STATE_VALUE_LF:
        return expect(b, c, '\n', STATE_LINE);
    case STATE_END_LF:
        return expect(b, c, '\n', STATE_WHOLE);
    case STATE_LENGTH:
    case STATE_CHUNK:
    case STATE_WHOLE:
    case STATE_REFUSED:
        break;
    }
    return b->state;
}

static enum http_body_answer take_data(struct http_body *b, struct slice *input, struct slice *ret_data)
{
    struct slice data = slice_first(*input, b->left < input->len ? (size_t)b->left : input->len);
    *input = slice_from(*input, data.len);
    b->left -= data.len;
    if (b->left == 0)
        b->state = b->state == STATE_LENGTH ? STATE_WHOLE : STATE_CHUNK_CR;
    *ret_data = data;
    return HTTP_BODY_DATA;
}

enum http_body_answer http_body_next(struct http_body *b, struct slice *input, struct slice *ret_data)
{
    for (;;) {
        if (b->state == STATE_WHOLE)
            return HTTP_BODY_WHOLE;
        if (b->state == STATE_REFUSED)
            return HTTP_BODY_REFUSED;
        if (input->len == 0)
            return HTTP_BODY_MORE;
        if (b->state == STATE_LENGTH || b->state == STATE_CHUNK)
            return take_data(b, input, ret_data);
        b->state = step(b, input->ptr[0]);
        *input = slice_from(*input, 1);
    }
}
