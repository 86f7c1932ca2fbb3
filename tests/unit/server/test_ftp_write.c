/* What FTP writes and changes: whole or not at all, and only where a rule says so. */
#include "tests/unit/server/ftp_harness.h"

#include "server/login.h"
#include "tests/unit/server/access_rules.h"

static struct access *rules;

static int setup_writing(void **state)
{
    memset(&fake_upload, 0, sizeof fake_upload);
    if (setup(state))
        return -1;
    struct server *s = *state;
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = overwrite\n"
                      "access.2.prefix = /dir\naccess.2.anonymous = 1\naccess.2.write = create\n"
                      "access.3.prefix = /none\naccess.3.anonymous = 1\n"
                      "access.4.prefix = /his\naccess.4.users = alice\naccess.4.write = overwrite\n",
                      "alice:secret-one");
    s->worker.access = rules;
    return rules ? login_open(&s->worker.login) : -1;
}

static int teardown_writing(void **state)
{
    struct server *s = *state;
    finish(s);
    fake_upload_settle();
    assert_int_equal(fake_upload.open, 0);
    login_close(s->worker.login);
    access_close(rules);
    return teardown(state);
}

/* Says the command and sends the bytes; the data connection stays open. */
static int send_to(struct server *s, struct client *c, const char *line, const char *bytes, size_t len)
{
    int fd = dial_port(s, passive(s, c), NULL);
    assert_true(fd >= 0);
    assert_int_equal(ask(s, c, line), 150);
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, bytes + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        at += n > 0 ? (size_t)n : 0;
        pump(s);
    }
    return fd;
}

/* Until the file is on its way to the disk, or is refused. */
static void wait_for_commit(struct server *s, struct client *c)
{
    for (int i = 0; i < ROUNDS_MAX && !fake_upload.pending && unseen(c).len == 0; i++) {
        hear(s, c);
        advance(s, FTP_LAST_WORD_MS);
    }
}

/* And ends it; the reply. */
static int put(struct server *s, struct client *c, const char *line, const char *bytes, size_t len)
{
    close(send_to(s, c, line, bytes, len));
    wait_for_commit(s, c);
    fake_upload_settle();
    return reply(s, c);
}

static void assert_stored(const char *name, const char *bytes, size_t len)
{
    assert_string_equal(fake_upload.name, name);
    assert_int_equal(fake_upload.committed, 1);
    assert_int_equal(fake_upload.len, len);
    assert_memory_equal(fake_upload.bytes, bytes, len);
    fake_upload.committed = 0;
}

static void a_phone_stores_its_settings_and_is_told_when_they_are_on_the_disk(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    close(send_to(s, c, "STOR 00156574b150-local.cfg", "a = 1\n", 6));
    wait_for_commit(s, c);
    assert_non_null(fake_upload.pending);
    assert_int_equal(unseen(c).len, 0);
    fake_upload_settle();
    assert_int_equal(reply(s, c), 226);
    assert_stored("/00156574b150-local.cfg", "a = 1\n", 6);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STORED);
    assert_int_equal(e->code, 226);
    assert_int_equal(e->bytes, 6);
    assert_slice(name_of(e), "/00156574b150-local.cfg");
    assert_int_equal(put(s, c, "STOR empty", "", 0), 226);
    assert_stored("/empty", "", 0);
    hang_up(c);
}

static void a_large_one_comes_whole(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    for (size_t i = 0; i < 900000; i++)
        bulk[i] = (char)(i / 251);
    assert_int_equal(put(s, c, "STOR big.bin", bulk, 900000), 226);
    assert_stored("/big.bin", bulk, 900000);
    hang_up(c);
}

static void append_and_rest_say_so_once(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    assert_int_equal(put(s, c, "APPE a.log", "more", 4), 226);
    assert_true(fake_upload.append && fake_upload.offset == 0);
    assert_int_equal(ask(s, c, "REST 700"), 350);
    assert_int_equal(put(s, c, "STOR a.log", "more", 4), 226);
    assert_true(!fake_upload.append && fake_upload.offset == 700);
    assert_int_equal(put(s, c, "STOR a.log", "more", 4), 226);
    assert_int_equal(fake_upload.offset, 0);
    assert_int_equal(ask(s, c, "TYPE A"), 200);
    assert_int_equal(ask(s, c, "REST 700"), 350);
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR a.log"), 554);
    fake_upload.begin = UPLOAD_BAD_OFFSET;
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    assert_int_equal(ask(s, c, "REST 700"), 350);
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR a.log"), 554);
    hang_up(c);
}

static void type_a_stores_line_feeds(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    assert_int_equal(ask(s, c, "TYPE A"), 200);
    int fd = send_to(s, c, "STOR a.cfg", "a\r\nb\r", 5);
    pump(s);
    assert_int_equal(send(fd, "\nc\rd\r\r\n\r", 8, MSG_NOSIGNAL), 8);
    close(fd);
    wait_for_commit(s, c);
    fake_upload_settle();
    assert_int_equal(reply(s, c), 226);
    assert_stored("/a.cfg", "a\nb\nc\rd\r\n\r", 10);
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    assert_int_equal(put(s, c, "STOR a.cfg", "a\r\n", 3), 226);
    assert_stored("/a.cfg", "a\r\n", 3);
    hang_up(c);
}

static void r22_what_breaks_leaves_the_old_file(void **state)
{
    struct server *s = *state;
    struct linger now = { 1, 0 };
    for (int order = 0; order < 5; order++) {
        struct client *c = log_in(s);
        int fd = send_to(s, c, "STOR a.cfg", "half", 4);
        if (order == 0) {
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close(fd);
            assert_int_equal(reply(s, c), 426);
        } else if (order == 1) {
            assert_int_equal(ask(s, c, "ABOR"), 426);
            assert_int_equal(reply(s, c), 226);
            close(fd);
        } else if (order == 2) {
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        } else if (order == 3) {
            advance(s, FTP_SEND_CHECK_S * 1000 + 100);
            assert_int_equal(reply(s, c), 426);
            close(fd);
        }
        hang_up(c);
        /* It died: both connections end at once. */
        if (order == 2 || order == 4)
            close(fd);
        advance(s, 60000);
        assert_int_equal(fake_upload.open, 0);
        assert_int_equal(fake_upload.committed, 0);
        assert_int_equal(only_event()->outcome, OUTCOME_STOPPED);
        assert_int_equal(s->service->slots, 0);
    }
    assert_int_equal(fake_upload.aborted, 5);
}

static void r10_a_session_that_ends_while_the_disk_works_is_not_told(void **state)
{
    struct server *s = *state;
    struct linger now = { 1, 0 };
    struct client *c = log_in(s);
    close(send_to(s, c, "STOR a.cfg", "all of it", 9));
    wait_for_commit(s, c);
    say(c, "ABOR\r\nPWD\r\n");
    pump(s);
    assert_int_equal(unseen(c).len, 0);
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    hang_up(c);
    advance(s, 1000);
    assert_int_equal(s->service->slots, 0);
    assert_int_equal(fake_upload.left, 1);
    fake_upload_settle();
    assert_int_equal(fake_upload.committed, 1);
}

static void commands_wait_for_the_disk_and_abor_comes_too_late(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    close(send_to(s, c, "STOR a.cfg", "all of it", 9));
    wait_for_commit(s, c);
    say(c, "ABOR\r\nNOOP\r\nPWD\r\n");
    pump(s);
    assert_int_equal(unseen(c).len, 0);
    fake_upload_settle();
    assert_int_equal(reply(s, c), 226);
    assert_int_equal(reply(s, c), 226);
    assert_int_equal(reply(s, c), 200);
    assert_int_equal(reply(s, c), 257);
    assert_int_equal(fake_upload.committed, 1);
    hang_up(c);
}

static void r22_a_client_that_dies_right_behind_its_data_connection_stores_nothing(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    close(send_to(s, c, "STOR a.cfg", "half", 4));
    pump(s);
    assert_null(fake_upload.pending);
    hang_up(c);
    advance(s, 10 * FTP_LAST_WORD_MS);
    assert_int_equal(fake_upload.aborted, 1);
    assert_int_equal(only_event()->outcome, OUTCOME_STOPPED);
    assert_int_equal(s->service->slots, 0);
}

static const struct {
    enum upload_answer answer;
    int code;
} refusals[] = { { UPLOAD_OFF, 550 },       { UPLOAD_BAD_NAME, 553 },  { UPLOAD_STRANGER, 550 },
                 { UPLOAD_EXISTS, 550 },    { UPLOAD_TOO_LARGE, 552 }, { UPLOAD_FULL, 452 },
                 { UPLOAD_BUSY, 450 },      { UPLOAD_TOO_OFTEN, 450 }, { UPLOAD_READ_ONLY, 550 },
                 { UPLOAD_FORBIDDEN, 550 }, { UPLOAD_BROKEN, 451 } };

static void every_refusal_has_its_code_before_between_and_after_the_bytes(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        enum outcome outcome = refusals[i].answer == UPLOAD_BROKEN ? OUTCOME_BROKEN : OUTCOME_REFUSED;
        fake_upload.begin = refusals[i].answer;
        uint16_t port = passive(s, c);
        assert_int_equal(ask(s, c, "STOR a"), refusals[i].code);
        assert_int_equal(only_event()->outcome, outcome);
        assert_int_equal(dial_port(s, port, NULL), -1);
        fake_upload.begin = UPLOAD_FINE;
        fake_upload.write = refusals[i].answer;
        assert_int_equal(put(s, c, "STOR a", "x", 1), refusals[i].code);
        assert_int_equal(only_event()->outcome, outcome);
        fake_upload.write = UPLOAD_FINE;
        fake_upload.commit = refusals[i].answer;
        assert_int_equal(put(s, c, "STOR a", "x", 1), refusals[i].code);
        assert_int_equal(only_event()->outcome, outcome);
        fake_upload.commit = UPLOAD_FINE;
    }
    assert_int_equal(fake_upload.committed, 0);
    hang_up(c);
}

static void what_a_rule_keeps_is_not_even_begun(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR none/a"), 550);
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR his/a"), 530);
    passive(s, c);
    assert_int_equal(ask(s, c, "APPE his/a"), 530);
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR ../a"), 550);
    assert_int_equal(ask(s, c, "STOR a"), 425);
    assert_int_equal(ask(s, c, "RNFR his/a"), 530);
    assert_int_equal(ask(s, c, "RNFR dir"), 550);
    fake_upload.change = UPLOAD_FORBIDDEN;
    assert_int_equal(ask(s, c, "DELE his/a"), 530);
    assert_int_equal(ask(s, c, "DELE dir/a"), 550);
    assert_int_equal(ask(s, c, "MKD his/a"), 530);
    assert_int_equal(ask(s, c, "RMD none/a"), 550);
    assert_int_equal(fake_upload.begun, 0);
    assert_int_equal(fake_event_count, 11);
    for (size_t i = 0; i < fake_event_count; i++)
        assert_int_equal(fake_events[i].outcome, OUTCOME_REFUSED);
    assert_int_equal(ask(s, c, "USER alice"), 331);
    assert_int_equal(ask(s, c, "PASS secret-one"), 230);
    assert_int_equal(put(s, c, "STOR his/a", "x", 1), 226);
    assert_int_equal(fake_upload.may, ACCESS_WRITE_OVERWRITE);
    hang_up(c);
}

static void stou_draws_a_name_and_never_overwrites(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    struct slice text;
    char first[512] = "";
    for (int i = 0; i < 2; i++) {
        int fd = dial_port(s, passive(s, c), NULL);
        say(c, i == 0 ? "STOU\r\n" : "STOU dir/log\r\n");
        assert_int_equal(reply_text(s, c, &text), 150);
        assert_true(slice_starts(text, i == 0 ? SLICE("150 FILE: /file.") : SLICE("150 FILE: /dir/log.")));
        close(fd);
        wait_for_commit(s, c);
        fake_upload_settle();
        assert_int_equal(reply(s, c), 226);
        assert_int_equal(fake_upload.may, ACCESS_WRITE_CREATE);
        assert_string_not_equal(fake_upload.name, first);
        snprintf(first, sizeof first, "%s", fake_upload.name);
    }
    hang_up(c);
}

static void changes_are_made_and_noted(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    struct slice text;
    assert_int_equal(ask(s, c, "DELE empty.boot"), 250);
    assert_string_equal(fake_upload.name, "/empty.boot");
    assert_int_equal(only_event()->outcome, OUTCOME_STORED);
    assert_int_equal(ask(s, c, "CWD dir"), 250);
    say(c, "MKD a\"b\r\n");
    assert_int_equal(reply_text(s, c, &text), 257);
    assert_slice(text, "257 \"/dir/a\"\"b\" made\r\n");
    only_event();
    assert_int_equal(ask(s, c, "XRMD a"), 250);
    assert_string_equal(fake_upload.name, "/dir/a");
    only_event();
    assert_int_equal(ask(s, c, "RNFR /empty.boot"), 350);
    assert_int_equal(ask(s, c, "RNTO b.boot"), 250);
    assert_string_equal(fake_upload.from, "/empty.boot");
    assert_string_equal(fake_upload.name, "/dir/b.boot");
    assert_slice(name_of(only_event()), "/dir/b.boot");
    assert_int_equal(fake_upload.changes, 4);
    hang_up(c);
}

static void rnto_comes_right_behind_rnfr_or_not_at_all(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    assert_int_equal(ask(s, c, "RNTO x"), 503);
    assert_int_equal(ask(s, c, "RNFR nope"), 550);
    assert_int_equal(ask(s, c, "RNTO x"), 503);
    assert_int_equal(ask(s, c, "RNFR empty.boot"), 350);
    assert_int_equal(ask(s, c, "NOOP"), 200);
    assert_int_equal(ask(s, c, "RNTO x"), 503);
    assert_int_equal(ask(s, c, "RNFR empty.boot"), 350);
    assert_int_equal(ask(s, c, "WHAT"), 500);
    assert_int_equal(ask(s, c, "RNTO x"), 503);
    assert_int_equal(ask(s, c, "RNFR y000000000028.cfg"), 350);
    assert_int_equal(ask(s, c, "RNTO x"), 250);
    assert_int_equal(ask(s, c, "RNTO x"), 503);
    assert_int_equal(ask(s, c, "RNFR empty.boot"), 350);
    assert_int_equal(fake_upload.changes, 1);
    hang_up(c);
}

static void a_listening_port_that_nobody_uses_ends_the_upload(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR a"), 150);
    assert_int_equal(fake_upload.open, 1);
    advance(s, FTP_DATA_WAIT_S * 1000 + 100);
    assert_int_equal(reply(s, c), 425);
    assert_int_equal(fake_upload.open, 0);
    hang_up(c);
}

static void listings_say_what_may_be_done(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    fetch(s, c, "MLSD");
    assert_true(got_has("perm=adfrw; y000000000028.cfg\r\n") && got_has("perm=celm; dir\r\n"));
    fetch(s, c, "LIST");
    assert_true(got_has("-rw-r--r--   1 ftp") && got_has("drwxr-xr-x   1 ftp"));
    struct slice text;
    say(c, "MLST /\r\n");
    assert_int_equal(reply_text(s, c, &text), 250);
    assert_true(slice_find_text(text, SLICE("perm=cdeflmp; /\r\n")) < text.len);
    hang_up(c);
}

static void draining_lets_an_upload_end(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    int fd = send_to(s, c, "STOR a", "x", 1);
    ftp_service_drain(s->service, (void (*)(void *))fake_upload_settle, NULL);
    pump(s);
    close(fd);
    wait_for_commit(s, c);
    fake_upload_settle();
    assert_int_equal(reply(s, c), 226);
    assert_int_equal(reply(s, c), 421);
    assert_int_equal(fake_upload.committed, 1);
    hang_up(c);
}

#define write_test(f) cmocka_unit_test_setup_teardown(f, setup_writing, teardown_writing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        write_test(a_phone_stores_its_settings_and_is_told_when_they_are_on_the_disk),
        write_test(a_large_one_comes_whole),
        write_test(append_and_rest_say_so_once),
        write_test(type_a_stores_line_feeds),
        write_test(r22_what_breaks_leaves_the_old_file),
        write_test(r10_a_session_that_ends_while_the_disk_works_is_not_told),
        write_test(r22_a_client_that_dies_right_behind_its_data_connection_stores_nothing),
        write_test(commands_wait_for_the_disk_and_abor_comes_too_late),
        write_test(every_refusal_has_its_code_before_between_and_after_the_bytes),
        write_test(what_a_rule_keeps_is_not_even_begun),
        write_test(stou_draws_a_name_and_never_overwrites),
        write_test(changes_are_made_and_noted),
        write_test(rnto_comes_right_behind_rnfr_or_not_at_all),
        write_test(a_listening_port_that_nobody_uses_ends_the_upload),
        write_test(listings_say_what_may_be_done),
        write_test(draining_lets_an_upload_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
