#include "tests/unit/test.h"

#include "net/datagram.h"

#include <stdio.h>
#include <unistd.h>

struct end {
    struct datagram d; /* first */
    struct loop *loop;
    unsigned got, batches, wanted;
    size_t bytes;
    bool echo, cut;
    struct datagram_local to;
};

static struct loop loop;
static struct datagram_set *set;
static unsigned closed;

static void on_received(struct datagram *d, const struct datagram_in *m, size_t count)
{
    struct end *e = d->context;
    e->batches++;
    for (size_t i = 0; i < count; i++) {
        struct buf room;
        e->got++;
        e->bytes += m[i].bytes.len;
        e->cut = m[i].cut;
        e->to = m[i].to;
        if (!e->echo || !datagram_reserve(d, &m[i].from, &m[i].to, 2000, &room))
            continue;
        buf_text(&room, m[i].bytes);
        datagram_commit(set, room.len);
    }
    if (e->wanted && e->got >= e->wanted)
        loop_stop(&loop);
}

static void on_deadline(struct timer *t)
{
    (void)t;
    loop_stop(&loop);
}

static void on_closed(struct datagram *d)
{
    (void)d;
    closed++;
}

static void open_end(struct end *e, const char *host, bool learn)
{
    union address a;
    *e = (struct end){ 0 };
    assert_true(address_parse(slice_str(host), 0, &a));
    int fd = datagram_bind(&a);
    assert_true(fd >= 0);
    assert_int_equal(datagram_open(&e->d, set, fd, learn, on_received, e), 0);
}

static void run(void)
{
    struct timer deadline = { 0 };
    loop_timer(&loop, &deadline, 5000, on_deadline);
    loop_run(&loop);
    timer_stop(&loop.wheel, &deadline);
}

static int setup(void **state)
{
    (void)state;
    closed = 0;
    return loop_open(&loop, &clock_system, NULL, NULL) || datagram_set_open(&loop, 1500, &set);
}

static void shut(struct end *a, struct end *b)
{
    datagram_close(&a->d, on_closed);
    datagram_close(&b->d, on_closed);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(closed, 2);
    datagram_set_close(set);
    loop_close(&loop);
}

static void echo_between(const char *listen, const char *connect, bool learn)
{
    struct end server, client;
    union address to;
    open_end(&server, listen, learn);
    open_end(&client, connect, false);
    server.echo = true;
    client.wanted = 300;
    assert_int_equal(datagram_local_address(&server.d, &to), 0);
    uint16_t port = address_port(&to);
    assert_true(address_parse(slice_str(connect), port, &to));
    for (unsigned i = 0; i < 300; i++) {
        struct buf room;
        assert_true(datagram_reserve(&client.d, &to, NULL, 100, &room));
        buf_format(&room, "%u", i);
        datagram_commit(set, room.len);
    }
    run();
    assert_int_equal(client.got, 300);
    assert_int_equal(client.bytes, 10 + 90 * 2 + 200 * 3);
    assert_in_range(server.batches, 300 / DATAGRAM_BATCH, 60);
    assert_int_equal(server.to.family, learn ? to.sa.sa_family : AF_UNSPEC);
    assert_int_equal(datagram_set_lost(set), 0);
    shut(&server, &client);
}

static void datagrams_go_there_and_back_in_batches(void **state)
{
    (void)state;
    echo_between("127.0.0.1", "127.0.0.1", false);
}

static void datagrams_go_over_ipv6(void **state)
{
    (void)state;
    echo_between("::1", "::1", false);
}

static void a_wildcard_socket_learns_which_address_was_asked(void **state)
{
    (void)state;
    echo_between("*", "127.0.0.1", true);
}

static void a_wildcard_socket_learns_the_same_over_ipv6(void **state)
{
    (void)state;
    echo_between("[::]", "::1", true);
}

/* The client's peer must be the address it asked, here not the one that routing would choose. */
static void the_answer_comes_from_the_address_that_was_asked(void **state)
{
    (void)state;
    struct end server, client;
    union address to;
    open_end(&server, "*", true);
    open_end(&client, "127.0.0.1", false);
    server.echo = true;
    client.wanted = 1;
    assert_int_equal(datagram_local_address(&server.d, &to), 0);
    assert_true(address_parse(SLICE("127.0.0.77"), address_port(&to), &to));
    /* A connected socket hears only its peer. */
    assert_int_equal(connect(client.d.fd, &to.sa, address_length(&to)), 0);
    assert_int_equal(send(client.d.fd, "x", 1, 0), 1);
    run();
    assert_int_equal(client.got, 1);
    shut(&server, &client);
}

static void a_datagram_longer_than_the_buffers_is_marked_as_cut(void **state)
{
    (void)state;
    struct end server, client;
    union address to;
    char big[1501] = { 0 };
    open_end(&server, "127.0.0.1", false);
    open_end(&client, "127.0.0.1", false);
    server.wanted = 1;
    assert_int_equal(datagram_local_address(&server.d, &to), 0);
    assert_int_equal(sendto(client.d.fd, big, sizeof big, 0, &to.sa, address_length(&to)), (ssize_t)sizeof big);
    run();
    assert_int_equal(server.got, 1);
    assert_true(server.cut);
    assert_int_equal(server.bytes, 1500);
    shut(&server, &client);
}

static void what_the_kernel_refuses_is_lost_and_the_rest_goes(void **state)
{
    (void)state;
    struct end server, client;
    union address to, nowhere;
    open_end(&server, "127.0.0.1", false);
    open_end(&client, "127.0.0.1", false);
    server.wanted = 2;
    assert_int_equal(datagram_local_address(&server.d, &to), 0);
    nowhere = to;
    address_set_port(&nowhere, 0);
    const union address *order[] = { &to, &nowhere, &to };
    for (unsigned i = 0; i < 3; i++) {
        struct buf room;
        assert_true(datagram_reserve(&client.d, order[i], NULL, 1, &room));
        buf_byte(&room, 'x');
        datagram_commit(set, room.len);
    }
    run();
    assert_int_equal(server.got, 2);
    assert_int_equal(datagram_set_lost(set), 1);
    shut(&server, &client);
}

/* Room is bounded: more than the queue holds in one round is sent on the way, not refused and not lost. */
static void a_full_queue_is_sent_at_once(void **state)
{
    (void)state;
    struct end server, client;
    union address to;
    open_end(&server, "127.0.0.1", false);
    open_end(&client, "127.0.0.1", false);
    server.wanted = DATAGRAM_QUEUE + 500;
    assert_int_equal(datagram_local_address(&server.d, &to), 0);
    for (unsigned i = 0; i < server.wanted; i++) {
        struct buf room;
        assert_true(datagram_reserve(&client.d, &to, NULL, 1000, &room));
        buf_byte(&room, 'x');
        datagram_commit(set, room.len);
    }
    run();
    assert_int_equal(server.got, server.wanted);
    shut(&server, &client);
}

static uint64_t seen_ms;

static void note_time(struct datagram *d, const struct datagram_in *m, size_t count)
{
    (void)d;
    (void)m;
    assert_int_equal(count, 1);
    seen_ms = loop.now_ms;
}

/* libuv calls sockets before the loop's own end of sleep: a deadline counted from the old time would have
 * passed. */
static void the_time_is_right_in_the_first_callback_after_a_sleep(void **state)
{
    (void)state;
    struct end server, client;
    union address to;
    struct manual_clock manual;
    manual_clock_init(&manual, 0);
    loop.clock = &manual.clock;
    open_end(&server, "127.0.0.1", false);
    open_end(&client, "127.0.0.1", false);
    server.d.received = note_time;
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    manual_clock_advance(&manual, 10000);
    /* The loop tells by libuv's clock whether it has slept. */
    for (uint64_t began_ms = uv_now(&loop.uv); uv_hrtime() / 1000000 <= began_ms + 1;)
        continue;
    assert_int_equal(datagram_local_address(&server.d, &to), 0);
    assert_int_equal(sendto(client.d.fd, "x", 1, 0, &to.sa, address_length(&to)), 1);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(seen_ms, manual.now_ms);
    loop.clock = &clock_system;
    shut(&server, &client);
}

/* A send buffer that takes one datagram at a time: what does not go stays in order and goes when there is room.
 */
static void a_blocked_socket_keeps_its_datagrams_until_it_is_writable(void **state)
{
    (void)state;
    struct end server, client;
    int pair[2];
    int small = 1;
    open_end(&server, "127.0.0.1", false);
    /* UDP over loopback never blocks; a datagram pair of the local family does when nobody reads. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    client = (struct end){ 0 };
    assert_int_equal(datagram_open(&client.d, set, pair[0], false, on_received, &client), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    unsigned sent = 0, got = 0;
    for (unsigned round = 0; round < 2000 && got < 1000; round++) {
        struct buf room;
        char byte[8];
        while (sent < 1000 && datagram_reserve(&client.d, NULL, NULL, 8, &room)) {
            buf_u16(&room, (uint16_t)sent++);
            datagram_commit(set, room.len);
        }
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        while (recv(pair[1], byte, sizeof byte, 0) == 2)
            assert_int_equal((unsigned char)byte[0] << 8 | (unsigned char)byte[1], got++);
    }
    assert_int_equal(sent, 1000);
    assert_int_equal(got, 1000);
    close(pair[1]);
    shut(&server, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(datagrams_go_there_and_back_in_batches, setup),
        cmocka_unit_test_setup(datagrams_go_over_ipv6, setup),
        cmocka_unit_test_setup(a_wildcard_socket_learns_which_address_was_asked, setup),
        cmocka_unit_test_setup(a_wildcard_socket_learns_the_same_over_ipv6, setup),
        cmocka_unit_test_setup(the_answer_comes_from_the_address_that_was_asked, setup),
        cmocka_unit_test_setup(a_datagram_longer_than_the_buffers_is_marked_as_cut, setup),
        cmocka_unit_test_setup(what_the_kernel_refuses_is_lost_and_the_rest_goes, setup),
        cmocka_unit_test_setup(a_full_queue_is_sent_at_once, setup),
        cmocka_unit_test_setup(the_time_is_right_in_the_first_callback_after_a_sleep, setup),
        cmocka_unit_test_setup(a_blocked_socket_keeps_its_datagrams_until_it_is_writable, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
