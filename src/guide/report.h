/* What one provisioning run did: the same for a phone, the fleet and explain. */
#ifndef DIALTONE_GUIDE_REPORT_H
#define DIALTONE_GUIDE_REPORT_H

#include "guide/memory.h"
#include "guide/name.h"

enum mechanism {
    MECHANISM_NONE, /* the run ended before it was known */
    MECHANISM_MAC_BOOT,
    MECHANISM_COMMON_BOOT,
    MECHANISM_OLD,        /* without boot files */
    MECHANISM_SINGLE_FILE /* the URL names one file */
};

/* Upgraded: firmware was installed and nothing else done; after the reboot the whole run comes again. */
enum run_outcome { RUN_GOING, RUN_PROVISIONED, RUN_UNCHANGED, RUN_FAILED, RUN_UPGRADED };

enum file_outcome { FILE_ASKED, FILE_USED, FILE_ABSENT, FILE_SKIPPED, FILE_FAILED, FILE_REFUSED };

struct report_file {
    struct report_file *next;
    struct slice url; /* absolute, wildcards replaced; may hold user and password: url_print_public() */
    enum name_kind kind;
    struct slice asked_because; /* "" when obvious */
    enum file_outcome outcome;
    struct slice why; /* of the outcome; "" when there is nothing to add */
    struct slice md5; /* 32 digits when the file came, else "" */
    size_t size;      /* bytes, when the file came */
    size_t settings;  /* of a CFG file: lines that this phone takes */
};

struct report_resource {
    struct report_resource *next;
    struct slice key; /* the parameter that asks for it */
    struct slice url;
    enum file_outcome outcome;
    struct slice why;
};

struct report {
    const struct identity *id;
    struct slice server; /* the URL after wildcards */
    enum mechanism mechanism;
    bool overwrite_mode, excluded_mode;
    enum run_outcome outcome;
    struct slice why;
    struct report_file *files, *last_file; /* in the order of asking */
    struct report_resource *resources, *last_resource;
    struct settings effective; /* what holds after the run */
    struct settings_change change;
    size_t applied; /* settings that hold because this run's files set them */
    bool reboot;
    struct slice upgrade; /* the firmware that holds after the reboot; "": as before */
    bool upgrade_only;    /* nothing was applied but that */
    struct diag findings; /* their files are URLs as in report_file: url_print_public() */
};

/* "mac-boot", "common-boot", "old", "single-file"; NULL for none. */
const char *mechanism_name(enum mechanism mechanism);
const char *run_outcome_name(enum run_outcome outcome);
const char *file_outcome_name(enum file_outcome outcome);

#endif
