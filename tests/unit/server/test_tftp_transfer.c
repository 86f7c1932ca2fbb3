#include "tests/unit/test.h"

#include "tests/server_fakes.h"

#include "server/tftp_transfer.h"

/* What the transfer has sent, in order. */
static struct {
    struct tftp_wire wire; /* first */
    char bytes[4096][1600];
    size_t len[4096];
    size_t count;
    bool full;
} out;

static bool reserve(struct tftp_wire *wire, size_t cap, struct buf *ret_room)
{
    (void)wire;
    assert_in_range(cap, 1, sizeof *out.bytes);
    assert_true(out.count < 4096);
    *ret_room = buf_on(out.bytes[out.count], cap);
    return !out.full;
}

static void commit(struct tftp_wire *wire, size_t len)
{
    (void)wire;
    out.len[out.count++] = len;
}

static struct tftp_packet packet(size_t i)
{
    struct tftp_packet p;
    assert_true(i < out.count);
    assert_int_equal(tftp_parse(slice_of(out.bytes[i], out.len[i]), &p), TFTP_FINE);
    return p;
}

static struct tftp_packet last(void)
{
    return packet(out.count - 1);
}

static char content[1 << 20];
static const struct tftp_ceilings ceilings = { 1468, TFTP_WINDOW_CEILING, TFTP_WINDOW_BYTES };

static int setup(void **state)
{
    (void)state;
    fakes_reset();
    out.wire = (struct tftp_wire){ reserve, commit, NULL };
    out.count = 0;
    out.full = false;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 31 + (i >> 9));
    return 0;
}

/* Starts a transfer of the first `size` bytes of `content`. */
static void begin(struct tftp_transfer *t, size_t size, bool large, enum tftp_mode mode,
                  struct tftp_options options)
{
    struct tree_file file;
    struct tree_question q = { SLICE("f") };
    struct tftp_packet request = { .opcode = TFTP_RRQ, .mode = mode, .name = q.name, .options = options };
    fake_add("f", TREE_FILE, slice_of(content, size), large);
    assert_int_equal(tree_ask(NULL, &q, &file), TREE_FILE);
    tftp_transfer_start(t, &request, &file, ceilings, &out.wire, 0);
}

static void ack(struct tftp_transfer *t, uint64_t block, uint64_t now_ms)
{
    struct tftp_packet p = { .opcode = TFTP_ACK, .block = (uint16_t)block };
    tftp_transfer_receive(t, &p, &out.wire, now_ms);
}

static void finish(struct tftp_transfer *t)
{
    tftp_transfer_release(t);
    assert_int_equal(fake_held, 0);
}

static void a_file_goes_in_blocks_and_the_last_is_short(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 1300, false, TFTP_OCTET, (struct tftp_options){ 0 });
    for (unsigned block = 1; block <= 3; block++) {
        assert_int_equal(out.count, block);
        assert_int_equal(last().opcode, TFTP_DATA);
        assert_int_equal(last().block, block);
        assert_int_equal(last().bytes.len, block < 3 ? 512 : 276);
        assert_memory_equal(last().bytes.ptr, content + (block - 1) * 512, last().bytes.len);
        assert_int_equal(t.talk.state, block == 1 ? TFTP_UNPROVEN : TFTP_UNDER_WAY);
        ack(&t, block, 1);
    }
    assert_int_equal(t.talk.state, TFTP_ENDED);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    assert_int_equal(out.count, 3);
    assert_int_equal(tftp_transfer_acked_bytes(&t), 1300);
    finish(&t);
}

static void an_exact_multiple_ends_with_an_empty_block_and_so_does_an_empty_file(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 1024, false, TFTP_OCTET, (struct tftp_options){ 0 });
    ack(&t, 1, 1);
    ack(&t, 2, 1);
    assert_int_equal(last().block, 3);
    assert_int_equal(last().bytes.len, 0);
    assert_int_equal(t.talk.state, TFTP_UNDER_WAY);
    ack(&t, 3, 1);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    finish(&t);

    setup(NULL);
    begin(&t, 0, false, TFTP_OCTET, (struct tftp_options){ 0 });
    assert_int_equal(last().block, 1);
    assert_int_equal(last().bytes.len, 0);
    ack(&t, 1, 1);
    assert_int_equal(t.talk.state, TFTP_ENDED);
    finish(&t);
}

static void options_are_answered_and_kept(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 3000, true, TFTP_OCTET,
          (struct tftp_options){
              .has_blksize = true, .blksize = 65464, .has_tsize = true, .has_timeout = true, .timeout_s = 3 });
    assert_int_equal(last().opcode, TFTP_OACK);
    assert_int_equal(last().options.blksize, 1468);
    assert_int_equal(last().options.tsize, 3000);
    assert_int_equal(last().options.timeout_s, 3);
    assert_false(last().options.has_windowsize);
    assert_int_equal(t.talk.due_ms, 3000);
    ack(&t, 0, 10);
    assert_int_equal(last().bytes.len, 1468);
    assert_int_equal(t.talk.due_ms, 3010);
    ack(&t, 1, 20);
    ack(&t, 2, 30);
    assert_int_equal(last().bytes.len, 64);
    ack(&t, 3, 40);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    finish(&t);
}

static void R13_a_forged_request_gets_at_most_five_small_packets(void **state)
{
    (void)state;
    for (unsigned with_window = 0; with_window < 2; with_window++) {
        struct tftp_transfer t;
        struct tftp_options o = { .has_windowsize = with_window, .windowsize = 64 };
        uint64_t due[] = { 1000, 3000, 7000, 15000, 23000 };
        setup(NULL);
        begin(&t, 100000, false, TFTP_OCTET, o);
        for (uint64_t now_ms = 0; now_ms < 100000 && t.talk.state != TFTP_ENDED; now_ms++) {
            size_t before = out.count;
            tftp_transfer_timeout(&t, &out.wire, now_ms);
            if (out.count != before)
                assert_int_equal(now_ms, due[before - 1]);
        }
        assert_int_equal(out.count, 1 + TFTP_RESENDS_UNPROVEN);
        assert_int_equal(t.talk.outcome, OUTCOME_STOPPED);
        assert_string_equal(t.talk.reason, "never answered");
        assert_int_equal(last().opcode, with_window ? TFTP_OACK : TFTP_DATA);
        assert_int_equal(tftp_transfer_acked_bytes(&t), 0);
        finish(&t);
    }
}

static void R13_the_window_opens_with_the_first_ack(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 100000, false, TFTP_OCTET, (struct tftp_options){ .has_windowsize = true, .windowsize = 8 });
    assert_int_equal(out.count, 1);
    /* Blocks that were never sent cannot be acknowledged. */
    ack(&t, 1, 1);
    ack(&t, 8, 1);
    ack(&t, 65535, 1);
    assert_int_equal(out.count, 1);
    ack(&t, 0, 1);
    assert_int_equal(out.count, 9);
    finish(&t);
}

static void R13_a_phone_that_falls_silent_gets_at_most_eight_packets(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 100000, false, TFTP_OCTET, (struct tftp_options){ 0 });
    ack(&t, 1, 0);
    size_t before = out.count - 1;
    uint64_t now_ms = 0;
    for (; now_ms < 200000 && t.talk.state != TFTP_ENDED; now_ms++)
        tftp_transfer_timeout(&t, &out.wire, now_ms);
    assert_int_equal(out.count - before, 8);
    assert_in_range(now_ms, 47000, 47001);
    for (size_t i = before; i < out.count; i++)
        assert_int_equal(packet(i).block, 2);
    assert_int_equal(t.talk.outcome, OUTCOME_STOPPED);
    assert_string_equal(t.talk.reason, "fell silent");
    assert_int_equal(tftp_transfer_acked_bytes(&t), 512);
    finish(&t);
}

static void R13_an_error_is_never_answered(void **state)
{
    (void)state;
    struct tftp_transfer t;
    struct tftp_packet error = { .opcode = TFTP_ERROR, .code = TFTP_ERROR_OPTION };
    begin(&t, 100000, false, TFTP_OCTET, (struct tftp_options){ .has_tsize = true });
    tftp_transfer_receive(&t, &error, &out.wire, 1);
    assert_int_equal(out.count, 1);
    assert_int_equal(t.talk.state, TFTP_ENDED);
    assert_int_equal(t.talk.outcome, OUTCOME_STOPPED);
    assert_int_equal(t.talk.code, 8);
    tftp_transfer_receive(&t, &error, &out.wire, 1);
    ack(&t, 0, 1);
    tftp_transfer_timeout(&t, &out.wire, 100000);
    assert_int_equal(out.count, 1);
    finish(&t);
}

static void a_double_ack_never_doubles_traffic(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 10000, false, TFTP_OCTET, (struct tftp_options){ .has_tsize = true });
    for (unsigned block = 0; block <= 20; block++) {
        for (unsigned again = 0; again < 3; again++)
            ack(&t, block, 1);
        ack(&t, block ? block - 1 : 65535, 1);
    }
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    assert_int_equal(out.count, 1 + 20);
    finish(&t);
}

static void an_ack_inside_the_window_brings_the_blocks_after_it_again(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 512 * 20, false, TFTP_OCTET, (struct tftp_options){ .has_windowsize = true, .windowsize = 4 });
    ack(&t, 0, 1);
    assert_int_equal(last().block, 4);
    ack(&t, 1, 1);
    assert_int_equal(out.count, 1 + 4 + 4);
    assert_int_equal(packet(5).block, 2);
    assert_int_equal(last().block, 5);
    /* Late and double. */
    ack(&t, 1, 1);
    ack(&t, 0, 1);
    assert_int_equal(out.count, 9);
    ack(&t, 5, 1);
    assert_int_equal(last().block, 9);
    for (unsigned block = 9; block < 21; block += 4)
        ack(&t, block, 1);
    /* 21 blocks; the window is cut at the last. */
    assert_int_equal(last().block, 21);
    assert_int_equal(last().bytes.len, 0);
    ack(&t, 21, 1);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    finish(&t);
}

static unsigned turns_taken;

static void take_turn(struct tftp_wire *wire)
{
    (void)wire;
    turns_taken++;
}

static void a_first_window_begins_at_once_and_later_ones_wait_for_their_turns(void **state)
{
    (void)state;
    struct tftp_transfer t;
    out.wire.take_turn = take_turn;
    turns_taken = 0;
    begin(&t, 512 * 100, false, TFTP_OCTET, (struct tftp_options){ .has_windowsize = true, .windowsize = 40 });
    ack(&t, 0, 1);
    for (unsigned share = 1; share <= 3; share++) {
        uint64_t sent = share * TFTP_BLOCKS_A_TURN;
        assert_int_equal(out.count, 1 + (sent < 40 ? sent : 40));
        assert_int_equal(turns_taken, share < 3 ? share : 2);
        tftp_transfer_go_on(&t, &out.wire);
    }
    /* A turn too many changes nothing. */
    assert_int_equal(out.count, 1 + 40);
    ack(&t, 40, 1);
    assert_int_equal(out.count, 1 + 40);
    assert_int_equal(turns_taken, 3);
    tftp_transfer_go_on(&t, &out.wire);
    assert_int_equal(last().block, 40 + TFTP_BLOCKS_A_TURN);
    /* What follows a lost block goes again before the rest of its window, in turns too. */
    ack(&t, 50, 1);
    tftp_transfer_go_on(&t, &out.wire);
    assert_int_equal(last().block, 50 + TFTP_BLOCKS_A_TURN);
    assert_int_equal(packet(out.count - TFTP_BLOCKS_A_TURN).block, 51);
    tftp_transfer_stop(&t, OUTCOME_STOPPED, TFTP_ERROR_OTHER, "enough", NULL);
    size_t before = out.count;
    tftp_transfer_go_on(&t, &out.wire);
    assert_int_equal(out.count, before);
    finish(&t);
}

static void without_a_window_blocks_never_wait_for_turns(void **state)
{
    (void)state;
    struct tftp_transfer t;
    out.wire.take_turn = take_turn;
    turns_taken = 0;
    begin(&t, 512 * 20, false, TFTP_OCTET, (struct tftp_options){ 0 });
    for (unsigned block = 1; block <= 20; block++) {
        assert_int_equal(last().block, block);
        ack(&t, block, 1);
    }
    assert_int_equal(turns_taken, 0);
    finish(&t);
}

static void a_doubled_block_in_a_window_costs_at_most_that_window(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 512 * 40, false, TFTP_OCTET, (struct tftp_options){ .has_windowsize = true, .windowsize = 4 });
    ack(&t, 0, 1);
    /* The phone got block 1 twice and says so, then acknowledges as if nothing had happened. */
    ack(&t, 1, 1);
    assert_int_equal(out.count, 1 + 4 + 4);
    ack(&t, 4, 1);
    assert_int_equal(out.count, 1 + 4 + 4 + 3);
    assert_int_equal(last().block, 8);
    /* Each block that came twice is acknowledged twice. */
    for (unsigned i = 0; i < 3; i++)
        ack(&t, 4, 1);
    ack(&t, 8, 1);
    assert_int_equal(last().block, 12);
    assert_int_equal(out.count, 1 + 12 + 3);
    /* The next one that is really lost brings its window again. */
    ack(&t, 9, 1);
    assert_int_equal(out.count, 1 + 12 + 3 + 4);
    finish(&t);
}

static void a_time_out_sends_one_block_and_an_ack_starts_the_waits_again(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 512 * 20, false, TFTP_OCTET, (struct tftp_options){ .has_windowsize = true, .windowsize = 4 });
    ack(&t, 0, 0);
    size_t before = out.count;
    tftp_transfer_timeout(&t, &out.wire, 999);
    assert_int_equal(out.count, before);
    tftp_transfer_timeout(&t, &out.wire, 1000);
    assert_int_equal(out.count, before + 1);
    assert_int_equal(last().block, 1);
    assert_int_equal(t.talk.due_ms, 3000);
    ack(&t, 4, 2000);
    assert_int_equal(t.talk.due_ms, 3000);
    assert_int_equal(t.talk.resends, 0);
    finish(&t);
}

static void block_numbers_wrap(void **state)
{
    (void)state;
    struct tftp_transfer t;
    size_t blocks = 8 * 70000 / 8 + 1;
    begin(&t, (blocks - 1) * 8, false, TFTP_OCTET,
          (struct tftp_options){ .has_blksize = true, .blksize = 8, .has_windowsize = true, .windowsize = 7 });
    uint64_t acked = 0;
    ack(&t, 0, 1);
    while (t.talk.state != TFTP_ENDED) {
        uint64_t sent = acked;
        for (size_t i = 1; i < out.count; i++) {
            struct tftp_packet p = packet(i);
            assert_int_equal(p.block, (uint16_t)++sent);
            assert_memory_equal(p.bytes.ptr, content + (sent - 1) * 8, p.bytes.len);
        }
        out.count = 1;
        acked = sent;
        ack(&t, acked, 1);
    }
    assert_int_equal(acked, blocks);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    finish(&t);
}

static void a_file_that_changes_under_way_ends_with_an_error(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 100000, true, TFTP_OCTET, (struct tftp_options){ 0 });
    ack(&t, 1, 1);
    fake_files[0].stale = true;
    ack(&t, 2, 1);
    assert_int_equal(last().opcode, TFTP_ERROR);
    assert_int_equal(last().code, 0);
    assert_slice(last().bytes, "file changed");
    assert_int_equal(t.talk.state, TFTP_ENDED);
    assert_int_equal(t.talk.outcome, OUTCOME_BROKEN);
    finish(&t);
}

static void a_file_that_has_grown_shorter_ends_with_an_error(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 2000, true, TFTP_OCTET, (struct tftp_options){ 0 });
    fake_files[0].blob.bytes.len = 700;
    ack(&t, 1, 1);
    assert_int_equal(last().opcode, TFTP_ERROR);
    assert_slice(last().bytes, "file changed");
    finish(&t);
}

static void a_file_that_cannot_be_read_at_all_ends_at_once(void **state)
{
    (void)state;
    struct tftp_transfer t;
    fake_add("g", TREE_FILE, SLICE_NONE, true);
    struct tree_file file = { .fd = 1000, .size = 5 };
    struct tftp_packet request = { .opcode = TFTP_RRQ };
    fake_held = 1;
    fake_files[0].stale = true;
    tftp_transfer_start(&t, &request, &file, ceilings, &out.wire, 0);
    assert_int_equal(t.talk.state, TFTP_ENDED);
    assert_int_equal(out.count, 1);
    assert_int_equal(last().opcode, TFTP_ERROR);
    finish(&t);
}

static void R16_netascii_blocks_are_the_same_when_sent_again(void **state)
{
    (void)state;
    struct tftp_transfer t;
    char got[20000], back[10001];
    size_t len = 0;
    for (size_t i = 0; i < 10000; i++)
        content[i] = i % 3 == 0 ? '\r' : i % 5 == 0 ? '\n' : 'x';
    begin(
        &t, 10000, true, TFTP_NETASCII,
        (struct tftp_options){
            .has_blksize = true, .blksize = 101, .has_windowsize = true, .windowsize = 9, .has_tsize = true });
    assert_false(last().options.has_windowsize || last().options.has_tsize);
    ack(&t, 0, 0);
    for (unsigned block = 1; t.talk.state != TFTP_ENDED; block++) {
        struct tftp_packet first = last();
        tftp_transfer_timeout(&t, &out.wire, t.talk.due_ms);
        assert_int_equal(last().block, (uint16_t)block);
        assert_int_equal(last().bytes.len, first.bytes.len);
        assert_memory_equal(last().bytes.ptr, first.bytes.ptr, first.bytes.len);
        memcpy(got + len, first.bytes.ptr, first.bytes.len);
        len += first.bytes.len;
        ack(&t, block, t.talk.due_ms);
        ack(&t, block, t.talk.due_ms);
    }
    struct tftp_netascii n = { 0 };
    struct buf b = BUF_ON(back);
    tftp_netascii_decode(&n, slice_of(got, len), &b);
    tftp_netascii_decode_end(&n, &b);
    assert_int_equal(b.len, 10000);
    assert_memory_equal(back, content, 10000);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    assert_int_equal(tftp_transfer_acked_bytes(&t), 10000);
    finish(&t);
}

static void netascii_of_an_exact_multiple_ends_with_an_empty_block(void **state)
{
    (void)state;
    struct tftp_transfer t;
    memset(content, '\n', 512);
    begin(&t, 512, false, TFTP_NETASCII, (struct tftp_options){ 0 });
    ack(&t, 1, 1);
    ack(&t, 2, 1);
    assert_int_equal(last().block, 3);
    assert_int_equal(last().bytes.len, 0);
    ack(&t, 3, 1);
    assert_int_equal(t.talk.outcome, OUTCOME_SENT);
    assert_int_equal(out.count, 3);
    finish(&t);
}

static void a_datagram_that_finds_no_room_comes_with_the_clock(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 1300, false, TFTP_OCTET, (struct tftp_options){ .has_tsize = true });
    out.full = true;
    ack(&t, 0, 0);
    assert_int_equal(out.count, 1);
    out.full = false;
    tftp_transfer_timeout(&t, &out.wire, 1000);
    assert_int_equal(last().block, 1);
    finish(&t);
}

static void other_packets_do_not_disturb(void **state)
{
    (void)state;
    struct tftp_transfer t;
    begin(&t, 1300, false, TFTP_OCTET, (struct tftp_options){ 0 });
    for (enum tftp_opcode op = TFTP_RRQ; op <= TFTP_DATA; op++) {
        struct tftp_packet p = { .opcode = op, .block = 1 };
        tftp_transfer_receive(&t, &p, &out.wire, 1);
    }
    struct tftp_packet p = { .opcode = TFTP_OACK };
    tftp_transfer_receive(&t, &p, &out.wire, 1);
    assert_int_equal(out.count, 1);
    assert_int_equal(t.talk.state, TFTP_UNPROVEN);
    finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_goes_in_blocks_and_the_last_is_short, setup),
        cmocka_unit_test_setup(an_exact_multiple_ends_with_an_empty_block_and_so_does_an_empty_file, setup),
        cmocka_unit_test_setup(options_are_answered_and_kept, setup),
        cmocka_unit_test_setup(R13_a_forged_request_gets_at_most_five_small_packets, setup),
        cmocka_unit_test_setup(R13_the_window_opens_with_the_first_ack, setup),
        cmocka_unit_test_setup(R13_a_phone_that_falls_silent_gets_at_most_eight_packets, setup),
        cmocka_unit_test_setup(R13_an_error_is_never_answered, setup),
        cmocka_unit_test_setup(a_double_ack_never_doubles_traffic, setup),
        cmocka_unit_test_setup(an_ack_inside_the_window_brings_the_blocks_after_it_again, setup),
        cmocka_unit_test_setup(a_first_window_begins_at_once_and_later_ones_wait_for_their_turns, setup),
        cmocka_unit_test_setup(without_a_window_blocks_never_wait_for_turns, setup),
        cmocka_unit_test_setup(a_doubled_block_in_a_window_costs_at_most_that_window, setup),
        cmocka_unit_test_setup(a_time_out_sends_one_block_and_an_ack_starts_the_waits_again, setup),
        cmocka_unit_test_setup(block_numbers_wrap, setup),
        cmocka_unit_test_setup(a_file_that_changes_under_way_ends_with_an_error, setup),
        cmocka_unit_test_setup(a_file_that_has_grown_shorter_ends_with_an_error, setup),
        cmocka_unit_test_setup(a_file_that_cannot_be_read_at_all_ends_at_once, setup),
        cmocka_unit_test_setup(R16_netascii_blocks_are_the_same_when_sent_again, setup),
        cmocka_unit_test_setup(netascii_of_an_exact_multiple_ends_with_an_empty_block, setup),
        cmocka_unit_test_setup(a_datagram_that_finds_no_room_comes_with_the_clock, setup),
        cmocka_unit_test_setup(other_packets_do_not_disturb, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
