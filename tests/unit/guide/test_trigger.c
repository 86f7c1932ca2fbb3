#include "tests/unit/test.h"

#include "base/civil.h"
#include "guide/trigger.h"

#include <time.h>

/* A phone in Berlin, lived through on a clock that only this test moves. What it does is checked against the C
 * library's calendar, which knows nothing of guide/zone and guide/trigger. */
#define RUNS_MAX 4096

struct life {
    struct settings settings;
    struct zone zone;
    struct trigger_memory memory;
    struct mac mac;
    int64_t now_s, quiet_since_s; /* the user's last key */
    int64_t powered_s;
    struct trigger_due runs[RUNS_MAX];
    size_t count;
};

static const char berlin[] = "CET-1CEST,M3.5.0/2,M10.5.0/3";

static void put(struct life *l, const char *key, const char *value)
{
    assert_true(settings_put(&l->settings, slice_str(key), slice_str(value), (struct origin){ SETTINGS_FLASH, 1 }));
}

static int64_t utc(int year, unsigned month, unsigned day, unsigned hour)
{
    return civil_days(year, month, day) * 86400 + (int64_t)hour * 3600;
}

static void begin(struct life *l, void **state)
{
    *l = (struct life){ .mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } }, .now_s = utc(2026, 1, 1, 12) };
    settings_init(&l->settings, *state);
    put(l, "local_time.time_zone", "+1");
    put(l, "local_time.summer_time", "1");
    put(l, "local_time.dst_time_type", "1");
    put(l, "local_time.start_time", "3/5/7/2");
    put(l, "local_time.end_time", "10/5/7/3");
    l->zone = zone_of_settings(&l->settings, NULL);
    l->memory.power_ons = 1;
    l->powered_s = l->now_s;
    setenv("TZ", berlin, 1);
    tzset();
}

static struct trigger_due next(const struct life *l)
{
    int64_t since = l->memory.ran_s > l->powered_s ? l->memory.ran_s : l->powered_s;
    struct trigger_look look = {
        .settings = &l->settings,
        .zone = &l->zone,
        .memory = &l->memory,
        .mac = l->mac,
        .now_s = l->now_s,
        .rest_s = (uint64_t)(l->now_s > since ? l->now_s - since : 0),
        .idle_s = (uint64_t)(l->now_s > l->quiet_since_s ? l->now_s - l->quiet_since_s : 0),
    };
    return trigger_next(&look);
}

static void live_until(struct life *l, int64_t end_s)
{
    for (;;) {
        struct trigger_due due = next(l);
        if (due.trigger == TRIGGER_NONE || due.at_s >= end_s)
            break;
        assert_true(due.at_s >= l->now_s);
        assert_true(l->count < RUNS_MAX);
        l->now_s = due.at_s;
        l->runs[l->count++] = due;
        trigger_ran(&l->memory, &due, l->now_s);
    }
    l->now_s = end_s;
}

static void reboot(struct life *l)
{
    l->memory.power_ons++;
    l->powered_s = l->now_s;
}

static struct tm local(int64_t utc_s)
{
    time_t t = (time_t)utc_s;
    struct tm tm;
    localtime_r(&t, &tm);
    return tm;
}

/* Calendar days since 1970 of the local date. */
static int64_t date_of(int64_t utc_s)
{
    struct tm tm = local(utc_s);
    tm.tm_isdst = 0;
    return timegm(&tm) / 86400;
}

static void weekly(struct life *l, const char *weeks, const char *days, const char *from, const char *to)
{
    put(l, "static.auto_provision.weekly.enable", "1");
    put(l, "static.auto_provision.weekly_upgrade_interval", weeks);
    put(l, "static.auto_provision.weekly.dayofweek", days);
    put(l, "static.auto_provision.weekly.begin_time", from);
    put(l, "static.auto_provision.weekly.end_time", to);
}

static void flexible(struct life *l, const char *days, const char *from, const char *to)
{
    put(l, "static.auto_provision.flexible.enable", "1");
    put(l, "static.auto_provision.flexible.interval", days);
    put(l, "static.auto_provision.flexible.begin_time", from);
    put(l, "static.auto_provision.flexible.end_time", to);
}

static void nothing_is_due_out_of_the_box(void **state)
{
    struct life l;
    begin(&l, state);
    assert_int_equal(next(&l).trigger, TRIGGER_NONE);
    settings_free(&l.settings);
}

static void repeatedly_comes_every_so_many_minutes_after_the_last_run(void **state)
{
    struct life l;
    begin(&l, state);
    put(&l, "static.auto_provision.repeat.enable", "1");
    int64_t start = l.now_s;
    live_until(&l, start + 10 * 86400);
    assert_int_equal(l.count, 9);
    for (size_t i = 0; i < l.count; i++)
        assert_int_equal(l.runs[i].at_s, start + (int64_t)(i + 1) * 1440 * 60);
    settings_free(&l.settings);
}

static void every_fourth_monday_between_two_and_three_for_a_year(void **state)
{
    struct life l;
    begin(&l, state);
    weekly(&l, "4", "1", "02:00", "03:00");
    live_until(&l, utc(2027, 1, 1, 12));
    assert_int_equal(l.count, 13);
    for (size_t i = 0; i < l.count; i++) {
        struct tm tm = local(l.runs[i].at_s);
        assert_int_equal(tm.tm_wday, 1);
        assert_int_equal(tm.tm_hour, 2);
        if (i)
            assert_int_equal(date_of(l.runs[i].at_s) - date_of(l.runs[i - 1].at_s), 28);
    }
    settings_free(&l.settings);
}

static void with_interval_0_each_chosen_day_of_every_week_has_its_run(void **state)
{
    struct life l;
    size_t seen = 0;
    begin(&l, state);
    weekly(&l, "0", "135", "22:00", "01:30");
    live_until(&l, utc(2027, 1, 1, 12));
    for (int64_t day = date_of(utc(2026, 1, 1, 12)); day < date_of(utc(2027, 1, 1, 0)); day++) {
        struct tm tm = { .tm_mday = (int)(day + 1), .tm_year = 70, .tm_hour = 22, .tm_isdst = -1 };
        int64_t from = mktime(&tm);
        if (tm.tm_wday != 1 && tm.tm_wday != 3 && tm.tm_wday != 5)
            continue;
        assert_true(seen < l.count);
        assert_in_range(l.runs[seen].at_s - from, 0, 3 * 3600 + 1800 - 1);
        seen++;
    }
    assert_int_equal(seen, l.count);
    settings_free(&l.settings);
}

static void of_several_days_one_is_drawn_each_time(void **state)
{
    struct life l;
    unsigned sundays = 0, saturdays = 0;
    begin(&l, state);
    weekly(&l, "1", "06", "03:00", "04:00");
    live_until(&l, utc(2027, 1, 1, 12));
    assert_in_range(l.count, 52, 53);
    for (size_t i = 0; i < l.count; i++) {
        struct tm tm = local(l.runs[i].at_s);
        sundays += tm.tm_wday == 0;
        saturdays += tm.tm_wday == 6;
        /* The Sunday that begins its week. */
        if (i)
            assert_int_equal((date_of(l.runs[i].at_s) + 4) / 7, (date_of(l.runs[i - 1].at_s) + 4) / 7 + 1);
    }
    assert_int_equal(sundays + saturdays, l.count);
    assert_true(sundays > 10 && saturdays > 10);
    settings_free(&l.settings);
}

static void one_day_in_thirty_which_one_by_the_mac_and_the_same_after_reboots(void **state)
{
    struct life l;
    bool other_time = false;
    begin(&l, state);
    flexible(&l, "30", "01:00", "06:00");
    for (unsigned month = 2; month <= 12; month++) {
        live_until(&l, utc(2026, month, 1, 12));
        reboot(&l);
    }
    live_until(&l, utc(2027, 1, 1, 12));
    assert_in_range(l.count, 12, 13);
    for (size_t i = 0; i < l.count; i++) {
        struct tm tm = local(l.runs[i].at_s);
        assert_in_range(tm.tm_hour, 1, 5);
        if (!i)
            continue;
        struct tm before = local(l.runs[i - 1].at_s);
        assert_int_equal(date_of(l.runs[i].at_s) - date_of(l.runs[i - 1].at_s), 30);
        other_time |= tm.tm_min != before.tm_min || tm.tm_sec != before.tm_sec;
    }
    assert_true(other_time);
    settings_free(&l.settings);
}

static void phones_spread_over_days_and_times(void **state)
{
    struct life l;
    unsigned of_day[30] = { 0 };
    begin(&l, state);
    flexible(&l, "30", "01:00", "06:00");
    for (unsigned i = 0; i < 3000; i++) {
        l.mac.bytes[4] = (uint8_t)(i >> 8);
        l.mac.bytes[5] = (uint8_t)i;
        struct trigger_due due = next(&l);
        of_day[(date_of(due.at_s) - date_of(l.now_s)) % 30]++;
    }
    for (unsigned i = 0; i < 30; i++)
        assert_in_range(of_day[i], 50, 150);
    settings_free(&l.settings);
}

static void a_reboot_draws_the_time_anew_but_not_the_day(void **state)
{
    struct life l;
    begin(&l, state);
    flexible(&l, "30", "01:00", "06:00");
    struct trigger_due before = next(&l);
    assert_int_equal(next(&l).at_s, before.at_s);
    reboot(&l);
    struct trigger_due after = next(&l);
    assert_int_equal(after.day, before.day);
    assert_int_not_equal(after.at_s, before.at_s);
    settings_free(&l.settings);
}

static void a_run_inside_the_window_counts_as_the_flexible_one(void **state)
{
    struct life l;
    begin(&l, state);
    flexible(&l, "30", "01:00", "06:00");
    struct trigger_due due = next(&l);
    struct tm tm = local(due.at_s);
    l.now_s = due.at_s - tm.tm_hour * 3600 - tm.tm_min * 60 - tm.tm_sec + 3600;
    trigger_ran(&l.memory, &(struct trigger_due){ TRIGGER_NOW, l.now_s, 0 }, l.now_s);
    assert_int_equal(next(&l).day, due.day + 30);
    settings_free(&l.settings);
}

static void a_run_outside_the_window_does_not(void **state)
{
    struct life l;
    begin(&l, state);
    flexible(&l, "30", "01:00", "06:00");
    struct trigger_due due = next(&l);
    l.now_s = due.at_s - 6 * 3600;
    trigger_ran(&l.memory, &(struct trigger_due){ TRIGGER_NOW, l.now_s, 0 }, l.now_s);
    assert_int_equal(next(&l).at_s, due.at_s);
    settings_free(&l.settings);
}

static void ten_idle_minutes_are_counted_within_the_window(void **state)
{
    struct life l;
    begin(&l, state);
    weekly(&l, "0", "1", "02:00", "03:00");
    put(&l, "static.auto_provision.inactivity_time_expire", "10");
    struct trigger_due due = next(&l);
    struct tm tm = local(due.at_s);
    assert_int_equal(tm.tm_hour * 60 + tm.tm_min, 2 * 60 + 10);
    /* A key at 02:07: ten minutes from there. */
    l.now_s = l.quiet_since_s = due.at_s - 3 * 60;
    assert_int_equal(next(&l).at_s, l.now_s + 600);
    /* One at 02:55: not this week. */
    l.now_s = l.quiet_since_s = due.at_s + 45 * 60;
    assert_int_equal(next(&l).day, due.day + 7);
    settings_free(&l.settings);
}

static void what_was_slept_through_waits_for_its_next_turn(void **state)
{
    struct life l;
    begin(&l, state);
    weekly(&l, "4", "1", "02:00", "03:00");
    struct trigger_due due = next(&l);
    l.now_s = due.at_s + 2 * 3600;
    reboot(&l);
    struct trigger_due later = next(&l);
    assert_int_equal(later.day, due.day + 7);
    /* Back within the window it is due at once. */
    l.now_s = due.at_s;
    struct tm tm = local(l.now_s);
    l.now_s += (59 - tm.tm_min) * 60 + 59 - tm.tm_sec;
    assert_int_equal(next(&l).at_s, l.now_s);
    settings_free(&l.settings);
}

static void a_clock_set_back_neither_stops_nor_doubles_it(void **state)
{
    struct life l;
    begin(&l, state);
    weekly(&l, "4", "1", "02:00", "03:00");
    live_until(&l, utc(2026, 6, 1, 12));
    size_t runs = l.count;
    /* Two hours back over a run: its day is served already. */
    l.now_s = l.runs[runs - 1].at_s - 1800;
    assert_true(next(&l).day > l.runs[runs - 1].day);
    /* A year back: the memory of a run that is yet to come does not count. */
    l.now_s = utc(2025, 6, 1, 12);
    assert_true(next(&l).at_s < utc(2025, 6, 9, 12));
    settings_free(&l.settings);
}

static void a_window_that_daylight_saving_skips_is_the_minute_of_the_change(void **state)
{
    struct life l;
    begin(&l, state);
    weekly(&l, "0", "0", "02:10", "02:50");
    l.now_s = utc(2026, 3, 28, 12);
    struct trigger_due due = next(&l);
    assert_in_range(due.at_s - utc(2026, 3, 29, 1), 0, 59);
    settings_free(&l.settings);
}

static void a_blank_end_is_the_minute_of_the_beginning(void **state)
{
    struct life l;
    begin(&l, state);
    flexible(&l, "1", "02:00", "");
    live_until(&l, utc(2026, 2, 1, 12));
    assert_int_equal(l.count, 31);
    for (size_t i = 0; i < l.count; i++) {
        struct tm tm = local(l.runs[i].at_s);
        assert_int_equal(tm.tm_hour * 60 + tm.tm_min, 120);
    }
    settings_free(&l.settings);
}

static void all_of_them_at_once_each_keep_their_own_count(void **state)
{
    struct life l;
    size_t of[TRIGGERS] = { 0 };
    begin(&l, state);
    weekly(&l, "4", "1", "02:00", "03:00");
    flexible(&l, "30", "04:00", "06:00");
    put(&l, "static.auto_provision.repeat.enable", "1");
    put(&l, "static.auto_provision.repeat.minutes", "43200");
    live_until(&l, utc(2027, 1, 1, 12));
    for (size_t i = 0; i < l.count; i++)
        of[l.runs[i].trigger]++;
    assert_int_equal(of[TRIGGER_WEEKLY], 13);
    assert_in_range(of[TRIGGER_FLEXIBLE], 12, 13);
    /* It counts from the last run of any kind, and those come oftener than its 30 days. */
    assert_int_equal(of[TRIGGER_REPEATEDLY], 0);
    settings_free(&l.settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(nothing_is_due_out_of_the_box),
        test_with_arena(repeatedly_comes_every_so_many_minutes_after_the_last_run),
        test_with_arena(every_fourth_monday_between_two_and_three_for_a_year),
        test_with_arena(with_interval_0_each_chosen_day_of_every_week_has_its_run),
        test_with_arena(of_several_days_one_is_drawn_each_time),
        test_with_arena(one_day_in_thirty_which_one_by_the_mac_and_the_same_after_reboots),
        test_with_arena(phones_spread_over_days_and_times),
        test_with_arena(a_reboot_draws_the_time_anew_but_not_the_day),
        test_with_arena(a_run_inside_the_window_counts_as_the_flexible_one),
        test_with_arena(a_run_outside_the_window_does_not),
        test_with_arena(ten_idle_minutes_are_counted_within_the_window),
        test_with_arena(what_was_slept_through_waits_for_its_next_turn),
        test_with_arena(a_clock_set_back_neither_stops_nor_doubles_it),
        test_with_arena(a_window_that_daylight_saving_skips_is_the_minute_of_the_change),
        test_with_arena(a_blank_end_is_the_minute_of_the_beginning),
        test_with_arena(all_of_them_at_once_each_keep_their_own_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
