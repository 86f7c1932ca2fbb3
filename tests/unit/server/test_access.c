#include "tests/unit/test.h"

#include "tests/unit/server/access_rules.h"

static struct access *rules;

static int teardown(void **state)
{
    (void)state;
    access_close(rules);
    rules = NULL;
    return 0;
}

static struct access_verdict decide(const char *name, const char *user, const char *peer,
                                    enum protocol protocol, enum access_act act)
{
    union address a;
    assert_true(address_parse(slice_str(peer), 4711, &a));
    struct access_request r = { .caller = { .protocol = protocol, .peer = &a }, .name = slice_str(name), .act = act };
    r.caller.user = user ? users_find(&rules->users, slice_str(user)) : NULL;
    assert_true(!user || r.caller.user);
    return access_decide(rules, &r);
}

static enum access_answer read_as(const char *name, const char *user)
{
    return decide(name, user, "10.0.0.1", PROTOCOL_HTTP, ACCESS_READ).answer;
}

#define SERVED (1u << PROTOCOL_TFTP | 1u << PROTOCOL_HTTP | 1u << PROTOCOL_HTTPS | 1u << PROTOCOL_FTP)

static bool is_open(const struct access *a)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    return access_open_to(a, SERVED, 0, &out);
}

static void assert_open(size_t index, const char *words)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    assert_true(access_open_to(rules, SERVED, index, &out));
    assert_slice(buf_slice(&out), words);
}

static void without_rules_everybody_reads_and_phones_upload(void **state)
{
    struct access_verdict v;
    (void)state;
    rules = access_of("", "");
    assert_int_equal(read_as("/00156574b150.cfg", NULL), ACCESS_YES);
    v = decide("/00156574b150-local.cfg", NULL, "10.0.0.1", PROTOCOL_TFTP, ACCESS_WRITE);
    assert_int_equal(v.answer, ACCESS_YES);
    assert_int_equal(v.write, ACCESS_WRITE_UPLOADS);
    assert_true(is_open(rules));
    assert_true(is_open(NULL));
    union address a;
    assert_true(address_parse(SLICE("::1"), 1, &a));
    struct access_request r = { .caller = { .peer = &a }, .name = SLICE("x") };
    assert_int_equal(access_decide(NULL, &r).answer, ACCESS_YES);
}

#define TWO                                                                                                    \
    "access.1.prefix = /T23G_1/\naccess.1.users = alice\n"                                                     \
    "access.2.prefix = /T23G_2\naccess.2.users = bob, carol\n"

static void r3_a_directory_is_its_users_alone(void **state)
{
    (void)state;
    rules = access_of(TWO, "alice:a bob:b carol:c");
    assert_int_equal(read_as("T23G_1/x.cfg", "alice"), ACCESS_YES);
    assert_int_equal(read_as("T23G_1/x.cfg", NULL), ACCESS_LOGIN);
    assert_int_equal(read_as("T23G_1/x.cfg", "bob"), ACCESS_LOGIN);
    assert_int_equal(read_as("/T23G_2/sub/x.cfg", "carol"), ACCESS_YES);
    assert_int_equal(read_as("/T23G_2/sub/x.cfg", "alice"), ACCESS_LOGIN);
    assert_int_equal(read_as("T23G_2", NULL), ACCESS_LOGIN);
    assert_int_equal(read_as("T23G_10/x.cfg", NULL), ACCESS_YES);
    assert_int_equal(read_as("T23G_", NULL), ACCESS_YES);
    assert_int_equal(read_as("y000000000044.cfg", NULL), ACCESS_YES);
    assert_true(is_open(rules));
}

static void r3_no_spelling_of_a_name_passes_by_a_rule(void **state)
{
    static const char *const names[] = { "/T23G_1/x", "//T23G_1/x", "///T23G_1/x", "/t23g_1/x", "T23g_1/X" };
    static const char *const bad[] = { "/T23G_1//x", "T23G_3//../T23G_1/x", "./T23G_1/x", "/T23G_1/./x",
                                       "T23G_1\\x",  "/x/../T23G_1/x",      "T23G_1/",    "T23G_1/\x01" };
    (void)state;
    rules =
        access_of(TWO "access.3.prefix = /00156574b150.cfg\naccess.3.users = alice\n", "alice:a bob:b carol:c");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(read_as(names[i], NULL), ACCESS_LOGIN);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_as(bad[i], "alice"), ACCESS_NO);
    assert_int_equal(read_as("/00156574B150.CFG", NULL), ACCESS_LOGIN);
    assert_int_equal(read_as("/00156574B150.CFG", "alice"), ACCESS_YES);
}

static void the_longest_prefix_decides_alone(void **state)
{
    (void)state;
    rules = access_of("access.5.prefix = /\naccess.5.users = alice\n"
                      "access.3.prefix = /pub\naccess.3.anonymous = 1\n"
                      "access.9.prefix = /pub/a/secret/\naccess.9.read = 0\n",
                      "alice:a");
    assert_int_equal(read_as("x", NULL), ACCESS_LOGIN);
    assert_int_equal(read_as("", NULL), ACCESS_LOGIN);
    assert_int_equal(read_as("pub/x", NULL), ACCESS_YES);
    assert_int_equal(read_as("pub/a/x", NULL), ACCESS_YES);
    assert_int_equal(read_as("pub/a/secret/x", "alice"), ACCESS_NO);
    assert_int_equal(read_as("public/x", NULL), ACCESS_LOGIN);
    /* Another directory on a file system that tells the two apart: both rules have to allow. */
    assert_int_equal(read_as("PUB/x", NULL), ACCESS_LOGIN);
    assert_open(0, "under /pub: anyone on these networks who knows a MAC address gets its files by tftp, http, https, ftp");
}

static void networks_and_protocols_are_kept_to(void **state)
{
    struct access_verdict v;
    (void)state;
    rules =
        access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.networks = 10.0.0.0/8, 2001:db8::/32\n"
                  "access.1.protocols = https, tftp\n",
                  "");
    assert_int_equal(decide("x", NULL, "10.9.9.9", PROTOCOL_HTTPS, ACCESS_READ).answer, ACCESS_YES);
    assert_int_equal(decide("x", NULL, "::ffff:10.9.9.9", PROTOCOL_TFTP, ACCESS_READ).answer, ACCESS_YES);
    assert_int_equal(decide("x", NULL, "2001:db8::7", PROTOCOL_TFTP, ACCESS_READ).answer, ACCESS_YES);
    v = decide("x", NULL, "11.0.0.1", PROTOCOL_HTTPS, ACCESS_READ);
    assert_int_equal(v.answer, ACCESS_NO);
    assert_slice(slice_str(v.reason), "not from this network");
    v = decide("x", NULL, "10.9.9.9", PROTOCOL_HTTP, ACCESS_READ);
    assert_int_equal(v.answer, ACCESS_NO);
    assert_slice(slice_str(v.reason), "not by this protocol");
    assert_open(0, "anyone on the networks of the rule for / who knows a MAC address gets its files by tftp, https");
}

static void a_rule_without_users_and_anonymous_is_for_nobody(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /\n", "alice:a");
    assert_int_equal(read_as("x", "alice"), ACCESS_NO);
    assert_false(is_open(rules));
}

static void what_may_be_written_comes_with_the_verdict(void **state)
{
    struct access_verdict v;
    (void)state;
    rules =
        access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.2.prefix = /in\naccess.2.users = alice\n"
                  "access.2.write = create\naccess.2.read = 0\n",
                  "alice:a");
    v = decide("x", NULL, "10.0.0.1", PROTOCOL_FTP, ACCESS_WRITE);
    assert_int_equal(v.answer, ACCESS_NO);
    assert_slice(slice_str(v.reason), "not to be written");
    assert_int_equal(decide("in/x", NULL, "10.0.0.1", PROTOCOL_FTP, ACCESS_WRITE).answer, ACCESS_LOGIN);
    v = decide("in/x", "alice", "10.0.0.1", PROTOCOL_FTP, ACCESS_WRITE);
    assert_int_equal(v.answer, ACCESS_YES);
    assert_int_equal(v.write, ACCESS_WRITE_CREATE);
    assert_int_equal(read_as("in/x", "alice"), ACCESS_NO);
}

#define access_test(f) cmocka_unit_test_teardown(f, teardown)

static void a_closed_directory_leads_on_to_what_a_longer_rule_opens(void **state)
{
    (void)state;
    union address peer;
    assert_true(address_parse(SLICE("10.0.0.1"), 4711, &peer));
    struct caller nobody = { .protocol = PROTOCOL_FTP, .peer = &peer }, http = nobody;
    rules = access_of("access.1.prefix = /\naccess.1.users = alice\n"
                      "access.2.prefix = /pub/a\naccess.2.anonymous = 1\naccess.2.protocols = ftp\n",
                      "alice:a");
    http.protocol = PROTOCOL_HTTP;
    assert_true(access_leads_on(rules, &nobody, SLICE("/")) && access_leads_on(rules, &nobody, SLICE("/pub")));
    assert_false(access_leads_on(rules, &nobody, SLICE("/pu")) || access_leads_on(rules, &nobody, SLICE("/pub/a")));
    assert_false(access_leads_on(rules, &http, SLICE("/")) || access_leads_on(NULL, &nobody, SLICE("/")));
}

static void ceilings_are_the_deciding_rules_whoever_asks(void **state)
{
    (void)state;
    assert_true(access_ceilings(NULL, SLICE("x")).file == UINT64_MAX);
    rules = access_of("access.1.prefix = /\naccess.1.file_max = 3\naccess.1.directory_max = 5\n"
                      "access.2.prefix = /a/b/\naccess.2.file_max = 7\n"
                      "access.3.prefix = /A/B/C\naccess.3.directory_max = 1\naccess.3.file_max = 9\n", "");
    struct access_ceilings c = access_ceilings(rules, SLICE("/a/x"));
    assert_true(c.file == 3 << 20 && c.directory_bytes == 5 << 20 && c.directory.len == 0);
    c = access_ceilings(rules, SLICE("a/b/x"));
    assert_true(c.file == 7 << 20 && c.directory_bytes == UINT64_C(10240) << 20);
    assert_slice(c.directory, "a/b");
    /* Of two that differ in case only the lower one of each. */
    c = access_ceilings(rules, SLICE("a/b/c/x"));
    assert_true(c.file == 7 << 20 && c.directory_bytes == 1 << 20);
    assert_slice(c.directory, "A/B/C");
}

static void it_is_known_whether_a_rule_writes_and_where_rules_divide(void **state)
{
    (void)state;
    assert_false(access_writes_tree(NULL) || access_divides(NULL, SLICE("x")));
    rules = access_of("access.1.prefix = /a\naccess.1.write = uploads\n", "");
    assert_false(access_writes_tree(rules));
    access_close(rules);
    rules = access_of("access.1.prefix = /a/b\naccess.1.write = create\n", "");
    assert_true(access_writes_tree(rules));
    assert_true(access_divides(rules, SLICE("/A")) && access_divides(rules, SLICE("")));
    assert_false(access_divides(rules, SLICE("a/b")) || access_divides(rules, SLICE("a/b/c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        access_test(without_rules_everybody_reads_and_phones_upload),
        access_test(r3_a_directory_is_its_users_alone),
        access_test(r3_no_spelling_of_a_name_passes_by_a_rule),
        access_test(the_longest_prefix_decides_alone),
        access_test(networks_and_protocols_are_kept_to),
        access_test(a_rule_without_users_and_anonymous_is_for_nobody),
        access_test(what_may_be_written_comes_with_the_verdict),
        access_test(a_closed_directory_leads_on_to_what_a_longer_rule_opens),
        access_test(ceilings_are_the_deciding_rules_whoever_asks),
        access_test(it_is_known_whether_a_rule_writes_and_where_rules_divide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
