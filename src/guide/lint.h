/* Findings over a whole tree of boot, CFG and resource files. The tree is handed over file by file; nothing is
 * opened here.
 *
 * Source: guide, "Managing Boot Files", "Managing Configuration Files", "Troubleshooting". */
#ifndef DIALTONE_GUIDE_LINT_H
#define DIALTONE_GUIDE_LINT_H

#include "guide/boot.h"
#include "guide/cfg.h"
#include "guide/name.h"
#include "guide/seal_keys.h"

struct lint_file;
struct lint_key;

struct lint {
    struct arena *arena;
    struct diag *findings;
    struct lint_file *files, **tail;
    size_t count;
    struct seal_keys given; /* for encrypted files; set after lint_init(), borrowed */
    struct lint_key *keys;  /* that lie in the tree itself */
    size_t found_keys;
};

void lint_init(struct lint *l, struct arena *arena, struct diag *findings);
/* A file of the tree by its name relative to the root. Boot, CFG and key files come with their bytes
 * (lint_wants_bytes); both slices must live as long as the arena. False when out of memory. */
bool lint_add(struct lint *l, struct slice name, struct slice bytes);
bool lint_wants_bytes(struct slice name);
/* What only the whole tree shows: what encrypted files hold, missing includes, boot files that hide each other. False
 * when out of memory. */
bool lint_finish(struct lint *l);

#endif
