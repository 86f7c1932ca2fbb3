#include "cli/passwd_file.h"

#include "base/rootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    struct rootdir directory;
    struct slice name; /* within it */
};

static int say(struct buf *why, const char *path, int error)
{
    buf_format(why, "%s: %s", path, strerror(-error));
    return error;
}

/* Until it is closed nobody else changes a file there. */
static int open_place(const char *path, struct place *p)
{
    char directory[PATH_MAX];
    struct slice whole = slice_str(path);
    size_t slash = slice_find_last(whole, '/');
    bool bare = slash == whole.len;
    int fd;
    p->name = bare ? whole : slice_from(whole, slash + 1);
    snprintf(directory, sizeof directory, "%.*s", bare ? 1 : (int)slash + 1, bare ? "." : path);
    int error = rootdir_open_root(directory, false, &p->directory);
    if (error)
        return error;
    error = rootdir_open(&p->directory, SLICE("."), O_RDONLY | O_DIRECTORY, &fd);
    if (!error) {
        close(p->directory.fd);
        p->directory.fd = fd;
        error = flock(fd, LOCK_EX) < 0 ? -errno : 0;
    }
    if (error)
        rootdir_close(&p->directory);
    return error;
}

/* The users of the changes, to be found by name: of two changes of one name the last one counts. */
static bool table_of(const struct passwd_change *changes, size_t count, struct arena *arena, struct users *ret_users)
{
    struct user *list = ARENA_ARRAY(arena, struct user, count + 1);
    for (size_t i = 0; list && i < count; i++)
        list[i] = (struct user){ .name = changes[i].name };
    return list && users_of(list, count, arena, ret_users);
}

static size_t copy_others(struct slice old, const struct users *changed, struct buf *out)
{
    struct slice line, name, hash;
    size_t known = 0;
    while (slice_cut(&old, '\n', &line)) {
        struct slice rest = line;
        uint32_t number = 0;
        if (users_file_next(&rest, &number, &name, &hash) && users_find(changed, name)) {
            known++;
            continue;
        }
        buf_text(out, line);
        buf_byte(out, '\n');
    }
    return known;
}

static void put_changes(const struct passwd_change *changes, const struct users *changed, struct buf *out)
{
    for (size_t i = 0; i < changed->count; i++) {
        if (!changes[i].line.len || users_find(changed, changes[i].name) != &changed->list[i])
            continue;
        buf_text(out, changes[i].line);
        buf_byte(out, '\n');
    }
}

/* The new one is root's and 0600; the old one was perhaps the server's. */
static int put(const struct place *p, const char *path, struct slice bytes, struct buf *why)
{
    struct stat st;
    char name[NAME_MAX + 1];
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(p->name));
    bool there = fstatat(p->directory.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    int error = rootdir_replace(&p->directory, p->name, bytes);
    if (!error && there && (st.st_uid != geteuid() || st.st_gid != getegid()) &&
        fchownat(p->directory.fd, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        error = -errno;
    if (!error && there && fchmodat(p->directory.fd, name, st.st_mode & 0770, 0) < 0)
        error = -errno;
    return error ? say(why, path, error) : 0;
}

static int change(const struct place *p, const char *path, const struct passwd_change *changes,
                  const struct users *changed, struct buf *why, size_t *ret_known)
{
    char *old = NULL;
    size_t len = 0, size;
    int error = users_file_read(path, why, &old, &len);
    if (error && error != -ENOENT)
        return error;
    if (error)
        why->len = 0;
    size = len + 2;
    for (size_t i = 0; i < changed->count; i++)
        size += changes[i].line.len + 1;
    char *fresh = malloc(size);
    struct buf out = buf_on(fresh, size);
    error = fresh ? 0 : say(why, path, -ENOMEM);
    if (!error) {
        *ret_known = copy_others(slice_of(old, len), changed, &out);
        put_changes(changes, changed, &out);
        error = put(p, path, buf_slice(&out), why);
        OPENSSL_cleanse(fresh, size);
    }
    free(fresh);
    if (old)
        OPENSSL_cleanse(old, len);
    free(old);
    return error;
}

int passwd_file_change(const char *path, const struct passwd_change *changes, size_t count, struct arena *arena,
                       struct buf *why, size_t *ret_known)
{
    struct users changed;
    struct place p;
    if (!table_of(changes, count, arena, &changed))
        return say(why, path, -ENOMEM);
    int error = open_place(path, &p);
    if (error)
        return say(why, path, error);
    error = change(&p, path, changes, &changed, why, ret_known);
    rootdir_close(&p.directory);
    return error;
}
