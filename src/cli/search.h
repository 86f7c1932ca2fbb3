/* The search for a phone's server on this machine's network: the same for `phone --discover` and `discover`. */
#ifndef DIALTONE_CLI_SEARCH_H
#define DIALTONE_CLI_SEARCH_H

#include "cli/verb.h"
#include "phone/discover.h"
#include "phone/dhcp.h"

struct search_options {
    struct loop *loop;
    struct identity id;
    const char *interface; /* NULL: the first that is up */
    bool all;              /* every source is asked, and DHCP listens to its end */
    void (*told)(void *context, const struct discovery *d);
    void (*heard)(void *context, const struct dhcp_result *result); /* everything that DHCP servers said; NULL */
    void *context;
};

/* EXIT_DONE and a search, or EXIT_FAILED after saying why. */
int search_open(const struct verb *verb, const struct search_options *options, struct discover **ret_discover);
/* The interface that is meant; EXIT_FAILED after saying that there is none. */
int search_interface(const struct verb *verb, const char *name, struct interface *ret_interface);
/* Of a phone of the vendor that this host could be: the block that servers know, and the host's own last bytes, so that
 * two hosts that ask at once are two phones. */
struct mac search_mac(const struct interface *i);

#endif
