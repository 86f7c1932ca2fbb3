#include "net/wheel.h"

#include <string.h>

static uint64_t tick_of(uint64_t ms)
{
    return (ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
}

void wheel_init(struct wheel *w, uint64_t now_ms)
{
    memset(w, 0, sizeof *w);
    w->done_tick = now_ms / WHEEL_TICK_MS;
}

void timer_stop(struct wheel *w, struct timer *t)
{
    if (!t->link)
        return;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->link = NULL;
    t->next = NULL;
    w->running--;
}

void timer_start(struct wheel *w, struct timer *t, uint64_t due_ms, void (*fire)(struct timer *timer))
{
    timer_stop(w, t);
    uint64_t tick = tick_of(due_ms);
    if (tick <= w->done_tick)
        tick = w->done_tick + 1;
    size_t slot = tick % WHEEL_SLOTS;
    t->due_ms = due_ms;
    t->fire = fire;
    t->next = w->slot[slot];
    t->link = &w->slot[slot];
    if (t->next)
        t->next->link = &t->next;
    w->slot[slot] = t;
    w->used[slot / 64] |= UINT64_C(1) << slot % 64;
    w->running++;
}

/* Timers of a later turn stay. The due ones are moved to a list of their own first: what `fire` starts or
 * stops meanwhile is linked rightly wherever it stands. */
static void run_slot(struct wheel *w, size_t slot, uint64_t now_ms)
{
    struct timer *due = NULL;
    for (struct timer *t = w->slot[slot], *next; t; t = next) {
        next = t->next;
        if (t->due_ms > now_ms)
            continue;
        timer_stop(w, t);
        w->running++;
        t->next = due;
        t->link = &due;
        if (due)
            due->link = &t->next;
        due = t;
    }
    while (due) {
        struct timer *t = due;
        timer_stop(w, t);
        t->fire(t);
    }
    if (!w->slot[slot])
        w->used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
    uint64_t now_tick = now_ms / WHEEL_TICK_MS;
    uint64_t first = w->done_tick + 1;
    if (now_tick < first)
        return;
    /* After a long sleep one turn sees every slot. */
    if (now_tick - w->done_tick > WHEEL_SLOTS)
        first = now_tick - WHEEL_SLOTS + 1;
    w->done_tick = now_tick;
    for (uint64_t tick = first; tick <= now_tick; tick++) {
        size_t slot = tick % WHEEL_SLOTS;
        if (w->used[slot / 64] >> slot % 64 & 1)
            run_slot(w, slot, now_ms);
    }
}

bool wheel_next(const struct wheel *w, uint64_t *ret_ms)
{
    if (w->running == 0)
        return false;
    for (uint64_t ahead = 1; ahead <= WHEEL_SLOTS; ahead++) {
        size_t slot = (w->done_tick + ahead) % WHEEL_SLOTS;
        if (w->used[slot / 64] >> slot % 64 & 1) {
            *ret_ms = (w->done_tick + ahead) * WHEEL_TICK_MS;
            return true;
        }
        /* Skip a word of empty slots at once. */
        if (slot % 64 == 0 && w->used[slot / 64] == 0)
            ahead += 63;
    }
    *ret_ms = (w->done_tick + WHEEL_SLOTS) * WHEEL_TICK_MS;
    return true;
}
