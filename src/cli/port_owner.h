/* Which program has a port: what /proc tells. */
#ifndef DIALTONE_CLI_PORT_OWNER_H
#define DIALTONE_CLI_PORT_OWNER_H

#include "net/address.h"

struct port_owner {
    unsigned pid;  /* 0: a program of another user, which only root may see */
    char name[32]; /* "" likewise */
    char verb[32]; /* its first argument: of a dialtone, what it does */
};
/* Of a TCP port that is listened on, or of a UDP port that is bound. False: nobody seems to have it. */
bool port_owner_find(int socket_type, const union address *address, struct port_owner *ret_owner);

#endif
