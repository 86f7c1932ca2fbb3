#include "store/journal_store.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Old rows go with new ones, a few more of them each time: a lowered bound is reached step by step, and no
 * batch waits for a great deletion. */
#define DELETE_MORE 256

/* Step N brings a database of user_version N to N + 1. A released step is never changed. */
static const char *const migrations[] = {
    "CREATE TABLE requests ("
    " id INTEGER PRIMARY KEY,"
    " time_ms INTEGER NOT NULL,"
    " protocol TEXT NOT NULL,"
    " peer TEXT NOT NULL,"
    " mac TEXT,"
    " model TEXT,"
    " firmware TEXT,"
    " name TEXT NOT NULL,"
    " meaning TEXT NOT NULL,"
    " outcome TEXT NOT NULL,"
    " code INTEGER,"
    " reason TEXT,"
    " bytes INTEGER NOT NULL,"
    " ms INTEGER NOT NULL);"
    "CREATE INDEX requests_by_mac ON requests (mac, id) WHERE mac IS NOT NULL;",
    "ALTER TABLE requests ADD COLUMN certificate TEXT;",
};
#define VERSION (sizeof migrations / sizeof *migrations)

#define COLUMNS                                                                                                \
    "time_ms, protocol, peer, mac, model, firmware, name, meaning, outcome, code, reason, bytes, ms, certificate"

struct journal_store {
    sqlite3 *db;
    sqlite3_stmt *insert, *bounds, *trim;
    uint64_t rows_max;
    uint64_t lost, lost_now; /* in all; since rows were last kept */
};

static int errno_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return -EINVAL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return -EACCES;
    default:
        return -EIO;
    }
}

static int number_of(sqlite3 *db, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int migrate(sqlite3 *db)
{
    char sql[48];
    int64_t version = 0;
    /* IMMEDIATE: two programs that start at once do not both migrate. */
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    code = number_of(db, "PRAGMA user_version", &version);
    for (; code == SQLITE_OK && version >= 0 && (size_t)version < VERSION; version++) {
        code = sqlite3_exec(db, migrations[version], NULL, NULL, NULL);
        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", (int)version + 1);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code == SQLITE_OK && (size_t)version > VERSION ? SQLITE_MISUSE : code;
}

static int prepare(struct journal_store *s)
{
    /* temp_store: nothing is written outside of the state directory. */
    int code = sqlite3_exec(
        s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;", NULL,
        NULL, NULL);
    if (code == SQLITE_OK)
        code = migrate(s->db);
    if (code == SQLITE_OK)
        code =
            sqlite3_prepare_v3(s->db, "INSERT INTO requests (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                               -1, SQLITE_PREPARE_PERSISTENT, &s->insert, NULL);
    if (code == SQLITE_OK)
        code =
            sqlite3_prepare_v3(s->db, "SELECT (SELECT min(id) FROM requests), (SELECT max(id) FROM requests)",
                               -1, SQLITE_PREPARE_PERSISTENT, &s->bounds, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v3(s->db, "DELETE FROM requests WHERE id < ?", -1, SQLITE_PREPARE_PERSISTENT,
                                  &s->trim, NULL);
    return code;
}

static int make_directory_of(const char *path)
{
    size_t slash = slice_find_last(slice_str(path), '/');
    if (!path[slash] || slash == 0)
        return 0;
    char *directory = strndup(path, slash);
    if (!directory)
        return -ENOMEM;
    int error = mkdir(directory, 0700) < 0 && errno != EEXIST ? -errno : 0;
    free(directory);
    return error;
}

/* SQLite would create it as the umask says; its -wal and -shm files take the mode of the database. */
static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int error = fchmod(fd, 0600) < 0 ? -errno : 0;
    close(fd);
    return error;
}

int journal_store_open(const char *path, uint64_t rows_max, struct journal_store **ret_store)
{
    struct journal_store *s = NULL;
    int error = make_directory_of(path);
    if (!error)
        error = make_file(path);
    if (!error && !(s = calloc(1, sizeof *s)))
        error = -ENOMEM;
    if (error) {
        log_error("%s: %s: the journal keeps no rows", path, strerror(-error));
        return error;
    }
    s->rows_max = rows_max;
    int code = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(s->db, JOURNAL_STORE_BUSY_MS);
        code = prepare(s);
    }
    if (code == SQLITE_OK) {
        *ret_store = s;
        return 0;
    }
    bool newer = code == SQLITE_MISUSE;
    log_error("%s: %s: the journal keeps no rows", path,
              newer   ? "made by a newer version of this program"
              : s->db ? sqlite3_errmsg(s->db)
                      : "out of memory");
    journal_store_close(s);
    return newer ? -ENOTSUP : errno_of(code);
}

int journal_store_open_to_read(const char *path, struct journal_store **ret_store)
{
    struct journal_store *s = calloc(1, sizeof *s);
    int64_t version = 0;
    if (!s || access(path, F_OK) < 0) {
        int error = s ? -errno : -ENOMEM;
        free(s);
        log_error("%s: %s", path, strerror(-error));
        return error;
    }
    int code = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(s->db, JOURNAL_STORE_BUSY_MS);
        code = number_of(s->db, "PRAGMA user_version", &version);
    }
    bool other = code == SQLITE_OK && version != (int64_t)VERSION;
    if (code == SQLITE_OK && !other) {
        *ret_store = s;
        return 0;
    }
    log_error("%s: %s", path,
              other   ? "made by another version of this program"
              : s->db ? sqlite3_errmsg(s->db)
                      : "out of memory");
    journal_store_close(s);
    return other ? -ENOTSUP : errno_of(code);
}

void journal_store_close(struct journal_store *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->insert);
    sqlite3_finalize(s->bounds);
    sqlite3_finalize(s->trim);
    sqlite3_close(s->db);
    free(s);
}

static void bind_text(sqlite3_stmt *statement, int column, struct slice text)
{
    sqlite3_bind_text(statement, column, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static void bind_known(sqlite3_stmt *statement, int column, struct slice text)
{
    if (text.len)
        bind_text(statement, column, text);
    else
        sqlite3_bind_null(statement, column);
}

static int insert_row(struct journal_store *s, const struct journal_row *row)
{
    sqlite3_bind_int64(s->insert, 1, row->time_ms);
    bind_text(s->insert, 2, row->protocol);
    bind_text(s->insert, 3, row->peer);
    bind_known(s->insert, 4, row->mac);
    bind_known(s->insert, 5, row->model);
    bind_known(s->insert, 6, row->firmware);
    bind_text(s->insert, 7, row->name);
    bind_text(s->insert, 8, row->meaning);
    bind_text(s->insert, 9, row->outcome);
    if (row->code)
        sqlite3_bind_int(s->insert, 10, row->code);
    else
        sqlite3_bind_null(s->insert, 10);
    bind_known(s->insert, 11, row->reason);
    sqlite3_bind_int64(s->insert, 12, (sqlite3_int64)row->bytes);
    sqlite3_bind_int64(s->insert, 13, row->ms);
    bind_known(s->insert, 14, row->certificate);
    int code = sqlite3_step(s->insert);
    sqlite3_reset(s->insert);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int trim(struct journal_store *s, size_t added)
{
    int code = sqlite3_step(s->bounds);
    int64_t first = code == SQLITE_ROW ? sqlite3_column_int64(s->bounds, 0) : 0;
    int64_t last = code == SQLITE_ROW ? sqlite3_column_int64(s->bounds, 1) : 0;
    sqlite3_reset(s->bounds);
    if (code != SQLITE_ROW || last - first < (int64_t)s->rows_max)
        return code == SQLITE_ROW ? SQLITE_OK : code;
    int64_t keep_from = last - (int64_t)s->rows_max + 1;
    int64_t step = first + (int64_t)added + DELETE_MORE;
    sqlite3_bind_int64(s->trim, 1, keep_from < step ? keep_from : step);
    code = sqlite3_step(s->trim);
    sqlite3_reset(s->trim);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void note_loss(struct journal_store *s, size_t count)
{
    if (s->lost_now == 0)
        log_error("the journal's rows are lost from now on: %s", sqlite3_errmsg(s->db));
    s->lost += count;
    s->lost_now += count;
}

bool journal_store_add(struct journal_store *s, const struct journal_row *rows, size_t count)
{
    int code = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = insert_row(s, &rows[i]);
    if (code == SQLITE_OK)
        code = trim(s, count);
    if (code == SQLITE_OK)
        code = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        note_loss(s, count);
        if (!sqlite3_get_autocommit(s->db))
            sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    if (s->lost_now)
        log_warning("the journal's rows are kept again; %llu were lost", (unsigned long long)s->lost_now);
    s->lost_now = 0;
    return true;
}

uint64_t journal_store_lost(const struct journal_store *s)
{
    return s->lost;
}

static struct slice text_at(sqlite3_stmt *statement, int column)
{
    const void *text = sqlite3_column_text(statement, column);
    return slice_of(text, (size_t)sqlite3_column_bytes(statement, column));
}

static struct journal_row row_at(sqlite3_stmt *statement)
{
    return (struct journal_row){
        .time_ms = sqlite3_column_int64(statement, 0),
        .protocol = text_at(statement, 1),
        .peer = text_at(statement, 2),
        .mac = text_at(statement, 3),
        .model = text_at(statement, 4),
        .firmware = text_at(statement, 5),
        .name = text_at(statement, 6),
        .meaning = text_at(statement, 7),
        .outcome = text_at(statement, 8),
        .code = (uint16_t)sqlite3_column_int(statement, 9),
        .reason = text_at(statement, 10),
        .bytes = (uint64_t)sqlite3_column_int64(statement, 11),
        .ms = (uint32_t)sqlite3_column_int64(statement, 12),
        .certificate = text_at(statement, 13),
    };
}

/* Every row of the statement, which is finalized. */
static int visit_rows(sqlite3_stmt *statement, journal_store_visit *visit, void *context)
{
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct journal_row row = row_at(statement);
        if (!visit(context, &row)) {
            code = SQLITE_DONE;
            break;
        }
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? 0 : errno_of(code);
}

int journal_store_last(struct journal_store *s, struct slice mac, uint64_t limit, journal_store_visit *visit,
                       void *context)
{
    static const char one[] = "SELECT " COLUMNS " FROM requests WHERE mac = ?1 ORDER BY id DESC LIMIT ?2";
    static const char all[] = "SELECT " COLUMNS " FROM requests ORDER BY id DESC LIMIT ?2";
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(s->db, mac.len ? one : all, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return errno_of(code);
    if (mac.len)
        bind_text(statement, 1, mac);
    sqlite3_bind_int64(statement, 2, limit > INT64_MAX ? INT64_MAX : (sqlite3_int64)limit);
    return visit_rows(statement, visit, context);
}

int journal_store_phones(struct journal_store *s, journal_store_visit *visit, void *context)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM requests WHERE id IN (SELECT"
        " coalesce(max(CASE WHEN outcome IN ('sent', 'unchanged', 'stored') THEN id END), max(id)) FROM requests"
        " WHERE mac IS NOT NULL AND outcome NOT IN ('refused', 'broken') GROUP BY mac) ORDER BY mac";
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);
    return code == SQLITE_OK ? visit_rows(statement, visit, context) : errno_of(code);
}

int journal_store_requests(struct journal_store *s, uint64_t limit, journal_store_visit *visit, void *context)
{
    static const char sql[] = "SELECT peer, name, outcome FROM requests WHERE mac IS NOT NULL AND"
                              " id > (SELECT max(id) FROM requests) - ?1 ORDER BY id";
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return errno_of(code);
    sqlite3_bind_int64(statement, 1, limit > INT64_MAX ? INT64_MAX : (sqlite3_int64)limit);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct journal_row row = { .peer = text_at(statement, 0),
                                   .name = text_at(statement, 1),
                                   .outcome = text_at(statement, 2) };
        if (!visit(context, &row)) {
            code = SQLITE_DONE;
            break;
        }
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? 0 : errno_of(code);
}
