#include "tests/unit/test.h"

#include "net/wheel.h"

struct probe {
    struct timer timer; /* first */
    unsigned fired;
    uint64_t at_ms;
    struct wheel *wheel;
    struct probe *stops;
    uint64_t again_ms;
};

static uint64_t now_ms;

static void on_fire(struct timer *t)
{
    struct probe *p = (struct probe *)(void *)t;
    p->fired++;
    p->at_ms = now_ms;
    if (p->stops)
        timer_stop(p->wheel, &p->stops->timer);
    if (p->again_ms)
        timer_start(p->wheel, t, now_ms + p->again_ms, on_fire);
}

static void turn_to(struct wheel *w, uint64_t ms)
{
    for (; now_ms < ms; now_ms++)
        wheel_advance(w, now_ms);
    wheel_advance(w, now_ms);
}

static void timers_fire_once_not_early_and_at_most_a_tick_late(void **state)
{
    (void)state;
    struct wheel w;
    struct probe p[200] = { 0 };
    now_ms = 5000;
    wheel_init(&w, now_ms);
    for (unsigned i = 0; i < 200; i++)
        timer_start(&w, &p[i].timer, now_ms + i * 333, on_fire);
    turn_to(&w, now_ms + 200 * 333);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(p[i].fired, 1);
        assert_in_range(p[i].at_ms, 5000 + i * 333, 5000 + i * 333 + 2 * WHEEL_TICK_MS);
    }
    assert_int_equal(w.running, 0);
}

static void stopping_and_restarting(void **state)
{
    (void)state;
    struct wheel w;
    struct probe a = { 0 }, b = { 0 };
    now_ms = 0;
    wheel_init(&w, 0);
    timer_start(&w, &a.timer, 100, on_fire);
    timer_start(&w, &b.timer, 100, on_fire);
    timer_stop(&w, &a.timer);
    timer_stop(&w, &a.timer);
    timer_start(&w, &b.timer, 40000, on_fire);
    turn_to(&w, 39999);
    assert_int_equal(a.fired + b.fired, 0);
    turn_to(&w, 40050);
    assert_int_equal(a.fired, 0);
    assert_int_equal(b.fired, 1);
}

static void a_firing_timer_may_stop_its_neighbour_and_start_itself(void **state)
{
    (void)state;
    struct wheel w;
    struct probe a = { 0 }, b = { 0 };
    now_ms = 0;
    wheel_init(&w, 0);
    a.wheel = b.wheel = &w;
    a.stops = &b;
    b.stops = &a;
    timer_start(&w, &a.timer, 50, on_fire);
    timer_start(&w, &b.timer, 50, on_fire);
    turn_to(&w, 100);
    assert_int_equal(a.fired + b.fired, 1);
    struct probe c = { .wheel = &w, .again_ms = 160 };
    timer_start(&w, &c.timer, 200, on_fire);
    turn_to(&w, 200 + 160 * 10 + 20);
    assert_in_range(c.fired, 9, 11);
}

static void next_is_never_after_the_earliest_timer(void **state)
{
    (void)state;
    struct wheel w;
    struct probe p = { 0 };
    uint64_t next;
    wheel_init(&w, 0);
    assert_false(wheel_next(&w, &next));
    for (uint64_t due = 1; due < 60000; due += 97) {
        timer_start(&w, &p.timer, due, on_fire);
        assert_true(wheel_next(&w, &next));
        assert_true(next <= due + WHEEL_TICK_MS);
        assert_true(next > 0);
    }
}

static void a_long_sleep_fires_everything(void **state)
{
    (void)state;
    struct wheel w;
    struct probe p[64] = { 0 };
    wheel_init(&w, 0);
    for (unsigned i = 0; i < 64; i++)
        timer_start(&w, &p[i].timer, i * 1000, on_fire);
    now_ms = 1000000;
    wheel_advance(&w, now_ms);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(p[i].fired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_not_early_and_at_most_a_tick_late),
        cmocka_unit_test(stopping_and_restarting),
        cmocka_unit_test(a_firing_timer_may_stop_its_neighbour_and_start_itself),
        cmocka_unit_test(next_is_never_after_the_earliest_timer),
        cmocka_unit_test(a_long_sleep_fires_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
