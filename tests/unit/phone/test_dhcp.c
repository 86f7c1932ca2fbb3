#include "tests/dhcp_fakes.h"

#include "base/url.h"
#include "phone/dhcp_answer.h"

#include <errno.h>

/* What a server's options, put by `put`, come to. */
static struct dhcp_answer *answer_to(struct arena *arena, void (*put)(struct buf *out), const char *custom)
{
    static char bytes[60000];
    struct buf out = BUF_ON(bytes);
    struct sent question = { .m = { .xid = 7 } };
    struct dhcp_options options = { .v4 = true };
    struct dhcp4_message m;
    assert_true(option_list_parse(slice_str(custom), false, &options.custom4));
    fake_begin(&out, &question, DHCP4_OFFER, FAKE_SERVER, FAKE_ADDRESS);
    put(&out);
    dhcp4_put_end(&out);
    assert_true(buf_ok(&out));
    assert_int_equal(dhcp4_parse(buf_slice(&out), &m), DHCP4_FINE);
    struct dhcp_answer *a = dhcp_answer_of4(&m, &options, arena);
    assert_non_null(a);
    return a;
}

static void put_all(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_VENDOR, SLICE("\1\x0bhttp://v43/"));
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("10.0.0.1"));
    dhcp4_put_option(out, 160, SLICE("http://unasked/"));
    dhcp4_put_option(out, 161, SLICE("some bytes"));
    dhcp4_put_option(out, 128, SLICE("https://custom/"));
}

static void an_answer_lists_what_a_phone_looks_at_best_first(void **state)
{
    struct dhcp_answer *a = answer_to(*state, put_all, "128");
    assert_int_equal(a->count, 4);
    assert_int_equal(a->findings[0].code, 128);
    assert_int_equal(a->findings[1].code, 66);
    assert_int_equal(a->findings[2].code, 43);
    /* Where a phone would not look, but somebody put a URL. */
    assert_int_equal(a->findings[3].code, 160);
    assert_slice(a->winner->url, "https://custom/");
    assert_int_equal(a->server, FAKE_SERVER);
    assert_int_equal(a->offered, FAKE_ADDRESS);
    assert_true(!a->cut && !a->repeated);
    a = answer_to(*state, put_all, "");
    assert_slice(a->winner->url, "tftp://10.0.0.1/");
}

/* --- security.md R19: values are bytes --- */

static void put_shell(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("x`touch /tmp/owned`;$(reboot)|x"));
}

static void put_format(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("http://%n%n%s%s/%1000000d"));
}

static void put_controls(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("http://h/\r\nSet-Cookie: x\x1b[2J"));
}

static void put_short(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE(""));
    dhcp4_put_option(out, DHCP4_VENDOR, SLICE("\1"));
}

static void put_bomb(struct buf *out)
{
    for (int i = 0; i < 200; i++)
        dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("http://h/%s$(reboot)/"));
}

static void put_doubled(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("http://h/"));
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("http://h/"));
}

static void put_cut(struct buf *out)
{
    dhcp4_put_option(out, DHCP4_TFTP_SERVER, SLICE("http://h/"));
    buf_text(out, slice_of("\x80\xff", 2));
}

static void r19_hostile_options_give_no_url_and_their_reason(void **state)
{
    static const struct {
        void (*put)(struct buf *out);
        enum option_verdict verdict;
    } table[] = { { put_shell, OPTION_NO_URL }, { put_controls, OPTION_CONTROL },
                  { put_short, OPTION_EMPTY },  { put_bomb, OPTION_LONG } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct dhcp_answer *a = answer_to(*state, table[i].put, "");
        assert_null(a->winner);
        assert_int_equal(a->findings[0].verdict, table[i].verdict);
        assert_true(a->findings[0].value.len <= URL_BYTES_MAX);
    }
    /* `%` may stand in a host for an IPv6 zone; it is a name that nobody has, and it stays one. */
    struct dhcp_answer *a = answer_to(*state, put_format, "");
    assert_slice(a->winner->url, "http://%n%n%s%s/%1000000d/");
}

static void r19_what_a_server_says_twice_or_cuts_short_is_noticed(void **state)
{
    struct dhcp_answer *a = answer_to(*state, put_doubled, "");
    assert_int_equal(a->repeated, DHCP4_TFTP_SERVER);
    assert_slice(a->findings[0].url, "http://h/http://h/");
    a = answer_to(*state, put_cut, "");
    assert_true(a->cut);
    assert_slice(a->winner->url, "http://h/");
}

static void a_server_of_ipv6_that_refuses_says_its_status(void **state)
{
    char bytes[128];
    struct buf out = BUF_ON(bytes);
    struct dhcp_options options = { .v6 = true };
    struct dhcp6_message m;
    dhcp6_put_header(&out, DHCP6_REPLY, 1);
    dhcp6_put_option(&out, DHCP6_STATUS, SLICE("\0\1"));
    dhcp6_put_option(&out, DHCP6_BOOTFILE_URL, SLICE("http://[2001:db8::1]/x.cfg\0"));
    assert_true(dhcp6_parse(buf_slice(&out), &m));
    struct dhcp_answer *a = dhcp_answer_of6(&m, &options, *state);
    assert_int_equal(a->status, 1);
    assert_slice(a->winner->url, "http://[2001:db8::1]/x.cfg");
}

static void without_memory_there_is_no_answer(void **state)
{
    struct arena small;
    struct dhcp_options options = { .v6 = true };
    struct dhcp6_message m = { .type = DHCP6_REPLY };
    (void)state;
    arena_init(&small, 8);
    assert_null(dhcp_answer_of6(&m, &options, &small));
    arena_free(&small);
}

/* --- what is refused before anything is sent --- */

static int start(struct net *n)
{
    return dhcp_client_start(&n->loop, &n->options, fake_done, n, &n->client);
}

static void no_address_is_ever_taken_on_a_hosts_interface(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 1);
    (void)state;
    n->options.interface.mac[0] = 0x02;
    assert_int_equal(start(n), -EPERM);
    n->options.mode = DHCP_PROBE;
    assert_int_equal(start(n), 0);
    fake_run(n, 31000);
    assert_int_equal(fake_count(n, DHCP4_REQUEST) + n->configured, 0);
    fake_free(n);
}

static void inform_needs_an_address_and_a_search_needs_a_family(void **state)
{
    struct net *n = fake_open(DHCP_INFORM, 1);
    (void)state;
    assert_int_equal(start(n), -EADDRNOTAVAIL);
    n->options.v4 = false;
    assert_int_equal(start(n), -EINVAL);
    n->options.v6 = true;
    assert_int_equal(start(n), 0);
    fake_free(n);
}

static void a_vendor_class_longer_than_an_option_is_refused(void **state)
{
    static char longer[256];
    struct net *n = fake_open(DHCP_PROBE, 1);
    (void)state;
    memset(longer, 'y', sizeof longer);
    n->options.vendor_class = slice_of(longer, sizeof longer);
    assert_int_equal(start(n), -EINVAL);
    free(n);
}

static void texts_of_the_options_may_be_forgotten_after_the_start(void **state)
{
    char class[] = "yealink", bytes[32];
    struct buf out = BUF_ON(bytes);
    struct net *n = fake_open(DHCP_LEASE, 1);
    (void)state;
    n->options.vendor_class = slice_of(class, sizeof class - 1);
    assert_int_equal(start(n), 0);
    memset(class, 'x', sizeof class);
    fake_run(n, 100);
    assert_true(dhcp4_value(&n->sent[0].m, DHCP4_VENDOR_CLASS, &out));
    assert_slice(buf_slice(&out), "yealink");
    fake_free(n);
}

static void a_search_can_be_ended_before_it_is_over(void **state)
{
    struct net *n = fake_open(DHCP_LEASE, 1);
    (void)state;
    assert_int_equal(start(n), 0);
    fake_run(n, 100);
    assert_int_equal(n->sent_count, 1);
    dhcp_client_stop(n->client);
    n->client = NULL;
    fake_run(n, 60000);
    assert_int_equal(n->sent_count, 1);
    assert_int_equal(n->done, 0);
    fake_free(n);
}

static void stop_at_once(void *context, const struct dhcp_result *result)
{
    struct net *n = context;
    fake_done(context, result);
    dhcp_client_stop(n->client);
    n->client = NULL;
}

static void plain_server(struct net *n, const struct sent *s)
{
    fake_serve(n, s, FAKE_SERVER, FAKE_ADDRESS, "http://h/");
}

static void who_is_told_may_end_it_there(void **state)
{
    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        struct net *n = fake_open(DHCP_LEASE, 1);
        n->serve = answered ? plain_server : NULL;
        assert_int_equal(dhcp_client_start(&n->loop, &n->options, stop_at_once, n, &n->client), 0);
        fake_run(n, 31000);
        assert_int_equal(n->done, 1);
        assert_true(n->closed);
        fake_free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(an_answer_lists_what_a_phone_looks_at_best_first),
        test_with_arena(r19_hostile_options_give_no_url_and_their_reason),
        test_with_arena(r19_what_a_server_says_twice_or_cuts_short_is_noticed),
        test_with_arena(a_server_of_ipv6_that_refuses_says_its_status),
        cmocka_unit_test(without_memory_there_is_no_answer),
        cmocka_unit_test(no_address_is_ever_taken_on_a_hosts_interface),
        cmocka_unit_test(inform_needs_an_address_and_a_search_needs_a_family),
        cmocka_unit_test(a_vendor_class_longer_than_an_option_is_refused),
        cmocka_unit_test(texts_of_the_options_may_be_forgotten_after_the_start),
        cmocka_unit_test(a_search_can_be_ended_before_it_is_over),
        cmocka_unit_test(who_is_told_may_end_it_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
