#include "proto/dhcp6.h"

#include "base/cursor.h"

enum { RELAY_FORWARD = 12, RELAY_REPLY = 13, DUID_LL = 3, HARDWARE_ETHERNET = 1, MAC_BYTES = 6 };
#define XID_MASK 0xffffffu

static bool read_option(struct cursor *c, uint16_t *ret_code, struct slice *ret_value)
{
    uint16_t code = cursor_u16(c), len = cursor_u16(c);
    struct slice value = cursor_bytes(c, len);
    if (!cursor_ok(c))
        return false;
    *ret_code = code;
    *ret_value = value;
    return true;
}

bool dhcp6_parse(struct slice datagram, struct dhcp6_message *ret_message)
{
    struct cursor c = cursor_on(datagram);
    uint32_t first = cursor_u32(&c);
    struct dhcp6_message m = { (uint8_t)(first >> 24), first & XID_MASK, c.rest };
    struct slice value;
    uint16_t code;
    /* Relays have another header and never speak to a client. */
    if (!cursor_ok(&c) || m.type == 0 || m.type == RELAY_FORWARD || m.type == RELAY_REPLY)
        return false;
    while (!cursor_at_end(&c))
        if (!read_option(&c, &code, &value))
            return false;
    *ret_message = m;
    return true;
}

bool dhcp6_next(struct slice *rest, uint16_t *ret_code, struct slice *ret_value)
{
    struct cursor c = cursor_on(*rest);
    if (!read_option(&c, ret_code, ret_value))
        return false;
    *rest = c.rest;
    return true;
}

bool dhcp6_value(const struct dhcp6_message *m, uint16_t code, struct slice *ret_value)
{
    struct slice rest = m->options, value;
    uint16_t found;
    while (dhcp6_next(&rest, &found, &value)) {
        if (found != code)
            continue;
        *ret_value = value;
        return true;
    }
    return false;
}

size_t dhcp6_count(const struct dhcp6_message *m, uint16_t code)
{
    struct slice rest = m->options, value;
    size_t count = 0;
    uint16_t found;
    while (dhcp6_next(&rest, &found, &value))
        count += found == code;
    return count;
}

uint16_t dhcp6_status(const struct dhcp6_message *m)
{
    struct slice value;
    if (!dhcp6_value(m, DHCP6_STATUS, &value))
        return 0;
    struct cursor c = cursor_on(value);
    uint16_t status = cursor_u16(&c);
    /* One that is cut short says at least that something is wrong. */
    return cursor_ok(&c) ? status : UINT16_MAX;
}

void dhcp6_put_header(struct buf *out, uint8_t type, uint32_t xid)
{
    buf_u32(out, (uint32_t)type << 24 | (xid & XID_MASK));
}

static void put_head(struct buf *out, uint16_t code, size_t len)
{
    if (len > UINT16_MAX)
        out->full = true;
    buf_u16(out, code);
    buf_u16(out, (uint16_t)len);
}

void dhcp6_put_option(struct buf *out, uint16_t code, struct slice value)
{
    put_head(out, code, value.len);
    buf_text(out, value);
}

void dhcp6_put_client_id(struct buf *out, const uint8_t mac[6])
{
    put_head(out, DHCP6_CLIENT_ID, 4 + MAC_BYTES);
    buf_u16(out, DUID_LL);
    buf_u16(out, HARDWARE_ETHERNET);
    buf_bytes(out, mac, MAC_BYTES);
}

void dhcp6_put_elapsed(struct buf *out, uint64_t elapsed_ms)
{
    uint64_t hundredths = elapsed_ms / 10;
    put_head(out, DHCP6_ELAPSED, 2);
    buf_u16(out, hundredths < UINT16_MAX ? (uint16_t)hundredths : UINT16_MAX);
}

void dhcp6_put_requested(struct buf *out, const uint16_t *codes, size_t count)
{
    put_head(out, DHCP6_REQUESTED, 2 * count);
    for (size_t i = 0; i < count; i++)
        buf_u16(out, codes[i]);
}

void dhcp6_put_vendor_class(struct buf *out, uint32_t enterprise, struct slice text)
{
    put_head(out, DHCP6_VENDOR_CLASS, 4 + 2 + text.len);
    buf_u32(out, enterprise);
    buf_u16(out, (uint16_t)text.len);
    buf_text(out, text);
}
