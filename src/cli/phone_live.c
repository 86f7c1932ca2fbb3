#include "cli/phone_live.h"

#include "base/url.h"
#include "cli/interrupt.h"
#include "cli/key_script.h"
#include "cli/rest.h"
#include "cli/search.h"
#include "cli/terminal.h"
#include "cli/timeline.h"
#include "phone/control.h"
#include "phone/fetch.h"
#include "phone/ring_port.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct live {
    const struct verb *verb;
    const struct phone_arguments *arguments;
    const struct seal_keys *keys;
    const struct flash *flash;
    struct loop loop;
    struct transport *transport;
    struct trust *trust;
    struct screen screen;
    struct life *life;
    struct discover *discover; /* NULL: nothing is searched for */
    bool found;                /* it has found a server */
    struct timeline timeline;
    struct terminal terminal;
    struct key_script *script;
    struct control *control;
    struct ring_port *sip;
    struct round_end look; /* the names in the settings, for the SIP side */
    bool drawn; /* on a terminal */
    struct interrupt interrupt;
    struct round_end tell; /* the screen, as a line, when another one is shown */
    char shown[32];
    int status;
};

/* --- what is printed --- */

static void look_up_names(struct round_end *work)
{
    struct live *v = container_of(work, struct live, look);
    if (v->sip)
        ring_port_look(v->sip);
}

static void on_done(void *context, const struct report *r)
{
    struct live *v = context;
    struct report_style style = { { NAMING_URLS, SLICE_NONE }, v->arguments->show_secrets };
    v->status = r->outcome == RUN_FAILED ? EXIT_FAILED : EXIT_DONE;
    if (!v->arguments->json)
        timeline_done(&v->timeline, r);
    else if (!report_print_json(r, &style, stdout))
        v->status = EXIT_FAILED;
    loop_at_round_end(&v->loop, &v->look, look_up_names);
    if (v->arguments->once)
        loop_stop(&v->loop);
}

static void on_starts(void *context, enum trigger trigger, const struct identity *id, struct slice server)
{
    struct live *v = context;
    if (trigger == TRIGGER_POWER_ON)
        timeline_power_on(&v->timeline, id,
                          v->arguments->server || v->arguments->discover ? server : SLICE("server from flash"));
    else
        timeline_trigger(&v->timeline, trigger, server);
}

static void on_rests(void *context)
{
    (void)context;
    rest();
}

static void on_event(void *context, struct slice text)
{
    timeline_event(&((struct live *)context)->timeline, text);
}

static void show_line(struct live *v)
{
    char bytes[4 * SCREEN_TEXT_BYTES], line_bytes[sizeof bytes + 64];
    struct buf text = BUF_ON(bytes), line = BUF_ON(line_bytes);
    struct screen_view view;
    screen_view(&v->screen, &view);
    screen_print_line(&view, &text);
    buf_format(&line, "screen   %s: ", view.name);
    buf_text(&line, buf_slice(&text));
    timeline_event(&v->timeline, buf_slice(&line));
}

static void tell_screen(struct round_end *work)
{
    struct live *v = container_of(work, struct live, tell);
    struct screen_view view;
    screen_view(&v->screen, &view);
    if (strcmp(view.name, v->shown) == 0)
        return;
    struct buf name = BUF_ON(v->shown);
    buf_str(&name, view.name);
    buf_terminate(&name);
    show_line(v);
}

static void on_changed(void *context)
{
    struct live *v = context;
    if (v->drawn)
        terminal_redraw(&v->terminal);
    else if (v->script && !v->arguments->json)
        loop_at_round_end(&v->loop, &v->tell, tell_screen);
    if (v->script)
        key_script_look(v->script);
}

static void on_line(void *context)
{
    struct live *v = context;
    if (v->drawn)
        terminal_make_room(&v->terminal);
}

/* --- key scripts --- */

static void script_shows(void *context)
{
    show_line(context);
}

static void script_is_wrong(void *context, unsigned line, struct slice text)
{
    char bytes[4 * KEY_SCRIPT_LINE_MAX];
    struct buf out = BUF_ON(bytes);
    (void)context;
    buf_escaped(&out, text);
    fprintf(stderr, "dialtone phone: keys, line %u: '%.*s' cannot be done\n", line, SLICE_ARG(buf_slice(&out)));
}

static void script_ends(void *context)
{
    loop_stop(&((struct live *)context)->loop);
}

static bool open_script(struct live *v)
{
    const char *path = v->arguments->keys;
    if (!path)
        return true;
    v->script = calloc(1, sizeof *v->script);
    if (!v->script)
        return false;
    v->script->loop = &v->loop;
    v->script->life = v->life;
    v->script->screen = &v->screen;
    v->script->time_scale = v->arguments->time_scale;
    v->script->show = script_shows;
    v->script->wrong = script_is_wrong;
    v->script->end = script_ends;
    v->script->context = v;
    int error = key_script_open(v->script, path);
    if (!error)
        return true;
    fprintf(stderr, "dialtone phone: keys from %s: %s\n", path, strerror(-error));
    free(v->script);
    v->script = NULL;
    return false;
}

/* `127.0.0.1:8080`, `[::1]:8080`, `8080`: this machine alone unless an address says otherwise. */
static bool parse_place(struct slice text, union address *ret_address)
{
    size_t end = slice_find_last(text, ':');
    struct slice host = end < text.len ? slice_first(text, end) : SLICE("127.0.0.1");
    uint64_t port;
    return slice_u64(end < text.len ? slice_from(text, end + 1) : text, 0, UINT16_MAX, &port) &&
           address_parse(host, (uint16_t)port, ret_address);
}

static bool open_control(struct live *v)
{
    char bytes[96];
    struct buf line = BUF_ON(bytes);
    union address at;
    const char *place = v->arguments->control;
    if (!place)
        return true;
    int error = parse_place(slice_str(place), &at)
                    ? control_open(&v->loop, &at, v->life, &v->screen, &v->control)
                    : -EINVAL;
    if (error) {
        fprintf(stderr, "dialtone phone: --control %s: %s\n", place, strerror(-error));
        return false;
    }
    buf_str(&line, "control  http://");
    address_print(control_address(v->control), &line);
    buf_str(&line, "/api/");
    if (!v->arguments->json)
        timeline_event(&v->timeline, buf_slice(&line));
    return true;
}

static void on_sip(void *context, struct slice line)
{
    struct live *v = context;
    char bytes[640];
    struct buf text = BUF_ON(bytes);
    buf_str(&text, "sip      ");
    buf_text(&text, line);
    if (!v->arguments->json)
        timeline_event(&v->timeline, buf_slice(&text));
}

static bool parse_sip_auth(const char *text, enum ring_auth *ret_auth)
{
    static const char *const names[] = { "strangers", "always", "open" }; /* as in enum ring_auth */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!text || strcmp(names[i], text) == 0) {
            *ret_auth = (enum ring_auth)i;
            return true;
        }
    return false;
}

static bool open_sip(struct live *v)
{
    char bytes[96];
    struct buf line = BUF_ON(bytes);
    struct ring_port_options o = { .loop = &v->loop, .life = v->life, .told = on_sip, .context = v };
    const char *place = v->arguments->sip;
    if (!place)
        return true;
    if (!parse_sip_auth(v->arguments->sip_auth, &o.auth)) {
        fprintf(stderr, "dialtone phone: --sip-auth is strangers, always or open, not '%s'\n", v->arguments->sip_auth);
        return false;
    }
    int error = parse_place(slice_str(place), &o.at) ? ring_port_open(&o, &v->sip) : -EINVAL;
    if (error) {
        fprintf(stderr, "dialtone phone: --sip %s: %s\n", place, strerror(-error));
        return false;
    }
    buf_str(&line, "listens on ");
    address_print(ring_port_address(v->sip), &line);
    buf_str(&line, " (udp, tcp)");
    on_sip(v, buf_slice(&line));
    return true;
}

/* --- from power on to the end --- */

/* One line a source: what it said, and whether it wins. */
static void on_told(void *context, const struct discovery *d)
{
    struct live *v = context;
    char bytes[2 * URL_BYTES_MAX], public_bytes[URL_BYTES_MAX];
    struct buf line = BUF_ON(bytes), url = BUF_ON(public_bytes);
    url_print_public(d->url, &url);
    buf_format(&line, "%s  ", address_source_name(d->source));
    buf_escaped(&line, buf_slice(&url));
    buf_str(&line, url.len ? " (" : "none (");
    buf_escaped(&line, d->why);
    buf_str(&line, d->wins ? "): this one" : ")");
    v->found |= d->wins;
    if (!v->arguments->json)
        timeline_event(&v->timeline, buf_slice(&line));
    if (d->source != ADDRESS_FLASH || v->found || !v->arguments->once)
        return;
    v->status = EXIT_FAILED;
    loop_stop(&v->loop);
}

static bool open_discover(struct live *v)
{
    struct search_options options = {
        .loop = &v->loop,
        .id = v->arguments->id,
        .interface = v->arguments->interface,
        .told = on_told,
        .context = v,
    };
    return !v->arguments->discover || search_open(v->verb, &options, &v->discover) == EXIT_DONE;
}

static struct life *new_life(struct live *v)
{
    const struct phone_arguments *a = v->arguments;
    struct life_options options = {
        .id = a->id,
        .server = slice_str(a->server),
        .user = slice_str(a->user),
        .password = slice_str(a->password),
        .pin = slice_str(a->pin),
        .keys = *v->keys,
        .time_scale = a->time_scale,
        .has_person = v->drawn || a->keys || a->control,
        .finder = v->discover ? discover_finder(v->discover) : NULL,
    };
    struct life_watch watch = { .rests = on_rests, .context = v };
    if (!a->json) {
        watch.run = timeline_watch(&v->timeline);
        watch.starts = on_starts;
        watch.event = on_event;
    }
    watch.run.done = on_done;
    watch.run.done_context = v;
    return life_new(&v->loop, v->transport, v->flash, &v->screen, &options, &watch);
}

static int live(struct live *v)
{
    if (!open_discover(v))
        return EXIT_FAILED;
    v->life = new_life(v);
    const char *why = v->life ? life_power_on(v->life) : "out of memory";
    if (why) {
        fprintf(stderr, "dialtone phone: %s\n", why);
        return EXIT_FAILED;
    }
    if (v->drawn)
        terminal_plug(&v->terminal, v->life);
    if (!open_control(v) || !open_sip(v) || !open_script(v))
        return EXIT_FAILED;
    loop_run(&v->loop);
    return v->status;
}

static void open_screen(struct live *v)
{
    const struct phone_arguments *a = v->arguments;
    screen_init(&v->screen, &v->loop, a->time_scale);
    v->screen.changed = on_changed;
    v->screen.context = v;
    timeline_init(&v->timeline, v->loop.clock, "", stdout);
    v->timeline.before = on_line;
    v->timeline.context = v;
    bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    v->drawn = is_terminal && !a->json && !a->keys && terminal_open(&v->terminal, &v->loop, &v->screen);
}

static void shut(struct live *v)
{
    control_close(v->control);
    ring_port_close(v->sip);
    v->sip = NULL;
    life_free(v->life);
    discover_free(v->discover);
    if (v->script)
        key_script_close(v->script);
    if (v->drawn)
        terminal_close(&v->terminal);
    if (v->transport)
        v->transport->close(v->transport);
    trust_close(v->trust);
    interrupt_close(&v->interrupt);
    loop_close(&v->loop);
    free(v->script);
}

int phone_live(const struct verb *verb, const struct phone_arguments *arguments, const struct seal_keys *keys,
               const struct flash *flash)
{
    struct live v = { .verb = verb, .arguments = arguments, .keys = keys, .flash = flash };
    int error = loop_open(&v.loop, &clock_system, NULL, &v);
    if (error) {
        fprintf(stderr, "dialtone phone: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    interrupt_open(&v.interrupt, &v.loop);
    signal(SIGPIPE, SIG_IGN); /* phone/fetch.h */
    open_screen(&v);
    error = fetch_open(&v.loop, &v.transport);
    if (error)
        fprintf(stderr, "dialtone phone: no transport: %s\n", strerror(-error));
    int status = error ? EXIT_FAILED : phone_arguments_trust(arguments, &v.trust);
    if (!status) {
        fetch_trust(v.transport, v.trust);
        status = live(&v);
    }
    shut(&v);
    return status;
}
