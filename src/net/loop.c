#include "net/loop.h"

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

static void on_before_sleep(uv_prepare_t *prepare)
{
    struct loop *l = of(prepare);
    uint64_t next_ms;
    run_endings(l);
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
    *l = (struct loop){ .clock = clock, .on_wake = on_wake, .context = context };
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
    uv_close((uv_handle_t *)&l->tick, NULL);
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

void loop_timer(struct loop *l, struct timer *t, uint64_t after_ms, void (*fire)(struct timer *timer))
{
    timer_start(&l->wheel, t, l->now_ms + after_ms, fire);
}
