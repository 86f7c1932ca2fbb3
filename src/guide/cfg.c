#include "guide/cfg.h"

struct cfg_parser {
    struct line_reader reader;
    struct arena *arena;
    struct cfg_file cfg;
    struct cfg_assignment **tail;
};

#define INCLUDE SLICE("include:")

/* Lines that belong in a boot file, with or without a `=`. */
static const char *misplaced(struct slice key)
{
    static const struct {
        struct slice key;
        const char *why;
    } table[] = {
        { { "overwrite_mode", 14 }, "overwrite_mode can only be used in boot files; phones ignore it here" },
        { { "specific_model.excluded_mode", 28 },
          "the exclude mode can only be used in boot files; phones ignore it here" },
        { { "static.specific_model.excluded_mode", 35 },
          "the exclude mode can only be used in boot files; phones ignore it here" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (slice_eq(key, table[i].key))
            return table[i].why;
    if (slice_starts_nocase(key, INCLUDE))
        return "include belongs in a boot file; phones ignore it here";
    return NULL;
}

static bool has_blank(struct slice key)
{
    return slice_find(key, ' ') < key.len || slice_find(key, '\t') < key.len;
}

static bool add(struct cfg_parser *p, const struct line *line, struct slice key, struct slice value)
{
    struct cfg_assignment *a = ARENA_NEW(p->arena, struct cfg_assignment);
    if (!a)
        return false;
    *a = (struct cfg_assignment){ .key = key,
                                  .value = value,
                                  .has_prefix = line->has_prefix,
                                  .models = line->models,
                                  .line = line->number,
                                  .column = line->column,
                                  .value_column = line_place(&p->reader, line, value.ptr).column };
    *p->tail = a;
    p->tail = &a->next;
    p->cfg.count++;
    return true;
}

static bool parse_line(struct cfg_parser *p, const struct line *line)
{
    struct diag *findings = p->reader.findings;
    struct slice key, value;
    struct place at = line_place(&p->reader, line, NULL);
    if (!line_split(line, &key, &value)) {
        const char *why = misplaced(line->content);
        diag_add(findings, SEVERITY_ERROR, at, "%s",
                 why ? why : "no `parameter = value` in this line; phones ignore it");
        return true;
    }
    const char *why = misplaced(key);
    if (why) {
        diag_add(findings, SEVERITY_ERROR, at, "%s", why);
        return true;
    }
    if (has_blank(key)) {
        diag_add(findings, SEVERITY_ERROR, at, "a blank inside the parameter's name `%.*s`; phones ignore it",
                 SLICE_ARG(key));
        return true;
    }
    return add(p, line, key, value);
}

bool cfg_parse(struct slice bytes, struct slice file, struct arena *arena, struct diag *findings,
               struct cfg_file *ret_cfg)
{
    struct cfg_parser p = { .arena = arena, .cfg = { .file = file } };
    struct line line;
    p.tail = &p.cfg.assignments;
    line_reader_init(&p.reader, bytes, file, findings);
    while (line_next(&p.reader, &line))
        if (!parse_line(&p, &line))
            return false;
    *ret_cfg = p.cfg;
    return true;
}

bool cfg_applies(const struct cfg_assignment *a, const struct identity *id)
{
    return !a->has_prefix || (identity_reads_prefixes(id) && line_models_match(a->models, id->model));
}
