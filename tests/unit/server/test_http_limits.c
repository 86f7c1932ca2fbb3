/* The HTTP service under pressure: ceilings, time-outs, peers that stop, the end of the server. */
#include "tests/unit/server/http_harness.h"

static void r12_a_head_must_be_whole_in_time_however_it_drips(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, "GET /slow HTTP/1.1\r\nX: ");
    for (int second = 0; second < 9; second++) {
        advance(s, 1000);
        say(c, "a");
        pump(s);
        hear(c);
        assert_int_equal(c->len, 0);
    }
    assert_false(c->ended);
    advance(s, 1100);
    hear_end(s, c);
    assert_int_equal(hear_answer(s, c, 0), 408);
    const struct journal_event *e = only_event();
    assert_int_equal(e->code, 408);
    assert_int_equal(e->outcome, OUTCOME_REFUSED);
    assert_true(e->duration_ms >= 10000 && e->duration_ms < 10200);
    assert_slice(name_of(e), "/slow");
    hang_up(c);
}

static void r12_an_idle_connection_ends_quietly_after_a_minute(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, "GET /y000000000028.cfg" TAIL "\r\n");
    hear_answer(s, c, 579);
    forget(c);
    advance(s, 59000);
    hear(c);
    assert_false(c->ended);
    /* The next head has its own ten seconds from its first byte. */
    say(c, "GET /nope");
    advance(s, 9000);
    say(c, TAIL "\r\n");
    assert_int_equal(hear_answer(s, c, 22), 404);
    forget(c);
    advance(s, 61000);
    hear_end(s, c);
    assert_int_equal(c->len, 0);
    assert_int_equal(fake_event_count, 2);
    hang_up(c);
}

static void r12_a_reader_that_takes_nothing_is_cut(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    fake_large("T46.rom", 20000000);
    say(c, "GET /T46.rom" TAIL "\r\n");
    hear_bytes(s, c, 1000);
    /* The first check may still see what went into the socket buffers. */
    advance(s, HTTP_SEND_CHECK_S * 1000 + 100);
    advance(s, HTTP_SEND_CHECK_S * 1000 + 100);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_slice(slice_str(e->reason), "took too little for too long");
    assert_int_equal(fake_held, 0);
    hang_up(c);
}

static void r12_a_slow_reader_above_the_floor_is_served_to_the_end(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 4096);
    fake_large("T46.rom", 8000000);
    say(c, "GET /T46.rom" TAIL CLOSE);
    size_t total = 0;
    for (int round = 0; round < 8 && !c->ended; round++) {
        for (size_t taken = 0; taken < 2 * HTTP_SEND_FLOOR_BYTES && !c->ended; taken += c->len) {
            forget(c);
            serve_one_round(s, c);
            total += c->len;
        }
        advance(s, HTTP_SEND_CHECK_S * 1000);
        assert_int_equal(fake_event_count, 0);
    }
    assert_true(total > 8 * HTTP_SEND_FLOOR_BYTES);
    hang_up(c);
}

static void r11_the_oldest_idle_or_unfinished_connection_makes_room(void **state)
{
    struct server *s = *state;
    struct client *c[9];
    s->config.http_peer_connections = 100;
    for (size_t i = 0; i < 8; i++) {
        c[i] = dial(s, 0);
        say(c[i], i == 1 ? "GET /unfinished HTTP/1.1\r\n" : "GET /y000000000028.cfg" TAIL "\r\n");
        if (i == 1)
            advance(s, 10);
        else
            hear_answer(s, c[i], 579);
    }
    fake_event_count = 0;
    c[8] = dial(s, 0);
    say(c[8], "GET /another HTTP/1.1\r\n");
    hear_end(s, c[0]); /* idle for longest: quietly */
    assert_int_equal(fake_event_count, 0);
    say(c[8], "Host: h\r\n\r\n");
    hear_answer(s, c[8], 22);
    hang_up(c[0]);
    c[0] = dial(s, 0);
    fake_event_count = 0;
    say(c[0], "GET /y000000000028.cfg" TAIL "\r\n");
    assert_int_equal(hear_answer(s, c[0], 579), 200);
    hear_end(s, c[1]); /* unfinished for longest: told so */
    assert_int_equal(hear_answer(s, c[1], 0), 503);
    assert_int_equal(fake_event_count, 2);
    for (size_t i = 0; i < 9; i++)
        hang_up(c[i]);
}

static void r11_a_table_full_of_transfers_still_answers(void **state)
{
    struct server *s = *state;
    struct client *c[8], *late;
    s->config.http_peer_connections = 100;
    fake_large("T46.rom", 20000000);
    for (size_t i = 0; i < 8; i++) {
        c[i] = dial(s, 4096);
        say(c[i], "GET /T46.rom" TAIL "\r\n");
        hear_bytes(s, c[i], 1000);
    }
    late = dial(s, 0);
    say(late, "GET /T46.rom" TAIL "\r\n");
    hear_answer(s, late, 0);
    assert_true(has(late, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(has(late, "Retry-After: "));
    hear_end(s, late);
    hang_up(late);
    late = dial(s, 0);
    say(late, "GET /half HTTP/1.1\r\n");
    hear_end(s, late);
    assert_true(has(late, "HTTP/1.1 503 Service Unavailable\r\n"));
    hang_up(late);
    /* What needs no slot is served as ever. */
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE), 200);
    for (size_t i = 0; i < 8; i++)
        hang_up(c[i]);
}

static void r11_one_address_has_its_share_and_no_more(void **state)
{
    struct server *s = *state;
    struct client *c[6], *late;
    for (size_t i = 0; i < 6; i++) {
        c[i] = dial(s, 0);
        say(c[i], "GET /half HTTP/1.1\r\n");
        pump(s);
    }
    late = dial(s, 0);
    say(late, "GET /half HTTP/1.1\r\n");
    hear_end(s, late);
    assert_int_equal(hear_answer(s, late, 0), 503);
    assert_int_equal(only_event()->code, 503);
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE), 200);
    hang_up(late);
    hang_up(c[0]);
    pump(s);
    late = dial(s, 0);
    say(late, "GET /y000000000028.cfg" TAIL "\r\n");
    assert_int_equal(hear_answer(s, late, 579), 200);
    hang_up(late);
    for (size_t i = 1; i < 6; i++)
        hang_up(c[i]);
}

static void out_of_descriptors_accepting_rests_and_goes_on(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    struct rlimit limit, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)c->fd + 1; /* descriptors below are all taken */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    say(c, "GET /y000000000028.cfg" TAIL CLOSE);
    pump(s);
    hear(c);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(c->len, 0);
    assert_false(uv_is_active((uv_handle_t *)&s->service->listener.poll)); /* no spinning */
    advance(s, LISTENER_REST_MS + WHEEL_TICK_MS);
    assert_int_equal(hear_answer(s, c, 579), 200);
    hang_up(c);
}

static void an_answer_is_not_lost_to_a_reset_when_the_peer_still_sends(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    static char more[60000];
    say(c, "PUT /x" TAIL "Content-Length: 1000000\r\n\r\n");
    pump(s);
    for (int i = 0; i < 3; i++) {
        assert_true(send(c->fd, more, sizeof more, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
        pump(s);
    }
    assert_int_equal(hear_answer(s, c, 0), 405);
    hear_end(s, c);
    assert_int_equal(recv(c->fd, more, 1, MSG_DONTWAIT), 0); /* the end, no reset */
    advance(s, HTTP_LINGER_S * 1000 + 100);
    hang_up(c);
}

static void on_drained(void *context)
{
    struct server *s = context;
    assert_false(s->drained);
    s->drained = true;
}

static void draining_finishes_transfers_and_closes_idle_connections(void **state)
{
    struct server *s = *state;
    struct client *idle = dial(s, 0), *half = dial(s, 0), *busy = dial(s, 0);
    size_t total = 0;
    fake_large("T46.rom", 20000000);
    say(idle, "GET /y000000000028.cfg" TAIL "\r\n");
    hear_answer(s, idle, 579);
    say(half, "GET /half");
    pump(s);
    say(busy, "GET /T46.rom" TAIL CLOSE);
    hear_bytes(s, busy, 1000);
    http_service_drain(s->service, on_drained, s);
    hear_end(s, idle);
    hear_end(s, half);
    assert_int_equal(hear_answer(s, half, 0), 503);
    assert_int_equal(fake_event_count, 2);
    assert_int_equal(fake_held, 1);
    assert_false(s->drained);
    for (int i = 0; i < ROUNDS_MAX && !busy->ended; i++) {
        total += busy->len;
        forget(busy);
        serve_one_round(s, busy);
    }
    assert_true(busy->ended && total + busy->len > 20000000);
    pump(s);
    assert_true(s->drained);
    assert_int_equal(fake_event_count, 3);
    hang_up(idle);
    hang_up(half);
    hang_up(busy);
}

static void closing_lets_go_of_everything_under_way(void **state)
{
    struct server *s = *state;
    struct client *busy = dial(s, 4096), *half = dial(s, 0);
    fake_large("T46.rom", 20000000);
    say(busy, "GET /T46.rom" TAIL "\r\n");
    hear_bytes(s, busy, 1000);
    say(half, "GET /half");
    pump(s);
    http_service_close(s->service);
    s->service = NULL;
    assert_int_equal(fake_held, 0);
    assert_int_equal(fake_event_count, 2);
    hang_up(busy);
    hang_up(half);
}

/* Bytes that came to large readers within one round of the loop. */
static size_t taken_in_a_round(struct server *s, struct client **large, size_t count)
{
    static char bytes[1 << 20];
    size_t sum = 0;
    uv_run(&s->worker.loop.uv, UV_RUN_NOWAIT);
    for (size_t i = 0; i < count; i++)
        for (ssize_t n; (n = recv(large[i]->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            sum += (size_t)n;
    return sum;
}

static void large_files_do_not_keep_a_small_one_waiting(void **state)
{
    struct server *s = *state;
    struct client *large[5], *small = dial(s, 0);
    size_t sum = 0;
    unsigned rounds = 0;
    fake_large("T46.rom", 20000000);
    for (size_t i = 0; i < 5; i++) {
        large[i] = dial(s, 0);
        say(large[i], "GET /T46.rom HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (unsigned i = 0; i < 10; i++)
        taken_in_a_round(s, large, 5);
    for (unsigned i = 0; i < 30; i++) {
        size_t taken = taken_in_a_round(s, large, 5);
        assert_in_range(taken, 0, LOOP_TURNS_A_ROUND * STREAM_TURN_BYTES);
        sum += taken;
    }
    assert_true(sum > 30 * STREAM_TURN_BYTES);
    say(small, "GET /y000000000028.cfg HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!hear(small) && rounds++ < 10)
        taken_in_a_round(s, large, 5);
    assert_in_range(rounds, 1, 2);
    assert_int_equal(hear_answer(s, small, sizeof small_bytes), 200);
    hang_up(small);
    for (size_t i = 0; i < 5; i++)
        hang_up(large[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        http_test(r12_a_head_must_be_whole_in_time_however_it_drips),
        http_test(r12_an_idle_connection_ends_quietly_after_a_minute),
        http_test(r12_a_reader_that_takes_nothing_is_cut),
        http_test(r12_a_slow_reader_above_the_floor_is_served_to_the_end),
        http_test(r11_the_oldest_idle_or_unfinished_connection_makes_room),
        http_test(r11_a_table_full_of_transfers_still_answers),
        http_test(r11_one_address_has_its_share_and_no_more),
        http_test(out_of_descriptors_accepting_rests_and_goes_on),
        http_test(an_answer_is_not_lost_to_a_reset_when_the_peer_still_sends),
        http_test(draining_finishes_transfers_and_closes_idle_connections),
        http_test(large_files_do_not_keep_a_small_one_waiting),
        http_test(closing_lets_go_of_everything_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
