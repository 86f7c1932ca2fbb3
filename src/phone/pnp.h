/* A phone asks by PnP where its server is (guide, "Plug and Play (PnP) Server"): the SUBSCRIBE and what
 * comes back, as state without sockets. Bytes come and go, time is passed in.
 *
 * The SUBSCRIBE is what a Yealink W52P was seen to send (facts.md 2), to the group 224.0.1.75, port 5060.
 * Deployed servers answer in poor SIP (facts.md 0.10): what belongs to us is told by the Call-ID and by
 * nothing else. The Call-ID has a number that nobody can guess who does not hear the group (security.md
 * R18).
 *
 * The first NOTIFY with a URL wins; whether that URL may take the place of another is the caller's to
 * decide. */
#ifndef DIALTONE_PHONE_PNP_H
#define DIALTONE_PHONE_PNP_H

#include "guide/model.h"
#include "net/address.h"
#include "proto/sip_transaction.h"

#define PNP_GROUP_HOST "224.0.1.75"
#define PNP_GROUP_PORT 5060
/* How long a real phone waits is not known (facts.md 2). A server on the same network answers within
 * milliseconds, and within this time the SUBSCRIBE is sent four times (after 0, 0.5, 1.5 and 3.5 s), so that
 * three lost datagrams in a row do not matter; where there is no PnP server each start takes so much longer. */
#define PNP_TIMEOUT_MS 5000
/* The guide's parameters hold a URL of 511 characters. */
#define PNP_URL_BYTES_MAX 511
#define PNP_MESSAGE_BYTES_MAX 1472

enum pnp_state { PNP_ASKING, PNP_FOUND, PNP_NOTHING };

struct pnp {
    enum pnp_state state;
    struct sip_client client;
    uint64_t end_ms;
    bool collect;    /* as in struct pnp_identity */
    bool answered;   /* somebody said 200 */
    unsigned heard;  /* NOTIFYs with a URL */
    const char *why; /* static text, once it is over */
    union address from; /* who sent the URL; of several, the last */
    uint16_t call_id_len, url_len, subscribe_len;
    char call_id[64];
    char url[PNP_URL_BYTES_MAX];
    char subscribe[PNP_MESSAGE_BYTES_MAX];
};

struct pnp_identity {
    const struct identity *id;
    struct slice vendor;        /* static.auto_provision.pnp_event_vendor or what was its name; "" is "yealink" */
    const union address *local; /* where answers come to */
    uint64_t number;            /* drawn by chance: tag, branch and Call-ID are made of it, as a W52P does */
    uint32_t timeout_ms;        /* 0: PNP_TIMEOUT_MS */
    bool collect;               /* listens to the end: `heard`, `from` and the URL change with each NOTIFY */
};

/* False: the model or the vendor does not go into a message. Then send pnp_subscribe(). */
bool pnp_start(struct pnp *p, const struct pnp_identity *identity, uint64_t now_ms);
struct slice pnp_subscribe(const struct pnp *p);
/* Also after it is over: a server whose NOTIFY was answered by a datagram that got lost asks once more. What
 * is written to `out` (nothing, or one answer) goes back to `from`. */
void pnp_receive(struct pnp *p, const union address *from, struct slice bytes, uint64_t now_ms, struct buf *out);
/* When pnp_timeout() has to be called; UINT64_MAX once it is over. */
uint64_t pnp_due_ms(const struct pnp *p);
/* True: send pnp_subscribe() again. */
bool pnp_timeout(struct pnp *p, uint64_t now_ms);

static inline struct slice pnp_url(const struct pnp *p)
{
    return slice_of(p->url, p->url_len);
}

#endif
