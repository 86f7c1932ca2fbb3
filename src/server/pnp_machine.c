#include "server/pnp_machine.h"

#include "base/url.h"
#include "net/multicast.h"
#include "proto/sip_transaction.h"
#include "server/peer_limit.h"
#include "server/pnp_phone.h"
#include "server/pnp_text.h"

#include <errno.h>
#include <stdlib.h>

struct exchange {
    struct exchange *next;          /* in the bucket */
    struct exchange *older, *newer; /* of the done ones */
    struct pnp_machine *machine;
    struct timer timer;
    struct sip_client notify;
    struct sip_server answer;
    union address peer;
    struct datagram_local local;
    struct slice key, call_id, agent; /* in `texts` */
    struct slice url;                 /* the configuration's */
    char *notify_bytes;               /* NULL: done */
    size_t notify_len;
    size_t size; /* of this allocation */
    uint32_t bytes_in, bytes_out;
    uint64_t started_ms;
    int64_t wall_ms;
    bool has_mac;
    struct mac mac;
    char texts[];
};

struct pnp_machine {
    struct pnp_options options;
    struct wheel wheel;
    uint64_t now_ms;
    int64_t wall_ms;
    uint64_t random; /* state of tags and branches */
    struct peer_limits *limits;
    struct bucket all, notes;
    struct exchange **buckets;
    size_t mask, count, outstanding, bytes;
    struct exchange *oldest, *newest; /* of the done ones */
    struct arena arena;               /* of one datagram */
};

/* SplitMix64. */
static uint64_t draw(struct pnp_machine *m)
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* --- the table --- */

static struct exchange **bucket_of(struct pnp_machine *m, const union address *peer)
{
    return &m->buckets[address_hash(peer, m->options.hash_seed) & m->mask];
}

static struct exchange *find(struct pnp_machine *m, const union address *peer)
{
    struct exchange *e = *bucket_of(m, peer);
    while (e && !address_eq(&e->peer, peer))
        e = e->next;
    return e;
}

static void link_done(struct pnp_machine *m, struct exchange *e)
{
    e->older = m->newest;
    e->newer = NULL;
    *(m->newest ? &m->newest->newer : &m->oldest) = e;
    m->newest = e;
}

static void unlink_done(struct pnp_machine *m, struct exchange *e)
{
    *(e->older ? &e->older->newer : &m->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &m->newest) = e->older;
}

static void free_notify(struct exchange *e)
{
    e->machine->bytes -= e->notify_len;
    e->machine->outstanding--;
    free(e->notify_bytes);
    e->notify_bytes = NULL;
    e->notify_len = 0;
}

static void forget(struct exchange *e)
{
    struct pnp_machine *m = e->machine;
    struct exchange **at = bucket_of(m, &e->peer);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    timer_stop(&m->wheel, &e->timer);
    if (e->notify_bytes)
        free_notify(e);
    else
        unlink_done(m, e);
    m->bytes -= e->size;
    m->count--;
    free(e);
}

/* --- what the journal hears --- */

static void set_public_url(struct journal_event *j, struct slice url)
{
    char bytes[URL_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    url_print_public(url, &out);
    journal_event_set_name(j, buf_slice(&out));
}

static void note_end(struct exchange *e, enum outcome outcome, uint16_t code, const char *reason)
{
    struct pnp_machine *m = e->machine;
    struct journal_event j = {
        .protocol = PROTOCOL_PNP, .outcome = outcome, .peer = e->peer, .wall_ms = e->wall_ms
    };
    j.duration_ms = (uint32_t)(m->now_ms - e->started_ms);
    j.bytes = e->bytes_out;
    j.code = code;
    j.reason = reason;
    j.meaning = "provisioning URL";
    j.has_mac = e->has_mac;
    j.mac = e->mac;
    set_public_url(&j, e->url);
    journal_event_set_agent(&j, e->agent);
    m->options.world->note(m->options.world, &j);
}

/* `s` NULL: it could not be read. */
static void note_refusal(struct pnp_machine *m, const struct datagram_in *in, const struct sip_message *s,
                         enum outcome outcome, const char *reason)
{
    struct journal_event j = {
        .protocol = PROTOCOL_PNP, .outcome = outcome, .peer = in->from, .wall_ms = m->wall_ms
    };
    if (!bucket_take(&m->notes, PNP_NOTES_A_SECOND, PNP_NOTES_A_SECOND, m->now_ms))
        return;
    j.reason = reason;
    j.meaning = "PnP request";
    if (s) {
        struct pnp_phone phone = pnp_phone_of(s);
        j.has_mac = phone.has_mac;
        j.mac = phone.mac;
        journal_event_set_name(&j, s->target.user);
        journal_event_set_agent(&j, s->field[SIP_FIELD_USER_AGENT]);
    }
    m->options.world->note(m->options.world, &j);
}

/* --- an exchange --- */

static void send_bytes(struct exchange *e, struct slice bytes)
{
    struct pnp_world *w = e->machine->options.world;
    e->bytes_out += (uint32_t)bytes.len;
    w->send(w, &e->peer, &e->local, bytes);
}

static bool may_send(const struct exchange *e, size_t len)
{
    return e->bytes_out + len <= (uint64_t)e->bytes_in * PNP_RATIO_MAX;
}

static void on_timer(struct timer *timer);

/* The NOTIFY is over; what is left of the exchange answers the same SUBSCRIBE. */
static void finish(struct exchange *e, enum outcome outcome, uint16_t code, const char *reason)
{
    struct pnp_machine *m = e->machine;
    note_end(e, outcome, code, reason);
    free_notify(e);
    link_done(m, e);
    timer_start(&m->wheel, &e->timer, e->answer.end_ms, on_timer);
}

static void send_again(struct exchange *e)
{
    struct pnp_machine *m = e->machine;
    bool again = sip_client_timeout(&e->notify, m->now_ms);
    if (again && may_send(e, e->notify_len)) {
        send_bytes(e, slice_of(e->notify_bytes, e->notify_len));
        timer_start(&m->wheel, &e->timer, sip_client_due_ms(&e->notify), on_timer);
    } else if (again) {
        finish(e, OUTCOME_STOPPED, 0, "not acknowledged, and more would be too much for so small a request");
    } else if (e->notify.state == SIP_CLIENT_ENDED) {
        /* Some firmwares fetch without a word (facts.md 2). */
        finish(e, OUTCOME_STOPPED, 0, "not acknowledged");
    } else {
        timer_start(&m->wheel, &e->timer, sip_client_due_ms(&e->notify), on_timer);
    }
}

static void on_timer(struct timer *timer)
{
    struct exchange *e = container_of(timer, struct exchange, timer);
    if (e->notify_bytes)
        send_again(e);
    else
        forget(e);
}

static void on_answer(struct pnp_machine *m, const struct datagram_in *in)
{
    struct exchange *e = find(m, &in->from);
    struct sip_message s;
    const char *reason;
    if (!e || !e->notify_bytes || !sip_read(in->bytes, &m->arena, &s, &reason) ||
        !slice_eq(s.field[SIP_FIELD_CALL_ID], e->call_id) ||
        !sip_client_answered(&e->notify, s.status, m->now_ms))
        return;
    if (s.status < 300)
        finish(e, OUTCOME_SENT, s.status, NULL);
    else
        finish(e, OUTCOME_STOPPED, s.status, "the phone did not want it");
}

struct texts {
    struct slice key, answer, notify;
};

static struct slice put_in(char **at, struct slice text)
{
    struct slice copy = slice_of(*at, text.len);
    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

static struct exchange *make(struct pnp_machine *m, const struct sip_message *s, const struct texts *t)
{
    struct slice call_id = s->field[SIP_FIELD_CALL_ID];
    struct slice agent = slice_first(s->field[SIP_FIELD_USER_AGENT], JOURNAL_AGENT_BYTES);
    size_t size = sizeof(struct exchange) + t->key.len + call_id.len + agent.len + t->answer.len;
    struct exchange *e = calloc(1, size);
    char *notify = malloc(t->notify.len);
    if (!e || !notify) {
        free(e);
        free(notify);
        return NULL;
    }
    char *at = e->texts;
    e->machine = m;
    e->size = size;
    e->key = put_in(&at, t->key);
    e->call_id = put_in(&at, call_id);
    e->agent = put_in(&at, agent);
    sip_server_answered(&e->answer, put_in(&at, t->answer), false, m->now_ms);
    memcpy(notify, t->notify.ptr, t->notify.len);
    e->notify_bytes = notify;
    e->notify_len = t->notify.len;
    m->bytes += size + e->notify_len;
    m->outstanding++;
    m->count++;
    return e;
}

static void begin(struct pnp_machine *m, const struct datagram_in *in, const struct sip_message *s,
                  const struct texts *t, struct slice url)
{
    struct exchange *e = make(m, s, t);
    if (!e) {
        note_refusal(m, in, s, OUTCOME_BROKEN, "out of memory");
        return;
    }
    struct exchange **bucket = bucket_of(m, &in->from);
    struct pnp_phone phone = pnp_phone_of(s);
    e->peer = in->from;
    e->local = in->to;
    e->next = *bucket;
    *bucket = e;
    e->url = url;
    e->has_mac = phone.has_mac;
    e->mac = phone.mac;
    e->bytes_in = (uint32_t)in->bytes.len;
    e->started_ms = m->now_ms;
    e->wall_ms = m->wall_ms;
    send_bytes(e, e->answer.answer);
    send_bytes(e, slice_of(e->notify_bytes, e->notify_len));
    sip_client_start(&e->notify, PNP_TRIES, false, m->now_ms);
    timer_start(&m->wheel, &e->timer, sip_client_due_ms(&e->notify), on_timer);
}

/* --- a SUBSCRIBE --- */

static const char *make_texts(struct pnp_machine *m, const struct datagram_in *in, const struct sip_message *s,
                              struct slice url, struct texts *t, struct buf *answer, struct buf *notify)
{
    union address own = { .v4 = { .sin_family = AF_INET, .sin_addr = in->to.v4 } };
    struct pnp_dialog d = { s, &in->from, &own, draw(m), draw(m) };
    address_set_port(&own, m->options.own_port);
    if (!pnp_put_answer(answer, &d) || !pnp_put_notify(notify, &d, url))
        return "what has to be repeated is too long";
    t->answer = buf_slice(answer);
    t->notify = buf_slice(notify);
    if (t->answer.len + t->notify.len > in->bytes.len * PNP_RATIO_MAX)
        return "so small a request gets no answer";
    return NULL;
}

static bool has_room(struct pnp_machine *m)
{
    if (m->count < m->options.config->pnp_exchanges)
        return true;
    if (m->oldest)
        forget(m->oldest);
    return m->count < m->options.config->pnp_exchanges;
}

static void start(struct pnp_machine *m, const struct datagram_in *in, const struct sip_message *s,
                  struct slice key)
{
    char answer[PNP_TEXT_BYTES_MAX], notify[PNP_TEXT_BYTES_MAX];
    struct buf a = BUF_ON(answer), n = BUF_ON(notify);
    struct texts t = { .key = key };
    struct pnp_phone phone = pnp_phone_of(s);
    const char *reason;
    struct slice url;
    if (!pnp_choose(m->options.config, &phone, &url, &reason)) {
        note_refusal(m, in, s, OUTCOME_ABSENT, reason);
        return;
    }
    reason = make_texts(m, in, s, url, &t, &a, &n);
    if (!reason && !has_room(m))
        reason = "too many exchanges under way";
    if (reason)
        note_refusal(m, in, s, OUTCOME_REFUSED, reason);
    else
        begin(m, in, s, &t, url);
}

/* The same SUBSCRIBE once more: the same 200, and the NOTIFY goes its own way. */
static void repeat(struct exchange *e, const struct datagram_in *in)
{
    struct slice answer;
    e->bytes_in += (uint32_t)in->bytes.len;
    if (sip_server_asked_again(&e->answer, e->machine->now_ms, &answer) && may_send(e, answer.len))
        send_bytes(e, answer);
}

static void on_subscribe(struct pnp_machine *m, const struct datagram_in *in, const struct sip_message *s)
{
    char bytes[3 * PNP_SUBSCRIBE_BYTES_MAX];
    struct buf key = BUF_ON(bytes);
    struct exchange *e = find(m, &in->from);
    sip_transaction_key(s, &key);
    if (e && slice_eq(e->key, buf_slice(&key))) {
        repeat(e, in);
        return;
    }
    if (e && e->notify_bytes)
        finish(e, OUTCOME_STOPPED, 0, "the phone asked anew");
    if (e)
        forget(e);
    start(m, in, s, buf_slice(&key));
}

/* NULL: it is for us. */
static const char *why_not(const struct pnp_machine *m, const struct datagram_in *in,
                           const struct sip_message *s)
{
    if (s->method != SIP_METHOD_SUBSCRIBE)
        return "not a SUBSCRIBE";
    if (!slice_eq_nocase(sip_value(s->field[SIP_FIELD_EVENT]), SLICE("ua-profile")))
        return "not for the event ua-profile";
    if (!in->to_group && !m->options.config->pnp_unicast)
        return "not sent to the group, and pnp.unicast is 0";
    return s->cut ? "shorter than it says" : NULL;
}

static bool may_ask(struct pnp_machine *m, const struct datagram_in *in)
{
    const struct config *c = m->options.config;
    struct peer_limit *limit = peer_limits_of(m->limits, &in->from);
    const char *reason = NULL;
    if (!bucket_take(&limit->requests, c->pnp_rate, PNP_BURST * c->pnp_rate, m->now_ms))
        reason = "too many requests from this address";
    else if (!bucket_take(&m->all, c->pnp_total_rate, PNP_TOTAL_BURST * c->pnp_total_rate, m->now_ms))
        reason = "too many requests in all";
    if (reason)
        note_refusal(m, in, NULL, OUTCOME_REFUSED, reason);
    return !reason;
}

static void on_request(struct pnp_machine *m, const struct datagram_in *in)
{
    struct sip_message s;
    const char *reason = NULL;
    if (!may_ask(m, in))
        return;
    if (in->cut || in->bytes.len > PNP_SUBSCRIBE_BYTES_MAX) {
        note_refusal(m, in, NULL, OUTCOME_REFUSED, "too long");
        return;
    }
    bool read = sip_read(in->bytes, &m->arena, &s, &reason);
    if (read)
        reason = why_not(m, in, &s);
    if (reason)
        note_refusal(m, in, read ? &s : NULL, OUTCOME_REFUSED, reason);
    else
        on_subscribe(m, in, &s);
}

/* Whom an answer could reach: no group, no port 0, nobody everywhere. */
static bool can_be_answered(const struct datagram_in *in)
{
    uint32_t host = ntohl(in->from.v4.sin_addr.s_addr);
    return in->from.sa.sa_family == AF_INET && in->to.family == AF_INET && address_port(&in->from) != 0 &&
           !address_is_multicast(&in->from) && host != INADDR_BROADCAST && host >> 24 != 0;
}

void pnp_machine_receive(struct pnp_machine *m, const struct datagram_in *in, uint64_t now_ms, int64_t wall_ms)
{
    m->now_ms = now_ms;
    m->wall_ms = wall_ms;
    if (!can_be_answered(in))
        return;
    if (slice_starts_nocase(in->bytes, SLICE("SIP/")))
        on_answer(m, in);
    else
        on_request(m, in);
    arena_reset(&m->arena);
}

void pnp_machine_undelivered(struct pnp_machine *m, const union address *to, uint64_t now_ms)
{
    struct exchange *e = find(m, to);
    m->now_ms = now_ms;
    if (!e || !e->notify_bytes)
        return;
    sip_client_stop(&e->notify);
    finish(e, OUTCOME_STOPPED, 0, "nobody takes it there (ICMP)");
}

bool pnp_machine_due(const struct pnp_machine *m, uint64_t *ret_ms)
{
    return wheel_next(&m->wheel, ret_ms);
}

void pnp_machine_advance(struct pnp_machine *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    wheel_advance(&m->wheel, now_ms);
}

int pnp_machine_open(const struct pnp_options *options, uint64_t now_ms, struct pnp_machine **ret_machine)
{
    struct pnp_machine *m = calloc(1, sizeof *m);
    size_t buckets = 1;
    if (!m)
        return -ENOMEM;
    m->options = *options;
    m->random = options->tag_seed;
    m->now_ms = now_ms;
    wheel_init(&m->wheel, now_ms);
    arena_init(&m->arena, SIP_READ_BYTES_MAX);
    while (buckets < options->config->pnp_exchanges)
        buckets *= 2;
    m->mask = buckets - 1;
    m->buckets = calloc(buckets, sizeof *m->buckets);
    if (!m->buckets || peer_limits_open(options->config->pnp_exchanges, options->hash_seed, &m->limits)) {
        pnp_machine_close(m);
        return -ENOMEM;
    }
    *ret_machine = m;
    return 0;
}

void pnp_machine_close(struct pnp_machine *m)
{
    if (!m)
        return;
    for (size_t i = 0; m->buckets && i <= m->mask; i++) {
        while (m->buckets[i]) {
            struct exchange *e = m->buckets[i];
            if (e->notify_bytes)
                note_end(e, OUTCOME_STOPPED, 0, "server stopped");
            forget(e);
        }
    }
    peer_limits_close(m->limits);
    arena_free(&m->arena);
    free(m->buckets);
    free(m);
}

size_t pnp_machine_exchanges(const struct pnp_machine *m)
{
    return m->count;
}

size_t pnp_machine_outstanding(const struct pnp_machine *m)
{
    return m->outstanding;
}

size_t pnp_machine_bytes(const struct pnp_machine *m)
{
    return m->bytes;
}
