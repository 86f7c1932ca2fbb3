#include "tests/unit/test.h"

#include "net/datagram.h"
#include "net/multicast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

/* On loopback only: interfaces that come and go are in tests/flow/pnp.py, in a network of its own. */

struct seen {
    unsigned joined, failed, undelivered;
    int error;
    char last[MULTICAST_NAME_BYTES + 1];
    size_t got;
    bool to_group;
    struct datagram_local to;
    union address refused;
};

static struct loop loop;
static struct datagram_set *set;
static struct seen seen;
static unsigned open_handles;

static void on_changed(void *context, struct slice interface, bool joined, int error)
{
    struct seen *s = context;
    s->joined += joined;
    s->failed += error != 0;
    s->error = error;
    memcpy(s->last, interface.ptr, interface.len);
}

static void on_received(struct datagram *d, const struct datagram_in *m, size_t count)
{
    (void)d;
    seen.got += count;
    seen.to_group = m[0].to_group;
    seen.to = m[0].to;
    loop_stop(&loop);
}

static void on_undelivered(struct datagram *d, const union address *to)
{
    (void)d;
    seen.undelivered++;
    seen.refused = *to;
    loop_stop(&loop);
}

static void on_deadline(struct timer *t)
{
    (void)t;
    loop_stop(&loop);
}

static void run(uint64_t most_ms)
{
    struct timer deadline = { 0 };
    loop_timer(&loop, &deadline, most_ms, on_deadline);
    loop_run(&loop);
    timer_stop(&loop.wheel, &deadline);
}

static int setup(void **state)
{
    (void)state;
    seen = (struct seen){ 0 };
    open_handles = 0;
    return loop_open(&loop, &clock_system, NULL, NULL) || datagram_set_open(&loop, 1500, &set);
}

static void on_closed(struct datagram *d)
{
    (void)d;
    open_handles--;
}

static void on_left(void *context)
{
    (void)context;
    open_handles--;
}

static int teardown(void **state)
{
    (void)state;
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(open_handles, 0);
    datagram_set_close(set);
    loop_close(&loop);
    return 0;
}

static void open_socket(struct datagram *d, const char *host, union address *ret_own)
{
    assert_true(address_parse(slice_str(host), 0, ret_own));
    int fd = datagram_bind(ret_own);
    assert_true(fd >= 0);
    assert_int_equal(datagram_open(d, set, fd, true, on_received, NULL), 0);
    assert_int_equal(datagram_local_address(d, ret_own), 0);
    open_handles++;
}

static struct multicast *member(const struct datagram *d, const char *interfaces)
{
    struct multicast *m;
    struct multicast_options options = { d->fd, { inet_addr("224.0.1.75") }, slice_str(interfaces), on_changed,
                                         &seen };
    assert_int_equal(multicast_open(&loop, &options, &m), 0);
    open_handles++;
    return m;
}

static void send_to(struct datagram *d, const char *host, uint16_t port)
{
    union address to;
    struct buf room;
    assert_true(address_parse(slice_str(host), port, &to));
    assert_true(datagram_reserve(d, &to, NULL, 16, &room));
    buf_str(&room, "hello");
    datagram_commit(set, room.len);
}

static void what_is_sent_to_the_group_comes_with_our_own_address(void **state)
{
    (void)state;
    static struct datagram server, client;
    union address own, other;
    open_socket(&server, "*", &own);
    open_socket(&client, "127.0.0.1", &other);
    struct multicast *m = member(&server, "eth9, lo");
    assert_int_equal(multicast_count(m), 1);
    assert_int_equal(seen.joined, 1);
    assert_string_equal(seen.last, "lo");
    assert_int_equal(multicast_send_from(client.fd, &other), 0);
    send_to(&client, "224.0.1.75", address_port(&own));
    run(5000);
    assert_int_equal(seen.got, 1);
    assert_true(seen.to_group);
    assert_int_equal(seen.to.v4.s_addr, htonl(INADDR_LOOPBACK));
    send_to(&client, "127.0.0.1", address_port(&own));
    run(5000);
    assert_int_equal(seen.got, 2);
    assert_false(seen.to_group);
    multicast_close(m, on_left, NULL);
    datagram_close(&server, on_closed);
    datagram_close(&client, on_closed);
}

/* Another socket of this machine is member: without IP_MULTICAST_ALL = 0 its datagrams would come here too. */
static void a_group_that_others_joined_is_not_ours(void **state)
{
    (void)state;
    static struct datagram server, other, client;
    union address own, others, from;
    open_socket(&server, "*", &own);
    open_socket(&other, "*", &others);
    open_socket(&client, "127.0.0.1", &from);
    struct multicast *none = member(&server, "eth9"), *m = member(&other, "lo");
    assert_int_equal(multicast_count(none), 0);
    assert_int_equal(multicast_count(m), 1);
    assert_int_equal(multicast_send_from(client.fd, &from), 0);
    send_to(&client, "224.0.1.75", address_port(&own));
    run(50);
    assert_int_equal(seen.got, 0);
    multicast_close(none, on_left, NULL);
    multicast_close(m, on_left, NULL);
    datagram_close(&server, on_closed);
    datagram_close(&other, on_closed);
    datagram_close(&client, on_closed);
}

static void loopback_is_joined_only_by_name(void **state)
{
    (void)state;
    static struct datagram server;
    union address own;
    open_socket(&server, "*", &own);
    struct multicast *m = member(&server, "");
    assert_string_not_equal(seen.last, "lo");
    multicast_close(m, on_left, NULL);
    datagram_close(&server, on_closed);
}

static void a_datagram_that_nobody_takes_is_told(void **state)
{
    (void)state;
    static struct datagram a, b;
    union address own, gone;
    open_socket(&a, "127.0.0.1", &own);
    open_socket(&b, "127.0.0.1", &gone);
    assert_int_equal(datagram_tell_undelivered(&a, on_undelivered), 0);
    datagram_close(&b, on_closed);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    send_to(&a, "127.0.0.1", address_port(&gone));
    run(5000);
    assert_int_equal(seen.undelivered, 1);
    assert_true(address_eq(&seen.refused, &gone));
    /* The error of one datagram is not taken for the next one's. */
    send_to(&a, "127.0.0.1", address_port(&gone));
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    send_to(&a, "127.0.0.1", address_port(&own));
    run(5000);
    if (!seen.got)
        run(5000);
    assert_int_equal(seen.got, 1);
    assert_int_equal(datagram_set_lost(set), 0);
    datagram_close(&a, on_closed);
}

static void group_addresses_are_known(void **state)
{
    (void)state;
    union address a;
    assert_true(address_parse(SLICE("224.0.1.75"), 0, &a) && address_is_multicast(&a));
    assert_true(address_parse(SLICE("239.255.255.255"), 0, &a) && address_is_multicast(&a));
    assert_true(address_parse(SLICE("223.0.1.75"), 0, &a) && !address_is_multicast(&a));
    assert_true(address_parse(SLICE("::1"), 0, &a) && !address_is_multicast(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_sent_to_the_group_comes_with_our_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_that_others_joined_is_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(loopback_is_joined_only_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_datagram_that_nobody_takes_is_told, setup, teardown),
        cmocka_unit_test(group_addresses_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
