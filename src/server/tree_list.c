#include "server/tree_internal.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree_listing {
    const struct tree *tree;
    DIR *dir;
    size_t seen;
    size_t len;
    char path[]; /* of the directory, "" for the root */
};

static int open_directory(const struct tree *t, struct slice path, DIR **ret_dir)
{
    int fd;
    bool direct;
    int error = watch_open_directory(t, path.len ? path : SLICE("."), O_RDONLY, &fd, &direct);
    if (error)
        return error;
    *ret_dir = fdopendir(fd);
    if (*ret_dir)
        return 0;
    error = -errno;
    close(fd);
    return error;
}

enum tree_answer tree_list(struct tree *t, struct slice directory, struct tree_listing **ret_listing)
{
    DIR *dir;
    while (slice_starts(directory, SLICE("/")))
        directory = slice_from(directory, 1);
    if (directory.len && !rootdir_name_ok(directory))
        return TREE_BAD_NAME;
    int error = open_directory(t, directory, &dir);
    if (error)
        return tree_answer_of(error);
    struct tree_listing *l = malloc(sizeof *l + directory.len);
    if (!l) {
        closedir(dir);
        return TREE_BROKEN;
    }
    *l = (struct tree_listing){ .tree = t, .dir = dir, .len = directory.len };
    if (directory.len)
        memcpy(l->path, directory.ptr, directory.len);
    *ret_listing = l;
    return TREE_DIRECTORY;
}

/* Where a link leads, as the kernel resolves it beneath the root. */
static bool stat_followed(const struct tree_listing *l, struct slice name, struct stat *st)
{
    char path[ROOTDIR_PATH_MAX];
    struct buf out = BUF_ON(path);
    int fd;
    buf_text(&out, slice_of(l->path, l->len));
    buf_str(&out, l->len ? "/" : "");
    buf_text(&out, name);
    if (!buf_ok(&out) || rootdir_open(l->tree->root, buf_slice(&out), O_PATH, &fd))
        return false;
    bool ok = fstat(fd, st) == 0;
    close(fd);
    return ok;
}

enum tree_step tree_listing_next(struct tree_listing *l, struct tree_entry *ret_entry)
{
    struct stat st;
    errno = 0;
    const struct dirent *e = readdir(l->dir);
    if (!e)
        return errno ? TREE_STEP_BROKEN : TREE_STEP_END;
    if (l->seen++ == TREE_LISTING_ENTRIES_MAX)
        return TREE_STEP_TOO_MANY;
    struct slice name = slice_str(e->d_name);
    /* One that vanished since is no error. */
    if (!rootdir_name_ok(name) || rootdir_is_temporary(name) ||
        fstatat(dirfd(l->dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return TREE_STEP_NOTHING;
    if (S_ISLNK(st.st_mode) && (!l->tree->root->follow_symlinks || !stat_followed(l, name, &st)))
        return TREE_STEP_NOTHING;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return TREE_STEP_NOTHING;
    *ret_entry = (struct tree_entry){ name, S_ISDIR(st.st_mode), (uint64_t)st.st_size, st.st_mtim.tv_sec };
    return TREE_STEP_ENTRY;
}

void tree_listing_close(struct tree_listing *l)
{
    closedir(l->dir);
    free(l);
}
