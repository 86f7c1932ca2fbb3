/* A phone's search for its provisioning server by DHCP, and the same as a probe: both families at once.
 *
 * RFC 2131 and RFC 8415; which option wins is guide/address_option.h's. An answer is only recorded, never passed to
 * a shell, a printf or a log as it came (security.md R19). */
#ifndef DIALTONE_PHONE_DHCP_H
#define DIALTONE_PHONE_DHCP_H

#include "guide/address_option.h"
#include "net/address.h"
#include "net/loop.h"
#include "phone/dhcp4_machine.h"
#include "phone/dhcp_wire.h"

/* More than any network has servers; what comes beyond is counted only. */
#define DHCP_ANSWERS_MAX 32
/* Everything that the answers hold: the longest values, all of them, and room to spare. */
#define DHCP_ARENA_BYTES ((size_t)4 * 1024 * 1024)
/* A server that pings an address before it offers it takes up to three seconds (dnsmasq); an offer that is lost is
 * asked for again after four. Then a phone goes on to what its flash says. */
#define DHCP_WAIT_MS 10000
/* After a lease without a URL: how long another server may take to answer INFORM. */
#define DHCP_INFORM_WAIT_MS 3000

struct dhcp_options {
    struct interface interface;
    enum dhcp_mode mode;       /* of IPv4; IPv6 never takes an address */
    bool v4, v6;
    struct mac mac;            /* the phone's */
    struct slice vendor_class; /* static.auto_provision.dhcp_option.option60_value, at most 255 bytes */
    uint32_t enterprise;       /* of DHCPv6's vendor class; 0: none is sent */
    struct option_list custom4, custom6;
    struct slice server_type; /* static.auto_provision.server.type; "": tftp */
    bool collect;             /* listens for all of wait_ms instead of ending at the first good answer */
    uint32_t wait_ms;         /* 0: DHCP_WAIT_MS */
    uint64_t seed;            /* of xids and waits; 0: from the kernel */
    struct dhcp_wire *wire;   /* NULL: real sockets. Else the client closes it in the end */
};

/* What one server said. */
struct dhcp_answer {
    struct dhcp_answer *next;
    bool v6;
    uint8_t type;        /* enum dhcp4_type or enum dhcp6_type */
    union address from;  /* who sent it: a server, or the relay before it */
    uint32_t server;     /* IPv4: option 54, host byte order; 0: not given */
    uint32_t offered;    /* IPv4: the address that it offers or gave */
    uint16_t status;     /* IPv6: option 13; 0 is success */
    unsigned times;      /* it came this often, word for word */
    bool cut;            /* IPv4: an option claimed more bytes than were there */
    uint16_t repeated;   /* IPv4: a short option that came more than once, so that its parts were joined; 0: none */
    struct option_finding *findings; /* the options that a phone looks at, best first; then the others with a URL */
    size_t count;
    const struct option_finding *winner; /* of this answer alone; NULL: none */
};

struct dhcp_result {
    const struct dhcp_answer *first; /* in the order of their coming */
    size_t count, dropped;
    const struct dhcp_answer *winner; /* whose winner wins; NULL: no URL */
    struct dhcp_lease_state {
        bool held;
        struct dhcp4_lease lease;
    } lease;
    int error4, error6; /* why a family could not be asked; 0: it could, or it was not wanted */
};

struct dhcp_client;

/* Called once; the result lives until dhcp_client_stop(), which may be called from within. A held lease goes on being
 * renewed until then. */
typedef void dhcp_done(void *context, const struct dhcp_result *result);

/* DHCP_LEASE only where the interface's MAC address is the phone's: that is what makes it the phone's own, and never
 * a host's that is only visited; else -EPERM. DHCP_INFORM without an address there: -EADDRNOTAVAIL. Also what
 * dhcp_wire_open() says, -EINVAL (more options than a phone can ask for), -ENOMEM. Options are copied,
 * texts too. */
int dhcp_client_start(struct loop *loop, const struct dhcp_options *options, dhcp_done *done, void *context,
                      struct dhcp_client **ret_client);
/* Ends it. A leased address stays on the interface (a reboot of a phone does not take it away). */
void dhcp_client_stop(struct dhcp_client *c);

#endif
