/* dialtone serve: the daemon. */
#include "server/serve.h"

#include "base/log.h"
#include "cli/verb.h"
#include "server/access.h"
#include "server/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A configuration file has some hundred lines. */
#define CONFIG_BYTES_MAX ((size_t)1024 * 1024)
#define OPTIONS_MAX 64
/* Comments, and a rule may print longer than it was written. */
#define PRINT_BYTES_MAX (2 * CONFIG_BYTES_MAX)
/* How often a draining server is looked at. */
#define LOOK_MS 20

/* What the command line asks for. */
struct request {
    const char *root, *file;
    const char *options[OPTIONS_MAX];
    size_t option_count;
    bool check_only, print_only;
};

struct loaded {
    struct arena arena;
    struct config config;
    struct diag findings;
};

static int parse_arguments(const struct verb *verb, int argc, char **argv, struct request *ret_request)
{
    enum { ROOT = 256, CHECK, PRINT };
    static const struct option longs[] = {
        { "root", required_argument, NULL, ROOT },
        { "config", required_argument, NULL, 'c' },
        { "check-config", no_argument, NULL, CHECK },
        { "print-config", no_argument, NULL, PRINT },
        { NULL, 0, NULL, 0 },
    };
    struct request r = { 0 };
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+:c:o:", longs, NULL)) != -1) {
        if (option == ROOT)
            r.root = optarg;
        else if (option == 'c')
            r.file = optarg;
        else if (option == CHECK)
            r.check_only = true;
        else if (option == PRINT)
            r.print_only = true;
        else if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        else if (option != 'o')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        else if (r.option_count == OPTIONS_MAX)
            return verb_misused(verb, "more than %d times -o", OPTIONS_MAX);
        else
            r.options[r.option_count++] = optarg;
    }
    if (optind < argc)
        return verb_misused(verb, "'%s' is one word too many", argv[optind]);
    *ret_request = r;
    return EXIT_DONE;
}

static int read_file(const char *path, struct arena *arena, struct slice *ret_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char *bytes = arena_alloc(arena, CONFIG_BYTES_MAX + 1);
    size_t len = 0;
    ssize_t got = bytes ? 1 : -1;
    while (got > 0 && len <= CONFIG_BYTES_MAX) {
        got = read(fd, bytes + len, CONFIG_BYTES_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    int error = !bytes ? -ENOMEM : got < 0 ? -errno : len > CONFIG_BYTES_MAX ? -EFBIG : 0;
    close(fd);
    if (!error)
        *ret_bytes = slice_of(bytes, len);
    return error;
}

static bool load_file(struct loaded *l, const char *path)
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
        diag_add(&l->findings, SEVERITY_WARNING, whole, "everybody may read this file, and who can read a user's line"
                 " can log in as that user: chmod o= it");
    return fine;
}

static bool load_options(struct loaded *l, const struct request *r)
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
            diag_add(&l->findings, SEVERITY_ERROR, command_line, "users belong into the file: everybody can read"
                     " a command line");
            ok = false;
        }
    if (r->root)
        ok = config_set(&l->config, SLICE("root"), slice_str(r->root), command_line, &l->findings) && ok;
    return ok;
}

/* Defaults, then the file, then the command line. */
static int load(struct loaded *l, const struct request *r)
{
    arena_init(&l->arena, 4 * CONFIG_BYTES_MAX);
    diag_init(&l->findings, &l->arena);
    config_init(&l->config, &l->arena);
    bool file_ok = !r->file || load_file(l, r->file);
    bool options_ok = load_options(l, r);
    bool whole_ok = !options_ok || !file_ok || config_check(&l->config, &l->findings);
    return !options_ok ? EXIT_USAGE : file_ok && whole_ok ? EXIT_DONE : EXIT_FAILED;
}

static void print_findings(const struct diag *findings)
{
    char bytes[4096];
    for (const struct finding *f = findings->first; f; f = f->next) {
        struct buf out = BUF_ON(bytes);
        diag_print(f, &out);
        fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&out)));
    }
}

static int print_config(const struct config *c)
{
    char *bytes = malloc(PRINT_BYTES_MAX);
    struct buf out = buf_on(bytes, PRINT_BYTES_MAX);
    if (!bytes || !config_print(c, &out)) {
        free(bytes);
        return EXIT_FAILED;
    }
    fwrite(out.ptr, 1, out.len, stdout);
    free(bytes);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static void print_listeners(const struct serve *s)
{
    enum protocol protocol;
    union address address;
    char bytes[96];
    for (size_t i = 0; serve_listener(s, i, &protocol, &address); i++) {
        struct buf out = BUF_ON(bytes);
        address_print(&address, &out);
        printf("listening %s %.*s%s\n", protocol_name(protocol), SLICE_ARG(buf_slice(&out)),
               serve_listener_is_legacy(s, i) ? " (legacy TLS)" : "");
    }
    printf("ready\n");
    fflush(stdout);
}

static void reload(struct serve *s, const struct request *r)
{
    struct loaded fresh;
    int status = load(&fresh, r);
    print_findings(&fresh.findings);
    if (status == EXIT_DONE) {
        serve_reload(s, &fresh.config);
        log_info("configuration read again, caches forgotten");
    } else {
        log_error("the configuration is not taken over");
    }
    arena_free(&fresh.arena);
}

static void wait_for_end(struct serve *s, const sigset_t *signals)
{
    const struct timespec look = { 0, LOOK_MS * 1000000L };
    serve_drain(s);
    while (!serve_is_drained(s)) {
        int signal = sigtimedwait(signals, NULL, &look);
        if (signal == SIGTERM || signal == SIGINT)
            serve_hurry(s);
    }
}

static void wait_for_signals(struct serve *s, const struct request *r, const sigset_t *signals)
{
    for (;;) {
        int signal = sigwaitinfo(signals, NULL);
        if (signal == SIGHUP)
            reload(s, r);
        else if (signal == SIGTERM || signal == SIGINT)
            break;
    }
    log_info("stopping: transfers under way are finished; a second signal ends them");
    wait_for_end(s, signals);
}

static void say_open(const struct serve *s)
{
    char bytes[1536];
    for (size_t i = 0;; i++) {
        struct buf out = BUF_ON(bytes);
        if (!serve_open_to(s, i, &out))
            return;
        log_warning("open mode: %.*s", SLICE_ARG(buf_slice(&out)));
    }
}

static int confine(const struct serve *s, const struct config *c, const struct request *r)
{
    struct confine_options options = {
        .root_fd = serve_root_fd(s),
        .writes_root = serve_writes_root(s),
        .database = serve_database(s),
        .uploads = serve_uploads(s),
        .config_file = r->file ? r->file : "",
        .connects = c->ftp_enable && c->ftp_active,
        .user = c->run_user,
        .certificates = c->https_enable ? c->tls_certificate : SLICE_NONE,
        .keys = c->https_enable ? c->tls_key : SLICE_NONE,
        .users = c->users_file,
        .client_ca = c->https_enable ? c->tls_client_ca : SLICE_NONE,
        .client_crl = c->https_enable ? c->tls_client_crl : SLICE_NONE,
    };
    int error = confine_process(&options);
    if (error && c->run_confine)
        log_error("not serving: the process could not be confined; run.confine = 0 serves all the same");
    else if (error)
        log_warning("serving without all walls, as run.confine = 0 says");
    return c->run_confine ? error : 0;
}

static int serve(const struct config *c, const struct request *r)
{
    struct serve *s;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* A limit on file sizes is an error of one upload. */
    signal(SIGXFSZ, SIG_IGN);
    confine_limits();
    if (serve_open(c, &s))
        return EXIT_FAILED;
    if (confine(s, c, r) || serve_run(s)) {
        serve_close(s);
        return EXIT_FAILED;
    }
    serve_say_writing(s);
    say_open(s);
    print_listeners(s);
    wait_for_signals(s, r, &signals);
    serve_close(s);
    return EXIT_DONE;
}

/* What the configuration names besides itself. */
static int check_users(const struct config *c)
{
    struct access *a = NULL;
    int error = access_open(c, &a);
    access_close(a);
    return error ? EXIT_FAILED : EXIT_DONE;
}

int verb_serve(const struct verb *verb, int argc, char **argv)
{
    struct request r;
    struct loaded l;
    int status = parse_arguments(verb, argc, argv, &r);
    if (status)
        return status;
    status = load(&l, &r);
    print_findings(&l.findings);
    if (status == EXIT_DONE && r.print_only)
        status = print_config(&l.config);
    else if (status == EXIT_DONE && r.check_only)
        status = check_users(&l.config);
    else if (status == EXIT_DONE)
        status = serve(&l.config, &r);
    arena_free(&l.arena);
    return status;
}
