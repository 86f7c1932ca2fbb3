/* What the tests of the guide's grammars share: phones by name, findings as one text. */
#ifndef DIALTONE_TESTS_GUIDE_TEST_H
#define DIALTONE_TESTS_GUIDE_TEST_H

#include "tests/unit/test.h"

#include "base/diag.h"
#include "guide/model.h"

/* A phone with the guide's MAC address. */
static inline struct identity phone(const char *model, const char *firmware)
{
    struct identity id = { .model = model_find(slice_str(model)) };
    if (!id.model || !firmware_parse(slice_str(firmware), &id.firmware) ||
        !mac_parse(SLICE("00156574b150"), &id.mac))
        fail_msg("no such phone: %s %s", model, firmware);
    return id;
}

/* Every finding as diag_print() says it, each with a line end. */
static inline struct slice findings_text(const struct diag *d, struct arena *arena)
{
    size_t cap = (size_t)64 << 10;
    struct buf out = buf_on(arena_alloc(arena, cap), cap);
    assert_non_null(out.ptr);
    for (const struct finding *f = d->first; f; f = f->next) {
        diag_print(f, &out);
        buf_byte(&out, '\n');
    }
    assert_true(buf_ok(&out) && d->lost == 0);
    return buf_slice(&out);
}

#endif
