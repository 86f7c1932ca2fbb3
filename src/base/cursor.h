/* Bounded reader of wire bytes. The first read past the end makes the error stick: every later read gives
 * zero or an empty slice, and one cursor_ok() at the end tells. */
#ifndef DIALTONE_BASE_CURSOR_H
#define DIALTONE_BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
    struct slice rest;
    bool failed; /* sticky */
};

static inline struct cursor cursor_on(struct slice bytes)
{
    return (struct cursor){ bytes, false };
}
static inline bool cursor_ok(const struct cursor *c)
{
    return !c->failed;
}
static inline bool cursor_at_end(const struct cursor *c)
{
    return c->rest.len == 0;
}

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c); /* network byte order */
uint32_t cursor_u32(struct cursor *c);
/* Borrows the next `len` bytes. */
struct slice cursor_bytes(struct cursor *c, size_t len);
/* Borrows the text up to the next NUL and steps over it; fails when there is none (security.md R15). */
struct slice cursor_zstring(struct cursor *c);

#endif
