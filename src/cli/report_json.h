/* A report as one JSON object, the same for `phone --json` and `explain --json` (man/dialtone-explain.1). */
#ifndef DIALTONE_CLI_REPORT_JSON_H
#define DIALTONE_CLI_REPORT_JSON_H

#include "cli/naming.h"
#include "guide/report.h"

#include <stdio.h>

struct report_style {
    struct naming naming;
    bool show_secrets; /* else values of secret parameters are masked */
};

/* A value as it may be shown: secrets masked, user and password out of URLs. */
void report_print_value(const struct report_style *style, const struct setting *s, struct buf *out);
/* False when out of memory or when `to` does not take it. */
bool report_print_json(const struct report *r, const struct report_style *style, FILE *to);

#endif
