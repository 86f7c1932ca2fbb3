#include "server/tftp_transfer.h"

#include <errno.h>

void tftp_transfer_stop(struct tftp_transfer *t, enum outcome outcome, uint16_t code, const char *reason,
                        struct tftp_wire *wire)
{
    tftp_talk_stop(&t->talk, outcome, code, reason, wire);
}

/* At most `len` bytes at `offset`; fewer only at the end. Negative errno. */
static ssize_t read_file(const struct tftp_transfer *t, uint64_t offset, void *into, size_t len)
{
    if (!t->file.blob)
        return tree_file_read(&t->file, offset, into, len);
    struct slice rest = slice_first(slice_from(blob_bytes(t->file.blob), (size_t)offset), len);
    if (rest.len)
        memcpy(into, rest.ptr, rest.len);
    return (ssize_t)rest.len;
}

/* The last block of an octet transfer; of a netascii one it is known when it has been built. */
static uint64_t octet_last(const struct tftp_transfer *t)
{
    return t->file.size / t->talk.blksize + 1;
}

static bool put_octet(const struct tftp_transfer *t, uint64_t block, struct buf *room, int *ret_error)
{
    uint64_t offset = (block - 1) * t->talk.blksize;
    uint64_t left = t->file.size - offset;
    size_t len = left < t->talk.blksize ? (size_t)left : t->talk.blksize;
    ssize_t got = len ? read_file(t, offset, room->ptr + room->len, len) : 0;
    /* Fewer bytes than there were when the transfer began: the size has been promised. */
    if (got != (ssize_t)len) {
        *ret_error = got < 0 ? (int)got : -ESTALE;
        return false;
    }
    room->len += len;
    return true;
}

/* Only block acked + 1 is ever asked for: netascii has no window. */
static bool put_netascii(struct tftp_transfer *t, struct buf *room, int *ret_error)
{
    char chunk[512];
    struct buf block = buf_on(room->ptr + room->len, t->talk.blksize);
    t->text_next = t->text_at;
    t->text_next_state = t->text_state;
    for (;;) {
        ssize_t got = read_file(t, t->text_next, chunk, sizeof chunk);
        if (got < 0) {
            *ret_error = (int)got;
            return false;
        }
        t->text_next += tftp_netascii_encode(&t->text_next_state, slice_of(chunk, (size_t)got), &block);
        t->text_last = block.len < block.cap;
        if (got == 0 || !t->text_last)
            break;
    }
    room->len += block.len;
    return true;
}

static bool send_block(struct tftp_transfer *t, uint64_t block, struct tftp_wire *wire)
{
    struct buf room;
    int error = 0;
    if (!wire->reserve(wire, (size_t)TFTP_HEADER_BYTES + t->talk.blksize, &room))
        return true;
    tftp_put_data_header(&room, (uint16_t)block);
    if (!(t->netascii ? put_netascii(t, &room, &error) : put_octet(t, block, &room, &error))) {
        tftp_transfer_stop(t, OUTCOME_BROKEN, TFTP_ERROR_OTHER,
                           error == -ESTALE ? "file changed" : "cannot read the file", wire);
        return false;
    }
    wire->commit(wire, room.len);
    if (block > t->sent)
        t->sent = block;
    return true;
}

/* After an acknowledgement: what the window has room for. When it came in the middle of what had been sent, all
 * that follows it goes again, but only once for the blocks that were out then: a phone that acknowledges
 * every doubled block would otherwise get everything twice to the end of the file. */
static void open_window(struct tftp_transfer *t)
{
    t->next = t->sent + 1;
    t->until = t->acked + t->talk.windowsize;
    if (t->acked < t->sent && t->acked > t->again_until) {
        t->next = t->acked + 1;
        t->again_until = t->sent;
    }
    if (!t->netascii && t->until > octet_last(t))
        t->until = octet_last(t);
}

static void send_window(struct tftp_transfer *t, unsigned blocks, struct tftp_wire *wire)
{
    for (; t->next <= t->until && (blocks || !wire->take_turn); t->next++) {
        if (!send_block(t, t->next, wire))
            return;
        blocks--;
    }
    if (t->next <= t->until)
        wire->take_turn(wire);
}

/* A phone that has had a window fetches something large: it waits for its turn with the others of its kind. */
static unsigned blocks_at_once(const struct tftp_transfer *t)
{
    return t->talk.windowsize == 1 || t->acked == 0 ? TFTP_BLOCKS_A_TURN : 0;
}

void tftp_transfer_go_on(struct tftp_transfer *t, struct tftp_wire *wire)
{
    if (t->talk.state == TFTP_UNDER_WAY)
        send_window(t, TFTP_BLOCKS_A_TURN, wire);
}

static void send_first(struct tftp_transfer *t, struct tftp_wire *wire)
{
    if (tftp_talk_has_oack(&t->talk))
        tftp_talk_send_oack(&t->talk, wire);
    else
        send_block(t, 1, wire);
}

void tftp_transfer_start(struct tftp_transfer *t, const struct tftp_packet *request,
                         const struct tree_file *file, struct tftp_ceilings ceilings, struct tftp_wire *wire,
                         uint64_t now_ms)
{
    struct tftp_options o = tftp_answer_options(request, ceilings, file->size);
    *t = (struct tftp_transfer){
        .talk = tftp_talk_of(&o, now_ms),
        .file = *file,
        .netascii = request->mode == TFTP_NETASCII,
        .next = 1, /* behind `until` */
    };
    send_first(t, wire);
}

void tftp_transfer_asked_again(struct tftp_transfer *t, struct tftp_wire *wire, uint64_t now_ms)
{
    if (tftp_talk_is_asked_again(&t->talk, now_ms))
        send_first(t, wire);
}

static bool is_last_acked(const struct tftp_transfer *t, uint64_t before)
{
    return t->netascii ? t->acked == before + 1 && t->text_last : t->acked == octet_last(t);
}

static void receive_ack(struct tftp_transfer *t, uint16_t number, struct tftp_wire *wire, uint64_t now_ms)
{
    uint64_t before = t->acked;
    uint16_t news = (uint16_t)(number - (uint16_t)before);
    bool oack_acked = t->talk.state == TFTP_UNPROVEN && tftp_talk_has_oack(&t->talk) && number == 0;
    /* Of blocks that were never sent, of old ones, or once more of the last one. */
    if (!oack_acked && (news == 0 || news > t->sent - before))
        return;
    t->talk.state = TFTP_UNDER_WAY;
    t->acked += news;
    t->text_at = t->text_next;
    t->text_state = t->text_next_state;
    if (news && is_last_acked(t, before)) {
        tftp_talk_end(&t->talk, OUTCOME_SENT, 0, NULL);
        return;
    }
    tftp_talk_wait_afresh(&t->talk, now_ms);
    open_window(t);
    send_window(t, blocks_at_once(t), wire);
}

void tftp_transfer_receive(struct tftp_transfer *t, const struct tftp_packet *packet, struct tftp_wire *wire,
                           uint64_t now_ms)
{
    if (t->talk.state == TFTP_ENDED)
        return;
    switch (packet->opcode) {
    case TFTP_ACK:
        receive_ack(t, packet->block, wire, now_ms);
        return;
    case TFTP_ERROR:
        tftp_talk_end(&t->talk, OUTCOME_STOPPED, packet->code, "ended by the phone");
        return;
    case TFTP_RRQ:
    case TFTP_WRQ:
    case TFTP_DATA:
    case TFTP_OACK:
        /* Not answered: a stray or forged packet shall not end a transfer. */
        return;
    }
}

void tftp_transfer_timeout(struct tftp_transfer *t, struct tftp_wire *wire, uint64_t now_ms)
{
    bool all_sent = t->netascii ? t->text_last : t->sent == octet_last(t);
    if (!tftp_talk_is_due(&t->talk, all_sent ? "last block not acknowledged" : "fell silent", now_ms))
        return;
    t->again_until = 0;
    if (t->talk.state == TFTP_UNPROVEN)
        send_first(t, wire);
    else
        send_block(t, t->acked + 1, wire);
}

void tftp_transfer_release(struct tftp_transfer *t)
{
    tree_file_release(&t->file);
}

uint64_t tftp_transfer_acked_bytes(const struct tftp_transfer *t)
{
    uint64_t bytes = t->acked * t->talk.blksize;
    if (t->netascii)
        bytes = t->text_at;
    return bytes < t->file.size ? bytes : t->file.size;
}
