#include "tests/unit/phone/bench.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_file_comes_in_blocks_of_1432_bytes(void **state)
{
    struct bench *b = *state;
    char file[5001];
    memset(file, 'x', sizeof file - 1);
    file[5000] = '\0';
    struct tftp_server *s =
        tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file), .says_tsize = true });
    bench_fetch(b, "tftp://127.0.0.1:%u/office/y000000000000.boot", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
    assert_string_equal(s->name, "office/y000000000000.boot");
    assert_non_null(strstr(s->options, "blksize 1432 "));
    assert_int_equal(s->asked, 1);
    bench_run_until(b, &s->acks, 5); /* the OACK and four blocks */
}

/* A late answer of another transfer whose port this one has now must not end it as "absent": a phone would go on
 * without its boot file. */
static void what_comes_from_another_port_is_not_this_transfers(void **state)
{
    struct bench *b = *state;
    char file[3001];
    memset(file, 'x', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file), .strangers = true });
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
}

static void a_file_of_whole_blocks_ends_with_an_empty_one(void **state)
{
    struct bench *b = *state;
    char file[2 * 1432 + 1];
    memset(file, 'x', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file) });
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
    bench_run_until(b, &s->acks, 4);
}

static void a_server_without_options_is_fine(void **state)
{
    struct bench *b = *state;
    char file[1200];
    memset(file, 'y', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    struct tftp_server *s =
        tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file), .no_options = true });
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
}

static void an_empty_file_is_a_file_whatever_tsize_says(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++) {
        struct tftp_server *s =
            tftp_server_open(b, &(struct tftp_server){ .says_tsize = i == 1, .no_options = i == 2 });
        bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
        assert_fetched(b, FETCH_GOT, "", "");
    }
}

static void names_arrive_as_they_are_written(void **state)
{
    struct bench *b = *state;
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = SLICE("x") });
    static const char *const names[] = { "TFTP Directory/T46S(66.84.0.15), [new]$1.rom",
                                         "a;mode=netascii",
                                         "a?b=c;d",
                                         "a#b.cfg",
                                         "100%.cfg",
                                         "J\xc3\xb6rg.cfg",
                                         "a&b+c'd.cfg" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bench_fetch(b, "tftp://127.0.0.1:%u/%s", s->port, names[i]);
        assert_fetched(b, FETCH_GOT, "x", "");
        assert_string_equal(s->name, names[i]);
    }
    bench_fetch(b, "tftp://127.0.0.1:%u/a%%20b.cfg", s->port);
    assert_string_equal(s->name, "a b.cfg");
}

static void every_error_packet_means_absent(void **state)
{
    struct bench *b = *state;
    static const struct {
        uint16_t error;
        struct slice text;
        const char *why;
    } errors[] = {
        { 0, { "Permission denied", 18 }, "TFTP error 0: Permission denied" },
        { 1, { "File not found", 15 }, "TFTP error 1: File not found" },
        { 2, { "Access violation", 17 }, "TFTP error 2: Access violation" },
        { 3, { "", 1 }, "TFTP error 3" },
        { 4, { "Illegal TFTP operation", 23 }, "TFTP error 4: Illegal TFTP operation" },
        { 5, { "x", 2 }, "TFTP error 5: x" },
        { 6, { "x", 2 }, "TFTP error 6: x" },
        { 7, { "x", 2 }, "TFTP error 7: x" },
        { 8, { "no options", 11 }, "TFTP error 8: no options" },
        { 65437, { "x", 2 }, "TFTP error 65437: x" },
        { 1, { "no NUL", 6 }, "TFTP error 1: no NUL" },
        { 0, { "", 0 }, "TFTP error 0" },
        { 1, { "a\033[31m\nb", 9 }, "TFTP error 1: a\\x1b[31m\\x0ab" },
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct tftp_server *s = tftp_server_open(
            b, &(struct tftp_server){ .fails = true, .error = errors[i].error, .text = errors[i].text });
        bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
        assert_fetched(b, FETCH_ABSENT, "", errors[i].why);
        assert_int_equal(s->asked, 1);
    }
}

/* A process of its own answers before libcurl has looked up from its request. */
static pid_t quick_server(struct slice answer, uint16_t *ret_port)
{
    char request[2048];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            len = sizeof address;
            if (recvfrom(fd, request, sizeof request, 0, (struct sockaddr *)&address, &len) > 0)
                sendto(fd, answer.ptr, answer.len, 0, (struct sockaddr *)&address, len);
        }
    }
    close(fd);
    return pid;
}

static void an_error_that_comes_at_once_means_absent_too(void **state)
{
    struct bench *b = *state;
    static const struct slice answers[] = { { "\0\5\0\0no", 7 },
                                            { "\0\5\0\0", 4 },
                                            { "\0\5\0\4internal error", 19 } };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint16_t port = 0;
        unsigned wrong = 0;
        pid_t pid = quick_server(answers[i], &port);
        for (int round = 0; round < 50; round++) {
            bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", port);
            wrong += b->outcome != FETCH_ABSENT;
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        assert_int_equal(wrong, 0);
    }
}

static void nonsense_is_a_failure_not_an_absent_file(void **state)
{
    struct bench *b = *state;
    static const struct slice answers[] = {
        { "\0\6blksize\0"
          "70000",
          16 },               /* larger than was asked for */
        { "\0\6blksize", 9 }, /* no value */
        { "\0\6blksize\0"
          "1",
          12 },
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct tftp_server *s = tftp_server_open(
            b, &(struct tftp_server){ .instead = answers[i].ptr, .instead_len = answers[i].len });
        bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
        assert_fetched(b, FETCH_FAILED, "", "the answer is not TFTP");
        assert_int_equal(s->asked, 2); /* once more without options */
        assert_string_equal(s->options, "");
    }
}

static void silence_is_a_failure_after_the_time_that_was_asked_for(void **state)
{
    struct bench *b = *state;
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .deaf = 1000 });
    bench_start(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    bench_run_until(b, &s->asked, 1);
    manual_clock_advance(&b->clock, 4900);
    uv_run(&b->loop.uv, UV_RUN_NOWAIT);
    uv_run(&b->loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(b->done, 0);
    manual_clock_advance(&b->clock, 200);
    bench_run_until(b, &b->done, 1);
    assert_fetched(b, FETCH_FAILED, "", "no answer within 5 s");
}

/* libcurl counts its own, real seconds: this one takes two of them. */
static void a_lost_request_is_repeated(void **state)
{
    struct bench *b = *state;
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = SLICE("x"), .deaf = 1 });
    b->loop.clock = &clock_system;
    b->loop.now_ms = clock_now_ms(&clock_system);
    wheel_init(&b->loop.wheel, b->loop.now_ms);
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, "x", "");
    assert_int_equal(s->asked, 2);
}

static void a_transfer_that_goes_on_is_never_cut(void **state)
{
    struct bench *b = *state;
    char file[20 * 1432];
    memset(file, 'x', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    struct tftp_server *s =
        tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file), .pause_ms = 3000 });
    bench_fetch(b, "tftp://127.0.0.1:%u/T46S.rom", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
    assert_true(b->clock.now_ms >= 60000);
}

static void a_transfer_that_stops_is_a_failure(void **state)
{
    struct bench *b = *state;
    char file[5000];
    memset(file, 'x', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    struct tftp_server *s =
        tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file), .stops_after = 2 });
    bench_start(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    bench_run_until(b, &s->acks, 3);
    manual_clock_advance(&b->clock, 5100);
    bench_run_until(b, &b->done, 1);
    assert_fetched(b, FETCH_FAILED, "", "no answer within 5 s");
}

static void a_file_over_the_limit_is_refused_and_the_server_told(void **state)
{
    struct bench *b = *state;
    char file[5001];
    memset(file, 'x', sizeof file - 1);
    file[5000] = '\0';
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file) });
    b->request.limit = 4999;
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 4999 bytes");
    bench_run_until(b, &s->errors, 1);
    b->request.limit = 5000;
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
}

static void an_announced_size_over_the_limit_is_refused_at_the_first_block(void **state)
{
    struct bench *b = *state;
    char file[5001];
    memset(file, 'x', sizeof file - 1);
    file[5000] = '\0';
    struct tftp_server *s =
        tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file), .says_tsize = true });
    b->request.limit = 4999;
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 4999 bytes");
    assert_in_range(s->acks, 1, 1);
}

static void bytes_that_nobody_wants_are_not_kept(void **state)
{
    struct bench *b = *state;
    char file[5001];
    memset(file, 'x', sizeof file - 1);
    file[5000] = '\0';
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file) });
    b->request.discard = true;
    bench_fetch(b, "tftp://127.0.0.1:%u/T46S.rom", s->port);
    assert_fetched(b, FETCH_GOT, "", "");
    bench_run_until(b, &s->acks, 5);
    b->request.limit = 4000;
    bench_fetch(b, "tftp://127.0.0.1:%u/T46S.rom", s->port);
    assert_fetched(b, FETCH_REFUSED, "", "larger than 4000 bytes");
}

static void a_url_without_a_name_is_refused(void **state)
{
    struct bench *b = *state;
    static const char *const urls[] = { "tftp://127.0.0.1:1",
                                        "tftp://127.0.0.1:1/",
                                        "tftp://127.0.0.1:1/d/",
                                        "",
                                        "a.cfg",
                                        "file:///etc/passwd",
                                        "tftps://h/x",
                                        "sftp://h/x",
                                        "http:///x" };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        bench_fetch(b, "%s", urls[i]);
        assert_fetched(b, FETCH_REFUSED, "", "not a URL that can be fetched");
    }
}

static void cancelling_at_any_moment_stays_silent(void **state)
{
    struct bench *b = *state;
    char file[5001];
    memset(file, 'x', sizeof file - 1);
    file[5000] = '\0';
    struct tftp_server *s = tftp_server_open(b, &(struct tftp_server){ .file = slice_str(file) });
    for (unsigned rounds = 0; rounds < 12; rounds++) {
        bench_start(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
        for (unsigned i = 0; i < rounds && !b->done; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        b->transport->cancel(b->transport);
        b->transport->cancel(b->transport);
        unsigned before = b->done;
        manual_clock_advance(&b->clock, 10000);
        for (unsigned i = 0; i < 5; i++)
            uv_run(&b->loop.uv, UV_RUN_NOWAIT);
        assert_int_equal(b->done, before);
        b->done = 0;
    }
    bench_fetch(b, "tftp://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_GOT, file, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(a_file_comes_in_blocks_of_1432_bytes),
        test_with_bench(what_comes_from_another_port_is_not_this_transfers),
        test_with_bench(a_file_of_whole_blocks_ends_with_an_empty_one),
        test_with_bench(a_server_without_options_is_fine),
        test_with_bench(an_empty_file_is_a_file_whatever_tsize_says),
        test_with_bench(names_arrive_as_they_are_written),
        test_with_bench(every_error_packet_means_absent),
        test_with_bench(an_error_that_comes_at_once_means_absent_too),
        test_with_bench(nonsense_is_a_failure_not_an_absent_file),
        test_with_bench(silence_is_a_failure_after_the_time_that_was_asked_for),
        test_with_bench(a_lost_request_is_repeated),
        test_with_bench(a_transfer_that_goes_on_is_never_cut),
        test_with_bench(a_transfer_that_stops_is_a_failure),
        test_with_bench(a_file_over_the_limit_is_refused_and_the_server_told),
        test_with_bench(an_announced_size_over_the_limit_is_refused_at_the_first_block),
        test_with_bench(bytes_that_nobody_wants_are_not_kept),
        test_with_bench(a_url_without_a_name_is_refused),
        test_with_bench(cancelling_at_any_moment_stays_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
