#include "base/log.h"
#include "server/upload_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct upload {
    struct upload_share share;
    struct loop *loop;
    uint64_t taken; /* bytes that came */
    uint64_t kept;  /* bytes of the older file that stay before them */
    uint64_t replaced; /* bytes of the file in the tree that this one replaces */
    unsigned versions;
    mode_t mode;
    bool may_replace, replaces;
    int dirfd, fd; /* fd -1: nothing was written yet */
    int old_fd;    /* what the kept bytes are read from; -1: nothing is kept */
    upload_done *done;
    void *context;
    uv_work_t work;
    int error; /* of the commit */
    struct upload_gone gone;
    char temporary[ROOTDIR_TEMPORARY_BYTES], last[ROOTDIR_NAME_MAX + 1];
    size_t directory_len;
    char directory[];
};

const char *upload_answer_words(enum upload_answer answer)
{
    static const char *const words[UPLOAD_ANSWERS] = {
        [UPLOAD_FINE] = "taken",
        [UPLOAD_OFF] = "uploads are not enabled",
        [UPLOAD_BAD_NAME] = "not a name that phones send",
        [UPLOAD_STRANGER] = "another phone's file",
        [UPLOAD_FORBIDDEN] = "not allowed",
        [UPLOAD_NO_DIRECTORY] = "no such directory",
        [UPLOAD_ABSENT] = "no such file",
        [UPLOAD_EXISTS] = "exists and may not be replaced",
        [UPLOAD_NOT_EMPTY] = "the directory is not empty",
        [UPLOAD_BAD_OFFSET] = "the file has fewer bytes",
        [UPLOAD_TOO_LARGE] = "too large",
        [UPLOAD_FULL] = "no room for uploads",
        [UPLOAD_BUSY] = "too many uploads at once",
        [UPLOAD_TOO_OFTEN] = "too many uploads from this address",
        [UPLOAD_READ_ONLY] = "the server may not write there",
        [UPLOAD_BROKEN] = "cannot be written",
    };
    return words[answer];
}

/* Rename may find what was not there when all was asked. */
static enum upload_answer answer_of(const struct upload *u, int error)
{
    return u->share.in_tree && (error == -EEXIST || error == -EISDIR) ? UPLOAD_EXISTS : upload_answer_of(error);
}

/* --- what may come --- */

static uint64_t file_max(const struct worker *w, const struct upload_place *p, uint64_t by_rule)
{
    uint64_t own = p->in_tree ? UINT64_MAX : w->config->upload_file_max;
    return own < by_rule ? own : by_rule;
}

static mode_t mode_of(const struct worker *w, const struct upload_place *p)
{
    if (p->in_tree && p->exists)
        return p->mode;
    return slice_eq(w->config->upload_mode, SLICE("0644")) ? 0644 : 0600;
}

static void let_go(struct upload *u)
{
    if (u->fd >= 0)
        close(u->fd);
    if (u->dirfd >= 0)
        close(u->dirfd);
    if (u->old_fd >= 0)
        close(u->old_fd);
    free(u);
}

/* Takes over the place's descriptor. */
static struct upload *make(struct worker *w, const struct upload_request *r, struct upload_place *p)
{
    struct access_ceilings ceilings = access_ceilings(w->access, p->name);
    struct upload *u = calloc(1, sizeof *u + p->directory.len);
    if (!u) {
        upload_place_close(p);
        return NULL;
    }
    u->share = (struct upload_share){ .uploads = w->uploads,
                                      .room = uploads_room(w->uploads, &ceilings),
                                      .in_tree = p->in_tree,
                                      .size_max = file_max(w, p, ceilings.file),
                                      .total_max = (uint64_t)w->config->upload_total_mib << 20,
                                      .room_max = ceilings.directory_bytes };
    u->loop = &w->loop;
    u->versions = w->config->upload_versions;
    u->mode = mode_of(w, p);
    u->may_replace = r->write == ACCESS_WRITE_OVERWRITE;
    u->replaces = p->exists;
    u->replaced = p->size;
    u->dirfd = p->dirfd;
    u->fd = u->old_fd = -1;
    memcpy(u->last, p->last, sizeof u->last);
    u->directory_len = p->directory.len;
    memcpy(u->directory, p->directory.ptr, p->directory.len);
    return u;
}

static int open_old(const struct upload *u, int *ret_fd)
{
    int dirfd = u->dirfd, own = -1;
    if (dirfd < 0) {
        struct slice directory = slice_of(u->directory, u->directory_len);
        int error = upload_files_directory(&u->share.uploads->root, directory, false, &own);
        if (error)
            return error;
        dirfd = own;
    }
    int fd = openat(dirfd, u->last, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int error = fd < 0 ? -errno : 0;
    if (own >= 0)
        close(own);
    if (!error)
        *ret_fd = fd;
    return error;
}

/* The beginning that stays is held by its descriptor from now on, whatever becomes of the name. It is copied at the
 * end, on a thread that may wait. */
static enum upload_answer keep_beginning(struct upload *u, const struct upload_request *r)
{
    if (!u->replaces && r->append)
        return UPLOAD_FINE;
    if (!u->replaces)
        return UPLOAD_ABSENT;
    int error = open_old(u, &u->old_fd);
    if (error)
        return error == -ENOENT ? UPLOAD_ABSENT : upload_answer_of(error);
    off_t size = lseek(u->old_fd, 0, SEEK_END);
    if (size < 0)
        return UPLOAD_BROKEN;
    if (!r->append && r->offset > (uint64_t)size)
        return UPLOAD_BAD_OFFSET;
    u->kept = r->append ? (uint64_t)size : r->offset;
    return UPLOAD_FINE;
}

static enum upload_answer prepare(struct worker *w, const struct upload_request *r, struct upload *u)
{
    enum upload_answer answer = r->append || r->offset ? keep_beginning(u, r) : UPLOAD_FINE;
    uint64_t announced = r->has_size ? r->size : 0, max = u->share.size_max;
    if (answer == UPLOAD_FINE && (announced > max || u->kept > max - announced))
        answer = UPLOAD_TOO_LARGE;
    return answer == UPLOAD_FINE ? uploads_begin(w, &r->caller, &u->share, announced + u->kept) : answer;
}

enum upload_answer upload_begin(struct worker *w, const struct upload_request *request, struct upload **ret_upload)
{
    struct upload_place place;
    enum upload_answer answer = upload_place_find(w, &request->caller, request->name, request->write, &place);
    if (answer != UPLOAD_FINE)
        return answer;
    struct upload *u = make(w, request, &place);
    if (!u)
        return UPLOAD_BROKEN;
    answer = prepare(w, request, u);
    if (answer != UPLOAD_FINE) {
        let_go(u);
        return answer;
    }
    answer = u->kept ? uploads_take(&u->share, u->kept) : UPLOAD_FINE;
    if (answer != UPLOAD_FINE) {
        upload_abort(u);
        return answer;
    }
    *ret_upload = u;
    return UPLOAD_FINE;
}

/* --- bytes --- */

/* Not before there is something to write: a forged request costs the disk nothing. */
static int open_file(struct upload *u)
{
    struct slice directory = slice_of(u->directory, u->directory_len);
    if (u->fd >= 0)
        return 0;
    int error = u->dirfd < 0 ? upload_files_directory(&u->share.uploads->root, directory, true, &u->dirfd) : 0;
    if (!error)
        error = rootdir_temporary(u->dirfd, u->mode, u->temporary, &u->fd);
    if (!error && u->kept && lseek(u->fd, (off_t)u->kept, SEEK_SET) < 0)
        error = -errno;
    return error;
}

enum upload_answer upload_write(struct upload *u, struct slice bytes)
{
    enum upload_answer answer = uploads_take(&u->share, bytes.len);
    if (answer != UPLOAD_FINE)
        return answer;
    int error = open_file(u);
    if (!error)
        error = rootdir_write(u->fd, bytes);
    u->taken += error ? 0 : bytes.len;
    return answer_of(u, error);
}

uint64_t upload_bytes(const struct upload *u)
{
    return u->taken;
}

void upload_abort(struct upload *u)
{
    if (u->fd >= 0)
        unlinkat(u->dirfd, u->temporary, 0);
    uploads_end(&u->share, (struct upload_gone){ 1, u->share.size });
    let_go(u);
}

static int install(struct upload *u)
{
    if (u->share.in_tree)
        return rootdir_place(u->dirfd, u->fd, u->temporary, u->last, u->may_replace);
    pthread_mutex_lock(&u->share.uploads->installing);
    int error = upload_files_install(u->dirfd, u->fd, u->temporary, u->last, u->versions, &u->gone);
    pthread_mutex_unlock(&u->share.uploads->installing);
    return error;
}

/* On a thread of the pool. */
static void commit(uv_work_t *work)
{
    struct upload *u = container_of(work, struct upload, work);
    u->error = open_file(u);
    if (!u->error && u->kept)
        u->error = rootdir_copy(u->old_fd, u->fd, u->kept);
    /* Before the lock, so that several wait for the disk together. */
    if (!u->error && fsync(u->fd) < 0)
        u->error = -errno;
    if (!u->error)
        u->error = install(u);
    else if (u->fd >= 0)
        unlinkat(u->dirfd, u->temporary, 0);
}

static struct upload_gone gone_after(const struct upload *u, bool stored)
{
    struct upload_gone gone = u->gone;
    if (!stored) {
        gone.files++;
        gone.bytes += u->share.size;
    } else if (u->share.in_tree && u->replaces) {
        gone.files++;
        gone.bytes += u->replaced;
    }
    return gone;
}

static void committed(uv_work_t *work, int status)
{
    struct upload *u = container_of(work, struct upload, work);
    enum upload_answer answer = answer_of(u, status ? status : u->error);
    if (answer != UPLOAD_FINE && answer != UPLOAD_EXISTS)
        log_error("%s: %.*s/%s: %s", u->share.in_tree ? "root" : "uploads", (int)u->directory_len, u->directory,
                  u->last, strerror(-u->error));
    loop_woke(u->loop);
    uploads_end(&u->share, gone_after(u, answer == UPLOAD_FINE));
    if (u->done)
        u->done(u->context, answer);
    let_go(u);
}

void upload_commit(struct upload *u, upload_done *done, void *context)
{
    u->done = done;
    u->context = context;
    /* It fails only without a callback. */
    uv_queue_work(&u->loop->uv, &u->work, commit, committed);
}

void upload_leave(struct upload *u)
{
    u->done = NULL;
}
