/* One way in which a phone learns its server's address: what phone/discover.h asks in the guide's order, and tests
 * script. */
#ifndef DIALTONE_PHONE_SOURCE_H
#define DIALTONE_PHONE_SOURCE_H

#include "guide/address_source.h"
#include "phone/finder.h"

struct source_ask {
    const struct settings *settings; /* what holds on the phone; outlives the search */
    struct identity id;
    struct screen *screen; /* NULL: nobody looks */
};

/* Once a search, from the loop, never from inside `start`. `found->url` "": it had none, and `why` says so. Both are
 * borrowed for the call. */
typedef void source_done(void *context, const struct found_address *found, struct slice why);

struct source {
    enum address_source kind;
    /* NULL, or why it cannot be asked: then `done` will not be called. */
    const char *(*start)(struct source *s, const struct source_ask *ask, source_done *done, void *context);
    /* Forgets the search; `done` is not called any more. */
    void (*cancel)(struct source *s);
    void (*close)(struct source *s);
};

#endif
