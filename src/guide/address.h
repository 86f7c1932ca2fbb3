/* Where the provisioning server is: the URL as a phone reads it.
 *
 * Source: guide, "Configuring Wildcard of the Provisioning Server URL"; facts.md 7.8 and 7.10. */
#ifndef DIALTONE_GUIDE_ADDRESS_H
#define DIALTONE_GUIDE_ADDRESS_H

#include "base/arena.h"
#include "guide/mac.h"

/* What `$PN`, `$MAC` and `$pin` stand for. */
struct wildcards {
    struct slice pn;  /* static.auto_provision.url_wildcard.pn */
    struct mac mac;
    struct slice pin; /* "" until the user entered one: `$pin` stays as it is then */
};

/* Puts the known names in, `$PN` `$pn` `$MAC` `$mac` `$pin`; both cases of MAC give lower-case digits, as the
 * guide's example asks (`$MAC.boot` becomes 00156543ec97.boot). Every other `$` stays. Used for URLs only.
 * False when out of memory or when the result is longer than URL_BYTES_MAX. */
bool address_expand(struct slice text, const struct wildcards *w, struct arena *arena, struct slice *ret_text);
/* Whether `$pin` stands in the text. */
bool address_wants_pin(struct slice text);

/* What a server URL names. */
enum address_kind {
    ADDRESS_BAD,       /* not a URL a phone can fetch from */
    ADDRESS_DIRECTORY, /* boot and CFG files are asked for beneath it */
    ADDRESS_FILE       /* a complete file name (.boot, .cfg) or a query: only that file is asked for */
};
/* A URL without scheme gets `type` (static.auto_provision.server.type: tftp, ftp, http, https); a directory
 * gets its final slash. */
enum address_kind address_read(struct slice text, struct slice type, struct arena *arena, struct slice *ret_url);

#endif
