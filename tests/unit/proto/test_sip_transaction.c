#include "tests/unit/test.h"

#include "proto/sip_transaction.h"

/* Runs the timers and prints when it sends, from the first time on, and when it ends. */
static void schedule(struct sip_client *c, uint64_t start_ms, struct buf *out)
{
    uint64_t due;
    buf_format(out, "0");
    while ((due = sip_client_due_ms(c)) != UINT64_MAX)
        if (sip_client_timeout(c, due))
            buf_format(out, " %u", (unsigned)(due - start_ms));
        else if (c->state == SIP_CLIENT_ENDED)
            buf_format(out, " end %u", (unsigned)(due - start_ms));
}

static void a_request_is_sent_at_the_times_of_timer_e_until_timer_f(void **state)
{
    (void)state;
    struct sip_client c;
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    sip_client_start(&c, 0, false, 1000);
    schedule(&c, 1000, &out);
    assert_slice(buf_slice(&out),
                 "0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500 end 32000");
    assert_int_equal(c.status, 0);
    assert_int_equal(c.tries, 11);
}

static void tries_can_be_fewer(void **state)
{
    (void)state;
    struct sip_client c;
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    sip_client_start(&c, 7, false, 0);
    schedule(&c, 0, &out);
    assert_slice(buf_slice(&out), "0 500 1500 3500 7500 11500 15500 end 19500");
    assert_int_equal(c.tries, 7);
}

static void on_a_reliable_wire_nothing_is_sent_twice(void **state)
{
    (void)state;
    struct sip_client c;
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    sip_client_start(&c, 0, true, 0);
    schedule(&c, 0, &out);
    assert_slice(buf_slice(&out), "0 end 32000");
    sip_client_start(&c, 0, true, 0);
    assert_true(sip_client_answered(&c, 200, 10));
    assert_int_equal(c.state, SIP_CLIENT_ENDED);
}

static void a_late_timer_makes_one_try_and_not_all_that_were_missed(void **state)
{
    (void)state;
    struct sip_client c;
    sip_client_start(&c, 0, false, 0);
    assert_false(sip_client_timeout(&c, 499));
    assert_true(sip_client_timeout(&c, 9000));
    assert_false(sip_client_timeout(&c, 9000));
    assert_int_equal(sip_client_due_ms(&c), 10000);
    assert_false(sip_client_timeout(&c, 32000));
    assert_int_equal(c.state, SIP_CLIENT_ENDED);
    assert_int_equal(sip_client_due_ms(&c), UINT64_MAX);
}

static void the_first_final_answer_counts(void **state)
{
    (void)state;
    struct sip_client c;
    sip_client_start(&c, 0, false, 0);
    assert_true(sip_client_answered(&c, 404, 100));
    assert_false(sip_client_answered(&c, 200, 120));
    assert_int_equal(c.status, 404);
    assert_int_equal(sip_client_due_ms(&c), 100 + SIP_T4_MS);
    assert_false(sip_client_timeout(&c, 100 + SIP_T4_MS));
    assert_int_equal(c.state, SIP_CLIENT_ENDED);
    assert_int_equal(c.tries, 1);
}

static void a_provisional_answer_slows_the_tries_down(void **state)
{
    (void)state;
    struct sip_client c;
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    sip_client_start(&c, 0, false, 0);
    assert_false(sip_client_answered(&c, 100, 100));
    schedule(&c, 0, &out);
    assert_slice(buf_slice(&out), "0 500 4500 8500 12500 16500 20500 24500 28500 end 32000");
}

static void who_is_not_there_is_asked_no_more(void **state)
{
    (void)state;
    struct sip_client c;
    sip_client_start(&c, 0, false, 0);
    sip_client_stop(&c);
    assert_int_equal(sip_client_due_ms(&c), UINT64_MAX);
    assert_false(sip_client_timeout(&c, 500));
    assert_false(sip_client_answered(&c, 200, 600));
}

static void a_request_that_comes_again_gets_the_same_bytes(void **state)
{
    (void)state;
    struct sip_server s = { 0 };
    struct slice answer;
    assert_false(sip_server_asked_again(&s, 0, &answer));
    sip_server_answered(&s, SLICE("SIP/2.0 200 OK"), false, 1000);
    assert_true(sip_server_asked_again(&s, 1000, &answer));
    assert_slice(answer, "SIP/2.0 200 OK");
    assert_true(sip_server_asked_again(&s, 32999, &answer));
    assert_false(sip_server_asked_again(&s, 33000, &answer));
    sip_server_answered(&s, SLICE("SIP/2.0 200 OK"), true, 1000);
    assert_false(sip_server_asked_again(&s, 1000, &answer));
}

static struct slice key_of(struct arena *a, const char *via, const char *cseq, const char *from)
{
    struct slice text, key = SLICE_NONE;
    struct sip_message m;
    const char *reason;
    char bytes[1024];
    struct buf out = BUF_ON(bytes);
    assert_true(arena_format(a, &text, "NOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP %s\r\nFrom: %s\r\nTo: <sip:b@b>\r\n"
                                       "Call-ID: 1\r\nCSeq: %s NOTIFY\r\n\r\n", via, from, cseq));
    assert_true(sip_read(text, a, &m, &reason));
    sip_transaction_key(&m, &out);
    assert_true(buf_ok(&out) && arena_copy(a, buf_slice(&out), &key));
    return key;
}

static void a_request_is_known_by_its_branch(void **state)
{
    struct slice one = key_of(*state, "h:1;branch=z9hG4bKa", "1", "<sip:a@b>;tag=1");
    assert_true(slice_eq(one, key_of(*state, "h:1;branch=z9hG4bKa;rport", "1", "<sip:a@b>;tag=1")));
    assert_false(slice_eq(one, key_of(*state, "h:1;branch=z9hG4bKb", "1", "<sip:a@b>;tag=1")));
    assert_false(slice_eq(one, key_of(*state, "h:2;branch=z9hG4bKa", "1", "<sip:a@b>;tag=1")));
    assert_false(slice_eq(one, key_of(*state, "i:1;branch=z9hG4bKa", "1", "<sip:a@b>;tag=1")));
    /* A branch that never changes does not make two requests one. */
    assert_false(slice_eq(one, key_of(*state, "h:1;branch=z9hG4bKa", "2", "<sip:a@b>;tag=1")));
}

/* facts.md 3: scripts send no branch, or one without the cookie. */
static void without_a_branch_a_request_is_known_by_all_the_rest(void **state)
{
    static const char *const vias[] = { "h:1", "h:1;branch=1", "h:1;branch=z9hG4bK" };
    for (size_t i = 0; i < sizeof vias / sizeof *vias; i++) {
        struct slice one = key_of(*state, vias[i], "1", "<sip:a@b>;tag=1");
        assert_true(slice_eq(one, key_of(*state, vias[i], "1", "<sip:a@b>;tag=1")));
        assert_false(slice_eq(one, key_of(*state, vias[i], "2", "<sip:a@b>;tag=1")));
        assert_false(slice_eq(one, key_of(*state, vias[i], "1", "<sip:a@b>;tag=2")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_sent_at_the_times_of_timer_e_until_timer_f),
        cmocka_unit_test(tries_can_be_fewer),
        cmocka_unit_test(on_a_reliable_wire_nothing_is_sent_twice),
        cmocka_unit_test(a_late_timer_makes_one_try_and_not_all_that_were_missed),
        cmocka_unit_test(the_first_final_answer_counts),
        cmocka_unit_test(a_provisional_answer_slows_the_tries_down),
        cmocka_unit_test(who_is_not_there_is_asked_no_more),
        cmocka_unit_test(a_request_that_comes_again_gets_the_same_bytes),
        test_with_arena(a_request_is_known_by_its_branch),
        test_with_arena(without_a_branch_a_request_is_known_by_all_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
