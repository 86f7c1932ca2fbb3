/* What carries a DHCP client's messages: real sockets, or a test's script.
 *
 * IPv4 goes by a packet socket (AF_PACKET), not by UDP on port 68: a phone asks before it has an address, when the
 * kernel would neither send from 0.0.0.0 nor take an answer that is sent to an address it does not have yet; and
 * port 68 may belong to the host's own DHCP client, which is not disturbed this way, because a packet socket only
 * looks on. IPv6 has its link-local address from the start, so there it is an ordinary UDP socket on port 546, bound
 * to the interface. */
#ifndef DIALTONE_PHONE_DHCP_WIRE_H
#define DIALTONE_PHONE_DHCP_WIRE_H

#include "net/address.h"
#include "net/interface.h"
#include "net/loop.h"
#include "phone/dhcp4_machine.h"

struct dhcp_wire {
    struct interface interface;
    /* 0 or a negative errno; what cannot be sent is lost as on any wire, and sent again when its time comes. */
    int (*send4)(struct dhcp_wire *w, const struct dhcp4_target *to, struct slice message);
    int (*send6)(struct dhcp_wire *w, struct slice message);
    /* Puts address, mask and route on the interface; NULL takes them away. 0 or a negative errno. */
    int (*configure)(struct dhcp_wire *w, const struct dhcp4_lease *lease);
    /* Nothing is received after it; the memory goes when the loop has closed the sockets. */
    void (*close)(struct dhcp_wire *w);
    /* The client's. Bytes are borrowed for the call, which may close the wire. */
    void (*received)(struct dhcp_wire *w, bool v6, const union address *from, struct slice message);
    void *context;
    int error4, error6; /* why this family cannot be spoken; 0: it can */
};

/* An open wire even when only one family works; what does not is in error4 and error6 (-EPERM, -EACCES: no rights;
 * -EADDRINUSE: somebody else has port 546; -EAFNOSUPPORT: not asked for, or no IPv6 there). When none works: the
 * first error. 0 or a negative errno. */
int dhcp_wire_open(struct loop *loop, const struct interface *interface, bool v4, bool v6, struct dhcp_wire **ret_wire);

#endif
