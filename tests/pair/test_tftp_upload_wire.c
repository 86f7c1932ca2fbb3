/* A client that sends against server/tftp_upload.c on a wire that loses, doubles, delays and reorders, by seed; the
 * disk takes its time too. */
#include "tests/unit/test.h"

#include "server/tftp_upload.h"

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
    uint64_t delay_ms, jitter_ms, disk_ms;
    size_t size;
    enum tftp_mode mode;
    struct tftp_options options;
};

struct client {
    uint16_t blksize, windowsize;
    bool started, done, failed;
    uint64_t acked, sent, last; /* blocks */
    uint64_t due_ms;
    unsigned resends;
};

static struct {
    struct tftp_wire wire; /* first: the server's */
    struct tftp_sink sink;
    struct flight flight[IN_FLIGHT];
    struct buf room;
    struct plan plan;
    uint64_t random, now_ms, order;
    unsigned server_sent, trouble;
    struct client client;
    struct tftp_upload upload;
    bool serving;
    uint64_t disk_due_ms; /* 0: nothing on its way to the disk */
    char got[FILE_BYTES * 2];
    size_t got_len;
    char text[FILE_BYTES * 2]; /* what goes over the wire */
    size_t text_len;
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
        struct flight *fl = &sim.flight[i];
        if (fl->used)
            continue;
        *fl = (struct flight){ .used = true, .to_server = to_server, .order = sim.order++, .len = len };
        fl->at_ms = sim.now_ms + sim.plan.delay_ms + (sim.plan.jitter_ms ? below(sim.plan.jitter_ms) : 0);
        memcpy(fl->bytes, bytes, len);
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

static bool take(struct tftp_sink *sink, struct slice bytes, uint16_t *ret_code, const char **ret_reason)
{
    (void)sink;
    (void)ret_code;
    (void)ret_reason;
    assert_true(sim.got_len + bytes.len <= sizeof sim.got);
    memcpy(sim.got + sim.got_len, bytes.ptr, bytes.len);
    sim.got_len += bytes.len;
    return true;
}

/* --- the client: RFC 1350, 2347, 7440; an ACK that acknowledges nothing new never makes it send --- */

static void client_request(void)
{
    char bytes[TFTP_REQUEST_BYTES_MAX];
    struct buf b = BUF_ON(bytes);
    tftp_put_request(&b, TFTP_WRQ, SLICE("f"), sim.plan.mode, &sim.plan.options);
    sim.client.due_ms = sim.now_ms + 1500;
    launch(true, b.ptr, b.len);
}

static void client_block(uint64_t number)
{
    char bytes[PACKET_BYTES];
    struct buf b = BUF_ON(bytes);
    struct client *c = &sim.client;
    tftp_put_data_header(&b, (uint16_t)number);
    buf_text(&b, slice_first(slice_from(slice_of(sim.text, sim.text_len), (size_t)(number - 1) * c->blksize), c->blksize));
    assert_true(buf_ok(&b));
    launch(true, b.ptr, b.len);
}

static void client_window(void)
{
    struct client *c = &sim.client;
    for (c->sent = c->acked; c->sent < c->last && c->sent < c->acked + c->windowsize; c->sent++)
        client_block(c->sent + 1);
    c->due_ms = sim.now_ms + 1500;
}

static void client_begin(const struct tftp_options *o)
{
    struct client *c = &sim.client;
    if (c->started)
        return;
    c->started = true;
    c->resends = 0;
    c->blksize = o->has_blksize ? o->blksize : TFTP_BLKSIZE_DEFAULT;
    c->windowsize = o->has_windowsize ? o->windowsize : 1;
    c->last = sim.text_len / c->blksize + 1;
    client_window();
}

static void client_receive(struct slice bytes)
{
    static const struct tftp_options none;
    struct tftp_packet p;
    struct client *c = &sim.client;
    assert_int_equal(tftp_parse(bytes, &p), TFTP_FINE);
    if (p.opcode == TFTP_OACK) {
        assert_true(tftp_oack_fits(&sim.plan.options, &p.options));
        client_begin(&p.options);
        return;
    }
    if (p.opcode != TFTP_ACK) {
        c->failed = true;
        return;
    }
    uint16_t news = (uint16_t)(p.block - (uint16_t)c->acked);
    if (!c->started && p.block == 0) {
        client_begin(&none);
    } else if (c->started && news && news <= c->sent - c->acked) {
        c->acked += news;
        c->resends = 0;
        c->done = c->acked == c->last;
        if (!c->done)
            client_window();
    }
}

static void client_timeout(void)
{
    struct client *c = &sim.client;
    if (sim.now_ms < c->due_ms || c->done)
        return;
    if (++c->resends > 40)
        c->failed = true;
    else if (c->started)
        client_window();
    else
        client_request();
}

/* --- the server: what tftp_service does with one peer --- */

static void server_receive(struct slice bytes)
{
    static const struct tftp_ceilings ceilings = { 1400, TFTP_WINDOW_CEILING, TFTP_WINDOW_BYTES };
    struct tftp_packet p;
    struct tftp_upload *u = &sim.upload;
    assert_int_equal(tftp_parse(bytes, &p), TFTP_FINE);
    if (p.opcode == TFTP_WRQ && sim.serving) {
        tftp_upload_asked_again(u, &sim.wire, sim.now_ms);
    } else if (p.opcode == TFTP_WRQ) {
        sim.serving = true;
        tftp_upload_start(u, &p, ceilings, &sim.wire, sim.now_ms);
    } else if (sim.serving) {
        bool stored = u->talk.state == TFTP_STORING;
        tftp_upload_receive(u, &p, &sim.sink, &sim.wire, sim.now_ms);
        if (!stored && u->talk.state == TFTP_STORING)
            sim.disk_due_ms = sim.now_ms + 1 + sim.plan.disk_ms;
    }
}

static void disk_done(void)
{
    sim.disk_due_ms = 0;
    /* The last ACK must mean that all is there. */
    assert_int_equal(sim.got_len, sim.plan.size);
    tftp_upload_stored(&sim.upload, 0, NULL, &sim.wire, sim.now_ms);
}

/* --- the run --- */

static struct flight *next_flight(void)
{
    struct flight *best = NULL;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        struct flight *fl = &sim.flight[i];
        if (fl->used && (!best || fl->at_ms < best->at_ms || (fl->at_ms == best->at_ms && fl->order < best->order)))
            best = fl;
    }
    return best;
}

static void earlier(uint64_t *at_ms, bool counts, uint64_t due_ms)
{
    if (counts && due_ms < *at_ms)
        *at_ms = due_ms;
}

/* One step to whatever comes first; false when nothing will. */
static bool step(void)
{
    struct flight *fl = next_flight();
    uint64_t at_ms = fl ? fl->at_ms : UINT64_MAX;
    bool busy = sim.serving && sim.upload.talk.state != TFTP_ENDED;
    earlier(&at_ms, busy, sim.upload.talk.due_ms);
    earlier(&at_ms, sim.disk_due_ms != 0, sim.disk_due_ms);
    earlier(&at_ms, !sim.client.done && !sim.client.failed, sim.client.due_ms);
    if (at_ms == UINT64_MAX)
        return false;
    sim.now_ms = at_ms;
    if (fl && fl->at_ms == at_ms) {
        struct flight copy = *fl;
        fl->used = false;
        if (copy.to_server)
            server_receive(slice_of(copy.bytes, copy.len));
        else
            client_receive(slice_of(copy.bytes, copy.len));
        return true;
    }
    if (sim.disk_due_ms && sim.disk_due_ms <= at_ms)
        disk_done();
    if (busy)
        tftp_upload_timeout(&sim.upload, &sim.wire, at_ms);
    if (!sim.client.failed)
        client_timeout();
    return true;
}

static void run(uint64_t seed, const struct plan *plan)
{
    struct tftp_netascii state = { 0 };
    memset(&sim, 0, sizeof sim);
    sim.wire = (struct tftp_wire){ reserve, commit, NULL };
    sim.sink.take = take;
    sim.random = seed;
    sim.plan = *plan;
    sim.now_ms = 1000000;
    struct buf text = buf_on(sim.text, sizeof sim.text);
    if (plan->mode == TFTP_NETASCII) {
        tftp_netascii_encode(&state, slice_of(content, plan->size), &text);
        if (state.owes)
            buf_byte(&text, state.owed);
    } else {
        buf_bytes(&text, content, plan->size);
    }
    sim.text_len = text.len;
    client_request();
    unsigned steps = 0;
    while (step() && !sim.client.failed && ++steps < 200000)
        continue;
    if (!sim.client.done || sim.got_len != plan->size || memcmp(sim.got, content, plan->size) != 0)
        fail_msg("seed %llu: %s, %zu of %zu bytes", (unsigned long long)seed,
                 sim.client.done ? "done" : "not done", sim.got_len, plan->size);
    assert_int_equal(sim.upload.talk.outcome, OUTCOME_STORED);
    assert_int_equal(sim.upload.talk.state, TFTP_ENDED);
}

static struct plan random_plan(uint64_t seed)
{
    sim.random = seed * 77 + 1;
    struct plan p = { .loss = (unsigned)below(21),
                      .doubles = (unsigned)below(30),
                      .delay_ms = below(50),
                      .jitter_ms = below(3) ? below(40) : below(1500),
                      .disk_ms = below(4) ? below(30) : below(5000),
                      .size = below(FILE_BYTES) };
    if (below(4) == 0)
        p.size = below(20) * 512;
    if (below(5) == 0)
        p.mode = TFTP_NETASCII;
    if (below(2)) {
        p.options.has_blksize = true;
        p.options.blksize = (uint16_t)(400 + below(1000));
    }
    if (below(2)) {
        p.options.has_windowsize = true;
        p.options.windowsize = (uint16_t)(1 + below(20));
    }
    p.options.has_tsize = below(2);
    p.options.tsize = p.size;
    return p;
}

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = i % 7 == 0 ? '\r' : i % 11 == 0 ? '\n' : (char)(i * 29 + (i >> 8));
    return 0;
}

static void R22_every_file_is_stored_whole_over_a_bad_wire(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct plan plan = random_plan(seed);
        run(seed, &plan);
    }
}

static void R13_doubled_packets_never_double_what_is_answered(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plan plan = { .doubles = 60, .delay_ms = 5, .jitter_ms = seed % 2 ? 0 : 200, .size = 300 * seed };
        run(seed, &plan);
        /* An ACK a block, one for the request, and at most one more for each packet that came twice. */
        assert_in_range(sim.server_sent, sim.client.last + 1, sim.client.last + 1 + sim.trouble);
    }
}

static void a_perfect_wire_needs_no_packet_too_many(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plan plan = random_plan(seed);
        plan.loss = plan.doubles = 0;
        plan.jitter_ms = 0;
        plan.disk_ms = 5;
        run(seed, &plan);
        uint64_t window = sim.client.windowsize;
        assert_int_equal(sim.server_sent, 1 + (sim.client.last + window - 1) / window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(R22_every_file_is_stored_whole_over_a_bad_wire),
        cmocka_unit_test(R13_doubled_packets_never_double_what_is_answered),
        cmocka_unit_test(a_perfect_wire_needs_no_packet_too_many),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
