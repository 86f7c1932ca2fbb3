/* A phone's timeline on the terminal, as it happens: what it asked, what it got, why. */
#ifndef DIALTONE_CLI_TIMELINE_H
#define DIALTONE_CLI_TIMELINE_H

#include "cli/report_text.h"
#include "phone/phone.h"

struct timeline {
    const struct clock *clock;
    uint64_t start_ms;
    const char *label; /* before every line, "" for one phone alone */
    struct report_style style;
    FILE *to;
    bool colour;
    void (*before)(void *context); /* a line is about to be written; NULL */
    void *context;
};

/* Its clock starts here and goes on over searches and reboots. Colour only on a terminal that wants it
 * (NO_COLOR unset). */
void timeline_init(struct timeline *t, const struct clock *clock, const char *label, FILE *to);
/* The part of a phone's watch that prints; `done` stays the caller's, and may call timeline_done(). */
struct phone_watch timeline_watch(struct timeline *t);
/* The server's URL is borrowed until the phone is powered on again. */
void timeline_power_on(struct timeline *t, const struct identity *id, struct slice server);
/* A run that something else than power on started. */
void timeline_trigger(struct timeline *t, enum trigger trigger, struct slice server);
/* One line about what happens between runs, escaped already. */
void timeline_event(struct timeline *t, struct slice text);
void timeline_done(struct timeline *t, const struct report *r);

#endif
