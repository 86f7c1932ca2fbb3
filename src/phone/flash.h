/* What survives a reboot: one file a phone, `<mac>.flash` in a directory, replaced whole or not at all; its content
 * is guide/memory.h's. Resource files lie beside it, in `<mac>.files`, named by the parameter that asked for them, or
 * `<parameter>=<name>` where there may be several. */
#ifndef DIALTONE_PHONE_FLASH_H
#define DIALTONE_PHONE_FLASH_H

#include "base/rootdir.h"
#include "guide/memory.h"

/* Settings, digests and a MAC-local CFG file together stay far below; more is not a flash of ours. */
#define FLASH_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* A flash that is a piece of memory: it survives reboots of the phone and ends with the program. */
struct flash_file;
struct flash_chip {
    char *bytes; /* NULL: never written */
    size_t len;
    struct flash_file *files;
};

struct flash {
    struct rootdir directory; /* fd -1: no flash on disk */
    struct flash_chip *chip;  /* in place of a directory; NULL without both: nothing survives */
    struct mac mac;
};

/* `path` NULL: nothing survives. With `create` the directory is made (0700) when it is missing; without, a missing
 * one reads as empty flash; what killed processes have left there goes. 0 or a negative errno. */
int flash_open(struct flash *f, const char *path, bool create, struct mac mac);
/* A flash in memory, empty. -ENOMEM. */
int flash_open_chip(struct flash *f, struct mac mac);
void flash_close(struct flash *f);
/* Into a freshly initialised memory. NULL, or what is wrong with it: then the memory is not to be used. */
const char *flash_read(const struct flash *f, struct memory *m, struct arena *arena);
/* 0 or a negative errno; the old content stays on failure. */
int flash_write(const struct flash *f, const struct memory *m, struct arena *arena);

/* Keeps a resource file in the place of the one before. `name` "": the parameter has one only. 0 or a negative
 * errno; the old one stays on failure. */
int flash_keep(const struct flash *f, struct slice key, struct slice name, struct slice bytes);
/* Every file of the key, in no order; the slices are good during the call. False of `visit` stops. 0 or a negative
 * errno. */
typedef bool flash_visit(void *context, struct slice name, struct slice bytes);
int flash_each(const struct flash *f, struct slice key, struct arena *arena, flash_visit *visit, void *context);
/* Takes it away, "" all of the key's; fine when there is none. */
int flash_drop(const struct flash *f, struct slice key, struct slice name, struct arena *arena);
/* The bytes; -ENOENT. */
int flash_kept(const struct flash *f, struct slice key, struct slice name, struct arena *arena,
               struct slice *ret_bytes);

#endif
