/* Findings and items must point into the file that they are about. */
#ifndef DIALTONE_TESTS_PLACES_H
#define DIALTONE_TESTS_PLACES_H

#include "fuzz.h"

#include "base/diag.h"

enum { PLACES_LINES_MAX = 70000 };

/* The length of each line, without its end; lines count from 1. */
struct places {
    size_t lines;
    size_t length[PLACES_LINES_MAX];
};

static inline void places_init(struct places *p, struct slice bytes)
{
    struct slice text;
    p->lines = 0;
    while (p->lines + 1 < PLACES_LINES_MAX && slice_cut(&bytes, '\n', &text))
        p->length[++p->lines] = text.len;
}

/* A column may stand just behind the line: there something is missing. */
static inline bool places_fit(const struct places *p, uint32_t line, uint32_t column)
{
    return line <= p->lines + 1 && (line == 0 || column <= (line <= p->lines ? p->length[line] : 0) + 1);
}

static inline void places_check_findings(const struct places *p, const struct diag *d)
{
    for (const struct finding *f = d->first; f; f = f->next)
        MUST(places_fit(p, f->line, f->column) && f->text.len);
}

static inline bool places_within(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

#endif
