#include "guide_test.h"

#include "guide/settings.h"

#include <time.h>

/* Every setting of one layer as `id = value (file:line) < value it overrode (file:line) ...`. */
static struct slice layer_text(struct arena *a, const struct settings *s)
{
    size_t cap = (size_t)64 << 10;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    const struct setting *const *list;
    assert_non_null(out.ptr);
    assert_true(settings_sorted(s, a, &list));
    for (size_t i = 0; i < s->count; i++) {
        buf_format(&out, "%.*s = ", SLICE_ARG(list[i]->id));
        for (const struct setting *v = list[i]; v; v = v->overrode)
            buf_format(&out, "%s%.*s (%.*s:%u)", v == list[i] ? "" : " < ", SLICE_ARG(v->value),
                       SLICE_ARG(v->origin.file), v->origin.line);
        buf_byte(&out, '\n');
    }
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}

struct fixture {
    struct arena *arena;
    struct identity id;
    struct settings central_before, personal_before, central, personal, effective;
    struct settings_run run;
    struct diag findings;
};

/* Puts `key=value` lines into a layer, as from flash. */
static void fill(struct arena *a, struct settings *s, const char *text)
{
    struct cfg_file cfg;
    assert_true(cfg_parse(slice_str(text), SETTINGS_FLASH, a, NULL, &cfg));
    for (const struct cfg_assignment *i = cfg.assignments; i; i = i->next)
        assert_true(settings_put(s, i->key, i->value, (struct origin){ SETTINGS_FLASH, i->line }));
}

static void begin(struct fixture *f, struct arena *a, bool overwrite, const char *central, const char *personal)
{
    *f = (struct fixture){ .arena = a, .id = phone("T46S", "66.84.0.15") };
    struct settings *const all[] = { &f->central_before, &f->personal_before, &f->central, &f->personal,
                                     &f->effective };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        settings_init(all[i], a);
    diag_init(&f->findings, a);
    fill(a, &f->central_before, central);
    fill(a, &f->personal_before, personal);
    f->run = (struct settings_run){ &f->id, &f->central_before, &f->personal_before, overwrite };
    assert_true(settings_begin(&f->run, &f->central));
}

static struct cfg_file cfg_of(struct fixture *f, const char *name, const char *text)
{
    struct cfg_file cfg;
    assert_true(cfg_parse(slice_str(text), slice_str(name), f->arena, NULL, &cfg));
    return cfg;
}

static void apply(struct fixture *f, const char *name, const char *text)
{
    struct cfg_file cfg = cfg_of(f, name, text);
    assert_true(settings_apply_cfg(&f->run, &f->central, &cfg, &f->findings));
}

static void end(struct fixture *f)
{
    settings_free(&f->central_before);
    settings_free(&f->personal_before);
    settings_free(&f->central);
    settings_free(&f->personal);
    settings_free(&f->effective);
}

/* The table in settings.h, a cell a line: what one line (or its absence) makes of a value that held before. */
static void a_value_before_and_a_line_give_what_the_table_says(void **state)
{
    static const struct {
        bool overwrite;
        const char *before, *line, *after;
    } cells[] = {
        { true, "features.dnd_mode=1", "features.dnd_mode =", "" },
        { true, "static.syslog.server=a", "static.syslog.server =", "" },
        { true, "features.dnd_mode=1", "features.dnd_mode = %NULL%", "" },
        { true, "static.syslog.server=a", "static.syslog.server = %NULL%", "" },
        { true, "features.dnd_mode=1", "", "" },
        { true, "features.dnd_mode=1", "#features.dnd_mode = 0", "" },
        { true, "static.syslog.server=a", "", "static.syslog.server = a (flash:1)\n" },
        { true, "static.syslog.server=a", "# static.syslog.server = b", "static.syslog.server = a (flash:1)\n" },
        { true, "features.dnd_mode=1", "features.dnd_mode = 0", "features.dnd_mode = 0 (f:1)\n" },
        { false, "features.dnd_mode=1", "features.dnd_mode =", "features.dnd_mode = 1 (flash:1)\n" },
        { false, "static.syslog.server=a", "static.syslog.server =", "static.syslog.server = a (flash:1)\n" },
        { false, "features.dnd_mode=1", "features.dnd_mode = %NULL%", "" },
        { false, "static.syslog.server=a", "static.syslog.server = %NULL%", "" },
        { false, "features.dnd_mode=1", "", "features.dnd_mode = 1 (flash:1)\n" },
        { false, "features.dnd_mode=1", "#features.dnd_mode = 0", "features.dnd_mode = 1 (flash:1)\n" },
        { false, "static.syslog.server=a", "", "static.syslog.server = a (flash:1)\n" },
        { false, "features.dnd_mode=1", "features.dnd_mode = 0", "features.dnd_mode = 0 (f:1) < 1 (flash:1)\n" },
        { false, "features.dnd_mode=1", "features.dnd_mode = 1", "features.dnd_mode = 1 (f:1)\n" },
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        struct fixture f;
        begin(&f, *state, cells[i].overwrite, cells[i].before, "");
        apply(&f, "f", cells[i].line);
        assert_slice(layer_text(*state, &f.central), cells[i].after);
        end(&f);
    }
}

static void later_lines_and_files_win_and_losers_are_kept(void **state)
{
    struct fixture f;
    begin(&f, *state, false, "lang.gui=German", "");
    apply(&f, "a", "lang.gui = English\nlang.gui = French\n");
    apply(&f, "b", "lang.gui = French\n");
    assert_slice(layer_text(*state, &f.central),
                 "lang.gui = French (b:1) < French (a:2) < English (a:1) < German (flash:1)\n");
    end(&f);
}

static void a_blank_line_in_a_later_file_undoes_an_earlier_one_only_in_overwrite_mode(void **state)
{
    struct fixture f;
    begin(&f, *state, true, "", "");
    apply(&f, "a", "lang.gui = English\n");
    apply(&f, "b", "lang.gui =\n");
    assert_slice(layer_text(*state, &f.central), "");
    end(&f);
    begin(&f, *state, false, "", "");
    apply(&f, "a", "lang.gui = English\n");
    apply(&f, "b", "lang.gui =\n");
    assert_slice(layer_text(*state, &f.central), "lang.gui = English (a:1)\n");
    end(&f);
}

static void users_passwords_do_not_override_one_another(void **state)
{
    struct fixture f;
    begin(&f, *state, false, "", "");
    apply(&f, "a", "static.security.user_password = admin:one\nsecurity.user_password = user:two\n"
                   "static.security.user_password = admin:x:y\n");
    assert_slice(layer_text(*state, &f.central),
                 "static.security.user_password:admin = admin:x:y (a:3) < admin:one (a:1)\n"
                 "static.security.user_password:user = user:two (a:2)\n");
    assert_slice(settings_get(&f.central, SLICE("security.user_password"))->key, "static.security.user_password");
    settings_remove(&f.central, SLICE("security.user_password"));
    assert_int_equal(f.central.count, 0);
    assert_null(settings_get(&f.central, SLICE("static.security.user_password")));
    end(&f);
}

static void old_names_are_kept_under_those_of_today_and_told(void **state)
{
    struct fixture f;
    begin(&f, *state, true, "", "");
    apply(&f, "a", "auto_provision.power_on = 0\nstatic.auto_provision.mode = 1\n  syslog.server = b\n"
                   "static.auto_provision.weekly.enalbe = 1\nno.such.key = 1\n");
    assert_slice(layer_text(*state, &f.central),
                 "no.such.key = 1 (a:5)\n"
                 "static.auto_provision.power_on = 1 (a:2) < 0 (a:1)\n"
                 "static.auto_provision.weekly.enalbe = 1 (a:4)\n"
                 "static.syslog.server = b (a:3)\n");
    assert_slice(findings_text(&f.findings, *state),
                 "a:1:1: note: auto_provision.power_on is an old name of static.auto_provision.power_on\n"
                 "a:2:1: note: static.auto_provision.mode is an old name of static.auto_provision.power_on\n"
                 "a:3:3: note: syslog.server is an old name of static.syslog.server\n"
                 "a:4:1: warning: static.auto_provision.weekly.enalbe is misspelt: no phone is known to read it\n");
    assert_true(setting_is_static(settings_get(&f.central, SLICE("syslog.server"))));
    end(&f);
}

static void lines_for_other_models_are_left_out(void **state)
{
    struct fixture f;
    begin(&f, *state, true, "", "");
    apply(&f, "a", "[T48S]lang.gui = Thai\n[T46S]lang.gui = Czech\n[T48S]lang.gui =\n");
    assert_slice(layer_text(*state, &f.central), "lang.gui = Czech (a:2)\n");
    f.id = phone("T46S", "66.82.0.1");
    apply(&f, "b", "[T46S]lang.gui = Dutch\n");
    assert_slice(layer_text(*state, &f.central), "lang.gui = Czech (a:2)\n");
    end(&f);
}

static void a_value_out_of_bounds_counts_as_the_default(void **state)
{
    struct settings s;
    struct slice key = SLICE("static.auto_provision.attempt_before_failed");
    static const struct {
        const char *value;
        uint64_t number;
    } table[] = { { "1", 1 }, { "10", 10 }, { "0", 3 }, { "11", 3 }, { "x", 3 }, { "-1", 3 }, { "5 ", 3 } };
    settings_init(&s, *state);
    assert_int_equal(settings_number(&s, key), 3);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_true(settings_put(&s, key, slice_str(table[i].value), (struct origin){ SLICE("f"), 1 }));
        assert_int_equal(settings_number(&s, key), table[i].number);
    }
    assert_slice(settings_value(&s, SLICE("auto_provision.server.type")), "tftp");
    assert_slice(settings_value(&s, SLICE("no.such.key")), "");
    assert_int_equal(settings_number(&s, SLICE("no.such.key")), 0);
    assert_true(settings_is_on(&s, SLICE("static.auto_provision.power_on")));
    assert_false(settings_is_on(&s, SLICE("static.auto_provision.custom.protect")));
    settings_free(&s);
}

static void a_removed_key_can_be_set_again(void **state)
{
    struct settings s;
    settings_init(&s, *state);
    assert_true(settings_put(&s, SLICE("x"), SLICE("1"), (struct origin){ SLICE("f"), 1 }));
    settings_remove(&s, SLICE("x"));
    settings_remove(&s, SLICE("x"));
    assert_int_equal(s.count, 0);
    assert_true(settings_put(&s, SLICE("x"), SLICE("2"), (struct origin){ SLICE("f"), 2 }));
    assert_slice(layer_text(*state, &s), "x = 2 (f:2)\n");
    settings_free(&s);
}

/* Personal settings under protect, overwrite_mode and a downloaded MAC-local CFG file. */
static void assert_personal(void **state, bool protect, bool overwrite, const char *downloaded, const char *expected)
{
    struct fixture f;
    begin(&f, *state, overwrite, "", "lang.gui = Own\nringtone.x = own\n");
    apply(&f, "a", "lang.gui = Central\n");
    struct cfg_file local = cfg_of(&f, "local", downloaded ? downloaded : "");
    assert_true(settings_apply_personal(&f.run, &f.central, protect, downloaded ? &local : NULL, &f.personal,
                                        &f.findings));
    assert_true(settings_overlay(&f.effective, &f.central, &f.personal));
    assert_slice(layer_text(*state, &f.effective), expected);
    end(&f);
}

static void protected_settings_win_over_central_ones(void **state)
{
    assert_personal(state, true, true, NULL,
                    "lang.gui = Own (flash:1) < Central (a:1)\nringtone.x = own (flash:2)\n");
    assert_personal(state, true, false, NULL,
                    "lang.gui = Own (flash:1) < Central (a:1)\nringtone.x = own (flash:2)\n");
    assert_personal(state, true, false, "lang.gui = Server\n",
                    "lang.gui = Own (flash:1) < Central (a:1)\nringtone.x = own (flash:2)\n");
    assert_personal(state, true, true, "lang.gui = Server\n", "lang.gui = Server (local:1) < Central (a:1)\n");
}

static void unprotected_settings_give_way(void **state)
{
    assert_personal(state, false, true, NULL, "lang.gui = Central (a:1)\n");
    assert_personal(state, false, true, "lang.gui = Server\n", "lang.gui = Central (a:1)\n");
    assert_personal(state, false, false, NULL, "lang.gui = Central (a:1)\nringtone.x = own (flash:2)\n");
    assert_personal(state, false, false, "lang.gui = Server\n",
                    "lang.gui = Central (a:1)\nringtone.x = own (flash:2)\n");
}

static void an_unprotected_setting_that_a_file_resets_does_not_come_back(void **state)
{
    struct fixture f;
    begin(&f, *state, false, "lang.gui = Central\n", "lang.gui = Own\n");
    apply(&f, "a", "lang.gui = %NULL%\n");
    assert_true(settings_apply_personal(&f.run, &f.central, false, NULL, &f.personal, &f.findings));
    assert_slice(layer_text(*state, &f.personal), "");
    end(&f);
}

static void a_setting_reset_and_then_set_holds(void **state)
{
    struct fixture f;
    begin(&f, *state, false, "", "lang.gui = Own\n");
    apply(&f, "a", "lang.gui = %NULL%\nlang.gui = Central\n");
    assert_true(settings_apply_personal(&f.run, &f.central, false, NULL, &f.personal, &f.findings));
    assert_true(settings_overlay(&f.effective, &f.central, &f.personal));
    assert_slice(layer_text(*state, &f.effective), "lang.gui = Central (a:2)\n");
    end(&f);
}

static void static_settings_have_no_say_in_a_mac_local_file(void **state)
{
    struct fixture f;
    begin(&f, *state, true, "", "");
    struct cfg_file local = cfg_of(&f, "local", "static.syslog.server = a\nsyslog.server = b\nstatic.new.key = c\n"
                                                "lang.gui = Own\n[T48S]lang.wui = Own\n");
    assert_true(settings_apply_personal(&f.run, &f.central, true, &local, &f.personal, &f.findings));
    assert_slice(layer_text(*state, &f.personal), "lang.gui = Own (local:4)\n");
    assert_slice(findings_text(&f.findings, *state),
                 "local:1:1: warning: static.syslog.server is static; static settings have no say in a MAC-local CFG file\n"
                 "local:2:1: warning: syslog.server is static; static settings have no say in a MAC-local CFG file\n"
                 "local:3:1: warning: static.new.key is static; static settings have no say in a MAC-local CFG file\n");
    end(&f);
}

/* The changed keys, each with a line end, and `reboot: key` when one asks for it. */
static struct slice change_text(struct arena *a, const char *before, const char *after)
{
    struct settings old, new;
    struct settings_change change;
    size_t cap = 4096;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    assert_non_null(out.ptr);
    settings_init(&old, a);
    settings_init(&new, a);
    fill(a, &old, before);
    fill(a, &new, after);
    assert_true(settings_compare(&old, &new, a, &change));
    for (size_t i = 0; i < change.count; i++)
        buf_format(&out, "%.*s\n", SLICE_ARG(change.keys[i]));
    if (change.reboot)
        buf_format(&out, "reboot: %.*s\n", SLICE_ARG(change.reboot_why));
    settings_free(&old);
    settings_free(&new);
    return buf_slice(&out);
}

static void what_changed_is_told_by_key_once_and_in_order(void **state)
{
    struct arena *a = *state;
    assert_slice(change_text(a, "", ""), "");
    assert_slice(change_text(a, "lang.gui=a\nx=1", "x=1\nlang.gui=a"), "");
    assert_slice(change_text(a, "lang.gui=a\nx=1\nz=1", "lang.gui=b\na=1\nz=1"), "a\nlang.gui\nx\n");
    assert_slice(change_text(a, "static.security.user_password=admin:a\nstatic.security.user_password=user:b",
                             "static.security.user_password=admin:c\nstatic.security.user_password=var:d"),
                 "static.security.user_password\n");
}

static void a_default_set_or_unset_changes_nothing(void **state)
{
    struct arena *a = *state;
    assert_slice(change_text(a, "", "sip.notify_reboot_enable=1"), "");
    assert_slice(change_text(a, "sip.notify_reboot_enable=1", ""), "");
    assert_slice(change_text(a, "sip.notify_reboot_enable=2", ""), "sip.notify_reboot_enable\n");
    assert_slice(change_text(a, "static.network.pc_port.enable=1", ""), "");
}

static void network_settings_ask_for_a_reboot_when_they_change(void **state)
{
    struct arena *a = *state;
    assert_slice(change_text(a, "", "static.network.vlan.dhcp_option=140"),
                 "static.network.vlan.dhcp_option\nreboot: static.network.vlan.dhcp_option\n");
    assert_slice(change_text(a, "static.syslog.server=a", ""), "static.syslog.server\nreboot: static.syslog.server\n");
    assert_slice(change_text(a, "static.syslog.server=a", "static.syslog.server=a\nlang.gui=x"), "lang.gui\n");
}

static void reboot_force_reboots_whatever_changed(void **state)
{
    static const char force[] = "static.auto_provision.reboot_force.enable=1";
    assert_slice(change_text(*state, force, force), "reboot: static.auto_provision.reboot_force.enable\n");
    assert_slice(change_text(*state, force, ""), "static.auto_provision.reboot_force.enable\n");
}

/* A file of 4 MiB, half of it settings and half blank lines, must not look at every setting for each. */
static void a_big_file_of_blank_lines_is_applied_in_no_time(void **state)
{
    struct arena *a = *state;
    size_t cap = (size_t)1 << 20;
    struct buf text = buf_on(arena_alloc(a, cap + 1), cap);
    struct fixture f;
    assert_non_null(text.ptr);
    for (unsigned i = 0; i < 40000; i++)
        buf_format(&text, "k%u=1\n", i);
    while (buf_ok(&text))
        buf_str(&text, "a=\n");
    begin(&f, a, true, "", "");
    clock_t start = clock();
    apply(&f, "f", text.ptr);
    assert_int_equal(f.central.count, 40000);
    /* It takes a tenth of a second; looking at every setting takes minutes. */
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_value_before_and_a_line_give_what_the_table_says),
        test_with_arena(later_lines_and_files_win_and_losers_are_kept),
        test_with_arena(a_blank_line_in_a_later_file_undoes_an_earlier_one_only_in_overwrite_mode),
        test_with_arena(users_passwords_do_not_override_one_another),
        test_with_arena(old_names_are_kept_under_those_of_today_and_told),
        test_with_arena(lines_for_other_models_are_left_out),
        test_with_arena(a_value_out_of_bounds_counts_as_the_default),
        test_with_arena(a_removed_key_can_be_set_again),
        test_with_arena(protected_settings_win_over_central_ones),
        test_with_arena(unprotected_settings_give_way),
        test_with_arena(an_unprotected_setting_that_a_file_resets_does_not_come_back),
        test_with_arena(a_setting_reset_and_then_set_holds),
        test_with_arena(static_settings_have_no_say_in_a_mac_local_file),
        test_with_arena(what_changed_is_told_by_key_once_and_in_order),
        test_with_arena(a_default_set_or_unset_changes_nothing),
        test_with_arena(network_settings_ask_for_a_reboot_when_they_change),
        test_with_arena(reboot_force_reboots_whatever_changed),
        test_with_arena(a_big_file_of_blank_lines_is_applied_in_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
