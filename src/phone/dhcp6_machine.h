/* A phone that asks for information by DHCPv6 and takes no address: RFC 8415 18.2.6, without sockets; time and
 * randomness are handed in. */
#ifndef DIALTONE_PHONE_DHCP6_MACHINE_H
#define DIALTONE_PHONE_DHCP6_MACHINE_H

#include "guide/mac.h"
#include "proto/dhcp6.h"

#define DHCP6_REQUESTED_MAX 24

struct dhcp6_setup {
    struct mac mac;            /* the DUID is made of it */
    struct slice vendor_class; /* option 16, with `enterprise`; borrowed */
    uint32_t enterprise;       /* 0: no vendor class: no capture shows one of these phones (facts.md 4) */
    uint16_t requested[DHCP6_REQUESTED_MAX]; /* option 6 */
    size_t requested_count;
    uint32_t (*draw)(void *context); /* 32 random bits */
    void *context;
};

struct dhcp6_machine {
    struct dhcp6_setup setup;
    uint32_t xid;
    uint64_t since_ms; /* when the first message went */
    uint64_t due_ms;   /* UINT64_MAX: nothing to do */
    uint64_t wait_ms;  /* the last wait; 0: nothing sent yet */
};

/* The first message goes after up to a second, so that a power cut does not end in a flood. */
void dhcp6_machine_start(struct dhcp6_machine *m, const struct dhcp6_setup *setup, uint64_t now_ms);
uint64_t dhcp6_machine_due(const struct dhcp6_machine *m);
/* True: `out` goes to all servers (ff02::1:2). */
bool dhcp6_machine_tick(struct dhcp6_machine *m, uint64_t now_ms, struct buf *out);
/* Whether it is an answer to us. Asking goes on until dhcp6_machine_settle(). */
bool dhcp6_machine_take(const struct dhcp6_machine *m, const struct dhcp6_message *message);
void dhcp6_machine_settle(struct dhcp6_machine *m);

#endif
