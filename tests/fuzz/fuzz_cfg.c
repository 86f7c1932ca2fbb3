/* CFG files (guide/cfg.h, guide/settings.h): what is read stands in the file, reads the same when written anew,
 * and can be applied in either mode. */
#include "fuzz.h"
#include "places.h"

#include "guide/settings.h"

static struct cfg_file parse(struct slice text, struct arena *arena)
{
    static struct places places;
    struct cfg_file cfg;
    struct diag findings;
    size_t count = 0;
    places_init(&places, text);
    diag_init(&findings, arena);
    MUST(cfg_parse(text, SLICE("f"), arena, &findings, &cfg));
    for (const struct cfg_assignment *a = cfg.assignments; a; a = a->next, count++) {
        MUST(a->key.len && places_within(a->key, text) && places_within(a->value, text));
        MUST(slice_eq(slice_trim(a->key), a->key) && slice_eq(slice_trim(a->value), a->value));
        MUST(!a->has_prefix || places_within(a->models, text));
        MUST(a->line && a->column && places_fit(&places, a->line, a->column));
        MUST(a->value_column > a->column && places_fit(&places, a->line, a->value_column));
    }
    MUST(count == cfg.count && findings.lost == 0);
    places_check_findings(&places, &findings);
    return cfg;
}

static void check_again(const struct cfg_file *cfg, size_t size, struct arena *arena)
{
    size_t cap = 2 * size + 64 + 16 * cfg->count;
    struct buf out = buf_on(arena_alloc(arena, cap), cap);
    MUST(out.ptr);
    for (const struct cfg_assignment *a = cfg->assignments; a; a = a->next) {
        buf_str(&out, a->has_prefix ? "[" : "[T46S]");
        buf_text(&out, a->has_prefix ? a->models : SLICE_NONE);
        buf_str(&out, a->has_prefix ? "]" : "");
        buf_text(&out, a->key);
        buf_str(&out, " = ");
        buf_text(&out, a->value);
        buf_str(&out, "\n");
    }
    MUST(buf_ok(&out));
    struct cfg_file again = parse(buf_slice(&out), arena);
    MUST(again.count == cfg->count);
    for (const struct cfg_assignment *a = cfg->assignments, *b = again.assignments; a; a = a->next, b = b->next)
        MUST(slice_eq(a->key, b->key) && slice_eq(a->value, b->value));
}

static void check_applied(const struct cfg_file *cfg, bool overwrite, struct arena *arena)
{
    struct identity id = { .model = model_find(SLICE("T46S")), .firmware = { { 66, 84, 0, 15 } } };
    struct settings before, central, personal, effective;
    struct settings_change change;
    const struct setting *const *list;
    settings_init(&before, arena);
    settings_init(&central, arena);
    settings_init(&personal, arena);
    settings_init(&effective, arena);
    struct settings_run run = { &id, &before, &before, overwrite };
    MUST(settings_begin(&run, &central) && settings_apply_cfg(&run, &central, cfg, NULL));
    MUST(settings_apply_personal(&run, &central, true, cfg, &personal, NULL));
    MUST(settings_overlay(&effective, &central, &personal));
    MUST(settings_compare(&before, &effective, arena, &change) && settings_sorted(&effective, arena, &list));
    MUST(effective.count <= cfg->count && change.count <= effective.count);
    for (size_t i = 0; i < effective.count; i++) {
        MUST(list[i]->value.len && !slice_eq(list[i]->value, SLICE("%NULL%")));
        MUST(i == 0 || slice_compare(list[i - 1]->id, list[i]->id) < 0);
        MUST(settings_get(&effective, list[i]->key));
    }
    settings_free(&before);
    settings_free(&central);
    settings_free(&personal);
    settings_free(&effective);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, (size_t)256 << 20);
    struct cfg_file cfg = parse(slice_of(data, size), &arena);
    check_again(&cfg, size, &arena);
    check_applied(&cfg, true, &arena);
    check_applied(&cfg, false, &arena);
    arena_free(&arena);
    return 0;
}
