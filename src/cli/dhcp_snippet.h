/* What an administrator puts into a DHCP server so that phones learn the provisioning server's URL from it. */
#ifndef DIALTONE_CLI_DHCP_SNIPPET_H
#define DIALTONE_CLI_DHCP_SNIPPET_H

#include "base/buf.h"

/* The longest that a part of an option is, of DHCPv4: servers that split longer ones are few. */
#define SNIPPET_URL_MAX 255

struct snippet {
    struct slice url; /* no control bytes */
    uint16_t code;
    uint8_t sub;      /* option 43: the sub-option; 0: the URL as plain text */
    bool per_vendor;  /* for these phones only */
    bool v6;
};

struct snippet_target;

/* "dnsmasq", "kea" ...; NULL when there is none. */
const struct snippet_target *snippet_target_find(struct slice name);
/* Their names, with commas between. */
void snippet_target_list(struct buf *out);
/* NULL, or why this server cannot do what is asked. */
const char *snippet_objection(const struct snippet_target *t, const struct snippet *s);
/* Whole lines. */
void snippet_print(const struct snippet_target *t, const struct snippet *s, struct buf *out);

#endif
