#include "tests/unit/phone/bench.h"

#include <stdio.h>

/* HTTP: every request gets the next answer of a list, then the connection ends. */

static void say_next(struct tcp_peer *p)
{
    struct tcp_server *s = p->server;
    const char *const *answers = s->script;
    struct slice head;
    if (!tcp_take_head(p, &head))
        return;
    if (answers[s->step])
        tcp_say(p, slice_str(answers[s->step++]));
    tcp_hang_up(p);
}

static struct tcp_server *http(struct bench *b, const char *const *answers)
{
    return tcp_server_open(b, &(struct tcp_server){ .on_heard = say_next, .script = answers });
}

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* Answers with the text that `script` is and stays connected. */
static void say_and_stay(struct tcp_peer *p)
{
    struct slice head;
    if (tcp_take_head(p, &head) && p->server->script)
        tcp_say(p, slice_str(p->server->script));
}

static void a_request_carries_the_headers_of_a_phone_and_no_other(void **state)
{
    struct bench *b = *state;
    char wanted[512];
    static const char *const answers[] = { OK_HELLO, NULL };
    struct tcp_server *s = http(b, answers);
    bench_fetch(b, "http://127.0.0.1:%u/HTTP Directory/T46S(1),[a]$.cfg?x=1 2", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    snprintf(wanted, sizeof wanted,
             "GET /HTTP%%20Directory/T46S(1),%%5Ba%%5D$.cfg?x=1%%202 HTTP/1.1\r\n"
             "Host: 127.0.0.1:%u\r\n"
             "User-Agent: Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50\r\n"
             "Accept: */*\r\n"
             "Connection: close\r\n\r\n",
             s->port);
    assert_string_equal(s->heard, wanted);
}

static void a_phone_without_a_user_agent_sends_none(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = { OK_HELLO, OK_HELLO, NULL };
    struct tcp_server *s = http(b, answers);
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    s->heard_len = 0;
    b->request.user_agent = SLICE_NONE;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_null(strstr(s->heard, "User-Agent"));
    assert_int_equal(s->connections, 2);
}

static void statuses_are_files_absences_and_failures(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *answer;
        enum fetch_outcome outcome;
        const char *bytes, *why;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", FETCH_GOT, "", "" },
        { "HTTP/1.0 200 OK\r\n\r\nto the end", FETCH_GOT, "to the end", "" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", FETCH_GOT, "abc", "" },
        { "HTTP/1.1 100 Continue\r\n\r\n" OK_HELLO, FETCH_GOT, "hello", "" },
        { "HTTP/1.1 204 None\r\n\r\n", FETCH_FAILED, "", "HTTP 204" },
        { "HTTP/1.1 206 Part\r\nContent-Length: 2\r\n\r\nxx", FETCH_FAILED, "", "HTTP 206" },
        { "HTTP/1.1 304 Same\r\n\r\n", FETCH_FAILED, "", "HTTP 304" },
        { "HTTP/1.1 302 Nowhere\r\nContent-Length: 2\r\n\r\nxx", FETCH_FAILED, "", "HTTP 302" },
        { "HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nxx", FETCH_FAILED, "", "HTTP 400" },
        { "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nxx", FETCH_FAILED, "",
          "HTTP 401: asks for a user name and password" },
        { "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nxx", FETCH_ABSENT, "", "HTTP 403" },
        { "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nxx", FETCH_ABSENT, "", "HTTP 404" },
        { "HTTP/1.1 410 No\r\nContent-Length: 2\r\n\r\nxx", FETCH_ABSENT, "", "HTTP 410" },
        { "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nxx", FETCH_FAILED, "", "HTTP 500" },
        { "HTTP/1.1 503 Oh\r\nContent-Length: 2\r\n\r\nxx", FETCH_FAILED, "", "HTTP 503" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", FETCH_FAILED, "",
          "the connection broke off in the middle of the file" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", FETCH_FAILED, "",
          "the connection broke off in the middle of the file" },
        { "", FETCH_FAILED, "", "the server closed the connection without an answer" },
        { "220 FTP ready\r\n", FETCH_FAILED, "", "the answer is not of this protocol" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const answers[] = { cases[i].answer, NULL };
        struct tcp_server *s = http(b, answers);
        bench_fetch(b, "http://127.0.0.1:%u/case-%zu", s->port, i);
        assert_fetched(b, cases[i].outcome, cases[i].bytes, cases[i].why);
        assert_int_equal(s->connections, 1);
    }
}

static unsigned times(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static void basic_credentials_are_tried_once(void **state)
{
    struct bench *b = *state;
    static const char no[] =
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 2\r\n\r\nxx";
    static const char *const answers[] = { no, OK_HELLO, no, no, OK_HELLO, NULL };
    struct tcp_server *s = http(b, answers);
    b->request.user = SLICE("test1");
    b->request.password = SLICE("123456");
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "\r\nAuthorization: Basic dGVzdDE6MTIzNDU2\r\n"));
    s->heard_len = 0;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_FAILED, "", "HTTP 401: user name or password not accepted");
    assert_int_equal(times(s->heard, "\r\nAuthorization: "), 1);
}

static void digest_credentials_are_tried_once(void **state)
{
    struct bench *b = *state;
    static const char no[] =
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\", qop=\"auth\"\r\n"
        "Content-Length: 0\r\n\r\n";
    static const char *const answers[] = { no, OK_HELLO, no, no, OK_HELLO, NULL };
    struct tcp_server *s = http(b, answers);
    b->request.user = SLICE("test1");
    b->request.password = SLICE("123456");
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "Authorization: Digest username=\"test1\""));
    assert_null(strstr(s->heard, "Basic"));
    s->heard_len = 0;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_FAILED, "", "HTTP 401: user name or password not accepted");
    assert_int_equal(times(s->heard, "\r\nAuthorization: "), 1);
}

static void credentials_of_the_url_win_and_do_not_outlive_it(void **state)
{
    struct bench *b = *state;
    static const char no[] =
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    static const char *const answers[] = { no, OK_HELLO, no, NULL };
    struct tcp_server *s = http(b, answers);
    b->request.user = SLICE("other");
    b->request.password = SLICE("other");
    bench_fetch(b, "http://te%%40st:1%%3A2@127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "Authorization: Basic dGVAc3Q6MToy\r\n")); /* te@st:1:2 */
    b->request.user = b->request.password = SLICE_NONE;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_FAILED, "", "HTTP 401: asks for a user name and password");
    bench_fetch(b, "http://a%%0ab:c@127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "not a URL that can be fetched");
}

static void R24_redirects_are_followed_and_credentials_stay_behind(void **state)
{
    struct bench *b = *state;
    static const char no[] =
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    static const char *const there[] = { OK_HELLO, NULL };
    char moved[256];
    struct tcp_server *other = http(b, there);
    snprintf(moved, sizeof moved,
             "HTTP/1.1 302 Moved\r\nLocation: http://localhost:%u/b\r\nContent-Length: 2\r\n\r\nxx",
             other->port);
    const char *const answers[] = { no, moved, NULL };
    struct tcp_server *s = http(b, answers);
    b->request.user = SLICE("test1");
    b->request.password = SLICE("123456");
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "Authorization"));
    assert_null(strstr(other->heard, "Authorization"));
}

static void R24_five_redirects_are_enough(void **state)
{
    struct bench *b = *state;
    static const char on[] = "HTTP/1.1 301 On\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    static const char *const five[] = { on, on, on, on, on, OK_HELLO, NULL };
    static const char *const six[] = { on, on, on, on, on, on, OK_HELLO, NULL };
    struct tcp_server *s = http(b, five);
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    s = http(b, six);
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_FAILED, "", "more than 5 redirects");
    assert_int_equal(s->connections, 6);
}

static void R24_a_redirect_leads_to_http_and_https_only(void **state)
{
    struct bench *b = *state;
    static const char *const targets[] = { "file:///etc/passwd", "ftp://127.0.0.1/x", "tftp://127.0.0.1/x",
                                           "gopher://127.0.0.1/x" };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char moved[256];
        snprintf(moved, sizeof moved, "HTTP/1.1 302 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                 targets[i]);
        const char *const answers[] = { moved, NULL };
        struct tcp_server *s = http(b, answers);
        bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
        assert_fetched(b, FETCH_REFUSED, "", "redirected to what is neither http nor https");
    }
}

static void a_file_over_the_limit_is_refused_announced_or_not(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        OK_HELLO,
        "HTTP/1.0 200 OK\r\n\r\nx",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        NULL
    };
    struct tcp_server *s = http(b, answers);
    b->request.limit = 4;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 4 bytes");
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 4 bytes");
    b->request.limit = 5;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    b->request.limit = 0;
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 0 bytes");
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "", "");
}

static void large_files_come_whole_and_discarded_ones_leave_nothing(void **state)
{
    struct bench *b = *state;
    const size_t len = 300000;
    char *answer = malloc(len + 100);
    assert_non_null(answer);
    int head = snprintf(answer, 100, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    for (size_t i = 0; i < len; i++)
        answer[(size_t)head + i] = (char)('a' + i % 23);
    answer[(size_t)head + len] = '\0';
    const char *const answers[] = { answer, answer, NULL };
    struct tcp_server *s = http(b, answers);
    bench_fetch(b, "http://127.0.0.1:%u/a.rom", s->port);
    assert_fetched(b, FETCH_GOT, answer + head, "");
    b->request.discard = true;
    bench_fetch(b, "http://127.0.0.1:%u/a.rom", s->port);
    assert_fetched(b, FETCH_GOT, "", "");
    free(answer);
}

static void a_silent_server_is_a_failure(void **state)
{
    struct bench *b = *state;
    static const char *const partial[] = { NULL, "HTTP/1.1 200 OK\r\n",
                                           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel" };
    for (size_t i = 0; i < 3; i++) {
        struct tcp_server *s =
            tcp_server_open(b, &(struct tcp_server){ .on_heard = say_and_stay, .script = partial[i] });
        unsigned before = b->done;
        bench_start(b, "http://127.0.0.1:%u/a", s->port);
        for (int round = 0; round < 100 && s->heard_len == 0; round++)
            uv_run(&b->loop.uv, UV_RUN_ONCE);
        for (int round = 0; round < 5; round++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        manual_clock_advance(&b->clock, 4900);
        uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        assert_int_equal(b->done, before);
        manual_clock_advance(&b->clock, 200);
        bench_run_until(b, &b->done, before + 1);
        assert_fetched(b, FETCH_FAILED, "", "no answer within 5 s");
    }
}

/* One more byte every time, three seconds apart, sixty seconds in all. */
struct drip {
    uv_timer_t timer;
    struct tcp_peer *peer;
    unsigned left;
};

static void on_drip(uv_timer_t *timer)
{
    struct drip *d = timer->data;
    manual_clock_advance(&d->peer->server->bench->clock, 3000);
    tcp_say(d->peer, SLICE("x"));
    if (--d->left == 0) {
        uv_timer_stop(timer);
        tcp_hang_up(d->peer);
    }
}

static void drip(struct tcp_peer *p)
{
    struct slice head;
    struct drip *d = (struct drip *)p->server->script;
    if (!tcp_take_head(p, &head))
        return;
    tcp_say(p, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"));
    d->peer = p;
    uv_timer_start(&d->timer, on_drip, 2, 2);
}

static void a_transfer_that_goes_on_is_never_cut(void **state)
{
    struct bench *b = *state;
    static struct drip d;
    d.left = 20;
    uv_timer_init(&b->loop.uv, &d.timer);
    d.timer.data = &d;
    struct tcp_server *s = tcp_server_open(b, &(struct tcp_server){ .on_heard = drip, .script = &d });
    bench_fetch(b, "http://127.0.0.1:%u/a.rom", s->port);
    uv_close((uv_handle_t *)&d.timer, NULL);
    assert_fetched(b, FETCH_GOT, "xxxxxxxxxxxxxxxxxxxx", "");
    assert_true(b->clock.now_ms >= 60000);
}

static void a_refused_connection_says_so(void **state)
{
    struct bench *b = *state;
    static const char *const schemes[] = { "http", "https", "ftp" };
    struct tcp_server *s = tcp_server_open(b, &(struct tcp_server){ 0 });
    tcp_server_stop(s);
    uv_run(&b->loop.uv, UV_RUN_NOWAIT);
    for (size_t i = 0; i < 3; i++) {
        bench_fetch(b, "%s://127.0.0.1:%u/a", schemes[i], s->port);
        assert_fetched(b, FETCH_FAILED, "", "connection refused");
    }
}

static void a_host_that_does_not_exist_says_so(void **state)
{
    struct bench *b = *state;
    b->request.timeout_ms = 600000;
    bench_fetch(b, "http://nobody.invalid/a");
    assert_fetched(b, FETCH_FAILED, "", "host name not found");
}

static void proxies_of_the_environment_count_for_nothing(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = { OK_HELLO, NULL };
    struct tcp_server *s = http(b, answers);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_fetched(b, FETCH_GOT, "hello", "");
}

static void cookies_are_neither_kept_nor_sent(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = {
        "HTTP/1.1 302 On\r\nSet-Cookie: a=b\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", OK_HELLO, OK_HELLO,
        NULL
    };
    struct tcp_server *s = http(b, answers);
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    bench_fetch(b, "http://127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_null(strstr(s->heard, "Cookie"));
}

static void cancelling_at_any_moment_stays_silent(void **state)
{
    struct bench *b = *state;
    struct tcp_server *s =
        tcp_server_open(b, &(struct tcp_server){ .on_heard = say_and_stay,
                                                 .script = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel" });
    for (unsigned rounds = 0; rounds < 10; rounds++) {
        bench_start(b, "http://127.0.0.1:%u/a", s->port);
        for (unsigned i = 0; i < rounds; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        b->transport->cancel(b->transport);
        b->transport->cancel(b->transport);
        manual_clock_advance(&b->clock, 10000);
        for (unsigned i = 0; i < 5; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        assert_int_equal(b->done, 0);
    }
    bench_start(b, "file:///etc/passwd");
    b->transport->cancel(b->transport);
    bench_start(b, "http://nobody.invalid/");
    uv_run(&b->loop.uv, UV_RUN_NOWAIT);
    /* A resolver that is as quick as this has said no already. */
    unsigned done = b->done;
    b->transport->cancel(b->transport);
    for (unsigned i = 0; i < 5; i++)
        uv_run(&b->loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(b->done, done);
}

static void closing_at_any_moment_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned rounds = 0; rounds < 10; rounds++) {
        struct bench *b = bench_new();
        struct tcp_server *s = tcp_server_open(
            b, &(struct tcp_server){ .on_heard = say_and_stay,
                                     .script = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel" });
        bench_start(b, "http://127.0.0.1:%u/a", s->port);
        for (unsigned i = 0; i < rounds; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        b->transport->close(b->transport);
        b->transport = NULL;
        for (unsigned i = 0; i < 5; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        assert_int_equal(b->done, 0);
        bench_free(b);
    }
}

static void close_from_done(struct bench *b)
{
    b->transport->close(b->transport);
    b->transport = NULL;
    loop_stop(&b->loop);
}

static void done_may_close_the_transport(void **state)
{
    (void)state;
    for (int bad = 0; bad < 2; bad++) {
        struct bench *b = bench_new();
        static const char *const answers[] = { OK_HELLO, NULL };
        struct tcp_server *s = http(b, answers);
        b->when_done = close_from_done;
        bench_fetch(b, "%s://127.0.0.1:%u/a", bad ? "file" : "http", s->port);
        assert_int_equal(b->outcome, bad ? FETCH_REFUSED : FETCH_GOT);
        bench_free(b);
    }
}

static void start_from_done(struct bench *b)
{
    if (b->done == 20)
        loop_stop(&b->loop);
    else
        bench_start(b, "http://127.0.0.1:%u/a", b->tcp_servers->port);
}

static void done_may_start_the_next_request(void **state)
{
    struct bench *b = *state;
    const char *answers[21] = { NULL };
    for (int i = 0; i < 20; i++)
        answers[i] = OK_HELLO;
    struct tcp_server *s = http(b, answers);
    b->when_done = start_from_done;
    bench_start(b, "http://127.0.0.1:%u/a", s->port);
    bench_run(b);
    assert_int_equal(b->done, 20);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_int_equal(s->connections, 20);
}

static void ipv6_hosts_work(void **state)
{
    struct bench *b = *state;
    bench_fetch(b, "http://[::1]:1/a");
    assert_int_equal(b->outcome, FETCH_FAILED); /* refused, or no IPv6 here: but understood */
    bench_fetch(b, "tftp://[::1]:1/");
    assert_fetched(b, FETCH_REFUSED, "", "not a URL that can be fetched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(a_request_carries_the_headers_of_a_phone_and_no_other),
        test_with_bench(a_phone_without_a_user_agent_sends_none),
        test_with_bench(statuses_are_files_absences_and_failures),
        test_with_bench(basic_credentials_are_tried_once),
        test_with_bench(digest_credentials_are_tried_once),
        test_with_bench(credentials_of_the_url_win_and_do_not_outlive_it),
        test_with_bench(R24_redirects_are_followed_and_credentials_stay_behind),
        test_with_bench(R24_five_redirects_are_enough),
        test_with_bench(R24_a_redirect_leads_to_http_and_https_only),
        test_with_bench(a_file_over_the_limit_is_refused_announced_or_not),
        test_with_bench(large_files_come_whole_and_discarded_ones_leave_nothing),
        test_with_bench(a_silent_server_is_a_failure),
        test_with_bench(a_transfer_that_goes_on_is_never_cut),
        test_with_bench(a_refused_connection_says_so),
        test_with_bench(a_host_that_does_not_exist_says_so),
        test_with_bench(proxies_of_the_environment_count_for_nothing),
        test_with_bench(cookies_are_neither_kept_nor_sent),
        test_with_bench(cancelling_at_any_moment_stays_silent),
        cmocka_unit_test(closing_at_any_moment_leaves_nothing_behind),
        cmocka_unit_test(done_may_close_the_transport),
        test_with_bench(done_may_start_the_next_request),
        test_with_bench(ipv6_hosts_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
