/* phone/dhcp.h against servers on a fake wire. */
#include "tests/dhcp_fakes.h"

#define URL "http://10.0.0.1/yealink/"

static void plain_server(struct net *n, const struct sent *s)
{
    fake_serve(n, s, FAKE_SERVER, FAKE_ADDRESS, URL);
}

static bool has_byte(struct slice text, int byte)
{
    return slice_find(text, (char)byte) < text.len;
}

static void a_phone_gets_its_lease_and_its_url(void **state)
{
    char bytes[256];
    struct buf room = BUF_ON(bytes);
    struct net *n = fake_open(DHCP_LEASE, 1);
    (void)state;
    n->options.custom4 = (struct option_list){ { 160, 128 }, 2 };
    n->serve = plain_server;
    fake_start(n);
    fake_run(n, 1000);
    assert_int_equal(n->done, 1);
    assert_slice(n->result->winner->winner->url, URL);
    assert_int_equal(n->result->winner->server, FAKE_SERVER);
    assert_int_equal(n->sent_count, 2);
    assert_int_equal(n->configured, 1);
    assert_int_equal(n->lease.address, FAKE_ADDRESS);
    assert_int_equal(n->lease.mask, 0xffffff00);
    assert_int_equal(n->lease.router, 0x0a0000fe);
    const struct sent *discover = fake_first(n, DHCP4_DISCOVER), *request = fake_first(n, DHCP4_REQUEST);
    assert_memory_equal(discover->m.chaddr, fake_mac.bytes, 6);
    assert_true(!discover->m.broadcast && discover->to.to == UINT32_MAX && discover->to.from == 0);
    assert_true(dhcp4_value(&discover->m, DHCP4_VENDOR_CLASS, &room));
    assert_slice(buf_slice(&room), "yealink");
    room.len = 0;
    assert_true(dhcp4_value(&discover->m, DHCP4_PARAMETERS, &room));
    assert_true(has_byte(buf_slice(&room), 66) && has_byte(buf_slice(&room), 43));
    assert_true(has_byte(buf_slice(&room), 128) && has_byte(buf_slice(&room), 160));
    uint32_t value = 0;
    assert_true(dhcp4_u32(&request->m, DHCP4_REQUESTED, &value) && value == FAKE_ADDRESS);
    assert_true(dhcp4_u32(&request->m, DHCP4_SERVER_ID, &value) && value == FAKE_SERVER);
    assert_int_equal(request->m.xid, discover->m.xid);
    fake_free(n);
}

static void on_a_bad_wire_it_still_gets_there(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct net *n = fake_open(DHCP_LEASE, seed * 77);
        n->serve = plain_server;
        n->loss = 35;
        n->doubles = 30;
        n->jitter_ms = 3000;
        n->options.wait_ms = 1200000;
        fake_start(n);
        while (!n->done && n->clock.now_ms < 1300000)
            fake_run(n, 100);
        if (n->done != 1 || !n->answered || n->lease.address != FAKE_ADDRESS || n->result->dropped)
            fail_msg("seed %u: done %u, answered %d", (unsigned)seed, n->done, n->answered);
        fake_free(n);
    }
}

static void nobody_answers_and_the_waits_are_those_of_rfc_2131(void **state)
{
    static const uint64_t waits[] = { 4000, 8000, 16000, 32000, 64000, 64000, 64000 };
    (void)state;
    for (uint64_t seed = 1; seed < 30; seed++) {
        struct net *n = fake_open(DHCP_LEASE, seed);
        n->options.wait_ms = 300000;
        fake_start(n);
        fake_run(n, 320000);
        assert_true(n->sent_count > 7);
        for (size_t i = 0; i < 7; i++) {
            uint64_t wait_ms = n->sent[i + 1].at_ms - n->sent[i].at_ms;
            assert_in_range(wait_ms, waits[i] - 1000, waits[i] + 1000 + 2 * WHEEL_TICK_MS);
            assert_int_equal(n->sent[i + 1].m.type, DHCP4_DISCOVER);
            assert_int_equal(n->sent[i + 1].m.xid, n->sent[0].m.xid);
        }
        assert_in_range(n->sent[5].m.secs, 118, 126);
        assert_int_equal(n->done, 1);
        assert_false(n->answered);
        assert_in_range(n->done_ms - n->sent[0].at_ms, 300000 - WHEEL_TICK_MS, 300000 + 2 * WHEEL_TICK_MS);
        size_t count = n->sent_count;
        fake_run(n, 300000);
        assert_int_equal(n->sent_count, count);
        fake_free(n);
    }
}

static void refuser(struct net *n, const struct sent *s)
{
    char bytes[512];
    struct buf out = BUF_ON(bytes);
    if (s->m.type == DHCP4_REQUEST) {
        fake_begin(&out, s, DHCP4_NAK, FAKE_SERVER, 0);
        fake_answer(n, &out, FAKE_SERVER);
    } else {
        plain_server(n, s);
    }
}

static void a_server_that_always_refuses_makes_no_flood(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 5);
    (void)state;
    n->serve = refuser;
    n->options.wait_ms = 60000;
    fake_start(n);
    fake_run(n, 61000);
    assert_in_range(fake_count(n, DHCP4_DISCOVER), 5, 21);
    assert_true(n->sent[2].m.type == DHCP4_DISCOVER && n->sent[2].m.xid != n->sent[0].m.xid);
    assert_int_equal(n->configured, 0);
    assert_false(n->answered);
    fake_free(n);
}

static void silent_after_the_offer(struct net *n, const struct sent *s)
{
    if (s->m.type == DHCP4_DISCOVER)
        plain_server(n, s);
}

static void a_server_that_offers_and_falls_silent_is_left(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 6);
    (void)state;
    n->serve = silent_after_the_offer;
    n->options.wait_ms = 100000;
    fake_start(n);
    fake_run(n, 99000);
    assert_int_equal(n->sent[0].m.type, DHCP4_DISCOVER);
    for (size_t i = 1; i <= 4; i++)
        assert_int_equal(n->sent[i].m.type, DHCP4_REQUEST);
    assert_int_equal(n->sent[5].m.type, DHCP4_DISCOVER);
    assert_true(n->sent[5].m.xid != n->sent[0].m.xid);
    fake_run(n, 2000);
    assert_int_equal(n->done, 1);
    /* What was only offered is no answer for a phone. */
    assert_false(n->answered);
    fake_free(n);
}

static void lease_here_url_there(struct net *n, const struct sent *s)
{
    fake_serve(n, s, FAKE_SERVER, FAKE_ADDRESS, NULL);
    if (s->m.type == DHCP4_INFORM)
        fake_serve(n, s, FAKE_OTHER, 0, "tftp://10.0.0.2/");
}

static void a_lease_without_url_is_followed_by_inform_to_the_others(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 7);
    (void)state;
    n->serve = lease_here_url_there;
    fake_start(n);
    fake_run(n, 2000);
    const struct sent *inform = fake_first(n, DHCP4_INFORM);
    assert_int_equal(inform->m.ciaddr, FAKE_ADDRESS);
    assert_int_equal(inform->to.from, FAKE_ADDRESS);
    assert_true(n->answered);
    assert_slice(n->result->winner->winner->url, "tftp://10.0.0.2/");
    assert_int_equal(n->result->winner->server, FAKE_OTHER);
    assert_int_equal(n->lease.address, FAKE_ADDRESS);
    fake_free(n);
}

static void no_url(struct net *n, const struct sent *s)
{
    fake_serve(n, s, FAKE_SERVER, FAKE_ADDRESS, NULL);
}

static void a_lease_and_no_url_anywhere_ends_soon_and_keeps_the_lease(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 8);
    (void)state;
    n->serve = no_url;
    fake_start(n);
    fake_run(n, DHCP_INFORM_WAIT_MS + 1000);
    assert_int_equal(n->done, 1);
    assert_false(n->answered);
    assert_true(n->result->lease.held);
    assert_int_equal(n->removed, 0);
    /* And it is renewed in its time. */
    fake_run(n, 400000);
    assert_true(n->configured >= 2);
    fake_free(n);
}

static void a_lease_is_renewed_at_half_of_its_time(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 9);
    (void)state;
    n->serve = plain_server;
    fake_start(n);
    fake_run(n, 302000);
    assert_int_equal(n->sent_count, 3);
    const struct sent *renewal = &n->sent[2];
    assert_int_equal(renewal->m.type, DHCP4_REQUEST);
    assert_int_equal(renewal->m.ciaddr, FAKE_ADDRESS);
    assert_int_equal(renewal->to.to, FAKE_SERVER);
    assert_int_equal(renewal->to.from, FAKE_ADDRESS);
    assert_int_equal(dhcp4_count(&renewal->m, DHCP4_REQUESTED) + dhcp4_count(&renewal->m, DHCP4_SERVER_ID), 0);
    assert_in_range(renewal->at_ms - n->sent[1].at_ms, 300000, 300000 + 4 * WHEEL_TICK_MS);
    assert_int_equal(n->configured, 2);
    assert_int_equal(n->done, 1);
    fake_free(n);
}

static void a_lease_that_nobody_renews_is_given_up_and_looked_for_again(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 10);
    (void)state;
    n->serve = plain_server;
    fake_start(n);
    fake_run(n, 1000);
    n->serve = NULL;
    fake_run(n, 598000);
    assert_int_equal(n->removed, 0);
    const struct sent *last = &n->sent[n->sent_count - 1];
    assert_int_equal(last->m.type, DHCP4_REQUEST);
    assert_int_equal(last->to.to, UINT32_MAX);
    assert_in_range(n->sent_count, 5, 12);
    fake_run(n, 3000);
    assert_int_equal(n->removed, 1);
    assert_int_equal(n->lease.address, 0);
    n->serve = plain_server;
    fake_run(n, 8000);
    assert_int_equal(n->lease.address, FAKE_ADDRESS);
    assert_int_equal(n->done, 1);
    fake_free(n);
}

static void two_servers(struct net *n, const struct sent *s)
{
    fake_serve(n, s, FAKE_SERVER, FAKE_ADDRESS, URL);
    fake_serve(n, s, FAKE_OTHER, FAKE_ADDRESS + 1, "sip:nonsense");
}

static void a_probe_hears_everybody_and_takes_nothing(void **state)
{
    struct net *n = fake_open(DHCP_PROBE, 11);
    (void)state;
    n->serve = two_servers;
    n->options.collect = true;
    n->options.interface.mac[5] ^= 1;
    n->options.wait_ms = 6000;
    fake_start(n);
    fake_run(n, 7000);
    assert_int_equal(fake_count(n, DHCP4_DISCOVER), n->sent_count);
    assert_int_equal(n->sent_count, 2);
    /* The interface has another MAC address than the phone. */
    assert_true(n->sent[0].m.broadcast);
    assert_int_equal(n->configured, 0);
    assert_int_equal(n->done, 1);
    assert_int_equal(n->result->count, 2);
    assert_int_equal(n->result->first->times, 2);
    assert_int_equal(n->result->first->offered, FAKE_ADDRESS);
    assert_slice(n->result->winner->winner->url, URL);
    const struct dhcp_answer *other = n->result->first->next;
    assert_int_equal(other->server, FAKE_OTHER);
    assert_null(other->winner);
    assert_int_equal(other->findings[0].verdict, OPTION_NO_URL);
    fake_free(n);
}

static void an_interface_with_an_address_informs_and_nothing_else(void **state)
{
    struct net *n = fake_open(DHCP_INFORM, 12);
    (void)state;
    n->serve = plain_server;
    n->options.interface.address = 0x0a000063;
    fake_start(n);
    fake_run(n, 1000);
    assert_int_equal(n->sent_count, 1);
    assert_int_equal(fake_first(n, DHCP4_INFORM)->m.ciaddr, 0x0a000063);
    assert_true(n->answered);
    assert_int_equal(n->configured, 0);
    fake_free(n);
}

static void liar(struct net *n, const struct sent *s)
{
    char bytes[512];
    struct buf out = BUF_ON(bytes);
    struct sent lie = *s;
    lie.m.xid ^= 1;
    fake_serve(n, &lie, FAKE_OTHER, FAKE_ADDRESS, "http://wrong.xid/");
    lie = *s;
    lie.m.chaddr[0] ^= 2;
    fake_serve(n, &lie, FAKE_OTHER, FAKE_ADDRESS, "http://wrong.mac/");
    fake_begin(&out, s, DHCP4_ACK, FAKE_OTHER, FAKE_ADDRESS);
    dhcp4_put_option(&out, DHCP4_TFTP_SERVER, SLICE("http://too.early/"));
    fake_answer(n, &out, FAKE_OTHER);
    out.len = 0;
    fake_begin(&out, s, DHCP4_NAK, FAKE_OTHER, 0);
    fake_answer(n, &out, FAKE_OTHER);
    out.len = 0;
    fake_begin(&out, s, DHCP4_OFFER, FAKE_OTHER, 0x7f000001);
    fake_answer(n, &out, FAKE_OTHER);
    plain_server(n, s);
}

static void answers_to_somebody_else_or_at_the_wrong_time_change_nothing(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 13);
    (void)state;
    n->serve = liar;
    fake_start(n);
    fake_run(n, 1000);
    assert_true(n->answered);
    assert_slice(n->result->winner->winner->url, URL);
    assert_int_equal(n->lease.server, FAKE_SERVER);
    fake_free(n);
}

static void crowd(struct net *n, const struct sent *s)
{
    for (uint32_t i = 0; i < 100; i++)
        fake_serve(n, s, FAKE_SERVER + i, FAKE_ADDRESS + i, URL);
}

static void more_answers_than_any_network_has_servers_are_counted_only(void **state)
{
    struct net *n = fake_open(DHCP_PROBE, 14);
    (void)state;
    n->serve = crowd;
    n->options.collect = true;
    n->options.wait_ms = 2000;
    fake_start(n);
    fake_run(n, 3000);
    assert_int_equal(n->result->count, DHCP_ANSWERS_MAX);
    assert_int_equal(n->result->dropped, 100 - DHCP_ANSWERS_MAX);
    fake_free(n);
}

/* --- IPv6 --- */

static void reply6(struct net *n, const struct sent *s, uint16_t code, const char *url)
{
    char bytes[512];
    struct buf out = BUF_ON(bytes);
    struct slice client;
    assert_true(dhcp6_value(&s->m6, DHCP6_CLIENT_ID, &client));
    dhcp6_put_header(&out, DHCP6_REPLY, s->m6.xid);
    dhcp6_put_option(&out, DHCP6_CLIENT_ID, client);
    dhcp6_put_option(&out, DHCP6_SERVER_ID, SLICE("\0\3\0\1server"));
    dhcp6_put_option(&out, code, slice_str(url));
    fake_fly(n, true, 0, buf_slice(&out));
}

static void server6(struct net *n, const struct sent *s)
{
    if (s->v6)
        reply6(n, s, DHCP6_BOOTFILE_URL, "http://[2001:db8::1]/six/");
}

static void a_phone_of_ipv6_asks_for_information_and_gets_the_url(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 15);
    struct slice asked;
    (void)state;
    n->serve = server6;
    n->options.v4 = false;
    n->options.v6 = true;
    n->options.custom6 = (struct option_list){ { 200 }, 1 };
    fake_start(n);
    fake_run(n, 1500);
    assert_true(n->answered);
    assert_slice(n->result->winner->winner->url, "http://[2001:db8::1]/six/");
    assert_int_equal(n->sent_count, 1);
    assert_int_equal(n->sent[0].m6.type, DHCP6_INFORMATION_REQUEST);
    assert_true(dhcp6_value(&n->sent[0].m6, DHCP6_REQUESTED, &asked));
    assert_memory_equal(asked.ptr, "\0\xc8\0\x3b", 4);
    assert_int_equal(dhcp6_count(&n->sent[0].m6, DHCP6_VENDOR_CLASS), 0);
    fake_free(n);
}

static void with_nobody_there_ipv6_waits_double_each_time(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 16);
    (void)state;
    n->options.v4 = false;
    n->options.v6 = true;
    n->options.wait_ms = 100000;
    fake_start(n);
    fake_run(n, 101000);
    assert_in_range(n->sent_count, 6, 8);
    for (size_t i = 0; i + 1 < n->sent_count; i++) {
        uint64_t wait_ms = n->sent[i + 1].at_ms - n->sent[i].at_ms, nominal = UINT64_C(1000) << i;
        /* A tenth of each wait goes into the next. */
        assert_in_range(wait_ms, nominal * 4 / 10, nominal * 16 / 10 + 100);
    }
    assert_int_equal(n->done, 1);
    assert_false(n->answered);
    fake_free(n);
}

static void slow_four_fast_six(struct net *n, const struct sent *s)
{
    if (s->v6)
        server6(n, s);
    else
        fake_serve(n, s, FAKE_SERVER, FAKE_ADDRESS, URL);
}

static void with_both_families_ipv4_is_waited_for_and_wins(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 17);
    (void)state;
    n->serve = slow_four_fast_six;
    n->options.v6 = true;
    n->delay_ms = 1500;
    fake_start(n);
    fake_run(n, 10000);
    assert_int_equal(n->done, 1);
    assert_slice(n->result->winner->winner->url, URL);
    assert_int_equal(n->result->count, 3);
    fake_free(n);
}

static void without_ipv4_the_url_of_ipv6_is_taken_in_the_end(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 18);
    (void)state;
    n->serve = server6;
    n->options.v6 = true;
    n->options.wait_ms = 5000;
    fake_start(n);
    fake_run(n, 6000);
    assert_int_equal(n->done, 1);
    assert_slice(n->result->winner->winner->url, "http://[2001:db8::1]/six/");
    fake_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_gets_its_lease_and_its_url),
        cmocka_unit_test(on_a_bad_wire_it_still_gets_there),
        cmocka_unit_test(nobody_answers_and_the_waits_are_those_of_rfc_2131),
        cmocka_unit_test(a_server_that_always_refuses_makes_no_flood),
        cmocka_unit_test(a_server_that_offers_and_falls_silent_is_left),
        cmocka_unit_test(a_lease_without_url_is_followed_by_inform_to_the_others),
        cmocka_unit_test(a_lease_and_no_url_anywhere_ends_soon_and_keeps_the_lease),
        cmocka_unit_test(a_lease_is_renewed_at_half_of_its_time),
        cmocka_unit_test(a_lease_that_nobody_renews_is_given_up_and_looked_for_again),
        cmocka_unit_test(a_probe_hears_everybody_and_takes_nothing),
        cmocka_unit_test(an_interface_with_an_address_informs_and_nothing_else),
        cmocka_unit_test(answers_to_somebody_else_or_at_the_wrong_time_change_nothing),
        cmocka_unit_test(more_answers_than_any_network_has_servers_are_counted_only),
        cmocka_unit_test(a_phone_of_ipv6_asks_for_information_and_gets_the_url),
        cmocka_unit_test(with_nobody_there_ipv6_waits_double_each_time),
        cmocka_unit_test(with_both_families_ipv4_is_waited_for_and_wins),
        cmocka_unit_test(without_ipv4_the_url_of_ipv6_is_taken_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
