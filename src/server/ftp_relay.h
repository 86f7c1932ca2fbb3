/* Connections on their way from the workers that serve FTP to those that do TLS.
 *
 * AUTH TLS comes on a connection that a plain worker has accepted, and a handshake would hold everything else
 * on its thread for a millisecond. So the connection moves: the plain worker says 234, lets go of the
 * descriptor, and a service on a TLS worker begins a new session with it, handshake first. Nothing of the old
 * session goes along but who the peer is: no line that was sent in the clear, no login (RFC 4217 section 4;
 * CVE-2011-0411 of another protocol).
 *
 * One for all workers. ftp_relay_give() may be called from any thread, the rest from the thread that sets up
 * and takes down, while no other runs. */
#ifndef DIALTONE_SERVER_FTP_RELAY_H
#define DIALTONE_SERVER_FTP_RELAY_H

#include "net/address.h"
#include "net/loop.h"

/* Connections that wait for one worker: as many as it shakes hands with in some 100 ms. */
#define FTP_RELAY_WAITING_MAX 128

struct ftp_relay;
/* 0 or -ENOMEM. */
int ftp_relay_open(struct ftp_relay **ret_relay);
/* All inboxes must be closed. NULL is none. */
void ftp_relay_close(struct ftp_relay *r);

struct ftp_inbox;
struct ftp_inbox_owner {
    void (*came)(void *context, int fd, const union address *peer); /* owns fd from then on */
    void (*closed)(void *context);
    void *context;
};
/* Takes what was accepted at `at`, on this loop. 0 or a negative errno. */
int ftp_relay_join(struct ftp_relay *r, const union address *at, struct loop *loop,
                   const struct ftp_inbox_owner *owner, struct ftp_inbox **ret_inbox);
/* Connections that still wait are closed; `closed` comes in a later round. */
void ftp_inbox_close(struct ftp_inbox *i);

/* To each inbox of that address in turn. False: there is none, or all are full; the descriptor is the caller's.
 */
bool ftp_relay_give(struct ftp_relay *r, const union address *at, int fd, const union address *peer);

#endif
