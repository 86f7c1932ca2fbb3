#include "tests/unit/test.h"

#include "proto/http_date.h"

#define NOW 1795331144 /* 2026-11-22 */

static void the_three_forms_of_the_rfc_are_one_time(void **state)
{
    (void)state;
    static const char *const forms[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                         "Sun Nov  6 08:49:37 1994" };
    for (size_t i = 0; i < 3; i++) {
        int64_t at = 0;
        assert_true(http_date_parse(slice_str(forms[i]), NOW, &at));
        assert_int_equal(at, 784111777);
    }
}

static void printing_and_parsing_are_inverse(void **state)
{
    (void)state;
    /* Leap days, ends of months and years, before 1970, far ahead. */
    static const int64_t times[] = { 0,          951782399, 951782400,   951868800,    1709164800, 4107542399,
                                     4107542400, -1,        -2208988800, 253402300799, NOW };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char bytes[HTTP_DATE_BYTES];
        struct buf out = BUF_ON(bytes);
        int64_t back = 1;
        http_date_print(times[i], &out);
        assert_true(buf_ok(&out));
        assert_int_equal(out.len, HTTP_DATE_BYTES);
        assert_true(http_date_parse(buf_slice(&out), NOW, &back));
        assert_int_equal(back, times[i]);
    }
}

static void printed_dates_name_the_right_day(void **state)
{
    (void)state;
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    http_date_print(784111777, &out);
    assert_slice(buf_slice(&out), "Sun, 06 Nov 1994 08:49:37 GMT");
    out = BUF_ON(bytes);
    http_date_print(-1, &out);
    assert_slice(buf_slice(&out), "Wed, 31 Dec 1969 23:59:59 GMT");
    out = BUF_ON(bytes);
    http_date_print(INT64_MAX, &out);
    assert_slice(buf_slice(&out), "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void two_digit_years_are_at_most_fifty_years_ahead(void **state)
{
    (void)state;
    int64_t at;
    assert_true(http_date_parse(SLICE("Wednesday, 22-Jan-76 00:00:00 GMT"), NOW, &at));
    assert_int_equal(at, INT64_C(3346876800)); /* 2076 */
    assert_true(http_date_parse(SLICE("Saturday, 22-Jan-77 00:00:00 GMT"), NOW, &at));
    assert_int_equal(at, 222739200); /* 1977 */
}

static void other_texts_are_no_dates(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "0",
                                       "Sun",
                                       "Sun, 06 Nov 1994 08:49:37",
                                       "Sun, 06 Nov 1994 08:49:37 GMT ",
                                       "Sun, 06 Nov 1994 24:00:00 GMT",
                                       "Sun, 06 Nov 1994 08:60:37 GMT",
                                       "Sun, 00 Nov 1994 08:49:37 GMT",
                                       "Wed, 30 Feb 1994 08:49:37 GMT",
                                       "Wed, 29 Feb 2023 08:49:37 GMT",
                                       "Sun, 6 Nov 1994 08:49:37 GMT",
                                       "Sun, 06 Nov -994 08:49:37 GMT",
                                       "Sun, 06 nov 1994 08:49:37 GMT",
                                       "Sun Nov 6 08:49:37 1994",
                                       "Sun Nov  6 08:49:37 1994 GMT",
                                       "Sunday, 06-Nov-1994 08:49:37 GMT",
                                       "06 Nov 1994 08:49:37 GMT" };
    int64_t at = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (http_date_parse(slice_str(bad[i]), NOW, &at))
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(at, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_forms_of_the_rfc_are_one_time),
        cmocka_unit_test(printing_and_parsing_are_inverse),
        cmocka_unit_test(printed_dates_name_the_right_day),
        cmocka_unit_test(two_digit_years_are_at_most_fifty_years_ahead),
        cmocka_unit_test(other_texts_are_no_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
