#include "tests/unit/test.h"

#include "guide/name.h"

static enum name_kind kind_of(const char *path)
{
    return name_meaning(slice_str(path)).kind;
}

static void every_name_has_its_meaning(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum name_kind kind;
    } names[] = {
        { "y000000000000.boot", NAME_COMMON_BOOT },
        { "00156574b150.boot", NAME_MAC_BOOT },
        { "y000000000066.cfg", NAME_COMMON_CFG },
        { "y000000000000.cfg", NAME_COMMON_CFG },
        { "y000000000109.cfg", NAME_COMMON_CFG },
        { "00156574b150.cfg", NAME_MAC_CFG },
        { "00156574b150-local.cfg", NAME_MAC_LOCAL },
        { "00156574b150-contact.xml", NAME_MAC_CONTACT },
        { "00156574b150-calllog.xml", NAME_MAC_CALLLOG },
        { "00156574b150-all.cfg", NAME_MAC_ALL },
        { "00156574b150-boot.log", NAME_MAC_LOG },
        { "00156574b150-sys.log", NAME_MAC_LOG },
        { "y000000000058_Security.enc", NAME_KEY_FILE },
        { "account_Security.enc", NAME_KEY_FILE },
        { "00156574b150_security.enc", NAME_KEY_FILE },
        { "00156574b150.enc", NAME_KEY_FILE },
        { "features.cfg", NAME_CUSTOM_CFG },
        { "A31.cfg", NAME_CUSTOM_CFG },
        { "00156574b150-other.cfg", NAME_CUSTOM_CFG },
        { "00156574b1.cfg", NAME_CUSTOM_CFG },
        { "y00000000066.cfg", NAME_CUSTOM_CFG },
        { "y0000000000066.cfg", NAME_CUSTOM_CFG },
        { "T46S.boot", NAME_BOOT_MISNAMED },
        { "y0000000000000.boot", NAME_BOOT_MISNAMED },
        { "y000000000066.boot", NAME_BOOT_MISNAMED },
        { "44.83.0.10.rom", NAME_FIRMWARE },
        { "T46U(T43U,T46U,T41U,T48U,T42U)-108.86.0.20.rom", NAME_FIRMWARE },
        { "AutoDST.xml", NAME_RESOURCE },
        { "000.GUI.English.lang", NAME_RESOURCE },
        { "1.English_note.xml", NAME_RESOURCE },
        { "1.English.js", NAME_RESOURCE },
        { "Customring.wav", NAME_RESOURCE },
        { "logo.dob", NAME_RESOURCE },
        { "wall.PNG", NAME_RESOURCE },
        { "photo.jpg", NAME_RESOURCE },
        { "openvpn.tar", NAME_RESOURCE },
        { "ca.pem", NAME_RESOURCE },
        { "00156574b150", NAME_OTHER },
        { "favicon.ico", NAME_OTHER },
        { "index.html", NAME_OTHER },
        { ".cfg", NAME_OTHER },
        { ".boot", NAME_OTHER },
        { "", NAME_OTHER },
        { "/", NAME_OTHER },
        { "features.cfg/", NAME_OTHER },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kind_of(names[i].path) != names[i].kind)
            fail_msg("%s is %d", names[i].path, (int)kind_of(names[i].path));
}

static void letters_may_have_any_case(void **state)
{
    (void)state;
    assert_int_equal(kind_of("Y000000000000.BOOT"), NAME_COMMON_BOOT);
    assert_int_equal(kind_of("00156574B150.CFG"), NAME_MAC_CFG);
    assert_int_equal(kind_of("00156574B150-LOCAL.cfg"), NAME_MAC_LOCAL);
    assert_int_equal(kind_of("CALLIN.XML"), NAME_RESOURCE);
}

static void only_the_last_segment_counts(void **state)
{
    (void)state;
    struct name_meaning m = name_meaning(SLICE("/T46G/00156574b150.cfg/../y000000000028.cfg"));
    assert_int_equal(m.kind, NAME_COMMON_CFG);
    assert_true(m.has_common_cfg);
    assert_int_equal(m.common_cfg, 28);
    assert_false(m.has_mac);
}

static void the_phone_or_the_model_is_told(void **state)
{
    (void)state;
    struct mac mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    static const char *const of_a_mac[] = { "00156574B150.boot", "00156574b150.cfg", "00156574b150-local.cfg",
                                            "00156574b150_Security.enc" };
    for (size_t i = 0; i < sizeof of_a_mac / sizeof *of_a_mac; i++) {
        struct name_meaning m = name_meaning(slice_str(of_a_mac[i]));
        assert_true(m.has_mac && mac_eq(m.mac, mac));
        assert_false(m.has_common_cfg);
    }
    struct name_meaning key = name_meaning(SLICE("y000000000058_Security.enc"));
    assert_true(key.has_common_cfg);
    assert_int_equal(key.common_cfg, 58);
    struct name_meaning far = name_meaning(SLICE("y999999999999.cfg"));
    assert_int_equal(far.kind, NAME_COMMON_CFG);
    assert_true(far.common_cfg == UINT64_C(999999999999));
    struct name_meaning boot = name_meaning(SLICE("y000000000000.boot"));
    assert_false(boot.has_common_cfg || boot.has_mac);
    struct name_meaning custom = name_meaning(SLICE("00156574b150-other.cfg"));
    assert_false(custom.has_common_cfg || custom.has_mac);
}

static void hostile_names_mean_nothing(void **state)
{
    (void)state;
    assert_int_equal(name_meaning(SLICE("00156574b150.cfg\0")).kind, NAME_OTHER);
    assert_int_equal(name_meaning(SLICE("00156574b150\0.cfg")).kind, NAME_CUSTOM_CFG);
    assert_int_equal(name_meaning(SLICE("y00000000000\0.boot")).kind, NAME_BOOT_MISNAMED);
    assert_int_equal(name_meaning(SLICE("y-00000000066.cfg")).kind, NAME_CUSTOM_CFG);
    assert_int_equal(name_meaning(SLICE_NONE).kind, NAME_OTHER);
    size_t len = (size_t)1 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, '0', len);
    assert_int_equal(name_meaning(slice_of(text, len)).kind, NAME_OTHER);
    memcpy(text + len - 4, ".cfg", 4);
    assert_int_equal(name_meaning(slice_of(text, len)).kind, NAME_CUSTOM_CFG);
    text[0] = 'y';
    assert_int_equal(name_meaning(slice_of(text, len)).kind, NAME_CUSTOM_CFG);
    free(text);
}

static void printed_names_mean_what_they_were_printed_for(void **state)
{
    (void)state;
    struct mac mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } };
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    name_print_common_boot(&out);
    assert_slice(buf_slice(&out), "y000000000000.boot");
    out = BUF_ON(bytes);
    name_print_mac_boot(mac, &out);
    assert_slice(buf_slice(&out), "00156574b16e.boot");
    out = BUF_ON(bytes);
    name_print_common_cfg(66, &out);
    assert_slice(buf_slice(&out), "y000000000066.cfg");
    out = BUF_ON(bytes);
    name_print_mac_cfg(mac, &out);
    assert_slice(buf_slice(&out), "00156574b16e.cfg");
    out = BUF_ON(bytes);
    name_print_mac_local(mac, &out);
    assert_slice(buf_slice(&out), "00156574b16e-local.cfg");
}

static void r3_what_belongs_to_one_phone_is_told_by_the_name(void **state)
{
    static const struct {
        const char *name;
        bool bound, own, others;
    } cases[] = {
        { "00156574b16e.cfg", true, true, false },     { "a/b/00156574B16E.boot", true, true, false },
        { "00156574b16e-any.thing", true, true, false }, { "00156574b16e_Security.enc", true, true, false },
        { "00156574b16e", true, true, false },         { "/00156574b16e/sip.cfg", true, true, false },
        { "00156574b16e/00156574b16e.cfg", true, true, false }, { "00156574b16f/00156574b16e.cfg", true, false, false },
        { "00156574b16f.cfg", true, false, true },     { "00156574b16ex.cfg", false, false, false },
        { "x00156574b16e.cfg", false, false, false },  { "00156574b16e-x/sip.cfg", false, false, false },
        { "y000000000066.cfg", false, false, false },  { "00:15:65:74:b1:6e.cfg", false, false, false },
        { "sip.cfg", false, false, false },            { "", false, false, false },
        { "00156574b16", false, false, false },
    };
    const struct mac own = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } }, other = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6f } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice name = slice_str(cases[i].name);
        if (name_is_bound(name) != cases[i].bound || name_is_of(name, own) != cases[i].own ||
            name_is_of(name, other) != cases[i].others)
            fail_msg("%s", cases[i].name);
    }
}

static void what_phones_send_is_told_by_the_name_too(void **state)
{
    (void)state;
    static const char *const names[] = {
        "00156574b150-local.cfg", "dir/00156574B150-CONTACT.XML", "00156574b150-calllog.xml", "/00156574b150-all.cfg",
        "00156574b150-boot.log", "00156574b150-sys.log", "00156574b150.cfg", "00156574b150-.cfg", "00156574b150-", "x",
        "00156574b150-local.cfg/", "0156574b1500-local.cfgx", "y00000000000-local.cfg", "y000000000000.cfg", "", "/",
        "00-15-65-74-b1-50-local.cfg", "00156574b15x-local.cfg", "00156574b150", "00156574b150-local.cfg/x",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct slice name = slice_str(names[i]);
        assert_int_equal(name_is_sent(name), name_kind_is_sent(name_meaning(name).kind));
        assert_int_equal(name_is_sent(name), i < 6);
    }
}

static void every_kind_has_words_of_its_own(void **state)
{
    (void)state;
    for (int a = NAME_COMMON_BOOT; a <= NAME_OTHER; a++)
        for (int b = NAME_COMMON_BOOT; b < a; b++)
            assert_string_not_equal(name_kind_words((enum name_kind)a), name_kind_words((enum name_kind)b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r3_what_belongs_to_one_phone_is_told_by_the_name),
        cmocka_unit_test(every_name_has_its_meaning),
        cmocka_unit_test(letters_may_have_any_case),
        cmocka_unit_test(only_the_last_segment_counts),
        cmocka_unit_test(the_phone_or_the_model_is_told),
        cmocka_unit_test(hostile_names_mean_nothing),
        cmocka_unit_test(printed_names_mean_what_they_were_printed_for),
        cmocka_unit_test(what_phones_send_is_told_by_the_name_too),
        cmocka_unit_test(every_kind_has_words_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
