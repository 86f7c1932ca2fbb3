#include "server/tftp_service.h"

#include "server/access.h"
#include "server/guard.h"
#include "server/peer_limit.h"
#include "server/tftp_machine.h"
#include "server/tftp_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define NOBODY UINT32_MAX
/* Instead of an index into the pool. */
#define LISTENER TFTP_POOL_SOCKETS
/* The longest datagram that a phone sends us is a block; one byte more, so that a longer one is seen to be longer. */
#define RECEIVE_BYTES ((size_t)TFTP_HEADER_BYTES + TFTP_UPLOAD_BLKSIZE_MAX + 1)

struct slot {
    struct tftp_machine machine;
    struct timer timer;
    struct turn turn;
    struct tftp_service *service; /* NULL: free */
    struct peer_limit *limit;
    int64_t wall_ms;
    uint64_t started_ms;
    uint64_t request_hash;
    union {
        char short_name[TFTP_NAME_INLINE];
        char *long_name;
    };
    union address peer;
    struct datagram_local local;
    uint32_t next;         /* in the bucket, or of the free ones */
    uint32_t older, newer; /* of the unproven ones */
    uint8_t name_len;
    uint8_t socket; /* index into the pool, or LISTENER */
    bool noted;     /* the journal has its event: it dallies */
    bool doubted;   /* the same request has come again since the phone was last heard on the transfer */
};
_Static_assert(sizeof(struct slot) <= 424, "many thousand of these");

struct tftp_service {
    struct worker *worker;
    struct datagram_set *set;
    struct peer_limits *limits;
    struct datagram listener;
    struct tftp_pool pool;
    unsigned handles; /* datagram sockets that have not closed yet */
    unsigned turn;    /* the socket of the batch under way */
    bool single;      /* tftp.single_port: transfers answer from the listener */
    bool listening, draining, closing;

    struct slot *slots;
    uint32_t *buckets;
    uint32_t mask;
    uint32_t slots_max, slots_used; /* there are; were ever taken */
    uint32_t free;                  /* first of those given back */
    uint32_t count;                 /* under way */
    uint32_t oldest, newest;        /* unproven */
    struct bucket strays;

    void (*drained)(void *context);
    void *drained_context;
};

struct wire {
    struct tftp_wire wire; /* first */
    struct datagram *socket;
    const union address *peer;
    const struct datagram_local *local;
    struct slot *slot;
};

static bool wire_reserve(struct tftp_wire *wire, size_t cap, struct buf *ret_room)
{
    struct wire *w = (struct wire *)wire;
    return datagram_reserve(w->socket, w->peer, w->local, cap, ret_room);
}

static void wire_commit(struct tftp_wire *wire, size_t len)
{
    datagram_commit(((struct wire *)wire)->socket->set, len);
}

static struct datagram *socket_at(struct tftp_service *s, unsigned index)
{
    return index == LISTENER ? &s->listener : &s->pool.socket[index];
}

static void on_turn(struct turn *turn);

static void wire_take_turn(struct tftp_wire *wire)
{
    struct slot *t = ((struct wire *)wire)->slot;
    loop_take_turn(&t->service->worker->loop, &t->turn, on_turn);
}

static struct wire wire_of(struct slot *t)
{
    return (struct wire){
        { wire_reserve, wire_commit, wire_take_turn }, socket_at(t->service, t->socket), &t->peer, &t->local, t
    };
}

/* --- the table --- */

static uint32_t index_of(const struct tftp_service *s, const struct slot *t)
{
    return (uint32_t)(t - s->slots);
}

static uint32_t *bucket_of(struct tftp_service *s, const union address *peer)
{
    return &s->buckets[address_hash(peer, s->worker->hash_seed) & s->mask];
}

static struct slot *find(struct tftp_service *s, const union address *peer)
{
    for (uint32_t i = *bucket_of(s, peer); i != NOBODY; i = s->slots[i].next) {
        if (address_eq(&s->slots[i].peer, peer))
            return &s->slots[i];
    }
    return NULL;
}

static struct slice name_of(const struct slot *t)
{
    return slice_of(t->name_len > TFTP_NAME_INLINE ? t->long_name : t->short_name, t->name_len);
}

static bool set_name(struct slot *t, struct slice name)
{
    char *to = t->short_name;
    if (name.len > TFTP_NAME_INLINE)
        to = t->long_name = malloc(name.len);
    if (!to)
        return false;
    memcpy(to, name.ptr, name.len);
    t->name_len = (uint8_t)name.len;
    return true;
}

static void link_unproven(struct tftp_service *s, struct slot *t)
{
    t->older = s->newest;
    t->newer = NOBODY;
    *(s->newest == NOBODY ? &s->oldest : &s->slots[s->newest].newer) = index_of(s, t);
    s->newest = index_of(s, t);
}

static void unlink_unproven(struct tftp_service *s, struct slot *t)
{
    *(t->older == NOBODY ? &s->oldest : &s->slots[t->older].newer) = t->newer;
    *(t->newer == NOBODY ? &s->newest : &s->slots[t->newer].older) = t->older;
}

static struct slot *take_slot(struct tftp_service *s, const union address *peer, struct slice name)
{
    bool fresh = s->free == NOBODY;
    if (fresh && s->slots_used == s->slots_max)
        return NULL;
    struct slot *t = &s->slots[fresh ? s->slots_used : s->free];
    uint32_t next_free = fresh ? NOBODY : t->next;
    if (!set_name(t, name))
        return NULL;
    s->slots_used += fresh;
    s->free = next_free;
    s->count++;
    uint32_t *bucket = bucket_of(s, peer);
    t->service = s;
    t->peer = *peer;
    t->next = *bucket;
    *bucket = index_of(s, t);
    link_unproven(s, t);
    return t;
}

static void give_slot_back(struct tftp_service *s, struct slot *t, bool unproven)
{
    uint32_t *at = bucket_of(s, &t->peer);
    while (*at != index_of(s, t))
        at = &s->slots[*at].next;
    *at = t->next;
    if (unproven)
        unlink_unproven(s, t);
    if (t->name_len > TFTP_NAME_INLINE)
        free(t->long_name);
    t->service = NULL;
    t->next = s->free;
    s->free = index_of(s, t);
    s->count--;
}

/* --- the journal --- */

static void note(struct tftp_service *s, struct journal_event *e, struct slice name)
{
    e->protocol = PROTOCOL_TFTP;
    journal_event_set_name(e, name);
    journal_note(s->worker->journal, e);
}

static void note_end(struct tftp_service *s, struct slot *t)
{
    struct journal_event e;
    /* The texts are as long as their lengths say; clearing them would be most of the work. */
    memset(&e, 0, offsetof(struct journal_event, name));
    e.peer = t->peer;
    e.wall_ms = t->wall_ms;
    e.duration_ms = (uint32_t)(s->worker->loop.now_ms - t->started_ms);
    tftp_machine_note(&t->machine, &e);
    note(s, &e, name_of(t));
}

/* --- transfers under way --- */

static void tell_drained(struct tftp_service *s)
{
    void (*done)(void *context) = s->drained;
    s->drained = NULL;
    if (done)
        done(s->drained_context);
}

/* `unproven`: what it was before the machine was last asked. */
static void finish(struct tftp_service *s, struct slot *t, bool unproven)
{
    if (!t->noted)
        note_end(s, t);
    timer_stop(&s->worker->loop.wheel, &t->timer);
    loop_drop_turn(&s->worker->loop, &t->turn);
    tftp_machine_release(&t->machine);
    peer_limits_end(s->limits, t->limit);
    give_slot_back(s, t, unproven);
    if (s->count == 0)
        tell_drained(s);
}

static void stop(struct tftp_service *s, struct slot *t, const char *reason)
{
    bool unproven = tftp_machine_state(&t->machine) == TFTP_UNPROVEN;
    tftp_machine_stop(&t->machine, OUTCOME_STOPPED, reason);
    finish(s, t, unproven);
}

static void on_timer(struct timer *timer);

/* After the machine has moved. A timer that is due too early stays: most transfers end before it fires, and
 * on_timer() starts it again for the rest. */
static void after(struct slot *t, bool was_unproven)
{
    struct tftp_service *s = t->service;
    uint64_t now_ms = s->worker->loop.now_ms, due_ms = tftp_machine_due_ms(&t->machine);
    enum tftp_state state = tftp_machine_state(&t->machine);
    /* Who drains waits for files, not for a lost ACK of one that is stored. */
    if (state == TFTP_ENDED || (state == TFTP_DALLYING && s->draining)) {
        finish(s, t, was_unproven);
        return;
    }
    if (was_unproven && state != TFTP_UNPROVEN)
        unlink_unproven(s, t);
    if (!timer_is_running(&t->timer) || due_ms < t->timer.due_ms)
        loop_timer(&s->worker->loop, &t->timer, due_ms > now_ms ? due_ms - now_ms : 0, on_timer);
}

static void on_turn(struct turn *turn)
{
    struct slot *t = container_of(turn, struct slot, turn);
    struct wire w = wire_of(t);
    tftp_machine_go_on(&t->machine, &w.wire);
    after(t, false);
}

static void on_stored(void *context, enum upload_answer answer)
{
    struct slot *t = context;
    struct wire w = wire_of(t);
    tftp_machine_stored(&t->machine, answer, &w.wire, t->service->worker->loop.now_ms);
    note_end(t->service, t);
    t->noted = true;
    after(t, false);
}

static void on_timer(struct timer *timer)
{
    struct slot *t = container_of(timer, struct slot, timer);
    struct wire w = wire_of(t);
    bool unproven = tftp_machine_state(&t->machine) == TFTP_UNPROVEN;
    /* It has started again: a block out of the middle would only disturb. It will ask once more. */
    if (t->doubted && t->service->worker->loop.now_ms >= tftp_machine_due_ms(&t->machine)) {
        stop(t->service, t, "the phone asked anew");
        return;
    }
    tftp_machine_timeout(&t->machine, &w.wire, t->service->worker->loop.now_ms);
    after(t, unproven);
}

/* To somebody who has no transfer; as small as what came, but not for ever. */
static void answer_stray(struct tftp_service *s, struct datagram *d, const struct datagram_in *m, uint16_t code,
                         const char *text)
{
    struct buf room;
    if (address_port(&m->from) == 0 ||
        !bucket_take(&s->strays, TFTP_STRAY_RATE, TFTP_STRAY_RATE, s->worker->loop.now_ms) ||
        !datagram_reserve(d, &m->from, &m->to, TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1, &room))
        return;
    tftp_put_error(&room, code, slice_str(text));
    datagram_commit(s->set, room.len);
}

/* To a transfer's socket. */
static void on_packet(struct tftp_service *s, struct datagram *d, const struct datagram_in *m)
{
    struct tftp_packet p;
    struct slot *t = find(s, &m->from);
    bool fine = tftp_parse(m->bytes, &p) == TFTP_FINE && !m->cut;
    if (!t || socket_at(s, t->socket) != d) {
        if (p.opcode != TFTP_ERROR)
            answer_stray(s, d, m, TFTP_ERROR_STRANGER, "unknown transfer");
        return;
    }
    if (!fine)
        return;
    t->doubted = false;
    struct wire w = wire_of(t);
    enum tftp_state before = tftp_machine_state(&t->machine);
    tftp_machine_receive(&t->machine, &p, &w.wire, s->worker->loop.now_ms);
    if (before != TFTP_STORING && tftp_machine_state(&t->machine) == TFTP_STORING)
        tftp_machine_commit(&t->machine, on_stored, t);
    after(t, before == TFTP_UNPROVEN);
}

static void on_pool_batch(struct datagram *d, const struct datagram_in *messages, size_t count)
{
    struct tftp_service *s = d->context;
    /* The end of a drained service's last transfer may close it in the middle of a batch. */
    for (size_t i = 0; i < count && !s->closing; i++)
        on_packet(s, d, &messages[i]);
}

/* --- requests --- */

struct refusal {
    enum outcome outcome;
    uint16_t code;
    const char *reason;
    bool silent;
    const char *noted; /* what the journal hears instead of `reason`; NULL: that */
};

static void refuse(struct tftp_service *s, const struct datagram_in *m, struct slice name, struct refusal r)
{
    struct buf room;
    struct journal_event e = { .outcome = r.outcome, .peer = m->from, .code = r.silent ? 0 : r.code };
    e.wall_ms = s->worker->loop.wall_ms;
    e.reason = r.noted ? r.noted : r.reason;
    note(s, &e, name);
    if (r.silent || !datagram_reserve(socket_at(s, s->turn), &m->from, &m->to,
                                      TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX + 1, &room))
        return;
    tftp_put_error(&room, r.code, slice_str(r.reason));
    datagram_commit(s->set, room.len);
}

static struct refusal refusal_of(enum tree_answer answer)
{
    static const struct {
        enum outcome outcome;
        uint16_t code;
    } answers[] = {
        [TREE_FILE] = { OUTCOME_SENT, 0 },
        [TREE_ABSENT] = { OUTCOME_ABSENT, TFTP_ERROR_ABSENT },
        [TREE_BAD_NAME] = { OUTCOME_REFUSED, TFTP_ERROR_ACCESS },
        [TREE_FORBIDDEN] = { OUTCOME_REFUSED, TFTP_ERROR_ACCESS },
        [TREE_DIRECTORY] = { OUTCOME_REFUSED, TFTP_ERROR_ACCESS },
        [TREE_BROKEN] = { OUTCOME_BROKEN, TFTP_ERROR_OTHER },
        [TREE_GUARDED] = { OUTCOME_REFUSED, 0 },
    };
    /* To these phones any ERROR is an absent file (facts.md 5.3); silence is what makes them try again later. */
    return (struct refusal){ answers[answer].outcome, answers[answer].code, tree_answer_words(answer),
                             answer == TREE_GUARDED, NULL };
}

static struct caller caller_of(const struct datagram_in *m)
{
    return (struct caller){ .protocol = PROTOCOL_TFTP, .peer = &m->from };
}

/* False: *ret_refusal says why not. */
static bool ask_tree(struct tftp_service *s, const struct datagram_in *m, struct slice name,
                     struct tree_file *ret_file, struct refusal *ret_refusal)
{
    struct caller caller = caller_of(m);
    enum tree_answer answer = guard_ask(s->worker, &caller, name, ret_file);
    *ret_refusal = refusal_of(answer);
    return answer == TREE_FILE;
}

/* FNV-1a: of datagrams one peer port sent, so nobody else can aim at it. */
static uint64_t hash_of(struct slice bytes)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* True when the request is the same once more, for a transfer that goes on. Otherwise what stands in the way of
 * a new one is gone. */
static bool is_echo(struct tftp_service *s, const struct datagram_in *m)
{
    struct slot *t = find(s, &m->from);
    if (!t)
        return false;
    /* Two sockets are not read in the order of what came to them: the last ACK may still wait on the other one,
     * sent just before by a phone that uses one port for all its requests. */
    uint64_t blocks = tftp_machine_blocks(&t->machine);
    if (!s->single)
        datagram_receive_now(socket_at(s, t->socket));
    t = find(s, &m->from);
    if (!t)
        return false;
    enum tftp_state state = tftp_machine_state(&t->machine);
    bool same = t->request_hash == hash_of(m->bytes);
    if (same && state == TFTP_UNPROVEN) {
        struct wire w = wire_of(t);
        tftp_machine_asked_again(&t->machine, &w.wire, s->worker->loop.now_ms);
        after(t, true);
        return true;
    }
    /* All of it is here: whatever this means, the file goes to the disk. */
    if (same && state == TFTP_STORING)
        return true;
    /* Late, or has the phone started again? The next packet or the next time-out will tell. */
    if (same && state == TFTP_UNDER_WAY && tftp_machine_resends(&t->machine) == 0) {
        t->doubted = tftp_machine_blocks(&t->machine) == blocks;
        return true;
    }
    stop(s, t, "the phone asked anew");
    return false;
}

static bool may_start(struct tftp_service *s, const struct peer_limit *limit, struct refusal *ret_refusal)
{
    if (limit->busy >= s->worker->config->tftp_peer_transfers) {
        *ret_refusal = (struct refusal){ OUTCOME_REFUSED, TFTP_ERROR_OTHER,
                                         "too many transfers from this address", false, NULL };
        return false;
    }
    if (s->count < s->slots_max)
        return true;
    struct slot *oldest = s->oldest == NOBODY ? NULL : &s->slots[s->oldest];
    if (oldest && s->worker->loop.now_ms - oldest->started_ms >= TFTP_FIRST_WAIT_MS) {
        stop(s, oldest, "never answered, made room");
        return true;
    }
    *ret_refusal =
        (struct refusal){ OUTCOME_REFUSED, TFTP_ERROR_OTHER, "server is full, try again later", false, NULL };
    return false;
}

static struct tftp_ceilings ceilings_of(const struct tftp_service *s)
{
    uint16_t ceiling = (uint16_t)s->worker->config->tftp_blksize_max;
    return (struct tftp_ceilings){ ceiling < TFTP_BLKSIZE_MIN ? TFTP_BLKSIZE_MIN : ceiling, TFTP_WINDOW_CEILING,
                                   TFTP_WINDOW_BYTES };
}

/* A slot for this request; NULL: refused. */
static struct slot *begin(struct tftp_service *s, const struct datagram_in *m, const struct tftp_packet *p,
                          struct peer_limit *limit)
{
    struct slot *t = take_slot(s, &m->from, p->name);
    if (!t) {
        refuse(s, m, p->name, (struct refusal){ OUTCOME_BROKEN, TFTP_ERROR_OTHER, "out of memory", false, NULL });
        return NULL;
    }
    t->limit = limit;
    peer_limits_begin(s->limits, limit);
    t->local = m->to;
    t->socket = (uint8_t)s->turn;
    t->doubted = t->noted = false;
    t->request_hash = hash_of(m->bytes);
    t->wall_ms = s->worker->loop.wall_ms;
    t->started_ms = s->worker->loop.now_ms;
    return t;
}

/* There are no logins by TFTP, so a rule that wants one refuses. */
static bool is_allowed(struct tftp_service *s, const struct datagram_in *m, struct slice name, enum access_act act,
                       enum access_write *ret_write, struct refusal *ret_refusal)
{
    struct access_request ask = { .caller = caller_of(m), .name = name, .act = act };
    struct access_verdict v = access_decide(s->worker->access, &ask);
    *ret_refusal = (struct refusal){ .outcome = OUTCOME_REFUSED, .code = TFTP_ERROR_ACCESS, .reason = v.reason };
    /* Not to be told from a name that is not there. */
    if (v.answer == ACCESS_HIDDEN) {
        enum tree_answer answer = guard_hide(s->worker, &ask.caller, name);
        *ret_refusal = refusal_of(answer);
        ret_refusal->outcome = OUTCOME_REFUSED;
        ret_refusal->noted = answer == TREE_ABSENT ? v.reason : NULL;
    }
    *ret_write = v.write;
    if (v.answer == ACCESS_YES && act == ACCESS_WRITE && !guard_write(s->worker, &ask.caller, name)) {
        *ret_refusal = refusal_of(TREE_GUARDED);
        return false;
    }
    return v.answer == ACCESS_YES;
}

static void on_read_request(struct tftp_service *s, const struct datagram_in *m, const struct tftp_packet *p)
{
    struct refusal no;
    enum access_write write;
    struct tree_file file;
    struct peer_limit *limit = peer_limits_of(s->limits, &m->from);
    if (!may_start(s, limit, &no) || !is_allowed(s, m, p->name, ACCESS_READ, &write, &no) ||
        !ask_tree(s, m, p->name, &file, &no)) {
        refuse(s, m, p->name, no);
        return;
    }
    struct slot *t = begin(s, m, p, limit);
    if (!t) {
        tree_file_release(&file);
        return;
    }
    struct wire w = wire_of(t);
    tftp_machine_read(&t->machine, p, &file, ceilings_of(s), &w.wire, t->started_ms);
    after(t, true);
}

/* As for transfers: forged requests cannot keep phones out for longer than a first wait. */
static bool make_upload_room(struct tftp_service *s)
{
    for (uint32_t i = s->oldest; i != NOBODY; i = s->slots[i].newer) {
        struct slot *t = &s->slots[i];
        if (s->worker->loop.now_ms - t->started_ms < TFTP_FIRST_WAIT_MS)
            return false;
        if (t->machine.writes) {
            stop(s, t, "never answered, made room");
            return true;
        }
    }
    return false;
}

/* False: *ret_refusal says why not. */
static bool ask_upload(struct tftp_service *s, const struct datagram_in *m, const struct tftp_packet *p,
                       enum access_write write, struct upload **ret_upload, struct refusal *ret_refusal)
{
    struct upload_request request = { .caller = caller_of(m),
                                      .name = p->name,
                                      .write = write,
                                      .has_size = p->options.has_tsize,
                                      .size = p->options.has_tsize ? p->options.tsize : 0 };
    enum upload_answer answer = upload_begin(s->worker, &request, ret_upload);
    if (answer == UPLOAD_BUSY && make_upload_room(s))
        answer = upload_begin(s->worker, &request, ret_upload);
    *ret_refusal = (struct refusal){ answer == UPLOAD_BROKEN ? OUTCOME_BROKEN : OUTCOME_REFUSED,
                                     tftp_machine_code(answer), upload_answer_words(answer), false, NULL };
    return answer == UPLOAD_FINE;
}

static void on_write_request(struct tftp_service *s, const struct datagram_in *m, const struct tftp_packet *p)
{
    struct refusal no;
    enum access_write write;
    struct upload *upload;
    struct peer_limit *limit = peer_limits_of(s->limits, &m->from);
    if (!may_start(s, limit, &no) || !is_allowed(s, m, p->name, ACCESS_WRITE, &write, &no) ||
        !ask_upload(s, m, p, write, &upload, &no)) {
        refuse(s, m, p->name, no);
        return;
    }
    struct slot *t = begin(s, m, p, limit);
    if (!t) {
        upload_abort(upload);
        return;
    }
    struct wire w = wire_of(t);
    tftp_machine_write(&t->machine, p, upload, ceilings_of(s), &w.wire, t->started_ms);
    after(t, true);
}

static bool within_rate(struct tftp_service *s, const union address *peer)
{
    uint32_t rate = s->worker->config->tftp_rate;
    struct peer_limit *limit = peer_limits_of(s->limits, peer);
    return rate == 0 || bucket_take(&limit->requests, rate, rate * TFTP_BURST_S, s->worker->loop.now_ms);
}

static void on_request(struct tftp_service *s, const struct datagram_in *m)
{
    struct tftp_packet p;
    enum tftp_fault fault = tftp_parse(m->bytes, &p);
    if (p.opcode != TFTP_RRQ && p.opcode != TFTP_WRQ) {
        if (s->single)
            on_packet(s, &s->listener, m);
        else if (p.opcode != TFTP_ERROR)
            answer_stray(s, &s->listener, m, TFTP_ERROR_ILLEGAL, "not a request");
        return;
    }
    /* Nobody can be answered there; and nobody new is let in at the end. */
    if (address_port(&m->from) == 0 || s->draining)
        return;
    if (fault == TFTP_FINE && is_echo(s, m))
        return;
    struct refusal no = { OUTCOME_REFUSED, TFTP_ERROR_ILLEGAL, tftp_fault_words(fault), false, NULL };
    if (!within_rate(s, &m->from)) {
        no.reason = "too many requests a second from this address";
        no.silent = true;
    } else if (fault == TFTP_FINE) {
        (p.opcode == TFTP_RRQ ? on_read_request : on_write_request)(s, m, &p);
        return;
    }
    refuse(s, m, p.name, no);
}

static void on_listener_batch(struct datagram *d, const struct datagram_in *messages, size_t count)
{
    struct tftp_service *s = d->context;
    for (size_t i = 0; i < count && s->listening; i++)
        on_request(s, &messages[i]);
    if (!s->single)
        s->turn = (s->turn + 1) % s->pool.count;
}

/* --- opening and closing --- */

static void free_service(struct tftp_service *s)
{
    datagram_set_close(s->set);
    peer_limits_close(s->limits);
    free(s->slots);
    free(s->buckets);
    free(s);
}

static void on_closed(struct datagram *d)
{
    struct tftp_service *s = d->context;
    s->handles--;
    if (s->closing && s->handles == 0)
        free_service(s);
}

static int make_tables(struct tftp_service *s)
{
    uint32_t buckets = 1;
    uint32_t share = s->worker->share ? s->worker->share : 1;
    s->slots_max = s->worker->config->tftp_transfers / share;
    s->slots_max = s->slots_max ? s->slots_max : 1;
    while (buckets < s->slots_max)
        buckets *= 2;
    s->mask = buckets - 1;
    s->free = s->oldest = s->newest = NOBODY;
    s->slots = calloc(s->slots_max, sizeof *s->slots);
    s->buckets = malloc(buckets * sizeof *s->buckets);
    if (!s->slots || !s->buckets)
        return -ENOMEM;
    memset(s->buckets, 0xff, buckets * sizeof *s->buckets);
    int error = peer_limits_open(s->slots_max, s->worker->hash_seed, &s->limits);
    return error ? error : datagram_set_open(&s->worker->loop, RECEIVE_BYTES, &s->set);
}

/* The pool is bound where the listener is. */
static int open_pool(struct tftp_service *s, bool learn_local)
{
    union address own;
    int error = datagram_local_address(&s->listener, &own);
    if (!error)
        error = tftp_pool_open(&s->pool, s->worker, s->set, &own, learn_local, on_pool_batch, s);
    s->handles += s->pool.count;
    return error;
}

static bool is_wildcard(const union address *a)
{
    if (a->sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
    return a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

static int open_sockets(struct tftp_service *s, int fd)
{
    union address own = { 0 };
    socklen_t len = sizeof own;
    bool learn_local = getsockname(fd, &own.sa, &len) == 0 && is_wildcard(&own);
    int error = datagram_open(&s->listener, s->set, fd, learn_local, on_listener_batch, s);
    if (error)
        return error;
    s->listening = true;
    s->handles++;
    s->single = s->worker->config->tftp_single_port;
    s->turn = s->single ? LISTENER : 0;
    return s->single ? 0 : open_pool(s, learn_local);
}

int tftp_service_open(struct worker *worker, int fd, struct tftp_service **ret_service)
{
    struct tftp_service *s = calloc(1, sizeof *s);
    int error = -ENOMEM;
    if (s) {
        s->worker = worker;
        error = make_tables(s);
    }
    if (error)
        close(fd);
    else
        error = open_sockets(s, fd);
    if (error && s)
        tftp_service_close(s);
    if (!error)
        *ret_service = s;
    return error;
}

static void stop_listening(struct tftp_service *s)
{
    if (s->listening)
        datagram_close(&s->listener, on_closed);
    s->listening = false;
}

void tftp_service_drain(struct tftp_service *s, void (*done)(void *context), void *context)
{
    s->draining = true;
    /* In single-port mode transfers need it to their end. */
    if (!s->single)
        stop_listening(s);
    for (uint32_t i = 0; i < s->slots_used; i++) {
        if (s->slots[i].service && tftp_machine_state(&s->slots[i].machine) == TFTP_DALLYING)
            stop(s, &s->slots[i], NULL);
    }
    s->drained = done;
    s->drained_context = context;
    if (s->count == 0)
        tell_drained(s);
}

void tftp_service_close(struct tftp_service *s)
{
    s->drained = NULL;
    s->closing = true;
    for (uint32_t i = 0; i < s->slots_used; i++) {
        if (s->slots[i].service)
            stop(s, &s->slots[i], "server stopped");
    }
    stop_listening(s);
    unsigned open = s->handles;
    for (unsigned i = 0; i < s->pool.count; i++)
        datagram_close(&s->pool.socket[i], on_closed);
    if (open == 0)
        free_service(s);
}

size_t tftp_service_transfers(const struct tftp_service *s)
{
    return s->count;
}
