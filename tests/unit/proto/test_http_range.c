#include "tests/unit/test.h"

#include "proto/http_answer.h"
#include "proto/http_range.h"

/* The ranges as text: `whole`, `none` or `0-1,5-9`. */
static struct slice ranges_of(const char *value, uint64_t size)
{
    static char bytes[256];
    struct buf out = BUF_ON(bytes);
    struct http_ranges ranges;
    switch (http_range_parse(slice_str(value), size, &ranges)) {
    case HTTP_RANGE_WHOLE:
        return SLICE("whole");
    case HTTP_RANGE_NONE:
        return SLICE("none");
    case HTTP_RANGE_PARTS:
        break;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < ranges.count; i++) {
        const struct http_range *r = &ranges.range[i];
        assert_true(r->from < r->end && r->end <= size);
        sum += r->end - r->from;
        buf_format(&out, "%s%lu-%lu", i ? "," : "", (unsigned long)r->from, (unsigned long)r->end - 1);
    }
    assert_true(sum <= size);
    return buf_slice(&out);
}

static void ranges_as_the_rfc_has_them(void **state)
{
    (void)state;
    assert_slice(ranges_of("bytes=0-499", 10000), "0-499");
    assert_slice(ranges_of("bytes=500-999", 10000), "500-999");
    assert_slice(ranges_of("bytes=-500", 10000), "9500-9999");
    assert_slice(ranges_of("bytes=9500-", 10000), "9500-9999");
    assert_slice(ranges_of("bytes=0-0,-1", 10000), "0-0,9999-9999");
    assert_slice(ranges_of("Bytes= 0-0 , , 4-5", 10000), "0-0,4-5");
    assert_slice(ranges_of("bytes=9000-20000", 10000), "9000-9999");
    assert_slice(ranges_of("bytes=-20000", 10000), "0-9999");
    assert_slice(ranges_of("bytes=10000-", 10000), "none");
    assert_slice(ranges_of("bytes=10000-,0-1", 10000), "0-1");
    assert_slice(ranges_of("bytes=-0", 10000), "none");
    assert_slice(ranges_of("bytes=0-", 0), "none");
    assert_slice(ranges_of("bytes=-5", 0), "none");
}

static void what_is_no_range_is_the_whole_file(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "bytes",     "bytes=",    "bytes=,",    "bytes=-",      "bytes=a-b",
        "bytes=1", "bytes=5-1", "items=0-1", "bytes=+1-2", "bytes=0x1-2",  "bytes=1-2-3",
        "0-1",     "bytes 0-1", "bytes=--1", "bytes=1 -2", "bytes=0-1;2-3"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_slice(ranges_of(bad[i], 100), "whole");
}

static void r21_no_number_overflows(void **state)
{
    (void)state;
    assert_slice(ranges_of("bytes=0-18446744073709551615", 10), "0-9");
    assert_slice(ranges_of("bytes=-18446744073709551615", 10), "0-9");
    assert_slice(ranges_of("bytes=18446744073709551615-", 10), "none");
    assert_slice(ranges_of("bytes=18446744073709551615-", UINT64_MAX), "none");
    assert_slice(ranges_of("bytes=0-18446744073709551616", 10), "whole");
    assert_slice(ranges_of("bytes=-9223372036854775808", 10), "0-9");
    /* nginx CVE-2017-7529: a suffix larger than the file beside one that makes the sum wrap. */
    assert_slice(ranges_of("bytes=-17208,-9223372036854758792", 16600), "whole");
    assert_slice(ranges_of("bytes=0-18446744073709551614", UINT64_MAX), "0-18446744073709551614");
}

static void r21_at_most_five_ranges_and_no_more_bytes_than_the_file(void **state)
{
    (void)state;
    assert_slice(ranges_of("bytes=0-0,1-1,2-2,3-3,4-4", 100), "0-0,1-1,2-2,3-3,4-4");
    assert_slice(ranges_of("bytes=0-0,1-1,2-2,3-3,4-4,5-5", 100), "whole");
    assert_slice(ranges_of("bytes=200-,200-,200-,200-,200-,200-", 100), "whole");
    assert_slice(ranges_of("bytes=0-49,0-49", 100), "0-49,0-49");
    assert_slice(ranges_of("bytes=0-,0-", 100), "whole");
    assert_slice(ranges_of("bytes=0-99,0-0", 100), "whole");
}

static void a_multipart_body_is_as_long_as_announced(void **state)
{
    (void)state;
    struct http_ranges ranges;
    char bytes[1024];
    struct buf out = BUF_ON(bytes);
    assert_int_equal(http_range_parse(SLICE("bytes=0-0,50-99"), 100, &ranges), HTTP_RANGE_PARTS);
    for (size_t i = 0; i <= ranges.count; i++)
        http_multipart_print(&ranges, i, SLICE("text/plain"), 100, &out);
    assert_true(buf_ok(&out));
    assert_int_equal(http_multipart_length(&ranges, SLICE("text/plain"), 100), out.len + 51);
    assert_true(slice_find_text(buf_slice(&out), SLICE("Content-Range: bytes 50-99/100\r\n")) < out.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_as_the_rfc_has_them),
        cmocka_unit_test(what_is_no_range_is_the_whole_file),
        cmocka_unit_test(r21_no_number_overflows),
        cmocka_unit_test(r21_at_most_five_ranges_and_no_more_bytes_than_the_file),
        cmocka_unit_test(a_multipart_body_is_as_long_as_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
