/* Timers in constant time: a hashed wheel, for thousands of transfers and connections at once.
 *
 * Knows no clock: time is handed in, so that a test turns the wheel by hand. A timer fires not before its
 * time and at most WHEEL_TICK_MS after it (plus what the caller is late). */
#ifndef DIALTONE_NET_WHEEL_H
#define DIALTONE_NET_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_MS 16
/* 1024 ticks are 16 s: nearly every time-out we have falls into the first turn. */
#define WHEEL_SLOTS 1024

struct timer {
    struct timer *next, **link; /* link NULL: not running */
    uint64_t due_ms;
    void (*fire)(struct timer *timer);
};

struct wheel {
    struct timer *slot[WHEEL_SLOTS];
    uint64_t used[WHEEL_SLOTS / 64]; /* bit set: the slot may hold timers */
    uint64_t done_tick;              /* every tick up to this one has been looked at */
    size_t running;
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/* (Re)starts a timer. It is unlinked before `fire` is called, so `fire` may start it again or free it. */
void timer_start(struct wheel *w, struct timer *t, uint64_t due_ms, void (*fire)(struct timer *timer));
/* Stopping one that is not running does nothing. */
void timer_stop(struct wheel *w, struct timer *t);
static inline bool timer_is_running(const struct timer *t)
{
    return t->link != NULL;
}
/* Fires all that is due. */
void wheel_advance(struct wheel *w, uint64_t now_ms);
/* When to advance next: a time not after the earliest timer's tick; false when none runs. */
bool wheel_next(const struct wheel *w, uint64_t *ret_ms);

#endif
