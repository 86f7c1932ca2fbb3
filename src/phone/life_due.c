#include "phone/life_inside.h"

/* Less is the clock being read at two times. */
#define JUMP_MS 2000

uint64_t life_now_ms(const struct life *l)
{
    return (l->loop->now_ms - l->started_ms) * l->options.time_scale;
}

/* In real time the machine's wall clock, jumps and all; else it runs as fast as the phone. */
static int64_t wall_ms(const struct life *l)
{
    return l->options.time_scale == 1 ? l->loop->wall_ms : l->started_wall_ms + (int64_t)life_now_ms(l);
}

int64_t life_wall_s(const struct life *l)
{
    int64_t ms = wall_ms(l);
    return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

void life_timer(struct life *l, struct timer *t, uint64_t after_ms, void (*fire)(struct timer *timer))
{
    uint32_t scale = l->options.time_scale;
    loop_timer(l->loop, t, (after_ms + scale - 1) / scale, fire);
}

static struct trigger_due look(const struct life *l)
{
    const struct life_ram *ram = &l->ram;
    uint64_t now = life_now_ms(l);
    struct trigger_look at = {
        .settings = &ram->effective,
        .zone = &ram->zone,
        .memory = &ram->memory.triggers,
        .mac = ram->id.mac,
        .now_s = life_wall_s(l),
        .rest_s = (now - ram->rest_since_ms) / 1000,
        .idle_s = l->in_call ? 0 : (now - ram->touched_ms) / 1000,
    };
    return trigger_next(&at);
}

static void on_due(struct timer *timer);

/* To the moment it is due, or to the next look at the wall clock. */
static void sleep_on(struct life *l)
{
    int64_t left_ms = LIFE_LOOK_MS;
    if (l->ram.due.trigger != TRIGGER_NONE)
        left_ms = l->ram.due.at_s * 1000 - wall_ms(l);
    if (left_ms > LIFE_LOOK_MS)
        left_ms = LIFE_LOOK_MS;
    if (!l->ram.rested && left_ms > LIFE_REST_MS)
        left_ms = LIFE_REST_MS;
    life_timer(l, &l->due_timer, left_ms > 0 ? (uint64_t)left_ms : 0, on_due);
}

static bool has_jumped(const struct life *l)
{
    int64_t shift = wall_ms(l) - (int64_t)life_now_ms(l), by = shift - l->wall_shift_ms;
    return by > JUMP_MS || by < -JUMP_MS;
}

static void rest(struct life *l)
{
    if (l->ram.rested || l->upload.bytes)
        return;
    l->ram.rested = true;
    if (l->watch.rests)
        l->watch.rests(l->watch.context);
}

static void on_due(struct timer *timer)
{
    struct life *l = container_of(timer, struct life, due_timer);
    screen_touch(l->screen);
    if (l->ram.state != LIFE_IDLE)
        return;
    if (has_jumped(l)) {
        life_tell(l, "the clock was set");
        life_plan(l);
    } else if (l->ram.due.trigger != TRIGGER_NONE && l->ram.due.at_s <= life_wall_s(l)) {
        life_run(l, l->ram.due.trigger);
    } else {
        rest(l);
        sleep_on(l);
    }
}

static void tell_due(const struct life *l)
{
    char bytes[32];
    struct buf text = BUF_ON(bytes);
    int64_t local_s = l->ram.due.at_s + zone_offset_at(&l->ram.zone, l->ram.due.at_s);
    clock_print_wall(local_s * 1000, &text);
    if (l->ram.due.trigger == TRIGGER_NONE)
        life_tell(l, "idle; no further run is due");
    else /* without the milliseconds and the Z of a time that is not UTC */
        life_tell(l, "idle; %s is due %.*s", trigger_name(l->ram.due.trigger), 19, bytes);
}

void life_plan(struct life *l)
{
    struct trigger_due before = l->ram.due;
    l->wall_shift_ms = wall_ms(l) - (int64_t)life_now_ms(l);
    l->ram.due = look(l);
    if (!l->ram.told_due || l->ram.due.trigger != before.trigger || l->ram.due.at_s != before.at_s)
        tell_due(l);
    l->ram.told_due = true;
    sleep_on(l);
}
