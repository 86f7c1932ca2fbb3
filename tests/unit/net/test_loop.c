#include "tests/unit/test.h"

#include "net/loop.h"

#define HOGS 10

struct hog {
    struct turn turn;
    struct loop *loop;
    unsigned runs;
    unsigned again; /* how often it still takes a turn; UINT_MAX: always */
    struct hog *drops;
};

static struct manual_clock manual;
static unsigned all_runs;
static unsigned wakes;

static void on_turn(struct turn *turn)
{
    struct hog *h = container_of(turn, struct hog, turn);
    h->runs++;
    all_runs++;
    if (h->drops)
        loop_drop_turn(h->loop, &h->drops->turn);
    if (h->again && (h->again == UINT_MAX || h->again--))
        loop_take_turn(h->loop, turn, on_turn);
}

static void on_wake(struct loop *l)
{
    (void)l;
    wakes++;
}

static void open_with(struct loop *l, struct hog *hogs, unsigned again)
{
    manual_clock_init(&manual, 1700000000000);
    all_runs = wakes = 0;
    assert_int_equal(loop_open(l, &manual.clock, on_wake, NULL), 0);
    uv_run(&l->uv, UV_RUN_NOWAIT);
    for (size_t i = 0; i < HOGS; i++) {
        hogs[i] = (struct hog){ .loop = l, .again = again };
        loop_take_turn(l, &hogs[i].turn, on_turn);
    }
}

static void close_with(struct loop *l, struct hog *hogs)
{
    for (size_t i = 0; i < HOGS; i++)
        loop_drop_turn(l, &hogs[i].turn);
    loop_close(l);
}

static void what_comes_waits_for_one_round_of_turns_and_no_longer(void **state)
{
    (void)state;
    struct loop l;
    struct hog hogs[HOGS];
    open_with(&l, hogs, UINT_MAX);
    for (unsigned i = 1; i <= 20; i++) {
        unsigned before = all_runs;
        loop_wake(&l);
        uv_run(&l.uv, UV_RUN_NOWAIT);
        assert_int_equal(wakes, i);
        assert_in_range(all_runs - before, 1, LOOP_TURNS_A_ROUND);
    }
    close_with(&l, hogs);
}

static void who_takes_turns_again_stands_behind_all_others(void **state)
{
    (void)state;
    struct loop l;
    struct hog hogs[HOGS];
    open_with(&l, hogs, UINT_MAX);
    while (all_runs < HOGS * 7) {
        uv_run(&l.uv, UV_RUN_NOWAIT);
        for (size_t i = 0; i < HOGS; i++)
            assert_in_range(hogs[i].runs, all_runs / HOGS, all_runs / HOGS + 1);
    }
    close_with(&l, hogs);
}

static void the_loop_sleeps_again_when_all_turns_are_over(void **state)
{
    (void)state;
    struct loop l;
    struct hog hogs[HOGS];
    open_with(&l, hogs, 2);
    uv_run(&l.uv, UV_RUN_NOWAIT);
    assert_int_equal(uv_backend_timeout(&l.uv), 0);
    for (unsigned i = 0; i < HOGS * 3; i++)
        uv_run(&l.uv, UV_RUN_NOWAIT);
    assert_int_equal(all_runs, HOGS * 3);
    assert_int_equal(uv_backend_timeout(&l.uv), -1);
    close_with(&l, hogs);
}

static void a_turn_is_queued_once_and_not_at_all_when_it_was_dropped(void **state)
{
    (void)state;
    struct loop l;
    struct hog hogs[HOGS];
    open_with(&l, hogs, 0);
    loop_take_turn(&l, &hogs[0].turn, on_turn);
    loop_drop_turn(&l, &hogs[2].turn);
    loop_drop_turn(&l, &hogs[2].turn);
    hogs[3].drops = &hogs[9];
    for (unsigned i = 0; i < HOGS; i++)
        uv_run(&l.uv, UV_RUN_NOWAIT);
    for (size_t i = 0; i < HOGS; i++)
        assert_int_equal(hogs[i].runs, i != 2 && i != 9);
    close_with(&l, hogs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_waits_for_one_round_of_turns_and_no_longer),
        cmocka_unit_test(who_takes_turns_again_stands_behind_all_others),
        cmocka_unit_test(the_loop_sleeps_again_when_all_turns_are_over),
        cmocka_unit_test(a_turn_is_queued_once_and_not_at_all_when_it_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
