#include "tests/unit/test.h"

#include "phone/ring_names.h"

#include <stdio.h>

static void put(struct settings *s, const char *key, const char *value)
{
    struct origin origin = { SLICE("a.cfg"), 1 };
    assert_true(settings_put(s, slice_str(key), slice_str(value), origin));
}

static void the_server_the_sip_servers_and_the_proxies_are_trusted_each_once(void **state)
{
    struct settings s;
    struct slice hosts[RING_HOSTS_MAX];
    settings_init(&s, *state);
    put(&s, "account.1.sip_server.1.address", "pbx.example");
    put(&s, "account.1.sip_server.2.address", " 10.0.0.2 ");
    put(&s, "account.1.outbound_host", "proxy.example");
    put(&s, "account.16.sip_server.1.address", "PBX.example");
    put(&s, "account.17.sip_server.1.address", "no.example");
    assert_int_equal(ring_trusted_hosts(&s, SLICE("https://u:p@[2001:db8::1]:8443/a/"), hosts), 4);
    assert_slice(hosts[0], "2001:db8::1");
    assert_slice(hosts[1], "pbx.example");
    assert_slice(hosts[2], "10.0.0.2");
    assert_slice(hosts[3], "proxy.example");
    settings_free(&s);
}

static void no_server_and_no_account_trust_nobody(void **state)
{
    struct settings s;
    struct slice hosts[RING_HOSTS_MAX];
    settings_init(&s, *state);
    assert_int_equal(ring_trusted_hosts(&s, SLICE_NONE, hosts), 0);
    put(&s, "account.1.sip_server.1.address", "");
    assert_int_equal(ring_trusted_hosts(&s, SLICE("a b://"), hosts), 0);
    settings_free(&s);
}

static void more_hosts_than_there_is_room_for_are_left_out(void **state)
{
    struct settings s;
    struct slice hosts[RING_HOSTS_MAX];
    char keys[48][64], names[48][32];
    settings_init(&s, *state);
    for (unsigned i = 0; i < 48; i++) {
        snprintf(keys[i], sizeof keys[i], "account.%u.%s", i / 3 + 1,
                 i % 3 == 0 ? "sip_server.1.address" : i % 3 == 1 ? "sip_server.2.address" : "outbound_host");
        snprintf(names[i], sizeof names[i], "h%u.example", i);
        put(&s, keys[i], names[i]);
    }
    assert_int_equal(ring_trusted_hosts(&s, SLICE_NONE, hosts), RING_HOSTS_MAX);
    settings_free(&s);
}

static void a_numeric_host_needs_no_look_up_and_its_port_does_not_matter(void **state)
{
    struct loop loop;
    const struct slice hosts[] = { SLICE("10.0.0.1"), SLICE("::1") };
    union address a;
    (void)state;
    assert_int_equal(loop_open(&loop, &clock_system, NULL, NULL), 0);
    struct ring_names *n = ring_names_new(&loop);
    assert_non_null(n);
    address_parse(SLICE("10.0.0.1"), 4711, &a);
    assert_int_equal(ring_names_judge(n, hosts, 2, &a), RING_TRUSTED);
    address_parse(SLICE("::1"), 4711, &a);
    assert_int_equal(ring_names_judge(n, hosts, 2, &a), RING_TRUSTED);
    address_parse(SLICE("10.0.0.2"), 5060, &a);
    assert_int_equal(ring_names_judge(n, hosts, 2, &a), RING_STRANGER);
    ring_names_close(n);
    loop_close(&loop);
}

static void a_name_is_unknown_first_and_then_what_the_resolver_says(void **state)
{
    struct loop loop;
    const struct slice hosts[] = { SLICE("localhost") };
    union address here, other;
    (void)state;
    assert_int_equal(loop_open(&loop, &clock_system, NULL, NULL), 0);
    struct ring_names *n = ring_names_new(&loop);
    address_parse(SLICE("127.0.0.1"), 5060, &here);
    address_parse(SLICE("10.0.0.2"), 5060, &other);
    assert_int_equal(ring_names_judge(n, hosts, 1, &here), RING_UNKNOWN);
    while (ring_names_judge(n, hosts, 1, &other) == RING_UNKNOWN)
        uv_run(&loop.uv, UV_RUN_ONCE);
    assert_int_equal(ring_names_judge(n, hosts, 1, &here), RING_TRUSTED);
    assert_int_equal(ring_names_judge(n, hosts, 1, &other), RING_STRANGER);
    ring_names_close(n);
    loop_close(&loop);
}

static void closing_does_not_wait_for_a_look_up(void **state)
{
    struct loop loop;
    const struct slice hosts[] = { SLICE("localhost"), SLICE("a.invalid") };
    (void)state;
    assert_int_equal(loop_open(&loop, &clock_system, NULL, NULL), 0);
    struct ring_names *n = ring_names_new(&loop);
    ring_names_look(n, hosts, 2);
    ring_names_close(n);
    loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_server_the_sip_servers_and_the_proxies_are_trusted_each_once),
        test_with_arena(no_server_and_no_account_trust_nobody),
        test_with_arena(more_hosts_than_there_is_room_for_are_left_out),
        cmocka_unit_test(a_numeric_host_needs_no_look_up_and_its_port_does_not_matter),
        cmocka_unit_test(a_name_is_unknown_first_and_then_what_the_resolver_says),
        cmocka_unit_test(closing_does_not_wait_for_a_look_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
