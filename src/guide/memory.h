/* What a phone remembers between two runs: the content of its flash, as bytes.
 *
 * Written in the phones' own grammar, so that a person can read it and the one line reader reads it back:
 *
 *     #!version:1.0.0.1
 *     phone.mac = 00:15:65:74:b1:50
 *     file.1.name = y000000000000.boot
 *     file.1.md5 = 0123...
 *     central.account.1.label = Reception
 *     personal.features.dnd_mode = 1
 *     note.upgrade.to = 66.84.0.20
 *     trigger.power_ons = 3
 *     flash.end = 1
 *
 * `central.` is what provisioning set, `personal.` the MAC-local CFG file, `file.` the last run's files in
 * the order of asking, `note.` what the phone remembers besides, under keys of the parts that wrote it; a run carries
 * notes over as they are. Where the bytes are kept is phone/flash's. */
#ifndef DIALTONE_GUIDE_MEMORY_H
#define DIALTONE_GUIDE_MEMORY_H

#include "guide/settings.h"
#include "guide/trigger.h"

/* One downloaded file of the last run. */
struct memory_file {
    struct memory_file *next;
    struct slice name; /* last path segment: a server may move, the file is the same */
    struct slice md5;  /* 32 lower-case hexadecimal digits */
};

struct memory {
    struct settings central, personal;
    struct settings notes;
    struct memory_file *files;
    struct trigger_memory triggers;
    struct slice model, firmware; /* of the phone that wrote it: after a change everything is applied anew */
};

/* Empty flash: a phone out of its box. */
void memory_init(struct memory *m, struct arena *arena);
void memory_free(struct memory *m);
/* From bytes that memory_print() wrote; settings get the origin SETTINGS_FLASH and their line. `*m` is freshly
 * initialised. Returns NULL, or what is wrong: "damaged: ...", "belongs to another phone", "out of memory". */
const char *memory_parse(struct memory *m, struct slice bytes, struct mac mac, struct arena *arena);
/* False when `out` is full or memory ran out. */
bool memory_print(const struct memory *m, struct mac mac, struct arena *arena, struct buf *out);
/* Appends a file; names and digests are borrowed. */
bool memory_add_file(struct memory *m, struct slice name, struct slice md5, struct arena *arena);
/* The same files with the same digests in the same order. */
bool memory_same_files(const struct memory *a, const struct memory *b);
/* Whether a file of this name had this digest last time. */
bool memory_has_file(const struct memory *m, struct slice name, struct slice md5);

#endif
