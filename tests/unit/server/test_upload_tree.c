/* Writing into the tree itself, where an access rule lets it. Calls that the linker wraps fail where a test says. */
#include "tests/unit/server/upload_house.h"

#include "server/users.h"
#include "tests/unit/server/access_rules.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct access *rules;

/* Makes one call fail with this errno; 0: none; below 0, the -n-th call from now on ends the process. */
static struct {
    int fsync, rename, write;
} fault;

static int strike(int *error)
{
    int now = *error;
    if (now == -1)
        _exit(7);
    *error = now < 0 ? now + 1 : 0;
    errno = now;
    return now > 0 ? now : 0;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return strike(&fault.fsync) ? -1 : __real_fsync(fd);
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return strike(&fault.rename) ? -1 : __real_renameat(a, from, b, to);
}

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    return strike(&fault.write) ? -1 : __real_write(fd, bytes, len);
}

static void set_rules(const char *text)
{
    access_close(rules);
    rules = access_of(text, "");
    assert_non_null(rules);
    h.worker.access = rules;
    uploads_survey(h.worker.uploads, &h.root, rules);
}

static int setup_rules(void **state)
{
    memset(&fault, 0, sizeof fault);
    return setup(state);
}

static int teardown_rules(void **state)
{
    access_close(rules);
    rules = NULL;
    return teardown(state);
}

static enum upload_answer start(const char *name, enum access_write write, bool append, uint64_t offset,
                                struct upload **ret_upload)
{
    union address peer;
    struct upload_request r = { .name = slice_str(name), .write = write, .append = append, .offset = offset };
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    r.caller.peer = &peer;
    return upload_begin(&h.worker, &r, ret_upload);
}

static enum upload_answer store(const char *name, enum access_write write, const char *text)
{
    struct upload *u;
    enum upload_answer answer = start(name, write, false, 0, &u);
    if (answer == UPLOAD_FINE && (answer = upload_write(u, slice_str(text))) != UPLOAD_FINE)
        upload_abort(u);
    return answer == UPLOAD_FINE ? finish(u) : answer;
}

static enum upload_answer add(const char *name, bool append, uint64_t offset, const char *text)
{
    struct upload *u;
    enum upload_answer answer = start(name, ACCESS_WRITE_OVERWRITE, append, offset, &u);
    if (answer == UPLOAD_FINE) {
        assert_int_equal(upload_write(u, slice_str(text)), UPLOAD_FINE);
        assert_int_equal(upload_bytes(u), strlen(text));
    }
    return answer == UPLOAD_FINE ? finish(u) : answer;
}

static void assert_text(const char *path, const char *text)
{
    char bytes[128] = "";
    FILE *f = fopen(path, "r");
    assert_true(f || !text);
    if (!f)
        return;
    assert_non_null(text);
    assert_int_equal(fread(bytes, 1, sizeof bytes - 1, f), strlen(text));
    fclose(f);
    assert_string_equal(bytes, text);
}

static void assert_no_rest(void)
{
    assert_int_equal(system("! find root | grep -q tmp"), 0);
}

static void assert_mode(const char *path, mode_t mode)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void create_writes_new_names_and_overwrite_any(void **state)
{
    struct upload *u;
    (void)state;
    assert_int_equal(start("desk/new.cfg", ACCESS_WRITE_UPLOADS, false, 0, &u), UPLOAD_BAD_NAME);
    assert_int_equal(store("/desk/new.cfg", ACCESS_WRITE_CREATE, "one"), UPLOAD_FINE);
    assert_text("root/desk/new.cfg", "one");
    assert_int_equal(start("desk/new.cfg", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_EXISTS);
    assert_int_equal(store("desk/new.cfg", ACCESS_WRITE_OVERWRITE, "two"), UPLOAD_FINE);
    assert_text("root/desk/new.cfg", "two");
    assert_mode("root/desk/new.cfg", 0600);
    assert_int_equal(store("top", ACCESS_WRITE_OVERWRITE, ""), UPLOAD_FINE);
    assert_text("root/top", "");
    assert_no_rest();
    /* The tree's memory follows. */
    struct tree_question q = { SLICE("desk/new.cfg") };
    struct tree_file file;
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_FILE);
    assert_false(file.uploaded);
    assert_slice(blob_bytes(file.blob), "two");
    tree_file_release(&file);
}

static void R22_no_right_to_execute_survives_an_overwriting(void **state)
{
    (void)state;
    put("root/run", "x");
    assert_int_equal(chmod("root/run", 06755), 0);
    assert_int_equal(store("run", ACCESS_WRITE_OVERWRITE, "y"), UPLOAD_FINE);
    assert_mode("root/run", 0644);
}

static void what_phones_send_stays_among_the_uploads_whatever_the_rule(void **state)
{
    (void)state;
    assert_int_equal(store("desk/00156574b150-local.cfg", ACCESS_WRITE_OVERWRITE, "sent"), UPLOAD_FINE);
    assert_text("state/uploads/desk/00156574b150-local.cfg", "sent");
    assert_text("root/desk/00156574b150-local.cfg", NULL);
    /* What the tree has of the kind is in the way, but for who may overwrite. */
    put("root/desk/00156574b150-contact.xml", "the administrator's");
    struct upload *u;
    assert_int_equal(start("desk/00156574b150-contact.xml", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_EXISTS);
    assert_int_equal(store("desk/00156574b150-contact.xml", ACCESS_WRITE_OVERWRITE, "new"), UPLOAD_FINE);
    assert_text("root/desk/00156574b150-contact.xml", "new");
    /* A phone may not replace its own: who may overwrite may. */
    h.config.upload_overwrite = false;
    assert_int_equal(start("desk/00156574b150-local.cfg", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_EXISTS);
    assert_int_equal(store("desk/00156574b150-local.cfg", ACCESS_WRITE_OVERWRITE, "again"), UPLOAD_FINE);
}

static void a_file_of_another_spelling_is_the_one_that_is_overwritten(void **state)
{
    struct upload *u;
    (void)state;
    put("root/desk/001565AABBCC.cfg", "old");
    assert_int_equal(start("desk/001565aabbcc.cfg", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_EXISTS);
    assert_int_equal(store("desk/001565aabbcc.cfg", ACCESS_WRITE_OVERWRITE, "new"), UPLOAD_FINE);
    assert_text("root/desk/001565AABBCC.cfg", "new");
    assert_text("root/desk/001565aabbcc.cfg", NULL);
}

static void where_case_does_not_count_nothing_is_written_beside_what_is_there(void **state)
{
    struct upload *u;
    (void)state;
    h.config.root_ignore_case = true;
    tree_ignore_case(h.worker.tree);
    put("root/desk/Ring.wav", "old");
    assert_int_equal(start("desk/ring.wav", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_EXISTS);
    assert_int_equal(store("DESK/RING.WAV", ACCESS_WRITE_OVERWRITE, "new"), UPLOAD_FINE);
    assert_text("root/desk/Ring.wav", "new");
    assert_int_equal(store("Desk/New.cfg", ACCESS_WRITE_CREATE, "x"), UPLOAD_FINE);
    assert_text("root/desk/New.cfg", "x");
    assert_int_equal(store("DESK/00156574b150-local.cfg", ACCESS_WRITE_UPLOADS, "sent"), UPLOAD_FINE);
    assert_text("state/uploads/desk/00156574b150-local.cfg", "sent");
    assert_served("desk/00156574b150-local.cfg", "sent");
    assert_served("dESK/00156574B150-local.cfg", "sent");
    assert_int_equal(system("test $(ls root/desk | wc -l) = 3 && test $(ls root | wc -l) = 1"), 0);
}

static void R22_names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = { "", "/", "../x", "desk/../x", "desk//x", "desk\\x", ".hidden", "desk/.hidden",
                                       ".git/x", "desk/.dialtone-1-2.tmp", "desk/", "x\n" };
    struct upload *u;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(start(bad[i], ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_BAD_NAME);
    assert_int_equal(start("nowhere/x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_NO_DIRECTORY);
    assert_int_equal(start("desk/00156574b150.cfg/x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_NO_DIRECTORY);
    assert_int_equal(start("desk", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_EXISTS);
}

static void R22_no_symbolic_link_in_the_tree_is_written_through(void **state)
{
    struct upload *u;
    (void)state;
    put("outside", "outside");
    put("root/inside", "inside");
    assert_int_equal(mkdir("elsewhere", 0755), 0);
    assert_int_equal(symlink("../outside", "root/link"), 0);
    assert_int_equal(symlink("inside", "root/within"), 0);
    assert_int_equal(symlink("../elsewhere", "root/out"), 0);
    assert_int_equal(symlink("desk", "root/alias"), 0);
    for (int follow = 0; follow < 2; follow++) {
        h.root.follow_symlinks = follow;
        tree_forget(h.worker.tree);
        assert_int_equal(start("link", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_EXISTS);
        assert_int_equal(start("within", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_EXISTS);
        assert_int_equal(start("out/x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_NO_DIRECTORY);
        assert_int_equal(start("alias/x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_NO_DIRECTORY);
    }
    /* One that is made between check and use is replaced itself. */
    assert_int_equal(start("new", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_FINE);
    assert_int_equal(symlink("../outside", "root/new"), 0);
    assert_int_equal(upload_write(u, SLICE("mine")), UPLOAD_FINE);
    assert_int_equal(finish(u), UPLOAD_FINE);
    assert_text("outside", "outside");
    assert_text("root/new", "mine");
}

static void of_two_that_create_one_name_at_once_one_is_refused(void **state)
{
    struct upload *first, *second;
    (void)state;
    assert_int_equal(start("x", ACCESS_WRITE_CREATE, false, 0, &first), UPLOAD_FINE);
    assert_int_equal(start("x", ACCESS_WRITE_CREATE, false, 0, &second), UPLOAD_FINE);
    assert_int_equal(upload_write(first, SLICE("first")), UPLOAD_FINE);
    assert_int_equal(upload_write(second, SLICE("second")), UPLOAD_FINE);
    assert_int_equal(finish(second), UPLOAD_FINE);
    assert_int_equal(finish(first), UPLOAD_EXISTS);
    assert_text("root/x", "second");
    assert_no_rest();
}

static void R22_a_phone_that_is_known_writes_no_other_phones_name(void **state)
{
    struct mac own = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    union address peer;
    struct upload *u;
    struct user login = { .name = SLICE("00:15:65:74:b1:50") };
    const struct caller callers[] = { { .agent = &own }, { .certificate = &own }, { .user = &login } };
    (void)state;
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    for (size_t i = 0; i < 3; i++) {
        struct upload_request r = { callers[i], SLICE("00156574b16e.cfg"), ACCESS_WRITE_OVERWRITE, false, 0, false, 0 };
        r.caller.peer = &peer;
        assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_STRANGER);
        r.name = SLICE("00156574B150.cfg");
        assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FINE);
        upload_abort(u);
        r.name = SLICE("ring.wav");
        assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FINE);
        upload_abort(u);
    }
}

static void bytes_are_appended_or_follow_an_offset(void **state)
{
    struct upload *u;
    (void)state;
    assert_int_equal(add("log", true, 0, "one "), UPLOAD_FINE);
    assert_int_equal(add("log", true, 0, "two "), UPLOAD_FINE);
    assert_text("root/log", "one two ");
    assert_int_equal(add("log", false, 4, "TWO and three"), UPLOAD_FINE);
    assert_text("root/log", "one TWO and three");
    assert_int_equal(add("log", false, 17, "."), UPLOAD_FINE);
    assert_int_equal(add("log", false, 3, ""), UPLOAD_FINE);
    assert_text("root/log", "one");
    assert_int_equal(start("log", ACCESS_WRITE_OVERWRITE, false, 4, &u), UPLOAD_BAD_OFFSET);
    assert_int_equal(start("none", ACCESS_WRITE_OVERWRITE, false, 1, &u), UPLOAD_ABSENT);
    assert_int_equal(start("log", ACCESS_WRITE_CREATE, true, 0, &u), UPLOAD_EXISTS);
    /* Of what a phone sent too. */
    assert_int_equal(add("00156574b150-sys.log", true, 0, "line 1\n"), UPLOAD_FINE);
    assert_int_equal(add("00156574b150-sys.log", true, 0, "line 2\n"), UPLOAD_FINE);
    assert_text("state/uploads/00156574b150-sys.log", "line 1\nline 2\n");
    assert_text("state/uploads/.00156574b150-sys.log.1", "line 1\n");
    assert_no_rest();
}

/* Longer than what is copied at once; the old file may go meanwhile. */
static void an_appended_file_is_whole_though_the_old_one_went(void **state)
{
    static char bytes[100001];
    struct upload *u;
    (void)state;
    memset(bytes, 'a', sizeof bytes - 1);
    put("root/big", bytes);
    assert_int_equal(start("big", ACCESS_WRITE_OVERWRITE, true, 0, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, SLICE("end")), UPLOAD_FINE);
    struct stat st;
    assert_int_equal(stat("root/big", &st), 0);
    assert_int_equal(st.st_size, 100000);
    assert_int_equal(unlink("root/big"), 0);
    assert_int_equal(finish(u), UPLOAD_FINE);
    assert_int_equal(system("test $(tr -d a < root/big) = end && test $(wc -c < root/big) = 100003"), 0);
}

static void R22_an_upload_into_the_tree_that_breaks_off_leaves_the_old_file(void **state)
{
    struct upload *u;
    (void)state;
    put("root/x", "old");
    assert_int_equal(start("x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, SLICE("half")), UPLOAD_FINE);
    assert_text("root/x", "old");
    /* Nobody sees the half. */
    struct tree_question q = { SLICE("") };
    struct tree_file file;
    struct tree_listing *l;
    struct tree_entry e;
    enum tree_step step;
    assert_int_equal(tree_list(h.worker.tree, q.name, &l), TREE_DIRECTORY);
    while ((step = tree_listing_next(l, &e)) != TREE_STEP_END)
        if (step == TREE_STEP_ENTRY)
            assert_false(slice_ends(e.name, SLICE(".tmp")));
    tree_listing_close(l);
    assert_int_equal(system("ls -A root | grep -q 'dialtone-.*tmp'"), 0);
    FILE *p = popen("ls -A root | grep tmp", "r");
    char name[64];
    assert_non_null(fgets(name, sizeof name, p));
    pclose(p);
    q.name = slice_trim(slice_str(name));
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_ABSENT);
    upload_abort(u);
    assert_text("root/x", "old");
    assert_no_rest();
}

static void R22_every_fault_of_the_disk_leaves_the_old_file_in_the_tree(void **state)
{
    static const struct {
        int *call;
        int error;
        enum upload_answer answer;
    } faults[] = { { &fault.write, ENOSPC, UPLOAD_FULL },   { &fault.write, EDQUOT, UPLOAD_FULL },
                   { &fault.write, EIO, UPLOAD_BROKEN },    { &fault.fsync, EIO, UPLOAD_BROKEN },
                   { &fault.fsync, ENOSPC, UPLOAD_FULL },   { &fault.rename, EIO, UPLOAD_BROKEN },
                   { &fault.rename, EDQUOT, UPLOAD_FULL },  { &fault.rename, EROFS, UPLOAD_READ_ONLY } };
    (void)state;
    put("root/x", "old");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        *faults[i].call = faults[i].error;
        assert_int_equal(store("x", ACCESS_WRITE_OVERWRITE, "new"), faults[i].answer);
        assert_int_equal(*faults[i].call, 0);
        assert_text("root/x", "old");
        assert_no_rest();
    }
    assert_int_equal(store("x", ACCESS_WRITE_OVERWRITE, "new"), UPLOAD_FINE);
    assert_text("root/x", "new");
}

/* What storing x came to in a process of its own, one call of which may fail; 7 when that ended it. */
static int store_in_child(int *call, int how)
{
    int status;
    close_uploads();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        open_uploads();
        *call = how;
        _exit((int)store("x", ACCESS_WRITE_OVERWRITE, "new"));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    open_uploads();
    return WEXITSTATUS(status);
}

/* The first of all tests: its children may start threads only as long as this process has none. */
static void R22_a_crash_between_any_two_steps_leaves_the_old_file_or_the_new_one_in_the_tree(void **state)
{
    static const struct {
        int *call, how;
        const char *left;
    } steps[] = { { &fault.write, -1, "old" },  { &fault.fsync, -1, "old" }, { &fault.fsync, -2, "old" },
                  { &fault.rename, -1, "old" }, { &fault.fsync, -3, "new" } };
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        put("root/x", "old");
        assert_int_equal(store_in_child(steps[i].call, steps[i].how), 7);
        assert_text("root/x", steps[i].left);
        assert_int_equal(store_in_child(&fault.write, 0), UPLOAD_FINE);
        assert_text("root/x", "new");
    }
}

/* A real refusal of the kernel's, without any privilege: the process may write no file beyond 64 KiB. */
static void R22_a_file_size_limit_in_the_middle_leaves_the_old_file(void **state)
{
    struct rlimit before, small;
    struct upload *u;
    char bytes[4096];
    (void)state;
    put("root/x", "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 65536;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(start("x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_FINE);
    enum upload_answer answer = UPLOAD_FINE;
    unsigned blocks = 0;
    for (; blocks < 32 && answer == UPLOAD_FINE; blocks++)
        answer = upload_write(u, slice_of(bytes, sizeof bytes));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(answer, UPLOAD_FULL);
    assert_int_equal(blocks, 17);
    upload_abort(u);
    assert_text("root/x", "old");
    assert_no_rest();
}

static void R22_a_rules_ceilings_hold_before_anything_is_written(void **state)
{
    static char mib[1 << 20];
    struct upload *u, *other;
    (void)state;
    set_rules("access.1.prefix = /desk\naccess.1.anonymous = 1\naccess.1.write = overwrite\naccess.1.file_max = 1\n"
              "access.1.directory_max = 2\n");
    memset(mib, 'x', sizeof mib);
    assert_int_equal(start("desk/x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, slice_of(mib, sizeof mib)), UPLOAD_FINE);
    assert_int_equal(upload_write(u, SLICE("x")), UPLOAD_TOO_LARGE);
    upload_abort(u);
    union address peer;
    struct upload_request r = { .name = SLICE("desk/x"), .write = ACCESS_WRITE_OVERWRITE, .has_size = true };
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    r.caller.peer = &peer;
    r.size = sizeof mib + 1;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_TOO_LARGE);
    /* Two of a MiB and their entries are more than two MiB; and what is under way counts. */
    assert_int_equal(start("desk/x", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, slice_of(mib, sizeof mib)), UPLOAD_FINE);
    assert_int_equal(start("desk/y", ACCESS_WRITE_OVERWRITE, false, 0, &other), UPLOAD_FINE);
    assert_int_equal(upload_write(other, slice_of(mib, sizeof mib)), UPLOAD_FULL);
    upload_abort(other);
    assert_int_equal(finish(u), UPLOAD_FINE);
    r.name = SLICE("desk/y");
    r.size = sizeof mib;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FULL);
    r.size = sizeof mib - 6 * 4096;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FINE);
    upload_abort(u);
    /* Replaced again and again it takes its place once. */
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(store("desk/x", ACCESS_WRITE_OVERWRITE, "small"), UPLOAD_FINE);
    r.size = sizeof mib;
    assert_int_equal(upload_begin(&h.worker, &r, &u), UPLOAD_FINE);
    upload_abort(u);
    /* Elsewhere there is no such ceiling. */
    assert_int_equal(start("y", ACCESS_WRITE_OVERWRITE, false, 0, &u), UPLOAD_FINE);
    assert_int_equal(upload_write(u, slice_of(mib, sizeof mib)), UPLOAD_FINE);
    assert_int_equal(upload_write(u, slice_of(mib, sizeof mib)), UPLOAD_FINE);
    upload_abort(u);
}

static void what_others_put_into_a_directory_counts_from_the_next_survey(void **state)
{
    struct upload *u;
    (void)state;
    assert_int_equal(system("head -c 1100000 /dev/zero > root/desk/firmware.rom"), 0);
    set_rules("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = create\naccess.1.directory_max = 1\n");
    assert_int_equal(start("x", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_FULL);
    assert_int_equal(start("00156574b150-local.cfg", ACCESS_WRITE_CREATE, false, 0, &u), UPLOAD_FULL);
    assert_int_equal(unlink("root/desk/firmware.rom"), 0);
    uploads_survey(h.worker.uploads, &h.root, rules);
    assert_int_equal(store("x", ACCESS_WRITE_CREATE, "fits"), UPLOAD_FINE);
    /* Empty files fill a directory too. */
    char name[32];
    unsigned count = 0;
    for (enum upload_answer answer = UPLOAD_FINE; answer == UPLOAD_FINE && count < 1000; count++) {
        snprintf(name, sizeof name, "empty%u", count);
        answer = store(name, ACCESS_WRITE_CREATE, "");
    }
    assert_in_range(count, 240, 256);
}

static void what_a_dead_server_left_in_the_tree_goes_after_an_hour(void **state)
{
    (void)state;
    put("root/desk/.dialtone-1-1.tmp", "old");
    put("root/desk/.dialtone-1-2.tmp", "young");
    assert_int_equal(system("touch -d '2 hours ago' root/desk/.dialtone-1-1.tmp"), 0);
    set_rules("access.1.prefix = /\naccess.1.write = create\n");
    assert_int_equal(access("root/desk/.dialtone-1-1.tmp", F_OK), -1);
    assert_int_equal(access("root/desk/.dialtone-1-2.tmp", F_OK), 0);
}

static void without_uploads_rules_still_let_the_tree_be_written(void **state)
{
    struct upload *u;
    (void)state;
    uploads_close(h.worker.uploads);
    tree_close(h.worker.tree);
    assert_int_equal(uploads_open(NULL, 1, &h.worker.uploads), 0);
    assert_null(uploads_root(h.worker.uploads));
    assert_int_equal(tree_open(&h.root, "root", &h.worker.loop, &h.worker.tree), 0);
    assert_int_equal(start("00156574b150-local.cfg", ACCESS_WRITE_UPLOADS, false, 0, &u), UPLOAD_OFF);
    assert_int_equal(store("desk/x.cfg", ACCESS_WRITE_CREATE, "x"), UPLOAD_FINE);
    assert_int_equal(store("00156574b150-local.cfg", ACCESS_WRITE_CREATE, "x"), UPLOAD_FINE);
    assert_text("root/00156574b150-local.cfg", "x");
}

static void a_directory_that_the_user_may_not_write_is_said_so(void **state)
{
    (void)state;
    bool is_root = geteuid() == 0;
    assert_int_equal(chmod("root/desk", 0555), 0);
    /* Root may write everywhere, so somebody else tries. */
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    enum upload_answer answer = store("desk/x", ACCESS_WRITE_CREATE, "x");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(answer, UPLOAD_READ_ONLY);
}

#define tree_test(f) cmocka_unit_test_setup_teardown(f, setup_rules, teardown_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        tree_test(R22_a_crash_between_any_two_steps_leaves_the_old_file_or_the_new_one_in_the_tree),
        tree_test(create_writes_new_names_and_overwrite_any),
        tree_test(R22_no_right_to_execute_survives_an_overwriting),
        tree_test(what_phones_send_stays_among_the_uploads_whatever_the_rule),
        tree_test(a_file_of_another_spelling_is_the_one_that_is_overwritten),
        tree_test(where_case_does_not_count_nothing_is_written_beside_what_is_there),
        tree_test(R22_names_that_lead_elsewhere_are_refused),
        tree_test(R22_no_symbolic_link_in_the_tree_is_written_through),
        tree_test(of_two_that_create_one_name_at_once_one_is_refused),
        tree_test(R22_a_phone_that_is_known_writes_no_other_phones_name),
        tree_test(bytes_are_appended_or_follow_an_offset),
        tree_test(an_appended_file_is_whole_though_the_old_one_went),
        tree_test(R22_an_upload_into_the_tree_that_breaks_off_leaves_the_old_file),
        tree_test(R22_every_fault_of_the_disk_leaves_the_old_file_in_the_tree),
        tree_test(R22_a_file_size_limit_in_the_middle_leaves_the_old_file),
        tree_test(R22_a_rules_ceilings_hold_before_anything_is_written),
        tree_test(what_others_put_into_a_directory_counts_from_the_next_survey),
        tree_test(what_a_dead_server_left_in_the_tree_goes_after_an_hour),
        tree_test(without_uploads_rules_still_let_the_tree_be_written),
        tree_test(a_directory_that_the_user_may_not_write_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
