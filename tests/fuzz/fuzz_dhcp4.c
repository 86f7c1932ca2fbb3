/* proto/dhcp4.h: any datagram; what was read is built again and reads back the same. */
#include "fuzz.h"

#include "proto/dhcp4.h"

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_options(const struct dhcp4_message *m, struct slice datagram, struct buf *again)
{
    struct dhcp4_walk walk = dhcp4_walk(m);
    struct slice value;
    size_t steps = 0;
    uint8_t code;
    while (dhcp4_next(&walk, &code, &value)) {
        MUST(code != DHCP4_PAD && code != DHCP4_END);
        MUST(within(value, datagram) && value.len <= 255);
        MUST(++steps <= datagram.len);
        if (code != DHCP4_TYPE && code != DHCP4_OVERLOAD)
            dhcp4_put_option(again, code, value);
    }
}

static void check_same(const struct dhcp4_message *m, const struct dhcp4_message *again)
{
    static char one[70000], two[70000];
    for (unsigned code = 1; code < 255; code++) {
        struct buf a = BUF_ON(one), b = BUF_ON(two);
        uint32_t x = 0, y = 0;
        if (code == DHCP4_TYPE || code == DHCP4_OVERLOAD)
            continue;
        MUST(dhcp4_value(m, (uint8_t)code, &a) == dhcp4_value(again, (uint8_t)code, &b));
        MUST(buf_ok(&a) && slice_eq(buf_slice(&a), buf_slice(&b)));
        MUST(dhcp4_count(m, (uint8_t)code) == dhcp4_count(again, (uint8_t)code));
        MUST(dhcp4_u32(m, (uint8_t)code, &x) == dhcp4_u32(again, (uint8_t)code, &y) && x == y);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char bytes[70000];
    struct slice datagram = slice_of(data, size);
    struct dhcp4_message m = { 0 }, again;
    enum dhcp4_fault fault = dhcp4_parse(datagram, &m);
    MUST(dhcp4_fault_words(fault)[0] != '?');
    if (fault != DHCP4_FINE || size > 60000)
        return 0;
    MUST(dhcp4_type_name(m.type)[0] != '?');
    struct buf out = BUF_ON(bytes);
    dhcp4_put_header(&out, &m);
    check_options(&m, datagram, &out);
    dhcp4_put_end(&out);
    MUST(buf_ok(&out) && dhcp4_parse(buf_slice(&out), &again) == DHCP4_FINE);
    MUST(again.xid == m.xid && again.type == m.type && again.yiaddr == m.yiaddr && again.reply == m.reply);
    check_same(&m, &again);
    return 0;
}
