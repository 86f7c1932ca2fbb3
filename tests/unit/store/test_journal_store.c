#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/log.h"
#include "store/journal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct house {
    char dir[64], path[96];
    int log_fd;
};

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    *state = h;
    snprintf(h->dir, sizeof h->dir, "/tmp/dialtone-store-XXXXXX");
    if (!mkdtemp(h->dir) || chdir(h->dir))
        return -1;
    snprintf(h->path, sizeof h->path, "%s/state/journal.db", h->dir);
    h->log_fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0600);
    log_setup(LOG_INFO, h->log_fd);
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    char command[128];
    log_setup(LOG_INFO, 2);
    close(h->log_fd);
    snprintf(command, sizeof command, "rm -rf %s", h->dir);
    int rc = chdir("/") || system(command);
    free(h);
    return rc;
}

static size_t log_lines_with(struct house *h, const char *text)
{
    char log[8192] = "";
    size_t count = 0;
    assert_true(pread(h->log_fd, log, sizeof log - 1, 0) >= 0);
    for (const char *at = log; (at = strstr(at, text)); at++)
        count++;
    return count;
}

static struct journal_row row_at(int64_t time_ms, const char *mac)
{
    return (struct journal_row){
        .time_ms = time_ms,
        .protocol = SLICE("tftp"),
        .peer = SLICE("10.2.20.73:4711"),
        .mac = slice_str(mac),
        .model = SLICE("T46S"),
        .firmware = SLICE("66.84.0.15"),
        .name = SLICE("00156574b16e.boot"),
        .meaning = SLICE("MAC-oriented boot file"),
        .outcome = SLICE("absent"),
        .reason = SLICE("no such file"),
        .bytes = 7,
        .ms = 3,
        .code = 1,
    };
}

struct seen {
    size_t count;
    int64_t first_ms, last_ms;
    char text[512];
};

static bool visit(void *context, const struct journal_row *row)
{
    struct seen *s = context;
    if (!s->count++)
        s->first_ms = row->time_ms;
    s->last_ms = row->time_ms;
    snprintf(s->text, sizeof s->text, "%.*s %.*s %.*s %.*s %.*s %.*s %.*s %.*s %u %.*s %llu %u",
             SLICE_ARG(row->protocol), SLICE_ARG(row->peer), SLICE_ARG(row->mac), SLICE_ARG(row->model),
             SLICE_ARG(row->firmware), SLICE_ARG(row->name), SLICE_ARG(row->meaning), SLICE_ARG(row->outcome),
             row->code, SLICE_ARG(row->reason), (unsigned long long)row->bytes, row->ms);
    return true;
}

static struct seen last(struct journal_store *s, const char *mac, uint64_t limit)
{
    struct seen seen = { 0 };
    assert_int_equal(journal_store_last(s, slice_str(mac), limit, visit, &seen), 0);
    return seen;
}

static void rows_come_back_newest_first_and_by_mac(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    struct journal_row rows[3] = { row_at(1, "00:15:65:00:00:01"), row_at(2, "00:15:65:00:00:02"),
                                   row_at(3, "") };
    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    assert_true(journal_store_add(s, rows, 3));
    struct seen all = last(s, "", 10);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.first_ms, 3);
    assert_int_equal(all.last_ms, 1);
    assert_int_equal(last(s, "", 2).count, 2);
    struct seen one = last(s, "00:15:65:00:00:02", 10);
    assert_int_equal(one.count, 1);
    assert_string_equal(one.text, "tftp 10.2.20.73:4711 00:15:65:00:00:02 T46S 66.84.0.15 00156574b16e.boot "
                                  "MAC-oriented boot file absent 1 no such file 7 3");
    journal_store_close(s);
    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    assert_int_equal(last(s, "", 10).count, 3);
    journal_store_close(s);
}

static void directory_and_files_are_for_their_owner_only(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    struct stat st;
    struct journal_row row = row_at(1, "");
    umask(0);
    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    assert_true(journal_store_add(s, &row, 1));
    static const char *const paths[] = { "state/journal.db", "state/journal.db-wal", "state/journal.db-shm" };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(paths[i], &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    assert_int_equal(stat("state", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    journal_store_close(s);
    umask(022);
}

static void the_last_requests_of_a_mac_are_read_by_index(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    assert_int_equal(sqlite3_open(h->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "EXPLAIN QUERY PLAN SELECT name FROM requests WHERE mac = 'x' ORDER BY id "
                           "DESC LIMIT 5",
                           -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_non_null(strstr((const char *)sqlite3_column_text(statement, 3), "USING INDEX requests_by_mac"));
    /* And nothing is sorted afterwards. */
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    journal_store_close(s);
}

static void the_number_of_rows_is_bounded_and_a_lowered_bound_is_reached_in_steps(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    struct journal_row row;
    assert_int_equal(journal_store_open(h->path, 2000, &s), 0);
    for (int64_t i = 0; i < 2500; i += 500) {
        struct journal_row rows[500];
        for (int64_t k = 0; k < 500; k++)
            rows[k] = row_at(i + k, "");
        assert_true(journal_store_add(s, rows, 500));
    }
    struct seen seen = last(s, "", 100000);
    assert_int_equal(seen.count, 2000);
    assert_int_equal(seen.first_ms, 2499);
    journal_store_close(s);

    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    row = row_at(2500, "");
    assert_true(journal_store_add(s, &row, 1));
    assert_in_range(last(s, "", 100000).count, 1001, 1999);
    for (int64_t i = 1; i < 10; i++) {
        row = row_at(2500 + i, "");
        assert_true(journal_store_add(s, &row, 1));
    }
    seen = last(s, "", 100000);
    assert_int_equal(seen.count, 1000);
    assert_int_equal(seen.first_ms, 2509);
    journal_store_close(s);
}

static void a_locked_database_loses_rows_says_so_once_and_recovers(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    sqlite3 *other;
    struct journal_row row = row_at(1, "");
    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    assert_int_equal(sqlite3_open(h->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_false(journal_store_add(s, &row, 1));
    assert_false(journal_store_add(s, &row, 1));
    assert_int_equal(journal_store_lost(s), 2);
    assert_int_equal(log_lines_with(h, "lost from now on"), 1);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_true(journal_store_add(s, &row, 1));
    assert_int_equal(log_lines_with(h, "2 were lost"), 1);
    assert_int_equal(last(s, "", 10).count, 1);
    sqlite3_close(other);
    journal_store_close(s);
}

static void a_full_database_loses_the_batch_and_nothing_else(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    static struct journal_row rows[2000];
    for (size_t i = 0; i < 2000; i++)
        rows[i] = row_at((int64_t)i, "00:15:65:00:00:01");
    assert_int_equal(journal_store_open(h->path, 100000, &s), 0);
    assert_true(journal_store_add(s, rows, 1));
    /* No file may grow past 64 KiB; SIGXFSZ ignored, write() fails as on a full disk. */
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 65536, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_false(journal_store_add(s, rows, 2000));
    assert_false(journal_store_add(s, rows, 2000));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(journal_store_lost(s), 4000);
    assert_int_equal(log_lines_with(h, "lost from now on"), 1);
    assert_true(journal_store_add(s, rows, 2));
    assert_int_equal(last(s, "", 10000).count, 3);
    journal_store_close(s);
}

static void what_is_no_database_is_left_alone(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    struct stat st;
    char text[600];
    memset(text, 'x', sizeof text);
    mkdir("state", 0700);
    FILE *f = fopen(h->path, "w");
    assert_int_equal(fwrite(text, 1, sizeof text, f), sizeof text);
    fclose(f);
    assert_int_equal(journal_store_open(h->path, 1000, &s), -EINVAL);
    assert_int_equal(stat(h->path, &st), 0);
    assert_int_equal(st.st_size, sizeof text);
    assert_int_equal(log_lines_with(h, "keeps no rows"), 1);
}

static void a_database_of_a_newer_version_is_not_touched(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    sqlite3 *db;
    mkdir("state", 0700);
    assert_int_equal(sqlite3_open(h->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99; CREATE TABLE t (x);", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(journal_store_open(h->path, 1000, &s), -ENOTSUP);
    assert_int_equal(log_lines_with(h, "newer version"), 1);
}

static bool keep_certificate(void *context, const struct journal_row *row)
{
    struct seen *s = context;
    s->count++;
    snprintf(s->text, sizeof s->text, "%.*s", SLICE_ARG(row->certificate));
    return false;
}

static void a_database_of_the_first_version_is_taken_over_with_its_rows(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    struct seen seen = { 0 };
    sqlite3 *db;
    mkdir("state", 0700);
    assert_int_equal(sqlite3_open(h->path, &db), SQLITE_OK);
    /* As version 1 made it. */
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE requests (id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, protocol TEXT NOT NULL,"
                     " peer TEXT NOT NULL, mac TEXT, model TEXT, firmware TEXT, name TEXT NOT NULL, meaning TEXT NOT NULL,"
                     " outcome TEXT NOT NULL, code INTEGER, reason TEXT, bytes INTEGER NOT NULL, ms INTEGER NOT NULL);"
                     "CREATE INDEX requests_by_mac ON requests (mac, id) WHERE mac IS NOT NULL;"
                     "INSERT INTO requests VALUES (1, 5, 'tftp', 'p', NULL, NULL, NULL, 'n', 'm', 'sent', NULL, NULL, 1, 2);"
                     "PRAGMA user_version = 1;",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(journal_store_open(h->path, 1000, &s), 0);
    assert_int_equal(last(s, "", 10).count, 1);
    struct journal_row row = row_at(6, "00:15:65:74:b1:50");
    row.certificate = SLICE("generic");
    assert_true(journal_store_add(s, &row, 1));
    assert_int_equal(last(s, "", 10).count, 2);
    assert_int_equal(journal_store_last(s, SLICE_NONE, 1, keep_certificate, &seen), 0);
    assert_string_equal(seen.text, "generic");
    journal_store_close(s);
}

static void a_link_in_the_place_of_the_database_is_not_followed(void **state)
{
    struct house *h = *state;
    struct journal_store *s;
    mkdir("state", 0700);
    assert_int_equal(symlink("../victim", h->path), 0);
    assert_int_equal(journal_store_open(h->path, 1000, &s), -ELOOP);
    assert_int_equal(access("victim", F_OK), -1);
    assert_int_equal(journal_store_open("/nonexistent/state/journal.db", 1000, &s), -ENOENT);
}

struct phones {
    size_t count;
    char text[512];
};

static bool on_phone(void *context, const struct journal_row *row)
{
    struct phones *p = context;
    struct buf out = { p->text, strlen(p->text), sizeof p->text, false };
    buf_format(&out, "%.*s %.*s; ", SLICE_ARG(row->mac), SLICE_ARG(row->peer));
    buf_terminate(&out);
    p->count++;
    return p->count < 3;
}

static void every_phone_is_where_it_last_got_something_beside_the_one_who_writes(void **state)
{
    static const struct {
        const char *mac, *peer, *outcome;
    } rows[] = {
        { "00:15:65:00:00:02", "10.0.0.2:1", "sent" },     { "00:15:65:00:00:01", "10.0.0.1:1", "sent" },
        { "00:15:65:00:00:01", "10.0.0.1:2", "unchanged" }, { "00:15:65:00:00:01", "10.6.6.6:1", "absent" },
        { "00:15:65:00:00:02", "10.6.6.6:1", "refused" },   { "00:15:65:00:00:03", "10.0.0.3:1", "absent" },
        { "00:15:65:00:00:04", "10.6.6.6:1", "refused" },   { "", "10.0.0.9:1", "sent" },
    };
    struct house *h = *state;
    struct journal_store *s, *reader;
    struct phones p = { 0 };
    assert_int_equal(journal_store_open_to_read(h->path, &reader), -ENOENT);
    assert_int_equal(journal_store_open(h->path, 100, &s), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct journal_row row = row_at(1000 + (int64_t)i, rows[i].mac);
        row.peer = slice_str(rows[i].peer);
        row.outcome = slice_str(rows[i].outcome);
        assert_true(journal_store_add(s, &row, 1));
    }
    assert_int_equal(journal_store_open_to_read(h->path, &reader), 0);
    assert_int_equal(journal_store_phones(reader, on_phone, &p), 0);
    assert_string_equal(p.text, "00:15:65:00:00:01 10.0.0.1:2; 00:15:65:00:00:02 10.0.0.2:1; 00:15:65:00:00:03 10.0.0.3:1; ");
    struct journal_row more = row_at(2000, "00:15:65:00:00:05");
    assert_true(journal_store_add(s, &more, 1));
    assert_false(journal_store_add(reader, &more, 1));
    journal_store_close(reader);
    journal_store_close(s);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(rows_come_back_newest_first_and_by_mac),
        test(directory_and_files_are_for_their_owner_only),
        test(the_last_requests_of_a_mac_are_read_by_index),
        test(the_number_of_rows_is_bounded_and_a_lowered_bound_is_reached_in_steps),
        test(a_locked_database_loses_rows_says_so_once_and_recovers),
        test(a_full_database_loses_the_batch_and_nothing_else),
        test(what_is_no_database_is_left_alone),
        test(a_database_of_a_newer_version_is_not_touched),
        test(a_database_of_the_first_version_is_taken_over_with_its_rows),
        test(every_phone_is_where_it_last_got_something_beside_the_one_who_writes),
        test(a_link_in_the_place_of_the_database_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
