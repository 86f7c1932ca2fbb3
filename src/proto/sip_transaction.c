#include "proto/sip_transaction.h"

void sip_client_start(struct sip_client *c, uint8_t tries_max, bool reliable, uint64_t now_ms)
{
    *c = (struct sip_client){ .tries = 1,
                              .tries_max = tries_max,
                              .reliable = reliable,
                              .wait_ms = SIP_T1_MS,
                              .try_ms = reliable ? UINT64_MAX : now_ms + SIP_T1_MS,
                              .end_ms = now_ms + SIP_LIFE_MS };
}

uint64_t sip_client_due_ms(const struct sip_client *c)
{
    bool tries = c->state == SIP_CLIENT_TRYING || c->state == SIP_CLIENT_PROCEEDING;
    if (c->state == SIP_CLIENT_ENDED)
        return UINT64_MAX;
    return tries && c->try_ms < c->end_ms ? c->try_ms : c->end_ms;
}

bool sip_client_timeout(struct sip_client *c, uint64_t now_ms)
{
    if (now_ms < sip_client_due_ms(c))
        return false;
    if (c->state == SIP_CLIENT_COMPLETED || now_ms >= c->end_ms || (c->tries_max && c->tries >= c->tries_max)) {
        c->state = SIP_CLIENT_ENDED;
        return false;
    }
    c->wait_ms = c->state == SIP_CLIENT_PROCEEDING || 2 * c->wait_ms > SIP_T2_MS ? SIP_T2_MS : 2 * c->wait_ms;
    c->try_ms = now_ms + c->wait_ms;
    c->tries++;
    return true;
}

bool sip_client_answered(struct sip_client *c, uint16_t status, uint64_t now_ms)
{
    if (c->state == SIP_CLIENT_COMPLETED || c->state == SIP_CLIENT_ENDED)
        return false;
    if (status < 200) {
        c->state = SIP_CLIENT_PROCEEDING;
        return false;
    }
    c->status = status;
    c->state = c->reliable ? SIP_CLIENT_ENDED : SIP_CLIENT_COMPLETED;
    c->end_ms = now_ms + SIP_T4_MS;
    return true;
}

void sip_client_stop(struct sip_client *c)
{
    c->state = SIP_CLIENT_ENDED;
}

void sip_server_answered(struct sip_server *s, struct slice answer, bool reliable, uint64_t now_ms)
{
    s->answer = answer;
    s->end_ms = now_ms + (reliable ? 0 : SIP_LIFE_MS);
}

bool sip_server_asked_again(const struct sip_server *s, uint64_t now_ms, struct slice *ret_answer)
{
    if (!s->answer.len || now_ms >= s->end_ms)
        return false;
    *ret_answer = s->answer;
    return true;
}

/* Each with its length, so that no text of one can pass for another. */
static void put(struct buf *out, struct slice text)
{
    buf_format(out, "%zu:", text.len);
    buf_text(out, text);
}

void sip_transaction_key(const struct sip_message *m, struct buf *out)
{
    bool cookie = slice_starts(m->via.branch, SLICE(SIP_BRANCH_COOKIE)) &&
                  m->via.branch.len > sizeof SIP_BRANCH_COOKIE - 1;
    put(out, m->method_text);
    put(out, m->via.host);
    buf_format(out, "%u:", m->via.port);
    put(out, m->via.branch);
    put(out, m->field[SIP_FIELD_CALL_ID]);
    buf_format(out, "%u:", m->cseq);
    if (cookie)
        return;
    put(out, m->target.text);
    put(out, m->from.tag);
    put(out, m->to.tag);
    put(out, m->field[SIP_FIELD_VIA]);
}
