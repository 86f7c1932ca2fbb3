/* Which files a run asks for, and how it ends (guide/procedure.h, the flowchart). */
#include "procedure_test.h"

#include <stdio.h>

static void a_call_defers_the_run_by_looks_30_seconds_apart(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "x = 1\n");
    s->call_looks = 2;
    s->show_calls = true;
    assert_slice(run(s, *state),
                 "call? yes\nwait 30000\ncall? yes\nwait 30000\ncall? no\n" MAC_BOOT " absent\n" BOOT " got\na.cfg got\n"
                 "apply\ncommon-boot overwrite provisioned\n- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 1\n"
                 "= x = 1\n~ x\n");
}

static void a_call_released_after_exactly_two_hours_does_not_end_the_run(void **state)
{
    struct script *s = script(*state);
    s->call_looks = 2 * 60 * 2;
    assert_true(slice_ends(run(s, *state), SLICE("\n- absent " MAC_CFG "\n")));
    assert_int_equal(s->wishes, 2 * 240 + 1 + 4 + 1);
}

static void a_call_longer_than_two_hours_ends_the_run(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    s->call_looks = 2 * 60 * 2 + 1;
    assert_true(slice_ends(run(s, *state), SLICE("wait 30000\nnone failed: a call was active for two hours\n")));
}

static void the_mac_oriented_boot_file_comes_first_and_alone(void **state)
{
    struct script *s = script(*state);
    file(s, MAC_BOOT, H "include:config <account.cfg>\ninclude:config \"network.cfg\"\n\noverwrite_mode = 1\n");
    file(s, BOOT, H "include:config <other.cfg>\n");
    file(s, "account.cfg", H "account.1.label = a\naccount.1.enable = 1\n");
    file(s, "network.cfg", H "account.1.label = b\n");
    assert_slice(run(s, *state), MAC_BOOT " got\naccount.cfg got\nnetwork.cfg got\napply\n"
                 "mac-boot overwrite provisioned\n- used " MAC_BOOT "\n- used account.cfg 2\n- used network.cfg 1\n"
                 "= account.1.enable = 1\n= account.1.label = b\n~ account.1.enable\n~ account.1.label\n");
}

static void includes_that_are_absent_are_passed_over(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <sip.cfg>\ninclude:config <features.cfg>\n");
    file(s, "sip.cfg", H "x = 1\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\nsip.cfg got\nfeatures.cfg absent\napply\n"
                 "common-boot overwrite provisioned\n- absent " MAC_BOOT "\n- used " BOOT "\n- used sip.cfg 1\n"
                 "- absent features.cfg\n= x = 1\n~ x\n");
}

static void a_boot_file_whose_includes_are_all_absent_applies_nothing(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\n");
    file(s, BOOT, H "include:config <a.cfg>\n[T46S]include:config <b.cfg>\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg absent\nb.cfg absent\n"
                 "common-boot overwrite failed: none of the CFG files that the boot file names came\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- absent a.cfg\n- absent b.cfg\n= x = 1\n");
}

static void append_mode_takes_own_and_unspecified_files_in_order(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n[T46S,T48S]include:config <b.cfg>\n[T48S]include:config <c.cfg>\n"
                  "include:config <d.cfg>\n");
    file(s, "a.cfg", "x = a");
    file(s, "b.cfg", H "x = b\n");
    file(s, "c.cfg", H "x = c\n");
    file(s, "d.cfg", H "y = d\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\nb.cfg got\nd.cfg got\napply\n"
                 "common-boot overwrite provisioned\n- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 1\n"
                 "- used b.cfg 1\n- skipped c.cfg: for T48S only\n- used d.cfg 1\n= x = b\n= y = d\n~ x\n~ y\n"
                 "! a.cfg:1: note: the last line has no line end\n"
                 "! a.cfg:1: warning: no header: the first line must be `#!version:1.0.0.1`\n");
}

static void exclude_tree(struct script *s)
{
    file(s, BOOT, H "include:config <a.cfg>\n[T46S]include:config <b.cfg>\n[T48S]include:config <c.cfg>\n"
                  "specific_model.excluded_mode = 1\n");
    file(s, "a.cfg", H "x = a\n");
}

static void exclude_mode_takes_own_files_alone_when_there_are_some(void **state)
{
    struct script *s = script(*state);
    exclude_tree(s);
    file(s, "b.cfg", H "x = b\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\nb.cfg got\napply\n"
                 "common-boot overwrite exclude provisioned\n- absent " MAC_BOOT "\n- used " BOOT "\n- used b.cfg 1\n"
                 "- skipped c.cfg: for T48S only\n- skipped a.cfg: exclude mode: files of its own model were found\n"
                 "= x = b\n~ x\n");
}

static void exclude_mode_takes_unspecified_files_when_its_own_are_absent(void **state)
{
    struct script *s = script(*state);
    exclude_tree(s);
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\nb.cfg absent\na.cfg got\napply\n"
                 "common-boot overwrite exclude provisioned\n- absent " MAC_BOOT "\n- used " BOOT "\n- absent b.cfg\n"
                 "- skipped c.cfg: for T48S only\n- used a.cfg 1\n= x = a\n~ x\n");
}

static void firmware_83_has_exclude_mode(void **state)
{
    struct script *s = script(*state);
    s->id = phone("T46S", "66.83.0.10");
    exclude_tree(s);
    file(s, "b.cfg", H "x = b\n");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\nb.cfg got\napply\n"
                                                   "common-boot overwrite exclude provisioned\n")));
}

static void firmware_82_reads_neither_exclude_mode_nor_prefixes(void **state)
{
    struct script *s = script(*state);
    s->id = phone("T46S", "66.82.0.10");
    exclude_tree(s);
    file(s, "b.cfg", H "x = b\n");
    s->files[1].content = SLICE(H "x = a\n[T46S]x = b\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\napply\n"
                 "common-boot overwrite provisioned\n- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 1\n"
                 "- skipped b.cfg: firmware 82 of a SIP-T46S does not read [MODEL] prefixes\n"
                 "- skipped c.cfg: firmware 82 of a SIP-T46S does not read [MODEL] prefixes\n= x = a\n~ x\n"
                 "! " BOOT ": note: firmware 82 of a SIP-T46S has no exclude mode: append mode\n");
}

static void a_w60p_never_reads_prefixes(void **state)
{
    struct script *s = script(*state);
    s->id = phone("W60P", "77.85.0.20");
    file(s, BOOT, H "include:config <a.cfg>\n[T46S]include:config <b.cfg>\n");
    file(s, "a.cfg", H "x = 1\n[T46S]x = 2\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\napply\ncommon-boot overwrite provisioned\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 1\n"
                 "- skipped b.cfg: firmware 85 of a W60P does not read [MODEL] prefixes\n= x = 1\n~ x\n");
}

static void a_t58a_reads_boot_files_from_80_and_exclude_mode_from_83(void **state)
{
    static const char boot[] = H "include:config <a.cfg>\n[T58]include:config <b.cfg>\nspecific_model.excluded_mode=1\n";
    struct script *s = script(*state);
    file(s, BOOT, boot);
    file(s, "a.cfg", H "x = a\n");
    file(s, "b.cfg", H "x = b\n");
    s->id = phone("T58A", "58.80.0.5");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\na.cfg got\napply\n"
                                                   "common-boot overwrite provisioned")));
    s->id = phone("T58A", "58.83.0.5");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\nb.cfg got\napply\n"
                                                   "common-boot overwrite exclude provisioned")));
}

static void a_cp860_has_boot_files_from_81_and_never_exclude_mode(void **state)
{
    struct script *s = script(*state);
    exclude_tree(s);
    s->id = phone("CP860", "37.81.0.10");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\na.cfg got\napply\n"
                                                   "common-boot overwrite provisioned")));
    s->id = phone("CP860", "37.85.0.10");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\na.cfg got\napply\n"
                                                   "common-boot overwrite provisioned")));
}

static void firmware_without_boot_files_asks_for_none(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "y000000000037.cfg", H "x = 1\n");
    s->id = phone("CP860", "37.80.0.10");
    assert_slice(run(s, *state), "y000000000037.cfg got\n" MAC_CFG " absent\napply\nold provisioned\n"
                 "- skipped " BOOT ": CP860 reads boot files from firmware 81 on\n- used y000000000037.cfg 1\n"
                 "- absent " MAC_CFG "\n= x = 1\n~ x\n");
    s->id = phone("T28P", "2.73.0.50");
    assert_true(slice_starts(run(s, *state), SLICE("y000000000000.cfg absent\n" MAC_CFG " absent\nold failed: ")));
}

static void includes_are_relative_to_the_boot_file_or_absolute(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("http://h/phones/$PN");
    file(s, BOOT, H "include:config <../sip.cfg>\ninclude:config \"HTTP Directory/b.cfg\"\ninclude:config </c.cfg>\n"
                  "include:config <tftp://10.2.5.193/d.cfg>\ninclude:config <$MAC-x.cfg>\n");
    file(s, "sip.cfg", H "x = 1\n");
    assert_true(slice_starts(run(s, *state),
                             SLICE("phones/T46S/" MAC_BOOT " absent\nphones/T46S/" BOOT " got\nphones/sip.cfg got\n"
                                   "phones/T46S/HTTP Directory/b.cfg absent\nc.cfg absent\n"
                                   "tftp://10.2.5.193/d.cfg absent\nphones/T46S/00156574b150-x.cfg absent\napply\n")));
}

static void an_include_that_is_no_url_is_told_and_passed_over(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <http://h:0/a.cfg>\ninclude:config <b.cfg>\n");
    file(s, "b.cfg", H "x = 1\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\nb.cfg got\napply\ncommon-boot overwrite provisioned\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- skipped http://h:0/a.cfg: not a URL that a phone can fetch\n"
                 "- used b.cfg 1\n= x = 1\n~ x\n! " BOOT ":2:17: error: not a URL that a phone can fetch\n");
}

static void a_url_too_long_is_told_and_not_a_lack_of_memory(void **state)
{
    struct script *s = script(*state);
    char longest[2100], boot[2300], cfg[2300];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "http://h/$PN/", 13);
    longest[2040] = '\0';
    snprintf(boot, sizeof boot, H "include:config <%.1500s%.0d.cfg>\ninclude:config <b.cfg>\n", longest + 13, 0);
    snprintf(cfg, sizeof cfg, H "ringtone.url = %.2030s%.0d$MAC$MAC$MAC\nx = 1\n", longest + 8, 0);
    s->server = slice_of(longest, 900);
    file(s, BOOT, boot);
    file(s, "b.cfg", cfg);
    struct slice text = run(s, *state);
    assert_true(slice_find_text(text, SLICE("out of memory")) == text.len);
    assert_holds(text, "common-boot overwrite provisioned\n");
    assert_holds(text, "not a URL that a phone can fetch\n");
    assert_holds(text, "ringtone.url is not a URL\n");
    s->server = slice_of(longest, 2040);
    text = run(s, *state);
    assert_true(slice_find_text(text, SLICE("out of memory")) == text.len);
    assert_holds(text, "failed: the server URL is too long\n");
}

static void no_boot_file_is_the_old_mechanism(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.kept = 1\ncentral.blank = 1\n");
    file(s, COMMON_CFG, H "x = 1\ny = 1\nblank =\n");
    file(s, MAC_CFG, H "y = 2\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\n" MAC_CFG " got\napply\n"
                 "old provisioned\n- absent " MAC_BOOT "\n- absent " BOOT "\n- used " COMMON_CFG " 3\n- used " MAC_CFG " 1\n"
                 "= blank = 1\n= kept = 1\n= x = 1\n= y = 2\n~ x\n~ y\n");
}

static void one_file_is_enough_for_the_old_mechanism(void **state)
{
    struct script *s = script(*state);
    struct script_file *only = file(s, COMMON_CFG, H "x = 1\n");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\n" MAC_CFG
                                                   " absent\napply\nold provisioned\n")));
    s->flash = SLICE("");
    only->name = SLICE(MAC_CFG);
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " absent\n" MAC_CFG
                                                   " got\napply\nold provisioned\n")));
}

static void a_server_without_any_file_fails_and_resets_nothing(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\npersonal.y = 2\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " absent\n" MAC_CFG " absent\n"
                 "old failed: the server has no boot file, no common CFG file and no MAC-oriented CFG file for this phone\n"
                 "- absent " MAC_BOOT "\n- absent " BOOT "\n- absent " COMMON_CFG "\n- absent " MAC_CFG "\n= x = 1\n= y = 2\n");
}

static void a_file_that_does_not_come_is_tried_three_times_and_nothing_applied(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\n");
    file(s, BOOT, H "include:config <a.cfg>\ninclude:config <b.cfg>\n");
    file(s, "a.cfg", H "x = 2\n");
    add(s, "b.cfg", FETCH_FAILED, "");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\nb.cfg failed\nwait 5000\nb.cfg failed\n"
                 "wait 5000\nb.cfg failed\ncommon-boot overwrite failed: http://h/b.cfg: no answer\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 1\n- failed b.cfg: no answer\n= x = 1\n");
}

static void tries_and_pause_come_from_the_flash(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.static.auto_provision.attempt_before_failed = 2\n"
             "central.static.auto_provision.retry_delay_after_file_transfer_failed = 7\n");
    add(s, MAC_BOOT, FETCH_FAILED, "");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " failed\nwait 7000\n" MAC_BOOT
                                                   " failed\nnone failed: http://h/" MAC_BOOT ": no answer\n")));
    flash(s, "central.static.auto_provision.attempt_before_failed = 1\n");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " failed\nnone failed: ")));
    flash(s, "central.static.auto_provision.attempt_before_failed = 99\n");
    run(s, *state);
    assert_int_equal(s->wishes, 1 + 5 + 1);
}

static void every_file_has_tries_of_its_own(void **state)
{
    struct script *s = script(*state);
    add(s, MAC_BOOT, FETCH_ABSENT, "")->fails = 2;
    file(s, BOOT, H "include:config <a.cfg>\n")->fails = 2;
    file(s, "a.cfg", H "x = 1\n")->fails = 2;
    assert_true(slice_starts(run(s, *state),
                             SLICE(MAC_BOOT " failed\nwait 5000\n" MAC_BOOT " failed\nwait 5000\n" MAC_BOOT " absent\n"
                                   BOOT " failed\nwait 5000\n" BOOT " failed\nwait 5000\n" BOOT " got\n"
                                   "a.cfg failed\nwait 5000\na.cfg failed\nwait 5000\na.cfg got\napply\n")));
}

static void the_time_out_comes_from_the_flash(void **state)
{
    struct script *s = script(*state);
    struct memory memory;
    memory_init(&memory, *state);
    assert_true(settings_put(&memory.central, SLICE("auto_provision.attempt_expired_time"), SLICE("20"),
                             (struct origin){ SETTINGS_FLASH, 1 }));
    struct procedure_start start = { .id = s->id, .server = s->server, .memory = &memory };
    struct procedure *p = procedure_new(&start, *state);
    procedure_answer_call(p, false);
    assert_int_equal(procedure_wish(p).timeout_ms, 20000);
    procedure_free(p);
    memory_free(&memory);
}

static void a_refused_file_is_not_tried_again(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\n");
    add(s, MAC_BOOT, FETCH_REFUSED, "");
    assert_slice(run(s, *state), MAC_BOOT " refused\nnone failed: http://h/" MAC_BOOT ": too large\n"
                 "- refused " MAC_BOOT ": too large\n= x = 1\n");
}

static void a_web_page_in_place_of_a_file_fails_the_run(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\n");
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", "<html>Log in</html>");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\n"
                 "common-boot overwrite failed: http://h/a.cfg: an HTML page, not a configuration file\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- refused a.cfg: an HTML page, not a configuration file\n= x = 1\n"
                 "! a.cfg:1: error: an HTML page, not a configuration file\n");
}

static void a_url_of_one_boot_file_asks_for_it_and_its_includes_only(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("http://h/$PN/$MAC.boot");
    file(s, MAC_BOOT, H "include:config <a.cfg>\noverwrite_mode = 0\n");
    file(s, "a.cfg", H "x = 1\n");
    assert_true(slice_starts(run(s, *state), SLICE("T46S/" MAC_BOOT " got\nT46S/a.cfg got\napply\n"
                                                   "single-file provisioned\n- used T46S/" MAC_BOOT "\n- used T46S/a.cfg 1\n")));
}

static void a_url_of_one_cfg_file_asks_for_it_only(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.kept = 1\n");
    s->server = SLICE("http://h/d/any.cfg");
    file(s, "any.cfg", H "x = 1\nringtone.url = r.wav\n" SYNC);
    assert_slice(run(s, *state), "d/any.cfg got\nd/" LOCAL " absent\nringtone.url d/r.wav absent\napply\nsingle-file provisioned\n"
                 "- used d/any.cfg 3\n- absent d/" LOCAL "\n* absent d/r.wav\n= kept = 1\n= ringtone.url = r.wav\n"
                 "= static.auto_provision.custom.sync = 1\n= x = 1\n"
                 "~ ringtone.url\n~ static.auto_provision.custom.sync\n~ x\n");
}

static void a_query_url_may_be_of_either_kind(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("http://h/p?mac=$mac");
    file(s, "p?mac=00156574b150", H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "x = 1\n");
    assert_true(slice_starts(run(s, *state), SLICE("p?mac=00156574b150 got\na.cfg got\napply\nsingle-file overwrite provisioned\n")));
    s->flash = SLICE("");
    s->files[0].content = SLICE(H "x = 2\n");
    assert_true(slice_starts(run(s, *state), SLICE("p?mac=00156574b150 got\napply\nsingle-file provisioned\n")));
}

static void one_file_that_is_absent_fails_the_run(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("http://h/any.cfg");
    assert_slice(run(s, *state), "any.cfg absent\nnone failed: the one file that the server URL names is not there\n"
                 "- absent any.cfg\n");
}

static void a_server_url_that_is_none_fails_the_run(void **state)
{
    static const char *const bad[] = { "", "sip:h", "file:///x", "http://" };
    struct script *s = script(*state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s->server = slice_str(bad[i]);
        assert_slice(run(s, *state), "none failed: the server URL is not one that a phone can fetch from\n");
    }
}

static void a_server_without_scheme_gets_the_type_in_flash(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("h/$PN");
    assert_true(slice_starts(run(s, *state), SLICE("tftp://h/T46S/" MAC_BOOT " absent\n")));
    flash(s, "central.static.auto_provision.server.type = http\ncentral.static.auto_provision.url_wildcard.pn = x\n");
    assert_true(slice_starts(run(s, *state), SLICE("x/" MAC_BOOT " absent\n")));
}

static void a_boot_file_that_names_nothing_for_the_model_applies_nothing(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.features.dnd_mode = 1\n");
    file(s, BOOT, H "[T48S]include:config <a.cfg>\n");
    struct slice text = run(s, *state);
    assert_true(slice_find_text(text, SLICE("provisioned: the boot file names no CFG file for this phone; nothing was applied\n")) < text.len);
    assert_true(slice_find_text(text, SLICE("applies")) == text.len);
    assert_true(slice_ends(text, SLICE("! " BOOT ": error: names no CFG file for a SIP-T46S\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_call_defers_the_run_by_looks_30_seconds_apart),
        test_with_arena(a_call_released_after_exactly_two_hours_does_not_end_the_run),
        test_with_arena(a_call_longer_than_two_hours_ends_the_run),
        test_with_arena(the_mac_oriented_boot_file_comes_first_and_alone),
        test_with_arena(includes_that_are_absent_are_passed_over),
        test_with_arena(a_boot_file_whose_includes_are_all_absent_applies_nothing),
        test_with_arena(append_mode_takes_own_and_unspecified_files_in_order),
        test_with_arena(exclude_mode_takes_own_files_alone_when_there_are_some),
        test_with_arena(exclude_mode_takes_unspecified_files_when_its_own_are_absent),
        test_with_arena(firmware_83_has_exclude_mode),
        test_with_arena(firmware_82_reads_neither_exclude_mode_nor_prefixes),
        test_with_arena(a_w60p_never_reads_prefixes),
        test_with_arena(a_t58a_reads_boot_files_from_80_and_exclude_mode_from_83),
        test_with_arena(a_cp860_has_boot_files_from_81_and_never_exclude_mode),
        test_with_arena(firmware_without_boot_files_asks_for_none),
        test_with_arena(includes_are_relative_to_the_boot_file_or_absolute),
        test_with_arena(an_include_that_is_no_url_is_told_and_passed_over),
        test_with_arena(a_url_too_long_is_told_and_not_a_lack_of_memory),
        test_with_arena(no_boot_file_is_the_old_mechanism),
        test_with_arena(one_file_is_enough_for_the_old_mechanism),
        test_with_arena(a_server_without_any_file_fails_and_resets_nothing),
        test_with_arena(a_file_that_does_not_come_is_tried_three_times_and_nothing_applied),
        test_with_arena(tries_and_pause_come_from_the_flash),
        test_with_arena(every_file_has_tries_of_its_own),
        test_with_arena(the_time_out_comes_from_the_flash),
        test_with_arena(a_refused_file_is_not_tried_again),
        test_with_arena(a_web_page_in_place_of_a_file_fails_the_run),
        test_with_arena(a_url_of_one_boot_file_asks_for_it_and_its_includes_only),
        test_with_arena(a_url_of_one_cfg_file_asks_for_it_only),
        test_with_arena(a_query_url_may_be_of_either_kind),
        test_with_arena(one_file_that_is_absent_fails_the_run),
        test_with_arena(a_server_url_that_is_none_fails_the_run),
        test_with_arena(a_server_without_scheme_gets_the_type_in_flash),
        test_with_arena(a_boot_file_that_names_nothing_for_the_model_applies_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
