/* The PnP server (server/pnp_machine.h): whatever comes, everything goes to who sent it, within the ratio and the tries.
 *
 * The input is datagrams, each with two bytes before it: how long the wait was, and from whom and how it came; a line
 * `\n--\n` ends each. */
#include "fuzz.h"

#include "server/pnp_machine.h"
#include "server/pnp_text.h"

#define SOURCES 4

static struct {
    struct pnp_world world; /* first */
    size_t in[SOURCES], out[SOURCES];
    size_t notes;
} f;

static union address source(unsigned n)
{
    union address a = { .v4 = { .sin_family = AF_INET, .sin_port = htons(5059), .sin_addr = { htonl(0xc0000201u + n) } } };
    return a;
}

static void on_send(struct pnp_world *w, const union address *to, const struct datagram_local *from,
                    struct slice bytes)
{
    (void)w;
    MUST(from->family == AF_INET && bytes.len <= PNP_TEXT_BYTES_MAX);
    for (unsigned i = 0; i < SOURCES; i++) {
        union address a = source(i);
        if (!address_eq(&a, to))
            continue;
        f.out[i] += bytes.len;
        MUST(f.out[i] <= PNP_RATIO_MAX * f.in[i]);
        return;
    }
    MUST(false);
}

static void on_note(struct pnp_world *w, struct journal_event *e)
{
    (void)w;
    MUST(e->protocol == PROTOCOL_PNP && e->meaning);
    f.notes++;
}

static void receive(struct pnp_machine *m, uint8_t how, struct slice bytes, uint64_t now_ms)
{
    unsigned from = how % SOURCES;
    struct datagram_in in = { .from = source(from), .bytes = slice_first(bytes, PNP_SUBSCRIBE_BYTES_MAX + 1) };
    in.to = (struct datagram_local){ AF_INET, { .v4 = { htonl(0x0a0201c7) } } };
    in.to_group = !(how & 0x10);
    in.cut = bytes.len > in.bytes.len;
    f.in[from] += in.bytes.len;
    if (how & 0x20)
        pnp_machine_undelivered(m, &in.from, now_ms);
    pnp_machine_receive(m, &in, now_ms, 0);
}

/* Also where the time jumps. */
static void settle(struct pnp_machine *m, uint64_t now_ms)
{
    pnp_machine_advance(m, now_ms);
    MUST(pnp_machine_outstanding(m) <= pnp_machine_exchanges(m) && pnp_machine_exchanges(m) <= SOURCES);
    MUST(pnp_machine_bytes(m) <= 6 * 1024 * pnp_machine_exchanges(m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct slice rest = slice_of(data, size);
    struct pnp_options o = { &config, &f.world, 1, 2, 5060 };
    struct pnp_machine *m;
    struct arena arena;
    uint64_t now_ms = 1000, due_ms;
    arena_init(&arena, 1 << 16);
    config_init(&config, &arena);
    config.pnp_url = SLICE("https://10.2.1.199/$PN/");
    config.pnp_exchanges = SOURCES;
    memset(&f, 0, sizeof f);
    f.world = (struct pnp_world){ on_send, on_note };
    MUST(pnp_machine_open(&o, now_ms, &m) == 0);
    while (rest.len > 2) {
        size_t end = slice_find_text(rest, SLICE("\n--\n"));
        struct slice one = slice_first(rest, end);
        rest = slice_from(rest, end + 4);
        if (one.len < 2)
            continue;
        now_ms += (uint64_t)(unsigned char)one.ptr[0] * 50;
        settle(m, now_ms);
        receive(m, (uint8_t)one.ptr[1], slice_from(one, 2), now_ms);
    }
    while (pnp_machine_due(m, &due_ms)) {
        now_ms = due_ms > now_ms ? due_ms : now_ms;
        settle(m, now_ms);
    }
    MUST(pnp_machine_exchanges(m) == 0 && pnp_machine_bytes(m) == 0);
    pnp_machine_close(m);
    arena_free(&arena);
    return 0;
}
