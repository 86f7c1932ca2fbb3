/* server/tftp_upload.h: whatever a peer sends and whenever, at most one datagram answers one, and what is kept is a
 * row of its blocks.
 *
 * Input: block size, window, mode; then steps of four bytes: what, a block number or a time, a length. */
#include "fuzz.h"

#include "server/tftp_upload.h"

#define BLOCK_MAX 128

static struct {
    struct tftp_wire wire; /* first */
    struct tftp_sink sink;
    char bytes[256];
    struct tftp_upload u;
    unsigned sent, taken;
    size_t sent_bytes;
} f;

static bool reserve(struct tftp_wire *wire, size_t cap, struct buf *ret_room)
{
    (void)wire;
    MUST(cap <= sizeof f.bytes);
    *ret_room = buf_on(f.bytes, cap);
    return true;
}

static void commit(struct tftp_wire *wire, size_t len)
{
    struct tftp_packet p;
    (void)wire;
    f.sent++;
    f.sent_bytes = len;
    MUST(tftp_parse(slice_of(f.bytes, len), &p) == TFTP_FINE);
    MUST(p.opcode == TFTP_ACK || p.opcode == TFTP_OACK || p.opcode == TFTP_ERROR);
    MUST(p.opcode != TFTP_ACK || p.block == (uint16_t)f.u.had);
}

static bool take(struct tftp_sink *sink, struct slice bytes, uint16_t *ret_code, const char **ret_reason)
{
    (void)sink;
    MUST(bytes.len && bytes.len <= (size_t)f.u.talk.blksize + 2);
    MUST(f.u.talk.state != TFTP_STORING && f.u.talk.state != TFTP_DALLYING && f.u.talk.state != TFTP_ENDED);
    if (++f.taken < 200)
        return true;
    *ret_code = TFTP_ERROR_FULL;
    *ret_reason = "full";
    return false;
}

static void receive(uint8_t what, uint16_t number, uint8_t len, uint64_t now_ms)
{
    static char content[BLOCK_MAX * 2];
    struct tftp_packet p = { .block = number, .opcode = what % 16 == 15 ? TFTP_ERROR : TFTP_DATA };
    /* Near what is waited for, or any number at all; full blocks, or any length. */
    if (what & 0x80)
        p.block = (uint16_t)(f.u.had + number % 40);
    memset(content, len, sizeof content);
    p.bytes = slice_of(content, what & 0x40 ? f.u.talk.blksize : len);
    tftp_upload_receive(&f.u, &p, &f.sink, &f.wire, now_ms);
    MUST(p.opcode == TFTP_DATA || f.sent == 0);
}

static void step(const uint8_t *bytes, uint64_t *now_ms)
{
    uint16_t number = (uint16_t)(bytes[1] << 8 | bytes[2]);
    uint64_t had = f.u.had, taken = f.taken;
    bool ended = f.u.talk.state == TFTP_ENDED, stored = f.u.talk.outcome == OUTCOME_STORED;
    f.sent = 0;
    switch (bytes[0] % 8) {
    case 0:
        *now_ms += number;
        tftp_upload_timeout(&f.u, &f.wire, *now_ms);
        break;
    case 1:
        tftp_upload_asked_again(&f.u, &f.wire, *now_ms);
        break;
    case 2:
        tftp_upload_stored(&f.u, 3, number % 2 ? "full" : NULL, &f.wire, *now_ms);
        break;
    default:
        receive(bytes[0], number, bytes[3], *now_ms);
        break;
    }
    MUST(f.sent <= (ended ? 0u : 1u));
    MUST(f.u.had - had <= 1 && f.taken - taken <= 1);
    MUST(f.u.acked <= f.u.had && f.u.had - f.u.acked <= f.u.talk.windowsize);
    MUST(f.u.talk.resends <= TFTP_RESENDS);
    MUST(!ended || f.u.talk.state == TFTP_ENDED);
    MUST(!stored || f.u.talk.outcome == OUTCOME_STORED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t now_ms = 1000;
    static const struct tftp_ceilings ceilings = { BLOCK_MAX, TFTP_WINDOW_CEILING, TFTP_WINDOW_BYTES };
    struct tftp_packet request = { .opcode = TFTP_WRQ };
    if (size < 3)
        return 0;
    memset(&f, 0, sizeof f);
    f.wire = (struct tftp_wire){ reserve, commit, NULL };
    f.sink.take = take;
    request.mode = data[2] & 1 ? TFTP_NETASCII : TFTP_OCTET;
    request.options = (struct tftp_options){ .has_blksize = true,
                                             .blksize = (uint16_t)(8 + data[0] % (BLOCK_MAX - 8)),
                                             .has_windowsize = data[1] % 2,
                                             .windowsize = (uint16_t)(1 + data[1] / 2) };
    tftp_upload_start(&f.u, &request, ceilings, &f.wire, now_ms);
    for (size_t i = 3; i + 4 <= size; i += 4)
        step(data + i, &now_ms);
    return 0;
}
