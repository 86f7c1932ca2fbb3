#include "phone/ring.h"

#include "base/bucket.h"
#include "guide/check_sync.h"
#include "phone/ring_login.h"
#include "phone/ring_memory.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ALLOW SLICE("NOTIFY, OPTIONS")
#define ALLOW_EVENTS SLICE("check-sync, message-summary, keep-alive")
#define TAG_DIGITS 16
/* Room for one message, its key, and what is said of it. */
#define ARENA_BYTES (SIP_READ_BYTES_MAX + SIP_KEY_BYTES_MAX + 4096)

struct ring {
    struct ring_world world;
    enum ring_auth auth;
    struct ring_login login;
    /* What strangers make it remember must not push out what was done. */
    struct ring_memory done, refused;
    struct bucket trusted, strangers, telling;
    unsigned long untold, dropped;
};

/* One request on its way. */
struct ringing {
    struct ring *r;
    const struct ring_source *from;
    const struct sip_message *m;
    struct ring_view view;
    enum ring_trust trust;
    uint64_t now_ms;
    struct ring_key key;
    enum check_sync act; /* CHECK_SYNC_OTHER: nothing is done */
    bool stale;          /* of a 401 */
    const char *why;     /* what is told of it; NULL: nothing, for a PBX asks every minute whether a phone is there */
};

int ring_open(const struct ring_options *options, struct ring **ret_ring)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->world = options->world;
    r->auth = options->auth;
    memcpy(r->login.secret, options->secret, sizeof r->login.secret);
    *ret_ring = r;
    return 0;
}

void ring_close(struct ring *r)
{
    if (!r)
        return;
    ring_memory_clear(&r->done);
    ring_memory_clear(&r->refused);
    OPENSSL_cleanse(&r->login, sizeof r->login);
    free(r);
}

/* --- what is told --- */

static void tell(struct ring *r, const union address *from, uint64_t now_ms, struct slice what, const char *came_of_it)
{
    char bytes[512];
    struct buf line = BUF_ON(bytes);
    if (!bucket_take(&r->telling, RING_TELL_RATE, RING_TELL_BURST, now_ms)) {
        r->untold++;
        return;
    }
    buf_escaped(&line, slice_first(what, 32));
    buf_str(&line, " from ");
    address_print(from, &line);
    buf_format(&line, ": %s", came_of_it);
    if (r->dropped)
        buf_format(&line, "; %lu requests before it were too many", r->dropped);
    if (r->untold)
        buf_format(&line, "; %lu lines like this were left out", r->untold);
    r->untold = r->dropped = 0;
    if (r->world.told)
        r->world.told(r->world.context, buf_slice(&line));
}

/* --- what a request comes to: its status --- */

/* What registrars send to phones that have not asked for it. */
static bool is_harmless(struct slice package)
{
    return slice_eq_nocase(package, SLICE("message-summary")) || slice_eq_nocase(package, SLICE("keep-alive"));
}

static uint16_t by_digest(struct ringing *q)
{
    switch (ring_login_check(&q->r->login, q->view.settings, q->m, q->now_ms)) {
    case RING_LOGIN_DONE:
        return 200;
    case RING_LOGIN_NONE:
        q->why = "401, it has to give an account's password";
        return 401;
    case RING_LOGIN_STALE:
        q->why = "401, its nonce is used up";
        q->stale = true;
        return 401;
    case RING_LOGIN_WRONG:
        break;
    }
    q->why = "401, a wrong user name or password";
    return 401;
}

static uint16_t authorize(struct ringing *q)
{
    enum ring_auth auth = q->r->auth;
    if (auth == RING_AUTH_OPEN || (auth == RING_AUTH_STRANGERS && q->trust == RING_TRUSTED))
        return 200;
    if (ring_login_possible(q->view.settings))
        return by_digest(q);
    q->why = "403, it is neither the provisioning server nor a SIP server of an account, and no account has a password";
    if (q->trust == RING_TRUSTED)
        q->why = "403, a password is wanted and no account has one";
    return 403;
}

static uint16_t judge_notify(struct ringing *q)
{
    struct slice event = q->m->field[SIP_FIELD_EVENT];
    enum check_sync act = check_sync_decide(q->view.settings, event);
    if (act == CHECK_SYNC_OTHER) {
        bool harmless = is_harmless(sip_value(event));
        q->why = harmless ? NULL : "489, not an event of this phone's";
        return harmless ? 200 : 489;
    }
    uint16_t status = authorize(q);
    if (status == 200)
        q->act = act;
    return status;
}

static uint16_t judge(struct ringing *q)
{
    const struct sip_message *m = q->m;
    if (m->cut) {
        q->why = "400, it is not whole";
        return 400;
    }
    if (q->trust != RING_TRUSTED && settings_is_on(q->view.settings, SLICE("sip.trust_ctrl"))) {
        q->why = "403, sip.trust_ctrl is 1";
        return 403;
    }
    if (m->method == SIP_METHOD_NOTIFY)
        return judge_notify(q);
    if (m->method == SIP_METHOD_OPTIONS)
        return 200;
    q->why = m->method == SIP_METHOD_OTHER ? "501, not a method that is known" : "405, not a method of this phone's";
    return m->method == SIP_METHOD_OTHER ? 501 : 405;
}

/* --- the answer --- */

static void put_answer(struct ringing *q, uint16_t status, struct buf *out)
{
    char host_bytes[64], tag_bytes[TAG_DIGITS + 1], agent_bytes[128];
    struct buf host = BUF_ON(host_bytes), tag = BUF_ON(tag_bytes), agent = BUF_ON(agent_bytes);
    address_print_host(&q->from->address, &host);
    ring_login_hash(&q->r->login, slice_of(q->key.bytes, sizeof q->key.bytes), TAG_DIGITS, &tag);
    identity_print_user_agent(&q->view.id, false, &agent);
    struct sip_source source = { buf_slice(&host), address_port(&q->from->address) };
    sip_put_answer(out, q->m, status, buf_slice(&tag), &source);
    sip_put_field(out, SIP_FIELD_USER_AGENT, buf_slice(&agent));
    if (status == 401)
        ring_login_challenge(&q->r->login, q->view.settings, q->stale, q->now_ms, out);
    if (status == 405 || status == 501 || q->m->method == SIP_METHOD_OPTIONS)
        sip_put_field(out, SIP_FIELD_ALLOW, ALLOW);
    if (status == 489 || q->m->method == SIP_METHOD_OPTIONS)
        sip_put_field(out, SIP_FIELD_ALLOW_EVENTS, ALLOW_EVENTS);
    if (status == 503)
        sip_put_field(out, SIP_FIELD_RETRY_AFTER, SLICE("1"));
    sip_put_end(out, SLICE_NONE, SLICE_NONE);
}

static void act(struct ringing *q)
{
    static const char *const words[] = {
        [CHECK_SYNC_IGNORED] = "200, ignored: sip.notify_reboot_enable is 2",
        [CHECK_SYNC_PROVISION] = "200, check-sync: provision",
        [CHECK_SYNC_REBOOT] = "200, check-sync: reboot",
    };
    const struct ring_world *w = &q->r->world;
    if (q->act != CHECK_SYNC_OTHER)
        q->why = words[q->act];
    if (q->why)
        tell(q->r, &q->from->address, q->now_ms, q->m->method_text, q->why);
    if (q->act == CHECK_SYNC_PROVISION || q->act == CHECK_SYNC_REBOOT)
        w->check_sync(w->context, q->act == CHECK_SYNC_REBOOT);
}

/* Remembered before anything is done: without memory for that, the sender asks once more. */
static bool answer(struct ringing *q, struct buf *out)
{
    uint16_t status = judge(q);
    put_answer(q, status, out);
    struct ring_memory *memory = q->act == CHECK_SYNC_OTHER ? &q->r->refused : &q->r->done;
    if (!buf_ok(out) || (!q->from->reliable && !ring_memory_add(memory, &q->key, buf_slice(out), q->now_ms)))
        return false;
    act(q);
    return true;
}

static bool is_too_much(struct ringing *q)
{
    bool may = q->trust == RING_TRUSTED
                   ? bucket_take(&q->r->trusted, RING_RATE, RING_BURST, q->now_ms)
                   : bucket_take(&q->r->strangers, RING_STRANGER_RATE, RING_STRANGER_BURST, q->now_ms);
    q->r->dropped += !may;
    return !may;
}

static bool was_answered(const struct ringing *q, struct slice *ret_answer)
{
    return !q->from->reliable && (ring_memory_find(&q->r->done, &q->key, q->now_ms, ret_answer) ||
                                  ring_memory_find(&q->r->refused, &q->key, q->now_ms, ret_answer));
}

static bool take(struct ringing *q, struct arena *arena, struct buf *out)
{
    struct slice before;
    if (is_too_much(q) || !ring_key_of(q->m, &q->from->address, arena, &q->key))
        return false;
    if (was_answered(q, &before)) {
        buf_text(out, before);
        return buf_ok(out);
    }
    q->view = q->r->world.view(q->r->world.context);
    if (!q->view.settings)
        return false;
    if (q->trust != RING_UNKNOWN)
        return answer(q, out);
    /* By UDP the retransmission is soon enough. */
    if (q->from->reliable)
        put_answer(q, 503, out);
    return q->from->reliable && buf_ok(out);
}

enum ring_verdict ring_receive(struct ring *r, const struct ring_source *from, struct slice bytes, uint64_t now_ms,
                               struct buf *out)
{
    struct arena arena;
    struct sip_message m;
    const char *reason;
    size_t start = out->len;
    enum ring_verdict verdict = RING_SILENT;
    arena_init(&arena, ARENA_BYTES);
    if (!sip_read(bytes, &arena, &m, &reason)) {
        tell(r, &from->address, now_ms, SLICE("a message"), reason);
        verdict = RING_BAD;
    } else if (!m.status && m.method != SIP_METHOD_ACK) {
        struct ringing q = { .r = r, .from = from, .m = &m, .now_ms = now_ms };
        q.trust = r->world.trust(r->world.context, &from->address);
        verdict = take(&q, &arena, out) ? RING_ANSWERED : RING_SILENT;
    }
    if (verdict != RING_ANSWERED)
        out->len = start;
    arena_free(&arena);
    return verdict;
}
