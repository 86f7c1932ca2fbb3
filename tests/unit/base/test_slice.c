#include "tests/unit/test.h"

static void cutting_walks_over_every_part(void **state)
{
    (void)state;
    struct slice rest = SLICE("a,,b"), head;
    assert_true(slice_cut(&rest, ',', &head));
    assert_slice(head, "a");
    assert_true(slice_cut(&rest, ',', &head));
    assert_slice(head, "");
    assert_true(slice_cut(&rest, ',', &head));
    assert_slice(head, "b");
    assert_false(slice_cut(&rest, ',', &head));
}

static void numbers_are_strict_decimal_within_bounds(void **state)
{
    (void)state;
    uint64_t n = 7;
    static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616", "99999999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(slice_u64(slice_str(bad[i]), 0, UINT64_MAX, &n));
    assert_int_equal(n, 7);
    assert_true(slice_u64(SLICE("18446744073709551615"), 0, UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_true(slice_u64(SLICE("0008"), 8, 8, &n));
    assert_false(slice_u64(SLICE("7"), 8, 65464, &n));
    assert_false(slice_u64(SLICE("65465"), 8, 65464, &n));
    assert_true(slice_hex_u64(SLICE("fF"), 0, 255, &n));
    assert_int_equal(n, 255);
    assert_false(slice_hex_u64(SLICE("g"), 0, 255, &n));
}

static void prefixes_suffixes_and_case(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("sip.cfg"), SLICE("sip")));
    assert_false(slice_starts(SLICE("si"), SLICE("sip")));
    assert_true(slice_ends_nocase(SLICE("SIP.CFG"), SLICE(".cfg")));
    assert_false(slice_eq(SLICE("a"), SLICE("A")));
    assert_true(slice_eq_nocase(SLICE("a"), SLICE("A")));
    assert_true(slice_eq(SLICE_NONE, SLICE("")));
    assert_true(slice_compare(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_compare(SLICE("b"), SLICE("ab")) > 0);
}

static void trimming_and_finding(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE("\t a b \r\n")), "a b");
    assert_slice(slice_trim(SLICE(" \t")), "");
    assert_int_equal(slice_find(SLICE("abc"), 'c'), 2);
    assert_int_equal(slice_find(SLICE("abc"), 'x'), 3);
    assert_int_equal(slice_find_last(SLICE("a/b/c"), '/'), 3);
    assert_int_equal(slice_find_text(SLICE("a://b"), SLICE("://")), 1);
    assert_slice(slice_from(SLICE("abc"), 9), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_walks_over_every_part),
        cmocka_unit_test(numbers_are_strict_decimal_within_bounds),
        cmocka_unit_test(prefixes_suffixes_and_case),
        cmocka_unit_test(trimming_and_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
