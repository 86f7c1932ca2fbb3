/* dialtone demo: the whole of it in one terminal: a tree is served on loopback and three phones with empty flash
 * provision themselves from it. What `make run` shows. */
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/timeline.h"
#include "cli/verb.h"
#include "phone/fetch.h"
#include "server/serve.h"

#include <signal.h>

/* Unprivileged and fixed, for the example's boot file names the server with its port, as the guide's does. */
#define TFTP_PORT "16969"
#define HTTP_PORT "18080"

static const struct demo_phone {
    const char *label, *model, *firmware, *mac, *server;
} demo_phones[] = {
    { "T46S", "SIP-T46S", "66.84.0.15", "00:15:65:74:b1:50", "tftp://127.0.0.1:" TFTP_PORT "/desk/" },
    { "T54W", "SIP-T54W", "96.85.0.5", "80:5e:c0:11:22:33", "http://127.0.0.1:" HTTP_PORT "/desk/" },
    { "T23G", "SIP-T23G", "44.84.0.15", "00:15:65:74:b1:6e", "tftp://127.0.0.1:" TFTP_PORT "/old/" },
};
#define PHONES (sizeof demo_phones / sizeof *demo_phones)

/* What the table at the end says of one phone. */
struct result {
    enum mechanism mechanism;
    enum run_outcome outcome;
    size_t used, asked, applied;
    bool reboot;
    uint64_t took_ms;
};

struct demo {
    struct loop loop;
    struct transport *transport;
    struct flash flash;
    struct phone *phone;
    struct timeline timeline;
    struct timer next;
    size_t at; /* the phone that runs now */
    struct result results[PHONES];
    struct interrupt interrupt;
    bool once;
    const char *problem;
};

static void put_table(const struct demo *d)
{
    printf("\n%-22s %-12s %-13s %6s %9s  %-7s %8s\n", "phone", "mechanism", "outcome", "files", "settings", "reboot",
           "time");
    for (size_t i = 0; i < PHONES; i++) {
        const struct result *r = &d->results[i];
        const char *mechanism = mechanism_name(r->mechanism);
        printf("%-4s %-17s %-12s %-13s %2zu/%-3zu %9zu  %-7s %5llu ms\n", demo_phones[i].label, demo_phones[i].mac,
               mechanism ? mechanism : "-", run_outcome_name(r->outcome), r->used, r->asked, r->applied,
               r->reboot ? "yes" : "no", (unsigned long long)r->took_ms);
    }
    fflush(stdout);
}

static void power_on_next(struct timer *timer);

static void all_done(struct demo *d)
{
    put_table(d);
    if (d->once)
        loop_stop(&d->loop);
    else
        printf("\nserving tftp://127.0.0.1:%s/ and http://127.0.0.1:%s/ until Ctrl-C\n", TFTP_PORT, HTTP_PORT);
    fflush(stdout);
}

static void on_done(void *context, const struct report *r)
{
    struct timeline *t = context;
    struct demo *d = container_of(t, struct demo, timeline);
    struct result *result = &d->results[d->at];
    timeline_done(t, r);
    *result = (struct result){
        .mechanism = r->mechanism, .outcome = r->outcome, .applied = r->applied, .reboot = r->reboot
    };
    result->took_ms = clock_now_ms(d->loop.clock) - t->start_ms;
    for (const struct report_file *f = r->files; f; f = f->next) {
        result->used += f->outcome == FILE_USED;
        result->asked += f->outcome != FILE_SKIPPED;
    }
    d->at++;
    loop_timer(&d->loop, &d->next, 0, power_on_next);
}

static bool start_phone(struct demo *d, const struct demo_phone *p)
{
    struct phone_options options = { .server = slice_str(p->server), .time_scale = 1 };
    options.id.model = model_find(slice_str(p->model));
    if (!options.id.model || !mac_parse(slice_str(p->mac), &options.id.mac) ||
        !firmware_parse(slice_str(p->firmware), &options.id.firmware))
        return false;
    timeline_init(&d->timeline, d->loop.clock, p->label, stdout);
    struct phone_watch watch = timeline_watch(&d->timeline);
    watch.done = on_done;
    if (d->at)
        putchar('\n');
    timeline_power_on(&d->timeline, &options.id, options.server);
    d->phone = phone_new(&d->loop, d->transport, &d->flash, &options, &watch);
    return d->phone && !phone_power_on(d->phone);
}

static void power_on_next(struct timer *timer)
{
    struct demo *d = container_of(timer, struct demo, next);
    phone_free(d->phone);
    d->phone = NULL;
    if (d->at == PHONES) {
        all_done(d);
    } else if (!start_phone(d, &demo_phones[d->at])) {
        d->problem = "a phone could not be powered on";
        loop_stop(&d->loop);
    }
}

static bool all_provisioned(const struct demo *d)
{
    for (size_t i = 0; i < PHONES; i++)
        if (d->results[i].outcome != RUN_PROVISIONED)
            return false;
    return true;
}

static int run_phones(struct demo *d)
{
    int error = loop_open(&d->loop, &clock_system, NULL, d);
    if (error) {
        fprintf(stderr, "dialtone demo: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    interrupt_open(&d->interrupt, &d->loop);
    if (fetch_open(&d->loop, &d->transport) == 0) {
        loop_timer(&d->loop, &d->next, 0, power_on_next);
        loop_run(&d->loop);
        phone_free(d->phone);
        d->transport->close(d->transport);
    }
    interrupt_close(&d->interrupt);
    loop_close(&d->loop);
    if (d->problem)
        fprintf(stderr, "dialtone demo: %s\n", d->problem);
    return all_provisioned(d) ? EXIT_DONE : EXIT_FAILED;
}

static bool configure(struct config *c, const char *root)
{
    const char *const settings[][2] = { { "root", root },           { "listen", "127.0.0.1" },
                                        { "tftp.port", TFTP_PORT }, { "http.port", HTTP_PORT },
                                        { "ftp.enable", "0" },      { "workers", "1" },
                                        { "journal", "off" },       { "upload.enable", "0" } };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (!config_set(c, slice_str(settings[i][0]), slice_str(settings[i][1]), (struct place){ SLICE("demo"), 0, 0 },
                        NULL))
            return false;
    return true;
}

static int run(struct demo *d, const char *root)
{
    struct arena arena;
    struct config config;
    struct serve *serve;
    arena_init(&arena, (size_t)1024 * 1024);
    config_init(&config, &arena);
    int status = EXIT_FAILED;
    if (configure(&config, root) && serve_start(&config, &serve) == 0) {
        printf("serving %s at tftp://127.0.0.1:%s/ and http://127.0.0.1:%s/\n\n", root, TFTP_PORT, HTTP_PORT);
        status = run_phones(d);
        serve_stop(serve);
    }
    arena_free(&arena);
    return status;
}

int verb_demo(const struct verb *verb, int argc, char **argv)
{
    struct demo d = { .flash = { .directory = { .fd = -1 } } };
    const char *root = NULL;
    for (int i = 1; i < argc; i++) {
        struct slice word = slice_str(argv[i]);
        if (slice_eq(word, SLICE("--once")))
            d.once = true;
        else if (slice_eq(word, SLICE("--root")) && i + 1 < argc)
            root = argv[++i];
        else
            return verb_misused(verb, "'%s' is not understood", argv[i]);
    }
    if (!root)
        return verb_misused(verb, "--root says which tree to serve");
    signal(SIGPIPE, SIG_IGN);
    return run(&d, root);
}
