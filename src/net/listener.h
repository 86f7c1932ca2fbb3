/* A listening TCP socket and what it accepts.
 *
 * Accepts by itself with accept4 in bounded batches on a uv_poll (design.md: libuv's own TCP streams cost a
 * third more a connection). Accepted descriptors are non-blocking, close-on-exec and inherit TCP_NODELAY from
 * the listener. TCP_DEFER_ACCEPT holds a connection back until its first bytes are there, so that the owner can
 * read at once; where the server speaks first it must not. */
#ifndef DIALTONE_NET_LISTENER_H
#define DIALTONE_NET_LISTENER_H

#include "net/address.h"
#include "net/loop.h"

/* At most so many connections before other events get their turn. */
#define LISTENER_BATCH 64
/* The kernel gives a silent connection to us after this time all the same. */
#define LISTENER_DEFER_S 10
/* Rest after the machine ran out of descriptors or memory: no spinning on a queue that cannot shrink. */
#define LISTENER_REST_MS 100

struct listener {
    struct loop *loop;
    int fd; /* -1: closed */
    unsigned batch;
    uv_poll_t poll;
    struct timer rest;
    bool speaks_first; /* the owner's word before listener_open(): no TCP_DEFER_ACCEPT */
    bool paused;       /* likewise: opens without listening; then listener_pause() and _resume() change it */
    void (*accepted)(struct listener *l, int fd, const union address *peer); /* owns fd from then on */
    void (*exhausted)(struct listener *l, int error); /* -EMFILE ...: may give up something; before resting */
    void (*closed)(struct listener *l);               /* the struct may be freed */
};

/* Takes `fd`, bound, listening and non-blocking (its backlog and SO_REUSEPORT are the binder's), with the three
 * callbacks set (`exhausted` may be NULL). 0 or a negative errno; then the descriptor is the caller's still. */
int listener_open(struct listener *l, struct loop *loop, int fd);
/* Keeps the port but listens no more: what waits in the kernel's queue is reset. May be called from `accepted`. */
void listener_pause(struct listener *l);
/* Listens again. 0 or a negative errno: -EADDRINUSE when somebody else listens there by now. */
int listener_resume(struct listener *l);
/* Accepts what waits in the kernel's queue, within one batch, then pauses for good: the descriptor stays until
 * listener_close(), so that nobody else gets a number that libuv knows. A successor may have the port at once. */
void listener_stop(struct listener *l);
/* Once, listening or not; `closed` comes in a later round. */
void listener_close(struct listener *l);

#endif
