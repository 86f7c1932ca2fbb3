#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

static char *claim(struct buf *b, size_t len)
{
    if (b->full || len > b->cap - b->len) {
        b->full = true;
        return NULL;
    }
    char *at = b->ptr + b->len;
    b->len += len;
    return at;
}

void buf_bytes(struct buf *b, const void *bytes, size_t len)
{
    char *at = claim(b, len);
    if (at && len)
        memcpy(at, bytes, len);
}

void buf_text(struct buf *b, struct slice text)
{
    buf_bytes(b, text.ptr, text.len);
}

void buf_str(struct buf *b, const char *text)
{
    buf_bytes(b, text, strlen(text));
}

void buf_byte(struct buf *b, char byte)
{
    char *at = claim(b, 1);
    if (at)
        *at = byte;
}

void buf_u16(struct buf *b, uint16_t value)
{
    unsigned char bytes[2] = { (unsigned char)(value >> 8), (unsigned char)value };
    buf_bytes(b, bytes, sizeof bytes);
}

void buf_u32(struct buf *b, uint32_t value)
{
    char bytes[4] = { (char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value };
    buf_bytes(b, bytes, sizeof bytes);
}

void buf_number(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_bytes(b, digits + at, sizeof digits - at);
}

void buf_format(struct buf *b, const char *format, ...)
{
    if (b->full)
        return;
    va_list args;
    va_start(args, format);
    size_t room = b->cap - b->len;
    int len = vsnprintf(b->ptr + b->len, room, format, args);
    va_end(args);
    /* vsnprintf wants a byte for its NUL, so a text that fills the room exactly counts as too long. */
    if (len < 0 || (size_t)len >= room)
        b->full = true;
    else
        b->len += (size_t)len;
}

size_t utf8_length(struct slice s)
{
    if (s.len == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    if (p[0] >= 0xf5 || len == 0 || s.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
    bool too_high = p[0] == 0xf4 && p[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : len;
}

void buf_escaped(struct buf *b, struct slice text)
{
    while (text.len) {
        size_t len = utf8_length(text);
        char c = text.ptr[0];
        /* U+0080..U+009F are controls too: a terminal obeys them. */
        bool c1 = len == 2 && (unsigned char)c == 0xc2 && (unsigned char)text.ptr[1] < 0xa0;
        if (len == 0 || byte_is_control(c) || c1 || c == '"' || c == '\\') {
            buf_format(b, "\\x%02x", (unsigned char)c);
            len = 1;
        } else {
            buf_bytes(b, text.ptr, len);
        }
        text = slice_from(text, len);
    }
}

bool buf_terminate(struct buf *b)
{
    if (b->cap == 0)
        return false;
    if (b->len == b->cap) {
        b->len--;
        b->full = true;
    }
    b->ptr[b->len] = '\0';
    return !b->full;
}
