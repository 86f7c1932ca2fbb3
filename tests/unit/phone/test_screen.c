#include "tests/unit/test.h"

#include "phone/idle.h"

/* A screen on a loop that never runs: its wheel is turned by hand. */
struct desk {
    struct manual_clock clock;
    struct loop loop;
    struct screen screen;
    struct idle idle;
    struct form form;
    struct notice notice;
    unsigned done, accepted, gone, changes;
    char dialled[64];
    int picked;
    struct screen_view view;
    char text[8192];
};

static void on_changed(void *context)
{
    ((struct desk *)context)->changes++;
}

static void describe(void *context, struct idle_facts *facts)
{
    (void)context;
    facts->hour = 7;
    facts->minute = 5;
    facts->accounts[0] = SLICE("Reception\x1b[31m");
    facts->account_count = 1;
    facts->dnd = true;
}

static void on_dialled(void *context, struct slice number)
{
    struct desk *d = context;
    struct buf text = BUF_ON(d->dialled);
    buf_text(&text, number);
    buf_terminate(&text);
}

static void on_picked(void *context, enum idle_pick pick)
{
    ((struct desk *)context)->picked = (int)pick;
}

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    *state = d;
    manual_clock_init(&d->clock, 0);
    assert_int_equal(loop_open(&d->loop, &d->clock.clock, NULL, d), 0);
    screen_init(&d->screen, &d->loop, 1);
    d->screen.changed = on_changed;
    d->screen.context = d;
    idle_init(&d->idle, d);
    d->idle.describe = describe;
    d->idle.dialled = on_dialled;
    d->idle.picked = on_picked;
    d->picked = -1;
    idle_open(&d->idle, &d->screen);
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    screen_clear(&d->screen);
    loop_close(&d->loop);
    free(d);
    return 0;
}
#define test_with_desk(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const char *shown(struct desk *d)
{
    struct buf out = BUF_ON(d->text);
    screen_view(&d->screen, &d->view);
    screen_print_line(&d->view, &out);
    assert_true(buf_terminate(&out));
    return d->text;
}

static void advance(struct desk *d, uint64_t ms)
{
    manual_clock_advance(&d->clock, ms);
    d->loop.now_ms = d->clock.now_ms;
    wheel_advance(&d->loop.wheel, d->loop.now_ms);
}

static void on_form(struct form *f, bool accepted)
{
    struct desk *d = container_of(f, struct desk, form);
    d->done++;
    d->accepted += accepted;
}

static void open_login(struct desk *d)
{
    form_init(&d->form, "login", "Auto Provision", on_form);
    form_add(&d->form, "User Name", FIELD_TEXT, 0, SLICE_NONE);
    form_add(&d->form, "Password", FIELD_PASSWORD, 0, SLICE_NONE);
    form_open(&d->form, &d->screen);
}

static void every_key_has_a_name_that_is_read_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        enum key key;
        assert_true(key_parse(slice_str(key_name((enum key)i)), &key));
        assert_int_equal(key, i);
    }
    enum key key = KEY_OK;
    assert_true(key_parse(SLICE("SOFT4"), &key));
    assert_int_equal(key, KEY_SOFT_4);
    assert_false(key_parse(SLICE("soft5"), &key));
    assert_false(key_parse(SLICE(""), &key));
    assert_int_equal(key, KEY_SOFT_4);
}

static void the_idle_screen_shows_clock_accounts_and_dnd(void **state)
{
    struct desk *d = *state;
    assert_string_equal(shown(d), "07:05  DND | Reception\\x1b[31m | [Call] [DND] [Menu]");
    assert_string_equal(d->view.name, "idle");
}

static void digits_on_the_idle_screen_start_a_number_and_ok_dials_it(void **state)
{
    struct desk *d = *state;
    screen_key(&d->screen, KEY_STAR);
    screen_key(&d->screen, KEY_1);
    screen_key(&d->screen, KEY_2);
    screen_key(&d->screen, KEY_SOFT_3);
    screen_key(&d->screen, KEY_3);
    assert_string_equal(shown(d), "Dial | Number: *13 | [Cancel] [Delete] [OK]");
    assert_string_equal(d->dialled, "");
    screen_key(&d->screen, KEY_OK);
    assert_string_equal(d->dialled, "*13");
    assert_string_equal((shown(d), d->view.name), "idle");
}

static void a_whole_text_on_the_idle_screen_is_a_number_without_what_is_no_digit(void **state)
{
    struct desk *d = *state;
    screen_text(&d->screen, SLICE("*12x3#"));
    screen_key(&d->screen, KEY_SOFT_4);
    assert_string_equal(d->dialled, "*123#");
}

static void a_cancelled_or_empty_number_is_not_dialled(void **state)
{
    struct desk *d = *state;
    screen_text(&d->screen, SLICE("99"));
    screen_key(&d->screen, KEY_X);
    assert_string_equal((shown(d), d->view.name), "idle");
    screen_key(&d->screen, KEY_9);
    screen_key(&d->screen, KEY_SOFT_3);
    screen_key(&d->screen, KEY_OK);
    assert_string_equal(d->dialled, "");
}

static void the_menu_picks_and_goes(void **state)
{
    struct desk *d = *state;
    screen_key(&d->screen, KEY_SOFT_4);
    assert_string_equal(shown(d), "Menu | 1 Auto Provision Now | 2 Reboot | [Back]");
    screen_key(&d->screen, KEY_1);
    assert_int_equal(d->picked, IDLE_PROVISION);
    assert_string_equal((shown(d), d->view.name), "idle");
    screen_key(&d->screen, KEY_SOFT_3);
    assert_int_equal(d->picked, IDLE_DND);
}

static void a_form_takes_text_and_keys_into_the_field_in_focus_and_masks_the_password(void **state)
{
    struct desk *d = *state;
    open_login(d);
    screen_text(&d->screen, SLICE("paul"));
    screen_key(&d->screen, KEY_7);
    screen_key(&d->screen, KEY_DOWN);
    screen_text(&d->screen, SLICE("geheim"));
    assert_string_equal(shown(d),
                        "Auto Provision | User Name: paul7 | Password: ****** | [Cancel] [Delete] [OK]");
    assert_int_equal(d->view.focus, 1);
    screen_key(&d->screen, KEY_SOFT_4);
    assert_int_equal(d->done, 1);
    assert_int_equal(d->accepted, 1);
    assert_slice(form_text(&d->form, 0), "paul7");
    assert_slice(form_text(&d->form, 1), "geheim");
    form_wipe(&d->form);
    assert_int_equal(form_text(&d->form, 1).len, 0);
    for (size_t i = 0; i <= FORM_TEXT_MAX; i++)
        assert_int_equal(d->form.fields[1].text[i], 0);
}

static void a_field_holds_no_more_than_it_may_and_no_control_bytes(void **state)
{
    struct desk *d = *state;
    form_init(&d->form, "pin", "PIN", on_form);
    form_add(&d->form, "PIN", FIELD_TEXT, 4, SLICE_NONE);
    form_open(&d->form, &d->screen);
    screen_text(&d->screen, SLICE("A\n3\x1b"
                                  "1234567"));
    assert_slice(form_text(&d->form, 0), "A312");
    screen_text(&d->screen, SLICE("\xc3\xa9"));
    assert_slice(form_text(&d->form, 0), "A312");
}

static void taking_back_takes_a_whole_character(void **state)
{
    struct desk *d = *state;
    open_login(d);
    screen_text(&d->screen, SLICE("ren\xc3\xa9"));
    screen_key(&d->screen, KEY_SOFT_3);
    assert_slice(form_text(&d->form, 0), "ren");
    for (int i = 0; i < 5; i++)
        screen_key(&d->screen, KEY_SOFT_3);
    assert_slice(form_text(&d->form, 0), "");
}

static void a_form_whose_time_is_over_is_cancelled(void **state)
{
    struct desk *d = *state;
    open_login(d);
    dialog_expires(&d->form.dialog, 5000);
    advance(d, 4900);
    assert_int_equal(d->done, 0);
    advance(d, 200);
    assert_int_equal(d->done, 1);
    assert_int_equal(d->accepted, 0);
    assert_string_equal((shown(d), d->view.name), "idle");
}

static void wrong_user_name_or_password_disappears_in_two_seconds(void **state)
{
    struct desk *d = *state;
    notice_init(&d->notice, "wrong-login", "Auto Provision");
    notice_line(&d->notice, 0, SLICE("Wrong user name or password!"));
    notice_show(&d->notice, &d->screen, 2000);
    assert_string_equal(shown(d), "Auto Provision | Wrong user name or password!");
    screen_key(&d->screen, KEY_OK);
    advance(d, 1900);
    assert_string_equal((shown(d), d->view.name), "wrong-login");
    advance(d, 150);
    assert_string_equal((shown(d), d->view.name), "idle");
}

static void a_dialog_below_others_goes_without_disturbing_them(void **state)
{
    struct desk *d = *state;
    open_login(d);
    notice_init(&d->notice, "updating", "Updating");
    notice_show(&d->notice, &d->screen, 0);
    form_close(&d->form);
    assert_string_equal((shown(d), d->view.name), "updating");
    notice_hide(&d->notice);
    assert_string_equal((shown(d), d->view.name), "idle");
    notice_hide(&d->notice);
    form_close(&d->form);
    assert_string_equal((shown(d), d->view.name), "idle");
}

static void when_power_goes_nothing_of_the_screen_is_left(void **state)
{
    struct desk *d = *state;
    open_login(d);
    dialog_expires(&d->form.dialog, 1000);
    screen_clear(&d->screen);
    advance(d, 2000);
    assert_int_equal(d->done, 0);
    assert_string_equal(shown(d), "");
    screen_key(&d->screen, KEY_OK);
    screen_text(&d->screen, SLICE("1"));
    assert_string_equal(shown(d), "");
}

static void a_view_with_more_than_fits_is_cut_and_stays_whole(void **state)
{
    struct desk *d = *state;
    char longer[SCREEN_TEXT_BYTES];
    memset(longer, 'x', sizeof longer);
    screen_view(&d->screen, &d->view);
    for (int i = 0; i < 20; i++) {
        view_line(&d->view, "%.*s", (int)sizeof longer, longer);
        view_field(&d->view, slice_of(longer, sizeof longer), slice_of(longer, sizeof longer), FIELD_PASSWORD);
    }
    view_soft(&d->view, 0, "never");
    view_soft(&d->view, 5, "never");
    assert_int_equal(d->view.line_count, SCREEN_LINES_MAX);
    assert_int_equal(d->view.field_count, SCREEN_FIELDS_MAX);
    struct buf out = BUF_ON(d->text);
    screen_print(&d->view, &out);
    assert_true(buf_ok(&out));
}

static void the_screen_is_drawn_in_a_frame_whose_rows_are_of_one_width(void **state)
{
    struct desk *d = *state;
    open_login(d);
    screen_text(&d->screen,
                SLICE("ren\xc3\xa9 at a quite long name that does not fit into one row of the screen"));
    screen_view(&d->screen, &d->view);
    struct buf out = BUF_ON(d->text);
    screen_print(&d->view, &out);
    struct slice rest = buf_slice(&out), row;
    unsigned rows = 0;
    while (slice_cut(&rest, '\n', &row)) {
        size_t columns = 0;
        for (size_t i = 0; i < row.len; i++)
            columns += (row.ptr[i] & 0xc0) != 0x80;
        assert_int_equal(columns, SCREEN_COLUMNS + 2);
        rows++;
    }
    assert_int_equal(rows, 9);
    assert_true(slice_find_text(buf_slice(&out), SLICE("one row of the screen_")) < out.len);
}

static void every_change_is_told(void **state)
{
    struct desk *d = *state;
    unsigned before = d->changes;
    screen_key(&d->screen, KEY_1);
    assert_true(d->changes > before);
    before = d->changes;
    form_close(&d->idle.number);
    assert_int_equal(d->changes, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_a_name_that_is_read_back),
        test_with_desk(the_idle_screen_shows_clock_accounts_and_dnd),
        test_with_desk(digits_on_the_idle_screen_start_a_number_and_ok_dials_it),
        test_with_desk(a_whole_text_on_the_idle_screen_is_a_number_without_what_is_no_digit),
        test_with_desk(a_cancelled_or_empty_number_is_not_dialled),
        test_with_desk(the_menu_picks_and_goes),
        test_with_desk(a_form_takes_text_and_keys_into_the_field_in_focus_and_masks_the_password),
        test_with_desk(a_field_holds_no_more_than_it_may_and_no_control_bytes),
        test_with_desk(taking_back_takes_a_whole_character),
        test_with_desk(a_form_whose_time_is_over_is_cancelled),
        test_with_desk(wrong_user_name_or_password_disappears_in_two_seconds),
        test_with_desk(a_dialog_below_others_goes_without_disturbing_them),
        test_with_desk(when_power_goes_nothing_of_the_screen_is_left),
        test_with_desk(a_view_with_more_than_fits_is_cut_and_stays_whole),
        test_with_desk(the_screen_is_drawn_in_a_frame_whose_rows_are_of_one_width),
        test_with_desk(every_change_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
