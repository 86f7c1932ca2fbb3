/* Inside the FTP service: a session, its data connection and the transfer under way. */
#ifndef DIALTONE_SERVER_FTP_SESSION_H
#define DIALTONE_SERVER_FTP_SESSION_H

#include "net/listener.h"
#include "net/stream.h"
#include "proto/ftp.h"
#include "server/fault_log.h"
#include "server/ftp_ports.h"
#include "server/ftp_relay.h"
#include "server/ftp_service.h"
#include "server/peer_limit.h"
#include "server/upload.h"
#include "server/user_hash.h"

#include <sys/queue.h>

/* Room for a batch of pipelined replies, for one more of the longest kind, and for the end of a transfer, which
 * may come at any time. */
#define FTP_REPLY_BATCH 256
#define FTP_REPLY_RESERVE 160
#define FTP_OUT_BYTES (FTP_REPLY_BATCH + FTP_REPLY_BYTES_MAX + FTP_REPLY_RESERVE)

struct ftp_session;

/* A data connection. It outlives its session when that ends first: freed by its own last callback only (R10).
 */
struct ftp_data {
    struct stream stream;
    struct ftp_service *service;
    struct ftp_session *session; /* NULL: let go */
    bool connecting;
    struct turn turn;
};

/* Text made for the wire: listings and TYPE A. */
struct ftp_chunk {
    struct tree_listing *listing; /* NULL: the session's file */
    struct ftp_ascii ascii;
    size_t at, len;
    char text[FTP_CHUNK_BYTES];
};

enum ftp_transfer { FTP_TRANSFER_NONE, FTP_TRANSFER_FILE, FTP_TRANSFER_LIST, FTP_TRANSFER_STORE };
/* How far a transfer got in a round; ENDED: its end has been said already, or comes from elsewhere. */
enum ftp_progress {
    FTP_PROGRESS_DONE,
    FTP_PROGRESS_TURN_OVER,
    FTP_PROGRESS_BLOCKED,
    FTP_PROGRESS_GONE,
    FTP_PROGRESS_BROKEN,
    FTP_PROGRESS_ENDED
};
enum ftp_list { FTP_LIST_NAMES, FTP_LIST_LONG, FTP_LIST_FACTS };

/* Where a session stands in the service's lists. */
enum ftp_place { FTP_PLACE_NONE, FTP_PLACE_STRANGER, FTP_PLACE_IDLE, FTP_PLACE_BUSY };

struct ftp_session {
    struct stream control;
    struct timer timer;      /* login or idle */
    struct timer data_timer; /* waits for a data connection, or looks at a slow reader */
    struct ftp_service *service;
    TAILQ_ENTRY(ftp_session) link;
    union address peer;
    struct peer_limit *limit;
    uint8_t place; /* enum ftp_place */

    /* Login and parameters. */
    bool named, anonymous, logged_in; /* USER came; it was anonymous; PASS too */
    uint8_t user_len;
    char user[USER_NAME_BYTES_MAX]; /* what USER said, unless anonymous */
    uint64_t user_mark;             /* of his password's line when he logged in */
    struct mac certificate;         /* with `proven`: the MAC that the client's certificate names */
    bool proven;
    bool binary, epsv_all;
    bool sized, private; /* PBSZ came; PROT P holds for data connections */
    bool leaving, ended; /* QUIT came; the peer says nothing more */
    bool drained;        /* nothing was left to read; an event says when there is again */
    bool moving;         /* AUTH TLS came: the connection goes to a worker for TLS */
    uint8_t facts, faults;
    uint64_t rest;

    /* The data connection: a lent port, an address to connect to, or one that is there. */
    struct ftp_port *port;
    struct ftp_data *data;
    uint16_t active_port; /* at the peer's host; 0: none */

    /* The transfer under way. */
    uint8_t transfer; /* enum ftp_transfer */
    uint8_t list;     /* enum ftp_list */
    bool noted;       /* the journal knows already that `name` is absent */
    bool list_cut;    /* the listing ended before the directory did */
    struct tree_file file;
    bool holds_file;
    struct ftp_chunk *chunk;
    struct upload *upload;     /* of one that stores */
    bool storing;              /* it is on its way to the disk: nothing stops it any more */
    bool unique;               /* STOU */
    struct ftp_ascii ascii;    /* of what comes */
    uint64_t at;               /* of the file, next to go */
    uint64_t sent, started_ms; /* sent, or received */
    int64_t taken;
    int64_t wall_ms;

    char *renaming; /* what RNFR said, an absolute path; NULL: it did not */

    uint16_t out_at, out_len, cwd_len, name_len, pattern_at; /* pattern_at: of the name; 0: no pattern */
    struct ftp_reader reader;
    char out[FTP_OUT_BYTES];
    char cwd[FTP_PATH_BYTES_MAX];
    char name[FTP_PATH_BYTES_MAX]; /* what the last command that named something asked for */
};
TAILQ_HEAD(ftp_sessions, ftp_session);

struct ftp_service {
    struct worker *worker;
    struct listener listener; /* of one without TLS */
    struct ftp_inbox *inbox;  /* of one with TLS, whose sessions all have it; NULL: one without */
    union address at;         /* where the control connections are accepted */
    struct ftp_ports *ports;
    struct ftp_sessions strangers, idle, busy; /* by how long they are there */
    struct peer_limits *limits;
    uint32_t slots, slots_max;
    uint32_t open; /* what must close before the service is freed */
    bool draining, drained, closing;
    void (*done)(void *context);
    void *done_context;
    uint64_t warn_ms;                /* not before */
    struct fault_log faults;
    char input[FTP_CHUNK_BYTES / 2]; /* of a file, on its way into a chunk */
    char received[FTP_RECEIVE_BYTES + 1];
};

/* ftp_service.c */
void ftp_service_put(struct ftp_session *s, enum ftp_place place);
bool ftp_service_admit(struct ftp_service *service, struct ftp_session *s);
void ftp_service_slot_freed(struct ftp_service *service);
/* One of what `open` counts is closed. */
void ftp_service_let_go(struct ftp_service *service);

/* ftp_session.c: the control connection. */
void ftp_session_accept(struct ftp_service *service, int fd, const union address *peer);
/* One that has said AUTH TLS elsewhere. */
void ftp_session_take(struct ftp_service *service, int fd, const union address *peer);
/* After anything has happened to it: writes, reads and answers as far as it goes. The session may be gone. */
void ftp_session_run(struct ftp_session *s);
void ftp_session_reply(struct ftp_session *s, unsigned code, const char *text);
struct buf ftp_session_out(struct ftp_session *s);
void ftp_session_said(struct ftp_session *s, const struct buf *out);
/* With a last word (NULL: none), at once. */
void ftp_session_drop(struct ftp_session *s, unsigned code, const char *text);
/* A transfer has ended: the time for the next command runs. */
void ftp_session_rested(struct ftp_session *s);
/* Whether the client still listens on its control connection, which is read from for this. */
bool ftp_session_is_there(struct ftp_session *s);
/* For draining. */
void ftp_session_retire(struct ftp_session *s);

/* ftp_command.c */
void ftp_command_answer(struct ftp_session *s, struct slice line);
/* True for a line that is answered while a transfer is under way. */
bool ftp_command_is_urgent(struct slice line);

/* ftp_data.c: none of these ends the session. */
extern const struct ftp_borrower ftp_data_borrower;
/* Gives up what there is of a data connection, no transfer being under way. */
void ftp_data_drop(struct ftp_session *s);
/* Lends a port; 0 when there is none. */
uint16_t ftp_data_listen(struct ftp_session *s);
/* Why there can be no transfer now, with the reply's code; NULL: there can. */
const char *ftp_data_fault(const struct ftp_session *s, unsigned *ret_code);
/* Connects to where PORT or EPRT said. */
bool ftp_data_connect(struct ftp_session *s);
/* The connection alone; `abort` resets it. */
void ftp_data_close(struct ftp_session *s, bool abort);

/* ftp_transfer.c: likewise. */
/* The session's transfer, file or chunk are set: says 150 and sends as soon as there is a connection. */
void ftp_transfer_begin(struct ftp_session *s);
/* Goes on with it: the data connection is there, or ready again. */
void ftp_transfer_advance(struct ftp_session *s);
/* The same when its turn comes (net/loop.h), and does not watch the connection until then. */
void ftp_transfer_take_turn(struct ftp_session *s);
/* Answers and notes that there will be none. */
void ftp_transfer_refuse(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason);
/* s->chunk; false without memory. */
bool ftp_chunk_new(struct ftp_session *s);
void ftp_transfer_end(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason);
/* ftp_store.c: takes what has come, and ends the transfer when that is all. */
enum ftp_progress ftp_store_pull(struct ftp_session *s);
void ftp_store_let_go(struct ftp_session *s);
/* An event about s->name. */
void ftp_transfer_note(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason);

/* With TLS. */
static inline bool ftp_is_secure(const struct ftp_session *s)
{
    return s->service->inbox != NULL;
}
/* The operator wants it. */
static inline bool ftp_needs_tls(const struct ftp_session *s)
{
    return slice_eq(s->service->worker->config->ftp_tls, SLICE("required"));
}
static inline struct loop *ftp_loop(const struct ftp_session *s)
{
    return &s->service->worker->loop;
}
static inline struct slice ftp_name(const struct ftp_session *s)
{
    return slice_of(s->name, s->name_len);
}

#endif
