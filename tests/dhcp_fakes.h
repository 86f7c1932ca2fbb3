/* A DHCP client on a fake wire with a manual clock: what it sends lies in a list, what servers answer flies for as long
 * as the test says, is lost or doubled by seed. */
#ifndef DIALTONE_TESTS_DHCP_FAKES_H
#define DIALTONE_TESTS_DHCP_FAKES_H

#include "tests/unit/test.h"

#include "phone/dhcp.h"
#include "proto/dhcp6.h"

#include <arpa/inet.h>

#define SENT_MAX 2000
#define FLIGHTS_MAX 256
#define MESSAGE_BYTES 4096

struct sent {
    uint64_t at_ms;
    bool v6;
    struct dhcp4_target to;
    struct dhcp4_message m; /* borrows from bytes */
    struct dhcp6_message m6;
    size_t len;
    char bytes[DHCP4_BYTES_MAX];
};

struct flight {
    bool used, v6;
    uint64_t at_ms;
    size_t len;
    uint32_t from;
    char bytes[MESSAGE_BYTES];
};

struct net {
    struct dhcp_wire wire; /* first */
    struct manual_clock clock;
    struct loop loop;
    struct dhcp_client *client;
    struct dhcp_options options;
    /* What the test decides: called for each message that reaches the servers. */
    void (*serve)(struct net *n, const struct sent *s);
    unsigned loss, doubles; /* in a hundred */
    uint64_t delay_ms, jitter_ms, random;
    /* What happened. */
    struct sent sent[SENT_MAX];
    size_t sent_count;
    struct flight flight[FLIGHTS_MAX];
    unsigned configured, removed, done;
    struct dhcp4_lease lease;
    bool closed, answered; /* answered: `done` came with a winner */
    uint64_t done_ms;
    const struct dhcp_result *result;
};

static const struct mac fake_mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
enum { FAKE_SERVER = 0x0a000001, FAKE_OTHER = 0x0a000002, FAKE_ADDRESS = 0x0a000039 };

static inline uint64_t fake_draw(struct net *n)
{
    uint64_t z = n->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline struct net *net_of(struct dhcp_wire *w)
{
    return (struct net *)w;
}

static inline bool fake_lost(struct net *n)
{
    return fake_draw(n) % 100 < n->loss;
}

static inline struct sent *fake_sent(struct net *n, bool v6, struct slice message)
{
    assert_true(n->sent_count < SENT_MAX && message.len <= DHCP4_BYTES_MAX && !n->closed);
    struct sent *s = &n->sent[n->sent_count++];
    *s = (struct sent){ .at_ms = n->clock.now_ms, .v6 = v6, .len = message.len };
    memcpy(s->bytes, message.ptr, message.len);
    if (v6)
        assert_true(dhcp6_parse(slice_of(s->bytes, s->len), &s->m6));
    else
        assert_int_equal(dhcp4_parse(slice_of(s->bytes, s->len), &s->m), DHCP4_FINE);
    return s;
}

static inline int fake_send4(struct dhcp_wire *w, const struct dhcp4_target *to, struct slice message)
{
    struct net *n = net_of(w);
    struct sent *s = fake_sent(n, false, message);
    s->to = *to;
    if (n->serve && !fake_lost(n))
        n->serve(n, s);
    return 0;
}

static inline int fake_send6(struct dhcp_wire *w, struct slice message)
{
    struct net *n = net_of(w);
    struct sent *s = fake_sent(n, true, message);
    if (n->serve && !fake_lost(n))
        n->serve(n, s);
    return 0;
}

static inline int fake_configure(struct dhcp_wire *w, const struct dhcp4_lease *lease)
{
    struct net *n = net_of(w);
    n->configured += lease != NULL;
    n->removed += lease == NULL;
    n->lease = lease ? *lease : (struct dhcp4_lease){ 0 };
    return 0;
}

static inline void fake_close(struct dhcp_wire *w)
{
    net_of(w)->closed = true;
}

static inline void fake_done(void *context, const struct dhcp_result *result)
{
    struct net *n = context;
    n->done++;
    n->done_ms = n->clock.now_ms;
    n->result = result;
    n->answered = result->winner != NULL;
}

/* A server's bytes take off. */
static inline void fake_fly(struct net *n, bool v6, uint32_t from, struct slice bytes)
{
    unsigned copies = fake_draw(n) % 100 < n->doubles ? 2 : 1;
    assert_true(bytes.len <= MESSAGE_BYTES);
    while (copies--) {
        size_t i = 0;
        if (fake_lost(n))
            continue;
        while (i < FLIGHTS_MAX && n->flight[i].used)
            i++;
        assert_true(i < FLIGHTS_MAX);
        uint64_t jitter_ms = n->jitter_ms ? fake_draw(n) % n->jitter_ms : 0;
        n->flight[i] = (struct flight){ true, v6, n->clock.now_ms + n->delay_ms + jitter_ms, bytes.len, from, { 0 } };
        memcpy(n->flight[i].bytes, bytes.ptr, bytes.len);
    }
}

/* The head of an answer; options follow, then fake_answer(). */
static inline void fake_begin(struct buf *out, const struct sent *s, enum dhcp4_type type, uint32_t server,
                              uint32_t address)
{
    struct dhcp4_message m = { .reply = true, .type = type, .xid = s->m.xid, .yiaddr = address };
    memcpy(m.chaddr, s->m.chaddr, sizeof m.chaddr);
    dhcp4_put_header(out, &m);
    dhcp4_put_u32(out, DHCP4_SERVER_ID, server);
    if (address) {
        dhcp4_put_u32(out, DHCP4_MASK, 0xffffff00);
        dhcp4_put_u32(out, DHCP4_ROUTERS, 0x0a0000fe);
        dhcp4_put_u32(out, DHCP4_LEASE_TIME, 600);
    }
}

static inline void fake_answer(struct net *n, struct buf *out, uint32_t from)
{
    dhcp4_put_end(out);
    assert_true(buf_ok(out));
    fake_fly(n, false, from, buf_slice(out));
}

/* What a plain server does with this message; `url` in option 66, NULL: none. */
static inline void fake_serve(struct net *n, const struct sent *s, uint32_t server, uint32_t address, const char *url)
{
    char bytes[MESSAGE_BYTES];
    struct buf out = BUF_ON(bytes);
    uint32_t chosen = server;
    bool request = s->m.type == DHCP4_REQUEST, inform = s->m.type == DHCP4_INFORM;
    dhcp4_u32(&s->m, DHCP4_SERVER_ID, &chosen);
    if (s->v6 || chosen != server || (s->to.to != UINT32_MAX && s->to.to != server))
        return;
    fake_begin(&out, s, request || inform ? DHCP4_ACK : DHCP4_OFFER, server, inform ? 0 : address);
    if (url)
        dhcp4_put_option(&out, DHCP4_TFTP_SERVER, slice_str(url));
    fake_answer(n, &out, server);
}

static inline void fake_land(struct net *n)
{
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct flight *f = &n->flight[i];
        if (!f->used || f->at_ms > n->clock.now_ms || n->closed)
            continue;
        union address from = { .v4 = { .sin_family = AF_INET, .sin_port = htons(67), .sin_addr.s_addr = htonl(f->from) } };
        if (f->v6)
            from = (union address){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(547) } };
        f->used = false;
        n->wire.received(&n->wire, f->v6, &from, slice_of(f->bytes, f->len));
    }
}

/* Lets this much time pass, in steps of a timer's tick. */
static inline void fake_run(struct net *n, uint64_t ms)
{
    for (uint64_t end_ms = n->clock.now_ms + ms; n->clock.now_ms < end_ms;) {
        manual_clock_advance(&n->clock, WHEEL_TICK_MS);
        n->loop.now_ms = n->clock.now_ms;
        fake_land(n);
        wheel_advance(&n->loop.wheel, n->loop.now_ms);
    }
}

static inline struct net *fake_open(enum dhcp_mode mode, uint64_t seed)
{
    struct net *n = calloc(1, sizeof *n);
    assert_non_null(n);
    manual_clock_init(&n->clock, 0);
    n->random = seed;
    n->loop = (struct loop){ .clock = &n->clock.clock, .now_ms = n->clock.now_ms };
    wheel_init(&n->loop.wheel, n->loop.now_ms);
    n->wire = (struct dhcp_wire){ .send4 = fake_send4, .send6 = fake_send6, .configure = fake_configure,
                                  .close = fake_close };
    n->options = (struct dhcp_options){ .mode = mode, .v4 = true, .mac = fake_mac, .vendor_class = SLICE("yealink"),
                                        .wait_ms = 30000, .seed = seed + 1, .wire = &n->wire };
    memcpy(n->options.interface.mac, fake_mac.bytes, sizeof fake_mac.bytes);
    return n;
}

static inline void fake_start(struct net *n)
{
    assert_int_equal(dhcp_client_start(&n->loop, &n->options, fake_done, n, &n->client), 0);
}

static inline void fake_free(struct net *n)
{
    dhcp_client_stop(n->client);
    assert_true(n->closed || !n->client);
    assert_int_equal(n->loop.wheel.running, 0);
    free(n);
}

/* How many messages of this type the client sent. */
static inline size_t fake_count(const struct net *n, enum dhcp4_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < n->sent_count; i++)
        count += !n->sent[i].v6 && n->sent[i].m.type == type;
    return count;
}

static inline const struct sent *fake_first(const struct net *n, enum dhcp4_type type)
{
    for (size_t i = 0; i < n->sent_count; i++)
        if (!n->sent[i].v6 && n->sent[i].m.type == type)
            return &n->sent[i];
    fail_msg("no %s was sent", dhcp4_type_name(type));
    return NULL;
}

#endif
