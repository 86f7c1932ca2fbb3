#include "tests/unit/test.h"

#include "proto/dhcp6.h"

static const uint8_t mac[6] = { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 };

static void what_is_built_reads_back(void **state)
{
    static const uint16_t wanted[] = { 59, 200 };
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    struct dhcp6_message m;
    struct slice value;
    (void)state;
    dhcp6_put_header(&out, DHCP6_INFORMATION_REQUEST, 0xabcdef);
    dhcp6_put_client_id(&out, mac);
    dhcp6_put_elapsed(&out, 12345);
    dhcp6_put_requested(&out, wanted, 2);
    dhcp6_put_vendor_class(&out, 4242, SLICE("yealink"));
    assert_true(buf_ok(&out) && dhcp6_parse(buf_slice(&out), &m));
    assert_int_equal(m.type, DHCP6_INFORMATION_REQUEST);
    assert_int_equal(m.xid, 0xabcdef);
    assert_true(dhcp6_value(&m, DHCP6_CLIENT_ID, &value));
    assert_int_equal(value.len, 10);
    assert_memory_equal(value.ptr, "\0\3\0\1\0\x15\x65\x74\xb1\x50", 10);
    assert_true(dhcp6_value(&m, DHCP6_ELAPSED, &value));
    assert_memory_equal(value.ptr, "\x04\xd2", 2);
    assert_true(dhcp6_value(&m, DHCP6_REQUESTED, &value));
    assert_int_equal(value.len, 4);
    assert_memory_equal(value.ptr, "\0\x3b\0\xc8", 4);
    assert_true(dhcp6_value(&m, DHCP6_VENDOR_CLASS, &value));
    assert_int_equal(value.len, 13);
    assert_memory_equal(value.ptr, "\0\0\x10\x92\0\7yealink", 13);
    assert_false(dhcp6_value(&m, DHCP6_BOOTFILE_URL, &value));
    assert_int_equal(dhcp6_status(&m), 0);
}

static void elapsed_time_stops_at_its_ceiling(void **state)
{
    char bytes[8];
    struct buf out = BUF_ON(bytes);
    (void)state;
    dhcp6_put_elapsed(&out, UINT64_MAX);
    assert_memory_equal(bytes + 4, "\xff\xff", 2);
}

/* security.md R19. */
static void a_length_past_the_end_makes_the_message_malformed(void **state)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct dhcp6_message m;
    (void)state;
    dhcp6_put_header(&out, DHCP6_REPLY, 1);
    dhcp6_put_option(&out, DHCP6_BOOTFILE_URL, SLICE("http://[2001:db8::1]/"));
    struct slice whole = buf_slice(&out);
    assert_true(dhcp6_parse(whole, &m));
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(dhcp6_parse(slice_first(whole, len), &m), len == 4);
    bytes[7]++;
    assert_false(dhcp6_parse(whole, &m));
}

static void of_repeats_the_first_counts(void **state)
{
    char bytes[4096];
    struct buf out = BUF_ON(bytes);
    struct dhcp6_message m;
    struct slice value;
    (void)state;
    dhcp6_put_header(&out, DHCP6_REPLY, 1);
    dhcp6_put_option(&out, DHCP6_BOOTFILE_URL, SLICE("http://a/"));
    for (int i = 0; i < 200; i++)
        dhcp6_put_option(&out, DHCP6_BOOTFILE_URL, SLICE("http://b/"));
    assert_true(buf_ok(&out) && dhcp6_parse(buf_slice(&out), &m));
    assert_true(dhcp6_value(&m, DHCP6_BOOTFILE_URL, &value));
    assert_slice(value, "http://a/");
    assert_int_equal(dhcp6_count(&m, DHCP6_BOOTFILE_URL), 201);
}

static void a_status_is_read_and_one_cut_short_is_no_success(void **state)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct dhcp6_message m;
    (void)state;
    dhcp6_put_header(&out, DHCP6_REPLY, 1);
    dhcp6_put_option(&out, DHCP6_STATUS, SLICE("\0\5no"));
    assert_true(dhcp6_parse(buf_slice(&out), &m));
    assert_int_equal(dhcp6_status(&m), 5);
    out.len = 4;
    dhcp6_put_option(&out, DHCP6_STATUS, SLICE("\0"));
    assert_true(dhcp6_parse(buf_slice(&out), &m));
    assert_int_equal(dhcp6_status(&m), UINT16_MAX);
}

static void a_relays_message_is_not_ours(void **state)
{
    struct dhcp6_message m;
    (void)state;
    assert_false(dhcp6_parse(SLICE("\x0d\0\0\0"), &m));
    assert_false(dhcp6_parse(SLICE("\x0c\0\0\0"), &m));
    assert_false(dhcp6_parse(SLICE("\0\0\0\0"), &m));
    assert_true(dhcp6_parse(SLICE("\7\0\0\0"), &m));
}

static void a_value_that_no_length_can_say_is_refused(void **state)
{
    static char bytes[70000], text[65536];
    struct buf out = BUF_ON(bytes);
    (void)state;
    dhcp6_put_option(&out, 200, slice_of(text, sizeof text));
    assert_false(buf_ok(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_reads_back),
        cmocka_unit_test(elapsed_time_stops_at_its_ceiling),
        cmocka_unit_test(a_length_past_the_end_makes_the_message_malformed),
        cmocka_unit_test(of_repeats_the_first_counts),
        cmocka_unit_test(a_status_is_read_and_one_cut_short_is_no_success),
        cmocka_unit_test(a_relays_message_is_not_ours),
        cmocka_unit_test(a_value_that_no_length_can_say_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
