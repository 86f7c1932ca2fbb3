/* dialtone check: the findings over a whole tree. */
#include "base/rootdir.h"
#include "cli/verb.h"
#include "guide/lint.h"
#include "guide/procedure.h"

#include <errno.h>
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
    walk(c, SLICE("."));
    if (c->failed || !lint_finish(&c->lint) || c->findings.lost) {
        fprintf(stderr, "dialtone check: out of memory\n");
        return EXIT_FAILED;
    }
    print(&c->findings);
    return c->findings.count[SEVERITY_ERROR] == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int verb_check(const struct verb *verb, int argc, char **argv)
{
    struct check c = { 0 };
    if (argc != 3 || !slice_eq(slice_str(argv[1]), SLICE("--root")))
        return verb_misused(verb, "--root DIR says which tree to look at");
    int error = rootdir_open_root(argv[2], false, &c.root);
    if (error) {
        fprintf(stderr, "dialtone check: %s: %s\n", argv[2], strerror(-error));
        return EXIT_FAILED;
    }
    int status = check(&c);
    arena_free(&c.arena);
    rootdir_close(&c.root);
    return status;
}
