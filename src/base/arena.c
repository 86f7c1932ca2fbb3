#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A run over a whole configuration needs some tens of kilobytes: few chunks, little waste for small ones. */
#define CHUNK_BYTES ((size_t)8192)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* bytes behind this header */
    size_t used;
    _Alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){ .limit = limit };
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

void arena_free(struct arena *a)
{
    free_chunks(a->chunks);
    *a = (struct arena){ .limit = a->limit };
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks;
    a->used = a->failures = 0;
    if (!keep)
        return;
    free_chunks(keep->older);
    keep->older = NULL;
    keep->used = 0;
}

static struct arena_chunk *add_chunk(struct arena *a, size_t size)
{
    size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct arena_chunk *chunk = malloc(sizeof *chunk + room);
    if (!chunk)
        return NULL;
    *chunk = (struct arena_chunk){ .older = a->chunks, .size = room };
    a->chunks = chunk;
    return chunk;
}

static void *fail(struct arena *a)
{
    a->failures++;
    return NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return fail(a);
    size = (size + align - 1) & ~(align - 1);
    if (a->used > a->limit || size > a->limit - a->used)
        return fail(a);
    struct arena_chunk *chunk = a->chunks;
    if (!chunk || size > chunk->size - chunk->used)
        chunk = add_chunk(a, size);
    if (!chunk)
        return fail(a);
    void *at = chunk->bytes + chunk->used;
    chunk->used += size;
    a->used += size;
    memset(at, 0, size);
    return at;
}

void *arena_array(struct arena *a, size_t size, size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(size, count, &bytes))
        return fail(a);
    return arena_alloc(a, bytes);
}

bool arena_copy(struct arena *a, struct slice text, struct slice *ret_copy)
{
    char *copy = arena_alloc(a, text.len + 1);
    if (!copy)
        return false;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    *ret_copy = slice_of(copy, text.len);
    return true;
}

bool arena_format(struct arena *a, struct slice *ret_text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
    if (text) {
        vsnprintf(text, (size_t)len + 1, format, again);
        *ret_text = slice_of(text, (size_t)len);
    }
    va_end(again);
    return text != NULL;
}
