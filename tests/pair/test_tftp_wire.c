/* A client against server/tftp_transfer.c on a wire that loses, doubles, delays and reorders, by seed. */
#include "tests/unit/test.h"

#include "tests/server_fakes.h"

#include "server/tftp_transfer.h"

#define IN_FLIGHT 512
#define PACKET_BYTES 1500
#define FILE_BYTES 60000

struct flight {
    bool used, to_server;
    uint64_t at_ms, order;
    size_t len;
    char bytes[PACKET_BYTES];
};

struct plan {
    unsigned loss, doubles; /* in a hundred */
    uint64_t delay_ms, jitter_ms;
    size_t size;
    enum tftp_mode mode;
    struct tftp_options options;
};

struct client {
    struct tftp_options asked;
    enum tftp_mode mode;
    uint16_t blksize, windowsize;
    bool done, failed;
    uint64_t had; /* blocks received in order */
    unsigned in_window;
    uint64_t due_ms;
    unsigned resends;
    char again[PACKET_BYTES]; /* what a time-out sends once more */
    size_t again_len;
    struct tftp_netascii text;
    char got[FILE_BYTES * 2];
    size_t got_len;
};

static struct {
    struct tftp_wire wire; /* first: the server's */
    struct flight flight[IN_FLIGHT];
    struct buf room;
    struct plan plan;
    uint64_t random, now_ms, order;
    unsigned server_sent, client_sent, trouble; /* trouble: packets lost, doubled or overtaken */
    uint64_t overtaken[2];
    struct client client;
    struct tftp_transfer transfer;
    bool serving;
    unsigned transfers;
} sim;

static char content[FILE_BYTES];

/* splitmix64 (public domain). */
static uint64_t draw(void)
{
    uint64_t z = sim.random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
    return draw() % n;
}

static void launch(bool to_server, const char *bytes, size_t len)
{
    if (below(100) < sim.plan.loss) {
        sim.trouble++;
        return;
    }
    unsigned copies = below(100) < sim.plan.doubles ? 2 : 1;
    sim.trouble += copies - 1;
    for (unsigned i = 0; copies && i < IN_FLIGHT; i++) {
        struct flight *f = &sim.flight[i];
        if (f->used)
            continue;
        f->used = true;
        f->to_server = to_server;
        f->at_ms = sim.now_ms + sim.plan.delay_ms + (sim.plan.jitter_ms ? below(sim.plan.jitter_ms) : 0);
        f->order = sim.order++;
        f->len = len;
        memcpy(f->bytes, bytes, len);
        copies--;
    }
    assert_int_equal(copies, 0);
}

static bool reserve(struct tftp_wire *wire, size_t cap, struct buf *ret_room)
{
    static char bytes[PACKET_BYTES];
    (void)wire;
    assert_in_range(cap, 1, sizeof bytes);
    *ret_room = sim.room = buf_on(bytes, cap);
    return true;
}

static void commit(struct tftp_wire *wire, size_t len)
{
    (void)wire;
    sim.server_sent++;
    launch(false, sim.room.ptr, len);
}

/* --- the client: RFC 1350, 2347, 7440, as patient as the server --- */

static void client_send(struct client *c, const struct buf *b)
{
    memcpy(c->again, b->ptr, b->len);
    c->again_len = b->len;
    c->due_ms = sim.now_ms + 1500;
    sim.client_sent++;
    launch(true, b->ptr, b->len);
}

static void client_ack(struct client *c)
{
    char bytes[TFTP_HEADER_BYTES];
    struct buf b = BUF_ON(bytes);
    c->in_window = 0;
    tftp_put_ack(&b, (uint16_t)c->had);
    client_send(c, &b);
}

static void client_start(struct client *c, const struct plan *plan)
{
    char bytes[TFTP_REQUEST_BYTES_MAX];
    struct buf b = BUF_ON(bytes);
    *c = (struct client){
        .asked = plan->options, .mode = plan->mode, .blksize = TFTP_BLKSIZE_DEFAULT, .windowsize = 1
    };
    tftp_put_request(&b, TFTP_RRQ, SLICE("f"), plan->mode, &plan->options);
    assert_true(buf_ok(&b));
    client_send(c, &b);
}

static void client_oack(struct client *c, const struct tftp_packet *p)
{
    if (c->had)
        return;
    assert_true(tftp_oack_fits(&c->asked, &p->options));
    c->blksize = p->options.has_blksize ? p->options.blksize : c->blksize;
    c->windowsize = p->options.has_windowsize ? p->options.windowsize : 1;
    client_ack(c);
}

static void client_keep(struct client *c, struct slice bytes)
{
    struct buf b = buf_on(c->got + c->got_len, sizeof c->got - c->got_len);
    if (c->mode == TFTP_NETASCII)
        tftp_netascii_decode(&c->text, bytes, &b);
    else
        buf_text(&b, bytes);
    c->done = bytes.len < c->blksize;
    if (c->done && c->mode == TFTP_NETASCII)
        tftp_netascii_decode_end(&c->text, &b);
    c->got_len += b.len;
}

static void client_data(struct client *c, const struct tftp_packet *p)
{
    if (c->done || p->block != (uint16_t)(c->had + 1)) {
        client_ack(c);
        return;
    }
    client_keep(c, p->bytes);
    c->had++;
    c->due_ms = sim.now_ms + 1500;
    if (++c->in_window == c->windowsize || c->done)
        client_ack(c);
}

static void client_receive(struct client *c, struct slice bytes)
{
    struct tftp_packet p;
    assert_int_equal(tftp_parse(bytes, &p), TFTP_FINE);
    c->resends = 0;
    if (p.opcode == TFTP_OACK) {
        client_oack(c, &p);
    } else if (p.opcode == TFTP_DATA) {
        client_data(c, &p);
    } else {
        c->failed = true;
    }
}

static void client_timeout(struct client *c)
{
    if (sim.now_ms < c->due_ms || c->done)
        return;
    if (++c->resends > 40) {
        c->failed = true;
        return;
    }
    /* Inside a window: say how far we are (RFC 7440 section 4). */
    if (c->in_window) {
        client_ack(c);
        return;
    }
    sim.client_sent++;
    c->due_ms = sim.now_ms + 1500;
    launch(true, c->again, c->again_len);
}

/* --- the server: what tftp_service does with one peer --- */

static void server_request(const struct tftp_packet *p)
{
    static const struct tftp_ceilings ceilings = { 1400, TFTP_WINDOW_CEILING, TFTP_WINDOW_BYTES };
    struct tree_question q = { p->name };
    struct tree_file file;
    if (sim.serving && (sim.transfer.talk.state != TFTP_ENDED || sim.transfer.talk.outcome == OUTCOME_SENT))
        return;
    if (sim.serving)
        tftp_transfer_release(&sim.transfer);
    assert_int_equal(tree_ask(NULL, &q, &file), TREE_FILE);
    sim.serving = true;
    sim.transfers++;
    tftp_transfer_start(&sim.transfer, p, &file, ceilings, &sim.wire, sim.now_ms);
}

static void server_receive(struct slice bytes)
{
    struct tftp_packet p;
    assert_int_equal(tftp_parse(bytes, &p), TFTP_FINE);
    if (p.opcode == TFTP_RRQ)
        server_request(&p);
    else if (sim.serving)
        tftp_transfer_receive(&sim.transfer, &p, &sim.wire, sim.now_ms);
}

/* --- the run --- */

static struct flight *next_flight(void)
{
    struct flight *best = NULL;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        struct flight *f = &sim.flight[i];
        if (f->used && (!best || f->at_ms < best->at_ms || (f->at_ms == best->at_ms && f->order < best->order)))
            best = f;
    }
    return best;
}

static void land(struct flight *f)
{
    struct flight copy = *f;
    f->used = false;
    sim.now_ms = copy.at_ms;
    if (copy.order < sim.overtaken[copy.to_server])
        sim.trouble++;
    else
        sim.overtaken[copy.to_server] = copy.order;
    if (copy.to_server)
        server_receive(slice_of(copy.bytes, copy.len));
    else
        client_receive(&sim.client, slice_of(copy.bytes, copy.len));
}

static bool server_busy(void)
{
    return sim.serving && sim.transfer.talk.state != TFTP_ENDED;
}

/* One step to whatever comes first; false when nothing will. */
static bool step(void)
{
    struct flight *f = next_flight();
    uint64_t at_ms = f ? f->at_ms : UINT64_MAX;
    if (server_busy() && sim.transfer.talk.due_ms < at_ms)
        at_ms = sim.transfer.talk.due_ms;
    if (!sim.client.done && !sim.client.failed && sim.client.due_ms < at_ms)
        at_ms = sim.client.due_ms;
    if (at_ms == UINT64_MAX)
        return false;
    if (f && f->at_ms == at_ms) {
        land(f);
        return true;
    }
    sim.now_ms = at_ms;
    if (server_busy())
        tftp_transfer_timeout(&sim.transfer, &sim.wire, at_ms);
    if (!sim.client.failed)
        client_timeout(&sim.client);
    return true;
}

static uint64_t blocks_of(const struct plan *p)
{
    return p->size / sim.client.blksize + 1;
}

static void run(uint64_t seed, const struct plan *plan)
{
    memset(&sim, 0, sizeof sim);
    fakes_reset();
    sim.wire = (struct tftp_wire){ reserve, commit, NULL };
    sim.random = seed;
    sim.plan = *plan;
    sim.now_ms = 1000000;
    fake_add("f", TREE_FILE, slice_of(content, plan->size), seed % 2);
    client_start(&sim.client, plan);
    unsigned steps = 0;
    while (step() && !sim.client.failed && ++steps < 200000)
        continue;
    if (!sim.client.done || sim.client.got_len != plan->size ||
        memcmp(sim.client.got, content, plan->size) != 0)
        fail_msg("seed %llu: %s, %zu of %zu bytes", (unsigned long long)seed,
                 sim.client.done ? "done" : "not done", sim.client.got_len, plan->size);
    tftp_transfer_release(&sim.transfer);
    assert_int_equal(fake_held, 0);
    assert_int_equal(sim.transfer.talk.state, TFTP_ENDED);
}

static struct plan random_plan(uint64_t seed)
{
    sim.random = seed * 77 + 1;
    struct plan p = { .loss = (unsigned)below(21),
                      .doubles = (unsigned)below(30),
                      .delay_ms = below(50),
                      .jitter_ms = below(3) ? below(40) : below(1500),
                      .size = below(FILE_BYTES) };
    if (below(4) == 0)
        p.size = below(20) * 512;
    if (below(5) == 0)
        p.mode = TFTP_NETASCII;
    if (below(2)) {
        p.options.has_blksize = true;
        p.options.blksize = (uint16_t)(400 + below(1100));
    }
    if (below(2)) {
        p.options.has_windowsize = true;
        p.options.windowsize = (uint16_t)(1 + below(20));
    }
    p.options.has_tsize = below(2);
    return p;
}

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = i % 7 == 0 ? '\r' : i % 11 == 0 ? '\n' : (char)(i * 29 + (i >> 8));
    return 0;
}

static void every_file_arrives_whole_over_a_bad_wire_and_traffic_stays_bounded(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct plan plan = random_plan(seed);
        run(seed, &plan);
        /* Each packet lost, doubled or overtaken costs at most a window, a time-out one packet. */
        uint64_t blocks = blocks_of(&plan) * (plan.mode == TFTP_NETASCII ? 2 : 1);
        uint64_t most = blocks + 1 + (uint64_t)sim.trouble * (sim.client.windowsize + 1u) + 8 * sim.transfers;
        if (sim.server_sent > most)
            fail_msg("seed %llu: %u packets for %llu blocks, trouble %u, window %u", (unsigned long long)seed,
                     sim.server_sent, (unsigned long long)blocks, sim.trouble, sim.client.windowsize);
    }
}

/* The sorcerer's apprentice: without loss, and with every packet quicker than a time-out, not one block goes
 * twice without a window, however many packets are doubled on the way. */
static void doubled_packets_never_double_what_is_sent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plan plan = {
            .doubles = 60, .delay_ms = 5, .jitter_ms = seed % 2 ? 0 : 200, .size = 300 * seed
        };
        plan.options.has_tsize = true;
        if (seed % 4 == 1) {
            plan.options.has_windowsize = true;
            plan.options.windowsize = (uint16_t)(seed % 9 + 1);
        }
        run(seed, &plan);
        uint64_t whole = blocks_of(&plan) + 1;
        /* A doubled block in a window makes this client acknowledge in the middle of it, as one lost would.
         * That costs the rest of the window, once: it does not go on. */
        if (sim.client.windowsize > 1)
            assert_in_range(sim.server_sent, whole, whole + sim.trouble * (sim.client.windowsize - 1u));
        else
            assert_int_equal(sim.server_sent, whole);
        assert_int_equal(sim.transfers, 1);
        assert_int_equal(sim.transfer.talk.outcome, OUTCOME_SENT);
    }
}

static void a_perfect_wire_needs_no_packet_too_many(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plan plan = random_plan(seed);
        plan.loss = plan.doubles = 0;
        plan.jitter_ms = 0;
        plan.mode = TFTP_OCTET;
        run(seed, &plan);
        uint64_t oack = tftp_options_any(&plan.options);
        assert_int_equal(sim.server_sent, blocks_of(&plan) + oack);
        assert_int_equal(sim.client_sent,
                         1 + oack + (blocks_of(&plan) + sim.client.windowsize - 1) / sim.client.windowsize);
        assert_int_equal(sim.transfer.talk.outcome, OUTCOME_SENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_arrives_whole_over_a_bad_wire_and_traffic_stays_bounded),
        cmocka_unit_test(doubled_packets_never_double_what_is_sent),
        cmocka_unit_test(a_perfect_wire_needs_no_packet_too_many),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
