/* What DHCP servers said, for a person or as JSON. */
#ifndef DIALTONE_CLI_DHCP_REPORT_H
#define DIALTONE_CLI_DHCP_REPORT_H

#include "phone/dhcp.h"

#include <stdio.h>

/* Everything from the network is escaped. False when it could not be written. */
bool dhcp_report_text(const struct dhcp_options *o, const struct dhcp_result *r, FILE *to);
bool dhcp_report_json(const struct dhcp_options *o, const struct dhcp_result *r, FILE *to);
/* One answer in a line: "OFFER from 192.0.2.1, offers 192.0.2.53". */
void dhcp_report_answer(const struct dhcp_answer *a, struct buf *out);
/* How many servers of a family have answered, and whether a phone's choice among them changes where it
 * provisions from. */
size_t dhcp_report_servers(const struct dhcp_result *r, bool v6);
bool dhcp_report_disagrees(const struct dhcp_result *r);
/* "no right to ..." and the like, with what helps; NULL when `error` is 0. */
const char *dhcp_error_words(int error, bool v6);

#endif
