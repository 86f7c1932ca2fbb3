#include "tests/unit/test.h"

#include "proto/sip.h"
#include "server/pnp_machine.h"
#include "server/pnp_text.h"

#include <stdio.h>

/* What the machine sent and noted. */
struct sent {
    union address to;
    struct datagram_local from;
    size_t len;
    uint64_t at_ms;
    char bytes[PNP_TEXT_BYTES_MAX];
};

static struct bench {
    struct pnp_world world; /* first */
    struct pnp_machine *machine;
    struct arena arena;
    struct config config;
    struct diag findings;
    uint64_t now_ms;
    struct sent sent[256];
    size_t count, bytes;
    struct journal_event events[64];
    size_t event_count;
} b;

static void on_send(struct pnp_world *w, const union address *to, const struct datagram_local *from,
                    struct slice bytes)
{
    (void)w;
    b.bytes += bytes.len;
    if (b.count == sizeof b.sent / sizeof *b.sent)
        return;
    struct sent *s = &b.sent[b.count++];
    s->to = *to;
    s->from = *from;
    s->at_ms = b.now_ms;
    s->len = bytes.len;
    memcpy(s->bytes, bytes.ptr, bytes.len);
}

static void on_note(struct pnp_world *w, struct journal_event *e)
{
    (void)w;
    if (b.event_count < sizeof b.events / sizeof *b.events)
        b.events[b.event_count++] = *e;
}

static void set(const char *key, const char *value)
{
    assert_true(config_set(&b.config, slice_str(key), slice_str(value), (struct place){ 0 }, &b.findings));
}

static void open_machine(void)
{
    struct pnp_options o = { &b.config, &b.world, 1, 2, 5060 };
    pnp_machine_close(b.machine);
    assert_int_equal(pnp_machine_open(&o, b.now_ms, &b.machine), 0);
}

static int setup(void **state)
{
    (void)state;
    memset(&b, 0, sizeof b);
    b.world = (struct pnp_world){ on_send, on_note };
    b.now_ms = 100000;
    arena_init(&b.arena, (size_t)1 << 20);
    diag_init(&b.findings, &b.arena);
    config_init(&b.config, &b.arena);
    set("pnp.url", "https://10.2.1.199/");
    open_machine();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pnp_machine_close(b.machine);
    arena_free(&b.arena);
    return 0;
}

static union address address(const char *host, uint16_t port)
{
    union address a;
    assert_true(address_parse(slice_str(host), port, &a));
    return a;
}

static void receive_as(union address from, struct slice bytes, bool to_group)
{
    struct datagram_in in = { .from = from, .bytes = bytes, .to_group = to_group };
    in.to = (struct datagram_local){ AF_INET, { .v4 = address("10.2.1.199", 0).v4.sin_addr } };
    pnp_machine_receive(b.machine, &in, b.now_ms, 1795331144000 + (int64_t)b.now_ms);
}

/* `id`: makes Call-ID, branch and tags. */
static struct slice subscribe(unsigned id, const char *more)
{
    static char bytes[4096];
    struct buf out = BUF_ON(bytes);
    buf_format(&out,
               "SUBSCRIBE sip:MAC00156574b16e@224.0.1.75 SIP/2.0\r\n"
               "Via: SIP/2.0/UDP 10.2.20.73:5059;branch=z9hG4bK%u\r\n"
               "From: <sip:MAC00156574b16e@224.0.1.75>;tag=%u\r\nTo: <sip:MAC00156574b16e@224.0.1.75>\r\n"
               "Call-ID: %u@10.2.20.73\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:MAC00156574b16e@10.2.20.73:5059>\r\n"
               "Max-Forwards: 70\r\nUser-Agent: Yealink W52P 25.81.0.10\r\nExpires: 0\r\n"
               "Event: ua-profile;profile-type=\"device\";vendor=\"yealink\";model=\"W52P\";version=\"25.81.0.10\"\r\n"
               "Accept: application/url\r\n%sContent-Length: 0\r\n\r\n",
               id, id, id, more);
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}

static void receive(struct slice bytes)
{
    receive_as(address("10.2.20.73", 5059), bytes, true);
}

static struct slice bytes_of(size_t index)
{
    assert_true(index < b.count);
    return slice_of(b.sent[index].bytes, b.sent[index].len);
}

static struct sip_message read_sent(size_t index)
{
    struct sip_message m;
    const char *reason;
    assert_true(sip_read(bytes_of(index), &b.arena, &m, &reason));
    return m;
}

static void answer_notify(unsigned status, const char *call_id)
{
    char bytes[512];
    struct buf out = BUF_ON(bytes);
    buf_format(&out, "SIP/2.0 %u X\r\nCall-ID: %s\r\nCSeq: 2 NOTIFY\r\n\r\n", status, call_id);
    receive(buf_slice(&out));
}

static void pass(uint64_t ms)
{
    uint64_t end_ms = b.now_ms + ms, due_ms;
    while (pnp_machine_due(b.machine, &due_ms) && due_ms <= end_ms) {
        b.now_ms = due_ms > b.now_ms ? due_ms : b.now_ms;
        pnp_machine_advance(b.machine, b.now_ms);
    }
    b.now_ms = end_ms;
}

static void a_subscribe_gets_an_answer_and_a_notify_in_its_dialog(void **state)
{
    (void)state;
    receive(subscribe(7, ""));
    assert_int_equal(b.count, 2);
    struct sip_message answer = read_sent(0), notify = read_sent(1);
    assert_int_equal(answer.status, 200);
    assert_slice(answer.field[SIP_FIELD_VIA], "SIP/2.0/UDP 10.2.20.73:5059;branch=z9hG4bK7");
    assert_slice(answer.field[SIP_FIELD_CALL_ID], "7@10.2.20.73");
    assert_slice(answer.field[SIP_FIELD_CSEQ], "1 SUBSCRIBE");
    assert_slice(answer.field[SIP_FIELD_EXPIRES], "0");
    assert_slice(answer.contact.text, "sip:10.2.1.199:5060");
    assert_true(answer.to.tag.len > 0);
    assert_int_equal(notify.method, SIP_METHOD_NOTIFY);
    assert_slice(notify.target.text, "sip:MAC00156574b16e@10.2.20.73:5059");
    assert_slice(notify.field[SIP_FIELD_TO], "<sip:MAC00156574b16e@224.0.1.75>;tag=7");
    assert_slice(notify.from.uri.text, "sip:MAC00156574b16e@224.0.1.75");
    assert_true(slice_eq(notify.from.tag, answer.to.tag));
    assert_slice(notify.field[SIP_FIELD_CALL_ID], "7@10.2.20.73");
    assert_slice(notify.field[SIP_FIELD_CSEQ], "2 NOTIFY");
    assert_slice(notify.field[SIP_FIELD_EVENT], "ua-profile");
    assert_slice(notify.field[SIP_FIELD_SUBSCRIPTION_STATE], "terminated;reason=noresource");
    assert_slice(notify.field[SIP_FIELD_CONTENT_TYPE], "application/url");
    assert_slice(notify.field[SIP_FIELD_CONTENT_LENGTH], "19");
    assert_slice(notify.body, "https://10.2.1.199/");
    assert_int_equal(b.event_count, 0);
    b.now_ms += 30;
    answer_notify(200, "7@10.2.20.73");
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0].outcome, OUTCOME_SENT);
    assert_int_equal(b.events[0].code, 200);
    assert_int_equal(b.events[0].duration_ms, 30);
    assert_slice(slice_of(b.events[0].name, b.events[0].name_len), "https://10.2.1.199/");
    assert_true(b.events[0].has_mac && b.events[0].mac.bytes[5] == 0x6e);
    pass(60000);
    assert_int_equal(b.count, 2);
    assert_int_equal(pnp_machine_exchanges(b.machine), 0);
    assert_int_equal(pnp_machine_bytes(b.machine), 0);
}

/* facts.md 2: the shapes that deployed phones send. */
static void every_known_shape_is_answered(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        /* snom's user, a port of its own, no user in Contact */
        "SUBSCRIBE sip:MAC%3a00156574b16e@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.20.73:1024;rport;branch=z9hG4bK-x\r\n"
        "From: <sip:MAC%3a00156574b16e@224.0.1.75>;tag=a\r\nTo: <sip:MAC%3a00156574b16e@224.0.1.75>\r\nCall-ID: 1\r\n"
        "CSeq: 1 SUBSCRIBE\r\nContact: <sip:10.2.20.73:1024>\r\nEvent: ua-profile;vendor=\"Yealink\";model=\"T53W\"\r\n\r\n",
        /* compact names, vendor OEM, upper-case hex */
        "SUBSCRIBE sip:MAC00156574B16E@224.0.1.75 SIP/2.0\r\nv: SIP/2.0/UDP 10.2.20.73:5060;branch=z9hG4bKx\r\n"
        "f: <sip:MAC00156574B16E@224.0.1.75>;tag=a\r\nt: <sip:MAC00156574B16E@224.0.1.75>\r\ni: 2\r\nCSeq: 9 SUBSCRIBE\r\n"
        "m: <sip:MAC00156574B16E@10.2.20.73:5060>\r\no: ua-profile;vendor=\"OEM\"\r\nl: 0\r\n\r\n",
        /* no branch, no tag, no Contact, no empty line */
        "SUBSCRIBE sip:MAC00156574b16e@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.20.73\r\n"
        "From: <sip:MAC00156574b16e@224.0.1.75>\r\nTo: <sip:MAC00156574b16e@224.0.1.75>\r\nCall-ID: 3\r\n"
        "CSeq: 1 SUBSCRIBE\r\nEvent: ua-profile\r\n",
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        b.count = 0;
        receive_as(address("10.2.20.73", (uint16_t)(2000 + i)), slice_str(shapes[i]), true);
        assert_int_equal(b.count, 2);
        assert_slice(read_sent(1).body, "https://10.2.1.199/");
    }
    assert_slice(read_sent(1).target.text, "sip:10.2.20.73:2002");
}

/* R17: RFC 3261 17.1.2.2, seven times and no more. */
static void r17_a_notify_is_sent_at_most_seven_times(void **state)
{
    (void)state;
    static const unsigned at_ms[] = { 0, 500, 1500, 3500, 7500, 11500, 15500 };
    uint64_t start_ms = b.now_ms;
    receive(subscribe(1, ""));
    pass(100000);
    assert_int_equal(b.count, 1 + PNP_TRIES);
    for (size_t i = 0; i < PNP_TRIES; i++) {
        assert_in_range(b.sent[1 + i].at_ms - start_ms, at_ms[i], at_ms[i] + 8 * WHEEL_TICK_MS);
        assert_true(slice_eq(bytes_of(1 + i), bytes_of(1)));
    }
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0].outcome, OUTCOME_STOPPED);
    assert_string_equal(b.events[0].reason, "not acknowledged");
}

static void r17_everything_goes_to_the_packets_source(void **state)
{
    (void)state;
    receive_as(address("192.0.2.66", 1234), subscribe(1, ""), true);
    pass(100000);
    assert_int_equal(b.count, 1 + PNP_TRIES);
    for (size_t i = 0; i < b.count; i++) {
        union address to = address("192.0.2.66", 1234), own = address("10.2.1.199", 0);
        assert_true(address_eq(&b.sent[i].to, &to));
        assert_int_equal(b.sent[i].from.v4.s_addr, own.v4.sin_addr.s_addr);
    }
    assert_slice(read_sent(0).via.received, "192.0.2.66");
}

static void r17_any_answer_or_icmp_ends_it(void **state)
{
    (void)state;
    union address peer = address("10.2.20.73", 5059);
    receive(subscribe(1, ""));
    answer_notify(481, "1@10.2.20.73");
    pass(40000);
    assert_int_equal(b.count, 2);
    assert_int_equal(b.events[0].code, 481);
    receive(subscribe(2, ""));
    pnp_machine_undelivered(b.machine, &peer, b.now_ms);
    pass(40000);
    assert_int_equal(b.count, 4);
    assert_string_equal(b.events[1].reason, "nobody takes it there (ICMP)");
    pnp_machine_undelivered(b.machine, &peer, b.now_ms);
    assert_int_equal(b.event_count, 2);
}

static void an_answer_of_another_dialog_or_source_does_not_count(void **state)
{
    (void)state;
    receive(subscribe(1, ""));
    answer_notify(200, "2@10.2.20.73");
    receive_as(address("10.2.20.74", 5059), SLICE("SIP/2.0 200 OK\r\nCall-ID: 1@10.2.20.73\r\n\r\n"), true);
    assert_int_equal(pnp_machine_outstanding(b.machine), 1);
    answer_notify(100, "1@10.2.20.73");
    assert_int_equal(pnp_machine_outstanding(b.machine), 1);
    answer_notify(200, "1@10.2.20.73");
    assert_int_equal(pnp_machine_outstanding(b.machine), 0);
}

static void r17_the_same_subscribe_again_gets_the_same_200_and_no_second_notify(void **state)
{
    (void)state;
    receive(subscribe(1, ""));
    receive(subscribe(1, ""));
    assert_int_equal(b.count, 3);
    assert_true(slice_eq(bytes_of(0), bytes_of(2)));
    answer_notify(200, "1@10.2.20.73");
    pass(20000);
    receive(subscribe(1, ""));
    assert_int_equal(b.count, 4);
    assert_true(slice_eq(bytes_of(0), bytes_of(3)));
    assert_int_equal(b.event_count, 1);
}

static void r17_a_source_has_one_exchange(void **state)
{
    (void)state;
    receive(subscribe(1, ""));
    receive(subscribe(2, ""));
    assert_int_equal(pnp_machine_exchanges(b.machine), 1);
    assert_string_equal(b.events[0].reason, "the phone asked anew");
    pass(100000);
    assert_int_equal(b.count, 4 + PNP_TRIES - 1);
    for (size_t i = 3; i < b.count; i++)
        assert_slice(read_sent(i).field[SIP_FIELD_CALL_ID], "2@10.2.20.73");
}

/* Whatever the request looks like, and however often it comes. */
static void r17_few_bytes_leave_for_each_that_came(void **state)
{
    (void)state;
    static const char small[] = "SUBSCRIBE sip:a SIP/2.0\r\nv:SIP/2.0/UDP h\r\nf:sip:MAC001565000000@h\r\nt:sip:a@h\r\n"
                                "i:1\r\nCSeq:1 SUBSCRIBE\r\no:ua-profile\r\n";
    char url[512];
    memset(url, 'a', sizeof url);
    memcpy(url, "https://h/", 10);
    url[511] = '\0';
    set("pnp.url", url);
    set("pnp.rate", "1000000");
    for (unsigned again = 1; again < 40; again += 9) {
        struct slice texts[] = { subscribe(again, ""), slice_str(small) };
        for (size_t t = 0; t < 2; t++) {
            b.bytes = 0;
            for (unsigned i = 0; i < again; i++)
                receive_as(address("192.0.2.66", (uint16_t)(again + 100 * t)), texts[t], true);
            pass(100000);
            assert_in_range(b.bytes, 1, PNP_RATIO_MAX * again * texts[t].len);
        }
    }
}

static void an_address_has_a_rate_whatever_its_ports(void **state)
{
    (void)state;
    set("pnp.rate", "5");
    for (uint16_t port = 1; port <= 100; port++)
        receive_as(address("192.0.2.66", port), subscribe(port, ""), true);
    assert_int_equal(b.count, 2 * 20);
    assert_int_equal(b.event_count, PNP_NOTES_A_SECOND);
    assert_string_equal(b.events[0].reason, "too many requests from this address");
    receive(subscribe(1, ""));
    assert_int_equal(b.count, 2 * 21);
    b.now_ms += 1000;
    for (uint16_t port = 1; port <= 100; port++)
        receive_as(address("192.0.2.66", port), subscribe(1000u + port, ""), true);
    assert_int_equal(b.count, 2 * 26);
}

static void all_addresses_have_a_rate_together(void **state)
{
    (void)state;
    char host[32];
    set("pnp.total_rate", "10");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(host, sizeof host, "192.0.2.%u", i + 1);
        receive_as(address(host, 5059), subscribe(i, ""), true);
    }
    assert_int_equal(b.count, 2 * 20);
    assert_string_equal(b.events[0].reason, "too many requests in all");
}

static void the_memory_of_exchanges_is_bounded(void **state)
{
    (void)state;
    set("pnp.exchanges", "4");
    set("pnp.rate", "1000");
    open_machine();
    for (uint16_t i = 1; i <= 6; i++)
        receive_as(address("192.0.2.66", i), subscribe(i, ""), true);
    assert_int_equal(pnp_machine_exchanges(b.machine), 4);
    assert_int_equal(b.count, 8);
    assert_string_equal(b.events[0].reason, "too many exchanges under way");
    /* One that is done makes room. */
    receive_as(address("192.0.2.66", 2), SLICE("SIP/2.0 200 OK\r\nCall-ID: 2@10.2.20.73\r\n\r\n"), true);
    receive_as(address("192.0.2.66", 9), subscribe(9, ""), true);
    assert_int_equal(pnp_machine_exchanges(b.machine), 4);
    assert_int_equal(b.count, 10);
    assert_in_range(pnp_machine_bytes(b.machine), 1, 4 * 1600);
}

static void an_exchange_is_never_larger_than_stated(void **state)
{
    (void)state;
    char more[1200], url[512];
    memset(url, 'a', sizeof url);
    memcpy(url, "https://h/", 10);
    url[511] = '\0';
    set("pnp.url", url);
    for (size_t fill = 0; fill < 900; fill += 50) {
        snprintf(more, sizeof more, "Via: SIP/2.0/UDP h;x=%0*u\r\n", (int)fill, 1);
        struct slice text = subscribe((unsigned)fill, more);
        size_t before = b.count;
        receive_as(address("192.0.2.66", (uint16_t)(fill + 1)), text, true);
        assert_true(text.len > PNP_SUBSCRIBE_BYTES_MAX ? b.count == before : b.count == before + 2);
        assert_in_range(pnp_machine_bytes(b.machine), 0, 6 * 1024 * pnp_machine_exchanges(b.machine));
        b.now_ms += 1000;
    }
}

static void what_is_not_for_us_gets_no_answer(void **state)
{
    (void)state;
    static const char rest[] = "Via: SIP/2.0/UDP h\r\nFrom: <sip:a@h>\r\nTo: <sip:a@h>\r\nCall-ID: 1\r\n";
    static const char *const others[] = {
        "OPTIONS sip:a@h SIP/2.0\r\n%sCSeq: 1 OPTIONS\r\n\r\n",
        "NOTIFY sip:a@h SIP/2.0\r\n%sCSeq: 1 NOTIFY\r\nEvent: ua-profile\r\n\r\n",
        "SUBSCRIBE sip:a@h SIP/2.0\r\n%sCSeq: 1 SUBSCRIBE\r\nEvent: message-summary\r\n\r\n",
        "SUBSCRIBE sip:a@h SIP/2.0\r\n%sCSeq: 1 SUBSCRIBE\r\n\r\n",
        "SUBSCRIBE sip:a@h SIP/2.0\r\n%sCSeq: 1 SUBSCRIBE\r\nEvent: ua-profile\r\nContent-Length: 9\r\n\r\n",
        "SIP/2.0 200 OK\r\n%sCSeq: 1 SUBSCRIBE\r\n\r\n",
        "%s",
        "\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct slice text;
        char bytes[512];
        struct buf out = BUF_ON(bytes);
        struct slice head = slice_first(slice_str(others[i]), slice_find(slice_str(others[i]), '%'));
        buf_text(&out, head);
        if (head.len < strlen(others[i])) {
            buf_str(&out, rest);
            buf_str(&out, others[i] + head.len + 2);
        }
        text = buf_slice(&out);
        receive_as(address("192.0.2.66", (uint16_t)(i + 1)), text, true);
    }
    receive_as(address("192.0.2.67", 0), subscribe(1, ""), true);
    receive_as(address("224.0.0.1", 5059), subscribe(1, ""), true);
    receive_as(address("255.255.255.255", 5059), subscribe(1, ""), true);
    receive_as(address("0.0.0.0", 5059), subscribe(1, ""), true);
    receive_as(address("10.2.20.73", 5059), subscribe(1, ""), false);
    assert_int_equal(b.count, 0);
    set("pnp.unicast", "1");
    receive_as(address("10.2.20.73", 5059), subscribe(1, ""), false);
    assert_int_equal(b.count, 2);
}

static void other_brands_are_noted_and_get_nothing(void **state)
{
    (void)state;
    receive(SLICE("SUBSCRIBE sip:MAC%3a0004132590fe@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.20.73:5060\r\n"
                  "From: <sip:MAC%3a0004132590fe@224.0.1.75>;tag=a\r\nTo: <sip:MAC%3a0004132590fe@224.0.1.75>\r\n"
                  "Call-ID: 1\r\nCSeq: 1 SUBSCRIBE\r\nEvent: ua-profile;vendor=\"snom\";model=\"snom320\"\r\n\r\n"));
    assert_int_equal(b.count, 0);
    assert_int_equal(b.events[0].outcome, OUTCOME_ABSENT);
    assert_string_equal(b.events[0].reason, "another brand, and no rule is for it");
    assert_true(b.events[0].has_mac);
}

/* security.md R27. */
static void a_password_in_the_url_is_not_in_the_journal(void **state)
{
    (void)state;
    set("pnp.url", "https://user:secret@10.2.1.199/");
    receive(subscribe(1, ""));
    assert_slice(read_sent(1).body, "https://user:secret@10.2.1.199/");
    answer_notify(200, "1@10.2.20.73");
    assert_slice(slice_of(b.events[0].name, b.events[0].name_len), "https://10.2.1.199/");
}

static void closing_notes_what_was_under_way(void **state)
{
    (void)state;
    receive(subscribe(1, ""));
    pnp_machine_close(b.machine);
    b.machine = NULL;
    assert_int_equal(b.event_count, 1);
    assert_string_equal(b.events[0].reason, "server stopped");
}

#define machine_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(a_subscribe_gets_an_answer_and_a_notify_in_its_dialog),
        machine_test(every_known_shape_is_answered),
        machine_test(r17_a_notify_is_sent_at_most_seven_times),
        machine_test(r17_everything_goes_to_the_packets_source),
        machine_test(r17_any_answer_or_icmp_ends_it),
        machine_test(an_answer_of_another_dialog_or_source_does_not_count),
        machine_test(r17_the_same_subscribe_again_gets_the_same_200_and_no_second_notify),
        machine_test(r17_a_source_has_one_exchange),
        machine_test(r17_few_bytes_leave_for_each_that_came),
        machine_test(an_address_has_a_rate_whatever_its_ports),
        machine_test(all_addresses_have_a_rate_together),
        machine_test(the_memory_of_exchanges_is_bounded),
        machine_test(an_exchange_is_never_larger_than_stated),
        machine_test(what_is_not_for_us_gets_no_answer),
        machine_test(other_brands_are_noted_and_get_nothing),
        machine_test(a_password_in_the_url_is_not_in_the_journal),
        machine_test(closing_notes_what_was_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
