/* Flash content (guide/memory.h): what is read from any bytes prints and reads as the same. */
#include "fuzz.h"

#include "guide/memory.h"

static const struct mac mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };

static struct slice print(const struct memory *m, size_t cap, struct arena *arena)
{
    struct buf out = buf_on(arena_alloc(arena, cap), cap);
    MUST(out.ptr && memory_print(m, mac, arena, &out));
    return buf_slice(&out);
}

static void check(const struct memory *m, size_t cap, struct arena *arena)
{
    struct memory again;
    memory_init(&again, arena);
    struct slice text = print(m, cap, arena);
    MUST(!memory_parse(&again, text, mac, arena));
    MUST(slice_eq(text, print(&again, cap, arena)));
    MUST(memory_same_files(m, &again));
    MUST(m->central.count == again.central.count && m->personal.count == again.personal.count);
    memory_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct memory memory;
    arena_init(&arena, (size_t)256 << 20);
    memory_init(&memory, &arena);
    /* An alias or a file's repeated name may print longer than it was read. */
    if (!memory_parse(&memory, slice_of(data, size), mac, &arena))
        check(&memory, 32 * size + 1024, &arena);
    memory_free(&memory);
    arena_free(&arena);
    return 0;
}
