#include "tests/unit/test.h"

#include "proto/udp4.h"

static struct slice build(struct buf *out, struct slice payload)
{
    struct udp4 d = { 0xc0000201, 0xffffffff, 67, 68, payload };
    udp4_put(out, &d);
    assert_true(buf_ok(out));
    return buf_slice(out);
}

static void what_is_built_reads_back(void **state)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    struct udp4 d;
    (void)state;
    struct slice packet = build(&out, SLICE("odd length."));
    assert_int_equal(packet.len, UDP4_HEADER_BYTES + 11);
    assert_true(udp4_parse(packet, true, &d));
    assert_int_equal(d.from, 0xc0000201);
    assert_int_equal(d.to, 0xffffffff);
    assert_int_equal(d.from_port, 67);
    assert_int_equal(d.to_port, 68);
    assert_slice(d.payload, "odd length.");
}

static void checksums_are_those_of_another_program(void **state)
{
    /* 192.0.2.1:67 > 255.255.255.255:68, "ab", built with Python's struct. */
    static const char expected[] = "\x45\x00\x00\x1e\x00\x00\x40\x00\x40\x11\x78\xce\xc0\x00\x02\x01\xff\xff\xff\xff"
                                   "\x00\x43\x00\x44\x00\x0a\xdb\xef" "ab";
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    (void)state;
    struct slice packet = build(&out, SLICE("ab"));
    assert_int_equal(packet.len, sizeof expected - 1);
    assert_memory_equal(packet.ptr, expected, packet.len);
}

static void every_changed_bit_is_noticed(void **state)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct udp4 d;
    (void)state;
    struct slice packet = build(&out, SLICE("payload"));
    for (size_t i = 0; i < packet.len * 8; i++) {
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        assert_false(udp4_parse(packet, true, &d));
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
    }
    assert_true(udp4_parse(packet, true, &d));
    bytes[UDP4_HEADER_BYTES] ^= 1;
    assert_true(udp4_parse(packet, false, &d));
}

static void a_packet_cut_short_is_none(void **state)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct udp4 d;
    (void)state;
    struct slice packet = build(&out, SLICE("payload"));
    for (size_t len = 0; len < packet.len; len++)
        assert_false(udp4_parse(slice_first(packet, len), false, &d));
}

static void what_lies_behind_the_datagram_is_padding(void **state)
{
    char bytes[64] = { 0 };
    struct buf out = BUF_ON(bytes);
    struct udp4 d;
    (void)state;
    build(&out, SLICE("ab"));
    assert_true(udp4_parse(slice_of(bytes, 46), true, &d));
    assert_slice(d.payload, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_reads_back),
        cmocka_unit_test(checksums_are_those_of_another_program),
        cmocka_unit_test(every_changed_bit_is_noticed),
        cmocka_unit_test(a_packet_cut_short_is_none),
        cmocka_unit_test(what_lies_behind_the_datagram_is_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
