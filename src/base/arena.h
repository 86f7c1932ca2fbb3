/* Memory of one request or one run: many allocations, freed together.
 *
 * An arena has a ceiling, so what a peer or a file can make grow stays bounded, and a test can make every
 * allocation fail in turn by setting the ceiling. Not shared between threads. */
#ifndef DIALTONE_BASE_ARENA_H
#define DIALTONE_BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes handed out */
    size_t limit;               /* ceiling for `used` */
    size_t failures;            /* allocations that found no room since arena_init() or arena_reset() */
};

/* Allocates nothing yet. */
void arena_init(struct arena *a, size_t limit);
/* Frees everything; the arena can be used again. */
void arena_free(struct arena *a);
/* Forgets everything but keeps one chunk for the next request. */
void arena_reset(struct arena *a);

/* Zeroed and aligned for any type; NULL when out of memory or over the limit. */
void *arena_alloc(struct arena *a, size_t size);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), sizeof(type), (count)))
void *arena_array(struct arena *a, size_t size, size_t count);

/* A copy that lives as long as the arena, with a NUL behind it that does not count. */
bool arena_copy(struct arena *a, struct slice text, struct slice *ret_copy);
/* Formatted text, NUL behind it as above. False when out of memory. */
bool arena_format(struct arena *a, struct slice *ret_text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
