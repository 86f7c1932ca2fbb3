/* Everything that is written by way of a protocol: the one place that does it, whatever the protocol.
 *
 * What phones send (guide/name.h: <MAC>-local.cfg, -contact.xml, -calllog.xml, -all.cfg, -boot.log, -sys.log) is an
 * upload: it goes to a directory of its own (server/upload_files.h), never into the administrator's tree, and
 * server/tree.h finds it there first: what a phone sent comes back under the same name by every protocol. What the
 * tree itself serves under such a name stands in the way of an upload.
 *
 * Where an access rule says `create` or `overwrite`, any other name is written into the tree itself: into a directory
 * that is there, never through a symbolic link, never with a right to execute; nothing with a leading dot in its path.
 * With `create` only what is not there yet, with `overwrite` also what the tree serves, of what phones send too.
 *
 * A name with a MAC is for that phone alone where it is known who asks (caller_claims()).
 *
 *   upload_begin    asks all questions; nothing is written yet
 *   upload_write    appends to a temporary file, whose bytes were counted against the ceilings before
 *   upload_commit   on a thread of libuv's pool, since it waits for the disk: whole or not at all (security.md R22)
 *   upload_abort    and the old file is what it was
 *
 * Limits are the keys upload.* of the configuration, and file_max and directory_max of the access rule that decides,
 * read at upload_begin; those "in all" are for the whole server, all workers together. One takes some 900 bytes and
 * two or three descriptors and buffers nothing. */
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
    UPLOAD_BAD_NAME,     /* not one that phones send, and no rule lets others be written; or nobody's */
    UPLOAD_STRANGER,     /* another phone's file */
    UPLOAD_FORBIDDEN,    /* the access rule says no (server/change.h) */
    UPLOAD_NO_DIRECTORY, /* the tree has none of that name */
    UPLOAD_ABSENT,       /* there is nothing of that name to change, or to append to at an offset */
    UPLOAD_EXISTS,       /* the tree serves one, or phones may not replace theirs; a directory or a link has the name */
    UPLOAD_NOT_EMPTY,    /* a directory that is to be removed */
    UPLOAD_BAD_OFFSET,   /* behind the end of the file */
    UPLOAD_TOO_LARGE,
    UPLOAD_FULL,         /* quota, the directory's ceiling, or disk */
    UPLOAD_BUSY,         /* too many at once; later it may go */
    UPLOAD_TOO_OFTEN,    /* from this address */
    UPLOAD_READ_ONLY,    /* the server's user may not write there */
    UPLOAD_BROKEN        /* the machine failed */
};
#define UPLOAD_ANSWERS ((size_t)UPLOAD_BROKEN + 1)
/* "not a name that phones send" ... static, for the journal and the peer. */
const char *upload_answer_words(enum upload_answer answer);

struct uploads;
/* Makes the directory and its parent when they are missing, mode 0700, locks it against a second server and counts
 * what it holds. `path` NULL: nothing that phones send is taken. 0, or a negative errno with a log line. */
int uploads_open(const char *path, uint64_t hash_seed, struct uploads **ret_uploads);
/* After the last upload has ended. NULL is fine. */
void uploads_close(struct uploads *u);
/* For trees over it; NULL when nothing that phones send is taken. */
const struct rootdir *uploads_root(const struct uploads *u);
/* Counts again what others have removed (SIGHUP); what is under way then is counted too. */
void uploads_recount(struct uploads *u);
/* Counts what lies below each prefix whose rule lets be written, for directory_max: at start and at SIGHUP, before the
 * rules hold. Reads all of these directories; temporary files of an hour ago are removed from them. What is full
 * already is said in the log. */
void uploads_survey(struct uploads *u, const struct rootdir *tree, const struct access *a);

struct upload_request {
    struct caller caller;
    struct slice name;       /* relative, decoded; leading slashes are skipped */
    enum access_write write; /* what the access rule allows */
    bool has_size;
    uint64_t size;   /* announced, bytes */
    bool append;     /* behind what there is, if there is something (FTP's APPE) */
    uint64_t offset; /* so many bytes of what there is stay, and these follow (FTP's REST); without `append` */
};

struct upload;
/* UPLOAD_FINE and an upload that upload_commit() or upload_abort() ends, or why not. */
enum upload_answer upload_begin(struct worker *w, const struct upload_request *request, struct upload **ret_upload);
/* UPLOAD_FINE, or why not; then only upload_abort() is left. */
enum upload_answer upload_write(struct upload *u, struct slice bytes);
/* Taken so far; what stays of an older file does not count. */
uint64_t upload_bytes(const struct upload *u);
void upload_abort(struct upload *u);

/* UPLOAD_FINE: the file is there, and on the disk. The upload is gone after this. */
typedef void upload_done(void *context, enum upload_answer answer);
/* `done` comes later, from the worker's loop. */
void upload_commit(struct upload *u, upload_done *done, void *context);
/* After upload_commit(): nobody waits for `done` any more. The file is stored all the same. */
void upload_leave(struct upload *u);

#endif
