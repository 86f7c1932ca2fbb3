#include "tests/unit/test.h"

#include "tests/server_fakes.h"

#include "server/guard.h"
#include "server/users.h"

static struct worker worker;
static struct config config;
static union address peer;
static uint64_t start_ms = 1000000;

static int setup(void **state)
{
    (void)state;
    fakes_reset();
    fake_add("00156500ffff.cfg", TREE_FILE, SLICE("#!version:1.0.0.1\n"), false);
    fake_add("y000000000000.boot", TREE_FILE, SLICE("#!version:1.0.0.1\n"), false);
    config = (struct config){ .guard_unknown = 20, .guard_unknown_s = 6, .guard_shut_s = 300 };
    worker = (struct worker){ .config = &config };
    worker.loop.now_ms = start_ms;
    assert_true(address_parse(SLICE("10.2.20.73"), 4711, &peer));
    return guard_open(&worker.guard);
}

static int teardown(void **state)
{
    (void)state;
    guard_close(worker.guard);
    return fake_held;
}

static enum tree_answer ask_as(const struct caller *c, const char *name)
{
    struct tree_file file;
    enum tree_answer answer = guard_ask(&worker, c, slice_str(name), &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    return answer;
}

static enum tree_answer ask(const char *name)
{
    struct caller c = { .protocol = PROTOCOL_HTTP, .peer = &peer };
    return ask_as(&c, name);
}

static enum tree_answer ask_phone(unsigned number, const char *rest)
{
    char bytes[64];
    struct buf name = BUF_ON(bytes);
    buf_format(&name, "001565%06x%s", number, rest);
    buf_terminate(&name);
    return ask(bytes);
}

/* How many of these are not refused. */
static unsigned look_at(unsigned from, unsigned count)
{
    unsigned looked = 0;
    for (unsigned i = from; i < from + count; i++)
        looked += ask_phone(i, ".boot") != TREE_GUARDED;
    return looked;
}

static void set_peer(const char *text)
{
    assert_true(address_parse(slice_str(text), 4711, &peer));
}

static void test_one_address_asks_for_so_many_unknown_phones_and_then_for_one_in_six_seconds(void **state)
{
    (void)state;
    assert_int_equal(look_at(0, 30), 20);
    worker.loop.now_ms += 6000;
    assert_int_equal(look_at(30, 10), 1);
    worker.loop.now_ms += 60000;
    assert_int_equal(look_at(40, 30), 10);
}

static void test_what_goes_on_is_refused_for_a_while(void **state)
{
    (void)state;
    assert_int_equal(look_at(0, 20 + GUARD_REFUSALS), 20);
    worker.loop.now_ms += 299000;
    assert_int_equal(look_at(100, 5), 0);
    worker.loop.now_ms += 2000;
    assert_true(look_at(200, 5) == 5);
}

static void test_a_phone_counts_once_whatever_it_misses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(ask_phone(i, ".boot"), TREE_ABSENT);
        assert_int_equal(ask_phone(i, ".cfg"), TREE_ABSENT);
        assert_int_equal(ask_phone(i, "-local.cfg"), TREE_ABSENT);
    }
    assert_int_equal(ask_phone(20, ".boot"), TREE_GUARDED);
}

static void test_phones_that_came_before_go_on_whatever_a_stranger_among_them_does(void **state)
{
    (void)state;
    config.guard_unknown = 500;
    assert_int_equal(look_at(0, 400), 400);
    assert_int_equal(look_at(10000, 5000), 100);
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(ask_phone(i, ".cfg"), TREE_ABSENT);
    assert_int_equal(ask_phone(5000, ".cfg"), TREE_GUARDED);
}

static void test_hundreds_of_new_phones_pass_on_their_first_day(void **state)
{
    (void)state;
    config.guard_unknown = 500;
    for (unsigned i = 0; i < 500; i++)
        for (unsigned file = 0; file < 3; file++)
            assert_int_equal(ask_phone(i, (const char *[]){ ".boot", ".cfg", "-local.cfg" }[file]), TREE_ABSENT);
}

static void test_a_refusal_is_the_same_whether_there_is_a_file(void **state)
{
    (void)state;
    look_at(0, 40);
    assert_int_equal(ask("00156500ffff.cfg"), TREE_GUARDED);
    assert_int_equal(ask("00156500fffe.cfg"), TREE_GUARDED);
}

/* From elsewhere it would not count, but refusals must not tell which phones there are. */
static void test_a_guesser_does_not_learn_which_phones_are_known_elsewhere(void **state)
{
    (void)state;
    set_peer("10.0.0.9");
    assert_int_equal(ask("00156500ffff.cfg"), TREE_FILE);
    set_peer("10.2.20.73");
    look_at(0, 40);
    assert_int_equal(ask("00156500ffff.cfg"), TREE_GUARDED);
    set_peer("10.0.0.9");
    assert_int_equal(ask("00156500ffff.cfg"), TREE_FILE);
}

static void test_a_phone_that_is_known_elsewhere_counts_nothing(void **state)
{
    (void)state;
    assert_int_equal(look_at(0, 20), 20);
    set_peer("10.0.0.9");
    assert_int_equal(look_at(0, 20), 20);
    assert_int_equal(look_at(100, 30), 20);
}

static void test_a_file_that_is_there_counts_nothing(void **state)
{
    (void)state;
    look_at(0, 19);
    assert_int_equal(ask("00156500ffff.cfg"), TREE_FILE);
    assert_int_equal(look_at(100, 2), 1);
    assert_int_equal(ask("00156500ffff.boot"), TREE_ABSENT);
}

static void test_common_files_are_never_touched(void **state)
{
    (void)state;
    look_at(0, 200);
    assert_int_equal(ask("y000000000000.boot"), TREE_FILE);
    assert_int_equal(ask("y000000000066.cfg"), TREE_ABSENT);
    assert_int_equal(ask("ringtone.wav"), TREE_ABSENT);
    assert_int_equal(ask("/desk/office.cfg"), TREE_ABSENT);
}

static void test_every_spelling_of_a_phones_name_counts(void **state)
{
    (void)state;
    look_at(0, 40);
    assert_int_equal(ask("001565AABBCC.cfg"), TREE_GUARDED);
    assert_int_equal(ask("/desk/001565aabbcc-contact.xml"), TREE_GUARDED);
    assert_int_equal(ask("001565aabbcc/office.cfg"), TREE_GUARDED);
    assert_int_equal(ask("001565aabbcc_Security.enc"), TREE_GUARDED);
    assert_int_equal(ask("001565aabbcc.cfg.old"), TREE_GUARDED);
}

static void test_who_has_proven_his_mac_is_always_known(void **state)
{
    (void)state;
    struct mac own, other;
    assert_true(mac_parse(SLICE("00156500ffff"), &own) && mac_parse(SLICE("00156500fffe"), &other));
    struct user user = { .name = SLICE("00:15:65:00:ff:ff") };
    struct caller certified = { .protocol = PROTOCOL_HTTPS, .peer = &peer, .certificate = &own };
    struct caller stranger = { .protocol = PROTOCOL_HTTPS, .peer = &peer, .certificate = &other };
    struct caller in = { .protocol = PROTOCOL_FTP, .peer = &peer, .user = &user };
    struct caller claims = { .protocol = PROTOCOL_HTTP, .peer = &peer, .agent = &own };
    look_at(0, 200);
    assert_int_equal(ask_as(&stranger, "00156500ffff.cfg"), TREE_GUARDED);
    assert_int_equal(ask_as(&claims, "00156500ffff.cfg"), TREE_GUARDED);
    assert_int_equal(ask_as(&in, "00156500ffff.boot"), TREE_ABSENT);
    assert_int_equal(ask_as(&certified, "00156500ffff.cfg"), TREE_FILE);
}

static void test_what_is_hidden_is_guarded_like_what_is_absent(void **state)
{
    (void)state;
    struct caller c = { .protocol = PROTOCOL_HTTPS, .peer = &peer };
    assert_int_equal(look_at(0, 19), 19);
    assert_int_equal(guard_hide(&worker, &c, SLICE("00156500ffff.cfg")), TREE_ABSENT);
    assert_int_equal(guard_hide(&worker, &c, SLICE("00156500fffe.cfg")), TREE_GUARDED);
    assert_int_equal(ask_phone(50, ".cfg"), TREE_GUARDED);
    assert_int_equal(guard_hide(&worker, &c, SLICE("00156500ffff.boot")), TREE_ABSENT);
}

static void test_to_send_a_file_introduces_nobody_for_nothing(void **state)
{
    (void)state;
    struct caller c = { .protocol = PROTOCOL_HTTP, .peer = &peer };
    char bytes[64];
    for (unsigned i = 0; i < 20; i++) {
        struct buf name = BUF_ON(bytes);
        buf_format(&name, "001565%06x-local.cfg", i);
        assert_true(guard_write(&worker, &c, buf_slice(&name)));
    }
    assert_false(guard_write(&worker, &c, SLICE("001565000020-local.cfg")));
    assert_true(guard_write(&worker, &c, SLICE("001565000000-contact.xml")));
    assert_true(guard_write(&worker, &c, SLICE("office.cfg")));
}

static void test_an_ipv6_host_is_its_64(void **state)
{
    (void)state;
    set_peer("2001:db8:1:2::1");
    assert_int_equal(look_at(0, 10), 10);
    set_peer("2001:db8:1:2:ffff::9");
    assert_int_equal(look_at(100, 40), 10);
    assert_int_equal(ask_phone(3, ".cfg"), TREE_ABSENT);
    set_peer("2001:db8:1:3::1");
    assert_int_equal(look_at(200, 10), 10);
}

static void test_what_is_remembered_from_before_the_start_is_known(void **state)
{
    (void)state;
    guard_remember(worker.guard, SLICE("/001565000100.boot"), &peer, false, 0);
    guard_remember(worker.guard, SLICE("001565000101-local.cfg"), NULL, true, 1);
    guard_remember(worker.guard, SLICE("y000000000066.cfg"), &peer, true, 2);
    assert_int_equal(look_at(0, 19), 19);
    assert_int_equal(ask_phone(0x101, ".boot"), TREE_ABSENT);
    assert_int_equal(look_at(20, 2), 1);
    assert_int_equal(ask_phone(0x100, ".cfg"), TREE_ABSENT);
    assert_int_equal(ask_phone(0x101, ".cfg"), TREE_ABSENT);
}

static void test_a_flood_of_guesses_from_many_addresses_pushes_no_good_phone_out(void **state)
{
    (void)state;
    assert_int_equal(ask("00156500ffff.cfg"), TREE_FILE);
    config.guard_unknown = 1000000;
    for (uint32_t i = 0; i < 300000; i++) {
        peer.v4.sin_addr.s_addr = htonl(0x0b000000u + i / 100);
        worker.loop.now_ms++;
        ask_phone(i, ".cfg");
    }
    set_peer("10.2.20.73");
    config.guard_unknown = 20;
    look_at(400000, 40);
    assert_int_equal(ask("00156500ffff.cfg"), TREE_FILE);
}

static void test_no_allowance_is_no_guard(void **state)
{
    (void)state;
    config.guard_unknown = 0;
    assert_int_equal(look_at(0, 2000), 2000);
}

#define test(f) cmocka_unit_test_setup_teardown(test_##f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(one_address_asks_for_so_many_unknown_phones_and_then_for_one_in_six_seconds),
        test(what_goes_on_is_refused_for_a_while),
        test(a_phone_counts_once_whatever_it_misses),
        test(phones_that_came_before_go_on_whatever_a_stranger_among_them_does),
        test(hundreds_of_new_phones_pass_on_their_first_day),
        test(a_refusal_is_the_same_whether_there_is_a_file),
        test(a_guesser_does_not_learn_which_phones_are_known_elsewhere),
        test(a_phone_that_is_known_elsewhere_counts_nothing),
        test(a_file_that_is_there_counts_nothing),
        test(common_files_are_never_touched),
        test(every_spelling_of_a_phones_name_counts),
        test(who_has_proven_his_mac_is_always_known),
        test(what_is_hidden_is_guarded_like_what_is_absent),
        test(to_send_a_file_introduces_nobody_for_nothing),
        test(an_ipv6_host_is_its_64),
        test(what_is_remembered_from_before_the_start_is_known),
        test(a_flood_of_guesses_from_many_addresses_pushes_no_good_phone_out),
        test(no_allowance_is_no_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
