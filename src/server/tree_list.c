#include "server/tree_internal.h"

#include "base/buf.h"
#include "guide/name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree_listing {
    const struct tree *tree;
    DIR *dir;  /* the one that is being read */
    DIR *sent; /* of the same name in the uploads, to be read after it; NULL: none, or it is `dir` by now */
    bool in_sent;
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
    char room[ROOTDIR_PATH_MAX];
    struct buf spelled = BUF_ON(room);
    int error = open_directory(t, directory, &dir);
    if (error == -ENOENT && tree_directory_spelling(t, directory, &spelled)) {
        directory = buf_slice(&spelled);
        error = open_directory(t, directory, &dir);
    }
    if (error)
        return tree_answer_of(error);
    struct tree_listing *l = malloc(sizeof *l + directory.len);
    if (!l) {
        closedir(dir);
        return TREE_BROKEN;
    }
    *l = (struct tree_listing){ .tree = t, .dir = dir, .len = directory.len };
    /* Phones that have sent nothing have none there. */
    if (t->uploads && open_directory(t->uploads, directory, &l->sent))
        l->sent = NULL;
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

static bool is_sent_name(struct slice name)
{
    return name_kind_is_sent(name_meaning(name).kind);
}

/* What a phone has sent under such a name is what is given for it (tree_ask()). */
static bool is_covered(const struct tree_listing *l, struct slice name)
{
    char lower[ROOTDIR_NAME_MAX + 1];
    struct buf out = BUF_ON(lower);
    struct stat st;
    if (!l->sent || !is_sent_name(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        buf_byte(&out, byte_lower(name.ptr[i]));
    return buf_terminate(&out) && fstatat(dirfd(l->sent), lower, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode);
}

/* In the uploads: older versions and what is on its way begin with a dot. */
static bool is_shown(const struct tree_listing *l, struct slice name)
{
    if (!rootdir_name_ok(name) || rootdir_is_temporary(name))
        return false;
    return l->in_sent ? name.ptr[0] != '.' && is_sent_name(name) : !is_covered(l, name);
}

static bool look_at(const struct tree_listing *l, const char *name, struct stat *st)
{
    /* One that vanished since is no error. */
    if (fstatat(dirfd(l->dir), name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (l->in_sent)
        return S_ISREG(st->st_mode);
    if (S_ISLNK(st->st_mode) && (!l->tree->root->follow_symlinks || !stat_followed(l, slice_str(name), st)))
        return false;
    return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static enum tree_step at_end(struct tree_listing *l)
{
    if (!l->sent)
        return TREE_STEP_END;
    closedir(l->dir);
    l->dir = l->sent;
    l->sent = NULL;
    l->in_sent = true;
    return TREE_STEP_NOTHING;
}

enum tree_step tree_listing_next(struct tree_listing *l, struct tree_entry *ret_entry)
{
    struct stat st;
    errno = 0;
    const struct dirent *e = readdir(l->dir);
    if (!e)
        return errno ? TREE_STEP_BROKEN : at_end(l);
    if (l->seen++ == TREE_LISTING_ENTRIES_MAX)
        return TREE_STEP_TOO_MANY;
    struct slice name = slice_str(e->d_name);
    if (!is_shown(l, name) || !look_at(l, e->d_name, &st))
        return TREE_STEP_NOTHING;
    *ret_entry = (struct tree_entry){ name, S_ISDIR(st.st_mode), (uint64_t)st.st_size, st.st_mtim.tv_sec };
    return TREE_STEP_ENTRY;
}

void tree_listing_close(struct tree_listing *l)
{
    if (l->sent)
        closedir(l->sent);
    closedir(l->dir);
    free(l);
}
