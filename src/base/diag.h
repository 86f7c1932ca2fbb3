/* Findings: what is to be said about a place in a file, for a person.
 *
 * A list lives in an arena. When memory runs out a finding is counted as lost, never the run stopped. */
#ifndef DIALTONE_BASE_DIAG_H
#define DIALTONE_BASE_DIAG_H

#include "base/arena.h"
#include "base/buf.h"

enum severity {
    SEVERITY_NOTE,    /* tolerated as phones tolerate it, worth knowing */
    SEVERITY_WARNING, /* probably not what was meant */
    SEVERITY_ERROR    /* a phone will not do what was meant */
};

struct finding {
    struct finding *next;
    enum severity severity;
    struct slice file;
    uint32_t line;   /* from 1; 0: the file as a whole */
    uint32_t column; /* from 1, in bytes; 0: the line as a whole */
    struct slice text;
};

struct diag {
    struct arena *arena;
    struct finding *first, *last; /* in the order of adding */
    size_t count[SEVERITY_ERROR + 1];
    size_t lost; /* findings that found no memory */
};

struct place {
    struct slice file;
    uint32_t line, column;
};

void diag_init(struct diag *d, struct arena *arena);
/* `d` may be NULL: nobody wants to know. The file's name is borrowed. */
void diag_add(struct diag *d, enum severity severity, struct place at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "note", "warning", "error". */
const char *severity_name(enum severity severity);
/* `file:line:col: severity: text`, escaped, without a line end; zero positions are left out. */
void diag_print(const struct finding *f, struct buf *out);

#endif
