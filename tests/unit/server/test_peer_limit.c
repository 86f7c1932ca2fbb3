#include "tests/unit/test.h"

#include "server/peer_limit.h"

static union address host(uint32_t n)
{
    union address a = { 0 };
    a.v4.sin_family = AF_INET;
    a.v4.sin_addr.s_addr = htonl(0x0a000000 + n);
    address_set_port(&a, (uint16_t)(n * 7));
    return a;
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct bucket b = { 0 };
    unsigned taken = 0;
    for (unsigned i = 0; i < 100; i++)
        taken += bucket_take(&b, 10, 20, 5000);
    assert_int_equal(taken, 20);
    taken = 0;
    for (uint64_t ms = 5001; ms <= 8000; ms++)
        taken += bucket_take(&b, 10, 20, ms);
    assert_int_equal(taken, 30);
    /* After a long rest no more than a burst. */
    taken = 0;
    for (unsigned i = 0; i < 100; i++)
        taken += bucket_take(&b, 10, 20, 1000000);
    assert_int_equal(taken, 20);
}

static void the_port_does_not_matter(void **state)
{
    (void)state;
    struct peer_limits *l;
    assert_int_equal(peer_limits_open(4, 1, &l), 0);
    union address a = host(1), b = host(1);
    address_set_port(&b, 9);
    assert_ptr_equal(peer_limits_of(l, &a), peer_limits_of(l, &b));
    peer_limits_close(l);
}

static void busy_addresses_stay_and_the_longest_silent_one_goes(void **state)
{
    (void)state;
    struct peer_limits *l;
    assert_int_equal(peer_limits_open(8, 42, &l), 0);
    for (uint32_t i = 0; i < 8; i++) {
        union address a = host(i);
        struct peer_limit *p = peer_limits_of(l, &a);
        assert_true(bucket_take(&p->requests, 1, 1, 0));
        peer_limits_begin(l, p);
    }
    union address again = host(100);
    for (uint32_t i = 100; i < 5000; i++) {
        union address a = host(i);
        struct peer_limit *p = peer_limits_of(l, &a);
        assert_non_null(p);
        assert_int_equal(p->busy, 0);
        if (i == 100)
            assert_true(bucket_take(&p->requests, 1, 1, 0));
        /* Asked for again and again, so never the longest silent. */
        assert_true(peer_limits_of(l, &again)->requests.next_us > 0);
    }
    for (uint32_t i = 0; i < 8; i++) {
        union address a = host(i);
        struct peer_limit *p = peer_limits_of(l, &a);
        assert_int_equal(p->busy, 1);
        assert_false(bucket_take(&p->requests, 1, 1, 500));
        peer_limits_end(l, p);
    }
    union address forgotten = host(101);
    assert_true(peer_limits_of(l, &forgotten)->requests.next_us == 0);
    peer_limits_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(the_port_does_not_matter),
        cmocka_unit_test(busy_addresses_stay_and_the_longest_silent_one_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
