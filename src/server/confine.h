/* Walls around a running server (security.md R28): what a fault in it could reach is made small, and each
 * wall is tried after it was set up.
 *
 * Called by the main thread while it is the only one: threads inherit everything. Nothing of it can be undone. */
#ifndef DIALTONE_SERVER_CONFINE_H
#define DIALTONE_SERVER_CONFINE_H

#include "base/slice.h"

struct confine_options {
    int root_fd;             /* the tree, O_PATH: may be read */
    const char *database;    /* its directory may be written; "" for none */
    const char *config_file; /* may be read again; "" for none */
    struct slice user;       /* whom to become when started as root; "" is the owner of the tree */
};

/* No core file (R27), as many descriptors as the hard limit allows. */
void confine_limits(void);
/* Gives up user, groups, capabilities, new privileges, files outside of tree and state, and the system calls
 * that a server does not need; then tries them. 0, or a negative errno with log lines that say which wall is
 * missing. Kernels without landlock are said in the log and accepted. */
int confine_process(const struct confine_options *options);

#endif
