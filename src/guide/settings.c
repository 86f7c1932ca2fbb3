/* uthash calls exit() when memory runs out unless told otherwise; a failed add leaves the item marked. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(item) ((item)->lost = true)

#include "guide/settings.h"

#include <stdlib.h>
#include <uthash.h>

struct settings_index {
    struct setting setting; /* first: what the outside sees */
    bool lost;
    UT_hash_handle hh;
};

#define NULL_VALUE SLICE("%NULL%")

void settings_init(struct settings *s, struct arena *arena)
{
    *s = (struct settings){ .arena = arena };
}

void settings_free(struct settings *s)
{
    HASH_CLEAR(hh, s->index);
    s->count = s->members = 0;
    s->resets = NULL;
}

static struct settings_index *find(const struct settings *s, struct slice id)
{
    struct settings_index *item;
    HASH_FIND(hh, s->index, id.ptr, id.len, item);
    return item;
}

/* Room for `static.` before a key that the catalogue knows. */
#define KEY_BYTES (PARAM_KEY_BYTES_MAX + 8)

/* The key in use today: an old one without `static.` is the static one (facts.md chapter 6), a replaced one is
 * what the catalogue says; a misspelt one stays what it is, as on a phone. May be written into `room`. */
static struct slice canonical_key(struct slice key, struct buf *room, const struct param **ret_param)
{
    bool alias = false;
    const struct param *param = param_find(key, &alias);
    if (param && param->current.len && !param->misspelt) {
        key = param->current;
        param = param_find(key, NULL);
    } else if (param && alias) {
        buf_str(room, "static.");
        buf_text(room, key);
        key = buf_slice(room);
    }
    *ret_param = param;
    return key;
}

static bool setting_id(struct arena *arena, const struct param *param, struct slice key, struct slice value,
                       struct slice *ret_id)
{
    *ret_id = key;
    if (!param || !param->multi_valued)
        return true;
    struct slice member = slice_first(value, slice_find(value, ':'));
    size_t cap = key.len + 1 + member.len;
    struct buf id = buf_on(arena_alloc(arena, cap), cap);
    if (!id.ptr)
        return false;
    buf_text(&id, key);
    buf_byte(&id, ':');
    buf_text(&id, member);
    *ret_id = buf_slice(&id);
    return true;
}

static bool is_member(const struct setting *s)
{
    return s->param && s->param->multi_valued;
}

static struct settings_index *add(struct settings *s, struct slice id, const struct param *param)
{
    struct settings_index *item = ARENA_NEW(s->arena, struct settings_index);
    if (!item)
        return NULL;
    item->setting.id = id;
    item->setting.param = param;
    HASH_ADD_KEYPTR(hh, s->index, item->setting.id.ptr, id.len, item);
    if (item->lost)
        return NULL;
    s->count++;
    s->members += is_member(&item->setting);
    return item;
}

static void drop(struct settings *s, struct settings_index *item)
{
    HASH_DEL(s->index, item);
    s->count--;
    s->members -= is_member(&item->setting);
}

static bool is_from_flash(const struct setting *s)
{
    return slice_eq(s->origin.file, SETTINGS_FLASH);
}

/* Keeps the old value as a loser of the new one. */
static bool remember_loser(struct settings *s, struct setting *setting, struct slice new_value)
{
    if (is_from_flash(setting) && slice_eq(setting->value, new_value))
        return true;
    struct setting *loser = ARENA_NEW(s->arena, struct setting);
    if (!loser)
        return false;
    *loser = *setting;
    setting->overrode = loser;
    return true;
}

bool settings_put(struct settings *s, struct slice key, struct slice value, struct origin origin)
{
    char bytes[KEY_BYTES];
    struct buf room = BUF_ON(bytes);
    const struct param *param;
    struct slice real_key = canonical_key(key, &room, &param), id;
    if (real_key.ptr == bytes && !arena_copy(s->arena, real_key, &real_key))
        return false;
    if (!setting_id(s->arena, param, real_key, value, &id))
        return false;
    struct settings_index *item = find(s, id);
    if (item && !remember_loser(s, &item->setting, value))
        return false;
    if (!item)
        item = add(s, id, param);
    if (!item)
        return false;
    item->setting.key = real_key;
    item->setting.value = value;
    item->setting.origin = origin;
    return true;
}

void settings_remove(struct settings *s, struct slice key)
{
    char bytes[KEY_BYTES];
    struct buf room = BUF_ON(bytes);
    const struct param *param;
    struct slice real_key = canonical_key(key, &room, &param);
    struct settings_index *item = find(s, real_key), *next;
    if (item)
        drop(s, item);
    /* Files of the wild are mostly blank values: only the one kind of key that needs it looks at all settings. */
    if (!param || !param->multi_valued || s->members == 0)
        return;
    for (item = s->index; item; item = next) {
        next = item->hh.next;
        if (slice_eq(item->setting.key, real_key))
            drop(s, item);
    }
}

const struct setting *settings_get(const struct settings *s, struct slice key)
{
    char bytes[KEY_BYTES];
    struct buf room = BUF_ON(bytes);
    const struct param *param;
    struct slice real_key = canonical_key(key, &room, &param);
    struct settings_index *item = find(s, real_key);
    if (item || !param || !param->multi_valued || s->members == 0)
        return item ? &item->setting : NULL;
    for (item = s->index; item; item = item->hh.next)
        if (slice_eq(item->setting.key, real_key))
            return &item->setting;
    return NULL;
}

struct slice settings_value(const struct settings *s, struct slice key)
{
    const struct setting *setting = settings_get(s, key);
    if (setting)
        return setting->value;
    const struct param *param = param_find(key, NULL);
    return param ? param->default_value : SLICE_NONE;
}

uint64_t settings_number(const struct settings *s, struct slice key)
{
    const struct param *param = param_find(key, NULL);
    bool bounded = param && param->max;
    uint64_t number = 0, min = bounded ? param->min : 0, max = bounded ? param->max : UINT32_MAX;
    if (!slice_u64(settings_value(s, key), min, max, &number) && param)
        slice_u64(param->default_value, 0, UINT32_MAX, &number);
    return number;
}

bool settings_is_on(const struct settings *s, struct slice key)
{
    return slice_eq(settings_value(s, key), SLICE("1"));
}

static int compare_by_id(const void *a, const void *b)
{
    const struct setting *const *left = a, *const *right = b;
    return slice_compare((*left)->id, (*right)->id);
}

bool settings_sorted(const struct settings *s, struct arena *arena, const struct setting *const **ret_list)
{
    const struct setting **list = ARENA_ARRAY(arena, const struct setting *, s->count + 1);
    size_t count = 0;
    if (!list)
        return false;
    for (const struct settings_index *item = s->index; item; item = item->hh.next)
        list[count++] = &item->setting;
    qsort(list, count, sizeof *list, compare_by_id);
    *ret_list = list;
    return true;
}

bool setting_is_static(const struct setting *s)
{
    return slice_starts(s->key, SLICE("static."));
}

bool setting_is_default(const struct setting *s)
{
    if (s->param && s->param->default_known)
        return slice_eq(s->value, s->param->default_value);
    return s->value.len == 0;
}

bool settings_copy(struct settings *to, const struct settings *from, bool (*keep)(const struct setting *))
{
    for (const struct settings_index *item = from->index; item; item = item->hh.next) {
        if (keep && !keep(&item->setting))
            continue;
        struct settings_index *copy = add(to, item->setting.id, item->setting.param);
        if (!copy)
            return false;
        copy->setting = item->setting;
    }
    return true;
}

bool settings_begin(const struct settings_run *run, struct settings *central)
{
    return settings_copy(central, run->central_before, run->overwrite ? setting_is_static : NULL);
}

/* In overwrite mode nobody asks afterwards which keys these were. */
static bool reset(const struct settings_run *run, struct settings *s, struct slice key)
{
    settings_remove(s, key);
    if (run->overwrite)
        return true;
    struct setting_reset *item = ARENA_NEW(s->arena, struct setting_reset);
    if (!item)
        return false;
    *item = (struct setting_reset){ s->resets, key };
    s->resets = item;
    return true;
}

static bool apply_assignment(const struct settings_run *run, struct settings *s, const struct cfg_file *cfg,
                             const struct cfg_assignment *a)
{
    if (slice_eq(a->value, NULL_VALUE) || (a->value.len == 0 && run->overwrite))
        return reset(run, s, a->key);
    if (a->value.len == 0)
        return true;
    return settings_put(s, a->key, a->value, (struct origin){ cfg->file, a->line });
}

static void look_at_key(const struct cfg_file *cfg, const struct cfg_assignment *a, struct diag *findings)
{
    struct place at = { cfg->file, a->line, a->column };
    bool alias = false;
    const struct param *param = param_find(a->key, &alias);
    if (param && param->misspelt)
        diag_add(findings, SEVERITY_WARNING, at, "%.*s is misspelt: no phone is known to read it", SLICE_ARG(a->key));
    else if (param && param->current.len)
        diag_add(findings, SEVERITY_NOTE, at, "%.*s is an old name of %.*s", SLICE_ARG(a->key),
                 SLICE_ARG(param->current));
    else if (param && alias)
        diag_add(findings, SEVERITY_NOTE, at, "%.*s is an old name of static.%.*s", SLICE_ARG(a->key),
                 SLICE_ARG(a->key));
}

bool settings_apply_cfg(const struct settings_run *run, struct settings *central, const struct cfg_file *cfg,
                        struct diag *findings)
{
    for (const struct cfg_assignment *a = cfg->assignments; a; a = a->next) {
        if (!cfg_applies(a, run->id))
            continue;
        look_at_key(cfg, a, findings);
        if (!apply_assignment(run, central, cfg, a))
            return false;
    }
    return true;
}

/* A downloaded MAC-local CFG file. Static settings are never stored in one (guide, "Using MAC-local CFG
 * File"), so one that stands there was put in by hand and has no say. */
static bool apply_local(const struct settings_run *run, struct settings *personal, const struct cfg_file *local,
                        struct diag *findings)
{
    for (const struct cfg_assignment *a = local->assignments; a; a = a->next) {
        const struct param *param = param_find(a->key, NULL);
        if ((param && param->is_static) || slice_starts(a->key, SLICE("static."))) {
            diag_add(findings, SEVERITY_WARNING, (struct place){ local->file, a->line, a->column },
                     "%.*s is static; static settings have no say in a MAC-local CFG file", SLICE_ARG(a->key));
            continue;
        }
        if (cfg_applies(a, run->id) && !apply_assignment(run, personal, local, a))
            return false;
    }
    return true;
}

bool settings_apply_personal(const struct settings_run *run, const struct settings *central, bool protect,
                             const struct cfg_file *downloaded, struct settings *personal, struct diag *findings)
{
    if (protect && run->overwrite && downloaded)
        return apply_local(run, personal, downloaded, findings);
    if (protect)
        return settings_copy(personal, run->personal_before, NULL);
    /* Nothing protects them: they are non-static values that no CFG file holds ... */
    if (run->overwrite)
        return true;
    if (!settings_copy(personal, run->personal_before, NULL))
        return false;
    /* ... or, kept, they give way to what this run's files set or reset. */
    for (const struct setting_reset *gone = central->resets; gone; gone = gone->next)
        settings_remove(personal, gone->key);
    for (const struct settings_index *item = central->index; item; item = item->hh.next)
        if (!is_from_flash(&item->setting))
            settings_remove(personal, item->setting.key);
    return true;
}

bool settings_overlay(struct settings *effective, const struct settings *central, const struct settings *personal)
{
    if (!settings_copy(effective, central, NULL))
        return false;
    for (const struct settings_index *item = personal->index; item; item = item->hh.next) {
        const struct setting *p = &item->setting;
        if (!settings_put(effective, p->key, p->value, p->origin))
            return false;
    }
    return true;
}

static bool same_value(const struct setting *held, const struct settings *other)
{
    const struct settings_index *item = find(other, held->id);
    return item ? slice_eq(item->setting.value, held->value) : setting_is_default(held);
}

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static void note_change(struct settings_change *change, const struct setting *s)
{
    change->keys[change->count++] = s->key;
    if (s->param && s->param->reboot && !change->reboot) {
        change->reboot = true;
        change->reboot_why = s->key;
    }
}

static void sort_once_each(struct settings_change *change)
{
    size_t kept = 0;
    qsort(change->keys, change->count, sizeof *change->keys, compare_slices);
    for (size_t i = 0; i < change->count; i++)
        if (kept == 0 || !slice_eq(change->keys[kept - 1], change->keys[i]))
            change->keys[kept++] = change->keys[i];
    change->count = kept;
}

bool settings_compare(const struct settings *before, const struct settings *after, struct arena *arena,
                      struct settings_change *ret_change)
{
    static const char force[] = "static.auto_provision.reboot_force.enable";
    struct settings_change change = { 0 };
    change.keys = ARENA_ARRAY(arena, struct slice, before->count + after->count + 1);
    if (!change.keys)
        return false;
    for (const struct settings_index *item = before->index; item; item = item->hh.next)
        if (!same_value(&item->setting, after))
            note_change(&change, &item->setting);
    for (const struct settings_index *item = after->index; item; item = item->hh.next)
        if (!find(before, item->setting.id) && !setting_is_default(&item->setting))
            note_change(&change, &item->setting);
    sort_once_each(&change);
    if (settings_is_on(after, slice_str(force))) {
        change.reboot = true;
        change.reboot_why = slice_str(force);
    }
    *ret_change = change;
    return true;
}
