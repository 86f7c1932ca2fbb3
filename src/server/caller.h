/* Who asks, whatever the protocol.
 *
 * A MAC in a name proves nothing (security.md R3): everybody can read it from the box. What proves one is a device
 * certificate whose CN it is, or a login under it. A User-Agent only claims; it serves where a claim cannot hurt:
 * for the journal, and for keeping a phone from writing what is another's by mistake. */
#ifndef DIALTONE_SERVER_CALLER_H
#define DIALTONE_SERVER_CALLER_H

#include "guide/mac.h"
#include "net/address.h"
#include "net/stream.h"
#include "server/journal.h"
#include "server/protocol.h"

struct user;

/* Everything is borrowed. */
struct caller {
    enum protocol protocol;
    const union address *peer;
    const struct user *user;       /* who has logged in; NULL: nobody */
    const struct mac *certificate; /* the MAC that its verified certificate names; NULL: none */
    const struct mac *agent;       /* the MAC that its User-Agent names; NULL: none */
};

/* The MAC that is proven: the certificate's, else the user's name when that is one. False: none is. */
bool caller_mac(const struct caller *c, struct mac *ret_mac);
/* What the peer of a connection proved by its certificate goes into the event: `certificate`, and as its reason why
 * one counts for nothing. A common name is a MAC in any spelling (facts.md 5.8: casing and separators vary). */
void caller_note_certificate(const struct stream *s, struct journal_event *e);
/* The proven one, else the claimed one. */
bool caller_claims(const struct caller *c, struct mac *ret_mac);

#endif
