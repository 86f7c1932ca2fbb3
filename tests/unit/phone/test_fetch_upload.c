/* Uploads by HTTP. FTP and TFTP go against real servers in tests/flow/life.py. */
#include "tests/unit/phone/bench.h"

#include <stdio.h>

/* Takes head and body of each request, gives the next answer of a list, then the connection ends. */
static void say_next(struct tcp_peer *p)
{
    struct tcp_server *s = p->server;
    const char *const *answers = s->script;
    struct slice said = slice_of(p->said, p->said_len);
    size_t head = slice_find_text(said, SLICE("\r\n\r\n"));
    struct slice length = slice_from(said, slice_find_text(said, SLICE("Content-Length: ")));
    uint64_t body = 0;
    if (head == said.len)
        return;
    if (length.len) {
        length = slice_from(length, sizeof "Content-Length: " - 1);
        assert_true(slice_u64(slice_first(length, slice_find(length, '\r')), 0, 100000, &body));
    }
    if (said.len < head + 4 + body)
        return;
    p->said_len = 0;
    if (answers[s->step])
        tcp_say(p, slice_str(answers[s->step++]));
    tcp_hang_up(p);
}

static struct tcp_server *http(struct bench *b, const char *const *answers)
{
    return tcp_server_open(b, &(struct tcp_server){ .on_heard = say_next, .script = answers });
}

static void upload(struct bench *b, enum transport_verb verb, const char *body, unsigned port)
{
    b->request.verb = verb;
    b->request.body = slice_str(body);
    bench_fetch(b, "http://127.0.0.1:%u/00156574b150-local.cfg", port);
}

static void the_body_goes_as_it_is_by_put_and_by_post(void **state)
{
    struct bench *b = *state;
    static const struct {
        enum transport_verb verb;
        const char *word;
    } rows[] = { { TRANSPORT_PUT, "PUT" }, { TRANSPORT_POST, "POST" } };
    static const char *const answers[] = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", NULL };
    for (size_t i = 0; i < 2; i++) {
        struct tcp_server *s = http(b, answers);
        char wanted[512];
        upload(b, rows[i].verb, "a = 1\nb = 2\n", s->port);
        assert_fetched(b, FETCH_GOT, "", "");
        snprintf(wanted, sizeof wanted, "%s /00156574b150-local.cfg HTTP/1.1\r\n", rows[i].word);
        assert_memory_equal(s->heard, wanted, strlen(wanted));
        assert_non_null(strstr(s->heard, "Content-Type: application/octet-stream\r\n"));
        assert_non_null(strstr(s->heard, "Content-Length: 12\r\n"));
        assert_non_null(strstr(s->heard, "User-Agent: Yealink SIP-T46S"));
        assert_non_null(strstr(s->heard, "\r\n\r\na = 1\nb = 2\n"));
        assert_null(strstr(s->heard, "Expect"));
    }
}

static void what_the_server_says_decides(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *answer;
        enum fetch_outcome outcome;
        const char *why;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstored", FETCH_GOT, "" },
        { "HTTP/1.1 204 No Content\r\n\r\n", FETCH_GOT, "" },
        { "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", FETCH_ABSENT, "HTTP 403" },
        { "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", FETCH_ABSENT, "HTTP 404" },
        { "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n", FETCH_FAILED, "HTTP 307" },
        { "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n", FETCH_FAILED, "HTTP 405" },
        { "HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n", FETCH_FAILED, "HTTP 507" },
        { "", FETCH_FAILED, "the server closed the connection without an answer" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const answers[] = { rows[i].answer, NULL };
        struct tcp_server *s = http(b, answers);
        upload(b, TRANSPORT_PUT, "x", s->port);
        assert_fetched(b, rows[i].outcome, "", rows[i].why);
        tcp_server_stop(s);
    }
}

static void a_login_is_answered_and_the_whole_body_sent_again(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = {
        "HTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", NULL
    };
    for (int verb = TRANSPORT_PUT; verb <= TRANSPORT_POST; verb++) {
        struct tcp_server *s = http(b, answers);
        b->request.user = SLICE("paul");
        b->request.password = SLICE("secret");
        upload(b, (enum transport_verb)verb, "the whole body", s->port);
        assert_fetched(b, FETCH_GOT, "", "");
        assert_int_equal(s->connections, 2);
        assert_non_null(strstr(s->heard, "Authorization: Digest username=\"paul\""));
        const char *last = strstr(s->heard, "Authorization:");
        assert_non_null(strstr(last, "\r\n\r\nthe whole body"));
    }
}

static void after_an_upload_a_download_is_one(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
                                           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL };
    for (int verb = TRANSPORT_PUT; verb <= TRANSPORT_POST; verb++) {
        struct tcp_server *s = http(b, answers);
        upload(b, (enum transport_verb)verb, "body", s->port);
        s->heard_len = 0;
        b->request.verb = TRANSPORT_GET;
        b->request.body = SLICE_NONE;
        bench_fetch(b, "http://127.0.0.1:%u/a.cfg", s->port);
        assert_fetched(b, FETCH_GOT, "hello", "");
        assert_memory_equal(s->heard, "GET /a.cfg HTTP/1.1\r\n", 21);
        assert_null(strstr(s->heard, "Content-"));
        assert_null(strstr(s->heard, "Expect"));
    }
}

static void an_empty_file_and_a_large_one_arrive_whole(void **state)
{
    struct bench *b = *state;
    static const char *const answers[] = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", NULL };
    static char large[12000];
    memset(large, 'x', sizeof large - 1);
    struct tcp_server *s = http(b, answers);
    upload(b, TRANSPORT_PUT, "", s->port);
    assert_fetched(b, FETCH_GOT, "", "");
    assert_non_null(strstr(s->heard, "Content-Length: 0\r\n"));
    s = http(b, answers);
    upload(b, TRANSPORT_PUT, large, s->port);
    assert_fetched(b, FETCH_GOT, "", "");
    assert_non_null(strstr(s->heard, large));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(the_body_goes_as_it_is_by_put_and_by_post),
        test_with_bench(what_the_server_says_decides),
        test_with_bench(a_login_is_answered_and_the_whole_body_sent_again),
        test_with_bench(after_an_upload_a_download_is_one),
        test_with_bench(an_empty_file_and_a_large_one_arrive_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
