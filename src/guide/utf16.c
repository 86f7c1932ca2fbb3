#include "guide/utf16.h"

static bool is_big(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\xfe\xff"));
}

bool utf16_is(struct slice bytes)
{
    return is_big(bytes) || slice_starts(bytes, SLICE("\xff\xfe"));
}

static uint32_t unit_at(struct slice bytes, size_t at, bool big)
{
    uint8_t first = (uint8_t)bytes.ptr[at], second = (uint8_t)bytes.ptr[at + 1];
    return big ? (uint32_t)(first << 8 | second) : (uint32_t)(second << 8 | first);
}

static size_t put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t extra = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    out[0] = (char)(lead[extra] | c >> (6 * extra));
    for (size_t i = 1; i <= extra; i++)
        out[i] = (char)(0x80 | (c >> (6 * (extra - i)) & 0x3f));
    return extra + 1;
}

bool utf16_to_utf8(struct slice bytes, struct arena *arena, struct slice *ret_text)
{
    bool big = is_big(bytes);
    size_t len = 0, at = 2;
    /* A unit takes three bytes at most; a pair takes four for two. */
    char *out = arena_alloc(arena, bytes.len / 2 * 3 + 1);
    if (!out)
        return false;
    while (at + 1 < bytes.len) {
        uint32_t c = unit_at(bytes, at, big), low = 0;
        at += 2;
        if (c >= 0xd800 && c < 0xdc00 && at + 1 < bytes.len)
            low = unit_at(bytes, at, big);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 2;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        len += put(out + len, c);
    }
    *ret_text = slice_of(out, len);
    return true;
}
