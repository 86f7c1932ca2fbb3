#include "server/login_table.h"

#include <errno.h>
#include <stdlib.h>

int login_table_open(struct login_table *t, size_t sets)
{
    t->sets = sets;
    t->entries = calloc(sets, sizeof *t->entries);
    t->floor_ms = calloc(sets, sizeof *t->floor_ms);
    return t->entries && t->floor_ms ? 0 : -ENOMEM;
}

void login_table_close(struct login_table *t)
{
    free(t->entries);
    free(t->floor_ms);
}

static size_t set_of(const struct login_table *t, struct login_key key)
{
    return (size_t)(key.words[0] % t->sets);
}

static bool is_free(const struct login_entry *e)
{
    return e->key.words[0] == 0 && e->key.words[1] == 0;
}

struct login_entry *login_table_find(struct login_table *t, struct login_key key, uint64_t now_ms)
{
    struct login_entry *set = t->entries[set_of(t, key)];
    for (size_t i = 0; i < LOGIN_TABLE_WAYS; i++)
        if (set[i].key.words[0] == key.words[0] && set[i].key.words[1] == key.words[1]) {
            set[i].used_ms = now_ms;
            return &set[i];
        }
    return NULL;
}

static bool goes_before(const struct login_entry *a, const struct login_entry *b)
{
    if (is_free(a) != is_free(b))
        return is_free(a);
    return a->good != b->good ? !a->good : a->used_ms < b->used_ms;
}

struct login_entry *login_table_of(struct login_table *t, struct login_key key, uint64_t now_ms)
{
    struct login_entry *found = login_table_find(t, key, now_ms);
    struct login_entry *set = t->entries[set_of(t, key)], *out = &set[0];
    uint64_t *floor_ms = &t->floor_ms[set_of(t, key)];
    if (found)
        return found;
    for (size_t i = 1; i < LOGIN_TABLE_WAYS; i++)
        if (goes_before(&set[i], out))
            out = &set[i];
    if (out->is_nonce && out->made_ms >= *floor_ms)
        *floor_ms = out->made_ms + 1;
    *out = (struct login_entry){ .key = key, .used_ms = now_ms };
    return out;
}

uint64_t login_table_floor(const struct login_table *t, struct login_key key)
{
    return t->floor_ms[set_of(t, key)];
}

/* A bucket counts whole seconds; here one token takes try_s of them. */
static bool take_try(struct bucket *bucket, const struct login_bounds *b, uint64_t now_ms)
{
    return bucket_take(bucket, 1, b->tries, now_ms / b->try_s);
}

static bool has_try(struct bucket bucket, const struct login_bounds *b, uint64_t now_ms)
{
    return take_try(&bucket, b, now_ms);
}

bool login_entry_may_try(struct login_entry *e, const struct login_bounds *b, uint64_t now_ms)
{
    if (now_ms < e->shut_until_ms)
        return false;
    if (has_try(e->tries, b, now_ms)) {
        e->refusals = 0;
        return true;
    }
    if (++e->refusals >= b->refusals) {
        e->shut_until_ms = now_ms + (uint64_t)b->shut_s * 1000;
        e->refusals = 0;
    }
    return false;
}

bool login_entry_failed(struct login_entry *e, const struct login_bounds *b, uint64_t now_ms)
{
    if (e->tries.next_us <= now_ms / b->try_s * 1000)
        e->told = false;
    take_try(&e->tries, b, now_ms);
    if (e->told || has_try(e->tries, b, now_ms))
        return false;
    e->told = true;
    return true;
}
