#include "phone/flash_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- names --- */

/* A directory holds some dozens of files; past this it is not one of ours. */
#define FILES_MAX 4096

static void directory_name(const struct flash *f, struct buf *out)
{
    mac_print_bare(f->mac, out);
    buf_str(out, ".files");
}

/* A peer's name: slashes and what else a file may not be called become %XX. */
static void put_name(struct slice name, struct buf *out)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c == '/' || c == '\\' || c == '%' || byte_is_control(name.ptr[i]))
            buf_format(out, "%%%02X", c);
        else
            buf_byte(out, name.ptr[i]);
    }
}

static bool kept_name(const struct flash *f, struct slice key, struct slice name, struct buf *out)
{
    directory_name(f, out);
    size_t directory = out->len + 1;
    buf_byte(out, '/');
    buf_text(out, key);
    if (name.len)
        buf_byte(out, '=');
    put_name(name, out);
    return buf_ok(out) && out->len - directory <= ROOTDIR_NAME_MAX;
}

static struct slice last_of(struct slice path)
{
    return slice_from(path, slice_find_last(path, '/') + 1);
}

/* --- in a chip --- */

struct flash_file {
    struct flash_file *next;
    size_t len;
    char name[ROOTDIR_NAME_MAX + 1]; /* as it would be called on disk */
    char bytes[];
};

static struct flash_file **chip_find(struct flash_chip *chip, struct slice name)
{
    struct flash_file **at = &chip->files;
    while (*at && !slice_eq(slice_str((*at)->name), name))
        at = &(*at)->next;
    return at;
}

static void chip_take_out(struct flash_file **at)
{
    struct flash_file *file = *at;
    *at = file->next;
    free(file);
}

void flash_files_forget(struct flash_chip *chip)
{
    while (chip->files)
        chip_take_out(&chip->files);
}

static int chip_keep(struct flash_chip *chip, struct slice name, struct slice bytes)
{
    struct flash_file **at = chip_find(chip, name);
    struct flash_file *file = malloc(sizeof *file + bytes.len);
    if (!file)
        return -ENOMEM;
    struct buf out = BUF_ON(file->name);
    buf_text(&out, name);
    buf_terminate(&out);
    file->len = bytes.len;
    if (bytes.len)
        memcpy(file->bytes, bytes.ptr, bytes.len);
    if (*at)
        chip_take_out(at);
    file->next = chip->files;
    chip->files = file;
    return 0;
}

/* --- either --- */

/* Of a file of this key, behind its directory; false: of another's. *ret_name "": it has none. */
static bool is_of_key(struct slice last, struct slice key, struct slice *ret_name)
{
    struct slice rest = slice_from(last, key.len);
    *ret_name = slice_from(rest, 1);
    return slice_starts(last, key) && (rest.len == 0 || rest.ptr[0] == '=');
}

int flash_keep(const struct flash *f, struct slice key, struct slice name, struct slice bytes)
{
    char room[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(room), directory;
    char directory_bytes[32];
    if (f->directory.fd < 0 && !f->chip)
        return 0;
    directory = BUF_ON(directory_bytes);
    directory_name(f, &directory);
    buf_terminate(&directory);
    if (!kept_name(f, key, name, &path))
        return -ENAMETOOLONG;
    if (f->chip)
        return chip_keep(f->chip, last_of(buf_slice(&path)), bytes);
    if (mkdirat(f->directory.fd, directory_bytes, 0700) < 0 && errno != EEXIST)
        return -errno;
    return rootdir_replace(&f->directory, buf_slice(&path), bytes);
}

int flash_kept(const struct flash *f, struct slice key, struct slice name, struct arena *arena, struct slice *ret_bytes)
{
    char room[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(room);
    if (f->directory.fd < 0 && !f->chip)
        return -ENOENT;
    if (!kept_name(f, key, name, &path))
        return -ENAMETOOLONG;
    if (f->chip) {
        const struct flash_file *file = *chip_find(f->chip, last_of(buf_slice(&path)));
        *ret_bytes = file ? slice_of(file->bytes, file->len) : SLICE_NONE;
        return file ? 0 : -ENOENT;
    }
    return rootdir_read(&f->directory, buf_slice(&path), FLASH_BYTES_MAX, arena, ret_bytes);
}

struct drop {
    int directory;
    struct slice key;
    int error;
};

static bool drop_one(void *context, const struct rootdir_entry *entry)
{
    struct drop *d = context;
    char bytes[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(bytes);
    struct slice name;
    if (!is_of_key(last_of(entry->name), d->key, &name))
        return true;
    buf_text(&path, entry->name);
    if (buf_terminate(&path) && unlinkat(d->directory, bytes, 0) < 0 && errno != ENOENT)
        d->error = -errno;
    return true;
}

struct each {
    const struct flash *flash;
    struct slice key;
    struct arena *arena;
    flash_visit *visit;
    void *context;
};

static bool visit_one(void *context, const struct rootdir_entry *entry)
{
    struct each *e = context;
    struct slice name, bytes;
    if (!is_of_key(last_of(entry->name), e->key, &name))
        return true;
    if (rootdir_read(&e->flash->directory, entry->name, FLASH_BYTES_MAX, e->arena, &bytes))
        return true;
    return e->visit(e->context, name, bytes);
}

int flash_each(const struct flash *f, struct slice key, struct arena *arena, flash_visit *visit, void *context)
{
    char bytes[64];
    struct buf path = BUF_ON(bytes);
    struct each each = { f, key, arena, visit, context };
    struct slice name;
    for (const struct flash_file *file = f->chip ? f->chip->files : NULL; file; file = file->next)
        if (is_of_key(slice_str(file->name), key, &name) && !visit(context, name, slice_of(file->bytes, file->len)))
            return 0;
    if (f->directory.fd < 0)
        return 0;
    directory_name(f, &path);
    int error = rootdir_list(&f->directory, buf_slice(&path), FILES_MAX, arena, visit_one, &each);
    return error == -ENOENT ? 0 : error;
}

static void chip_drop(struct flash_chip *chip, struct slice key, struct slice one)
{
    struct flash_file **at = &chip->files;
    struct slice name;
    while (*at) {
        struct slice called = slice_str((*at)->name);
        if (one.len ? slice_eq(called, one) : is_of_key(called, key, &name))
            chip_take_out(at);
        else
            at = &(*at)->next;
    }
}

int flash_drop(const struct flash *f, struct slice key, struct slice name, struct arena *arena)
{
    char room[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(room);
    if (name.len && (!kept_name(f, key, name, &path) || !buf_terminate(&path)))
        return -ENAMETOOLONG;
    if (f->chip)
        chip_drop(f->chip, key, last_of(buf_slice(&path)));
    if (f->directory.fd < 0)
        return 0;
    if (name.len)
        return unlinkat(f->directory.fd, room, 0) < 0 && errno != ENOENT ? -errno : 0;
    struct drop drop = { f->directory.fd, key, 0 };
    directory_name(f, &path);
    int error = rootdir_list(&f->directory, buf_slice(&path), FILES_MAX, arena, drop_one, &drop);
    return error == -ENOENT ? 0 : error ? error : drop.error;
}
