/* Settings: what holds on a phone, where each value came from, and what it overrode.
 *
 * Layers, lowest first: factory defaults (the catalogue), central (what provisioning set, this time or
 * before), personal (the MAC-local CFG file). Later files and lines override earlier ones.
 *
 * How blank, `%NULL%`, deleted and commented-out values act (guide, "Editing Common Boot File",
 * overwrite_mode):
 *
 *                         overwrite_mode = 1              overwrite_mode = 0 (or no boot file, facts.md 7.2)
 *   blank                 factory default                 as if the line were not there
 *   %NULL%                factory default (facts.md 7.5: "empty or default"; this is the one place)
 *   deleted, commented    non-static: factory default     pre-configured value kept
 *                         static: kept (facts.md 7.2)
 *
 * Multi-valued keys (static.security.user_password) are settings apart for each part before the `:`. */
#ifndef DIALTONE_GUIDE_SETTINGS_H
#define DIALTONE_GUIDE_SETTINGS_H

#include "guide/cfg.h"
#include "guide/param.h"

struct origin {
    struct slice file; /* SETTINGS_FLASH when kept from before */
    uint32_t line;
};

/* The `file` of what a phone already had. */
#define SETTINGS_FLASH SLICE("flash")

struct setting {
    struct slice id;  /* the key; of a multi-valued one the key, `:` and the part of the value before its `:` */
    struct slice key; /* canonical: an alias without `static.` is stored under its real name */
    struct slice value;
    struct origin origin;
    const struct param *param; /* NULL: not in the catalogue */
    struct setting *overrode;  /* what lost against it; that one's `overrode` is what lost before, and so on */
};

/* A key that a line of this run set back to its factory default, noted when overwrite_mode is off. */
struct setting_reset {
    struct setting_reset *next;
    struct slice key; /* as written */
};

struct settings_index; /* hashed by id */
struct settings {
    struct arena *arena;
    struct settings_index *index;
    size_t count;
    size_t members;               /* of them: values of multi-valued keys */
    struct setting_reset *resets; /* not copied by settings_copy() */
};

/* Settings live in the arena, the index on the heap: settings_free() is due even when the arena goes. */
void settings_init(struct settings *s, struct arena *arena);
void settings_free(struct settings *s);
/* Sets a value. One of the same id that held before becomes what it overrode, unless it came from flash with
 * the same value. Text is borrowed. False when out of memory. */
bool settings_put(struct settings *s, struct slice key, struct slice value, struct origin origin);
/* Takes a key away: all of its values when it is multi-valued. */
void settings_remove(struct settings *s, struct slice key);
/* NULL when the key has no value of its own. The first one of a multi-valued key. */
const struct setting *settings_get(const struct settings *s, struct slice key);
/* The value that holds: set, else the factory default. */
struct slice settings_value(const struct settings *s, struct slice key);
/* The same for keys that count or switch; a value out of its catalogue bounds counts as the default. */
uint64_t settings_number(const struct settings *s, struct slice key);
bool settings_is_on(const struct settings *s, struct slice key);
/* All of them by id. False when out of memory. */
bool settings_sorted(const struct settings *s, struct arena *arena, const struct setting *const **ret_list);
/* A copy of every setting; `keep` NULL: all. */
bool settings_copy(struct settings *to, const struct settings *from, bool (*keep)(const struct setting *));
bool setting_is_static(const struct setting *s);

/* One layer of CFG files over what a phone had. */
struct settings_run {
    const struct identity *id;
    const struct settings *central_before;
    const struct settings *personal_before;
    bool overwrite;
};

/* The central layer starts from what overwrite_mode leaves of the old one ... */
bool settings_begin(const struct settings_run *run, struct settings *central);
/* ... then every CFG file in order. What it ignores and why goes to findings. */
bool settings_apply_cfg(const struct settings_run *run, struct settings *central, const struct cfg_file *cfg,
                        struct diag *findings);
/* The personal layer. `protect` is static.auto_provision.custom.protect; `downloaded` the MAC-local CFG file
 * from the server, or NULL. With protect 1 it is the downloaded file under overwrite_mode 1, else the phone's
 * own; with protect 0 central provisioning overrides it (guide, "Using MAC-local CFG File"; facts.md 7.7). */
bool settings_apply_personal(const struct settings_run *run, const struct settings *central, bool protect,
                             const struct cfg_file *downloaded, struct settings *personal, struct diag *findings);
/* Both layers as they hold, personal over central. */
bool settings_overlay(struct settings *effective, const struct settings *central, const struct settings *personal);

/* What differs between two effective layers, by id. */
struct settings_change {
    struct slice *keys; /* sorted, each once */
    size_t count;
    bool reboot;              /* a changed parameter takes effect only after one, or reboot_force is on */
    struct slice reboot_why;  /* the key that asks for it */
};
bool settings_compare(const struct settings *before, const struct settings *after, struct arena *arena,
                      struct settings_change *ret_change);
/* Whether the value is the factory default, which needs no mention. */
bool setting_is_default(const struct setting *s);

#endif
