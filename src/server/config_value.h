/* What a value of the configuration may be, by its key's type. */
#ifndef DIALTONE_SERVER_CONFIG_VALUE_H
#define DIALTONE_SERVER_CONFIG_VALUE_H

#include "server/config.h"

/* What is wrong with it, or NULL. */
const char *config_value_fault(const struct config_key *k, struct slice value);
/* config_check() for PnP (config_pnp.c). */
bool config_pnp_check(const struct config *c, struct diag *findings);
/* And for redirects (config_redirect.c). */
bool config_redirect_check(const struct config *c, struct diag *findings);
/* The finding for it. `key` as it was written. A hash is not repeated. */
void config_value_report(const struct config_key *k, struct slice key, struct slice value, const char *what,
                         struct place at, struct diag *findings);

#endif
