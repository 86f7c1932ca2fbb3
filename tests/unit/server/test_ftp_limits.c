/* What the FTP service does not let anybody do: bounce, hijack, wait for ever, take all there is. */
#include "tests/unit/server/ftp_harness.h"

#include <sys/resource.h>

static bool is_refused(const struct server *s, uint16_t port)
{
    int fd = dial_port(s, port, NULL);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static void r7_port_and_eprt_lead_back_to_the_client_only(void **state)
{
    struct server *s = *state;
    static const char *const elsewhere[] = { "PORT 127,0,0,2,30,30",    "PORT 10,0,0,1,30,30",
                                             "PORT 0,0,0,0,30,30",      "PORT 127,0,0,1,0,25",
                                             "PORT 127,0,0,1,3,255",    "PORT 127,0,0,1,0,0",
                                             "EPRT |1|127.0.0.2|9999|", "EPRT |1|127.0.0.1|1023|",
                                             "EPRT |1|*|9999|" };
    struct client *c = log_in(s);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (ask(s, c, elsewhere[i]) != 504)
            fail_msg("taken: %s", elsewhere[i]);
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 425);
    assert_int_equal(ask(s, c, "PORT 127,0,0,1,4,0"), 200);
    hang_up(c);
}

static void r7_a_data_port_takes_nobody_else(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    uint16_t port = passive(s, c);
    int thief = dial_port(s, port, "127.0.0.2");
    assert_true(thief >= 0);
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 150);
    assert_true(take_all(s, thief));
    assert_int_equal(bulk_len, 0);
    assert_true(take_all(s, dial_port(s, port, NULL)));
    assert_int_equal(bulk_len, 579);
    assert_int_equal(reply(s, c), 226);
    hang_up(c);
}

static void r7_a_data_port_listens_only_while_it_is_lent_and_30_s_at_most(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    uint16_t port = passive(s, c);
    int early = dial_port(s, port, NULL);
    assert_true(early >= 0);
    pump(s);
    assert_true(is_refused(s, port));
    close(early);
    port = passive(s, c);
    advance(s, FTP_DATA_WAIT_S * 1000 - 100);
    assert_int_equal(ftp_ports_free(s->service->ports), PORTS - 1);
    advance(s, 200);
    assert_int_equal(ftp_ports_free(s->service->ports), PORTS);
    assert_true(is_refused(s, port));
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 425);
    only_event();
    /* With a transfer that waits for it: the client is told. */
    port = passive(s, c);
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 150);
    advance(s, FTP_DATA_WAIT_S * 1000 + 100);
    assert_int_equal(reply(s, c), 425);
    assert_true(is_refused(s, port));
    assert_int_equal(only_event()->outcome, OUTCOME_STOPPED);
    hang_up(c);
}

static void r7_the_next_data_port_cannot_be_told(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    uint16_t before = 0;
    unsigned seen[PORTS] = { 0 }, steps[2 * PORTS] = { 0 }, first = (unsigned)getpid() % 3000 * 4 + 20000;
    for (int i = 0; i < 200; i++) {
        uint16_t port = passive(s, c);
        assert_true(port >= first && port < first + PORTS);
        seen[port - first]++;
        if (before)
            steps[port - before + PORTS]++;
        before = port;
    }
    for (size_t i = 0; i < PORTS; i++)
        assert_true(seen[i] > 10);
    for (size_t i = 0; i < 2 * PORTS; i++)
        assert_true(steps[i] < 120);
    hang_up(c);
}

static void when_all_data_ports_are_lent_the_oldest_is_taken_but_none_that_is_young(void **state)
{
    struct server *s = *state;
    struct client *c[PORTS + 1];
    for (size_t i = 0; i <= PORTS; i++)
        c[i] = log_in(s);
    passive(s, c[0]);
    assert_int_equal(ask(s, c[0], "RETR y000000000028.cfg"), 150);
    for (size_t i = 1; i < PORTS; i++)
        passive(s, c[i]);
    assert_int_equal(ask(s, c[PORTS], "EPSV"), 425);
    assert_int_equal(ask(s, c[PORTS], "PASV"), 425);
    advance(s, FTP_PORTS_GRACE_MS);
    assert_int_equal(ask(s, c[PORTS], "EPSV"), 229);
    assert_int_equal(reply(s, c[0]), 425);
    assert_int_equal(ask(s, c[0], "NOOP"), 200);
    for (size_t i = 0; i <= PORTS; i++)
        hang_up(c[i]);
}

static void r10_whoever_goes_first_nothing_is_used_after_it_was_freed(void **state)
{
    struct server *s = *state;
    for (int order = 0; order < 6; order++) {
        struct client *c = log_in(s);
        uint16_t port = passive(s, c);
        int fd = order == 5 ? -1 : dial_port(s, port, NULL);
        say(c, order == 4 ? "LIST\r\n" : "RETR large.rom\r\n");
        assert_int_equal(reply(s, c), 150);
        struct linger now = { 1, 0 };
        if (order == 0) {
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            hang_up(c);
            pump(s);
        } else if (order == 1) {
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close(fd);
            assert_int_equal(reply(s, c), 426);
            hang_up(c);
        } else if (order == 2) {
            close(fd);
            hang_up(c);
            pump(s);
        } else if (order == 3) {
            say(c, "ABOR\r\n");
            hang_up(c);
            pump(s);
        } else {
            hang_up(c);
            pump(s);
        }
        if (fd >= 0 && order != 1 && order != 2)
            close(fd);
        pump(s);
        advance(s, 60 * 1000);
        assert_int_equal(fake_held, 0);
        assert_int_equal(fake_listings, 0);
        assert_int_equal(s->service->slots, 0);
        assert_int_equal(fake_event_count, 1);
        fake_event_count = 0;
        assert_int_equal(ftp_ports_free(s->service->ports), PORTS);
    }
}

static void r10_the_service_may_end_in_the_middle_of_everything(void **state)
{
    struct server *s = *state;
    struct client *a = log_in(s), *b = log_in(s), *c = log_in(s), *d = dial(s);
    int fd = dial_port(s, passive(s, a), NULL);
    assert_int_equal(ask(s, a, "RETR large.rom"), 150);
    passive(s, b);
    assert_int_equal(ask(s, b, "RETR large.rom"), 150);
    passive(s, c);
    finish(s);
    assert_int_equal(fake_event_count, 2);
    close(fd);
    hang_up(a);
    hang_up(b);
    hang_up(c);
    hang_up(d);
}

static void r11_a_full_table_answers_421_and_who_never_logged_in_makes_room(void **state)
{
    struct server *s = *state;
    struct client *c[7];
    s->config.ftp_peer_sessions = 100;
    for (size_t i = 0; i < 5; i++)
        c[i] = log_in(s);
    c[5] = dial(s);
    assert_int_equal(reply(s, c[5]), 220);
    c[6] = log_in(s);
    assert_int_equal(reply(s, c[5]), 421);
    hear_end(s, c[5]);
    hang_up(c[5]);
    c[5] = dial(s);
    assert_int_equal(reply(s, c[5]), 421);
    hear_end(s, c[5]);
    for (size_t i = 0; i < 7; i++) {
        assert_true(i == 5 || ask(s, c[i], "NOOP") == 200);
        hang_up(c[i]);
    }
    pump(s);
    hang_up(log_in(s));
}

static void r11_one_address_has_its_share(void **state)
{
    struct server *s = *state;
    struct client *c[5], *more, *other;
    for (size_t i = 0; i < 5; i++)
        c[i] = log_in(s);
    more = dial(s);
    assert_int_equal(reply(s, more), 421);
    other = dial_from(s, "127.0.0.3");
    assert_int_equal(reply(s, other), 220);
    hang_up(c[0]);
    hang_up(more);
    pump(s);
    c[0] = log_in(s);
    for (size_t i = 0; i < 5; i++)
        hang_up(c[i]);
    hang_up(other);
}

static void r11_a_login_has_one_term_and_a_session_a_new_one_with_each_command(void **state)
{
    struct server *s = *state;
    struct client *stranger = dial(s), *c = log_in(s);
    assert_int_equal(reply(s, stranger), 220);
    for (int i = 0; i < 3; i++) {
        advance(s, 9900);
        assert_int_equal(ask(s, stranger, "NOOP"), 200);
    }
    advance(s, 1000);
    assert_int_equal(reply(s, stranger), 421);
    hear_end(s, stranger);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(s, c, "NOOP"), 200);
        advance(s, 299 * 1000);
    }
    say(c, "NO");
    advance(s, 2000);
    assert_int_equal(reply(s, c), 421);
    hear_end(s, c);
    hang_up(stranger);
    hang_up(c);
}

static void who_says_nothing_but_nonsense_is_sent_away(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s);
    assert_int_equal(reply(s, c), 220);
    for (int i = 0; i < FTP_FAULTS_MAX; i++)
        assert_int_equal(ask(s, c, i % 2 ? "GET / HTTP/1.1" : "Host: x"), 500);
    assert_int_equal(reply(s, c), 421);
    hear_end(s, c);
    hang_up(c);
    c = dial(s);
    char line[FTP_LINE_BYTES_MAX * 3 + 1];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_int_equal(reply(s, c), 220);
    assert_int_equal(ask(s, c, line), 500);
    assert_int_equal(ask(s, c, "NOOP"), 200);
    hang_up(c);
}

static void a_reader_that_takes_nothing_is_cut(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    int fd = dial_port(s, passive(s, c), NULL);
    assert_int_equal(ask(s, c, "RETR large.rom"), 150);
    for (int i = 0; i < 3; i++)
        advance(s, FTP_SEND_CHECK_S * 1000 + 100);
    assert_int_equal(reply(s, c), 426);
    assert_false(take_all(s, fd));
    assert_slice(slice_str(only_event()->reason), "took too little for too long");
    hang_up(c);
}

static void out_of_descriptors_a_stranger_goes_and_the_next_is_served(void **state)
{
    struct server *s = *state;
    struct client *stranger = dial(s), *next = calloc(1, sizeof *next);
    struct rlimit old, tight;
    assert_int_equal(reply(s, stranger), 220);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), lowest = dup(fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    close(lowest);
    tight = old;
    tight.rlim_cur = (rlim_t)lowest;
    next->fd = fd;
    assert_int_equal(connect(fd, &s->address.sa, address_length(&s->address)), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    pump(s);
    assert_int_equal(reply(s, stranger), 421);
    advance(s, LISTENER_REST_MS + WHEEL_TICK_MS);
    assert_int_equal(reply(s, next), 220);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    hang_up(stranger);
    hang_up(next);
}

static void on_drained(void *context)
{
    ((struct server *)context)->drained = true;
}

static void draining_ends_idle_sessions_and_finishes_transfers(void **state)
{
    struct server *s = *state;
    struct client *idle = log_in(s), *stranger = dial(s), *busy = log_in(s);
    assert_int_equal(reply(s, stranger), 220);
    int fd = dial_port(s, passive(s, busy), NULL);
    assert_int_equal(ask(s, busy, "RETR large.rom"), 150);
    ftp_service_drain(s->service, on_drained, s);
    assert_int_equal(reply(s, idle), 421);
    assert_int_equal(reply(s, stranger), 421);
    assert_false(s->drained);
    assert_true(take_all(s, fd));
    assert_int_equal(bulk_len, LARGE_BYTES);
    assert_int_equal(reply(s, busy), 226);
    assert_int_equal(reply(s, busy), 421);
    assert_true(s->drained);
    hang_up(idle);
    hang_up(stranger);
    hang_up(busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ftp_test(r7_port_and_eprt_lead_back_to_the_client_only),
        ftp_test(r7_a_data_port_takes_nobody_else),
        ftp_test(r7_a_data_port_listens_only_while_it_is_lent_and_30_s_at_most),
        ftp_test(r7_the_next_data_port_cannot_be_told),
        ftp_test(when_all_data_ports_are_lent_the_oldest_is_taken_but_none_that_is_young),
        ftp_test(r10_whoever_goes_first_nothing_is_used_after_it_was_freed),
        ftp_test(r10_the_service_may_end_in_the_middle_of_everything),
        ftp_test(r11_a_full_table_answers_421_and_who_never_logged_in_makes_room),
        ftp_test(r11_one_address_has_its_share),
        ftp_test(r11_a_login_has_one_term_and_a_session_a_new_one_with_each_command),
        ftp_test(who_says_nothing_but_nonsense_is_sent_away),
        ftp_test(a_reader_that_takes_nothing_is_cut),
        ftp_test(out_of_descriptors_a_stranger_goes_and_the_next_is_served),
        ftp_test(draining_ends_idle_sessions_and_finishes_transfers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
