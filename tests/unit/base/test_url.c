#include "tests/unit/test.h"

#include "base/url.h"

static struct slice resolve(struct arena *a, const char *base, const char *reference)
{
    struct slice text = SLICE("(refused)");
    url_resolve(slice_str(base), slice_str(reference), a, &text);
    return text;
}

static void parts_of_a_full_url(void **state)
{
    (void)state;
    struct url u;
    assert_true(url_parse(SLICE("ftp://test1:123456@10.3.6.234:2121/a b/c.cfg?x=1"), &u));
    assert_slice(u.scheme, "ftp");
    assert_slice(u.user, "test1");
    assert_slice(u.password, "123456");
    assert_slice(u.host, "10.3.6.234");
    assert_int_equal(u.port, 2121);
    assert_slice(u.path, "/a b/c.cfg");
    assert_slice(u.query, "x=1");
}

static void ipv6_hosts_lose_their_brackets(void **state)
{
    (void)state;
    struct url u;
    assert_true(url_parse(SLICE("http://[fe80::1]:8080"), &u));
    assert_slice(u.host, "fe80::1");
    assert_int_equal(u.port, 8080);
    assert_slice(u.path, "");
}

static void bad_urls_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "http://", "http:///x", "http://h:0/", "http://h:65536/", "http://h:x/",
                                       "http://[::1/x", "http://[::1]x/", "http://[[x]/", "http://[h]/", "tftp://h/a\nb", "http://u@/x" };
    struct url u;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(url_parse(slice_str(bad[i]), &u));
}

static void references_resolve_as_the_guide_uses_them(void **state)
{
    struct arena *a = *state;
    assert_slice(resolve(a, "tftp://10.2.5.193/office/y000000000000.boot", "../sip.cfg"),
                 "tftp://10.2.5.193/sip.cfg");
    assert_slice(resolve(a, "tftp://10.2.5.193/y000000000000.boot", "../sip.cfg"), "tftp://10.2.5.193/sip.cfg");
    assert_slice(resolve(a, "tftp://10.2.5.193/", "features.cfg"), "tftp://10.2.5.193/features.cfg");
    assert_slice(resolve(a, "tftp://10.2.5.193", "features.cfg"), "tftp://10.2.5.193/features.cfg");
    assert_slice(resolve(a, "http://h/x/y.boot", "HTTP Directory/sip.cfg"), "http://h/x/HTTP Directory/sip.cfg");
    assert_slice(resolve(a, "http://h/x/y.boot", "/z/./sip.cfg"), "http://h/z/sip.cfg");
    assert_slice(resolve(a, "http://h/x/y.boot?q", "a/.."), "http://h/x/");
    assert_slice(resolve(a, "http://h/x/y.boot", "tftp://k:6969/../n.cfg"), "tftp://k:6969/n.cfg");
}

static void a_result_that_no_url_may_be_is_refused(void **state)
{
    static char base[URL_BYTES_MAX], reference[URL_BYTES_MAX];
    struct slice text;
    memcpy(base, "http://h/", 9);
    memset(base + 9, 'd', sizeof base - 9);
    memset(reference, 'e', sizeof reference);
    base[sizeof base - 1] = '/';
    assert_false(url_resolve(slice_of(base, sizeof base), slice_of(reference, 1), *state, &text));
    assert_true(url_resolve(slice_of(base, sizeof base), SLICE("/x"), *state, &text));
    base[8] = 'h';
    base[sizeof base - 1] = 'd';
    assert_false(url_directory(slice_of(base, sizeof base), *state, &text));
}

static void credentials_go_to_the_same_host_only(void **state)
{
    struct arena *a = *state;
    assert_slice(resolve(a, "ftp://u:p@h/d/", "a.cfg"), "ftp://u:p@h/d/a.cfg");
    assert_slice(resolve(a, "ftp://u:p@h/d/", "http://h/a.cfg"), "http://u:p@h/a.cfg");
    assert_slice(resolve(a, "ftp://u:p@h/d/", "http://other/a.cfg"), "http://other/a.cfg");
}

static void the_directory_of_a_url(void **state)
{
    struct slice text;
    assert_true(url_directory(SLICE("http://h:81/T46G/x.boot?y"), *state, &text));
    assert_slice(text, "http://h:81/T46G/");
    assert_true(url_directory(SLICE("http://[::1]:81"), *state, &text));
    assert_slice(text, "http://[::1]:81/");
}

static void decoding_happens_once_and_refuses_controls(void **state)
{
    (void)state;
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    assert_true(url_decode(SLICE("a%20b%2fc%252e"), &out));
    assert_slice(buf_slice(&out), "a b/c%2e");
    static const char *const bad[] = { "%", "%2", "a%2", "%zz", "%00", "%0a", "a\tb" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        out = BUF_ON(bytes);
        assert_false(url_decode(slice_str(bad[i]), &out));
    }
}

static void passwords_stay_out_of_what_is_shown(void **state)
{
    (void)state;
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    url_print_public(SLICE("ftp://test1:123456@10.3.6.234/x.cfg"), &out);
    assert_slice(buf_slice(&out), "ftp://10.3.6.234/x.cfg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_full_url),
        cmocka_unit_test(ipv6_hosts_lose_their_brackets),
        cmocka_unit_test(bad_urls_are_refused),
        test_with_arena(references_resolve_as_the_guide_uses_them),
        test_with_arena(a_result_that_no_url_may_be_is_refused),
        test_with_arena(credentials_go_to_the_same_host_only),
        test_with_arena(the_directory_of_a_url),
        cmocka_unit_test(decoding_happens_once_and_refuses_controls),
        cmocka_unit_test(passwords_stay_out_of_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
