/* Removing, renaming and directories, in the tree and among the uploads. */
#include "tests/unit/server/upload_house.h"

#include "server/change.h"
#include "tests/unit/server/access_rules.h"

static struct access *rules;
static union address peer;

#define ALL "access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = overwrite\n"
#define CREATE "access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = create\n"
#define LOCAL "desk/00156574b150-local.cfg"

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
    if (setup(state))
        return -1;
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    set_rules(ALL);
    put("root/desk/a.cfg", "a");
    return 0;
}

static int teardown_rules(void **state)
{
    access_close(rules);
    rules = NULL;
    return teardown(state);
}

static struct caller caller(void)
{
    return (struct caller){ .protocol = PROTOCOL_FTP, .peer = &peer };
}

static enum upload_answer del(const char *name)
{
    struct caller c = caller();
    return change_remove(&h.worker, &c, slice_str(name));
}

static enum upload_answer move(const char *from, const char *to)
{
    struct caller c = caller();
    return change_rename(&h.worker, &c, slice_str(from), slice_str(to));
}

static enum upload_answer make(const char *name)
{
    struct caller c = caller();
    return change_make_directory(&h.worker, &c, slice_str(name));
}

static enum upload_answer unmake(const char *name)
{
    struct caller c = caller();
    return change_remove_directory(&h.worker, &c, slice_str(name));
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void a_file_of_the_tree_is_removed(void **state)
{
    (void)state;
    assert_int_equal(del("/desk/a.cfg"), UPLOAD_FINE);
    assert_false(is_there("root/desk/a.cfg"));
    assert_int_equal(del("desk/a.cfg"), UPLOAD_ABSENT);
    assert_int_equal(del("desk"), UPLOAD_EXISTS);
    assert_int_equal(del("nowhere/x"), UPLOAD_NO_DIRECTORY);
    assert_int_equal(del("../x"), UPLOAD_FORBIDDEN);
    assert_int_equal(del(".hidden"), UPLOAD_BAD_NAME);
}

static void R22_rules_that_do_not_say_overwrite_let_nothing_be_changed(void **state)
{
    static const char *const no[] = { CREATE, "access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = uploads\n",
                                      "access.1.prefix = /\naccess.1.write = overwrite\n",
                                      ALL "access.1.protocols = http\n" };
    (void)state;
    assert_int_equal(put_up(LOCAL, "sent"), UPLOAD_FINE);
    for (size_t i = 0; i < 4; i++) {
        set_rules(no[i]);
        assert_int_equal(del("desk/a.cfg"), UPLOAD_FORBIDDEN);
        assert_int_equal(del(LOCAL), UPLOAD_FORBIDDEN);
        assert_int_equal(move("desk/a.cfg", "desk/b.cfg"), UPLOAD_FORBIDDEN);
        assert_int_equal(unmake("desk"), UPLOAD_FORBIDDEN);
        assert_int_equal(make("new"), i == 0 ? UPLOAD_FINE : UPLOAD_FORBIDDEN);
    }
    h.worker.access = NULL;
    assert_int_equal(del("desk/a.cfg"), UPLOAD_FORBIDDEN);
    assert_true(is_there("root/desk/a.cfg") && is_there("state/uploads/" LOCAL));
}

static void what_a_phone_sent_stays_as_a_version_when_it_is_removed(void **state)
{
    struct tree_question q = { SLICE(LOCAL) };
    struct tree_file file;
    (void)state;
    assert_int_equal(put_up(LOCAL, "one"), UPLOAD_FINE);
    assert_int_equal(put_up(LOCAL, "two"), UPLOAD_FINE);
    assert_int_equal(del("desk/00156574B150-LOCAL.cfg"), UPLOAD_FINE);
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_ABSENT);
    assert_false(is_there("state/uploads/" LOCAL));
    assert_int_equal(system("test $(cat state/uploads/desk/.00156574b150-local.cfg.1) = two"), 0);
    assert_int_equal(system("test $(cat state/uploads/desk/.00156574b150-local.cfg.2) = one"), 0);
    assert_int_equal(del(LOCAL), UPLOAD_ABSENT);
    /* The next one finds its versions. */
    assert_int_equal(put_up(LOCAL, "three"), UPLOAD_FINE);
    assert_int_equal(put_up(LOCAL, "four"), UPLOAD_FINE);
    assert_int_equal(system("test $(cat state/uploads/desk/.00156574b150-local.cfg.1) = three"), 0);
    assert_int_equal(system("test $(cat state/uploads/desk/.00156574b150-local.cfg.2) = two"), 0);
    h.config.upload_versions = 0;
    assert_int_equal(del(LOCAL), UPLOAD_FINE);
    assert_int_equal(system("test -z \"$(ls -A state/uploads/desk)\""), 0);
}

static void the_quota_follows_what_is_removed(void **state)
{
    (void)state;
    h.config.upload_versions = 0;
    h.config.upload_files = 1;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(put_up(LOCAL, "x"), UPLOAD_FINE);
        assert_int_equal(put_up("00156574b150-sys.log", "x"), UPLOAD_FULL);
        assert_int_equal(del(LOCAL), UPLOAD_FINE);
    }
}

static void a_file_is_renamed_over_another_only_where_that_may_be_overwritten(void **state)
{
    (void)state;
    put("root/b.cfg", "b");
    assert_int_equal(move("desk/a.cfg", "b.cfg"), UPLOAD_FINE);
    assert_int_equal(system("test $(cat root/b.cfg) = a && test ! -e root/desk/a.cfg"), 0);
    assert_int_equal(move("b.cfg", "desk/new.cfg"), UPLOAD_FINE);
    set_rules(ALL "access.2.prefix = /in\naccess.2.anonymous = 1\naccess.2.write = create\n");
    assert_int_equal(mkdir("root/in", 0755), 0);
    put("root/in/there", "there");
    assert_int_equal(move("desk/new.cfg", "in/there"), UPLOAD_EXISTS);
    assert_int_equal(move("desk/new.cfg", "in/fresh"), UPLOAD_FINE);
    assert_int_equal(move("in/fresh", "desk/back"), UPLOAD_FORBIDDEN);
    assert_int_equal(move("desk/none", "desk/x"), UPLOAD_ABSENT);
    assert_int_equal(move("in/there", "desk"), UPLOAD_FORBIDDEN);
    assert_int_equal(system("test $(cat root/in/there) = there"), 0);
}

static void a_name_is_spelled_anew(void **state)
{
    (void)state;
    assert_int_equal(move("desk/00156574b150.cfg", "desk/00156574B150.cfg"), UPLOAD_FINE);
    assert_true(is_there("root/desk/00156574B150.cfg"));
    assert_false(is_there("root/desk/00156574b150.cfg"));
}

static void what_phones_send_is_not_renamed_and_nothing_becomes_such(void **state)
{
    (void)state;
    assert_int_equal(put_up(LOCAL, "sent"), UPLOAD_FINE);
    assert_int_equal(move(LOCAL, "desk/x.cfg"), UPLOAD_BAD_NAME);
    assert_int_equal(move(LOCAL, "desk/00156574b151-local.cfg"), UPLOAD_BAD_NAME);
    assert_int_equal(move("desk/a.cfg", "desk/00156574b151-local.cfg"), UPLOAD_BAD_NAME);
    assert_int_equal(make("desk/00156574b151-local.cfg"), UPLOAD_BAD_NAME);
}

static void R22_symbolic_links_and_other_phones_names_are_left_alone(void **state)
{
    struct mac other = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } };
    struct caller c = caller();
    (void)state;
    assert_int_equal(symlink("desk", "root/alias"), 0);
    assert_int_equal(symlink("a.cfg", "root/desk/link"), 0);
    for (int follow = 0; follow < 2; follow++) {
        h.root.follow_symlinks = follow;
        tree_forget(h.worker.tree);
        assert_int_equal(del("alias/a.cfg"), UPLOAD_NO_DIRECTORY);
        assert_int_equal(del("desk/link"), UPLOAD_EXISTS);
        assert_int_equal(make("alias/x"), UPLOAD_NO_DIRECTORY);
        assert_int_equal(move("desk/a.cfg", "alias/b.cfg"), UPLOAD_NO_DIRECTORY);
        assert_int_equal(move("desk/link", "desk/l"), UPLOAD_EXISTS);
    }
    c.agent = &other;
    assert_int_equal(change_remove(&h.worker, &c, SLICE("desk/00156574b150.cfg")), UPLOAD_STRANGER);
    assert_int_equal(change_rename(&h.worker, &c, SLICE("desk/a.cfg"), SLICE("00156574b150.cfg")), UPLOAD_STRANGER);
    assert_true(is_there("root/desk/a.cfg"));
}

static void directories_are_made_and_removed_when_empty(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(make("new"), UPLOAD_FINE);
    assert_int_equal(make("new/deeper"), UPLOAD_FINE);
    assert_int_equal(stat("root/new/deeper", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(make("new"), UPLOAD_EXISTS);
    assert_int_equal(make("desk/a.cfg"), UPLOAD_EXISTS);
    assert_int_equal(make("none/x"), UPLOAD_NO_DIRECTORY);
    assert_int_equal(unmake("new"), UPLOAD_NOT_EMPTY);
    assert_int_equal(unmake("new/deeper"), UPLOAD_FINE);
    assert_int_equal(unmake("desk/a.cfg"), UPLOAD_ABSENT);
    assert_int_equal(put_up("new/00156574b150-local.cfg", "sent"), UPLOAD_FINE);
    assert_int_equal(unmake("new"), UPLOAD_NOT_EMPTY);
    assert_int_equal(del("new/00156574b150-local.cfg"), UPLOAD_FINE);
    assert_int_equal(unmake("new"), UPLOAD_FINE);
    assert_false(is_there("root/new"));
    assert_int_equal(unmake(""), UPLOAD_BAD_NAME);
}

static void a_directory_moves_with_what_phones_sent_into_it(void **state)
{
    struct tree_question q = { SLICE("moved/00156574b150-local.cfg") };
    struct tree_file file;
    (void)state;
    assert_int_equal(put_up(LOCAL, "sent"), UPLOAD_FINE);
    assert_int_equal(move("desk", "moved"), UPLOAD_FINE);
    assert_true(is_there("root/moved/a.cfg"));
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_FILE);
    assert_slice(blob_bytes(file.blob), "sent");
    tree_file_release(&file);
    assert_int_equal(make("desk"), UPLOAD_FINE);
    assert_int_equal(move("moved", "desk"), UPLOAD_EXISTS);
    assert_int_equal(move("moved", "moved/in"), UPLOAD_BAD_NAME);
    /* Somebody else's rule lies below. */
    set_rules(ALL "access.2.prefix = /moved/Private\naccess.2.users =\n");
    assert_int_equal(move("moved", "elsewhere"), UPLOAD_FORBIDDEN);
    assert_int_equal(move("desk", "moved/private"), UPLOAD_FORBIDDEN);
}

static void a_directorys_ceiling_counts_what_is_moved_and_made(void **state)
{
    static const char two[] = ALL "access.2.prefix = /small\naccess.2.anonymous = 1\naccess.2.write = overwrite\n"
                                  "access.2.directory_max = 1\naccess.2.file_max = 2\n";
    char name[32];
    (void)state;
    assert_int_equal(mkdir("root/small", 0755), 0);
    assert_int_equal(system("head -c 700000 /dev/zero > root/x; head -c 700000 /dev/zero > root/y;"
                            "head -c 3000000 /dev/zero > root/z"), 0);
    set_rules(two);
    assert_int_equal(move("z", "small/z"), UPLOAD_TOO_LARGE);
    assert_int_equal(move("x", "small/x"), UPLOAD_FINE);
    assert_int_equal(move("y", "small/y"), UPLOAD_FULL);
    assert_int_equal(move("small/x", "x"), UPLOAD_FINE);
    assert_int_equal(move("y", "small/y"), UPLOAD_FINE);
    assert_int_equal(del("small/y"), UPLOAD_FINE);
    unsigned count = 0;
    for (enum upload_answer answer = UPLOAD_FINE; answer == UPLOAD_FINE && count < 1000; count++) {
        snprintf(name, sizeof name, "small/%u", count);
        answer = make(name);
    }
    assert_int_equal(count, 257);
}

#define change_test(f) cmocka_unit_test_setup_teardown(f, setup_rules, teardown_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        change_test(a_file_of_the_tree_is_removed),
        change_test(R22_rules_that_do_not_say_overwrite_let_nothing_be_changed),
        change_test(what_a_phone_sent_stays_as_a_version_when_it_is_removed),
        change_test(the_quota_follows_what_is_removed),
        change_test(a_file_is_renamed_over_another_only_where_that_may_be_overwritten),
        change_test(a_name_is_spelled_anew),
        change_test(what_phones_send_is_not_renamed_and_nothing_becomes_such),
        change_test(R22_symbolic_links_and_other_phones_names_are_left_alone),
        change_test(directories_are_made_and_removed_when_empty),
        change_test(a_directory_moves_with_what_phones_sent_into_it),
        change_test(a_directorys_ceiling_counts_what_is_moved_and_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
