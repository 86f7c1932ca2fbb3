/* Phones (phone/pnp.c) against server/pnp_machine.c on a wire that loses, doubles, delays and reorders, by seed. */
#include "tests/unit/test.h"

#include "phone/pnp.h"
#include "server/pnp_machine.h"

#include <stdio.h>

#define PHONES 40
#define IN_FLIGHT 4096
#define PACKET_BYTES 1500

struct flight {
    bool used, to_server;
    unsigned phone;
    uint64_t at_ms, order;
    size_t len;
    char bytes[PACKET_BYTES];
};

struct plan {
    unsigned loss, doubles; /* in a hundred */
    uint64_t delay_ms, jitter_ms;
    uint32_t power_on_ms; /* phones start within */
};

struct phone {
    struct pnp pnp;
    struct identity id;
    union address address;
    uint64_t start_ms;
    bool on;
    bool told;        /* a NOTIFY reached it while it was asking */
    unsigned notifies; /* that left for it */
    size_t bytes_in, bytes_out; /* of the server, from and to it */
};

static struct {
    struct pnp_world world; /* first */
    struct plan plan;
    uint64_t random, now_ms, order, lost;
    struct flight flight[IN_FLIGHT];
    struct phone phones[PHONES];
    struct pnp_machine *server;
    struct arena arena;
    struct config config;
    struct diag findings;
    unsigned ended, acknowledged;
} sim;

/* splitmix64 (public domain). */
static uint64_t draw(void)
{
    uint64_t z = sim.random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool chance(unsigned in_a_hundred)
{
    return draw() % 100 < in_a_hundred;
}

static void fly(bool to_server, unsigned phone, struct slice bytes)
{
    for (unsigned copies = chance(sim.plan.doubles) ? 2 : 1; copies > 0; copies--) {
        size_t i = 0;
        if (chance(sim.plan.loss)) {
            sim.lost++;
            continue;
        }
        while (i < IN_FLIGHT && sim.flight[i].used)
            i++;
        assert_true(i < IN_FLIGHT && bytes.len <= PACKET_BYTES);
        struct flight *f = &sim.flight[i];
        *f = (struct flight){ true, to_server, phone, 0, sim.order++, bytes.len, "" };
        f->at_ms = sim.now_ms + sim.plan.delay_ms + (sim.plan.jitter_ms ? draw() % sim.plan.jitter_ms : 0);
        memcpy(f->bytes, bytes.ptr, bytes.len);
    }
}

static void on_send(struct pnp_world *w, const union address *to, const struct datagram_local *from,
                    struct slice bytes)
{
    (void)w;
    assert_int_equal(from->family, AF_INET);
    for (unsigned i = 0; i < PHONES; i++) {
        struct phone *p = &sim.phones[i];
        if (!address_eq(to, &p->address))
            continue;
        p->bytes_out += bytes.len;
        p->notifies += slice_starts(bytes, SLICE("NOTIFY"));
        fly(false, i, bytes);
        return;
    }
    fail_msg("sent to nobody who asked");
}

static void on_note(struct pnp_world *w, struct journal_event *e)
{
    (void)w;
    sim.ended++;
    sim.acknowledged += e->outcome == OUTCOME_SENT;
}

static void at_server(const struct flight *f)
{
    struct phone *p = &sim.phones[f->phone];
    struct datagram_in in = { .from = p->address, .bytes = slice_of(f->bytes, f->len), .to_group = true };
    in.to = (struct datagram_local){ AF_INET, { .v4 = { htonl(0x0a0201c7) } } };
    p->bytes_in += f->len;
    pnp_machine_receive(sim.server, &in, sim.now_ms, 0);
}

static void at_phone(const struct flight *f)
{
    struct phone *p = &sim.phones[f->phone];
    char bytes[2 * PNP_MESSAGE_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    union address server;
    assert_true(address_parse(SLICE("10.2.1.199"), 5060, &server));
    p->told = p->told || (p->pnp.state == PNP_ASKING && slice_starts(slice_of(f->bytes, f->len), SLICE("NOTIFY")));
    pnp_receive(&p->pnp, &server, slice_of(f->bytes, f->len), sim.now_ms, &out);
    if (out.len)
        fly(true, f->phone, buf_slice(&out));
}

static struct flight *next_arrival(void)
{
    struct flight *first = NULL;
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct flight *f = &sim.flight[i];
        if (f->used && (!first || f->at_ms < first->at_ms || (f->at_ms == first->at_ms && f->order < first->order)))
            first = f;
    }
    return first;
}

static uint64_t phone_due_ms(const struct phone *p)
{
    return p->on ? pnp_due_ms(&p->pnp) : p->start_ms;
}

static void phone_turn(struct phone *p, unsigned index)
{
    struct pnp_identity who = { &p->id, SLICE_NONE, &p->address, draw() >> 31, 0, false };
    if (!p->on) {
        p->on = true;
        assert_true(pnp_start(&p->pnp, &who, sim.now_ms));
        fly(true, index, pnp_subscribe(&p->pnp));
    } else if (pnp_timeout(&p->pnp, sim.now_ms)) {
        fly(true, index, pnp_subscribe(&p->pnp));
    }
}

static void setup_phones(void)
{
    for (unsigned i = 0; i < PHONES; i++) {
        struct phone *p = &sim.phones[i];
        char host[32];
        snprintf(host, sizeof host, "10.2.20.%u", i + 1);
        assert_true(address_parse(slice_str(host), 5059, &p->address));
        p->id = (struct identity){ { { 0x00, 0x15, 0x65, 0, 0, (uint8_t)i } }, model_find(SLICE("T46S")),
                                   { { 66, 84, 0, 15 } } };
        p->start_ms = sim.now_ms + (sim.plan.power_on_ms ? draw() % sim.plan.power_on_ms : 0);
    }
}

/* Until nothing is under way. */
static void run(struct plan plan, uint64_t seed)
{
    memset(&sim, 0, sizeof sim);
    sim.plan = plan;
    sim.random = seed;
    sim.now_ms = 1000;
    sim.world = (struct pnp_world){ on_send, on_note };
    arena_init(&sim.arena, 1 << 20);
    diag_init(&sim.findings, &sim.arena);
    config_init(&sim.config, &sim.arena);
    assert_true(config_set(&sim.config, SLICE("pnp.url"), SLICE("https://10.2.1.199/"), (struct place){ 0 },
                           &sim.findings));
    struct pnp_options o = { &sim.config, &sim.world, seed, seed, 5060 };
    assert_int_equal(pnp_machine_open(&o, sim.now_ms, &sim.server), 0);
    setup_phones();
    for (;;) {
        struct flight *f = next_arrival();
        uint64_t next_ms = f ? f->at_ms : UINT64_MAX, due_ms;
        if (pnp_machine_due(sim.server, &due_ms) && due_ms < next_ms)
            next_ms = due_ms;
        for (unsigned i = 0; i < PHONES; i++)
            next_ms = phone_due_ms(&sim.phones[i]) < next_ms ? phone_due_ms(&sim.phones[i]) : next_ms;
        if (next_ms == UINT64_MAX)
            break;
        sim.now_ms = next_ms > sim.now_ms ? next_ms : sim.now_ms;
        pnp_machine_advance(sim.server, sim.now_ms);
        for (unsigned i = 0; i < PHONES; i++)
            if (phone_due_ms(&sim.phones[i]) <= sim.now_ms)
                phone_turn(&sim.phones[i], i);
        if (f && f->at_ms <= sim.now_ms) {
            f->used = false;
            (f->to_server ? at_server : at_phone)(f);
        }
    }
}

static unsigned check_and_close(void)
{
    unsigned found = 0;
    for (unsigned i = 0; i < PHONES; i++) {
        const struct phone *p = &sim.phones[i];
        assert_true(p->pnp.state != PNP_ASKING);
        assert_int_equal(p->pnp.state == PNP_FOUND, p->told);
        if (p->told)
            assert_slice(pnp_url(&p->pnp), "https://10.2.1.199/");
        assert_true(p->notifies <= PNP_TRIES);
        assert_true(p->bytes_out <= p->bytes_in * PNP_RATIO_MAX);
        found += p->told;
    }
    assert_int_equal(pnp_machine_exchanges(sim.server), 0);
    assert_int_equal(pnp_machine_bytes(sim.server), 0);
    pnp_machine_close(sim.server);
    arena_free(&sim.arena);
    return found;
}

static void on_a_clean_wire_every_phone_finds_its_server_at_once(void **state)
{
    (void)state;
    run((struct plan){ .delay_ms = 1, .power_on_ms = 500 }, 1);
    assert_int_equal(sim.ended, PHONES);
    assert_int_equal(sim.acknowledged, PHONES);
    for (unsigned i = 0; i < PHONES; i++)
        assert_int_equal(sim.phones[i].notifies, 1);
    assert_int_equal(check_and_close(), PHONES);
}

static void doubled_and_overtaking_datagrams_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run((struct plan){ .doubles = 50, .delay_ms = 1, .jitter_ms = 400, .power_on_ms = 200 }, seed);
        assert_int_equal(sim.ended, PHONES);
        assert_int_equal(sim.acknowledged, PHONES);
        assert_int_equal(check_and_close(), PHONES);
    }
}

/* At a fifth lost, four SUBSCRIBEs and their NOTIFYs bring all but some in ten thousand through. */
static void one_datagram_in_five_lost_costs_no_phone_its_server(void **state)
{
    (void)state;
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run((struct plan){ .loss = 20, .doubles = 10, .delay_ms = 2, .jitter_ms = 50, .power_on_ms = 1000 }, seed);
        assert_true(sim.lost > 0);
        assert_int_equal(sim.ended, PHONES);
        found += check_and_close();
    }
    assert_in_range(found, 10 * PHONES - 2, 10 * PHONES);
}

static void a_wire_that_loses_half_bounds_what_leaves(void **state)
{
    (void)state;
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run((struct plan){ .loss = 50, .doubles = 30, .delay_ms = 5, .jitter_ms = 3000, .power_on_ms = 100 }, seed);
        found += check_and_close();
    }
    assert_in_range(found, 10 * PHONES / 2, 10 * PHONES);
}

static void a_dead_wire_ends_in_nothing(void **state)
{
    (void)state;
    run((struct plan){ .loss = 100 }, 1);
    assert_string_equal(sim.phones[0].pnp.why, "nobody answered");
    assert_int_equal(sim.now_ms, 1000 + PNP_TIMEOUT_MS);
    assert_int_equal(check_and_close(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_clean_wire_every_phone_finds_its_server_at_once),
        cmocka_unit_test(doubled_and_overtaking_datagrams_change_nothing),
        cmocka_unit_test(one_datagram_in_five_lost_costs_no_phone_its_server),
        cmocka_unit_test(a_wire_that_loses_half_bounds_what_leaves),
        cmocka_unit_test(a_dead_wire_ends_in_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
