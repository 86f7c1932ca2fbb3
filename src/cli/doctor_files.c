/* dialtone doctor: what the user that the server becomes may read and write. A child becomes that user and
 * looks; what it finds comes back as lines, `SEVERITY TAB GUIDE TAB ABOUT TAB TEXT`. */
#include "cli/doctor.h"

#include "base/rootdir.h"
#include "server/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a tree, so that one look does not take for ever. */
#define ENTRIES_MAX 100000
#define DEPTH_MAX 32
/* Files that are named; of more only the number. */
#define NAMED_MAX 5
#define WALK_BYTES ((size_t)64 << 20)

struct walk {
    const struct config *config;
    const char *root_path;
    struct rootdir root;
    FILE *to;
    unsigned depth;
    size_t seen, refused;
};

static void say(struct walk *w, enum doctor_severity severity, enum doctor_guide guide, const char *about,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
static void say(struct walk *w, enum doctor_severity severity, enum doctor_guide guide, const char *about,
                const char *format, ...)
{
    char bytes[4 * ROOTDIR_PATH_MAX], text[ROOTDIR_PATH_MAX + 256];
    struct buf out = BUF_ON(bytes);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_escaped(&out, slice_str(text));
    fprintf(w->to, "%d\t%d\t%s\t%.*s\n", (int)severity, (int)guide, about, SLICE_ARG(buf_slice(&out)));
}

/* --- the tree --- */

static bool look_at_entry(void *context, const struct rootdir_entry *entry);

static void refuse(struct walk *w, struct slice name, int error)
{
    if (w->refused++ < NAMED_MAX)
        say(w, DOCTOR_ERROR, GUIDE_PERMISSIONS, "root", "%.*s cannot be read by the server's user: %s",
            SLICE_ARG(name), strerror(-error));
}

static void look_at_directory(struct walk *w, struct slice name)
{
    struct arena arena;
    arena_init(&arena, WALK_BYTES);
    w->depth++;
    int error = w->depth > DEPTH_MAX ? 0 : rootdir_list(&w->root, name, ENTRIES_MAX, &arena, look_at_entry, w);
    if (error)
        refuse(w, name, error);
    w->depth--;
    arena_free(&arena);
}

static bool look_at_entry(void *context, const struct rootdir_entry *entry)
{
    struct walk *w = context;
    int fd;
    if (++w->seen > ENTRIES_MAX)
        return false;
    if (entry->is_directory) {
        look_at_directory(w, entry->name);
        return true;
    }
    int error = rootdir_open(&w->root, entry->name, O_RDONLY, &fd);
    if (error)
        refuse(w, entry->name, error);
    else
        close(fd);
    return true;
}

static void look_at_root(struct walk *w)
{
    look_at_directory(w, SLICE("."));
    if (w->refused > NAMED_MAX)
        say(w, DOCTOR_ERROR, GUIDE_PERMISSIONS, "root", "%zu more cannot be read either",
            w->refused - NAMED_MAX);
    if (w->seen == 0 && w->refused == 0)
        say(w, DOCTOR_WARNING, GUIDE_FILES, "root", "%s is empty", w->root_path);
    else if (w->refused == 0)
        say(w, DOCTOR_FINE, GUIDE_NOTHING, "root", "all %zu files and directories of %s can be read", w->seen,
            w->root_path);
}

/* --- what is written --- */

/* Root gives a directory that is its own and private to the server's user when it starts (server/confine.h). */
static bool will_be_given(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & 077) == 0;
}

static void look_at_writable(struct walk *w, const char *key, const char *path, bool starts_as_root)
{
    struct stat st;
    char above[ROOTDIR_PATH_MAX + 1];
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        say(w, DOCTOR_ERROR, GUIDE_UPLOADS, key, "%s is no directory", path);
    } else if (stat(path, &st) == 0 || errno == EACCES) {
        bool fine =
            access(path, W_OK | X_OK) == 0 || (starts_as_root && stat(path, &st) == 0 && will_be_given(&st));
        say(w, fine ? DOCTOR_FINE : DOCTOR_ERROR, GUIDE_UPLOADS, key,
            "%s can%s be written by the server's user", path, fine ? "" : "not");
    } else {
        snprintf(above, sizeof above, "%s", path);
        above[slice_find_last(slice_str(path), '/') < strlen(path) ? slice_find_last(slice_str(path), '/')
                                                                   : 0] = '\0';
        bool fine = starts_as_root || access(above[0] ? above : ".", W_OK | X_OK) == 0;
        say(w, fine ? DOCTOR_NOTE : DOCTOR_ERROR, GUIDE_UPLOADS, key, "%s is not there, and can%s be made",
            path, fine ? "" : "not");
    }
}

static void look_at_directories(struct walk *w, bool starts_as_root)
{
    const struct config *c = w->config;
    char path[ROOTDIR_PATH_MAX + 1];
    bool rows = !slice_eq(c->journal, SLICE("off")) && !slice_eq(c->journal, SLICE("lines"));
    if (rows || (c->upload_enable && !c->upload_dir.len)) {
        snprintf(path, sizeof path, "%.*s", SLICE_ARG(c->state_dir));
        look_at_writable(w, "state.dir", path, starts_as_root);
    }
    if (c->upload_enable && c->upload_dir.len) {
        snprintf(path, sizeof path, "%.*s", SLICE_ARG(c->upload_dir));
        look_at_writable(w, "upload.dir", path, starts_as_root);
    }
}

/* --- the child --- */

static void look(struct walk *w)
{
    struct passwd *user;
    bool root = geteuid() == 0;
    int error = confine_become(w->root.fd, w->config->run_user);
    if (error) {
        say(w, DOCTOR_ERROR, GUIDE_PERMISSIONS, "run.user", "the server cannot become this user: %s",
            strerror(-error));
        return;
    }
    user = getpwuid(geteuid());
    say(w, DOCTOR_FINE, GUIDE_NOTHING, "run.user", "the server runs as %s (user %u)",
        user ? user->pw_name : "nobody's name", (unsigned)geteuid());
    look_at_root(w);
    look_at_directories(w, root);
}

static const char *todo_of(enum doctor_guide guide)
{
    if (guide == GUIDE_PERMISSIONS)
        return "give that user the right to read it (chmod, chown), or name another in run.user";
    return guide == GUIDE_UPLOADS ? "give it to that user (chown), or name another directory"
                                  : "put boot and CFG files there, or correct root";
}

/* `6 numbers`: nothing else than our own child writes these lines. */
static void take_line(struct doctor *d, struct slice line)
{
    struct slice severity, guide, about;
    uint64_t s = DOCTOR_ERROR, g = GUIDE_SET_UP;
    char key[64];
    slice_cut(&line, '\t', &severity);
    slice_cut(&line, '\t', &guide);
    slice_cut(&line, '\t', &about);
    slice_u64(severity, 0, DOCTOR_ERROR, &s);
    slice_u64(guide, 0, GUIDE_DHCP, &g);
    snprintf(key, sizeof key, "%.*s", SLICE_ARG(about));
    doctor_find(d,
                &(struct doctor_about){ (enum doctor_severity)s, "files", key, todo_of((enum doctor_guide)g),
                                        (enum doctor_guide)g },
                "%.*s", SLICE_ARG(line));
}

static void read_lines(struct doctor *d, int fd)
{
    FILE *from = fdopen(fd, "re");
    char *line = NULL;
    size_t cap = 0;
    if (!from) {
        close(fd);
        return;
    }
    while (getline(&line, &cap, from) > 0)
        take_line(d, slice_trim(slice_str(line)));
    free(line);
    fclose(from);
}

static void look_as_server(struct doctor *d, struct walk *w)
{
    int ends[2], status = 0;
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        w->to = fdopen(ends[1], "we");
        if (w->to)
            look(w);
        _exit(!w->to || fflush(w->to) != 0);
    }
    close(ends[1]);
    read_lines(d, ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        doctor_find(d, &(struct doctor_about){ DOCTOR_ERROR, "files", "root", "try again", GUIDE_PERMISSIONS },
                    "nobody could look at it as the server's user");
}

void doctor_files(struct doctor *d)
{
    char path[ROOTDIR_PATH_MAX + 1];
    struct walk w = { .config = &d->loaded.config, .root_path = path };
    if (!d->configured)
        return;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(w.config->root));
    int error = rootdir_open_root(path, w.config->root_follow, &w.root);
    if (error) {
        doctor_find(d,
                    &(struct doctor_about){ DOCTOR_ERROR, "files", path, "correct root, or make the directory",
                                            GUIDE_PERMISSIONS },
                    "the directory of the server's files cannot be opened: %s", strerror(-error));
        return;
    }
    look_as_server(d, &w);
    rootdir_close(&w.root);
}
