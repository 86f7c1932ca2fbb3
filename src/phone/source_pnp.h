/* PnP as a source of the server's address (phone/source.h). */
#ifndef DIALTONE_PHONE_SOURCE_PNP_H
#define DIALTONE_PHONE_SOURCE_PNP_H

#include "net/interface.h"
#include "phone/pnp_client.h"
#include "phone/source.h"

struct source_pnp_options {
    char interface[IF_NAMESIZE]; /* asked on, from the address that it has then; "": by the machine's routes */
    union address destination; /* AF_UNSPEC: the group */
    uint32_t timeout_ms;       /* 0: PNP_TIMEOUT_MS */
};

/* NULL: out of memory. */
struct source *source_pnp_new(struct loop *loop, const struct source_pnp_options *options);

#endif
