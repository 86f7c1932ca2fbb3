#include "tests/unit/phone/bench.h"

#include <stdio.h>

/* An FTP server for one file: a reply a verb; PASV, SIZE and RETR as the fields say. */
struct ftp_script {
    struct slice file;
    const char *greeting; /* NULL: the usual one */
    const char *pass;     /* reply to the first PASS; NULL: 230 */
    const char *size;     /* reply to SIZE; NULL: 213 and the length */
    const char *retr;     /* reply to RETR instead of the file */
    size_t cut;           /* bytes that do not come */
    bool silent_end;      /* no 226 */
    /* Of the data connection. */
    struct tcp_server *data;
    struct tcp_peer *waiting; /* the control connection whose RETR waits for a data connection */
    unsigned passes;
};

static void say(struct tcp_peer *p, const char *text)
{
    tcp_say(p, slice_str(text));
}

static void greet(struct tcp_peer *p)
{
    const struct ftp_script *f = p->server->script;
    say(p, f->greeting ? f->greeting : "220 ready\r\n");
}

static void send_file(struct ftp_script *f)
{
    struct tcp_peer *data = f->data->peers;
    if (!f->waiting || !data)
        return;
    say(f->waiting, "150 here it comes\r\n");
    tcp_say(data, slice_first(f->file, f->file.len - f->cut));
    if (!f->silent_end)
        say(f->waiting, f->cut ? "426 broke off\r\n" : "226 done\r\n");
    tcp_hang_up(data);
    f->waiting = NULL;
}

static void on_data_peer(struct tcp_peer *p)
{
    send_file((struct ftp_script *)p->server->script);
}

/* The address is a lie: whoever believes it connects to nobody (security.md R8). */
static void answer_pasv(struct tcp_peer *p, struct ftp_script *f)
{
    char text[64];
    if (!f->data)
        f->data =
            tcp_server_open(p->server->bench, &(struct tcp_server){ .on_peer = on_data_peer, .script = f });
    snprintf(text, sizeof text, "227 passive (127,9,9,9,%d,%d)\r\n", f->data->port >> 8, f->data->port & 255);
    say(p, text);
}

static void answer_size(struct tcp_peer *p, const struct ftp_script *f)
{
    char text[64];
    snprintf(text, sizeof text, "213 %zu\r\n", f->file.len);
    say(p, f->size ? f->size : text);
}

static void answer_retr(struct tcp_peer *p, struct ftp_script *f)
{
    if (f->retr) {
        say(p, f->retr);
        return;
    }
    f->waiting = p;
    send_file(f);
}

static void answer(struct tcp_peer *p, struct ftp_script *f, struct slice line)
{
    static const struct {
        struct slice verb;
        const char *reply;
    } replies[] = {
        { { "USER", 4 }, "331 password\r\n" },
        { { "PWD", 3 }, "257 \"/\"\r\n" },
        { { "TYPE I", 6 }, "200 ok\r\n" },
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (slice_starts(line, replies[i].verb))
            say(p, replies[i].reply);
    if (slice_starts(line, SLICE("PASS")))
        say(p, f->pass && f->passes++ == 0 ? f->pass : "230 in\r\n");
    else if (slice_starts(line, SLICE("PASV")))
        answer_pasv(p, f);
    else if (slice_starts(line, SLICE("SIZE")))
        answer_size(p, f);
    else if (slice_starts(line, SLICE("RETR")))
        answer_retr(p, f);
}

static void on_line(struct tcp_peer *p)
{
    struct slice line;
    while (!p->closing && tcp_take_line(p, &line))
        answer(p, (struct ftp_script *)p->server->script, line);
}

static struct tcp_server *ftp(struct bench *b, struct ftp_script *f)
{
    return tcp_server_open(b, &(struct tcp_server){ .on_peer = greet, .on_heard = on_line, .script = f });
}

static void a_file_is_asked_for_as_a_phone_does(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello") };
    struct tcp_server *s = ftp(b, &f);
    bench_fetch(b, "ftp://test1:123456@127.0.0.1:%u/FTP Directory/T46S(1), [a]$.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    for (int i = 0; i < 5; i++)
        uv_run(&b->loop.uv, UV_RUN_NOWAIT);
    assert_string_equal(s->heard, "USER test1\r\nPASS 123456\r\nPWD\r\nPASV\r\nTYPE I\r\n"
                                  "SIZE FTP Directory/T46S(1), [a]$.cfg\r\n"
                                  "RETR FTP Directory/T46S(1), [a]$.cfg\r\nQUIT\r\n");
}

static void R8_the_address_in_227_is_not_believed(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello") };
    struct tcp_server *s = ftp(b, &f);
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "PASV\r\n"));
    /* Whoever believed it would have come to nobody. */
    assert_int_equal(f.data->connections, 1);
}

/* This server never answers QUIT; libcurl would wait for it with the loop at a standstill. */
static void the_answer_to_quit_is_not_waited_for(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello") };
    struct tcp_server *s = ftp(b, &f);
    uint64_t before = clock_now_ms(&clock_system);
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    f.size = "550 no\r\n";
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_ABSENT, "", "FTP 550");
    assert_true(clock_now_ms(&clock_system) - before < 2000);
    assert_non_null(strstr(s->heard, "QUIT"));
}

static void every_file_has_its_own_connection(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello") };
    struct tcp_server *s = ftp(b, &f);
    for (unsigned i = 1; i <= 3; i++) {
        bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
        assert_fetched(b, FETCH_GOT, "hello", "");
        assert_int_equal(s->connections, i);
    }
}

static void without_credentials_a_phone_is_anonymous(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello") };
    struct tcp_server *s = ftp(b, &f);
    bench_fetch(b, "ftp://127.0.0.1:%u/a;type=a?b.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "USER anonymous\r\nPASS \r\n"));
    assert_non_null(strstr(s->heard, "TYPE I\r\nSIZE a;type=a?b.cfg\r\n"));
}

static void refused_credentials_are_followed_by_anonymous(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello"), .pass = "530 no\r\n" };
    struct tcp_server *s = ftp(b, &f);
    b->request.user = SLICE("test1");
    b->request.password = SLICE("wrong");
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
    assert_non_null(strstr(s->heard, "USER test1\r\nPASS wrong\r\n"));
    assert_non_null(strstr(s->heard, "USER anonymous\r\nPASS \r\n"));
    assert_int_equal(s->connections, 2);
}

static void refused_anonymous_is_a_failure(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello"), .pass = "530 no\r\n" };
    struct tcp_server *s = ftp(b, &f);
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_FAILED, "", "FTP 530: user name or password not accepted");
    assert_int_equal(s->connections, 1);
}

static void replies_are_files_absences_and_failures(void **state)
{
    struct bench *b = *state;
    struct {
        struct ftp_script f;
        enum fetch_outcome outcome;
        const char *bytes, *why;
    } cases[] = {
        { { .file = SLICE("") }, FETCH_GOT, "", "" },
        { { .file = SLICE("hello"), .size = "500 what\r\n" }, FETCH_GOT, "hello", "" },
        { { .retr = "550 no such file\r\n" }, FETCH_ABSENT, "", "FTP 550" },
        { { .retr = "553 bad name\r\n", .size = "500 what\r\n" }, FETCH_ABSENT, "", "FTP 553" },
        { { .retr = "450 busy\r\n" }, FETCH_FAILED, "", "FTP 450" },
        { { .retr = "451 trouble\r\n" }, FETCH_FAILED, "", "FTP 451" },
        { { .greeting = "421 too many\r\n" }, FETCH_FAILED, "", "FTP 421" },
        { { .file = SLICE("hello"), .cut = 2 },
          FETCH_FAILED,
          "",
          "the connection broke off in the middle of the file" },
        { { .file = SLICE("hello, world"), .size = "213 999999999\r\n" },
          FETCH_REFUSED,
          "",
          "larger than 1000000 bytes" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tcp_server *s = ftp(b, &cases[i].f);
        bench_fetch(b, "ftp://127.0.0.1:%u/case-%zu", s->port, i);
        assert_fetched(b, cases[i].outcome, cases[i].bytes, cases[i].why);
    }
}

static void a_file_over_the_limit_without_a_size_is_refused(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello"), .size = "500 what\r\n" };
    struct tcp_server *s = ftp(b, &f);
    b->request.limit = 4;
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 4 bytes");
}

static void commands_hidden_in_a_name_are_not_sent(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello") };
    struct tcp_server *s = ftp(b, &f);
    bench_fetch(b, "ftp://127.0.0.1:%u/a%%0d%%0aDELE b", s->port);
    assert_int_not_equal(b->outcome, FETCH_GOT);
    assert_null(strstr(s->heard, "DELE"));
    bench_fetch(b, "ftp://u%%0d%%0aDELE:p@127.0.0.1:%u/a", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "not a URL that can be fetched");
}

/* libcurl waits for this answer with the loop at a standstill: as long as the request allows, in whole seconds.
 */
static void a_server_that_never_ends_a_transfer_holds_the_phone_for_its_time_only(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello"), .silent_end = true };
    struct tcp_server *s = ftp(b, &f);
    b->request.timeout_ms = 1000;
    uint64_t before = clock_now_ms(&clock_system);
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_FAILED, "", "no answer within 1 s");
    assert_in_range(clock_now_ms(&clock_system) - before, 900, 3000);
}

static void cancelling_at_any_moment_stays_silent(void **state)
{
    struct bench *b = *state;
    struct ftp_script f = { .file = SLICE("hello"), .size = "500 what\r\n" };
    struct tcp_server *s = ftp(b, &f);
    for (unsigned rounds = 0; rounds < 40; rounds++) {
        bench_start(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
        for (unsigned i = 0; i < rounds && !b->done; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        b->transport->cancel(b->transport);
        unsigned before = b->done;
        manual_clock_advance(&b->clock, 10000);
        for (unsigned i = 0; i < 8; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        assert_int_equal(b->done, before);
        b->done = 0;
        f.waiting = NULL;
    }
    bench_fetch(b, "ftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "hello", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(a_file_is_asked_for_as_a_phone_does),
        test_with_bench(R8_the_address_in_227_is_not_believed),
        test_with_bench(the_answer_to_quit_is_not_waited_for),
        test_with_bench(every_file_has_its_own_connection),
        test_with_bench(without_credentials_a_phone_is_anonymous),
        test_with_bench(refused_credentials_are_followed_by_anonymous),
        test_with_bench(refused_anonymous_is_a_failure),
        test_with_bench(replies_are_files_absences_and_failures),
        test_with_bench(a_file_over_the_limit_without_a_size_is_refused),
        test_with_bench(commands_hidden_in_a_name_are_not_sent),
        test_with_bench(a_server_that_never_ends_a_transfer_holds_the_phone_for_its_time_only),
        test_with_bench(cancelling_at_any_moment_stays_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
