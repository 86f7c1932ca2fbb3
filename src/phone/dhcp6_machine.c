#include "phone/dhcp6_machine.h"

#define NEVER UINT64_MAX
/* RFC 8415 7.6: INF_MAX_DELAY, INF_TIMEOUT, INF_MAX_RT. */
enum { MAX_DELAY_MS = 1000, FIRST_WAIT_MS = 1000, LAST_WAIT_MS = 3600000 };

/* RFC 8415 15: give or take a tenth. */
static uint64_t spread(const struct dhcp6_machine *m, uint64_t wait_ms)
{
    return wait_ms - wait_ms / 10 + m->setup.draw(m->setup.context) % (wait_ms / 5 + 1);
}

void dhcp6_machine_start(struct dhcp6_machine *m, const struct dhcp6_setup *setup, uint64_t now_ms)
{
    *m = (struct dhcp6_machine){ .setup = *setup };
    m->xid = setup->draw(setup->context) & 0xffffff;
    m->due_ms = now_ms + setup->draw(setup->context) % (MAX_DELAY_MS + 1);
}

uint64_t dhcp6_machine_due(const struct dhcp6_machine *m)
{
    return m->due_ms;
}

bool dhcp6_machine_tick(struct dhcp6_machine *m, uint64_t now_ms, struct buf *out)
{
    if (now_ms < m->due_ms)
        return false;
    if (m->wait_ms == 0)
        m->since_ms = now_ms;
    uint64_t wait_ms = m->wait_ms ? spread(m, 2 * m->wait_ms) : spread(m, FIRST_WAIT_MS);
    m->wait_ms = wait_ms < LAST_WAIT_MS ? wait_ms : spread(m, LAST_WAIT_MS);
    m->due_ms = now_ms + m->wait_ms;
    dhcp6_put_header(out, DHCP6_INFORMATION_REQUEST, m->xid);
    dhcp6_put_client_id(out, m->setup.mac.bytes);
    dhcp6_put_elapsed(out, now_ms - m->since_ms);
    dhcp6_put_requested(out, m->setup.requested, m->setup.requested_count);
    if (m->setup.enterprise)
        dhcp6_put_vendor_class(out, m->setup.enterprise, m->setup.vendor_class);
    return true;
}

/* RFC 8415 16.10: without a server's identifier, or for another client, it is discarded. */
bool dhcp6_machine_take(const struct dhcp6_machine *m, const struct dhcp6_message *message)
{
    char bytes[32];
    struct buf own = BUF_ON(bytes);
    struct slice server, client;
    if (message->type != DHCP6_REPLY || message->xid != m->xid || m->wait_ms == 0)
        return false;
    if (!dhcp6_value(message, DHCP6_SERVER_ID, &server) || server.len == 0 || server.len > DHCP6_DUID_BYTES_MAX)
        return false;
    dhcp6_put_client_id(&own, m->setup.mac.bytes);
    return !dhcp6_value(message, DHCP6_CLIENT_ID, &client) || slice_eq(client, slice_from(buf_slice(&own), 4));
}

void dhcp6_machine_settle(struct dhcp6_machine *m)
{
    m->due_ms = NEVER;
}
