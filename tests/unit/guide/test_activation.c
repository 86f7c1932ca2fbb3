#include "tests/unit/test.h"

#include "guide/activation.h"

static void put(struct settings *s, const char *key, const char *value)
{
    assert_true(settings_put(s, slice_str(key), slice_str(value), (struct origin){ SETTINGS_FLASH, 1 }));
}

static void begin(struct settings *s, void **state)
{
    settings_init(s, *state);
    put(s, "static.autoprovision.1.code", "*123");
    put(s, "static.autoprovision.1.url", "http://192.168.1.30/T23G_1/");
    put(s, "static.autoprovision.50.code", "*456");
    put(s, "static.autoprovision.50.url", "http://192.168.1.30/T23G_2/");
    put(s, "static.autoprovision.50.user", "two");
    put(s, "static.autoprovision.50.password", "secret");
}

static void the_guides_two_codes_lead_to_their_servers(void **state)
{
    struct settings s;
    struct activation a;
    begin(&s, state);
    assert_true(activation_find(&s, SLICE("*123"), &a));
    assert_int_equal(a.number, 1);
    assert_slice(a.url, "http://192.168.1.30/T23G_1/");
    assert_int_equal(a.user.len, 0);
    assert_true(activation_find(&s, SLICE("*456"), &a));
    assert_int_equal(a.number, 50);
    assert_slice(a.user, "two");
    assert_slice(a.password, "secret");
    settings_free(&s);
}

static void other_numbers_are_ordinary_calls(void **state)
{
    struct settings s;
    struct activation a;
    begin(&s, state);
    assert_false(activation_find(&s, SLICE(""), &a));
    assert_false(activation_find(&s, SLICE("*12"), &a));
    assert_false(activation_find(&s, SLICE("*1234"), &a));
    put(&s, "static.autoprovision.51.code", "77");
    put(&s, "static.autoprovision.51.url", "http://h/");
    assert_false(activation_find(&s, SLICE("77"), &a));
    settings_free(&s);
}

static void a_code_without_a_url_or_with_letters_is_none(void **state)
{
    struct settings s;
    struct activation a;
    begin(&s, state);
    put(&s, "static.autoprovision.2.code", "9");
    assert_false(activation_find(&s, SLICE("9"), &a));
    put(&s, "static.autoprovision.3.code", "A1");
    put(&s, "static.autoprovision.3.url", "http://h/");
    assert_false(activation_find(&s, SLICE("A1"), &a));
    settings_free(&s);
}

static void a_registered_account_closes_it(void **state)
{
    struct settings s;
    begin(&s, state);
    assert_true(activation_is_open(&s));
    put(&s, "account.2.enable", "1");
    assert_true(activation_is_open(&s));
    put(&s, "account.2.user_name", "204");
    assert_false(activation_is_open(&s));
    put(&s, "account.2.enable", "0");
    assert_true(activation_is_open(&s));
    settings_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_guides_two_codes_lead_to_their_servers),
        test_with_arena(other_numbers_are_ordinary_calls),
        test_with_arena(a_code_without_a_url_or_with_letters_is_none),
        test_with_arena(a_registered_account_closes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
