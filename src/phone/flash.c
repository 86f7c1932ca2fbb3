#include "phone/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int flash_open(struct flash *f, const char *path, bool create, struct mac mac)
{
    *f = (struct flash){ .directory = { .fd = -1 }, .mac = mac };
    if (!path)
        return 0;
    if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int error = rootdir_open_root(path, false, &f->directory);
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
    *chip = (struct flash_chip){ bytes, len };
}

void flash_close(struct flash *f)
{
    rootdir_close(&f->directory);
    if (f->chip)
        chip_replace(f->chip, NULL, 0);
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

/* --- resource files --- */

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

int flash_keep(const struct flash *f, struct slice key, struct slice name, struct slice bytes)
{
    char room[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(room), directory;
    char directory_bytes[32];
    if (f->directory.fd < 0)
        return 0;
    directory = BUF_ON(directory_bytes);
    directory_name(f, &directory);
    buf_terminate(&directory);
    if (!kept_name(f, key, name, &path))
        return -ENAMETOOLONG;
    if (mkdirat(f->directory.fd, directory_bytes, 0700) < 0 && errno != EEXIST)
        return -errno;
    return rootdir_replace(&f->directory, buf_slice(&path), bytes);
}

int flash_kept(const struct flash *f, struct slice key, struct slice name, struct arena *arena, struct slice *ret_bytes)
{
    char room[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(room);
    if (f->directory.fd < 0)
        return -ENOENT;
    if (!kept_name(f, key, name, &path))
        return -ENAMETOOLONG;
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
    struct slice last = slice_from(entry->name, slice_find_last(entry->name, '/') + 1), rest = last;
    bool same = slice_starts(last, d->key);
    rest = slice_from(last, d->key.len);
    if (!same || (rest.len && rest.ptr[0] != '='))
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
    struct slice last = slice_from(entry->name, slice_find_last(entry->name, '/') + 1), bytes;
    struct slice rest = slice_from(last, e->key.len);
    if (!slice_starts(last, e->key) || (rest.len && rest.ptr[0] != '='))
        return true;
    if (rootdir_read(&e->flash->directory, entry->name, FLASH_BYTES_MAX, e->arena, &bytes))
        return true;
    return e->visit(e->context, slice_from(rest, 1), bytes);
}

int flash_each(const struct flash *f, struct slice key, struct arena *arena, flash_visit *visit, void *context)
{
    char bytes[64];
    struct buf path = BUF_ON(bytes);
    struct each each = { f, key, arena, visit, context };
    if (f->directory.fd < 0)
        return 0;
    directory_name(f, &path);
    int error = rootdir_list(&f->directory, buf_slice(&path), FILES_MAX, arena, visit_one, &each);
    return error == -ENOENT ? 0 : error;
}

int flash_drop(const struct flash *f, struct slice key, struct slice name, struct arena *arena)
{
    char room[ROOTDIR_NAME_MAX + 64];
    struct buf path = BUF_ON(room);
    if (f->directory.fd < 0)
        return 0;
    if (name.len && (!kept_name(f, key, name, &path) || !buf_terminate(&path)))
        return -ENAMETOOLONG;
    if (name.len)
        return unlinkat(f->directory.fd, room, 0) < 0 && errno != ENOENT ? -errno : 0;
    struct drop drop = { f->directory.fd, key, 0 };
    directory_name(f, &path);
    int error = rootdir_list(&f->directory, buf_slice(&path), FILES_MAX, arena, drop_one, &drop);
    return error == -ENOENT ? 0 : error ? error : drop.error;
}
