/* What a server's message says of the provisioning server, kept in an arena. */
#ifndef DIALTONE_PHONE_DHCP_ANSWER_H
#define DIALTONE_PHONE_DHCP_ANSWER_H

#include "phone/dhcp.h"
#include "proto/dhcp6.h"

/* NULL when out of memory. Everything is copied. */
struct dhcp_answer *dhcp_answer_of4(const struct dhcp4_message *m, const struct dhcp_options *o, struct arena *arena);
struct dhcp_answer *dhcp_answer_of6(const struct dhcp6_message *m, const struct dhcp_options *o, struct arena *arena);
/* Whether both say the same; times are not compared. */
bool dhcp_answer_same(const struct dhcp_answer *a, const struct dhcp_answer *b);

#endif
