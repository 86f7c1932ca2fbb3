/* The parameter catalogue: every parameter that the guide or facts.md names (param.def is the one data file).
 * Settings use it for defaults, static and reboot; lint for types and ranges. Real files hold a thousand more:
 * an unknown key is normal, not an error.
 *
 * Names change. Two different things are told apart:
 * - a key without its `static.` (V7x and 80 wrote it so) is the same parameter: param_find says ret_alias, and the
 *   canonical key is `static.` before it;
 * - a name that was replaced, or a misspelling found in public files, is a row of its own whose `current` says the
 *   name in use today ("" when there is none). Whoever merges settings takes `current` as the key. Old names with
 *   a number in them do not exist, so `current` never holds an X. */
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
    PARAM_URL     /* at most max characters; also a place for uploads */
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
    uint32_t min, max;          /* by type; 0,0: not bounded. A blank value is always allowed */
    struct slice default_value; /* "" where the factory default is blank or unknown */
    bool default_known;         /* the default above is vouched for by the guide or facts.md */
    struct slice current;       /* for replaced and misspelt names: the name in use today; else "" */
    bool misspelt;              /* no firmware is known to read it under this name */
    bool is_static;             /* name starts with `static.` */
    bool reboot;                /* takes effect after a reboot */
    bool secret;                /* masked in everything that is shown; see param_is_secret */
    bool multi_valued;          /* keyed by the part before `:` of the value (facts.md 7.4) */
    uint8_t first_generation;   /* firmware that knows it first; 0: older than 80 or unknown */
    enum param_url url;
};

/* Longer keys are unknown. The longest name of the catalogue has some 65 bytes. */
enum { PARAM_KEY_BYTES_MAX = 128 };

/* All rows, sorted by name (slice_compare). */
const struct param *param_all(size_t *ret_count);
/* The row for a key: exact, then with numbers as X, then by family (`static.network.lldp.*`, the longest that
 * fits). A key without its `static.` finds the static row (facts.md 6): *ret_alias is true then. NULL when
 * unknown; *ret_alias is set only when a row is found, and ret_alias may be NULL. Keys are case-sensitive, as on
 * the phone; a key that spells a pattern (a segment `X`, a last segment `*`) is unknown. */
const struct param *param_find(struct slice key, bool *ret_alias);
/* Whether the values of this key are masked. A row that names the key decides; for keys of a family and unknown
 * ones a word that names a secret does (password, secret, pin, psk, aes ...): better to mask a harmless value than
 * to show one secret. */
bool param_is_secret(struct slice key);

#endif
