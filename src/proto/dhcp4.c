#include "proto/dhcp4.h"

#include "base/cursor.h"

#define COOKIE 0x63825363u
#define SNAME_BYTES 64
#define FILE_BYTES 128
#define PART_BYTES_MAX 255
enum { BOOT_REQUEST = 1, BOOT_REPLY = 2, HARDWARE_ETHERNET = 1, OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };
#define FLAG_BROADCAST 0x8000u

const char *dhcp4_type_name(enum dhcp4_type type)
{
    static const char *const names[] = { "?",       "DISCOVER", "OFFER", "REQUEST", "DECLINE",
                                         "ACK",     "NAK",      "RELEASE", "INFORM" };
    return (size_t)type < sizeof names / sizeof *names ? names[type] : names[0];
}

const char *dhcp4_fault_words(enum dhcp4_fault fault)
{
    switch (fault) {
    case DHCP4_FINE:
        return "fine";
    case DHCP4_TRUNCATED:
        return "truncated message";
    case DHCP4_NOT_DHCP:
        return "not DHCP";
    case DHCP4_NO_ETHERNET:
        return "not an Ethernet address";
    case DHCP4_NO_TYPE:
        return "no message type";
    }
    return "?";
}

struct dhcp4_walk dhcp4_walk(const struct dhcp4_message *m)
{
    return (struct dhcp4_walk){ .area = { m->options, m->overload_file ? m->file : SLICE_NONE,
                                          m->overload_sname ? m->sname : SLICE_NONE } };
}

/* The next one of this area; false at its end, which may come early. */
static bool next_of_area(struct slice *area, bool *cut, uint8_t *ret_code, struct slice *ret_value)
{
    struct cursor c = cursor_on(*area);
    uint8_t code = DHCP4_PAD;
    while (!cursor_at_end(&c) && code == DHCP4_PAD)
        code = cursor_u8(&c);
    *area = SLICE_NONE;
    if (code == DHCP4_PAD || code == DHCP4_END)
        return false;
    struct slice value = cursor_bytes(&c, cursor_u8(&c));
    if (!cursor_ok(&c)) {
        *cut = true;
        return false;
    }
    *area = c.rest;
    *ret_code = code;
    *ret_value = value;
    return true;
}

bool dhcp4_next(struct dhcp4_walk *walk, uint8_t *ret_code, struct slice *ret_value)
{
    for (; walk->at < sizeof walk->area / sizeof *walk->area; walk->at++)
        if (next_of_area(&walk->area[walk->at], &walk->cut, ret_code, ret_value))
            return true;
    return false;
}

static bool first_part(const struct dhcp4_message *m, uint8_t code, struct slice *ret_value)
{
    struct dhcp4_walk walk = dhcp4_walk(m);
    struct slice value;
    uint8_t found;
    while (dhcp4_next(&walk, &found, &value)) {
        if (found != code)
            continue;
        *ret_value = value;
        return true;
    }
    return false;
}

static bool first_u8(const struct dhcp4_message *m, uint8_t code, uint8_t *ret_value)
{
    struct slice value;
    if (!first_part(m, code, &value) || value.len != 1)
        return false;
    *ret_value = (uint8_t)value.ptr[0];
    return true;
}

bool dhcp4_u32(const struct dhcp4_message *m, uint8_t code, uint32_t *ret_value)
{
    struct slice value;
    if (!first_part(m, code, &value) || value.len != 4)
        return false;
    struct cursor c = cursor_on(value);
    *ret_value = cursor_u32(&c);
    return true;
}

bool dhcp4_first_address(const struct dhcp4_message *m, uint8_t code, uint32_t *ret_address)
{
    struct slice value;
    if (!first_part(m, code, &value) || value.len < 4 || value.len % 4 != 0)
        return false;
    struct cursor c = cursor_on(value);
    *ret_address = cursor_u32(&c);
    return true;
}

bool dhcp4_value(const struct dhcp4_message *m, uint8_t code, struct buf *out)
{
    struct dhcp4_walk walk = dhcp4_walk(m);
    struct slice value;
    bool there = false;
    uint8_t found;
    while (dhcp4_next(&walk, &found, &value)) {
        if (found != code)
            continue;
        buf_text(out, value);
        there = true;
    }
    return there;
}

size_t dhcp4_count(const struct dhcp4_message *m, uint8_t code)
{
    struct dhcp4_walk walk = dhcp4_walk(m);
    struct slice value;
    size_t count = 0;
    uint8_t found;
    while (dhcp4_next(&walk, &found, &value))
        count += found == code;
    return count;
}

static enum dhcp4_fault parse_fixed(struct cursor *c, struct dhcp4_message *m)
{
    uint8_t op = cursor_u8(c), hardware = cursor_u8(c), length = cursor_u8(c);
    cursor_u8(c); /* hops */
    m->xid = cursor_u32(c);
    m->secs = cursor_u16(c);
    m->broadcast = cursor_u16(c) & FLAG_BROADCAST;
    m->ciaddr = cursor_u32(c);
    m->yiaddr = cursor_u32(c);
    m->siaddr = cursor_u32(c);
    m->giaddr = cursor_u32(c);
    struct slice chaddr = cursor_bytes(c, 16);
    m->sname = cursor_bytes(c, SNAME_BYTES);
    m->file = cursor_bytes(c, FILE_BYTES);
    uint32_t cookie = cursor_u32(c);
    if (!cursor_ok(c))
        return DHCP4_TRUNCATED;
    if ((op != BOOT_REQUEST && op != BOOT_REPLY) || cookie != COOKIE)
        return DHCP4_NOT_DHCP;
    if (hardware != HARDWARE_ETHERNET || length != sizeof m->chaddr)
        return DHCP4_NO_ETHERNET;
    m->reply = op == BOOT_REPLY;
    memcpy(m->chaddr, chaddr.ptr, sizeof m->chaddr);
    return DHCP4_FINE;
}

enum dhcp4_fault dhcp4_parse(struct slice datagram, struct dhcp4_message *ret_message)
{
    struct dhcp4_message m = { 0 };
    struct cursor c = cursor_on(datagram);
    uint8_t overload = 0, type = 0;
    enum dhcp4_fault fault = parse_fixed(&c, &m);
    if (fault != DHCP4_FINE)
        return fault;
    m.options = c.rest;
    /* Looked for before the other areas count: only the options field may say it (RFC 2132 9.3). */
    if (first_u8(&m, DHCP4_OVERLOAD, &overload) && overload <= (OVERLOAD_FILE | OVERLOAD_SNAME)) {
        m.overload_file = overload & OVERLOAD_FILE;
        m.overload_sname = overload & OVERLOAD_SNAME;
    }
    if (!first_u8(&m, DHCP4_TYPE, &type) || type < DHCP4_DISCOVER || type > DHCP4_INFORM)
        return DHCP4_NO_TYPE;
    m.type = (enum dhcp4_type)type;
    *ret_message = m;
    return DHCP4_FINE;
}

static void put_zeros(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_byte(out, '\0');
}

void dhcp4_put_header(struct buf *out, const struct dhcp4_message *m)
{
    char type = (char)m->type;
    buf_byte(out, m->reply ? BOOT_REPLY : BOOT_REQUEST);
    buf_byte(out, HARDWARE_ETHERNET);
    buf_byte(out, sizeof m->chaddr);
    buf_byte(out, 0);
    buf_u32(out, m->xid);
    buf_u16(out, m->secs);
    buf_u16(out, m->broadcast ? FLAG_BROADCAST : 0);
    buf_u32(out, m->ciaddr);
    buf_u32(out, m->yiaddr);
    buf_u32(out, m->siaddr);
    buf_u32(out, m->giaddr);
    buf_bytes(out, m->chaddr, sizeof m->chaddr);
    put_zeros(out, 16 - sizeof m->chaddr + SNAME_BYTES + FILE_BYTES);
    buf_u32(out, COOKIE);
    dhcp4_put_option(out, DHCP4_TYPE, slice_of(&type, 1));
}

void dhcp4_put_option(struct buf *out, uint8_t code, struct slice value)
{
    do {
        struct slice part = slice_first(value, PART_BYTES_MAX);
        buf_byte(out, (char)code);
        buf_byte(out, (char)part.len);
        buf_text(out, part);
        value = slice_from(value, part.len);
    } while (value.len);
}

void dhcp4_put_u32(struct buf *out, uint8_t code, uint32_t value)
{
    buf_byte(out, (char)code);
    buf_byte(out, 4);
    buf_u32(out, value);
}

void dhcp4_put_end(struct buf *out)
{
    buf_byte(out, (char)DHCP4_END);
    if (out->len < DHCP4_BYTES_MIN)
        put_zeros(out, DHCP4_BYTES_MIN - out->len);
}
