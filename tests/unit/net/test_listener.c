#include "tests/unit/test.h"

#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop loop;
static struct listener listener;
static union address at;
static unsigned accepted, closed, ready;

static void on_accepted(struct listener *l, int fd, const union address *peer)
{
    (void)l;
    (void)peer;
    accepted++;
    close(fd);
}

static void on_closed(struct listener *l)
{
    (void)l;
    closed++;
}

static void on_ready(struct stream *s)
{
    (void)s;
    ready++;
}

static void on_stream_closed(struct stream *s)
{
    (void)s;
}

static void turn(void)
{
    for (unsigned i = 0; i < 5; i++)
        uv_run(&loop.uv, UV_RUN_NOWAIT);
}

static int setup(void **state)
{
    int fd;
    (void)state;
    accepted = closed = ready = 0;
    listener = (struct listener){ .accepted = on_accepted, .closed = on_closed, .speaks_first = true };
    assert_int_equal(loop_open(&loop, &clock_system, NULL, NULL), 0);
    assert_true(address_parse(SLICE("127.0.0.1"), 0, &at));
    assert_int_equal(socket_bind(SOCK_STREAM, &at, &fd), 0);
    assert_int_equal(listener_open(&listener, &loop, fd), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    turn();
    assert_int_equal(closed, 1);
    loop_close(&loop);
    return 0;
}

/* 0 or the errno of a client. */
static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    int error = connect(fd, &at.sa, sizeof at.v4) < 0 ? errno : 0;
    close(fd);
    return error;
}

static void who_waits_when_it_stops_is_accepted_and_who_comes_later_is_refused(void **state)
{
    (void)state;
    assert_int_equal(dial(), 0);
    assert_int_equal(dial(), 0);
    listener_stop(&listener);
    assert_int_equal(accepted, 2);
    assert_int_equal(dial(), ECONNREFUSED);
    listener_stop(&listener);
    turn();
    assert_int_equal(closed, 0);
    listener_close(&listener);
    assert_int_equal(accepted, 2);
}

static void while_it_is_stopped_its_successor_may_have_the_port(void **state)
{
    int fd;
    (void)state;
    listener_stop(&listener);
    assert_int_equal(socket_probe(SOCK_STREAM, &at), 0);
    assert_int_equal(socket_bind(SOCK_STREAM, &at, &fd), 0);
    assert_int_equal(dial(), 0);
    close(fd);
    listener_close(&listener);
}

/* libuv takes the number that it knows out of its epoll set, whoever has it by then. */
static void a_connection_that_opens_between_stop_and_close_still_hears_its_peer(void **state)
{
    (void)state;
    static struct stream s; /* lives until the loop has closed it */
    int pair[2];
    listener_stop(&listener);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    stream_open(&s, &loop, pair[0], on_ready, on_stream_closed);
    assert_int_equal(stream_wait(&s, UV_READABLE), 0);
    turn();
    listener_close(&listener);
    assert_int_equal(write(pair[1], "x", 1), 1);
    turn();
    stream_close(&s, false);
    close(pair[1]);
    assert_true(ready > 0);
}

int main(void)
{
#define listener_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        listener_test(who_waits_when_it_stops_is_accepted_and_who_comes_later_is_refused),
        listener_test(while_it_is_stopped_its_successor_may_have_the_port),
        listener_test(a_connection_that_opens_between_stop_and_close_still_hears_its_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
