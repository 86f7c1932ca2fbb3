/* What the FTP service answers, and what the journal is told. */
#include "tests/unit/server/ftp_harness.h"

static void a_phone_that_is_refused_as_user_gets_its_file_as_anonymous(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s);
    assert_int_equal(reply(s, c), 220);
    assert_int_equal(ask(s, c, "USER admin"), 331);
    assert_int_equal(ask(s, c, "PASS admin"), 530);
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 530);
    assert_int_equal(ask(s, c, "USER anonymous"), 331);
    assert_int_equal(ask(s, c, "PASS "), 230);
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    struct slice text;
    say(c, "PASV\r\n");
    assert_int_equal(reply_text(s, c, &text), 227);
    unsigned high = 0, low = 0;
    struct slice rest = slice_from(text, slice_find_text(text, SLICE("(127,0,0,1,")) + 11), part;
    uint64_t n = 0;
    assert_true(slice_cut(&rest, ',', &part) && slice_u64(part, 0, 255, &n));
    high = (unsigned)n;
    assert_true(slice_cut(&rest, ')', &part) && slice_u64(part, 0, 255, &n));
    low = (unsigned)n;
    int fd = dial_port(s, (uint16_t)(high << 8 | low), NULL);
    say(c, "SIZE y000000000028.cfg\r\n");
    assert_int_equal(reply_text(s, c, &text), 213);
    assert_slice(text, "213 579\r\n");
    say(c, "RETR y000000000028.cfg\r\n");
    assert_true(take_all(s, fd));
    assert_int_equal(reply(s, c), 150);
    assert_int_equal(reply(s, c), 226);
    assert_true(slice_eq(got(), slice_of(small_bytes, sizeof small_bytes)));
    const struct journal_event *e = only_event();
    assert_int_equal(e->protocol, PROTOCOL_FTP);
    assert_int_equal(e->outcome, OUTCOME_SENT);
    assert_int_equal(e->code, 226);
    assert_int_equal(e->bytes, 579);
    assert_int_equal(e->wall_ms, WALL_MS);
    assert_slice(name_of(e), "/y000000000028.cfg");
    assert_int_equal(ask(s, c, "QUIT"), 221);
    hear_end(s, c);
    hang_up(c);
}

static const struct {
    const char *line;
    int code;
} one_reply[] = {
    { "SYST", 215 },
    { "FEAT", 211 },
    { "HELP", 214 },
    { "NOOP", 200 },
    { "STAT", 211 },
    { "ACCT x", 202 },
    { "ALLO 1", 202 },
    { "ALLO 5 R 80", 202 },
    { "ALLO x", 501 },
    { "PWD", 257 },
    { "XPWD", 257 },
    { "CWD dir", 250 },
    { "PWD", 257 },
    { "CWD x", 550 },
    { "CDUP", 250 },
    { "CDUP", 250 },
    { "CWD ..", 250 },
    { "CWD ../..", 550 },
    { "CWD", 250 },
    { "CWD y000000000028.cfg", 550 },
    { "TYPE A", 200 },
    { "SIZE y000000000028.cfg", 550 },
    { "TYPE L 8", 200 },
    { "TYPE E", 504 },
    { "TYPE X", 501 },
    { "MODE S", 200 },
    { "MODE Z", 504 },
    { "MODE x", 501 },
    { "STRU F", 200 },
    { "STRU R", 504 },
    { "STRU", 501 },
    { "REST 5", 350 },
    { "REST -5", 501 },
    { "REST 18446744073709551616", 501 },
    { "OPTS UTF8 ON", 200 },
    { "OPTS x", 501 },
    { "OPTS MLST type;", 200 },
    { "SIZE y000000000028.cfg", 213 },
    { "SIZE nope", 550 },
    { "SIZE dir", 550 },
    { "SIZE io.cfg", 450 },
    { "SIZE link.cfg", 550 },
    { "MDTM y000000000028.cfg", 213 },
    { "MDTM nope", 550 },
    { "MLST", 250 },
    { "MLST dir", 250 },
    { "MLST empty.boot", 250 },
    { "MLST nope", 550 },
    { "STAT y000000000028.cfg", 213 },
    { "STAT dir", 504 },
    { "STAT nope", 550 },
    { "RETR y000000000028.cfg", 425 },
    { "LIST", 425 },
    { "STOR up.cfg", 425 },
    { "APPE up.cfg", 425 },
    { "STOU", 425 },
    { "DELE empty.boot", 250 },
    { "MKD d", 257 },
    { "RMD dir", 250 },
    { "RNFR empty.boot", 550 },
    { "RNTO x", 503 },
    { "SITE CHMOD 7 x", 502 },
    { "AUTH TLS", 502 },
    { "PBSZ 0", 503 },
    { "PROT P", 503 },
    { "CCC", 533 },
    { "REIN", 502 },
    { "SMNT x", 502 },
    { "EPSV 2", 522 },
    { "EPSV 1", 229 },
    { "EPSV x", 501 },
    { "EPRT |2|::1|2000|", 522 },
    { "EPRT x", 501 },
    { "EPRT |1|x|2000|", 501 },
    { "PORT 1,2,3", 501 },
    { "ABOR", 226 },
    { "EPSV ALL", 200 },
    { "PASV", 503 },
    { "PORT 127,0,0,1,30,30", 503 },
    { "EPRT |1|127.0.0.1|9999|", 503 },
    { "EPSV", 229 },
    { "QUIT x", 501 },
    { "GET / HTTP/1.1", 500 },
    { "", 500 },
    { "RETR a\x01", 501 },
};

static void every_command_has_its_reply(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    for (size_t i = 0; i < sizeof one_reply / sizeof *one_reply; i++) {
        int code = ask(s, c, one_reply[i].line);
        if (code != one_reply[i].code)
            fail_msg("%d instead of %d: %s", code, one_reply[i].code, one_reply[i].line);
    }
    hang_up(c);
}

static void what_needs_a_login_says_530_and_what_does_not_is_answered(void **state)
{
    struct server *s = *state;
    static const char *const closed[] = { "PWD",    "CWD dir", "LIST",
                                          "PASV",   "EPSV",    "PORT 127,0,0,1,30,30",
                                          "SITE x", "STOR x",  "SIZE y000000000028.cfg",
                                          "MLST",   "STAT",    "TYPE I",
                                          "ACCT x" };
    struct client *c = dial(s);
    assert_int_equal(reply(s, c), 220);
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        assert_int_equal(ask(s, c, closed[i]), 530);
    assert_int_equal(ask(s, c, "PASS x"), 503);
    assert_int_equal(ask(s, c, "AUTH TLS"), 502);
    assert_int_equal(ask(s, c, "FEAT"), 211);
    assert_int_equal(ask(s, c, "USER FTP"), 331);
    assert_int_equal(ask(s, c, "PASS me@example.com"), 230);
    assert_int_equal(ask(s, c, "PASS again"), 202);
    assert_int_equal(ask(s, c, "USER root"), 331);
    assert_int_equal(ask(s, c, "PWD"), 530);
    hang_up(c);
    assert_int_equal(fake_event_count, 0);
}

static void an_absence_is_one_event_also_when_size_asked_first(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    passive(s, c);
    assert_int_equal(ask(s, c, "SIZE nope.boot"), 550);
    assert_int_equal(ask(s, c, "RETR nope.boot"), 550);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_ABSENT);
    assert_int_equal(e->code, 550);
    assert_slice(name_of(e), "/nope.boot");
    assert_int_equal(ask(s, c, "RETR nope.boot"), 550);
    only_event();
    assert_int_equal(ask(s, c, "RETR ../etc/passwd"), 550);
    e = only_event();
    assert_int_equal(e->outcome, OUTCOME_REFUSED);
    assert_slice(name_of(e), "../etc/passwd");
    fake_upload.begin = UPLOAD_BAD_NAME;
    passive(s, c);
    assert_int_equal(ask(s, c, "STOR 001565-local.cfg"), 553);
    fake_upload.begin = UPLOAD_FINE;
    e = only_event();
    assert_int_equal(e->outcome, OUTCOME_REFUSED);
    assert_slice(name_of(e), "/001565-local.cfg");
    hang_up(c);
}

static void a_fetch_goes_on_from_rest(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    assert_int_equal(ask(s, c, "REST 570"), 350);
    fetch(s, c, "RETR y000000000028.cfg");
    assert_int_equal(bulk_len, 9);
    fetch(s, c, "RETR y000000000028.cfg");
    assert_int_equal(bulk_len, 579);
    assert_int_equal(ask(s, c, "REST 579"), 350);
    fetch(s, c, "RETR y000000000028.cfg");
    assert_int_equal(bulk_len, 0);
    passive(s, c);
    assert_int_equal(ask(s, c, "REST 580"), 350);
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 554);
    fetch(s, c, "RETR empty.boot");
    assert_int_equal(bulk_len, 0);
    assert_int_equal(ask(s, c, "REST 8388600"), 350);
    fetch(s, c, "RETR large.rom");
    assert_int_equal(bulk_len, 8);
    hang_up(c);
}

static void a_large_file_comes_whole(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    fetch(s, c, "RETR large.rom");
    assert_int_equal(bulk_len, LARGE_BYTES);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        if ((unsigned char)bulk[i] != (unsigned char)(i / 251))
            fail_msg("byte %zu", i);
    hang_up(c);
}

static void type_a_sends_crlf(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    assert_int_equal(ask(s, c, "TYPE A"), 200);
    fetch(s, c, "RETR y000000000028.cfg");
    assert_int_equal(bulk_len, 580);
    assert_memory_equal(bulk + 9, "c\r\nc", 4);
    fetch(s, c, "RETR large.rom");
    size_t lines = 0;
    for (size_t i = 0; i < LARGE_BYTES; i++)
        lines += (unsigned char)(i / 251) == '\n' && (i == 0 || (unsigned char)((i - 1) / 251) != '\r');
    assert_true(lines > 0);
    assert_int_equal(bulk_len, LARGE_BYTES + lines);
    hang_up(c);
}

static void listings_show_what_can_be_fetched(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    fetch(s, c, "LIST -la");
    assert_true(got_has("-r--r--r--   1 ftp      ftp               579 Nov  6  1994 y000000000028.cfg\r\n"));
    assert_true(got_has("dr-xr-xr-x") && !got_has("link.cfg"));
    fetch(s, c, "NLST");
    assert_slice(got(), "y000000000028.cfg\r\nempty.boot\r\ndir\r\nlarge.rom\r\n");
    fetch(s, c, "NLST *.cfg");
    assert_slice(got(), "y000000000028.cfg\r\n");
    fetch(s, c, "NLST /dir/l*.rom");
    assert_slice(got(), "large.rom\r\n");
    fetch(s, c, "NLST empty.boot");
    assert_slice(got(), "/empty.boot\r\n");
    assert_int_equal(ask(s, c, "OPTS MLST size;"), 200);
    fetch(s, c, "MLSD /");
    assert_true(got_has("size=579; y000000000028.cfg\r\n") && !got_has("type="));
    passive(s, c);
    assert_int_equal(ask(s, c, "MLSD nope"), 550);
    passive(s, c);
    assert_int_equal(ask(s, c, "LIST nope"), 550);
    hang_up(c);
}

static void r9_a_long_listing_comes_a_little_at_a_time_and_whole(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s), *other = log_in(s);
    fake_more = 20000;
    uint16_t port = passive(s, c);
    int fd = dial_port(s, port, NULL);
    say(c, "LIST\r\n");
    /* Others have their turn while it lasts. */
    assert_int_equal(ask(s, other, "NOOP"), 200);
    assert_true(take_all(s, fd));
    assert_int_equal(reply(s, c), 150);
    assert_int_equal(reply(s, c), 226);
    size_t lines = 0;
    for (size_t i = 0; i < bulk_len; i++)
        lines += bulk[i] == '\n';
    assert_int_equal(lines, 20004);
    fetch(s, c, "NLST more-2000?");
    assert_slice(got(), "more-20000\r\nmore-20001\r\nmore-20002\r\nmore-20003\r\nmore-20004\r\nmore-20005\r\n");
    hang_up(c);
    hang_up(other);
}

static void pipelined_commands_are_answered_in_order(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s);
    static const int codes[] = { 220, 331, 230, 200, 257, 550, 213, 500, 221 };
    say(c,
        "USER anonymous\r\nPASS \r\nTYPE I\r\nPWD\r\nRETR nope\r\nSIZE empty.boot\r\nWHAT\r\nQUIT\r\nNOOP\r\n");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_int_equal(reply(s, c), codes[i]);
    hear_end(s, c);
    hang_up(c);
    /* More than a reader holds, to somebody who does not read at first. */
    c = log_in(s);
    for (int i = 0; i < 1000; i++)
        say(c, "NOOP\r\n");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(reply(s, c), 200);
    hang_up(c);
}

static void commands_behind_a_transfer_wait_for_its_end_and_abor_does_not(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    uint16_t port = passive(s, c);
    say(c, "RETR large.rom\r\nPWD\r\n");
    assert_int_equal(reply(s, c), 150);
    pump(s);
    assert_int_equal(unseen(c).len, 0);
    int fd = dial_port(s, port, NULL);
    assert_true(take_all(s, fd));
    assert_int_equal(bulk_len, LARGE_BYTES);
    assert_int_equal(reply(s, c), 226);
    assert_int_equal(reply(s, c), 257);
    only_event();
    port = passive(s, c);
    fd = dial_port(s, port, NULL);
    assert_int_equal(ask(s, c, "RETR large.rom"), 150);
    assert_int_equal(ask(s, c, "STAT"), 211);
    assert_int_equal(ask(s, c, "NOOP"), 200);
    say(c, "\xff\xf4");
    assert_int_equal(send(c->fd, "\xff\xf2", 2, MSG_OOB), 2);
    assert_int_equal(ask(s, c, "ABOR"), 426);
    assert_int_equal(reply(s, c), 226);
    assert_false(take_all(s, fd));
    assert_true(bulk_len < LARGE_BYTES);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_int_equal(e->code, 426);
    assert_int_equal(ask(s, c, "NOOP"), 200);
    hang_up(c);
}

static void quit_waits_for_the_transfer(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    uint16_t port = passive(s, c);
    say(c, "RETR large.rom\r\nQUIT\r\n");
    assert_int_equal(reply(s, c), 150);
    assert_true(take_all(s, dial_port(s, port, NULL)));
    assert_int_equal(bulk_len, LARGE_BYTES);
    assert_int_equal(reply(s, c), 226);
    assert_int_equal(reply(s, c), 221);
    hear_end(s, c);
    hang_up(c);
}

static void a_file_that_changes_under_way_is_not_said_to_be_whole(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    fake_files[5].changed = true;
    fake_files[5].unchanged_checks = 1;
    uint16_t port = passive(s, c);
    int fd = dial_port(s, port, NULL);
    say(c, "RETR large.rom\r\n");
    assert_false(take_all(s, fd));
    assert_int_equal(reply(s, c), 150);
    assert_int_equal(reply(s, c), 451);
    assert_int_equal(only_event()->outcome, OUTCOME_BROKEN);
    hang_up(c);
}

static void active_mode_comes_to_the_client(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    union address at;
    socklen_t len = sizeof at;
    char line[96], host[64];
    int fd = socket(s->address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at = s->address;
    address_set_port(&at, 0);
    assert_int_equal(bind(fd, &at.sa, address_length(&at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, &at.sa, &len), 0);
    struct buf out = BUF_ON(host);
    address_print_host(&at, &out);
    buf_terminate(&out);
    snprintf(line, sizeof line, "EPRT |%d|%s|%u|", at.sa.sa_family == AF_INET ? 1 : 2, host, address_port(&at));
    assert_int_equal(ask(s, c, line), 200);
    say(c, "RETR y000000000028.cfg\r\n");
    pump(s);
    assert_true(take_all(s, accept(fd, NULL, NULL)));
    assert_int_equal(bulk_len, 579);
    assert_int_equal(reply(s, c), 150);
    assert_int_equal(reply(s, c), 226);
    close(fd);
    /* Nobody listens there any more. */
    assert_int_equal(ask(s, c, line), 200);
    assert_int_equal(ask(s, c, "RETR y000000000028.cfg"), 150);
    assert_int_equal(reply(s, c), 425);
    s->config.ftp_active = false;
    assert_int_equal(ask(s, c, line), 502);
    hang_up(c);
}

static void ipv6_has_epsv_and_eprt_and_no_pasv(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    assert_int_equal(ask(s, c, "PASV"), 425);
    assert_int_equal(ask(s, c, "EPSV 1"), 522);
    assert_int_equal(ask(s, c, "EPSV 2"), 229);
    assert_int_equal(ask(s, c, "PORT 127,0,0,1,30,30"), 504);
    fetch(s, c, "RETR y000000000028.cfg");
    assert_int_equal(bulk_len, 579);
    hang_up(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ftp_test(a_phone_that_is_refused_as_user_gets_its_file_as_anonymous),
        ftp_test(every_command_has_its_reply),
        ftp_test(what_needs_a_login_says_530_and_what_does_not_is_answered),
        ftp_test(an_absence_is_one_event_also_when_size_asked_first),
        ftp_test(a_fetch_goes_on_from_rest),
        ftp_test(a_large_file_comes_whole),
        ftp_test(type_a_sends_crlf),
        ftp_test(listings_show_what_can_be_fetched),
        ftp_test(r9_a_long_listing_comes_a_little_at_a_time_and_whole),
        ftp_test(pipelined_commands_are_answered_in_order),
        ftp_test(commands_behind_a_transfer_wait_for_its_end_and_abor_does_not),
        ftp_test(quit_waits_for_the_transfer),
        ftp_test(a_file_that_changes_under_way_is_not_said_to_be_whole),
        ftp_test(active_mode_comes_to_the_client),
        ftp_test_v6(active_mode_comes_to_the_client),
        ftp_test_v6(ipv6_has_epsv_and_eprt_and_no_pasv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
