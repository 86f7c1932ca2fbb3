#include "proto/udp4.h"

#include "base/cursor.h"

enum { IP_BYTES = 20, UDP_BYTES = 8, PROTOCOL_UDP = 17, TTL = 64 };
#define FRAGMENT_BITS 0x3fffu /* more fragments, and the offset */

/* RFC 1071: the sum of 16-bit words, not yet folded. An odd last byte is the high half of a word. */
static uint32_t add_words(uint32_t sum, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint32_t byte = (unsigned char)bytes.ptr[i];
        sum += i % 2 ? byte : byte << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

static uint16_t udp_sum(const struct udp4 *d, struct slice udp)
{
    uint32_t sum = (d->from >> 16) + (d->from & 0xffff) + (d->to >> 16) + (d->to & 0xffff);
    return fold(add_words(sum + PROTOCOL_UDP + (uint32_t)udp.len, udp));
}

static bool parse_udp(struct slice udp, bool summed, struct udp4 *d)
{
    struct cursor c = cursor_on(udp);
    d->from_port = cursor_u16(&c);
    d->to_port = cursor_u16(&c);
    uint16_t len = cursor_u16(&c), sum = cursor_u16(&c);
    if (!cursor_ok(&c) || len < UDP_BYTES || len > udp.len)
        return false;
    d->payload = slice_from(slice_first(udp, len), UDP_BYTES);
    /* 0: the sender made none. */
    return !summed || sum == 0 || udp_sum(d, slice_first(udp, len)) == 0xffff;
}

bool udp4_parse(struct slice packet, bool summed, struct udp4 *ret_datagram)
{
    struct udp4 d;
    struct cursor c = cursor_on(packet);
    uint8_t first = cursor_u8(&c);
    size_t header = (size_t)(first & 15) * 4;
    cursor_u8(&c); /* type of service */
    uint16_t total = cursor_u16(&c);
    cursor_u16(&c); /* identification */
    uint16_t fragment = cursor_u16(&c);
    cursor_u8(&c); /* time to live */
    uint8_t protocol = cursor_u8(&c);
    cursor_u16(&c); /* checksum: over the header as a whole */
    d.from = cursor_u32(&c);
    d.to = cursor_u32(&c);
    if (!cursor_ok(&c) || first >> 4 != 4 || header < IP_BYTES || total < header || total > packet.len ||
        fragment & FRAGMENT_BITS || protocol != PROTOCOL_UDP ||
        fold(add_words(0, slice_first(packet, header))) != 0xffff)
        return false;
    if (!parse_udp(slice_from(slice_first(packet, total), header), summed, &d))
        return false;
    *ret_datagram = d;
    return true;
}

static void set_u16(char *at, uint16_t value)
{
    at[0] = (char)(value >> 8);
    at[1] = (char)value;
}

void udp4_put(struct buf *out, const struct udp4 *d)
{
    size_t start = out->len, udp_bytes = UDP_BYTES + d->payload.len;
    if (udp_bytes > UINT16_MAX - IP_BYTES) {
        out->full = true;
        return;
    }
    buf_u16(out, 0x4500);
    buf_u16(out, (uint16_t)(IP_BYTES + udp_bytes));
    buf_u32(out, 0x4000); /* identification 0, do not fragment */
    buf_u16(out, TTL << 8 | PROTOCOL_UDP);
    buf_u16(out, 0);
    buf_u32(out, d->from);
    buf_u32(out, d->to);
    buf_u16(out, d->from_port);
    buf_u16(out, d->to_port);
    buf_u16(out, (uint16_t)udp_bytes);
    buf_u16(out, 0);
    buf_text(out, d->payload);
    if (!buf_ok(out))
        return;
    uint16_t ip = (uint16_t)~fold(add_words(0, slice_of(out->ptr + start, IP_BYTES)));
    uint16_t udp = (uint16_t)~udp_sum(d, slice_of(out->ptr + start + IP_BYTES, udp_bytes));
    set_u16(out->ptr + start + 10, ip);
    set_u16(out->ptr + start + IP_BYTES + 6, udp ? udp : 0xffff);
}
