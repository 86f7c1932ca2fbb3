#include "tests/unit/test.h"

#include "server/notify.h"

#include <stdio.h>

static void targets_are_read_and_printed_back(void **state)
{
    static const struct {
        const char *text, *user, *host;
        unsigned port;
        enum notify_transport transport;
        const char *printed;
    } good[] = {
        { "sip:1001@10.0.0.5", "1001", "10.0.0.5", 5060, NOTIFY_UDP, "sip:1001@10.0.0.5" },
        { "1001@10.0.0.5:5070", "1001", "10.0.0.5", 5070, NOTIFY_UDP, "sip:1001@10.0.0.5:5070" },
        { "SIP:phone.example", "", "phone.example", 5060, NOTIFY_UDP, "sip:phone.example" },
        { "sip:a@h:5060;transport=TCP", "a", "h", 5060, NOTIFY_TCP, "sip:a@h;transport=tcp" },
        { "sip:a@h;ob;transport=tls", "a", "h", 5061, NOTIFY_TLS, "sip:a@h;transport=tls" },
        { "sips:a@h", "a", "h", 5061, NOTIFY_TLS, "sip:a@h;transport=tls" },
        { "sip:a@[2001:db8::1]:5070", "a", "2001:db8::1", 5070, NOTIFY_UDP, "sip:a@[2001:db8::1]:5070" },
        { "sip:[::1]", "", "::1", 5060, NOTIFY_UDP, "sip:[::1]" },
    };
    static const char *const bad[] = { "", "sip:", "sip:a@", "sip:a@h:0", "sip:a@h:65536", "sip:a@h:x", "sip:a@[::1",
                                       "sip:a@[::1]x", "sip:a b@h", "sip:a@h\r\nX: y", "sip:a@h;transport=sctp",
                                       "sip:<a>@h", "sip:a@h?b" };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct notify_target t;
        char bytes[256];
        struct buf out = BUF_ON(bytes);
        assert_true(notify_target_parse(slice_str(good[i].text), &t));
        assert_slice(t.user, good[i].user);
        assert_slice(t.host, good[i].host);
        assert_int_equal(t.port, good[i].port);
        assert_int_equal(t.transport, good[i].transport);
        notify_target_print(&t, &out);
        assert_slice(buf_slice(&out), good[i].printed);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct notify_target t;
        if (notify_target_parse(slice_str(bad[i]), &t))
            fail_msg("'%s' is a target", bad[i]);
    }
}

static void begin(struct notify *n, const char *target, bool reboot, const char *user)
{
    struct notify_options o = { .reboot = reboot, .number = 0xabc, .user = slice_str(user), .password = SLICE("secret") };
    assert_true(notify_target_parse(slice_str(target), &o.target));
    assert_true(address_parse(SLICE("10.0.0.9"), 40000, &o.local));
    assert_true(notify_start(n, &o, 1000));
}

static void the_message_is_a_strict_notify_out_of_dialog(void **state)
{
    struct notify n;
    (void)state;
    begin(&n, "sip:1001@10.0.0.5", true, NULL);
    assert_slice(notify_message(&n),
                 "NOTIFY sip:1001@10.0.0.5 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:40000;branch=z9hG4bKabc.1\r\n"
                 "From: <sip:dialtone@10.0.0.9>;tag=abc\r\nTo: <sip:1001@10.0.0.5>\r\nCall-ID: abc@10.0.0.9\r\n"
                 "CSeq: 1 NOTIFY\r\nContact: <sip:dialtone@10.0.0.9:40000>\r\nMax-Forwards: 70\r\nUser-Agent: dialtone\r\n"
                 "Subscription-State: terminated\r\nEvent: check-sync;reboot=true\r\nContent-Length: 0\r\n\r\n");
    begin(&n, "sip:1001@10.0.0.5;transport=tcp", false, NULL);
    assert_true(slice_find_text(notify_message(&n), SLICE("\r\nEvent: check-sync\r\n")) < n.len);
    assert_true(slice_find_text(notify_message(&n), SLICE("SIP/2.0/TCP ")) < n.len);
}

/* An answer to it. True: another message is ready. */
static bool answer(struct notify *n, struct arena *a, unsigned cseq, const char *status, const char *fields)
{
    struct slice text;
    struct sip_message m;
    const char *reason;
    assert_true(arena_format(a, &text, "SIP/2.0 %s\r\nCall-ID: abc@10.0.0.9\r\nCSeq: %u NOTIFY\r\n%s\r\n", status, cseq,
                             fields));
    assert_true(sip_read(text, a, &m, &reason));
    assert_true(notify_is_mine(n, &m));
    return notify_answered(n, &m, 1100);
}

static void a_final_answer_ends_it(void **state)
{
    struct notify n;
    begin(&n, "sip:a@h", false, NULL);
    assert_false(answer(&n, *state, 1, "100 Trying", ""));
    assert_int_equal(n.outcome, NOTIFY_GOING);
    assert_false(answer(&n, *state, 1, "200 OK", ""));
    assert_int_equal(n.outcome, NOTIFY_ANSWERED);
    assert_int_equal(notify_due_ms(&n), UINT64_MAX);
    begin(&n, "sip:a@h", false, NULL);
    answer(&n, *state, 1, "302 Moved", "Contact: <sip:b@evil>\r\n");
    assert_int_equal(n.outcome, NOTIFY_REFUSED);
    assert_int_equal(n.status, 302);
    assert_string_equal(n.reason, "Moved");
}

static void without_an_answer_it_is_sent_eleven_times_until_timer_f(void **state)
{
    struct notify n;
    uint64_t now_ms = 0;
    unsigned sent = 1;
    (void)state;
    begin(&n, "sip:a@h", false, NULL);
    while (n.outcome == NOTIFY_GOING) {
        now_ms = notify_due_ms(&n);
        sent += notify_timeout(&n, now_ms);
    }
    assert_int_equal(n.outcome, NOTIFY_SILENT);
    assert_int_equal(now_ms, 1000 + 32000);
    assert_int_equal(sent, 11);
    assert_int_equal(n.tries, 11);
    begin(&n, "sip:a@h;transport=tcp", false, NULL);
    assert_int_equal(notify_due_ms(&n), 1000 + 32000);
}

static void icmp_ends_it(void **state)
{
    struct notify n;
    (void)state;
    begin(&n, "sip:a@h", false, NULL);
    notify_unreachable(&n, "nobody");
    assert_int_equal(n.outcome, NOTIFY_UNREACHABLE);
    assert_string_equal(n.why, "nobody");
    assert_false(notify_timeout(&n, 99999));
    assert_int_equal(n.outcome, NOTIFY_UNREACHABLE);
}

#define CHALLENGE "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", algorithm=MD5, nonce=\"n1\"\r\n"

static void a_challenge_is_answered_once(void **state)
{
    struct notify n;
    begin(&n, "sip:1001@10.0.0.5", false, "1001");
    assert_true(answer(&n, *state, 1, "401 Unauthorized", CHALLENGE));
    struct slice text = notify_message(&n);
    assert_true(slice_find_text(text, SLICE("\r\nCSeq: 2 NOTIFY\r\n")) < text.len);
    assert_true(slice_find_text(text, SLICE("branch=z9hG4bKabc.2\r\n")) < text.len);
    assert_true(slice_find_text(text, SLICE("\r\nAuthorization: Digest username=\"1001\", realm=\"r\", nonce=\"n1\", "
                                            "uri=\"sip:1001@10.0.0.5\", qop=auth, nc=00000001, cnonce=\"")) < text.len);
    /* A late copy of the first answer. */
    assert_false(answer(&n, *state, 1, "401 Unauthorized", CHALLENGE));
    assert_int_equal(n.outcome, NOTIFY_GOING);
    assert_false(answer(&n, *state, 2, "401 Unauthorized", CHALLENGE));
    assert_int_equal(n.outcome, NOTIFY_REFUSED);
    assert_string_equal(n.why, "user name or password not accepted");
}

static void a_stale_nonce_is_taken_once_more_and_no_oftener(void **state)
{
    struct notify n;
    begin(&n, "sip:a@h", false, "1001");
    assert_true(answer(&n, *state, 1, "401 X", CHALLENGE));
    assert_true(answer(&n, *state, 2, "401 X", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n2\", stale=true\r\n"));
    assert_false(answer(&n, *state, 3, "401 X", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n3\", stale=true\r\n"));
    assert_int_equal(n.outcome, NOTIFY_REFUSED);
}

static void of_several_challenges_the_best_that_is_known_is_answered(void **state)
{
    struct notify n;
    begin(&n, "sip:a@h", false, "1001");
    assert_true(answer(&n, *state, 1, "407 X",
                       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"a\", algorithm=SHA-512-256\r\n"
                       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"d\"\r\n"
                       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"b\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n"
                       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"c\", algorithm=MD5\r\n"));
    struct slice text = notify_message(&n);
    assert_true(slice_find_text(text, SLICE("\r\nProxy-Authorization: Digest ")) < text.len);
    assert_true(slice_find_text(text, SLICE("nonce=\"b\"")) < text.len);
    assert_true(slice_find_text(text, SLICE("algorithm=SHA-256, response=")) < text.len);
}

static void what_cannot_be_answered_is_a_refusal(void **state)
{
    static const struct {
        const char *user, *fields, *why;
    } cases[] = {
        { NULL, CHALLENGE, "it wants a user name and a password" },
        { "u", "", "it wants a password in a way that is not known here" },
        { "u", "WWW-Authenticate: Basic realm=\"r\"\r\n", "it wants a password in a way that is not known here" },
        { "u", "WWW-Authenticate: Digest realm=\"r\"\r\n", "it wants a password in a way that is not known here" },
        { "u", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n",
          "it wants a password in a way that is not known here" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notify n;
        begin(&n, "sip:a@h", false, cases[i].user);
        assert_false(answer(&n, *state, 1, "401 X", cases[i].fields));
        assert_int_equal(n.outcome, NOTIFY_REFUSED);
        assert_string_equal(n.why, cases[i].why);
    }
}

static void a_hostile_challenge_begins_no_line_of_its_own(void **state)
{
    struct notify n;
    char fields[3000];
    begin(&n, "sip:a@h", false, "1001");
    memset(fields, 0, sizeof fields);
    snprintf(fields, sizeof fields, "WWW-Authenticate: Digest realm=\"%02000u\", nonce=\"n\"\r\n", 0);
    assert_false(answer(&n, *state, 1, "401 X", fields));
    assert_string_equal(n.why, "its challenge is too long");
    begin(&n, "sip:a@h", false, "1001");
    assert_true(answer(&n, *state, 1, "401 X", "WWW-Authenticate: Digest realm=\"a\\\"b\", nonce=\"n\\\\\"\r\n"));
    assert_true(slice_find_text(notify_message(&n), SLICE("realm=\"a\\\"b\", nonce=\"n\\\\\"")) < n.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_read_and_printed_back),
        cmocka_unit_test(the_message_is_a_strict_notify_out_of_dialog),
        test_with_arena(a_final_answer_ends_it),
        cmocka_unit_test(without_an_answer_it_is_sent_eleven_times_until_timer_f),
        cmocka_unit_test(icmp_ends_it),
        test_with_arena(a_challenge_is_answered_once),
        test_with_arena(a_stale_nonce_is_taken_once_more_and_no_oftener),
        test_with_arena(of_several_challenges_the_best_that_is_known_is_answered),
        test_with_arena(what_cannot_be_answered_is_a_refusal),
        test_with_arena(a_hostile_challenge_begins_no_line_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
