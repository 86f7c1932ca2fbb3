/* All uploads together: the directory they lie in, how many there are, how much room is left. */
#include "server/upload_internal.h"

#include "base/log.h"
#include "server/peer_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Addresses whose rate is remembered, beside the thousand of the table itself. */
#define PEERS_MAX 4096
/* A temporary file in the tree that nobody has written to for so long belongs to a server that died. */
#define FORGOTTEN_S 3600

/* --- the directory --- */

static int make_path(const char *path)
{
    char parent[ROOTDIR_PATH_MAX + 1];
    struct buf out = BUF_ON(parent);
    struct slice directory, last;
    rootdir_split(slice_str(path), &directory, &last);
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

static int open_directory(struct uploads *u, const char *path)
{
    int error = make_path(path);
    if (!error)
        error = rootdir_open_root(path, false, &u->root);
    if (!error)
        error = lock_directory(u);
    if (!error)
        error = upload_files_count(&u->root, SLICE("."), 0, &u->files, &u->bytes);
    if (error)
        log_error("uploads: %s: %s", path, error == -EWOULDBLOCK ? "another server writes there" : strerror(-error));
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
    int error = peer_limits_open(PEERS_MAX, hash_seed, &u->peers);
    if (!error && path)
        error = open_directory(u, path);
    if (error) {
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
    for (struct upload_room *room = u->rooms, *next; room; room = next) {
        next = room->next;
        free(room);
    }
    pthread_mutex_destroy(&u->installing);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

const struct rootdir *uploads_root(const struct uploads *u)
{
    return u && uploads_has_root(u) ? &u->root : NULL;
}

void uploads_recount(struct uploads *u)
{
    uint64_t files, bytes;
    if (!uploads_has_root(u) || upload_files_count(&u->root, SLICE("."), FORGOTTEN_S, &files, &bytes))
        return;
    pthread_mutex_lock(&u->lock);
    u->files = files + u->coming_files;
    u->bytes = bytes + u->coming_bytes;
    pthread_mutex_unlock(&u->lock);
}

/* --- rooms --- */

static struct upload_room *find_room(struct uploads *u, struct slice prefix)
{
    for (struct upload_room *room = u->rooms; room; room = room->next)
        if (slice_eq(slice_of(room->prefix, room->len), prefix))
            return room;
    return NULL;
}

struct upload_room *uploads_room(struct uploads *u, const struct access_ceilings *c)
{
    if (c->directory_bytes == UINT64_MAX)
        return NULL;
    pthread_mutex_lock(&u->lock);
    struct upload_room *room = find_room(u, c->directory);
    pthread_mutex_unlock(&u->lock);
    return room;
}

static uint64_t bytes_below(const struct rootdir *root, struct slice prefix, unsigned old_s)
{
    uint64_t files, bytes;
    /* A prefix that is a file, or that is not there: nothing lies below it. */
    if (upload_files_count(root, prefix.len ? prefix : SLICE("."), old_s, &files, &bytes))
        return 0;
    return bytes + files * UPLOAD_ENTRY_BYTES;
}

static void set_room(struct uploads *u, struct slice prefix, uint64_t bytes)
{
    pthread_mutex_lock(&u->lock);
    struct upload_room *room = find_room(u, prefix);
    if (!room && (room = calloc(1, sizeof *room + prefix.len))) {
        room->len = prefix.len;
        if (prefix.len)
            memcpy(room->prefix, prefix.ptr, prefix.len);
        room->next = u->rooms;
        u->rooms = room;
    }
    if (room)
        room->bytes = bytes + room->coming;
    pthread_mutex_unlock(&u->lock);
}

void uploads_survey(struct uploads *u, const struct rootdir *tree, const struct access *a)
{
    for (size_t i = 0; a && i < a->rule_count; i++) {
        const struct access_rule *rule = &a->rules[i];
        if (rule->write == ACCESS_WRITE_NONE)
            continue;
        struct rootdir strict = { tree->fd, false };
        uint64_t bytes = bytes_below(&strict, rule->prefix, FORGOTTEN_S);
        if (uploads_has_root(u))
            bytes += bytes_below(&u->root, rule->prefix, FORGOTTEN_S);
        set_room(u, rule->prefix, bytes);
        if (bytes >= rule->directory_max)
            log_warning("/%.*s: %llu MiB lie below, more than the rule's directory_max: nothing more is written there",
                        SLICE_ARG(rule->prefix), (unsigned long long)(bytes >> 20));
    }
}

/* --- numbers --- */

static bool fits(uint64_t there, uint64_t more, uint64_t max)
{
    return there <= max && more <= max - there;
}

static bool has_room(const struct upload_share *s, uint64_t files, uint64_t bytes)
{
    if (s->room && !fits(s->room->bytes, bytes + files * UPLOAD_ENTRY_BYTES, s->room_max))
        return false;
    return s->in_tree || fits(s->uploads->bytes, bytes, s->total_max);
}

static void charge(struct upload_share *s, uint64_t files, uint64_t bytes)
{
    struct uploads *u = s->uploads;
    if (!s->in_tree) {
        u->files += files;
        u->coming_files += files;
        u->bytes += bytes;
        u->coming_bytes += bytes;
    }
    if (s->room) {
        s->room->bytes += bytes + files * UPLOAD_ENTRY_BYTES;
        s->room->coming += bytes + files * UPLOAD_ENTRY_BYTES;
    }
}

/* An administrator who has logged in may fill a directory in one go. */
static bool within_rate(struct worker *w, const struct caller *caller, struct peer_limit *peer)
{
    uint32_t rate = w->config->upload_rate;
    return !rate || caller->user || bucket_take(&peer->requests, rate, rate * UPLOAD_BURST_S, w->loop.now_ms);
}

enum upload_answer uploads_begin(struct worker *w, const struct caller *caller, struct upload_share *s,
                                 uint64_t announced)
{
    struct uploads *u = s->uploads;
    enum upload_answer answer = UPLOAD_FINE;
    pthread_mutex_lock(&u->lock);
    struct peer_limit *peer = peer_limits_of(u->peers, caller->peer);
    if (u->busy >= w->config->upload_at_once)
        answer = UPLOAD_BUSY;
    else if ((!s->in_tree && u->files >= w->config->upload_files) || !has_room(s, 1, announced))
        answer = UPLOAD_FULL;
    else if (!within_rate(w, caller, peer))
        answer = UPLOAD_TOO_OFTEN;
    if (answer == UPLOAD_FINE) {
        u->busy++;
        charge(s, 1, 0);
    }
    pthread_mutex_unlock(&u->lock);
    return answer;
}

enum upload_answer uploads_take(struct upload_share *s, uint64_t len)
{
    if (len > s->size_max - s->size)
        return UPLOAD_TOO_LARGE;
    pthread_mutex_lock(&s->uploads->lock);
    bool has = has_room(s, 0, len);
    if (has) {
        charge(s, 0, len);
        s->size += len;
    }
    pthread_mutex_unlock(&s->uploads->lock);
    return has ? UPLOAD_FINE : UPLOAD_FULL;
}

static void subtract(uint64_t *from, uint64_t what)
{
    *from -= what < *from ? what : *from;
}

static void forget(struct upload_share *s, struct upload_gone gone)
{
    struct uploads *u = s->uploads;
    if (!s->in_tree) {
        subtract(&u->files, gone.files);
        subtract(&u->bytes, gone.bytes);
    }
    if (s->room)
        subtract(&s->room->bytes, gone.bytes + gone.files * UPLOAD_ENTRY_BYTES);
}

void uploads_end(struct upload_share *s, struct upload_gone gone)
{
    struct uploads *u = s->uploads;
    pthread_mutex_lock(&u->lock);
    u->busy--;
    if (!s->in_tree) {
        u->coming_files--;
        u->coming_bytes -= s->size;
    }
    if (s->room)
        s->room->coming -= s->size + UPLOAD_ENTRY_BYTES;
    forget(s, gone);
    pthread_mutex_unlock(&u->lock);
}

void uploads_forget(struct upload_share *s, struct upload_gone gone)
{
    pthread_mutex_lock(&s->uploads->lock);
    forget(s, gone);
    pthread_mutex_unlock(&s->uploads->lock);
}

enum upload_answer uploads_add(struct upload_share *s, uint64_t bytes)
{
    pthread_mutex_lock(&s->uploads->lock);
    bool has = has_room(s, 1, bytes);
    if (has && s->room)
        s->room->bytes += bytes + UPLOAD_ENTRY_BYTES;
    pthread_mutex_unlock(&s->uploads->lock);
    return has ? UPLOAD_FINE : UPLOAD_FULL;
}

enum upload_answer uploads_move(struct upload_share *from, struct upload_share *to, uint64_t bytes)
{
    enum upload_answer answer = uploads_add(to, bytes);
    if (answer == UPLOAD_FINE)
        uploads_forget(from, (struct upload_gone){ 1, bytes });
    return answer;
}
