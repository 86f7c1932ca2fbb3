/* Plays server, user and flash for guide/procedure: a run from a script, and what it did as one text.
 *
 * The wishes, one a line (`http://h/` is left out of URLs):
 *
 *     call? no
 *     <url> got | absent | failed | refused | outside      a boot or CFG file
 *     <key> <url> got | ...                      a resource
 *     wait <ms> | pin? <pin> | apply | reboot
 *
 * then the report: mechanism, modes, outcome; `- <file outcome> <url> <settings>: <why>`; `* ` for resources;
 * `= <id> = <value>` for what holds; `~ <key>` for what changed; `! ` for findings. */
#ifndef DIALTONE_TESTS_GUIDE_SCRIPT_H
#define DIALTONE_TESTS_GUIDE_SCRIPT_H

#include "guide/procedure.h"

enum { SCRIPT_FILES_MAX = 64, SCRIPT_PINS_MAX = 4, SCRIPT_FLASH_BYTES = 256 << 10 };

struct script_file {
    struct slice name; /* a URL, or the end of one after a slash */
    enum fetch_outcome outcome;
    struct slice content;
    unsigned fails; /* this many tries before are not answered */
};

struct script {
    struct identity id;
    struct slice server;
    struct slice flash; /* "": out of the box. Updated by an apply; then in `flash_bytes` */
    struct script_file files[SCRIPT_FILES_MAX];
    size_t file_count;
    struct slice pins[SCRIPT_PINS_MAX];
    size_t pin_count, pins_used;
    unsigned call_looks; /* this many looks find a call */
    const char *flash_error;
    struct seal_keys keys;
    size_t wish_limit, wishes; /* beyond the limit the run is given up */
    bool show_calls, show_credentials;
    char flash_bytes[SCRIPT_FLASH_BYTES];
};

#define SCRIPT_HOST SLICE("http://h/")

static inline void script_put_url(struct buf *out, struct slice url)
{
    buf_text(out, slice_starts(url, SCRIPT_HOST) ? slice_from(url, SCRIPT_HOST.len) : url);
}

static inline struct script_file *script_find(struct script *s, struct slice url)
{
    for (size_t i = 0; i < s->file_count; i++) {
        struct slice name = s->files[i].name;
        bool ends = slice_ends(url, name) && (url.len == name.len || url.ptr[url.len - name.len - 1] == '/');
        if (name.len && ends)
            return &s->files[i];
    }
    return NULL;
}

static inline void script_answer_fetch(struct script *s, struct procedure *p, const struct wish *w, struct buf *out)
{
    static const char *const words[] = { "got", "absent", "failed", "refused", "outside" };
    struct script_file *file = script_find(s, w->url);
    struct fetched fetched = { .outcome = file ? file->outcome : FETCH_ABSENT };
    if (file && file->fails) {
        file->fails--;
        fetched.outcome = FETCH_FAILED;
    }
    if (fetched.outcome == FETCH_GOT)
        fetched.bytes = file->content;
    if (fetched.outcome == FETCH_FAILED)
        fetched.why = SLICE("no answer");
    if (fetched.outcome == FETCH_REFUSED)
        fetched.why = SLICE("too large");
    if (w->kind == WISH_RESOURCE)
        buf_format(out, "%.*s ", SLICE_ARG(w->key));
    script_put_url(out, w->url);
    if (s->show_credentials)
        buf_format(out, " (%.*s/%.*s)", SLICE_ARG(w->user), SLICE_ARG(w->password));
    buf_format(out, " %s\n", words[fetched.outcome]);
    procedure_answer_fetch(p, &fetched);
}

static inline void script_answer_apply(struct script *s, struct procedure *p, const struct wish *w)
{
    struct buf out = buf_on(s->flash_bytes, sizeof s->flash_bytes);
    struct arena arena;
    bool printed;
    if (s->flash_error) {
        procedure_answer_applied(p, false, slice_str(s->flash_error));
        return;
    }
    arena_init(&arena, (size_t)64 << 20);
    printed = memory_print(w->memory, s->id.mac, &arena, &out);
    arena_free(&arena);
    if (printed)
        s->flash = buf_slice(&out);
    procedure_answer_applied(p, printed, SLICE("the flash is full"));
}

static inline void script_answer_pin(struct script *s, struct procedure *p, struct buf *out)
{
    struct slice pin = s->pins_used < s->pin_count ? s->pins[s->pins_used++] : SLICE_NONE;
    buf_format(out, "pin? %.*s\n", SLICE_ARG(pin));
    procedure_answer_pin(p, pin);
}

static inline void script_answer_call(struct script *s, struct procedure *p, struct buf *out)
{
    bool active = s->call_looks > 0;
    s->call_looks -= active;
    if (s->show_calls)
        buf_str(out, active ? "call? yes\n" : "call? no\n");
    procedure_answer_call(p, active);
}

/* False when the run wants nothing more, or too much. */
static inline bool script_step(struct script *s, struct procedure *p, struct buf *out)
{
    struct wish w = procedure_wish(p);
    if (s->wishes++ == s->wish_limit)
        return false;
    switch (w.kind) {
    case WISH_CALL:
        script_answer_call(s, p, out);
        return true;
    case WISH_WAIT:
        buf_format(out, "wait %u\n", w.wait_ms);
        procedure_answer_waited(p);
        return true;
    case WISH_PIN:
        script_answer_pin(s, p, out);
        return true;
    case WISH_FETCH:
    case WISH_RESOURCE:
        script_answer_fetch(s, p, &w, out);
        return true;
    case WISH_KEEP:
        buf_format(out, "keep %.*s %.*s\n", SLICE_ARG(w.key), SLICE_ARG(w.name));
        procedure_answer_kept(p, true, SLICE(""));
        return true;
    case WISH_DROP:
        buf_format(out, "drop %.*s %.*s\n", SLICE_ARG(w.key), SLICE_ARG(w.name));
        procedure_answer_kept(p, true, SLICE(""));
        return true;
    case WISH_APPLY:
        buf_str(out, "apply\n");
        script_answer_apply(s, p, &w);
        return true;
    case WISH_REBOOT:
        buf_str(out, "reboot\n");
        procedure_answer_rebooted(p);
        return true;
    case WISH_DONE:
        break;
    }
    return false;
}

static inline void script_put_why(struct buf *out, struct slice why)
{
    buf_str(out, why.len ? ": " : "");
    buf_text(out, why);
    buf_byte(out, '\n');
}

static inline void script_put_files(const struct report *r, struct buf *out)
{
    for (const struct report_file *f = r->files; f; f = f->next) {
        buf_format(out, "- %s ", file_outcome_name(f->outcome));
        script_put_url(out, f->url);
        if (f->settings)
            buf_format(out, " %zu", f->settings);
        script_put_why(out, f->why);
    }
    for (const struct report_resource *f = r->resources; f; f = f->next) {
        buf_format(out, "* %s ", file_outcome_name(f->outcome));
        script_put_url(out, f->url);
        script_put_why(out, f->why);
    }
}

static inline void script_put_settings(const struct report *r, struct arena *arena, struct buf *out)
{
    const struct setting *const *list;
    if (!settings_sorted(&r->effective, arena, &list))
        return;
    for (size_t i = 0; i < r->effective.count; i++)
        buf_format(out, "= %.*s = %.*s\n", SLICE_ARG(list[i]->id), SLICE_ARG(list[i]->value));
    for (size_t i = 0; i < r->change.count; i++)
        buf_format(out, "~ %.*s\n", SLICE_ARG(r->change.keys[i]));
}

static inline void script_put_report(const struct report *r, struct arena *arena, struct buf *out)
{
    const char *mechanism = mechanism_name(r->mechanism);
    buf_format(out, "%s%s%s %s", mechanism ? mechanism : "none", r->overwrite_mode ? " overwrite" : "",
               r->excluded_mode ? " exclude" : "", run_outcome_name(r->outcome));
    script_put_why(out, r->why);
    script_put_files(r, out);
    script_put_settings(r, arena, out);
    for (const struct finding *f = r->findings.first; f; f = f->next) {
        struct finding shown = *f;
        if (slice_starts(shown.file, SCRIPT_HOST))
            shown.file = slice_from(shown.file, SCRIPT_HOST.len);
        buf_str(out, "! ");
        diag_print(&shown, out);
        buf_byte(out, '\n');
    }
}

#endif
