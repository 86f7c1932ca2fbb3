/* Time is passed in. Whoever waits or stamps asks a clock; tests hand one that they move by hand. */
#ifndef DIALTONE_BASE_CLOCK_H
#define DIALTONE_BASE_CLOCK_H

#include "base/buf.h"

struct clock {
    /* Milliseconds that never go back; the origin means nothing. */
    uint64_t (*monotonic_ms)(const struct clock *clock);
    /* Milliseconds since 1970-01-01 00:00 UTC; may jump either way. */
    int64_t (*wall_ms)(const struct clock *clock);
};

/* The machine's own. */
extern const struct clock clock_system;

/* A clock for tests. */
struct manual_clock {
    struct clock clock; /* first: a pointer to it is a pointer to the whole */
    uint64_t now_ms;
    int64_t wall_now_ms;
};
void manual_clock_init(struct manual_clock *m, int64_t wall_ms);
void manual_clock_advance(struct manual_clock *m, uint64_t ms);

static inline uint64_t clock_now_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock);
}
static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock);
}

/* `2026-11-22T07:05:09.123Z`. */
void clock_print_wall(int64_t wall_ms, struct buf *out);

#endif
