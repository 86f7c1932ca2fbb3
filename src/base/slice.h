/* Borrowed text: a pointer and a length in bytes, never NUL-terminated, never owned.
 *
 * Everything that comes from a file, a datagram or the command line is looked at through a slice; the
 * bytes belong to whoever made it (a receive buffer, an arena, a literal) and must outlive it. */
#ifndef DIALTONE_BASE_SLICE_H
#define DIALTONE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;      /* bytes */
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
#define SLICE_NONE ((struct slice){ NULL, 0 })
/* For printf: printf("%.*s", SLICE_ARG(s)). Cut at INT_MAX bytes. */
#define SLICE_ARG(s) (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), ((s).ptr ? (s).ptr : "")

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){ ptr, len };
}

/* NULL gives an empty slice. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

bool slice_eq(struct slice a, struct slice b);
/* ASCII letters compare without case; other bytes exactly. */
bool slice_eq_nocase(struct slice a, struct slice b);
/* Byte order, shorter first: for qsort and bsearch. */
int slice_compare(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* Index of the first / last `byte`; s.len when there is none. */
size_t slice_find(struct slice s, char byte);
size_t slice_find_last(struct slice s, char byte);
/* Index at which `needle` starts; s.len when it does not occur. An empty needle is found at 0. */
size_t slice_find_text(struct slice s, struct slice needle);

/* Bytes from `from` (clamped) on, and the first `len` (clamped) of them. */
struct slice slice_from(struct slice s, size_t from);
struct slice slice_first(struct slice s, size_t len);
/* Without blanks and tabs (and CR, LF) at either end. */
struct slice slice_trim(struct slice s);

/* Splits at the first `byte`: the part before goes to *ret_head and the rest after it stays in *s.
 * Without such a byte the head is all of *s and *s becomes empty. False when *s was empty already. */
bool slice_cut(struct slice *s, char byte, struct slice *ret_head);

/* Strict decimal: digits only, no sign, no blanks, min <= value <= max. The one number parser for
 * anything that comes from outside (security.md R31). */
bool slice_u64(struct slice s, uint64_t min, uint64_t max, uint64_t *ret_value);
/* The same for hexadecimal digits without a prefix. */
bool slice_hex_u64(struct slice s, uint64_t min, uint64_t max, uint64_t *ret_value);

/* ASCII only, whatever the locale. */
static inline char byte_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
static inline bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool byte_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/* C0 controls and DEL. */
static inline bool byte_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}
/* Value of a hexadecimal digit, -1 for any other byte. */
int byte_hex(char c);

#endif
