/* What is written, for tests of the server's services: link-time stand-ins for server/upload.c and
 * server/change.c. Include in one file of a test program. One upload at a time keeps its bytes; the names of
 * changes are kept too. */
#ifndef DIALTONE_TESTS_FAKE_UPLOADS_H
#define DIALTONE_TESTS_FAKE_UPLOADS_H

#include "server/change.h"

#include <stdlib.h>

#define FAKE_UPLOAD_BYTES ((size_t)1 << 20)

struct upload {
    bool committing;
    upload_done *done;
    void *context;
};

static struct {
    enum upload_answer begin, write, commit, change; /* what they answer */
    int open;                                        /* begun and not ended */
    unsigned begun, committed, aborted, left, changes;
    struct upload *pending; /* committed, and nobody was told yet */
    bool append;
    uint64_t offset;
    enum access_write may;
    size_t len;
    char name[512], from[512], bytes[FAKE_UPLOAD_BYTES];
} fake_upload;

static inline void fake_upload_keep(char *into, size_t room, struct slice name)
{
    struct buf out = buf_on(into, room);
    buf_text(&out, name);
    buf_terminate(&out);
}

const char *upload_answer_words(enum upload_answer answer)
{
    return answer == UPLOAD_FINE ? "taken" : answer == UPLOAD_FORBIDDEN ? "forbidden" : "not taken";
}

enum upload_answer upload_begin(struct worker *w, const struct upload_request *request,
                                struct upload **ret_upload)
{
    (void)w;
    fake_upload_keep(fake_upload.name, sizeof fake_upload.name, request->name);
    fake_upload.append = request->append;
    fake_upload.offset = request->offset;
    fake_upload.may = request->write;
    if (fake_upload.begin != UPLOAD_FINE)
        return fake_upload.begin;
    struct upload *u = calloc(1, sizeof *u);
    if (!u)
        return UPLOAD_BROKEN;
    fake_upload.open++;
    fake_upload.begun++;
    fake_upload.len = 0;
    *ret_upload = u;
    return UPLOAD_FINE;
}

enum upload_answer upload_write(struct upload *u, struct slice bytes)
{
    if (u->committing || !bytes.len)
        abort();
    if (fake_upload.write != UPLOAD_FINE)
        return fake_upload.write;
    if (bytes.len > sizeof fake_upload.bytes - fake_upload.len)
        return UPLOAD_TOO_LARGE;
    memcpy(fake_upload.bytes + fake_upload.len, bytes.ptr, bytes.len);
    fake_upload.len += bytes.len;
    return UPLOAD_FINE;
}

void upload_abort(struct upload *u)
{
    if (u->committing)
        abort();
    fake_upload.open--;
    fake_upload.aborted++;
    free(u);
}

void upload_commit(struct upload *u, upload_done *done, void *context)
{
    if (u->committing || fake_upload.pending)
        abort();
    u->committing = true;
    u->done = done;
    u->context = context;
    fake_upload.pending = u;
}

void upload_leave(struct upload *u)
{
    if (!u->committing)
        abort();
    u->done = NULL;
    fake_upload.left++;
}

/* The disk is done with what was committed, when there is something. */
static inline void fake_upload_settle(void)
{
    struct upload *u = fake_upload.pending;
    if (!u)
        return;
    fake_upload.pending = NULL;
    fake_upload.open--;
    fake_upload.committed += fake_upload.commit == UPLOAD_FINE;
    if (u->done)
        u->done(u->context, fake_upload.commit);
    free(u);
}

static inline enum upload_answer fake_change(struct slice name)
{
    fake_upload_keep(fake_upload.name, sizeof fake_upload.name, name);
    fake_upload.changes++;
    return fake_upload.change;
}

enum upload_answer change_remove(struct worker *w, const struct caller *caller, struct slice name)
{
    (void)w;
    (void)caller;
    return fake_change(name);
}

enum upload_answer change_rename(struct worker *w, const struct caller *caller, struct slice from,
                                 struct slice to)
{
    (void)w;
    (void)caller;
    fake_upload_keep(fake_upload.from, sizeof fake_upload.from, from);
    return fake_change(to);
}

enum upload_answer change_make_directory(struct worker *w, const struct caller *caller, struct slice name)
{
    (void)w;
    (void)caller;
    return fake_change(name);
}

enum upload_answer change_remove_directory(struct worker *w, const struct caller *caller, struct slice name)
{
    (void)w;
    (void)caller;
    return fake_change(name);
}

#endif
