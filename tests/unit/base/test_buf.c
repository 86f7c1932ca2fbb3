#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"

static void a_write_that_does_not_fit_writes_nothing_and_sticks(void **state)
{
    (void)state;
    char bytes[4];
    struct buf out = BUF_ON(bytes);
    buf_str(&out, "abc");
    buf_str(&out, "de");
    buf_str(&out, "f");
    assert_false(buf_ok(&out));
    assert_slice(buf_slice(&out), "abc");
}

static void numbers_and_network_order(void **state)
{
    (void)state;
    char bytes[32];
    struct buf out = BUF_ON(bytes);
    buf_number(&out, 0);
    buf_number(&out, UINT64_MAX);
    buf_u16(&out, 0x4142);
    buf_u32(&out, 0x43444546);
    buf_format(&out, "%02x", 7);
    assert_slice(buf_slice(&out), "018446744073709551615ABCDEF07");
}

static void foreign_text_stays_one_harmless_line(void **state)
{
    (void)state;
    char bytes[128];
    struct buf out = BUF_ON(bytes);
    buf_escaped(&out, SLICE("a\r\nb\x1b[2J\"\\ \xc3\xa9 \xff \xc2\x9b"));
    assert_slice(buf_slice(&out), "a\\x0d\\x0ab\\x1b[2J\\x22\\x5c \xc3\xa9 \\xff \\xc2\\x9b");
}

static void overlong_and_surrogate_utf8_is_escaped(void **state)
{
    (void)state;
    static const char *const bad[] = { "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\xaf", "\xe2\x82" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(utf8_length(slice_str(bad[i])), 0);
    assert_int_equal(utf8_length(SLICE("\xe2\x82\xac")), 3);
    assert_int_equal(utf8_length(SLICE("\xf0\x9f\x93\x9e")), 4);
}

static void terminating_cuts_when_it_must(void **state)
{
    (void)state;
    char bytes[3];
    struct buf out = BUF_ON(bytes);
    buf_str(&out, "abc");
    assert_false(buf_terminate(&out));
    assert_string_equal(bytes, "ab");
}

static void a_finding_prints_its_place(void **state)
{
    char bytes[128];
    struct buf out = BUF_ON(bytes);
    struct diag d;
    diag_init(&d, *state);
    diag_add(&d, SEVERITY_WARNING, (struct place){ SLICE("y.boot"), 3, 7 }, "no %s", "header");
    diag_add(&d, SEVERITY_ERROR, (struct place){ SLICE("a\nb"), 0, 0 }, "gone");
    diag_print(d.first, &out);
    buf_byte(&out, '|');
    diag_print(d.first->next, &out);
    assert_slice(buf_slice(&out), "y.boot:3:7: warning: no header|a\\x0ab: error: gone");
    assert_int_equal(d.count[SEVERITY_ERROR], 1);
}

static void times_print_in_utc(void **state)
{
    (void)state;
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    clock_print_wall(1795330800007, &out);
    assert_slice(buf_slice(&out), "2026-11-22T07:00:00.007Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_does_not_fit_writes_nothing_and_sticks),
        cmocka_unit_test(numbers_and_network_order),
        cmocka_unit_test(foreign_text_stays_one_harmless_line),
        cmocka_unit_test(overlong_and_surrogate_utf8_is_escaped),
        cmocka_unit_test(terminating_cuts_when_it_must),
        test_with_arena(a_finding_prints_its_place),
        cmocka_unit_test(times_print_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
