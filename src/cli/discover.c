/* dialtone discover: each source of the server's address on this network, what it answered, which one wins and why. */
#include "cli/dhcp_report.h"
#include "cli/interrupt.h"
#include "cli/phone_options.h"
#include "cli/search.h"
#include "phone/flash.h"
#include "phone/source_dhcp.h"

#include "base/url.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>

struct discovering {
    const struct phone_arguments *arguments;
    struct loop loop;
    struct flash flash;
    struct arena arena;
    struct memory memory;
    struct screen screen;
    struct discover *discover;
    struct address_finder *finder;
    json_t *sources; /* with --json */
    struct interrupt interrupt;
    bool found;
};

static void put_public(struct slice url, struct buf *out)
{
    url_print_public(url, out);
}

static json_t *json_of(struct slice text)
{
    json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len);
    return value ? value : json_string("not UTF-8");
}

static void told_json(struct discovering *d, const struct discovery *what, struct slice url)
{
    json_t *source = json_object();
    json_object_set_new(source, "source", json_string(address_source_name(what->source)));
    json_object_set_new(source, "asked", json_boolean(what->asked));
    json_object_set_new(source, "url", url.len ? json_of(url) : json_null());
    json_object_set_new(source, "why", json_of(what->why));
    json_object_set_new(source, "refused", json_boolean(what->refused));
    json_object_set_new(source, "wins", json_boolean(what->wins));
    json_array_append_new(d->sources, source);
}

static void on_told(void *context, const struct discovery *what)
{
    struct discovering *d = context;
    char bytes[URL_BYTES_MAX], shown[2 * URL_BYTES_MAX];
    struct buf url = BUF_ON(bytes), line = BUF_ON(shown);
    put_public(what->url, &url);
    d->found |= what->wins;
    if (d->sources) {
        told_json(d, what, buf_slice(&url));
        return;
    }
    buf_format(&line, "%c %-10s ", what->wins ? '*' : ' ', address_source_name(what->source));
    buf_escaped(&line, buf_slice(&url));
    buf_str(&line, url.len ? "  (" : what->asked ? "none (" : "not asked (");
    buf_escaped(&line, what->why);
    buf_str(&line, ")\n");
    fwrite(line.ptr, 1, line.len, stdout);
    fflush(stdout);
}

/* Everything that servers said, beneath the line of its source. */
static void on_heard(void *context, const struct dhcp_result *result)
{
    struct discovering *d = context;
    struct dhcp_options o;
    source_dhcp_read(&d->memory.central, &o);
    if (!d->sources && result->count)
        dhcp_report_text(&o, result, stdout);
}

static void on_found(void *context, const struct found_address *found)
{
    struct discovering *d = context;
    (void)found;
    loop_stop(&d->loop);
}

static int search(struct discovering *d, const struct verb *verb)
{
    struct search_options options = {
        .loop = &d->loop,
        .id = d->arguments->id,
        .interface = d->arguments->interface,
        .all = true,
        .told = on_told,
        .heard = on_heard,
        .context = d,
    };
    int status = search_open(verb, &options, &d->discover);
    if (status)
        return status;
    d->finder = discover_finder(d->discover);
    if (!d->finder->start(d->finder, &d->memory, NULL, on_found, d)) {
        fprintf(stderr, "dialtone discover: out of memory\n");
        return EXIT_FAILED;
    }
    loop_run(&d->loop);
    if (d->sources)
        json_dumpf(d->sources, stdout, JSON_INDENT(2));
    if (d->sources)
        printf("\n");
    return d->found ? EXIT_DONE : EXIT_FAILED;
}

static int run(struct discovering *d, const struct verb *verb)
{
    int error = loop_open(&d->loop, &clock_system, NULL, d);
    if (error) {
        fprintf(stderr, "dialtone discover: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    interrupt_open(&d->interrupt, &d->loop);
    d->sources = d->arguments->json ? json_array() : NULL;
    int status = search(d, verb);
    discover_free(d->discover);
    json_decref(d->sources);
    interrupt_close(&d->interrupt);
    loop_close(&d->loop);
    return status;
}

int verb_discover(const struct verb *verb, int argc, char **argv)
{
    struct phone_arguments a;
    struct discovering d = { .arguments = &a };
    int status = phone_arguments_parse(verb, argc, argv, PHONE_TAKER_DISCOVER, &a);
    if (status)
        return status;
    int error = flash_open(&d.flash, a.flash, false, a.id.mac);
    arena_init(&d.arena, (size_t)64 << 20);
    memory_init(&d.memory, &d.arena);
    const char *why = error ? strerror(-error) : flash_read(&d.flash, &d.memory, &d.arena);
    if (why)
        fprintf(stderr, "dialtone discover: the flash: %s\n", why);
    status = why ? EXIT_FAILED : run(&d, verb);
    memory_free(&d.memory);
    arena_free(&d.arena);
    flash_close(&d.flash);
    return status;
}
