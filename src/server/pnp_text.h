/* What the PnP server says: the answer to a SUBSCRIBE, and the NOTIFY with the URL, in the form that real
 * phones were seen to take (facts.md 2, the strict form). */
#ifndef DIALTONE_SERVER_PNP_TEXT_H
#define DIALTONE_SERVER_PNP_TEXT_H

#include "net/address.h"
#include "proto/sip.h"

/* A SUBSCRIBE that is longer gets no answer: it would not fit an Ethernet frame, and phones send some 600
 * bytes. */
#define PNP_SUBSCRIBE_BYTES_MAX 1472
/* Room for either text: what it repeats of the SUBSCRIBE, a URL, and its own words. */
#define PNP_TEXT_BYTES_MAX 3072

struct pnp_dialog {
    const struct sip_message *subscribe;
    const union address *peer; /* the packet's source */
    const union address *own;  /* where it was received, with our port */
    uint64_t tag, branch;      /* of ours */
};

/* 200. False: no room, or what is repeated could not be. */
bool pnp_put_answer(struct buf *out, const struct pnp_dialog *d);
/* In the dialog that the answer made; ends the subscription at once. */
bool pnp_put_notify(struct buf *out, const struct pnp_dialog *d, struct slice url);

#endif
