#include "server/upload_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Directories below each other that are counted; names are no longer than a datagram. */
#define DEPTH_MAX 256
/* Of one directory: 200,000 files by default, with room for an operator's larger number. */
#define ENTRIES_MAX 4000000

void upload_files_version_name(struct slice last, unsigned version, char into[UPLOAD_NAME_BYTES])
{
    struct buf out = buf_on(into, UPLOAD_NAME_BYTES);
    buf_format(&out, ".%.*s.%u", SLICE_ARG(last), version);
    buf_terminate(&out);
}

static int make_directory(const struct rootdir *uploads, struct slice path)
{
    char text[ROOTDIR_NAME_MAX + 1];
    struct slice parent, last;
    int fd;
    rootdir_split(path, &parent, &last);
    int error = rootdir_open(uploads, parent, O_RDONLY | O_DIRECTORY, &fd);
    if (error)
        return error;
    struct buf out = BUF_ON(text);
    buf_text(&out, last);
    if (!buf_terminate(&out))
        error = -ENAMETOOLONG;
    else if (mkdirat(fd, text, 0700) < 0)
        error = errno == EEXIST ? 0 : -errno;
    else if (fsync(fd) < 0)
        error = -errno;
    close(fd);
    return error;
}

int upload_files_directory(const struct rootdir *uploads, struct slice directory, bool make, int *ret_fd)
{
    int error = rootdir_open(uploads, directory, O_RDONLY | O_DIRECTORY, ret_fd);
    if (error != -ENOENT || !make)
        return error;
    error = 0;
    for (size_t at = 1; !error && at <= directory.len; at++)
        if (at == directory.len || directory.ptr[at] == '/')
            error = make_directory(uploads, slice_first(directory, at));
    return error ? error : rootdir_open(uploads, directory, O_RDONLY | O_DIRECTORY, ret_fd);
}

static bool same_bytes(int a, int b)
{
    char left[4096], right[4096];
    for (off_t at = 0;;) {
        ssize_t got = pread(a, left, sizeof left, at);
        if (got < 0 || pread(b, right, sizeof right, at) != got)
            return false;
        if (got == 0)
            return true;
        if (memcmp(left, right, (size_t)got) != 0)
            return false;
        at += got;
    }
}

/* `temporary` was opened for writing only, so both are opened here. */
static bool is_same(int dirfd, const char *temporary, const char *name)
{
    struct stat st, old;
    int a = openat(dirfd, temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int b = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool same = a >= 0 && b >= 0 && fstat(a, &st) == 0 && fstat(b, &old) == 0 && S_ISREG(old.st_mode) &&
                st.st_size == old.st_size && same_bytes(a, b);
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    return same;
}

static void count_gone(const struct stat *st, struct upload_gone *gone)
{
    gone->files++;
    gone->bytes += (uint64_t)st->st_size;
}

static bool stat_version(int dirfd, const char *name, unsigned version, char into[UPLOAD_NAME_BYTES],
                         struct stat *ret_stat)
{
    upload_files_version_name(slice_str(name), version, into);
    return fstatat(dirfd, into, ret_stat, AT_SYMLINK_NOFOLLOW) == 0;
}

/* From version `first` on, up to the first that is not there. */
static void prune(int dirfd, const char *name, unsigned first, struct upload_gone *gone)
{
    char path[UPLOAD_NAME_BYTES];
    struct stat st;
    for (unsigned i = first; i <= UPLOAD_VERSIONS_MAX && stat_version(dirfd, name, i, path, &st); i++)
        if (unlinkat(dirfd, path, 0) == 0)
            count_gone(&st, gone);
}

/* Makes version 1 free; where a failure left a number free, only those below it move. */
static int shift(int dirfd, const char *name, unsigned versions, struct upload_gone *gone)
{
    char from[UPLOAD_NAME_BYTES], to[UPLOAD_NAME_BYTES];
    struct stat st;
    unsigned gap = 1;
    prune(dirfd, name, versions + 1, gone);
    while (gap <= versions && stat_version(dirfd, name, gap, to, &st))
        gap++;
    if (gap > versions)
        prune(dirfd, name, gap = versions, gone);
    for (unsigned i = gap; i > 1; i--) {
        upload_files_version_name(slice_str(name), i - 1, from);
        upload_files_version_name(slice_str(name), i, to);
        if (renameat(dirfd, from, dirfd, to) < 0)
            return -errno;
    }
    return 0;
}

/* The current file becomes version 1 and stays the current one until it is replaced: there is no moment without. */
static int keep_version(int dirfd, const char *name, const struct stat *current, unsigned versions,
                        struct upload_gone *gone)
{
    char first[UPLOAD_NAME_BYTES];
    struct stat st;
    /* An attempt that failed later has done it already. */
    if (stat_version(dirfd, name, 1, first, &st) && st.st_ino == current->st_ino && st.st_dev == current->st_dev)
        return 0;
    int error = shift(dirfd, name, versions, gone);
    if (!error && linkat(dirfd, name, dirfd, first, 0) < 0)
        error = -errno;
    return error;
}

static int replace(int dirfd, const char *temporary, const char *name, unsigned versions, struct upload_gone *gone)
{
    struct stat old;
    bool is_there = fstatat(dirfd, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && !S_ISREG(old.st_mode))
        return -EEXIST;
    int error = is_there && versions ? keep_version(dirfd, name, &old, versions, gone) : 0;
    if (!error && renameat(dirfd, temporary, dirfd, name) < 0)
        error = -errno;
    if (error)
        return error;
    if (is_there && !versions) {
        count_gone(&old, gone);
        prune(dirfd, name, 1, gone);
    }
    return fsync(dirfd) < 0 ? -errno : 0;
}

int upload_files_install(int dirfd, int fd, const char *temporary, const char *name, unsigned versions,
                         struct upload_gone *ret_gone)
{
    struct upload_gone gone = { 0, 0 };
    struct stat st;
    int error = fsync(fd) < 0 || fstat(fd, &st) < 0 ? -errno : 0;
    bool same = !error && is_same(dirfd, temporary, name);
    if (!error && !same)
        error = replace(dirfd, temporary, name, versions, &gone);
    /* After a rename there is nothing under that name any more. */
    if ((error || same) && unlinkat(dirfd, temporary, 0) == 0 && same)
        count_gone(&st, &gone);
    *ret_gone = gone;
    return error;
}

int upload_files_remove(int dirfd, const char *name, unsigned versions, struct upload_gone *ret_gone)
{
    struct upload_gone gone = { 0, 0 };
    struct stat st;
    int error = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EEXIST;
    if (!error && versions)
        error = keep_version(dirfd, name, &st, versions, &gone);
    if (!error && unlinkat(dirfd, name, 0) < 0)
        error = -errno;
    if (!error && !versions)
        count_gone(&st, &gone);
    if (!error && !versions)
        prune(dirfd, name, 1, &gone);
    *ret_gone = gone;
    return error;
}

struct count {
    const struct rootdir *root;
    struct arena arena;
    uint64_t files, bytes;
    unsigned depth, old_s;
    int error;
    void (*each)(void *context, struct slice name); /* NULL: they are counted alone, and cleaned up */
    void *context;
};

/* What somebody still writes to is left alone. */
static bool is_forgotten(const struct count *c, int dirfd, const char *name)
{
    struct stat st;
    struct timespec now;
    if (!c->old_s)
        return true;
    clock_gettime(CLOCK_REALTIME, &now);
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && now.tv_sec - st.st_mtim.tv_sec > (time_t)c->old_s;
}

static void remove_file(const struct count *c, struct slice directory, struct slice last)
{
    char text[ROOTDIR_NAME_MAX + 1];
    struct buf out = BUF_ON(text);
    int fd;
    buf_text(&out, last);
    if (!buf_terminate(&out) || rootdir_open(c->root, directory, O_RDONLY | O_DIRECTORY, &fd))
        return;
    if (is_forgotten(c, fd, text))
        unlinkat(fd, text, 0);
    close(fd);
}

static bool visit(void *context, const struct rootdir_entry *entry)
{
    struct count *c = context;
    struct slice directory, last;
    rootdir_split(entry->name, &directory, &last);
    if (entry->is_directory) {
        if (c->depth == DEPTH_MAX)
            return true;
        c->depth++;
        int error = rootdir_list(c->root, entry->name, ENTRIES_MAX, &c->arena, visit, c);
        /* One that nobody may read, or that vanished. */
        if (error != -EACCES && error != -ENOENT && error)
            c->error = error;
        c->depth--;
    } else if (c->each) {
        c->each(c->context, entry->name);
    } else if (rootdir_is_temporary(last)) {
        remove_file(c, directory, last);
    } else {
        c->files++;
        c->bytes += (uint64_t)entry->size;
    }
    return c->error == 0;
}

int upload_files_count(const struct rootdir *root, struct slice directory, unsigned old_s, uint64_t *ret_files,
                       uint64_t *ret_bytes)
{
    struct count c = { .root = root, .old_s = old_s };
    arena_init(&c.arena, SIZE_MAX / 2);
    int error = rootdir_list(root, directory, ENTRIES_MAX, &c.arena, visit, &c);
    arena_free(&c.arena);
    if (error || c.error)
        return error ? error : c.error;
    *ret_files = c.files;
    *ret_bytes = c.bytes;
    return 0;
}

int upload_files_names(const struct rootdir *root, void (*each)(void *context, struct slice name), void *context)
{
    struct count c = { .root = root, .each = each, .context = context };
    arena_init(&c.arena, SIZE_MAX / 2);
    int error = rootdir_list(root, SLICE("."), ENTRIES_MAX, &c.arena, visit, &c);
    arena_free(&c.arena);
    return error ? error : c.error;
}
