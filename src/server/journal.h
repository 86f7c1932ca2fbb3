/* The journal: what every phone asked, what it got and why. One line and one row for every request.
 *
 * Workers drop events into a bounded queue and go on; one thread writes lines (standard output or a file)
 * and rows (store/journal_store.h) in batches. A full queue drops detail, never requests, and the next line
 * says how many were dropped. */
#ifndef DIALTONE_SERVER_JOURNAL_H
#define DIALTONE_SERVER_JOURNAL_H

#include "guide/mac.h"
#include "net/address.h"
#include "server/protocol.h"

enum outcome {
    OUTCOME_SENT,      /* the whole file, or the range asked for */
    OUTCOME_UNCHANGED, /* HTTP 304 */
    OUTCOME_ABSENT,
    OUTCOME_REFUSED, /* a name, method, size or rate that is not accepted */
    OUTCOME_BROKEN,  /* the server could not */
    OUTCOME_STOPPED, /* the phone went away, or fell silent, in the middle */
    OUTCOME_STORED,  /* an upload, whole and on the disk */
    OUTCOME_REMOVED  /* by request: it is gone */
};
const char *outcome_name(enum outcome outcome);

/* Longer names are cut; no phone asks for one. */
#define JOURNAL_NAME_BYTES 256
#define JOURNAL_AGENT_BYTES 128

/* What the phone's certificate said of it. */
enum journal_certificate {
    JOURNAL_CERTIFICATE_NONE,
    JOURNAL_CERTIFICATE_BAD,     /* it counts for nothing; `reason` may say why */
    JOURNAL_CERTIFICATE_GENERIC, /* good, and no MAC in it: a whole model's */
    JOURNAL_CERTIFICATE_MAC
};

/* What a worker knows. Who the phone is and what the name means is worked out by the journal's thread. */
struct journal_event {
    enum protocol protocol;
    enum outcome outcome;
    union address peer;
    int64_t wall_ms; /* when the request came */
    uint32_t duration_ms;
    uint64_t bytes;     /* of the file, sent and (TFTP) acknowledged, or received */
    uint16_t code;      /* HTTP status, TFTP error code; 0: none */
    const char *reason; /* static text or NULL: "is a directory", "silent for 8 tries" */
    enum journal_certificate certificate;
    struct mac certificate_mac; /* with _MAC */
    const char *meaning; /* static text: what the name is; NULL: what it looks like */
    bool has_mac;        /* the request says whose it is, whatever name and agent say */
    struct mac mac;
    uint8_t name_len, agent_len;
    char name[JOURNAL_NAME_BYTES]; /* as asked, decoded */
    char agent[JOURNAL_AGENT_BYTES];
};
/* Cut to what fits. */
void journal_event_set_name(struct journal_event *e, struct slice name);
void journal_event_set_agent(struct journal_event *e, struct slice agent);

/* The MAC that is proven by it, for struct caller; NULL: none. */
static inline const struct mac *journal_event_certificate(const struct journal_event *e)
{
    return e->certificate == JOURNAL_CERTIFICATE_MAC ? &e->certificate_mac : NULL;
}

struct journal_row;
struct journal;
struct journal_options {
    const char *database; /* path; NULL: no rows */
    uint64_t rows_max;    /* kept in the database; 0: JOURNAL_STORE_ROWS_DEFAULT */
    int line_fd;          /* -1: no lines */
};
/* Opens the database. One that cannot be opened is said in the log, and the journal goes on without rows.
 * 0 or a negative errno. Lines are written to `line_fd` as
 *
 *   TIME PROTOCOL PEER MAC MODEL FIRMWARE MEANING "NAME" OUTCOME[ CODE][ (REASON)] N B N ms[ certificate WHOSE]
 *   2026-11-22T07:05:09.123Z tftp 10.2.20.73:4711 00:15:65:74:b1:6e T46S 66.84.0.15 MAC-oriented boot file
 *   "00156574b16e.boot" absent (no such file) 0 B 1 ms
 *
 * (one line), `-` for what is not known; CODE is HTTP's status and FTP's reply; WHOSE is the MAC that the phone's
 * certificate names (then MAC is that one too), `generic` or `bad`. What a reader of a pipe does
 * not take within a second, or a full disk does not hold, is lost; the next line says how many were. */
int journal_open(const struct journal_options *options, struct journal **ret_journal);
/* Starts the thread that writes: after the process has been confined, which threads inherit. Events that
 * were noted before wait in the queue. 0 or a negative errno. */
int journal_start(struct journal *j);
/* Before that: the last rows for names, the oldest first, of which only peer, name and outcome are filled;
 * false stops. */
void journal_requests(struct journal *j, uint64_t limit, bool (*visit)(void *context, const struct journal_row *row),
                      void *context);
/* Writes what is queued, ends the thread and frees. NULL is no journal. */
void journal_close(struct journal *j);
/* From any thread; never waits for a disk. `j` may be NULL: no journal is kept. */
void journal_note(struct journal *j, const struct journal_event *e);

#endif
