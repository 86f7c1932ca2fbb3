/* TFTP, serving side: a listener, a pool of sockets shared by all transfers, and the limits.
 *
 * A transfer's own port (RFC 1350 section 4) is one of the pool's (server/tftp_pool.h); the peer's address and
 * port tell the transfers on it apart, and one peer port has at most one transfer. With tftp.single_port it is
 * the listening port itself, for phones behind a NAT or firewall that lets no answer in from another one; the
 * kernel gives all datagrams of one peer port to the same worker. All requests that one recvmmsg brought get
 * the same pool socket, those of the next the next, so that a batch of requests is answered with one sendmmsg.
 *
 * Memory: a transfer takes some 330 bytes of a table made at start (pages never used cost nothing) and shares
 * the file's blob with the tree's cache; a name longer than TFTP_NAME_INLINE bytes is
 * allocated, nothing else is.
 *
 * A request is answered with -> noted in the journal as:
 *
 * - a file: the transfer -> sent, stopped or broken, at its end
 * - absent: ERROR 1 -> absent
 * - an access rule says no, or wants a login: ERROR 2 -> refused
 * - too many unknown phones were asked for (server/guard.h): silence -> refused
 * - bad name, forbidden, a directory: ERROR 2 -> refused
 * - the tree failed: ERROR 0 -> broken
 * - to write, where server/upload.h takes it: the upload -> stored at its end, or stopped, refused, broken
 * - to write, refused: the ERROR of tftp_machine_code() -> refused or broken
 * - malformed: ERROR 4 -> refused
 * - too many at once, in all or of this address: ERROR 0 (security.md R11) -> refused
 * - too many a second of this address: nothing, the phone will ask again -> refused
 *
 * The same datagram once more from the same port is one request, and never makes a second transfer (R13):
 *
 * - while its transfer waits for the first answer: the first datagram again, unless that one is
 *   less than TFTP_ECHO_MS old
 * - while its transfer runs well: nothing; when no ACK follows within the wait, the phone has started again and
 *   the transfer ends, stopped
 * - when its transfer is stuck: a new transfer, the old one ends, stopped
 *
 * Another request from the same port ends the old transfer, stopped, and is served.
 *
 * A packet that belongs to no transfer gets ERROR 5 where transfers are and ERROR 4 from a mere listener, at
 * most TFTP_STRAY_RATE a second in all; an ERROR never gets an answer (R13). When the table is full, the oldest
 * transfer that has waited a first time-out for its peer's first answer makes room: so a flood of forged
 * requests cannot keep phones out, and at most `tftp.transfers` forged addresses a second get anything.
 *
 * A slot holds either machine (server/tftp_machine.h). One that has stored an upload dallies in its slot for
 * the sake of a lost last ACK, after its event was noted; it makes room at once for a new request from the same
 * port, and nobody who drains waits for it. When upload.at_once is reached, the oldest upload that has waited a
 * first time-out for its first block makes room. */
#ifndef DIALTONE_SERVER_TFTP_SERVICE_H
#define DIALTONE_SERVER_TFTP_SERVICE_H

#include "server/service.h"

#define TFTP_NAME_INLINE 40
#define TFTP_STRAY_RATE 100
/* A bucket holds this many seconds' worth of tftp.rate. */
#define TFTP_BURST_S 2

struct tftp_service;
/* See server/service.h. One service a listening descriptor; it counts "in all" for itself, tftp.transfers
 * divided by the workers. tftp.peer_transfers and tftp.rate hold for each worker: the kernel spreads one
 * address' ports over all of them. tftp.rate 0: no limit.
 *
 * The limits of one address must let a NAT through: a phone asks for some four files at power-on, so 500 phones
 * behind one address that get power together make 2,000 honest requests within a few seconds. That wants
 * tftp.rate 1000 and tftp.peer_transfers 2000. */
int tftp_service_open(struct worker *worker, int fd, struct tftp_service **ret_service);
/* A transfer whose peer falls silent ends by itself within 47 s, or longer when the peer negotiated so. */
void tftp_service_drain(struct tftp_service *s, void (*done)(void *context), void *context);
void tftp_service_close(struct tftp_service *s);

/* Under way now. */
size_t tftp_service_transfers(const struct tftp_service *s);

#endif
