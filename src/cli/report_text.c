#include "cli/report_text.h"

#define LINE_BYTES ((size_t)16 * 1024)

static void put(FILE *to, const struct buf *line)
{
    fprintf(to, "%.*s\n", SLICE_ARG(buf_slice(line)));
}

/* Escaped, for a name or value may hold anything. */
static void put_name(const struct report_style *style, struct slice url, struct buf *out)
{
    char bytes[2 * URL_BYTES_MAX];
    struct buf name = BUF_ON(bytes);
    naming_print(&style->naming, url, &name);
    buf_escaped(out, buf_slice(&name));
}

static void pad_to(struct buf *out, size_t start, size_t width)
{
    while (out->len - start < width && buf_ok(out))
        buf_byte(out, ' ');
}

/* The outcome and the name, as wide as most of them. */
static void put_outcome(enum file_outcome outcome, struct slice url, const struct report_style *style, struct buf *out)
{
    size_t start = out->len;
    buf_format(out, "%-8s ", file_outcome_name(outcome));
    put_name(style, url, out);
    pad_to(out, start, 46);
    buf_str(out, "  ");
}

static void put_unless_empty(const char *before, struct slice text, const char *after, struct buf *out)
{
    if (text.len == 0)
        return;
    buf_str(out, before);
    buf_escaped(out, text);
    buf_str(out, after);
}

void report_print_file(const struct report_file *f, const struct report_style *style, struct buf *out)
{
    put_outcome(f->outcome, f->url, style, out);
    buf_str(out, name_kind_words(f->kind));
    if (f->outcome == FILE_USED)
        buf_format(out, ", %zu bytes", f->size);
    if (f->settings)
        buf_format(out, ", %zu settings", f->settings);
    put_unless_empty("; ", f->why, "", out);
    put_unless_empty(" (", f->asked_because, ")", out);
}

void report_print_resource(const struct report_resource *r, const struct report_style *style, struct buf *out)
{
    put_outcome(r->outcome, r->url, style, out);
    buf_escaped(out, r->key);
    put_unless_empty("; ", r->why, "", out);
}

void report_print_verdict(const struct report *r, struct buf *out)
{
    const char *mechanism = mechanism_name(r->mechanism);
    buf_str(out, run_outcome_name(r->outcome));
    if (mechanism)
        buf_format(out, " (%s)", mechanism);
    if (r->why.len) {
        buf_str(out, ": ");
        buf_escaped(out, r->why);
    }
    if (r->outcome == RUN_UPGRADED)
        buf_str(out, ", reboot");
    if (r->outcome != RUN_PROVISIONED)
        return;
    buf_format(out, ": %zu settings applied, %zu changed, ", r->applied, r->change.count);
    if (r->reboot)
        buf_format(out, "reboot for %.*s", SLICE_ARG(r->change.reboot_why));
    else
        buf_str(out, "no reboot");
}

static void print_setting(const struct setting *s, const struct report_style *style, FILE *to)
{
    char bytes[LINE_BYTES], shown[LINE_BYTES / 2];
    struct buf line = BUF_ON(bytes), value = BUF_ON(shown);
    buf_str(&line, "  ");
    buf_escaped(&line, s->key);
    buf_str(&line, " = ");
    report_print_value(style, s, &value);
    buf_escaped(&line, buf_slice(&value));
    buf_str(&line, "   ");
    put_name(style, s->origin.file, &line);
    buf_format(&line, ":%u", s->origin.line);
    for (const struct setting *loser = s->overrode; loser; loser = loser->overrode) {
        value.len = 0;
        report_print_value(style, loser, &value);
        buf_str(&line, "; over ");
        buf_escaped(&line, buf_slice(&value));
        buf_str(&line, " from ");
        put_name(style, loser->origin.file, &line);
        buf_format(&line, ":%u", loser->origin.line);
    }
    put(to, &line);
}

static bool print_settings(const struct report *r, const struct report_style *style, FILE *to)
{
    struct arena arena;
    const struct setting *const *list;
    arena_init(&arena, SIZE_MAX / 2);
    bool done = settings_sorted(&r->effective, &arena, &list);
    fprintf(to, "\nsettings that are not at their factory default\n");
    for (size_t i = 0; done && i < r->effective.count; i++)
        if (!setting_is_default(list[i]))
            print_setting(list[i], style, to);
    arena_free(&arena);
    return done;
}

static void print_findings(const struct report *r, const struct report_style *style, FILE *to)
{
    char bytes[LINE_BYTES], name_bytes[2 * URL_BYTES_MAX];
    if (r->findings.first)
        fprintf(to, "\nfindings\n");
    for (const struct finding *f = r->findings.first; f; f = f->next) {
        struct buf line = BUF_ON(bytes), name = BUF_ON(name_bytes);
        struct finding shown = *f;
        naming_print(&style->naming, f->file, &name);
        shown.file = buf_slice(&name);
        buf_str(&line, "  ");
        diag_print(&shown, &line);
        put(to, &line);
    }
}

static void print_heading(const struct report *r, FILE *to)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    buf_text(&line, r->id->model->product);
    buf_byte(&line, ' ');
    mac_print_colons(r->id->mac, &line);
    buf_str(&line, " firmware ");
    firmware_print(r->id->firmware, &line);
    buf_str(&line, " at ");
    url_print_public(r->server, &line);
    put(to, &line);
}

bool report_print_text(const struct report *r, const struct report_style *style, FILE *to)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    print_heading(r, to);
    fprintf(to, "\nfiles, in the order of asking\n");
    for (const struct report_file *f = r->files; f; f = f->next) {
        line = BUF_ON(bytes);
        buf_str(&line, "  ");
        report_print_file(f, style, &line);
        put(to, &line);
    }
    if (r->resources)
        fprintf(to, "\nresources\n");
    for (const struct report_resource *s = r->resources; s; s = s->next) {
        line = BUF_ON(bytes);
        buf_str(&line, "  ");
        report_print_resource(s, style, &line);
        put(to, &line);
    }
    bool done = print_settings(r, style, to);
    print_findings(r, style, to);
    line = BUF_ON(bytes);
    report_print_verdict(r, &line);
    fputc('\n', to);
    put(to, &line);
    return done && fflush(to) == 0;
}
