#include "server/change.h"

#include "base/log.h"
#include "guide/name.h"
#include "server/upload_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories are for phones' files, which the server's user reads; others on the machine see their names. */
#define DIRECTORY_MODE 0755
/* Of one directory that is looked into before it is removed. */
#define ENTRIES_MAX 100000

/* --- what the rules say --- */

static enum access_write rule_for(const struct worker *w, const struct caller *caller, struct slice name)
{
    struct access_request ask = { .caller = *caller, .name = name, .act = ACCESS_WRITE };
    struct access_verdict v = access_decide(w->access, &ask);
    return v.answer == ACCESS_YES ? v.write : ACCESS_WRITE_NONE;
}

static enum upload_answer find(struct worker *w, const struct caller *caller, struct slice name,
                               enum access_write needed, struct upload_place *ret_place)
{
    if (rule_for(w, caller, name) < needed)
        return UPLOAD_FORBIDDEN;
    return upload_place_any(w, caller, name, ret_place);
}

static struct upload_share share_of(const struct worker *w, const struct upload_place *p)
{
    struct access_ceilings ceilings = access_ceilings(w->access, p->name);
    return (struct upload_share){ .uploads = w->uploads,
                                  .room = uploads_room(w->uploads, &ceilings),
                                  .in_tree = p->in_tree,
                                  .size_max = ceilings.file,
                                  .room_max = ceilings.directory_bytes };
}

/* --- the disk, later --- */

struct settling {
    uv_work_t work;
    int fd;
};

static void settle(uv_work_t *work)
{
    fsync(container_of(work, struct settling, work)->fd);
}

static void settled(uv_work_t *work, int status)
{
    struct settling *s = container_of(work, struct settling, work);
    (void)status;
    close(s->fd);
    free(s);
}

/* Takes the directory over. A fault of the disk is nobody's to hear any more. */
static void settle_later(struct worker *w, int dirfd)
{
    struct settling *s = malloc(sizeof *s);
    if (!s) {
        close(dirfd);
        return;
    }
    s->fd = dirfd;
    uv_queue_work(&w->loop.uv, &s->work, settle, settled);
}

/* What was done in the place's directory. */
static enum upload_answer done(struct worker *w, struct upload_place *p, int error)
{
    if (!error && p->dirfd >= 0) {
        settle_later(w, p->dirfd);
        p->dirfd = -1;
    }
    upload_place_close(p);
    switch (-error) {
    case EEXIST:
    case EISDIR:
        return UPLOAD_EXISTS;
    case ENOTEMPTY:
        return UPLOAD_NOT_EMPTY;
    case ENOENT:
    case ENOTDIR:
        return UPLOAD_ABSENT;
    default:
        return upload_answer_of(error);
    }
}

/* --- removing --- */

static enum upload_answer remove_upload(struct worker *w, struct upload_place *p)
{
    struct uploads *u = w->uploads;
    struct upload_gone gone = { 0, 0 };
    /* Somebody moves versions, and waits for the disk. */
    if (pthread_mutex_trylock(&u->installing))
        return UPLOAD_BUSY;
    int error = upload_files_directory(&u->root, p->directory, false, &p->dirfd);
    if (!error)
        error = upload_files_remove(p->dirfd, p->last, w->config->upload_versions, &gone);
    pthread_mutex_unlock(&u->installing);
    struct upload_share share = share_of(w, p);
    uploads_forget(&share, gone);
    return done(w, p, error);
}

enum upload_answer change_remove(struct worker *w, const struct caller *caller, struct slice name)
{
    struct upload_place p;
    enum upload_answer answer = find(w, caller, name, ACCESS_WRITE_OVERWRITE, &p);
    if (answer != UPLOAD_FINE)
        return answer;
    if (!p.exists) {
        upload_place_close(&p);
        return p.is_directory ? UPLOAD_EXISTS : UPLOAD_ABSENT;
    }
    if (!p.in_tree)
        return remove_upload(w, &p);
    struct upload_share share = share_of(w, &p);
    int error = unlinkat(p.dirfd, p.last, 0) < 0 ? -errno : 0;
    if (!error)
        uploads_forget(&share, (struct upload_gone){ 1, p.size });
    return done(w, &p, error);
}

/* --- renaming --- */

static bool is_sent(const struct worker *w, struct slice name)
{
    struct name_meaning m = name_meaning(name);
    return m.has_mac && name_kind_is_sent(m.kind) && uploads_has_root(w->uploads);
}

/* What phones sent into it moves with it, or it could not be reached any more. */
static void move_uploads(const struct worker *w, const struct upload_place *from, const struct upload_place *to)
{
    const struct rootdir *root = &w->uploads->root;
    int old, new;
    if (!uploads_has_root(w->uploads) || upload_files_directory(root, from->directory, false, &old))
        return;
    int error = upload_files_directory(root, to->directory, true, &new);
    if (!error) {
        error = renameat2(old, from->last, new, to->last, RENAME_NOREPLACE) < 0 ? -errno : 0;
        close(new);
    }
    close(old);
    if (error && error != -ENOENT)
        log_warning("uploads: %.*s: not moved with its directory: %s", SLICE_ARG(from->name), strerror(-error));
}

static enum upload_answer judge_file(struct worker *w, const struct caller *caller, const struct upload_place *from,
                                     struct upload_place *to)
{
    if (!from->in_tree || is_sent(w, to->name) || !to->in_tree)
        return UPLOAD_BAD_NAME;
    if (to->is_directory)
        return UPLOAD_EXISTS;
    if (to->exists && rule_for(w, caller, to->name) < ACCESS_WRITE_OVERWRITE)
        return UPLOAD_EXISTS;
    return UPLOAD_FINE;
}

/* A name that is spelled anew may find itself. */
static bool is_itself(const struct upload_place *from, const struct upload_place *to)
{
    return slice_eq(from->directory, to->directory) && slice_eq(slice_str(from->last), slice_str(to->last));
}

static enum upload_answer rename_file(struct worker *w, const struct caller *caller, struct upload_place *from,
                                      struct upload_place *to)
{
    struct upload_share old = share_of(w, from), new = share_of(w, to);
    enum upload_answer answer = judge_file(w, caller, from, to);
    bool moves = old.room != new.room;
    if (answer == UPLOAD_FINE && from->size > new.size_max)
        answer = UPLOAD_TOO_LARGE;
    if (answer == UPLOAD_FINE && moves)
        answer = uploads_move(&old, &new, from->size);
    if (answer != UPLOAD_FINE)
        return answer;
    if (is_itself(from, to)) {
        struct slice directory, last;
        rootdir_split(to->name, &directory, &last);
        memcpy(to->last, last.ptr, last.len);
        to->exists = false;
    }
    int error = renameat2(from->dirfd, from->last, to->dirfd, to->last, to->exists ? 0 : RENAME_NOREPLACE) < 0
                    ? -errno
                    : 0;
    if (!error && to->exists)
        uploads_forget(&new, (struct upload_gone){ 1, to->size });
    if (error && moves)
        uploads_move(&new, &old, from->size);
    return done(w, to, error);
}

static enum upload_answer rename_directory(struct worker *w, struct upload_place *from, struct upload_place *to)
{
    struct upload_share old = share_of(w, from), new = share_of(w, to);
    if (to->is_directory || to->exists)
        return UPLOAD_EXISTS;
    /* Its files would be under another rule, or under another ceiling. */
    if (access_divides(w->access, from->name) || access_divides(w->access, to->name) || old.room != new.room)
        return UPLOAD_FORBIDDEN;
    int error = renameat2(from->dirfd, from->last, to->dirfd, to->last, RENAME_NOREPLACE) < 0 ? -errno : 0;
    if (error == -EINVAL)
        return UPLOAD_BAD_NAME; /* into itself */
    if (!error)
        move_uploads(w, from, to);
    return done(w, to, error);
}

enum upload_answer change_rename(struct worker *w, const struct caller *caller, struct slice from, struct slice to)
{
    struct upload_place old, new;
    enum upload_answer answer = find(w, caller, from, ACCESS_WRITE_OVERWRITE, &old);
    if (answer != UPLOAD_FINE)
        return answer;
    answer = old.exists || old.is_directory ? find(w, caller, to, ACCESS_WRITE_CREATE, &new) : UPLOAD_ABSENT;
    if (answer == UPLOAD_FINE) {
        answer = old.exists ? rename_file(w, caller, &old, &new) : rename_directory(w, &old, &new);
        upload_place_close(&new);
    }
    if (answer == UPLOAD_FINE)
        done(w, &old, 0);
    upload_place_close(&old);
    return answer;
}

/* --- directories --- */

enum upload_answer change_make_directory(struct worker *w, const struct caller *caller, struct slice name)
{
    struct upload_place p;
    enum upload_answer answer = find(w, caller, name, ACCESS_WRITE_CREATE, &p);
    if (answer != UPLOAD_FINE)
        return answer;
    struct upload_share share = share_of(w, &p);
    if (p.exists || p.is_directory || !p.in_tree)
        answer = p.in_tree ? UPLOAD_EXISTS : UPLOAD_BAD_NAME;
    else
        answer = uploads_add(&share, 0);
    if (answer != UPLOAD_FINE) {
        upload_place_close(&p);
        return answer;
    }
    int error = mkdirat(p.dirfd, p.last, DIRECTORY_MODE) < 0 ? -errno : 0;
    if (error)
        uploads_forget(&share, (struct upload_gone){ 1, 0 });
    return done(w, &p, error);
}

static bool is_shown(void *context, const struct rootdir_entry *entry)
{
    struct slice directory, last;
    rootdir_split(entry->name, &directory, &last);
    *(bool *)context = last.ptr[0] != '.';
    return !*(bool *)context;
}

/* Of what phones sent; their versions are hidden, and stay. */
static bool has_uploads(const struct worker *w, const struct upload_place *p)
{
    char path[ROOTDIR_PATH_MAX + ROOTDIR_NAME_MAX];
    struct buf out = BUF_ON(path);
    struct arena arena;
    bool found = false;
    if (!uploads_has_root(w->uploads))
        return false;
    if (!slice_eq(p->directory, SLICE(".")))
        buf_format(&out, "%.*s/", SLICE_ARG(p->directory));
    buf_str(&out, p->last);
    arena_init(&arena, SIZE_MAX / 2);
    int error = rootdir_list(&w->uploads->root, buf_slice(&out), ENTRIES_MAX, &arena, is_shown, &found);
    arena_free(&arena);
    return found || error == -EMFILE;
}

enum upload_answer change_remove_directory(struct worker *w, const struct caller *caller, struct slice name)
{
    struct upload_place p;
    enum upload_answer answer = find(w, caller, name, ACCESS_WRITE_OVERWRITE, &p);
    if (answer != UPLOAD_FINE)
        return answer;
    answer = !p.is_directory ? UPLOAD_ABSENT : has_uploads(w, &p) ? UPLOAD_NOT_EMPTY : UPLOAD_FINE;
    if (answer != UPLOAD_FINE) {
        upload_place_close(&p);
        return answer;
    }
    struct upload_share share = share_of(w, &p);
    int error = unlinkat(p.dirfd, p.last, AT_REMOVEDIR) < 0 ? -errno : 0;
    if (!error)
        uploads_forget(&share, (struct upload_gone){ 1, 0 });
    return done(w, &p, error);
}
