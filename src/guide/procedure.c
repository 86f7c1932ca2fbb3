#include "guide/procedure.h"

#include "base/url.h"
#include "guide/digest.h"
#include "guide/procedure_inside.h"

#include <stdlib.h>

void run_finish(struct procedure *p, enum run_outcome outcome, struct slice why)
{
    p->report.outcome = outcome;
    p->report.why = why;
    p->state = STATE_DONE;
}

void run_finish_as_before(struct procedure *p, enum run_outcome outcome, struct slice why)
{
    if (p->state == STATE_DONE)
        return;
    settings_free(&p->report.effective);
    p->report.change = (struct settings_change){ 0 };
    p->report.applied = 0;
    p->report.reboot = false;
    /* Moved, not copied: this must not fail where memory ran out. */
    p->report.effective = p->effective_before;
    settings_init(&p->effective_before, p->arena);
    run_finish(p, outcome, why);
}

void run_fail(struct procedure *p, struct slice why)
{
    run_finish_as_before(p, RUN_FAILED, why);
}

void run_fail_memory(struct procedure *p)
{
    run_fail(p, SLICE("out of memory"));
}

/* Many a place takes a lack of memory for another trouble (a bad URL, a finding that is lost) and would go on
 * with less than it should have: the run does not. */
static void look_at_memory(struct procedure *p)
{
    if (p->arena->failures == p->failures)
        return;
    run_fail_memory(p);
    p->report.outcome = RUN_FAILED;
    p->report.why = SLICE("out of memory");
}

void run_fail_file(struct procedure *p, enum file_outcome outcome, struct slice why)
{
    char bytes[URL_BYTES_MAX];
    struct buf name = BUF_ON(bytes);
    struct slice text;
    p->asking->outcome = outcome;
    p->asking->why = why;
    if (p->sealed) {
        p->sealed->outcome = FILE_FAILED;
        p->sealed->why = SLICE("encrypted, and its key file could not be had");
    }
    url_print_public(p->asking->url, &name);
    if (arena_format(p->arena, &text, "%.*s: %.*s", SLICE_ARG(buf_slice(&name)), SLICE_ARG(why)))
        run_fail(p, text);
    else
        run_fail_memory(p);
}

struct slice run_file_name(const struct procedure *p)
{
    struct url url = { 0 };
    url_parse(p->asking->url, &url);
    /* The flash's grammar does not keep blanks at either end. */
    return slice_trim(url_last_segment(&url));
}

bool run_remember_file(struct procedure *p)
{
    return memory_add_file(&p->after, run_file_name(p), p->asking->md5, p->arena);
}

static bool init_names(struct procedure *p)
{
    char bytes[32];
    struct buf text = BUF_ON(bytes);
    firmware_print(p->id.firmware, &text);
    p->after.model = p->id.model->product;
    p->wildcards.mac = p->id.mac;
    p->wildcards.pn = settings_value(&p->before->central, PARAM("url_wildcard.pn"));
    /* Guide: the default is "T42G" for the SIP-T42G: the model's name. */
    if (p->wildcards.pn.len == 0)
        p->wildcards.pn = model_short_name(p->id.model);
    return arena_copy(p->arena, buf_slice(&text), &p->after.firmware);
}

struct procedure *procedure_new(const struct procedure_start *start, struct arena *arena)
{
    struct procedure *p = ARENA_NEW(arena, struct procedure);
    if (!p)
        return NULL;
    p->arena = arena;
    p->failures = arena->failures;
    p->id = start->id;
    p->before = start->memory;
    p->keys = start->keys;
    p->state = STATE_CALL;
    p->cfgs_tail = &p->cfgs;
    p->report.id = &p->id;
    p->report.server = start->server;
    diag_init(&p->report.findings, arena);
    memory_init(&p->after, arena);
    settings_init(&p->report.effective, arena);
    settings_init(&p->effective_before, arena);
    p->run = (struct settings_run){ &p->id, &p->before->central, &p->before->personal, false };
    p->after.triggers = start->memory->triggers;
    p->user = start->user;
    p->password = start->password;
    if (!init_names(p) || !settings_copy(&p->after.notes, &p->before->notes, NULL) ||
        !settings_overlay(&p->effective_before, &p->before->central, &p->before->personal)) {
        procedure_free(p);
        return NULL;
    }
    return p;
}

void procedure_free(struct procedure *p)
{
    if (!p)
        return;
    free(p->resource_bytes);
    memory_free(&p->after);
    settings_free(&p->report.effective);
    settings_free(&p->effective_before);
}

static uint32_t param_ms(const struct procedure *p, struct slice key)
{
    return (uint32_t)settings_number(&p->effective_before, key) * 1000;
}

/* The server's user and password are for the server alone (security.md R24), and for URLs without their own. */
static void lend_credentials(const struct procedure *p, struct wish *wish)
{
    struct url server, target;
    if (!url_parse(p->report.server, &server) || !url_parse(wish->url, &target) || !url_same_host(&server, &target) ||
        target.has_user)
        return;
    wish->own_server = true;
    wish->user = p->user;
    wish->password = p->password;
    if (p->user.len)
        return;
    wish->user = settings_value(&p->effective_before, PARAM("server.username"));
    wish->password = settings_value(&p->effective_before, PARAM("server.password"));
}

static struct wish fetch_wish(const struct procedure *p)
{
    bool resource = p->state == STATE_RESOURCE;
    struct wish wish = { .kind = resource ? WISH_RESOURCE : WISH_FETCH, .why = p->why };
    wish.url = resource ? p->report.last_resource->url : p->asking->url;
    wish.key = resource ? p->report.last_resource->key : SLICE_NONE;
    wish.limit = !resource ? PROCEDURE_FILE_BYTES_MAX : p->resource ? (size_t)p->resource->kib_max * 1024 : SIZE_MAX;
    wish.timeout_ms = param_ms(p, PARAM("attempt_expired_time"));
    lend_credentials(p, &wish);
    return wish;
}

/* A `.delete` is named by its own parameter in the report, and by the one whose files it takes in the wish. */
static struct wish keep_wish(const struct procedure *p)
{
    struct slice key = p->report.last_resource->key;
    return (struct wish){
        .kind = p->state == STATE_KEEP ? WISH_KEEP : WISH_DROP,
        .url = p->report.last_resource->url,
        .key = p->state == STATE_KEEP ? key : slice_str(p->resource->key),
        .name = p->resource_name,
        .bytes = slice_of(p->resource_bytes, p->resource_len),
        .many = p->resource->many,
    };
}

struct wish procedure_wish(const struct procedure *p)
{
    switch (p->state) {
    case STATE_CALL:
        return (struct wish){ .kind = WISH_CALL };
    case STATE_CALL_WAIT:
        return (struct wish){ .kind = WISH_WAIT, .wait_ms = PROCEDURE_CALL_LOOK_MS, .why = SLICE("in a call") };
    case STATE_RETRY_WAIT:
        return (struct wish){ .kind = WISH_WAIT,
                              .wait_ms = param_ms(p, PARAM("retry_delay_after_file_transfer_failed")),
                              .why = p->why };
    case STATE_PIN:
        return (struct wish){ .kind = WISH_PIN, .why = p->why };
    case STATE_SINGLE:
    case STATE_MAC_BOOT:
    case STATE_COMMON_BOOT:
    case STATE_INCLUDE:
    case STATE_COMMON_CFG:
    case STATE_MAC_CFG:
    case STATE_LOCAL:
    case STATE_KEY_RSA:
    case STATE_KEY_SHARED:
    case STATE_RESOURCE:
        return fetch_wish(p);
    case STATE_KEEP:
    case STATE_DROP:
        return keep_wish(p);
    case STATE_APPLY:
        return (struct wish){ .kind = WISH_APPLY, .memory = &p->after };
    case STATE_REBOOT:
        return (struct wish){ .kind = WISH_REBOOT, .why = p->report.change.reboot_why };
    case STATE_DONE:
        break;
    }
    return (struct wish){ .kind = WISH_DONE };
}

void procedure_answer_call(struct procedure *p, bool active)
{
    if (!active)
        run_begin(p, p->report.server);
    else if (p->call_waited_ms >= PROCEDURE_CALL_GIVE_UP_MS)
        run_fail(p, SLICE("a call was active for two hours"));
    else
        p->state = STATE_CALL_WAIT;
    look_at_memory(p);
}

void procedure_answer_waited(struct procedure *p)
{
    if (p->state == STATE_RETRY_WAIT) {
        p->state = p->retry_state;
        p->why = SLICE("again");
        return;
    }
    p->call_waited_ms += PROCEDURE_CALL_LOOK_MS;
    p->state = STATE_CALL;
}

bool procedure_use_credentials(struct procedure *p, struct slice user, struct slice password)
{
    return arena_copy(p->arena, user, &p->user) && arena_copy(p->arena, password, &p->password);
}

void procedure_answer_pin(struct procedure *p, struct slice pin)
{
    if (pin.len && !arena_copy(p->arena, pin, &p->wildcards.pin))
        run_fail_memory(p);
    else if (pin.len)
        run_ask_mac_cfg(p);
    else
        run_no_pin(p);
    look_at_memory(p);
}

/* True when there will be another try. */
static bool try_again(struct procedure *p, struct slice why)
{
    p->attempts++;
    if (p->attempts >= settings_number(&p->effective_before, PARAM("attempt_before_failed")))
        return false;
    p->retry_state = p->state;
    p->state = STATE_RETRY_WAIT;
    p->why = why;
    return true;
}

void run_take_text(struct procedure *p, struct slice text)
{
    const char *refusal = line_refusal(text);
    if (!refusal) {
        p->asking->outcome = FILE_USED;
        run_got_file(p, text);
        return;
    }
    diag_add(&p->report.findings, SEVERITY_ERROR, (struct place){ p->asking->url, 1, 0 }, "%s", refusal);
    run_fail_file(p, FILE_REFUSED, slice_str(refusal));
}

/* The digest is of what came over the wire: the next run compares the same. */
static void take(struct procedure *p, struct slice foreign)
{
    struct report_file *file = p->asking;
    char hex[33];
    struct slice bytes;
    if (foreign.len > PROCEDURE_FILE_BYTES_MAX) {
        run_fail_file(p, FILE_REFUSED, SLICE("larger than a boot or CFG file may be"));
        return;
    }
    if (!arena_copy(p->arena, foreign, &bytes) || !digest_md5(bytes, hex) ||
        !arena_copy(p->arena, slice_str(hex), &file->md5)) {
        run_fail_memory(p);
        return;
    }
    file->size = bytes.len;
    run_take_file(p, bytes);
}

static void answer_file(struct procedure *p, const struct fetched *fetched, struct slice why)
{
    bool absent = fetched->outcome == FETCH_ABSENT || fetched->outcome == FETCH_OUTSIDE;
    struct slice ignored = p->state == STATE_LOCAL && !absent ? run_local_ignored(p) : SLICE_NONE;
    if (ignored.len) {
        run_ignore_local(p, ignored);
        return;
    }
    switch (fetched->outcome) {
    case FETCH_GOT:
        take(p, fetched->bytes);
        break;
    case FETCH_ABSENT:
    case FETCH_OUTSIDE:
        p->asking->outcome = fetched->outcome == FETCH_ABSENT ? FILE_ABSENT : FILE_SKIPPED;
        p->asking->why = why;
        run_absent_file(p);
        break;
    case FETCH_FAILED:
        if (!try_again(p, why))
            run_fail_file(p, FILE_FAILED, why);
        break;
    case FETCH_REFUSED:
        run_fail_file(p, FILE_REFUSED, why);
        break;
    }
}

/* A resource that cannot be had is told, and does not stop the run. */
static void answer_resource(struct procedure *p, const struct fetched *fetched, struct slice why)
{
    static const enum file_outcome outcomes[] = {
        [FETCH_GOT] = FILE_USED,
        [FETCH_ABSENT] = FILE_ABSENT,
        [FETCH_FAILED] = FILE_FAILED,
        [FETCH_REFUSED] = FILE_REFUSED,
        [FETCH_OUTSIDE] = FILE_SKIPPED,
    };
    if (fetched->outcome == FETCH_FAILED && try_again(p, why))
        return;
    p->report.last_resource->outcome = outcomes[fetched->outcome];
    p->report.last_resource->why = why;
    const struct param *param = param_find(p->report.last_resource->key, NULL);
    if (fetched->outcome == FETCH_GOT && p->resource)
        run_got_resource(p, fetched->bytes);
    else if (fetched->outcome == FETCH_GOT && param && param->url == PARAM_URL_FIRMWARE)
        run_got_firmware(p);
    else
        run_ask_resources(p);
}

void procedure_answer_fetch(struct procedure *p, const struct fetched *fetched)
{
    struct slice why;
    if (!arena_copy(p->arena, fetched->why, &why))
        run_fail_memory(p);
    else if (p->state == STATE_RESOURCE)
        answer_resource(p, fetched, why);
    else
        answer_file(p, fetched, why);
    look_at_memory(p);
}

void procedure_answer_kept(struct procedure *p, bool kept, struct slice why)
{
    struct slice text;
    if (arena_copy(p->arena, why, &text))
        run_kept_resource(p, kept, text);
    look_at_memory(p);
}

void procedure_answer_applied(struct procedure *p, bool kept, struct slice why)
{
    struct slice text;
    if (!kept) {
        run_fail(p, arena_copy(p->arena, why, &text) ? text : SLICE("out of memory"));
        return;
    }
    p->report.reboot = p->report.change.reboot || p->report.upgrade.len;
    if (p->report.upgrade.len)
        p->report.change.reboot_why = SLICE("static.firmware.url");
    if (p->report.reboot)
        p->state = STATE_REBOOT;
    else
        run_finish(p, RUN_PROVISIONED, SLICE_NONE);
}

void procedure_answer_rebooted(struct procedure *p)
{
    if (p->report.upgrade_only)
        run_finish_upgrade(p);
    else
        run_finish(p, RUN_PROVISIONED, SLICE_NONE);
}

const struct report *procedure_report(const struct procedure *p)
{
    return &p->report;
}
