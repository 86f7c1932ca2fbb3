#include "proto/tftp.h"

#include "base/cursor.h"

bool tftp_options_any(const struct tftp_options *o)
{
    return o->has_blksize || o->has_timeout || o->has_tsize || o->has_windowsize;
}

const char *tftp_fault_words(enum tftp_fault fault)
{
    switch (fault) {
    case TFTP_FINE:
        return "fine";
    case TFTP_TRUNCATED:
        return "truncated datagram";
    case TFTP_UNKNOWN_OPCODE:
        return "unknown operation";
    case TFTP_LONG_REQUEST:
        return "request too long";
    case TFTP_NO_NAME:
        return "no file name";
    case TFTP_LONG_NAME:
        return "file name too long";
    case TFTP_UNKNOWN_MODE:
        return "unknown mode";
    }
    return "?";
}

/* Both sides of an option: where it goes and what it may be. */
enum option { OPTION_BLKSIZE, OPTION_TIMEOUT, OPTION_TSIZE, OPTION_WINDOWSIZE };
#define OPTIONS 4

static const struct {
    struct slice name;
    uint64_t min, max;
} known[OPTIONS] = {
    [OPTION_BLKSIZE] = { { "blksize", 7 }, TFTP_BLKSIZE_MIN, TFTP_BLKSIZE_MAX },
    [OPTION_TIMEOUT] = { { "timeout", 7 }, 1, 255 },
    [OPTION_TSIZE] = { { "tsize", 5 }, 0, TFTP_TSIZE_MAX },
    [OPTION_WINDOWSIZE] = { { "windowsize", 10 }, 1, 65535 },
};

static void options_set(struct tftp_options *o, enum option which, uint64_t value)
{
    switch (which) {
    case OPTION_BLKSIZE:
        o->has_blksize = true;
        o->blksize = (uint16_t)value;
        return;
    case OPTION_TIMEOUT:
        o->has_timeout = true;
        o->timeout_s = (uint8_t)value;
        return;
    case OPTION_TSIZE:
        o->has_tsize = true;
        o->tsize = value;
        return;
    case OPTION_WINDOWSIZE:
        o->has_windowsize = true;
        o->windowsize = (uint16_t)value;
        return;
    }
}

static bool options_get(const struct tftp_options *o, enum option which, uint64_t *ret_value)
{
    switch (which) {
    case OPTION_BLKSIZE:
        *ret_value = o->blksize;
        return o->has_blksize;
    case OPTION_TIMEOUT:
        *ret_value = o->timeout_s;
        return o->has_timeout;
    case OPTION_TSIZE:
        *ret_value = o->tsize;
        return o->has_tsize;
    case OPTION_WINDOWSIZE:
        *ret_value = o->windowsize;
        return o->has_windowsize;
    }
    return false;
}

static void parse_option(struct slice name, struct slice value, unsigned *seen, struct tftp_options *o)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        uint64_t number;
        if (!slice_eq_nocase(name, known[i].name))
            continue;
        if (*seen >> i & 1)
            return;
        *seen |= 1u << i;
        if (slice_u64(value, known[i].min, known[i].max, &number))
            options_set(o, (enum option)i, number);
        else
            o->malformed = true;
        return;
    }
}

static enum tftp_fault parse_options(struct cursor *c, struct tftp_options *o)
{
    unsigned seen = 0;
    while (!cursor_at_end(c)) {
        struct slice name = cursor_zstring(c);
        if (cursor_ok(c) && name.len == 0)
            return TFTP_FINE;
        struct slice value = cursor_zstring(c);
        if (!cursor_ok(c))
            return TFTP_TRUNCATED;
        parse_option(name, value, &seen, o);
    }
    return TFTP_FINE;
}

static enum tftp_fault parse_request(struct cursor *c, struct tftp_packet *p)
{
    struct slice rest = c->rest;
    struct slice name = cursor_zstring(c);
    p->name = slice_first(cursor_ok(c) ? name : rest, TFTP_NAME_BYTES_MAX);
    /* The opcode has been read already. */
    if (rest.len > TFTP_REQUEST_BYTES_MAX - 2)
        return TFTP_LONG_REQUEST;
    struct slice mode = cursor_zstring(c);
    if (!cursor_ok(c))
        return TFTP_TRUNCATED;
    if (name.len == 0)
        return TFTP_NO_NAME;
    if (name.len > TFTP_NAME_BYTES_MAX)
        return TFTP_LONG_NAME;
    if (slice_eq_nocase(mode, SLICE("netascii")))
        p->mode = TFTP_NETASCII;
    else if (!slice_eq_nocase(mode, SLICE("octet")))
        return TFTP_UNKNOWN_MODE;
    return parse_options(c, &p->options);
}

static enum tftp_fault parse_error(struct cursor *c, struct tftp_packet *p)
{
    p->code = cursor_u16(c);
    /* The text's NUL is often forgotten, and nobody waits for a better ERROR. */
    p->bytes = slice_first(c->rest, slice_find(c->rest, '\0'));
    p->bytes = slice_first(p->bytes, TFTP_ERROR_TEXT_MAX);
    return cursor_ok(c) ? TFTP_FINE : TFTP_TRUNCATED;
}

static enum tftp_fault parse_block(struct cursor *c, struct tftp_packet *p)
{
    p->block = cursor_u16(c);
    if (p->opcode == TFTP_DATA)
        p->bytes = c->rest;
    return cursor_ok(c) ? TFTP_FINE : TFTP_TRUNCATED;
}

enum tftp_fault tftp_parse(struct slice datagram, struct tftp_packet *ret_packet)
{
    struct cursor c = cursor_on(datagram);
    struct tftp_packet *p = ret_packet;
    uint16_t opcode = cursor_u16(&c);
    memset(p, 0, sizeof *p);
    if (!cursor_ok(&c))
        return TFTP_TRUNCATED;
    if (opcode < TFTP_RRQ || opcode > TFTP_OACK)
        return TFTP_UNKNOWN_OPCODE;
    p->opcode = (enum tftp_opcode)opcode;
    switch (p->opcode) {
    case TFTP_RRQ:
    case TFTP_WRQ:
        return parse_request(&c, p);
    case TFTP_DATA:
    case TFTP_ACK:
        return parse_block(&c, p);
    case TFTP_ERROR:
        return parse_error(&c, p);
    case TFTP_OACK:
        return parse_options(&c, &p->options);
    }
    return TFTP_UNKNOWN_OPCODE;
}

static void put_zstring(struct buf *out, struct slice text)
{
    buf_text(out, text);
    buf_byte(out, '\0');
}

static void put_options(struct buf *out, const struct tftp_options *options)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        uint64_t value;
        if (!options_get(options, (enum option)i, &value))
            continue;
        put_zstring(out, known[i].name);
        buf_number(out, value);
        buf_byte(out, '\0');
    }
}

void tftp_put_request(struct buf *out, enum tftp_opcode opcode, struct slice name, enum tftp_mode mode,
                      const struct tftp_options *options)
{
    buf_u16(out, (uint16_t)opcode);
    put_zstring(out, name);
    put_zstring(out, mode == TFTP_OCTET ? SLICE("octet") : SLICE("netascii"));
    put_options(out, options);
}

void tftp_put_oack(struct buf *out, const struct tftp_options *options)
{
    buf_u16(out, TFTP_OACK);
    put_options(out, options);
}

void tftp_put_data_header(struct buf *out, uint16_t block)
{
    buf_u16(out, TFTP_DATA);
    buf_u16(out, block);
}

void tftp_put_ack(struct buf *out, uint16_t block)
{
    buf_u16(out, TFTP_ACK);
    buf_u16(out, block);
}

void tftp_put_error(struct buf *out, uint16_t code, struct slice text)
{
    buf_u16(out, TFTP_ERROR);
    buf_u16(out, code);
    put_zstring(out, slice_first(text, TFTP_ERROR_TEXT_MAX));
}

static uint16_t lower(uint16_t asked, uint16_t ceiling)
{
    return asked < ceiling ? asked : ceiling;
}

static struct tftp_options within(struct tftp_options o, struct tftp_ceilings ceilings)
{
    o.malformed = false;
    o.blksize = lower(o.blksize, ceilings.blksize);
    o.windowsize = lower(o.windowsize, ceilings.windowsize);
    uint32_t blocks = ceilings.window / (o.has_blksize ? o.blksize : TFTP_BLKSIZE_DEFAULT);
    if (ceilings.window && blocks < o.windowsize)
        o.windowsize = blocks ? (uint16_t)blocks : 1;
    return o;
}

struct tftp_options tftp_answer_options(const struct tftp_packet *request, struct tftp_ceilings ceilings,
                                        uint64_t size)
{
    struct tftp_options o = within(request->options, ceilings);
    o.tsize = size;
    if (size == 0)
        o.has_tsize = false;
    if (request->mode == TFTP_NETASCII)
        o.has_tsize = o.has_windowsize = false;
    return o;
}

struct tftp_options tftp_answer_write_options(const struct tftp_packet *request, struct tftp_ceilings ceilings)
{
    return within(request->options, ceilings);
}

bool tftp_oack_fits(const struct tftp_options *asked, const struct tftp_options *answered)
{
    const struct tftp_options *a = answered;
    return !a->malformed && (!a->has_blksize || (asked->has_blksize && a->blksize <= asked->blksize)) &&
           (!a->has_windowsize || (asked->has_windowsize && a->windowsize <= asked->windowsize)) &&
           (!a->has_timeout || (asked->has_timeout && a->timeout_s == asked->timeout_s)) &&
           (!a->has_tsize || asked->has_tsize);
}

size_t tftp_netascii_encode(struct tftp_netascii *state, struct slice in, struct buf *out)
{
    size_t used = 0;
    while (out->len < out->cap) {
        if (state->owes) {
            buf_byte(out, state->owed);
            state->owes = false;
            continue;
        }
        if (used == in.len)
            break;
        char byte = in.ptr[used++];
        bool pair = byte == '\r' || byte == '\n';
        state->owes = pair;
        state->owed = byte == '\n' ? '\n' : '\0';
        buf_byte(out, pair ? '\r' : byte);
    }
    return used;
}

void tftp_netascii_decode(struct tftp_netascii *state, struct slice in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        char byte = in.ptr[i];
        bool after_cr = state->owes;
        state->owes = false;
        if (after_cr && byte == '\0') {
            buf_byte(out, '\r');
            continue;
        }
        if (after_cr && byte != '\n')
            buf_byte(out, '\r');
        if (byte == '\r')
            state->owes = true;
        else
            buf_byte(out, byte);
    }
}

void tftp_netascii_decode_end(struct tftp_netascii *state, struct buf *out)
{
    if (state->owes)
        buf_byte(out, '\r');
    state->owes = false;
}
