#include "tests/unit/test.h"

#include "proto/sip.h"

/* What a Yealink W52P sends (facts.md 2). */
#define W52P                                                                                                   \
    "SUBSCRIBE sip:MAC00156574b16e@224.0.1.75 SIP/2.0\r\n"                                                     \
    "Via: SIP/2.0/UDP 10.2.20.73:5059;branch=z9hG4bK1681692777\r\n"                                            \
    "From: <sip:MAC00156574b16e@224.0.1.75>;tag=1681692777\r\n"                                                \
    "To: <sip:MAC00156574b16e@224.0.1.75>\r\n"                                                                 \
    "Call-ID: 1681692777@10.2.20.73\r\n"                                                                       \
    "CSeq: 1 SUBSCRIBE\r\n"                                                                                    \
    "Contact: <sip:MAC00156574b16e@10.2.20.73:5059>\r\n"                                                       \
    "Max-Forwards: 70\r\n"                                                                                     \
    "User-Agent: Yealink W52P 25.81.0.10\r\n"                                                                  \
    "Expires: 0\r\n"                                                                                           \
    "Event: ua-profile;profile-type=\"device\";vendor=\"yealink\";model=\"W52P\";version=\"25.81.0.10\"\r\n"   \
    "Accept: application/url\r\n"                                                                              \
    "Content-Length: 0\r\n\r\n"

static struct sip_message read_at(struct arena *a, const char *text, int line)
{
    struct sip_message m = { 0 };
    const char *reason = NULL;
    if (!sip_read(slice_str(text), a, &m, &reason)) {
        print_error("refused: %s\n", reason);
        _fail(__FILE__, line);
    }
    return m;
}
#define READ(text) read_at(*state, (text), __LINE__)

static const char *refusal(struct arena *a, const char *text)
{
    struct sip_message m;
    const char *reason = NULL;
    return sip_read(slice_str(text), a, &m, &reason) ? NULL : reason;
}

static void what_a_w52p_sends_is_read_whole(void **state)
{
    struct sip_message m = READ(W52P);
    struct slice value;
    assert_int_equal(m.status, 0);
    assert_int_equal(m.method, SIP_METHOD_SUBSCRIBE);
    assert_slice(m.target.text, "sip:MAC00156574b16e@224.0.1.75");
    assert_slice(m.target.user, "MAC00156574b16e");
    assert_slice(m.target.host, "224.0.1.75");
    assert_int_equal(m.target.port, 0);
    assert_slice(m.via.transport, "UDP");
    assert_slice(m.via.host, "10.2.20.73");
    assert_int_equal(m.via.port, 5059);
    assert_slice(m.via.branch, "z9hG4bK1681692777");
    assert_false(m.via.has_rport);
    assert_slice(m.from.tag, "1681692777");
    assert_null(m.to.tag.ptr);
    assert_slice(m.to.uri.text, "sip:MAC00156574b16e@224.0.1.75");
    assert_slice(m.contact.text, "sip:MAC00156574b16e@10.2.20.73:5059");
    assert_int_equal(m.contact.port, 5059);
    assert_int_equal(m.cseq, 1);
    assert_slice(m.field[SIP_FIELD_CALL_ID], "1681692777@10.2.20.73");
    assert_slice(m.field[SIP_FIELD_EXPIRES], "0");
    assert_slice(m.field[SIP_FIELD_USER_AGENT], "Yealink W52P 25.81.0.10");
    assert_slice(sip_value(m.field[SIP_FIELD_EVENT]), "ua-profile");
    assert_true(sip_param(m.field[SIP_FIELD_EVENT], SLICE("model"), &value));
    assert_slice(value, "W52P");
    assert_false(sip_param(m.field[SIP_FIELD_EVENT], SLICE("pro"), &value));
    assert_int_equal(m.line_count, 12);
    assert_int_equal(m.body.len, 0);
    assert_false(m.cut);
}

static void the_message_borrows_nothing_from_the_bytes(void **state)
{
    char bytes[] = W52P;
    struct sip_message m;
    const char *reason;
    assert_true(sip_read(slice_of(bytes, sizeof bytes - 1), *state, &m, &reason));
    memset(bytes, 'x', sizeof bytes);
    assert_slice(m.contact.text, "sip:MAC00156574b16e@10.2.20.73:5059");
    assert_slice(m.field[SIP_FIELD_TO], "<sip:MAC00156574b16e@224.0.1.75>");
}

static void the_mac_of_a_user_is_found_however_it_is_written(void **state)
{
    struct sip_message m = READ("SUBSCRIBE sip:MAC%3a0004132590fe@224.0.1.75 SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 10.0.0.2:1024;branch=z9hG4bK-1;rport\r\n"
                                "From: <sip:MAC%3A0004132590FE@224.0.1.75>;tag=a\r\n"
                                "To: <sip:MAC%3a0004132590fe@224.0.1.75>\r\n"
                                "Call-ID: x\r\nCSeq: 1 SUBSCRIBE\r\n"
                                "Contact: <sip:10.0.0.2:1024;transport=udp>;reg-id=1\r\n\r\n");
    assert_slice(m.target.text, "sip:MAC%3a0004132590fe@224.0.1.75");
    assert_slice(sip_mac_user(m.target.user), "0004132590fe");
    assert_slice(sip_mac_user(m.from.uri.user), "0004132590FE");
    assert_slice(sip_mac_user(SLICE("MAC%3A0004132590FE")), "0004132590FE");
    assert_slice(sip_mac_user(SLICE("mac001565112233")), "001565112233");
    assert_slice(sip_mac_user(SLICE("1001")), "");
    assert_slice(m.contact.text, "sip:10.0.0.2:1024;transport=udp");
    assert_slice(m.contact.user, "");
    assert_true(m.via.has_rport);
    assert_int_equal(m.via.rport, 0);
}

static void compact_names_are_the_full_ones(void **state)
{
    struct sip_message m = READ("NOTIFY sip:1001@10.0.0.9 SIP/2.0\r\n"
                                "v: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKq;rport=5062;received=10.0.0.7\r\n"
                                "f: \"A, B <c>\" <sip:server@10.0.0.1>;tag=1\r\nt: <sip:1001@10.0.0.9>\r\n"
                                "i: one@two\r\nCSeq: 10 NOTIFY\r\nm: sip:server@10.0.0.1:5062;x=y\r\n"
                                "o: check-sync;reboot=true\r\nc: text/plain\r\nl: 3\r\n\r\nabcdef");
    assert_slice(m.field[SIP_FIELD_EVENT], "check-sync;reboot=true");
    assert_slice(m.field[SIP_FIELD_CALL_ID], "one@two");
    assert_slice(m.from.uri.text, "sip:server@10.0.0.1");
    assert_slice(m.contact.text, "sip:server@10.0.0.1:5062");
    assert_int_equal(m.via.rport, 5062);
    assert_slice(m.via.received, "10.0.0.7");
    assert_slice(m.field[SIP_FIELD_CONTENT_TYPE], "text/plain");
    assert_slice(m.body, "abc");
}

/* facts.md 0.10: no empty line, From and To as they came, no To tag, CSeq + 1. */
static void poor_answers_of_deployed_servers_are_read(void **state)
{
    struct sip_message m = READ("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.2.20.73:5059\r\n"
                                "From: <sip:MAC00156574b16e@224.0.1.75>\r\nTo: <sip:MAC00156574b16e@224.0.1.75>\r\n"
                                "Call-ID: 1681692777@10.2.20.73\r\nCSeq: 2 SUBSCRIBE\r\nExpires: 0\r\n");
    assert_int_equal(m.status, 200);
    assert_slice(m.reason, "OK");
    assert_int_equal(m.method, SIP_METHOD_SUBSCRIBE);
    assert_int_equal(m.cseq, 2);
    assert_null(m.via.branch.ptr);
    m = READ("SIP/2.0 200 OK\r\nCall-ID: 1@2\r\nFrom: ???\r\nTo:\r\nVia: nonsense\r\nCSeq: many");
    assert_slice(m.field[SIP_FIELD_CALL_ID], "1@2");
    assert_slice(m.field[SIP_FIELD_FROM], "???");
    assert_int_equal(m.from.uri.text.len, 0);
    assert_int_equal(m.via.host.len, 0);
}

/* facts.md 3: MikoPBX ends in CR LF LF; scripts leave the branch, the tags and the empty line out. */
static void poor_notifies_are_read(void **state)
{
    struct sip_message m = READ("NOTIFY sip:201@10.0.0.9:5060;ob SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060\r\n"
                                "From: <sip:asterisk@10.0.0.1>\r\nTo: <sip:201@10.0.0.9>\r\nCall-ID: 1\r\n"
                                "CSeq: 1 NOTIFY\r\nSubscription-State: terminated\r\n"
                                "Event: check-sync;reboot=true\r\n\n");
    assert_slice(m.target.text, "sip:201@10.0.0.9:5060;ob");
    assert_slice(m.field[SIP_FIELD_EVENT], "check-sync;reboot=true");
    assert_null(m.from.tag.ptr);
    m = READ("\r\n\nNOTIFY sip:a@b SIP/2.0\nVia: SIP/2.0/UDP b\nFrom: sip:a@b\nTo: sip:a@b\nCall-ID: 1\n"
             "CSeq: 1 NOTIFY\nEvent:\n check-sync\n\t;reboot=false");
    assert_slice(sip_value(m.field[SIP_FIELD_EVENT]), "check-sync");
}

static void a_body_is_as_long_as_its_length_says(void **state)
{
#define HEAD "SIP/2.0 200 OK\r\nCall-ID: 1\r\n"
    assert_slice(READ(HEAD "Content-Length: 2\r\n\r\nabc").body, "ab");
    assert_slice(READ(HEAD "\r\nabc").body, "abc");
    struct sip_message m = READ(HEAD "Content-Length: 4\r\n\r\nabc");
    assert_true(m.cut);
    assert_slice(m.body, "abc");
    assert_slice(READ(HEAD "Content-Length: 1\r\nl: 1\r\n\r\nabc").body, "a");
    assert_non_null(refusal(*state, HEAD "Content-Length: 1\r\nl: 2\r\n\r\nabc"));
    assert_non_null(refusal(*state, HEAD "Content-Length: -1\r\n\r\nabc"));
    assert_non_null(refusal(*state, HEAD "Content-Length: 99999999999999999999\r\n\r\nabc"));
    assert_non_null(refusal(*state, HEAD "Content-Length:\r\n\r\nabc"));
}

#define VIA "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
#define FROM "From: <sip:a@10.0.0.1>;tag=1\r\n"
#define TO "To: <sip:b@10.0.0.2>\r\n"
#define REST "Call-ID: 1\r\nCSeq: 1 NOTIFY\r\n\r\n"
#define START "NOTIFY sip:b@10.0.0.2 SIP/2.0\r\n"

static void what_no_answer_could_be_made_to_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "\r\n\r\n", " ", "x", "SIP/2.0\r\n\r\n", "NOTIFY\r\n\r\n",
        START FROM TO REST, START VIA TO REST, START VIA FROM REST,
        START VIA FROM TO "CSeq: 1 NOTIFY\r\n\r\n",
        START VIA FROM TO "Call-ID:\r\nCSeq: 1 NOTIFY\r\n\r\n",
        START VIA FROM TO "Call-ID: 1\r\n\r\n",
        START VIA FROM TO "Call-ID: 1\r\nCSeq: 1 SUBSCRIBE\r\n\r\n",
        START VIA FROM TO "Call-ID: 1\r\nCSeq: 36893488147419103232 NOTIFY\r\n\r\n",
        START VIA FROM TO "Call-ID: 1\r\nCSeq: NOTIFY\r\n\r\n",
        START "Via: SIP/2.0/UDP 10.0.0.1:99999\r\n" FROM TO REST,
        START "Via: SIP/2.0/UDP\r\n" FROM TO REST,
        START VIA "From: <sip:a@>\r\n" TO REST,
        "NOTIFY sip:b@10.0.0.2 SIP/7.0\r\n" VIA FROM TO REST,
        "NOTIFY  SIP/2.0\r\n" VIA FROM TO REST,
        "SIP/2.0 99 No\r\nCall-ID: 1\r\n\r\n", "SIP/2.0 700 No\r\nCall-ID: 1\r\n\r\n",
        "SIP/2.0 4294967496 OK\r\nCall-ID: 1\r\n\r\n",
        START VIA "no colon here\r\n" FROM TO REST,
        START VIA ": nameless\r\n" FROM TO REST,
        START VIA "Subject: a\rb\r\n" FROM TO REST,
        START VIA "Subject: a\x1b[0m\r\n" FROM TO REST,
    };
    assert_null(refusal(*state, START VIA FROM TO REST));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!refusal(*state, bad[i]))
            fail_msg("taken: %s", bad[i]);
    struct sip_message m;
    const char *reason;
    assert_false(sip_read(slice_of("NOTIFY sip:b\0c@d SIP/2.0\r\n\r\n", 28), *state, &m, &reason));
}

static void a_message_is_bounded(void **state)
{
    static char bytes[SIP_MESSAGE_BYTES_MAX + 2];
    struct buf out = BUF_ON(bytes);
    struct sip_message m;
    const char *reason;
    buf_str(&out, START VIA FROM TO);
    for (int i = 0; i < SIP_FIELDS_MAX - 5; i++)
        buf_str(&out, "X: y\r\n");
    size_t most = out.len;
    buf_str(&out, REST);
    assert_true(sip_read(buf_slice(&out), *state, &m, &reason));
    out.len = most;
    buf_str(&out, "X: y\r\n" REST);
    assert_false(sip_read(buf_slice(&out), *state, &m, &reason));
    assert_string_equal(reason, "too many header lines");
    out.len = 0;
    buf_str(&out, START VIA FROM TO REST);
    memset(bytes + out.len, 'b', sizeof bytes - out.len);
    assert_true(sip_read(slice_of(bytes, SIP_MESSAGE_BYTES_MAX), *state, &m, &reason));
    assert_false(sip_read(slice_of(bytes, SIP_MESSAGE_BYTES_MAX + 1), *state, &m, &reason));
}

static void no_room_is_a_refusal(void **state)
{
    (void)state;
    struct sip_message m;
    const char *reason = NULL;
    for (size_t limit = 0; limit < 4096; limit += 64) {
        struct arena a;
        arena_init(&a, limit);
        if (sip_read(SLICE(W52P), &a, &m, &reason))
            assert_slice(m.contact.host, "10.2.20.73");
        else
            assert_non_null(reason);
        arena_free(&a);
    }
    struct arena a;
    arena_init(&a, SIP_READ_BYTES_MAX);
    assert_true(sip_read(SLICE(W52P), &a, &m, &reason));
    arena_free(&a);
}

/* Shapes after RFC 4475: what is odd and right is read. */
static void odd_but_right_messages_are_read(void **state)
{
    struct sip_message m = READ(
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
        "TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
        "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n"
        "MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 150\r\n"
        "cseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n"
        "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
        "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n"
        "  secondparam ; q = 0.33\r\n\r\nv=0\r\n");
    assert_int_equal(m.method, SIP_METHOD_INVITE);
    assert_int_equal(m.cseq, 9);
    assert_slice(m.from.tag, "98asjd8");
    assert_slice(m.to.tag, "1918181833n");
    assert_slice(m.via.host, "192.0.2.2");
    assert_slice(m.contact.text, "sip:jdrosen@example.com");
    assert_true(m.cut);

    m = READ("!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:"
             "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n" VIA FROM TO
             "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
             "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n\r\n");
    assert_int_equal(m.method, SIP_METHOD_OTHER);
    assert_slice(m.field[SIP_FIELD_CALL_ID], "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");

    m = READ("OPTIONS sip:user@[2001:db8::10]:5070 SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bKa\r\n"
             "From: <sip:a@[2001:db8::9]>\r\nTo: <sip:user@[2001:db8::10]>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n");
    assert_slice(m.via.host, "2001:db8::9");
    assert_int_equal(m.via.port, 5062);
    assert_slice(m.target.host, "2001:db8::10");
    assert_int_equal(m.target.port, 5070);
}

static void an_empty_reason_is_fine(void **state)
{
    assert_int_equal(READ("SIP/2.0 200 \r\nCall-ID: 1\r\n\r\n").status, 200);
    assert_int_equal(READ("SIP/2.0 200\r\nCall-ID: 1\r\n\r\n").status, 200);
}

static void a_stream_is_cut_into_messages(void **state)
{
    (void)state;
    size_t len = 99;
    static const char one[] = START VIA "l : 4\r\n\r\nabcd";
    char stream[512];
    struct buf out = BUF_ON(stream);
    buf_str(&out, one);
    buf_str(&out, "\r\n\r\n");
    for (size_t have = 1; have < sizeof one - 1; have++)
        assert_int_equal(sip_frame(slice_of(stream, have), &len), SIP_FRAME_MORE);
    assert_int_equal(sip_frame(buf_slice(&out), &len), SIP_FRAME_WHOLE);
    assert_int_equal(len, sizeof one - 1);
    assert_int_equal(sip_frame(slice_from(buf_slice(&out), len), &len), SIP_FRAME_EMPTY);
    assert_int_equal(len, 4);
    assert_int_equal(sip_frame(SLICE_NONE, &len), SIP_FRAME_MORE);
    assert_int_equal(sip_frame(SLICE("X\r\n\r\nX"), &len), SIP_FRAME_WHOLE);
    assert_int_equal(len, 5);
    assert_int_equal(sip_frame(SLICE("X\r\nContent-Length: 1\r\nl: 2\r\n\r\nX"), &len), SIP_FRAME_BAD);
    assert_int_equal(sip_frame(SLICE("X\r\nContent-Length: 4000000000\r\n\r\nX"), &len), SIP_FRAME_BAD);
}

static void a_head_without_end_is_no_reason_to_wait_for_ever(void **state)
{
    (void)state;
    static char bytes[SIP_MESSAGE_BYTES_MAX];
    size_t len;
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(sip_frame(slice_of(bytes, sizeof bytes - 1), &len), SIP_FRAME_MORE);
    assert_int_equal(sip_frame(slice_of(bytes, sizeof bytes), &len), SIP_FRAME_BAD);
}

static void an_answer_repeats_what_it_must(void **state)
{
    struct sip_message m = READ("NOTIFY sip:b@10.0.0.2 SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1 , SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK0\r\n"
                                "v: SIP/2.0/UDP 10.8.8.8\r\nf: <sip:a@10.0.0.1>;tag=1\r\nTo: <sip:b@10.0.0.2>\r\n"
                                "Call-ID: 1\r\nCSeq: 7 NOTIFY\r\n\r\n");
    char bytes[1024];
    struct buf out = BUF_ON(bytes);
    struct sip_source source = { SLICE("10.0.0.7"), 1036 };
    sip_put_answer(&out, &m, 200, SLICE("t"), &source);
    sip_put_end(&out, SLICE_NONE, SLICE_NONE);
    assert_true(buf_ok(&out));
    assert_slice(buf_slice(&out),
                 "SIP/2.0 200 OK\r\n"
                 "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=10.0.0.7;rport=1036 , SIP/2.0/UDP "
                 "10.9.9.9;branch=z9hG4bK0\r\n"
                 "Via: SIP/2.0/UDP 10.8.8.8\r\nFrom: <sip:a@10.0.0.1>;tag=1\r\nTo: <sip:b@10.0.0.2>;tag=t\r\n"
                 "Call-ID: 1\r\nCSeq: 7 NOTIFY\r\nContent-Length: 0\r\n\r\n");
}

static void an_answer_to_the_sender_itself_repeats_its_via(void **state)
{
    struct sip_message m = READ(W52P);
    char bytes[1024];
    struct buf out = BUF_ON(bytes);
    struct sip_source source = { SLICE("10.2.20.73"), 5059 };
    sip_put_answer(&out, &m, 200, SLICE("t"), &source);
    assert_true(slice_starts(buf_slice(&out),
                             SLICE("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.2.20.73:5059;branch=z9hG4bK1681692777\r\n")));
}

static void a_request_is_printed_as_a_w52p_does(void **state)
{
    struct sip_request r = { SIP_METHOD_SUBSCRIBE, SLICE("sip:MAC00156574b16e@224.0.1.75"), SLICE("10.2.20.73:5059"),
                             SLICE("z9hG4bK1681692777"), SLICE("<sip:MAC00156574b16e@224.0.1.75>;tag=1681692777"),
                             SLICE("<sip:MAC00156574b16e@224.0.1.75>"), SLICE("1681692777@10.2.20.73"), 1,
                             SLICE("<sip:MAC00156574b16e@10.2.20.73:5059>") };
    char bytes[1024], again[1024];
    struct buf out = BUF_ON(bytes), second = BUF_ON(again);
    sip_put_request(&out, &r);
    sip_put_field(&out, SIP_FIELD_USER_AGENT, SLICE("Yealink W52P 25.81.0.10"));
    sip_put_number(&out, SIP_FIELD_EXPIRES, 0);
    sip_put_field(&out, SIP_FIELD_EVENT, SLICE("ua-profile;profile-type=\"device\";vendor=\"yealink\";model=\"W52P\";"
                                               "version=\"25.81.0.10\""));
    sip_put_field(&out, SIP_FIELD_ACCEPT, SLICE("application/url"));
    sip_put_end(&out, SLICE_NONE, SLICE_NONE);
    assert_slice(buf_slice(&out), W52P);
    struct sip_message m = READ(W52P);
    sip_print(&m, &second);
    assert_slice(buf_slice(&second), W52P);
}

static void text_from_outside_begins_no_line_of_its_own(void **state)
{
    (void)state;
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    sip_put_field(&out, SIP_FIELD_EVENT, SLICE("a\r\nContact: <sip:evil@10.0.0.9>"));
    assert_false(buf_ok(&out));
}

static void parameters_are_told_from_quoted_text_and_addresses(void **state)
{
    (void)state;
    struct slice value;
    assert_true(sip_param(SLICE("\"x;tag=1\" <sip:a@b;tag=2>;x;tag = 3"), SLICE("TAG"), &value));
    assert_slice(value, "3");
    assert_true(sip_param(SLICE("a;x;y=\"1;2\\\";3\";z=4"), SLICE("y"), &value));
    assert_slice(value, "1;2\\\";3");
    assert_true(sip_param(SLICE("a;x;y"), SLICE("x"), &value));
    assert_slice(value, "");
    assert_false(sip_param(SLICE("tag=1"), SLICE("tag"), &value));
    assert_false(sip_param(SLICE("\"never ends;tag=1"), SLICE("tag"), &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(what_a_w52p_sends_is_read_whole),
        test_with_arena(the_message_borrows_nothing_from_the_bytes),
        test_with_arena(the_mac_of_a_user_is_found_however_it_is_written),
        test_with_arena(compact_names_are_the_full_ones),
        test_with_arena(poor_answers_of_deployed_servers_are_read),
        test_with_arena(poor_notifies_are_read),
        test_with_arena(a_body_is_as_long_as_its_length_says),
        test_with_arena(what_no_answer_could_be_made_to_is_refused),
        test_with_arena(a_message_is_bounded),
        test_with_arena(no_room_is_a_refusal),
        test_with_arena(odd_but_right_messages_are_read),
        test_with_arena(an_empty_reason_is_fine),
        test_with_arena(a_stream_is_cut_into_messages),
        test_with_arena(a_head_without_end_is_no_reason_to_wait_for_ever),
        test_with_arena(an_answer_repeats_what_it_must),
        test_with_arena(an_answer_to_the_sender_itself_repeats_its_via),
        test_with_arena(a_request_is_printed_as_a_w52p_does),
        test_with_arena(text_from_outside_begins_no_line_of_its_own),
        test_with_arena(parameters_are_told_from_quoted_text_and_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
