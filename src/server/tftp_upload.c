#include "server/tftp_upload.h"

void tftp_upload_stop(struct tftp_upload *u, enum outcome outcome, uint16_t code, const char *reason,
                      struct tftp_wire *wire)
{
    if (u->talk.state == TFTP_DALLYING)
        u->talk.state = TFTP_ENDED;
    tftp_talk_stop(&u->talk, outcome, code, reason, wire);
}

static void send_ack(struct tftp_upload *u, struct tftp_wire *wire)
{
    struct buf room;
    u->acked = u->had;
    if (!wire->reserve(wire, TFTP_HEADER_BYTES, &room))
        return;
    tftp_put_ack(&room, (uint16_t)u->had);
    wire->commit(wire, room.len);
}

/* What says how far we are. */
static void send_again(struct tftp_upload *u, struct tftp_wire *wire)
{
    if (u->had == 0 && tftp_talk_has_oack(&u->talk))
        tftp_talk_send_oack(&u->talk, wire);
    else
        send_ack(u, wire);
}

void tftp_upload_start(struct tftp_upload *u, const struct tftp_packet *request, struct tftp_ceilings ceilings,
                       struct tftp_wire *wire, uint64_t now_ms)
{
    if (ceilings.blksize > TFTP_UPLOAD_BLKSIZE_MAX)
        ceilings.blksize = TFTP_UPLOAD_BLKSIZE_MAX;
    struct tftp_options o = tftp_answer_write_options(request, ceilings);
    *u = (struct tftp_upload){
        .talk = tftp_talk_of(&o, now_ms),
        .netascii = request->mode == TFTP_NETASCII,
    };
    send_again(u, wire);
}

void tftp_upload_asked_again(struct tftp_upload *u, struct tftp_wire *wire, uint64_t now_ms)
{
    if (tftp_talk_is_asked_again(&u->talk, now_ms))
        send_again(u, wire);
}

/* libcurl, on hearing the OACK a second time, sends its second block as the first. More than was announced is
 * fine: logs grow while they are sent. */
static bool is_short(const struct tftp_upload *u)
{
    return !u->netascii && u->talk.with_tsize && u->bytes < u->talk.tsize;
}

static bool keep(struct tftp_upload *u, struct slice block, bool last, struct tftp_sink *sink, struct tftp_wire *wire)
{
    char decoded[TFTP_UPLOAD_BLKSIZE_MAX + 2];
    struct buf text = BUF_ON(decoded);
    uint16_t code = 0;
    const char *reason = NULL;
    if (u->netascii)
        tftp_netascii_decode(&u->text, block, &text);
    if (u->netascii && last)
        tftp_netascii_decode_end(&u->text, &text);
    struct slice bytes = u->netascii ? buf_slice(&text) : block;
    if (bytes.len && !sink->take(sink, bytes, &code, &reason)) {
        tftp_upload_stop(u, code == TFTP_ERROR_OTHER ? OUTCOME_BROKEN : OUTCOME_REFUSED, code, reason, wire);
        return false;
    }
    u->bytes += bytes.len;
    if (!last || !is_short(u))
        return true;
    tftp_upload_stop(u, OUTCOME_STOPPED, TFTP_ERROR_OTHER, "shorter than announced", wire);
    return false;
}

static void receive_new(struct tftp_upload *u, struct slice block, struct tftp_sink *sink, struct tftp_wire *wire,
                        uint64_t now_ms)
{
    bool last = block.len < u->talk.blksize;
    u->talk.state = TFTP_UNDER_WAY;
    if (!keep(u, block, last, sink, wire))
        return;
    u->had++;
    u->gap_told = false;
    tftp_talk_wait_afresh(&u->talk, now_ms);
    if (last)
        u->talk.state = TFTP_STORING;
    else if (u->had - u->acked >= u->talk.windowsize)
        send_ack(u, wire);
}

static void receive_data(struct tftp_upload *u, const struct tftp_packet *p, struct tftp_sink *sink,
                         struct tftp_wire *wire, uint64_t now_ms)
{
    uint16_t ahead = (uint16_t)(p->block - (uint16_t)u->had);
    if (u->talk.state == TFTP_STORING || p->bytes.len > u->talk.blksize)
        return;
    if (u->talk.state == TFTP_DALLYING) {
        if (ahead == 0)
            send_ack(u, wire);
    } else if (ahead == 1) {
        receive_new(u, p->bytes, sink, wire, now_ms);
    } else if (ahead == 0 && u->had && u->had == u->acked) {
        send_ack(u, wire);
    } else if (ahead > 1 && ahead <= u->talk.windowsize && u->had && !u->gap_told) {
        u->gap_told = true;
        send_ack(u, wire);
    }
}

void tftp_upload_receive(struct tftp_upload *u, const struct tftp_packet *packet, struct tftp_sink *sink,
                         struct tftp_wire *wire, uint64_t now_ms)
{
    if (u->talk.state == TFTP_ENDED)
        return;
    switch (packet->opcode) {
    case TFTP_DATA:
        receive_data(u, packet, sink, wire, now_ms);
        return;
    case TFTP_ERROR:
        /* Too late once all is here. */
        if (u->talk.state != TFTP_STORING && u->talk.state != TFTP_DALLYING)
            tftp_talk_end(&u->talk, OUTCOME_STOPPED, packet->code, "ended by the phone");
        return;
    case TFTP_RRQ:
    case TFTP_WRQ:
    case TFTP_ACK:
    case TFTP_OACK:
        /* Not answered: a stray or forged packet shall not end a transfer. */
        return;
    }
}

void tftp_upload_stored(struct tftp_upload *u, uint16_t code, const char *reason, struct tftp_wire *wire,
                        uint64_t now_ms)
{
    if (u->talk.state != TFTP_STORING)
        return;
    if (reason) {
        tftp_upload_stop(u, OUTCOME_BROKEN, code, reason, wire);
        return;
    }
    u->talk.state = TFTP_DALLYING;
    u->talk.outcome = OUTCOME_STORED;
    u->talk.wait_ms = tftp_talk_first_wait_ms(&u->talk) * 2 > TFTP_DALLY_MS
                          ? tftp_talk_first_wait_ms(&u->talk) * 2
                          : TFTP_DALLY_MS;
    u->talk.due_ms = now_ms + u->talk.wait_ms;
    send_ack(u, wire);
}

void tftp_upload_timeout(struct tftp_upload *u, struct tftp_wire *wire, uint64_t now_ms)
{
    if (u->talk.state == TFTP_ENDED || now_ms < u->talk.due_ms)
        return;
    if (u->talk.state == TFTP_DALLYING) {
        u->talk.state = TFTP_ENDED;
        return;
    }
    /* The disk takes its time; the phone has nothing to do but wait. */
    if (u->talk.state == TFTP_STORING) {
        u->talk.due_ms = now_ms + u->talk.wait_ms;
        return;
    }
    if (!tftp_talk_is_due(&u->talk, "fell silent", now_ms))
        return;
    u->gap_told = false;
    send_again(u, wire);
}
