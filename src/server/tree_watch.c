/* Directories, their inotify watches, and what an event makes us forget.
 *
 * inotify is read directly: libuv's uv_fs_event drops IN_Q_OVERFLOW, and then a stale file would be served
 * for ever. A directory is opened first and the watch set on that very inode through /proc/self/fd; its
 * parent was watched before it was opened, so whatever replaces it in between is told by the parent. */
#include "server/tree_internal.h"

#include "base/log.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define WATCHED                                                                                                \
    (IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |            \
     IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
/* Events are read in bites of this size, and so many bites at once: 4 MiB are more than the kernel queues
 * by default (16,384 events). Past that somebody writes faster than we read, and forgetting all is cheaper. */
#define BITE_BYTES ((size_t)64 * 1024)
#define BITES_MAX 64

static struct slice path_of(const struct directory *d)
{
    return slice_of(d->path, d->len);
}

static uint64_t watch_hash(int watch)
{
    return (uint64_t)(unsigned)watch;
}

static struct directory *find_directory(const struct tree *t, struct slice path)
{
    uint64_t hash = table_hash(path, t->seed);
    struct link *link = NULL;
    while ((link = table_next(&t->directories, hash, link))) {
        struct directory *d = container_of(link, struct directory, by_path);
        if (slice_eq(path_of(d), path))
            return d;
    }
    return NULL;
}

static struct directory *find_watch(const struct tree *t, int watch)
{
    struct link *link = table_next(&t->watches, watch_hash(watch), NULL);
    return link ? container_of(link, struct directory, by_watch) : NULL;
}

static void unwatch(struct tree *t, struct directory *d, bool remove)
{
    if (d->watch < 0)
        return;
    table_remove(&t->watches, &d->by_watch);
    if (remove)
        inotify_rm_watch(t->inotify, d->watch);
    d->watch = -1;
}

static void free_directory(struct tree *t, struct directory *d)
{
    while (d->entries)
        cache_drop(t, d->entries);
    unwatch(t, d, true);
    table_remove(&t->directories, &d->by_path);
    names_free(d->names);
    if (!d->parent) {
        t->top = NULL;
    } else {
        struct directory **at = &d->parent->children;
        while (*at != d)
            at = &(*at)->sibling;
        *at = d->sibling;
    }
    free(d);
}

/* With all that is below it, deepest first; no recursion, a tree may be as deep as a path is long. */
static void drop_directory(struct tree *t, struct directory *d)
{
    for (struct directory *at = d;;) {
        while (at->children)
            at = at->children;
        struct directory *parent = at->parent;
        bool last = at == d;
        free_directory(t, at);
        if (last)
            return;
        at = parent;
    }
}

void watch_forget(struct tree *t)
{
    if (t->top)
        drop_directory(t, t->top);
}

/* The path of `name` in `d`, in `room`; "" when it is too long to have been asked for. */
static struct slice join(const struct directory *d, struct slice name, char room[ROOTDIR_PATH_MAX])
{
    struct buf out = buf_on(room, ROOTDIR_PATH_MAX);
    if (d->parent) {
        buf_text(&out, path_of(d));
        buf_byte(&out, '/');
    }
    buf_text(&out, name);
    return buf_ok(&out) ? buf_slice(&out) : SLICE_NONE;
}

static void on_event(struct tree *t, const struct inotify_event *e)
{
    char room[ROOTDIR_PATH_MAX];
    t->counts.events++;
    if (e->mask & IN_Q_OVERFLOW) {
        watch_forget(t);
        return;
    }
    struct directory *d = find_watch(t, e->wd);
    if (!d)
        return;
    if (e->mask & IN_IGNORED)
        unwatch(t, d, false);
    if (e->len == 0) {
        drop_directory(t, d);
        return;
    }
    struct slice name = slice_str(e->name);
    struct slice path = join(d, name, room);
    if (d->names && e->mask & (IN_CREATE | IN_MOVED_TO))
        names_add(d->names, name);
    if (d->names && e->mask & (IN_DELETE | IN_MOVED_FROM))
        names_remove(d->names, name);
    cache_drop_path(t, path);
    struct directory *below = find_directory(t, path);
    if (below)
        drop_directory(t, below);
}

void watch_read_events(struct tree *t)
{
    _Alignas(struct inotify_event) char bite[BITE_BYTES];
    for (unsigned i = 0; i < BITES_MAX; i++) {
        ssize_t got = read(t->inotify, bite, sizeof bite);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t)got;) {
            const struct inotify_event *e = (const void *)(bite + at);
            on_event(t, e);
            at += sizeof *e + e->len;
        }
    }
    watch_forget(t);
}

/* File systems on which other machines change files without inotify hearing of it. */
static bool is_shared(int fd)
{
    static const unsigned shared[] = {
        NFS_SUPER_MAGIC,
        SMB_SUPER_MAGIC,
        0xff534d42 /* CIFS */,
        0xfe534d42 /* SMB2 */,
        V9FS_MAGIC,
        0x65735546 /* FUSE */,
        0x00c36400 /* Ceph */,
        AFS_SUPER_MAGIC,
        0x5346414f /* AFS */,
        0x7461636f /* OCFS2 */,
        0x01161970 /* GFS2 */,
        CODA_SUPER_MAGIC,
        0x0bd00bd0 /* Lustre */,
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return true;
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if ((unsigned)fs.f_type == shared[i])
            return true;
    return false;
}

int watch_open_directory(const struct tree *t, struct slice path, int flags, int *ret_fd, bool *ret_direct)
{
    struct rootdir strict = { t->root->fd, false };
    int error = rootdir_open(&strict, path, flags | O_DIRECTORY, ret_fd);
    *ret_direct = error != -ELOOP;
    if (error == -ELOOP && t->root->follow_symlinks)
        error = rootdir_open(t->root, path, flags | O_DIRECTORY, ret_fd);
    return error;
}

static bool is_above(const struct directory *above, const struct directory *d)
{
    while (d && d != above)
        d = d->parent;
    return d != NULL;
}

static void set_watch(struct tree *t, struct directory *d, int fd)
{
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (is_shared(fd)) {
        if (!t->told_network)
            log_info("%s: a network file system: files are not kept in memory", t->root_path);
        t->told_network = true;
        return;
    }
    int watch = inotify_add_watch(t->inotify, self, WATCHED);
    if (watch < 0) {
        if (!t->told_no_watch)
            log_warning("%s: cannot watch %s: %s: its files are not kept in memory", t->root_path, d->path,
                        strerror(errno));
        t->told_no_watch = true;
        return;
    }
    /* The same inode under another path: it was renamed and the event is still to be read, or it is mounted
     * twice. An event could then mean either path, so only one of them is remembered. */
    struct directory *other = find_watch(t, watch);
    if (other && is_above(other, d))
        return;
    if (other)
        unwatch(t, other, false);
    d->watch = watch;
    if (!table_add(&t->watches, &d->by_watch, watch_hash(watch))) {
        inotify_rm_watch(t->inotify, watch);
        d->watch = -1;
    }
    if (other)
        drop_directory(t, other);
}

static struct directory *new_directory(struct tree *t, struct directory *parent, struct slice path)
{
    struct directory *d = calloc(1, sizeof *d + path.len + 1);
    if (!d || !table_add(&t->directories, &d->by_path, table_hash(path, t->seed))) {
        free(d);
        return NULL;
    }
    memcpy(d->path, path.ptr, path.len);
    d->len = path.len;
    d->watch = -1;
    d->parent = parent;
    if (parent) {
        d->sibling = parent->children;
        parent->children = d;
    } else {
        t->top = d;
    }
    return d;
}

static int enter(struct tree *t, struct directory *parent, struct slice path, struct directory **ret_directory)
{
    int fd;
    bool direct;
    int error = watch_open_directory(t, path, O_PATH, &fd, &direct);
    if (error)
        return error;
    struct directory *d = new_directory(t, parent, path);
    if (d && t->inotify >= 0 && direct && (!parent || parent->watch >= 0))
        set_watch(t, d, fd);
    close(fd);
    if (!d)
        return -ENOMEM;
    *ret_directory = d;
    return 0;
}

int watch_directory_of(struct tree *t, struct slice name, struct directory **ret_directory)
{
    if (t->directories.count >= TREE_DIRECTORIES_MAX)
        watch_forget(t);
    int error = t->top ? 0 : enter(t, NULL, SLICE("."), &t->top);
    struct directory *d = t->top;
    for (size_t at = 0; !error && at < name.len; at++) {
        struct slice prefix = slice_first(name, at);
        if (name.ptr[at] != '/')
            continue;
        struct directory *below = find_directory(t, prefix);
        struct entry *known = below ? NULL : cache_find(t, prefix);
        if (known && known->absent)
            return -ENOENT;
        error = below ? 0 : enter(t, d, prefix, &below);
        /* Where case counts: elsewhere another spelling may be there. */
        if (error == -ENOENT && d->watch >= 0 && !t->ignore_case)
            cache_add(t, d, prefix, NULL);
        d = below;
    }
    if (!error)
        *ret_directory = d;
    return error;
}
