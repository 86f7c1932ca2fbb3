/* What the HTTP service answers, and what the journal is told. */
#include "tests/unit/server/http_harness.h"

static void a_phone_gets_its_file_and_the_journal_knows_it(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE), 200);
    assert_true(has(asker, "Content-Length: 579\r\n"));
    assert_true(has(asker, "Content-Type: text/plain\r\n"));
    assert_true(has(asker, "Server: dialtone\r\n"));
    assert_true(has(asker, "Connection: close\r\n"));
    assert_true(has(asker, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    assert_true(has(asker, "Date: Sun, 22 Nov 2026 07:05:44 GMT\r\n"));
    assert_true(slice_ends(heard(asker), slice_of(small_bytes, sizeof small_bytes)));
    const struct journal_event *e = only_event();
    assert_int_equal(e->protocol, PROTOCOL_HTTP);
    assert_int_equal(e->outcome, OUTCOME_SENT);
    assert_int_equal(e->code, 200);
    assert_int_equal(e->bytes, 579);
    assert_int_equal(e->wall_ms, WALL_MS);
    assert_slice(name_of(e), "/y000000000028.cfg");
    assert_slice(slice_of(e->agent, e->agent_len), "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50");
}

static void every_refusal_has_its_status_and_its_event(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *text;
        int status;
        enum outcome outcome;
        const char *name;
    } cases[] = {
        { "GET /nope.boot" TAIL CLOSE, 404, OUTCOME_ABSENT, "/nope.boot" },
        { "GET /dir" TAIL CLOSE, 404, OUTCOME_REFUSED, "/dir" },
        { "GET /" TAIL CLOSE, 404, OUTCOME_REFUSED, "/" },
        { "GET /link.cfg" TAIL CLOSE, 403, OUTCOME_REFUSED, "/link.cfg" },
        { "GET /io.cfg" TAIL CLOSE, 503, OUTCOME_BROKEN, "/io.cfg" },
        { "GET /../etc/passwd" TAIL CLOSE, 400, OUTCOME_REFUSED, "/../etc/passwd" },
        { "GET /%2e%2e/etc/passwd" TAIL CLOSE, 400, OUTCOME_REFUSED, "/../etc/passwd" },
        { "GET /%252e%252e/x" TAIL CLOSE, 404, OUTCOME_ABSENT, "/%2e%2e/x" },
        { "GET /a%00.cfg" TAIL CLOSE, 400, OUTCOME_REFUSED, "/a%00.cfg" },
        { "GET /%" TAIL CLOSE, 400, OUTCOME_REFUSED, "/%" },
        { "GET *" TAIL CLOSE, 400, OUTCOME_REFUSED, "*" },
        { "PUT /x-local.cfg" TAIL "Content-Length: 3\r\n\r\nabc", 405, OUTCOME_REFUSED, "/x-local.cfg" },
        { "POST /x" TAIL "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 405, OUTCOME_REFUSED, "/x" },
        { "DELETE /y000000000028.cfg" TAIL CLOSE, 405, OUTCOME_REFUSED, "/y000000000028.cfg" },
        { "PATCH /x" TAIL CLOSE, 405, OUTCOME_REFUSED, "/x" },
        { "TRACE /x" TAIL CLOSE, 405, OUTCOME_REFUSED, "/x" },
        { "CONNECT h:80" TAIL CLOSE, 405, OUTCOME_REFUSED, "h:80" },
        { "BREW /x" TAIL CLOSE, 501, OUTCOME_REFUSED, "/x" },
        { "GET /y000000000028.cfg" TAIL "Content-Length: 2\r\n\r\nab", 413, OUTCOME_REFUSED,
          "/y000000000028.cfg" },
        { "GET /y000000000028.cfg" TAIL "Expect: x\r\n\r\n", 417, OUTCOME_REFUSED, "/y000000000028.cfg" },
        { "GET /x HTTP/3.0\r\n\r\n", 505, OUTCOME_REFUSED, "/x" },
        { "GET /y000000000028.cfg" TAIL "If-Match: \"x\"\r\n" CLOSE, 412, OUTCOME_REFUSED,
          "/y000000000028.cfg" },
        { "GET /y000000000028.cfg" TAIL "Range: bytes=579-\r\n" CLOSE, 416, OUTCOME_REFUSED,
          "/y000000000028.cfg" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = ask(s, cases[i].text);
        if (status != cases[i].status)
            fail_msg("%d instead of %d: %s", status, cases[i].status, cases[i].text);
        assert_true(has(asker, "Connection: close\r\n"));
        assert_true(status != 405 || has(asker, "Allow: GET, HEAD, OPTIONS\r\n"));
        assert_true(status != 416 || has(asker, "Content-Range: bytes */579\r\n"));
        const struct journal_event *e = only_event();
        assert_int_equal(e->outcome, cases[i].outcome);
        assert_int_equal(e->code, status);
        assert_non_null(e->reason);
        assert_slice(name_of(e), cases[i].name);
    }
}

static void options_tells_what_may_be_done(void **state)
{
    struct server *s = *state;
    static const char *const targets[] = { "*", "/y000000000028.cfg", "/nope" };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char bytes[256];
        struct buf text = BUF_ON(bytes);
        buf_format(&text, "OPTIONS %s" TAIL CLOSE, targets[i]);
        assert_true(buf_terminate(&text));
        assert_int_equal(ask(s, bytes), 204);
        assert_true(has(asker, "Allow: GET, HEAD, OPTIONS\r\n"));
        assert_false(has(asker, "Content-Length"));
        assert_true(slice_ends(heard(asker), SLICE("\r\n\r\n")));
        assert_slice(name_of(only_event()), targets[i]);
    }
}

static void r20_a_refused_head_ends_the_connection_and_nothing_behind_it_is_read(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s,
                         "GET /y000000000028.cfg" TAIL "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "GET /y000000000028.cfg" TAIL "\r\n"),
                     400);
    assert_false(has(asker, "200 OK"));
    assert_int_equal(only_event()->code, 400);
    assert_int_equal(ask(s, "GET /a HTTP/1.1\nHost: h\r\n\r\nGET /y000000000028.cfg" TAIL "\r\n"), 400);
    assert_false(has(asker, "200 OK"));
    assert_slice(slice_str(only_event()->reason), "bad version");
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Content-Length: 5\r\n\r\nhello"
                            "GET /y000000000028.cfg" TAIL "\r\n"),
                     413);
    assert_false(has(asker, "200 OK"));
    assert_int_equal(only_event()->code, 413);
}

static void a_head_that_comes_byte_by_byte_is_answered_the_same(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *text;
        int status;
    } cases[] = { { "GET /y000000000028.cfg" TAIL CLOSE, 200 },
                  { "GET /a HTTP/1.1\r\nHost : h\r\n\r\n", 400 } };
    for (size_t i = 0; i < 2; i++) {
        struct client *c = dial(s, 0);
        for (const char *p = cases[i].text; *p && !c->len; p++) {
            char byte[2] = { *p, 0 };
            say(c, byte);
            pump(s);
            hear(c);
        }
        hear_end(s, c);
        assert_int_equal(hear_answer(s, c, 0), cases[i].status);
        assert_int_equal(only_event()->code, cases[i].status);
        hang_up(c);
    }
}

static void head_has_the_headers_and_no_body(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, "HEAD /y000000000028.cfg" TAIL CLOSE), 200);
    assert_true(has(asker, "Content-Length: 579\r\n"));
    assert_true(slice_ends(heard(asker), SLICE("\r\n\r\n")));
    assert_int_equal(only_event()->bytes, 0);
    assert_int_equal(ask(s, "HEAD /nope" TAIL CLOSE), 404);
    assert_true(slice_ends(heard(asker), SLICE("\r\n\r\n")));
    assert_int_equal(ask(s, "GET /empty.boot" TAIL CLOSE), 200);
    assert_true(has(asker, "Content-Length: 0\r\n"));
}

static void head_says_what_get_says_and_not_a_byte_more(void **state)
{
    struct server *s = *state;
    static const char *const rests[] = {
        "/y000000000028.cfg" TAIL CLOSE,
        "/empty.boot" TAIL CLOSE,
        "/nope" TAIL CLOSE,
        "/dir" TAIL CLOSE,
        "/link.cfg" TAIL CLOSE,
        "/io.cfg" TAIL CLOSE,
        "/../x" TAIL CLOSE,
        "/%00" TAIL CLOSE,
        "/y000000000028.cfg" TAIL "If-None-Match: *\r\n" CLOSE,
        "/y000000000028.cfg" TAIL "If-Match: \"x\"\r\n" CLOSE,
        "/y000000000028.cfg" TAIL "Range: bytes=0-\r\nIf-Range: \"x\"\r\n" CLOSE,
        "/y000000000028.cfg" TAIL "Expect: x\r\n" CLOSE,
        "/y000000000028.cfg" TAIL "Transfer-Encoding: x\r\n" CLOSE,
        "/y000000000028.cfg" TAIL "Content-Length: 1\r\n" CLOSE,
    };
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        char text[512], kept[2048];
        struct buf get = BUF_ON(text), head_of_get = BUF_ON(kept);
        buf_format(&get, "GET %s", rests[i]);
        assert_true(buf_terminate(&get));
        ask(s, text);
        struct slice all = heard(asker);
        buf_text(&head_of_get, slice_first(all, slice_find_text(all, SLICE("\r\n\r\n")) + 4));
        assert_true(buf_ok(&head_of_get));
        get = BUF_ON(text);
        buf_format(&get, "HEAD %s", rests[i]);
        assert_true(buf_terminate(&get));
        ask(s, text);
        if (!slice_eq(heard(asker), buf_slice(&head_of_get)))
            fail_msg("%s: %.*s, not %.*s", rests[i], SLICE_ARG(heard(asker)), SLICE_ARG(buf_slice(&head_of_get)));
        assert_int_equal(fake_events[fake_event_count - 1].bytes, 0);
    }
}

static void pipelined_requests_are_answered_in_order_on_one_connection(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, "GET /nope" TAIL "\r\nGET /y000000000028.cfg" TAIL "\r\nHEAD /dir" TAIL
           "\r\nGET /empty.boot" TAIL CLOSE);
    hear_end(s, c);
    size_t first = slice_find_text(heard(c), SLICE("404 Not Found")),
           second = slice_find_text(heard(c), SLICE("200 OK")),
           third = slice_find_text(heard(c), SLICE("Content-Length: 0\r\n"));
    assert_true(first < second && second < third && third < c->len);
    assert_int_equal(fake_event_count, 4);
    assert_int_equal(fake_events[0].code, 404);
    assert_int_equal(fake_events[1].code, 200);
    assert_int_equal(fake_events[3].code, 200);
    hang_up(c);
}

static void three_hundred_pipelined_requests_to_a_reader_that_waits_all_come(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    char text[300 * 64];
    struct buf out = BUF_ON(text);
    for (int i = 0; i < 300; i++)
        buf_str(&out, "GET /y000000000028.cfg HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(buf_terminate(&out));
    say(c, text);
    pump(s);
    size_t answer = 0;
    for (int i = 0; i < ROUNDS_MAX && fake_event_count < 300; i++) {
        serve_one_round(s, c);
        if (!answer && c->len > 579)
            answer = slice_find_text(heard(c), SLICE("\r\n\r\n")) + 4 + 579;
    }
    hear_bytes(s, c, 300 * answer);
    assert_int_equal(c->len, 300 * answer);
    hang_up(c);
}

static void a_kept_connection_serves_again_and_an_http_1_0_client_may_keep_one(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    for (int i = 0; i < 3; i++) {
        say(c, "GET /y000000000028.cfg" TAIL "\r\n");
        assert_int_equal(hear_answer(s, c, 579), 200);
        assert_false(has(c, "Connection:"));
        forget(c);
    }
    say(c, "GET /y000000000028.cfg HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(hear_answer(s, c, 579), 200);
    assert_true(has(c, "Connection: keep-alive\r\n"));
    forget(c);
    say(c, "GET /y000000000028.cfg HTTP/1.0\r\n\r\n");
    hear_end(s, c);
    assert_true(has(c, "Connection: close\r\n"));
    assert_int_equal(fake_event_count, 5);
    hang_up(c);
}

static void a_copy_that_is_still_good_is_not_sent_again(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "If-None-Match: \"00000000000000ab\"\r\n" CLOSE),
                     304);
    assert_true(slice_ends(heard(asker), SLICE("\r\n\r\n")));
    assert_false(has(asker, "Content-Length"));
    assert_true(has(asker, "ETag: \"00000000000000ab\"\r\n"));
    assert_int_equal(only_event()->outcome, OUTCOME_UNCHANGED);
    /* A condition says nothing about a file that is not there. */
    assert_int_equal(ask(s, "GET /nope" TAIL "If-Match: *\r\n" CLOSE), 404);
}

static void ranges_of_small_and_large_files(void **state)
{
    struct server *s = *state;
    fake_large("T46.rom", 300000);
    assert_int_equal(ask(s, "GET /T46.rom" TAIL "Range: bytes=251-752\r\n" CLOSE), 206);
    assert_true(has(asker, "Content-Range: bytes 251-752/300000\r\n"));
    assert_true(has(asker, "Content-Length: 502\r\n"));
    assert_int_equal(asker->bytes[asker->len - 502], 1);
    assert_int_equal(asker->bytes[asker->len - 1], 2);
    assert_int_equal(only_event()->bytes, 502);
    assert_int_equal(ask(s, "GET /T46.rom" TAIL "Range: bytes=0-0,251-251,299999-\r\n" CLOSE), 206);
    assert_true(has(asker, "Content-Type: multipart/byteranges; boundary="));
    assert_true(has(asker, "Content-Range: bytes 299999-299999/300000\r\n\r\n\xab\r\n--"));
    assert_true(slice_ends(heard(asker), SLICE("--\r\n")));
    assert_int_equal(only_event()->bytes, 3);
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Range: bytes=0-1,5-9\r\n" CLOSE), 206);
    assert_true(has(asker, "Content-Range: bytes 5-9/579\r\n\r\nccccc\r\n--"));
    /* R21: past the bounds, the whole file. */
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Range: bytes=0-,0-\r\n" CLOSE), 200);
}

static void a_large_file_comes_whole_through_a_narrow_reader(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    fake_large("T46.rom", 250000);
    say(c, "GET /T46.rom" TAIL CLOSE);
    hear_end(s, c);
    assert_true(c->len > 250000);
    for (size_t i = 0; i < 250000; i++)
        if ((unsigned char)c->bytes[c->len - 250000 + i] != (unsigned char)(i / 251))
            fail_msg("byte %zu is wrong", i);
    assert_int_equal(only_event()->bytes, 250000);
    hang_up(c);
}

static void a_file_that_changes_on_its_way_breaks_off_short_and_the_journal_says_why(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    struct fake_file *f = fake_large("T46.rom", 20000000);
    f->changed = true;
    f->unchanged_checks = 1;
    say(c, "GET /T46.rom" TAIL "\r\n");
    for (int i = 0; i < ROUNDS_MAX && !c->ended; i++) {
        serve_one_round(s, c);
        forget(c);
    }
    assert_true(c->ended);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_BROKEN);
    assert_true(e->bytes < 20000000);
    assert_slice(slice_str(e->reason), "the file changed or could not be read");
    hang_up(c);
}

static void a_file_that_shrank_breaks_off_short(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    struct fake_file *f = fake_large("T46.rom", 100000);
    assert_int_equal(ftruncate(f->fd, 50000), 0);
    say(c, "GET /T46.rom" TAIL "\r\n");
    hear_end(s, c);
    assert_true(c->len < 100000);
    assert_int_equal(only_event()->outcome, OUTCOME_BROKEN);
    hang_up(c);
}

static void a_phone_that_goes_away_in_the_middle_is_stopped_and_nothing_is_held(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    fake_large("T46.rom", 20000000);
    say(c, "GET /T46.rom" TAIL "\r\n");
    hear_bytes(s, c, 1000);
    assert_int_equal(fake_held, 1);
    hang_up(c);
    for (int i = 0; i < ROUNDS_MAX && fake_event_count == 0; i++)
        pump(s);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_slice(name_of(e), "/T46.rom");
    assert_int_equal(fake_held, 0);
    c = dial(s, 0);
    say(c, "GET /half HTTP/1.1\r\nUser-Agent: Yealink W52P\r\nHo");
    pump(s);
    hang_up(c);
    for (int i = 0; i < ROUNDS_MAX && fake_event_count == 0; i++)
        pump(s);
    e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_slice(name_of(e), "/half");
    assert_slice(slice_of(e->agent, e->agent_len), "Yealink W52P");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        http_test(a_phone_gets_its_file_and_the_journal_knows_it),
        http_test(every_refusal_has_its_status_and_its_event),
        http_test(options_tells_what_may_be_done),
        http_test(r20_a_refused_head_ends_the_connection_and_nothing_behind_it_is_read),
        http_test(a_head_that_comes_byte_by_byte_is_answered_the_same),
        http_test(head_has_the_headers_and_no_body),
        http_test(head_says_what_get_says_and_not_a_byte_more),
        http_test(pipelined_requests_are_answered_in_order_on_one_connection),
        http_test(three_hundred_pipelined_requests_to_a_reader_that_waits_all_come),
        http_test(a_kept_connection_serves_again_and_an_http_1_0_client_may_keep_one),
        http_test(a_copy_that_is_still_good_is_not_sent_again),
        http_test(ranges_of_small_and_large_files),
        http_test(a_large_file_comes_whole_through_a_narrow_reader),
        http_test(a_file_that_changes_on_its_way_breaks_off_short_and_the_journal_says_why),
        http_test(a_file_that_shrank_breaks_off_short),
        http_test(a_phone_that_goes_away_in_the_middle_is_stopped_and_nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
