#include "tests/unit/test.h"

#include "server/login.h"

/* Who asks from where, at a time that is moved by hand. */
struct desk {
    struct login *login;
    struct user list[2];
    struct users users;
    union address peer;
    uint64_t now_ms;
    struct arena arena;
};

static int setup(void **state)
{
    static const unsigned char salt[16] = "0123456789abcde";
    struct desk *d = calloc(1, sizeof *d);
    if (!d || login_open(&d->login))
        return -1;
    d->list[0].name = SLICE("alice");
    d->list[1].name = SLICE("bob");
    if (!user_hash_make(SLICE("alice"), SLICE("secret-one"), salt, &d->list[0].hash) ||
        !user_hash_make(SLICE("bob"), SLICE("secret-two"), salt, &d->list[1].hash) ||
        !address_parse(SLICE("10.0.0.1"), 4711, &d->peer))
        return -1;
    arena_init(&d->arena, 1 << 16);
    if (!users_of(d->list, 2, &d->arena, &d->users))
        return -1;
    d->now_ms = 1000;
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    login_close(d->login);
    arena_free(&d->arena);
    free(d);
    return 0;
}

static enum login_answer basic(struct desk *d, const char *name, const char *password)
{
    struct login_try t = { &d->users, &d->peer, PROTOCOL_HTTP, d->now_ms };
    const struct user *user = NULL;
    enum login_answer answer = login_password(d->login, &t, slice_str(name), slice_str(password), &user);
    assert_true((answer == LOGIN_DONE) == (user != NULL));
    assert_true(!user || slice_eq(user->name, slice_str(name)));
    return answer;
}

static enum login_answer digest(struct desk *d, const char *name, const char *password, struct slice nonce,
                                unsigned count)
{
    char nc[9], ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    struct buf out = BUF_ON(nc);
    struct login_try t = { &d->users, &d->peer, PROTOCOL_HTTP, d->now_ms };
    const struct user *user = NULL;
    buf_format(&out, "%08x", count);
    struct auth a = { .scheme = AUTH_DIGEST,
                      .user = slice_str(name),
                      .algorithm = AUTH_SHA256,
                      .nonce = nonce,
                      .realm = SLICE(USER_REALM),
                      .uri = SLICE("/x"),
                      .cnonce = SLICE("c"),
                      .nc = buf_slice(&out),
                      .count = count };
    assert_true(auth_ha1(AUTH_SHA256, a.user, a.realm, slice_str(password), ha1));
    assert_true(auth_response(&a, slice_str(ha1), SLICE("GET"), response));
    a.response = slice_str(response);
    return login_digest(d->login, &t, &a, SLICE("GET"), &user);
}

static struct slice fresh_nonce(struct desk *d, char bytes[LOGIN_NONCE_BYTES])
{
    struct buf out = buf_on(bytes, LOGIN_NONCE_BYTES);
    assert_true(login_nonce(d->login, d->now_ms, &out));
    assert_int_equal(out.len, LOGIN_NONCE_BYTES);
    return buf_slice(&out);
}

static void fail_often(struct desk *d, const char *name, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        basic(d, name, "wrong");
}

static void a_right_password_is_taken_and_remembered(void **state)
{
    struct desk *d = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_DONE);
    assert_int_equal(basic(d, "alice", "secret-two"), LOGIN_WRONG);
    assert_int_equal(basic(d, "nobody", "secret-one"), LOGIN_WRONG);
}

static void a_remembered_password_is_forgotten_with_the_users_line(void **state)
{
    static const unsigned char salt[16] = "another salt 12";
    struct desk *d = *state;
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_DONE);
    assert_true(user_hash_make(SLICE("alice"), SLICE("changed-now"), salt, &d->list[0].hash));
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_WRONG);
    assert_int_equal(basic(d, "alice", "changed-now"), LOGIN_DONE);
}

static void a_nonce_is_good_for_a_while_and_each_count_once(void **state)
{
    struct desk *d = *state;
    char bytes[LOGIN_NONCE_BYTES];
    struct slice nonce = fresh_nonce(d, bytes);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_DONE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_STALE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 3), LOGIN_DONE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 2), LOGIN_DONE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 2), LOGIN_STALE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 200), LOGIN_DONE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 136), LOGIN_STALE);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 137), LOGIN_DONE);
    assert_int_equal(digest(d, "alice", "wrong", nonce, 201), LOGIN_WRONG);
    d->now_ms += LOGIN_NONCE_S * 1000 - 1;
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 201), LOGIN_DONE);
    d->now_ms += 1;
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 202), LOGIN_STALE);
}

static void a_nonce_of_somebody_else_is_stale_never_right(void **state)
{
    struct desk *d = *state;
    char bytes[LOGIN_NONCE_BYTES];
    struct slice nonce = fresh_nonce(d, bytes);
    bytes[51] = bytes[51] == '0' ? '1' : '0';
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_STALE);
    assert_int_equal(digest(d, "alice", "secret-one", SLICE("mine"), 1), LOGIN_STALE);
    assert_int_equal(digest(d, "alice", "wrong", SLICE("mine"), 1), LOGIN_WRONG);
    nonce = fresh_nonce(d, bytes);
    bytes[0] = 'f'; /* from the future */
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_STALE);
}

static void nonces_of_more_phones_than_are_remembered_never_work_twice(void **state)
{
    struct desk *d = *state;
    char first[LOGIN_NONCE_BYTES], more[LOGIN_NONCE_BYTES];
    struct slice nonce = fresh_nonce(d, first);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_DONE);
    for (int i = 0; i < 40000; i++) {
        d->now_ms += i % 8 == 0;
        digest(d, "alice", "secret-one", fresh_nonce(d, more), 1);
    }
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_STALE);
}

static void r4_who_fails_too_often_is_slowed_and_then_refused_for_a_while(void **state)
{
    struct desk *d = *state;
    for (int i = 0; i < LOGIN_TRIES; i++)
        assert_int_equal(basic(d, "alice", "wrong"), LOGIN_WRONG);
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_WAIT);
    d->now_ms += LOGIN_TRY_S * 1000;
    assert_int_equal(basic(d, "alice", "wrong"), LOGIN_WRONG);
    assert_int_equal(basic(d, "alice", "wrong"), LOGIN_WAIT);
    for (int i = 0; i < LOGIN_REFUSALS; i++)
        assert_int_equal(basic(d, "x", "wrong"), LOGIN_WAIT);
    d->now_ms += LOGIN_TRY_S * 1000;
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_WAIT);
    d->now_ms += LOGIN_SHUT_S * 1000;
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_DONE);
}

static void r4_another_address_is_not_slowed_but_one_64_is_one_address(void **state)
{
    struct desk *d = *state;
    fail_often(d, "alice", 20);
    assert_true(address_parse(SLICE("10.0.0.2"), 1, &d->peer));
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_DONE);
    assert_true(address_parse(SLICE("2001:db8::1"), 1, &d->peer));
    fail_often(d, "alice", 20);
    assert_true(address_parse(SLICE("2001:db8::2:1"), 1, &d->peer));
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_WAIT);
}

static void r4_hundreds_of_good_phones_behind_a_nat_are_not_shut_out_by_one_stranger(void **state)
{
    struct desk *d = *state;
    char bytes[LOGIN_NONCE_BYTES];
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_DONE);
    fail_often(d, "admin", 500);
    assert_int_equal(basic(d, "bob", "secret-two"), LOGIN_WAIT); /* he never was here before */
    for (int phone = 0; phone < 300; phone++) {
        assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_DONE);
        assert_int_equal(digest(d, "alice", "secret-one", fresh_nonce(d, bytes), 1), LOGIN_DONE);
        assert_int_equal(basic(d, "admin", "wrong"), LOGIN_WAIT);
    }
}

static void r4_a_running_digest_survives_guesses_at_its_own_name(void **state)
{
    struct desk *d = *state;
    char bytes[LOGIN_NONCE_BYTES];
    struct slice nonce = fresh_nonce(d, bytes);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 1), LOGIN_DONE);
    fail_often(d, "alice", 200);
    assert_int_equal(digest(d, "alice", "secret-one", nonce, 2), LOGIN_DONE);
    assert_int_equal(basic(d, "alice", "secret-one"), LOGIN_WAIT);
}

#define login_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        login_test(a_right_password_is_taken_and_remembered),
        login_test(a_remembered_password_is_forgotten_with_the_users_line),
        login_test(a_nonce_is_good_for_a_while_and_each_count_once),
        login_test(a_nonce_of_somebody_else_is_stale_never_right),
        login_test(nonces_of_more_phones_than_are_remembered_never_work_twice),
        login_test(r4_who_fails_too_often_is_slowed_and_then_refused_for_a_while),
        login_test(r4_another_address_is_not_slowed_but_one_64_is_one_address),
        login_test(r4_hundreds_of_good_phones_behind_a_nat_are_not_shut_out_by_one_stranger),
        login_test(r4_a_running_digest_survives_guesses_at_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
