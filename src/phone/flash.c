#include "phone/flash.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

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

void flash_close(struct flash *f)
{
    rootdir_close(&f->directory);
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
    if (f->directory.fd < 0)
        return NULL;
    file_name(f, &name);
    int error = rootdir_read(&f->directory, buf_slice(&name), FLASH_BYTES_MAX, arena, &content);
    if (error == -ENOENT)
        return NULL;
    return error ? strerror(-error) : memory_parse(m, content, f->mac, arena);
}

int flash_write(const struct flash *f, const struct memory *m, struct arena *arena)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    if (f->directory.fd < 0)
        return 0;
    file_name(f, &name);
    for (size_t room = (size_t)64 * 1024; room <= FLASH_BYTES_MAX; room *= 4) {
        char *text = malloc(room);
        struct buf out = buf_on(text, room);
        if (!text)
            return -ENOMEM;
        bool whole = memory_print(m, f->mac, arena, &out);
        int error = whole ? rootdir_replace(&f->directory, buf_slice(&name), buf_slice(&out)) : 0;
        free(text);
        if (whole)
            return error;
    }
    return -EFBIG;
}
