/* CFG files: `parameter = value` lines, each for every phone or for the models of its prefix.
 *
 * Source: guide, "Editing Common CFG File". A `#` inside a value is data; a value may be blank, `%NULL%`
 * (facts.md 7.5) or hold any byte. Nothing is judged here but the form: what a key means is settings' and
 * lint's. */
#ifndef DIALTONE_GUIDE_CFG_H
#define DIALTONE_GUIDE_CFG_H

#include "guide/line.h"

struct cfg_assignment {
    struct cfg_assignment *next;
    struct slice key, value; /* as written, trimmed */
    bool has_prefix;
    struct slice models;
    uint32_t line, column, value_column;
};

struct cfg_file {
    struct slice file;
    struct cfg_assignment *assignments; /* in the order of the file */
    size_t count;
};

/* Borrows from `bytes` and `file`. False only when out of memory. */
bool cfg_parse(struct slice bytes, struct slice file, struct arena *arena, struct diag *findings,
               struct cfg_file *ret_cfg);
/* Whether this phone takes the line: its prefix is absent, or read by its firmware and naming it. */
bool cfg_applies(const struct cfg_assignment *a, const struct identity *id);

#endif
