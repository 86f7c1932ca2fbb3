/* Names that have moved: where they lead, and what is refused. */
#include "tests/unit/server/access_rules.h"
#include "tests/unit/test.h"

static struct access *rules;

static int end(void **state)
{
    (void)state;
    access_close(rules);
    rules = NULL;
    return 0;
}

static void set(const char *text)
{
    access_close(rules);
    rules = access_of(text, "a:a-long-secret");
    if (!rules)
        fail_msg("refused: %s", text);
}

/* "302 /new/x", or "-". */
static struct slice leads(const char *name, const char *query, bool https, const char *host)
{
    static char bytes[1024];
    char to[640];
    struct buf out = BUF_ON(bytes), location = BUF_ON(to);
    const struct redirect_question q = { slice_str(name), slice_str(query), query != NULL, https, slice_str(host) };
    unsigned status = redirect_find(&rules->redirects, &q, &location);
    if (!status)
        return SLICE("-");
    assert_true(buf_ok(&location));
    buf_format(&out, "%u %.*s", status, SLICE_ARG(buf_slice(&location)));
    return buf_slice(&out);
}

#define plain(name) leads(name, NULL, false, "pbx")

static void a_tree_moves_with_all_that_is_in_it(void **state)
{
    (void)state;
    set("redirect.1.from = /old/\nredirect.1.to = /new/\n"
        "redirect.2.from = /old/deep\nredirect.2.to = http://far.example:8080/x\nredirect.2.status = 308\n"
        "redirect.3.from = /a.cfg\nredirect.3.to = /b dir/b.cfg\nredirect.3.status = 301\n");
    assert_slice(plain("/old/x.cfg"), "302 /new/x.cfg");
    assert_slice(plain("//old/x.cfg"), "302 /new/x.cfg");
    assert_slice(plain("/old"), "302 /new");
    assert_slice(plain("/old/"), "302 /new/");
    assert_slice(plain("/old/a/b/"), "302 /new/a/b/");
    assert_slice(plain("/older/x.cfg"), "-");
    assert_slice(plain("/OLD/x.cfg"), "-");
    assert_slice(plain("/new/x.cfg"), "-");
    assert_slice(plain("/old/deep/y"), "308 http://far.example:8080/x/y");
    assert_slice(plain("/old/deeper/y"), "302 /new/deeper/y");
    assert_slice(plain("/a.cfg"), "301 /b%20dir/b.cfg");
    assert_slice(leads("/old/x", "a=b&c", false, "pbx"), "302 /new/x?a=b&c");
    assert_slice(leads("/old/x", "", false, "pbx"), "302 /new/x?");
}

static void no_request_says_where_it_leads(void **state)
{
    (void)state;
    set("redirect.1.from = /old\nredirect.1.to = /\nredirect.2.from = /away\nredirect.2.to = https://far.example\n");
    assert_slice(plain("/old/x"), "302 /x");
    assert_slice(plain("/old"), "302 /");
    assert_slice(plain("/old//evil.example/x"), "-");
    assert_slice(plain("/old/%2f"), "302 /%252f");
    assert_slice(plain("/old/\\evil.example"), "-");
    assert_slice(plain("/old/../x"), "-");
    assert_slice(plain("/old/a?b#c"), "302 /a%3Fb%23c");
    assert_slice(plain("/old/a\r\nX: y"), "-");
    assert_slice(plain("/away/@evil.example"), "302 https://far.example/@evil.example");
    assert_slice(plain("/away"), "302 https://far.example/");
    assert_slice(plain("/away/.evil.example"), "302 https://far.example/.evil.example");
    assert_slice(leads("/away/x", "a\"<b>", false, "pbx"), "302 https://far.example/x?a%22%3Cb%3E");
}

static void whatever_is_asked_the_host_is_the_configurations(void **state)
{
    (void)state;
    static const char letters[] = "//..%\\?#@:a \r\n\"\xff";
    uint32_t seed = 1;
    set("redirect.1.from = /o\nredirect.1.to = /\nredirect.2.from = /a\nredirect.2.to = https://far.example\n");
    for (int round = 0; round < 50000; round++) {
        char name[16] = "/o", to[640];
        size_t len = 2;
        name[1] = round & 1 ? 'o' : 'a';
        while (len < sizeof name - 1) {
            seed = seed * 1664525 + 1013904223;
            name[len++] = letters[(seed >> 16) % (sizeof letters - 1)];
        }
        struct buf out = BUF_ON(to);
        const struct redirect_question q = { slice_of(name, len), slice_of(name, len), true, false, SLICE("x") };
        if (!redirect_find(&rules->redirects, &q, &out))
            continue;
        struct slice location = buf_slice(&out);
        bool fine = round & 1 ? slice_starts(location, SLICE("/")) && !slice_starts(location, SLICE("//"))
                              : slice_starts(location, SLICE("https://far.example/"));
        for (size_t i = 0; i < location.len; i++)
            fine = fine && location.ptr[i] > ' ' && location.ptr[i] < 0x7f && location.ptr[i] != '\\';
        if (!fine)
            fail_msg("%.*s leads to %.*s", (int)len, name, SLICE_ARG(location));
    }
}

static void http_leads_to_https_and_https_serves(void **state)
{
    (void)state;
    set("redirect.1.from = /\nredirect.1.to = https://pbx.example/\n");
    assert_slice(leads("/x.cfg", NULL, false, "pbx.example"), "302 https://pbx.example/x.cfg");
    assert_slice(leads("/", NULL, false, "pbx.example"), "302 https://pbx.example/");
    assert_slice(leads("/x.cfg", NULL, true, "pbx.example"), "-");
    assert_slice(leads("/x.cfg", NULL, true, "PBX.example:443"), "-");
    assert_slice(leads("/x.cfg", NULL, true, ""), "-");
    assert_slice(leads("/x.cfg", NULL, true, "10.0.0.1"), "302 https://pbx.example/x.cfg");
    assert_slice(leads("/x.cfg", NULL, true, "pbx.example:8443"), "302 https://pbx.example/x.cfg");
    set("redirect.1.from = /\nredirect.1.to = http://pbx/new\n");
    assert_slice(plain("/x"), "302 http://pbx/new/x");
    assert_slice(plain("/new/x"), "-");
    assert_slice(leads("/new/x", NULL, false, "10.0.0.1"), "302 http://pbx/new/new/x");
    set("redirect.1.from = /a\nredirect.1.to = http://pbx/\n");
    assert_slice(plain("/a/x"), "302 http://pbx/x");
}

static void what_leads_to_itself_or_nowhere_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "redirect.1.from = /a\n",
        "redirect.1.to = /a\n",
        "redirect.1.from = /a\nredirect.1.to = /a\n",
        "redirect.1.from = /a\nredirect.1.to = /a/\n",
        "redirect.1.from = /a\nredirect.1.to = /a/b\n",
        "redirect.1.from = /\nredirect.1.to = /new\n",
        "redirect.1.from = /a\nredirect.1.to = /b\nredirect.2.from = /b\nredirect.2.to = /a\n",
        "redirect.1.from = /a\nredirect.1.to = /b\nredirect.2.from = /b/sub\nredirect.2.to = /a/sub\n",
        ("redirect.1.from = /a\nredirect.1.to = /b\nredirect.2.from = /b\nredirect.2.to = /c\nredirect.3.from = /c\n"
         "redirect.3.to = /a/d\n"),
        "redirect.1.from = /a\nredirect.1.to = /b\nredirect.2.from = /a/\nredirect.2.to = /c\n",
        "redirect.1.from = /a\nredirect.1.to = b\n",
        "redirect.1.from = /a\nredirect.1.to = //evil.example/\n",
        "redirect.1.from = /a\nredirect.1.to = ftp://x/\n",
        "redirect.1.from = /a\nredirect.1.to = http://user:secret@x/\n",
        "redirect.1.from = /a\nredirect.1.to = http://x/?q\n",
        "redirect.1.from = /a\nredirect.1.to = http://x/#f\n",
        "redirect.1.from = /a\nredirect.1.to = http:///x\n",
        "redirect.1.from = /a\nredirect.1.to = /b/../c\n",
        "redirect.1.from = /a\nredirect.1.to = /b\nredirect.1.status = 303\n",
        "redirect.1.from = a\nredirect.1.to = /b\n",
        "redirect.65.from = /a\nredirect.65.to = /b\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (access_of(bad[i], "a:a-long-secret"))
            fail_msg("taken: %s", bad[i]);
    set("redirect.1.from = /a\nredirect.1.to = /b\nredirect.2.from = /b\nredirect.2.to = /c\n");
    assert_slice(plain("/a/x"), "302 /b/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_tree_moves_with_all_that_is_in_it, end),
        cmocka_unit_test_teardown(no_request_says_where_it_leads, end),
        cmocka_unit_test_teardown(whatever_is_asked_the_host_is_the_configurations, end),
        cmocka_unit_test_teardown(http_leads_to_https_and_https_serves, end),
        cmocka_unit_test_teardown(what_leads_to_itself_or_nowhere_is_refused, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
