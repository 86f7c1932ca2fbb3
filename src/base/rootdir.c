#include "base/rootdir.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEMPORARY_START ".dialtone-"
#define TEMPORARY_END ".tmp"
#define TEMPORARY_TRIES 10000
#define COPY_BYTES 16384

int rootdir_open_root(const char *path, bool follow_symlinks, struct rootdir *ret_root)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_root = (struct rootdir){ fd, follow_symlinks };
    return 0;
}

void rootdir_close(struct rootdir *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

bool rootdir_name_ok(struct slice name)
{
    if (name.len == 0 || name.len > ROOTDIR_PATH_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (byte_is_control(name.ptr[i]) || name.ptr[i] == '\\')
            return false;
    if (name.ptr[name.len - 1] == '/')
        return false;
    struct slice rest = name, segment;
    while (slice_cut(&rest, '/', &segment))
        if (segment.len == 0 || segment.len > ROOTDIR_NAME_MAX || slice_eq(segment, SLICE(".")) ||
            slice_eq(segment, SLICE("..")))
            return false;
    return true;
}

struct slice rootdir_name(struct slice asked)
{
    while (asked.len && asked.ptr[0] == '/')
        asked = slice_from(asked, 1);
    return asked;
}

int rootdir_open(const struct rootdir *root, struct slice name, int flags, int *ret_fd)
{
    char path[ROOTDIR_PATH_MAX + 1];
    if (!slice_eq(name, SLICE(".")) && !rootdir_name_ok(name))
        return -EINVAL;
    memcpy(path, name.ptr, name.len);
    path[name.len] = '\0';
    /* openat2 takes no O_NONBLOCK with O_PATH, which opens nothing that could block. */
    flags |= flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NONBLOCK;
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .mode = flags & O_CREAT ? 0600 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
                   (root->follow_symlinks ? 0u : (unsigned)RESOLVE_NO_SYMLINKS),
    };
    for (;;) {
        long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof how);
        if (fd >= 0) {
            *ret_fd = (int)fd;
            return 0;
        }
        /* EAGAIN: a rename raced with the walk (openat2(2)); asking again is the documented answer. */
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
    }
}

ssize_t rootdir_read_at(int fd, uint64_t offset, void *into, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, (char *)into + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int read_all(int fd, size_t size, struct arena *arena, struct slice *ret_bytes)
{
    char *bytes = arena_alloc(arena, size + 1);
    ssize_t got = bytes ? rootdir_read_at(fd, 0, bytes, size) : -ENOMEM;
    if (got < 0)
        return (int)got;
    *ret_bytes = slice_of(bytes, (size_t)got);
    return 0;
}

int rootdir_read(const struct rootdir *root, struct slice name, size_t limit, struct arena *arena,
                 struct slice *ret_bytes)
{
    int fd;
    struct stat st;
    int error = rootdir_open(root, name, O_RDONLY, &fd);
    if (error)
        return error;
    if (fstat(fd, &st) < 0)
        error = -errno;
    else if (S_ISDIR(st.st_mode))
        error = -EISDIR;
    else if (!S_ISREG(st.st_mode))
        error = -EACCES;
    else if (st.st_size < 0 || (uint64_t)st.st_size > limit)
        error = -EFBIG;
    else
        error = read_all(fd, (size_t)st.st_size, arena, ret_bytes);
    close(fd);
    return error;
}

struct listing {
    struct arena *arena;
    struct rootdir_entry *entries;
    size_t count, room, limit;
};

static int listing_add(struct listing *l, struct slice directory, const char *name, const struct stat *st)
{
    if (l->count == l->limit)
        return -EMFILE;
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 64;
        struct rootdir_entry *more = ARENA_ARRAY(l->arena, struct rootdir_entry, room);
        if (!more)
            return -ENOMEM;
        if (l->count)
            memcpy(more, l->entries, l->count * sizeof *more);
        l->entries = more;
        l->room = room;
    }
    struct slice full;
    bool top = slice_eq(directory, SLICE("."));
    if (!arena_format(l->arena, &full, "%.*s%s%s", top ? 0 : (int)directory.len, directory.ptr,
                      top ? "" : "/", name))
        return -ENOMEM;
    l->entries[l->count++] = (struct rootdir_entry){ full, S_ISDIR(st->st_mode), st->st_size };
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct rootdir_entry *left = a, *right = b;
    return slice_compare(left->name, right->name);
}

static int fill_listing(struct listing *l, DIR *dir, struct slice directory, bool follow)
{
    struct dirent *e;
    errno = 0;
    while ((e = readdir(dir))) {
        struct stat st;
        struct slice name = slice_str(e->d_name);
        if (slice_eq(name, SLICE(".")) || slice_eq(name, SLICE("..")))
            continue;
        /* An entry that vanished since is no error, and other kinds are nobody's business. */
        if (fstatat(dirfd(dir), e->d_name, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0 ||
            (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
            continue;
        int error = listing_add(l, directory, e->d_name, &st);
        if (error)
            return error;
        errno = 0;
    }
    return -errno;
}

int rootdir_list(const struct rootdir *root, struct slice directory, size_t limit, struct arena *arena,
                 rootdir_visit *visit, void *context)
{
    int fd;
    int error = rootdir_open(root, directory, O_RDONLY | O_DIRECTORY, &fd);
    if (error)
        return error;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        error = -errno;
        close(fd);
        return error;
    }
    struct listing l = { .arena = arena, .limit = limit };
    error = fill_listing(&l, dir, directory, root->follow_symlinks);
    closedir(dir);
    if (error)
        return error;
    if (l.count)
        qsort(l.entries, l.count, sizeof *l.entries, compare_entries);
    for (size_t i = 0; i < l.count; i++)
        if (!visit(context, &l.entries[i]))
            break;
    return 0;
}

int rootdir_write(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        bytes = slice_from(bytes, (size_t)done);
    }
    return 0;
}

int rootdir_copy(int from, int to, uint64_t len)
{
    char bytes[COPY_BYTES];
    for (uint64_t at = 0; at < len;) {
        size_t want = len - at < sizeof bytes ? (size_t)(len - at) : sizeof bytes;
        ssize_t got = rootdir_read_at(from, at, bytes, want);
        if (got < (ssize_t)want)
            return got < 0 ? (int)got : -ESTALE;
        for (size_t done = 0; done < want;) {
            ssize_t put = pwrite(to, bytes + done, want - done, (off_t)(at + done));
            if (put < 0 && errno != EINTR)
                return -errno;
            done += put > 0 ? (size_t)put : 0;
        }
        at += want;
    }
    return 0;
}

void rootdir_split(struct slice name, struct slice *ret_directory, struct slice *ret_last)
{
    size_t slash = slice_find_last(name, '/');
    bool top = slash == name.len;
    *ret_directory = top ? SLICE(".") : slice_first(name, slash);
    *ret_last = top ? name : slice_from(name, slash + 1);
}

int rootdir_temporary(int dirfd, mode_t mode, char into[ROOTDIR_TEMPORARY_BYTES], int *ret_fd)
{
    static _Atomic unsigned serial;
    int fd = -1;
    /* In a container every run has the same process id, and one that died may have left files. */
    for (unsigned i = 0; fd < 0 && i < TEMPORARY_TRIES; i++) {
        snprintf(into, ROOTDIR_TEMPORARY_BYTES, TEMPORARY_START "%ld-%u" TEMPORARY_END, (long)getpid(), serial++);
        fd = openat(dirfd, into, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        return -errno;
    if (mode != 0600 && fchmod(fd, mode) < 0) {
        int error = -errno;
        unlinkat(dirfd, into, 0);
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

bool rootdir_is_temporary(struct slice last)
{
    return slice_starts(last, SLICE(TEMPORARY_START)) && slice_ends(last, SLICE(TEMPORARY_END));
}

/* Over nothing. Where the file system cannot say so in one step, link() can, and only it. */
static int rename_new(int dirfd, const char *temporary, const char *name)
{
    if (renameat2(dirfd, temporary, dirfd, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(dirfd, temporary, dirfd, name, 0) < 0)
        return -errno;
    unlinkat(dirfd, temporary, 0);
    return 0;
}

int rootdir_place(int dirfd, int fd, const char *temporary, const char *name, bool may_replace)
{
    int error = fsync(fd) < 0 ? -errno : 0;
    if (!error && !may_replace)
        error = rename_new(dirfd, temporary, name);
    else if (!error && renameat(dirfd, temporary, dirfd, name) < 0)
        error = -errno;
    if (error)
        unlinkat(dirfd, temporary, 0);
    else if (fsync(dirfd) < 0)
        error = -errno;
    return error;
}

int rootdir_spelling(int dirfd, struct slice name, char into[ROOTDIR_NAME_MAX + 1])
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    int error = fd < 0 || !dir ? -errno : -ENOENT;
    if (fd >= 0 && !dir)
        close(fd);
    while (dir && (e = readdir(dir))) {
        if (!slice_eq_nocase(slice_str(e->d_name), name) || (!error && strcmp(e->d_name, into) >= 0))
            continue;
        struct buf out = buf_on(into, ROOTDIR_NAME_MAX + 1);
        buf_str(&out, e->d_name);
        error = buf_terminate(&out) ? 0 : -ENAMETOOLONG;
    }
    if (dir)
        closedir(dir);
    return error;
}

static int replace_in(int dirfd, struct slice last, struct slice bytes)
{
    char target[ROOTDIR_NAME_MAX + 1], temporary[ROOTDIR_TEMPORARY_BYTES];
    int fd;
    memcpy(target, last.ptr, last.len);
    target[last.len] = '\0';
    int error = rootdir_temporary(dirfd, 0600, temporary, &fd);
    if (error)
        return error;
    error = rootdir_write(fd, bytes);
    if (error)
        unlinkat(dirfd, temporary, 0);
    else
        error = rootdir_place(dirfd, fd, temporary, target, true);
    close(fd);
    return error;
}

int rootdir_replace(const struct rootdir *root, struct slice name, struct slice bytes)
{
    struct slice directory, last;
    int dirfd;
    if (!rootdir_name_ok(name))
        return -EINVAL;
    rootdir_split(name, &directory, &last);
    int error = rootdir_open(root, directory, O_RDONLY | O_DIRECTORY, &dirfd);
    if (error)
        return error;
    error = replace_in(dirfd, last, bytes);
    close(dirfd);
    return error;
}
