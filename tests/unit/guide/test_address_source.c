#include "tests/unit/test.h"

#include "guide/address_source.h"

static void put(struct settings *s, const char *key, const char *value)
{
    assert_true(settings_put(s, slice_str(key), slice_str(value), (struct origin){ SETTINGS_FLASH, 1 }));
}

static void the_order_is_the_guides(void **state)
{
    (void)state;
    assert_true(ADDRESS_ZERO_TOUCH < ADDRESS_PNP && ADDRESS_PNP < ADDRESS_DHCP && ADDRESS_DHCP < ADDRESS_FLASH);
}

static void at_the_factory_all_but_zero_touch_are_on(void **state)
{
    struct settings s;
    const struct model *t23g = model_find(SLICE("T23G"));
    settings_init(&s, *state);
    assert_string_equal(address_source_off(ADDRESS_ZERO_TOUCH, &s, t23g), "static.zero_touch.enable is 0");
    assert_null(address_source_off(ADDRESS_PNP, &s, t23g));
    assert_null(address_source_off(ADDRESS_DHCP, &s, t23g));
    assert_null(address_source_off(ADDRESS_FLASH, &s, t23g));
    settings_free(&s);
}

static void each_is_switched_by_its_parameter(void **state)
{
    struct settings s;
    const struct model *t23g = model_find(SLICE("T23G"));
    settings_init(&s, *state);
    put(&s, "static.zero_touch.enable", "1");
    put(&s, "static.auto_provision.pnp_enable", "0");
    put(&s, "static.auto_provision.dhcp_option.enable", "0");
    assert_null(address_source_off(ADDRESS_ZERO_TOUCH, &s, t23g));
    assert_non_null(address_source_off(ADDRESS_PNP, &s, t23g));
    assert_non_null(address_source_off(ADDRESS_DHCP, &s, t23g));
    settings_free(&s);
}

static void zero_touch_is_not_for_dect_phones(void **state)
{
    static const char *const without[] = { "W52P", "W53P", "W56P", "W60P", "CP930W-Base", "W90" };
    struct settings s;
    settings_init(&s, *state);
    put(&s, "static.zero_touch.enable", "1");
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        assert_string_equal(address_source_off(ADDRESS_ZERO_TOUCH, &s, model_find(slice_str(without[i]))),
                            "not for this model");
    settings_free(&s);
}

static void families_follow_the_address_mode(void **state)
{
    struct settings s;
    bool v4, v6;
    settings_init(&s, *state);
    address_families(&s, &v4, &v6);
    assert_true(v4 && !v6);
    put(&s, "static.network.ip_address_mode", "1");
    address_families(&s, &v4, &v6);
    assert_true(!v4 && v6);
    put(&s, "static.network.ip_address_mode", "2");
    address_families(&s, &v4, &v6);
    assert_true(v4 && v6);
    settings_free(&s);
}

static void R18_pnp_does_not_replace_https_by_a_plain_server(void **state)
{
    (void)state;
    assert_false(address_may_override(ADDRESS_PNP, SLICE("http://evil/"), SLICE("https://ours/")));
    assert_false(address_may_override(ADDRESS_PNP, SLICE("evil"), SLICE("HTTPS://ours/")));
    assert_true(address_may_override(ADDRESS_PNP, SLICE("https://other/"), SLICE("https://ours/")));
    assert_true(address_may_override(ADDRESS_PNP, SLICE("http://any/"), SLICE("http://ours/")));
    assert_true(address_may_override(ADDRESS_PNP, SLICE("tftp://any/"), SLICE("")));
    assert_true(address_may_override(ADDRESS_ZERO_TOUCH, SLICE("http://user/"), SLICE("https://ours/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_the_guides),
        test_with_arena(at_the_factory_all_but_zero_touch_are_on),
        test_with_arena(each_is_switched_by_its_parameter),
        test_with_arena(zero_touch_is_not_for_dect_phones),
        test_with_arena(families_follow_the_address_mode),
        cmocka_unit_test(R18_pnp_does_not_replace_https_by_a_plain_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
