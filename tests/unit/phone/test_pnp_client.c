#include "tests/unit/test.h"

#include "net/multicast.h"
#include "phone/pnp_client.h"

#include <arpa/inet.h>

/* A server of a few lines on loopback: says 200 and NOTIFY to whoever asks. */
static struct loop loop;
static struct datagram_set *set;
static struct datagram server;
static struct multicast *group;
static union address server_address;
static struct identity id;
static struct {
    const char *url; /* NULL: silence */
    unsigned asked, answered, done, closed;
    unsigned heard;
    bool found, stop_when_answered;
    char text[600];
    size_t len;
    const char *why;
    union address from;
} s;

static void notify(const struct datagram_in *in, const struct sip_message *m)
{
    struct buf room;
    struct sip_source source = { SLICE("127.0.0.1"), address_port(&in->from) };
    struct sip_request r = { SIP_METHOD_NOTIFY, m->contact.text, SLICE("127.0.0.1:1"), SLICE("z9hG4bKs"),
                             m->field[SIP_FIELD_TO], m->field[SIP_FIELD_FROM], m->field[SIP_FIELD_CALL_ID], 2,
                             SLICE_NONE };
    assert_true(datagram_reserve(&server, &in->from, NULL, 2000, &room));
    sip_put_answer(&room, m, 200, SLICE("t"), &source);
    sip_put_end(&room, SLICE_NONE, SLICE_NONE);
    datagram_commit(set, room.len);
    assert_true(datagram_reserve(&server, &in->from, NULL, 2000, &room));
    sip_put_request(&room, &r);
    sip_put_end(&room, SLICE("application/url"), slice_str(s.url));
    assert_true(buf_ok(&room));
    datagram_commit(set, room.len);
}

static void on_received(struct datagram *d, const struct datagram_in *in, size_t count)
{
    (void)d;
    for (size_t i = 0; i < count; i++) {
        struct arena a;
        struct sip_message m;
        const char *reason;
        arena_init(&a, SIP_READ_BYTES_MAX);
        assert_true(sip_read(in[i].bytes, &a, &m, &reason));
        s.asked += m.method == SIP_METHOD_SUBSCRIBE && !m.status;
        s.answered += m.status == 200;
        if (!m.status && s.url)
            notify(&in[i], &m);
        arena_free(&a);
    }
    if (s.stop_when_answered && s.answered)
        loop_stop(&loop);
}

static void on_done(void *context, const struct pnp_client_result *r)
{
    assert_ptr_equal(context, &s);
    s.done++;
    s.found = r->found;
    s.len = r->url.len;
    memcpy(s.text, r->url.ptr, r->url.len);
    s.why = r->why;
    s.from = r->from;
    if (!s.stop_when_answered)
        loop_stop(&loop);
}

static void no_change(void *context, struct slice interface, bool joined, int error)
{
    (void)context, (void)interface, (void)joined;
    assert_int_equal(error, 0);
}

static void on_closed(struct datagram *d)
{
    (void)d;
    s.closed++;
}

static int setup(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    union address any = { .v4 = { .sin_family = AF_INET } };
    id = (struct identity){ { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x6e } }, model_find(SLICE("T46S")),
                            { { 66, 84, 0, 15 } } };
    assert_int_equal(loop_open(&loop, &clock_system, NULL, NULL), 0);
    assert_int_equal(datagram_set_open(&loop, PNP_MESSAGE_BYTES_MAX + 1, &set), 0);
    int fd = datagram_bind(&any);
    assert_true(fd >= 0);
    assert_int_equal(datagram_open(&server, set, fd, true, on_received, NULL), 0);
    assert_int_equal(datagram_local_address(&server, &server_address), 0);
    struct multicast_options o = { fd, { inet_addr(PNP_GROUP_HOST) }, SLICE("lo"), no_change, NULL };
    return multicast_open(&loop, &o, &group);
}

/* Every search ended by stopping the loop at once: nothing that it left open may keep the loop from closing. */
static int teardown(void **state)
{
    (void)state;
    multicast_close(group, NULL, NULL);
    datagram_close(&server, on_closed);
    loop_close(&loop);
    assert_int_equal(s.closed, 1);
    datagram_set_close(set);
    return 0;
}

static struct pnp_client_options options_to(const char *host)
{
    struct pnp_client_options o = { .id = &id, .timeout_ms = 3000 };
    assert_true(address_parse(SLICE("127.0.0.1"), 0, &o.local));
    assert_true(address_parse(slice_str(host), address_port(&server_address), &o.destination));
    return o;
}

static void ask(const struct pnp_client_options *o)
{
    struct pnp_client *c;
    assert_int_equal(pnp_client_start(&loop, o, on_done, &s, &c), 0);
    assert_int_equal(s.done, 0);
    loop_run(&loop);
}

static void the_group_is_asked_and_the_url_comes(void **state)
{
    (void)state;
    struct pnp_client_options o = options_to(PNP_GROUP_HOST);
    s.url = "https://10.2.1.199/$PN/";
    s.stop_when_answered = true;
    ask(&o);
    assert_int_equal(s.asked, 1);
    assert_int_equal(s.answered, 1);
    assert_int_equal(s.done, 1);
    assert_true(s.found);
    assert_slice(slice_of(s.text, s.len), "https://10.2.1.199/$PN/");
    assert_int_equal(address_port(&s.from), address_port(&server_address));
}

static void one_host_can_be_asked_from_an_address_that_routes_give(void **state)
{
    (void)state;
    struct pnp_client_options o = options_to("127.0.0.1");
    o.local = (union address){ 0 };
    o.set = set;
    s.url = "http://h/";
    ask(&o);
    assert_true(s.found);
}

static void silence_is_told_after_the_time_out(void **state)
{
    (void)state;
    struct pnp_client_options o = options_to("127.0.0.1");
    o.timeout_ms = 20;
    ask(&o);
    assert_int_equal(s.done, 1);
    assert_false(s.found);
    assert_string_equal(s.why, "nobody answered");
}

static void on_heard(void *context, const union address *from, struct slice url)
{
    assert_ptr_equal(context, &s);
    assert_int_equal(address_port(from), address_port(&server_address));
    assert_slice(url, "http://h/");
    s.heard++;
}

static void who_hears_all_listens_to_the_end(void **state)
{
    (void)state;
    struct pnp_client_options o = options_to("127.0.0.1");
    o.timeout_ms = 50;
    o.heard = on_heard;
    s.url = "http://h/";
    ask(&o);
    assert_int_equal(s.heard, 1);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.answered, 1);
    assert_true(s.found);
}

static void cancelled_it_says_nothing(void **state)
{
    (void)state;
    struct pnp_client *c;
    struct pnp_client_options o = options_to("127.0.0.1");
    s.url = "http://h/";
    assert_int_equal(pnp_client_start(&loop, &o, on_done, &s, &c), 0);
    pnp_client_cancel(c);
    for (unsigned i = 0; i < 5; i++)
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(s.done, 0);
}

static void an_address_that_is_not_ours_is_an_error(void **state)
{
    (void)state;
    struct pnp_client *c;
    struct pnp_client_options o = options_to("127.0.0.1");
    assert_true(address_parse(SLICE("192.0.2.1"), 0, &o.local));
    assert_true(pnp_client_start(&loop, &o, on_done, &s, &c) < 0);
    assert_true(address_parse(SLICE("::1"), 0, &o.local));
    assert_true(pnp_client_start(&loop, &o, on_done, &s, &c) < 0);
}

#define client_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        client_test(the_group_is_asked_and_the_url_comes),
        client_test(one_host_can_be_asked_from_an_address_that_routes_give),
        client_test(silence_is_told_after_the_time_out),
        client_test(who_hears_all_listens_to_the_end),
        client_test(cancelled_it_says_nothing),
        client_test(an_address_that_is_not_ours_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
