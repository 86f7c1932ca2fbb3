#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/log.h"
#include "net/loop.h"
#include "server/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* root/ with a.cfg "x=1", d/e/b.cfg "y=2"; secret beside it. The working directory is the root. */
struct house {
    char dir[64], root[80];
    struct rootdir beneath;
    struct loop loop;
    struct tree *tree;
    int log_fd;
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void put_big(const char *path, size_t size, char byte)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < size; i++)
        fputc(byte, f);
    assert_int_equal(fclose(f), 0);
}

static int house_open(void **state, bool follow, bool keep)
{
    struct house *h = calloc(1, sizeof *h);
    *state = h;
    snprintf(h->dir, sizeof h->dir, "/tmp/dialtone-tree-XXXXXX");
    if (!mkdtemp(h->dir))
        return -1;
    snprintf(h->root, sizeof h->root, "%s/root", h->dir);
    mkdir(h->root, 0755);
    if (chdir(h->root) || mkdir("d", 0755) || mkdir("d/e", 0755))
        return -1;
    put("a.cfg", "x=1");
    put("d/e/b.cfg", "y=2");
    put("../secret", "s");
    h->log_fd = open("../log", O_RDWR | O_CREAT | O_APPEND, 0600);
    log_setup(LOG_INFO, h->log_fd);
    return loop_open(&h->loop, &clock_system, NULL, NULL) || rootdir_open_root(h->root, follow, &h->beneath) ||
           tree_open(&h->beneath, h->root, keep ? &h->loop : NULL, &h->tree);
}

static int setup(void **state)
{
    return house_open(state, false, true);
}

static int setup_following(void **state)
{
    return house_open(state, true, true);
}

static int setup_without_cache(void **state)
{
    return house_open(state, false, false);
}

static int teardown(void **state)
{
    struct house *h = *state;
    char command[256];
    tree_close(h->tree);
    loop_close(&h->loop);
    rootdir_close(&h->beneath);
    log_setup(LOG_INFO, 2);
    close(h->log_fd);
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", h->dir, h->dir);
    int rc = chdir("/") || system(command);
    free(h);
    return rc;
}

static enum tree_answer ask(struct house *h, struct slice name, struct buf *out)
{
    struct tree_file file;
    struct tree_question q = { name };
    char bytes[256];
    uv_run(&h->loop.uv, UV_RUN_NOWAIT);
    enum tree_answer answer = tree_ask(h->tree, &q, &file);
    if (answer != TREE_FILE)
        return answer;
    ssize_t got = tree_file_read(&file, 0, bytes, sizeof bytes);
    assert_true(got >= 0);
    if (out)
        buf_bytes(out, bytes, (size_t)got);
    tree_file_release(&file);
    return answer;
}

static void assert_text(struct house *h, const char *name, const char *text)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    assert_int_equal(ask(h, slice_str(name), &out), TREE_FILE);
    assert_slice(buf_slice(&out), text);
}

static void assert_answer(struct house *h, const char *name, enum tree_answer answer)
{
    assert_int_equal(ask(h, slice_str(name), NULL), answer);
}

static void the_same_question_is_answered_from_memory(void **state)
{
    struct house *h = *state;
    assert_text(h, "a.cfg", "x=1");
    assert_text(h, "/a.cfg", "x=1");
    assert_text(h, "///d/e/b.cfg", "y=2");
    assert_text(h, "d/e/b.cfg", "y=2");
    assert_answer(h, "00156574b150.boot", TREE_ABSENT);
    assert_answer(h, "00156574b150.boot", TREE_ABSENT);
    struct tree_counts c = tree_counts(h->tree);
    assert_int_equal(c.opens, 3);
    assert_int_equal(c.hits, 3);
    assert_int_equal(c.blobs, 2);
    assert_int_equal(c.absences, 1);
}

static void every_kind_of_change_is_seen_by_the_next_question(void **state)
{
    struct house *h = *state;
    assert_text(h, "a.cfg", "x=1");
    put("new", "x=2");
    assert_int_equal(rename("new", "a.cfg"), 0);
    assert_text(h, "a.cfg", "x=2");
    put("a.cfg", "x=33");
    assert_text(h, "a.cfg", "x=33");
    assert_int_equal(truncate("a.cfg", 1), 0);
    assert_text(h, "a.cfg", "x");
    assert_int_equal(rename("a.cfg", "c.cfg"), 0);
    assert_answer(h, "a.cfg", TREE_ABSENT);
    assert_text(h, "c.cfg", "x");
    put("a.cfg", "again");
    assert_text(h, "a.cfg", "again");
    assert_int_equal(unlink("a.cfg"), 0);
    assert_answer(h, "a.cfg", TREE_ABSENT);
    assert_answer(h, "a.cfg", TREE_ABSENT);
    assert_int_equal(rename("c.cfg", "a.cfg"), 0);
    assert_text(h, "a.cfg", "x");
    /* Overwritten in place with the same length and the old mtime. */
    struct stat st;
    assert_int_equal(stat("a.cfg", &st), 0);
    put("a.cfg", "z");
    struct timespec times[2] = { st.st_atim, st.st_mtim };
    assert_int_equal(utimensat(AT_FDCWD, "a.cfg", times, 0), 0);
    assert_text(h, "a.cfg", "z");
}

static void a_renamed_or_deleted_parent_takes_its_files_along(void **state)
{
    struct house *h = *state;
    assert_text(h, "d/e/b.cfg", "y=2");
    assert_int_equal(rename("d", "f"), 0);
    assert_answer(h, "d/e/b.cfg", TREE_ABSENT);
    assert_text(h, "f/e/b.cfg", "y=2");
    assert_int_equal(mkdir("d", 0755), 0);
    assert_answer(h, "d/e/b.cfg", TREE_ABSENT);
    assert_int_equal(mkdir("d/e", 0755), 0);
    put("d/e/b.cfg", "other");
    assert_text(h, "d/e/b.cfg", "other");
    /* Two directories change places. */
    assert_int_equal(rename("d", "g") | rename("f", "d") | rename("g", "f"), 0);
    assert_text(h, "d/e/b.cfg", "y=2");
    assert_text(h, "f/e/b.cfg", "other");
    put("f/e/b.cfg", "third");
    assert_text(h, "f/e/b.cfg", "third");
    assert_int_equal(system("rm -rf d"), 0);
    assert_answer(h, "d/e/b.cfg", TREE_ABSENT);
}

static void a_missing_directory_is_one_absence_however_many_names_are_asked(void **state)
{
    struct house *h = *state;
    char name[64];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "none/%012x.cfg", i);
        assert_answer(h, name, TREE_ABSENT);
    }
    assert_int_equal(tree_counts(h->tree).absences, 1);
    assert_int_equal(mkdir("none", 0755), 0);
    put("none/000000000005.cfg", "here");
    assert_text(h, "none/000000000005.cfg", "here");
}

static void a_mac_name_is_found_whatever_its_case(void **state)
{
    struct house *h = *state;
    put("00156574B150.cfg", "upper");
    put("d/0015657AbCdE.BOOT", "mixed");
    assert_text(h, "00156574b150.cfg", "upper");
    assert_text(h, "00156574B150.CFG", "upper");
    assert_text(h, "d/0015657abcde.boot", "mixed");
    /* Exact goes before another spelling, also when it comes later; without it, byte order. */
    put("00156574b150.cfg", "lower");
    assert_text(h, "00156574b150.cfg", "lower");
    assert_text(h, "00156574B150.cfg", "upper");
    assert_text(h, "00156574b150.Cfg", "upper");
    assert_int_equal(unlink("00156574B150.cfg"), 0);
    assert_text(h, "00156574b150.Cfg", "lower");
    assert_int_equal(unlink("00156574b150.cfg"), 0);
    assert_answer(h, "00156574b150.Cfg", TREE_ABSENT);
    put("A.CFG", "no MAC");
    assert_answer(h, "A.cfg", TREE_ABSENT);
    char log[4096] = "";
    assert_true(pread(h->log_fd, log, sizeof log - 1, 0) > 0);
    assert_non_null(strstr(log, "several files spell this name"));
}

static void case_does_not_count_where_that_is_asked_for(void **state)
{
    struct house *h = *state;
    char spelled[64];
    struct buf out = BUF_ON(spelled);
    assert_answer(h, "A.CFG", TREE_ABSENT);
    assert_answer(h, "D/E/b.cfg", TREE_ABSENT);
    tree_ignore_case(h->tree);
    for (unsigned i = 0; i < 2; i++) {
        assert_text(h, "A.CFG", "x=1");
        assert_text(h, "D/e/B.Cfg", "y=2");
        assert_text(h, "d/E/b.cfg", "y=2");
        assert_answer(h, "D", TREE_DIRECTORY);
        assert_answer(h, "D/E", TREE_DIRECTORY);
        assert_answer(h, "D/E/none", TREE_ABSENT);
        assert_answer(h, "A.CFG/x", TREE_ABSENT);
        assert_answer(h, "X/x", TREE_ABSENT);
        tree_forget(h->tree);
    }
    /* As it is asked comes first, then byte order; changes are seen at once. */
    put("A.Cfg", "other");
    assert_text(h, "A.CFG", "other");
    assert_text(h, "a.cfg", "x=1");
    assert_int_equal(unlink("A.Cfg"), 0);
    assert_text(h, "A.CFG", "x=1");
    assert_int_equal(mkdir("D", 0755), 0);
    assert_answer(h, "D/E/b.cfg", TREE_ABSENT);
    assert_int_equal(rmdir("D"), 0);
    assert_text(h, "D/E/b.cfg", "y=2");
    put("d/E.txt", "text");
    assert_text(h, "D/e.TXT", "text");
    assert_true(tree_directory_spelling(h->tree, SLICE("D/E"), &out));
    assert_slice(buf_slice(&out), "d/e");
    assert_false(tree_directory_spelling(h->tree, SLICE("D/none"), &out));
    struct tree_listing *l;
    assert_int_equal(tree_list(h->tree, SLICE("/D/E"), &l), TREE_DIRECTORY);
    tree_listing_close(l);
    assert_answer(h, "D/../secret", TREE_BAD_NAME);
}

/* Past the ceiling of watched directories everything is forgotten, also in the middle of a path. */
static void case_does_not_count_either_when_directories_are_forgotten(void **state)
{
    struct house *h = *state;
    char name[64];
    tree_ignore_case(h->tree);
    for (unsigned i = 0; i < TREE_DIRECTORIES_MAX + 50; i++) {
        snprintf(name, sizeof name, "d/n%u", i);
        assert_int_equal(mkdir(name, 0755), 0);
    }
    for (unsigned i = 0; i < TREE_DIRECTORIES_MAX + 50; i++) {
        snprintf(name, sizeof name, "d/n%u/x", i);
        assert_answer(h, name, TREE_ABSENT);
        if (i > TREE_DIRECTORIES_MAX - 10)
            assert_text(h, "D/E/B.CFG", "y=2");
    }
}

static void a_large_directory_is_listed_once_and_not_for_every_miss(void **state)
{
    struct house *h = *state;
    char name[64];
    assert_int_equal(mkdir("many", 0755), 0);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "many/0015650%05X.cfg", i);
        put(name, "m");
    }
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "many/0015650%05x.boot", i);
        assert_answer(h, name, TREE_ABSENT);
    }
    snprintf(name, sizeof name, "many/0015650%05x.cfg", 0xabc);
    assert_text(h, name, "m");
    put("many/0015651ABCDE.cfg", "new");
    assert_text(h, "many/0015651abcde.cfg", "new");
    assert_int_equal(tree_counts(h->tree).listings, 1);
}

static void a_burst_of_changes_loses_nothing_and_overflow_forgets_all(void **state)
{
    struct house *h = *state;
    char name[64];
    assert_text(h, "a.cfg", "x=1");
    assert_text(h, "d/e/b.cfg", "y=2");
    /* More than fs.inotify.max_queued_events; every file makes several events. */
    for (unsigned i = 0; i < 12000; i++) {
        snprintf(name, sizeof name, "d/burst%u", i);
        put(name, "b");
    }
    put("a.cfg", "x=9");
    put("d/e/b.cfg", "y=9");
    assert_text(h, "a.cfg", "x=9");
    assert_text(h, "d/e/b.cfg", "y=9");
    assert_text(h, "d/burst11999", "b");
    put("d/e/b.cfg", "y=10");
    assert_text(h, "d/e/b.cfg", "y=10");
}

static void what_is_not_to_be_given_is_told_apart(void **state)
{
    struct house *h = *state;
    assert_int_equal(symlink("../secret", "up") | symlink("a.cfg", "in") | symlink("d", "l"), 0);
    assert_int_equal(mkfifo("pipe", 0644), 0);
    assert_answer(h, "up", TREE_FORBIDDEN);
    assert_answer(h, "in", TREE_FORBIDDEN);
    assert_answer(h, "l/e/b.cfg", TREE_FORBIDDEN);
    assert_answer(h, "pipe", TREE_FORBIDDEN);
    assert_answer(h, "d", TREE_DIRECTORY);
    assert_answer(h, "/", TREE_DIRECTORY);
    assert_answer(h, "", TREE_DIRECTORY);
    assert_answer(h, "a.cfg/b", TREE_ABSENT);
    assert_answer(h, "../secret", TREE_BAD_NAME);
    assert_answer(h, "d/../../secret", TREE_BAD_NAME);
    assert_answer(h, "d\\..\\secret", TREE_BAD_NAME);
    assert_int_equal(ask(h, SLICE("a.cfg\0x"), NULL), TREE_BAD_NAME);
}

static void a_link_made_between_two_questions_leads_nowhere(void **state)
{
    struct house *h = *state;
    assert_text(h, "d/e/b.cfg", "y=2");
    put("../b.cfg", "outside");
    assert_int_equal(rename("d/e", "d/was"), 0);
    assert_int_equal(symlink("../..", "d/e"), 0);
    assert_answer(h, "d/e/b.cfg", TREE_FORBIDDEN);
    assert_int_equal(unlink("d/e"), 0);
    assert_int_equal(rename("d/was", "d/e"), 0);
    assert_text(h, "d/e/b.cfg", "y=2");
}

static void followed_links_stay_beneath_and_are_never_stale(void **state)
{
    struct house *h = *state;
    assert_int_equal(symlink("../secret", "up") | symlink("d/e/b.cfg", "in") | symlink("d", "l"), 0);
    assert_answer(h, "up", TREE_FORBIDDEN);
    assert_text(h, "in", "y=2");
    assert_text(h, "l/e/b.cfg", "y=2");
    put("d/e/b.cfg", "y=3");
    assert_text(h, "in", "y=3");
    assert_text(h, "l/e/b.cfg", "y=3");
    put("d/00156574B150.cfg", "m");
    assert_text(h, "l/00156574b150.cfg", "m");
}

static void a_file_with_a_second_link_elsewhere_is_never_stale(void **state)
{
    struct house *h = *state;
    assert_int_equal(link("a.cfg", "../other"), 0);
    assert_text(h, "a.cfg", "x=1");
    put("../other", "x=4");
    assert_text(h, "a.cfg", "x=4");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The names that a listing shows, sorted, each with a blank behind it; "-" when there is none. */
static void assert_listing(struct house *h, const char *directory, const char *expected)
{
    struct tree_listing *l;
    struct tree_entry e;
    enum tree_step step;
    char names[16][64], all[1024];
    struct buf out = BUF_ON(all);
    size_t count = 0;
    if (tree_list(h->tree, slice_str(directory), &l) != TREE_DIRECTORY) {
        assert_string_equal(expected, "-");
        return;
    }
    while ((step = tree_listing_next(l, &e)) <= TREE_STEP_NOTHING)
        if (step == TREE_STEP_ENTRY)
            snprintf(names[count++], sizeof *names, "%.*s%s", SLICE_ARG(e.name), e.is_directory ? "/" : "");
    assert_int_equal(step, TREE_STEP_END);
    tree_listing_close(l);
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        buf_format(&out, "%s ", names[i]);
    assert_slice(buf_slice(&out), expected);
}

static void r2_a_listing_shows_what_can_be_asked_for_and_no_more(void **state)
{
    struct house *h = *state;
    assert_int_equal(symlink("../secret", "up") | symlink("a.cfg", "in") | symlink("d", "l") | symlink("/", "top"), 0);
    put("x\\y", "");
    put("line\nend", "");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_listing(h, "/", "a.cfg d/ ");
    assert_listing(h, "", "a.cfg d/ ");
    assert_listing(h, "/d/e", "b.cfg ");
    assert_listing(h, "/l", "-");
    assert_listing(h, "/top", "-");
    assert_listing(h, "/..", "-");
    assert_listing(h, "/d/..", "-");
    assert_listing(h, "/a.cfg", "-");
    assert_listing(h, "/nope", "-");
}

static void r2_a_listing_follows_links_that_stay_beneath(void **state)
{
    struct house *h = *state;
    assert_int_equal(symlink("../secret", "up") | symlink("a.cfg", "in") | symlink("d", "l") | symlink("/", "top"), 0);
    assert_listing(h, "/", "a.cfg d/ in l/ ");
    assert_listing(h, "/l/e", "b.cfg ");
    assert_listing(h, "/top", "-");
}

static void a_listing_shows_what_phones_have_sent_in_place_of_what_the_tree_has(void **state)
{
    struct house *h = *state;
    struct rootdir sent;
    struct tree *over;
    assert_int_equal(mkdir("../sent", 0700), 0);
    assert_int_equal(mkdir("../sent/d", 0700), 0);
    assert_int_equal(mkdir("../sent/gone", 0700), 0);
    put("../sent/d/00156574b150-local.cfg", "sent");
    put("../sent/d/.00156574b150-local.cfg.1", "older");
    put("../sent/d/.upload-1-1.tmp", "coming");
    put("../sent/d/notes.txt", "not a phone's");
    put("../sent/gone/00156574b150-local.cfg", "of a directory that is no more");
    assert_int_equal(rootdir_open_root("../sent", false, &sent), 0);
    assert_int_equal(tree_open(&sent, "../sent", &h->loop, &over), 0);
    tree_overlay(h->tree, over);
    assert_listing(h, "/d", "00156574b150-local.cfg e/ ");
    assert_listing(h, "/d/e", "b.cfg ");
    assert_listing(h, "/", "a.cfg d/ ");
    assert_listing(h, "/gone", "-");
    put("d/00156574B150-local.cfg", "the administrator's");
    put("d/00156574b151-local.cfg", "the administrator's");
    assert_listing(h, "/d", "00156574b150-local.cfg 00156574b151-local.cfg e/ ");
    rootdir_close(&sent);
}

static void a_blob_lives_as_long_as_a_transfer_holds_it(void **state)
{
    struct house *h = *state;
    struct tree_file file;
    struct tree_question q = { SLICE("a.cfg") };
    char byte;
    assert_int_equal(tree_ask(h->tree, &q, &file), TREE_FILE);
    assert_non_null(file.blob);
    assert_int_equal(file.fd, -1);
    assert_int_equal(unlink("a.cfg"), 0);
    assert_answer(h, "a.cfg", TREE_ABSENT);
    tree_forget(h->tree);
    assert_slice(blob_bytes(file.blob), "x=1");
    assert_true(tree_file_unchanged(&file));
    assert_int_equal(tree_file_read(&file, 2, &byte, 1), 1);
    assert_int_equal(byte, '1');
    assert_int_equal(tree_file_read(&file, 3, &byte, 1), 0);
    assert_int_equal(tree_file_read(&file, UINT64_MAX, &byte, 1), 0);
    tree_file_release(&file);
}

static void a_large_file_is_a_descriptor_that_notices_changes(void **state)
{
    struct house *h = *state;
    struct tree_file file;
    struct tree_question q = { SLICE("fw.rom") };
    char bytes[16];
    put_big("fw.rom", TREE_BLOB_BYTES_MAX + 1, 'f');
    assert_int_equal(tree_ask(h->tree, &q, &file), TREE_FILE);
    assert_null(file.blob);
    assert_true(file.fd >= 0);
    assert_int_equal(file.size, TREE_BLOB_BYTES_MAX + 1);
    assert_int_equal(tree_file_read(&file, TREE_BLOB_BYTES_MAX - 3, bytes, sizeof bytes), 4);
    /* Replaced by rename: the old one is still whole. */
    put_big("new.rom", TREE_BLOB_BYTES_MAX + 2, 'g');
    assert_int_equal(rename("new.rom", "fw.rom"), 0);
    assert_true(tree_file_unchanged(&file));
    assert_int_equal(tree_file_read(&file, 0, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(bytes[0], 'f');
    uint64_t etag = file.etag;
    tree_file_release(&file);
    /* Written to in place: it is no longer what was asked for. */
    assert_int_equal(tree_ask(h->tree, &q, &file), TREE_FILE);
    assert_true(file.etag != etag);
    int fd = open("fw.rom", O_WRONLY);
    struct timespec later[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = file.mtime.tv_sec + 1 } };
    assert_int_equal(pwrite(fd, "h", 1, 0), 1);
    assert_int_equal(futimens(fd, later), 0);
    close(fd);
    assert_false(tree_file_unchanged(&file));
    assert_int_equal(tree_file_read(&file, 0, bytes, sizeof bytes), -ESTALE);
    tree_file_release(&file);
    assert_int_equal(tree_ask(h->tree, &q, &file), TREE_FILE);
    assert_int_equal(truncate("fw.rom", 10), 0);
    assert_int_equal(tree_file_read(&file, 0, bytes, sizeof bytes), -ESTALE);
    tree_file_release(&file);
}

static void the_cache_stays_below_its_ceilings(void **state)
{
    struct house *h = *state;
    char name[64];
    assert_int_equal(mkdir("big", 0755), 0);
    put_big("big/0", TREE_BLOB_BYTES_MAX, 'b');
    for (unsigned i = 1; i < 1100; i++) {
        snprintf(name, sizeof name, "big/%u", i);
        put_big("big/0", TREE_BLOB_BYTES_MAX, 'b');
        assert_int_equal(rename("big/0", name), 0);
        assert_answer(h, name, TREE_FILE);
    }
    struct tree_counts c = tree_counts(h->tree);
    assert_in_range(c.blob_bytes, TREE_CACHE_BYTES_MAX / 2, TREE_CACHE_BYTES_MAX);
    assert_in_range(c.blobs, 900, 1024);
    for (unsigned i = 0; i < 70000; i++) {
        snprintf(name, sizeof name, "%012x.boot", i);
        assert_answer(h, name, TREE_ABSENT);
    }
    c = tree_counts(h->tree);
    assert_in_range(c.absent_bytes, TREE_ABSENT_BYTES_MAX / 2, TREE_ABSENT_BYTES_MAX);
    assert_in_range(c.blobs, 900, 1024);
    assert_int_equal(c.listings, 1);
}

static void without_a_cache_every_question_opens(void **state)
{
    struct house *h = *state;
    assert_text(h, "a.cfg", "x=1");
    assert_text(h, "a.cfg", "x=1");
    assert_int_equal(tree_counts(h->tree).opens, 2);
    assert_int_equal(tree_counts(h->tree).blobs, 0);
    put("d/00156574B150.cfg", "upper");
    assert_text(h, "d/00156574b150.cfg", "upper");
    assert_int_equal(unlink("d/00156574B150.cfg"), 0);
    assert_answer(h, "d/00156574b150.cfg", TREE_ABSENT);
    put("d/00156574B150.Cfg", "again");
    assert_text(h, "d/00156574b150.cfg", "again");
    assert_int_equal(rename("d", "f"), 0);
    assert_answer(h, "d/e/b.cfg", TREE_ABSENT);
    assert_answer(h, "d/00156574b150.cfg", TREE_ABSENT);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(the_same_question_is_answered_from_memory),
        test(every_kind_of_change_is_seen_by_the_next_question),
        test(a_renamed_or_deleted_parent_takes_its_files_along),
        test(a_missing_directory_is_one_absence_however_many_names_are_asked),
        test(a_mac_name_is_found_whatever_its_case),
        test(case_does_not_count_where_that_is_asked_for),
        test(case_does_not_count_either_when_directories_are_forgotten),
        test(a_large_directory_is_listed_once_and_not_for_every_miss),
        test(a_burst_of_changes_loses_nothing_and_overflow_forgets_all),
        test(what_is_not_to_be_given_is_told_apart),
        test(a_link_made_between_two_questions_leads_nowhere),
        cmocka_unit_test_setup_teardown(followed_links_stay_beneath_and_are_never_stale, setup_following,
                                        teardown),
        test(a_file_with_a_second_link_elsewhere_is_never_stale),
        test(r2_a_listing_shows_what_can_be_asked_for_and_no_more),
        test(a_listing_shows_what_phones_have_sent_in_place_of_what_the_tree_has),
        cmocka_unit_test_setup_teardown(r2_a_listing_follows_links_that_stay_beneath, setup_following, teardown),
        test(a_blob_lives_as_long_as_a_transfer_holds_it),
        test(a_large_file_is_a_descriptor_that_notices_changes),
        test(the_cache_stays_below_its_ceilings),
        cmocka_unit_test_setup_teardown(without_a_cache_every_question_opens, setup_without_cache, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
