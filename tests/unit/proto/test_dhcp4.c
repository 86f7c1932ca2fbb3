#include "tests/unit/test.h"

#include "proto/dhcp4.h"

/* A server's message; `options` come behind the type. */
struct scene {
    char bytes[4096];
    struct buf out;
    struct dhcp4_message message;
};

static void begin(struct scene *s, enum dhcp4_type type)
{
    struct dhcp4_message m = { .reply = true, .type = type, .xid = 0x11223344, .yiaddr = 0xc0000239,
                               .chaddr = { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    s->out = BUF_ON(s->bytes);
    dhcp4_put_header(&s->out, &m);
}

static enum dhcp4_fault finish(struct scene *s)
{
    dhcp4_put_end(&s->out);
    assert_true(buf_ok(&s->out));
    return dhcp4_parse(buf_slice(&s->out), &s->message);
}

static struct slice value_of(const struct scene *s, uint8_t code, struct buf *room)
{
    room->len = 0;
    return dhcp4_value(&s->message, code, room) && buf_ok(room) ? buf_slice(room) : SLICE("(none)");
}

static void what_is_built_reads_back(void **state)
{
    struct scene s;
    char room[64];
    struct buf out = BUF_ON(room);
    (void)state;
    begin(&s, DHCP4_OFFER);
    dhcp4_put_u32(&s.out, DHCP4_SERVER_ID, 0xc0000201);
    dhcp4_put_option(&s.out, DHCP4_TFTP_SERVER, SLICE("tftp://192.0.2.1/"));
    assert_int_equal(finish(&s), DHCP4_FINE);
    assert_int_equal(s.out.len, DHCP4_BYTES_MIN);
    assert_true(s.message.reply && !s.message.broadcast && s.message.type == DHCP4_OFFER);
    assert_int_equal(s.message.xid, 0x11223344);
    assert_int_equal(s.message.yiaddr, 0xc0000239);
    assert_memory_equal(s.message.chaddr, "\x00\x15\x65\x74\xb1\x50", 6);
    uint32_t server = 0;
    assert_true(dhcp4_u32(&s.message, DHCP4_SERVER_ID, &server));
    assert_int_equal(server, 0xc0000201);
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "tftp://192.0.2.1/");
    assert_false(dhcp4_value(&s.message, 128, &out));
}

static void a_value_longer_than_255_bytes_is_split_and_joined(void **state)
{
    static char text[600], room[600];
    struct scene s;
    struct buf out = BUF_ON(room);
    (void)state;
    memset(text, 'a', sizeof text);
    text[255] = 'b';
    begin(&s, DHCP4_ACK);
    dhcp4_put_option(&s.out, 128, slice_of(text, sizeof text));
    assert_int_equal(finish(&s), DHCP4_FINE);
    assert_int_equal(dhcp4_count(&s.message, 128), 3);
    assert_true(slice_eq(value_of(&s, 128, &out), slice_of(text, sizeof text)));
    /* One byte less room: no half value. */
    out = buf_on(room, sizeof room - 1);
    assert_true(dhcp4_value(&s.message, 128, &out));
    assert_false(buf_ok(&out));
}

static void parts_are_joined_over_the_three_areas_in_their_order(void **state)
{
    struct scene s;
    char room[64];
    struct buf out = BUF_ON(room);
    (void)state;
    begin(&s, DHCP4_ACK);
    dhcp4_put_option(&s.out, DHCP4_OVERLOAD, SLICE("\3"));
    dhcp4_put_option(&s.out, DHCP4_TFTP_SERVER, SLICE("tftp://"));
    memcpy(s.bytes + 44, "\x42\x03" "/x/" "\xff", 6);                 /* sname */
    memcpy(s.bytes + 108, "\x00\x42\x09" "192.0.2.1" "\xff\x42\x01z", 15); /* file, and what lies behind its end */
    assert_int_equal(finish(&s), DHCP4_FINE);
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "tftp://192.0.2.1/x/");
    /* Not overloaded: nothing but a boot file's name. */
    s.bytes[DHCP4_HEADER_BYTES + 5] = 0;
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &s.message), DHCP4_FINE);
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "tftp://");
    /* File alone. */
    s.bytes[DHCP4_HEADER_BYTES + 5] = 1;
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &s.message), DHCP4_FINE);
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "tftp://192.0.2.1");
}

static void overload_inside_an_overloaded_field_opens_nothing(void **state)
{
    struct scene s;
    char room[64];
    struct buf out = BUF_ON(room);
    (void)state;
    begin(&s, DHCP4_ACK);
    dhcp4_put_option(&s.out, DHCP4_OVERLOAD, SLICE("\1"));
    memcpy(s.bytes + 108, "\x34\x01\x03\xff", 4);
    memcpy(s.bytes + 44, "\x42\x01x\xff", 4);
    assert_int_equal(finish(&s), DHCP4_FINE);
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "(none)");
}

static void a_length_past_the_end_ends_the_area(void **state)
{
    struct scene s;
    char room[64];
    struct buf out = BUF_ON(room);
    struct slice value;
    uint8_t code;
    (void)state;
    begin(&s, DHCP4_ACK);
    dhcp4_put_option(&s.out, 128, SLICE("whole"));
    buf_text(&s.out, SLICE("\x42\xff" "tftp://"));
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &s.message), DHCP4_FINE);
    assert_slice(value_of(&s, 128, &out), "whole");
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "(none)");
    struct dhcp4_walk walk = dhcp4_walk(&s.message);
    while (dhcp4_next(&walk, &code, &value))
        assert_true(code != DHCP4_TFTP_SERVER);
    assert_true(walk.cut);
    /* A code as the very last byte. */
    begin(&s, DHCP4_ACK);
    buf_byte(&s.out, DHCP4_TFTP_SERVER);
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &s.message), DHCP4_FINE);
    assert_slice(value_of(&s, DHCP4_TFTP_SERVER, &out), "(none)");
}

/* security.md R19; udhcpc's short options (CVE-2018-20679). */
static void options_of_a_fixed_length_count_only_at_that_length(void **state)
{
    struct scene s;
    uint32_t value = 7;
    (void)state;
    begin(&s, DHCP4_ACK);
    dhcp4_put_option(&s.out, DHCP4_SERVER_ID, SLICE("\xc0\x00\x02"));
    dhcp4_put_option(&s.out, DHCP4_MASK, SLICE(""));
    dhcp4_put_option(&s.out, DHCP4_LEASE_TIME, SLICE("\x00\x00\x0e\x10\x00"));
    dhcp4_put_option(&s.out, DHCP4_ROUTERS, SLICE("\xc0\x00\x02\x01\xc0"));
    assert_int_equal(finish(&s), DHCP4_FINE);
    assert_false(dhcp4_u32(&s.message, DHCP4_SERVER_ID, &value));
    assert_false(dhcp4_u32(&s.message, DHCP4_MASK, &value));
    assert_false(dhcp4_u32(&s.message, DHCP4_LEASE_TIME, &value));
    assert_false(dhcp4_first_address(&s.message, DHCP4_ROUTERS, &value));
    assert_int_equal(value, 7);
}

static void the_first_of_repeated_fixed_options_counts(void **state)
{
    struct scene s;
    uint32_t value = 0;
    (void)state;
    begin(&s, DHCP4_ACK);
    dhcp4_put_u32(&s.out, DHCP4_SERVER_ID, 0xc0000201);
    dhcp4_put_u32(&s.out, DHCP4_SERVER_ID, 0x0a000001);
    dhcp4_put_option(&s.out, DHCP4_TYPE, SLICE("\6"));
    assert_int_equal(finish(&s), DHCP4_FINE);
    assert_int_equal(s.message.type, DHCP4_ACK);
    assert_true(dhcp4_u32(&s.message, DHCP4_SERVER_ID, &value));
    assert_int_equal(value, 0xc0000201);
}

/* security.md R19. */
static void a_bomb_of_repeats_stays_within_the_room(void **state)
{
    static char big[60000], room[2048];
    struct buf bomb = BUF_ON(big), out = BUF_ON(room);
    struct scene s;
    (void)state;
    begin(&s, DHCP4_ACK);
    buf_text(&bomb, buf_slice(&s.out));
    while (bomb.cap - bomb.len > 400)
        dhcp4_put_option(&bomb, DHCP4_TFTP_SERVER, SLICE("tftp://h/%n%s$(reboot)"));
    dhcp4_put_end(&bomb);
    assert_int_equal(dhcp4_parse(buf_slice(&bomb), &s.message), DHCP4_FINE);
    assert_true(dhcp4_count(&s.message, DHCP4_TFTP_SERVER) > 2000);
    assert_true(dhcp4_value(&s.message, DHCP4_TFTP_SERVER, &out));
    assert_false(buf_ok(&out));
    assert_true(out.len <= out.cap);
}

static void what_is_no_message_of_ours_says_why(void **state)
{
    struct scene s;
    struct dhcp4_message m;
    (void)state;
    begin(&s, DHCP4_ACK);
    for (size_t len = 0; len < DHCP4_HEADER_BYTES; len++)
        assert_int_equal(dhcp4_parse(slice_of(s.bytes, len), &m), DHCP4_TRUNCATED);
    assert_int_equal(dhcp4_parse(slice_of(s.bytes, DHCP4_HEADER_BYTES), &m), DHCP4_NO_TYPE);
    s.bytes[0] = 3;
    assert_int_equal(finish(&s), DHCP4_NOT_DHCP);
    s.bytes[0] = 2;
    s.bytes[2] = 16;
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &m), DHCP4_NO_ETHERNET);
    s.bytes[2] = 6;
    s.bytes[236] = 0;
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &m), DHCP4_NOT_DHCP);
    s.bytes[236] = 0x63;
    s.bytes[DHCP4_HEADER_BYTES + 2] = 9;
    assert_int_equal(dhcp4_parse(buf_slice(&s.out), &m), DHCP4_NO_TYPE);
    for (int fault = DHCP4_FINE; fault <= DHCP4_NO_TYPE; fault++)
        assert_true(dhcp4_fault_words((enum dhcp4_fault)fault)[0] != '?');
}

static void a_builder_without_room_says_so(void **state)
{
    char small[100];
    struct buf out = BUF_ON(small);
    struct dhcp4_message m = { .type = DHCP4_DISCOVER };
    (void)state;
    dhcp4_put_header(&out, &m);
    assert_false(buf_ok(&out));
}

static void types_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(dhcp4_type_name(DHCP4_DISCOVER), "DISCOVER");
    assert_string_equal(dhcp4_type_name(DHCP4_INFORM), "INFORM");
    assert_string_equal(dhcp4_type_name((enum dhcp4_type)77), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_reads_back),
        cmocka_unit_test(a_value_longer_than_255_bytes_is_split_and_joined),
        cmocka_unit_test(parts_are_joined_over_the_three_areas_in_their_order),
        cmocka_unit_test(overload_inside_an_overloaded_field_opens_nothing),
        cmocka_unit_test(a_length_past_the_end_ends_the_area),
        cmocka_unit_test(options_of_a_fixed_length_count_only_at_that_length),
        cmocka_unit_test(the_first_of_repeated_fixed_options_counts),
        cmocka_unit_test(a_bomb_of_repeats_stays_within_the_room),
        cmocka_unit_test(what_is_no_message_of_ours_says_why),
        cmocka_unit_test(a_builder_without_room_says_so),
        cmocka_unit_test(types_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
