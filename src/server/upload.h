/* What phones send: the one place that writes it, whatever the protocol.
 *
 * A phone may put exactly the names that phones send (guide/name.h: <MAC>-local.cfg, -contact.xml, -calllog.xml,
 * -all.cfg, -boot.log, -sys.log) into a directory that the tree has, and only its own where it is known who it is.
 * The files go to a directory of their own (server/upload_files.h), never into the administrator's tree, and
 * server/tree.h finds them there first: what a phone sent comes back under the same name by every protocol. What the
 * tree itself serves under such a name is not to be overwritten, so an upload of it is refused.
 *
 *   upload_begin    asks all questions; nothing is written yet
 *   upload_write    appends to a temporary file, whose bytes were counted against the quota before
 *   upload_commit   on a thread of libuv's pool, since it waits for the disk: whole or not at all (security.md R22)
 *   upload_abort    and the old file is what it was
 *
 * Limits are the keys upload.* of the configuration, read at upload_begin; those "in all" are for the whole
 * server, all workers together. An upload takes some 600 bytes and two descriptors and buffers nothing. */
#ifndef DIALTONE_SERVER_UPLOAD_H
#define DIALTONE_SERVER_UPLOAD_H

#include "server/access.h"
#include "server/service.h"

/* A bucket holds this many seconds' worth of upload.rate: 500 phones behind one address that send four files each
 * when they get power together. */
#define UPLOAD_BURST_S 100

enum upload_answer {
    UPLOAD_FINE,
    UPLOAD_OFF,
    UPLOAD_BAD_NAME,     /* not one that phones send */
    UPLOAD_STRANGER,     /* another phone's file */
    UPLOAD_NO_DIRECTORY, /* the tree has none of that name */
    UPLOAD_EXISTS,       /* the tree serves one, or phones may not replace theirs */
    UPLOAD_TOO_LARGE,
    UPLOAD_FULL,         /* quota or disk */
    UPLOAD_BUSY,         /* too many at once */
    UPLOAD_TOO_OFTEN,    /* from this address */
    UPLOAD_BROKEN        /* the machine failed */
};
#define UPLOAD_ANSWERS ((size_t)UPLOAD_BROKEN + 1)
/* "not a name that phones send" ... static, for the journal and the peer. */
const char *upload_answer_words(enum upload_answer answer);

struct uploads;
/* Makes the directory and its parent when they are missing, mode 0700, locks it against a second server and counts
 * what it holds. 0, or a negative errno with a log line. */
int uploads_open(const char *path, uint64_t hash_seed, struct uploads **ret_uploads);
/* After the last upload has ended. NULL is fine. */
void uploads_close(struct uploads *u);
/* For trees over it. */
const struct rootdir *uploads_root(const struct uploads *u);
/* Counts again what others have removed (SIGHUP); what is under way then is counted too. */
void uploads_recount(struct uploads *u);

struct upload_request {
    struct caller caller;
    struct slice name;       /* relative, decoded; leading slashes are skipped */
    enum access_write write; /* what the access rule allows */
    bool has_size;
    uint64_t size; /* announced, bytes */
};

struct upload;
/* UPLOAD_FINE and an upload that upload_commit() or upload_abort() ends, or why not. */
enum upload_answer upload_begin(struct worker *w, const struct upload_request *request, struct upload **ret_upload);
/* UPLOAD_FINE, or UPLOAD_TOO_LARGE, _FULL or _BROKEN; then only upload_abort() is left. */
enum upload_answer upload_write(struct upload *u, struct slice bytes);
uint64_t upload_bytes(const struct upload *u);
void upload_abort(struct upload *u);

/* UPLOAD_FINE: the file is there, and on the disk. The upload is gone after this. */
typedef void upload_done(void *context, enum upload_answer answer);
/* `done` comes later, from the worker's loop. */
void upload_commit(struct upload *u, upload_done *done, void *context);
/* After upload_commit(): nobody waits for `done` any more. The file is stored all the same. */
void upload_leave(struct upload *u);

#endif
