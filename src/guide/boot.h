/* Boot files: which CFG files a phone downloads, in which order, and the two modes.
 *
 * Source: guide, "Editing Common Boot File". Both spellings of the excluded-mode key count (facts.md 7.2). */
#ifndef DIALTONE_GUIDE_BOOT_H
#define DIALTONE_GUIDE_BOOT_H

#include "guide/line.h"

/* More than any tree holds; a longer list is a mistake or an attack. */
#define BOOT_INCLUDES_MAX 1000

struct boot_include {
    struct boot_include *next;
    struct slice target; /* URL, relative or absolute, as written between the marks */
    bool has_prefix;
    struct slice models;
    uint32_t line, column;
};

enum boot_switch { BOOT_UNSET, BOOT_OFF, BOOT_ON };

struct boot_file {
    struct slice file;
    struct boot_include *includes; /* in the order of the file */
    size_t count;
    enum boot_switch overwrite_mode; /* unset counts as on */
    enum boot_switch excluded_mode;  /* unset counts as off */
};

/* What it returns borrows from `bytes` and `file`. Refused files (line_refusal) are the caller's to refuse
 * first. False only when out of memory. */
bool boot_parse(struct slice bytes, struct slice file, struct arena *arena, struct diag *findings,
                struct boot_file *ret_boot);

#endif
