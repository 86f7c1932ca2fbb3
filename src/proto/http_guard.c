#include "proto/http_request.h"

enum state {
    STATE_START,    /* an empty line may precede a request (RFC 9112 2.2) */
    STATE_START_LF, /* its CR was seen */
    STATE_METHOD,
    STATE_TARGET,
    STATE_VERSION,
    STATE_REQUEST_LF,
    STATE_LINE, /* at the first byte of a header line */
    STATE_NAME,
    STATE_VALUE,
    STATE_VALUE_LF,
    STATE_END_LF,
    STATE_REFUSED
};

/* RFC 9110 5.6.2: tchar. */
static const bool token[256] = {
    ['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,
    ['-'] = true,         ['.'] = true,          ['0' ... '9'] = true, ['A' ... 'Z'] = true,
    ['^' ... 'z'] = true, ['|'] = true,          ['~'] = true,
};

bool http_is_token(char c)
{
    return token[(unsigned char)c];
}

static uint8_t refuse(struct http_guard *g, uint16_t status, const char *reason)
{
    g->status = status;
    g->reason = reason;
    return STATE_REFUSED;
}

static uint8_t start(struct http_guard *g, char c)
{
    if (c == '\r' && g->at == 1)
        return STATE_START_LF;
    if (!token[(unsigned char)c])
        return refuse(g, 400, "no request line");
    g->method_len = 1;
    return STATE_METHOD;
}

static uint8_t method(struct http_guard *g, char c)
{
    if (c == ' ')
        return STATE_TARGET;
    if (!token[(unsigned char)c])
        return refuse(g, 400, "bad method");
    if (++g->method_len > HTTP_METHOD_BYTES_MAX)
        return refuse(g, 501, "method too long");
    return STATE_METHOD;
}

static uint8_t target(struct http_guard *g, char c)
{
    if (c == ' ')
        return g->target_len ? STATE_VERSION : refuse(g, 400, "no target");
    if (byte_is_control(c))
        return refuse(g, 400, "control byte in the target, or no version");
    if (++g->target_len > HTTP_TARGET_BYTES_MAX)
        return refuse(g, 414, "target too long");
    return STATE_TARGET;
}

static uint8_t version(struct http_guard *g, char c)
{
    static const char shape[] = "HTTP/0.0";
    if (g->version_at == sizeof shape - 1) {
        if (c != '\r')
            return refuse(g, 400, "bad version");
        bool served = g->major == '1' && (g->minor == '0' || g->minor == '1');
        return served ? STATE_REQUEST_LF : refuse(g, 505, "version not served");
    }
    char wanted = shape[g->version_at++];
    if (wanted == '0' ? !byte_is_digit(c) : c != wanted)
        return refuse(g, 400, "bad version");
    if (wanted == '0')
        *(g->major ? &g->minor : &g->major) = c;
    return STATE_VERSION;
}

static uint8_t line(struct http_guard *g, char c)
{
    if (c == '\r')
        return STATE_END_LF;
    if (c == ' ' || c == '\t')
        return refuse(g, 400, "folded header line");
    if (!token[(unsigned char)c])
        return refuse(g, 400, "bad header name");
    if (++g->fields > HTTP_FIELDS_MAX)
        return refuse(g, 431, "too many header lines");
    return STATE_NAME;
}

static uint8_t name(struct http_guard *g, char c)
{
    if (c == ':')
        return STATE_VALUE;
    return token[(unsigned char)c] ? STATE_NAME : refuse(g, 400, "bad header name");
}

static uint8_t value(struct http_guard *g, char c)
{
    if (c == '\r')
        return STATE_VALUE_LF;
    return byte_is_control(c) && c != '\t' ? refuse(g, 400, "control byte in a header") : STATE_VALUE;
}

static uint8_t line_feed(struct http_guard *g, char c, enum state next)
{
    return c == '\n' ? (uint8_t)next : refuse(g, 400, "CR without LF");
}

static uint8_t step(struct http_guard *g, char c)
{
    switch ((enum state)g->state) {
    case STATE_START:
        return start(g, c);
    case STATE_START_LF:
        return line_feed(g, c, STATE_START);
    case STATE_METHOD:
        return method(g, c);
    case STATE_TARGET:
        return target(g, c);
    case STATE_VERSION:
        return version(g, c);
    case STATE_REQUEST_LF:
    case STATE_VALUE_LF:
        return line_feed(g, c, STATE_LINE);
    case STATE_LINE:
        return line(g, c);
    case STATE_NAME:
        return name(g, c);
    case STATE_VALUE:
        return value(g, c);
    case STATE_END_LF:
    case STATE_REFUSED:
        break;
    }
    return refuse(g, 400, "CR without LF");
}

/* True when one of these eight bytes is a control byte: below 0x20, or 0x7f. */
static bool has_control(const char *at)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones * 128;
    uint64_t x, delete;
    memcpy(&x, at, sizeof x);
    delete = x ^ ones * 0x7f;
    return (((x - ones * 0x20) & ~x) | ((delete - ones) & ~delete)) & tops;
}

static size_t skip_value(const char *text, size_t at, size_t end)
{
    while (end - at >= 8 && !has_control(text + at))
        at += 8;
    while (at < end && !byte_is_control(text[at]))
        at++;
    return at;
}

static size_t skip_target(struct http_guard *g, const char *text, size_t at, size_t end)
{
    size_t from = at, room = (size_t)HTTP_TARGET_BYTES_MAX - g->target_len;
    if (end - at > room)
        end = at + room;
    while (at < end && text[at] != ' ' && !byte_is_control(text[at]))
        at++;
    g->target_len = (uint16_t)(g->target_len + (at - from));
    return at;
}

/* The version that everybody has. */
static size_t skip_version(struct http_guard *g, const char *text, size_t at, size_t end)
{
    if (g->version_at || end - at < 9 || memcmp(text + at, "HTTP/1.1\r", 9) != 0)
        return at;
    g->version_at = 8;
    g->major = g->minor = '1';
    g->state = STATE_REQUEST_LF;
    return at + 9;
}

static size_t skip_name(struct http_guard *g, const char *text, size_t at, size_t end)
{
    while (at < end && token[(unsigned char)text[at]])
        at++;
    if (at == end || text[at] != ':')
        return at;
    g->state = STATE_VALUE;
    return at + 1;
}

/* Most of a head is names, values and the target: seen here in one go, with the same outcome as byte by byte. */
static void skip(struct http_guard *g, struct slice head)
{
    size_t end = head.len < HTTP_HEAD_BYTES_MAX ? head.len : HTTP_HEAD_BYTES_MAX, at = g->at;
    if (g->state == STATE_NAME)
        at = skip_name(g, head.ptr, at, end);
    if (g->state == STATE_VALUE) {
        at = skip_value(head.ptr, at, end);
        if (end - at >= 2 && head.ptr[at] == '\r' && head.ptr[at + 1] == '\n') {
            g->state = STATE_LINE;
            at += 2;
        }
    } else if (g->state == STATE_TARGET) {
        at = skip_target(g, head.ptr, at, end);
    } else if (g->state == STATE_VERSION) {
        at = skip_version(g, head.ptr, at, end);
    }
    g->at = (uint16_t)at;
}

enum http_guard_answer http_guard(struct http_guard *g, struct slice head)
{
    while (g->state != STATE_REFUSED) {
        if (g->state == STATE_VALUE || g->state == STATE_NAME || g->state == STATE_TARGET || g->state == STATE_VERSION)
            skip(g, head);
        if (g->at == HTTP_HEAD_BYTES_MAX) {
            g->state = refuse(g, 431, "request head too long");
            break;
        }
        if (g->at >= head.len)
            return HTTP_GUARD_MORE;
        char c = head.ptr[g->at];
        g->at++;
        if (g->state == STATE_END_LF && c == '\n')
            return HTTP_GUARD_WHOLE;
        g->state = step(g, c);
    }
    return HTTP_GUARD_REFUSED;
}
