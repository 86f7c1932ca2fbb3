/* A ring core at a test's hands: its settings, who is trusted, what it did and told. */
#ifndef DIALTONE_TESTS_RING_DESK_H
#define DIALTONE_TESTS_RING_DESK_H

#include "tests/unit/test.h"

#include "phone/ring.h"

#include <stdio.h>

struct ring_desk {
    struct ring *ring;
    struct arena arena;
    struct arena answer_arena; /* of `answer` */
    struct settings settings;
    bool off;
    enum ring_trust trust;
    struct ring_source from;
    uint64_t now_ms;
    unsigned provisions, reboots, lines;
    char told[1024]; /* the last line */
    char answer_bytes[RING_ANSWER_BYTES_MAX];
    struct slice bytes; /* of the last answer */
    struct sip_message answer;
    enum ring_verdict verdict;
};

static inline struct ring_view ring_desk_view(void *context)
{
    struct ring_desk *d = context;
    struct identity id = { { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } }, model_find(SLICE("T46S")), { { 66, 84, 0, 15 } } };
    return (struct ring_view){ d->off ? NULL : &d->settings, id };
}

static inline enum ring_trust ring_desk_trust(void *context, const union address *from)
{
    (void)from;
    return ((struct ring_desk *)context)->trust;
}

static inline void ring_desk_sync(void *context, bool reboot)
{
    struct ring_desk *d = context;
    *(reboot ? &d->reboots : &d->provisions) += 1;
}

static inline void ring_desk_told(void *context, struct slice line)
{
    struct ring_desk *d = context;
    struct buf out = BUF_ON(d->told);
    buf_text(&out, line);
    buf_terminate(&out);
    d->lines++;
}

static inline void ring_desk_open(struct ring_desk *d, enum ring_auth auth)
{
    struct ring_options o = { { ring_desk_view, ring_desk_trust, ring_desk_sync, ring_desk_told, d }, auth, "" };
    memset(d, 0, sizeof *d);
    memset(o.secret, 7, sizeof o.secret);
    arena_init(&d->arena, (size_t)8 << 20);
    arena_init(&d->answer_arena, SIP_READ_BYTES_MAX);
    settings_init(&d->settings, &d->arena);
    assert_true(address_parse(SLICE("10.0.0.9"), 5062, &d->from.address));
    d->trust = RING_TRUSTED;
    d->now_ms = 1000000;
    assert_int_equal(ring_open(&o, &d->ring), 0);
}

static inline void ring_desk_close(struct ring_desk *d)
{
    ring_close(d->ring);
    settings_free(&d->settings);
    arena_free(&d->answer_arena);
    arena_free(&d->arena);
}

static inline void ring_desk_set(struct ring_desk *d, const char *key, const char *value)
{
    struct origin origin = { SLICE("a.cfg"), 1 };
    assert_true(settings_put(&d->settings, slice_str(key), slice_str(value), origin));
}

/* The status of the answer; 0: none. */
static inline unsigned ring_desk_ask(struct ring_desk *d, struct slice bytes)
{
    struct buf out = BUF_ON(d->answer_bytes);
    const char *reason;
    arena_reset(&d->answer_arena);
    d->verdict = ring_receive(d->ring, &d->from, bytes, d->now_ms, &out);
    d->bytes = buf_slice(&out);
    if (d->verdict != RING_ANSWERED) {
        assert_int_equal(out.len, 0);
        return 0;
    }
    assert_true(sip_read(buf_slice(&out), &d->answer_arena, &d->answer, &reason));
    return d->answer.status;
}

#endif
