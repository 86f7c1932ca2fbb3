/* server/tftp_transfer.h: whatever a peer sends and whenever, what goes out stays bounded and is the file.
 *
 * Input: file size (2 bytes), block size, window, mode; then steps of three bytes: what, and a block number or
 * a time. */
#include "fuzz.h"

#include "tests/server_fakes.h"

#include "server/tftp_transfer.h"

#define BLOCK_MAX 128

static char content[8192];
static struct {
    struct tftp_wire wire; /* first */
    char bytes[256];
    struct tftp_transfer t;
    unsigned sent;
    bool text;
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
    MUST(tftp_parse(slice_of(f.bytes, len), &p) == TFTP_FINE);
    MUST(p.opcode == TFTP_DATA || p.opcode == TFTP_OACK);
    if (p.opcode != TFTP_DATA || f.text)
        return;
    size_t offset = (size_t)(p.block - 1) * f.t.talk.blksize;
    MUST(p.bytes.len <= f.t.talk.blksize && offset + p.bytes.len <= f.t.file.size);
    MUST(p.bytes.len == f.t.talk.blksize || offset + p.bytes.len == f.t.file.size);
    MUST(memcmp(p.bytes.ptr, content + offset, p.bytes.len) == 0);
}

static void start(const uint8_t *head)
{
    struct tree_question q = { SLICE("f") };
    struct tree_file file;
    struct tftp_packet request = { .opcode = TFTP_RRQ, .name = q.name };
    size_t size = ((size_t)head[0] << 8 | head[1]) % sizeof content;
    request.mode = f.text ? TFTP_NETASCII : TFTP_OCTET;
    request.options = (struct tftp_options){ .has_blksize = true,
                                             .blksize = (uint16_t)(8 + head[2] % (BLOCK_MAX - 8)),
                                             .has_windowsize = head[3] % 2,
                                             .windowsize = (uint16_t)(1 + head[3] / 2) };
    fakes_reset();
    fake_add("f", TREE_FILE, slice_of(content, size), head[4] & 2);
    MUST(tree_ask(NULL, &q, &file) == TREE_FILE);
    tftp_transfer_start(&f.t, &request, &file, (struct tftp_ceilings){ BLOCK_MAX, 16, 0 }, &f.wire, 1000);
    MUST(f.sent == 1);
}

static void step(uint8_t what, uint16_t number, uint64_t *now_ms)
{
    struct tftp_packet p = { .block = number, .opcode = what % 16 == 15 ? TFTP_ERROR : TFTP_ACK };
    unsigned before = f.sent, most = f.t.talk.windowsize;
    bool ended = f.t.talk.state == TFTP_ENDED;
    /* Near what is waited for, or any number at all. */
    if (what & 0x80)
        p.block = (uint16_t)(f.t.acked + number % 40);
    switch (what % 4) {
    case 0:
        *now_ms += number;
        tftp_transfer_timeout(&f.t, &f.wire, *now_ms);
        most = 1;
        break;
    case 1:
        tftp_transfer_asked_again(&f.t, &f.wire, *now_ms);
        most = 1;
        break;
    default:
        tftp_transfer_receive(&f.t, &p, &f.wire, *now_ms);
        most = p.opcode == TFTP_ERROR ? 0 : most;
        break;
    }
    MUST(f.sent - before <= (ended ? 0 : most));
    MUST(f.t.talk.resends <= TFTP_RESENDS);
    MUST(tftp_transfer_acked_bytes(&f.t) <= f.t.file.size);
    MUST(!ended || f.t.talk.state == TFTP_ENDED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t now_ms = 1000;
    if (size < 5)
        return 0;
    memset(&f, 0, sizeof f);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 7 + (i >> 8));
    f.wire = (struct tftp_wire){ reserve, commit, NULL };
    f.text = data[4] & 1;
    start(data);
    for (size_t i = 5; i + 3 <= size; i += 3)
        step(data[i], (uint16_t)(data[i + 1] << 8 | data[i + 2]), &now_ms);
    tftp_transfer_release(&f.t);
    MUST(fake_held == 0);
    return 0;
}
