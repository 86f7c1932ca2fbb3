/* The write machine step by step, on a wire that keeps what was sent. */
#include "tests/unit/test.h"

#include "server/tftp_upload.h"

static struct {
    struct tftp_wire wire; /* first */
    struct tftp_sink sink;
    char room[256], got[8192];
    size_t got_len, limit;
    struct tftp_packet last;
    unsigned sent;
} f;
static struct tftp_upload u;
static char block[2000];

static bool reserve(struct tftp_wire *wire, size_t cap, struct buf *ret_room)
{
    (void)wire;
    assert_in_range(cap, 1, sizeof f.room);
    *ret_room = buf_on(f.room, cap);
    return true;
}

static void commit(struct tftp_wire *wire, size_t len)
{
    (void)wire;
    assert_int_equal(tftp_parse(slice_of(f.room, len), &f.last), TFTP_FINE);
    f.sent++;
}

static bool take(struct tftp_sink *sink, struct slice bytes, uint16_t *ret_code, const char **ret_reason)
{
    (void)sink;
    if (f.got_len + bytes.len > f.limit) {
        *ret_code = TFTP_ERROR_FULL;
        *ret_reason = "full";
        return false;
    }
    memcpy(f.got + f.got_len, bytes.ptr, bytes.len);
    f.got_len += bytes.len;
    return true;
}

static void start(enum tftp_mode mode, struct tftp_options options)
{
    static const struct tftp_ceilings ceilings = { 65464, TFTP_WINDOW_CEILING, TFTP_WINDOW_BYTES };
    struct tftp_packet request = { .opcode = TFTP_WRQ, .mode = mode, .options = options };
    memset(&f, 0, sizeof f);
    f.wire = (struct tftp_wire){ reserve, commit, NULL };
    f.sink.take = take;
    f.limit = sizeof f.got;
    tftp_upload_start(&u, &request, ceilings, &f.wire, 1000);
    assert_int_equal(f.sent, 1);
}

static void data(uint16_t number, size_t len, uint64_t now_ms)
{
    struct tftp_packet p = { .opcode = TFTP_DATA, .block = number, .bytes = slice_of(block, len) };
    tftp_upload_receive(&u, &p, &f.sink, &f.wire, now_ms);
}

static void expect_ack(uint16_t number, unsigned sent)
{
    assert_int_equal(f.sent, sent);
    assert_int_equal(f.last.opcode, TFTP_ACK);
    assert_int_equal(f.last.block, number);
}

static void a_plain_request_is_acked_block_by_block_and_the_last_ack_waits_for_the_disk(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    expect_ack(0, 1);
    data(1, 512, 1001);
    expect_ack(1, 2);
    data(2, 100, 1002);
    assert_int_equal(f.sent, 2);
    assert_int_equal(u.talk.state, TFTP_STORING);
    data(2, 100, 1500);
    tftp_upload_timeout(&u, &f.wire, 9000);
    assert_int_equal(f.sent, 2);
    tftp_upload_stored(&u, 0, NULL, &f.wire, 9100);
    expect_ack(2, 3);
    assert_int_equal(u.talk.outcome, OUTCOME_STORED);
    assert_int_equal(u.bytes, 612);
    assert_int_equal(f.got_len, 612);
}

static void a_lost_last_ack_is_answered_while_it_dallies(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    data(1, 0, 1001);
    tftp_upload_stored(&u, 0, NULL, &f.wire, 1002);
    expect_ack(1, 2);
    data(1, 0, 6000);
    expect_ack(1, 3);
    data(7, 0, 6000);
    assert_int_equal(f.sent, 3);
    struct tftp_packet error = { .opcode = TFTP_ERROR, .code = 5 };
    tftp_upload_receive(&u, &error, &f.sink, &f.wire, 6001);
    assert_int_equal(u.talk.state, TFTP_DALLYING);
    tftp_upload_timeout(&u, &f.wire, 1002 + TFTP_DALLY_MS);
    assert_int_equal(u.talk.state, TFTP_ENDED);
    assert_int_equal(u.talk.outcome, OUTCOME_STORED);
    data(1, 0, 20000);
    assert_int_equal(f.sent, 3);
}

static void options_are_answered_with_what_will_be_kept_to(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ .has_blksize = true,
                                             .blksize = 65464,
                                             .has_tsize = true,
                                             .tsize = 77,
                                             .has_timeout = true,
                                             .timeout_s = 9,
                                             .has_windowsize = true,
                                             .windowsize = 900 });
    assert_int_equal(f.last.opcode, TFTP_OACK);
    assert_int_equal(f.last.options.blksize, TFTP_UPLOAD_BLKSIZE_MAX);
    assert_int_equal(f.last.options.tsize, 77);
    assert_int_equal(f.last.options.timeout_s, 9);
    assert_int_equal(f.last.options.windowsize, TFTP_WINDOW_CEILING);
    assert_int_equal(u.talk.due_ms, 10000);
    tftp_upload_timeout(&u, &f.wire, 10000);
    assert_int_equal(f.last.opcode, TFTP_OACK);
    /* Longer than the block size: no block of this transfer. */
    data(1, TFTP_UPLOAD_BLKSIZE_MAX + 1, 10001);
    assert_int_equal(f.got_len, 0);
}

/* libcurl, on hearing the OACK a second time, sends its second block as the first. */
static void a_file_that_is_shorter_than_it_was_announced_is_not_stored(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ .has_tsize = true, .tsize = 700 });
    data(1, 512, 1001);
    data(2, 187, 1002);
    assert_int_equal(u.talk.state, TFTP_ENDED);
    assert_int_equal(u.talk.outcome, OUTCOME_STOPPED);
    assert_string_equal(u.talk.reason, "shorter than announced");
    assert_int_equal(f.last.opcode, TFTP_ERROR);
    /* A log grows while it is sent, and as text a file has another length. */
    for (int i = 0; i < 2; i++) {
        start(i ? TFTP_NETASCII : TFTP_OCTET, (struct tftp_options){ .has_tsize = true, .tsize = i ? 700 : 600 });
        data(1, 512, 1001);
        data(2, 187, 1002);
        assert_int_equal(u.talk.state, TFTP_STORING);
    }
}

static void doubled_blocks_are_acked_and_not_written_again(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    data(1, 512, 1001);
    data(1, 512, 1002);
    expect_ack(1, 3);
    assert_int_equal(f.got_len, 512);
    data(2, 512, 1003);
    data(1, 512, 1004);
    data(9, 512, 1004);
    expect_ack(2, 4);
    assert_int_equal(f.got_len, 1024);
}

static void a_gap_in_a_window_is_told_once(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ .has_windowsize = true, .windowsize = 4 });
    data(1, 512, 1001);
    assert_int_equal(f.sent, 1);
    data(3, 512, 1001);
    expect_ack(1, 2);
    data(4, 512, 1001);
    assert_int_equal(f.sent, 2);
    for (uint16_t i = 2; i <= 5; i++)
        data(i, 512, 1002);
    expect_ack(5, 3);
    assert_int_equal(f.got_len, 5 * 512);
}

static void R13_a_silent_peer_gets_five_datagrams_and_one_that_fell_silent_eight(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    for (unsigned i = 0; i < 20; i++)
        tftp_upload_timeout(&u, &f.wire, u.talk.due_ms);
    assert_int_equal(f.sent, 5);
    assert_int_equal(u.talk.outcome, OUTCOME_STOPPED);
    assert_string_equal(u.talk.reason, "never answered");
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    data(1, 512, 1001);
    for (unsigned i = 0; i < 20; i++)
        tftp_upload_timeout(&u, &f.wire, u.talk.due_ms);
    assert_int_equal(f.sent, 2 + 7);
    assert_string_equal(u.talk.reason, "fell silent");
}

static void R13_an_error_is_never_answered(void **state)
{
    (void)state;
    struct tftp_packet error = { .opcode = TFTP_ERROR, .code = 3 };
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    tftp_upload_receive(&u, &error, &f.sink, &f.wire, 1001);
    assert_int_equal(f.sent, 1);
    assert_int_equal(u.talk.state, TFTP_ENDED);
    assert_int_equal(u.talk.code, 3);
}

static void R22_what_the_sink_does_not_take_ends_with_its_code(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    f.limit = 600;
    data(1, 512, 1001);
    data(2, 512, 1002);
    assert_int_equal(f.last.opcode, TFTP_ERROR);
    assert_int_equal(f.last.code, TFTP_ERROR_FULL);
    assert_int_equal(u.talk.outcome, OUTCOME_REFUSED);
    start(TFTP_OCTET, (struct tftp_options){ 0 });
    data(1, 5, 1001);
    tftp_upload_stored(&u, TFTP_ERROR_FULL, "no room", &f.wire, 1002);
    assert_int_equal(f.last.code, TFTP_ERROR_FULL);
    assert_int_equal(u.talk.state, TFTP_ENDED);
}

static void R16_a_carriage_return_at_the_end_of_a_block_keeps_its_partner(void **state)
{
    (void)state;
    start(TFTP_NETASCII, (struct tftp_options){ .has_blksize = true, .blksize = 8 });
    memcpy(block, "abcdefg\r", 8);
    data(1, 8, 1001);
    memcpy(block, "\nabcde\r\0", 8);
    data(2, 8, 1001);
    memcpy(block, "\r", 1);
    data(3, 1, 1001);
    assert_memory_equal(f.got, "abcdefg\nabcde\r\r", f.got_len);
    assert_int_equal(f.got_len, 15);
    assert_int_equal(u.bytes, 15);
    memset(block, 0, sizeof block);
}

static void block_numbers_wrap(void **state)
{
    (void)state;
    start(TFTP_OCTET, (struct tftp_options){ .has_blksize = true, .blksize = 8 });
    for (uint32_t i = 1; i <= 70000; i++) {
        f.got_len = 0;
        data((uint16_t)i, 8, 1001);
        assert_int_equal(f.last.block, (uint16_t)i);
    }
    assert_int_equal(u.bytes, 560000);
    assert_int_equal(f.sent, 70001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_acked_block_by_block_and_the_last_ack_waits_for_the_disk),
        cmocka_unit_test(a_lost_last_ack_is_answered_while_it_dallies),
        cmocka_unit_test(options_are_answered_with_what_will_be_kept_to),
        cmocka_unit_test(a_file_that_is_shorter_than_it_was_announced_is_not_stored),
        cmocka_unit_test(doubled_blocks_are_acked_and_not_written_again),
        cmocka_unit_test(a_gap_in_a_window_is_told_once),
        cmocka_unit_test(R13_a_silent_peer_gets_five_datagrams_and_one_that_fell_silent_eight),
        cmocka_unit_test(R13_an_error_is_never_answered),
        cmocka_unit_test(R22_what_the_sink_does_not_take_ends_with_its_code),
        cmocka_unit_test(R16_a_carriage_return_at_the_end_of_a_block_keeps_its_partner),
        cmocka_unit_test(block_numbers_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
