#include "tests/unit/phone/ring_desk.h"

#include "proto/auth.h"

static int setup(void **state)
{
    struct ring_desk *d = malloc(sizeof *d);
    *state = d;
    if (d)
        ring_desk_open(d, RING_AUTH_STRANGERS);
    return d == NULL;
}

static int teardown(void **state)
{
    ring_desk_close(*state);
    free(*state);
    return 0;
}

static void again(struct ring_desk *d, enum ring_auth auth)
{
    ring_desk_close(d);
    ring_desk_open(d, auth);
}

/* A NOTIFY as a strict sender makes it; each number is another transaction. */
static struct slice notify(struct ring_desk *d, unsigned number, const char *fields)
{
    struct slice text;
    assert_true(arena_format(&d->arena, &text,
                             "NOTIFY sip:1001@10.0.0.5:5060 SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK%u;rport\r\nMax-Forwards: 70\r\n"
                             "From: <sip:pbx@10.0.0.9>;tag=a%u\r\nTo: <sip:1001@10.0.0.5>\r\nCall-ID: %u@10.0.0.9\r\n"
                             "CSeq: 10 NOTIFY\r\n%sContent-Length: 0\r\n\r\n",
                             number, number, number, fields));
    return text;
}

static unsigned ask(struct ring_desk *d, unsigned number, const char *fields)
{
    return ring_desk_ask(d, notify(d, number, fields));
}

#define SYNC "Event: check-sync\r\n"

/* --- facts.md 3, row by row --- */

struct form {
    const char *who, *text;
    bool reboots; /* with sip.notify_reboot_enable = 0 */
};
#define HEAD                                                                                                     \
    "Via: SIP/2.0/UDP 10.0.0.9:5062;rport;branch=z9hG4bKPj1\r\nMax-Forwards: 70\r\nFrom: <sip:pbx@10.0.0.9>;tag=1\r\n" \
    "To: <sip:1001@10.0.0.5>\r\nContact: <sip:pbx@10.0.0.9:5062>\r\nCall-ID: x@10.0.0.9\r\nCSeq: 10 NOTIFY\r\n"
#define START "NOTIFY sip:1001@10.0.0.5:5060 SIP/2.0\r\n"
static const struct form forms[] = {
    { "the guide's own",
      "NOTIFY sip:1001@10.0.0.5 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK1\r\nTo: sip:1001@10.0.0.5\r\n"
      "From: sip:sipsak@10.0.0.9\r\nCSeq: 10 NOTIFY\r\nCall-ID: 1234@10.0.0.9\r\nEvent: check-sync;reboot=true\r\n\r\n",
      true },
    { "Asterisk", START HEAD "Subscription-State: terminated\r\nEvent: check-sync\r\nContent-Length: 0\r\n\r\n", false },
    { "Asterisk with reboot=false", START HEAD "Event: check-sync;reboot=false\r\nContent-Length: 0\r\n\r\n", false },
    { "FreePBX", START HEAD "Event: check-sync;reboot=true\r\nContent-Length: 0\r\n\r\n", true },
    { "FreeSWITCH",
      START HEAD "Event: check-sync\r\nContent-Type: application/simple-message-summary\r\nContent-Length: 0\r\n\r\n",
      false },
    { "FusionPBX",
      START HEAD "Event: check-sync;reboot=true\r\nContent-Type: application/simple-message-summary\r\n"
                 "Content-Length: 0\r\n\r\n",
      true },
    { "MikoPBX",
      "NOTIFY sip:1001@10.0.0.5:5060;ob SIP/2.0\r\n" HEAD
      "Subscription-State: terminated\r\nEvent: check-sync;reboot=true\r\nContent-Length: 0\r\n\n",
      true },
    { "OpenSIPS, minimal parties",
      "NOTIFY sip:10.0.0.5 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK7.0\r\nFrom: sip:10.0.0.9;tag=9\r\n"
      "To: sip:10.0.0.5\r\nCall-ID: 9\r\nCSeq: 1 NOTIFY\r\nEvent: check-sync\r\n\r\n",
      false },
    { "a script: no final line, no branch, no tags",
      "NOTIFY sip:1001@10.0.0.5 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9\nFrom: <sip:a@b>\nTo: <sip:1001@10.0.0.5>\n"
      "Call-ID: 1\nCSeq: 1 NOTIFY\nEvent: check-sync;reboot=true\n",
      true },
    { "in a dialog", START
      "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK8\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 1\r\n"
      "CSeq: 2 NOTIFY\r\nSubscription-State: active\r\nEvent: check-sync\r\n\r\n",
      false },
    { "compact names, any case and blanks", START
      "v: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK8\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: 1\r\nCSeq: 2 NOTIFY\r\n"
      "o :  Check-Sync ; Reboot = TRUE \r\nl: 0\r\n\r\n",
      true },
    { "a body", START HEAD "Event: check-sync\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", false },
};
#define FORMS (sizeof forms / sizeof *forms)

static void every_form_that_senders_use_is_answered_200_and_obeyed(void **state)
{
    struct ring_desk *d = *state;
    for (size_t i = 0; i < FORMS; i++) {
        again(d, RING_AUTH_STRANGERS);
        ring_desk_set(d, "sip.notify_reboot_enable", "0");
        if (ring_desk_ask(d, slice_str(forms[i].text)) != 200)
            fail_msg("%s: %u, %s", forms[i].who, d->answer.status, d->told);
        if (d->reboots != forms[i].reboots || d->provisions != !forms[i].reboots)
            fail_msg("%s: %u reboots, %u provisions", forms[i].who, d->reboots, d->provisions);
        assert_non_null(d->answer.to.tag.ptr);
    }
}

static void the_setting_decides_between_reboot_run_and_nothing(void **state)
{
    static const struct {
        const char *value, *event;
        unsigned reboots, provisions;
    } cases[] = {
        { NULL, "Event: check-sync\r\n", 1, 0 },
        { NULL, "Event: check-sync;reboot=false\r\n", 1, 0 },
        { "1", "Event: check-sync;reboot=true\r\n", 1, 0 },
        { "0", "Event: check-sync;reboot=false\r\n", 0, 1 },
        { "0", "Event: check-sync;reboot=true\r\n", 1, 0 },
        { "2", "Event: check-sync\r\n", 0, 0 },
        { "2", "Event: check-sync;reboot=true\r\n", 0, 0 },
    };
    struct ring_desk *d = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        again(d, RING_AUTH_STRANGERS);
        if (cases[i].value)
            ring_desk_set(d, "sip.notify_reboot_enable", cases[i].value);
        assert_int_equal(ask(d, 1, cases[i].event), 200);
        assert_int_equal(d->reboots, cases[i].reboots);
        assert_int_equal(d->provisions, cases[i].provisions);
    }
    assert_string_equal(d->told, "NOTIFY from 10.0.0.9:5062: 200, ignored: sip.notify_reboot_enable is 2");
}

static void the_answer_repeats_what_it_must_and_says_which_phone_it_is(void **state)
{
    struct ring_desk *d = *state;
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_slice(d->answer.field[SIP_FIELD_VIA],
                 "SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bK1;received=10.0.0.9;rport=5062");
    assert_slice(d->answer.field[SIP_FIELD_FROM], "<sip:pbx@10.0.0.9>;tag=a1");
    assert_slice(d->answer.field[SIP_FIELD_CSEQ], "10 NOTIFY");
    assert_slice(d->answer.field[SIP_FIELD_USER_AGENT], "Yealink SIP-T46S 66.84.0.15");
    assert_slice(d->answer.field[SIP_FIELD_CONTENT_LENGTH], "0");
}

/* --- once --- */

static void a_retransmission_gets_the_same_answer_and_acts_once(void **state)
{
    struct ring_desk *d = *state;
    char first[RING_ANSWER_BYTES_MAX];
    assert_int_equal(ask(d, 1, SYNC), 200);
    size_t len = d->bytes.len;
    memcpy(first, d->bytes.ptr, len);
    for (int i = 0; i < 10; i++) {
        d->now_ms += 500;
        assert_int_equal(ask(d, 1, SYNC), 200);
        assert_true(slice_eq(d->bytes, slice_of(first, len)));
    }
    assert_int_equal(d->reboots, 1);
    /* While it reboots too: one action a NOTIFY. */
    d->off = true;
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(ask(d, 2, SYNC), 0);
    d->off = false;
}

static void a_script_with_one_call_id_for_ever_is_obeyed_each_time(void **state)
{
    struct ring_desk *d = *state;
    struct slice text = slice_str(forms[8].text);
    for (uint16_t port = 40000; port < 40005; port++) {
        address_set_port(&d->from.address, port);
        assert_int_equal(ring_desk_ask(d, text), 200);
        assert_int_equal(ring_desk_ask(d, text), 200);
    }
    assert_int_equal(d->reboots, 5);
    d->now_ms += 64 * 500 + 1;
    assert_int_equal(ring_desk_ask(d, text), 200);
    assert_int_equal(d->reboots, 6);
}

static void by_tcp_nothing_is_a_retransmission(void **state)
{
    struct ring_desk *d = *state;
    d->from.reliable = true;
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(d->reboots, 2);
}

static void strangers_cannot_push_an_answer_out_of_memory(void **state)
{
    struct ring_desk *d = *state;
    assert_int_equal(ask(d, 1, SYNC), 200);
    d->trust = RING_STRANGER;
    for (unsigned i = 0; i < 100; i++, d->now_ms += 250)
        assert_int_equal(ask(d, 100 + i, SYNC), 403);
    d->trust = RING_TRUSTED;
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(d->reboots, 1);
}

/* --- other requests --- */

static void other_events_and_methods_are_answered_and_do_nothing(void **state)
{
    static const struct {
        const char *method, *fields;
        unsigned status;
    } cases[] = {
        { "OPTIONS", "", 200 },        { "INVITE", "", 405 },    { "MESSAGE", "", 405 },
        { "BYE", "", 405 },            { "REGISTER", "", 405 },  { "SUBSCRIBE", "Event: presence\r\n", 405 },
        { "DANCE", "", 501 },          { "notify", SYNC, 501 },  { "ACK", "", 0 },
        { "NOTIFY", "", 489 },         { "NOTIFY", "Event: ACTION-URI\r\n", 489 },
        { "NOTIFY", "Event: ua-profile\r\n", 489 },
        { "NOTIFY", "Event: check-synchrony\r\n", 489 },
        { "NOTIFY", "Event: message-summary\r\n", 200 },
        { "NOTIFY", "Event: keep-alive\r\n", 200 },
    };
    struct ring_desk *d = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice text;
        assert_true(arena_format(&d->arena, &text,
                                 "%s sip:1@10.0.0.5 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK%zu\r\n"
                                 "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 2 %s\r\n%s\r\n",
                                 cases[i].method, i, cases[i].method, cases[i].fields));
        unsigned status = ring_desk_ask(d, text);
        if (status != cases[i].status)
            fail_msg("%s %s: %u", cases[i].method, cases[i].fields, status);
        if (status == 405 || status == 501)
            assert_slice(d->answer.field[SIP_FIELD_ALLOW], "NOTIFY, OPTIONS");
        if (status == 489)
            assert_slice(d->answer.field[SIP_FIELD_ALLOW_EVENTS], "check-sync, message-summary, keep-alive");
    }
    assert_int_equal(d->reboots + d->provisions, 0);
}

static void what_comes_every_minute_is_not_told(void **state)
{
    struct ring_desk *d = *state;
    assert_int_equal(ask(d, 1, "Event: keep-alive\r\n"), 200);
    assert_int_equal(ring_desk_ask(d, SLICE("OPTIONS sip:10.0.0.5 SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCall-ID: 1\r\n"
                                            "CSeq: 2 OPTIONS\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\n\r\n")),
                     200);
    assert_slice(d->answer.field[SIP_FIELD_ALLOW], "NOTIFY, OPTIONS");
    assert_int_equal(d->lines, 0);
}

static void answers_of_others_are_passed_over(void **state)
{
    struct ring_desk *d = *state;
    assert_int_equal(ring_desk_ask(d, SLICE("SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\n\r\n")), 0);
    assert_int_equal(d->verdict, RING_SILENT);
    assert_int_equal(d->lines, 0);
}

/* --- who may --- */

static void with_trust_ctrl_nobody_else_gets_anything_but_403(void **state)
{
    struct ring_desk *d = *state;
    ring_desk_set(d, "sip.trust_ctrl", "1");
    ring_desk_set(d, "account.1.user_name", "1001");
    ring_desk_set(d, "account.1.password", "secret");
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(d->reboots, 1);
    d->trust = RING_STRANGER;
    assert_int_equal(ask(d, 2, SYNC), 403);
    assert_int_equal(ask(d, 3, "Event: message-summary\r\n"), 403);
    assert_string_equal(d->told, "NOTIFY from 10.0.0.9:5062: 403, sip.trust_ctrl is 1");
    assert_int_equal(d->reboots, 1);
}

static void r18_a_stranger_needs_a_password_and_without_one_is_refused(void **state)
{
    struct ring_desk *d = *state;
    d->trust = RING_STRANGER;
    assert_int_equal(ask(d, 1, SYNC), 403);
    ring_desk_set(d, "account.2.user_name", "1002");
    ring_desk_set(d, "account.2.password", "secret");
    assert_int_equal(ask(d, 2, SYNC), 401);
    assert_int_equal(ask(d, 3, "Event: message-summary\r\n"), 200);
    assert_int_equal(d->reboots + d->provisions, 0);
    again(d, RING_AUTH_OPEN);
    d->trust = RING_STRANGER;
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(d->reboots, 1);
}

static void while_a_name_is_looked_up_a_datagram_waits_and_a_stream_is_told(void **state)
{
    struct ring_desk *d = *state;
    d->trust = RING_UNKNOWN;
    assert_int_equal(ask(d, 1, SYNC), 0);
    d->trust = RING_TRUSTED;
    assert_int_equal(ask(d, 1, SYNC), 200);
    assert_int_equal(d->reboots, 1);
    d->trust = RING_UNKNOWN;
    d->from.reliable = true;
    assert_int_equal(ask(d, 2, SYNC), 503);
    assert_slice(d->answer.field[SIP_FIELD_RETRY_AFTER], "1");
    assert_int_equal(d->reboots, 1);
}

/* --- digest --- */

struct credentials {
    const char *user, *password;
    enum auth_algorithm algorithm;
    unsigned count;
};

/* The last 401, answered; then the status. */
static unsigned log_in(struct ring_desk *d, unsigned number, struct slice nonce, struct credentials c)
{
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES], fields[1024], nc[9];
    snprintf(nc, sizeof nc, "%08x", c.count);
    struct auth a = { .algorithm = c.algorithm,
                      .nonce = nonce,
                      .uri = SLICE("sip:1001@10.0.0.5:5060"),
                      .cnonce = SLICE("abc"),
                      .nc = slice_str(nc) };
    assert_true(auth_ha1(c.algorithm, slice_str(c.user), SLICE("pbx.example"), slice_str(c.password), ha1));
    assert_true(auth_response(&a, slice_str(ha1), SLICE("NOTIFY"), response));
    snprintf(fields, sizeof fields,
             SYNC "Authorization: Digest username=\"%s\", realm=\"pbx.example\", nonce=\"%.*s\", uri=\"%.*s\", qop=auth, "
                  "nc=%s, cnonce=\"abc\", algorithm=%s, response=\"%s\"\r\n",
             c.user, SLICE_ARG(nonce), SLICE_ARG(a.uri), nc, auth_algorithm_name(c.algorithm), response);
    return ask(d, number, fields);
}

static struct slice challenged(struct ring_desk *d, unsigned number)
{
    struct slice nonce, copy, value;
    assert_int_equal(ask(d, number, SYNC), 401);
    value = d->answer.field[SIP_FIELD_WWW_AUTHENTICATE];
    size_t at = slice_find_text(value, SLICE("nonce=\"")) + 7;
    nonce = slice_from(value, at);
    assert_true(arena_copy(&d->arena, slice_first(nonce, slice_find(nonce, '"')), &copy));
    return copy;
}

static void with_account(struct ring_desk *d)
{
    again(d, RING_AUTH_ALWAYS);
    ring_desk_set(d, "account.1.sip_server.1.address", "pbx.example");
    ring_desk_set(d, "account.1.user_name", "1001");
    ring_desk_set(d, "account.1.auth_name", "auth-1001");
    ring_desk_set(d, "account.1.password", "secret");
}

static void the_challenge_offers_md5_first_and_sha_256(void **state)
{
    struct ring_desk *d = *state;
    with_account(d);
    challenged(d, 1);
    unsigned count = 0;
    for (size_t i = 0; i < d->answer.line_count; i++) {
        struct slice value = d->answer.lines[i].value;
        if (d->answer.lines[i].field != SIP_FIELD_WWW_AUTHENTICATE)
            continue;
        const char *expected = count++ ? "algorithm=SHA-256," : "algorithm=MD5,";
        assert_true(slice_find_text(value, slice_str(expected)) < value.len);
        assert_true(slice_starts(value, SLICE("Digest realm=\"pbx.example\", qop=\"auth\"")));
    }
    assert_int_equal(count, 2);
}

static void the_right_password_is_taken_in_both_algorithms(void **state)
{
    struct ring_desk *d = *state;
    with_account(d);
    for (unsigned i = 0; i < 2; i++) {
        struct slice nonce = challenged(d, 10 + i);
        struct credentials c = { "auth-1001", "secret", i ? AUTH_MD5 : AUTH_SHA256, 1 };
        assert_int_equal(log_in(d, 20 + i, nonce, c), 200);
    }
    assert_int_equal(d->reboots, 2);
}

static void a_wrong_password_or_user_is_asked_again(void **state)
{
    struct ring_desk *d = *state;
    with_account(d);
    struct slice nonce = challenged(d, 1);
    assert_int_equal(log_in(d, 2, nonce, (struct credentials){ "auth-1001", "guess", AUTH_MD5, 1 }), 401);
    assert_int_equal(log_in(d, 3, nonce, (struct credentials){ "1001", "secret", AUTH_MD5, 1 }), 401);
    assert_int_equal(log_in(d, 4, nonce, (struct credentials){ "", "", AUTH_MD5, 1 }), 401);
    struct slice value = d->answer.field[SIP_FIELD_WWW_AUTHENTICATE];
    assert_true(slice_find_text(value, SLICE("stale")) == value.len);
    assert_int_equal(ask(d, 5, SYNC "Authorization: Basic YTpi\r\n"), 401);
    assert_int_equal(ask(d, 6, SYNC "Authorization: Digest\r\n"), 401);
    assert_int_equal(d->reboots, 0);
}

static void a_nonce_expires_and_a_count_is_used_once(void **state)
{
    struct ring_desk *d = *state;
    struct credentials c = { "auth-1001", "secret", AUTH_SHA256, 1 };
    with_account(d);
    struct slice nonce = challenged(d, 1);
    assert_int_equal(log_in(d, 2, nonce, c), 200);
    assert_int_equal(log_in(d, 3, nonce, c), 401);
    struct slice value = d->answer.field[SIP_FIELD_WWW_AUTHENTICATE];
    assert_true(slice_find_text(value, SLICE("stale=true")) < value.len);
    c.count = 2;
    assert_int_equal(log_in(d, 4, nonce, c), 200);
    d->now_ms += 60000;
    c.count = 3;
    assert_int_equal(log_in(d, 5, nonce, c), 401);
    /* One that nobody here made. */
    assert_int_equal(log_in(d, 6, SLICE("0000000f42400000000100000000000000000000000000000000"), c), 401);
    assert_int_equal(d->reboots, 2);
}

static void many_nonces_in_use_make_the_oldest_stale_and_no_count_good_again(void **state)
{
    enum { MANY = 280 };
    struct ring_desk *d = *state;
    struct slice nonces[MANY];
    with_account(d);
    for (unsigned i = 0; i < MANY; i++, d->now_ms += 120) {
        nonces[i] = challenged(d, 1000 + i);
        assert_int_equal(log_in(d, 2000 + i, nonces[i], (struct credentials){ "auth-1001", "secret", AUTH_MD5, 1 }), 200);
    }
    for (unsigned i = 0; i < MANY; i++, d->now_ms += 60)
        assert_int_equal(log_in(d, 3000 + i, nonces[i], (struct credentials){ "auth-1001", "secret", AUTH_MD5, 1 }), 401);
    assert_int_equal(d->reboots, MANY);
}

/* --- hostile --- */

static void a_flood_of_strangers_is_dropped_and_trusted_peers_still_come_in(void **state)
{
    struct ring_desk *d = *state;
    unsigned answered = 0;
    d->trust = RING_STRANGER;
    for (unsigned i = 0; i < 10000; i++, d->now_ms += i % 10 == 0)
        answered += ask(d, i, SYNC) != 0;
    assert_in_range(answered, 20, 26);
    assert_in_range(d->lines, 1, 24);
    d->trust = RING_TRUSTED;
    assert_int_equal(ask(d, 20000, SYNC), 200);
    for (unsigned i = 0; i < 10000; i++, d->now_ms += i % 10 == 0)
        ask(d, 30000 + i, SYNC);
    assert_in_range(d->reboots, 40, 62);
    d->now_ms += 10000;
    ask(d, 50000, SYNC);
    assert_non_null(strstr(d->told, "were too many"));
}

static void what_is_no_sip_is_dropped_and_what_is_not_whole_is_400(void **state)
{
    static const char *const bad[] = {
        "", "\r\n\r\n", "hello", "NOTIFY", "NOTIFY sip:1@2 SIP/2.0\r\n\r\n", "NOTIFY sip:1@2 SIP/3.0\r\nCall-ID: 1\r\n\r\n",
        START "Call-ID: 1\r\nCSeq: 1 NOTIFY\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\n" SYNC "\r\n",
        START "Via: SIP/2.0/UDP h\r\nCSeq: 1 NOTIFY\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\n" SYNC "\r\n",
        START "Via: SIP/2.0/UDP h\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\n" SYNC "\r\n",
        START HEAD SYNC "Content-Length: -1\r\n\r\n", START HEAD SYNC "X: \x01\r\n\r\n",
    };
    struct ring_desk *d = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ring_desk_ask(d, slice_str(bad[i])), 0);
        assert_int_equal(d->verdict, RING_BAD);
    }
    assert_int_equal(ring_desk_ask(d, SLICE(START HEAD SYNC "Content-Length: 10\r\n\r\nabc")), 400);
    assert_int_equal(d->reboots, 0);
}

static void what_is_told_is_one_printable_line(void **state)
{
    struct ring_desk *d = *state;
    ring_desk_ask(d, SLICE("\x80\xff\"DANCE sip:1@10.0.0.5 SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCall-ID: 1\r\n"
                           "CSeq: 2 \x80\xff\"DANCE\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\n\r\n"));
    for (const char *c = d->told; *c; c++)
        assert_false(byte_is_control(*c) || (unsigned char)*c >= 0x80);
    assert_int_equal(d->lines, 1);
}

#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        t(every_form_that_senders_use_is_answered_200_and_obeyed),
        t(the_setting_decides_between_reboot_run_and_nothing),
        t(the_answer_repeats_what_it_must_and_says_which_phone_it_is),
        t(a_retransmission_gets_the_same_answer_and_acts_once),
        t(a_script_with_one_call_id_for_ever_is_obeyed_each_time),
        t(by_tcp_nothing_is_a_retransmission),
        t(strangers_cannot_push_an_answer_out_of_memory),
        t(other_events_and_methods_are_answered_and_do_nothing),
        t(what_comes_every_minute_is_not_told),
        t(answers_of_others_are_passed_over),
        t(with_trust_ctrl_nobody_else_gets_anything_but_403),
        t(r18_a_stranger_needs_a_password_and_without_one_is_refused),
        t(while_a_name_is_looked_up_a_datagram_waits_and_a_stream_is_told),
        t(the_challenge_offers_md5_first_and_sha_256),
        t(the_right_password_is_taken_in_both_algorithms),
        t(a_wrong_password_or_user_is_asked_again),
        t(a_nonce_expires_and_a_count_is_used_once),
        t(many_nonces_in_use_make_the_oldest_stale_and_no_count_good_again),
        t(a_flood_of_strangers_is_dropped_and_trusted_peers_still_come_in),
        t(what_is_no_sip_is_dropped_and_what_is_not_whole_is_400),
        t(what_is_told_is_one_printable_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
