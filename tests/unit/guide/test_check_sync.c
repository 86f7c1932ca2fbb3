#include "tests/unit/test.h"

#include "guide/check_sync.h"

static enum check_sync decide(void **state, const char *enable, const char *event)
{
    struct settings s;
    settings_init(&s, *state);
    if (enable)
        assert_true(settings_put(&s, SLICE("sip.notify_reboot_enable"), slice_str(enable),
                                 (struct origin){ SETTINGS_FLASH, 1 }));
    enum check_sync answer = check_sync_decide(&s, slice_str(event));
    settings_free(&s);
    return answer;
}

static void the_table_of_the_guide_holds(void **state)
{
    assert_int_equal(decide(state, "0", "check-sync"), CHECK_SYNC_PROVISION);
    assert_int_equal(decide(state, "0", "check-sync;reboot=true"), CHECK_SYNC_REBOOT);
    assert_int_equal(decide(state, "0", "check-sync;reboot=false"), CHECK_SYNC_PROVISION);
    assert_int_equal(decide(state, "1", "check-sync"), CHECK_SYNC_REBOOT);
    assert_int_equal(decide(state, "1", "check-sync;reboot=false"), CHECK_SYNC_REBOOT);
    assert_int_equal(decide(state, "2", "check-sync;reboot=true"), CHECK_SYNC_IGNORED);
}

static void unset_or_out_of_range_is_the_default_of_one(void **state)
{
    assert_int_equal(decide(state, NULL, "check-sync"), CHECK_SYNC_REBOOT);
    assert_int_equal(decide(state, "7", "check-sync"), CHECK_SYNC_REBOOT);
}

static void spelling_does_not_matter(void **state)
{
    assert_int_equal(decide(state, "0", "Check-Sync ; Reboot = TRUE"), CHECK_SYNC_REBOOT);
    assert_int_equal(decide(state, "0", "check-sync;x=1;reboot=true"), CHECK_SYNC_REBOOT);
    assert_int_equal(decide(state, "0", "check-sync;reboot"), CHECK_SYNC_PROVISION);
}

static void other_events_are_not_ours(void **state)
{
    assert_int_equal(decide(state, "1", "ACTION-URI"), CHECK_SYNC_OTHER);
    assert_int_equal(decide(state, "1", "check-syncs"), CHECK_SYNC_OTHER);
    assert_int_equal(decide(state, "1", ""), CHECK_SYNC_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_table_of_the_guide_holds),
        test_with_arena(unset_or_out_of_range_is_the_default_of_one),
        test_with_arena(spelling_does_not_matter),
        test_with_arena(other_events_are_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
