/* What the guard knows of phones when a server starts. */
#include "server/serve_internal.h"

#include "server/upload_files.h"
#include "store/journal_store.h"

/* Of the journal: a third of a second's work, and what ten thousand phones ask for in more than a day. */
#define ROWS_MAX 200000

struct memory {
    struct guard *guard;
    uint64_t order;
};

/* As the journal prints them: `10.2.20.73:4711`, `[::1]:69`. */
static bool parse_peer(struct slice text, union address *ret_peer)
{
    return address_parse(slice_first(text, slice_find_last(text, ':')), 0, ret_peer);
}

/* By its name alone: a User-Agent says what it likes. */
static bool on_row(void *context, const struct journal_row *row)
{
    struct memory *m = context;
    union address peer;
    bool absent = slice_eq(row->outcome, slice_str(outcome_name(OUTCOME_ABSENT)));
    bool good = slice_eq(row->outcome, slice_str(outcome_name(OUTCOME_SENT))) ||
                slice_eq(row->outcome, slice_str(outcome_name(OUTCOME_UNCHANGED)));
    if ((good || absent) && parse_peer(row->peer, &peer))
        guard_remember(m->guard, row->name, &peer, good, m->order++);
    return true;
}

static void on_upload(void *context, struct slice name)
{
    struct memory *m = context;
    guard_remember(m->guard, name, NULL, true, m->order++);
}

int serve_guard_open(struct serve *s)
{
    int error = guard_open(&s->guard);
    if (error)
        return error;
    struct memory m = { s->guard, 0 };
    /* What cannot be read is not remembered; that it cannot is said elsewhere. */
    if (uploads_root(s->uploads))
        upload_files_names(uploads_root(s->uploads), on_upload, &m);
    journal_requests(s->journal, ROWS_MAX, on_row, &m);
    return 0;
}
