#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/journal.h"
#include "store/journal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct house {
    char dir[64], database[96];
    int log_fd, lines_fd;
};

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    *state = h;
    snprintf(h->dir, sizeof h->dir, "/tmp/dialtone-journal-XXXXXX");
    if (!mkdtemp(h->dir) || chdir(h->dir))
        return -1;
    snprintf(h->database, sizeof h->database, "%s/state/journal.db", h->dir);
    h->log_fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0600);
    h->lines_fd = open("lines", O_RDWR | O_CREAT | O_APPEND, 0600);
    log_setup(LOG_INFO, h->log_fd);
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    char command[128];
    log_setup(LOG_INFO, 2);
    close(h->log_fd);
    close(h->lines_fd);
    snprintf(command, sizeof command, "rm -rf %s", h->dir);
    int rc = chdir("/") || system(command);
    free(h);
    return rc;
}

static struct slice text_of(int fd, char *into, size_t size)
{
    ssize_t got = pread(fd, into, size - 1, 0);
    assert_true(got >= 0);
    into[got] = '\0';
    return slice_of(into, (size_t)got);
}

static struct journal *start(struct house *h, const char *database, int line_fd)
{
    struct journal *j;
    struct journal_options options = { database, 0, line_fd };
    (void)h;
    assert_int_equal(journal_open(&options, &j), 0);
    assert_int_equal(journal_start(j), 0);
    return j;
}

static struct journal_event event(const char *name, const char *agent)
{
    struct journal_event e = {
        .protocol = PROTOCOL_TFTP,
        .outcome = OUTCOME_ABSENT,
        .wall_ms = 1795331109123,
        .duration_ms = 1,
        .code = 1,
        .reason = "no such file",
    };
    assert_true(address_parse(SLICE("10.2.20.73"), 4711, &e.peer));
    journal_event_set_name(&e, slice_str(name));
    journal_event_set_agent(&e, slice_str(agent));
    return e;
}

static void one_event_is_one_line_that_says_who_and_what_and_why(void **state)
{
    struct house *h = *state;
    char text[4096];
    struct journal *j = start(h, NULL, h->lines_fd);
    struct journal_event e = event("00156574b16e.boot", "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:6e");
    journal_note(j, &e);
    e = event("y000000000028.cfg", "");
    e.protocol = PROTOCOL_HTTP;
    e.outcome = OUTCOME_SENT;
    e.code = 200;
    e.reason = NULL;
    e.bytes = 579;
    journal_note(j, &e);
    e = event("00156574b16e.cfg", "curl/7.88");
    journal_note(j, &e);
    /* What is proven goes before what is claimed. */
    e = event("y000000000028.cfg", "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:6e");
    e.protocol = PROTOCOL_HTTPS;
    e.code = 404;
    e.certificate = JOURNAL_CERTIFICATE_MAC;
    e.certificate_mac = (struct mac){ { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    journal_note(j, &e);
    e.certificate = JOURNAL_CERTIFICATE_BAD;
    e.reason = "the peer's certificate has expired";
    journal_note(j, &e);
    journal_note(NULL, &e);
    journal_close(j);
    assert_slice(
        text_of(h->lines_fd, text, sizeof text),
        "2026-11-22T07:05:09.123Z tftp 10.2.20.73:4711 00:15:65:74:b1:6e T46S 66.84.0.15 MAC-oriented boot "
        "file \"00156574b16e.boot\" absent (no such file) 0 B 1 ms\n"
        "2026-11-22T07:05:09.123Z http 10.2.20.73:4711 - T46G - common CFG file \"y000000000028.cfg\" sent "
        "200 579 B 1 ms\n"
        "2026-11-22T07:05:09.123Z tftp 10.2.20.73:4711 00:15:65:74:b1:6e - - MAC-oriented CFG file "
        "\"00156574b16e.cfg\" absent (no such file) 0 B 1 ms\n"
        "2026-11-22T07:05:09.123Z https 10.2.20.73:4711 00:15:65:74:b1:50 T46S 66.84.0.15 common CFG file "
        "\"y000000000028.cfg\" absent 404 (no such file) 0 B 1 ms certificate 00:15:65:74:b1:50\n"
        "2026-11-22T07:05:09.123Z https 10.2.20.73:4711 00:15:65:74:b1:6e T46S 66.84.0.15 common CFG file "
        "\"y000000000028.cfg\" absent 404 (the peer's certificate has expired) 0 B 1 ms certificate bad\n");
}

static void hostile_names_and_agents_stay_one_printable_line(void **state)
{
    struct house *h = *state;
    char text[8192], name[600];
    struct journal *j = start(h, h->database, h->lines_fd);
    struct journal_event e = event("a\n2026 tftp forged\" \x1b[2J\xff\\", "x\r\ny\x1b]0;t\a");
    journal_note(j, &e);
    memset(name, '\x01', sizeof name);
    journal_event_set_name(&e, slice_of(name, sizeof name));
    memset(name, 'A', sizeof name);
    journal_event_set_agent(&e, slice_of(name, sizeof name));
    journal_note(j, &e);
    journal_event_set_name(&e, slice_of("x\0y", 3));
    journal_note(j, &e);
    journal_close(j);
    struct slice all = text_of(h->lines_fd, text, sizeof text), line;
    size_t lines = 0;
    for (size_t i = 0; i < all.len; i++)
        assert_true(all.ptr[i] == '\n' || (all.ptr[i] >= ' ' && all.ptr[i] < 0x7f));
    assert_true(slice_find_text(all, SLICE("\"a\\x0a2026 tftp forged\\x22 \\x1b[2J\\xff\\x5c\"")) < all.len);
    assert_true(slice_find_text(all, SLICE("\"x\\x00y\"")) < all.len);
    while (slice_cut(&all, '\n', &line)) {
        assert_true(slice_starts(line, SLICE("2026-11-22T07:05:09.123Z tftp 10.2.20.73:4711 - - - ")));
        lines++;
    }
    assert_int_equal(lines, 3);
}

static bool count_row(void *context, const struct journal_row *row)
{
    (void)row;
    ++*(size_t *)context;
    return true;
}

static size_t rows_in(struct house *h)
{
    struct journal_store *s;
    size_t count = 0;
    assert_int_equal(journal_store_open(h->database, 1000000, &s), 0);
    assert_int_equal(journal_store_last(s, SLICE_NONE, 1000000, count_row, &count), 0);
    journal_store_close(s);
    return count;
}

static size_t lines_in(int fd)
{
    char bytes[65536];
    size_t count = 0;
    ssize_t got;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < got; i++)
            count += bytes[i] == '\n';
    return count;
}

static void *note_many(void *context)
{
    struct journal_event e = event("00156574b16e.boot", "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:6e");
    for (unsigned i = 0; i < 1500; i++)
        journal_note(context, &e);
    return NULL;
}

static void events_of_many_threads_become_as_many_lines_and_rows(void **state)
{
    struct house *h = *state;
    pthread_t threads[4];
    struct journal *j = start(h, h->database, h->lines_fd);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, j), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    journal_close(j);
    assert_int_equal(lines_in(h->lines_fd), 6000);
    assert_int_equal(rows_in(h), 6000);
}

static void a_full_queue_drops_events_and_the_next_line_says_how_many(void **state)
{
    struct house *h = *state;
    char text[4096];
    struct journal *j;
    struct journal_options options = { NULL, 0, h->lines_fd };
    struct journal_event e = event("a.cfg", "");
    assert_int_equal(journal_open(&options, &j), 0);
    /* Nobody empties it yet. */
    for (unsigned i = 0; i < 10000; i++)
        journal_note(j, &e);
    assert_int_equal(journal_start(j), 0);
    journal_close(j);
    size_t lines = lines_in(h->lines_fd);
    struct slice all = text_of(h->lines_fd, text, sizeof text), first, number;
    assert_true(slice_cut(&all, '\n', &first));
    uint64_t dropped;
    size_t at = slice_find_text(first, SLICE(" journal "));
    first = slice_from(first, at + 9);
    assert_true(slice_cut(&first, ' ', &number));
    assert_true(slice_u64(number, 1, 10000, &dropped));
    assert_slice(first, "events dropped, 0 lines lost");
    assert_int_equal(lines - 1 + dropped, 10000);
}

static void a_reader_that_does_not_read_costs_lines_and_nothing_else(void **state)
{
    struct house *h = *state;
    int ends[2];
    char text[4096];
    struct journal_event e = event("a.cfg", "");
    assert_int_equal(pipe(ends), 0);
    uint64_t before_ms = clock_now_ms(&clock_system);
    struct journal *j = start(h, h->database, ends[1]);
    for (unsigned i = 0; i < 1000; i++)
        journal_note(j, &e);
    journal_close(j);
    /* One wait of a second, not one for every line. */
    assert_in_range(clock_now_ms(&clock_system) - before_ms, 0, 5000);
    assert_int_equal(rows_in(h), 1000);
    assert_true(slice_find_text(text_of(h->log_fd, text, sizeof text), SLICE("lines are lost")) < sizeof text);
    close(ends[0]);
    /* And one that went away. */
    signal(SIGPIPE, SIG_IGN);
    j = start(h, h->database, ends[1]);
    journal_note(j, &e);
    journal_close(j);
    assert_int_equal(rows_in(h), 1001);
    close(ends[1]);
}

static void a_full_disk_costs_lines_and_rows_and_nothing_else(void **state)
{
    struct house *h = *state;
    struct rlimit before, small;
    struct journal_event e = event("a.cfg", "");
    struct journal *j = start(h, h->database, h->lines_fd);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 40000, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned i = 0; i < 5000; i++)
        journal_note(j, &e);
    journal_close(j);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_in_range(lines_in(h->lines_fd), 100, 1000);
}

static void a_broken_database_costs_rows_and_nothing_else(void **state)
{
    struct house *h = *state;
    struct journal_event e = event("a.cfg", "");
    mkdir("state", 0700);
    FILE *f = fopen(h->database, "w");
    for (unsigned i = 0; i < 1000; i++)
        fputs("no database", f);
    fclose(f);
    struct journal *j = start(h, h->database, h->lines_fd);
    journal_note(j, &e);
    journal_close(j);
    assert_int_equal(lines_in(h->lines_fd), 1);
}

static void the_database_vanishing_or_breaking_under_way_never_stops_it(void **state)
{
    struct house *h = *state;
    struct journal_event e = event("a.cfg", "");
    struct journal *j = start(h, h->database, h->lines_fd);
    assert_int_equal(truncate(h->database, 100), 0);
    for (unsigned i = 0; i < 100; i++)
        journal_note(j, &e);
    journal_close(j);
    assert_int_equal(lines_in(h->lines_fd), 100);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(one_event_is_one_line_that_says_who_and_what_and_why),
        test(hostile_names_and_agents_stay_one_printable_line),
        test(events_of_many_threads_become_as_many_lines_and_rows),
        test(a_full_queue_drops_events_and_the_next_line_says_how_many),
        test(a_reader_that_does_not_read_costs_lines_and_nothing_else),
        test(a_full_disk_costs_lines_and_rows_and_nothing_else),
        test(a_broken_database_costs_rows_and_nothing_else),
        test(the_database_vanishing_or_breaking_under_way_never_stops_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
