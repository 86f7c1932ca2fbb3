/* The journal: what every phone asked, what it got and why. One line and one row for every request.
 *
 * Workers drop events into a bounded queue and go on; one thread writes lines (standard output or a file)
 * and rows (store/journal_store.h) in batches. A full queue drops detail, never requests, and the next line
 * says how many were dropped. */
#ifndef DIALTONE_SERVER_JOURNAL_H
#define DIALTONE_SERVER_JOURNAL_H

#include "net/address.h"

enum protocol { PROTOCOL_TFTP, PROTOCOL_HTTP, PROTOCOL_HTTPS, PROTOCOL_FTP, PROTOCOL_PNP };
const char *protocol_name(enum protocol protocol);

enum outcome {
    OUTCOME_SENT,      /* the whole file, or the range asked for */
    OUTCOME_UNCHANGED, /* HTTP 304 */
    OUTCOME_ABSENT,
    OUTCOME_REFUSED, /* a name, method, size or rate that is not accepted */
    OUTCOME_BROKEN,  /* the server could not */
    OUTCOME_STOPPED  /* the phone went away, or fell silent, in the middle */
};
const char *outcome_name(enum outcome outcome);

/* Longer names are cut; no phone asks for one. */
#define JOURNAL_NAME_BYTES 256
#define JOURNAL_AGENT_BYTES 128

/* What a worker knows. Who the phone is and what the name means is worked out by the journal's thread. */
struct journal_event {
    enum protocol protocol;
    enum outcome outcome;
    union address peer;
    int64_t wall_ms; /* when the request came */
    uint32_t duration_ms;
    uint64_t bytes;     /* of the file, sent and (TFTP) acknowledged */
    uint16_t code;      /* HTTP status, TFTP error code; 0: none */
    const char *reason; /* static text or NULL: "is a directory", "silent for 8 tries" */
    uint8_t name_len, agent_len;
    char name[JOURNAL_NAME_BYTES]; /* as asked, decoded */
    char agent[JOURNAL_AGENT_BYTES];
};
/* Cut to what fits. */
void journal_event_set_name(struct journal_event *e, struct slice name);
void journal_event_set_agent(struct journal_event *e, struct slice agent);

struct journal;
struct journal_options {
    const char *database; /* path; NULL: no rows */
    int line_fd;          /* -1: no lines */
};
/* Starts the thread. 0 or a negative errno, with a log line that says what is wrong. */
int journal_open(const struct journal_options *options, struct journal **ret_journal);
/* Writes what is queued, then ends the thread. */
void journal_close(struct journal *j);
/* From any thread; never waits for a disk. `j` may be NULL: no journal is kept. */
void journal_note(struct journal *j, const struct journal_event *e);

#endif
