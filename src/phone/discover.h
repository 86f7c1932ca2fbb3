/* The search for the provisioning server, source by source in the guide's order: the finder of a living phone, and
 * what `dialtone discover` shows.
 *
 * Each source that the settings switch on is asked, one after the other; the first that has an address wins. With
 * `all` the others are asked too, so that a person sees what stands behind the winner; flash is last, needs no
 * question, and is no source that can be absent. */
#ifndef DIALTONE_PHONE_DISCOVER_H
#define DIALTONE_PHONE_DISCOVER_H

#include "phone/source.h"

/* What came of one source. Texts are borrowed for the call. */
struct discovery {
    enum address_source source;
    struct slice url; /* "": none */
    struct slice why; /* what it answered, or why it was not asked */
    bool asked, refused; /* refused: it had one that may not be followed */
    bool wins;
};

struct discover_options {
    struct loop *loop;
    struct identity id;
    struct source *zero_touch, *pnp, *dhcp; /* NULL: cannot be asked here. Owned: closed with it */
    bool all;
    bool network_first; /* the address is by DHCP: it is spoken before anything else, looked at in its turn */
    /* Hears of each source in order; NULL: nobody does. */
    void (*told)(void *context, const struct discovery *d);
    void *context;
};

struct discover;
/* Copies the options. NULL: out of memory; the sources are closed then too. */
struct discover *discover_new(const struct discover_options *options);
void discover_free(struct discover *d);
struct address_finder *discover_finder(struct discover *d);

#endif
