/* A phone's SIP side (phone/ring.h): whatever comes, what it answers is SIP, a run of bytes that has come before acts only once,
 * and a stranger never makes it do anything. The input is messages, a line `\n--\n` between them. */
#include "fuzz.h"

#include "phone/ring.h"

struct world {
    struct arena arena;
    struct settings settings;
    bool trusted;
    unsigned acts;
};

static struct ring_view on_view(void *context)
{
    struct world *w = context;
    struct identity id = { { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } }, model_find(SLICE("T46S")), { { 66, 84, 0, 15 } } };
    return (struct ring_view){ &w->settings, id };
}

static enum ring_trust on_trust(void *context, const union address *from)
{
    (void)from;
    return ((struct world *)context)->trusted ? RING_TRUSTED : RING_STRANGER;
}

static void on_check_sync(void *context, bool reboot)
{
    (void)reboot;
    ((struct world *)context)->acts++;
}

static void on_told(void *context, struct slice line)
{
    (void)context;
    for (size_t i = 0; i < line.len; i++)
        MUST(!byte_is_control(line.ptr[i]));
}

static void ask(struct ring *r, struct slice bytes, uint64_t now_ms)
{
    char room[RING_ANSWER_BYTES_MAX];
    struct buf out = BUF_ON(room);
    struct ring_source from = { .reliable = false };
    MUST(address_parse(SLICE("10.0.0.9"), 5062, &from.address));
    enum ring_verdict verdict = ring_receive(r, &from, bytes, now_ms, &out);
    MUST((verdict == RING_ANSWERED) == (out.len > 0));
    MUST(out.len == 0 || slice_starts(buf_slice(&out), SLICE("SIP/2.0 ")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = { .acts = 0 };
    struct ring_options o = { { on_view, on_trust, on_check_sync, on_told, &w }, RING_AUTH_STRANGERS, "" };
    struct origin origin = { SLICE("a.cfg"), 1 };
    struct slice rest = slice_of(data, size);
    struct ring *r;
    arena_init(&w.arena, 1 << 20);
    settings_init(&w.settings, &w.arena);
    MUST(settings_put(&w.settings, SLICE("account.1.user_name"), SLICE("1001"), origin));
    MUST(settings_put(&w.settings, SLICE("account.1.password"), SLICE("drawn-by-nobody"), origin));
    MUST(ring_open(&o, &r) == 0);
    for (uint64_t now_ms = 1000; rest.len; now_ms += 700) {
        size_t end = slice_find_text(rest, SLICE("\n--\n"));
        struct slice one = slice_first(rest, end);
        rest = slice_from(rest, end + 4);
        unsigned acts = w.acts;
        w.trusted = false;
        ask(r, one, now_ms);
        MUST(w.acts == acts);
        w.trusted = true;
        ask(r, one, now_ms + 200);
        ask(r, one, now_ms + 300);
        MUST(w.acts <= acts + 1);
    }
    ring_close(r);
    settings_free(&w.settings);
    arena_free(&w.arena);
    return 0;
}
