/* How files are named to a person: by URL as a phone fetched them, or relative to the root of a tree. */
#ifndef DIALTONE_CLI_NAMING_H
#define DIALTONE_CLI_NAMING_H

#include "base/url.h"

struct naming {
    bool relative;       /* to the root that `server` serves */
    struct slice server; /* URL; its host is the tree's */
};

/* Whether the URL is one of the tree's; then its decoded path relative to the root ("." for the root itself)
 * goes to `out`. */
bool naming_path(const struct naming *n, struct slice url, struct buf *out);
/* The name to show: path, or URL without user and password. What is no URL ("flash") stays as it is. */
void naming_print(const struct naming *n, struct slice url, struct buf *out);

#endif
