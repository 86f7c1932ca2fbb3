/* The rules, the disk and its faults. Calls that the linker wraps fail, or end the process, where a test says. */
#include "tests/unit/test.h"

#include "server/upload_files.h"
#include "tests/unit/server/upload_house.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCAL "desk/00156574b150-local.cfg"

enum call { CALL_FSYNC, CALL_LINK, CALL_RENAME, CALL_WRITE, CALLS };
/* The n-th call of its kind from now on fails with this errno, or ends the process; 0: none. */
static struct {
    unsigned nth;
    int error;
    bool die;
} fault[CALLS];

static bool strikes(enum call call)
{
    if (!fault[call].nth || --fault[call].nth)
        return false;
    if (fault[call].die)
        _exit(7);
    errno = fault[call].error;
    return true;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return strikes(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
    return strikes(CALL_LINK) ? -1 : __real_linkat(a, from, b, to, flags);
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return strikes(CALL_RENAME) ? -1 : __real_renameat(a, from, b, to);
}

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    return strikes(CALL_WRITE) ? -1 : __real_write(fd, bytes, len);
}

static int setup_faults(void **state)
{
    memset(fault, 0, sizeof fault);
    return setup(state);
}

static uint64_t count(uint64_t *ret_bytes)
{
    uint64_t files = 0;
    assert_int_equal(upload_files_count(uploads_root(h.worker.uploads), SLICE("."), 0, &files, ret_bytes), 0);
    return files;
}

static void assert_counts(uint64_t files, uint64_t bytes)
{
    uint64_t found_bytes = 0;
    assert_int_equal(count(&found_bytes), files);
    assert_int_equal(found_bytes, bytes);
}

static void what_a_phone_sent_is_served_under_its_name_in_any_case(void **state)
{
    struct stat st;
    (void)state;
    struct tree_question q = { SLICE(LOCAL) };
    struct tree_file file;
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_ABSENT);
    assert_int_equal(put_up("/desk/00156574B150-Local.CFG", "one"), UPLOAD_FINE);
    assert_file(LOCAL, "one");
    assert_served(LOCAL, "one");
    assert_served("//desk/00156574B150-LOCAL.cfg", "one");
    assert_int_equal(put_up(LOCAL, "two"), UPLOAD_FINE);
    assert_served(LOCAL, "two");
    assert_int_equal(stat("state/uploads/" LOCAL, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    h.config.upload_mode = SLICE("0644");
    assert_int_equal(put_up("00156574b150-sys.log", "log"), UPLOAD_FINE);
    assert_int_equal(stat("state/uploads/00156574b150-sys.log", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    /* Removed behind our back. */
    assert_int_equal(unlink("state/uploads/" LOCAL), 0);
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_ABSENT);
}

static void R22_only_names_that_phones_send_are_taken(void **state)
{
    static const char *const good[] = { "00156574b150-local.cfg", "00156574b150-contact.xml",
                                        "00156574b150-calllog.xml", "00156574b150-all.cfg",
                                        "00156574b150-boot.log", "00156574b150-sys.log" };
    static const char *const bad[] = { "", "/", "desk", "desk/00156574b150.cfg", "00156574b150.boot", "x.cfg",
                                       "y000000000000.boot", "../00156574b150-local.cfg",
                                       "desk/../00156574b150-local.cfg", "00156574b150-local.cfg/",
                                       "desk//00156574b150-local.cfg", "desk\\00156574b150-local.cfg",
                                       ".git/00156574b150-local.cfg", ".00156574b150-local.cfg.1",
                                       "00156574b150-local.cfg.1", "00156574b15-local.cfg", "-local.cfg" };
    struct upload *u;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(put_up(good[i], "x"), UPLOAD_FINE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(begin(bad[i], &u), UPLOAD_BAD_NAME);
    assert_int_equal(begin("nowhere/00156574b150-local.cfg", &u), UPLOAD_NO_DIRECTORY);
    assert_int_equal(begin("desk/00156574b150.cfg/00156574b150-local.cfg", &u), UPLOAD_NO_DIRECTORY);
    assert_counts(6, 6);
}

static void R22_a_phone_that_is_known_sends_only_its_own(void **state)
{
    struct upload *u;
    struct mac own = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } }, other = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } };
    union address peer;
    struct upload_request r = { .name = SLICE(LOCAL), .caller = { .agent = &other } };
    (void)state;
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    r.caller.peer = &peer;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_STRANGER);
    r.caller.agent = &own;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FINE);
    upload_abort(u);
}

static void R22_what_the_tree_serves_is_never_overwritten(void **state)
{
    struct upload *u;
    (void)state;
    put("root/desk/00156574B150-contact.xml", "the administrator's");
    assert_int_equal(begin("desk/00156574b150-contact.xml", &u), UPLOAD_EXISTS);
    assert_int_equal(symlink("/etc/passwd", "root/desk/00156574b150-sys.log"), 0);
    assert_int_equal(begin("desk/00156574b150-sys.log", &u), UPLOAD_EXISTS);
    h.config.upload_overwrite = false;
    assert_int_equal(put_up(LOCAL, "one"), UPLOAD_FINE);
    assert_int_equal(begin(LOCAL, &u), UPLOAD_EXISTS);
    assert_file(LOCAL, "one");
}

/* A link in the uploads' directory can only come from somebody else; it is replaced or refused, never followed. */
static void R22_no_symbolic_link_is_followed(void **state)
{
    struct stat st;
    (void)state;
    put("outside", "outside");
    assert_int_equal(mkdir("state/uploads/desk", 0700), 0);
    assert_int_equal(symlink("../../../outside", "state/uploads/" LOCAL), 0);
    assert_int_equal(put_up(LOCAL, "mine"), UPLOAD_BROKEN);
    assert_int_equal(stat("outside", &st), 0);
    assert_int_equal(st.st_size, 7);
    assert_int_equal(rename("state/uploads/desk", "state/uploads/other"), 0);
    assert_int_equal(symlink("../../root", "state/uploads/desk"), 0);
    assert_int_equal(put_up(LOCAL, "mine"), UPLOAD_BROKEN);
    assert_int_equal(access("root/00156574b150-local.cfg", F_OK), -1);
}

static void nothing_is_on_the_disk_before_the_first_byte_and_after_an_abort(void **state)
{
    struct upload *u;
    (void)state;
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    assert_int_equal(access("state/uploads/desk", F_OK), -1);
    upload_abort(u);
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, SLICE("half")), UPLOAD_FINE);
    assert_int_equal(upload_bytes(u), 4);
    assert_file(LOCAL, NULL);
    upload_abort(u);
    assert_counts(0, 0);
    /* An empty file is a file. */
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    assert_int_equal(finish(u), UPLOAD_FINE);
    assert_file(LOCAL, "");
}

static void older_versions_are_kept_up_to_the_number_and_the_same_again_is_none(void **state)
{
    static const char *const texts[] = { "a", "bb", "ccc", "ccc", "dddd" };
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(put_up(LOCAL, texts[i]), UPLOAD_FINE);
    assert_file(LOCAL, "dddd");
    assert_file("desk/.00156574b150-local.cfg.1", "ccc");
    assert_file("desk/.00156574b150-local.cfg.2", "bb");
    assert_file("desk/.00156574b150-local.cfg.3", NULL);
    assert_counts(3, 9);
    /* Fewer from now on: what is too many goes. */
    h.config.upload_versions = 1;
    assert_int_equal(put_up(LOCAL, "e"), UPLOAD_FINE);
    assert_file("desk/.00156574b150-local.cfg.1", "dddd");
    assert_file("desk/.00156574b150-local.cfg.2", NULL);
    h.config.upload_versions = 0;
    assert_int_equal(put_up(LOCAL, "ff"), UPLOAD_FINE);
    assert_counts(1, 2);
}

static void R22_sizes_and_numbers_are_refused_before_anything_is_written(void **state)
{
    struct upload *u, *more;
    char large[5001];
    union address peer;
    struct upload_request r = { .name = SLICE(LOCAL), .has_size = true, .size = 5001 };
    (void)state;
    memset(large, 'x', sizeof large);
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    r.caller.peer = &peer;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_TOO_LARGE);
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, slice_of(large, 5000)), UPLOAD_FINE);
    assert_int_equal(upload_write(u, SLICE("x")), UPLOAD_TOO_LARGE);
    upload_abort(u);
    h.config.upload_file_max = 2 << 20;
    r.size = (1 << 20) + 1;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FULL);
    /* What is under way counts. */
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    for (size_t at = 0; at < 1 << 20; at += 4096)
        assert_int_equal(upload_write(u, slice_of(large, 4096)), UPLOAD_FINE);
    assert_int_equal(begin("00156574b150-sys.log", &more), UPLOAD_FINE);
    assert_int_equal(upload_write(more, SLICE("x")), UPLOAD_FULL);
    upload_abort(more);
    upload_abort(u);
    h.config.upload_files = 1;
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    assert_int_equal(begin("00156574b150-sys.log", &more), UPLOAD_FULL);
    h.config.upload_files = 100;
    h.config.upload_at_once = 1;
    assert_int_equal(begin("00156574b150-sys.log", &more), UPLOAD_BUSY);
    upload_abort(u);
    assert_int_equal(put_up(LOCAL, "fits again"), UPLOAD_FINE);
}

static void the_quota_follows_what_versions_take_and_give(void **state)
{
    struct upload *u;
    char bytes[32];
    (void)state;
    h.config.upload_files = 4;
    for (unsigned i = 0; i < 20; i++) {
        snprintf(bytes, sizeof bytes, "%u", i);
        assert_int_equal(put_up(LOCAL, bytes), UPLOAD_FINE);
        assert_int_equal(put_up(LOCAL, bytes), UPLOAD_FINE);
    }
    assert_counts(3, 6);
    assert_int_equal(begin("00156574b150-sys.log", &u), UPLOAD_FINE);
    upload_abort(u);
    h.config.upload_files = 3;
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FULL);
    /* The operator makes room and says so. */
    assert_int_equal(unlink("state/uploads/desk/.00156574b150-local.cfg.2"), 0);
    uploads_recount(h.worker.uploads);
    assert_int_equal(put_up(LOCAL, "new"), UPLOAD_FINE);
}

static void one_address_has_its_rate(void **state)
{
    unsigned fine = 0;
    struct upload *u;
    (void)state;
    h.config.upload_rate = 1;
    for (unsigned i = 0; i < 2 * UPLOAD_BURST_S; i++)
        if (begin(LOCAL, &u) == UPLOAD_FINE) {
            fine++;
            upload_abort(u);
        }
    assert_int_equal(fine, UPLOAD_BURST_S);
    assert_int_equal(begin(LOCAL, &u), UPLOAD_TOO_OFTEN);
}

/* Two versions and the current file "old". */
static void put_three(void)
{
    assert_int_equal(system("rm -rf state/uploads/desk"), 0);
    uploads_recount(h.worker.uploads);
    assert_int_equal(put_up(LOCAL, "zero"), UPLOAD_FINE);
    assert_int_equal(put_up(LOCAL, "one"), UPLOAD_FINE);
    assert_int_equal(put_up(LOCAL, "old"), UPLOAD_FINE);
}

static void R22_every_fault_of_the_disk_leaves_the_old_file(void **state)
{
    static const struct {
        enum call call;
        unsigned nth;
        int error;
        enum upload_answer answer;
    } faults[] = {
        { CALL_WRITE, 1, ENOSPC, UPLOAD_FULL },   { CALL_WRITE, 1, EDQUOT, UPLOAD_FULL },
        { CALL_WRITE, 1, EIO, UPLOAD_BROKEN },    { CALL_FSYNC, 1, EIO, UPLOAD_BROKEN },
        { CALL_FSYNC, 1, ENOSPC, UPLOAD_FULL },   { CALL_FSYNC, 2, EIO, UPLOAD_BROKEN },
        { CALL_LINK, 1, EMLINK, UPLOAD_BROKEN },  { CALL_RENAME, 1, ENOSPC, UPLOAD_FULL },
        { CALL_RENAME, 2, EIO, UPLOAD_BROKEN },
    };
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        put_three();
        fault[faults[i].call].nth = faults[i].nth;
        fault[faults[i].call].error = faults[i].error;
        assert_int_equal(put_up(LOCAL, "new"), faults[i].answer);
        assert_int_equal(fault[faults[i].call].nth, 0);
        assert_served(LOCAL, "old");
        uint64_t bytes;
        assert_in_range(count(&bytes), 2, 3);
    }
    assert_int_equal(put_up(LOCAL, "new"), UPLOAD_FINE);
    assert_served(LOCAL, "new");
}

static void faults_again_and_again_cost_no_more_than_one_version(void **state)
{
    (void)state;
    for (enum call call = CALL_FSYNC; call < CALLS; call++) {
        put_three();
        for (unsigned i = 0; i < 10; i++) {
            fault[call].nth = call == CALL_RENAME && i == 0 ? 2 : 1;
            fault[call].error = EIO;
            assert_int_equal(put_up(LOCAL, "new"), UPLOAD_BROKEN);
            assert_file(LOCAL, "old");
        }
        assert_int_equal(put_up(LOCAL, "new"), UPLOAD_FINE);
        assert_file(LOCAL, "new");
        assert_file("desk/.00156574b150-local.cfg.1", "old");
        assert_file("desk/.00156574b150-local.cfg.2", "one");
        assert_counts(3, 9);
    }
}

/* The first of all tests: its children may start threads only as long as this process has none (ThreadSanitizer).
 * The process dies at each step of a commit; the next one finds the old file whole and no rest. */
static void R22_a_crash_between_any_two_steps_leaves_the_old_file_or_the_new_one(void **state)
{
    static const struct {
        enum call call;
        unsigned nth;
        const char *left;
    } steps[] = { { CALL_WRITE, 1, "old" },  { CALL_FSYNC, 1, "old" }, { CALL_FSYNC, 2, "old" }, { CALL_RENAME, 1, "old" },
                  { CALL_LINK, 1, "old" },   { CALL_RENAME, 2, "old" }, { CALL_FSYNC, 3, "new" } };
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int status;
        close_uploads();
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            open_uploads();
            put_three();
            fault[steps[i].call].nth = steps[i].nth;
            fault[steps[i].call].die = true;
            put_up(LOCAL, "new");
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
        open_uploads();
        assert_served(LOCAL, steps[i].left);
        assert_int_equal(system("! ls -A state/uploads/desk | grep -q tmp"), 0);
    }
}

static void R22_a_full_disk_keeps_the_old_file(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    close_uploads();
    if (mount("none", "state/uploads", "tmpfs", 0, "size=64k") < 0) {
        print_message("no tmpfs may be mounted here\n");
        open_uploads();
        skip();
    }
    open_uploads();
    h.config.upload_file_max = 1 << 20;
    assert_int_equal(put_up(LOCAL, "old"), UPLOAD_FINE);
    struct upload *u;
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    enum upload_answer answer = UPLOAD_FINE;
    for (unsigned i = 0; i < 32 && answer == UPLOAD_FINE; i++)
        answer = upload_write(u, slice_of(bytes, sizeof bytes));
    assert_int_equal(answer, UPLOAD_FULL);
    upload_abort(u);
    assert_served(LOCAL, "old");
    assert_int_equal(put_up(LOCAL, "new"), UPLOAD_FINE);
    close_uploads();
    assert_int_equal(umount("state/uploads"), 0);
}

static void an_upload_that_nobody_waits_for_any_more_is_stored_all_the_same(void **state)
{
    struct upload *u;
    (void)state;
    assert_int_equal(begin(LOCAL, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, SLICE("x")), UPLOAD_FINE);
    upload_commit(u, on_done, &h);
    upload_leave(u);
    close_uploads();
    assert_int_equal(answers, 0);
    assert_file(LOCAL, "x");
}

static void two_servers_do_not_share_a_directory(void **state)
{
    struct uploads *second;
    (void)state;
    assert_int_equal(uploads_open("state/uploads", 1, &second), -EWOULDBLOCK);
}

#define upload_test(f) cmocka_unit_test_setup_teardown(f, setup_faults, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        upload_test(R22_a_crash_between_any_two_steps_leaves_the_old_file_or_the_new_one),
        upload_test(what_a_phone_sent_is_served_under_its_name_in_any_case),
        upload_test(R22_only_names_that_phones_send_are_taken),
        upload_test(R22_a_phone_that_is_known_sends_only_its_own),
        upload_test(R22_what_the_tree_serves_is_never_overwritten),
        upload_test(R22_no_symbolic_link_is_followed),
        upload_test(nothing_is_on_the_disk_before_the_first_byte_and_after_an_abort),
        upload_test(older_versions_are_kept_up_to_the_number_and_the_same_again_is_none),
        upload_test(R22_sizes_and_numbers_are_refused_before_anything_is_written),
        upload_test(the_quota_follows_what_versions_take_and_give),
        upload_test(one_address_has_its_rate),
        upload_test(R22_every_fault_of_the_disk_leaves_the_old_file),
        upload_test(faults_again_and_again_cost_no_more_than_one_version),
        upload_test(R22_a_full_disk_keeps_the_old_file),
        upload_test(an_upload_that_nobody_waits_for_any_more_is_stored_all_the_same),
        upload_test(two_servers_do_not_share_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
