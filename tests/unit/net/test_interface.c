#include "tests/unit/test.h"

#include "net/interface.h"

#include <errno.h>

static void loopback_and_what_is_not_there_are_no_ethernet_interfaces(void **state)
{
    struct interface i = { .index = 77 };
    (void)state;
    assert_int_equal(interface_find(SLICE("lo"), &i), -ENODEV);
    assert_int_equal(interface_find(SLICE("no-such-interface-anywhere"), &i), -ENODEV);
    assert_int_equal(interface_find(SLICE(""), &i), -ENODEV);
    assert_int_equal(i.index, 77);
}

static void the_first_one_is_found_again_by_its_name(void **state)
{
    struct interface first, again;
    (void)state;
    int error = interface_first(&first);
    if (error == -ENODEV)
        skip();
    assert_int_equal(error, 0);
    assert_true(first.up && first.index > 0);
    assert_int_equal(interface_find(slice_str(first.name), &again), 0);
    assert_int_equal(again.index, first.index);
    assert_int_equal(again.address, first.address);
    assert_memory_equal(again.mac, first.mac, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_and_what_is_not_there_are_no_ethernet_interfaces),
        cmocka_unit_test(the_first_one_is_found_again_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
