#include "server/upload.h"

#include "base/log.h"
#include "guide/name.h"
#include "server/peer_limit.h"
#include "server/upload_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Addresses whose rate is remembered, beside the thousand of the table itself. */
#define PEERS_MAX 4096

struct uploads {
    struct rootdir root;
    int lock_fd;
    pthread_mutex_t lock;         /* of the following */
    uint64_t files, bytes;        /* on the disk and on their way */
    uint64_t coming_files, coming_bytes; /* of them: on their way */
    uint32_t busy;
    struct peer_limits *peers;
    pthread_mutex_t installing; /* one at a time moves versions */
};

struct upload {
    struct uploads *uploads;
    struct loop *loop;
    uint64_t size, size_max, total_max;
    unsigned versions;
    mode_t mode;
    int dirfd, fd; /* -1: nothing was written yet */
    upload_done *done;
    void *context;
    uv_work_t work;
    int error; /* of the commit */
    struct upload_gone gone;
    char temporary[UPLOAD_NAME_BYTES], last[UPLOAD_NAME_BYTES];
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
        [UPLOAD_NO_DIRECTORY] = "no such directory",
        [UPLOAD_EXISTS] = "exists and may not be replaced",
        [UPLOAD_TOO_LARGE] = "too large",
        [UPLOAD_FULL] = "no room for uploads",
        [UPLOAD_BUSY] = "too many uploads at once",
        [UPLOAD_TOO_OFTEN] = "too many uploads from this address",
        [UPLOAD_BROKEN] = "cannot be written",
    };
    return words[answer];
}

static enum upload_answer answer_of(int error)
{
    if (error == 0)
        return UPLOAD_FINE;
    return error == -ENOSPC || error == -EDQUOT || error == -EFBIG ? UPLOAD_FULL : UPLOAD_BROKEN;
}

/* --- the directory --- */

static int make_path(const char *path)
{
    char parent[ROOTDIR_PATH_MAX + 1];
    struct buf out = BUF_ON(parent);
    struct slice directory, last;
    upload_files_split(slice_str(path), &directory, &last);
    buf_text(&out, directory);
    if (!buf_terminate(&out))
        return -ENAMETOOLONG;
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    if (errno != ENOENT || !parent[0] || (mkdir(parent, 0700) < 0 && errno != EEXIST))
        return -errno;
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int lock_directory(struct uploads *u)
{
    int error = rootdir_open(&u->root, SLICE("."), O_RDONLY | O_DIRECTORY, &u->lock_fd);
    if (!error && flock(u->lock_fd, LOCK_EX | LOCK_NB) < 0)
        error = -errno;
    return error;
}

int uploads_open(const char *path, uint64_t hash_seed, struct uploads **ret_uploads)
{
    struct uploads *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    u->root.fd = u->lock_fd = -1;
    pthread_mutex_init(&u->lock, NULL);
    pthread_mutex_init(&u->installing, NULL);
    int error = make_path(path);
    if (!error)
        error = rootdir_open_root(path, false, &u->root);
    if (!error)
        error = lock_directory(u);
    if (!error)
        error = upload_files_count(&u->root, &u->files, &u->bytes);
    if (!error)
        error = peer_limits_open(PEERS_MAX, hash_seed, &u->peers);
    if (error) {
        log_error("uploads: %s: %s", path, error == -EWOULDBLOCK ? "another server writes there" : strerror(-error));
        uploads_close(u);
        return error;
    }
    *ret_uploads = u;
    return 0;
}

void uploads_close(struct uploads *u)
{
    if (!u)
        return;
    peer_limits_close(u->peers);
    if (u->lock_fd >= 0)
        close(u->lock_fd);
    rootdir_close(&u->root);
    pthread_mutex_destroy(&u->installing);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

const struct rootdir *uploads_root(const struct uploads *u)
{
    return &u->root;
}

/* --- what may come --- */

static struct slice name_asked(struct slice name)
{
    while (name.len && name.ptr[0] == '/')
        name = slice_from(name, 1);
    return name;
}

/* Names with a leading dot are ours. */
static bool has_hidden_part(struct slice name)
{
    struct slice part;
    while (slice_cut(&name, '/', &part))
        if (part.len && part.ptr[0] == '.')
            return true;
    return false;
}

static enum upload_answer judge_name(const struct caller *caller, struct slice name)
{
    struct name_meaning m = name_meaning(name);
    struct mac mac;
    if (!rootdir_name_ok(name) || has_hidden_part(name) || !m.has_mac || !name_kind_is_sent(m.kind))
        return UPLOAD_BAD_NAME;
    return caller_claims(caller, &mac) && !mac_eq(mac, m.mac) ? UPLOAD_STRANGER : UPLOAD_FINE;
}

/* Where the tree says that nothing of its own is in the way. */
static enum upload_answer judge_place(struct worker *w, struct slice name)
{
    struct slice directory, last;
    struct tree_file file;
    upload_files_split(name, &directory, &last);
    struct tree_question where = { .name = last.len == name.len ? SLICE("") : directory };
    enum tree_answer answer = tree_ask(w->tree, &where, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (answer != TREE_DIRECTORY)
        return answer == TREE_BROKEN ? UPLOAD_BROKEN : UPLOAD_NO_DIRECTORY;
    struct tree_question what = { .name = name };
    answer = tree_ask(w->tree, &what, &file);
    if (answer == TREE_FILE) {
        bool may = file.uploaded && w->config->upload_overwrite;
        tree_file_release(&file);
        return may ? UPLOAD_FINE : UPLOAD_EXISTS;
    }
    return answer == TREE_ABSENT ? UPLOAD_FINE : answer == TREE_BROKEN ? UPLOAD_BROKEN : UPLOAD_EXISTS;
}

static uint64_t total_max(const struct config *c)
{
    return (uint64_t)c->upload_total_mib << 20;
}

/* Takes a place among those under way. */
static enum upload_answer reserve(struct worker *w, const struct upload_request *r)
{
    struct uploads *u = w->uploads;
    const struct config *c = w->config;
    uint64_t announced = r->has_size ? r->size : 0;
    enum upload_answer answer = UPLOAD_FINE;
    pthread_mutex_lock(&u->lock);
    struct peer_limit *peer = peer_limits_of(u->peers, r->caller.peer);
    if (u->busy >= c->upload_at_once)
        answer = UPLOAD_BUSY;
    else if (u->files >= c->upload_files || u->bytes + announced > total_max(c))
        answer = UPLOAD_FULL;
    else if (c->upload_rate && !bucket_take(&peer->requests, c->upload_rate, c->upload_rate * UPLOAD_BURST_S,
                                            w->loop.now_ms))
        answer = UPLOAD_TOO_OFTEN;
    if (answer == UPLOAD_FINE) {
        u->busy++;
        u->files++;
        u->coming_files++;
    }
    pthread_mutex_unlock(&u->lock);
    return answer;
}

/* Ends an upload's count: what is not on the disk, or has gone from it, counts no longer. */
static void settle(const struct upload *u, uint64_t files_gone, uint64_t bytes_gone)
{
    struct uploads *all = u->uploads;
    pthread_mutex_lock(&all->lock);
    all->busy--;
    all->coming_files--;
    all->coming_bytes -= u->size;
    all->files -= files_gone < all->files ? files_gone : all->files;
    all->bytes -= bytes_gone < all->bytes ? bytes_gone : all->bytes;
    pthread_mutex_unlock(&all->lock);
}

void uploads_recount(struct uploads *u)
{
    uint64_t files, bytes;
    if (upload_files_count(&u->root, &files, &bytes))
        return;
    pthread_mutex_lock(&u->lock);
    u->files = files + u->coming_files;
    u->bytes = bytes + u->coming_bytes;
    pthread_mutex_unlock(&u->lock);
}

static struct upload *make(struct worker *w, struct slice name)
{
    struct slice directory, last;
    upload_files_split(name, &directory, &last);
    struct upload *u = calloc(1, sizeof *u + directory.len);
    if (!u)
        return NULL;
    u->uploads = w->uploads;
    u->loop = &w->loop;
    u->size_max = w->config->upload_file_max;
    u->total_max = total_max(w->config);
    u->versions = w->config->upload_versions;
    u->mode = slice_eq(w->config->upload_mode, SLICE("0644")) ? 0644 : 0600;
    u->dirfd = u->fd = -1;
    /* Twelve digits and a known ending: it fits. */
    for (size_t i = 0; i < last.len && i + 1 < sizeof u->last; i++)
        u->last[i] = byte_lower(last.ptr[i]);
    u->directory_len = directory.len;
    memcpy(u->directory, directory.ptr, directory.len);
    return u;
}

enum upload_answer upload_begin(struct worker *w, const struct upload_request *request, struct upload **ret_upload)
{
    struct slice name = name_asked(request->name);
    if (!w->uploads)
        return UPLOAD_OFF;
    enum upload_answer answer = judge_name(&request->caller, name);
    if (answer == UPLOAD_FINE && request->has_size && request->size > w->config->upload_file_max)
        answer = UPLOAD_TOO_LARGE;
    if (answer == UPLOAD_FINE)
        answer = judge_place(w, name);
    if (answer != UPLOAD_FINE)
        return answer;
    struct upload *u = make(w, name);
    answer = u ? reserve(w, request) : UPLOAD_BROKEN;
    if (answer != UPLOAD_FINE) {
        free(u);
        return answer;
    }
    *ret_upload = u;
    return UPLOAD_FINE;
}

/* --- bytes --- */

/* Not before there is something to write: a forged request costs the disk nothing. */
static int open_file(struct upload *u)
{
    if (u->fd >= 0)
        return 0;
    int error = 0;
    if (u->dirfd < 0)
        error = upload_files_directory(&u->uploads->root, slice_of(u->directory, u->directory_len), true, &u->dirfd);
    return error ? error : upload_files_temporary(u->dirfd, u->mode, u->temporary, &u->fd);
}

static bool count_bytes(struct upload *u, size_t len)
{
    struct uploads *all = u->uploads;
    pthread_mutex_lock(&all->lock);
    bool fits = all->bytes + len <= u->total_max;
    if (fits) {
        all->bytes += len;
        all->coming_bytes += len;
        u->size += len;
    }
    pthread_mutex_unlock(&all->lock);
    return fits;
}

enum upload_answer upload_write(struct upload *u, struct slice bytes)
{
    if (bytes.len > u->size_max - u->size)
        return UPLOAD_TOO_LARGE;
    if (!count_bytes(u, bytes.len))
        return UPLOAD_FULL;
    int error = open_file(u);
    return answer_of(error ? error : upload_files_write(u->fd, bytes));
}

uint64_t upload_bytes(const struct upload *u)
{
    return u->size;
}

static void let_go(struct upload *u)
{
    if (u->fd >= 0)
        close(u->fd);
    if (u->dirfd >= 0)
        close(u->dirfd);
    free(u);
}

void upload_abort(struct upload *u)
{
    if (u->fd >= 0)
        unlinkat(u->dirfd, u->temporary, 0);
    settle(u, 1, u->size);
    let_go(u);
}

/* On a thread of the pool. */
static void commit(uv_work_t *work)
{
    struct upload *u = container_of(work, struct upload, work);
    u->error = open_file(u);
    /* Before the lock, so that several wait for the disk together. */
    if (!u->error && fsync(u->fd) < 0)
        u->error = -errno;
    if (u->error) {
        if (u->fd >= 0)
            unlinkat(u->dirfd, u->temporary, 0);
        return;
    }
    pthread_mutex_lock(&u->uploads->installing);
    u->error = upload_files_install(u->dirfd, u->fd, u->temporary, u->last, u->versions, &u->gone);
    pthread_mutex_unlock(&u->uploads->installing);
}

static void committed(uv_work_t *work, int status)
{
    struct upload *u = container_of(work, struct upload, work);
    enum upload_answer answer = answer_of(status ? status : u->error);
    bool stored = answer == UPLOAD_FINE;
    if (!stored)
        log_error("uploads: %.*s/%s: %s", (int)u->directory_len, u->directory, u->last, strerror(-u->error));
    loop_woke(u->loop);
    settle(u, stored ? u->gone.files : u->gone.files + 1, stored ? u->gone.bytes : u->gone.bytes + u->size);
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
