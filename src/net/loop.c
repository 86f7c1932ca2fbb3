#include "net/loop.h"

#include <sched.h>

static struct loop *of(void *handle)
{
    return ((uv_handle_t *)handle)->data;
}

static void read_time(struct loop *l)
{
    l->now_ms = clock_now_ms(l->clock);
    l->wall_ms = clock_wall_ms(l->clock);
    l->read_at = uv_now(&l->uv);
}

static void on_tick(uv_timer_t *timer)
{
    of(timer)->tick_at_ms = 0;
}

static void on_after_sleep(uv_check_t *check)
{
    struct loop *l = of(check);
    read_time(l);
    wheel_advance(&l->wheel, l->now_ms);
}

static void run_endings(struct loop *l)
{
    while (l->ending) {
        struct round_end *work = l->ending;
        l->ending = work->next;
        work->queued = false;
        work->run(work);
    }
}

static void on_restless(uv_idle_t *idle)
{
    (void)idle;
}

/* Of this process. */
static atomic_uint restless_loops;

static void set_restless(struct loop *l, bool restless)
{
    if (uv_is_active((uv_handle_t *)&l->restless) == restless)
        return;
    if (restless) {
        uv_idle_start(&l->restless, on_restless);
        atomic_fetch_add(&restless_loops, 1);
    } else {
        uv_idle_stop(&l->restless);
        atomic_fetch_sub(&restless_loops, 1);
    }
}

/* With more restless loops than processors one of them would hold its processor for whole slices of the scheduler,
 * milliseconds, and what is short on another would wait for that. With enough processors yielding would only give them
 * to strangers: Linux takes it for the renouncement of a slice. */
static void give_way(const struct loop *l)
{
    if (atomic_load_explicit(&restless_loops, memory_order_relaxed) > l->processors)
        sched_yield();
}

static void run_turns(struct loop *l)
{
    if (TAILQ_EMPTY(&l->turns))
        return;
    for (unsigned i = 0; i < LOOP_TURNS_A_ROUND && !TAILQ_EMPTY(&l->turns); i++) {
        struct turn *turn = TAILQ_FIRST(&l->turns);
        void (*run)(struct turn *turn) = turn->run;
        loop_drop_turn(l, turn);
        run(turn);
    }
}

static unsigned count_processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    return count > 0 ? (unsigned)count : 1;
}

static void on_before_sleep(uv_prepare_t *prepare)
{
    struct loop *l = of(prepare);
    uint64_t next_ms;
    run_turns(l);
    run_endings(l);
    set_restless(l, !TAILQ_EMPTY(&l->turns));
    if (!TAILQ_EMPTY(&l->turns))
        give_way(l);
    if (!wheel_next(&l->wheel, &next_ms) || (l->tick_at_ms && l->tick_at_ms <= next_ms))
        return;
    read_time(l);
    l->tick_at_ms = next_ms;
    uv_update_time(&l->uv);
    uv_timer_start(&l->tick, on_tick, next_ms > l->now_ms ? next_ms - l->now_ms : 0, 0);
}

static void on_async(uv_async_t *async)
{
    struct loop *l = of(async);
    if (l->on_wake)
        l->on_wake(l);
}

int loop_open(struct loop *l, const struct clock *clock, void (*on_wake)(struct loop *loop), void *context)
{
    *l = (struct loop){
        .clock = clock, .on_wake = on_wake, .context = context, .processors = count_processors()
    };
    int error = uv_loop_init(&l->uv);
    if (error)
        return error;
    read_time(l);
    wheel_init(&l->wheel, l->now_ms);
    error = uv_async_init(&l->uv, &l->wake, on_async);
    if (error) {
        uv_loop_close(&l->uv);
        return error;
    }
    TAILQ_INIT(&l->turns);
    uv_idle_init(&l->uv, &l->restless);
    uv_timer_init(&l->uv, &l->tick);
    uv_prepare_init(&l->uv, &l->before_sleep);
    uv_check_init(&l->uv, &l->after_sleep);
    l->tick.data = l->before_sleep.data = l->after_sleep.data = l->wake.data = l;
    uv_prepare_start(&l->before_sleep, on_before_sleep);
    uv_check_start(&l->after_sleep, on_after_sleep);
    return 0;
}

void loop_run(struct loop *l)
{
    read_time(l);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    run_endings(l);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

void loop_wake(struct loop *l)
{
    uv_async_send(&l->wake);
}

void loop_close(struct loop *l)
{
    run_endings(l);
    set_restless(l, false);
    uv_close((uv_handle_t *)&l->tick, NULL);
    uv_close((uv_handle_t *)&l->restless, NULL);
    uv_close((uv_handle_t *)&l->before_sleep, NULL);
    uv_close((uv_handle_t *)&l->after_sleep, NULL);
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    uv_loop_close(&l->uv);
}

void loop_woke(struct loop *l)
{
    if (uv_now(&l->uv) != l->read_at)
        read_time(l);
}

void loop_at_round_end(struct loop *l, struct round_end *work, void (*run)(struct round_end *work))
{
    if (work->queued)
        return;
    *work = (struct round_end){ l->ending, true, run };
    l->ending = work;
}

void loop_take_turn(struct loop *l, struct turn *turn, void (*run)(struct turn *turn))
{
    if (turn->run)
        return;
    turn->run = run;
    TAILQ_INSERT_TAIL(&l->turns, turn, link);
}

void loop_drop_turn(struct loop *l, struct turn *turn)
{
    if (!turn->run)
        return;
    turn->run = NULL;
    TAILQ_REMOVE(&l->turns, turn, link);
}

void loop_timer(struct loop *l, struct timer *t, uint64_t after_ms, void (*fire)(struct timer *timer))
{
    timer_start(&l->wheel, t, l->now_ms + after_ms, fire);
}
