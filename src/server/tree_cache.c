#include "server/tree_internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Lower-cases eight ASCII letters at once; other bytes stay. Sets of bytes that differ only outside of the
 * letters may fold together, which costs a comparison and nothing else. */
static uint64_t fold(uint64_t word)
{
    return word | UINT64_C(0x2020202020202020);
}

uint64_t table_hash(struct slice name, uint64_t seed)
{
    uint64_t h = seed ^ name.len, word;
    while (name.len >= sizeof word) {
        memcpy(&word, name.ptr, sizeof word);
        h = mix(h ^ fold(word), UINT64_C(0x9e3779b97f4a7c15) ^ seed);
        name = slice_from(name, sizeof word);
    }
    word = 0;
    if (name.len)
        memcpy(&word, name.ptr, name.len);
    return mix(h ^ fold(word), UINT64_C(0xe7037ed1a0b428db) ^ seed);
}

static bool grow(struct table *t)
{
    size_t room = t->room ? t->room * 2 : 64;
    struct link **slots = calloc(room, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < t->room; i++)
        for (struct link *link = t->slots[i], *next; link; link = next) {
            next = link->next;
            link->next = slots[link->hash & (room - 1)];
            slots[link->hash & (room - 1)] = link;
        }
    free(t->slots);
    t->slots = slots;
    t->room = room;
    return true;
}

bool table_add(struct table *t, struct link *link, uint64_t hash)
{
    /* A table that cannot grow gets slower, nothing worse. */
    if (t->count >= t->room && !grow(t) && !t->room)
        return false;
    link->hash = hash;
    link->next = t->slots[hash & (t->room - 1)];
    t->slots[hash & (t->room - 1)] = link;
    t->count++;
    return true;
}

void table_remove(struct table *t, struct link *link)
{
    struct link **at = &t->slots[link->hash & (t->room - 1)];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    t->count--;
}

struct link *table_next(const struct table *t, uint64_t hash, const struct link *after)
{
    struct link *link = after ? after->next : t->room ? t->slots[hash & (t->room - 1)] : NULL;
    while (link && link->hash != hash)
        link = link->next;
    return link;
}

void table_free(struct table *t)
{
    free(t->slots);
    *t = (struct table){ 0 };
}

/* From this size on sendfile from anonymous memory is cheaper than copying the bytes once more. */
#define BLOB_SEND_BYTES ((size_t)8 * 1024)
/* Of all workers; the rest of the descriptors is for connections and sockets. */
#define BLOB_DESCRIPTORS_MAX 2048
static _Atomic unsigned blob_descriptors;

static bool map_blob(struct blob *b)
{
    if (atomic_fetch_add(&blob_descriptors, 1) >= BLOB_DESCRIPTORS_MAX) {
        atomic_fetch_sub(&blob_descriptors, 1);
        return false;
    }
    int fd = memfd_create("blob", MFD_CLOEXEC);
    void *at = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, (off_t)b->room) == 0)
        at = mmap(NULL, b->room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        if (fd >= 0)
            close(fd);
        atomic_fetch_sub(&blob_descriptors, 1);
        return false;
    }
    b->fd = fd;
    b->bytes = at;
    return true;
}

static void unmap_blob(struct blob *b)
{
    munmap(b->bytes, b->room);
    close(b->fd);
    atomic_fetch_sub(&blob_descriptors, 1);
}

int blob_descriptor(const struct blob *b)
{
    return b->fd;
}

struct blob *blob_new(size_t room)
{
    struct blob sent = { .holders = 1, .fd = -1, .room = room };
    bool mapped = room >= BLOB_SEND_BYTES && map_blob(&sent);
    struct blob *b = malloc(sizeof *b + (mapped ? 0 : room));
    if (!b && mapped)
        unmap_blob(&sent);
    if (!b)
        return NULL;
    *b = sent;
    if (!mapped)
        b->bytes = (char *)(b + 1);
    return b;
}

void blob_release(struct blob *b)
{
    if (!b || --b->holders > 0)
        return;
    if (b->fd >= 0)
        unmap_blob(b);
    free(b);
}

struct slice blob_bytes(const struct blob *b)
{
    return slice_of(b->bytes, b->len);
}

static struct use_order *order_of(struct tree *t, const struct entry *e)
{
    return e->absent ? &t->absences : &t->blobs;
}

static void order_take(struct use_order *o, struct entry *e)
{
    *(e->newer ? &e->newer->older : &o->newest) = e->older;
    *(e->older ? &e->older->newer : &o->oldest) = e->newer;
}

static void order_put(struct use_order *o, struct entry *e)
{
    e->newer = NULL;
    e->older = o->newest;
    *(o->newest ? &o->newest->newer : &o->oldest) = e;
    o->newest = e;
}

struct entry *cache_find(struct tree *t, struct slice path)
{
    uint64_t hash = table_hash(path, t->seed);
    struct link *link = NULL;
    while ((link = table_next(&t->entries, hash, link))) {
        struct entry *e = (struct entry *)link;
        if (!slice_eq(slice_of(e->path, e->len), path))
            continue;
        struct use_order *o = order_of(t, e);
        if (o->newest != e) {
            order_take(o, e);
            order_put(o, e);
        }
        return e;
    }
    return NULL;
}

void cache_drop(struct tree *t, struct entry *e)
{
    struct use_order *o = order_of(t, e);
    table_remove(&t->entries, &e->link);
    order_take(o, e);
    o->count--;
    o->bytes -= e->charge;
    *e->sibling_link = e->sibling;
    if (e->sibling)
        e->sibling->sibling_link = e->sibling_link;
    if (!e->absent)
        blob_release(e->file.blob);
    free(e);
}

void cache_drop_path(struct tree *t, struct slice path)
{
    uint64_t hash = table_hash(path, t->seed);
    struct link *link = table_next(&t->entries, hash, NULL);
    while (link) {
        struct entry *e = (struct entry *)link;
        link = table_next(&t->entries, hash, link);
        if (slice_eq_nocase(slice_of(e->path, e->len), path))
            cache_drop(t, e);
    }
}

void cache_add(struct tree *t, struct directory *d, struct slice path, const struct tree_file *file)
{
    struct entry *e = malloc(sizeof *e + path.len);
    if (!e || !table_add(&t->entries, &e->link, table_hash(path, t->seed))) {
        free(e);
        if (file)
            blob_release(file->blob);
        return;
    }
    e->absent = !file;
    e->file = file ? *file : (struct tree_file){ .fd = -1 };
    e->len = path.len;
    memcpy(e->path, path.ptr, path.len);
    e->charge = sizeof *e + path.len + (file ? sizeof *file->blob + file->blob->len : 0);
    e->sibling = d->entries;
    e->sibling_link = &d->entries;
    if (e->sibling)
        e->sibling->sibling_link = &e->sibling;
    d->entries = e;

    struct use_order *o = order_of(t, e);
    order_put(o, e);
    o->count++;
    o->bytes += e->charge;
    while (o->bytes > o->bytes_max && o->oldest != e)
        cache_drop(t, o->oldest);
}
