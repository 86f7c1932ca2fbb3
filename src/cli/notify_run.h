/* Sends check-syncs to a list of phones, paced, and says what came of each. */
#ifndef DIALTONE_CLI_NOTIFY_RUN_H
#define DIALTONE_CLI_NOTIFY_RUN_H

#include "cli/verb.h"
#include "server/notify.h"

/* One phone. */
struct notify_goal {
    struct slice name; /* its MAC; "": known by the target alone */
    struct notify_target target;
    union address to; /* family AF_UNSPEC: not known, and `why` says it */
    const char *why;
};

struct notify_plan {
    const struct notify_goal *goals;
    size_t count;
    bool reboot, json;
    bool summary; /* how many of each, in the last line */
    struct slice user, password;
    uint32_t wait_ms, rate; /* as in struct notify_options; a second */
    const char *authorities;
    bool insecure;
};

/* EXIT_DONE when every phone has said 2xx. */
int notify_run(const struct notify_plan *plan);

#endif
