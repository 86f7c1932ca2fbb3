#include "server/tree_internal.h"

#include "base/log.h"
#include "guide/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is written to while it is read is read again, so often. */
#define READS_MAX 3

const char *tree_answer_words(enum tree_answer answer)
{
    switch (answer) {
    case TREE_FILE:
        return "found";
    case TREE_ABSENT:
        return "no such file";
    case TREE_BAD_NAME:
        return "refused name";
    case TREE_FORBIDDEN:
        return "not to be given";
    case TREE_DIRECTORY:
        return "is a directory";
    case TREE_BROKEN:
        return "cannot be read";
    case TREE_GUARDED:
        return "too many unknown phones asked for";
    }
    return "?";
}

enum tree_answer tree_answer_of(int error)
{
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
        return TREE_ABSENT;
    case EINVAL:
    case ENAMETOOLONG:
        return TREE_BAD_NAME;
    case ELOOP:
    case EXDEV:
    case EACCES:
    case EPERM:
    case ENXIO: /* a socket, a device without a driver */
    case ENODEV:
        return TREE_FORBIDDEN;
    default:
        return TREE_BROKEN;
    }
}

static uint64_t etag_of(const struct stat *st)
{
    /* FNV-1a over the three, so that every worker and every run of the program agree. */
    uint64_t words[4] = { st->st_ino, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
                          (uint64_t)st->st_mtim.tv_nsec };
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < 4; i++)
        for (unsigned shift = 0; shift < 64; shift += 8)
            h = (h ^ (words[i] >> shift & 0xff)) * UINT64_C(0x100000001b3);
    return h;
}

static void note_stat(struct tree_file *file, const struct stat *st)
{
    file->size = (uint64_t)st->st_size;
    file->mtime = st->st_mtim;
    file->ctime = st->st_ctim;
    file->links = st->st_nlink;
    file->etag = etag_of(st);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_as_noted(const struct tree_file *file, const struct stat *st)
{
    /* Replacing by rename takes a link away from the old file and moves its ctime; its bytes stay. */
    bool touched = !same_time(file->ctime, st->st_ctim) && file->links == st->st_nlink;
    return file->size == (uint64_t)st->st_size && same_time(file->mtime, st->st_mtim) && !touched;
}

/* The whole of a small file, as it was at one moment if it can be had so. */
static int read_blob(int fd, struct stat *st, struct tree_file *file)
{
    for (unsigned i = 0; i < READS_MAX; i++) {
        struct blob *b = blob_new((size_t)st->st_size);
        if (!b)
            return -ENOMEM;
        note_stat(file, st);
        ssize_t got = rootdir_read_at(fd, 0, b->bytes, (size_t)st->st_size);
        if (got < 0 || fstat(fd, st) < 0) {
            blob_release(b);
            return got < 0 ? (int)got : -errno;
        }
        b->len = (size_t)got;
        file->blob = b;
        file->size = b->len;
        if ((is_as_noted(file, st) && b->len == (size_t)st->st_size) || i + 1 == READS_MAX ||
            (size_t)st->st_size > TREE_BLOB_BYTES_MAX)
            break;
        blob_release(b);
    }
    return 0;
}

/* Takes over `fd`. */
static enum tree_answer take(int fd, struct tree_file *ret_file)
{
    struct stat st;
    struct tree_file file = { .fd = -1 };
    int error = fstat(fd, &st) < 0 ? -errno : 0;
    if (!error && S_ISREG(st.st_mode) && (uint64_t)st.st_size > TREE_BLOB_BYTES_MAX) {
        note_stat(&file, &st);
        file.fd = fd;
        *ret_file = file;
        return TREE_FILE;
    }
    if (!error && S_ISREG(st.st_mode))
        error = read_blob(fd, &st, &file);
    close(fd);
    if (error)
        return tree_answer_of(error);
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? TREE_DIRECTORY : TREE_FORBIDDEN;
    *ret_file = file;
    return TREE_FILE;
}

/* *ret_direct: no symbolic link on the way, so the watches on its directories tell all. */
static enum tree_answer fetch(struct tree *t, struct slice name, struct tree_file *ret_file, bool *ret_direct)
{
    struct rootdir strict = { t->root->fd, false };
    int fd;
    t->counts.opens++;
    int error = rootdir_open(&strict, name, O_RDONLY | O_NOCTTY, &fd);
    *ret_direct = error != -ELOOP;
    if (error == -ELOOP && t->root->follow_symlinks)
        error = rootdir_open(t->root, name, O_RDONLY | O_NOCTTY, &fd);
    return error ? tree_answer_of(error) : take(fd, ret_file);
}

/* An index of a directory that is not watched is good as long as the directory's own mtime stands, unless it
 * was so young when listed that a second change could hide behind the same stamp. */
static bool index_is_good(const struct directory *d, const struct stat *st)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return d->names && d->listed_inode == st->st_ino && same_time(d->listed_mtime, st->st_mtim) &&
           now.tv_sec - st->st_mtim.tv_sec > 2;
}

static struct name_index *index_of(struct tree *t, struct directory *d)
{
    struct stat st;
    bool direct;
    int fd;
    if (d->names && d->watch >= 0)
        return d->names;
    if (watch_open_directory(t, slice_of(d->path, d->len), O_RDONLY, &fd, &direct))
        return NULL;
    if (fstat(fd, &st) < 0 || (d->watch < 0 && index_is_good(d, &st))) {
        close(fd);
        return d->names;
    }
    names_free(d->names);
    d->names = names_list(fd, t->seed, t->ignore_case);
    d->listed_mtime = st.st_mtim;
    d->listed_inode = st.st_ino;
    t->counts.listings++;
    return d->names;
}

/* Puts the directory that is spelled so, or otherwise, in the one that `path` holds behind it. */
static bool enter_spelled(struct tree *t, struct slice segment, struct buf *path)
{
    struct directory *d;
    bool many;
    struct buf exact = *path;
    buf_text(&exact, segment);
    buf_byte(&exact, '/');
    if (!buf_ok(&exact))
        return false;
    if (watch_directory_of(t, buf_slice(&exact), &d) == 0) {
        *path = exact;
        return true;
    }
    if (watch_directory_of(t, buf_slice(path), &d))
        return false;
    const struct name_index *names = index_of(t, d);
    struct slice spelled = names ? names_find(names, segment, &many) : SLICE_NONE;
    buf_text(path, spelled);
    buf_byte(path, '/');
    return spelled.len && buf_ok(path) && watch_directory_of(t, buf_slice(path), &d) == 0;
}

bool tree_directory_spelling(struct tree *t, struct slice directory, struct buf *ret_spelling)
{
    char room[ROOTDIR_PATH_MAX];
    struct buf path = BUF_ON(room);
    struct slice segment;
    if (slice_eq(directory, SLICE(".")) || !t->ignore_case) {
        buf_text(ret_spelling, directory);
        return buf_ok(ret_spelling);
    }
    while (slice_cut(&directory, '/', &segment))
        if (!enter_spelled(t, segment, &path))
            return false;
    buf_text(ret_spelling, slice_first(buf_slice(&path), path.len ? path.len - 1 : 0));
    return buf_ok(ret_spelling);
}

/* Another spelling of a MAC name that is absent as asked. */
static enum tree_answer fetch_spelled(struct tree *t, struct directory *d, struct slice name,
                                      struct tree_file *ret_file, bool *ret_direct)
{
    char path[ROOTDIR_PATH_MAX];
    size_t slash = slice_find_last(name, '/');
    struct slice last = slash == name.len ? name : slice_from(name, slash + 1);
    if (!t->ignore_case && !name_meaning(last).has_mac)
        return TREE_ABSENT;
    const struct name_index *names = index_of(t, d);
    bool many = false;
    struct slice spelled = names ? names_find(names, last, &many) : SLICE_NONE;
    if (!spelled.len)
        return TREE_ABSENT;
    struct buf out = BUF_ON(path);
    buf_text(&out, slice_first(name, name.len - last.len));
    buf_text(&out, spelled);
    if (many)
        log_info("%.*s: several files spell this name; %.*s is the first of them", SLICE_ARG(name),
                 SLICE_ARG(spelled));
    return buf_ok(&out) ? fetch(t, buf_slice(&out), ret_file, ret_direct) : TREE_ABSENT;
}

static enum tree_answer from_memory(struct tree *t, const struct entry *e, struct tree_file *ret_file)
{
    t->counts.hits++;
    if (e->absent)
        return TREE_ABSENT;
    e->file.blob->holders++;
    *ret_file = e->file;
    return TREE_FILE;
}

/* Below a directory of another spelling. What is there may not be kept: nothing would tell that the directory itself
 * came, as it was asked for. */
static enum tree_answer find_below_spelled(struct tree *t, struct slice name, struct tree_file *ret_file)
{
    char room[ROOTDIR_PATH_MAX];
    struct buf path = BUF_ON(room);
    struct slice directory, last;
    struct directory *d;
    bool direct;
    rootdir_split(name, &directory, &last);
    if (!t->ignore_case || !tree_directory_spelling(t, directory, &path))
        return TREE_ABSENT;
    buf_byte(&path, '/');
    buf_text(&path, last);
    if (!buf_ok(&path) || watch_directory_of(t, buf_slice(&path), &d))
        return TREE_ABSENT;
    enum tree_answer answer = fetch(t, buf_slice(&path), ret_file, &direct);
    return answer == TREE_ABSENT ? fetch_spelled(t, d, buf_slice(&path), ret_file, &direct) : answer;
}

static enum tree_answer find(struct tree *t, struct slice name, struct tree_file *ret_file)
{
    struct directory *d = NULL;
    bool direct = false;
    int error = watch_directory_of(t, name, &d);
    if (error == -ENOENT)
        return find_below_spelled(t, name, ret_file);
    if (error)
        return tree_answer_of(error);
    enum tree_answer answer = fetch(t, name, ret_file, &direct);
    if (answer == TREE_ABSENT)
        answer = fetch_spelled(t, d, name, ret_file, &direct);
    if (!t->keep || d->watch < 0 || !direct)
        return answer;
    if (answer == TREE_ABSENT)
        cache_add(t, d, name, NULL);
    /* The other links of a file may lie where nobody watches. */
    if (answer == TREE_FILE && ret_file->blob && ret_file->links == 1) {
        ret_file->blob->holders++;
        cache_add(t, d, name, ret_file);
    }
    return answer;
}

static enum tree_answer ask(struct tree *t, struct slice name, struct tree_file *ret_file)
{
    if (t->inotify >= 0)
        watch_read_events(t);
    const struct entry *known = cache_find(t, name);
    if (known)
        return from_memory(t, known, ret_file);
    if (!name.len)
        return TREE_DIRECTORY;
    if (!rootdir_name_ok(name))
        return TREE_BAD_NAME;
    struct slice directory, last;
    rootdir_split(name, &directory, &last);
    /* Half a file that somebody is writing. */
    return rootdir_is_temporary(last) ? TREE_ABSENT : find(t, name, ret_file);
}

/* False: nothing was uploaded under this name, so the tree itself answers. */
static bool ask_uploads(struct tree *t, struct slice name, struct tree_file *ret_file)
{
    char path[ROOTDIR_PATH_MAX];
    if (name.len > sizeof path || !name_is_sent(name))
        return false;
    size_t slash = slice_find_last(name, '/');
    for (size_t i = 0, last = slash == name.len ? 0 : slash; i < name.len; i++)
        path[i] = i < last ? name.ptr[i] : byte_lower(name.ptr[i]);
    if (ask(t->uploads, slice_of(path, name.len), ret_file) != TREE_FILE)
        return false;
    ret_file->uploaded = true;
    return true;
}

enum tree_answer tree_ask(struct tree *t, const struct tree_question *q, struct tree_file *ret_file)
{
    struct slice name = rootdir_name(q->name);
    if (t->uploads && ask_uploads(t, name, ret_file))
        return TREE_FILE;
    return ask(t, name, ret_file);
}

void tree_overlay(struct tree *t, struct tree *uploads)
{
    t->uploads = uploads;
}

void tree_ignore_case(struct tree *t)
{
    t->ignore_case = true;
    if (t->uploads)
        tree_ignore_case(t->uploads);
    tree_forget(t);
}

void tree_file_release(struct tree_file *file)
{
    blob_release(file->blob);
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct tree_file){ .fd = -1 };
}

bool tree_file_unchanged(const struct tree_file *file)
{
    struct stat st;
    return file->blob || (fstat(file->fd, &st) == 0 && is_as_noted(file, &st));
}

ssize_t tree_file_read(const struct tree_file *file, uint64_t offset, void *into, size_t len)
{
    if (offset >= file->size)
        return 0;
    if (len > file->size - offset)
        len = (size_t)(file->size - offset);
    if (file->blob) {
        memcpy(into, file->blob->bytes + offset, len);
        return (ssize_t)len;
    }
    ssize_t got = rootdir_read_at(file->fd, offset, into, len);
    /* Looked at after the read: what was read is of the file that was asked for. */
    if (got >= 0 && ((size_t)got < len || !tree_file_unchanged(file)))
        return -ESTALE;
    return got;
}

void tree_forget(struct tree *t)
{
    if (t->uploads)
        tree_forget(t->uploads);
    watch_forget(t);
}

struct tree_counts tree_counts(const struct tree *t)
{
    struct tree_counts c = t->counts;
    c.blobs = t->blobs.count;
    c.absences = t->absences.count;
    c.blob_bytes = t->blobs.bytes;
    c.absent_bytes = t->absences.bytes;
    c.directories = t->directories.count;
    return c;
}

int tree_open(const struct rootdir *root, const char *root_path, struct loop *loop, struct tree **ret_tree)
{
    struct tree *t = calloc(1, sizeof *t);
    char *path = t ? strdup(root_path) : NULL;
    if (!path || getrandom(&t->seed, sizeof t->seed, 0) != sizeof t->seed) {
        free(path);
        free(t);
        return -ENOMEM;
    }
    t->root = root;
    t->root_path = path;
    t->blobs.bytes_max = TREE_CACHE_BYTES_MAX;
    t->absences.bytes_max = TREE_ABSENT_BYTES_MAX;
    t->inotify = loop ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    t->keep = t->inotify >= 0;
    if (loop && t->inotify < 0)
        log_warning("%s: cannot watch for changes: %s: files are not kept in memory", root_path,
                    strerror(errno));
    *ret_tree = t;
    return 0;
}

void tree_close(struct tree *t)
{
    if (!t)
        return;
    tree_close(t->uploads);
    watch_forget(t);
    table_free(&t->entries);
    table_free(&t->directories);
    table_free(&t->watches);
    if (t->inotify >= 0)
        close(t->inotify);
    free(t->root_path);
    free(t);
}
