/* How files are named to a person: by URL as a phone fetched them, or relative to the root of a tree. */
#ifndef DIALTONE_CLI_NAMING_H
#define DIALTONE_CLI_NAMING_H

#include "base/url.h"

enum naming_scope {
    NAMING_URLS,   /* every file by its URL */
    NAMING_ORIGIN, /* files of the server's scheme, host and port by their path */
    NAMING_HOST    /* files of the server's host by their path: four protocols, one tree */
};

struct naming {
    enum naming_scope scope;
    struct slice server; /* URL */
};

/* Whether the URL is in scope; then its decoded path relative to the root ("." for the root itself) goes to
 * `out`. */
bool naming_path(const struct naming *n, struct slice url, struct buf *out);
/* The name to show: path, or URL without user and password. What is no URL ("flash") stays as it is. */
void naming_print(const struct naming *n, struct slice url, struct buf *out);

#endif
