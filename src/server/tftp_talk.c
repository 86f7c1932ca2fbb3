#include "server/tftp_talk.h"

struct tftp_talk tftp_talk_of(const struct tftp_options *answered, uint64_t now_ms)
{
    const struct tftp_options *o = answered;
    struct tftp_talk k = {
        .with_blksize = o->has_blksize,
        .with_tsize = o->has_tsize,
        .with_windowsize = o->has_windowsize,
        .timeout_s = o->has_timeout ? o->timeout_s : 0,
        .blksize = o->has_blksize ? o->blksize : TFTP_BLKSIZE_DEFAULT,
        .windowsize = o->has_windowsize ? o->windowsize : 1,
        .tsize = o->tsize,
    };
    tftp_talk_wait_afresh(&k, now_ms);
    return k;
}

bool tftp_talk_has_oack(const struct tftp_talk *k)
{
    return k->with_blksize || k->with_tsize || k->with_windowsize || k->timeout_s != 0;
}

void tftp_talk_send_oack(const struct tftp_talk *k, struct tftp_wire *wire)
{
    struct buf room;
    struct tftp_options o = {
        .has_blksize = k->with_blksize,
        .has_timeout = k->timeout_s != 0,
        .has_tsize = k->with_tsize,
        .has_windowsize = k->with_windowsize,
        .blksize = k->blksize,
        .timeout_s = k->timeout_s,
        .tsize = k->tsize,
        .windowsize = k->windowsize,
    };
    if (!wire->reserve(wire, TFTP_OACK_BYTES_MAX, &room))
        return;
    tftp_put_oack(&room, &o);
    wire->commit(wire, room.len);
}

uint32_t tftp_talk_first_wait_ms(const struct tftp_talk *k)
{
    return k->timeout_s ? k->timeout_s * 1000u : TFTP_FIRST_WAIT_MS;
}

void tftp_talk_wait_afresh(struct tftp_talk *k, uint64_t now_ms)
{
    k->resends = 0;
    k->wait_ms = tftp_talk_first_wait_ms(k);
    k->due_ms = now_ms + k->wait_ms;
}

static void wait_longer(struct tftp_talk *k, uint64_t now_ms)
{
    uint32_t first_ms = tftp_talk_first_wait_ms(k);
    uint32_t longest_ms = first_ms > TFTP_LONGEST_WAIT_MS ? first_ms : TFTP_LONGEST_WAIT_MS;
    k->resends++;
    k->wait_ms = k->wait_ms * 2 > longest_ms ? longest_ms : k->wait_ms * 2;
    k->due_ms = now_ms + k->wait_ms;
}

bool tftp_talk_is_due(struct tftp_talk *k, const char *silence, uint64_t now_ms)
{
    if (k->state == TFTP_ENDED || now_ms < k->due_ms)
        return false;
    if (k->state == TFTP_UNPROVEN && k->resends == TFTP_RESENDS_UNPROVEN) {
        tftp_talk_end(k, OUTCOME_STOPPED, 0, "never answered");
        return false;
    }
    if (k->resends == TFTP_RESENDS) {
        tftp_talk_end(k, OUTCOME_STOPPED, 0, silence);
        return false;
    }
    wait_longer(k, now_ms);
    return true;
}

bool tftp_talk_is_asked_again(struct tftp_talk *k, uint64_t now_ms)
{
    uint64_t last_ms = k->due_ms - k->wait_ms;
    if (k->state != TFTP_UNPROVEN || now_ms - last_ms < TFTP_ECHO_MS)
        return false;
    k->due_ms = now_ms + k->wait_ms;
    return true;
}

void tftp_talk_end(struct tftp_talk *k, enum outcome outcome, uint16_t code, const char *reason)
{
    k->state = TFTP_ENDED;
    k->outcome = (uint8_t)outcome;
    k->code = code;
    k->reason = reason;
}

void tftp_talk_stop(struct tftp_talk *k, enum outcome outcome, uint16_t code, const char *reason,
                    struct tftp_wire *wire)
{
    struct buf room;
    if (k->state == TFTP_ENDED)
        return;
    tftp_talk_end(k, outcome, code, reason);
    if (!wire || !wire->reserve(wire, TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1, &room))
        return;
    tftp_put_error(&room, code, slice_str(reason));
    wire->commit(wire, room.len);
}
