/* One phone on a loop that never runs: a manual clock turns its wheel, a script is its server, what it tells is
 * written down. Nothing waits for real. */
#ifndef DIALTONE_TESTS_LIFE_DESK_H
#define DIALTONE_TESTS_LIFE_DESK_H

#include "tests/unit/test.h"

#include "phone/life.h"

#include <errno.h>
#include <stdio.h>

/* 2026-11-22 07:00 UTC, a Sunday. */
#define LIFE_DESK_WALL_S INT64_C(1795330800)
#define LIFE_DESK_FILES_MAX 16

struct served {
    const char *path;            /* "/a.cfg" */
    const char *text;            /* NULL: taken away */
    const char *user, *password; /* wants these; NULL: open */
};

struct life_desk {
    struct manual_clock clock;
    struct loop loop;
    struct screen screen;
    struct flash flash;
    struct life *life;
    struct life_options options;
    /* The server. */
    struct transport transport;
    struct served files[LIFE_DESK_FILES_MAX];
    size_t file_count;
    bool silent; /* answers to nothing */
    uint64_t delay_ms;
    struct timer answer;
    transport_done *done;
    void *context;
    char url[512], user[128], password[128], agent[128], body[4096], path[256];
    size_t body_len;
    enum transport_verb verb;
    unsigned asked, uploads;
    /* What it told. */
    char told[65536];
    size_t told_len;
    bool reboot_when_done; /* the user presses it in the last answer of a run, once */
    unsigned circles; /* resources refused because of a firmware circle */
    unsigned runs, outcomes[RUN_UPGRADED + 1], starts[TRIGGERS];
    struct screen_view view;
    char line[4096];
};

static struct life_desk *life_desk_of(struct transport *t)
{
    return container_of(t, struct life_desk, transport);
}

static inline struct served *life_desk_find(struct life_desk *d, const char *path)
{
    for (size_t i = 0; i < d->file_count; i++)
        if (strcmp(d->files[i].path, path) == 0)
            return &d->files[i];
    return NULL;
}

static inline struct served *serve_text(struct life_desk *d, const char *path, const char *text)
{
    struct served *f = life_desk_find(d, path);
    if (!f) {
        assert_true(d->file_count < LIFE_DESK_FILES_MAX);
        f = &d->files[d->file_count++];
    }
    *f = (struct served){ .path = path, .text = text };
    return f;
}

static inline void life_desk_answer(struct timer *timer)
{
    struct life_desk *d = container_of(timer, struct life_desk, answer);
    struct fetched fetched = { .outcome = FETCH_ABSENT, .why = SLICE("HTTP 404") };
    const struct served *f = life_desk_find(d, d->path);
    transport_done *done = d->done;
    d->done = NULL;
    if (d->silent)
        fetched = (struct fetched){ .outcome = FETCH_FAILED, .why = SLICE("no answer within 5 s") };
    else if (f && f->user && (strcmp(f->user, d->user) != 0 || strcmp(f->password, d->password) != 0))
        fetched = (struct fetched){ .outcome = FETCH_FAILED, .why = SLICE("HTTP 401"), .denied = true };
    else if (d->verb != TRANSPORT_GET)
        fetched = (struct fetched){ .outcome = FETCH_GOT };
    else if (f && f->text)
        fetched = (struct fetched){ .outcome = FETCH_GOT, .bytes = slice_str(f->text) };
    if (d->reboot_when_done && slice_ends(slice_str(d->path), SLICE("/all.cfg"))) {
        d->reboot_when_done = false;
        life_reboot(d->life);
    }
    d->uploads += d->verb != TRANSPORT_GET && fetched.outcome == FETCH_GOT;
    done(d->context, &fetched);
}

static inline void life_desk_copy(char *into, size_t cap, struct slice text)
{
    struct buf out = buf_on(into, cap);
    buf_text(&out, text);
    assert_true(buf_terminate(&out));
}

static inline bool life_desk_start(struct transport *t, const struct transport_request *r, transport_done *done,
                                   void *context)
{
    struct life_desk *d = life_desk_of(t);
    assert_null(d->done);
    d->asked++;
    d->done = done;
    d->context = context;
    d->verb = r->verb;
    life_desk_copy(d->url, sizeof d->url, r->url);
    life_desk_copy(d->user, sizeof d->user, r->user);
    life_desk_copy(d->password, sizeof d->password, r->password);
    life_desk_copy(d->agent, sizeof d->agent, r->user_agent);
    size_t host = slice_find_text(r->url, SLICE("://")) + 3;
    life_desk_copy(d->path, sizeof d->path,
                   slice_from(r->url, host + slice_find(slice_from(r->url, host), '/')));
    if (r->verb != TRANSPORT_GET) {
        life_desk_copy(d->body, sizeof d->body, r->body);
        d->body_len = r->body.len;
    }
    loop_timer(&d->loop, &d->answer, d->delay_ms, life_desk_answer);
    return true;
}

static inline void life_desk_cancel(struct transport *t)
{
    struct life_desk *d = life_desk_of(t);
    timer_stop(&d->loop.wheel, &d->answer);
    d->done = NULL;
}

static inline void life_desk_event(void *context, struct slice text)
{
    struct life_desk *d = context;
    int len = snprintf(d->told + d->told_len, sizeof d->told - d->told_len, "%.*s\n", SLICE_ARG(text));
    d->told_len += (size_t)len;
    assert_true(d->told_len < sizeof d->told);
}

static inline void life_desk_starts(void *context, enum trigger trigger, const struct identity *id,
                                    struct slice server)
{
    (void)id;
    (void)server;
    ((struct life_desk *)context)->starts[trigger]++;
}

static inline void life_desk_done(void *context, const struct report *r)
{
    struct life_desk *d = context;
    d->runs++;
    d->outcomes[r->outcome]++;
    for (const struct report_resource *s = r->resources; s; s = s->next)
        d->circles += slice_starts(s->why, SLICE("a circle"));
}

static inline int life_desk_setup(void **state)
{
    struct life_desk *d = calloc(1, sizeof *d);
    *state = d;
    assert_non_null(d);
    manual_clock_init(&d->clock, LIFE_DESK_WALL_S * 1000);
    assert_int_equal(loop_open(&d->loop, &d->clock.clock, NULL, d), 0);
    screen_init(&d->screen, &d->loop, 1);
    assert_true(mac_parse(SLICE("001565112233"), &d->options.id.mac));
    assert_true(firmware_parse(SLICE("66.81.0.15"), &d->options.id.firmware));
    d->options.id.model = model_find(SLICE("T46S"));
    d->options.server = SLICE("http://server/");
    d->options.time_scale = 1;
    d->options.has_person = true;
    d->transport = (struct transport){ life_desk_start, life_desk_cancel, NULL };
    assert_int_equal(flash_open_chip(&d->flash, d->options.id.mac), 0);
    return 0;
}

static inline int life_desk_teardown(void **state)
{
    struct life_desk *d = *state;
    life_free(d->life);
    screen_clear(&d->screen);
    flash_close(&d->flash);
    loop_close(&d->loop);
    free(d);
    return 0;
}
#define test_with_life(f) cmocka_unit_test_setup_teardown(f, life_desk_setup, life_desk_teardown)

/* Time goes by, from timer to timer. */
static inline void pass(struct life_desk *d, uint64_t ms)
{
    uint64_t end = d->clock.now_ms + ms, next;
    for (;;) {
        if (!wheel_next(&d->loop.wheel, &next) || next > end)
            next = end;
        if (next <= d->clock.now_ms)
            next = d->clock.now_ms + 1 > end ? end : d->clock.now_ms + 1;
        manual_clock_advance(&d->clock, next - d->clock.now_ms);
        d->loop.now_ms = d->clock.now_ms;
        d->loop.wall_ms = d->clock.wall_now_ms;
        wheel_advance(&d->loop.wheel, d->loop.now_ms);
        if (d->clock.now_ms >= end)
            return;
    }
}

/* Power on, and what follows within a second. */
static inline void begin(struct life_desk *d)
{
    struct life_watch watch = { .run = { .done = life_desk_done, .done_context = d },
                                .starts = life_desk_starts,
                                .event = life_desk_event,
                                .context = d };
    d->life = life_new(&d->loop, &d->transport, &d->flash, &d->screen, &d->options, &watch);
    assert_non_null(d->life);
    assert_null(life_power_on(d->life));
    pass(d, 1000);
}

/* The plug is pulled: only flash is left. */
static inline void pull_the_plug(struct life_desk *d)
{
    life_free(d->life);
    d->life = NULL;
}

static inline const char *shown(struct life_desk *d)
{
    struct buf out = BUF_ON(d->line);
    screen_view(&d->screen, &d->view);
    screen_print_line(&d->view, &out);
    assert_true(buf_terminate(&out));
    return d->view.name;
}

static inline bool was_told(const struct life_desk *d, const char *text)
{
    return strstr(d->told, text) != NULL;
}

static inline struct slice holds(const struct life_desk *d, const char *key)
{
    return settings_value(life_facts(d->life).effective, slice_str(key));
}

#define CFG_HEAD "#!version:1.0.0.1\n"

#endif
