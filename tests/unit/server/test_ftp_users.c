/* Users of FTP: who logs in, what rules then give, and that nobody sees what is kept from him. */
#include "tests/unit/server/ftp_harness.h"

#include "server/login.h"
#include "tests/unit/server/access_rules.h"

#define RULES                                                                                                  \
    "access.1.prefix = /dir\naccess.1.users = alice\n"                                                         \
    "access.2.prefix = /empty.boot\naccess.2.users = bob\n"                                                    \
    "access.3.prefix = /large.rom\naccess.3.anonymous = 1\naccess.3.protocols = http\n"                        \
    "access.4.prefix = /\naccess.4.anonymous = 1\n"

static struct access *rules, *other_rules;

static int setup_users(void **state)
{
    if (setup(state))
        return -1;
    struct server *s = *state;
    rules = access_of(RULES, "alice:secret-one bob:secret-two");
    other_rules = NULL;
    s->worker.access = rules;
    return rules ? login_open(&s->worker.login) : -1;
}

static int teardown_users(void **state)
{
    struct server *s = *state;
    finish(s);
    login_close(s->worker.login);
    access_close(rules);
    access_close(other_rules);
    return teardown(state);
}

static int log_in_as(struct server *s, struct client *c, const char *user, const char *password)
{
    char line[256];
    snprintf(line, sizeof line, "USER %s", user);
    assert_int_equal(ask(s, c, line), 331);
    snprintf(line, sizeof line, "PASS %s", password);
    return ask(s, c, line);
}

static struct client *greet(struct server *s)
{
    struct client *c = dial(s);
    assert_int_equal(reply(s, c), 220);
    return c;
}

static void a_user_gets_his_directory_and_nobody_elses(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    assert_int_equal(log_in_as(s, c, "alice", "secret-one"), 230);
    assert_int_equal(ask(s, c, "CWD dir"), 250);
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    assert_int_equal(ask(s, c, "SIZE /empty.boot"), 550);
    assert_int_equal(only_event()->outcome, OUTCOME_REFUSED);
    assert_int_equal(ask(s, c, "SIZE /y000000000028.cfg"), 213);
    assert_int_equal(ask(s, c, "SIZE /large.rom"), 550);
    assert_int_equal(log_in_as(s, c, "bob", "secret-two"), 230);
    assert_int_equal(ask(s, c, "CWD /dir"), 550);
    assert_int_equal(ask(s, c, "SIZE /empty.boot"), 213);
    hang_up(c);
}

static void a_wrong_password_says_530_and_anonymous_comes_in_then(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    assert_int_equal(log_in_as(s, c, "alice", "secret-two"), 530);
    assert_int_equal(ask(s, c, "PWD"), 530);
    assert_int_equal(log_in_as(s, c, "nobody", "secret-one"), 530);
    assert_int_equal(log_in_as(s, c, "Alice", "secret-one"), 530);
    assert_int_equal(ask(s, c, "PASS secret-one"), 503);
    assert_int_equal(log_in_as(s, c, "anonymous", ""), 230);
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    assert_int_equal(ask(s, c, "SIZE y000000000028.cfg"), 213);
    assert_int_equal(fake_event_count, 0);
    hang_up(c);
}

static void what_needs_a_login_says_530_to_anonymous_whether_it_is_there_or_not(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    struct slice there, absent;
    char first[128];
    assert_int_equal(ask(s, c, "CWD dir"), 530);
    passive(s, c);
    say(c, "RETR empty.boot\r\n");
    assert_int_equal(reply_text(s, c, &there), 530);
    const struct journal_event *e = only_event();
    assert_int_equal(e->code, 530);
    assert_int_equal(e->outcome, OUTCOME_REFUSED);
    say(c, "SIZE dir/a\r\n");
    assert_int_equal(reply_text(s, c, &there), 530);
    snprintf(first, sizeof first, "%.*s", SLICE_ARG(there));
    say(c, "SIZE dir/b/c\r\n");
    assert_int_equal(reply_text(s, c, &absent), 530);
    assert_slice(absent, first);
    passive(s, c);
    assert_int_equal(ask(s, c, "LIST dir"), 530);
    hang_up(c);
}

static void listings_leave_out_what_a_longer_rule_keeps_from_the_caller(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    fetch(s, c, "NLST");
    assert_slice(got(), "y000000000028.cfg\r\n");
    fetch(s, c, "LIST /*");
    assert_true(got_has("y000000000028.cfg\r\n") && !got_has("empty.boot") && !got_has("dir"));
    assert_int_equal(log_in_as(s, c, "alice", "secret-one"), 230);
    fetch(s, c, "MLSD");
    assert_true(got_has(" y000000000028.cfg\r\n") && got_has(" dir\r\n") && !got_has("empty.boot"));
    assert_int_equal(log_in_as(s, c, "bob", "secret-two"), 230);
    fetch(s, c, "NLST");
    assert_slice(got(), "y000000000028.cfg\r\nempty.boot\r\n");
    hang_up(c);
}

static void one_may_go_through_a_closed_directory_to_an_open_one(void **state)
{
    struct server *s = *state;
    fake_add("dir/in", TREE_DIRECTORY);
    other_rules = access_of("access.1.prefix = /\naccess.1.users = bob\n"
                            "access.2.prefix = /dir/in\naccess.2.users = alice\n",
                            "alice:secret-one bob:secret-two");
    s->worker.access = other_rules;
    struct client *c = greet(s);
    assert_int_equal(log_in_as(s, c, "alice", "secret-one"), 230);
    assert_int_equal(ask(s, c, "CWD dir"), 250);
    assert_int_equal(ask(s, c, "CWD in"), 250);
    assert_int_equal(ask(s, c, "CWD /"), 250);
    passive(s, c);
    assert_int_equal(ask(s, c, "LIST"), 550);
    passive(s, c);
    assert_int_equal(ask(s, c, "LIST /dir"), 550);
    assert_int_equal(log_in_as(s, c, "anonymous", ""), 230);
    assert_int_equal(ask(s, c, "CWD dir"), 530);
    hang_up(c);
}

static void r4_guesses_are_refused_unlooked_at_and_a_known_phone_is_not(void **state)
{
    struct server *s = *state;
    struct client *known = greet(s);
    assert_int_equal(log_in_as(s, known, "bob", "secret-two"), 230);
    struct client *c = greet(s);
    for (int i = 0; i < LOGIN_TRIES; i++)
        assert_int_equal(log_in_as(s, c, "alice", "guess"), 530);
    assert_int_equal(log_in_as(s, c, "alice", "secret-one"), 530);
    assert_int_equal(log_in_as(s, known, "bob", "secret-two"), 230);
    assert_int_equal(log_in_as(s, c, "anonymous", ""), 230);
    hang_up(c);
    hang_up(known);
}

static void who_only_says_wrong_passwords_is_sent_away(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    for (int i = 1; i < FTP_FAULTS_MAX; i++)
        assert_int_equal(log_in_as(s, c, "alice", "guess"), 530);
    assert_int_equal(ask(s, c, "USER alice"), 331);
    assert_int_equal(ask(s, c, "PASS guess"), 530);
    assert_int_equal(reply(s, c), 421);
    hear_end(s, c);
    hang_up(c);
}

static void a_user_who_is_taken_out_of_the_configuration_is_nobody_at_once(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    assert_int_equal(log_in_as(s, c, "alice", "secret-one"), 230);
    assert_int_equal(ask(s, c, "CWD dir"), 250);
    other_rules = access_of(RULES, "alice:another-one bob:secret-two");
    s->worker.access = other_rules;
    assert_int_equal(ask(s, c, "CWD /dir"), 530);
    access_close(other_rules);
    other_rules = access_of("access.1.prefix = /dir\naccess.1.users = bob\n", "bob:secret-two");
    s->worker.access = other_rules;
    assert_int_equal(ask(s, c, "CWD /dir"), 530);
    s->worker.access = rules;
    assert_int_equal(ask(s, c, "CWD /dir"), 250);
    hang_up(c);
}

static void a_password_stays_nowhere_in_the_session(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    say(c, "USER alice\r\nPASS secr");
    assert_int_equal(reply(s, c), 331);
    say(c, "et-one\r\n");
    assert_int_equal(reply(s, c), 230);
    struct ftp_session *session = TAILQ_FIRST(&s->service->idle);
    assert_non_null(session);
    struct slice all = slice_of(session, sizeof *session);
    assert_int_equal(slice_find_text(all, SLICE("secr")), all.len);
    assert_int_equal(slice_find_text(all, SLICE("et-one")), all.len);
    hang_up(c);
}

static void r3_another_phones_file_is_answered_like_one_that_is_not_there(void **state)
{
    struct server *s = *state;
    struct slice text;
    char absent[128];
    fake_small("00156574b150.cfg", SLICE("own"));
    fake_small("00156574b151.cfg", SLICE("another's"));
    other_rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = login\n",
                            "00156574b150:secret-one");
    s->worker.access = other_rules;
    struct client *c = greet(s);
    assert_int_equal(log_in_as(s, c, "00156574b150", "secret-one"), 230);
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    assert_int_equal(ask(s, c, "SIZE 00156574b150.cfg"), 213);
    assert_int_equal(fake_event_count, 0);
    say(c, "SIZE 00156574b152.cfg\r\n");
    assert_int_equal(reply_text(s, c, &text), 550);
    snprintf(absent, sizeof absent, "%.*s", SLICE_ARG(text));
    fake_event_count = 0;
    static const char *const asks[] = { "SIZE", "MDTM", "MLST", "STAT", "CWD" };
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        say(c, asks[i]);
        say(c, " 00156574b151.cfg\r\n");
        assert_int_equal(reply_text(s, c, &text), 550);
        assert_slice(text, absent);
    }
    assert_int_equal(only_event()->outcome, OUTCOME_REFUSED);
    fetch(s, c, "NLST *.cfg");
    assert_slice(got(), "y000000000028.cfg\r\n00156574b150.cfg\r\n");
    hang_up(c);
}

static void names_that_are_too_long_for_a_user_are_nobody(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    char name[USER_NAME_BYTES_MAX + 2] = { 0 };
    memset(name, 'a', USER_NAME_BYTES_MAX + 1);
    assert_int_equal(log_in_as(s, c, name, "x"), 530);
    name[USER_NAME_BYTES_MAX] = '\0';
    assert_int_equal(log_in_as(s, c, name, "x"), 530);
    hang_up(c);
}

#define users_test(f) cmocka_unit_test_setup_teardown(f, setup_users, teardown_users)

int main(void)
{
    const struct CMUnitTest tests[] = {
        users_test(a_user_gets_his_directory_and_nobody_elses),
        users_test(a_wrong_password_says_530_and_anonymous_comes_in_then),
        users_test(what_needs_a_login_says_530_to_anonymous_whether_it_is_there_or_not),
        users_test(listings_leave_out_what_a_longer_rule_keeps_from_the_caller),
        users_test(one_may_go_through_a_closed_directory_to_an_open_one),
        users_test(r4_guesses_are_refused_unlooked_at_and_a_known_phone_is_not),
        users_test(who_only_says_wrong_passwords_is_sent_away),
        users_test(a_user_who_is_taken_out_of_the_configuration_is_nobody_at_once),
        users_test(a_password_stays_nowhere_in_the_session),
        users_test(r3_another_phones_file_is_answered_like_one_that_is_not_there),
        users_test(names_that_are_too_long_for_a_user_are_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
