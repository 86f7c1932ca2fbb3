#include "tests/unit/test.h"

#include "guide/upgrade.h"

static void the_version_stands_before_rom_in_the_last_segment(void **state)
{
    (void)state;
    static const struct {
        const char *url, *version; /* NULL: none */
    } urls[] = {
        { "http://h/44.83.0.10.rom", "44.83.0.10" },
        { "http://h/fw/T46U(T43U,T46U,T41U)-108.86.0.20.rom", "108.86.0.20" },
        { "http://h/T46S%2866%29-66.84.0.20.ROM", "66.84.0.20" },
        { "tftp://h/W52P-25.81.0.30.rom", "25.81.0.30" },
        { "http://h/66.84.0.20/T46S.rom", NULL },
        { "http://h/66.84.0.rom", NULL },
        { "http://h/66.84.0.20", NULL },
        { "http://h/.rom", NULL },
        { "http://h/", NULL },
        { "http://h/66.84.0.99999999.rom", NULL },
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct firmware version;
        char bytes[32];
        struct buf text = BUF_ON(bytes);
        assert_int_equal(upgrade_version_of(slice_str(urls[i].url), &version), urls[i].version != NULL);
        if (!urls[i].version)
            continue;
        firmware_print(version, &text);
        assert_slice(buf_slice(&text), urls[i].version);
    }
}

static struct firmware version(const char *text)
{
    struct firmware f;
    assert_true(firmware_parse(slice_str(text), &f));
    return f;
}

static enum upgrade_answer decide(const struct memory *m, const char *runs, const char *url)
{
    struct firmware next;
    return upgrade_decide(m, version(runs), slice_str(url), &next);
}

static void same_other_and_foreign_firmware_are_told_apart(void **state)
{
    struct memory m;
    memory_init(&m, *state);
    assert_int_equal(decide(&m, "66.84.0.15", "http://h/66.84.0.15.rom"), UPGRADE_SAME);
    assert_int_equal(decide(&m, "66.84.0.15", "http://h/66.84.0.20.rom"), UPGRADE_INSTALL);
    assert_int_equal(decide(&m, "66.84.0.15", "http://h/66.80.0.5.rom"), UPGRADE_INSTALL);
    assert_int_equal(decide(&m, "66.84.0.15", "http://h/44.84.0.20.rom"), UPGRADE_OTHER_HARDWARE);
    assert_int_equal(decide(&m, "66.84.0.15", "http://h/latest.rom"), UPGRADE_UNKNOWN);
    memory_free(&m);
}

static void upgrades_add_up_until_a_run_ends_without_one(void **state)
{
    struct memory m;
    struct firmware a = version("66.84.0.1"), b = version("66.84.0.2"), c = version("66.84.0.3");
    memory_init(&m, *state);
    assert_true(upgrade_note(&m, a, b, *state));
    struct firmware runs = upgrade_running(&m, a);
    assert_memory_equal(&runs, &b, sizeof b);
    assert_int_equal(decide(&m, "66.84.0.2", "http://h/66.84.0.1.rom"), UPGRADE_CIRCLE);
    assert_int_equal(decide(&m, "66.84.0.2", "http://h/66.84.0.3.rom"), UPGRADE_INSTALL);
    assert_true(upgrade_note(&m, b, c, *state));
    runs = upgrade_running(&m, a);
    assert_memory_equal(&runs, &c, sizeof c);
    assert_int_equal(decide(&m, "66.84.0.3", "http://h/66.84.0.2.rom"), UPGRADE_CIRCLE);
    upgrade_settled(&m);
    assert_int_equal(decide(&m, "66.84.0.3", "http://h/66.84.0.1.rom"), UPGRADE_INSTALL);
    runs = upgrade_running(&m, b);
    assert_memory_equal(&runs, &b, sizeof b);
    memory_free(&m);
}

static void a_long_row_of_upgrades_without_end_is_a_circle_too(void **state)
{
    struct memory m;
    unsigned installed = 0;
    memory_init(&m, *state);
    for (uint16_t i = 1; i < 100; i++) {
        char url[64];
        struct firmware runs = { { 66, 84, 0, i } }, next;
        struct buf text = BUF_ON(url);
        buf_format(&text, "http://h/66.84.0.%u.rom", i + 1u);
        if (upgrade_decide(&m, runs, buf_slice(&text), &next) != UPGRADE_INSTALL)
            break;
        assert_true(upgrade_note(&m, runs, next, *state));
        installed++;
    }
    assert_int_equal(installed, 8);
    memory_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_stands_before_rom_in_the_last_segment),
        test_with_arena(same_other_and_foreign_firmware_are_told_apart),
        test_with_arena(upgrades_add_up_until_a_run_ends_without_one),
        test_with_arena(a_long_row_of_upgrades_without_end_is_a_circle_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
