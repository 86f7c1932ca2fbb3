#include "tests/unit/phone/life_desk.h"

#define BOOT "/y000000000000.boot"
#define CFG "/all.cfg"
#define MINUTES(n) ((uint64_t)(n)*60 * 1000)

static void serve_cfg(struct life_desk *d, const char *cfg)
{
    serve_text(d, BOOT, CFG_HEAD "include:config <all.cfg>\n");
    serve_text(d, CFG, cfg);
}

static enum life_state state_of(const struct life_desk *d)
{
    return life_facts(d->life).state;
}

static bool in_flash(const struct life_desk *d, const char *text)
{
    struct slice bytes = slice_of(d->flash.chip->bytes, d->flash.chip->len);
    return slice_find_text(bytes, slice_str(text)) < bytes.len;
}

/* --- power on, reboots --- */

static void at_power_on_it_provisions_itself_and_idles(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\naccount.1.enable = 1\n");
    begin(d);
    assert_int_equal(d->starts[TRIGGER_POWER_ON], 1);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 1);
    assert_int_equal(state_of(d), LIFE_IDLE);
    assert_string_equal(shown(d), "idle");
    assert_string_equal(d->line, "07:00 | Desk | [Call] [DND] [Menu]");
    assert_string_equal(d->agent, "Yealink SIP-T46S 66.81.0.15 00:15:65:11:22:33");
}

static void with_power_on_off_it_waits_for_another_trigger(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "static.auto_provision.power_on = 0\n");
    begin(d);
    assert_int_equal(d->runs, 1);
    life_reboot(d->life);
    pass(d, 10000);
    assert_int_equal(d->runs, 1);
    life_provision_now(d->life);
    pass(d, 1000);
    assert_int_equal(d->starts[TRIGGER_NOW], 1);
    assert_int_equal(d->runs, 2);
}

static void a_setting_that_needs_it_makes_the_phone_reboot_and_run_again(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "static.network.vlan.internet_port_enable = 1\n");
    begin(d);
    assert_string_equal(shown(d), "rebooting");
    assert_int_equal(state_of(d), LIFE_REBOOTING);
    assert_int_equal(holds(d, "static.network.vlan.internet_port_enable").len, 0);
    pass(d, 5000);
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 1);
    assert_int_equal(life_facts(d->life).power_ons, 2);
    assert_int_equal(state_of(d), LIFE_IDLE);
    assert_slice(holds(d, "static.network.vlan.internet_port_enable"), "1");
}

static void a_server_that_asks_for_a_reboot_every_time_gets_three_in_ten_minutes(void **state)
{
    struct life_desk *d = *state;
    char cfg[256] = "";
    unsigned reboots = 0;
    serve_cfg(d, cfg);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(cfg, sizeof cfg,
                 CFG_HEAD "static.auto_provision.reboot_force.enable = 1\naccount.1.label = %u\n", i);
        if (i == 0)
            begin(d);
        else
            life_provision_now(d->life);
        pass(d, 10000);
        reboots = life_facts(d->life).power_ons - 1;
    }
    assert_int_equal(reboots, LIFE_REBOOTS_MAX);
    assert_true(was_told(d, "no reboot: 3 within the last 10 minutes"));
    pass(d, MINUTES(10));
    snprintf(cfg, sizeof cfg,
             CFG_HEAD "account.1.label = new\nstatic.auto_provision.reboot_force.enable = 1\n");
    life_provision_now(d->life);
    pass(d, 10000);
    assert_int_equal(life_facts(d->life).power_ons - 1, LIFE_REBOOTS_MAX + 1);
}

static void a_damaged_flash_does_not_start(void **state)
{
    struct life_desk *d = *state;
    struct life_watch watch = { 0 };
    d->flash.chip->bytes = strdup("#!version:1.0.0.1\nphone.mac = 00:15:65:11:22:33\n");
    d->flash.chip->len = strlen(d->flash.chip->bytes);
    d->life = life_new(&d->loop, &d->transport, &d->flash, &d->screen, &d->options, &watch);
    assert_string_equal(life_power_on(d->life), "flash: damaged: it does not end as it should");
    assert_int_equal(state_of(d), LIFE_OFF);
    life_provision_now(d->life);
    life_reboot(d->life);
    life_check_sync(d->life, true);
    life_dial(d->life, SLICE("1"));
    life_key(d->life, KEY_OK);
    assert_int_equal(life_set(d->life, SLICE("a.b"), SLICE("1")), -EBUSY);
    pass(d, MINUTES(5));
    assert_int_equal(d->asked, 0);
}

static void pulling_the_plug_in_the_middle_of_a_run_leaves_the_phone_as_it_was(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Old\n");
    begin(d);
    serve_cfg(d, CFG_HEAD "account.1.label = New\n");
    d->delay_ms = 1000;
    life_provision_now(d->life);
    pass(d, 2500);
    assert_int_equal(state_of(d), LIFE_UPDATING);
    pull_the_plug(d);
    d->silent = true;
    d->delay_ms = 0;
    begin(d);
    assert_slice(holds(d, "account.1.label"), "Old");
}

/* --- the address --- */

struct script_finder {
    struct address_finder finder;
    unsigned started, cancelled;
    finder_done *done;
    void *context;
};

static bool finder_start(struct address_finder *f, const struct memory *memory, struct screen *screen,
                         finder_done *done, void *context)
{
    struct script_finder *s = container_of(f, struct script_finder, finder);
    assert_non_null(memory);
    assert_non_null(screen);
    s->started++;
    s->done = done;
    s->context = context;
    return true;
}

static void finder_cancel(struct address_finder *f)
{
    container_of(f, struct script_finder, finder)->cancelled++;
}

static void the_address_is_searched_for_once_a_power_on_and_used_by_every_run(void **state)
{
    struct life_desk *d = *state;
    struct script_finder f = { { finder_start, finder_cancel }, .started = 0 };
    char url[] = "http://found/dir/", user[] = "u", password[] = "p";
    d->options.server = SLICE_NONE;
    d->options.finder = &f.finder;
    serve_text(d, "/dir" BOOT, CFG_HEAD "include:config <all.cfg>\n");
    serve_text(d, "/dir" CFG, CFG_HEAD "account.1.label = Found\n");
    begin(d);
    assert_int_equal(state_of(d), LIFE_SEARCHING);
    assert_int_equal(d->runs, 0);
    life_provision_now(d->life); /* waits */
    f.done(f.context, &(struct found_address){
                           .url = slice_str(url), .user = slice_str(user), .password = slice_str(password), .source = "PnP" });
    memset(url, 'x', sizeof url - 1);
    memset(user, 'x', sizeof user - 1);
    pass(d, 1000);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 1);
    assert_string_equal(d->user, "u");
    assert_string_equal(d->password, "p");
    assert_string_equal(life_facts(d->life).source, "PnP");
    life_provision_now(d->life);
    pass(d, 1000);
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 1);
    assert_int_equal(f.started, 1);
    life_reboot(d->life);
    pass(d, 5000);
    assert_int_equal(f.started, 2);
    life_reboot(d->life);
    pass(d, 1000);
    assert_int_equal(f.cancelled, 1);
}

static void without_an_address_nothing_runs_and_the_next_trigger_searches_again(void **state)
{
    struct life_desk *d = *state;
    struct script_finder f = { { finder_start, finder_cancel }, .started = 0 };
    d->options.server = SLICE_NONE;
    d->options.finder = &f.finder;
    begin(d);
    f.done(f.context, &(struct found_address){ .source = "" });
    pass(d, 1000);
    assert_int_equal(state_of(d), LIFE_IDLE);
    assert_true(was_told(d, "no server URL"));
    shown(d);
    assert_non_null(strstr(d->line, "Network unavailable"));
    serve_cfg(d, CFG_HEAD "account.1.label = Late\n");
    life_provision_now(d->life);
    pass(d, 100);
    assert_int_equal(f.started, 2);
    f.done(f.context, &(struct found_address){ .url = SLICE("http://late/"), .source = "DHCP" });
    pass(d, 1000);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 1);
}

/* --- triggers --- */

static void repeatedly_runs_every_so_many_minutes(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d,
              CFG_HEAD "static.auto_provision.repeat.enable = 1\nstatic.auto_provision.repeat.minutes = 10\n");
    begin(d);
    assert_int_equal(d->runs, 1);
    pass(d, MINUTES(9));
    assert_int_equal(d->runs, 1);
    pass(d, MINUTES(52));
    assert_int_equal(d->starts[TRIGGER_REPEATEDLY], 6);
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 6);
}

static void a_clock_that_is_set_neither_hurries_nor_stops_the_repetition(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d,
              CFG_HEAD "static.auto_provision.repeat.enable = 1\nstatic.auto_provision.repeat.minutes = 60\n");
    begin(d);
    pass(d, MINUTES(30));
    d->clock.wall_now_ms += INT64_C(365) * 86400 * 1000;
    pass(d, MINUTES(29));
    assert_int_equal(d->runs, 1);
    assert_true(was_told(d, "the clock was set"));
    d->clock.wall_now_ms -= INT64_C(900) * 86400 * 1000;
    pass(d, MINUTES(2));
    assert_int_equal(d->starts[TRIGGER_REPEATEDLY], 1);
    pass(d, MINUTES(60));
    assert_int_equal(d->starts[TRIGGER_REPEATEDLY], 2);
}

static void a_clock_that_is_set_into_the_window_is_seen_within_a_minute(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d,
              CFG_HEAD "static.auto_provision.weekly.enable = 1\nstatic.auto_provision.weekly.dayofweek = 3\n"
                       "static.auto_provision.weekly.begin_time = 02:00\n"
                       "static.auto_provision.weekly.end_time = 03:00\nlocal_time.time_zone = 0\n");
    begin(d);
    assert_true(was_told(d, "weekly is due 2026-11-25T02:"));
    /* To 02:59 of that Wednesday. */
    d->clock.wall_now_ms += (INT64_C(3) * 86400 - 4 * 3600 - 60) * 1000 - 1000;
    pass(d, MINUTES(1));
    assert_int_equal(d->starts[TRIGGER_WEEKLY], 1);
}

static void the_time_scale_shortens_days_to_minutes(void **state)
{
    struct life_desk *d = *state;
    d->options.time_scale = 1440;
    d->screen.time_scale = 1440;
    serve_cfg(d, CFG_HEAD
              "static.auto_provision.repeat.enable = 1\nstatic.auto_provision.repeat.minutes = 1440\n");
    begin(d);
    pass(d, MINUTES(5));
    assert_in_range(d->starts[TRIGGER_REPEATEDLY], 4, 5);
}

static void a_run_that_is_asked_for_while_one_goes_on_comes_after_it_and_only_once(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    d->delay_ms = 2000;
    begin(d);
    for (int i = 0; i < 5; i++)
        life_provision_now(d->life);
    life_check_sync(d->life, false);
    pass(d, 60000);
    assert_int_equal(d->runs, 2);
    assert_true(was_told(d, "auto provision now: after what goes on now"));
    assert_true(was_told(d, "check-sync: a run waits already"));
}

/* --- check-sync --- */

static void check_sync_provisions_or_reboots_but_reboots_once_a_minute_only(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    begin(d);
    life_check_sync(d->life, false);
    pass(d, 1000);
    assert_int_equal(d->starts[TRIGGER_CHECK_SYNC], 1);
    for (int i = 0; i < 100; i++) {
        life_check_sync(d->life, true);
        pass(d, 500);
    }
    assert_int_equal(life_facts(d->life).power_ons, 2);
    pass(d, LIFE_SYNC_INTERVAL_MS);
    life_check_sync(d->life, true);
    pass(d, 5000);
    assert_int_equal(life_facts(d->life).power_ons, 3);
}

static void check_sync_reboots_after_the_call_and_gives_up_after_two_hours(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    begin(d);
    life_set_call(d->life, true);
    life_check_sync(d->life, true);
    pass(d, MINUTES(30));
    assert_int_equal(life_facts(d->life).power_ons, 1);
    life_set_call(d->life, false);
    pass(d, 40000);
    assert_int_equal(life_facts(d->life).power_ons, 2);
    pass(d, LIFE_SYNC_INTERVAL_MS);
    life_set_call(d->life, true);
    life_check_sync(d->life, true);
    pass(d, MINUTES(121));
    assert_true(was_told(d, "a call was active for two hours"));
    life_set_call(d->life, false);
    pass(d, MINUTES(5));
    assert_int_equal(life_facts(d->life).power_ons, 2);
}

static void a_reboot_is_not_lost_to_a_run_that_ends_in_the_same_moment(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    begin(d);
    d->reboot_when_done = true;
    life_provision_now(d->life);
    pass(d, 10000);
    assert_int_equal(life_facts(d->life).power_ons, 2);
}

/* --- calls --- */

static void in_a_call_a_run_looks_every_30_seconds_and_gives_up_after_two_hours(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    begin(d);
    unsigned asked = d->asked;
    life_dial(d->life, SLICE("4711"));
    assert_true(life_facts(d->life).in_call);
    life_provision_now(d->life);
    pass(d, MINUTES(10) + 5000);
    assert_int_equal(d->asked, asked);
    assert_string_equal(shown(d), "idle");
    life_set_call(d->life, false);
    pass(d, 20000);
    assert_int_equal(d->asked, asked);
    pass(d, 10000);
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 1);
    life_set_call(d->life, true);
    life_provision_now(d->life);
    pass(d, MINUTES(121));
    assert_int_equal(d->outcomes[RUN_FAILED], 1);
    assert_int_equal(state_of(d), LIFE_IDLE);
}

/* --- PIN, credentials, activation codes --- */

static void serve_pins(struct life_desk *d)
{
    serve_text(d, "/y000000000068.cfg", NULL);
    serve_text(d, "/y000000000066.cfg", CFG_HEAD "static.custom_mac_cfg.url = http://server/$pin.cfg\n");
    serve_text(d, "/A31.cfg", CFG_HEAD "account.1.label = A31\n");
}

static void the_pin_is_asked_on_the_screen_and_a_wrong_one_again(void **state)
{
    struct life_desk *d = *state;
    serve_pins(d);
    begin(d);
    assert_string_equal(shown(d), "pin");
    assert_non_null(strstr(d->line, "Please enter the PIN code:"));
    life_text(d->life, SLICE("A99"));
    life_key(d->life, KEY_OK);
    pass(d, 1000);
    assert_string_equal(shown(d), "pin");
    assert_non_null(strstr(d->line, "There is no file for that PIN code."));
    life_text(d->life, SLICE("A31"));
    life_key(d->life, KEY_SOFT_4);
    pass(d, 1000);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 1);
    assert_slice(holds(d, "account.1.label"), "A31");
}

static void nobody_enters_the_pin_and_the_run_goes_on_without(void **state)
{
    struct life_desk *d = *state;
    serve_pins(d);
    begin(d);
    pass(d, LIFE_QUESTION_MS);
    pass(d, 1000);
    assert_int_equal(d->runs, 1);
    assert_string_equal(shown(d), "idle");
}

static void credentials_are_asked_for_used_and_saved_for_next_time(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    for (size_t i = 0; i < d->file_count; i++) {
        d->files[i].user = "paul";
        d->files[i].password = "secret";
    }
    begin(d);
    assert_string_equal(shown(d), "login");
    life_text(d->life, SLICE("paul"));
    life_key(d->life, KEY_DOWN);
    life_text(d->life, SLICE("wrong"));
    life_key(d->life, KEY_OK);
    pass(d, 100);
    assert_string_equal(shown(d), "wrong-login");
    assert_string_equal(d->line, "Auto Provision | Wrong user name or password!");
    pass(d, LIFE_WRONG_LOGIN_MS);
    assert_string_equal(shown(d), "login");
    life_text(d->life, SLICE("paul"));
    life_key(d->life, KEY_DOWN);
    life_text(d->life, SLICE("secret"));
    life_key(d->life, KEY_OK);
    pass(d, 1000);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 1);
    assert_slice(holds(d, "static.auto_provision.server.username"), "paul");
    assert_slice(holds(d, "static.auto_provision.server.password"), "secret");
    life_reboot(d->life);
    pass(d, 10000);
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 1);
    assert_null(strstr(d->told, "secret"));
}

static void cancelled_credentials_end_the_run(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    d->files[0].user = "paul";
    d->files[0].password = "secret";
    begin(d);
    life_key(d->life, KEY_X);
    pass(d, 60000);
    assert_int_equal(d->outcomes[RUN_FAILED], 1);
    assert_int_equal(holds(d, "static.auto_provision.server.username").len, 0);
    assert_int_equal(state_of(d), LIFE_IDLE);
}

static void credentials_are_not_asked_for_another_server(void **state)
{
    struct life_desk *d = *state;
    serve_text(d, BOOT, CFG_HEAD "include:config <http://elsewhere/far.cfg>\n");
    serve_text(d, "/far.cfg", CFG_HEAD "account.1.label = Far\n")->user = "paul";
    life_desk_find(d, "/far.cfg")->password = "secret";
    begin(d);
    assert_string_equal(shown(d), "updating");
    pass(d, 60000);
    assert_int_equal(d->outcomes[RUN_FAILED], 1);
}

static void serve_codes(struct life_desk *d)
{
    serve_cfg(d, CFG_HEAD "static.autoprovision.1.code = *123\n"
                          "static.autoprovision.1.url = http://retail/T46/\n");
    serve_text(d, "/T46" BOOT, CFG_HEAD "overwrite_mode = 0\ninclude:config <mine.cfg>\n");
    serve_text(d, "/T46/001565112233.boot", NULL)->user = "paul";
    life_desk_find(d, "/T46/001565112233.boot")->password = "right";
    serve_text(d, "/T46/mine.cfg",
               CFG_HEAD "account.1.label = Mine\naccount.1.enable = 1\naccount.1.user_name = 7\n");
}

static void dial_code(struct life_desk *d)
{
    life_key(d->life, KEY_STAR);
    life_text(d->life, SLICE("123"));
    life_key(d->life, KEY_OK);
}

static void login(struct life_desk *d, struct slice user, struct slice password)
{
    life_text(d->life, user);
    life_key(d->life, KEY_DOWN);
    life_text(d->life, password);
    life_key(d->life, KEY_OK);
}

static void an_activation_code_provisions_from_its_own_server(void **state)
{
    struct life_desk *d = *state;
    serve_codes(d);
    begin(d);
    pass(d, 10000); /* the codes need a reboot */
    dial_code(d);
    assert_string_equal(shown(d), "activation");
    life_key(d->life, KEY_SOFT_4);
    pass(d, 1000);
    assert_string_equal(shown(d), "login");
    login(d, SLICE("paul"), SLICE("wrong"));
    pass(d, 100);
    assert_string_equal(shown(d), "wrong-login");
    pass(d, LIFE_WRONG_LOGIN_MS);
    assert_string_equal(shown(d), "idle");
    assert_int_equal(state_of(d), LIFE_IDLE);
    dial_code(d);
    life_key(d->life, KEY_SOFT_4);
    pass(d, 1000);
    login(d, SLICE("paul"), SLICE("right"));
    pass(d, 1000);
    assert_slice(holds(d, "account.1.label"), "Mine");
    assert_slice(holds(d, "static.autoprovision.1.user"), "paul");
    assert_slice(holds(d, "static.autoprovision.1.password"), "right");
    assert_int_equal(d->starts[TRIGGER_ACTIVATION], 2);
    /* Now an account is registered. */
    pass(d, 10000);
    dial_code(d);
    assert_string_equal(shown(d), "idle");
    assert_true(was_told(d, "an account is registered"));
}

/* --- firmware --- */

static void another_firmware_is_installed_and_the_run_starts_again(void **state)
{
    struct life_desk *d = *state;
    serve_text(d, "/y000000000066.cfg", CFG_HEAD "static.firmware.url = http://server/T46S-66.81.0.30.rom\n");
    serve_text(d, "/001565112233.cfg", CFG_HEAD "account.1.label = Desk\n");
    serve_text(d, "/T46S-66.81.0.30.rom", "rom");
    begin(d);
    /* As the W52P's log has it: the phone goes down before <mac>.cfg is asked for. */
    assert_int_equal(d->outcomes[RUN_UPGRADED], 1);
    assert_string_equal(d->path, "/T46S-66.81.0.30.rom");
    pass(d, 10000);
    assert_int_equal(life_facts(d->life).id.firmware.field[3], 30);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 1);
    assert_slice(holds(d, "account.1.label"), "Desk");
    assert_string_equal(d->agent, "Yealink SIP-T46S 66.81.0.30 00:15:65:11:22:33");
    /* static.firmware.url itself needs a reboot. */
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 1);
    life_reboot(d->life);
    pass(d, 10000);
    assert_int_equal(life_facts(d->life).id.firmware.field[3], 30);
    assert_int_equal(d->outcomes[RUN_UPGRADED], 1);
}

static void with_boot_files_everything_is_applied_and_the_next_firmware_applies_it_anew(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "static.firmware.url = http://server/66.81.0.30.rom\naccount.1.label = Desk\n");
    serve_text(d, "/66.81.0.30.rom", "rom");
    begin(d);
    pass(d, 10000);
    assert_int_equal(d->outcomes[RUN_PROVISIONED], 2);
    assert_int_equal(life_facts(d->life).power_ons, 2);
    assert_int_equal(life_facts(d->life).id.firmware.field[3], 30);
}

static void two_files_that_send_the_phone_in_a_circle_are_told_and_the_circle_ends(void **state)
{
    struct life_desk *d = *state;
    serve_text(d, "/y000000000066.cfg", CFG_HEAD "static.firmware.url = http://server/66.81.0.15.rom\n");
    serve_text(d, "/001565112233.cfg",
               CFG_HEAD "static.firmware.url = http://server/66.81.0.30.rom\naccount.1.label = Desk\n");
    serve_text(d, "/66.81.0.15.rom", "rom");
    serve_text(d, "/66.81.0.30.rom", "rom");
    begin(d);
    for (int i = 0; i < 20; i++) {
        pass(d, MINUTES(15));
        life_provision_now(d->life);
    }
    pass(d, MINUTES(1));
    assert_int_equal(d->outcomes[RUN_UPGRADED], 1);
    assert_int_equal(d->circles, 1);
    assert_slice(holds(d, "account.1.label"), "Desk");
    assert_in_range(life_facts(d->life).power_ons, 2, 4);
}

static void another_firmware_given_from_outside_is_a_phone_with_another_factory(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "static.firmware.url = http://server/66.81.0.30.rom\n");
    serve_text(d, "/66.81.0.30.rom", "rom");
    begin(d);
    pass(d, 10000);
    pull_the_plug(d);
    assert_true(firmware_parse(SLICE("66.82.0.1"), &d->options.id.firmware));
    d->silent = true;
    begin(d);
    assert_int_equal(life_facts(d->life).id.firmware.field[1], 82);
}

/* --- personal settings --- */

static void a_setting_of_the_user_is_personal_survives_and_a_static_one_is_not(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD "static.auto_provision.custom.protect = 1\naccount.1.label = Desk\n");
    begin(d);
    assert_int_equal(life_set(d->life, SLICE("account.1.label"), SLICE("Paul's")), 0);
    assert_int_equal(life_set(d->life, SLICE("static.network.vlan.internet_port_vid"), SLICE("7")), 0);
    life_reboot(d->life);
    pass(d, 10000);
    assert_slice(holds(d, "account.1.label"), "Paul's");
    serve_cfg(d, CFG_HEAD "static.auto_provision.custom.protect = 1\naccount.1.label = Other\n");
    life_provision_now(d->life);
    pass(d, 1000);
    assert_slice(holds(d, "account.1.label"), "Paul's");
    assert_true(in_flash(d, "personal.account.1.label = Paul's"));
    assert_true(in_flash(d, "central.static.network.vlan.internet_port_vid = 7"));
    assert_int_equal(life_set(d->life, SLICE("account.1.label"), SLICE_NONE), 0);
    assert_slice(holds(d, "account.1.label"), "Other");
}

static void what_no_file_can_hold_is_no_setting(void **state)
{
    struct life_desk *d = *state;
    begin(d);
    pass(d, 60000);
    assert_int_equal(life_set(d->life, SLICE("a b"), SLICE("1")), -EINVAL);
    assert_int_equal(life_set(d->life, SLICE(""), SLICE("1")), -EINVAL);
    assert_int_equal(life_set(d->life, SLICE("#a"), SLICE("1")), -EINVAL);
    assert_int_equal(life_set(d->life, SLICE("[T46S]a"), SLICE("1")), -EINVAL);
    assert_int_equal(life_set(d->life, SLICE("a.b"), SLICE("1\nflash.end = 1")), -EINVAL);
    assert_int_equal(life_set(d->life, SLICE("a.b"), SLICE(" 1")), -EINVAL);
    assert_int_equal(life_set(d->life, SLICE("a.b"), SLICE("x = # [y]")), 0);
    assert_slice(holds(d, "a.b"), "x = # [y]");
}

static void while_a_run_goes_on_no_setting_is_taken(void **state)
{
    struct life_desk *d = *state;
    d->delay_ms = 3000;
    begin(d);
    assert_int_equal(life_set(d->life, SLICE("a.b"), SLICE("1")), -EBUSY);
}

static void from_generation_84_on_without_protect_a_change_is_not_personal(void **state)
{
    struct life_desk *d = *state;
    assert_true(firmware_parse(SLICE("66.84.0.15"), &d->options.id.firmware));
    serve_cfg(d, CFG_HEAD "account.1.label = Desk\n");
    begin(d);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    assert_true(in_flash(d, "central.features.dnd.enable = 1"));
    assert_false(in_flash(d, "personal."));
}

#define SYNC "static.auto_provision.custom.sync = 1\nstatic.auto_provision.custom.protect = 1\n"

static void the_mac_local_file_is_uploaded_when_it_changes_and_only_then(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD SYNC);
    begin(d);
    assert_int_equal(d->uploads, 0);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    assert_int_equal(d->uploads, 1);
    assert_int_equal(d->verb, TRANSPORT_PUT);
    assert_string_equal(d->url, "http://server/001565112233-local.cfg");
    assert_string_equal(d->body, CFG_HEAD "features.dnd.enable = 1\n");
    life_provision_now(d->life);
    pass(d, 1000);
    life_reboot(d->life);
    pass(d, 10000);
    assert_int_equal(d->uploads, 1);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE_NONE), 0);
    pass(d, 1000);
    assert_int_equal(d->uploads, 2);
    assert_string_equal(d->body, CFG_HEAD);
}

static void an_upload_goes_by_post_to_the_sync_path_when_told_so(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD SYNC "static.auto_provision.custom.upload_method = 1\n"
                               "static.auto_provision.custom.sync.path = ftp://backup/phones\n"
                               "static.auto_provision.server.username = paul\n");
    begin(d);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    assert_int_equal(d->verb, TRANSPORT_POST);
    assert_string_equal(d->url, "ftp://backup/phones/001565112233-local.cfg");
    /* Another host: the server's credentials are not for it. */
    assert_string_equal(d->user, "");
}

static void a_failed_upload_is_tried_again_and_after_the_next_run(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD SYNC);
    begin(d);
    d->silent = true;
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    unsigned asked = d->asked;
    pass(d, 60000);
    assert_int_equal(d->asked, asked + 2);
    assert_true(was_told(d, "no answer within 5 s; once more later"));
    d->silent = false;
    life_provision_now(d->life);
    pass(d, 1000);
    assert_int_equal(d->uploads, 1);
}

static void a_run_that_begins_while_an_upload_goes_on_puts_it_behind(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD SYNC);
    begin(d);
    d->delay_ms = 5000;
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    life_provision_now(d->life);
    pass(d, 60000);
    assert_int_equal(d->outcomes[RUN_UNCHANGED], 1);
    assert_int_equal(d->uploads, 1);
}

static void what_was_downloaded_is_not_sent_back(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD SYNC);
    serve_text(d, "/001565112233-local.cfg", CFG_HEAD "## by hand\nfeatures.dnd.enable = 1\n");
    begin(d);
    assert_slice(holds(d, "features.dnd.enable"), "1");
    assert_int_equal(d->uploads, 0);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("0")), 0);
    pass(d, 1000);
    assert_int_equal(d->uploads, 1);
}

static void an_upload_is_encrypted_when_asked_for(void **state)
{
    struct life_desk *d = *state;
    serve_cfg(d, CFG_HEAD SYNC "static.auto_provision.encryption.config = 1\n"
                               "static.auto_provision.aes_key_16.mac = 0123456789abcdef\n");
    begin(d);
    assert_int_equal(life_set(d->life, SLICE("features.dnd.enable"), SLICE("1")), 0);
    pass(d, 1000);
    assert_int_equal(d->uploads, 1);
    assert_int_equal(d->body_len % 16, 0);
    assert_null(memmem(d->body, d->body_len, "features", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_life(at_power_on_it_provisions_itself_and_idles),
        test_with_life(with_power_on_off_it_waits_for_another_trigger),
        test_with_life(a_setting_that_needs_it_makes_the_phone_reboot_and_run_again),
        test_with_life(a_server_that_asks_for_a_reboot_every_time_gets_three_in_ten_minutes),
        test_with_life(a_damaged_flash_does_not_start),
        test_with_life(pulling_the_plug_in_the_middle_of_a_run_leaves_the_phone_as_it_was),
        test_with_life(the_address_is_searched_for_once_a_power_on_and_used_by_every_run),
        test_with_life(without_an_address_nothing_runs_and_the_next_trigger_searches_again),
        test_with_life(repeatedly_runs_every_so_many_minutes),
        test_with_life(a_clock_that_is_set_neither_hurries_nor_stops_the_repetition),
        test_with_life(a_clock_that_is_set_into_the_window_is_seen_within_a_minute),
        test_with_life(the_time_scale_shortens_days_to_minutes),
        test_with_life(a_run_that_is_asked_for_while_one_goes_on_comes_after_it_and_only_once),
        test_with_life(check_sync_provisions_or_reboots_but_reboots_once_a_minute_only),
        test_with_life(check_sync_reboots_after_the_call_and_gives_up_after_two_hours),
        test_with_life(a_reboot_is_not_lost_to_a_run_that_ends_in_the_same_moment),
        test_with_life(in_a_call_a_run_looks_every_30_seconds_and_gives_up_after_two_hours),
        test_with_life(the_pin_is_asked_on_the_screen_and_a_wrong_one_again),
        test_with_life(nobody_enters_the_pin_and_the_run_goes_on_without),
        test_with_life(credentials_are_asked_for_used_and_saved_for_next_time),
        test_with_life(cancelled_credentials_end_the_run),
        test_with_life(credentials_are_not_asked_for_another_server),
        test_with_life(an_activation_code_provisions_from_its_own_server),
        test_with_life(another_firmware_is_installed_and_the_run_starts_again),
        test_with_life(with_boot_files_everything_is_applied_and_the_next_firmware_applies_it_anew),
        test_with_life(two_files_that_send_the_phone_in_a_circle_are_told_and_the_circle_ends),
        test_with_life(another_firmware_given_from_outside_is_a_phone_with_another_factory),
        test_with_life(a_setting_of_the_user_is_personal_survives_and_a_static_one_is_not),
        test_with_life(what_no_file_can_hold_is_no_setting),
        test_with_life(while_a_run_goes_on_no_setting_is_taken),
        test_with_life(from_generation_84_on_without_protect_a_change_is_not_personal),
        test_with_life(the_mac_local_file_is_uploaded_when_it_changes_and_only_then),
        test_with_life(an_upload_goes_by_post_to_the_sync_path_when_told_so),
        test_with_life(a_failed_upload_is_tried_again_and_after_the_next_run),
        test_with_life(a_run_that_begins_while_an_upload_goes_on_puts_it_behind),
        test_with_life(what_was_downloaded_is_not_sent_back),
        test_with_life(an_upload_is_encrypted_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
