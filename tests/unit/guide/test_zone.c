#include "tests/unit/test.h"

#include "base/civil.h"
#include "guide/zone.h"

#include <time.h>

static void put(struct settings *s, const char *key, const char *value)
{
    assert_true(settings_put(s, slice_str(key), slice_str(value), (struct origin){ SETTINGS_FLASH, 1 }));
}

static int64_t at(int year, unsigned month, unsigned day, unsigned hour, unsigned minute)
{
    return civil_days(year, month, day) * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60;
}

static struct zone of(void **state, const char *zone, const char *type, const char *start, const char *end)
{
    struct settings s;
    settings_init(&s, *state);
    put(&s, "local_time.time_zone", zone);
    if (start) {
        put(&s, "local_time.summer_time", "1");
        put(&s, "local_time.dst_time_type", type);
        put(&s, "local_time.start_time", start);
        put(&s, "local_time.end_time", end);
    }
    struct zone z = zone_of_settings(&s, NULL);
    settings_free(&s);
    return z;
}

/* The C library knows the same rules by another name and another algorithm. */
static void assert_like_libc(const struct zone *z, const char *posix)
{
    setenv("TZ", posix, 1);
    tzset();
    for (int64_t t = at(2023, 1, 1, 0, 0); t < at(2028, 1, 1, 0, 0); t += 1800 - 1) {
        time_t when = (time_t)t;
        struct tm local;
        localtime_r(&when, &local);
        if (zone_offset_at(z, t) != local.tm_gmtoff)
            fail_msg("%s at %lld: %d, libc says %ld", posix, (long long)t, zone_offset_at(z, t), local.tm_gmtoff);
    }
}

static void a_year_north_and_south_of_the_equator_is_the_c_librarys(void **state)
{
    struct zone berlin = of(state, "+1", "1", "3/5/7/2", "10/5/7/3");
    struct zone new_york = of(state, "-5", "1", "3/2/7/2", "11/1/7/2");
    struct zone sydney = of(state, "+10", "1", "10/1/7/2", "4/1/7/3");
    struct zone delhi = of(state, "+5:30", NULL, NULL, NULL);
    assert_like_libc(&berlin, "CET-1CEST,M3.5.0/2,M10.5.0/3");
    assert_like_libc(&new_york, "EST5EDT,M3.2.0/2,M11.1.0/2");
    assert_like_libc(&sydney, "AEST-10AEDT,M10.1.0/2,M4.1.0/3");
    assert_like_libc(&delhi, "IST-5:30");
}

static void rules_by_date_count_days_of_the_month(void **state)
{
    struct zone z = of(state, "+1", "0", "4/1/2", "9/30/3");
    assert_int_equal(zone_offset_at(&z, at(2026, 4, 1, 0, 59)), 3600);
    assert_int_equal(zone_offset_at(&z, at(2026, 4, 1, 1, 0)), 7200);
    assert_int_equal(zone_offset_at(&z, at(2026, 9, 30, 0, 59)), 7200);
    assert_int_equal(zone_offset_at(&z, at(2026, 9, 30, 1, 0)), 3600);
}

static void a_local_time_has_one_instant_also_where_the_clock_skips_or_repeats(void **state)
{
    struct zone z = of(state, "+1", "1", "3/5/7/2", "10/5/7/3");
    assert_int_equal(zone_instant(&z, at(2026, 1, 10, 12, 0)), at(2026, 1, 10, 11, 0));
    assert_int_equal(zone_instant(&z, at(2026, 7, 10, 12, 0)), at(2026, 7, 10, 10, 0));
    /* 2026-03-29 02:30 does not exist; 2026-10-25 02:30 comes twice. */
    assert_int_equal(zone_instant(&z, at(2026, 3, 29, 2, 30)), at(2026, 3, 29, 1, 0));
    assert_int_equal(zone_instant(&z, at(2026, 10, 25, 2, 30)), at(2026, 10, 25, 0, 30));
}

static void what_cannot_be_read_is_no_daylight_saving(void **state)
{
    struct zone_rule rule;
    struct zone z = of(state, "+1", "1", "3/6/7/2", "10/5/7/3");
    int32_t offset;
    assert_int_equal(z.saving_s, 0);
    assert_false(zone_rule_parse(SLICE("3/5/7"), true, &rule));
    assert_false(zone_rule_parse(SLICE("3/5/7/2/1"), true, &rule));
    assert_false(zone_rule_parse(SLICE("13/1/0"), false, &rule));
    assert_false(zone_offset_parse(SLICE("+15"), &offset));
    assert_false(zone_offset_parse(SLICE(""), &offset));
    assert_true(zone_offset_parse(SLICE("-3:30"), &offset));
    assert_int_equal(offset, -12600);
}

static void automatic_saving_takes_what_the_file_says(void **state)
{
    struct settings s;
    struct zone file = { .saving_s = 3600 };
    settings_init(&s, *state);
    assert_true(zone_rule_parse(SLICE("3/5/7/2"), true, &file.begin));
    assert_true(zone_rule_parse(SLICE("10/5/7/3"), true, &file.end));
    put(&s, "local_time.time_zone", "+1");
    put(&s, "local_time.summer_time", "2");
    struct zone z = zone_of_settings(&s, &file);
    assert_int_equal(zone_offset_at(&z, at(2026, 7, 1, 0, 0)), 7200);
    assert_int_equal(zone_of_settings(&s, NULL).saving_s, 0);
    settings_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_year_north_and_south_of_the_equator_is_the_c_librarys),
        test_with_arena(rules_by_date_count_days_of_the_month),
        test_with_arena(a_local_time_has_one_instant_also_where_the_clock_skips_or_repeats),
        test_with_arena(what_cannot_be_read_is_no_daylight_saving),
        test_with_arena(automatic_saving_takes_what_the_file_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
