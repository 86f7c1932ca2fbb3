/* The sockets of a phone's SIP side (phone/ring.h): UDP and TCP on one port.
 *
 * Ceilings of TCP: RING_CONNECTIONS_MAX connections (the oldest goes), one message of SIP_MESSAGE_BYTES_MAX at a time,
 * RING_IDLE_MS without a whole message; a peer that does not take an answer at once is hung up on. */
#ifndef DIALTONE_PHONE_RING_PORT_H
#define DIALTONE_PHONE_RING_PORT_H

#include "phone/life.h"
#include "phone/ring.h"

#define RING_CONNECTIONS_MAX 8
/* Keep-alives (RFC 5626 4.4.1) come every two minutes at most. */
#define RING_IDLE_MS 150000
/* Ports that are tried for one that both protocols can have. */
#define RING_PORT_TRIES 16

struct ring_port;
struct ring_port_options {
    struct loop *loop;
    union address at; /* port 0: any free one */
    struct life *life;
    enum ring_auth auth;
    void (*told)(void *context, struct slice line); /* as in struct ring_world */
    void *context;
};

/* Life is borrowed. 0 or a negative errno. */
int ring_port_open(const struct ring_port_options *options, struct ring_port **ret_port);
/* Where it listens. */
const union address *ring_port_address(const struct ring_port *p);
/* The settings may have changed: names of servers are looked up before somebody has to wait for that. */
void ring_port_look(struct ring_port *p);
/* Leaves handles closing on the loop; life is not used any more. NULL is none. */
void ring_port_close(struct ring_port *p);

#endif
