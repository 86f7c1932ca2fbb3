/* Network interfaces of Ethernet kind: which there are, what they are called and have, and giving one an IPv4
 * address. IPv4 addresses are in host byte order here. */
#ifndef DIALTONE_NET_INTERFACE_H
#define DIALTONE_NET_INTERFACE_H

#include "base/slice.h"

#include <net/if.h>
#include <netinet/in.h>

struct interface {
    char name[IF_NAMESIZE];
    unsigned index;
    uint8_t mac[6];
    bool up;                /* switched on, with something at the other end */
    uint32_t address, mask; /* the first IPv4 address; 0: none */
    bool has_link_local;
    struct in6_addr link_local;
};

/* 0; -ENODEV: no such interface, or none of Ethernet kind; or another negative errno. */
int interface_find(struct slice name, struct interface *ret_interface);
/* The first that is up, one with an IPv4 address before one without. Loopback is none. 0 or a negative errno. */
int interface_first(struct interface *ret_interface);

/* Replaces the interface's IPv4 address; 0 takes it away, and its routes with it. 0 or a negative errno (-EPERM). */
int interface_set_address(const struct interface *i, uint32_t address, uint32_t mask);
/* The default route through it. 0 or a negative errno; one that is there already is fine. */
int interface_set_router(const struct interface *i, uint32_t router);

#endif
