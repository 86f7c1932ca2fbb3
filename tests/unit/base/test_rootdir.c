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

static int open_directory(struct tree *t, const char *name)
{
    int fd;
    assert_int_equal(rootdir_open(&t->beneath, slice_str(name), O_RDONLY | O_DIRECTORY, &fd), 0);
    return fd;
}

static void a_temporary_file_gets_its_name_over_another_or_over_nothing(void **state)
{
    struct tree *t = *state;
    char temporary[ROOTDIR_TEMPORARY_BYTES], taken[ROOTDIR_TEMPORARY_BYTES];
    struct slice bytes;
    int fd, dirfd = open_directory(t, "d");
    assert_int_equal(rootdir_temporary(dirfd, 0644, temporary, &fd), 0);
    assert_true(rootdir_is_temporary(slice_str(temporary)));
    assert_int_equal(rootdir_write(fd, SLICE("new")), 0);
    assert_int_equal(rootdir_place(dirfd, fd, temporary, "b.cfg", false), -EEXIST);
    close(fd);
    assert_int_equal(faccessat(dirfd, temporary, F_OK, 0), -1);
    assert_int_equal(rootdir_temporary(dirfd, 0644, temporary, &fd), 0);
    assert_int_equal(rootdir_write(fd, SLICE("new")), 0);
    assert_int_equal(rootdir_place(dirfd, fd, temporary, "c.cfg", false), 0);
    close(fd);
    assert_int_equal(rootdir_read(&t->beneath, SLICE("d/c.cfg"), 10, &t->arena, &bytes), 0);
    assert_slice(bytes, "new");
    /* What another run with our process id left is gone round. */
    unsigned serial = 0;
    const char *dash = strrchr(temporary, '-');
    while (*++dash >= '0' && *dash <= '9')
        serial = serial * 10 + (unsigned)(*dash - '0');
    snprintf(taken, sizeof taken, ".dialtone-%ld-%u.tmp", (long)getpid(), serial + 1);
    assert_int_equal(symlinkat("b.cfg", dirfd, taken), 0);
    assert_int_equal(rootdir_temporary(dirfd, 0600, temporary, &fd), 0);
    assert_string_not_equal(temporary, taken);
    close(fd);
    close(dirfd);
}

static void names_of_temporary_files_are_told_from_others(void **state)
{
    struct slice directory, last;
    (void)state;
    assert_true(rootdir_is_temporary(SLICE(".dialtone-12-3.tmp")));
    assert_false(rootdir_is_temporary(SLICE("dialtone-12-3.tmp")) || rootdir_is_temporary(SLICE(".dialtone-12")) ||
                 rootdir_is_temporary(SLICE("x.tmp")));
    rootdir_split(SLICE("a/b/c"), &directory, &last);
    assert_slice(directory, "a/b");
    assert_slice(last, "c");
    rootdir_split(SLICE("c"), &directory, &last);
    assert_slice(directory, ".");
    assert_slice(last, "c");
}

static void a_beginning_is_copied_whole_or_said_to_be_short(void **state)
{
    struct tree *t = *state;
    static char large[50000], back[50000];
    int from, to, dirfd = open_directory(t, "d");
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7 + (i >> 9));
    from = openat(dirfd, "from", O_RDWR | O_CREAT, 0600);
    to = openat(dirfd, "to", O_RDWR | O_CREAT, 0600);
    assert_true(from >= 0 && to >= 0);
    assert_int_equal(rootdir_write(from, slice_of(large, sizeof large)), 0);
    assert_int_equal(rootdir_copy(from, to, 40001), 0);
    assert_int_equal(lseek(to, 0, SEEK_END), 40001);
    assert_int_equal(rootdir_read_at(to, 0, back, sizeof back), 40001);
    assert_memory_equal(back, large, 40001);
    assert_int_equal(rootdir_copy(from, to, sizeof large + 1), -ESTALE);
    assert_int_equal(rootdir_copy(from, to, 0), 0);
    close(from);
    close(to);
    close(dirfd);
}

static void a_spelling_is_the_first_in_byte_order(void **state)
{
    struct tree *t = *state;
    char name[ROOTDIR_NAME_MAX + 1] = "";
    int dirfd = open_directory(t, "d");
    assert_int_equal(rootdir_spelling(dirfd, SLICE("B.CFG"), name), 0);
    assert_string_equal(name, "b.cfg");
    close(openat(dirfd, "B.cfg", O_WRONLY | O_CREAT, 0600));
    close(openat(dirfd, "b.CFG", O_WRONLY | O_CREAT, 0600));
    assert_int_equal(rootdir_spelling(dirfd, SLICE("b.cFg"), name), 0);
    assert_string_equal(name, "B.cfg");
    assert_int_equal(rootdir_spelling(dirfd, SLICE("c"), name), -ENOENT);
    close(dirfd);
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
        test(a_temporary_file_gets_its_name_over_another_or_over_nothing),
        test(names_of_temporary_files_are_told_from_others),
        test(a_beginning_is_copied_whole_or_said_to_be_short),
        test(a_spelling_is_the_first_in_byte_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
