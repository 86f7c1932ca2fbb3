/* dialtone passwd: a user's line for the configuration of dialtone serve, or for its users.file. */
#include "cli/passwd_file.h"
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* A password, its line end, and one byte more to see that it is too long. */
#define LINE_BYTES (AUTH_PASSWORD_BYTES_MAX + 3)
/* Of --batch; four times the phones that a house may have. */
#define BATCH_MAX ((size_t)200000)
#define ARENA_BYTES_MAX ((size_t)256 * 1024 * 1024)

static bool get_password(char *into, struct slice *ret_password)
{
    char again_bytes[LINE_BYTES];
    struct slice again;
    if (!isatty(STDIN_FILENO)) {
        if (secret_line(STDIN_FILENO, into, LINE_BYTES, ret_password))
            return true;
        fprintf(stderr, "dialtone passwd: no password on standard input\n");
        return false;
    }
    bool same = secret_ask(STDIN_FILENO, "Password: ", into, LINE_BYTES, ret_password) &&
                secret_ask(STDIN_FILENO, "Again: ", again_bytes, LINE_BYTES, &again) && slice_eq(*ret_password, again);
    OPENSSL_cleanse(again_bytes, sizeof again_bytes);
    if (!same)
        fprintf(stderr, "dialtone passwd: the two are not the same\n");
    return same;
}

struct request {
    const char *file; /* NULL: the line is printed */
    const char *name; /* NULL with --batch */
    bool weak, remove, batch;
};

/* NAME:HASH or `user.NAME = HASH`, in the arena. */
static bool make_line(const struct request *r, struct slice name, struct slice password, struct arena *arena,
                      struct slice *ret_line)
{
    unsigned char salt[16];
    char bytes[USER_HASH_TEXT_BYTES_MAX + USER_NAME_BYTES_MAX + 16];
    struct buf out = BUF_ON(bytes);
    struct user_hash hash;
    if (getrandom(salt, sizeof salt, 0) != sizeof salt || !user_hash_make(name, password, salt, &hash)) {
        fprintf(stderr, "dialtone passwd: the crypto library failed\n");
        return false;
    }
    buf_format(&out, r->file ? "%.*s:" : "user.%.*s = ", SLICE_ARG(name));
    user_hash_print(&hash, &out);
    return buf_ok(&out) && arena_copy(arena, buf_slice(&out), ret_line);
}

static bool is_good(const struct request *r, struct slice name, struct slice password)
{
    const char *fault = password_fault(password, r->weak);
    if (!fault)
        return true;
    struct slice whose = r->batch ? name : SLICE_NONE;
    fprintf(stderr, "dialtone passwd: the password%s%.*s %s%s\n", r->batch ? " of " : "", SLICE_ARG(whose), fault,
            password_fault(password, true) ? "" : "; --weak takes it all the same");
    return false;
}

static int change_file(const struct request *r, const struct passwd_change *changes, size_t count,
                       struct arena *arena)
{
    char bytes[4500];
    struct buf why = BUF_ON(bytes);
    size_t known = 0;
    int error = passwd_file_change(r->file, changes, count, arena, &why, &known);
    if (error) {
        fprintf(stderr, "dialtone passwd: %.*s\n", SLICE_ARG(buf_slice(&why)));
        return EXIT_FAILED;
    }
    if (r->remove && !known) {
        fprintf(stderr, "dialtone passwd: there is no %s in %s\n", r->name, r->file);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int make(const struct request *r, struct arena *arena)
{
    char bytes[LINE_BYTES];
    struct slice password, line = SLICE_NONE, name = slice_str(r->name);
    bool fine = get_password(bytes, &password) && is_good(r, name, password) &&
                make_line(r, name, password, arena, &line);
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (!fine)
        return EXIT_FAILED;
    if (r->file)
        return change_file(r, &(struct passwd_change){ name, line }, 1, arena);
    printf("%.*s\n", SLICE_ARG(line));
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* `NAME PASSWORD`, one a line. */
static int read_change(const struct request *r, struct slice text, size_t number, struct arena *arena,
                       struct passwd_change *ret_change)
{
    struct slice password = text, name;
    /* One word may be a password whose name was forgotten: it is not repeated. */
    if (slice_find(text, ' ') == text.len || !slice_cut(&password, ' ', &name) || !user_name_ok(name)) {
        fprintf(stderr, "dialtone passwd: line %zu of standard input is not NAME PASSWORD\n", number);
        return EXIT_FAILED;
    }
    if (!is_good(r, name, password) || !arena_copy(arena, name, &ret_change->name) ||
        !make_line(r, name, password, arena, &ret_change->line))
        return EXIT_FAILED;
    return EXIT_DONE;
}

static int make_all(const struct request *r, struct arena *arena)
{
    char bytes[LINE_BYTES + USER_NAME_BYTES_MAX + 1];
    struct slice text;
    struct passwd_change *changes = ARENA_ARRAY(arena, struct passwd_change, BATCH_MAX);
    size_t count = 0;
    int status = changes ? EXIT_DONE : EXIT_FAILED;
    while (!status && secret_line(STDIN_FILENO, bytes, sizeof bytes, &text)) {
        if (count == BATCH_MAX) {
            fprintf(stderr, "dialtone passwd: more than %zu lines\n", BATCH_MAX);
            status = EXIT_FAILED;
        } else if (text.len) {
            status = read_change(r, text, count + 1, arena, &changes[count]);
            count++;
        }
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return status ? status : change_file(r, changes, count, arena);
}

static int parse_arguments(const struct verb *verb, int argc, char **argv, struct request *r)
{
    static const struct option longs[] = { { "weak", no_argument, NULL, 'w' },
                                           { "file", required_argument, NULL, 'f' },
                                           { "remove", no_argument, NULL, 'r' },
                                           { "batch", no_argument, NULL, 'b' },
                                           { NULL, 0, NULL, 0 } };
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (option == ':' || option == '?')
            return verb_misused(verb, option == ':' ? "%s needs a value" : "no option %s", argv[optind - 1]);
        r->file = option == 'f' ? optarg : r->file;
        r->weak = r->weak || option == 'w';
        r->remove = r->remove || option == 'r';
        r->batch = r->batch || option == 'b';
    }
    if ((r->batch || r->remove) && (!r->file || (r->batch && r->remove)))
        return verb_misused(verb, "--batch and --remove are for --file, one of the two");
    if (r->batch && optind == argc)
        return EXIT_DONE;
    if (optind == argc)
        return verb_misused(verb, "whose password? A name is needed");
    /* A password given here would be in the shell's history and everybody's process list: it is not repeated.
     */
    if (r->batch || optind + 1 < argc)
        return verb_misused(verb, "one name and nothing else: the password is read from standard input");
    if (!user_name_ok(slice_str(argv[optind])))
        return verb_misused(verb, "a name is 1 to %d letters, digits, '.', '_', '-' and '@'",
                            USER_NAME_BYTES_MAX);
    r->name = argv[optind];
    return EXIT_DONE;
}

int verb_passwd(const struct verb *verb, int argc, char **argv)
{
    struct request r = { 0 };
    struct arena arena;
    int status = parse_arguments(verb, argc, argv, &r);
    if (status)
        return status;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (r.remove)
        status = change_file(&r, &(struct passwd_change){ slice_str(r.name), SLICE_NONE }, 1, &arena);
    else
        status = r.batch ? make_all(&r, &arena) : make(&r, &arena);
    arena_free(&arena);
    return status;
}
