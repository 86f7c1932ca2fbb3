/* Where a phone looks for its provisioning server, and in which order (guide, "Obtaining the Provisioning Server
 * Address"): Zero Touch > PnP > DHCP > flash. Inside of DHCP: guide/address_option.h.
 *
 * facts.md 2 knows a document with another order for T4x phones; the guide is the vendor's own and wins. */
#ifndef DIALTONE_GUIDE_ADDRESS_SOURCE_H
#define DIALTONE_GUIDE_ADDRESS_SOURCE_H

#include "guide/model.h"
#include "guide/settings.h"

/* In the guide's order. */
enum address_source { ADDRESS_ZERO_TOUCH, ADDRESS_PNP, ADDRESS_DHCP, ADDRESS_FLASH };
#define ADDRESS_SOURCES ((size_t)ADDRESS_FLASH + 1)
/* "zero touch", "PnP", "DHCP", "flash". */
const char *address_source_name(enum address_source source);

/* NULL: it is looked at; else why not, static. */
const char *address_source_off(enum address_source source, const struct settings *s, const struct model *model);

/* Which families DHCP is asked in: static.network.ip_address_mode. */
void address_families(const struct settings *s, bool *ret_v4, bool *ret_v6);

/* Whether `found` may stand in the place of what flash says. An answer by PnP is anybody's on the network: it does not
 * lead a phone from HTTPS to a server that proves nothing (security.md R18). */
bool address_may_override(enum address_source source, struct slice found, struct slice flash);

#endif
