#include "guide_test.h"

#include "tests/guide_script.h"

#include <stdio.h>

#define H "#!version:1.0.0.1\n"
#define BOOT "y000000000000.boot"
#define MAC_BOOT "00156574b150.boot"
#define COMMON_CFG "y000000000066.cfg"
#define MAC_CFG "00156574b150.cfg"
#define LOCAL "00156574b150-local.cfg"
#define PROTECT "static.auto_provision.custom.protect = 1\n"
#define SYNC "static.auto_provision.custom.sync = 1\n"

/* A T46S out of its box that provisions from http://h/. */
static struct script *script(struct arena *a)
{
    struct script *s = ARENA_NEW(a, struct script);
    assert_non_null(s);
    s->id = phone("T46S", "66.84.0.15");
    s->server = SLICE("http://h/");
    s->wish_limit = 2000;
    return s;
}

static struct script_file *add(struct script *s, const char *name, enum fetch_outcome outcome, const char *content)
{
    assert_true(s->file_count < SCRIPT_FILES_MAX);
    struct script_file *file = &s->files[s->file_count++];
    *file = (struct script_file){ slice_str(name), outcome, slice_str(content), 0 };
    return file;
}

static struct script_file *file(struct script *s, const char *name, const char *content)
{
    return add(s, name, FETCH_GOT, content);
}

/* What the phone already holds. */
static void flash(struct script *s, const char *lines)
{
    struct buf out = BUF_ON(s->flash_bytes);
    buf_format(&out, "phone.mac = 00:15:65:74:b1:50\n%sflash.end = 1\n", lines);
    assert_true(buf_ok(&out));
    s->flash = buf_slice(&out);
}

/* One run on an arena of its own, so that nothing of it can be looked at afterwards. */
static struct slice run(struct script *s, struct arena *a)
{
    size_t cap = (size_t)256 << 10;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    struct memory memory;
    struct slice flash_copy;
    struct arena arena;
    assert_non_null(out.ptr);
    arena_init(&arena, (size_t)32 << 20);
    memory_init(&memory, &arena);
    assert_true(arena_copy(&arena, s->flash, &flash_copy));
    if (flash_copy.len)
        assert_null(memory_parse(&memory, flash_copy, s->id.mac, &arena));
    struct procedure_start start = { s->id, s->server, &memory };
    struct procedure *p = procedure_new(&start, &arena);
    assert_non_null(p);
    s->wishes = 0;
    while (script_step(s, p, &out))
        ;
    assert_true(s->wishes <= s->wish_limit);
    assert_int_equal(procedure_wish(p).kind, WISH_DONE);
    script_put_report(procedure_report(p), &arena, &out);
    procedure_free(p);
    memory_free(&memory);
    arena_free(&arena);
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}

static void assert_holds(struct slice text, const char *part)
{
    if (slice_find_text(text, slice_str(part)) == text.len)
        fail_msg("\"%s\" is not in: %.*s", part, SLICE_ARG(text));
}

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
                 "common-boot overwrite failed: none of the CFG files that the boot file names is on the server\n"
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
    struct procedure_start start = { s->id, s->server, &memory };
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

static void the_same_files_again_change_nothing(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "x = 1\nringtone.url = r.wav\nstatic.auto_provision.reboot_force.enable = 1\n");
    assert_holds(run(s, *state), "apply\nreboot\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\n"
                 "common-boot overwrite unchanged: every file is the same as last time\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 3\n"
                 "= ringtone.url = r.wav\n= static.auto_provision.reboot_force.enable = 1\n= x = 1\n");
}

static void one_changed_file_applies_all_anew(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\ninclude:config <b.cfg>\n");
    file(s, "a.cfg", H "x = 1\ny = 1\n");
    file(s, "b.cfg", H "z = 1\n");
    run(s, *state);
    s->files[2].content = SLICE(H "z = 2\n");
    assert_true(slice_ends(run(s, *state), SLICE("= x = 1\n= y = 1\n= z = 2\n~ z\n")));
    s->files[0].content = SLICE(H "include:config <b.cfg>\n");
    assert_true(slice_ends(run(s, *state), SLICE("= z = 2\n~ x\n~ y\n")));
    s->files[0].content = SLICE(H "include:config <b.cfg>\noverwrite_mode = 0\n");
    s->files[2].content = SLICE(H "y = 3\n");
    assert_true(slice_ends(run(s, *state), SLICE("= y = 3\n= z = 2\n~ y\n")));
}

static void new_firmware_or_another_model_applies_anew(void **state)
{
    struct script *s = script(*state);
    file(s, COMMON_CFG, H "x = 1\nringtone.url = r.wav\n");
    static const char again[] = MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\nringtone.url r.wav absent\n" MAC_CFG
                                         " absent\napply\nold provisioned\n";
    assert_true(slice_starts(run(s, *state), SLICE(again)));
    s->id = phone("T46S", "66.85.0.5");
    assert_true(slice_starts(run(s, *state), SLICE(again)));
    assert_holds(run(s, *state), "old unchanged");
}

static void the_old_mechanism_takes_resources_file_by_file(void **state)
{
    struct script *s = script(*state);
    s->id = phone("W52P", "25.81.0.30");
    file(s, "y000000000025.cfg", H "static.firmware.url = http://h/25.81.0.30.rom\n");
    file(s, MAC_CFG, H "over_the_air.url = http://h/26.81.0.30.rom\nlocal_contact.data.delete = http://localhost/all\n");
    file(s, "25.81.0.30.rom", "ROM");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " absent\ny000000000025.cfg got\n"
                 "static.firmware.url 25.81.0.30.rom got\n" MAC_CFG " got\nover_the_air.url 26.81.0.30.rom absent\napply\n"
                 "reboot\nold provisioned\n- absent " MAC_BOOT "\n- absent " BOOT "\n- used y000000000025.cfg 1\n- used "
                 MAC_CFG " 2\n* used 25.81.0.30.rom\n* absent 26.81.0.30.rom\n"
                 "= local_contact.data.delete = http://localhost/all\n= over_the_air.url = http://h/26.81.0.30.rom\n"
                 "= static.firmware.url = http://h/25.81.0.30.rom\n"
                 "~ local_contact.data.delete\n~ over_the_air.url\n~ static.firmware.url\n");
}

static void boot_files_take_resources_last_and_only_those_in_force(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <d/a.cfg>\ninclude:config <b.cfg>\n");
    file(s, "a.cfg", H "ringtone.url = old.wav\nlcd_logo.url = $MAC.dob\nfirmware.url = $PN-66.84.0.15.rom\n");
    file(s, "b.cfg", H "ringtone.url = tftp://k/new.wav\n[T48S]gui_lang.url = x.lang\nauto_dst.url = http://h:0/x\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\nd/a.cfg got\nb.cfg got\n"
                 "lcd_logo.url d/00156574b150.dob absent\nfirmware.url d/T46S-66.84.0.15.rom absent\n"
                 "ringtone.url tftp://k/new.wav absent\napply\nreboot\ncommon-boot overwrite provisioned\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- used d/a.cfg 3\n- used b.cfg 2\n"
                 "* absent d/00156574b150.dob\n* absent d/T46S-66.84.0.15.rom\n* absent tftp://k/new.wav\n"
                 "* failed http://h:0/x: not a URL\n= auto_dst.url = http://h:0/x\n= lcd_logo.url = $MAC.dob\n"
                 "= ringtone.url = tftp://k/new.wav\n= static.firmware.url = $PN-66.84.0.15.rom\n"
                 "~ auto_dst.url\n~ lcd_logo.url\n~ ringtone.url\n~ static.firmware.url\n"
                 "! d/a.cfg:4:1: note: firmware.url is an old name of static.firmware.url\n"
                 "! b.cfg:4:16: error: auto_dst.url is not a URL\n");
}

static void a_file_included_twice_asks_for_its_ring_tone_once(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\ninclude:config <a.cfg>\n");
    file(s, "a.cfg", H "ringtone.url = r.wav\n");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\na.cfg got\na.cfg got\n"
                                                   "ringtone.url r.wav absent\napply\n")));
}

static void a_resource_that_cannot_be_had_does_not_stop_the_run(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "ringtone.url = r.wav\nlcd_logo.url = l.dob\n");
    add(s, "r.wav", FETCH_FAILED, "");
    add(s, "l.dob", FETCH_REFUSED, "");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\na.cfg got\nringtone.url r.wav failed\n"
                                                   "wait 5000\nringtone.url r.wav failed\nwait 5000\nringtone.url r.wav failed\n"
                                                   "lcd_logo.url l.dob refused\napply\ncommon-boot overwrite provisioned\n")));
}

static void a_pin_file_stands_in_for_the_mac_oriented_one(void **state)
{
    struct script *s = script(*state);
    s->id = phone("T46U", "108.86.0.20");
    file(s, "y000000000108.cfg", H "static.custom_mac_cfg.url = http://h/$pin.cfg\n");
    file(s, "A31.cfg", H "x = 31\n");
    s->pins[0] = SLICE("A31");
    s->pin_count = 1;
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " absent\ny000000000108.cfg got\npin? A31\n"
                                                   "A31.cfg got\napply\nold provisioned\n")));
}

static void a_wrong_pin_is_asked_for_three_times(void **state)
{
    struct script *s = script(*state);
    file(s, COMMON_CFG, H "static.custom_mac_cfg.url = $pin.cfg\n");
    file(s, "A31.cfg", H "x = 31\n");
    for (size_t i = 0; i < 4; i++)
        s->pins[i] = SLICE("B1");
    s->pin_count = 4;
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\npin? B1\n"
                                                   "B1.cfg absent\npin? B1\nB1.cfg absent\npin? B1\nB1.cfg absent\napply\n"
                                                   "old provisioned\n")));
    s->flash = SLICE("");
    s->pins_used = 0;
    s->pins[1] = SLICE("A31");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\npin? B1\n"
                                                   "B1.cfg absent\npin? A31\nA31.cfg got\napply\nold provisioned\n")));
}

static void the_user_is_told_that_the_pin_was_wrong(void **state)
{
    struct script *s = script(*state);
    char bytes[4096];
    struct buf out = BUF_ON(bytes);
    struct memory memory;
    memory_init(&memory, *state);
    file(s, COMMON_CFG, H "static.custom_mac_cfg.url = $pin.cfg\n");
    s->pins[0] = SLICE("B1");
    s->pin_count = 1;
    struct procedure_start start = { s->id, s->server, &memory };
    struct procedure *p = procedure_new(&start, *state);
    for (int i = 0; i < 6; i++)
        assert_true(script_step(s, p, &out));
    assert_int_equal(procedure_wish(p).kind, WISH_PIN);
    assert_slice(procedure_wish(p).why, "the server has no CFG file for that PIN");
    procedure_free(p);
    memory_free(&memory);
}

static void without_a_pin_the_run_goes_on(void **state)
{
    struct script *s = script(*state);
    file(s, COMMON_CFG, H "static.custom_mac_cfg.url = http://h/$pin.cfg\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\npin? \napply\nold provisioned\n"
                 "- absent " MAC_BOOT "\n- absent " BOOT "\n- used " COMMON_CFG " 1\n- skipped $pin.cfg: no PIN was entered\n"
                 "= static.custom_mac_cfg.url = http://h/$pin.cfg\n~ static.custom_mac_cfg.url\n");
}

static void a_custom_mac_cfg_without_a_pin_is_asked_for_as_it_stands(void **state)
{
    struct script *s = script(*state);
    file(s, COMMON_CFG, H "static.custom_mac_cfg.url = ftp://k/m/$MAC.cfg\n");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\n"
                                                   "ftp://k/m/00156574b150.cfg absent\napply\nold provisioned\n")));
    s->flash = SLICE("");
    s->files[0].content = SLICE(H "static.custom_mac_cfg.url = ftp://k:0/\n");
    assert_holds(run(s, *state), "old failed: static.custom_mac_cfg.url is not a URL");
}

/* MAC-local: what boot file and flash say, and what becomes of lang.gui (Central in the CFG file, Own in flash,
 * Server in the file on the server). */
static void assert_local(void **state, bool protect, bool sync, bool overwrite, bool on_server, const char *wishes,
                         const char *lang)
{
    struct script *s = script(*state);
    char cfg[512], expected[64];
    snprintf(cfg, sizeof cfg, H "lang.gui = Central\n%s%s", protect ? PROTECT : "", sync ? SYNC : "");
    flash(s, "personal.lang.gui = Own\n");
    file(s, BOOT, overwrite ? H "include:config <a.cfg>\n" : H "include:config <a.cfg>\noverwrite_mode = 0\n");
    file(s, "a.cfg", cfg);
    if (on_server)
        file(s, LOCAL, H "lang.gui = Server\n");
    struct slice text = run(s, *state);
    struct slice asked = slice_from(text, sizeof(MAC_BOOT " absent\n" BOOT " got\na.cfg got\n") - 1);
    snprintf(expected, sizeof expected, "\n= lang.gui = %s\n", lang);
    if (!slice_starts(asked, slice_str(wishes)) || slice_find_text(text, slice_str(expected)) == text.len)
        fail_msg("protect %d sync %d overwrite %d on server %d: %.*s", protect, sync, overwrite, on_server, SLICE_ARG(text));
}

static void personal_settings_follow_protect_sync_and_overwrite_mode(void **state)
{
    for (int on_server = 0; on_server < 2; on_server++) {
        const char *asked = on_server ? LOCAL " got\napply\n" : LOCAL " absent\napply\n";
        assert_local(state, false, false, true, on_server, "apply\n", "Central");
        assert_local(state, false, false, false, on_server, "apply\n", "Central");
        assert_local(state, false, true, true, on_server, asked, "Central");
        assert_local(state, false, true, false, on_server, asked, "Central");
        assert_local(state, true, false, true, on_server, "apply\n", "Own");
        assert_local(state, true, false, false, on_server, "apply\n", "Own");
        assert_local(state, true, true, true, on_server, asked, on_server ? "Server" : "Own");
        assert_local(state, true, true, false, on_server, asked, "Own");
    }
}

static void a_mac_local_file_that_does_not_count_is_told_why(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\noverwrite_mode = 0\n");
    file(s, "a.cfg", H SYNC PROTECT);
    file(s, LOCAL, H "lang.gui = Server\n");
    struct slice text = run(s, *state);
    assert_holds(text, "- skipped " LOCAL ": overwrite_mode = 0: the one stored on the phone counts\n");
    s->files[1].content = SLICE(H SYNC);
    s->flash = SLICE("");
    text = run(s, *state);
    assert_holds(text, "- skipped " LOCAL ": static.auto_provision.custom.protect = 0: ");
}

static void the_mac_local_file_comes_from_the_sync_path(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H SYNC PROTECT "static.auto_provision.custom.sync.path = ftp://k/up/$PN\n");
    assert_true(slice_starts(run(s, *state), SLICE(MAC_BOOT " absent\n" BOOT " got\na.cfg got\nftp://k/up/T46S/" LOCAL
                                                   " absent\napply\n")));
}

static void a_changed_mac_local_file_alone_is_a_change(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H SYNC PROTECT);
    file(s, LOCAL, H "lang.gui = One\n");
    run(s, *state);
    assert_holds(run(s, *state), "overwrite unchanged");
    s->files[2].content = SLICE(H "lang.gui = Two\n");
    assert_true(slice_ends(run(s, *state), SLICE("~ lang.gui\n")));
}

static void a_changed_network_setting_reboots_and_an_unchanged_one_does_not(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "static.network.vlan.dhcp_option = 140\n");
    assert_holds(run(s, *state), "apply\nreboot\n");
    s->files[1].content = SLICE(H "static.network.vlan.dhcp_option = 140\nx = 1\n");
    assert_holds(run(s, *state), "apply\ncommon-boot");
    s->files[1].content = SLICE(H "static.network.vlan.dhcp_option = 140\nauto_provision.reboot_force.enable = 1\n");
    assert_holds(run(s, *state), "apply\nreboot\n");
    s->files[1].content = SLICE(H "static.network.vlan.dhcp_option = 140\nstatic.auto_provision.reboot_force.enable = 1\ny=1\n");
    assert_holds(run(s, *state), "apply\nreboot\n");
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

static void credentials_are_lent_to_the_server_alone(void **state)
{
    struct script *s = script(*state);
    s->show_credentials = true;
    flash(s, "central.static.auto_provision.server.username = u\ncentral.static.auto_provision.server.password = p\n");
    file(s, BOOT, H "include:config <a.cfg>\ninclude:config <http://k/b.cfg>\ninclude:config <ftp://H/c.cfg>\n"
                  "include:config <http://me:too@h/d.cfg>\n");
    file(s, "a.cfg", H "ringtone.url = r.wav\nlcd_logo.url = http://k/l.dob\n");
    assert_true(slice_starts(run(s, *state),
                             SLICE(MAC_BOOT " (u/p) absent\n" BOOT " (u/p) got\na.cfg (u/p) got\nhttp://k/b.cfg (/) absent\n"
                                   "ftp://H/c.cfg (u/p) absent\nhttp://me:too@h/d.cfg (/) absent\n"
                                   "ringtone.url r.wav (u/p) absent\nlcd_logo.url http://k/l.dob (/) absent\napply\n")));
}

static void what_fails_is_told_without_the_password_of_the_url(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("http://u:secret@h/");
    add(s, MAC_BOOT, FETCH_REFUSED, "");
    assert_holds(run(s, *state), "none failed: http://h/" MAC_BOOT ": too large\n");
}

static void a_file_whose_name_starts_with_a_blank_is_known_again(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <d/ a.cfg>\n");
    file(s, " a.cfg", H "x = 1\n");
    run(s, *state);
    assert_holds(run(s, *state), "overwrite unchanged");
}

static void a_flash_that_takes_nothing_fails_the_run(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\n");
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "x = 2\nstatic.syslog.server = a\n");
    s->flash_error = "no space left";
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\na.cfg got\napply\ncommon-boot overwrite failed: no space left\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- used a.cfg 2\n= x = 1\n");
}

static void overwrite_mode_resets_what_no_file_names_but_static_settings(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.x = 1\ncentral.static.syslog.server = a\ncentral.y = 1\n");
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "y = 1\n");
    assert_true(slice_ends(run(s, *state), SLICE("\n= static.syslog.server = a\n= y = 1\n~ x\n")));
}

static void a_boot_file_that_names_nothing_for_the_model_is_told(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "[T48S]include:config <a.cfg>\n");
    assert_true(slice_ends(run(s, *state), SLICE("! " BOOT ": warning: names no CFG file for a SIP-T46S\n")));
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
        test_with_arena(the_same_files_again_change_nothing),
        test_with_arena(one_changed_file_applies_all_anew),
        test_with_arena(new_firmware_or_another_model_applies_anew),
        test_with_arena(the_old_mechanism_takes_resources_file_by_file),
        test_with_arena(boot_files_take_resources_last_and_only_those_in_force),
        test_with_arena(a_file_included_twice_asks_for_its_ring_tone_once),
        test_with_arena(a_resource_that_cannot_be_had_does_not_stop_the_run),
        test_with_arena(a_pin_file_stands_in_for_the_mac_oriented_one),
        test_with_arena(a_wrong_pin_is_asked_for_three_times),
        test_with_arena(the_user_is_told_that_the_pin_was_wrong),
        test_with_arena(without_a_pin_the_run_goes_on),
        test_with_arena(a_custom_mac_cfg_without_a_pin_is_asked_for_as_it_stands),
        test_with_arena(personal_settings_follow_protect_sync_and_overwrite_mode),
        test_with_arena(a_mac_local_file_that_does_not_count_is_told_why),
        test_with_arena(the_mac_local_file_comes_from_the_sync_path),
        test_with_arena(a_changed_mac_local_file_alone_is_a_change),
        test_with_arena(a_changed_network_setting_reboots_and_an_unchanged_one_does_not),
        test_with_arena(a_url_of_one_boot_file_asks_for_it_and_its_includes_only),
        test_with_arena(a_url_of_one_cfg_file_asks_for_it_only),
        test_with_arena(a_query_url_may_be_of_either_kind),
        test_with_arena(one_file_that_is_absent_fails_the_run),
        test_with_arena(a_server_url_that_is_none_fails_the_run),
        test_with_arena(a_server_without_scheme_gets_the_type_in_flash),
        test_with_arena(credentials_are_lent_to_the_server_alone),
        test_with_arena(what_fails_is_told_without_the_password_of_the_url),
        test_with_arena(a_file_whose_name_starts_with_a_blank_is_known_again),
        test_with_arena(a_flash_that_takes_nothing_fails_the_run),
        test_with_arena(overwrite_mode_resets_what_no_file_names_but_static_settings),
        test_with_arena(a_boot_file_that_names_nothing_for_the_model_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
