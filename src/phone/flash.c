#include "phone/flash_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Nobody writes a flash for so long: the file is what is left of a process that was killed. */
#define LEFTOVER_S 3600

static void sweep_entry(int dirfd, const char *name, time_t now)
{
    struct stat st;
    if (rootdir_is_temporary(slice_str(name)) && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode) && now - st.st_mtime > LEFTOVER_S)
        unlinkat(dirfd, name, 0);
}

/* They hold passwords, and a phone whose power is cut often leaves many. */
static void sweep(const struct flash *f, struct slice directory)
{
    int fd;
    struct dirent *e;
    if (rootdir_open(&f->directory, directory, O_RDONLY | O_DIRECTORY, &fd))
        return;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    while ((e = readdir(dir)))
        sweep_entry(fd, e->d_name, time(NULL));
    closedir(dir);
}

int flash_open(struct flash *f, const char *path, bool create, struct mac mac)
{
    *f = (struct flash){ .directory = { .fd = -1 }, .mac = mac };
    if (!path)
        return 0;
    if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int error = rootdir_open_root(path, false, &f->directory);
    if (!error && create) {
        char bytes[32];
        struct buf files = BUF_ON(bytes);
        mac_print_bare(mac, &files);
        buf_str(&files, ".files");
        sweep(f, SLICE("."));
        sweep(f, buf_slice(&files));
    }
    return error == -ENOENT && !create ? 0 : error;
}

int flash_open_chip(struct flash *f, struct mac mac)
{
    *f = (struct flash){ .directory = { .fd = -1 }, .chip = calloc(1, sizeof *f->chip), .mac = mac };
    return f->chip ? 0 : -ENOMEM;
}

static void chip_replace(struct flash_chip *chip, char *bytes, size_t len)
{
    if (chip->bytes)
        explicit_bzero(chip->bytes, chip->len);
    free(chip->bytes);
    chip->bytes = bytes;
    chip->len = len;
}

void flash_close(struct flash *f)
{
    rootdir_close(&f->directory);
    if (f->chip) {
        chip_replace(f->chip, NULL, 0);
        flash_files_forget(f->chip);
    }
    free(f->chip);
    f->chip = NULL;
}

static void file_name(const struct flash *f, struct buf *out)
{
    mac_print_bare(f->mac, out);
    buf_str(out, ".flash");
}

const char *flash_read(const struct flash *f, struct memory *m, struct arena *arena)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    struct slice content;
    if (f->chip && f->chip->bytes)
        return arena_copy(arena, slice_of(f->chip->bytes, f->chip->len), &content)
                   ? memory_parse(m, content, f->mac, arena)
                   : "out of memory";
    if (f->directory.fd < 0)
        return NULL;
    file_name(f, &name);
    int error = rootdir_read(&f->directory, buf_slice(&name), FLASH_BYTES_MAX, arena, &content);
    if (error == -ENOENT)
        return NULL;
    return error ? strerror(-error) : memory_parse(m, content, f->mac, arena);
}

/* Takes the text over. */
static int keep(const struct flash *f, char *text, size_t len)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    int error = 0;
    if (f->chip) {
        chip_replace(f->chip, text, len);
        return 0;
    }
    file_name(f, &name);
    error = rootdir_replace(&f->directory, buf_slice(&name), slice_of(text, len));
    explicit_bzero(text, len);
    free(text);
    return error;
}

int flash_write(const struct flash *f, const struct memory *m, struct arena *arena)
{
    if (f->directory.fd < 0 && !f->chip)
        return 0;
    for (size_t room = (size_t)64 * 1024; room <= FLASH_BYTES_MAX; room *= 4) {
        char *text = malloc(room);
        struct buf out = buf_on(text, room);
        if (!text)
            return -ENOMEM;
        if (memory_print(m, f->mac, arena, &out))
            return keep(f, text, out.len);
        free(text);
    }
    return -EFBIG;
}
