#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

/* A finding is one line for a person; what quotes a longer value is cut. */
#define TEXT_BYTES 512

void diag_init(struct diag *d, struct arena *arena)
{
    *d = (struct diag){ .arena = arena };
}

void diag_add(struct diag *d, enum severity severity, struct place at, const char *format, ...)
{
    if (!d)
        return;
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    struct finding *f = ARENA_NEW(d->arena, struct finding);
    struct slice copy;
    if (!f || !arena_copy(d->arena, slice_str(text), &copy)) {
        d->lost++;
        return;
    }
    *f = (struct finding){ NULL, severity, at.file, at.line, at.column, copy };
    if (d->last)
        d->last->next = f;
    else
        d->first = f;
    d->last = f;
    d->count[severity]++;
}

const char *severity_name(enum severity severity)
{
    switch (severity) {
    case SEVERITY_NOTE:
        return "note";
    case SEVERITY_WARNING:
        return "warning";
    case SEVERITY_ERROR:
        return "error";
    }
    return "?";
}

void diag_print(const struct finding *f, struct buf *out)
{
    buf_escaped(out, f->file);
    if (f->line)
        buf_format(out, ":%u", f->line);
    if (f->line && f->column)
        buf_format(out, ":%u", f->column);
    buf_format(out, ": %s: ", severity_name(f->severity));
    buf_escaped(out, f->text);
}
