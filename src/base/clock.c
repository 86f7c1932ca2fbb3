#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t system_monotonic_ms(const struct clock *clock)
{
    (void)clock;
    return (uint64_t)read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall_ms(const struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

const struct clock clock_system = { system_monotonic_ms, system_wall_ms };

static uint64_t manual_monotonic_ms(const struct clock *clock)
{
    return ((const struct manual_clock *)(const void *)clock)->now_ms;
}

static int64_t manual_wall_ms(const struct clock *clock)
{
    return ((const struct manual_clock *)(const void *)clock)->wall_now_ms;
}

void manual_clock_init(struct manual_clock *m, int64_t wall_ms)
{
    *m = (struct manual_clock){ { manual_monotonic_ms, manual_wall_ms }, 0, wall_ms };
}

void manual_clock_advance(struct manual_clock *m, uint64_t ms)
{
    m->now_ms += ms;
    m->wall_now_ms += (int64_t)ms;
}

void clock_print_wall(int64_t wall_ms, struct buf *out)
{
    int64_t ms = wall_ms % 1000;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    if (!gmtime_r(&seconds, &tm)) {
        buf_str(out, "-");
        return;
    }
    buf_format(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
}
