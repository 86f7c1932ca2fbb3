#include "tests/unit/test.h"

#include "proto/tftp.h"

/* A literal with NULs inside; its own last NUL does not count. */
#define BYTES(literal) slice_of((literal), sizeof(literal) - 1)

static struct tftp_packet fine(struct slice datagram)
{
    struct tftp_packet p;
    assert_int_equal(tftp_parse(datagram, &p), TFTP_FINE);
    return p;
}

static enum tftp_fault fault(struct slice datagram)
{
    struct tftp_packet p;
    return tftp_parse(datagram, &p);
}

static void a_phones_request_is_read(void **state)
{
    (void)state;
    /* facts.md 5.7: name without a slash, octet, blksize 1432 and nothing else. */
    struct tftp_packet p = fine(BYTES("\0\1y000000000000.boot\0octet\0blksize\0"
                                      "1432\0"));
    assert_int_equal(p.opcode, TFTP_RRQ);
    assert_slice(p.name, "y000000000000.boot");
    assert_int_equal(p.mode, TFTP_OCTET);
    assert_true(p.options.has_blksize);
    assert_int_equal(p.options.blksize, 1432);
    assert_false(p.options.has_timeout || p.options.has_tsize || p.options.has_windowsize ||
                 p.options.malformed);
}

static void modes_and_option_names_are_read_without_case(void **state)
{
    (void)state;
    struct tftp_packet p = fine(BYTES("\0\2a\0NetASCII\0TSize\0"
                                      "17\0WINDOWSIZE\0"
                                      "8\0Timeout\0"
                                      "3\0"));
    assert_int_equal(p.opcode, TFTP_WRQ);
    assert_int_equal(p.mode, TFTP_NETASCII);
    assert_int_equal(p.options.tsize, 17);
    assert_int_equal(p.options.windowsize, 8);
    assert_int_equal(p.options.timeout_s, 3);
    assert_int_equal(fine(BYTES("\0\1a\0OCTET\0")).mode, TFTP_OCTET);
}

static void R15_every_text_must_end_inside_the_datagram(void **state)
{
    (void)state;
    static const char whole[] = "\0\1file.cfg\0octet\0blksize\0"
                                "1024\0";
    size_t full = sizeof whole - 1;
    for (size_t len = 0; len <= full; len++) {
        /* A copy of exactly that length, so that a sanitizer sees a byte too far. */
        char *copy = malloc(len + 1);
        struct tftp_packet p;
        memcpy(copy, whole, len);
        enum tftp_fault got = tftp_parse(slice_of(copy, len), &p);
        bool complete = len == full || len == 17;
        assert_int_equal(got == TFTP_FINE, complete);
        if (!complete)
            assert_int_equal(got, TFTP_TRUNCATED);
        if (len >= 2)
            assert_int_equal(p.opcode, TFTP_RRQ);
        free(copy);
    }
}

static void R15_long_names_are_refused_and_so_are_long_requests(void **state)
{
    (void)state;
    char text[1024];
    struct buf b = buf_on(text, sizeof text);
    buf_u16(&b, TFTP_RRQ);
    for (int i = 0; i < TFTP_NAME_BYTES_MAX; i++)
        buf_byte(&b, 'n');
    size_t end = b.len;
    buf_bytes(&b, "\0octet", 7);
    struct tftp_packet p = fine(buf_slice(&b));
    assert_int_equal(p.name.len, TFTP_NAME_BYTES_MAX);

    b.len = end;
    buf_byte(&b, 'n');
    buf_bytes(&b, "\0octet", 7);
    assert_int_equal(tftp_parse(buf_slice(&b), &p), TFTP_LONG_NAME);
    assert_int_equal(p.name.len, TFTP_NAME_BYTES_MAX);

    b.len = 2;
    buf_bytes(&b, "f\0octet", 8);
    while (b.len < TFTP_REQUEST_BYTES_MAX)
        buf_byte(&b, '\0');
    assert_int_equal(fault(buf_slice(&b)), TFTP_FINE);
    buf_byte(&b, '\0');
    assert_int_equal(tftp_parse(buf_slice(&b), &p), TFTP_LONG_REQUEST);
    assert_slice(p.name, "f");
}

static void requests_without_a_name_or_with_another_mode_are_refused(void **state)
{
    (void)state;
    assert_int_equal(fault(BYTES("\0\1\0octet\0")), TFTP_NO_NAME);
    assert_int_equal(fault(BYTES("\0\1a\0mail\0")), TFTP_UNKNOWN_MODE);
    assert_int_equal(fault(BYTES("\0\1a\0octets\0")), TFTP_UNKNOWN_MODE);
    assert_int_equal(fault(BYTES("\0\1a\0\0")), TFTP_UNKNOWN_MODE);
    assert_int_equal(fault(BYTES("\0\0a\0octet\0")), TFTP_UNKNOWN_OPCODE);
    assert_int_equal(fault(BYTES("\0\7a\0octet\0")), TFTP_UNKNOWN_OPCODE);
    assert_int_equal(fault(BYTES("\1\1a\0octet\0")), TFTP_UNKNOWN_OPCODE);
    assert_int_equal(fault(SLICE_NONE), TFTP_TRUNCATED);
}

static struct tftp_options option(const char *name, const char *value)
{
    char text[256];
    struct buf b = BUF_ON(text);
    buf_bytes(&b, "\0\1f\0octet", 10);
    buf_bytes(&b, name, strlen(name) + 1);
    buf_bytes(&b, value, strlen(value) + 1);
    return fine(buf_slice(&b)).options;
}

static void R14_R31_option_values_are_strict_decimals_in_range(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool taken;
    } cases[] = {
        { "blksize", "8", true },
        { "blksize", "7", false },
        { "blksize", "65464", true },
        { "blksize", "65465", false },
        { "blksize", "0", false },
        { "blksize", "-1", false },
        { "blksize", "+512", false },
        { "blksize", " 512", false },
        { "blksize", "512x", false },
        { "blksize", "", false },
        { "blksize", "0x200", false },
        { "blksize", "18446744073709552128", false },
        { "timeout", "1", true },
        { "timeout", "255", true },
        { "timeout", "0", false },
        { "timeout", "256", false },
        { "timeout", "-1", false },
        { "windowsize", "1", true },
        { "windowsize", "65535", true },
        { "windowsize", "0", false },
        { "windowsize", "65536", false },
        { "tsize", "0", true },
        { "tsize", "-1", false },
        { "tsize", "9223372036854775807", true },
        { "tsize", "9223372036854775808", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tftp_options o = option(cases[i].name, cases[i].value);
        if (tftp_options_any(&o) != cases[i].taken)
            fail_msg("%s=%s", cases[i].name, cases[i].value);
        assert_int_equal(o.malformed, !cases[i].taken);
    }
}

static void unknown_options_are_ignored_and_the_first_of_two_counts(void **state)
{
    (void)state;
    struct tftp_options o = option("utimeout", "4294967295");
    assert_false(tftp_options_any(&o) || o.malformed);
    o = fine(BYTES("\0\1f\0octet\0blksize\0"
                   "1000\0blksize\0"
                   "2000\0"))
            .options;
    assert_int_equal(o.blksize, 1000);
    o = fine(BYTES("\0\1f\0octet\0blksize\0"
                   "x\0blksize\0"
                   "2000\0"))
            .options;
    assert_false(o.has_blksize);
    /* Padding of a boot loader. */
    o = fine(BYTES("\0\1f\0octet\0tsize\0"
                   "0\0\0\0\0"))
            .options;
    assert_true(o.has_tsize);
}

static void R14_only_what_will_be_honoured_is_answered(void **state)
{
    (void)state;
    struct tftp_packet p = fine(BYTES("\0\1f\0octet\0blksize\0"
                                      "65464\0timeout\0"
                                      "9\0windowsize\0"
                                      "65535\0tsize\0"
                                      "0\0"));
    struct tftp_ceilings ceilings = { 1428, 16, 0 };
    struct tftp_options o = tftp_answer_options(&p, ceilings, 123456);
    assert_int_equal(o.blksize, 1428);
    assert_int_equal(o.windowsize, 16);
    assert_int_equal(o.timeout_s, 9);
    assert_int_equal(o.tsize, 123456);
    assert_true(tftp_oack_fits(&p.options, &o));

    /* A window of large blocks would overrun the phone's receive buffer. */
    o = tftp_answer_options(&p, (struct tftp_ceilings){ 8192, 64, 65536 }, 1);
    assert_int_equal(o.windowsize, 8);
    o = tftp_answer_options(&p, (struct tftp_ceilings){ 65464, 64, 1000 }, 1);
    assert_int_equal(o.windowsize, 1);

    p = fine(BYTES("\0\1f\0octet\0blksize\0"
                   "-1\0timeout\0"
                   "0\0"));
    o = tftp_answer_options(&p, ceilings, 5);
    assert_false(tftp_options_any(&o));

    /* In netascii the size on the wire is not the file's, and there are no windows. */
    p = fine(BYTES("\0\1f\0netascii\0blksize\0"
                   "100\0windowsize\0"
                   "4\0tsize\0"
                   "0\0"));
    o = tftp_answer_options(&p, ceilings, 5);
    assert_true(o.has_blksize);
    assert_false(o.has_tsize || o.has_windowsize);
}

static void the_size_of_an_empty_file_is_not_answered(void **state)
{
    (void)state;
    struct tftp_packet p = fine(BYTES("\0\1f\0octet\0tsize\0"
                                      "0\0blksize\0"
                                      "512\0"));
    struct tftp_options o = tftp_answer_options(&p, (struct tftp_ceilings){ 1428, 16, 0 }, 0);
    assert_true(o.has_blksize);
    assert_false(o.has_tsize);
}

static void a_client_refuses_an_oack_that_it_did_not_ask_for(void **state)
{
    (void)state;
    struct tftp_options asked = {
        .has_blksize = true, .blksize = 1432, .has_windowsize = true, .windowsize = 4
    };
    struct tftp_options answered = fine(BYTES("\0\6blksize\0"
                                              "1428\0"))
                                       .options;
    assert_true(tftp_oack_fits(&asked, &answered));
    answered = fine(BYTES("\0\6blksize\0"
                          "1433\0"))
                   .options;
    assert_false(tftp_oack_fits(&asked, &answered));
    answered = fine(BYTES("\0\6windowsize\0"
                          "5\0"))
                   .options;
    assert_false(tftp_oack_fits(&asked, &answered));
    answered = fine(BYTES("\0\6timeout\0"
                          "1\0"))
                   .options;
    assert_false(tftp_oack_fits(&asked, &answered));
    answered = fine(BYTES("\0\6tsize\0"
                          "1\0"))
                   .options;
    assert_false(tftp_oack_fits(&asked, &answered));
    answered = fine(BYTES("\0\6blksize\0"
                          "7\0"))
                   .options;
    assert_false(tftp_oack_fits(&asked, &answered));
    assert_int_equal(fault(BYTES("\0\6blksize\0"
                                 "14")),
                     TFTP_TRUNCATED);
}

static void what_is_built_is_read_back(void **state)
{
    (void)state;
    char text[600];
    struct tftp_options o = { .has_blksize = true,
                              .blksize = 65464,
                              .has_timeout = true,
                              .timeout_s = 255,
                              .has_tsize = true,
                              .tsize = TFTP_TSIZE_MAX,
                              .has_windowsize = true,
                              .windowsize = 65535 };
    struct buf b = BUF_ON(text);
    tftp_put_request(&b, TFTP_RRQ, SLICE("a/b.cfg"), TFTP_NETASCII, &o);
    struct tftp_packet p = fine(buf_slice(&b));
    assert_slice(p.name, "a/b.cfg");
    assert_int_equal(p.mode, TFTP_NETASCII);
    assert_true(p.options.tsize == TFTP_TSIZE_MAX);

    b = buf_on(text, TFTP_OACK_BYTES_MAX);
    tftp_put_oack(&b, &o);
    assert_true(buf_ok(&b));
    p = fine(buf_slice(&b));
    assert_int_equal(p.opcode, TFTP_OACK);
    assert_int_equal(p.options.windowsize, 65535);
    assert_int_equal(p.options.timeout_s, 255);

    b = BUF_ON(text);
    tftp_put_data_header(&b, 0xfffe);
    buf_text(&b, SLICE("data"));
    p = fine(buf_slice(&b));
    assert_int_equal(p.opcode, TFTP_DATA);
    assert_int_equal(p.block, 0xfffe);
    assert_slice(p.bytes, "data");

    b = BUF_ON(text);
    tftp_put_ack(&b, 7);
    p = fine(buf_slice(&b));
    assert_int_equal(p.opcode, TFTP_ACK);
    assert_int_equal(p.block, 7);

    b = BUF_ON(text);
    tftp_put_error(&b, TFTP_ERROR_ABSENT, SLICE("absent"));
    p = fine(buf_slice(&b));
    assert_int_equal(p.opcode, TFTP_ERROR);
    assert_int_equal(p.code, 1);
    assert_slice(p.bytes, "absent");
    assert_int_equal(fault(BYTES("\0\3\1")), TFTP_TRUNCATED);
    assert_int_equal(fault(BYTES("\0\4\1")), TFTP_TRUNCATED);
    assert_slice(fine(BYTES("\0\5\0\1no end")).bytes, "no end");
}

static size_t encode_in_blocks(struct slice in, size_t block, char *out)
{
    struct tftp_netascii n = { 0 };
    size_t len = 0, used = 0;
    for (;;) {
        struct buf b = buf_on(out + len, block);
        used += tftp_netascii_encode(&n, slice_from(in, used), &b);
        assert_true(buf_ok(&b));
        len += b.len;
        if (b.len < block)
            return len;
    }
}

static void R16_a_pair_of_netascii_goes_over_the_edge_of_a_block(void **state)
{
    (void)state;
    static const char in[] = "\r\n\n\r\rab\n\r";
    static const char expected[] = "\r\0\r\n\r\n\r\0\r\0ab\r\n\r";
    for (size_t block = 1; block < 24; block++) {
        char out[64], back[64];
        size_t len = encode_in_blocks(BYTES(in), block, out);
        assert_int_equal(len, sizeof expected);
        assert_memory_equal(out, expected, sizeof expected);

        struct tftp_netascii n = { 0 };
        struct buf b = BUF_ON(back);
        for (size_t i = 0; i < len; i += block)
            tftp_netascii_decode(&n, slice_first(slice_of(out + i, len - i), block), &b);
        tftp_netascii_decode_end(&n, &b);
        assert_int_equal(b.len, sizeof in - 1);
        assert_memory_equal(back, in, b.len);
    }
}

static void a_bare_cr_in_netascii_is_kept(void **state)
{
    (void)state;
    char back[16];
    struct tftp_netascii n = { 0 };
    struct buf b = BUF_ON(back);
    tftp_netascii_decode(&n, SLICE("a\rb\r\r\nc\r"), &b);
    tftp_netascii_decode_end(&n, &b);
    assert_slice(buf_slice(&b), "a\rb\r\nc\r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phones_request_is_read),
        cmocka_unit_test(modes_and_option_names_are_read_without_case),
        cmocka_unit_test(R15_every_text_must_end_inside_the_datagram),
        cmocka_unit_test(R15_long_names_are_refused_and_so_are_long_requests),
        cmocka_unit_test(requests_without_a_name_or_with_another_mode_are_refused),
        cmocka_unit_test(R14_R31_option_values_are_strict_decimals_in_range),
        cmocka_unit_test(unknown_options_are_ignored_and_the_first_of_two_counts),
        cmocka_unit_test(R14_only_what_will_be_honoured_is_answered),
        cmocka_unit_test(the_size_of_an_empty_file_is_not_answered),
        cmocka_unit_test(a_client_refuses_an_oack_that_it_did_not_ask_for),
        cmocka_unit_test(what_is_built_is_read_back),
        cmocka_unit_test(R16_a_pair_of_netascii_goes_over_the_edge_of_a_block),
        cmocka_unit_test(a_bare_cr_in_netascii_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
