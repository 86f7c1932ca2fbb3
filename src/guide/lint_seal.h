/* The inside of guide/lint: encrypted files of a tree, opened with every key that is given or lies in the tree itself.
 * Which phone has which key is not known here: any key that opens a file will do. */
#ifndef DIALTONE_GUIDE_LINT_SEAL_H
#define DIALTONE_GUIDE_LINT_SEAL_H

#include "guide/lint.h"

/* The keys in a CFG file's settings. False when out of memory. */
bool lint_note_keys(struct lint *l, const struct cfg_file *cfg);
/* The key in a key file of this name. */
bool lint_note_key_file(struct lint *l, struct slice name, struct slice bytes);
/* True when some key opens it, with text in *ret_plain that lives as long as the arena. */
bool lint_open_sealed(struct lint *l, struct slice name, struct slice bytes, struct slice *ret_plain);

#endif
