#include "guide/boot.h"

struct boot_parser {
    struct line_reader reader;
    struct arena *arena;
    struct boot_file boot;
    struct boot_include **tail;
};

static void say(const struct boot_parser *p, const struct line *line, enum severity severity, const char *within,
                const char *text)
{
    diag_add(p->reader.findings, severity, line_place(&p->reader, line, within), "%s", text);
}

/* Pairs of marks around an include's URL. Word processors put in the curly ones (facts.md 8.1). */
static const struct mark {
    struct slice open, close;
    bool curly;
} marks[] = {
    { { "<", 1 }, { ">", 1 }, false },
    { { "\"", 1 }, { "\"", 1 }, false },
    { { "\xe2\x80\x9c", 3 }, { "\xe2\x80\x9d", 3 }, true },
    { { "\xe2\x80\x9d", 3 }, { "\xe2\x80\x9d", 3 }, true },
    { { "\xe2\x80\x98", 3 }, { "\xe2\x80\x99", 3 }, true },
};

static struct slice take_marked(const struct boot_parser *p, const struct line *line, struct slice text)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const struct mark *m = &marks[i];
        if (!slice_starts(text, m->open))
            continue;
        struct slice inner = slice_from(text, m->open.len);
        size_t end = slice_find_text(inner, m->close);
        if (m->curly)
            say(p, line, SEVERITY_WARNING, text.ptr, "curly quotes around the URL; write straight ones or < >");
        if (end == inner.len)
            say(p, line, SEVERITY_WARNING, text.ptr, "the mark around the URL is not closed");
        else if (slice_trim(slice_from(inner, end + m->close.len)).len)
            say(p, line, SEVERITY_WARNING, inner.ptr + end + m->close.len, "text behind the URL is ignored");
        return slice_trim(slice_first(inner, end));
    }
    say(p, line, SEVERITY_NOTE, text.ptr, "neither quotes nor < > around the URL");
    return text;
}

static void look_at_target(const struct boot_parser *p, const struct line *line, struct slice target)
{
    struct slice path = slice_first(target, slice_find(target, '?'));
    if (!slice_ends_nocase(path, SLICE(".cfg")))
        say(p, line, SEVERITY_WARNING, target.ptr, "the file to include must be a .cfg");
    if (slice_find(target, '\\') < target.len)
        say(p, line, SEVERITY_ERROR, target.ptr + slice_find(target, '\\'),
            "directories are separated by a slash, not a backslash");
}

static bool add_include(struct boot_parser *p, const struct line *line, struct slice target)
{
    if (p->boot.count == BOOT_INCLUDES_MAX) {
        say(p, line, SEVERITY_ERROR, NULL, "more than 1000 include statements; the rest is ignored");
        p->boot.count++;
    }
    if (p->boot.count > BOOT_INCLUDES_MAX)
        return true;
    struct boot_include *include = ARENA_NEW(p->arena, struct boot_include);
    if (!include)
        return false;
    *include = (struct boot_include){ NULL,         target,       line->has_prefix,
                                      line->models, line->number, line_place(&p->reader, line, target.ptr).column };
    *p->tail = include;
    p->tail = &include->next;
    p->boot.count++;
    return true;
}

/* `include:config <x.cfg>`, with blanks wherever they may slip in. False when it is no include statement. */
static bool is_include(struct slice text, struct slice *ret_rest)
{
    if (!slice_starts_nocase(text, SLICE("include")))
        return false;
    text = slice_trim(slice_from(text, 7));
    if (text.len == 0 || text.ptr[0] != ':')
        return false;
    text = slice_trim(slice_from(text, 1));
    if (!slice_starts_nocase(text, SLICE("config")))
        return false;
    text = slice_from(text, 6);
    *ret_rest = slice_trim(text);
    return text.len == 0 || !byte_is_alpha(text.ptr[0]);
}

static bool parse_include(struct boot_parser *p, const struct line *line, struct slice rest)
{
    struct slice target = rest.len ? take_marked(p, line, rest) : rest;
    if (target.len == 0) {
        say(p, line, SEVERITY_ERROR, NULL, "include names no file");
        return true;
    }
    look_at_target(p, line, target);
    return add_include(p, line, target);
}

static void set_switch(struct boot_parser *p, const struct line *line, struct slice key, struct slice value,
                       enum boot_switch *target)
{
    bool on = slice_eq(value, SLICE("1"));
    if (line->has_prefix) {
        say(p, line, SEVERITY_WARNING, NULL, "a [MODEL] prefix does not go with this; the line is ignored");
        return;
    }
    if (!on && !slice_eq(value, SLICE("0"))) {
        diag_add(p->reader.findings, SEVERITY_ERROR, line_place(&p->reader, line, value.len ? value.ptr : NULL),
                 "%.*s is 0 or 1, not `%.*s`; the line is ignored", SLICE_ARG(key), SLICE_ARG(value));
        return;
    }
    if (*target != BOOT_UNSET)
        say(p, line, SEVERITY_WARNING, NULL, "set a second time; the last one counts");
    *target = on ? BOOT_ON : BOOT_OFF;
}

static void parse_key(struct boot_parser *p, const struct line *line)
{
    struct slice key, value;
    if (!line_split(line, &key, &value))
        say(p, line, SEVERITY_ERROR, NULL, "neither include:config nor `key = value`; the line is ignored");
    else if (slice_eq(key, SLICE("overwrite_mode")))
        set_switch(p, line, key, value, &p->boot.overwrite_mode);
    else if (slice_eq(key, SLICE("specific_model.excluded_mode")) ||
             slice_eq(key, SLICE("static.specific_model.excluded_mode")))
        set_switch(p, line, key, value, &p->boot.excluded_mode);
    else
        diag_add(p->reader.findings, SEVERITY_ERROR, line_place(&p->reader, line, key.ptr),
                 "%.*s does not belong in a boot file; phones ignore it here", SLICE_ARG(key));
}

bool boot_parse(struct slice bytes, struct slice file, struct arena *arena, struct diag *findings,
                struct boot_file *ret_boot)
{
    struct boot_parser p = { .arena = arena, .boot = { .file = file } };
    struct line line;
    struct slice rest;
    p.tail = &p.boot.includes;
    line_reader_init(&p.reader, bytes, file, findings);
    while (line_next(&p.reader, &line)) {
        if (!is_include(line.content, &rest))
            parse_key(&p, &line);
        else if (!parse_include(&p, &line, rest))
            return false;
    }
    if (p.boot.count > BOOT_INCLUDES_MAX)
        p.boot.count = BOOT_INCLUDES_MAX;
    *ret_boot = p.boot;
    return true;
}
