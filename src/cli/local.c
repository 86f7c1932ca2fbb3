/* dialtone local: what phones have sent, its older versions, and the way back to one of them. */
#include "cli/verb.h"
#include "guide/cfg.h"
#include "guide/name.h"
#include "guide/param.h"
#include "server/upload_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_DIRECTORY "/var/lib/dialtone/uploads"
/* Larger uploads than an operator would look at with this. */
#define FILE_BYTES_MAX ((size_t)64 << 20)
#define ENTRIES_MAX 4000000
#define DEPTH_MAX 256
#define MASK SLICE("********")

struct local {
    const struct verb *verb;
    const char *directory;
    bool show_secrets;
    struct slice words[4]; /* what is neither an option nor the action */
    size_t word_count;
    struct rootdir root;
    struct arena arena;
    struct mac mac; /* whose files, when has_mac */
    bool has_mac;
    struct slice kind; /* "local.cfg"; "" for all */
    struct slice found; /* the file, relative */
    size_t matches;
    unsigned depth;
    int error;
};

/* As a user names them, and the end of the file's name. */
static const struct {
    struct slice word, ending;
} kinds[] = {
    { { "local", 5 }, { "-local.cfg", 10 } },     { { "contact", 7 }, { "-contact.xml", 12 } },
    { { "calllog", 7 }, { "-calllog.xml", 12 } }, { { "all", 3 }, { "-all.cfg", 8 } },
    { { "boot-log", 8 }, { "-boot.log", 9 } },    { { "sys-log", 7 }, { "-sys.log", 8 } },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static int fail(const struct local *l, struct slice what, int error)
{
    fprintf(stderr, "dialtone %s: %.*s: %s\n", l->verb->name, SLICE_ARG(what), strerror(-error));
    return EXIT_FAILED;
}

/* --- finding --- */

static bool is_wanted(const struct local *l, struct slice name)
{
    struct slice directory, last;
    struct name_meaning m = name_meaning(name);
    rootdir_split(name, &directory, &last);
    return name_kind_is_sent(m.kind) && (!l->has_mac || mac_eq(m.mac, l->mac)) &&
           (!l->kind.len || slice_ends_nocase(last, l->kind));
}

/* Version 1 of a file that is there no more, as a removal leaves it: *ret_name is the file's. */
static bool is_left(struct local *l, struct slice name, struct slice *ret_name)
{
    struct slice directory, last, path;
    int fd;
    rootdir_split(name, &directory, &last);
    if (!slice_starts(last, SLICE(".")) || !slice_ends(last, SLICE(".1")))
        return false;
    last = slice_first(slice_from(last, 1), last.len - 3);
    struct slice above = slice_eq(directory, SLICE(".")) ? SLICE("") : slice_first(name, directory.len + 1);
    if (!arena_format(&l->arena, &path, "%.*s%.*s", SLICE_ARG(above), SLICE_ARG(last)) || !is_wanted(l, path))
        return false;
    int error = rootdir_open(&l->root, path, O_PATH, &fd);
    if (!error)
        close(fd);
    *ret_name = path;
    return error == -ENOENT;
}

typedef void local_visit(struct local *l, struct slice name);
struct walk {
    struct local *local;
    local_visit *visit;
};

static bool on_entry(void *context, const struct rootdir_entry *entry)
{
    struct walk *w = context;
    struct local *l = w->local;
    struct slice name = entry->name;
    if (entry->is_directory && l->depth < DEPTH_MAX) {
        l->depth++;
        int error = rootdir_list(&l->root, entry->name, ENTRIES_MAX, &l->arena, on_entry, w);
        l->error = l->error ? l->error : error;
        l->depth--;
    } else if (!entry->is_directory && (is_wanted(l, name) || is_left(l, name, &name))) {
        w->visit(l, name);
    }
    return l->error == 0;
}

static int walk(struct local *l, local_visit *visit)
{
    struct walk w = { l, visit };
    int error = rootdir_list(&l->root, SLICE("."), ENTRIES_MAX, &l->arena, on_entry, &w);
    error = error ? error : l->error;
    return error ? fail(l, slice_str(l->directory), error) : EXIT_DONE;
}

static void note_found(struct local *l, struct slice name)
{
    if (l->matches++)
        fprintf(stderr, "dialtone %s: there is also %.*s\n", l->verb->name, SLICE_ARG(name));
    else
        arena_copy(&l->arena, name, &l->found);
}

/* The one file that the words name. */
static int find(struct local *l)
{
    int status = walk(l, note_found);
    if (status)
        return status;
    if (l->matches == 1)
        return EXIT_DONE;
    fprintf(stderr, "dialtone %s: %s\n", l->verb->name,
            l->matches ? "several directories hold such a file: --dir names one of them"
                       : "nothing of the kind was sent");
    return EXIT_FAILED;
}

/* "" for version 0, the current one. */
static struct slice version_path(struct local *l, unsigned version)
{
    char name[UPLOAD_NAME_BYTES];
    struct slice directory, last, path = SLICE_NONE;
    if (!version)
        return l->found;
    rootdir_split(l->found, &directory, &last);
    upload_files_version_name(last, version, name);
    arena_format(&l->arena, &path, "%.*s/%s", SLICE_ARG(directory), name);
    return slice_eq(directory, SLICE(".")) ? slice_from(path, 2) : path;
}

static int read_version(struct local *l, unsigned version, struct slice *ret_bytes)
{
    struct slice path = version_path(l, version);
    int error = path.len ? rootdir_read(&l->root, path, FILE_BYTES_MAX, &l->arena, ret_bytes) : -ENOMEM;
    return error ? fail(l, path, error) : EXIT_DONE;
}

/* --- list --- */

static bool stat_version(struct local *l, unsigned version, struct stat *ret_stat)
{
    struct slice path = version_path(l, version);
    int fd;
    if (!path.len || rootdir_open(&l->root, path, O_RDONLY, &fd))
        return false;
    bool ok = fstat(fd, ret_stat) == 0;
    close(fd);
    return ok;
}

static void print_line(struct local *l, unsigned version, const struct stat *st)
{
    char time[32], mac[32];
    struct tm when;
    struct buf out = BUF_ON(mac);
    gmtime_r(&st->st_mtim.tv_sec, &when);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &when);
    mac_print_colons(name_meaning(l->found).mac, &out);
    char number[16] = "current";
    if (version)
        snprintf(number, sizeof number, "%u", version);
    printf("%.*s %-7s %s %9lld B  %.*s\n", SLICE_ARG(buf_slice(&out)), number, time, (long long)st->st_size,
           SLICE_ARG(l->found));
}

static void print_file(struct local *l, struct slice name)
{
    struct stat st;
    l->found = name;
    l->matches++;
    /* A failure of the disk may leave a number out. */
    for (unsigned version = 0, missing = 0; missing < 2 && version <= UPLOAD_VERSIONS_MAX; version++) {
        bool is_there = stat_version(l, version, &st);
        missing = is_there ? 0 : missing + 1;
        if (is_there)
            print_line(l, version, &st);
    }
}

static int list(struct local *l)
{
    int status = walk(l, print_file);
    if (!status && !l->matches && l->has_mac) {
        fprintf(stderr, "dialtone %s: nothing of the kind was sent\n", l->verb->name);
        status = EXIT_FAILED;
    }
    return status;
}

/* --- show, diff, restore --- */

static int show(struct local *l, unsigned version)
{
    struct slice bytes;
    int status = find(l);
    if (!status)
        status = read_version(l, version, &bytes);
    if (!status && bytes.len && fwrite(bytes.ptr, 1, bytes.len, stdout) != bytes.len)
        status = EXIT_FAILED;
    return status;
}

static void print_line_of(char sign, struct slice text)
{
    char bytes[16384];
    struct buf out = BUF_ON(bytes);
    buf_escaped(&out, text);
    printf("%c %.*s%s\n", sign, SLICE_ARG(buf_slice(&out)), buf_ok(&out) ? "" : "...");
}

static void print_setting(const struct local *l, char sign, const struct cfg_assignment *a)
{
    struct slice line;
    bool masked = !l->show_secrets && a->value.len && param_is_secret(a->key);
    struct arena scratch;
    arena_init(&scratch, FILE_BYTES_MAX);
    if (arena_format(&scratch, &line, "%.*s = %.*s", SLICE_ARG(a->key), SLICE_ARG(masked ? MASK : a->value)))
        print_line_of(sign, line);
    arena_free(&scratch);
}

/* The last line of a key is the one that holds. */
static const struct cfg_assignment *value_of(const struct cfg_file *cfg, struct slice key)
{
    const struct cfg_assignment *found = NULL;
    for (const struct cfg_assignment *a = cfg->assignments; a; a = a->next)
        if (slice_eq(a->key, key))
            found = a;
    return found;
}

static int diff_settings(struct local *l, struct slice before, struct slice after)
{
    struct cfg_file old, new;
    if (!cfg_parse(before, l->found, &l->arena, NULL, &old) || !cfg_parse(after, l->found, &l->arena, NULL, &new))
        return fail(l, l->found, -ENOMEM);
    for (const struct cfg_assignment *a = old.assignments; a; a = a->next) {
        const struct cfg_assignment *b = value_of(&new, a->key);
        if (a == value_of(&old, a->key) && (!b || !slice_eq(a->value, b->value))) {
            print_setting(l, '-', a);
            if (b)
                print_setting(l, '+', b);
        }
    }
    for (const struct cfg_assignment *b = new.assignments; b; b = b->next)
        if (b == value_of(&new, b->key) && !value_of(&old, b->key))
            print_setting(l, '+', b);
    return EXIT_DONE;
}

/* What stands between the lines that both begin and both end with. */
static int diff_lines(struct slice before, struct slice after)
{
    struct slice a = before, b = after, left, right;
    while (a.len && b.len) {
        struct slice rest_a = a, rest_b = b;
        slice_cut(&rest_a, '\n', &left);
        slice_cut(&rest_b, '\n', &right);
        if (!slice_eq(left, right))
            break;
        a = rest_a;
        b = rest_b;
    }
    size_t same = 0, end = 0;
    while (same < a.len && same < b.len && a.ptr[a.len - 1 - same] == b.ptr[b.len - 1 - same])
        if (a.ptr[a.len - 1 - same++] == '\n')
            end = same - 1;
    a = slice_first(a, a.len - end);
    b = slice_first(b, b.len - end);
    while (slice_cut(&a, '\n', &left))
        print_line_of('-', left);
    while (slice_cut(&b, '\n', &right))
        print_line_of('+', right);
    return EXIT_DONE;
}

static int diff(struct local *l, unsigned from, unsigned to)
{
    struct slice before, after;
    int status = find(l);
    if (!status)
        status = read_version(l, from, &before);
    if (!status)
        status = read_version(l, to, &after);
    if (status)
        return status;
    return slice_ends(l->found, SLICE(".cfg")) ? diff_settings(l, before, after) : diff_lines(before, after);
}

/* The present file's, or its youngest version's where it was removed. */
static int stat_present(int dirfd, struct slice last, const char *name, struct stat *ret_stat)
{
    char version[UPLOAD_NAME_BYTES];
    if (fstatat(dirfd, name, ret_stat, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    upload_files_version_name(last, 1, version);
    return fstatat(dirfd, version, ret_stat, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The server must be able to read and replace it: owner and mode are the present file's. */
static int put_back(int dirfd, struct slice last, struct slice bytes)
{
    char temporary[ROOTDIR_TEMPORARY_BYTES], name[UPLOAD_NAME_BYTES];
    struct upload_gone gone;
    struct stat st;
    struct buf out = BUF_ON(name);
    int fd;
    buf_text(&out, last);
    int error = buf_terminate(&out) ? stat_present(dirfd, last, name, &st) : -ENAMETOOLONG;
    if (!error)
        error = rootdir_temporary(dirfd, st.st_mode & 0666, temporary, &fd);
    if (error)
        return error;
    error = rootdir_write(fd, bytes);
    if (!error && (st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, st.st_uid, st.st_gid) < 0)
        error = -errno;
    if (!error)
        error = upload_files_install(dirfd, fd, temporary, name, UPLOAD_VERSIONS_MAX, &gone);
    else
        unlinkat(dirfd, temporary, 0);
    close(fd);
    return error;
}

static int restore(struct local *l, unsigned version)
{
    struct slice bytes, directory, last;
    int dirfd, status = find(l);
    if (!status)
        status = read_version(l, version, &bytes);
    if (status)
        return status;
    rootdir_split(l->found, &directory, &last);
    int error = upload_files_directory(&l->root, directory, false, &dirfd);
    if (!error) {
        error = put_back(dirfd, last, bytes);
        close(dirfd);
    }
    return error ? fail(l, l->found, error) : EXIT_DONE;
}

/* --- words --- */

/* MAC [KIND] [VERSION [VERSION]]; what is not there stays as it is. */
static int parse_words(struct local *l, unsigned versions[2], size_t *ret_versions)
{
    size_t at = 0, count = 0;
    if (l->word_count && !mac_parse(l->words[at], &l->mac))
        return verb_misused(l->verb, "'%.*s' is no MAC address", SLICE_ARG(l->words[at]));
    l->has_mac = l->word_count > 0;
    at += l->has_mac;
    for (size_t i = 0; at < l->word_count && !l->kind.len && i < KINDS; i++)
        if (slice_eq(l->words[at], kinds[i].word)) {
            l->kind = kinds[i].ending;
            at++;
            break;
        }
    for (; at < l->word_count && count < 2; at++, count++) {
        uint64_t number = 0;
        if (!slice_eq(l->words[at], SLICE("current")) && !slice_u64(l->words[at], 1, UPLOAD_VERSIONS_MAX, &number))
            return verb_misused(l->verb, "'%.*s' is neither a kind nor a version", SLICE_ARG(l->words[at]));
        versions[count] = (unsigned)number;
    }
    if (at < l->word_count)
        return verb_misused(l->verb, "'%.*s' is one word too many", SLICE_ARG(l->words[at]));
    *ret_versions = count;
    return EXIT_DONE;
}

static int do_list(struct local *l, const unsigned versions[2])
{
    (void)versions;
    return list(l);
}

static int do_show(struct local *l, const unsigned versions[2])
{
    return show(l, versions[0]);
}

static int do_diff(struct local *l, const unsigned versions[2])
{
    return diff(l, versions[0], versions[1]);
}

static int do_restore(struct local *l, const unsigned versions[2])
{
    return restore(l, versions[0]);
}

static const struct action {
    struct slice word;
    bool needs_mac;
    size_t versions_min, versions_max;
    int (*run)(struct local *l, const unsigned versions[2]);
} actions[] = {
    { { "list", 4 }, false, 0, 0, do_list },
    { { "show", 4 }, true, 0, 1, do_show },
    { { "diff", 4 }, true, 1, 2, do_diff },
    { { "restore", 7 }, true, 1, 1, do_restore },
};

static int run(struct local *l, const struct action *action)
{
    unsigned versions[2] = { 0, 0 };
    size_t count = 0;
    int status = parse_words(l, versions, &count);
    if (status)
        return status;
    if (action->needs_mac && !l->has_mac)
        return verb_misused(l->verb, "%s needs a MAC address", action->word.ptr);
    if (count < action->versions_min || count > action->versions_max)
        return verb_misused(l->verb, "%s takes %zu to %zu versions", action->word.ptr, action->versions_min,
                            action->versions_max);
    if (action->needs_mac && !l->kind.len)
        l->kind = kinds[0].ending;
    int error = rootdir_open_root(l->directory, false, &l->root);
    if (error)
        return fail(l, slice_str(l->directory), error);
    status = action->run(l, versions);
    rootdir_close(&l->root);
    return fflush(stdout) == 0 ? status : EXIT_FAILED;
}

int verb_local(const struct verb *verb, int argc, char **argv)
{
    struct local l = { .verb = verb, .directory = DEFAULT_DIRECTORY, .root = { .fd = -1 } };
    const struct action *action = NULL;
    for (int i = 1; i < argc; i++) {
        struct slice word = slice_str(argv[i]);
        bool is_dir = slice_eq(word, SLICE("--dir"));
        if (is_dir && i + 1 == argc)
            return verb_misused(verb, "--dir needs a value");
        if (is_dir)
            l.directory = argv[++i];
        else if (slice_eq(word, SLICE("--show-secrets")))
            l.show_secrets = true;
        else if (slice_starts(word, SLICE("-")))
            return verb_misused(verb, "no option %s", argv[i]);
        else if (l.word_count < 4 && action)
            l.words[l.word_count++] = word;
        else if (action)
            return verb_misused(verb, "'%s' is one word too many", argv[i]);
        for (size_t a = 0; !action && a < sizeof actions / sizeof *actions; a++)
            if (slice_eq(word, actions[a].word))
                action = &actions[a];
        if (!action && !is_dir && !l.show_secrets)
            return verb_misused(verb, "'%s' is none of list, show, diff, restore", argv[i]);
    }
    if (!action)
        return verb_misused(verb, "list, show, diff or restore is needed");
    arena_init(&l.arena, SIZE_MAX / 2);
    int status = run(&l, action);
    arena_free(&l.arena);
    return status;
}
