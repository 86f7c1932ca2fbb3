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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_survive_parsing_and_printing),
        cmocka_unit_test(names_and_rubbish_are_refused),
        cmocka_unit_test(equality_and_hash_see_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
