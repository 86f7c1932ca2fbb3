/* The PnP service of the one worker that has it: the socket, the group, the timer around
 * server/pnp_machine.h.
 *
 * One worker, since a group's datagram goes to every socket that is bound to its port: with a socket each,
 * all workers would answer every phone. A thousand phones a second are less than a tenth of a processor. */
#ifndef DIALTONE_SERVER_PNP_SERVICE_H
#define DIALTONE_SERVER_PNP_SERVICE_H

#include "server/service.h"

/* What phones send SUBSCRIBE to. */
#define PNP_GROUP "224.0.1.75"

struct pnp_service;
/* `fd`: bound to any IPv4 address. Interfaces that can be joined are joined, others when they come. */
int pnp_service_open(struct worker *worker, int fd, struct pnp_service **ret_service);
/* At once: each phone that is known has been sent its NOTIFY; only the tries that may follow are lost. */
void pnp_service_drain(struct pnp_service *s, void (*done)(void *context), void *context);
void pnp_service_close(struct pnp_service *s);

#endif
