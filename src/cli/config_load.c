#include "cli/config_load.h"

#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool config_words_add(struct config_words *w, const char *option)
{
    if (w->option_count == CONFIG_WORDS_MAX)
        return false;
    w->options[w->option_count++] = option;
    return true;
}

static int read_file(const char *path, struct arena *arena, struct slice *ret_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char *bytes = arena_alloc(arena, CONFIG_LOAD_BYTES_MAX + 1);
    size_t len = 0;
    ssize_t got = bytes ? 1 : -1;
    while (got > 0 && len <= CONFIG_LOAD_BYTES_MAX) {
        got = read(fd, bytes + len, CONFIG_LOAD_BYTES_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    int error = !bytes ? -ENOMEM : got < 0 ? -errno : len > CONFIG_LOAD_BYTES_MAX ? -EFBIG : 0;
    close(fd);
    if (!error)
        *ret_bytes = slice_of(bytes, len);
    return error;
}

static bool load_file(struct config_loaded *l, const char *path)
{
    struct slice bytes;
    struct place whole = { slice_str(path), 0, 0 };
    int error = read_file(path, &l->arena, &bytes);
    if (error) {
        diag_add(&l->findings, SEVERITY_ERROR, whole, "%s", strerror(-error));
        return false;
    }
    bool fine = config_parse(&l->config, bytes, slice_str(path), &l->findings);
    struct stat st;
    if (l->config.users && stat(path, &st) == 0 && st.st_mode & 07)
        diag_add(&l->findings, SEVERITY_WARNING, whole,
                 "everybody may read this file, and who can read a user's line"
                 " can log in as that user: chmod o= it");
    return fine;
}

static bool load_options(struct config_loaded *l, const struct config_words *r)
{
    struct place command_line = { SLICE("command line"), 0, 0 };
    bool ok = true;
    for (size_t i = 0; i < r->option_count; i++) {
        struct slice value = slice_str(r->options[i]), key = SLICE_NONE;
        slice_cut(&value, '=', &key);
        ok = config_set(&l->config, slice_trim(key), slice_trim(value), command_line, &l->findings) && ok;
    }
    for (size_t i = 0; i < r->option_count; i++)
        if (slice_starts(slice_str(r->options[i]), SLICE("user."))) {
            diag_add(&l->findings, SEVERITY_ERROR, command_line,
                     "users belong into the file: everybody can read"
                     " a command line");
            ok = false;
        }
    if (r->root)
        ok = config_set(&l->config, SLICE("root"), slice_str(r->root), command_line, &l->findings) && ok;
    return ok;
}

int config_load(struct config_loaded *l, const struct config_words *r)
{
    arena_init(&l->arena, 4 * CONFIG_LOAD_BYTES_MAX);
    diag_init(&l->findings, &l->arena);
    config_init(&l->config, &l->arena);
    bool file_ok = !r->file || load_file(l, r->file);
    bool options_ok = load_options(l, r);
    bool whole_ok = !options_ok || !file_ok || config_check(&l->config, &l->findings);
    return !options_ok ? EXIT_USAGE : file_ok && whole_ok ? EXIT_DONE : EXIT_FAILED;
}

void config_say(const struct diag *findings)
{
    char bytes[4096];
    for (const struct finding *f = findings->first; f; f = f->next) {
        struct buf out = BUF_ON(bytes);
        diag_print(f, &out);
        fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&out)));
    }
}
