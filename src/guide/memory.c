#include "guide/memory.h"

void memory_init(struct memory *m, struct arena *arena)
{
    *m = (struct memory){ 0 };
    settings_init(&m->central, arena);
    settings_init(&m->personal, arena);
    settings_init(&m->notes, arena);
}

void memory_free(struct memory *m)
{
    settings_free(&m->central);
    settings_free(&m->personal);
    settings_free(&m->notes);
}

bool memory_add_file(struct memory *m, struct slice name, struct slice md5, struct arena *arena)
{
    struct memory_file *file = ARENA_NEW(arena, struct memory_file), **tail = &m->files;
    if (!file)
        return false;
    *file = (struct memory_file){ NULL, name, md5 };
    while (*tail)
        tail = &(*tail)->next;
    *tail = file;
    return true;
}

bool memory_same_files(const struct memory *a, const struct memory *b)
{
    const struct memory_file *x = a->files, *y = b->files;
    for (; x && y; x = x->next, y = y->next)
        if (!slice_eq(x->name, y->name) || !slice_eq(x->md5, y->md5))
            return false;
    return !x && !y;
}

bool memory_has_file(const struct memory *m, struct slice name, struct slice md5)
{
    for (const struct memory_file *f = m->files; f; f = f->next)
        if (slice_eq(f->name, name) && slice_eq(f->md5, md5))
            return true;
    return false;
}

struct reading {
    struct memory *memory;
    struct arena *arena;
    struct mac mac;
    struct slice file_name; /* of the file.N.md5 that follows */
    bool mac_seen, end_seen, foreign;
};

static bool strip(struct slice *key, struct slice prefix)
{
    if (!slice_starts(*key, prefix))
        return false;
    *key = slice_from(*key, prefix.len);
    return true;
}

static void read_phone(struct reading *r, struct slice key, struct slice value)
{
    struct mac mac;
    if (slice_eq(key, SLICE("mac"))) {
        r->mac_seen = true;
        r->foreign = !mac_parse(value, &mac) || !mac_eq(mac, r->mac);
    } else if (slice_eq(key, SLICE("model"))) {
        r->memory->model = value;
    } else if (slice_eq(key, SLICE("firmware"))) {
        r->memory->firmware = value;
    }
}

static void read_trigger(struct trigger_memory *t, struct slice key, struct slice value)
{
    uint64_t number;
    if (!slice_u64(value, 0, INT64_MAX, &number))
        return;
    if (slice_eq(key, SLICE("power_ons")))
        t->power_ons = number;
    else if (slice_eq(key, SLICE("ran")))
        t->ran_s = (int64_t)number;
    else if (slice_eq(key, SLICE("weekly_day")))
        t->weekly_day = (int64_t)number;
}

static bool read_assignment(struct reading *r, const struct cfg_assignment *a)
{
    struct slice key = a->key;
    struct origin origin = { SETTINGS_FLASH, a->line };
    if (strip(&key, SLICE("central.")))
        return settings_put(&r->memory->central, key, a->value, origin);
    if (strip(&key, SLICE("personal.")))
        return settings_put(&r->memory->personal, key, a->value, origin);
    if (strip(&key, SLICE("note.")))
        return settings_put(&r->memory->notes, key, a->value, origin);
    if (strip(&key, SLICE("phone.")))
        read_phone(r, key, a->value);
    else if (strip(&key, SLICE("trigger.")))
        read_trigger(&r->memory->triggers, key, a->value);
    else if (strip(&key, SLICE("file.")) && slice_ends(key, SLICE(".name")))
        r->file_name = a->value;
    else if (slice_ends(key, SLICE(".md5")))
        return memory_add_file(r->memory, r->file_name, a->value, r->arena);
    else if (slice_eq(a->key, SLICE("flash.end")))
        r->end_seen = true;
    return true;
}

const char *memory_parse(struct memory *m, struct slice bytes, struct mac mac, struct arena *arena)
{
    struct reading r = { .memory = m, .arena = arena, .mac = mac };
    struct cfg_file cfg;
    if (!cfg_parse(bytes, SETTINGS_FLASH, arena, NULL, &cfg))
        return "out of memory";
    for (const struct cfg_assignment *a = cfg.assignments; a; a = a->next)
        if (!read_assignment(&r, a))
            return "out of memory";
    if (!r.end_seen)
        return "damaged: it does not end as it should";
    if (!r.mac_seen || r.foreign)
        return "it belongs to another phone";
    return NULL;
}

/* Not buf_format(): a value may hold a NUL. */
static void print_line(struct buf *out, struct slice key, struct slice value)
{
    buf_text(out, key);
    buf_str(out, " = ");
    buf_text(out, value);
    buf_byte(out, '\n');
}

static bool print_layer(const struct settings *s, const char *layer, struct arena *arena, struct buf *out)
{
    const struct setting *const *list;
    if (!settings_sorted(s, arena, &list))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        buf_str(out, layer);
        print_line(out, list[i]->key, list[i]->value);
    }
    return true;
}

static void print_triggers(const struct trigger_memory *t, struct buf *out)
{
    if (t->power_ons)
        buf_format(out, "trigger.power_ons = %llu\n", (unsigned long long)t->power_ons);
    if (t->ran_s > 0)
        buf_format(out, "trigger.ran = %lld\n", (long long)t->ran_s);
    if (t->weekly_day > 0)
        buf_format(out, "trigger.weekly_day = %lld\n", (long long)t->weekly_day);
}

bool memory_print(const struct memory *m, struct mac mac, struct arena *arena, struct buf *out)
{
    unsigned number = 0;
    buf_str(out, "#!version:1.0.0.1\n## The flash of one phone. Written by dialtone; do not edit.\nphone.mac = ");
    mac_print_colons(mac, out);
    buf_byte(out, '\n');
    print_line(out, SLICE("phone.model"), m->model);
    print_line(out, SLICE("phone.firmware"), m->firmware);
    print_triggers(&m->triggers, out);
    for (const struct memory_file *f = m->files; f; f = f->next) {
        number++;
        buf_format(out, "file.%u", number);
        print_line(out, SLICE(".name"), f->name);
        buf_format(out, "file.%u", number);
        print_line(out, SLICE(".md5"), f->md5);
    }
    if (!print_layer(&m->central, "central.", arena, out) || !print_layer(&m->personal, "personal.", arena, out) ||
        !print_layer(&m->notes, "note.", arena, out))
        return false;
    buf_str(out, "flash.end = 1\n");
    return buf_ok(out);
}
