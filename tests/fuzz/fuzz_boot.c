/* Boot files (guide/boot.h): what is read stands in the file, and so does what is told about it. */
#include "fuzz.h"
#include "places.h"

#include "guide/boot.h"

static void check(struct slice text, struct arena *arena)
{
    static struct places places;
    struct boot_file boot;
    struct diag findings;
    size_t count = 0;
    places_init(&places, text);
    diag_init(&findings, arena);
    MUST(boot_parse(text, SLICE("f"), arena, &findings, &boot));
    for (const struct boot_include *i = boot.includes; i; i = i->next, count++) {
        MUST(i->target.len && places_within(i->target, text));
        MUST(slice_eq(slice_trim(i->target), i->target));
        MUST(!i->has_prefix || places_within(i->models, text));
        MUST(i->line && i->column && places_fit(&places, i->line, i->column));
    }
    MUST(count == boot.count && count <= BOOT_INCLUDES_MAX);
    MUST(findings.lost == 0);
    places_check_findings(&places, &findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct slice text = slice_of(data, size);
    const char *refusal = line_refusal(text);
    MUST(!refusal || size);
    arena_init(&arena, (size_t)256 << 20);
    check(text, &arena);
    arena_free(&arena);
    return 0;
}
