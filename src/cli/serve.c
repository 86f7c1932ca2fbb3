/* dialtone serve: the daemon. */
#include "server/serve.h"

#include "base/log.h"
#include "cli/config_load.h"
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

/* Comments, and a rule may print longer than it was written. */
#define PRINT_BYTES_MAX (2 * CONFIG_LOAD_BYTES_MAX)
/* How often a draining server is looked at. */
#define LOOK_MS 20

/* What the command line asks for. */
struct request {
    struct config_words words;
    bool check_only, print_only;
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
            r.words.root = optarg;
        else if (option == 'c')
            r.words.file = optarg;
        else if (option == CHECK)
            r.check_only = true;
        else if (option == PRINT)
            r.print_only = true;
        else if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        else if (option != 'o')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        else if (!config_words_add(&r.words, optarg))
            return verb_misused(verb, "more than %d times -o", CONFIG_WORDS_MAX);
    }
    if (optind < argc)
        return verb_misused(verb, "'%s' is one word too many", argv[optind]);
    *ret_request = r;
    return EXIT_DONE;
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
    struct config_loaded fresh;
    int status = config_load(&fresh, &r->words);
    config_say(&fresh.findings);
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
        .config_file = r->words.file ? r->words.file : "",
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
    struct config_loaded l;
    int status = parse_arguments(verb, argc, argv, &r);
    if (status)
        return status;
    status = config_load(&l, &r.words);
    config_say(&l.findings);
    if (status == EXIT_DONE && r.print_only)
        status = print_config(&l.config);
    else if (status == EXIT_DONE && r.check_only)
        status = check_users(&l.config);
    else if (status == EXIT_DONE)
        status = serve(&l.config, &r);
    arena_free(&l.arena);
    return status;
}
