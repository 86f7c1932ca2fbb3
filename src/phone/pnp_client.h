/* One search for a PnP server on a loop: the socket and the timer around phone/pnp.h. */
#ifndef DIALTONE_PHONE_PNP_CLIENT_H
#define DIALTONE_PHONE_PNP_CLIENT_H

#include "net/datagram.h"
#include "phone/pnp.h"

/* The port that a W52P asks from; any other is as good (facts.md 2). */
#define PNP_CLIENT_PORT 5059

/* A NOTIFY with a URL, from whomever; borrowed for the call, which does not end the client. */
typedef void pnp_client_heard(void *context, const union address *from, struct slice url);

struct pnp_client_options {
    const struct identity *id; /* model not NULL; read during the start only */
    struct slice vendor;       /* "": "yealink"; likewise */
    /* The address of the interface to ask on, port 0 for any. Any address: the one that the destination is
     * reached from, by what the machine's routes say. Family AF_UNSPEC: any address, any port. */
    union address local;
    union address destination; /* family AF_UNSPEC: the group */
    uint32_t timeout_ms;       /* 0: PNP_TIMEOUT_MS */
    pnp_client_heard *heard;    /* listens to the end and hears of all; NULL: the first one ends it */
    struct datagram_set *set;  /* shared by many phones of one loop, opened for PNP_MESSAGE_BYTES_MAX at least;
                                  NULL: of its own */
};

struct pnp_client_result {
    bool found;
    struct slice url;   /* borrowed for the call; as it was sent, with its wildcards */
    union address from; /* who sent it */
    const char *why;    /* static text */
};

struct pnp_client;
typedef void pnp_client_done(void *context, const struct pnp_client_result *result);

/* `done` comes once, from the loop, and never from within this; it may stop the loop. The client frees itself
 * after it, at the latest in loop_close(), and a shared set is closed last. 0 or a negative errno: then `done`
 * does not come. */
int pnp_client_start(struct loop *loop, const struct pnp_client_options *options, pnp_client_done *done,
                     void *context, struct pnp_client **ret_client);
/* Instead of `done`. */
void pnp_client_cancel(struct pnp_client *c);

#endif
