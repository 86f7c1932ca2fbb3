/* A socket that is a member of an IPv4 multicast group on network interfaces that come and go.
 *
 * The kernel ties a membership to an interface's index, and an interface that comes back has another one: so
 * a netlink socket tells of interfaces, and each that is wanted is joined when it is up. That socket is
 * opened here and later only read and written, which a confined process may (server/confine.h).
 *
 * Linux allows a socket 20 memberships (net.ipv4.igmp_max_memberships); one more is told as -ENOBUFS. */
#ifndef DIALTONE_NET_MULTICAST_H
#define DIALTONE_NET_MULTICAST_H

#include "net/address.h"
#include "net/loop.h"

/* Interfaces that can be joined at once. */
#define MULTICAST_INTERFACES_MAX 64
/* Linux: IFNAMSIZ. */
#define MULTICAST_NAME_BYTES 16

struct multicast;
/* `joined`: from now on member there, or with an error (negative errno) not; false: no longer. */
typedef void multicast_changed(void *context, struct slice interface, bool joined, int error);

struct multicast_options {
    int socket; /* bound to the group's port and any address; the caller's, open until after `closed` */
    struct in_addr group;
    struct slice
        interfaces; /* names separated by commas; "": every one that is up and can multicast but loopback */
    multicast_changed *changed;
    void *context;
};

/* Joins what is there at once, so `changed` comes before this returns. The texts of the options must live as
 * long. The socket is told to take nothing that was joined by others (IP_MULTICAST_ALL). 0 or a negative
 * errno. */
int multicast_open(struct loop *loop, const struct multicast_options *options,
                   struct multicast **ret_multicast);
/* How many interfaces it is member on. */
size_t multicast_count(const struct multicast *m);
/* Leaves nothing by itself: closing the socket does. `closed` comes from the loop. */
void multicast_close(struct multicast *m, void (*closed)(void *context), void *context);

/* What a socket sends to groups leaves by the interface that has this address. 0 or a negative errno. */
int multicast_send_from(int socket, const union address *local);
/* A.b.c.d with 224 to 239 as a. */
bool address_is_multicast(const union address *a);

#endif
