#include "cli/notify_run.h"

#include "net/tls.h"
#include "server/notify_wire.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct sending {
    const struct notify_plan *plan;
    struct loop loop;
    struct ssl_ctx_st *tls;
    struct notify_wire *wire;
    struct timer pace;
    uint64_t start_ms;
    size_t sent, over;
    size_t counts[NOTIFY_UNREACHABLE + 1];
    json_t *results; /* with --json */
    uv_signal_t interrupt, terminate;
};

/* --- what is printed --- */

static void put_place(const struct notify_goal *g, struct buf *out)
{
    if (g->name.len)
        buf_format(out, "%.*s  ", SLICE_ARG(g->name));
    notify_target_print(&g->target, out);
}

static void print_text(const struct notify_goal *g, const struct notify *n, uint64_t ms)
{
    char bytes[2048];
    struct buf line = BUF_ON(bytes);
    put_place(g, &line);
    buf_format(&line, "  %s", notify_outcome_name(n->outcome));
    if (n->status) {
        buf_format(&line, " %u ", n->status);
        buf_escaped(&line, slice_str(n->reason));
    }
    if (n->why[0])
        buf_format(&line, " (%s)", n->why);
    if (n->outcome == NOTIFY_SILENT && n->tries > 1)
        buf_format(&line, ", %u tries", n->tries);
    buf_format(&line, ", %llu ms\n", (unsigned long long)ms);
    fwrite(line.ptr, 1, line.len, stdout);
    fflush(stdout);
}

static json_t *text_of(struct slice text)
{
    json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len);
    return value ? value : json_string("not UTF-8");
}

static void add_json(json_t *results, const struct notify_goal *g, const struct notify *n, uint64_t ms)
{
    char bytes[1024];
    struct buf to = BUF_ON(bytes);
    json_t *one = json_object();
    notify_target_print(&g->target, &to);
    json_object_set_new(one, "to", text_of(buf_slice(&to)));
    json_object_set_new(one, "mac", g->name.len ? text_of(g->name) : json_null());
    json_object_set_new(one, "outcome", json_string(notify_outcome_name(n->outcome)));
    json_object_set_new(one, "status", n->status ? json_integer(n->status) : json_null());
    json_object_set_new(one, "reason", text_of(slice_str(n->reason)));
    json_object_set_new(one, "why", json_string(n->why));
    json_object_set_new(one, "tries", json_integer((json_int_t)n->tries));
    json_object_set_new(one, "ms", json_integer((json_int_t)ms));
    json_array_append_new(results, one);
}

static void done_with(struct sending *s, const struct notify_goal *g, const struct notify *n, uint64_t ms)
{
    s->counts[n->outcome]++;
    s->over++;
    if (s->results)
        add_json(s->results, g, n, ms);
    else
        print_text(g, n, ms);
}

static void on_done(void *context, void *mark, const struct notify *n)
{
    struct sending *s = context;
    done_with(s, mark, n, s->loop.now_ms - n->start_ms);
    if (s->over == s->plan->count)
        loop_stop(&s->loop);
}

/* --- sending --- */

static void send_one(struct sending *s, const struct notify_goal *g)
{
    const struct notify_plan *p = s->plan;
    struct notify_options o = { .target = g->target,
                                .reboot = p->reboot,
                                .user = p->user,
                                .password = p->password,
                                .wait_ms = p->wait_ms };
    bool known = g->to.sa.sa_family != AF_UNSPEC;
    int error = known ? notify_wire_send(s->wire, &g->to, &o, (void *)(uintptr_t)g) : 0;
    if (known && !error)
        return;
    struct notify none = { .outcome = NOTIFY_UNREACHABLE, .why = known ? strerror(-error) : g->why };
    done_with(s, g, &none, 0);
}

static void on_pace(struct timer *timer)
{
    struct sending *s = container_of(timer, struct sending, pace);
    const struct notify_plan *p = s->plan;
    uint64_t may = (s->loop.now_ms - s->start_ms) * p->rate / 1000 + 1;
    while (s->sent < p->count && s->sent < may)
        send_one(s, &p->goals[s->sent++]);
    if (s->over == p->count)
        loop_stop(&s->loop);
    else if (s->sent < p->count)
        loop_timer(&s->loop, &s->pace, 1000 / p->rate + 1, on_pace);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct sending *s = signal->data;
    (void)number;
    loop_stop(&s->loop);
}

static void watch_signals(struct sending *s)
{
    uv_signal_init(&s->loop.uv, &s->interrupt);
    uv_signal_init(&s->loop.uv, &s->terminate);
    s->interrupt.data = s->terminate.data = s;
    uv_signal_start(&s->interrupt, on_signal, SIGINT);
    uv_signal_start(&s->terminate, on_signal, SIGTERM);
}

static bool wants_tls(const struct notify_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->goals[i].target.transport == NOTIFY_TLS)
            return true;
    return false;
}

static bool open_tls(struct sending *s)
{
    char bytes[512];
    struct buf why = BUF_ON(bytes);
    struct tls_connect_options o = { s->plan->authorities, s->plan->insecure };
    if (!wants_tls(s->plan) || tls_connect_context_open(&o, &why, &s->tls) == 0)
        return true;
    fprintf(stderr, "dialtone notify: %.*s\n", SLICE_ARG(buf_slice(&why)));
    return false;
}

static int report(struct sending *s)
{
    const struct notify_plan *p = s->plan;
    size_t silent = s->counts[NOTIFY_SILENT] + s->counts[NOTIFY_UNREACHABLE];
    bool fine = true;
    if (s->results)
        fine = json_dumpf(s->results, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    else if (p->summary)
        printf("%zu answered, %zu refused, %zu silent\n", s->counts[NOTIFY_ANSWERED], s->counts[NOTIFY_REFUSED],
               silent);
    if (s->over < p->count)
        fprintf(stderr, "dialtone notify: ended early; of %zu phones nothing is known\n", p->count - s->over);
    return fflush(stdout) == 0 && fine && s->counts[NOTIFY_ANSWERED] == p->count ? EXIT_DONE : EXIT_FAILED;
}

int notify_run(const struct notify_plan *plan)
{
    struct sending s = { .plan = plan };
    int error = loop_open(&s.loop, &clock_system, NULL, &s), status = EXIT_FAILED;
    if (error) {
        fprintf(stderr, "dialtone notify: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN);
    watch_signals(&s);
    s.results = plan->json ? json_array() : NULL;
    s.start_ms = s.loop.now_ms;
    if (open_tls(&s) && notify_wire_open(&s.loop, s.tls, on_done, &s, &s.wire) == 0) {
        loop_timer(&s.loop, &s.pace, 0, on_pace);
        loop_run(&s.loop);
        status = report(&s);
    }
    notify_wire_close(s.wire);
    timer_stop(&s.loop.wheel, &s.pace);
    tls_context_close(s.tls);
    json_decref(s.results);
    uv_close((uv_handle_t *)&s.interrupt, NULL);
    uv_close((uv_handle_t *)&s.terminate, NULL);
    loop_close(&s.loop);
    return status;
}
