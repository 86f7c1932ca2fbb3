/* The server as a whole: listeners, workers, journal; from configuration to the last answered request.
 *
 *   serve_open     binds and opens everything that needs privileges; no thread runs yet
 *   (confine)      server/confine.h, by the program that wants it
 *   serve_run      starts the threads
 *   serve_drain    SIGTERM: no new requests, those under way are finished
 *   serve_close    waits for the workers, flushes the journal, frees
 *
 * One thread owns a serve and calls all of these. */
#ifndef DIALTONE_SERVER_SERVE_H
#define DIALTONE_SERVER_SERVE_H

#include "net/address.h"
#include "server/config.h"
#include "server/journal.h"

struct serve;

/* The configuration must outlive the serve. 0 or a negative errno, with a log line that says what is wrong. */
int serve_open(const struct config *config, struct serve **ret_serve);
/* 0 or a negative errno. Signals should be blocked before, so that the workers inherit that. */
int serve_run(struct serve *s);
/* serve_open() and serve_run(): a server in threads of this process. */
int serve_start(const struct config *config, struct serve **ret_serve);

/* Where it listens, one a call: `index` from 0; false past the end. */
bool serve_listener(const struct serve *s, size_t index, enum protocol *ret_protocol,
                    union address *ret_address);
/* Of such an index: TLS for old phones (tls.legacy). */
bool serve_listener_is_legacy(const struct serve *s, size_t index);
/* Where a server of this configuration would listen: for who looks before it starts. */
struct serve_place {
    enum protocol protocol;
    int socket_type;
    const char *key;       /* "tftp.port" */
    union address address; /* port 0: any free one */
    uint16_t usual_port;   /* of the protocol */
    bool fallback;         /* no port is configured, and this user may not have the usual one */
    int error;             /* of trying it: 0, -EADDRINUSE, -EACCES ... */
};
#define SERVE_PLACES_MAX 60
/* How many. */
size_t serve_places(const struct config *c, struct serve_place places[SERVE_PLACES_MAX]);
/* The first listener's port; 0 when the protocol is off. */
uint16_t serve_port(const struct serve *s, enum protocol protocol);
/* The root's directory descriptor (O_PATH) and the journal's database ("" when there is none), for confine. */
int serve_root_fd(const struct serve *s);
const char *serve_database(const struct serve *s);
/* The directory of uploads, "" when none are taken. */
const char *serve_uploads(const struct serve *s);

/* What is open to who only knows a MAC (access_open_to()). */
bool serve_open_to(const struct serve *s, size_t index, struct buf *out);

/* Whether access rules let files of the tree itself be written. */
bool serve_writes_root(const struct serve *s);
/* Says in the log where, and where this process could not though they let it. After it is confined. */
void serve_say_writing(const struct serve *s);

/* Reads the certificates again, takes over what `fresh` says of live keys, rules and users, says in the log what needs
 * a restart, forgets all caches. */
void serve_reload(struct serve *s, const struct config *fresh);
/* Returns at once. The workers end when their transfers have, at the latest after run.drain_s. */
void serve_drain(struct serve *s);
/* Ends transfers under way. */
void serve_hurry(struct serve *s);
/* All workers have ended. */
bool serve_is_drained(struct serve *s);
void serve_close(struct serve *s);
/* Drains, waits, closes. */
void serve_stop(struct serve *s);

#endif
