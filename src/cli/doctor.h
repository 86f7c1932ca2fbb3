/* Inside of `dialtone doctor`: what it looks at, and how it says what it found.
 *
 *     doctor_here.c     this machine: configuration, ports, directories, multicast, clock
 *     doctor_files.c    what the user that the server becomes may read and write
 *     doctor_network.c  who else answers phones on this network, by PnP and by DHCP
 *     doctor_url.c      what a phone gets from each URL that phones are told
 *
 * Each looks at its part and calls doctor_find() for what it sees. */
#ifndef DIALTONE_CLI_DOCTOR_H
#define DIALTONE_CLI_DOCTOR_H

#include "cli/config_load.h"
#include "cli/verb.h"
#include "guide/model.h"
#include "net/interface.h"
#include "net/loop.h"
#include "phone/trust.h"

#include <jansson.h>

/* More than a network with a mistake in it has. */
#define DOCTOR_URLS_MAX 8

enum doctor_severity {
    DOCTOR_FINE,
    DOCTOR_NOTE,    /* worth knowing */
    DOCTOR_WARNING, /* some phones may not do what is meant */
    DOCTOR_ERROR    /* phones will not do what is meant */
};

/* Which sentence of the guide's chapter "Troubleshooting" a finding stands for. */
enum doctor_guide {
    GUIDE_NOTHING,
    GUIDE_CONFIGURED,
    GUIDE_REACHABLE,
    GUIDE_CREDENTIALS,
    GUIDE_FILES,
    GUIDE_TRUST,
    GUIDE_SET_UP,
    GUIDE_URL,
    GUIDE_EXIST,
    GUIDE_PERMISSIONS,
    GUIDE_UPLOADS,
    GUIDE_DHCP
};

/* A URL that phones are told, and by whom. */
struct doctor_url {
    struct slice url, told_by;
};

struct doctor {
    const struct verb *verb;
    struct config_words words;
    struct config_loaded loaded;
    bool configured;                       /* a configuration was named */
    bool pnp_runs;                         /* the server has its PnP port already */
    const char *interface, *url, *trusted; /* NULL: not given */
    bool json, no_probe;
    uint32_t wait_ms;   /* how long to listen to the network; 0: as long as phones do */
    struct identity id; /* the phone to be; `named`: the one that was asked for */
    bool named;
    struct arena arena;
    struct loop loop;
    struct doctor_url urls[DOCTOR_URLS_MAX];
    size_t url_count;
    json_t *findings; /* with --json */
    unsigned counts[DOCTOR_ERROR + 1];
};

struct doctor_about {
    enum doctor_severity severity;
    const char *check; /* one word: "port", "files", "multicast", "pnp", "dhcp", "url" ... */
    const char *about; /* what it is about: a key, an interface, a path, a URL; escaped when shown */
    const char *todo;  /* what helps; NULL: nothing has to be done */
    enum doctor_guide guide;
};

/* The text is escaped. */
void doctor_find(struct doctor *d, const struct doctor_about *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of what is fine or only worth knowing. */
void doctor_say(struct doctor *d, enum doctor_severity severity, const char *check, const char *about,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
/* One more URL to be tried, if it is not among them; both are copied. */
void doctor_add_url(struct doctor *d, struct slice url, struct slice told_by);

void doctor_here(struct doctor *d);
void doctor_files(struct doctor *d);
void doctor_network(struct doctor *d);
void doctor_urls(struct doctor *d);

#endif
