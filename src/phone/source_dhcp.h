/* DHCP as a source of the server's address (phone/source.h). */
#ifndef DIALTONE_PHONE_SOURCE_DHCP_H
#define DIALTONE_PHONE_SOURCE_DHCP_H

#include "phone/dhcp.h"
#include "phone/source.h"

struct source_dhcp_options {
    struct interface interface;
    uint32_t wait_ms; /* 0: DHCP_WAIT_MS */
    bool collect;     /* listens to the end, for who wants to know everything */
    struct dhcp_wire *wire; /* for tests; NULL: real sockets */
    /* Hears every result before `done`; NULL: nobody does. */
    void (*heard)(void *context, const struct dhcp_result *result);
    void *context;
};

/* How an interface may be asked: a lease where its MAC is the phone's own, INFORM where it has an address, else a probe
 * that takes nothing. */
enum dhcp_mode source_dhcp_mode(const struct interface *interface, struct mac mac);
/* What the phone's settings ask for; slices borrow from them. False: a list of options that cannot be read, which then
 * is empty. */
bool source_dhcp_read(const struct settings *s, struct dhcp_options *ret_options);
/* Borrows nothing of the options but the wire and `context`. NULL: out of memory. */
struct source *source_dhcp_new(struct loop *loop, const struct source_dhcp_options *options);

#endif
