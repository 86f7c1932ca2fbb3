/* One thread's event loop: libuv, a timer wheel, and work to do at the end of a round.
 *
 * Everything started on a loop belongs to the loop's thread; only loop_wake() may be called from another. */
#ifndef DIALTONE_NET_LOOP_H
#define DIALTONE_NET_LOOP_H

#include "base/clock.h"
#include "net/wheel.h"

#include <stdatomic.h>
#include <sys/queue.h>
#include <uv.h>

/* Called once after the events of a round have been handled, before the loop sleeps: where what was queued
 * in the round is sent in one go. */
struct round_end {
    struct round_end *next;
    bool queued;
    void (*run)(struct round_end *work);
};

/* A share of long work: one bounded piece of it, some 40 us. Whoever has more to do takes a turn again, behind
 * everybody else who waits. A zeroed one is not queued. */
struct turn {
    TAILQ_ENTRY(turn) link;
    void (*run)(struct turn *turn); /* NULL: not queued */
};
TAILQ_HEAD(turns, turn);

/* So many turns between two looks at what has come: what is short waits for them and never for all that is long. More
 * would save next to nothing, for a look costs a microsecond. */
#define LOOP_TURNS_A_ROUND 4

struct loop {
    uv_loop_t uv;
    const struct clock *clock;
    uint64_t now_ms; /* read once a round */
    int64_t wall_ms; /* likewise */
    uint64_t read_at; /* libuv's own time when the two were read */
    struct wheel wheel;
    uv_timer_t tick;
    uint64_t tick_at_ms; /* when `tick` will fire; 0: not running */
    uv_prepare_t before_sleep;
    uv_check_t after_sleep;
    uv_async_t wake;
    void (*on_wake)(struct loop *loop);
    struct round_end *ending;
    struct turns turns; /* in the order in which they were taken */
    uv_idle_t restless; /* runs while there are turns: the loop looks and does not sleep */
    unsigned processors; /* that this process may use */
    void *context; /* the owner's */
};

/* 0 or a negative errno (libuv's are). `on_wake` runs on the loop's thread after loop_wake(). */
int loop_open(struct loop *l, const struct clock *clock, void (*on_wake)(struct loop *loop), void *context);
/* Runs until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* From any thread. */
void loop_wake(struct loop *l);
/* Closes what the loop itself opened and runs until every other handle's close callback has come. */
void loop_close(struct loop *l);

/* The first thing in the callback of a handle that waits for the outside: libuv calls those right after its
 * sleep, before `after_sleep`, so now_ms and wall_ms may be as old as the sleep was long. Reads them at most
 * once a round. */
void loop_woke(struct loop *l);
void loop_at_round_end(struct loop *l, struct round_end *work, void (*run)(struct round_end *work));
/* Queues a turn, unless it is queued. It is no longer when `run` is called. */
void loop_take_turn(struct loop *l, struct turn *turn, void (*run)(struct turn *turn));
/* Before its memory goes. One that is not queued is left alone. */
void loop_drop_turn(struct loop *l, struct turn *turn);
/* Timers on the loop's wheel, `after_ms` from the start of this round. */
void loop_timer(struct loop *l, struct timer *t, uint64_t after_ms, void (*fire)(struct timer *timer));

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
