/* dialtone explain: what a phone would do, told from a directory and without any network. */
#include "cli/phone_options.h"
#include "cli/report_text.h"
#include "guide/procedure.h"
#include "guide/upgrade.h"
#include "phone/flash.h"
#include "server/tree.h"

/* The host of the tree when --server does not name one. */
#define ANY_SERVER "tftp://server/"

struct explain {
    const struct phone_arguments *arguments;
    struct report_style style;
    struct rootdir root;
    struct tree *tree;
    struct flash flash;
    struct arena arena, file; /* of the run, and of the file at hand */
    struct memory memory;
    struct secret_keys keys;
    bool pin_given;
};

static const char *absence(enum tree_answer answer)
{
    switch (answer) {
    case TREE_FILE:
        return "";
    case TREE_ABSENT:
        return "no such file below the root";
    case TREE_BAD_NAME:
        return "the server refuses such a name";
    case TREE_FORBIDDEN:
        return "there, but the server may not give it (permission, or a symbolic link)";
    case TREE_DIRECTORY:
        return "a directory";
    case TREE_BROKEN:
    case TREE_GUARDED:
        return "the file could not be read";
    }
    return "";
}

static void take_file(struct explain *e, const struct tree_file *file, size_t limit, struct fetched *fetched)
{
    /* Firmware: only that it is there. */
    if (limit == SIZE_MAX)
        return;
    arena_reset(&e->file);
    char *bytes = file->size <= limit ? arena_alloc(&e->file, file->size + 1) : NULL;
    if (!bytes) {
        fetched->outcome = FETCH_REFUSED;
        arena_format(&e->file, &fetched->why, "larger than %zu bytes", limit);
        return;
    }
    ssize_t got = tree_file_read(file, 0, bytes, file->size);
    if (got < 0 || (uint64_t)got != file->size) {
        fetched->outcome = FETCH_FAILED;
        fetched->why = SLICE("the file could not be read");
        return;
    }
    fetched->bytes = slice_of(bytes, file->size);
}

/* A name that the server refuses: over HTTP a 400, which is a failure to a phone; over the others an absent file. */
static void refuse_name(const struct url *url, struct fetched *fetched)
{
    bool http = slice_starts_nocase(url->scheme, SLICE("http"));
    fetched->outcome = http ? FETCH_FAILED : FETCH_ABSENT;
    fetched->why = slice_str(absence(TREE_BAD_NAME));
}

static bool is_this_server(const struct explain *e, struct slice text, struct url *ret_url)
{
    struct url server;
    return url_parse(e->style.naming.server, &server) && url_parse(text, ret_url) && url_same_host(&server, ret_url);
}

/* The answer of the tree in place of a server's. */
static struct fetched look_up(struct explain *e, const struct wish *wish)
{
    char bytes[URL_BYTES_MAX];
    struct buf path = BUF_ON(bytes);
    struct fetched fetched = { .outcome = FETCH_GOT };
    struct tree_file file;
    struct url url;
    if (!is_this_server(e, wish->url, &url)) {
        fetched.outcome = FETCH_OUTSIDE;
        fetched.why = SLICE("outside: on another server than the one that this tree is");
        return fetched;
    }
    bool decoded = naming_path(&e->style.naming, wish->url, &path);
    enum tree_answer answer = TREE_BAD_NAME;
    if (decoded)
        answer = tree_ask(e->tree, &(struct tree_question){ buf_slice(&path) }, &file);
    if (answer == TREE_BAD_NAME) {
        refuse_name(&url, &fetched);
    } else if (answer != TREE_FILE) {
        fetched.outcome = answer == TREE_BROKEN ? FETCH_FAILED : FETCH_ABSENT;
        fetched.why = slice_str(absence(answer));
    } else {
        take_file(e, &file, wish->limit, &fetched);
        tree_file_release(&file);
    }
    return fetched;
}

/* Answers one wish; false when the run is over. */
static bool grant(struct explain *e, struct procedure *p)
{
    struct wish wish = procedure_wish(p);
    struct fetched fetched;
    switch (wish.kind) {
    case WISH_CALL:
        procedure_answer_call(p, false);
        return true;
    case WISH_WAIT:
        procedure_answer_waited(p);
        return true;
    case WISH_PIN:
        procedure_answer_pin(p, e->pin_given ? SLICE_NONE : slice_str(e->arguments->pin));
        e->pin_given = true;
        return true;
    case WISH_FETCH:
    case WISH_RESOURCE:
        fetched = look_up(e, &wish);
        procedure_answer_fetch(p, &fetched);
        return true;
    case WISH_KEEP:
    case WISH_DROP:
        procedure_answer_kept(p, true, SLICE_NONE);
        return true;
    case WISH_APPLY:
        procedure_answer_applied(p, true, SLICE_NONE);
        return true;
    case WISH_REBOOT:
        procedure_answer_rebooted(p);
        return true;
    case WISH_DONE:
        return false;
    }
    return false;
}

static int print(const struct explain *e, const struct report *r)
{
    bool done = e->arguments->json ? report_print_json(r, &e->style, stdout) : report_print_text(r, &e->style, stdout);
    if (!done)
        fprintf(stderr, "dialtone explain: the report could not be written\n");
    return done && r->outcome != RUN_FAILED ? EXIT_DONE : EXIT_FAILED;
}

static int run(struct explain *e)
{
    const char *server = e->arguments->server;
    struct procedure_start start = { .id = e->arguments->id,
                                     .memory = &e->memory,
                                     .keys = secret_keys_lend(&e->keys) };
    start.id.firmware = upgrade_running(&e->memory, e->arguments->id.firmware);
    struct slice kept = settings_value(&e->memory.central, SLICE("static.auto_provision.server.url"));
    start.server = server ? slice_str(server) : kept.len ? kept : SLICE(ANY_SERVER);
    struct procedure *p = procedure_new(&start, &e->arena);
    if (!p) {
        fprintf(stderr, "dialtone explain: out of memory\n");
        return EXIT_FAILED;
    }
    for (;;) {
        /* Known only once the wildcards are in. */
        e->style.naming.server = procedure_report(p)->server;
        if (!grant(e, p))
            break;
    }
    int status = print(e, procedure_report(p));
    procedure_free(p);
    return status;
}

static int open_and_run(struct explain *e)
{
    const struct phone_arguments *a = e->arguments;
    int error = rootdir_open_root(a->root, false, &e->root);
    if (!error)
        error = tree_open(&e->root, a->root, NULL, &e->tree);
    if (error) {
        fprintf(stderr, "dialtone explain: %s: %s\n", a->root, strerror(-error));
        return EXIT_FAILED;
    }
    error = flash_open(&e->flash, a->flash, false, a->id.mac);
    const char *why = error ? strerror(-error) : flash_read(&e->flash, &e->memory, &e->arena);
    int status = EXIT_FAILED;
    if (why)
        fprintf(stderr, "dialtone explain: the flash in %s: %s\n", a->flash, why);
    else
        status = run(e);
    flash_close(&e->flash);
    tree_close(e->tree);
    return status;
}

int verb_explain(const struct verb *verb, int argc, char **argv)
{
    struct phone_arguments a;
    int status = phone_arguments_parse(verb, argc, argv, PHONE_TAKER_EXPLAIN, &a);
    if (!status && !a.root)
        status = verb_misused(verb, "--root says which tree to look at");
    if (status)
        return status;
    struct explain e = { .arguments = &a,
                         .style = { .naming = { .scope = NAMING_HOST }, .show_secrets = a.show_secrets },
                         .root = { .fd = -1 } };
    arena_init(&e.arena, (size_t)256 * 1024 * 1024);
    arena_init(&e.file, (size_t)64 * 1024 * 1024);
    memory_init(&e.memory, &e.arena);
    status = secret_keys_read(verb, &a.key_files, true, &e.keys);
    if (!status)
        status = open_and_run(&e);
    secret_keys_wipe(&e.keys);
    memory_free(&e.memory);
    rootdir_close(&e.root);
    arena_free(&e.arena);
    arena_free(&e.file);
    return status;
}
