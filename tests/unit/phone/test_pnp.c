#include "tests/unit/test.h"

#include "phone/pnp.h"

static struct identity w52p;
static union address local, server;

static int setup(void **state)
{
    (void)state;
    w52p = (struct identity){ { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } }, model_find(SLICE("W52P")),
                              { { 25, 81, 0, 10 } } };
    address_parse(SLICE("10.2.20.73"), 5059, &local);
    address_parse(SLICE("10.2.1.199"), 5062, &server);
    return w52p.model == NULL;
}

static void start(struct pnp *p, uint32_t timeout_ms)
{
    struct pnp_identity who = { &w52p, SLICE_NONE, &local, 1681692777, timeout_ms, false };
    assert_true(pnp_start(p, &who, 1000));
}

/* What it answered, read. */
static struct sip_message receive(struct pnp *p, struct arena *a, const char *text)
{
    char bytes[4096];
    struct buf out = BUF_ON(bytes);
    struct sip_message m = { 0 };
    const char *reason;
    pnp_receive(p, &server, slice_str(text), 1100, &out);
    if (out.len)
        assert_true(sip_read(buf_slice(&out), a, &m, &reason));
    return m;
}

#define ID "Call-ID: 1681692777@10.2.20.73\r\n"
#define STRICT                                                                                                 \
    "NOTIFY sip:MAC00156574b16e@10.2.20.73:5059 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.1.199:5062;branch=z9hG4bK5\r\n" \
    "From: <sip:MAC00156574b16e@224.0.1.75>;tag=srv\r\nTo: <sip:MAC00156574b16e@224.0.1.75>;tag=1681692777\r\n" ID \
    "CSeq: 2 NOTIFY\r\nContact: <sip:10.2.1.199:5062>\r\nSubscription-State: terminated;reason=noresource\r\n"  \
    "Event: ua-profile\r\nContent-Type: application/url\r\n"

/* facts.md 2, to the byte and in its order. */
static void the_subscribe_is_what_a_w52p_sends(void **state)
{
    (void)state;
    struct pnp p;
    start(&p, 0);
    assert_slice(pnp_subscribe(&p),
                 "SUBSCRIBE sip:MAC00156574b16e@224.0.1.75 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 10.2.20.73:5059;branch=z9hG4bK1681692777\r\n"
                 "From: <sip:MAC00156574b16e@224.0.1.75>;tag=1681692777\r\n"
                 "To: <sip:MAC00156574b16e@224.0.1.75>\r\n"
                 "Call-ID: 1681692777@10.2.20.73\r\n"
                 "CSeq: 1 SUBSCRIBE\r\n"
                 "Contact: <sip:MAC00156574b16e@10.2.20.73:5059>\r\n"
                 "Max-Forwards: 70\r\n"
                 "User-Agent: Yealink W52P 25.81.0.10\r\n"
                 "Expires: 0\r\n"
                 "Event: ua-profile;profile-type=\"device\";vendor=\"yealink\";model=\"W52P\";version=\"25.81.0.10\"\r\n"
                 "Accept: application/url\r\n"
                 "Content-Length: 0\r\n\r\n");
}

static void who_collects_hears_every_server_to_the_end(void **state)
{
    struct pnp p;
    struct pnp_identity who = { &w52p, SLICE_NONE, &local, 1681692777, 5000, true };
    assert_true(pnp_start(&p, &who, 1000));
    assert_int_equal(receive(&p, *state, STRICT "Content-Length: 8\r\n\r\nhttp://a").status, 200);
    assert_int_equal(p.state, PNP_ASKING);
    assert_slice(pnp_url(&p), "http://a");
    /* What is no URL does not take the place of one. */
    assert_int_equal(receive(&p, *state, STRICT "Content-Length: 8\r\n\r\nsips://b").status, 200);
    assert_int_equal(p.heard, 1);
    assert_int_equal(receive(&p, *state, STRICT "Content-Length: 8\r\n\r\ntftp://c").status, 200);
    assert_int_equal(p.heard, 2);
    assert_slice(pnp_url(&p), "tftp://c");
    assert_false(pnp_timeout(&p, 6000));
    assert_int_equal(p.state, PNP_FOUND);
}

static void a_notify_brings_the_url_and_is_answered(void **state)
{
    struct pnp p;
    start(&p, 0);
    assert_int_equal(receive(&p, *state, "SIP/2.0 200 OK\r\n" ID "CSeq: 1 SUBSCRIBE\r\n\r\n").status, 0);
    assert_int_equal(p.state, PNP_ASKING);
    struct sip_message answer = receive(&p, *state, STRICT "Content-Length: 23\r\n\r\nhttps://10.2.1.199/$PN/");
    assert_int_equal(answer.status, 200);
    assert_slice(answer.field[SIP_FIELD_VIA], "SIP/2.0/UDP 10.2.1.199:5062;branch=z9hG4bK5");
    assert_slice(answer.field[SIP_FIELD_CSEQ], "2 NOTIFY");
    assert_int_equal(p.state, PNP_FOUND);
    assert_slice(pnp_url(&p), "https://10.2.1.199/$PN/");
    assert_true(address_eq(&p.from, &server));
    assert_int_equal(pnp_due_ms(&p), UINT64_MAX);
}

static void the_first_answer_wins(void **state)
{
    struct pnp p;
    start(&p, 0);
    receive(&p, *state, STRICT "\r\nhttp://10.0.0.1/");
    assert_int_equal(receive(&p, *state, STRICT "\r\nhttp://10.0.0.2/").status, 200);
    assert_slice(pnp_url(&p), "http://10.0.0.1/");
}

/* facts.md 0.10 and 2: the servers that are in use. */
static void poor_notifies_are_understood(void **state)
{
    static const char *const poor[] = {
        /* Via, From and To as they came, CSeq 3, no Content-Type, a line end behind the URL */
        "NOTIFY sip:10.2.20.73:5059 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.20.73:5059;branch=z9hG4bK1681692777\r\n"
        "From: <sip:MAC00156574b16e@224.0.1.75>;tag=1681692777\r\nTo: <sip:MAC00156574b16e@224.0.1.75>\r\n" ID
        "CSeq: 3 NOTIFY\r\n\r\nhttp://10.2.1.199/\r\n",
        /* an event with parameters, no tags, no branch, compact names */
        "NOTIFY sip:MAC00156574b16e@10.2.20.73:5059 SIP/2.0\r\nv: SIP/2.0/UDP 10.2.1.199\r\nf: <sip:x@10.2.1.199>\r\n"
        "t: <sip:MAC00156574b16e@224.0.1.75>\r\ni: 1681692777@10.2.20.73\r\nCSeq: 1 NOTIFY\r\n"
        "o: ua-profile;effective-by=0\r\nc: application/url\r\nl: 18\r\n\r\nhttp://10.2.1.199/ and more",
        /* no length, blanks around the URL */
        STRICT "\r\n  http://10.2.1.199/  ",
    };
    for (size_t i = 0; i < sizeof poor / sizeof *poor; i++) {
        struct pnp p;
        start(&p, 0);
        assert_int_equal(receive(&p, *state, poor[i]).status, 200);
        assert_int_equal(p.state, PNP_FOUND);
        assert_slice(pnp_url(&p), "http://10.2.1.199/");
    }
}

static void urls_of_every_known_kind_are_taken(void **state)
{
    static const char *const urls[] = { "http://h/cfg.php?mac={mac}", "tftp://10.2.1.199/", "https://h/$PN/$MAC.boot",
                                        "ftp://user:pass@h/dir", "HTTP://h" };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct slice text;
        struct pnp p;
        start(&p, 0);
        assert_true(arena_format(*state, &text, STRICT "Content-Length: %zu\r\n\r\n%s", strlen(urls[i]), urls[i]));
        receive(&p, *state, text.ptr);
        assert_slice(pnp_url(&p), urls[i]);
    }
}

/* R18: only what belongs to an own SUBSCRIBE. */
static void r18_a_notify_of_nobody_s_asking_is_not_taken(void **state)
{
    static const char *const others[] = {
        "NOTIFY sip:MAC00156574b16e@10.2.20.73:5059 SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\n"
        "Call-ID: 1681692778@10.2.20.73\r\nCSeq: 2 NOTIFY\r\nEvent: ua-profile\r\n\r\nhttp://evil/",
        "NOTIFY sip:a@h SIP/2.0\r\n\r\nhttp://evil/",
        "SIP/2.0 200 OK\r\n" ID "CSeq: 1 SUBSCRIBE\r\n\r\nhttp://evil/",
        "MESSAGE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\n" ID
        "CSeq: 2 MESSAGE\r\n\r\nhttp://evil/",
        "http://evil/",
        "",
    };
    struct pnp p;
    start(&p, 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(receive(&p, *state, others[i]).status, 0);
    assert_int_equal(p.state, PNP_ASKING);
}

static void what_is_no_url_is_answered_and_asking_goes_on(void **state)
{
    static const char *const bodies[] = { "", "10.2.1.199", "file:///etc/passwd", "gopher://h/", "http://h/\nx", "javascript:x" };
    struct pnp p;
    start(&p, 0);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct slice text;
        assert_true(arena_format(*state, &text, STRICT "Content-Length: %zu\r\n\r\n%s", strlen(bodies[i]), bodies[i]));
        assert_int_equal(receive(&p, *state, text.ptr).status, 200);
    }
    receive(&p, *state, STRICT "Content-Length: 40\r\n\r\nhttp://half/of/i");
    assert_int_equal(p.state, PNP_ASKING);
    assert_false(pnp_timeout(&p, 1000 + PNP_TIMEOUT_MS));
    assert_int_equal(p.state, PNP_NOTHING);
    assert_string_equal(p.why, "a NOTIFY came without a URL that can be fetched");
}

static void silence_ends_after_the_time_out(void **state)
{
    (void)state;
    struct pnp p;
    unsigned sent = 0;
    uint64_t due, last = 0;
    start(&p, 0);
    while ((due = pnp_due_ms(&p)) != UINT64_MAX) {
        sent += pnp_timeout(&p, due);
        last = due;
    }
    assert_int_equal(sent, 3);
    assert_int_equal(last, 1000 + PNP_TIMEOUT_MS);
    assert_int_equal(p.state, PNP_NOTHING);
    assert_string_equal(p.why, "nobody answered");
    start(&p, 100);
    assert_int_equal(pnp_due_ms(&p), 1100);
}

static void after_a_yes_nothing_is_sent_again_and_after_a_no_it_is(void **state)
{
    struct pnp p;
    start(&p, 0);
    receive(&p, *state, "SIP/2.0 489 Bad Event\r\n" ID "\r\n");
    assert_int_equal(pnp_due_ms(&p), 1500);
    receive(&p, *state, "SIP/2.0 200 OK\r\n" ID "\r\n");
    assert_int_equal(pnp_due_ms(&p), 1000 + PNP_TIMEOUT_MS);
    assert_false(pnp_timeout(&p, 1000 + PNP_TIMEOUT_MS));
    assert_string_equal(p.why, "an answer came, but no NOTIFY with a URL");
}

static void the_vendor_is_a_setting(void **state)
{
    (void)state;
    struct pnp p;
    struct pnp_identity who = { &w52p, SLICE("OEM"), &local, 1, 0, false };
    assert_true(pnp_start(&p, &who, 0));
    assert_true(slice_find_text(pnp_subscribe(&p), SLICE("vendor=\"OEM\"")) < p.subscribe_len);
    who.vendor = SLICE("a\"\r\nX: y");
    assert_false(pnp_start(&p, &who, 0));
    who.vendor = SLICE("a\r\nX: y");
    assert_false(pnp_start(&p, &who, 0));
}

#define pnp_test(f) cmocka_unit_test_setup_teardown(f, both, arena_state_teardown)

static int both(void **state)
{
    return setup(state) || arena_state_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pnp_test(the_subscribe_is_what_a_w52p_sends),
        pnp_test(who_collects_hears_every_server_to_the_end),
        pnp_test(a_notify_brings_the_url_and_is_answered),
        pnp_test(the_first_answer_wins),
        pnp_test(poor_notifies_are_understood),
        pnp_test(urls_of_every_known_kind_are_taken),
        pnp_test(r18_a_notify_of_nobody_s_asking_is_not_taken),
        pnp_test(what_is_no_url_is_answered_and_asking_goes_on),
        pnp_test(silence_ends_after_the_time_out),
        pnp_test(after_a_yes_nothing_is_sent_again_and_after_a_no_it_is),
        pnp_test(the_vendor_is_a_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
