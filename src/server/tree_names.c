#include "server/tree_internal.h"

#include "base/log.h"
#include "guide/name.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* Five files a phone and fifty thousand phones in one directory; some 20 MiB. */
#define NAMES_MAX ((size_t)1 << 18)

struct spelled {
    struct link link;
    size_t len;
    char name[];
};

struct name_index {
    struct table table;
    uint64_t seed;
    bool all, told_full;
};

static struct slice spelled_name(const struct spelled *s)
{
    return slice_of(s->name, s->len);
}

static struct spelled *find_exact(const struct name_index *n, struct slice name, uint64_t hash)
{
    struct link *link = NULL;
    while ((link = table_next(&n->table, hash, link)))
        if (slice_eq(spelled_name((struct spelled *)link), name))
            return (struct spelled *)link;
    return NULL;
}

void names_add(struct name_index *n, struct slice name)
{
    if (!n->all && !name_meaning(name).has_mac)
        return;
    uint64_t hash = table_hash(name, n->seed);
    if (find_exact(n, name, hash))
        return;
    if (n->table.count >= NAMES_MAX) {
        if (!n->told_full)
            log_warning(
                "more than %zu names in one directory: the others are found only as they are spelled",
                NAMES_MAX);
        n->told_full = true;
        return;
    }
    struct spelled *s = malloc(sizeof *s + name.len);
    if (!s)
        return;
    s->len = name.len;
    memcpy(s->name, name.ptr, name.len);
    if (!table_add(&n->table, &s->link, hash))
        free(s);
}

void names_remove(struct name_index *n, struct slice name)
{
    struct spelled *s = find_exact(n, name, table_hash(name, n->seed));
    if (!s)
        return;
    table_remove(&n->table, &s->link);
    free(s);
}

struct slice names_find(const struct name_index *n, struct slice name, bool *ret_many)
{
    uint64_t hash = table_hash(name, n->seed);
    struct slice best = SLICE_NONE;
    struct link *link = NULL;
    bool many = false;
    while ((link = table_next(&n->table, hash, link))) {
        struct slice candidate = spelled_name((struct spelled *)link);
        if (!slice_eq_nocase(candidate, name))
            continue;
        many = best.len != 0;
        if (!best.len || slice_compare(candidate, best) < 0)
            best = candidate;
    }
    *ret_many = many;
    return best;
}

struct name_index *names_list(int fd, uint64_t seed, bool all)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return NULL;
    }
    struct name_index *n = calloc(1, sizeof *n);
    struct dirent *e;
    if (n) {
        n->seed = seed;
        n->all = all;
        while ((e = readdir(dir)))
            names_add(n, slice_str(e->d_name));
    }
    closedir(dir);
    return n;
}

void names_free(struct name_index *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->table.room; i++)
        for (struct link *link = n->table.slots[i], *next; link; link = next) {
            next = link->next;
            free(link);
        }
    table_free(&n->table);
    free(n);
}
