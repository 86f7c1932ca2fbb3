/* dialtone phone: one virtual phone. Here its first run alone (--once); its life is in phone_live.c. */
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/phone_live.h"
#include "cli/timeline.h"
#include "phone/fetch.h"

#include <signal.h>

struct desk {
    const struct phone_arguments *arguments;
    struct loop loop;
    struct transport *transport;
    struct trust *trust;
    struct flash flash;
    struct secret_keys keys;
    struct phone *phone;
    struct timeline timeline;
    struct interrupt interrupt;
    int status;
};

static void on_done(void *context, const struct report *r)
{
    struct timeline *t = context;
    struct desk *d = container_of(t, struct desk, timeline);
    struct report_style style = { { NAMING_URLS, SLICE_NONE }, d->arguments->show_secrets };
    d->status = r->outcome == RUN_FAILED ? EXIT_FAILED : EXIT_DONE;
    if (d->arguments->json && !report_print_json(r, &style, stdout))
        d->status = EXIT_FAILED;
    if (!d->arguments->json)
        timeline_done(t, r);
    loop_stop(&d->loop);
}

static int power_on(struct desk *d)
{
    const struct phone_arguments *a = d->arguments;
    struct phone_options options = {
        .id = a->id,
        .server = slice_str(a->server),
        .user = slice_str(a->user),
        .password = slice_str(a->password),
        .pin = slice_str(a->pin),
        .keys = secret_keys_lend(&d->keys),
        .time_scale = a->time_scale,
    };
    struct phone_watch watch = { .context = &d->timeline };
    timeline_init(&d->timeline, d->loop.clock, "", stdout);
    if (!a->json)
        watch = timeline_watch(&d->timeline);
    watch.done = on_done;
    d->phone = phone_new(&d->loop, d->transport, &d->flash, &options, &watch);
    const char *why = d->phone ? phone_power_on(d->phone) : "out of memory";
    if (why) {
        fprintf(stderr, "dialtone phone: %s\n", why);
        return EXIT_FAILED;
    }
    if (!a->json)
        timeline_power_on(&d->timeline, &a->id, a->server ? slice_str(a->server) : SLICE("server from flash"));
    loop_run(&d->loop);
    return d->status;
}

static int run(struct desk *d)
{
    int error = loop_open(&d->loop, &clock_system, NULL, d);
    if (error) {
        fprintf(stderr, "dialtone phone: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    interrupt_open(&d->interrupt, &d->loop);
    signal(SIGPIPE, SIG_IGN); /* phone/fetch.h */
    error = fetch_open(&d->loop, &d->transport);
    if (error)
        fprintf(stderr, "dialtone phone: no transport: %s\n", strerror(-error));
    int status = error ? EXIT_FAILED : phone_arguments_trust(d->arguments, &d->trust);
    if (!status) {
        fetch_trust(d->transport, d->trust);
        status = power_on(d);
    }
    phone_free(d->phone);
    if (d->transport)
        d->transport->close(d->transport);
    trust_close(d->trust);
    interrupt_close(&d->interrupt);
    loop_close(&d->loop);
    return status;
}

int verb_phone(const struct verb *verb, int argc, char **argv)
{
    struct phone_arguments a;
    struct desk d = { .arguments = &a };
    secret_guard(); /* settings are full of passwords */
    int status = phone_arguments_parse(verb, argc, argv, PHONE_TAKER_PHONE, &a);
    if (!status && !a.server && !a.flash && !a.discover)
        status = verb_misused(verb, "--server URL says where the phone asks, or --discover searches for it");
    if (status)
        return status;
    bool chip = !a.flash && (!a.once || a.discover);
    int error = chip ? flash_open_chip(&d.flash, a.id.mac) : flash_open(&d.flash, a.flash, true, a.id.mac);
    if (error) {
        fprintf(stderr, "dialtone phone: the flash in %s: %s\n", a.flash ? a.flash : "memory", strerror(-error));
        return EXIT_FAILED;
    }
    status = secret_keys_read(verb, &a.key_files, true, &d.keys);
    struct seal_keys keys = secret_keys_lend(&d.keys);
    if (!status)
        status = a.once && !a.discover ? run(&d) : phone_live(verb, &a, &keys, &d.flash);
    secret_keys_wipe(&d.keys);
    explicit_bzero(a.password, sizeof a.password);
    flash_close(&d.flash);
    return status;
}
