/* Bounded writer: text or wire bytes into memory that somebody else owns.
 *
 * A write that does not fit writes nothing and makes the error stick: build the whole thing, then ask
 * buf_ok() once. */
#ifndef DIALTONE_BASE_BUF_H
#define DIALTONE_BASE_BUF_H

#include "base/slice.h"

struct buf {
    char *ptr;
    size_t len; /* bytes written */
    size_t cap; /* bytes that fit */
    bool full;  /* a write did not fit; sticky */
};

/* A writer over a char array in scope. */
#define BUF_ON(array) ((struct buf){ (array), 0, sizeof(array), false })

static inline struct buf buf_on(void *ptr, size_t cap)
{
    return (struct buf){ ptr, 0, cap, false };
}
static inline bool buf_ok(const struct buf *b)
{
    return !b->full;
}
static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){ b->ptr, b->len };
}

void buf_bytes(struct buf *b, const void *bytes, size_t len);
void buf_text(struct buf *b, struct slice text);
void buf_str(struct buf *b, const char *text);
void buf_byte(struct buf *b, char byte);
/* Network byte order. */
void buf_u16(struct buf *b, uint16_t value);
void buf_u32(struct buf *b, uint32_t value);
/* Decimal digits. */
void buf_number(struct buf *b, uint64_t value);
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside, safe on a terminal and in a log: control bytes, `"`, `\` and bytes that are not
 * UTF-8 become \xHH, so one event stays one line (security.md R29). */
void buf_escaped(struct buf *b, struct slice text);
/* Ends the text with a NUL that does not count in len. False when full; then the text is cut to fit,
 * always terminated as long as cap > 0. */
bool buf_terminate(struct buf *b);

/* Length of the UTF-8 sequence at the start of `s`, 0 when there is no valid one. */
size_t utf8_length(struct slice s);

#endif
