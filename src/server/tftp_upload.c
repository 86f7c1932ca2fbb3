#include "server/tftp_upload.h"

static uint32_t first_wait_ms(const struct tftp_upload *u)
{
    return u->timeout_s ? u->timeout_s * 1000u : TFTP_FIRST_WAIT_MS;
}

static void wait_afresh(struct tftp_upload *u, uint64_t now_ms)
{
    u->resends = 0;
    u->wait_ms = first_wait_ms(u);
    u->due_ms = now_ms + u->wait_ms;
}

static void wait_longer(struct tftp_upload *u, uint64_t now_ms)
{
    uint32_t longest_ms = first_wait_ms(u) > TFTP_LONGEST_WAIT_MS ? first_wait_ms(u) : TFTP_LONGEST_WAIT_MS;
    u->resends++;
    u->wait_ms = u->wait_ms * 2 > longest_ms ? longest_ms : u->wait_ms * 2;
    u->due_ms = now_ms + u->wait_ms;
}

static void end(struct tftp_upload *u, enum outcome outcome, uint16_t code, const char *reason)
{
    u->state = TFTP_ENDED;
    u->outcome = (uint8_t)outcome;
    u->code = code;
    u->reason = reason;
}

void tftp_upload_stop(struct tftp_upload *u, enum outcome outcome, uint16_t code, const char *reason,
                      struct tftp_wire *wire)
{
    struct buf room;
    if (u->state == TFTP_DALLYING)
        u->state = TFTP_ENDED;
    if (u->state == TFTP_ENDED)
        return;
    end(u, outcome, code, reason);
    if (!wire || !wire->reserve(wire, TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1, &room))
        return;
    tftp_put_error(&room, code, slice_str(reason));
    wire->commit(wire, room.len);
}

static bool has_oack(const struct tftp_upload *u)
{
    return u->with_blksize || u->with_tsize || u->with_windowsize || u->timeout_s != 0;
}

static void send_oack(struct tftp_upload *u, struct tftp_wire *wire)
{
    struct buf room;
    struct tftp_options o = {
        .has_blksize = u->with_blksize,
        .has_timeout = u->timeout_s != 0,
        .has_tsize = u->with_tsize,
        .has_windowsize = u->with_windowsize,
        .blksize = u->blksize,
        .timeout_s = u->timeout_s,
        .tsize = u->tsize,
        .windowsize = u->windowsize,
    };
    if (!wire->reserve(wire, TFTP_OACK_BYTES_MAX, &room))
        return;
    tftp_put_oack(&room, &o);
    wire->commit(wire, room.len);
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
    if (u->had == 0 && has_oack(u))
        send_oack(u, wire);
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
        .netascii = request->mode == TFTP_NETASCII,
        .with_blksize = o.has_blksize,
        .with_tsize = o.has_tsize,
        .with_windowsize = o.has_windowsize,
        .timeout_s = o.has_timeout ? o.timeout_s : 0,
        .blksize = o.has_blksize ? o.blksize : TFTP_BLKSIZE_DEFAULT,
        .windowsize = o.has_windowsize ? o.windowsize : 1,
        .tsize = o.tsize,
    };
    wait_afresh(u, now_ms);
    send_again(u, wire);
}

void tftp_upload_asked_again(struct tftp_upload *u, struct tftp_wire *wire, uint64_t now_ms)
{
    uint64_t last_ms = u->due_ms - u->wait_ms;
    if (u->state != TFTP_UNPROVEN || now_ms - last_ms < TFTP_ECHO_MS)
        return;
    u->due_ms = now_ms + u->wait_ms;
    send_again(u, wire);
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
    return true;
}

static void receive_new(struct tftp_upload *u, struct slice block, struct tftp_sink *sink, struct tftp_wire *wire,
                        uint64_t now_ms)
{
    bool last = block.len < u->blksize;
    u->state = TFTP_UNDER_WAY;
    if (!keep(u, block, last, sink, wire))
        return;
    u->had++;
    u->gap_told = false;
    wait_afresh(u, now_ms);
    if (last)
        u->state = TFTP_STORING;
    else if (u->had - u->acked >= u->windowsize)
        send_ack(u, wire);
}

static void receive_data(struct tftp_upload *u, const struct tftp_packet *p, struct tftp_sink *sink,
                         struct tftp_wire *wire, uint64_t now_ms)
{
    uint16_t ahead = (uint16_t)(p->block - (uint16_t)u->had);
    if (u->state == TFTP_STORING || p->bytes.len > u->blksize)
        return;
    if (u->state == TFTP_DALLYING) {
        if (ahead == 0)
            send_ack(u, wire);
    } else if (ahead == 1) {
        receive_new(u, p->bytes, sink, wire, now_ms);
    } else if (ahead == 0 && u->had && u->had == u->acked) {
        send_ack(u, wire);
    } else if (ahead > 1 && ahead <= u->windowsize && u->had && !u->gap_told) {
        u->gap_told = true;
        send_ack(u, wire);
    }
}

void tftp_upload_receive(struct tftp_upload *u, const struct tftp_packet *packet, struct tftp_sink *sink,
                         struct tftp_wire *wire, uint64_t now_ms)
{
    if (u->state == TFTP_ENDED)
        return;
    switch (packet->opcode) {
    case TFTP_DATA:
        receive_data(u, packet, sink, wire, now_ms);
        return;
    case TFTP_ERROR:
        /* Too late once all is here. */
        if (u->state != TFTP_STORING && u->state != TFTP_DALLYING)
            end(u, OUTCOME_STOPPED, packet->code, "ended by the phone");
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
    if (u->state != TFTP_STORING)
        return;
    if (reason) {
        tftp_upload_stop(u, OUTCOME_BROKEN, code, reason, wire);
        return;
    }
    u->state = TFTP_DALLYING;
    u->outcome = OUTCOME_STORED;
    u->wait_ms = first_wait_ms(u) * 2 > TFTP_DALLY_MS ? first_wait_ms(u) * 2 : TFTP_DALLY_MS;
    u->due_ms = now_ms + u->wait_ms;
    send_ack(u, wire);
}

void tftp_upload_timeout(struct tftp_upload *u, struct tftp_wire *wire, uint64_t now_ms)
{
    if (u->state == TFTP_ENDED || now_ms < u->due_ms)
        return;
    if (u->state == TFTP_DALLYING) {
        u->state = TFTP_ENDED;
        return;
    }
    /* The disk takes its time; the phone has nothing to do but wait. */
    if (u->state == TFTP_STORING) {
        u->due_ms = now_ms + u->wait_ms;
        return;
    }
    if (u->state == TFTP_UNPROVEN && u->resends == TFTP_RESENDS_UNPROVEN) {
        end(u, OUTCOME_STOPPED, 0, "never answered");
        return;
    }
    if (u->resends == TFTP_RESENDS) {
        end(u, OUTCOME_STOPPED, 0, "fell silent");
        return;
    }
    wait_longer(u, now_ms);
    u->gap_told = false;
    send_again(u, wire);
}
