/* proto/tftp.h: any datagram, and what is built from what was read. */
#include "fuzz.h"

#include "proto/tftp.h"

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_options(const struct tftp_options *o)
{
    MUST(!o->has_blksize || (o->blksize >= TFTP_BLKSIZE_MIN && o->blksize <= TFTP_BLKSIZE_MAX));
    MUST(!o->has_timeout || o->timeout_s > 0);
    MUST(!o->has_windowsize || o->windowsize > 0);
    MUST(!o->has_tsize || o->tsize <= TFTP_TSIZE_MAX);
}

static void check_same_options(const struct tftp_options *a, const struct tftp_options *b)
{
    MUST(a->has_blksize == b->has_blksize && a->blksize == b->blksize);
    MUST(a->has_timeout == b->has_timeout && a->timeout_s == b->timeout_s);
    MUST(a->has_windowsize == b->has_windowsize && a->windowsize == b->windowsize);
    MUST(a->has_tsize == b->has_tsize && a->tsize == b->tsize);
}

static void check_request(const struct tftp_packet *p)
{
    char bytes[TFTP_REQUEST_BYTES_MAX + 64], oack[TFTP_OACK_BYTES_MAX];
    struct buf out = BUF_ON(bytes), answer = BUF_ON(oack);
    struct tftp_packet again;
    struct tftp_ceilings ceilings = { 1468, 16, 8000 };
    MUST(p->name.len > 0 && p->name.len <= TFTP_NAME_BYTES_MAX);
    MUST(slice_find(p->name, '\0') == p->name.len);
    tftp_put_request(&out, p->opcode, p->name, p->mode, &p->options);
    MUST(buf_ok(&out) && out.len <= TFTP_REQUEST_BYTES_MAX);
    MUST(tftp_parse(buf_slice(&out), &again) == TFTP_FINE);
    MUST(again.opcode == p->opcode && again.mode == p->mode && slice_eq(again.name, p->name));
    check_same_options(&p->options, &again.options);

    struct tftp_options answered = tftp_answer_options(p, ceilings, 123456);
    check_options(&answered);
    MUST(tftp_oack_fits(&p->options, &answered));
    MUST(!answered.has_blksize || answered.blksize <= 1468);
    MUST(!answered.has_windowsize || answered.windowsize <= 16);
    tftp_put_oack(&answer, &answered);
    MUST(buf_ok(&answer) && tftp_parse(buf_slice(&answer), &again) == TFTP_FINE);
}

/* In blocks of a length that the input picks, there and back. */
static void check_netascii(struct slice in)
{
    static char coded[1 << 15], back[1 << 15];
    struct tftp_netascii to = { 0 }, from = { 0 };
    size_t block = in.len ? (unsigned char)in.ptr[0] % 32u + 1 : 1, used = 0, len = 0;
    struct buf plain = BUF_ON(back), room;
    in = slice_first(in, 8000);
    do {
        room = buf_on(coded + len, block);
        used += tftp_netascii_encode(&to, slice_from(in, used), &room);
        MUST(buf_ok(&room));
        tftp_netascii_decode(&from, buf_slice(&room), &plain);
        len += room.len;
    } while (room.len == block);
    tftp_netascii_decode_end(&from, &plain);
    MUST(used == in.len && len <= 2 * in.len);
    MUST(buf_ok(&plain) && slice_eq(buf_slice(&plain), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice datagram = slice_of(data, size);
    struct tftp_packet p;
    enum tftp_fault fault = tftp_parse(datagram, &p);
    MUST(within(p.name, datagram) && within(p.bytes, datagram));
    MUST(p.name.len <= TFTP_NAME_BYTES_MAX);
    check_options(&p.options);
    MUST(tftp_fault_words(fault)[0] != '?');
    if (fault == TFTP_FINE && (p.opcode == TFTP_RRQ || p.opcode == TFTP_WRQ))
        check_request(&p);
    check_netascii(datagram);
    return 0;
}
