/* A report for a person: what was asked, what came, what holds now and where it came from. */
#ifndef DIALTONE_CLI_REPORT_TEXT_H
#define DIALTONE_CLI_REPORT_TEXT_H

#include "cli/report_json.h"

/* One settled file or resource on a line, without a line end. */
void report_print_file(const struct report_file *f, const struct report_style *style, struct buf *out);
void report_print_resource(const struct report_resource *r, const struct report_style *style, struct buf *out);
/* "provisioned over mac-boot: 12 settings applied, 3 changed, reboot (static.network.vlan...)". */
void report_print_verdict(const struct report *r, struct buf *out);
/* Everything, as `explain` shows it. False when out of memory. */
bool report_print_text(const struct report *r, const struct report_style *style, FILE *to);

#endif
