#include "phone/dhcp.h"

#include "phone/dhcp6_machine.h"
#include "phone/dhcp_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

struct dhcp_client {
    struct loop *loop;
    struct dhcp_options options;
    struct dhcp_wire *wire;
    dhcp_done *done;
    void *context;
    struct arena arena;
    struct timer timer;
    bool four, six;    /* still asking by this family */
    bool over;         /* `done` was called */
    bool informing;    /* a lease brought no URL: asking the other servers */
    uint64_t end_ms;
    uint64_t random;
    struct dhcp4_machine v4;
    struct dhcp6_machine v6;
    struct dhcp_answer *first, *last;
    struct dhcp_result result;
};

/* splitmix64 (public domain): xids and jitter need no secrecy beyond their seed. */
static uint32_t draw(void *context)
{
    struct dhcp_client *c = context;
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 32);
}

/* --- what was heard --- */

/* The first usable one of IPv4 before any of IPv6; the lease's own answer comes before those to INFORM because it
 * came first. A phone that takes a lease looks at what was given to it, not at what was only offered. */
static void choose(struct dhcp_client *c)
{
    const struct dhcp_answer *best = NULL;
    for (const struct dhcp_answer *a = c->result.first; a; a = a->next) {
        bool only_offered = !a->v6 && a->type == DHCP4_OFFER && c->options.mode == DHCP_LEASE;
        if (a->winner && !only_offered && (!best || (best->v6 && !a->v6)))
            best = a;
    }
    c->result.winner = best;
}

static const struct dhcp_answer *record(struct dhcp_client *c, struct dhcp_answer *a, const union address *from)
{
    if (!a) {
        c->result.dropped++;
        return NULL;
    }
    a->from = *from;
    for (struct dhcp_answer *known = c->first; known; known = known->next) {
        if (dhcp_answer_same(known, a)) {
            known->times++;
            return known;
        }
    }
    if (c->result.count == DHCP_ANSWERS_MAX) {
        c->result.dropped++;
        return NULL;
    }
    if (c->last)
        c->last->next = a;
    else
        c->result.first = c->first = a;
    c->last = a;
    c->result.count++;
    choose(c);
    return a;
}

/* The last thing that anybody does with a client: `done` may end it. */
static void finish(struct dhcp_client *c)
{
    if (c->over)
        return;
    c->over = true;
    c->four = c->six = false;
    dhcp4_machine_settle(&c->v4);
    dhcp6_machine_settle(&c->v6);
    c->done(c->context, &c->result);
}

static bool is_settled(const struct dhcp_client *c)
{
    if (c->over || c->options.collect)
        return false;
    if (!c->four && !c->six)
        return true;
    return c->result.winner && (!c->result.winner->v6 || !c->four);
}

static void plan(struct dhcp_client *c);

static void settle_or_plan(struct dhcp_client *c)
{
    bool settled = is_settled(c);
    plan(c);
    if (settled)
        finish(c);
}

/* --- IPv4 --- */

static void take_lease(struct dhcp_client *c, const struct dhcp_answer *answer)
{
    bool renewed = c->result.lease.held;
    c->result.lease.held = true;
    c->result.lease.lease = c->v4.lease;
    int error = c->wire->configure(c->wire, &c->v4.lease);
    if (error)
        c->result.error4 = error;
    if (renewed || c->over)
        return;
    c->four = !answer || !answer->winner;
    if (c->four) {
        c->informing = true;
        dhcp4_machine_inform(&c->v4, c->loop->now_ms);
        uint64_t end_ms = c->loop->now_ms + DHCP_INFORM_WAIT_MS;
        if (!c->options.collect && end_ms < c->end_ms)
            c->end_ms = end_ms;
    }
}

static void lose_lease(struct dhcp_client *c)
{
    c->result.lease.held = false;
    c->wire->configure(c->wire, NULL);
}

static void heard4(struct dhcp_client *c, const union address *from, struct slice bytes)
{
    struct dhcp4_message m;
    const struct dhcp_answer *answer = NULL;
    if (dhcp4_parse(bytes, &m) != DHCP4_FINE)
        return;
    enum dhcp4_step step = dhcp4_machine_take(&c->v4, &m, c->loop->now_ms);
    if (!c->over && (step == DHCP4_HEARD || step == DHCP4_LEASED))
        answer = record(c, dhcp_answer_of4(&m, &c->options, &c->arena), from);
    if (step == DHCP4_LEASED)
        take_lease(c, answer);
    else if (step == DHCP4_LOST)
        lose_lease(c);
}

static void tick4(struct dhcp_client *c)
{
    char bytes[DHCP4_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    struct dhcp4_target to;
    enum dhcp4_step step = dhcp4_machine_tick(&c->v4, c->loop->now_ms, &out, &to);
    if (step == DHCP4_LOST)
        lose_lease(c);
    if (step != DHCP4_SEND || !buf_ok(&out))
        return;
    int error = c->wire->send4(c->wire, &to, buf_slice(&out));
    if (!c->over)
        c->result.error4 = error;
}

/* --- IPv6 --- */

static void heard6(struct dhcp_client *c, const union address *from, struct slice bytes)
{
    struct dhcp6_message m;
    if (c->over || !dhcp6_parse(bytes, &m) || !dhcp6_machine_take(&c->v6, &m))
        return;
    record(c, dhcp_answer_of6(&m, &c->options, &c->arena), from);
}

static void tick6(struct dhcp_client *c)
{
    char bytes[DHCP6_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    if (!dhcp6_machine_tick(&c->v6, c->loop->now_ms, &out) || !buf_ok(&out))
        return;
    int error = c->wire->send6(c->wire, buf_slice(&out));
    if (!c->over)
        c->result.error6 = error;
}

/* --- both --- */

static void received(struct dhcp_wire *w, bool v6, const union address *from, struct slice message)
{
    struct dhcp_client *c = w->context;
    if (v6)
        heard6(c, from, message);
    else
        heard4(c, from, message);
    settle_or_plan(c);
}

static void on_timer(struct timer *timer)
{
    struct dhcp_client *c = container_of(timer, struct dhcp_client, timer);
    if (c->wire->error4 == 0)
        tick4(c);
    if (c->wire->error6 == 0)
        tick6(c);
    bool late = !c->over && c->loop->now_ms >= c->end_ms;
    plan(c);
    if (late)
        finish(c);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void plan(struct dhcp_client *c)
{
    uint64_t due_ms = c->over ? UINT64_MAX : c->end_ms;
    if (c->wire->error4 == 0)
        due_ms = earlier(due_ms, dhcp4_machine_due(&c->v4));
    if (c->wire->error6 == 0)
        due_ms = earlier(due_ms, dhcp6_machine_due(&c->v6));
    if (due_ms == UINT64_MAX)
        timer_stop(&c->loop->wheel, &c->timer);
    else
        timer_start(&c->loop->wheel, &c->timer, due_ms, on_timer);
}

/* What these phones ask for, in the order of their administrator's guide: mask, router, DNS, host name, domain,
 * broadcast, NTP, time offset, time servers, log servers; the URL's own come behind. */
static const uint8_t plain_parameters[] = { 1, 3, 6, 12, 15, 28, 42, 2, 4, 7 };

static int set_up4(struct dhcp_client *c, struct dhcp4_setup *s)
{
    const struct dhcp_options *o = &c->options;
    uint16_t codes[OPTION_CUSTOMS_MAX + 2];
    size_t count = option_list_order(&o->custom4, false, codes);
    *s = (struct dhcp4_setup){ .mode = o->mode, .mac = o->mac, .vendor_class = o->vendor_class, .draw = draw,
                               .context = c, .address = o->interface.address };
    s->broadcast = memcmp(o->mac.bytes, o->interface.mac, sizeof o->mac.bytes) != 0;
    if (sizeof plain_parameters + count > DHCP4_PARAMETERS_MAX || o->vendor_class.len > 255)
        return -EINVAL;
    for (size_t i = 0; i < sizeof plain_parameters; i++)
        s->parameters[s->parameter_count++] = plain_parameters[i];
    for (size_t i = count; i-- > 0;)
        s->parameters[s->parameter_count++] = (uint8_t)codes[i];
    return 0;
}

static int set_up6(struct dhcp_client *c, struct dhcp6_setup *s)
{
    const struct dhcp_options *o = &c->options;
    *s = (struct dhcp6_setup){ .mac = o->mac, .vendor_class = o->vendor_class, .enterprise = o->enterprise,
                               .draw = draw, .context = c };
    s->requested_count = option_list_order(&o->custom6, true, s->requested);
    s->requested[s->requested_count++] = DHCP6_DNS;
    /* RFC 8415 18.2.6 wants these two in every one of them. */
    s->requested[s->requested_count++] = DHCP6_REFRESH;
    s->requested[s->requested_count++] = DHCP6_INF_MAX_RT;
    return 0;
}

static int check(const struct dhcp_options *o)
{
    bool own = memcmp(o->mac.bytes, o->interface.mac, sizeof o->mac.bytes) == 0;
    if (o->v4 && o->mode == DHCP_LEASE && !own)
        return -EPERM;
    if (o->v4 && o->mode == DHCP_INFORM && !o->interface.address)
        return -EADDRNOTAVAIL;
    return o->v4 || o->v6 ? 0 : -EINVAL;
}

static uint64_t seed_of(const struct dhcp_options *o)
{
    uint64_t seed = o->seed;
    if (!seed && getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint64_t)(uintptr_t)o;
    return seed;
}

static int begin(struct dhcp_client *c)
{
    struct dhcp4_setup four;
    struct dhcp6_setup six;
    const struct dhcp_options *o = &c->options;
    /* A lease is renewed long after whoever asked has forgotten these. */
    if (!arena_copy(&c->arena, o->vendor_class, &c->options.vendor_class) ||
        !arena_copy(&c->arena, o->server_type, &c->options.server_type))
        return -ENOMEM;
    int error = set_up4(c, &four);
    if (!error)
        error = set_up6(c, &six);
    if (!error && !c->wire)
        error = dhcp_wire_open(c->loop, &o->interface, o->v4, o->v6, &c->wire);
    if (error)
        return error;
    c->wire->received = received;
    c->wire->context = c;
    c->four = o->v4 && !c->wire->error4;
    c->six = o->v6 && !c->wire->error6;
    c->result.error4 = o->v4 ? c->wire->error4 : 0;
    c->result.error6 = o->v6 ? c->wire->error6 : 0;
    c->end_ms = c->loop->now_ms + (o->wait_ms ? o->wait_ms : DHCP_WAIT_MS);
    dhcp4_machine_start(&c->v4, &four, c->loop->now_ms);
    dhcp6_machine_start(&c->v6, &six, c->loop->now_ms);
    if (!c->four)
        dhcp4_machine_settle(&c->v4);
    if (!c->six)
        dhcp6_machine_settle(&c->v6);
    plan(c);
    return 0;
}

int dhcp_client_start(struct loop *loop, const struct dhcp_options *options, dhcp_done *done, void *context,
                      struct dhcp_client **ret_client)
{
    int error = check(options);
    if (error)
        return error;
    struct dhcp_client *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->loop = loop;
    c->options = *options;
    c->wire = options->wire;
    c->done = done;
    c->context = context;
    c->random = seed_of(options);
    arena_init(&c->arena, DHCP_ARENA_BYTES);
    error = begin(c);
    if (error) {
        arena_free(&c->arena);
        free(c);
        return error;
    }
    *ret_client = c;
    return 0;
}

void dhcp_client_stop(struct dhcp_client *c)
{
    if (!c)
        return;
    timer_stop(&c->loop->wheel, &c->timer);
    c->wire->close(c->wire);
    arena_free(&c->arena);
    free(c);
}
