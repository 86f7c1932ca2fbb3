#include "tests/unit/test.h"

#include "server/ftp_relay.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define INBOXES 2
#define FROM_THREADS 60

static struct loop loop;
static struct ftp_relay *relay;
static struct ftp_inbox *inbox[INBOXES];
static union address at, elsewhere, peer;
static unsigned came[INBOXES], closed;

static void on_came(void *context, int fd, const union address *from)
{
    assert_true(address_eq(from, &peer));
    (*(unsigned *)context)++;
    close(fd);
}

static void on_closed(void *context)
{
    (void)context;
    closed++;
}

static int setup(void **state)
{
    (void)state;
    closed = came[0] = came[1] = 0;
    if (!address_parse(SLICE("127.0.0.1"), 21, &at) || !address_parse(SLICE("127.0.0.1"), 2121, &elsewhere) ||
        !address_parse(SLICE("10.0.0.1"), 4711, &peer) || loop_open(&loop, &clock_system, NULL, NULL) ||
        ftp_relay_open(&relay))
        return -1;
    for (size_t i = 0; i < INBOXES; i++) {
        struct ftp_inbox_owner owner = { on_came, on_closed, &came[i] };
        if (ftp_relay_join(relay, &at, &loop, &owner, &inbox[i]))
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < INBOXES; i++)
        ftp_inbox_close(inbox[i]);
    loop_close(&loop);
    ftp_relay_close(relay);
    return closed == INBOXES ? 0 : -1;
}

static int some_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void pump(void)
{
    for (int i = 0; i < 20; i++)
        uv_run(&loop.uv, UV_RUN_NOWAIT);
}

static void inboxes_of_an_address_have_their_turn_and_no_other_address_gets_any(void **state)
{
    (void)state;
    int fd = some_descriptor();
    assert_false(ftp_relay_give(relay, &elsewhere, fd, &peer));
    close(fd);
    for (int i = 0; i < 10; i++)
        assert_true(ftp_relay_give(relay, &at, some_descriptor(), &peer));
    pump();
    assert_int_equal(came[0], 5);
    assert_int_equal(came[1], 5);
}

static void a_full_inbox_takes_no_more_and_what_waits_is_closed_with_it(void **state)
{
    (void)state;
    int last = -1;
    for (int i = 0; i < INBOXES * FTP_RELAY_WAITING_MAX; i++) {
        last = some_descriptor();
        assert_true(ftp_relay_give(relay, &at, last, &peer));
    }
    int fd = some_descriptor();
    assert_false(ftp_relay_give(relay, &at, fd, &peer));
    pump();
    assert_true(ftp_relay_give(relay, &at, fd, &peer));
    pump();
    assert_int_equal(came[0] + came[1], INBOXES * FTP_RELAY_WAITING_MAX + 1);
    last = some_descriptor();
    assert_true(ftp_relay_give(relay, &at, last, &peer));
    for (size_t i = 0; i < INBOXES; i++)
        ftp_inbox_close(inbox[i]);
    assert_int_equal(fcntl(last, F_GETFD), -1);
    pump();
    assert_int_equal(closed, INBOXES);
    closed = 0;
    for (size_t i = 0; i < INBOXES; i++) {
        struct ftp_inbox_owner owner = { on_came, on_closed, &came[i] };
        assert_int_equal(ftp_relay_join(relay, &at, &loop, &owner, &inbox[i]), 0);
    }
}

static void *give_some(void *context)
{
    (void)context;
    for (int i = 0; i < FROM_THREADS; i++)
        if (!ftp_relay_give(relay, &at, open("/dev/null", O_RDONLY | O_CLOEXEC), &peer))
            return &closed;
    return NULL;
}

static void connections_come_from_any_thread(void **state)
{
    pthread_t threads[3];
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, give_some, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    pump();
    assert_int_equal(came[0] + came[1], 3 * FROM_THREADS);
}

#define relay_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        relay_test(inboxes_of_an_address_have_their_turn_and_no_other_address_gets_any),
        relay_test(a_full_inbox_takes_no_more_and_what_waits_is_closed_with_it),
        relay_test(connections_come_from_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
