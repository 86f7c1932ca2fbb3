#include "base/cursor.h"

struct slice cursor_bytes(struct cursor *c, size_t len)
{
    if (c->failed || len > c->rest.len) {
        c->failed = true;
        c->rest = SLICE_NONE;
        return SLICE_NONE;
    }
    struct slice bytes = slice_first(c->rest, len);
    c->rest = slice_from(c->rest, len);
    return bytes;
}

static uint32_t big_endian(struct cursor *c, size_t len)
{
    struct slice bytes = cursor_bytes(c, len);
    uint32_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (unsigned char)bytes.ptr[i];
    return value;
}

uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)big_endian(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
    return (uint16_t)big_endian(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
    return big_endian(c, 4);
}

struct slice cursor_zstring(struct cursor *c)
{
    size_t len = slice_find(c->rest, '\0');
    if (len == c->rest.len)
        c->failed = true;
    struct slice text = cursor_bytes(c, len);
    cursor_bytes(c, 1);
    return text;
}
