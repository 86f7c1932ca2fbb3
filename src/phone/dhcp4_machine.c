#include "phone/dhcp4_machine.h"

#define NEVER UINT64_MAX
#define EVERYBODY UINT32_MAX
#define FOR_EVER UINT32_MAX
/* RFC 2131 4.1: 4 s, doubled up to 64 s, each give or take one. */
enum { FIRST_WAIT_MS = 4000, LAST_WAIT_MS = 64000, SPREAD_MS = 1000 };
/* RFC 2131 3.1: a server that offered and then says nothing is left after some 60 s. */
#define REQUEST_TRIES_MAX 4
/* RFC 2131 4.4.5: not more often than once a minute. A lease shorter than that would make us a flood. */
enum { RENEW_WAIT_MIN_MS = 60000, LEASE_MIN_S = 60 };

static uint64_t backoff_ms(const struct dhcp4_machine *m)
{
    uint64_t wait_ms = (uint64_t)FIRST_WAIT_MS << (m->tries < 5 ? m->tries : 4);
    if (wait_ms > LAST_WAIT_MS)
        wait_ms = LAST_WAIT_MS;
    return wait_ms - SPREAD_MS + m->setup.draw(m->setup.context) % (2 * SPREAD_MS + 1);
}

static void enter(struct dhcp4_machine *m, enum dhcp4_state state, uint64_t due_ms)
{
    m->state = state;
    m->tries = 0;
    m->due_ms = due_ms;
}

/* A new search with a new xid. */
static void search(struct dhcp4_machine *m, uint64_t now_ms, uint64_t due_ms)
{
    m->xid = m->setup.draw(m->setup.context);
    m->since_ms = now_ms;
    m->held = false;
    m->lease = (struct dhcp4_lease){ 0 };
    enter(m, m->setup.mode == DHCP_INFORM ? DHCP4_INFORMING : DHCP4_SELECTING, due_ms);
}

void dhcp4_machine_start(struct dhcp4_machine *m, const struct dhcp4_setup *setup, uint64_t now_ms)
{
    *m = (struct dhcp4_machine){ .setup = *setup };
    search(m, now_ms, now_ms);
}

uint64_t dhcp4_machine_due(const struct dhcp4_machine *m)
{
    return m->due_ms;
}

static enum dhcp4_type type_of(const struct dhcp4_machine *m)
{
    switch (m->state) {
    case DHCP4_SELECTING:
        return DHCP4_DISCOVER;
    case DHCP4_INFORMING:
        return DHCP4_INFORM;
    case DHCP4_REQUESTING:
    case DHCP4_BOUND:
    case DHCP4_RENEWING:
    case DHCP4_REBINDING:
        return DHCP4_REQUEST;
    }
    return DHCP4_DISCOVER;
}

/* RFC 2131 4.3.6: only who uses an address already says it in ciaddr. */
static uint32_t own_address(const struct dhcp4_machine *m)
{
    if (m->held)
        return m->lease.address;
    return m->state == DHCP4_INFORMING ? m->setup.address : 0;
}

static void put_message(const struct dhcp4_machine *m, uint64_t now_ms, struct buf *out)
{
    uint64_t secs = (now_ms - m->since_ms) / 1000;
    struct dhcp4_message message = { .type = type_of(m), .xid = m->xid, .ciaddr = own_address(m) };
    char size[2] = { (char)(DHCP4_BYTES_MAX >> 8), (char)(DHCP4_BYTES_MAX & 0xff) };
    message.secs = secs < UINT16_MAX ? (uint16_t)secs : UINT16_MAX;
    message.broadcast = m->setup.broadcast && !message.ciaddr;
    memcpy(message.chaddr, m->setup.mac.bytes, sizeof message.chaddr);
    dhcp4_put_header(out, &message);
    if (m->state == DHCP4_REQUESTING) {
        dhcp4_put_u32(out, DHCP4_REQUESTED, m->lease.address);
        dhcp4_put_u32(out, DHCP4_SERVER_ID, m->lease.server);
    }
    dhcp4_put_option(out, DHCP4_MAX_SIZE, slice_of(size, sizeof size));
    if (m->setup.vendor_class.len)
        dhcp4_put_option(out, DHCP4_VENDOR_CLASS, m->setup.vendor_class);
    dhcp4_put_option(out, DHCP4_PARAMETERS, slice_of(m->setup.parameters, m->setup.parameter_count));
    dhcp4_put_end(out);
}

/* RFC 2131 4.4.5: half of what is left until `end_ms`. */
static uint64_t half_way(uint64_t now_ms, uint64_t end_ms)
{
    uint64_t half_ms = end_ms > now_ms ? (end_ms - now_ms) / 2 : 0;
    uint64_t next_ms = now_ms + (half_ms > RENEW_WAIT_MIN_MS ? half_ms : RENEW_WAIT_MIN_MS);
    return next_ms < end_ms ? next_ms : end_ms;
}

static void plan_next(struct dhcp4_machine *m, uint64_t now_ms)
{
    if (m->state == DHCP4_RENEWING)
        m->due_ms = half_way(now_ms, m->rebind_ms);
    else if (m->state == DHCP4_REBINDING)
        m->due_ms = half_way(now_ms, m->expire_ms);
    else
        m->due_ms = now_ms + backoff_ms(m);
    m->tries++;
}

/* What the time alone changes. False: the lease is over. */
static bool age(struct dhcp4_machine *m, uint64_t now_ms)
{
    bool keeping = m->state == DHCP4_BOUND || m->state == DHCP4_RENEWING || m->state == DHCP4_REBINDING;
    if (m->held && now_ms >= m->expire_ms)
        return false;
    if (keeping && now_ms >= m->rebind_ms && m->state != DHCP4_REBINDING) {
        enter(m, DHCP4_REBINDING, now_ms);
    } else if (m->state == DHCP4_BOUND) {
        m->since_ms = now_ms;
        m->xid = m->setup.draw(m->setup.context);
        enter(m, DHCP4_RENEWING, now_ms);
    } else if (m->state == DHCP4_REQUESTING && m->tries >= REQUEST_TRIES_MAX) {
        search(m, now_ms, now_ms);
    }
    return true;
}

enum dhcp4_step dhcp4_machine_tick(struct dhcp4_machine *m, uint64_t now_ms, struct buf *out,
                                   struct dhcp4_target *ret_target)
{
    if (now_ms < m->due_ms)
        return DHCP4_NOTHING;
    if (!age(m, now_ms)) {
        search(m, now_ms, now_ms);
        return DHCP4_LOST;
    }
    put_message(m, now_ms, out);
    *ret_target = (struct dhcp4_target){ own_address(m), m->state == DHCP4_RENEWING ? m->lease.server : EVERYBODY };
    plan_next(m, now_ms);
    return DHCP4_SEND;
}

/* One that a host can have: not this host, loopback, a group or everybody. */
static bool is_host_address(uint32_t address)
{
    uint32_t first = address >> 24;
    return first != 0 && first != 127 && first < 224;
}

/* The mask that is given, where it is one; else that of the address' class, as before there were masks. */
static uint32_t mask_of(const struct dhcp4_message *message, uint32_t address)
{
    uint32_t mask;
    if (dhcp4_u32(message, DHCP4_MASK, &mask) && mask && (~mask & (~mask + 1)) == 0)
        return mask;
    return address >> 31 == 0 ? 0xff000000 : address >> 30 == 2 ? 0xffff0000 : 0xffffff00;
}

static bool read_lease(const struct dhcp4_message *message, struct dhcp4_lease *ret_lease)
{
    struct dhcp4_lease l = { .address = message->yiaddr };
    uint32_t address;
    if (!is_host_address(l.address) || !dhcp4_u32(message, DHCP4_SERVER_ID, &l.server) || !is_host_address(l.server))
        return false;
    l.mask = mask_of(message, l.address);
    if (dhcp4_first_address(message, DHCP4_ROUTERS, &address) && is_host_address(address))
        l.router = address;
    if (dhcp4_first_address(message, DHCP4_DNS, &address) && is_host_address(address))
        l.dns = address;
    dhcp4_u32(message, DHCP4_LEASE_TIME, &l.seconds);
    *ret_lease = l;
    return true;
}

/* T1 and T2 where they make sense, else RFC 2131's half and seven eighths. */
static void bind_lease(struct dhcp4_machine *m, const struct dhcp4_message *message, uint64_t now_ms)
{
    uint32_t t1 = 0, t2 = 0, lease_s = m->lease.seconds < LEASE_MIN_S ? LEASE_MIN_S : m->lease.seconds;
    m->held = true;
    enter(m, DHCP4_BOUND, NEVER);
    m->rebind_ms = m->expire_ms = NEVER;
    if (lease_s == FOR_EVER)
        return;
    bool given = dhcp4_u32(message, DHCP4_T1, &t1) && dhcp4_u32(message, DHCP4_T2, &t2);
    if (!given || t1 >= t2 || t2 >= lease_s || t1 < LEASE_MIN_S / 2) {
        t1 = lease_s / 2;
        t2 = (uint32_t)((uint64_t)lease_s * 7 / 8);
    }
    m->due_ms = now_ms + (uint64_t)t1 * 1000;
    m->rebind_ms = now_ms + (uint64_t)t2 * 1000;
    m->expire_ms = now_ms + (uint64_t)lease_s * 1000;
}

static enum dhcp4_step take_offer(struct dhcp4_machine *m, const struct dhcp4_message *message, uint64_t now_ms)
{
    struct dhcp4_lease lease;
    bool late = m->state == DHCP4_REQUESTING;
    if (!late && m->state != DHCP4_SELECTING)
        return DHCP4_NOTHING;
    if (m->setup.mode == DHCP_LEASE && !late && read_lease(message, &lease)) {
        m->lease = lease;
        enter(m, DHCP4_REQUESTING, now_ms);
    }
    return DHCP4_HEARD;
}

static enum dhcp4_step take_ack(struct dhcp4_machine *m, const struct dhcp4_message *message, uint64_t now_ms)
{
    struct dhcp4_lease lease;
    if (m->state == DHCP4_INFORMING)
        return DHCP4_HEARD;
    bool asked = m->state == DHCP4_REQUESTING || m->state == DHCP4_RENEWING || m->state == DHCP4_REBINDING;
    if (!asked || !read_lease(message, &lease) || lease.seconds == 0 || lease.address != m->lease.address)
        return DHCP4_NOTHING;
    if (m->state == DHCP4_REQUESTING && lease.server != m->lease.server)
        return DHCP4_NOTHING;
    m->lease = lease;
    bind_lease(m, message, now_ms);
    return DHCP4_LEASED;
}

/* Only from the server that was asked. A held lease ends with it; a new search waits as long as a lost message would,
 * so that a server that always refuses makes no flood. */
static enum dhcp4_step take_nak(struct dhcp4_machine *m, const struct dhcp4_message *message, uint64_t now_ms)
{
    uint32_t server = 0;
    bool asked = m->state == DHCP4_REQUESTING || m->state == DHCP4_RENEWING || m->state == DHCP4_REBINDING;
    bool held = m->held;
    if (!asked || !dhcp4_u32(message, DHCP4_SERVER_ID, &server) ||
        (m->state != DHCP4_REBINDING && server != m->lease.server))
        return DHCP4_NOTHING;
    m->tries = 0;
    search(m, now_ms, now_ms + backoff_ms(m));
    return held ? DHCP4_LOST : DHCP4_NOTHING;
}

enum dhcp4_step dhcp4_machine_take(struct dhcp4_machine *m, const struct dhcp4_message *message, uint64_t now_ms)
{
    if (!message->reply || message->xid != m->xid ||
        memcmp(message->chaddr, m->setup.mac.bytes, sizeof message->chaddr) != 0)
        return DHCP4_NOTHING;
    switch (message->type) {
    case DHCP4_OFFER:
        return take_offer(m, message, now_ms);
    case DHCP4_ACK:
        return take_ack(m, message, now_ms);
    case DHCP4_NAK:
        return take_nak(m, message, now_ms);
    case DHCP4_DISCOVER:
    case DHCP4_REQUEST:
    case DHCP4_DECLINE:
    case DHCP4_RELEASE:
    case DHCP4_INFORM:
        return DHCP4_NOTHING;
    }
    return DHCP4_NOTHING;
}

void dhcp4_machine_inform(struct dhcp4_machine *m, uint64_t now_ms)
{
    if (m->state != DHCP4_BOUND)
        return;
    m->xid = m->setup.draw(m->setup.context);
    m->since_ms = now_ms;
    enter(m, DHCP4_INFORMING, now_ms);
}

void dhcp4_machine_settle(struct dhcp4_machine *m)
{
    if (!m->held) {
        m->due_ms = NEVER;
    } else if (m->state == DHCP4_INFORMING) {
        /* The times of the lease still stand; half of the way to T2 is near enough to T1. */
        enter(m, DHCP4_BOUND, m->rebind_ms == NEVER ? NEVER : half_way(m->since_ms, m->rebind_ms));
    }
}
