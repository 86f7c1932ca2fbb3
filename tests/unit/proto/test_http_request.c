#include "tests/unit/test.h"

#include "proto/http_condition.h"
#include "proto/http_date.h"
#include "proto/http_request.h"

/* Feeds `text` in pieces of `step` bytes, each call with all that came so far. 0: not whole; 200: taken; else
 * the status of the refusal. */
static int verdict(struct slice text, size_t step, struct http_request *ret_request)
{
    struct http_guard g = { 0 };
    const char *reason = NULL;
    for (size_t have = 0; have <= text.len; have += step) {
        switch (http_guard(&g, slice_first(text, have))) {
        case HTTP_GUARD_MORE:
            if (have < text.len && have + step > text.len)
                have = text.len - step;
            continue;
        case HTTP_GUARD_REFUSED:
            assert_non_null(g.reason);
            return g.status;
        case HTTP_GUARD_WHOLE: {
            int status = http_request_parse(&g, slice_first(text, g.at), ret_request, &reason);
            assert_true(status == 0 || reason);
            return status ? status : 200;
        }
        }
    }
    return 0;
}

static int verdict_of(const char *text)
{
    struct http_request r;
    struct slice s = slice_str(text);
    int whole = verdict(s, s.len, &r);
    for (size_t step = 1; step < s.len && step < 40; step++)
        if (verdict(s, step, &r) != whole)
            fail_msg("in pieces of %zu: %d, whole: %d: %s", step, verdict(s, step, &r), whole, text);
    return whole;
}

#define LINE "GET /a HTTP/1.1\r\n"
#define HOST "Host: h\r\n"

static void a_phones_request_is_read(void **state)
{
    (void)state;
    struct http_request r;
    struct slice text = SLICE("GET /a%20b.cfg HTTP/1.1\r\nHost: 10.2.1.1:80\r\n"
                              "User-Agent: Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37\r\n"
                              "Accept: */*\r\nconnection:close\r\nIf-Range:\t \r\n\r\n");
    assert_int_equal(verdict(text, text.len, &r), 200);
    assert_int_equal(r.method, HTTP_METHOD_GET);
    assert_slice(r.target, "/a%20b.cfg");
    assert_slice(r.field[HTTP_FIELD_USER_AGENT], "Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37");
    assert_slice(r.field[HTTP_FIELD_HOST], "10.2.1.1:80");
    assert_true(http_request_has(&r, HTTP_FIELD_IF_RANGE));
    assert_slice(r.field[HTTP_FIELD_IF_RANGE], "");
    assert_false(http_request_has(&r, HTTP_FIELD_RANGE));
    assert_false(r.keep_alive);
    assert_int_equal(r.content_length, 0);
}

static bool keeps_alive(const char *text)
{
    struct http_request r;
    assert_int_equal(verdict(slice_str(text), strlen(text), &r), 200);
    return r.keep_alive;
}

static void keep_alive_is_the_rule_in_1_1_and_the_exception_in_1_0(void **state)
{
    (void)state;
    assert_true(keeps_alive(LINE HOST "\r\n"));
    assert_false(keeps_alive(LINE HOST "Connection: close\r\n\r\n"));
    assert_false(keeps_alive(LINE HOST "Connection: foo, Close\r\n\r\n"));
    assert_false(keeps_alive(LINE HOST "Connection: x\r\nConnection: close\r\n\r\n"));
    assert_false(keeps_alive("GET / HTTP/1.0\r\n\r\n"));
    assert_true(keeps_alive("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
}

/* Shapes that two readers could understand in two ways. */
static const char *const smuggling[] = {
    "GET /a HTTP/1.1\nHost: h\r\n\r\n",                   /* bare LF after the request line */
    LINE "Host: h\n\r\n",                                 /* after a header line */
    LINE HOST "\n",                                       /* at the end */
    LINE HOST "X: a\rTransfer-Encoding: chunked\r\n\r\n", /* CVE-2023-30589 */
    LINE HOST "X: a\r\rContent-Length: 5\r\n\r\n",
    LINE HOST "X:\rTransfer-Encoding: chunked\r\n\r\n",
    LINE "Host: h\r\r\n\r\n",
    LINE HOST "\rX",
    LINE HOST "Content-Length : 5\r\n\r\n", /* a blank before the colon */
    LINE HOST "Content-Length\t: 5\r\n\r\n",
    LINE HOST " Content-Length: 5\r\n\r\n", /* a folded line */
    LINE " Host: h\r\n\r\n",
    LINE HOST "X: a\r\n\tb\r\n\r\n",
    LINE HOST "X: a\x01 b\r\n\r\n", /* control bytes */
    LINE HOST "X: a\x7f\r\n\r\n",
    "GET /\x01 HTTP/1.1\r\n" HOST "\r\n",
    LINE HOST "Host: i\r\n\r\n", /* two hosts, or none */
    LINE HOST HOST "\r\n",
    LINE "\r\n",
    LINE "X: y\r\n\r\n",
    LINE "Host: h, i\r\n\r\n",
    LINE "Host: h/x\r\n\r\n",
    LINE "Host: u@h\r\n\r\n",
    LINE HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", /* two lengths */
    LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    LINE HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    LINE HOST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n",
    LINE HOST "Content-Length: 5, 6\r\n\r\n",
    LINE HOST "Content-Length: -1\r\n\r\n", /* not a number */
    LINE HOST "Content-Length: +5\r\n\r\n",
    LINE HOST "Content-Length: 5 6\r\n\r\n",
    LINE HOST "Content-Length: 0x5\r\n\r\n",
    LINE HOST "Content-Length:\r\n\r\n",
    LINE HOST "Content-Length: 18446744073709551616\r\n\r\n",
    LINE HOST "Content-Length: 99999999999999999999999\r\n\r\n",
    LINE HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    LINE HOST "Transfer-Encoding: chunked, identity\r\n\r\n",
    LINE HOST "Transfer-Encoding: identity\r\n\r\n",
    LINE HOST "Transfer-Encoding: chunkedx\r\n\r\n",
    LINE HOST "Transfer-Encoding:\r\n\r\n",
    "GET /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    LINE HOST ": x\r\n\r\n", /* no name, a bad name, no colon */
    LINE HOST "X\x80: x\r\n\r\n",
    LINE HOST "X(: x\r\n\r\n",
    LINE HOST "X\r\n\r\n",
    LINE ":Host: h\r\n\r\n",
    "GET  /a HTTP/1.1\r\n" HOST "\r\n", /* the request line */
    "GET /a  HTTP/1.1\r\n" HOST "\r\n",
    "GET /a HTTP/1.1 \r\n" HOST "\r\n",
    "GET /a b HTTP/1.1\r\n" HOST "\r\n",
    "GET\t/a HTTP/1.1\r\n" HOST "\r\n",
    "GET /a\r\n",
    "GET /a HTTP/1.10\r\n" HOST "\r\n",
    "GET /a http/1.1\r\n" HOST "\r\n",
    "GET /a HTTP/+1.1\r\n" HOST "\r\n",
    " GET /a HTTP/1.1\r\n" HOST "\r\n",
    "\nGET /a HTTP/1.1\r\n" HOST "\r\n",
    "\r\n\r\nGET /a HTTP/1.1\r\n" HOST "\r\n",
    "\r\rGET /a HTTP/1.1\r\n" HOST "\r\n",
    "G\x80T /a HTTP/1.1\r\n" HOST "\r\n",
    "\x16\x03\x01\x02", /* TLS at the plain port */
};

static void r20_what_two_readers_could_read_differently_is_400(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof smuggling / sizeof *smuggling; i++) {
        int status = verdict_of(smuggling[i]);
        if (status != 400)
            fail_msg("%d instead of 400: %s", status, smuggling[i]);
    }
}

static void r20_a_nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const char whole[] = LINE HOST "X: y\r\n\r\n";
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        char bytes[sizeof whole];
        struct http_request r;
        memcpy(bytes, whole, sizeof whole);
        bytes[i] = '\0';
        assert_int_equal(verdict(slice_of(bytes, sizeof whole - 1), sizeof whole - 1, &r), 400);
        assert_int_equal(verdict(slice_of(bytes, sizeof whole - 1), 1, &r), 400);
    }
}

static void good_heads_are_taken_in_any_pieces(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(LINE HOST "\r\n"), 200);
    assert_int_equal(verdict_of("\r\n" LINE HOST "\r\n"), 200);
    assert_int_equal(verdict_of("HEAD http://h/a?b HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(verdict_of("GET / HTTP/1.0\r\n\r\n"), 200);
    assert_int_equal(verdict_of("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"), 200);
    assert_int_equal(verdict_of("PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"), 200);
    assert_int_equal(verdict_of("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(verdict_of(LINE "Host:\r\n\r\n"), 200);
    assert_int_equal(verdict_of(LINE "Host: [::1]:80\r\nX: \xc3\xa4\r\n\r\n"), 200);
    assert_int_equal(verdict_of(LINE HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"), 200);
    assert_int_equal(verdict_of(LINE HOST), 0);
}

static void what_is_not_served_has_its_own_status(void **state)
{
    (void)state;
    assert_int_equal(verdict_of("BREW /a HTTP/1.1\r\n" HOST "\r\n"), 501);
    assert_int_equal(verdict_of("get /a HTTP/1.1\r\n" HOST "\r\n"), 501);
    assert_int_equal(verdict_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA /a HTTP/1.1\r\n" HOST "\r\n"), 501);
    assert_int_equal(verdict_of("PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
    assert_int_equal(verdict_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    assert_int_equal(verdict_of("GET /a HTTP/1.2\r\n" HOST "\r\n"), 505);
    assert_int_equal(verdict_of("GET /a HTTP/0.9\r\n\r\n"), 505);
    assert_int_equal(verdict_of(LINE HOST "Expect: a-miracle\r\n\r\n"), 417);
    assert_int_equal(verdict_of("GET /a HTTP/1.0\r\nExpect: a-miracle\r\n\r\n"), 200);
    assert_int_equal(verdict_of(LINE HOST "Expect: 100-Continue\r\n\r\n"), 200);
}

/* A head with `count` bytes of `filler` between two texts. */
static int verdict_filled(const char *before, char filler, size_t count, const char *after)
{
    char *bytes = malloc(count + 256);
    struct http_request r;
    assert_non_null(bytes);
    struct buf out = buf_on(bytes, count + 256);
    buf_str(&out, before);
    for (size_t i = 0; i < count; i++)
        buf_byte(&out, filler);
    buf_str(&out, after);
    int status = verdict(buf_slice(&out), out.len, &r);
    assert_int_equal(verdict(buf_slice(&out), 1000, &r), status);
    assert_int_equal(verdict(buf_slice(&out), 1, &r), status);
    free(bytes);
    return status;
}

static void long_heads_end_at_the_ceiling(void **state)
{
    (void)state;
    assert_int_equal(verdict_filled("GET /", 'a', HTTP_TARGET_BYTES_MAX - 1, " HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(verdict_filled("GET /", 'a', HTTP_TARGET_BYTES_MAX, " HTTP/1.1\r\n" HOST "\r\n"), 414);
    size_t room = HTTP_HEAD_BYTES_MAX - strlen(LINE HOST "X: \r\n\r\n");
    assert_int_equal(verdict_filled(LINE HOST "X: ", 'a', room, "\r\n\r\n"), 200);
    assert_int_equal(verdict_filled(LINE HOST "X: ", 'a', room + 1, "\r\n\r\n"), 431);
    assert_int_equal(verdict_filled(LINE HOST "X", 'a', HTTP_HEAD_BYTES_MAX, ": y\r\n\r\n"), 431);
    char lines[HTTP_FIELDS_MAX * 6 + 64];
    for (unsigned extra = 0; extra < 2; extra++) {
        struct buf out = BUF_ON(lines);
        buf_str(&out, LINE HOST);
        for (unsigned i = 1; i < HTTP_FIELDS_MAX + extra; i++)
            buf_str(&out, "A: b\r\n");
        buf_str(&out, "\r\n");
        assert_true(buf_terminate(&out));
        assert_int_equal(verdict_of(lines), extra ? 431 : 200);
    }
}

static struct slice path_of(const char *target)
{
    struct slice path = SLICE("(refused)");
    http_target_path(slice_str(target), &path);
    return path;
}

static void targets_in_origin_and_absolute_form_have_a_path(void **state)
{
    (void)state;
    assert_slice(path_of("/a/b%20c.cfg?x=/../y"), "/a/b%20c.cfg");
    assert_slice(path_of("/"), "/");
    assert_slice(path_of("http://h:80/a?b"), "/a");
    assert_slice(path_of("HTTPS://[::1]/a"), "/a");
    assert_slice(path_of("http://h"), "/");
    static const char *const bad[] = {
        "*", "", "a", "h:80", "ftp://h/a", "http://", "http:///a", "http://u@h/a", "/a#b", "http://h:99999/a"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_slice(path_of(bad[i]), "(refused)");
}

#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define ETAG "\"00000000000000ab\""

static void with_headers(const char *headers, struct http_request *r)
{
    static char bytes[1024];
    struct buf out = BUF_ON(bytes);
    buf_str(&out, LINE HOST);
    buf_str(&out, headers);
    buf_str(&out, "\r\n");
    assert_int_equal(verdict(buf_slice(&out), out.len, r), 200);
}

static int condition_of(const char *headers)
{
    static const int statuses[] = {
        [HTTP_CONDITION_HOLDS] = 200, [HTTP_CONDITION_NOT_MODIFIED] = 304, [HTTP_CONDITION_FAILED] = 412
    };
    const struct http_validator v = { 0xab, MODIFIED };
    struct http_request r;
    with_headers(headers, &r);
    return statuses[http_condition(&r, &v, MODIFIED + 1000)];
}

static void conditions_hold_in_the_order_of_rfc_9110_13_2_2(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        { "", 200 },
        { "If-None-Match: " ETAG "\r\n", 304 },
        { "If-None-Match: W/" ETAG "\r\n", 304 },
        { "If-None-Match: *\r\n", 304 },
        { "If-None-Match: \"x,y\", " ETAG "\r\n", 304 },
        { "If-None-Match: \"x\"\r\nIf-None-Match: " ETAG "\r\n", 304 },
        { "If-None-Match: \"x\"\r\n", 200 },
        { "If-None-Match: x, " ETAG "\r\n", 200 },
        { "If-None-Match: \"x\r\n", 200 },
        { "If-None-Match:\r\n", 200 },
        { "If-None-Match: \"x\"\r\nIf-Modified-Since: " SAME "\r\n", 200 }, /* the tag decides alone */
        { "If-Modified-Since: " SAME "\r\n", 304 },
        { "If-Modified-Since: " EARLIER "\r\n", 200 },
        { "If-Modified-Since: yesterday\r\n", 200 },
        { "If-Match: " ETAG "\r\n", 200 },
        { "If-Match: *\r\n", 200 },
        { "If-Match: \"x\"\r\n", 412 },
        { "If-Match: W/" ETAG "\r\n", 412 }, /* strong comparison */
        { "If-Match: " ETAG "\r\nIf-Unmodified-Since: " EARLIER "\r\n", 200 },
        { "If-Unmodified-Since: " EARLIER "\r\n", 412 },
        { "If-Unmodified-Since: " SAME "\r\n", 200 },
        { "If-Unmodified-Since: nonsense\r\n", 200 },
        { "If-Match: \"x\"\r\nIf-None-Match: " ETAG "\r\n", 412 },
        { "If-Match: " ETAG "\r\nIf-None-Match: " ETAG "\r\n", 304 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (condition_of(cases[i].headers) != cases[i].status)
            fail_msg("not %d: %s", cases[i].status, cases[i].headers);
}

static void every_field_is_found_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum http_field field;
    } cases[] = {
        { "RANGE: v\r\n", HTTP_FIELD_RANGE },
        { "If-Match: v\r\n", HTTP_FIELD_IF_MATCH },
        { "If-rANGE: v\r\n", HTTP_FIELD_IF_RANGE },
        { "CoNNecTion: v\r\n", HTTP_FIELD_CONNECTION },
        { "user-agent: v\r\n", HTTP_FIELD_USER_AGENT },
        { "Content-Type: v\r\n", HTTP_FIELD_CONTENT_TYPE },
        { "authorization: v\r\n", HTTP_FIELD_AUTHORIZATION },
        { "CONTENT-RANGE: v\r\n", HTTP_FIELD_CONTENT_RANGE },
        { "If-None-Match: v\r\n", HTTP_FIELD_IF_NONE_MATCH },
        { "Content-Encoding: v\r\n", HTTP_FIELD_CONTENT_ENCODING },
        { "If-Modified-Since: v\r\n", HTTP_FIELD_IF_MODIFIED_SINCE },
        { "if-unmodified-since: v\r\n", HTTP_FIELD_IF_UNMODIFIED_SINCE },
    };
    struct http_request r;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        with_headers(cases[i].line, &r);
        for (int f = HTTP_FIELD_HOST + 1; f < HTTP_FIELD_COUNT; f++)
            assert_int_equal(http_request_has(&r, (enum http_field)f), f == (int)cases[i].field);
        assert_slice(r.field[cases[i].field], "v");
    }
    with_headers("Rang: v\r\nRanges: v\r\nR^nge: v\r\nIf_Match: v\r\nX: v\r\n", &r);
    for (int f = HTTP_FIELD_HOST + 1; f < HTTP_FIELD_COUNT; f++)
        assert_false(http_request_has(&r, (enum http_field)f));
    with_headers("Content-Length: 7\r\n", &r);
    assert_true(r.has_length && r.content_length == 7 && !r.chunked);
    with_headers("transfer-ENCODING: chunked\r\nExpect: 100-continue\r\n", &r);
    assert_true(r.chunked && !r.has_length && r.expect_continue);
}

static void a_write_waits_for_the_version_that_its_sender_knows(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        bool there, absent;
    } cases[] = {
        { "", true, true },
        { "If-None-Match: *\r\n", false, true },
        { "If-None-Match: " ETAG "\r\n", false, true },
        { "If-None-Match: \"x\"\r\n", true, true },
        { "If-Match: *\r\n", true, false },
        { "If-Match: " ETAG "\r\n", true, false },
        { "If-Match: W/" ETAG "\r\n", false, false },
        { "If-Match: \"x\"\r\n", false, false },
        { "If-Unmodified-Since: " EARLIER "\r\n", false, true },
        { "If-Unmodified-Since: " SAME "\r\n", true, true },
        { "If-Modified-Since: " SAME "\r\n", true, true }, /* for GET and HEAD alone */
        { "If-Match: " ETAG "\r\nIf-Unmodified-Since: " EARLIER "\r\n", true, false },
    };
    const struct http_validator v = { 0xab, MODIFIED };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request r;
        with_headers(cases[i].headers, &r);
        if (http_condition_write(&r, &v, MODIFIED + 1000) != cases[i].there || http_condition_write(&r, NULL, MODIFIED + 1000) != cases[i].absent)
            fail_msg("not so: %s", cases[i].headers);
    }
}

static bool range_applies(const char *headers, int64_t now)
{
    const struct http_validator v = { 0xab, MODIFIED };
    struct http_request r;
    with_headers(headers, &r);
    return http_range_applies(&r, &v, now);
}

static void if_range_wants_a_strong_validator(void **state)
{
    (void)state;
    assert_false(range_applies("", MODIFIED + 9));
    assert_true(range_applies("Range: bytes=0-1\r\n", MODIFIED + 9));
    assert_false(range_applies("Range: bytes=0-1\r\nRange: bytes=3-4\r\n", MODIFIED + 9));
    assert_true(range_applies("Range: bytes=0-1\r\nIf-Range: " ETAG "\r\n", MODIFIED + 9));
    assert_false(range_applies("Range: bytes=0-1\r\nIf-Range: W/" ETAG "\r\n", MODIFIED + 9));
    assert_false(range_applies("Range: bytes=0-1\r\nIf-Range: \"x\"\r\n", MODIFIED + 9));
    assert_true(range_applies("Range: bytes=0-1\r\nIf-Range: " SAME "\r\n", MODIFIED + 9));
    assert_false(range_applies("Range: bytes=0-1\r\nIf-Range: " SAME "\r\n", MODIFIED));
    assert_false(range_applies("Range: bytes=0-1\r\nIf-Range: " EARLIER "\r\n", MODIFIED + 9));
    assert_false(range_applies("Range: bytes=0-1\r\nIf-Range:\r\n", MODIFIED + 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phones_request_is_read),
        cmocka_unit_test(keep_alive_is_the_rule_in_1_1_and_the_exception_in_1_0),
        cmocka_unit_test(r20_what_two_readers_could_read_differently_is_400),
        cmocka_unit_test(r20_a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(good_heads_are_taken_in_any_pieces),
        cmocka_unit_test(what_is_not_served_has_its_own_status),
        cmocka_unit_test(long_heads_end_at_the_ceiling),
        cmocka_unit_test(targets_in_origin_and_absolute_form_have_a_path),
        cmocka_unit_test(conditions_hold_in_the_order_of_rfc_9110_13_2_2),
        cmocka_unit_test(every_field_is_found_in_any_case),
        cmocka_unit_test(a_write_waits_for_the_version_that_its_sender_knows),
        cmocka_unit_test(if_range_wants_a_strong_validator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
