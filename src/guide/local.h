/* The MAC-local CFG file as a phone writes it: its bytes, and where they are uploaded.
 *
 * Source: guide, "Managing MAC-local CFG File", "Using MAC-local CFG File"; facts.md 5.5, 7.7. */
#ifndef DIALTONE_GUIDE_LOCAL_H
#define DIALTONE_GUIDE_LOCAL_H

#include "guide/address.h"
#include "guide/settings.h"

/* Header and `key = value` lines by key. False when `out` is full or memory ran out. */
bool local_print(const struct settings *personal, struct arena *arena, struct buf *out);
/* Where the file is fetched and uploaded: beneath static.auto_provision.custom.sync.path, else beneath
 * `directory`, the server's. NULL, or what is wrong with it. */
const char *local_url(const struct settings *s, struct slice directory, const struct wildcards *w,
                      struct arena *arena, struct slice *ret_url);

/* Where a setting that the user changes on the phone is kept. */
enum local_layer { LOCAL_PERSONAL, LOCAL_CENTRAL };
/* Static settings are never saved in a MAC-local CFG file (guide). From generation 84 on a change is not in it
 * either while static.auto_provision.custom.protect is 0 (facts.md 0.9); firmwares before take every change
 * (guide: "by default"). */
enum local_layer local_layer_of(const struct settings *s, struct slice key, struct firmware firmware);
/* Whether a CFG file can hold the assignment and the reader gets the same back. */
bool local_is_assignment(struct slice key, struct slice value);

#endif
