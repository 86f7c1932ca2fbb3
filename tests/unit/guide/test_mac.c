#include "tests/unit/test.h"

#include "guide/mac.h"

static const struct mac sample = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };

static void every_spelling_gives_the_same_address(void **state)
{
    (void)state;
    static const char *const spellings[] = { "00156574b150",      "00156574B150",   "00:15:65:74:b1:50",
                                             "00-15-65-74-B1-50", "0015.6574.b150", "0015-6574-b150",
                                             "001565-74b150" };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct mac mac = { { 0 } };
        assert_true(mac_parse(slice_str(spellings[i]), &mac));
        assert_true(mac_eq(mac, sample));
    }
}

static void what_is_no_address_is_refused_and_touches_nothing(void **state)
{
    (void)state;
    static const struct slice bad[] = {
        SLICE(""),
        SLICE("00156574b15"),
        SLICE("00156574b1500"),
        SLICE("00156574b15g"),
        SLICE("00:15:65-74:b1:50"),
        SLICE("00:15:65:74:b1:5"),
        SLICE("00:15:65:74:b1:50:"),
        SLICE(":00:15:65:74:b1:5"),
        SLICE("0:015:65:74:b1:50"),
        SLICE("001:565:74b:150"),
        SLICE("00 15 65 74 b1 50"),
        SLICE(" 00156574b150"),
        SLICE("00156574b15\0"),
        SLICE("00\00015\00065\00074\000b1\00050"),
        SLICE("0x156574b150"),
        SLICE("\xef\xbb\xbf"
              "00156574b"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mac mac = sample;
        assert_false(mac_parse(bad[i], &mac));
        assert_true(mac_eq(mac, sample));
    }
}

static void a_megabyte_of_digits_is_no_address(void **state)
{
    (void)state;
    size_t len = (size_t)1 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    struct mac mac;
    assert_false(mac_parse(slice_of(text, len), &mac));
    free(text);
}

static void printing_is_lower_case(void **state)
{
    (void)state;
    char bytes[32];
    struct buf out = BUF_ON(bytes);
    mac_print_bare(sample, &out);
    assert_slice(buf_slice(&out), "00156574b150");
    out = BUF_ON(bytes);
    mac_print_colons(sample, &out);
    assert_slice(buf_slice(&out), "00:15:65:74:b1:50");
}

static void the_vendors_blocks_are_known(void **state)
{
    (void)state;
    static const char *const theirs[] = { "001565000000", "249AD8000000", "3497D7000000", "44DBD2000000",
                                          "644F56000000", "805E0C000000", "805EC0000000", "B061A9000000",
                                          "C4FC22000000", "E434D7000000", "EC1DA9000000", "F01653ffffff" };
    static const char *const others[] = { "000000000000", "001564ffffff", "001566000000", "000413000000",
                                          "001577000000" };
    struct mac mac;
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
        assert_true(mac_parse(slice_str(theirs[i]), &mac));
        assert_true(mac_is_yealink(mac));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(mac_parse(slice_str(others[i]), &mac));
        assert_false(mac_is_yealink(mac));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_gives_the_same_address),
        cmocka_unit_test(what_is_no_address_is_refused_and_touches_nothing),
        cmocka_unit_test(a_megabyte_of_digits_is_no_address),
        cmocka_unit_test(printing_is_lower_case),
        cmocka_unit_test(the_vendors_blocks_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
