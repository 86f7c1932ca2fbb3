#include "guide_test.h"

#include "base/url.h"
#include "guide/address_option.h"

static struct option_finding look(struct arena *a, uint16_t code, struct slice value)
{
    struct option_finding f = { 0 };
    assert_true(address_option_read(code, code == OPTION_V6_BOOTFILE, value, SLICE(""), a, &f));
    assert_int_equal(f.code, code);
    assert_true(f.usable == (f.url.len > 0));
    assert_true(f.usable == (f.verdict <= OPTION_INSIDE));
    return f;
}

static void assert_url(struct arena *a, uint16_t code, struct slice value, const char *url)
{
    struct option_finding f = look(a, code, value);
    assert_slice(f.url, url);
}

static void assert_verdict(struct arena *a, uint16_t code, struct slice value, enum option_verdict verdict)
{
    struct option_finding f = look(a, code, value);
    assert_int_equal(f.verdict, verdict);
}

static void a_url_a_host_and_an_address_are_taken(void **state)
{
    struct arena *a = *state;
    assert_url(a, 66, SLICE("tftp://192.168.1.100/"), "tftp://192.168.1.100/");
    assert_url(a, 66, SLICE("https://prov.example.com/yealink"), "https://prov.example.com/yealink/");
    assert_url(a, 66, SLICE("192.168.1.100"), "tftp://192.168.1.100/");
    assert_url(a, 128, SLICE("prov.example.com"), "tftp://prov.example.com/");
    assert_url(a, 66, SLICE("tftp://192.168.1.100/$PN/$MAC.boot"), "tftp://192.168.1.100/$PN/$MAC.boot");
    assert_url(a, 59, SLICE("http://[2001:db8::1]/u59/"), "http://[2001:db8::1]/u59/");
    assert_int_equal(look(a, 66, SLICE("h")).verdict, OPTION_HOST);
    assert_int_equal(look(a, 66, SLICE("http://h/x.cfg")).kind, ADDRESS_FILE);
}

static void a_host_gets_the_scheme_of_the_server_type(void **state)
{
    struct option_finding f;
    assert_true(address_option_read(66, false, SLICE("10.0.0.1"), SLICE("https"), *state, &f));
    assert_slice(f.url, "https://10.0.0.1/");
}

static void nuls_at_the_end_do_not_count(void **state)
{
    assert_url(*state, 66, SLICE("tftp://h/\0"), "tftp://h/");
    assert_url(*state, 66, SLICE("tftp://h/\0\0\0"), "tftp://h/");
    assert_url(*state, 43, SLICE("tftp://h/\0"), "tftp://h/");
    assert_url(*state, 43, SLICE("\1\12http://h/\0"), "http://h/");
}

static void option_43_is_plain_text_or_sub_options(void **state)
{
    struct arena *a = *state;
    assert_url(a, 43, SLICE("http://192.0.2.1/u43/"), "http://192.0.2.1/u43/");
    assert_url(a, 43, SLICE("\1\x15http://192.0.2.1/u43/"), "http://192.0.2.1/u43/");
    /* A code, pads, another scheme, a text, the URL, and what lies behind the end. */
    struct option_finding f = look(a, 43, SLICE("\2\3abc\0\0\3\x07sip://h\4\x09" "ftp://h/x\x05\x09http://h/\xff\6\x09http://z/"));
    assert_slice(f.url, "ftp://h/x/");
    assert_int_equal(f.sub, 4);
    assert_int_equal(f.verdict, OPTION_INSIDE);
    assert_verdict(a, 43, SLICE("\xff\1\x09http://h/"), OPTION_NO_SUB);
    assert_verdict(a, 43, SLICE("\1\4\x0a\0\0\1"), OPTION_NO_SUB);
    /* In vendor bytes a word is no host. */
    assert_verdict(a, 43, SLICE("PXEClient"), OPTION_NO_SUB);
}

static void a_sub_option_longer_than_the_rest_is_no_url(void **state)
{
    assert_verdict(*state, 43, SLICE("\1\x30http://h/"), OPTION_NO_SUB);
    assert_verdict(*state, 43, SLICE("\1"), OPTION_NO_SUB);
}

static void the_address_of_a_tr_069_server_is_said_to_be_one(void **state)
{
    struct arena *a = *state;
    assert_true(look(a, 43, SLICE("\1\x1fhttp://acs.example.com:7547/acs")).acs);
    assert_true(look(a, 43, SLICE("http://h/CWMP/x")).acs);
    assert_false(look(a, 43, SLICE("http://h/yealink/")).acs);
    assert_false(look(a, 66, SLICE("http://h/facsimile/")).acs);
}

/* security.md R19 */
static void r19_hostile_values_are_refused_with_the_reason(void **state)
{
    static char longer[URL_BYTES_MAX + 1];
    struct arena *a = *state;
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "http://h/", 9);
    assert_verdict(a, 66, SLICE(""), OPTION_EMPTY);
    assert_verdict(a, 66, SLICE("\0\0"), OPTION_EMPTY);
    assert_verdict(a, 66, SLICE("tftp://h/\0x"), OPTION_CONTROL);
    assert_verdict(a, 66, SLICE("tftp://h/\r\nX: y"), OPTION_CONTROL);
    assert_verdict(a, 66, SLICE("\n"), OPTION_CONTROL);
    assert_verdict(a, 66, SLICE("\x1b[2J"), OPTION_CONTROL);
    assert_verdict(a, 66, SLICE("file:///etc/shadow"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("file://h/etc/shadow"), OPTION_SCHEME);
    assert_verdict(a, 66, SLICE("gopher://h/"), OPTION_SCHEME);
    assert_verdict(a, 66, SLICE("`reboot`"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("$(reboot)"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("h;reboot"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("http://h|reboot/"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("http://a b/"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("http:///x"), OPTION_NO_URL);
    assert_verdict(a, 66, SLICE("http://h:99999/"), OPTION_NO_URL);
    assert_verdict(a, 128, slice_of(longer, sizeof longer), OPTION_LONG);
    /* Bytes they are and stay: in a path they name a directory that no server has. */
    assert_url(a, 66, SLICE("http://h/$(reboot)/%n%s%x"), "http://h/$(reboot)/%n%s%x/");
}

static void a_list_of_options_is_read_strictly(void **state)
{
    static const char *const bad[] = { "127", "255", "128,", ",128", "128;129", "128,128", "0x80", "-1", "128 129", "a" };
    struct option_list list = { .count = 9 };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(option_list_parse(slice_str(bad[i]), false, &list));
    assert_int_equal(list.count, 9);
    assert_true(option_list_parse(SLICE(" 160, 128,254 "), false, &list));
    assert_int_equal(list.count, 3);
    assert_int_equal(list.codes[0], 160);
    assert_int_equal(list.codes[2], 254);
    assert_true(option_list_parse(SLICE(""), false, &list));
    assert_int_equal(list.count, 0);
    assert_false(option_list_parse(SLICE("134"), true, &list));
    assert_true(option_list_parse(SLICE("135,65535"), true, &list));
    assert_false(option_list_parse(SLICE("128,129,130,131,132,133,134,135,136,137,138,139,140,141,142,143,144"), false, &list));
}

static void custom_wins_over_66_and_66_over_43_and_ipv4_over_ipv6(void **state)
{
    struct arena *a = *state;
    struct option_list custom4 = { { 160, 128 }, 2 }, custom6 = { { 200 }, 1 };
    struct option_finding all[] = {
        look(a, 59, SLICE("http://six/")),   look(a, 43, SLICE("http://vendor/")), look(a, 66, SLICE("http://tftp/")),
        look(a, 128, SLICE("http://second/")), look(a, 160, SLICE("http://first/")), look(a, 150, SLICE("http://nobody/")),
    };
    assert_slice(address_option_choose(all, 6, &custom4, &custom6)->url, "http://first/");
    assert_slice(address_option_choose(all, 4, &custom4, &custom6)->url, "http://second/");
    assert_slice(address_option_choose(all, 3, &custom4, &custom6)->url, "http://tftp/");
    assert_slice(address_option_choose(all, 2, &custom4, &custom6)->url, "http://vendor/");
    assert_slice(address_option_choose(all, 1, &custom4, &custom6)->url, "http://six/");
    assert_null(address_option_choose(all + 5, 1, &custom4, &custom6));
    assert_null(address_option_choose(all, 0, &custom4, &custom6));
}

static void one_that_is_wrong_lets_the_next_win(void **state)
{
    struct arena *a = *state;
    struct option_list custom4 = { { 128 }, 1 }, custom6 = { { 0 }, 0 };
    struct option_finding all[] = { look(a, 128, SLICE("\xff\xfe")), look(a, 66, SLICE("sip://h/")), look(a, 43, SLICE("ftp://h/")) };
    assert_slice(address_option_choose(all, 3, &custom4, &custom6)->url, "ftp://h/");
}

static void every_verdict_has_its_words(void **state)
{
    (void)state;
    for (int v = OPTION_URL; v <= OPTION_NO_SUB; v++)
        assert_true(option_verdict_words((enum option_verdict)v)[0] != '?');
}

static void without_memory_nothing_is_said(void **state)
{
    struct arena small;
    struct option_finding f = { .code = 7 };
    (void)state;
    arena_init(&small, 1);
    assert_false(address_option_read(66, false, SLICE("tftp://h/"), SLICE("tftp"), &small, &f));
    assert_int_equal(f.code, 7);
    arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_url_a_host_and_an_address_are_taken),
        test_with_arena(a_host_gets_the_scheme_of_the_server_type),
        test_with_arena(nuls_at_the_end_do_not_count),
        test_with_arena(option_43_is_plain_text_or_sub_options),
        test_with_arena(a_sub_option_longer_than_the_rest_is_no_url),
        test_with_arena(the_address_of_a_tr_069_server_is_said_to_be_one),
        test_with_arena(r19_hostile_values_are_refused_with_the_reason),
        cmocka_unit_test(a_list_of_options_is_read_strictly),
        test_with_arena(custom_wins_over_66_and_66_over_43_and_ipv4_over_ipv6),
        test_with_arena(one_that_is_wrong_lets_the_next_win),
        cmocka_unit_test(every_verdict_has_its_words),
        cmocka_unit_test(without_memory_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
