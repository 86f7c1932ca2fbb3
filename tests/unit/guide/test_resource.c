#include "tests/unit/test.h"

#include "base/civil.h"
#include "guide/resource.h"

static struct resource_check check(void **state, const char *key, const char *name, struct slice bytes,
                                   struct diag *findings)
{
    const struct resource *r = resource_find(slice_str(key));
    assert_non_null(r);
    return resource_check(r, slice_str(name), bytes, slice_str(name), findings, *state);
}

static void assert_taken(void **state, const char *key, const char *name, struct slice bytes, size_t entries)
{
    struct resource_check c = check(state, key, name, bytes, NULL);
    if (!c.good)
        fail_msg("%s: %.*s", name, SLICE_ARG(c.why));
    assert_int_equal(c.entries, entries);
}

static void assert_refused(void **state, const char *key, const char *name, struct slice bytes, const char *why)
{
    struct resource_check c = check(state, key, name, bytes, NULL);
    assert_false(c.good);
    assert_slice(c.why, why);
}

static void every_row_of_the_catalogue_that_asks_for_a_resource_has_its_check(void **state)
{
    size_t count;
    const struct param *all = param_all(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        /* A key that spells a pattern is unknown. */
        if (slice_find_text(all[i].name, SLICE(".X.")) < all[i].name.len)
            continue;
        if (all[i].url == PARAM_URL_RESOURCE && all[i].current.len == 0 && !resource_find(all[i].name))
            fail_msg("%.*s has none", SLICE_ARG(all[i].name));
        if (all[i].url == PARAM_URL_DELETE && !resource_deleted_by(all[i].name))
            fail_msg("%.*s deletes nothing", SLICE_ARG(all[i].name));
    }
    assert_null(resource_find(SLICE("static.firmware.url")));
    assert_null(resource_find(SLICE("account.1.label")));
    assert_non_null(resource_find(SLICE("remote_phonebook.data.3.url")));
}

static void daylight_saving_rules_are_counted(void **state)
{
    assert_taken(state, "auto_dst.url", "AutoDST.xml",
                 SLICE("<DSTData><DST szTime=\"+1\" szZone=\"Berlin\" iType=\"1\" szStart=\"3/5/7/2\" szEnd=\"10/5/7/3\" "
                       "szOffset=\"60\"/></DSTData>"), 1);
}

static void a_contact_file_with_its_two_roots_is_taken_and_told(void **state)
{
    struct diag d;
    diag_init(&d, *state);
    struct resource_check c = check(state, "local_contact.data.url", "contact.xml",
        SLICE("\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root_group><group display_name=\"All\" ring=\"\"/></root_group>\n"
              "<root_contact>\n<contact display_name=\"Mia\" office_number=\"204\"/>\n"
              "<contact display_name=\"Max\" office_number=\"205\"/>\n</root_contact>\n"), &d);
    assert_true(c.good);
    assert_int_equal(c.entries, 2);
    assert_int_equal(d.count[SEVERITY_NOTE], 2);
    assert_int_equal(d.last->line, 4);
}

static void a_bare_ampersand_is_taken_and_told_once(void **state)
{
    struct diag d;
    diag_init(&d, *state);
    struct resource_check c = check(state, "remote_phonebook.data.1.url", "Menu.xml",
        SLICE("<YealinkIPPhoneDirectory>\n<DirectoryEntry><Name>Salt & Pepper &amp; &#38; Co &custom;</Name></DirectoryEntry>\n"
              "</YealinkIPPhoneDirectory>"), &d);
    assert_true(c.good);
    assert_int_equal(d.count[SEVERITY_NOTE], 1);
    assert_int_equal(d.first->line, 2);
}

static void another_thing_under_its_name_is_refused(void **state)
{
    assert_refused(state, "auto_dst.url", "AutoDST.xml", SLICE("<html><body>404</body></html>"),
                   "line 1: <html>: this is no daylight saving file");
    assert_refused(state, "ringtone.url", "ring.wav", SLICE("<html>404</html>"), "not a WAV sound");
    assert_refused(state, "lcd_logo.url", "logo.png", SLICE("GIF89a....."), "not a PNG, JPEG or BMP picture");
    assert_refused(state, "static.trusted_certificates.url", "ca.pem", SLICE("no"), "not a certificate (PEM or DER)");
    assert_refused(state, "gui_lang.url", "000.GUI.English.lang", SLICE("hello"), "no [ Lang ] in it: not a language pack");
    assert_refused(state, "auto_dst.url", "AutoDST.xml", SLICE(""), "empty");
}

static void R25_a_document_type_is_refused_and_no_entity_is_expanded(void **state)
{
    assert_refused(state, "auto_dst.url", "AutoDST.xml",
                   SLICE("<!DOCTYPE d [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]><DSTData>&b;</DSTData>"),
                   "a document type (DTD) is not accepted");
    assert_refused(state, "auto_dst.url", "AutoDST.xml", SLICE("<DSTData><!ENTITY a \"x\"></DSTData>"),
                   "a document type (DTD) is not accepted");
}

static void put(struct buf *out, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        buf_str(out, text);
}

static void R25_depth_and_attributes_are_bounded(void **state)
{
    struct arena *arena = *state;
    size_t room = 8 << 10;
    struct buf out = buf_on(arena_alloc(arena, room), room);
    put(&out, "<DSTData>", 65);
    put(&out, "</DSTData>", 65);
    assert_refused(state, "auto_dst.url", "AutoDST.xml", buf_slice(&out), "line 1: nested too deeply");
    out = buf_on(arena_alloc(arena, room), room);
    buf_str(&out, "<DSTData");
    for (unsigned i = 0; i < 257; i++)
        buf_format(&out, " a%u=\"\"", i);
    buf_str(&out, "/>");
    assert_refused(state, "auto_dst.url", "AutoDST.xml", buf_slice(&out), "line 1: too many attributes");
    out = buf_on(arena_alloc(arena, room), room);
    put(&out, "<DSTData>", 64);
    put(&out, "</DSTData>", 64);
    assert_taken(state, "auto_dst.url", "AutoDST.xml", buf_slice(&out), 0);
}

static void what_was_cut_off_is_refused(void **state)
{
    assert_refused(state, "auto_dst.url", "AutoDST.xml", SLICE("<DSTData>\n<DST/>\n"),
                   "line 3: ends in the middle, or a tag is not closed");
    assert_refused(state, "ringtone.url", "a.wav", SLICE("RIFF\x24\x10\0\0WAVEdata\0\x10\0\0abc"), "cut off");
    assert_refused(state, "lcd_logo.url", "a.jpg", SLICE("\xff\xd8\xff\xe0 a picture"), "cut off");
    assert_refused(state, "wui_lang.url", "1.English.js", SLICE("var _objTrans = { \"a\": \"b\","),
                   "braces or quotes do not match: cut off?");
    assert_refused(state, "gui_lang.url", "a.lang", SLICE("[ Lang ]\nName = English\n"),
                   "no \"text\" = \"text\" in it: cut off or empty");
}

static void the_end_of_our_own_top_cannot_be_closed_from_within(void **state)
{
    struct resource_check c = check(state, "auto_dst.url", "AutoDST.xml", SLICE("<DSTData/></top><top>"), NULL);
    assert_false(c.good);
}

static void an_oversized_file_is_refused_unread(void **state)
{
    size_t len = ((size_t)64 << 10) + 1;
    char *bytes = arena_alloc(*state, len);
    memset(bytes, 'x', len);
    assert_refused(state, "super_search.url", "super_search.xml", slice_of(bytes, len), "larger than 64 KiB");
}

static void sounds_and_pictures_are_known_by_their_bytes(void **state)
{
    assert_taken(state, "ringtone.url", "a.wav", SLICE("RIFF\x10\0\0\0WAVEdata\x04\0\0\0abcd"), 0);
    assert_taken(state, "lcd_logo.url", "a.jpg", SLICE("\xff\xd8\xff\xe0 a picture \xff\xd9"), 0);
    assert_taken(state, "lcd_logo.url", "logo.dob", SLICE("anything"), 0);
    assert_taken(state, "wallpaper_upload.url", "a.png", SLICE("\x89PNG\r\n\x1a\n....IEND\xae\x42\x60\x82"), 0);
}

static void language_packs_come_in_utf_8_and_utf_16(void **state)
{
    static const char text[] = "[ Lang ]\r\n\"Menu\" = \"Men\xc3\xbc\"\r\n";
    char wide[2 * sizeof text + 2] = "\xff\xfe";
    size_t len = 2;
    assert_taken(state, "gui_lang.url", "001.GUI.German.lang", SLICE(text), 1);
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        if ((unsigned char)text[i] == 0xc3)
            continue;
        wide[len] = (unsigned char)text[i] == 0xbc ? '\xfc' : text[i];
        len += 2;
    }
    assert_taken(state, "gui_lang.url", "001.GUI.German.lang", slice_of(wide, len), 1);
    assert_taken(state, "wui_lang.url", "1.English.js", SLICE("var _objTrans = { \"a}\": 'it\\'s' };"), 0);
}

static void softkey_layouts_are_for_those_who_have_them(void **state)
{
    const struct resource *dialing = resource_find(SLICE("custom_softkey_dialing.url"));
    const struct resource *talking = resource_find(SLICE("custom_softkey_talking.url"));
    const struct resource *saver = resource_find(SLICE("screensaver.xml_browser.url"));
    (void)state;
    assert_true(resource_fits(dialing, model_find(SLICE("T46G"))));
    assert_false(resource_fits(dialing, model_find(SLICE("T48G"))));
    assert_true(resource_fits(talking, model_find(SLICE("T48G"))));
    assert_false(resource_fits(talking, model_find(SLICE("CP960"))));
    assert_false(resource_fits(talking, model_find(SLICE("W60P"))));
    assert_false(resource_fits(saver, model_find(SLICE("VP59"))));
    assert_true(resource_fits(saver, model_find(SLICE("T54W"))));
}

static void a_delete_names_one_or_all(void **state)
{
    struct slice name;
    (void)state;
    assert_true(resource_delete_name(SLICE("http://localhost/all"), &name));
    assert_int_equal(name.len, 0);
    assert_true(resource_delete_name(SLICE(" http://localhost/Ring2.wav"), &name));
    assert_slice(name, "Ring2.wav");
    assert_false(resource_delete_name(SLICE("http://localhost/"), &name));
    assert_false(resource_delete_name(SLICE("http://10.0.0.1/all"), &name));
    assert_string_equal(resource_deleted_by(SLICE("local_contact.data.delete"))->key, "local_contact.data.url");
}

static void the_daylight_saving_file_says_when_a_zone_changes(void **state)
{
    struct slice file = SLICE("<DSTData>\n"
        "<DST szTime=\"+1\" szZone=\"Albania(Tirane)\" iType=\"1\" szStart=\"3/5/7/2\" szEnd=\"10/5/7/3\" szOffset=\"60\"/>\n"
        "<DST szTime=\"+1\" szZone=\"Odd\" iType=\"0\" szStart=\"4/1/0\" szEnd=\"9/30/0\" szOffset=\"30\"/>\n</DSTData>");
    struct zone z;
    assert_true(resource_auto_dst(file, SLICE(""), SLICE("+1"), *state, &z));
    assert_int_equal(zone_offset_at(&z, civil_days(2026, 7, 1) * 86400), 7200);
    assert_true(resource_auto_dst(file, SLICE("odd"), SLICE("+1"), *state, &z));
    assert_int_equal(zone_offset_at(&z, civil_days(2026, 7, 1) * 86400), 5400);
    assert_false(resource_auto_dst(file, SLICE(""), SLICE("+3"), *state, &z));
    assert_false(resource_auto_dst(SLICE("<DSTData>"), SLICE(""), SLICE("+1"), *state, &z));
}

static void a_lack_of_memory_is_no_verdict_but_a_refusal(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 512; limit += 16) {
        struct arena arena;
        struct diag d;
        arena_init(&arena, limit);
        diag_init(&d, &arena);
        const struct resource *r = resource_find(SLICE("auto_dst.url"));
        struct resource_check c = resource_check(r, SLICE("a.xml"), SLICE("\xff\xfe<\0D\0S\0T\0/\0>\0"), SLICE("a.xml"), &d, &arena);
        assert_false(c.good);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(every_row_of_the_catalogue_that_asks_for_a_resource_has_its_check),
        test_with_arena(daylight_saving_rules_are_counted),
        test_with_arena(a_contact_file_with_its_two_roots_is_taken_and_told),
        test_with_arena(a_bare_ampersand_is_taken_and_told_once),
        test_with_arena(another_thing_under_its_name_is_refused),
        test_with_arena(R25_a_document_type_is_refused_and_no_entity_is_expanded),
        test_with_arena(R25_depth_and_attributes_are_bounded),
        test_with_arena(what_was_cut_off_is_refused),
        test_with_arena(the_end_of_our_own_top_cannot_be_closed_from_within),
        test_with_arena(an_oversized_file_is_refused_unread),
        test_with_arena(sounds_and_pictures_are_known_by_their_bytes),
        test_with_arena(language_packs_come_in_utf_8_and_utf_16),
        test_with_arena(softkey_layouts_are_for_those_who_have_them),
        test_with_arena(a_delete_names_one_or_all),
        test_with_arena(the_daylight_saving_file_says_when_a_zone_changes),
        test_with_arena(a_lack_of_memory_is_no_verdict_but_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
