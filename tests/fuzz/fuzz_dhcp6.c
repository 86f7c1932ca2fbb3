/* proto/dhcp6.h: any datagram; what was read is built again and is the same bytes. */
#include "fuzz.h"

#include "proto/dhcp6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char bytes[70000];
    struct slice datagram = slice_of(data, size), value;
    struct dhcp6_message m;
    struct buf out = BUF_ON(bytes);
    size_t total = 0;
    uint16_t code;
    if (!dhcp6_parse(datagram, &m) || size > sizeof bytes)
        return 0;
    MUST(m.type && m.xid <= 0xffffff);
    dhcp6_put_header(&out, m.type, m.xid);
    struct slice rest = m.options;
    while (dhcp6_next(&rest, &code, &value)) {
        MUST(value.len == 0 || (value.ptr >= datagram.ptr && value.ptr + value.len <= datagram.ptr + datagram.len));
        struct slice first;
        MUST(dhcp6_value(&m, code, &first) && dhcp6_count(&m, code) > 0);
        dhcp6_put_option(&out, code, value);
        /* Quadratic otherwise. */
        if (++total == 64)
            break;
    }
    MUST(buf_ok(&out));
    MUST(total == 64 || slice_eq(buf_slice(&out), datagram));
    dhcp6_status(&m);
    return 0;
}
