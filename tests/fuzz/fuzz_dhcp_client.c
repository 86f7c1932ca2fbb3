/* phone/dhcp.h: servers that say anything, at any time, with the right xid and MAC address. An input is a row of
 * messages: a byte for the time that passes before it, a byte for what it is, two for its length, its bytes. */
#include "fuzz.h"

#include "phone/dhcp.h"
#include "proto/dhcp6.h"

#include <netinet/in.h>

static struct {
    struct dhcp_wire wire;
    struct manual_clock clock;
    struct loop loop;
    uint32_t xid4, xid6;
    unsigned done, sent, requests;
    bool closed;
} net;

static int send4(struct dhcp_wire *w, const struct dhcp4_target *to, struct slice message)
{
    struct dhcp4_message m;
    (void)w;
    (void)to;
    MUST(dhcp4_parse(message, &m) == DHCP4_FINE && !m.reply && message.len >= DHCP4_BYTES_MIN);
    net.xid4 = m.xid;
    net.sent++;
    net.requests += m.type == DHCP4_REQUEST;
    return 0;
}

static int send6(struct dhcp_wire *w, struct slice message)
{
    struct dhcp6_message m;
    (void)w;
    MUST(dhcp6_parse(message, &m) && m.type == DHCP6_INFORMATION_REQUEST);
    net.xid6 = m.xid;
    net.sent++;
    return 0;
}

static int configure(struct dhcp_wire *w, const struct dhcp4_lease *lease)
{
    (void)w;
    MUST(!lease || (lease->address >> 24 != 0 && lease->address >> 24 != 127 && lease->address >> 24 < 224));
    MUST(!lease || lease->mask);
    return 0;
}

static void close_wire(struct dhcp_wire *w)
{
    (void)w;
    net.closed = true;
}

static void on_done(void *context, const struct dhcp_result *result)
{
    (void)context;
    net.done++;
    MUST(result->count <= DHCP_ANSWERS_MAX);
    MUST(!result->winner || result->winner->winner->usable);
}

static void pass(uint64_t ms)
{
    manual_clock_advance(&net.clock, ms);
    net.loop.now_ms = net.clock.now_ms;
    wheel_advance(&net.loop.wheel, net.loop.now_ms);
}

/* The header is made right, so that what follows is looked at. */
static void say(uint8_t kind, struct slice bytes, const struct mac *mac)
{
    static char room[4096];
    struct buf out = BUF_ON(room);
    union address from = { .v4 = { .sin_family = AF_INET, .sin_port = htons(67), .sin_addr.s_addr = htonl(0x0a000001) } };
    struct dhcp4_message m = { .reply = true, .type = (enum dhcp4_type)(kind % 8 + 1), .xid = net.xid4,
                               .yiaddr = 0x0a000039 };
    memcpy(m.chaddr, mac->bytes, sizeof m.chaddr);
    if (kind & 0x80) {
        dhcp6_put_header(&out, DHCP6_REPLY, net.xid6);
        dhcp6_put_option(&out, DHCP6_SERVER_ID, SLICE("\0\3\0\1x"));
        from = (union address){ .v6 = { .sin6_family = AF_INET6 } };
    } else {
        dhcp4_put_header(&out, &m);
        if (kind & 0x40) {
            dhcp4_put_u32(&out, DHCP4_SERVER_ID, 0x0a000001);
            dhcp4_put_u32(&out, DHCP4_LEASE_TIME, 600);
        }
    }
    buf_text(&out, slice_first(bytes, 2048));
    net.wire.received(&net.wire, kind & 0x80, &from, buf_slice(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dhcp_options options = { .v4 = true, .v6 = true, .mac = { { 0, 0x15, 0x65, 1, 2, 3 } }, .seed = 7,
                                    .vendor_class = SLICE("yealink"), .custom4 = { { 128 }, 1 }, .wire = &net.wire };
    struct slice rest = slice_of(data, size);
    struct dhcp_client *client;
    memset(&net, 0, sizeof net);
    manual_clock_init(&net.clock, 0);
    net.loop = (struct loop){ .clock = &net.clock.clock, .now_ms = net.clock.now_ms };
    wheel_init(&net.loop.wheel, net.loop.now_ms);
    net.wire = (struct dhcp_wire){ .send4 = send4, .send6 = send6, .configure = configure, .close = close_wire };
    options.mode = size && data[0] & 1 ? DHCP_LEASE : DHCP_PROBE;
    options.collect = size && data[0] & 2;
    memcpy(options.interface.mac, options.mac.bytes, sizeof options.mac.bytes);
    MUST(dhcp_client_start(&net.loop, &options, on_done, NULL, &client) == 0);
    pass(WHEEL_TICK_MS);
    while (rest.len > 4) {
        uint8_t wait = (uint8_t)rest.ptr[0], kind = (uint8_t)rest.ptr[1];
        size_t len = (size_t)(uint8_t)rest.ptr[2] << 8 | (uint8_t)rest.ptr[3];
        struct slice bytes = slice_first(slice_from(rest, 4), len);
        pass((uint64_t)wait * wait * 4);
        say(kind, bytes, &options.mac);
        rest = slice_from(rest, 4 + bytes.len);
    }
    for (int i = 0; i < 20; i++)
        pass(1000);
    MUST(net.done == 1);
    MUST(options.mode == DHCP_LEASE || net.requests == 0);
    /* No flood: at the most what the waits allow and an answer to each message. */
    MUST(net.sent <= 60 + size / 4);
    dhcp_client_stop(client);
    MUST(net.closed && net.loop.wheel.running == 0);
    return 0;
}
