#include "guide/mac.h"

enum { MAC_DIGITS = 12 };

/* The vendor's blocks that facts.md 8.2 lists; 00:15:77 stays out, it is doubtful there. */
static const uint32_t vendor_blocks[] = { 0x001565, 0x249ad8, 0x3497d7, 0x44dbd2, 0x644f56, 0x805e0c,
                                          0x805ec0, 0xb061a9, 0xc4fc22, 0xe434d7, 0xec1da9, 0xf01653 };

/* Digits between two separators: 2, 4, 6, or 12 where there is none; 0 when the text is no address. */
static size_t group_length(struct slice text)
{
    static const size_t groups[] = { 2, 4, 6, MAC_DIGITS };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (text.len == MAC_DIGITS + MAC_DIGITS / groups[i] - 1)
            return groups[i];
    return 0;
}

static bool is_separator(char c)
{
    return c == ':' || c == '-' || c == '.';
}

bool mac_parse(struct slice text, struct mac *ret_mac)
{
    struct mac mac = { { 0 } };
    size_t group = group_length(text);
    size_t digits = 0;
    if (group == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (i % (group + 1) == group) {
            if (!is_separator(text.ptr[i]) || text.ptr[i] != text.ptr[group])
                return false;
            continue;
        }
        int digit = byte_hex(text.ptr[i]);
        if (digit < 0)
            return false;
        mac.bytes[digits / 2] = (uint8_t)(mac.bytes[digits / 2] << 4 | digit);
        digits++;
    }
    *ret_mac = mac;
    return true;
}

void mac_print_bare(struct mac mac, struct buf *out)
{
    const uint8_t *b = mac.bytes;
    buf_format(out, "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

void mac_print_colons(struct mac mac, struct buf *out)
{
    const uint8_t *b = mac.bytes;
    buf_format(out, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

bool mac_eq(struct mac a, struct mac b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

bool mac_is_yealink(struct mac mac)
{
    uint32_t block = (uint32_t)mac.bytes[0] << 16 | (uint32_t)mac.bytes[1] << 8 | mac.bytes[2];
    for (size_t i = 0; i < sizeof vendor_blocks / sizeof *vendor_blocks; i++)
        if (vendor_blocks[i] == block)
            return true;
    return false;
}

const uint32_t *mac_yealink_blocks(size_t *ret_count)
{
    *ret_count = sizeof vendor_blocks / sizeof *vendor_blocks;
    return vendor_blocks;
}
