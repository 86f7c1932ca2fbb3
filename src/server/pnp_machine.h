/* The PnP server without its sockets (RFC 6080 in the way of desk phones): datagrams in, datagrams out, time
 * passed in.
 *
 * A SUBSCRIBE for `ua-profile` gets a 200 and a NOTIFY with the URL, which is sent again by RFC 3261's
 * timers until the phone answers it. Nobody can tell a phone from one who writes another's address into a
 * packet (security.md R17):
 *
 *   - everything goes to the packet's source, whatever Via and Contact say;
 *   - a NOTIFY is sent at most PNP_TRIES times, and no more once an answer or ICMP came;
 *   - a source (address and port) has one exchange: a new SUBSCRIBE ends the one before it, and the same one
 *     again gets the same 200 and no second NOTIFY;
 *   - in one exchange at most PNP_RATIO_MAX bytes leave for each byte that came;
 *   - an address has a rate (pnp.rate), and so have all (pnp.total_rate).
 *
 * So one address can be made to receive pnp.rate * PNP_RATIO_MAX * PNP_SUBSCRIBE_BYTES_MAX bytes a second at
 * the most, 74 KB with the defaults, by who sends a tenth of it; a request as phones send it is answered
 * with some 7 times its bytes when nobody is there to acknowledge, and 1.5 times otherwise.
 *
 * What is not a SUBSCRIBE for us gets no answer at all: the group is shared, and others may know. */
#ifndef DIALTONE_SERVER_PNP_MACHINE_H
#define DIALTONE_SERVER_PNP_MACHINE_H

#include "net/datagram.h"
#include "server/config.h"
#include "server/journal.h"

#define PNP_TRIES 7
#define PNP_RATIO_MAX 10
/* pnp.rate and pnp.total_rate times these at once: a phone that repeats itself; a power cut's end. */
#define PNP_BURST 4
#define PNP_TOTAL_BURST 2
/* Refusals that the journal hears of a second: a flood is one line a burst (security.md R4). */
#define PNP_NOTES_A_SECOND 10

struct pnp_machine;

/* What it needs of the world; the test's wire is one, pnp_service another. */
struct pnp_world {
    void (*send)(struct pnp_world *w, const union address *to, const struct datagram_local *from,
                 struct slice bytes);
    void (*note)(struct pnp_world *w, struct journal_event *e);
};

struct pnp_options {
    const struct config *config; /* pnp.*; read at each use, must outlive the machine */
    struct pnp_world *world;
    uint64_t hash_seed, tag_seed;
    uint16_t own_port;
};

/* 0 or -ENOMEM. */
int pnp_machine_open(const struct pnp_options *options, uint64_t now_ms, struct pnp_machine **ret_machine);
void pnp_machine_close(struct pnp_machine *m);
/* `in->to` has to be known. */
void pnp_machine_receive(struct pnp_machine *m, const struct datagram_in *in, uint64_t now_ms, int64_t wall_ms);
/* ICMP says that nobody is there. */
void pnp_machine_undelivered(struct pnp_machine *m, const union address *to, uint64_t now_ms);
/* When to advance; false: nothing waits. */
bool pnp_machine_due(const struct pnp_machine *m, uint64_t *ret_ms);
void pnp_machine_advance(struct pnp_machine *m, uint64_t now_ms);
/* Exchanges that are remembered, and those whose NOTIFY is not answered yet. */
size_t pnp_machine_exchanges(const struct pnp_machine *m);
size_t pnp_machine_outstanding(const struct pnp_machine *m);
/* Heap bytes of all exchanges. */
size_t pnp_machine_bytes(const struct pnp_machine *m);

#endif
