/* Who asks by PnP, as its SUBSCRIBE says, and which URL the configuration has for it.
 *
 * Of the rules pnp.1 to pnp.64 the first one counts whose every condition holds: `vendor`, `model`, `mac`;
 * what a rule does not say does not matter. Phones that no rule is for get pnp.url when they are of this
 * vendor; those of other brands share the group (facts.md 2) and get nothing, since what lies here is not
 * for them.
 *
 * The URL is sent as it is written. Each brand has wildcards of its own (`$PN` and `$MAC` here, `{mac}`
 * elsewhere) and puts them in itself, after the rules of its firmware; a server that did it would have to
 * know better than the phone. */
#ifndef DIALTONE_SERVER_PNP_PHONE_H
#define DIALTONE_SERVER_PNP_PHONE_H

#include "guide/model.h"
#include "proto/sip.h"
#include "server/config.h"

/* Borrows from the message. Everything is claimed and nothing proven. */
struct pnp_phone {
    bool has_mac, ours; /* ours: a phone of this vendor */
    struct mac mac;
    struct slice vendor; /* "": not said */
    struct slice model;  /* likewise */
};

struct pnp_phone pnp_phone_of(const struct sip_message *subscribe);
/* False with *ret_reason (static text) when it gets none. */
bool pnp_choose(const struct config *c, const struct pnp_phone *phone, struct slice *ret_url,
                const char **ret_reason);

#endif
