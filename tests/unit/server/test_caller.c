#include "tests/unit/test.h"

#include "server/caller.h"
#include "server/users.h"

static const struct mac own = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
static const struct mac other = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } };

static void a_certificate_proves_more_than_a_login_and_a_login_more_than_a_user_agent(void **state)
{
    struct user user = { .name = SLICE("00:15:65:74:b1:6e") };
    struct caller c = { .certificate = &own, .user = &user, .agent = &other };
    struct mac mac;
    (void)state;
    assert_true(caller_mac(&c, &mac));
    assert_true(mac_eq(mac, own));
    c.certificate = NULL;
    assert_true(caller_mac(&c, &mac));
    assert_true(mac_eq(mac, other));
}

static void R3_a_user_agent_only_claims(void **state)
{
    struct user user = { .name = SLICE("office") };
    struct caller c = { .user = &user, .agent = &other };
    struct mac mac;
    (void)state;
    assert_false(caller_mac(&c, &mac));
    assert_true(caller_claims(&c, &mac));
    assert_true(mac_eq(mac, other));
    c.agent = NULL;
    assert_false(caller_claims(&c, &mac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_proves_more_than_a_login_and_a_login_more_than_a_user_agent),
        cmocka_unit_test(R3_a_user_agent_only_claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
