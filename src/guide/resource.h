/* Resource files: which parameter asks for which, whom it serves, how each is checked before it is kept (guide,
 * "Resource Files"; facts.md 0.12 and 6.3; security.md R25).
 *
 * A phone keeps what it was given in flash, by the parameter that asked. Most parameters have place for one file; some
 * add one more under its own name (language packs, ring tones, wallpapers, certificates), and their `.delete` takes all
 * of them or one away: http://localhost/all, http://localhost/<name> (facts.md 7.5). */
#ifndef DIALTONE_GUIDE_RESOURCE_H
#define DIALTONE_GUIDE_RESOURCE_H

#include "base/diag.h"
#include "guide/model.h"
#include "guide/zone.h"

enum resource_form {
    RESOURCE_FORM_ANY, /* its form is known to the phone only: logos, backups, packages of icons */
    RESOURCE_FORM_XML,
    RESOURCE_FORM_LANG,        /* 000.GUI.English.lang */
    RESOURCE_FORM_SCRIPT,      /* 1.English.js */
    RESOURCE_FORM_SOUND,       /* .wav */
    RESOURCE_FORM_PICTURE,     /* .png .jpg .bmp, or the phone's own .dob */
    RESOURCE_FORM_TAR,
    RESOURCE_FORM_CERTIFICATE, /* PEM or DER, one or several */
    RESOURCE_FORM_KEY          /* PEM, a private key */
};

struct resource {
    const char *key;        /* as in the catalogue */
    const char *words;      /* "daylight saving file": the guide's own */
    enum resource_form form;
    const char *roots;      /* XML: names at the top, separated by blanks; `*Name`: ends so */
    const char *entries;    /* XML: the element that is counted; "" none */
    const char *deleted_by; /* its `.delete`; "" none */
    uint32_t kib_max;
    bool many;              /* adds to what is there */
    bool (*fits)(const struct model *model); /* NULL: every phone */
};

/* NULL for a parameter that asks for no resource file, firmware among them. */
const struct resource *resource_find(struct slice key);
/* The one that this `.delete` takes files from; NULL: none. */
const struct resource *resource_deleted_by(struct slice key);
/* What a `.delete` names: "" for all of them. False when it is no such URL. */
bool resource_delete_name(struct slice url, struct slice *ret_name);
bool resource_fits(const struct resource *r, const struct model *model);

struct resource_check {
    bool good;
    struct slice why; /* when not good */
    size_t entries;   /* contacts, rules ... when the form has any */
};
/* `name` is the last segment of the URL. What is odd but taken goes to findings under `file`. */
struct resource_check resource_check(const struct resource *r, struct slice name, struct slice bytes,
                                     struct slice file, struct diag *findings, struct arena *arena);

/* What AutoDST.xml says of a zone: the one of this name (local_time.time_zone_name), else the first with this offset
 * ("+1"). False: it knows none, or the zone has no daylight saving. */
bool resource_auto_dst(struct slice bytes, struct slice zone_name, struct slice offset, struct arena *arena,
                       struct zone *ret_zone);

#endif
