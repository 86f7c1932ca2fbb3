#include "tests/unit/test.h"

#include "base/cursor.h"

static void reads_in_network_order(void **state)
{
    (void)state;
    struct cursor c = cursor_on(slice_of("\x01\x02\x03\x04\x05\x06\x07xy\0", 10));
    assert_int_equal(cursor_u8(&c), 1);
    assert_int_equal(cursor_u16(&c), 0x0203);
    assert_int_equal(cursor_u32(&c), 0x04050607);
    assert_slice(cursor_zstring(&c), "xy");
    assert_true(cursor_ok(&c) && cursor_at_end(&c));
}

static void the_first_short_read_sticks(void **state)
{
    (void)state;
    struct cursor c = cursor_on(SLICE("\x01"));
    assert_int_equal(cursor_u16(&c), 0);
    assert_false(cursor_ok(&c));
    assert_int_equal(cursor_u8(&c), 0);
    assert_slice(cursor_bytes(&c, 1), "");
}

static void a_text_without_its_nul_fails(void **state)
{
    (void)state;
    struct cursor c = cursor_on(SLICE("octet"));
    cursor_zstring(&c);
    assert_false(cursor_ok(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_in_network_order),
        cmocka_unit_test(the_first_short_read_sticks),
        cmocka_unit_test(a_text_without_its_nul_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
