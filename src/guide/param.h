/* The parameter catalogue: every parameter that the guide or facts.md chapter 6 names (param.def is the one
 * data file). Settings use it for defaults, static and reboot; lint for types and ranges. */
#ifndef DIALTONE_GUIDE_PARAM_H
#define DIALTONE_GUIDE_PARAM_H

#include "base/buf.h"

enum param_type {
    PARAM_TEXT,   /* min and max count characters */
    PARAM_NUMBER, /* min <= value <= max */
    PARAM_SWITCH, /* 0 or 1 */
    PARAM_TIME,   /* hh:mm */
    PARAM_DAYS,   /* digits 0 (Sunday) to 6 */
    PARAM_LIST,   /* numbers min..max, separated by commas */
    PARAM_URL     /* at most max characters */
};

/* What a URL parameter asks for. */
enum param_url {
    PARAM_URL_NONE,      /* not a URL */
    PARAM_URL_SERVER,    /* a provisioning server or a place for uploads: never fetched as a resource */
    PARAM_URL_RESOURCE,  /* a resource file */
    PARAM_URL_FIRMWARE,  /* a .rom for the phone itself */
    PARAM_URL_HANDSET,   /* a .rom for a handset or dongle */
    PARAM_URL_CFG,       /* a CFG file: static.custom_mac_cfg.url */
    PARAM_URL_DELETE     /* <resource>.delete: http://localhost/all or /<name> (facts.md 0.13) */
};

struct param {
    struct slice name; /* canonical; a segment `X` stands for any number, a last segment `*` for any rest */
    enum param_type type;
    uint32_t min, max;          /* by type; 0,0: not bounded */
    struct slice default_value; /* "" where the factory default is blank or unknown */
    bool default_known;         /* the default above is vouched for by the guide or facts.md */
    bool is_static;             /* name starts with `static.` */
    bool reboot;                /* takes effect after a reboot */
    bool secret;                /* masked in everything that is shown */
    bool multi_valued;          /* keyed by the part before `:` of the value (facts.md 7.4) */
    uint8_t first_generation;   /* firmware that knows it first; 0: older than 80 or unknown */
    enum param_url url;
};

const struct param *param_all(size_t *ret_count);
/* The row for a key: exact, then with numbers as X, then by family (`static.network.lldp.*`). A key without
 * its `static.` finds the static row (facts.md 6): *ret_alias is true then. NULL when unknown.
 * ret_alias may be NULL. Keys are case-sensitive, as on the phone. */
const struct param *param_find(struct slice key, bool *ret_alias);

#endif
