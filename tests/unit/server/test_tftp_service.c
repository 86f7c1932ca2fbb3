/* The service on real sockets of the loopback, its loop turned by hand and its clock moved by hand. */
#include "tests/unit/server/tftp_harness.h"

#include "tests/unit/server/access_rules.h"

static void a_phone_fetches_its_file_and_the_journal_has_one_event(void **state)
{
    (void)state;
    open_service("127.0.0.1");
    fetch("y000000000000.boot", 579);
    const struct journal_event *e = only_event(OUTCOME_SENT, "y000000000000.boot");
    assert_int_equal(e->bytes, 579);
    assert_int_equal(e->code, 0);
    assert_int_equal(e->duration_ms, 3);
    assert_true(e->wall_ms == 1700000000000);
    assert_int_equal(e->peer.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    fetch("/big.rom", 4000);
    only_event(OUTCOME_SENT, "/big.rom");
    assert_int_equal(tftp_service_transfers(service), 0);
}

static void the_same_over_ipv6_and_on_a_wildcard(void **state)
{
    (void)state;
    open_service("::1");
    fetch("y000000000000.boot", 579);
    tftp_service_close(service);
    open_service("*");
    server.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fetch("y000000000000.boot", 579);
    assert_int_equal(fake_event_count, 2);
}

static void every_refusal_has_its_code_and_its_event(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        enum tftp_opcode opcode;
        uint16_t code;
        enum outcome outcome;
    } cases[] = {
        { "none.cfg", "absent", TFTP_RRQ, 1, OUTCOME_ABSENT },
        { "..\\secret", "refused name", TFTP_RRQ, 2, OUTCOME_REFUSED },
        { "a/../../etc/passwd", "refused name", TFTP_RRQ, 2, OUTCOME_REFUSED },
        { "secret", "forbidden", TFTP_RRQ, 2, OUTCOME_REFUSED },
        { "dir", "is a directory", TFTP_RRQ, 2, OUTCOME_REFUSED },
        { "ill", "broken", TFTP_RRQ, 0, OUTCOME_BROKEN },
        { "new.cfg", "uploads are not enabled", TFTP_WRQ, 2, OUTCOME_REFUSED },
    };
    open_service("127.0.0.1");
    int fd = phone();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(fd, cases[i].opcode, cases[i].name, (struct tftp_options){ 0 });
        expect_error(fd, cases[i].code, cases[i].text);
        const struct journal_event *e = only_event(cases[i].outcome, cases[i].name);
        assert_string_equal(e->reason, cases[i].text);
        assert_int_equal(e->code, cases[i].code);
    }
    assert_int_equal(tftp_service_transfers(service), 0);
    close(fd);
}

static void R15_malformed_requests_get_error_4_and_an_event(void **state)
{
    (void)state;
    open_service("127.0.0.1");
    int fd = phone();
    say(fd, &server, slice_of("\0\1y.cfg\0oct", 11));
    expect_error(fd, 4, "truncated datagram");
    only_event(OUTCOME_REFUSED, "y.cfg");
    say(fd, &server, slice_of("\0\1y.cfg", 7));
    expect_error(fd, 4, "truncated datagram");
    only_event(OUTCOME_REFUSED, "y.cfg");
    say(fd, &server, slice_of("\0\1y.cfg\0mail\0", 13));
    expect_error(fd, 4, "unknown mode");
    only_event(OUTCOME_REFUSED, "y.cfg");
    char big[1400] = "\0\1y.cfg\0octet";
    say(fd, &server, slice_of(big, sizeof big));
    expect_error(fd, 4, "request too long");
    only_event(OUTCOME_REFUSED, "y.cfg");
    char name[301];
    memset(name, 'n', 300);
    name[300] = '\0';
    ask_plain(fd, name);
    expect_error(fd, 4, "file name too long");
    assert_int_equal(fake_events[0].name_len, 255);
    close(fd);
}

static void r3_a_rule_that_wants_a_login_or_says_no_is_error_2(void **state)
{
    (void)state;
    struct access *rules = access_of("access.1.prefix = /big.rom\naccess.1.users = alice\n"
                                     "access.2.prefix = /ill\naccess.2.anonymous = 1\naccess.2.networks = 10.0.0.0/8\n",
                                     "alice:secret-one");
    assert_non_null(rules);
    worker.access = rules;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    expect_error(fd, 2, "login needed");
    ask_plain(fd, "//big.rom");
    expect_error(fd, 2, "login needed");
    ask_plain(fd, "ill");
    expect_error(fd, 2, "not from this network");
    assert_int_equal(fake_event_count, 3);
    assert_int_equal(fake_events[2].outcome, OUTCOME_REFUSED);
    assert_int_equal(fake_events[2].code, 2);
    fetch("y000000000000.boot", 579);
    close(fd);
    access_close(rules);
}

static void R13_a_request_heard_twice_makes_one_transfer(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    /* In one batch, in a later one, and once the transfer runs. */
    ask_plain(fd, "big.rom");
    ask_plain(fd, "big.rom");
    assert_int_equal(hear(fd, &from).block, 1);
    ask_plain(fd, "big.rom");
    assert_true(hears_nothing(fd));
    assert_int_equal(tftp_service_transfers(service), 1);
    ack(fd, &from, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    ask_plain(fd, "big.rom");
    assert_true(hears_nothing(fd));
    assert_int_equal(tftp_service_transfers(service), 1);
    assert_int_equal(fake_event_count, 0);
    close(fd);
}

/* A phone that never got the answer asks again and shall not wait for our longer and longer waits; and its new
 * port may be one whose last owner has gone. */
static void a_request_heard_again_later_is_answered_by_the_same_transfer(void **state)
{
    (void)state;
    union address first, from;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "y000000000000.boot");
    assert_int_equal(hear(fd, &first).block, 1);
    wait_ms(1100);
    assert_int_equal(hear(fd, &from).block, 1);
    for (unsigned i = 0; i < 3; i++) {
        wait_ms(60);
        ask_plain(fd, "y000000000000.boot");
        assert_int_equal(hears_nothing(fd), i != 1);
    }
    ack(fd, &first, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    assert_true(address_eq(&first, &from));
    ack(fd, &first, 2);
    assert_true(hears_nothing(fd));
    only_event(OUTCOME_SENT, "y000000000000.boot");
    close(fd);
}

static void a_phone_that_asks_anew_from_the_same_port_gets_a_new_transfer(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    ask_plain(fd, "y000000000000.boot");
    assert_int_equal(hear(fd, &from).block, 1);
    assert_memory_equal(heard + 4, content, 512);
    const struct journal_event *e = only_event(OUTCOME_STOPPED, "big.rom");
    assert_string_equal(e->reason, "the phone asked anew");
    ack(fd, &from, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    /* It was switched off and on: stuck for us, new for it. */
    wait_ms(1100);
    assert_int_equal(hear(fd, &from).block, 2);
    ask_plain(fd, "y000000000000.boot");
    assert_int_equal(hear(fd, &from).block, 1);
    only_event(OUTCOME_STOPPED, "y000000000000.boot");
    assert_int_equal(tftp_service_transfers(service), 1);
    close(fd);
}

/* Power-cycled in the middle, and so quick that its transfer was not yet known to be stuck. */
static void a_phone_that_starts_again_gets_no_block_out_of_the_middle(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    ack(fd, &from, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    ask_plain(fd, "big.rom");
    assert_true(hears_nothing(fd));
    wait_ms(1100);
    assert_true(hears_nothing(fd));
    const struct journal_event *e = only_event(OUTCOME_STOPPED, "big.rom");
    assert_string_equal(e->reason, "the phone asked anew");
    ask_plain(fd, "big.rom");
    assert_int_equal(hear(fd, &from).block, 1);
    close(fd);
}

static void a_request_that_comes_late_does_not_end_its_transfer(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    ack(fd, &from, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    ask_plain(fd, "big.rom");
    ack(fd, &from, 2);
    assert_int_equal(hear(fd, &from).block, 3);
    wait_ms(1100);
    assert_int_equal(hear(fd, &from).block, 3);
    assert_int_equal(fake_event_count, 0);
    close(fd);
}

/* A phone with one port for everything: its last ACK and its next request are read in either order. */
static void the_last_ack_counts_though_the_next_request_is_read_first(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone(), other = phone();
    for (unsigned i = 0; i < 200; i++) {
        ask_plain(fd, i % 2 ? "y000000000000.boot" : "/y000000000000.boot");
        for (uint16_t block = 1; block <= 2; block++) {
            struct tftp_packet p = hear(fd, &from);
            assert_int_equal(p.opcode, TFTP_DATA);
            assert_int_equal(p.block, block);
            /* The listener is ready before the last ACK comes, so it is read first. */
            say(other, &server, slice_of("\0\5\0\0", 4));
            ack(fd, &from, block);
        }
    }
    turn(3);
    assert_int_equal(fake_event_count, 200);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(fake_events[i].outcome, OUTCOME_SENT);
    close(fd);
    close(other);
}

static void R13_a_peer_that_never_answers_gets_five_packets(void **state)
{
    (void)state;
    open_service("127.0.0.1");
    int fd = phone();
    unsigned packets = 0;
    ask_plain(fd, "big.rom");
    turn(5);
    wait_ms(60000);
    while (recv(fd, heard, sizeof heard, MSG_DONTWAIT) > 0)
        packets++;
    assert_int_equal(packets, 5);
    assert_int_equal(tftp_service_transfers(service), 0);
    const struct journal_event *e = only_event(OUTCOME_STOPPED, "big.rom");
    assert_string_equal(e->reason, "never answered");
    assert_in_range(e->duration_ms, 23000, 23200);
    close(fd);
}

static void R13_strangers_get_error_5_and_disturb_nothing(void **state)
{
    (void)state;
    union address from, other;
    open_service("127.0.0.1");
    int fd = phone(), stranger = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    ack(stranger, &from, 1);
    struct tftp_packet p = hear(stranger, &other);
    assert_int_equal(p.opcode, TFTP_ERROR);
    assert_int_equal(p.code, 5);
    assert_true(address_eq(&from, &other));
    assert_true(hears_nothing(fd));
    /* An ERROR is never answered, by a pool socket or by the listener. */
    say(stranger, &from, slice_of("\0\5\0\0\0", 5));
    say(stranger, &server, slice_of("\0\5\0\0\0", 5));
    assert_true(hears_nothing(stranger));
    /* At most so many a second. */
    unsigned answers = 0;
    for (unsigned i = 0; i < 3 * TFTP_STRAY_RATE; i++) {
        ack(stranger, i % 2 ? &from : &server, 1);
        turn(1);
        answers += recv(stranger, heard, sizeof heard, MSG_DONTWAIT) > 0;
    }
    assert_in_range(answers, TFTP_STRAY_RATE / 2, TFTP_STRAY_RATE);
    ack(fd, &from, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    assert_int_equal(fake_event_count, 0);
    close(fd);
    close(stranger);
}

static void R11_a_full_table_answers_and_the_oldest_silent_one_makes_room(void **state)
{
    (void)state;
    union address from;
    config.tftp_transfers = 3;
    open_service("127.0.0.1");
    int fd[5];
    for (unsigned i = 0; i < 5; i++)
        fd[i] = phone();
    for (unsigned i = 0; i < 3; i++) {
        ask_plain(fd[i], "big.rom");
        hear(fd[i], &from);
        if (i == 0)
            ack(fd[0], &from, 1);
        turn(3);
        manual_clock_advance(&manual, 10);
    }
    ask_plain(fd[3], "big.rom");
    expect_error(fd[3], 0, "server is full, try again later");
    only_event(OUTCOME_REFUSED, "big.rom");
    wait_ms(1100);
    /* The first has answered and stays; the second has not. */
    ask_plain(fd[4], "big.rom");
    assert_int_equal(hear(fd[4], &from).block, 1);
    const struct journal_event *e = only_event(OUTCOME_STOPPED, "big.rom");
    assert_string_equal(e->reason, "never answered, made room");
    union address gone;
    socklen_t len = sizeof gone;
    assert_int_equal(getsockname(fd[1], &gone.sa, &len), 0);
    assert_int_equal(address_port(&e->peer), address_port(&gone));
    assert_int_equal(tftp_service_transfers(service), 3);
    for (unsigned i = 0; i < 5; i++)
        close(fd[i]);
}

static void R11_one_address_has_its_own_ceiling(void **state)
{
    (void)state;
    union address from;
    config.tftp_peer_transfers = 1;
    open_service("127.0.0.1");
    int a = phone(), b = phone();
    ask_plain(a, "y000000000000.boot");
    hear(a, &from);
    ask_plain(b, "big.rom");
    expect_error(b, 0, "too many transfers from this address");
    only_event(OUTCOME_REFUSED, "big.rom");
    ack(a, &from, 1);
    ack(a, &from, 2);
    turn(5);
    only_event(OUTCOME_SENT, "y000000000000.boot");
    ask_plain(b, "big.rom");
    assert_int_equal(hear(b, &from).block, 1);
    close(a);
    close(b);
}

static void R4_requests_over_the_rate_get_no_answer_but_an_event(void **state)
{
    (void)state;
    config.tftp_rate = 10;
    open_service("127.0.0.1");
    int fd = phone();
    unsigned answers = 0;
    for (unsigned i = 0; i < 50; i++) {
        ask_plain(fd, "none");
        turn(2);
        answers += recv(fd, heard, sizeof heard, MSG_DONTWAIT) > 0;
    }
    assert_int_equal(answers, 10 * TFTP_BURST_S);
    assert_int_equal(fake_event_count, 50);
    assert_int_equal(fake_events[49].outcome, OUTCOME_REFUSED);
    wait_ms(1000);
    ask_plain(fd, "none");
    expect_error(fd, 1, "absent");
    close(fd);
}

static void five_thousand_transfers_at_once_leave_nothing_behind(void **state)
{
    (void)state;
    open_service("127.0.0.1");
    for (unsigned i = 0; i < 5000; i++) {
        /* Each of 5,000 ports; the odd ones with a name that is too long to be kept inside the slot. */
        static const char long_name[] = "///////////////////////////////////////////////////////////big.rom";
        union address own;
        char bytes[600];
        struct buf b = BUF_ON(bytes);
        assert_true(address_parse(SLICE("127.0.0.1"), (uint16_t)(20000 + i), &own));
        int fd = datagram_bind(&own);
        if (fd < 0)
            continue;
        tftp_put_request(&b, TFTP_RRQ, i % 2 ? SLICE(long_name) : SLICE("big.rom"), TFTP_OCTET,
                         &(struct tftp_options){ 0 });
        say(fd, &server, buf_slice(&b));
        close(fd);
        if (i % 50 == 49)
            turn(2);
    }
    turn(3);
    size_t at_once = tftp_service_transfers(service);
    assert_in_range(at_once, 4500, 5000);
    assert_int_equal(fake_held, at_once);
    fetch("y000000000000.boot", 579);
    wait_ms(60000);
    assert_int_equal(tftp_service_transfers(service), 0);
    assert_int_equal(fake_held, 0);
    assert_int_equal(fake_event_count, at_once + 1);
}

static void a_file_that_changes_during_its_transfer_ends_it(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    fake_files[1].stale = true;
    ack(fd, &from, 1);
    expect_error(fd, 0, "file changed");
    turn(2);
    const struct journal_event *e = only_event(OUTCOME_BROKEN, "big.rom");
    assert_string_equal(e->reason, "file changed");
    assert_int_equal(e->bytes, 512);
    close(fd);
}

static void a_phone_that_gives_up_is_stopped_and_told_apart(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    ask(fd, TFTP_RRQ, "big.rom", (struct tftp_options){ .has_tsize = true });
    assert_int_equal(hear(fd, &from).options.tsize, 4000);
    say(fd, &from, slice_of("\0\5\0\3full\0", 9));
    assert_true(hears_nothing(fd));
    const struct journal_event *e = only_event(OUTCOME_STOPPED, "big.rom");
    assert_int_equal(e->code, 3);
    assert_string_equal(e->reason, "ended by the phone");
    close(fd);
}

static void on_drained(void *context)
{
    assert_ptr_equal(context, &drained);
    drained++;
}

static void SIGTERM_finishes_what_is_under_way_and_takes_nothing_new(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone(), late = phone();
    ask_plain(fd, "y000000000000.boot");
    hear(fd, &from);
    tftp_service_drain(service, on_drained, &drained);
    ask_plain(late, "y000000000000.boot");
    assert_true(hears_nothing(late));
    assert_int_equal(drained, 0);
    ack(fd, &from, 1);
    assert_int_equal(hear(fd, &from).block, 2);
    ack(fd, &from, 2);
    turn(5);
    assert_int_equal(drained, 1);
    only_event(OUTCOME_SENT, "y000000000000.boot");
    close(fd);
    close(late);
}

static void an_idle_service_is_drained_at_once(void **state)
{
    (void)state;
    open_service("127.0.0.1");
    tftp_service_drain(service, on_drained, &drained);
    assert_int_equal(drained, 1);
}

static void closing_drops_what_is_left_and_notes_it(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    tftp_service_close(service);
    service = NULL;
    const struct journal_event *e = only_event(OUTCOME_STOPPED, "big.rom");
    assert_string_equal(e->reason, "server stopped");
    assert_int_equal(fake_held, 0);
    turn(5);
    close(fd);
}

static void hostile_datagrams_leave_a_service_that_still_serves(void **state)
{
    (void)state;
    union address from;
    uint64_t x = 12345;
    open_service("127.0.0.1");
    int fd = phone();
    ask_plain(fd, "big.rom");
    hear(fd, &from);
    for (unsigned i = 0; i < 5000; i++) {
        char bytes[64];
        size_t len = 0;
        for (; len < i % sizeof bytes; len++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[len] = (char)(len < 2 ? (len ? x >> 60 & 7 : 0) : x >> 56);
        }
        say(fd, i % 2 ? &server : &from, slice_of(bytes, len));
        if (i % 32 == 0)
            turn(1);
    }
    turn(10);
    fetch("y000000000000.boot", 579);
    wait_ms(60000);
    assert_int_equal(tftp_service_transfers(service), 0);
    assert_int_equal(fake_held, 0);
    close(fd);
}

static void single_port_tells_transfers_apart_by_their_peers_and_strangers_get_error_5(void **state)
{
    (void)state;
    union address from;
    open_service("127.0.0.1");
    int one = phone(), two = phone(), stranger = phone();
    ask_plain(one, "big.rom");
    ask_plain(two, "big.rom");
    assert_int_equal(hear(one, &from).block, 1);
    assert_answers_from(&from);
    assert_int_equal(hear(two, &from).block, 1);
    ack(two, &server, 1);
    assert_int_equal(hear(two, &from).block, 2);
    assert_true(hears_nothing(one));
    ack(stranger, &server, 1);
    expect_error(stranger, TFTP_ERROR_STRANGER, "unknown transfer");
    char error[] = "\0\5\0\0never mind";
    say(stranger, &server, slice_of(error, sizeof error));
    assert_true(hears_nothing(stranger));
    ack(one, &server, 1);
    assert_int_equal(hear(one, &from).block, 2);
    assert_int_equal(tftp_service_transfers(service), 2);
    close(one);
    close(two);
    close(stranger);
}

/* A range that nobody has: whoever is asked for a free port tells the start of one. */
static uint16_t free_range(uint16_t count)
{
    union address at;
    for (unsigned tries = 0; tries < 100; tries++) {
        int fds[8];
        assert_true(address_parse(SLICE("127.0.0.1"), 0, &at));
        fds[0] = datagram_bind(&at);
        socklen_t len = sizeof at;
        assert_int_equal(getsockname(fds[0], &at.sa, &len), 0);
        uint16_t first = address_port(&at), had = 1;
        for (; had < count && first < 65000; had++) {
            address_set_port(&at, (uint16_t)(first + had));
            fds[had] = datagram_bind(&at);
            if (fds[had] < 0)
                break;
        }
        for (unsigned i = 0; i < had; i++)
            close(fds[i]);
        if (had == count)
            return first;
    }
    fail_msg("no free range");
    return 0;
}

static void transfers_have_the_ports_of_the_range_that_are_this_workers(void **state)
{
    (void)state;
    char range[32];
    union address from;
    uint16_t first = free_range(4);
    struct tftp_service *none;
    snprintf(range, sizeof range, "%u-%u", first, first + 3u);
    config.tftp_port_range = slice_str(range);
    worker.share = 2;
    worker.index = 1;
    open_service("127.0.0.1");
    int fd = phone();
    bool seen[4] = { false };
    for (unsigned i = 0; i < 4; i++) {
        ask_plain(fd, "none.cfg");
        assert_int_equal(hear(fd, &from).opcode, TFTP_ERROR);
        assert_in_range(address_port(&from), first, first + 3);
        seen[address_port(&from) - first] = true;
    }
    assert_true(!seen[0] && seen[1] && !seen[2] && seen[3]);
    fetch("y000000000000.boot", 579);
    /* A third worker finds none left. */
    union address at;
    assert_true(address_parse(SLICE("127.0.0.1"), 0, &at));
    worker.share = 5;
    worker.index = 4;
    assert_int_equal(tftp_service_open(&worker, datagram_bind(&at), &none), -EADDRINUSE);
    close(fd);
}

#define service_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* With the answers from the listening port; everything else is the same. */
#define single_test(f) { #f "_by_single_port", f, setup_single, teardown, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        service_test(a_phone_fetches_its_file_and_the_journal_has_one_event),
        service_test(the_same_over_ipv6_and_on_a_wildcard),
        service_test(every_refusal_has_its_code_and_its_event),
        service_test(R15_malformed_requests_get_error_4_and_an_event),
        service_test(r3_a_rule_that_wants_a_login_or_says_no_is_error_2),
        service_test(R13_a_request_heard_twice_makes_one_transfer),
        service_test(a_request_heard_again_later_is_answered_by_the_same_transfer),
        service_test(a_phone_that_asks_anew_from_the_same_port_gets_a_new_transfer),
        service_test(a_phone_that_starts_again_gets_no_block_out_of_the_middle),
        service_test(a_request_that_comes_late_does_not_end_its_transfer),
        service_test(the_last_ack_counts_though_the_next_request_is_read_first),
        service_test(R13_a_peer_that_never_answers_gets_five_packets),
        service_test(R13_strangers_get_error_5_and_disturb_nothing),
        service_test(R11_a_full_table_answers_and_the_oldest_silent_one_makes_room),
        service_test(R11_one_address_has_its_own_ceiling),
        service_test(R4_requests_over_the_rate_get_no_answer_but_an_event),
        service_test(five_thousand_transfers_at_once_leave_nothing_behind),
        service_test(a_file_that_changes_during_its_transfer_ends_it),
        service_test(a_phone_that_gives_up_is_stopped_and_told_apart),
        service_test(SIGTERM_finishes_what_is_under_way_and_takes_nothing_new),
        service_test(an_idle_service_is_drained_at_once),
        service_test(closing_drops_what_is_left_and_notes_it),
        service_test(hostile_datagrams_leave_a_service_that_still_serves),
        service_test(transfers_have_the_ports_of_the_range_that_are_this_workers),
        single_test(single_port_tells_transfers_apart_by_their_peers_and_strangers_get_error_5),
        single_test(a_phone_fetches_its_file_and_the_journal_has_one_event),
        single_test(the_same_over_ipv6_and_on_a_wildcard),
        single_test(every_refusal_has_its_code_and_its_event),
        single_test(R15_malformed_requests_get_error_4_and_an_event),
        single_test(r3_a_rule_that_wants_a_login_or_says_no_is_error_2),
        single_test(R13_a_request_heard_twice_makes_one_transfer),
        single_test(a_request_heard_again_later_is_answered_by_the_same_transfer),
        single_test(a_phone_that_asks_anew_from_the_same_port_gets_a_new_transfer),
        single_test(a_phone_that_starts_again_gets_no_block_out_of_the_middle),
        single_test(a_request_that_comes_late_does_not_end_its_transfer),
        single_test(R13_a_peer_that_never_answers_gets_five_packets),
        single_test(R11_a_full_table_answers_and_the_oldest_silent_one_makes_room),
        single_test(R11_one_address_has_its_own_ceiling),
        single_test(R4_requests_over_the_rate_get_no_answer_but_an_event),
        single_test(five_thousand_transfers_at_once_leave_nothing_behind),
        single_test(a_file_that_changes_during_its_transfer_ends_it),
        single_test(a_phone_that_gives_up_is_stopped_and_told_apart),
        single_test(SIGTERM_finishes_what_is_under_way_and_takes_nothing_new),
        single_test(an_idle_service_is_drained_at_once),
        single_test(closing_drops_what_is_left_and_notes_it),
        single_test(hostile_datagrams_leave_a_service_that_still_serves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
