#include "cli/timeline.h"

#include <stdlib.h>
#include <unistd.h>

#define LINE_BYTES ((size_t)8 * 1024)
/* "absent", "applies" ... and the blanks behind: report_print_file() starts with as many. */
#define WORD_BYTES 9

void timeline_init(struct timeline *t, const struct clock *clock, const char *label, FILE *to)
{
    bool colour = isatty(fileno(to)) && !getenv("NO_COLOR");
    *t = (struct timeline){ .clock = clock,
                            .start_ms = clock_now_ms(clock),
                            .label = label,
                            .style = { { NAMING_ORIGIN, SLICE_NONE }, false },
                            .to = to,
                            .colour = colour };
}

static const char *colour_of(enum file_outcome outcome)
{
    switch (outcome) {
    case FILE_USED:
        return "32";
    case FILE_ABSENT:
    case FILE_SKIPPED:
        return "33";
    case FILE_FAILED:
    case FILE_REFUSED:
        return "31";
    case FILE_ASKED:
        break;
    }
    return "0";
}

/* Colours the first `len` bytes: the outcome's word, or a line that sums up. */
static void put(const struct timeline *t, const char *colour, size_t len, struct slice text)
{
    uint64_t ms = clock_now_ms(t->clock) - t->start_ms;
    struct slice head = slice_first(text, len), rest = slice_from(text, len);
    if (t->before)
        t->before(t->context);
    fprintf(t->to, "%4llu.%03llu  %s%s", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000), t->label,
            t->label[0] ? "  " : "");
    if (t->colour)
        fprintf(t->to, "\033[%sm%.*s\033[0m%.*s\n", colour, SLICE_ARG(head), SLICE_ARG(rest));
    else
        fprintf(t->to, "%.*s\n", SLICE_ARG(text));
    fflush(t->to);
}

static void on_file(void *context, const struct report_file *f)
{
    struct timeline *t = context;
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    report_print_file(f, &t->style, &line);
    put(t, colour_of(f->outcome), WORD_BYTES, buf_slice(&line));
}

static void on_resource(void *context, const struct report_resource *r)
{
    struct timeline *t = context;
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    report_print_resource(r, &t->style, &line);
    put(t, colour_of(r->outcome), WORD_BYTES, buf_slice(&line));
}

static void on_waits(void *context, uint32_t wait_ms, struct slice why)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    buf_format(&line, "waits    %u s: ", wait_ms / 1000);
    buf_escaped(&line, why);
    put(context, "33", WORD_BYTES, buf_slice(&line));
}

static void on_applies(void *context, const struct report *r)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    if (r->upgrade_only)
        buf_format(&line, "applies  firmware %.*s", SLICE_ARG(r->upgrade));
    else
        buf_format(&line, "applies  %zu settings, %zu changed", r->applied, r->change.count);
    put(context, "0", 0, buf_slice(&line));
}

static void on_reboots(void *context, struct slice why)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    buf_format(&line, "reboots  for %.*s", SLICE_ARG(why));
    put(context, "33", WORD_BYTES, buf_slice(&line));
}

struct phone_watch timeline_watch(struct timeline *t)
{
    return (struct phone_watch){ on_file, on_resource, on_waits, on_applies, on_reboots, NULL, t, NULL };
}

void timeline_power_on(struct timeline *t, const struct identity *id, struct slice server)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    t->style.naming.server = server;
    buf_format(&line, "power on %.*s ", SLICE_ARG(id->model->product));
    mac_print_colons(id->mac, &line);
    buf_str(&line, " firmware ");
    firmware_print(id->firmware, &line);
    buf_str(&line, ", ");
    url_print_public(server, &line);
    put(t, "1", line.len, buf_slice(&line));
}

void timeline_trigger(struct timeline *t, enum trigger trigger, struct slice server)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    t->style.naming.server = server;
    buf_format(&line, "%s, ", trigger_name(trigger));
    url_print_public(server, &line);
    put(t, "1", line.len, buf_slice(&line));
}

void timeline_event(struct timeline *t, struct slice text)
{
    put(t, "0", 0, text);
}

/* Notes are for `check` and `explain`; what will make somebody wonder about the phone is told here. */
static void put_findings(const struct timeline *t, const struct report *r)
{
    char bytes[LINE_BYTES], name_bytes[LINE_BYTES / 2];
    for (const struct finding *f = r->findings.first; f; f = f->next) {
        struct buf line = BUF_ON(bytes), name = BUF_ON(name_bytes);
        struct finding shown = *f;
        if (f->severity == SEVERITY_NOTE)
            continue;
        naming_print(&t->style.naming, f->file, &name);
        shown.file = buf_slice(&name);
        buf_str(&line, "finding  ");
        diag_print(&shown, &line);
        put(t, f->severity == SEVERITY_ERROR ? "31" : "33", WORD_BYTES, buf_slice(&line));
    }
}

void timeline_done(struct timeline *t, const struct report *r)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF_ON(bytes);
    put_findings(t, r);
    report_print_verdict(r, &line);
    put(t, r->outcome == RUN_FAILED ? "1;31" : "1;32", line.len, buf_slice(&line));
}
