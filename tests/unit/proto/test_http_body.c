/* Request bodies: every case is read whole, byte by byte and in pieces, and must mean the same. */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "proto/http_body.h"

static char data_bytes[16384];
static struct buf data;
static size_t left_over; /* bytes of the input behind the body */

/* "whole", "more" or the reason of a refusal; what came is in `data`. */
static const char *read_in_pieces(struct slice text, const struct http_request *request, size_t step)
{
    struct http_body b;
    http_body_start(&b, request);
    data = BUF_ON(data_bytes);
    for (size_t at = 0;; at += step) {
        struct slice input = slice_first(slice_from(text, at), step), piece;
        enum http_body_answer answer;
        while ((answer = http_body_next(&b, &input, &piece)) == HTTP_BODY_DATA) {
            assert_true(piece.len > 0);
            buf_text(&data, piece);
        }
        left_over = input.len + slice_from(text, at + step).len;
        if (answer == HTTP_BODY_WHOLE)
            return "whole";
        if (answer == HTTP_BODY_REFUSED)
            return b.reason;
        assert_int_equal(input.len, 0);
        if (at + step >= text.len)
            return "more";
    }
}

static void check(struct slice text, const struct http_request *request, const char *verdict, struct slice came,
                  size_t left)
{
    static const size_t steps[] = { 1 << 20, 1, 2, 3, 7 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *said = read_in_pieces(text, request, steps[i]);
        if (strcmp(said, verdict))
            fail_msg("%s instead of %s: %.*s", said, verdict, SLICE_ARG(text));
        assert_true(slice_eq(buf_slice(&data), came));
        if (!strcmp(verdict, "whole"))
            assert_int_equal(left_over, left);
    }
}
#define chunked(text, verdict, came, left)                                                                     \
    check(slice_str(text), &(struct http_request){ .chunked = true }, verdict, SLICE(came), left)

static void a_length_is_counted_and_the_next_request_left_alone(void **state)
{
    (void)state;
    struct http_request four = { .content_length = 4 }, none = { 0 };
    check(SLICE("abcdGET /"), &four, "whole", SLICE("abcd"), 5);
    check(SLICE("abc"), &four, "more", SLICE("abc"), 0);
    check(SLICE("GET /"), &none, "whole", SLICE(""), 5);
}

static void chunks_are_put_together_and_the_next_request_left_alone(void **state)
{
    (void)state;
    chunked("4\r\nabcd\r\n0\r\n\r\nGET /", "whole", "abcd", 5);
    chunked("1\r\na\r\n00a\r\n0123456789\r\n0\r\n\r\n", "whole", "a0123456789", 0);
    chunked("A\r\n0123\r\n\r\n89\r\n000\r\n\r\n", "whole", "0123\r\n\r\n89", 0);
    chunked("0\r\n\r\n", "whole", "", 0);
    chunked("4\r\nab", "more", "ab", 0);
    chunked("4\r\nabcd\r\n0\r\n", "more", "abcd", 0);
}

static void r20_extensions_and_trailers_are_read_over(void **state)
{
    (void)state;
    chunked("4;a=b\r\nabcd\r\n0;last\r\nX: y\r\nContent-Length: 9\r\n\r\nGET", "whole", "abcd", 3);
    chunked("4 ; a=\"\t;\"\r\nabcd\r\n0\r\n\r\n", "whole", "abcd", 0);
    chunked("0\r\nEmpty:\r\n\r\n", "whole", "", 0);
}

static void r20_a_bad_chunk_is_refused(void **state)
{
    (void)state;
    chunked("zz\r\n", "bad chunk size", "", 0);
    chunked("\r\n", "bad chunk size", "", 0);
    chunked(";x\r\n", "bad chunk size", "", 0);
    chunked("-1\r\nx", "bad chunk size", "", 0);
    chunked("+1\r\nx", "bad chunk size", "", 0);
    chunked("0x1\r\nx", "bad chunk size", "", 0);
    chunked(" 1\r\nx", "bad chunk size", "", 0);
    chunked("1 \r\nx", "bad chunk size", "", 0);
    chunked("1 1;\r\nx", "bad chunk size", "", 0);
    chunked("1_0\r\nx", "bad chunk size", "", 0);
    chunked("ffffffffffffffff\r\nx", "bad chunk size", "", 0);
    chunked("8000000000000000\r\nx", "bad chunk size", "", 0);
    chunked("7fffffffffffffff\r\nx", "more", "x", 0);
    chunked("00000000000000001\r\nx", "bad chunk size", "", 0);
    chunked("1\nx", "bad chunk size", "", 0);
    chunked("1\rx", "CR without LF", "", 0);
    chunked("1;\nx", "control byte in a chunk extension", "", 0);
    chunked("1\r\nxy\r\n", "bad end of a chunk", "x", 0);
    chunked("1\r\nx\n0\r\n\r\n", "bad end of a chunk", "x", 0);
    chunked("1\r\nx\r\r\n", "bad end of a chunk", "x", 0);
    chunked("0\r\n\n", "bad trailer name", "", 0);
    chunked("0\r\nno colon\r\n\r\n", "bad trailer name", "", 0);
    chunked("0\r\nX y: z\r\n\r\n", "bad trailer name", "", 0);
    chunked("0\r\n: z\r\n\r\n", "bad trailer name", "", 0);
    chunked("0\r\nX: a\r\n folded\r\n\r\n", "bad trailer name", "", 0);
    chunked("0\r\nX: a\nY: b\r\n\r\n", "control byte in a trailer", "", 0);
    chunked("0\r\nX: a\rY", "bad end of a chunk", "", 0);
    chunked("0\r\n\rGET", "bad end of a chunk", "", 0);
}

/* `count` times `text`, with `before` and `after`. */
static const char *repeated(const char *before, const char *text, size_t count, const char *after)
{
    static char bytes[65536];
    struct buf out = BUF_ON(bytes);
    buf_str(&out, before);
    for (size_t i = 0; i < count; i++)
        buf_str(&out, text);
    buf_str(&out, after);
    assert_true(buf_terminate(&out));
    return bytes;
}

static void r20_extensions_and_trailers_are_bounded_over_the_whole_body(void **state)
{
    (void)state;
    struct http_request r = { .chunked = true };
    assert_string_equal(read_in_pieces(slice_str(repeated("1;", "x", 1023, "\r\na\r\n0\r\n\r\n")), &r, 100), "whole");
    assert_string_equal(read_in_pieces(slice_str(repeated("1;", "x", 1024, "\r\n")), &r, 100),
                        "chunk extensions too long");
    assert_string_equal(read_in_pieces(slice_str(repeated("", "1;xx\r\na\r\n", 400, "")), &r, 100),
                        "chunk extensions too long");
    assert_string_equal(read_in_pieces(slice_str(repeated("0\r\n", "X: y\r\n", 800, "\r\n")), &r, 100), "whole");
    assert_string_equal(read_in_pieces(slice_str(repeated("0\r\n", "X: y\r\n", 900, "\r\n")), &r, 100),
                        "trailers too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_counted_and_the_next_request_left_alone),
        cmocka_unit_test(chunks_are_put_together_and_the_next_request_left_alone),
        cmocka_unit_test(r20_extensions_and_trailers_are_read_over),
        cmocka_unit_test(r20_a_bad_chunk_is_refused),
        cmocka_unit_test(r20_extensions_and_trailers_are_bounded_over_the_whole_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
