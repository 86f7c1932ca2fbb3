#include "server/login_table.h"

static size_t set_of(struct login_key key)
{
    return (size_t)(key.words[0] % LOGIN_TABLE_SETS);
}

static bool is_free(const struct login_entry *e)
{
    return e->key.words[0] == 0 && e->key.words[1] == 0;
}

struct login_entry *login_table_find(struct login_table *t, struct login_key key, uint64_t now_ms)
{
    struct login_entry *set = t->entries[set_of(key)];
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
    struct login_entry *set = t->entries[set_of(key)], *out = &set[0];
    uint64_t *floor_ms = &t->floor_ms[set_of(key)];
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
    return t->floor_ms[set_of(key)];
}
