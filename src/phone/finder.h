/* Where the server URL comes from after power on: whoever knows the guide's order of sources (zero touch, PnP, DHCP,
 * flash) is handed to the phone as a finder; so is a script in a test.
 *
 * Source: guide, "Obtaining the Provisioning Server Address". */
#ifndef DIALTONE_PHONE_FINDER_H
#define DIALTONE_PHONE_FINDER_H

#include "guide/memory.h"
#include "phone/screen.h"

struct found_setting {
    struct slice key, value;
};
#define FOUND_SETTINGS_MAX 8

/* Borrowed for the call that brings it. */
struct found_address {
    struct slice url;            /* before wildcards; "": no source had one */
    struct slice user, password; /* "" none: then those of static.auto_provision.server.* */
    const char *source;          /* "zero touch", "PnP", "DHCP option 66", "flash" ...; static */
    bool entered;                /* by a person: URL, user, password and these settings are for flash */
    struct found_setting settings[FOUND_SETTINGS_MAX];
    size_t setting_count;
};

/* Once a search, from the loop, never from inside `start`. */
typedef void finder_done(void *context, const struct found_address *found);

struct address_finder {
    /* `memory` is what flash holds and is borrowed for the call only. The screen is for a wizard. False: it cannot
     * search (out of memory, no network); `done` will not be called. */
    bool (*start)(struct address_finder *f, const struct memory *memory, struct screen *screen, finder_done *done,
                  void *context);
    /* Power goes: takes its dialogs off the screen and forgets the search; `done` is not called any more. */
    void (*cancel)(struct address_finder *f);
};

#endif
