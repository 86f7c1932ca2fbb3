#include "server/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int say(struct buf *why, const char *path, int error)
{
    buf_format(why, "%s: %s", path, strerror(-error));
    return error;
}

static int check(int fd, const char *path, struct buf *why, size_t *ret_size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return say(why, path, -errno);
    if (!S_ISREG(st.st_mode)) {
        buf_format(why, "%s: is no regular file", path);
        return -EINVAL;
    }
    if (st.st_mode & 07) {
        buf_format(why, "%s: everybody may read it, and who reads a user's line can log in as that user: chmod o= it",
                   path);
        return -EPERM;
    }
    if ((uint64_t)st.st_size >= USERS_FILE_BYTES_MAX)
        return say(why, path, -EFBIG);
    *ret_size = (size_t)st.st_size;
    return 0;
}

/* It may have grown meanwhile: what was there is read, and the next SIGHUP reads the rest. */
static int read_all(int fd, char *bytes, size_t size, size_t *ret_len)
{
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < size) {
        got = read(fd, bytes + len, size - len);
        len += got > 0 ? (size_t)got : 0;
    }
    *ret_len = len;
    return got < 0 ? -errno : 0;
}

int users_file_read(const char *path, struct buf *why, char **ret_bytes, size_t *ret_len)
{
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return say(why, path, -errno);
    int error = check(fd, path, why, &size);
    char *bytes = error ? NULL : malloc(size + 1);
    if (!error && !bytes)
        error = say(why, path, -ENOMEM);
    if (!error) {
        error = read_all(fd, bytes, size, ret_len);
        if (error)
            say(why, path, error);
    }
    close(fd);
    if (error)
        free(bytes);
    else
        *ret_bytes = bytes;
    return error;
}

bool users_file_next(struct slice *rest, uint32_t *line, struct slice *ret_name, struct slice *ret_hash)
{
    struct slice text;
    while (slice_cut(rest, '\n', &text)) {
        ++*line;
        text = slice_trim(text);
        if (!text.len || text.ptr[0] == '#')
            continue;
        size_t colon = slice_find(text, ':');
        *ret_name = slice_trim(slice_first(text, colon));
        *ret_hash = slice_trim(slice_from(text, colon + 1));
        return true;
    }
    return false;
}

static size_t count_lines(struct slice rest)
{
    struct slice name, hash;
    uint32_t line = 0;
    size_t count = 0;
    while (users_file_next(&rest, &line, &name, &hash))
        count++;
    return count;
}

static int parse(const char *path, struct slice rest, struct arena *arena, struct user *into, struct buf *why)
{
    struct slice name, hash;
    uint32_t line = 0;
    for (; users_file_next(&rest, &line, &name, &hash); into++) {
        if (!user_name_ok(name) || !user_hash_parse(hash, &into->hash)) {
            buf_format(why, "%s:%u: not NAME:HASH as `dialtone passwd --file` writes it", path, line);
            return -EINVAL;
        }
        if (!arena_copy(arena, name, &into->name))
            return say(why, path, -ENOMEM);
    }
    return 0;
}

int users_file_add(const char *path, const struct user *list, size_t count, struct arena *arena, struct buf *why,
                   struct user **ret_list, size_t *ret_count)
{
    char *bytes;
    size_t len;
    int error = users_file_read(path, why, &bytes, &len);
    if (error)
        return error;
    size_t lines = count_lines(slice_of(bytes, len));
    struct user *all = ARENA_ARRAY(arena, struct user, count + lines + 1);
    if (all && count)
        memcpy(all, list, count * sizeof *all);
    error = all ? parse(path, slice_of(bytes, len), arena, all + count, why) : say(why, path, -ENOMEM);
    OPENSSL_cleanse(bytes, len);
    free(bytes);
    if (error)
        return error;
    *ret_list = all;
    *ret_count = count + lines;
    return 0;
}
