/* What a run makes of its files: unchanged or not, resources, PIN, MAC-local, reboot, credentials. */
#include "procedure_test.h"

#include <stdio.h>

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
                 "static.firmware.url 25.81.0.30.rom got\n" MAC_CFG " got\nover_the_air.url 26.81.0.30.rom absent\n"
                 "drop local_contact.data.url \napply\nreboot\nold provisioned\n- absent " MAC_BOOT "\n- absent " BOOT "\n- used y000000000025.cfg 1\n- used "
                 MAC_CFG " 2\n* used 25.81.0.30.rom\n* absent 26.81.0.30.rom\n* used http://localhost/all\n"
                 "= local_contact.data.delete = http://localhost/all\n= over_the_air.url = http://h/26.81.0.30.rom\n"
                 "= static.firmware.url = http://h/25.81.0.30.rom\n"
                 "~ local_contact.data.delete\n~ over_the_air.url\n~ static.firmware.url\n");
}

static void a_good_resource_is_kept_and_a_bad_one_told(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "auto_dst.url = A%20B.xml\nsuper_search.url = s.xml\nringtone.delete = http://localhost/Ring2.wav\n"
                     "custom_softkey_talking.url = t.xml\n");
    file(s, "A%20B.xml", "<DSTData/>");
    file(s, "s.xml", "<html/>");
    s->id = phone("CP960", "73.84.0.15");
    struct slice said = run(s, *state);
    assert_true(slice_find_text(said, SLICE("keep auto_dst.url A B.xml\n")) < said.len);
    assert_true(slice_find_text(said, SLICE("drop ringtone.url Ring2.wav\n")) < said.len);
    assert_true(slice_find_text(said, SLICE("* refused s.xml: line 1: <html>: this is no super search settings\n")) < said.len);
    assert_true(slice_find_text(said, SLICE("* skipped t.xml: not for this model\n")) < said.len);
    assert_true(slice_find_text(said, SLICE("keep super_search")) == said.len);
}

static void a_mac_contact_file_may_be_encrypted_and_has_to_be_when_only_such_are_accepted(void **state)
{
    struct slice plain = SLICE("<root_group/><root_contact/>"), sealed, said;
    struct script *s = script(*state);
    assert_true(seal_close(SLICE("0123456789abcdef"), plain, SEAL_SPACES, *state, &sealed));
    file(s, BOOT, H "include:config <a.cfg>\n");
    file(s, "a.cfg", H "local_contact.data.url = 00156574b150-contact.xml\n");
    file(s, "00156574b150-contact.xml", "");
    struct script_file *contact = script_find(s, SLICE("/00156574b150-contact.xml"));
    contact->content = sealed;
    said = run(s, *state);
    assert_true(slice_find_text(said, SLICE("this phone has no key for it")) < said.len);
    s->files[1].content = SLICE(H "local_contact.data.url = 00156574b150-contact.xml\n"
                                  "static.auto_provision.aes_key_16.mac = 0123456789abcdef\n"
                                  "static.auto_provision.update_file_mode = 1\n");
    said = run(s, *state);
    assert_true(slice_find_text(said, SLICE("keep local_contact.data.url 00156574b150-contact.xml\n")) < said.len);
    contact->content = plain;
    s->flash = SLICE_NONE;
    said = run(s, *state);
    assert_true(slice_find_text(said, SLICE("only an encrypted one is accepted")) < said.len);
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
    struct procedure_start start = { .id = s->id, .server = s->server, .memory = &memory };
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

static void files_outside_are_told_as_skipped_and_passed_over(void **state)
{
    struct script *s = script(*state);
    file(s, BOOT, H "include:config <http://k/a.cfg>\ninclude:config <b.cfg>\n");
    add(s, "http://k/a.cfg", FETCH_OUTSIDE, "");
    add(s, "http://k/r.wav", FETCH_OUTSIDE, "");
    file(s, "b.cfg", H "ringtone.url = http://k/r.wav\n");
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " got\nhttp://k/a.cfg outside\nb.cfg got\n"
                 "ringtone.url http://k/r.wav outside\napply\ncommon-boot overwrite provisioned\n"
                 "- absent " MAC_BOOT "\n- used " BOOT "\n- skipped http://k/a.cfg\n- used b.cfg 1\n"
                 "* skipped http://k/r.wav\n= ringtone.url = http://k/r.wav\n~ ringtone.url\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_same_files_again_change_nothing),
        test_with_arena(one_changed_file_applies_all_anew),
        test_with_arena(new_firmware_or_another_model_applies_anew),
        test_with_arena(the_old_mechanism_takes_resources_file_by_file),
        test_with_arena(a_good_resource_is_kept_and_a_bad_one_told),
        test_with_arena(a_mac_contact_file_may_be_encrypted_and_has_to_be_when_only_such_are_accepted),
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
        test_with_arena(credentials_are_lent_to_the_server_alone),
        test_with_arena(what_fails_is_told_without_the_password_of_the_url),
        test_with_arena(a_file_whose_name_starts_with_a_blank_is_known_again),
        test_with_arena(a_flash_that_takes_nothing_fails_the_run),
        test_with_arena(overwrite_mode_resets_what_no_file_names_but_static_settings),
        test_with_arena(files_outside_are_told_as_skipped_and_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
