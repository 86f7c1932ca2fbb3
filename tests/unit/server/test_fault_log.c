#include "tests/unit/test.h"

#include "server/fault_log.h"

static unsigned told(struct fault_log *f, struct peer_limit *peer, unsigned times, uint64_t now_ms)
{
    unsigned count = 0;
    for (unsigned i = 0; i < times; i++)
        count += fault_log_may_tell(f, peer, PROTOCOL_HTTPS, now_ms);
    return count;
}

static void one_address_has_twenty_and_then_one_a_second(void **state)
{
    (void)state;
    struct fault_log f = { 0 };
    struct peer_limit loud = { 0 }, other = { 0 };
    assert_int_equal(told(&f, &loud, 100, 5000), FAULT_LOG_PEER);
    assert_int_equal(f.untold, 79); /* one was said */
    assert_int_equal(told(&f, &other, 1, 5000), 1);
    assert_int_equal(told(&f, &loud, 100, 8000), 3);
}

static void all_addresses_together_have_their_share(void **state)
{
    (void)state;
    struct fault_log f = { 0 };
    unsigned count = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct peer_limit peer = { 0 };
        count += fault_log_may_tell(&f, &peer, PROTOCOL_FTP, 1000);
    }
    assert_int_equal(count, 10 * FAULT_LOG_S);
    assert_false(fault_log_may_tell(&f, NULL, PROTOCOL_FTP, 100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_has_twenty_and_then_one_a_second),
        cmocka_unit_test(all_addresses_together_have_their_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
