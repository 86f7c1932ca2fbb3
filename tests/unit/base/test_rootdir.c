#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/rootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* root/a.cfg "x=1", root/d/b.cfg, root/out -> /etc/passwd, root/in -> a.cfg, secret beside the root. */
struct tree {
    char dir[64];
    char root[80];
    struct rootdir beneath;
    struct arena arena;
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int tree_setup(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    *state = t;
    snprintf(t->dir, sizeof t->dir, "/tmp/dialtone-rootdir-XXXXXX");
    if (!mkdtemp(t->dir) || chdir(t->dir) != 0)
        return -1;
    snprintf(t->root, sizeof t->root, "%s/root", t->dir);
    mkdir("root", 0755);
    mkdir("root/d", 0755);
    put("root/a.cfg", "x=1");
    put("root/d/b.cfg", "y=2");
    put("secret", "s");
    if (symlink("/etc/passwd", "root/out") || symlink("../secret", "root/up") || symlink("a.cfg", "root/in"))
        return -1;
    arena_init(&t->arena, 1 << 20);
    return rootdir_open_root(t->root, false, &t->beneath);
}

static int tree_teardown(void **state)
{
    struct tree *t = *state;
    char command[128];
    rootdir_close(&t->beneath);
    arena_free(&t->arena);
    snprintf(command, sizeof command, "rm -rf %s", t->dir);
    int rc = chdir("/") || system(command);
    free(t);
    return rc;
}

static int read_one(struct tree *t, struct slice name)
{
    struct slice bytes = SLICE_NONE;
    return rootdir_read(&t->beneath, name, 1000, &t->arena, &bytes);
}

static void names_that_could_lead_out_are_refused_before_the_kernel_sees_them(void **state)
{
    struct tree *t = *state;
    static const struct slice bad[] = {
        { "", 0 },           { "/a.cfg", 6 },   { "../secret", 9 }, { "d/../a.cfg", 10 }, { "d//b.cfg", 8 },
        { "./a.cfg", 7 },    { "d/", 2 },       { "a\\b", 3 },      { "a\0.cfg", 6 },     { "a\n", 2 },
        { "..", 2 },         { "d/..", 4 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_one(t, bad[i]), -EINVAL);
}

static void symbolic_links_are_not_followed(void **state)
{
    struct tree *t = *state;
    assert_int_equal(read_one(t, SLICE("out")), -ELOOP);
    assert_int_equal(read_one(t, SLICE("up")), -ELOOP);
    assert_int_equal(read_one(t, SLICE("in")), -ELOOP);
}

static void with_the_option_only_links_that_stay_beneath_are_followed(void **state)
{
    struct tree *t = *state;
    t->beneath.follow_symlinks = true;
    assert_int_equal(read_one(t, SLICE("in")), 0);
    assert_int_equal(read_one(t, SLICE("out")), -EXDEV);
    assert_int_equal(read_one(t, SLICE("up")), -EXDEV);
}

static void reading_says_what_is_wrong(void **state)
{
    struct tree *t = *state;
    struct slice bytes;
    assert_int_equal(rootdir_read(&t->beneath, SLICE("d/b.cfg"), 3, &t->arena, &bytes), 0);
    assert_slice(bytes, "y=2");
    assert_int_equal(rootdir_read(&t->beneath, SLICE("d/b.cfg"), 2, &t->arena, &bytes), -EFBIG);
    assert_int_equal(read_one(t, SLICE("d")), -EISDIR);
    assert_int_equal(read_one(t, SLICE("none.cfg")), -ENOENT);
    assert_int_equal(mkfifo("root/pipe", 0644), 0);
    assert_int_equal(read_one(t, SLICE("pipe")), -EACCES);
}

static bool collect(void *context, const struct rootdir_entry *entry)
{
    struct buf *out = context;
    buf_text(out, entry->name);
    buf_str(out, entry->is_directory ? "/ " : " ");
    return true;
}

static void a_listing_is_sorted_and_leaves_links_out(void **state)
{
    struct tree *t = *state;
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    assert_int_equal(rootdir_list(&t->beneath, SLICE("."), 100, &t->arena, collect, &out), 0);
    assert_slice(buf_slice(&out), "a.cfg d/ ");
    out = BUF_ON(bytes);
    assert_int_equal(rootdir_list(&t->beneath, SLICE("d"), 100, &t->arena, collect, &out), 0);
    assert_slice(buf_slice(&out), "d/b.cfg ");
    assert_int_equal(rootdir_list(&t->beneath, SLICE("."), 1, &t->arena, collect, &out), -EMFILE);
}

static void replacing_is_whole_or_not_at_all(void **state)
{
    struct tree *t = *state;
    struct slice bytes;
    assert_int_equal(rootdir_replace(&t->beneath, SLICE("d/b.cfg"), SLICE("new")), 0);
    assert_int_equal(rootdir_read(&t->beneath, SLICE("d/b.cfg"), 10, &t->arena, &bytes), 0);
    assert_slice(bytes, "new");
    assert_int_equal(rootdir_replace(&t->beneath, SLICE("out"), SLICE("mine")), 0);
    assert_int_equal(rootdir_replace(&t->beneath, SLICE("nowhere/x"), SLICE("x")), -ENOENT);
    assert_int_equal(rootdir_replace(&t->beneath, SLICE("../x"), SLICE("x")), -EINVAL);
    assert_int_equal(rootdir_replace(&t->beneath, SLICE("d"), SLICE("x")), -EISDIR);
    struct stat st;
    assert_int_equal(stat("root/d/b.cfg", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char names[256];
    struct buf out = BUF_ON(names);
    rootdir_list(&t->beneath, SLICE("."), 100, &t->arena, collect, &out);
    assert_slice(buf_slice(&out), "a.cfg d/ out ");
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        test(names_that_could_lead_out_are_refused_before_the_kernel_sees_them),
        test(symbolic_links_are_not_followed),
        test(with_the_option_only_links_that_stay_beneath_are_followed),
        test(reading_says_what_is_wrong),
        test(a_listing_is_sorted_and_leaves_links_out),
        test(replacing_is_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
