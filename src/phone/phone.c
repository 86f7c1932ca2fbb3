#include "phone/phone.h"

#include "guide/upgrade.h"
#include "phone/trust.h"

#include <stdio.h>
#include <stdlib.h>

enum phone_question { QUESTION_NONE, QUESTION_PIN, QUESTION_CREDENTIALS };

struct phone {
    struct loop *loop;
    struct transport *transport;
    const struct flash *flash;
    struct phone_options options;
    struct phone_watch watch;
    struct arena arena; /* of the present or last run */
    struct memory memory;
    struct procedure *procedure;
    struct timer wait;
    bool fetching;
    enum phone_question question; /* what the person was asked and has not answered */
    unsigned logins;              /* how often credentials were asked for */
    struct slice user, password;  /* entered by the person */
    bool pin_given;
    const struct report_file *told_file; /* the last one that the watcher knows the outcome of */
    const struct report_resource *told_resource;
    char agent[128];
    size_t agent_len;
    char problem[256];
};

static void step(struct phone *p);

struct phone *phone_new(struct loop *loop, struct transport *transport, const struct flash *flash,
                        const struct phone_options *options, const struct phone_watch *watch)
{
    struct phone *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = loop;
    p->transport = transport;
    p->flash = flash;
    p->options = *options;
    p->watch = *watch;
    arena_init(&p->arena, PHONE_ARENA_BYTES);
    return p;
}

static void drop_run(struct phone *p)
{
    timer_stop(&p->loop->wheel, &p->wait);
    if (p->fetching)
        p->transport->cancel(p->transport);
    p->fetching = false;
    p->question = QUESTION_NONE;
    p->user = p->password = SLICE_NONE;
    procedure_free(p->procedure);
    if (p->procedure)
        memory_free(&p->memory);
    p->procedure = NULL;
    arena_free(&p->arena);
}

void phone_stop(struct phone *p)
{
    drop_run(p);
}

void phone_free(struct phone *p)
{
    if (!p)
        return;
    drop_run(p);
    free(p);
}

/* Tells of every file and resource whose outcome has become known. */
static void tell(struct phone *p)
{
    const struct report *r = procedure_report(p->procedure);
    const struct report_file *f = p->told_file ? p->told_file->next : r->files;
    for (; f && f->outcome != FILE_ASKED; f = f->next) {
        p->told_file = f;
        if (p->watch.file)
            p->watch.file(p->watch.context, f);
    }
    const struct report_resource *s = p->told_resource ? p->told_resource->next : r->resources;
    for (; s && s->outcome != FILE_ASKED; s = s->next) {
        p->told_resource = s;
        if (p->watch.resource)
            p->watch.resource(p->watch.context, s);
    }
}

/* Whether a person was asked; what the procedure wishes stays as it is until the answer. */
static bool ask_credentials(struct phone *p)
{
    const struct phone_user *person = &p->options.person;
    struct wish wish = procedure_wish(p->procedure);
    bool had_some = wish.user.len > 0;
    if (!wish.own_server || p->logins == PHONE_LOGIN_TRIES || !person->asks_credentials)
        return false;
    p->question = QUESTION_CREDENTIALS;
    p->logins++;
    if (person->asks_credentials(person->context, had_some))
        return true;
    p->question = QUESTION_NONE;
    return false;
}

static void on_fetched(void *context, const struct fetched *fetched)
{
    struct phone *p = context;
    p->fetching = false;
    if (fetched->denied && ask_credentials(p))
        return;
    procedure_answer_fetch(p->procedure, fetched);
    step(p);
}

static void fetch(struct phone *p, const struct wish *wish)
{
    struct transport_request request = {
        .url = wish->url,
        .user = wish->user,
        .password = wish->password,
        .user_agent = slice_of(p->agent, p->agent_len),
        .timeout_ms = wish->timeout_ms,
        .limit = wish->limit,
        .discard = wish->limit == SIZE_MAX, /* firmware */
    };
    trust_demand(&p->memory.central, p->flash, &request);
    p->fetching = p->transport->start(p->transport, &request, on_fetched, p);
    if (!p->fetching)
        procedure_answer_fetch(p->procedure,
                               &(struct fetched){ .outcome = FETCH_REFUSED, .why = SLICE("out of memory") });
}

static void on_waited(struct timer *timer)
{
    struct phone *p = container_of(timer, struct phone, wait);
    procedure_answer_waited(p->procedure);
    step(p);
}

static void wait(struct phone *p, const struct wish *wish)
{
    if (p->watch.waits)
        p->watch.waits(p->watch.context, wish->wait_ms, wish->why);
    loop_timer(p->loop, &p->wait, wish->wait_ms / p->options.time_scale, on_waited);
}

/* False: a person was asked. */
static bool enter_pin(struct phone *p, const struct wish *wish)
{
    const struct phone_user *person = &p->options.person;
    p->question = QUESTION_PIN;
    if (person->asks_pin && person->asks_pin(person->context, wish->why))
        return false;
    p->question = QUESTION_NONE;
    struct slice pin = p->pin_given ? SLICE_NONE : p->options.pin;
    p->pin_given = true;
    procedure_answer_pin(p->procedure, pin);
    return true;
}

static bool is_in_call(const struct phone *p)
{
    const struct phone_user *person = &p->options.person;
    return person->in_call && person->in_call(person->context);
}

static void apply(struct phone *p, const struct wish *wish)
{
    int error = flash_write(p->flash, wish->memory, &p->arena);
    snprintf(p->problem, sizeof p->problem, "the flash could not be written: %s", strerror(-error));
    if (!error && p->watch.applies)
        p->watch.applies(p->watch.context, procedure_report(p->procedure));
    procedure_answer_applied(p->procedure, error == 0, slice_str(p->problem));
}

static void keep(struct phone *p, const struct wish *wish)
{
    int error = wish->kind == WISH_KEEP
                    ? flash_keep(p->flash, wish->key, wish->many ? wish->name : SLICE_NONE, wish->bytes)
                    : flash_drop(p->flash, wish->key, wish->name, &p->arena);
    snprintf(p->problem, sizeof p->problem, "the flash could not be written: %s", strerror(-error));
    procedure_answer_kept(p->procedure, error == 0, error ? slice_str(p->problem) : SLICE_NONE);
}

static void reboot(struct phone *p, const struct wish *wish)
{
    if (p->watch.reboots)
        p->watch.reboots(p->watch.context, wish->why);
    procedure_answer_rebooted(p->procedure);
}

/* One wish; false when its answer will come later, or the run is over. */
static bool grant(struct phone *p, const struct wish *wish)
{
    switch (wish->kind) {
    case WISH_CALL:
        procedure_answer_call(p->procedure, is_in_call(p));
        return true;
    case WISH_PIN:
        return enter_pin(p, wish);
    case WISH_KEEP:
    case WISH_DROP:
        keep(p, wish);
        return true;
    case WISH_APPLY:
        apply(p, wish);
        return true;
    case WISH_REBOOT:
        reboot(p, wish);
        return true;
    case WISH_FETCH:
    case WISH_RESOURCE:
        fetch(p, wish);
        return !p->fetching;
    case WISH_WAIT:
        wait(p, wish);
        return false;
    case WISH_DONE:
        if (p->watch.done)
            p->watch.done(p->watch.done_context ? p->watch.done_context : p->watch.context,
                          procedure_report(p->procedure));
        return false;
    }
    return false;
}

static void step(struct phone *p)
{
    struct wish wish;
    do {
        tell(p);
        wish = procedure_wish(p->procedure);
    } while (grant(p, &wish));
}

void phone_enter_pin(struct phone *p, struct slice pin)
{
    if (p->question != QUESTION_PIN)
        return;
    p->question = QUESTION_NONE;
    procedure_answer_pin(p->procedure, pin);
    step(p);
}

void phone_enter_credentials(struct phone *p, struct slice user, struct slice password)
{
    static const struct fetched nobody = { .outcome = FETCH_REFUSED,
                                           .why = { "user name or password not accepted", 34 } };
    if (p->question != QUESTION_CREDENTIALS)
        return;
    p->question = QUESTION_NONE;
    if (user.len == 0 || !arena_copy(&p->arena, user, &p->user) || !arena_copy(&p->arena, password, &p->password) ||
        !procedure_use_credentials(p->procedure, p->user, p->password)) {
        p->user = p->password = SLICE_NONE;
        procedure_answer_fetch(p->procedure, &nobody);
    }
    step(p);
}

void phone_entered_credentials(const struct phone *p, struct slice *ret_user, struct slice *ret_password)
{
    *ret_user = p->user;
    *ret_password = p->password;
}

static void on_powered(struct timer *timer)
{
    step(container_of(timer, struct phone, wait));
}

static const char *complain(struct phone *p, const char *what, const char *why)
{
    snprintf(p->problem, sizeof p->problem, "%s%s", what, why);
    drop_run(p);
    return p->problem;
}

const char *phone_power_on(struct phone *p)
{
    struct procedure_start start = { .id = p->options.id,
                                     .server = p->options.server,
                                     .user = p->options.user,
                                     .password = p->options.password,
                                     .memory = &p->memory,
                                     .keys = p->options.keys };
    struct buf agent = BUF_ON(p->agent);
    drop_run(p);
    memory_init(&p->memory, &p->arena);
    const char *why = flash_read(p->flash, &p->memory, &p->arena);
    if (!why && start.server.len == 0)
        start.server = settings_value(&p->memory.central, SLICE("static.auto_provision.server.url"));
    if (!why)
        start.id.firmware = upgrade_running(&p->memory, p->options.id.firmware);
    if (!why && start.server.len)
        p->procedure = procedure_new(&start, &p->arena);
    if (!p->procedure) {
        memory_free(&p->memory);
        return why ? complain(p, "flash: ", why)
                   : complain(p, "", start.server.len ? "out of memory" : "no server URL given and none in flash");
    }
    bool with_mac = !slice_eq(
        settings_value(&p->memory.central, SLICE("static.auto_provision.user_agent_mac.enable")), SLICE("0"));
    identity_print_user_agent(&start.id, with_mac, &agent);
    p->agent_len = agent.len;
    p->told_file = NULL;
    p->told_resource = NULL;
    p->pin_given = false;
    p->logins = 0;
    /* Nothing happens inside this call: the watcher hears everything from the loop. */
    loop_timer(p->loop, &p->wait, 0, on_powered);
    return NULL;
}
