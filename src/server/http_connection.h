/* Inside the HTTP service: a connection and the reply under way on it. */
#ifndef DIALTONE_SERVER_HTTP_CONNECTION_H
#define DIALTONE_SERVER_HTTP_CONNECTION_H

#include "net/listener.h"
#include "net/stream.h"
#include "proto/http_answer.h"
#include "proto/http_request.h"
#include "server/fault_log.h"
#include "server/http_intake.h"
#include "server/http_login.h"
#include "server/http_service.h"
#include "server/peer_limit.h"

#include <sys/queue.h>

/* Head and part head, or head and the text of a refusal. */
#define HTTP_REPLY_TEXT_BYTES 1280

/* One request's answer, from its making to the journal. Holds no pointer into itself, so that it can be moved
 * from the service's scratch to memory of its own when it cannot be sent at once. */
struct http_reply {
    struct journal_event event;
    struct turn turn;                   /* once the reply has memory of its own */
    struct http_connection *connection; /* likewise */
    uint64_t start_ms;
    struct http_intake *intake; /* what the request writes; NULL: nothing, or not under way yet */
    struct tree_file file; /* held while there is a body to come from it */
    bool holds_file;
    bool close;               /* the connection ends with this reply */
    bool linger;              /* and the peer may still be sending */
    uint64_t at, end;         /* of the file: what is still to go of the present part */
    struct http_ranges parts; /* count 0: not a multipart body */
    size_t part;
    struct slice content_type; /* static */
    uint16_t text_at, text_len;
    uint64_t written; /* bytes of everything, handed to the kernel */
    char text[HTTP_REPLY_TEXT_BYTES];
};

enum http_state {
    HTTP_STATE_READING, /* idle, or a head is on its way */
    HTTP_STATE_SENDING,
    HTTP_STATE_TAKING,  /* a body is on its way */
    HTTP_STATE_STORING, /* it is whole, and on its way to the disk; nothing is read meanwhile */
    HTTP_STATE_CLOSING /* answered; what the peer still sends is thrown away */
};

struct http_connection {
    struct stream stream;
    struct timer timer; /* its meaning is the state's */
    struct http_service *service;
    TAILQ_ENTRY(http_connection) link; /* in `waiting` or `sending` of the service once it has a slot */
    union address peer;
    struct peer_limit *limit; /* NULL: has no slot */
    struct http_guard guard;
    char *kept;               /* HTTP_HEAD_BYTES_MAX bytes, or NULL: what came and is not answered */
    struct http_reply *reply; /* while sending, taking and storing */
    uint64_t since_ms;        /* the present head began, or the connection was accepted */
    int64_t taken;            /* bytes of the reply acknowledged, or of the body received, at the last check */
    uint32_t drained;         /* bytes thrown away while closing */
    uint16_t kept_len;
    uint8_t state;
    bool fresh; /* nothing was answered yet */
};
TAILQ_HEAD(http_connections, http_connection);

/* Dates of files as text: a tree has few and answers them often. */
#define HTTP_DATES_KEPT 16
struct http_date_kept {
    int64_t second;
    uint8_t len; /* 0: none */
    char text[31];
};

struct http_service {
    struct worker *worker;
    enum protocol protocol; /* PROTOCOL_HTTP or PROTOCOL_HTTPS */
    struct listener listener;
    struct http_connections waiting; /* READING and CLOSING, by how long they wait: the first makes room */
    struct http_connections sending; /* and TAKING and STORING */
    struct http_connections spare;
    struct peer_limits *limits;
    uint32_t slots, slots_max, spares;
    uint32_t open; /* handles and connections that must close before the service is freed */
    bool legacy; /* PROTOCOL_HTTPS for old phones */
    bool draining, drained, closing;
    struct fault_log faults;
    void (*done)(void *context);
    void *done_context;
    uint64_t warn_ms;    /* not before */
    int64_t date_second; /* what `date` says */
    uint8_t date_len;
    char date[48]; /* "Date: ...\r\n" */
    struct http_date_kept dates[HTTP_DATES_KEPT];
    struct buf challenges; /* of the present 401, in challenge_bytes */
    char challenge_bytes[HTTP_CHALLENGES_BYTES];
    /* The second is for the connection that makes room while the first is in use. */
    struct http_reply scratch[2];
    unsigned scratch_used;
    char input[HTTP_HEAD_BYTES_MAX]; /* a connection keeps of it what it cannot answer yet */
};

/* http_connection.c */
void http_connection_accept(struct http_service *s, int fd, const union address *peer);
/* For draining: lets the connection go when nothing is under way on it. */
void http_connection_retire(struct http_connection *c);
/* At once, with the event of what was under way. */
void http_connection_abort(struct http_connection *c, const char *reason);
/* Takes a slot, making room when all are taken. */
bool http_connection_admit(struct http_connection *c);
void http_connection_enter(struct http_connection *c, enum http_state state);
/* Keeps the tail of what was read, which may lie in `kept` already; empty lets go of it. False: no memory. */
bool http_connection_keep(struct http_connection *c, struct slice input);
/* Moves the reply out of the service's scratch, once. False: no memory. */
bool http_connection_own_reply(struct http_connection *c);
/* Sends the reply to a body that was taken or refused, and goes on with `input`, which lies behind it. */
void http_connection_answer(struct http_connection *c, struct slice input);
/* Ends the connection now, without an answer or within one. */
void http_connection_cut(struct http_connection *c, enum outcome outcome, const char *reason);

/* http_service.c: a connection's slot and its memory. */
struct http_connection *http_service_take(struct http_service *s);
void http_service_give(struct http_connection *c);
void http_service_slot_freed(struct http_service *s);
struct slice http_service_date(struct http_service *s);
/* Good until the next call. */
struct slice http_service_modified(struct http_service *s, int64_t second);
/* What new connections are made with; NULL: no TLS. */
struct ssl_ctx_st *http_service_tls(const struct http_service *s);
/* Whether a handshake of this peer that failed gets a line in the journal: somebody who fails all the time gets some,
 * and a count in the log. */
bool http_service_may_note_fault(struct http_service *s, const union address *peer);

/* http_reply.c: into the service's scratch, which becomes c->reply. */
bool http_reply_is_scratch(const struct http_connection *c);
void http_reply_to_request(struct http_connection *c, struct slice head);
/* A short text for a person; 201 and all that is refused. `request` NULL: it could not be read. */
void http_reply_words(struct http_connection *c, const struct http_request *request, unsigned status,
                      enum outcome outcome, const char *reason);
/* Without content. */
void http_reply_bare(struct http_connection *c, const struct http_request *request, unsigned status,
                     struct slice allow);
/* Who asks, as far as the connection tells. */
struct caller http_reply_caller(const struct http_connection *c);
/* Rules and login for `ask`, whose caller is completed. */
struct http_admission http_reply_admit(struct http_connection *c, const struct http_request *request,
                                       struct access_request *ask);
/* To a head that the guard refused, that came too late (408) or found no room (503). */
void http_reply_refuse(struct http_connection *c, struct slice input, unsigned status, const char *reason);
/* The event of a head that never came whole and gets no answer. */
void http_reply_note_unanswered(struct http_connection *c, struct slice input, const char *reason);
/* What is to be written next when the text is out and the part's bytes too; false: nothing, it is done. */
bool http_reply_next_part(struct http_reply *r);
/* The journal's event; the file is let go, and what was not stored never was. */
void http_reply_finish(struct http_connection *c);

/* http_write.c: requests that write. Afterwards c->reply has an intake, or an answer. */
void http_write_request(struct http_connection *c, const struct http_request *request, struct slice name);
void http_write_options(struct http_connection *c, const struct http_request *request, struct slice name);
/* What may be done with this name: the text of an Allow line. */
struct slice http_write_methods(struct http_connection *c, struct slice name);
/* Answers of an intake: it was refused, or it is stored or why not. */
void http_write_refuse(struct http_connection *c, unsigned status, enum outcome outcome, const char *reason);
void http_write_stored(struct http_connection *c, enum upload_answer answer);

/* http_take.c: reads the body. `input` lies behind the head. */
void http_take_begin(struct http_connection *c, struct slice input);
void http_take_ready(struct http_connection *c);
/* Ends the body that has been on its way for longest, and for HTTP_TAKE_CHECK_S at least; false: there is none. Reads
 * nothing, so what lies in `input` stays. */
bool http_take_make_room(struct http_service *s);

#endif
