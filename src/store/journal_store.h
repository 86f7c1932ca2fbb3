/* The journal's rows: one SQLite table `requests`, WAL, one transaction a batch.
 *
 * Rows are worth less than service: when the database is locked, full or broken they are lost, that is said
 * once (and once more when it is over), and nobody waits longer than JOURNAL_STORE_BUSY_MS. One thread at a
 * time uses a store. Others may read the file meanwhile. */
#ifndef DIALTONE_STORE_JOURNAL_STORE_H
#define DIALTONE_STORE_JOURNAL_STORE_H

#include "base/buf.h"

/* How long a batch waits for another process's lock. */
#define JOURNAL_STORE_BUSY_MS 1000
/* A row with its index takes some 200 bytes: 100 MiB. A thousand phones that ask six files twice a day fill
 * that in six weeks. */
#define JOURNAL_STORE_ROWS_DEFAULT 500000

/* Texts are printable (buf_escaped) and empty when not known. */
struct journal_row {
    int64_t time_ms; /* since 1970, UTC */
    struct slice protocol, peer, mac, model, firmware, name, meaning, outcome, reason, certificate;
    uint64_t bytes;
    uint32_t ms;
    uint16_t code;
};

struct journal_store;

/* Creates what is missing: the file with mode 0600, its directory (not the parents) with mode 0700.
 * `rows_max` is kept to within a batch. 0 or a negative errno, with a log line that says what is wrong:
 * -EINVAL for a file that is not a database, -ENOTSUP for one made by a newer version. */
int journal_store_open(const char *path, uint64_t rows_max, struct journal_store **ret_store);
/* Only to read, beside whoever writes: nothing is created or migrated. 0 or a negative errno, with a line as above:
 * -ENOENT where there is no file, -ENOTSUP for one of another version. */
int journal_store_open_to_read(const char *path, struct journal_store **ret_store);
void journal_store_close(struct journal_store *s);
/* All of them or none; false: they are lost. */
bool journal_store_add(struct journal_store *s, const struct journal_row *rows, size_t count);
/* Rows that were lost since the store was opened. */
uint64_t journal_store_lost(const struct journal_store *s);

/* The last `limit` rows, newest first, of one MAC (`00:15:65:74:b1:50`) or, when it is empty, of all. Slices
 * are good during the call; false stops. 0 or a negative errno. */
typedef bool journal_store_visit(void *context, const struct journal_row *row);
int journal_store_last(struct journal_store *s, struct slice mac, uint64_t limit, journal_store_visit *visit,
                       void *context);
/* Of every MAC the newest row by which it got or brought something, else the newest that was neither refused
 * nor broken: who the phone was, and where. In the order of the MACs; otherwise as above. */
int journal_store_phones(struct journal_store *s, journal_store_visit *visit, void *context);
/* The last `limit` rows that have a MAC, the oldest first, and of each only peer, name and outcome. */
int journal_store_requests(struct journal_store *s, uint64_t limit, journal_store_visit *visit, void *context);

#endif
