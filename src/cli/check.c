/* dialtone check: the findings over a whole tree. */
#include "base/rootdir.h"
#include "cli/secret.h"
#include "guide/lint.h"
#include "guide/procedure.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

/* Directories below each other; deeper trees are a loop of mounts or a mistake. */
#define DEPTH_MAX 32
/* A tree of 50,000 phones with some files each. */
#define ENTRIES_MAX 1000000

struct check {
    struct rootdir root;
    struct arena arena;
    struct diag findings;
    struct lint lint;
    struct secret_keys keys;
    unsigned depth;
    bool failed;
};

static bool visit(void *context, const struct rootdir_entry *entry);

static void walk(struct check *c, struct slice directory)
{
    int error = c->depth == DEPTH_MAX ? -ELOOP
                                      : rootdir_list(&c->root, directory, ENTRIES_MAX, &c->arena, visit, c);
    if (error)
        diag_add(&c->findings, SEVERITY_ERROR, (struct place){ directory, 0, 0 }, "%s", strerror(-error));
}

static bool visit(void *context, const struct rootdir_entry *entry)
{
    struct check *c = context;
    struct slice bytes = SLICE_NONE;
    if (entry->is_directory) {
        c->depth++;
        walk(c, entry->name);
        c->depth--;
        return !c->failed;
    }
    int error = lint_wants_bytes(entry->name)
                    ? rootdir_read(&c->root, entry->name, PROCEDURE_FILE_BYTES_MAX, &c->arena, &bytes)
                    : 0;
    if (error) {
        diag_add(&c->findings, SEVERITY_ERROR, (struct place){ entry->name, 0, 0 }, "%s", strerror(-error));
        return true;
    }
    c->failed = !lint_add(&c->lint, entry->name, bytes);
    return !c->failed;
}

static void print(const struct diag *findings)
{
    char bytes[8192];
    for (const struct finding *f = findings->first; f; f = f->next) {
        struct buf out = BUF_ON(bytes);
        struct finding shown = *f;
        /* Editors and scripts read file:line:col: what is about the whole stands at its start. */
        shown.line = f->line ? f->line : 1;
        shown.column = f->column ? f->column : 1;
        diag_print(&shown, &out);
        printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
    }
}

static int check(struct check *c)
{
    arena_init(&c->arena, SIZE_MAX / 2);
    diag_init(&c->findings, &c->arena);
    lint_init(&c->lint, &c->arena, &c->findings);
    c->lint.given = secret_keys_lend(&c->keys);
    walk(c, SLICE("."));
    if (c->failed || !lint_finish(&c->lint) || c->findings.lost) {
        fprintf(stderr, "dialtone check: out of memory\n");
        return EXIT_FAILED;
    }
    print(&c->findings);
    return c->findings.count[SEVERITY_ERROR] == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int parse(const struct verb *verb, int argc, char **argv, const char **ret_root, struct secret_options *ret_keys)
{
    static const struct option longs[] = {
        { "root", required_argument, NULL, 'r' },    { "aes-common", required_argument, NULL, 'c' },
        { "aes-mac", required_argument, NULL, 'm' }, { "rsa-key", required_argument, NULL, 'k' },
        { NULL, 0, NULL, 0 },
    };
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+:", longs, NULL)) != -1) {
        if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        const char **text = option == 'r'   ? ret_root
                            : option == 'c' ? &ret_keys->aes_common
                            : option == 'm' ? &ret_keys->aes_mac
                                            : &ret_keys->rsa_key;
        *text = optarg;
    }
    if (optind < argc)
        return verb_misused(verb, "'%s' is one word too many", argv[optind]);
    return *ret_root ? EXIT_DONE : verb_misused(verb, "--root DIR says which tree to look at");
}

int verb_check(const struct verb *verb, int argc, char **argv)
{
    struct check c = { 0 };
    struct secret_options keys = { 0 };
    const char *root = NULL;
    int status = parse(verb, argc, argv, &root, &keys);
    if (status)
        return status;
    int error = rootdir_open_root(root, false, &c.root);
    if (error) {
        fprintf(stderr, "dialtone check: %s: %s\n", root, strerror(-error));
        return EXIT_FAILED;
    }
    status = secret_keys_read(verb, &keys, true, &c.keys);
    if (!status)
        status = check(&c);
    secret_keys_wipe(&c.keys);
    arena_free(&c.arena);
    rootdir_close(&c.root);
    return status;
}
