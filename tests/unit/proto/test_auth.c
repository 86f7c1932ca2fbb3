#include "tests/unit/test.h"

#include "proto/auth.h"

static char room_bytes[AUTH_VALUE_BYTES_MAX];
static struct auth auth;

static bool parse(const char *value)
{
    static struct buf room;
    room = BUF_ON(room_bytes);
    return auth_parse(slice_str(value), &room, &auth);
}

static void basic_as_rfc_7617_has_it(void **state)
{
    (void)state;
    assert_true(parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_int_equal(auth.scheme, AUTH_BASIC);
    assert_slice(auth.user, "Aladdin");
    assert_slice(auth.password, "open sesame");
    assert_true(parse("basic   dGVzdDoxMjPCow== "));
    assert_slice(auth.user, "test");
    assert_slice(auth.password, "123\xc2\xa3");
    assert_true(parse("Basic YTpiOmM="));
    assert_slice(auth.user, "a");
    assert_slice(auth.password, "b:c");
    assert_true(parse("Basic YTo="));
    assert_slice(auth.password, "");
}

static void malformed_basic_is_refused(void **state)
{
    static const char *const bad[] = { "Basic",          "Basic ",     "Basic YWI=",      "Basic YTpi=",
                                       "Basic YTpiCg==", "Basic YTp",  "Basic YTpi YTpi", "Basic YTo*",
                                       "Basic =YTo",     "Basic YT=v", "Basic YTp=",      "Basic AAAA",
                                       "Bearer YTpi",    "",           "Basic\tYTpi",     "Basic ====" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(bad[i]))
            fail_msg("%s", bad[i]);
}

#define MUFASA                                                                                                 \
    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "                   \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "                                    \
    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "                                      \
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

static void digest_with_both_algorithms_as_rfc_7616_has_it(void **state)
{
    static const struct {
        const char *value;
        enum auth_algorithm algorithm;
    } cases[] = { { MUFASA ", response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5", AUTH_MD5 },
                  { MUFASA ", response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""
                           ", algorithm=SHA-256",
                    AUTH_SHA256 } };
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(parse(cases[i].value));
        assert_int_equal(auth.scheme, AUTH_DIGEST);
        assert_int_equal(auth.algorithm, cases[i].algorithm);
        assert_slice(auth.user, "Mufasa");
        assert_int_equal(auth.count, 1);
        assert_true(auth_ha1(auth.algorithm, auth.user, auth.realm, SLICE("Circle of Life"), ha1));
        assert_true(auth_response(&auth, slice_str(ha1), SLICE("GET"), response));
        assert_slice(auth.response, response);
        assert_true(auth_response(&auth, slice_str(ha1), SLICE("HEAD"), response));
        assert_false(slice_eq(auth.response, slice_str(response)));
    }
}

static void digest_as_rfc_2617_has_it_without_an_algorithm_is_md5(void **state)
{
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    (void)state;
    assert_true(parse("Digest username=\"Mufasa\",realm=\"testrealm@host.com\","
                      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",uri=\"/dir/index.html\",qop=\"auth\","
                      "nc=00000001,cnonce=\"0a4f113b\",response=\"6629fae49393a05397450978507c4ef1\","
                      "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
    assert_true(auth_ha1(AUTH_MD5, auth.user, auth.realm, SLICE("Circle Of Life"), ha1));
    assert_slice(slice_str(ha1), "939e7578ed9e3c518a452acee763bce9");
    assert_true(auth_response(&auth, slice_str(ha1), SLICE("GET"), response));
    assert_slice(auth.response, response);
}

#define REST                                                                                                   \
    ", realm=\"d\", nonce=\"n\", uri=\"/\", cnonce=\"c\", response=\"8ca523f5e9506fed4657c9700eebdbec\""

static void quoted_texts_lose_their_escapes_and_odd_lists_are_read(void **state)
{
    (void)state;
    assert_true(
        parse("DIGEST ,username = \"a\\\"b\\\\c\" ,, nc=000000FF,qop=auth, thing=1, userhash=false" REST ","));
    assert_slice(auth.user, "a\"b\\c");
    assert_int_equal(auth.count, 255);
}

static void malformed_digests_are_refused(void **state)
{
    static const char *const bad[] = {
        "Digest",
        "Digest x",
        "Digest username=\"a\"" REST,
        "Digest username=\"a\", nc=00000001, qop=auth-int" REST,
        "Digest username=\"a\", nc=00000001, qop=auth, algorithm=MD5-sess" REST,
        "Digest username=\"a\", nc=00000001, qop=auth, algorithm=SHA-256" REST,
        "Digest username=\"a\", nc=00000001, qop=auth, userhash=true" REST,
        "Digest username=\"a\", nc=00000000, qop=auth" REST,
        "Digest username=\"a\", nc=1, qop=auth" REST,
        "Digest username=\"a\", nc=+0000001, qop=auth" REST,
        "Digest username=\"a\", username=\"b\", nc=00000001, qop=auth" REST,
        "Digest username*=UTF-8''a, nc=00000001, qop=auth" REST,
        "Digest username=\"a, nc=00000001, qop=auth",
        "Digest username=\"a\" nc=00000001, qop=auth" REST,
        "Digest username=, nc=00000001, qop=auth" REST,
        "Digest username=\"a\tb\", nc=00000001, qop=auth" REST,
        "Digest "
        "username=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", "
        "nc=00000001, qop=auth" REST,
    };
    (void)state;
    assert_true(parse("Digest username=\"a\", nc=00000001, qop=auth" REST));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(bad[i]))
            fail_msg("%s", bad[i]);
}

static void challenges_read_as_the_rfcs_write_them(void **state)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    (void)state;
    auth_challenge_digest(SLICE("dialtone"), AUTH_SHA256, SLICE("n1"), true, &out);
    assert_slice(buf_slice(&out), "Digest realm=\"dialtone\", qop=\"auth\", algorithm=SHA-256, nonce=\"n1\", "
                                  "opaque=\"0\", stale=true");
    out = BUF_ON(bytes);
    auth_challenge_basic(SLICE("dialtone"), &out);
    assert_slice(buf_slice(&out), "Basic realm=\"dialtone\", charset=\"UTF-8\"");
}

static struct auth_challenge challenge(const char *text, struct buf *room)
{
    struct auth_challenge c;
    assert_true(auth_challenge_parse(slice_str(text), room, &c));
    return c;
}

/* RFC 7616 3.9.1, both algorithms; RFC 2069 2.4 with its erratum 749 for the form without qop. */
static void a_challenge_is_answered_as_the_rfcs_do(void **state)
{
    static const char cnonce[] = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
#define NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    static const struct {
        const char *challenge, *password, *response;
        bool qop;
    } cases[] = {
        { "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, nonce=\"" NONCE "\", opaque=\"FQhe\"",
          "Circle of Life", "8ca523f5e9506fed4657c9700eebdbec", true },
        { "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, nonce=\"" NONCE "\"",
          "Circle of Life", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", true },
        { "digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"", "CircleOfLife",
          "1949323746fe6a43ef61f9606e7febea", false },
    };
#undef NONCE
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[AUTH_VALUE_BYTES_MAX], value_bytes[1024];
        struct buf room = BUF_ON(bytes), value = BUF_ON(value_bytes);
        struct auth_challenge c = challenge(cases[i].challenge, &room);
        struct auth_reply reply = { SLICE("Mufasa"), slice_str(cases[i].password), SLICE("GET"), SLICE("/dir/index.html"),
                                    slice_str(cnonce), 1 };
        assert_int_equal(c.qop, cases[i].qop);
        assert_true(auth_put_digest(&c, &reply, &value));
        struct slice text = buf_slice(&value);
        size_t at = slice_find_text(text, SLICE("response=\"")) + 10;
        assert_slice(slice_first(slice_from(text, at), strlen(cases[i].response)), cases[i].response);
        assert_int_equal(slice_find_text(text, SLICE("nc=00000001")) < text.len, cases[i].qop);
        assert_int_equal(slice_find_text(text, SLICE("opaque=\"FQhe\"")) < text.len, i == 0);
    }
}

static void challenges_that_cannot_be_answered_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "Digest", "Digest ", "Basic realm=\"a\"", "Digest realm=\"a\"", "Digest nonce=\"a\"",
        "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"", "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-512-256",
        "Digest realm=\"a\", nonce=\"b\", algorithm=MD5-sess", "Digest realm=\"a\", realm=\"b\", nonce=\"c\"",
        "Digest realm=\"a, nonce=\"b\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char bytes[AUTH_VALUE_BYTES_MAX];
        struct buf room = BUF_ON(bytes);
        struct auth_challenge c;
        if (auth_challenge_parse(slice_str(bad[i]), &room, &c))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic_as_rfc_7617_has_it),
        cmocka_unit_test(malformed_basic_is_refused),
        cmocka_unit_test(digest_with_both_algorithms_as_rfc_7616_has_it),
        cmocka_unit_test(digest_as_rfc_2617_has_it_without_an_algorithm_is_md5),
        cmocka_unit_test(quoted_texts_lose_their_escapes_and_odd_lists_are_read),
        cmocka_unit_test(malformed_digests_are_refused),
        cmocka_unit_test(challenges_read_as_the_rfcs_write_them),
        cmocka_unit_test(a_challenge_is_answered_as_the_rfcs_do),
        cmocka_unit_test(challenges_that_cannot_be_answered_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
