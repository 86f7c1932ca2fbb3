/* Uploads of the MAC-local CFG file, and what happens meanwhile. */
#include "tests/unit/phone/life_desk.h"

static void begin_with_uploads(struct life_desk *d)
{
    serve_text(d, "/y000000000000.boot", CFG_HEAD "include:config <all.cfg>\n");
    serve_text(d, "/all.cfg", CFG_HEAD "static.auto_provision.custom.sync = 1\n"
                                       "static.auto_provision.custom.protect = 1\n");
    begin(d);
}

/* Given up, the first might still be on the wire and arrive behind the second. */
static void a_change_during_an_upload_waits_for_its_end(void **state)
{
    struct life_desk *d = *state;
    begin_with_uploads(d);
    d->delay_ms = 5000;
    unsigned asked = d->asked;
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("0")), 0);
    pass(d, 1000);
    assert_int_equal(d->asked, asked + 1);
    assert_string_equal(d->body, CFG_HEAD "features.dnd.enable = 1\n");
    pass(d, 10000);
    assert_int_equal(d->uploads, 2);
    assert_string_equal(d->body, CFG_HEAD "features.dnd.enable = 0\n");
    pass(d, 60000);
    assert_int_equal(d->asked, asked + 2);
}

static void a_change_that_is_taken_back_during_an_upload_is_uploaded_too(void **state)
{
    struct life_desk *d = *state;
    begin_with_uploads(d);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    d->delay_ms = 5000;
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("0")), 0);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 20000);
    assert_int_equal(d->uploads, 3);
    assert_string_equal(d->body, CFG_HEAD "features.dnd.enable = 1\n");
}

static void a_change_during_an_upload_that_fails_goes_without_waiting_for_another_try(void **state)
{
    struct life_desk *d = *state;
    begin_with_uploads(d);
    d->silent = true;
    d->delay_ms = 5000;
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("0")), 0);
    pass(d, 4100);
    assert_string_equal(d->body, CFG_HEAD "features.dnd.enable = 0\n");
    d->silent = false;
    pass(d, 60000);
    assert_int_equal(d->uploads, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_life(a_change_during_an_upload_waits_for_its_end),
        test_with_life(a_change_that_is_taken_back_during_an_upload_is_uploaded_too),
        test_with_life(a_change_during_an_upload_that_fails_goes_without_waiting_for_another_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
