/* Access rules and logins over the HTTP service. */
#include "tests/unit/server/http_harness.h"

#include "tests/unit/server/access_rules.h"

static struct access *rules;

static void set_rules(struct server *s, const char *text)
{
    rules = access_of(text, "alice:secret-one bob:secret-two");
    assert_non_null(rules);
    s->worker.access = rules;
    assert_int_equal(login_open(&s->worker.login), 0);
}

static int end(void **state)
{
    struct server *s = *state;
    struct login *login = s->worker.login;
    int status = teardown(state);
    login_close(login);
    access_close(rules);
    rules = NULL;
    return status;
}

#define ALICE "access.1.prefix = /y000000000028.cfg\naccess.1.users = alice\n"
#define GET "GET /y000000000028.cfg" TAIL

static void a_rule_is_a_401_with_digest_md5_first_and_basic_last(void **state)
{
    struct server *s = *state;
    set_rules(s, ALICE);
    assert_int_equal(ask(s, GET CLOSE), 401);
    size_t md5 = slice_find_text(heard(asker), SLICE("algorithm=MD5,")),
           sha = slice_find_text(heard(asker), SLICE("algorithm=SHA-256,")),
           basic = slice_find_text(heard(asker), SLICE("WWW-Authenticate: Basic realm=\"dialtone\""));
    assert_true(md5 < sha && sha < basic && basic < asker->len);
    assert_false(has(asker, "stale"));
    assert_false(has(asker, "ccccc"));
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_REFUSED);
    assert_int_equal(e->code, 401);
    assert_slice(slice_str(e->reason), "login needed");
    assert_int_equal(ask(s, "HEAD /y000000000028.cfg" TAIL CLOSE), 401);
    assert_true(slice_ends(heard(asker), SLICE("\r\n\r\n")));
    only_event();
    assert_int_equal(ask(s, "GET /empty.boot" TAIL CLOSE), 200);
    only_event();
}

static void basic_opens_it_to_its_user_alone(void **state)
{
    static const struct {
        const char *header;
        int status;
        const char *reason;
    } cases[] = {
        { "Authorization: Basic YWxpY2U6c2VjcmV0LW9uZQ==\r\n", 200, NULL },
        { "Authorization: Basic YWxpY2U6c2VjcmV0LW9uZQ==\r\n", 200, NULL },
        { "Authorization: Basic YWxpY2U6c2VjcmV0LXR3bw==\r\n", 401, "wrong user or password" },
        { "Authorization: Basic bm9ib2R5OnNlY3JldC1vbmU=\r\n", 401, "wrong user or password" },
        { "Authorization: Basic Ym9iOnNlY3JldC10d28=\r\n", 401, "not for this user" },
        { "Authorization: Basic !\r\n", 401, "login needed" },
        { "Authorization: Basic YWxpY2U6c2VjcmV0LW9uZQ==\r\nAuthorization: Basic eDp5\r\n", 401,
          "login needed" },
    };
    struct server *s = *state;
    char bytes[1024];
    set_rules(s, ALICE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text = BUF_ON(bytes);
        buf_format(&text, GET "%s" CLOSE, cases[i].header);
        assert_true(buf_terminate(&text));
        assert_int_equal(ask(s, bytes), cases[i].status);
        const struct journal_event *e = only_event();
        if (cases[i].reason)
            assert_slice(slice_str(e->reason), cases[i].reason);
        /* R27: what was sent is nowhere in the event. */
        assert_slice(name_of(e), "/y000000000028.cfg");
    }
}

static void put_digest(struct buf *out, struct slice nonce, const char *uri, const char *nc)
{
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    struct auth a = { .scheme = AUTH_DIGEST,
                      .user = SLICE("alice"),
                      .algorithm = AUTH_MD5,
                      .nonce = nonce,
                      .realm = SLICE(USER_REALM),
                      .uri = slice_str(uri),
                      .cnonce = SLICE("c"),
                      .nc = slice_str(nc) };
    assert_true(auth_ha1(AUTH_MD5, a.user, a.realm, SLICE("secret-one"), ha1));
    assert_true(auth_response(&a, slice_str(ha1), SLICE("GET"), response));
    buf_format(out,
               GET "Authorization: Digest username=\"alice\", realm=\"dialtone\", nonce=\"%.*s\", uri=\"%s\", "
                   "response=\"%s\", qop=auth, nc=%s, cnonce=\"c\", opaque=\"0\"\r\n" CLOSE,
               SLICE_ARG(nonce), uri, response, nc);
    assert_true(buf_terminate(out));
}

static int ask_digest(struct server *s, struct slice nonce, const char *uri, const char *nc)
{
    char bytes[2048];
    struct buf text = BUF_ON(bytes);
    put_digest(&text, nonce, uri, nc);
    return ask(s, bytes);
}

static void digest_opens_it_until_its_nonce_is_stale(void **state)
{
    struct server *s = *state;
    char bytes[LOGIN_NONCE_BYTES];
    set_rules(s, ALICE);
    assert_int_equal(ask(s, GET CLOSE), 401);
    size_t at = slice_find_text(heard(asker), SLICE("nonce=\"")) + 7;
    assert_true(at + LOGIN_NONCE_BYTES < asker->len);
    memcpy(bytes, asker->bytes + at, LOGIN_NONCE_BYTES);
    struct slice nonce = slice_of(bytes, LOGIN_NONCE_BYTES);
    only_event();
    assert_int_equal(ask_digest(s, nonce, "/y000000000028.cfg", "00000001"), 200);
    only_event();
    assert_int_equal(ask_digest(s, nonce, "/y000000000028.cfg", "00000001"), 401);
    assert_true(has(asker, "stale=true"));
    assert_slice(slice_str(only_event()->reason), "login has expired");
    assert_int_equal(ask_digest(s, nonce, "/empty.boot", "00000002"), 401);
    assert_false(has(asker, "stale=true"));
    only_event();
    advance(s, LOGIN_NONCE_S * 1000);
    assert_int_equal(ask_digest(s, nonce, "/y000000000028.cfg", "00000003"), 401);
    assert_true(has(asker, "stale=true"));
}

static void where_no_login_helps_it_is_403(void **state)
{
    struct server *s = *state;
    set_rules(s, "access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.networks = 10.0.0.0/8\n"
                 "access.2.prefix = /dir\naccess.2.anonymous = 1\naccess.2.protocols = tftp\n");
    assert_int_equal(ask(s, GET CLOSE), 403);
    assert_slice(slice_str(only_event()->reason), "not from this network");
    assert_int_equal(ask(s, "GET /dir/x" TAIL CLOSE), 403);
    assert_slice(slice_str(only_event()->reason), "not by this protocol");
    assert_int_equal(ask(s, "GET //dir/x" TAIL CLOSE), 403);
}

static void r3_a_file_that_is_there_and_one_that_is_not_look_the_same(void **state)
{
    struct server *s = *state;
    size_t len;
    set_rules(s, "access.1.prefix = /\naccess.1.users = alice\n");
    assert_int_equal(ask(s, GET CLOSE), 401);
    len = asker->len;
    assert_int_equal(ask(s, "GET /y000000000029.cfg" TAIL CLOSE), 401);
    assert_int_equal(asker->len, len);
}

static void r4_too_many_failures_are_429_with_a_time_to_come_back(void **state)
{
    struct server *s = *state;
    set_rules(s, ALICE);
    for (int i = 0; i < LOGIN_TRIES; i++)
        assert_int_equal(ask(s, GET "Authorization: Basic eDp5\r\n" CLOSE), 401);
    fake_event_count = 0;
    assert_int_equal(ask(s, GET "Authorization: Basic YWxpY2U6c2VjcmV0LW9uZQ==\r\n" CLOSE), 429);
    assert_true(has(asker, "Retry-After: 6\r\n"));
    assert_slice(slice_str(only_event()->reason), "too many failed logins");
    assert_int_equal(ask(s, "GET /empty.boot" TAIL CLOSE), 200);
}

static void a_kept_connection_lives_through_a_401(void **state)
{
    struct server *s = *state;
    set_rules(s, ALICE);
    struct client *c = dial(s, 0);
    say(c, GET "\r\n" GET "Authorization: Basic YWxpY2U6c2VjcmV0LW9uZQ==\r\n" CLOSE);
    hear_end(s, c);
    assert_true(has(c, "HTTP/1.1 401 ") && has(c, "HTTP/1.1 200 "));
    hang_up(c);
}

#define login_test(f) cmocka_unit_test_setup_teardown(f, setup, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        login_test(a_rule_is_a_401_with_digest_md5_first_and_basic_last),
        login_test(basic_opens_it_to_its_user_alone),
        login_test(digest_opens_it_until_its_nonce_is_stale),
        login_test(where_no_login_helps_it_is_403),
        login_test(r3_a_file_that_is_there_and_one_that_is_not_look_the_same),
        login_test(r4_too_many_failures_are_429_with_a_time_to_come_back),
        login_test(a_kept_connection_lives_through_a_401),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
