/* The HTTP service on real loopback sockets, with a clock that is moved by hand and a tree that is a table. */
#include "tests/unit/server/fake_server.h"

#include "proto/http_request.h"
#include "server/http_service.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>

#define WALL_MS INT64_C(1795331144000)
/* Rounds of the loop within which everything that has come must be answered; each waits a millisecond for more. */
#define ROUNDS_MAX 3000

struct server {
    struct manual_clock clock;
    struct config config;
    struct worker worker;
    struct http_service *service;
    union address address;
    bool drained;
};

struct client {
    int fd;
    bool ended; /* the server closed, or reset */
    size_t len;
    char bytes[256 * 1024];
};

static char small_bytes[579];

static void pump(struct server *s)
{
    for (int i = 0; i < 20; i++)
        uv_run(&s->worker.loop.uv, UV_RUN_NOWAIT);
}

static void advance(struct server *s, uint64_t ms)
{
    pump(s);
    manual_clock_advance(&s->clock, ms);
    pump(s);
}

static int setup(void **state)
{
    struct server *s = calloc(1, sizeof *s);
    socklen_t len = sizeof s->address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!s || fd < 0 || !address_parse(SLICE("127.0.0.1"), 0, &s->address))
        return -1;
    manual_clock_init(&s->clock, WALL_MS);
    s->config = (struct config){
        .http_connections = 8, .http_peer_connections = 6, .http_head_s = 10, .http_idle_s = 60
    };
    s->worker = (struct worker){ .config = &s->config, .share = 1, .hash_seed = 7 };
    if (loop_open(&s->worker.loop, &s->clock.clock, NULL, s) != 0 ||
        bind(fd, &s->address.sa, address_length(&s->address)) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, &s->address.sa, &len) != 0 || http_service_open(&s->worker, fd, &s->service) != 0)
        return -1;
    memset(small_bytes, 'c', sizeof small_bytes);
    fake_small("y000000000028.cfg", slice_of(small_bytes, sizeof small_bytes));
    fake_small("empty.boot", SLICE(""));
    fake_add("link.cfg", TREE_FORBIDDEN);
    fake_add("dir", TREE_DIRECTORY);
    fake_add("io.cfg", TREE_BROKEN);
    *state = s;
    return 0;
}

static void finish(struct server *s)
{
    if (s->service)
        http_service_close(s->service);
    s->service = NULL;
    loop_close(&s->worker.loop);
    assert_int_equal(fake_held, 0);
}

static int teardown(void **state)
{
    struct server *s = *state;
    finish(s);
    fake_reset();
    free(s);
    return 0;
}

static struct client *dial(struct server *s, int receive_bytes)
{
    struct client *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes)
        assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes), 0);
    assert_int_equal(connect(c->fd, &s->address.sa, address_length(&s->address)), 0);
    return c;
}

static void hang_up(struct client *c)
{
    close(c->fd);
    free(c);
}

static void say(struct client *c, const char *text)
{
    assert_int_equal(send(c->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Takes what is there; true when something came. */
static bool hear(struct client *c)
{
    assert_true(c->len < sizeof c->bytes);
    ssize_t n = recv(c->fd, c->bytes + c->len, sizeof c->bytes - c->len, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        c->ended = true;
    c->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static struct slice heard(const struct client *c)
{
    return slice_of(c->bytes, c->len);
}

static void serve_one_round(struct server *s, struct client *c)
{
    struct pollfd ready = { .fd = c->fd, .events = POLLIN };
    pump(s);
    poll(&ready, 1, 1);
    hear(c);
}

/* Until `len` bytes are there or the server closes. */
static void hear_bytes(struct server *s, struct client *c, size_t len)
{
    for (int i = 0; i < ROUNDS_MAX && c->len < len && !c->ended; i++)
        serve_one_round(s, c);
    assert_true(c->len >= len);
}

static void hear_end(struct server *s, struct client *c)
{
    for (int i = 0; i < ROUNDS_MAX && !c->ended; i++)
        serve_one_round(s, c);
    assert_true(c->ended);
}

static bool has(const struct client *c, const char *text)
{
    return slice_find_text(heard(c), slice_str(text)) < c->len;
}

/* One whole answer with a body of `body` bytes; forgets it afterwards but for *ret_head. */
static int hear_answer(struct server *s, struct client *c, size_t body)
{
    size_t head = 0;
    for (int i = 0; i < ROUNDS_MAX && !head; i++) {
        size_t at = slice_find_text(heard(c), SLICE("\r\n\r\n"));
        if (at < c->len)
            head = at + 4;
        else
            serve_one_round(s, c);
    }
    assert_true(head > 13);
    hear_bytes(s, c, head + body);
    uint64_t status = 0;
    assert_true(slice_u64(slice_of(c->bytes + 9, 3), 100, 599, &status));
    return (int)status;
}

static void forget(struct client *c)
{
    c->len = 0;
}

/* A connection that says `text`, hears until the end, and is gone. */
static int ask(struct server *s, const char *text, struct client **ret_client)
{
    static struct client *last;
    uint64_t status = 0;
    if (last)
        hang_up(last);
    last = NULL;
    if (!text)
        return 0;
    last = dial(s, 0);
    say(last, text);
    hear_end(s, last);
    if (last->len > 12)
        assert_true(slice_u64(slice_of(last->bytes + 9, 3), 100, 599, &status));
    if (ret_client)
        *ret_client = last;
    return (int)status;
}

static const struct journal_event *only_event(void)
{
    assert_int_equal(fake_event_count, 1);
    fake_event_count = 0;
    return &fake_events[0];
}

static struct slice name_of(const struct journal_event *e)
{
    return slice_of(e->name, e->name_len);
}

#define TAIL " HTTP/1.1\r\nHost: h\r\nUser-Agent: Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50\r\n"
#define CLOSE "Connection: close\r\n\r\n"

static void a_phone_gets_its_file_and_the_journal_knows_it(void **state)
{
    struct server *s = *state;
    struct client *c;
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE, &c), 200);
    assert_true(has(c, "Content-Length: 579\r\n"));
    assert_true(has(c, "Content-Type: text/plain\r\n"));
    assert_true(has(c, "Server: dialtone\r\n"));
    assert_true(has(c, "Connection: close\r\n"));
    assert_true(has(c, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    assert_true(has(c, "Date: Sun, 22 Nov 2026 07:05:44 GMT\r\n"));
    assert_true(slice_ends(heard(c), slice_of(small_bytes, sizeof small_bytes)));
    const struct journal_event *e = only_event();
    assert_int_equal(e->protocol, PROTOCOL_HTTP);
    assert_int_equal(e->outcome, OUTCOME_SENT);
    assert_int_equal(e->code, 200);
    assert_int_equal(e->bytes, 579);
    assert_int_equal(e->wall_ms, WALL_MS);
    assert_slice(name_of(e), "/y000000000028.cfg");
    assert_slice(slice_of(e->agent, e->agent_len), "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50");
    ask(s, NULL, NULL);
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
        { "OPTIONS *" TAIL CLOSE, 405, OUTCOME_REFUSED, "*" },
        { "CONNECT h:80" TAIL CLOSE, 405, OUTCOME_REFUSED, "h:80" },
        { "BREW /x" TAIL CLOSE, 501, OUTCOME_REFUSED, "/x" },
        { "GET /y000000000028.cfg" TAIL "Content-Length: 2\r\n\r\nab", 413, OUTCOME_REFUSED, "/y000000000028.cfg" },
        { "GET /y000000000028.cfg" TAIL "Expect: x\r\n\r\n", 417, OUTCOME_REFUSED, "/y000000000028.cfg" },
        { "GET /x HTTP/3.0\r\n\r\n", 505, OUTCOME_REFUSED, "/x" },
        { "GET /y000000000028.cfg" TAIL "If-Match: \"x\"\r\n" CLOSE, 412, OUTCOME_REFUSED, "/y000000000028.cfg" },
        { "GET /y000000000028.cfg" TAIL "Range: bytes=579-\r\n" CLOSE, 416, OUTCOME_REFUSED, "/y000000000028.cfg" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client *c;
        int status = ask(s, cases[i].text, &c);
        if (status != cases[i].status)
            fail_msg("%d instead of %d: %s", status, cases[i].status, cases[i].text);
        assert_true(has(c, "Connection: close\r\n"));
        assert_true(status != 405 || has(c, "Allow: GET, HEAD\r\n"));
        assert_true(status != 416 || has(c, "Content-Range: bytes */579\r\n"));
        const struct journal_event *e = only_event();
        assert_int_equal(e->outcome, cases[i].outcome);
        assert_int_equal(e->code, status);
        assert_non_null(e->reason);
        assert_slice(name_of(e), cases[i].name);
    }
    ask(s, NULL, NULL);
}

static void r20_a_refused_head_ends_the_connection_and_nothing_behind_it_is_read(void **state)
{
    struct server *s = *state;
    struct client *c;
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "GET /y000000000028.cfg" TAIL "\r\n", &c), 400);
    assert_false(has(c, "200 OK"));
    assert_int_equal(only_event()->code, 400);
    assert_int_equal(ask(s, "GET /a HTTP/1.1\nHost: h\r\n\r\nGET /y000000000028.cfg" TAIL "\r\n", &c), 400);
    assert_false(has(c, "200 OK"));
    assert_slice(slice_str(only_event()->reason), "bad version");
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Content-Length: 5\r\n\r\nhello"
                            "GET /y000000000028.cfg" TAIL "\r\n", &c), 413);
    assert_false(has(c, "200 OK"));
    assert_int_equal(only_event()->code, 413);
    ask(s, NULL, NULL);
}

static void a_head_that_comes_byte_by_byte_is_answered_the_same(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *text;
        int status;
    } cases[] = { { "GET /y000000000028.cfg" TAIL CLOSE, 200 }, { "GET /a HTTP/1.1\r\nHost : h\r\n\r\n", 400 } };
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
    struct client *c;
    assert_int_equal(ask(s, "HEAD /y000000000028.cfg" TAIL CLOSE, &c), 200);
    assert_true(has(c, "Content-Length: 579\r\n"));
    assert_true(slice_ends(heard(c), SLICE("\r\n\r\n")));
    assert_int_equal(only_event()->bytes, 0);
    assert_int_equal(ask(s, "HEAD /nope" TAIL CLOSE, &c), 404);
    assert_true(slice_ends(heard(c), SLICE("\r\n\r\n")));
    assert_int_equal(ask(s, "GET /empty.boot" TAIL CLOSE, &c), 200);
    assert_true(has(c, "Content-Length: 0\r\n"));
    ask(s, NULL, NULL);
}

static void pipelined_requests_are_answered_in_order_on_one_connection(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, "GET /nope" TAIL "\r\nGET /y000000000028.cfg" TAIL "\r\nHEAD /dir" TAIL "\r\nGET /empty.boot" TAIL CLOSE);
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
    struct client *c;
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "If-None-Match: \"00000000000000ab\"\r\n" CLOSE, &c), 304);
    assert_true(slice_ends(heard(c), SLICE("\r\n\r\n")));
    assert_false(has(c, "Content-Length"));
    assert_true(has(c, "ETag: \"00000000000000ab\"\r\n"));
    assert_int_equal(only_event()->outcome, OUTCOME_UNCHANGED);
    /* A condition says nothing about a file that is not there. */
    assert_int_equal(ask(s, "GET /nope" TAIL "If-Match: *\r\n" CLOSE, NULL), 404);
    ask(s, NULL, NULL);
}

static void ranges_of_small_and_large_files(void **state)
{
    struct server *s = *state;
    struct client *c;
    fake_large("T46.rom", 300000);
    assert_int_equal(ask(s, "GET /T46.rom" TAIL "Range: bytes=251-752\r\n" CLOSE, &c), 206);
    assert_true(has(c, "Content-Range: bytes 251-752/300000\r\n"));
    assert_true(has(c, "Content-Length: 502\r\n"));
    assert_int_equal(c->bytes[c->len - 502], 1);
    assert_int_equal(c->bytes[c->len - 1], 2);
    assert_int_equal(only_event()->bytes, 502);
    assert_int_equal(ask(s, "GET /T46.rom" TAIL "Range: bytes=0-0,251-251,299999-\r\n" CLOSE, &c), 206);
    assert_true(has(c, "Content-Type: multipart/byteranges; boundary="));
    assert_true(has(c, "Content-Range: bytes 299999-299999/300000\r\n\r\n\xab\r\n--"));
    assert_true(slice_ends(heard(c), SLICE("--\r\n")));
    assert_int_equal(only_event()->bytes, 3);
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Range: bytes=0-1,5-9\r\n" CLOSE, &c), 206);
    assert_true(has(c, "Content-Range: bytes 5-9/579\r\n\r\nccccc\r\n--"));
    /* R21: past the bounds, the whole file. */
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL "Range: bytes=0-,0-\r\n" CLOSE, &c), 200);
    ask(s, NULL, NULL);
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

static void r12_a_head_must_be_whole_in_time_however_it_drips(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, "GET /slow HTTP/1.1\r\nX: ");
    for (int second = 0; second < 9; second++) {
        advance(s, 1000);
        say(c, "a");
        pump(s);
        hear(c);
        assert_int_equal(c->len, 0);
    }
    assert_false(c->ended);
    advance(s, 1100);
    hear_end(s, c);
    assert_int_equal(hear_answer(s, c, 0), 408);
    const struct journal_event *e = only_event();
    assert_int_equal(e->code, 408);
    assert_int_equal(e->outcome, OUTCOME_REFUSED);
    assert_true(e->duration_ms >= 10000 && e->duration_ms < 10200);
    assert_slice(name_of(e), "/slow");
    hang_up(c);
}

static void r12_an_idle_connection_ends_quietly_after_a_minute(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, "GET /y000000000028.cfg" TAIL "\r\n");
    hear_answer(s, c, 579);
    forget(c);
    advance(s, 59000);
    hear(c);
    assert_false(c->ended);
    /* The next head has its own ten seconds from its first byte. */
    say(c, "GET /nope");
    advance(s, 9000);
    say(c, TAIL "\r\n");
    assert_int_equal(hear_answer(s, c, 22), 404);
    forget(c);
    advance(s, 61000);
    hear_end(s, c);
    assert_int_equal(c->len, 0);
    assert_int_equal(fake_event_count, 2);
    hang_up(c);
}

static void r12_a_reader_that_takes_nothing_is_cut(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    fake_large("T46.rom", 20000000);
    say(c, "GET /T46.rom" TAIL "\r\n");
    hear_bytes(s, c, 1000);
    /* The first check may still see what went into the socket buffers. */
    advance(s, HTTP_SEND_CHECK_S * 1000 + 100);
    advance(s, HTTP_SEND_CHECK_S * 1000 + 100);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_slice(slice_str(e->reason), "took too little for too long");
    assert_int_equal(fake_held, 0);
    hang_up(c);
}

static void r12_a_slow_reader_above_the_floor_is_served_to_the_end(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    fake_large("T46.rom", 8000000);
    say(c, "GET /T46.rom" TAIL CLOSE);
    size_t total = 0;
    for (int round = 0; round < 8 && !c->ended; round++) {
        for (size_t taken = 0; taken < 2 * HTTP_SEND_FLOOR_BYTES && !c->ended; taken += c->len) {
            forget(c);
            serve_one_round(s, c);
            total += c->len;
        }
        advance(s, HTTP_SEND_CHECK_S * 1000);
        assert_int_equal(fake_event_count, 0);
    }
    assert_true(total > 8 * HTTP_SEND_FLOOR_BYTES);
    hang_up(c);
}

static void r11_the_oldest_idle_or_unfinished_connection_makes_room(void **state)
{
    struct server *s = *state;
    struct client *c[9];
    s->config.http_peer_connections = 100;
    for (size_t i = 0; i < 8; i++) {
        c[i] = dial(s, 0);
        say(c[i], i == 1 ? "GET /unfinished HTTP/1.1\r\n" : "GET /y000000000028.cfg" TAIL "\r\n");
        if (i == 1)
            advance(s, 10);
        else
            hear_answer(s, c[i], 579);
    }
    fake_event_count = 0;
    c[8] = dial(s, 0);
    say(c[8], "GET /another HTTP/1.1\r\n");
    hear_end(s, c[0]); /* idle for longest: quietly */
    assert_int_equal(fake_event_count, 0);
    say(c[8], "Host: h\r\n\r\n");
    hear_answer(s, c[8], 22);
    hang_up(c[0]);
    c[0] = dial(s, 0);
    fake_event_count = 0;
    say(c[0], "GET /y000000000028.cfg" TAIL "\r\n");
    assert_int_equal(hear_answer(s, c[0], 579), 200);
    hear_end(s, c[1]); /* unfinished for longest: told so */
    assert_int_equal(hear_answer(s, c[1], 0), 503);
    assert_int_equal(fake_event_count, 2);
    for (size_t i = 0; i < 9; i++)
        hang_up(c[i]);
}

static void r11_a_table_full_of_transfers_still_answers(void **state)
{
    struct server *s = *state;
    struct client *c[8], *late;
    s->config.http_peer_connections = 100;
    fake_large("T46.rom", 20000000);
    for (size_t i = 0; i < 8; i++) {
        c[i] = dial(s, 4096);
        say(c[i], "GET /T46.rom" TAIL "\r\n");
        hear_bytes(s, c[i], 1000);
    }
    late = dial(s, 0);
    say(late, "GET /T46.rom" TAIL "\r\n");
    hear_answer(s, late, 0);
    assert_true(has(late, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(has(late, "Retry-After: "));
    hear_end(s, late);
    hang_up(late);
    late = dial(s, 0);
    say(late, "GET /half HTTP/1.1\r\n");
    hear_end(s, late);
    assert_true(has(late, "HTTP/1.1 503 Service Unavailable\r\n"));
    hang_up(late);
    /* What needs no slot is served as ever. */
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE, NULL), 200);
    ask(s, NULL, NULL);
    for (size_t i = 0; i < 8; i++)
        hang_up(c[i]);
}

static void r11_one_address_has_its_share_and_no_more(void **state)
{
    struct server *s = *state;
    struct client *c[6], *late;
    for (size_t i = 0; i < 6; i++) {
        c[i] = dial(s, 0);
        say(c[i], "GET /half HTTP/1.1\r\n");
        pump(s);
    }
    late = dial(s, 0);
    say(late, "GET /half HTTP/1.1\r\n");
    hear_end(s, late);
    assert_int_equal(hear_answer(s, late, 0), 503);
    assert_int_equal(only_event()->code, 503);
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE, NULL), 200);
    ask(s, NULL, NULL);
    hang_up(late);
    hang_up(c[0]);
    pump(s);
    late = dial(s, 0);
    say(late, "GET /y000000000028.cfg" TAIL "\r\n");
    assert_int_equal(hear_answer(s, late, 579), 200);
    hang_up(late);
    for (size_t i = 1; i < 6; i++)
        hang_up(c[i]);
}

static void an_answer_is_not_lost_to_a_reset_when_the_peer_still_sends(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    static char more[60000];
    say(c, "PUT /x" TAIL "Content-Length: 1000000\r\n\r\n");
    pump(s);
    for (int i = 0; i < 3; i++) {
        assert_true(send(c->fd, more, sizeof more, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
        pump(s);
    }
    assert_int_equal(hear_answer(s, c, 0), 405);
    hear_end(s, c);
    assert_int_equal(recv(c->fd, more, 1, MSG_DONTWAIT), 0); /* the end, no reset */
    advance(s, HTTP_LINGER_S * 1000 + 100);
    hang_up(c);
}

static void on_drained(void *context)
{
    struct server *s = context;
    assert_false(s->drained);
    s->drained = true;
}

static void draining_finishes_transfers_and_closes_idle_connections(void **state)
{
    struct server *s = *state;
    struct client *idle = dial(s, 0), *half = dial(s, 0), *busy = dial(s, 0);
    size_t total = 0;
    fake_large("T46.rom", 20000000);
    say(idle, "GET /y000000000028.cfg" TAIL "\r\n");
    hear_answer(s, idle, 579);
    say(half, "GET /half");
    pump(s);
    say(busy, "GET /T46.rom" TAIL CLOSE);
    hear_bytes(s, busy, 1000);
    http_service_drain(s->service, on_drained, s);
    hear_end(s, idle);
    hear_end(s, half);
    assert_int_equal(hear_answer(s, half, 0), 503);
    assert_int_equal(fake_event_count, 2);
    assert_int_equal(fake_held, 1);
    assert_false(s->drained);
    for (int i = 0; i < ROUNDS_MAX && !busy->ended; i++) {
        total += busy->len;
        forget(busy);
        serve_one_round(s, busy);
    }
    assert_true(busy->ended && total + busy->len > 20000000);
    pump(s);
    assert_true(s->drained);
    assert_int_equal(fake_event_count, 3);
    hang_up(idle);
    hang_up(half);
    hang_up(busy);
}

static void closing_lets_go_of_everything_under_way(void **state)
{
    struct server *s = *state;
    struct client *busy = dial(s, 4096), *half = dial(s, 0);
    fake_large("T46.rom", 20000000);
    say(busy, "GET /T46.rom" TAIL "\r\n");
    hear_bytes(s, busy, 1000);
    say(half, "GET /half");
    pump(s);
    http_service_close(s->service);
    s->service = NULL;
    assert_int_equal(fake_held, 0);
    assert_int_equal(fake_event_count, 2);
    hang_up(busy);
    hang_up(half);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_phone_gets_its_file_and_the_journal_knows_it),
        test(every_refusal_has_its_status_and_its_event),
        test(r20_a_refused_head_ends_the_connection_and_nothing_behind_it_is_read),
        test(a_head_that_comes_byte_by_byte_is_answered_the_same),
        test(head_has_the_headers_and_no_body),
        test(pipelined_requests_are_answered_in_order_on_one_connection),
        test(three_hundred_pipelined_requests_to_a_reader_that_waits_all_come),
        test(a_kept_connection_serves_again_and_an_http_1_0_client_may_keep_one),
        test(a_copy_that_is_still_good_is_not_sent_again),
        test(ranges_of_small_and_large_files),
        test(a_large_file_comes_whole_through_a_narrow_reader),
        test(a_file_that_changes_on_its_way_breaks_off_short_and_the_journal_says_why),
        test(a_file_that_shrank_breaks_off_short),
        test(a_phone_that_goes_away_in_the_middle_is_stopped_and_nothing_is_held),
        test(r12_a_head_must_be_whole_in_time_however_it_drips),
        test(r12_an_idle_connection_ends_quietly_after_a_minute),
        test(r12_a_reader_that_takes_nothing_is_cut),
        test(r12_a_slow_reader_above_the_floor_is_served_to_the_end),
        test(r11_the_oldest_idle_or_unfinished_connection_makes_room),
        test(r11_a_table_full_of_transfers_still_answers),
        test(r11_one_address_has_its_share_and_no_more),
        test(an_answer_is_not_lost_to_a_reset_when_the_peer_still_sends),
        test(draining_finishes_transfers_and_closes_idle_connections),
        test(closing_lets_go_of_everything_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
