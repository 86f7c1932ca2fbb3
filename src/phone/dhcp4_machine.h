/* A DHCPv4 client as a state machine: RFC 2131 chapter 4 without sockets; time and randomness are handed in.
 *
 *     due = dhcp4_machine_due(m)            when to call next
 *     dhcp4_machine_tick(m, now, out, &to)  SEND: the bytes in `out` go to `to`
 *     dhcp4_machine_take(m, message, now)   what a message of a server means
 *
 * Three ways to ask: a lease for an interface that is the phone's own; INFORM where the address is somebody else's
 * business; and a probe, which asks by DISCOVER, listens, and takes nothing. */
#ifndef DIALTONE_PHONE_DHCP4_MACHINE_H
#define DIALTONE_PHONE_DHCP4_MACHINE_H

#include "guide/mac.h"
#include "proto/dhcp4.h"

enum dhcp_mode {
    DHCP_PROBE,  /* never takes an address */
    DHCP_INFORM, /* the interface has one already */
    DHCP_LEASE   /* takes one and keeps it renewed */
};

#define DHCP4_PARAMETERS_MAX 32

struct dhcp4_setup {
    enum dhcp_mode mode;
    struct mac mac;            /* the phone's, in chaddr */
    bool broadcast;            /* the interface has another MAC, so answers must go to everybody */
    uint32_t address;          /* the interface's, for INFORM */
    struct slice vendor_class; /* option 60, at most 255 bytes; "": none. Borrowed */
    uint8_t parameters[DHCP4_PARAMETERS_MAX]; /* option 55 */
    size_t parameter_count;
    uint32_t (*draw)(void *context); /* 32 random bits */
    void *context;
};

enum dhcp4_state {
    DHCP4_SELECTING, /* asks who is there; a probe stays in it */
    DHCP4_REQUESTING,
    DHCP4_BOUND,
    DHCP4_RENEWING,
    DHCP4_REBINDING,
    DHCP4_INFORMING
};

struct dhcp4_lease {
    uint32_t address, mask, router, dns, server; /* host byte order; 0: not given */
    uint32_t seconds;                            /* UINT32_MAX: for ever */
};

struct dhcp4_machine {
    struct dhcp4_setup setup;
    enum dhcp4_state state;
    uint32_t xid;
    uint64_t since_ms; /* of this search: option field `secs` */
    uint64_t due_ms;   /* UINT64_MAX: nothing to do */
    unsigned tries;    /* messages of this state */
    bool held;         /* `lease` is ours, not only offered */
    struct dhcp4_lease lease;
    uint64_t rebind_ms, expire_ms;
};

enum dhcp4_step {
    DHCP4_NOTHING, /* not for us, or nothing to do */
    DHCP4_SEND,
    DHCP4_HEARD, /* an answer worth looking at: an offer, or an ACK to INFORM */
    DHCP4_LEASED, /* an ACK: m->lease is ours from now on, or for longer */
    DHCP4_LOST   /* the lease is over; the search begins again */
};

/* Where a message goes. */
struct dhcp4_target {
    uint32_t from, to; /* to 0xffffffff: everybody */
};

/* Begins at once. */
void dhcp4_machine_start(struct dhcp4_machine *m, const struct dhcp4_setup *setup, uint64_t now_ms);
uint64_t dhcp4_machine_due(const struct dhcp4_machine *m);
/* SEND, LOST or NOTHING; due moves on in any case. */
enum dhcp4_step dhcp4_machine_tick(struct dhcp4_machine *m, uint64_t now_ms, struct buf *out,
                                   struct dhcp4_target *ret_target);
enum dhcp4_step dhcp4_machine_take(struct dhcp4_machine *m, const struct dhcp4_message *message, uint64_t now_ms);
/* The lease brought no URL: asks the other servers too (facts.md 4). Only while a lease is held; it goes on being
 * renewed after dhcp4_machine_settle(). */
void dhcp4_machine_inform(struct dhcp4_machine *m, uint64_t now_ms);
/* No more questions: a held lease is renewed when its time comes, anything else is over. */
void dhcp4_machine_settle(struct dhcp4_machine *m);

#endif
