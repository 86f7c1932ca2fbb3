#include "tests/unit/test.h"

#include "net/address.h"

static void addresses_survive_parsing_and_printing(void **state)
{
    (void)state;
    static const char *const pairs[][2] = { { "127.0.0.1", "127.0.0.1:69" },
                                            { "*", "0.0.0.0:69" },
                                            { "[::1]", "[::1]:69" },
                                            { "::", "[::]:69" },
                                            { "::ffff:10.2.5.193", "10.2.5.193:69" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        union address a;
        char text[80];
        struct buf out = BUF_ON(text);
        assert_true(address_parse(slice_str(pairs[i][0]), 69, &a));
        address_print(&a, &out);
        assert_slice(buf_slice(&out), pairs[i][1]);
    }
}

static void names_and_rubbish_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "localhost", "10.2.5.258", "1.2.3", "[::1", ":::", "0.0.0.0.0",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb" };
    union address a;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(address_parse(slice_str(bad[i]), 1, &a));
}

static void equality_and_hash_see_host_and_port(void **state)
{
    (void)state;
    union address a, b;
    assert_true(address_parse(SLICE("10.0.0.1"), 5, &a));
    assert_true(address_parse(SLICE("10.0.0.1"), 6, &b));
    assert_false(address_eq(&a, &b));
    assert_true(address_same_host(&a, &b));
    assert_true(address_hash(&a, 1) != address_hash(&b, 1));
    assert_true(address_hash(&a, 1) != address_hash(&a, 2));
    address_set_port(&b, 5);
    assert_true(address_eq(&a, &b));
    assert_true(address_hash(&a, 1) == address_hash(&b, 1));
}

static void a_network_holds_what_begins_with_its_bits(void **state)
{
    static const struct {
        const char *network, *host;
        bool holds;
    } cases[] = {
        { "10.0.0.0/8", "10.255.0.1", true },         { "10.0.0.0/8", "11.0.0.1", false },
        { "10.1.2.3/8", "10.9.9.9", true },           { "10.0.0.128/25", "10.0.0.127", false },
        { "10.0.0.128/25", "10.0.0.129", true },      { "127.0.0.1", "127.0.0.1", true },
        { "127.0.0.1", "127.0.0.2", false },          { "0.0.0.0/0", "1.2.3.4", true },
        { "0.0.0.0/0", "::1", false },                { "::/0", "1.2.3.4", false },
        { "2001:db8::/32", "2001:db8:1::5", true },   { "2001:db8::/33", "2001:db8:8000::5", false },
        { "10.0.0.0/8", "::ffff:10.1.1.1", true },    { "::ffff:10.0.0.0/8", "10.1.1.1", true },
        { "::/0", "::ffff:10.1.1.1", false },         { "[::1]", "::1", true },
    };
    static const char *const bad[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0/8",
                                       "lan", "10.0.0.0/8/8", "10.0.0.0/ 8", "*" };
    struct network n;
    union address a;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(network_parse(slice_str(cases[i].network), &n));
        assert_true(address_parse(slice_str(cases[i].host), 4711, &a));
        if (network_holds(&n, &a) != cases[i].holds)
            fail_msg("%s and %s", cases[i].network, cases[i].host);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (network_parse(slice_str(bad[i]), &n))
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_survive_parsing_and_printing),
        cmocka_unit_test(a_network_holds_what_begins_with_its_bits),
        cmocka_unit_test(names_and_rubbish_are_refused),
        cmocka_unit_test(equality_and_hash_see_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
