#include "base/url.h"
#include "guide/local.h"
#include "guide/procedure_inside.h"
#include "guide/upgrade.h"

#define TOO_LONG SLICE("the server URL is too long")

static struct report_file *record(struct procedure *p, struct slice url, enum file_outcome outcome, struct slice why)
{
    struct report_file *file = ARENA_NEW(p->arena, struct report_file);
    if (!file)
        return NULL;
    struct url parts;
    struct slice path = url_parse(url, &parts) ? parts.path : url;
    *file = (struct report_file){ .url = url, .kind = name_meaning(path).kind, .outcome = outcome, .why = why };
    if (p->report.last_file)
        p->report.last_file->next = file;
    else
        p->report.files = file;
    p->report.last_file = file;
    return file;
}

static void skip(struct procedure *p, struct slice url, struct slice why)
{
    record(p, url, FILE_SKIPPED, why);
}

void run_ask(struct procedure *p, enum state state, struct slice url, struct slice why)
{
    p->asking = record(p, url, FILE_ASKED, SLICE_NONE);
    p->attempts = 0;
    p->why = why;
    p->state = state;
    if (p->asking)
        p->asking->asked_because = why;
    else
        run_fail_memory(p);
}

/* A file of the server's directory. */
static void ask_named(struct procedure *p, enum state state, const struct buf *name, struct slice why)
{
    struct slice url;
    if (url_resolve(p->directory, buf_slice(name), p->arena, &url))
        run_ask(p, state, url, why);
    else
        run_fail(p, TOO_LONG);
}

static void ask_mac_boot(struct procedure *p)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    name_print_mac_boot(p->id.mac, &name);
    ask_named(p, STATE_MAC_BOOT, &name, SLICE("the MAC-oriented boot file comes first"));
}

static void ask_common_boot(struct procedure *p)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    name_print_common_boot(&name);
    ask_named(p, STATE_COMMON_BOOT, &name, SLICE("no MAC-oriented boot file: the common one"));
}

static void start_old(struct procedure *p, struct slice why)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    p->report.mechanism = MECHANISM_OLD;
    if (!settings_begin(&p->run, &p->after.central)) {
        run_fail_memory(p);
        return;
    }
    name_print_common_cfg(p->id.model->common_cfg, &name);
    ask_named(p, STATE_COMMON_CFG, &name, why);
}

/* A firmware older than boot files asks for none (guide, "Supported Phones"). */
static void skip_boot_files(struct procedure *p)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    struct slice url, why;
    name_print_common_boot(&name);
    if (!url_resolve(p->directory, buf_slice(&name), p->arena, &url)) {
        run_fail(p, TOO_LONG);
        return;
    }
    if (!arena_format(p->arena, &why, "%.*s reads boot files from firmware %u on", SLICE_ARG(p->id.model->product),
                      p->id.model->boot_generation)) {
        run_fail_memory(p);
        return;
    }
    skip(p, url, p->id.model->boot_generation ? why : SLICE("this model reads no boot files"));
    start_old(p, SLICE("this firmware knows no boot files: the old mechanism"));
}

/* What a URL without scheme is read as. */
static struct slice server_type(const struct procedure *p)
{
    struct slice type = settings_value(&p->before->central, PARAM("server.type"));
    return type.len ? type : SLICE("tftp");
}

void run_begin(struct procedure *p, struct slice server)
{
    struct slice text, url;
    if (!address_expand(server, &p->wildcards, p->arena, &text)) {
        run_fail(p, TOO_LONG);
        return;
    }
    enum address_kind kind = address_read(text, server_type(p), p->arena, &url);
    if (kind == ADDRESS_BAD || !url_directory(url, p->arena, &p->directory)) {
        run_fail(p, SLICE("the server URL is not one that a phone can fetch from"));
        return;
    }
    p->report.server = url;
    if (kind == ADDRESS_FILE)
        run_ask(p, STATE_SINGLE, url, SLICE("the URL names one file: only that is asked for"));
    else if (identity_reads_boot_files(&p->id))
        ask_mac_boot(p);
    else
        skip_boot_files(p);
}

static bool same_phone_as_before(const struct procedure *p)
{
    return slice_eq(p->before->model, p->after.model) && slice_eq(p->before->firmware, p->after.firmware);
}

static bool settle(struct procedure *p)
{
    bool protect = settings_is_on(&p->after.central, PARAM("custom.protect"));
    const struct setting *const *list;
    if (!settings_apply_personal(&p->run, &p->after.central, protect, p->local, &p->after.personal,
                                 &p->report.findings) ||
        !settings_overlay(&p->report.effective, &p->after.central, &p->after.personal) ||
        !settings_compare(&p->effective_before, &p->report.effective, p->arena, &p->report.change) ||
        !settings_sorted(&p->report.effective, p->arena, &list))
        return false;
    for (size_t i = 0; i < p->report.effective.count; i++)
        p->report.applied += !slice_eq(list[i]->origin.file, SETTINGS_FLASH);
    return true;
}

static void apply(struct procedure *p)
{
    if (p->report.upgrade.len == 0)
        upgrade_settled(&p->after);
    p->state = STATE_APPLY;
    p->why = SLICE_NONE;
}

void run_conclude(struct procedure *p)
{
    if (memory_same_files(p->before, &p->after) && same_phone_as_before(p)) {
        run_finish_as_before(p, RUN_UNCHANGED, SLICE("every file is the same as last time"));
        return;
    }
    if (!settle(p)) {
        run_fail_memory(p);
        return;
    }
    if (p->report.mechanism == MECHANISM_OLD)
        apply(p);
    else
        run_ask_all_resources(p, apply);
}

static void ask_local(struct procedure *p)
{
    struct slice url;
    if (!settings_is_on(&p->after.central, PARAM("custom.sync"))) {
        run_conclude(p);
        return;
    }
    const char *why = local_url(&p->after.central, p->directory, &p->wildcards, p->arena, &url);
    if (why)
        run_fail(p, slice_str(why));
    else
        run_ask(p, STATE_LOCAL, url, SLICE("static.auto_provision.custom.sync = 1: the MAC-local CFG file"));
}

/* Why this phone does not take an include, or "" when it does. */
static bool include_is_skipped(struct procedure *p, const struct boot_include *include, struct slice *ret_why)
{
    bool exclude = p->report.excluded_mode;
    *ret_why = SLICE_NONE;
    if (include->has_prefix && !identity_reads_prefixes(&p->id))
        return arena_format(p->arena, ret_why, "firmware %u of a %.*s does not read [MODEL] prefixes",
                            firmware_generation(p->id.firmware), SLICE_ARG(p->id.model->product));
    if (include->has_prefix && !line_models_match(include->models, p->id.model))
        return arena_format(p->arena, ret_why, "for %.*s only", SLICE_ARG(include->models));
    if (exclude && !include->has_prefix && p->own_found) {
        *ret_why = SLICE("exclude mode: files of its own model were found");
        return true;
    }
    return false;
}

static bool ask_include(struct procedure *p, const struct boot_include *include)
{
    struct slice text, url, why;
    bool skipped = include_is_skipped(p, include, &why);
    if (!address_expand(include->target, &p->wildcards, p->arena, &text))
        text = include->target;
    if (!url_resolve(p->boot_url, text, p->arena, &url)) {
        diag_add(&p->report.findings, SEVERITY_ERROR, (struct place){ p->boot.file, include->line, include->column },
                 "not a URL that a phone can fetch");
        skip(p, text, SLICE("not a URL that a phone can fetch"));
        return false;
    }
    if (skipped) {
        skip(p, url, why);
        return false;
    }
    p->any_asked = true;
    run_ask(p, STATE_INCLUDE, url, include->has_prefix ? SLICE("of its own model") : SLICE_NONE);
    return true;
}

static void includes_done(struct procedure *p)
{
    if (p->cfgs) {
        ask_local(p);
    } else if (p->any_asked) {
        run_fail(p, SLICE("none of the CFG files that the boot file names came"));
    } else {
        diag_add(&p->report.findings, SEVERITY_ERROR, (struct place){ p->boot.file, 0, 0 },
                 "names no CFG file for a %.*s", SLICE_ARG(p->id.model->product));
        run_finish_as_before(p, RUN_PROVISIONED,
                             SLICE("the boot file names no CFG file for this phone; nothing was applied"));
    }
}

/* Exclude mode looks at the own model's files first, then at those without [MODEL] when none was there. */
static void next_include(struct procedure *p)
{
    for (;;) {
        const struct boot_include *include = p->include;
        if (!include && p->report.excluded_mode && !p->rest_pass) {
            p->rest_pass = true;
            p->include = p->boot.includes;
            continue;
        }
        if (!include) {
            includes_done(p);
            return;
        }
        p->include = include->next;
        if (p->report.excluded_mode && include->has_prefix == p->rest_pass)
            continue;
        if (ask_include(p, include) || p->state == STATE_DONE)
            return;
    }
}

static void got_boot(struct procedure *p, enum mechanism mechanism, struct slice bytes)
{
    struct report *r = &p->report;
    r->mechanism = mechanism;
    p->boot_url = p->asking->url;
    if (!run_remember_file(p) || !boot_parse(bytes, p->boot_url, p->arena, &r->findings, &p->boot)) {
        run_fail_memory(p);
        return;
    }
    r->overwrite_mode = p->boot.overwrite_mode != BOOT_OFF;
    r->excluded_mode = p->boot.excluded_mode == BOOT_ON && identity_has_exclude_mode(&p->id);
    if (p->boot.excluded_mode == BOOT_ON && !r->excluded_mode)
        diag_add(&r->findings, SEVERITY_NOTE, (struct place){ p->boot_url, 0, 0 },
                 "firmware %u of a %.*s has no exclude mode: append mode", firmware_generation(p->id.firmware),
                 SLICE_ARG(p->id.model->product));
    p->run.overwrite = r->overwrite_mode;
    p->include = p->boot.includes;
    if (settings_begin(&p->run, &p->after.central))
        next_include(p);
    else
        run_fail_memory(p);
}

static struct run_cfg *got_cfg(struct procedure *p, struct slice bytes)
{
    struct run_cfg *item = ARENA_NEW(p->arena, struct run_cfg);
    if (!item || !run_remember_file(p) ||
        !cfg_parse(bytes, p->asking->url, p->arena, &p->report.findings, &item->cfg) ||
        !settings_apply_cfg(&p->run, &p->after.central, &item->cfg, &p->report.findings)) {
        run_fail_memory(p);
        return NULL;
    }
    for (const struct cfg_assignment *a = item->cfg.assignments; a; a = a->next)
        p->asking->settings += cfg_applies(a, &p->id);
    item->resources_known = same_phone_as_before(p) && memory_has_file(p->before, run_file_name(p), p->asking->md5);
    *p->cfgs_tail = item;
    p->cfgs_tail = &item->next;
    return item;
}

static void old_done(struct procedure *p)
{
    if (p->cfgs)
        ask_local(p);
    else
        run_fail(
            p,
            SLICE(
                "the server has no boot file, no common CFG file and no MAC-oriented CFG file for this phone"));
}

void run_ask_mac_cfg(struct procedure *p)
{
    struct slice custom = settings_value(&p->after.central, SLICE("static.custom_mac_cfg.url")), text, url;
    if (custom.len == 0) {
        char bytes[32];
        struct buf name = BUF_ON(bytes);
        name_print_mac_cfg(p->id.mac, &name);
        ask_named(p, STATE_MAC_CFG, &name, SLICE("then the MAC-oriented CFG file"));
        return;
    }
    if (address_wants_pin(custom) && p->wildcards.pin.len == 0) {
        p->state = STATE_PIN;
        p->why = p->pin_tries ? SLICE("the server has no CFG file for that PIN")
                              : SLICE("static.custom_mac_cfg.url holds $pin: the PIN CFG file in place of the "
                                      "MAC-oriented one");
        return;
    }
    if (!address_expand(custom, &p->wildcards, p->arena, &text) ||
        !url_resolve(p->directory, text, p->arena, &url)) {
        run_fail(p, SLICE("static.custom_mac_cfg.url is not a URL that a phone can fetch from"));
        return;
    }
    run_ask(p, STATE_MAC_CFG, url, SLICE("static.custom_mac_cfg.url in place of the MAC-oriented CFG file"));
}

/* No PIN, no PIN CFG file: the phone goes on with what it has. */
void run_no_pin(struct procedure *p)
{
    skip(p, settings_value(&p->after.central, SLICE("static.custom_mac_cfg.url")), SLICE("no PIN was entered"));
    old_done(p);
}

static void mac_cfg_absent(struct procedure *p)
{
    bool pin_was_wrong = p->wildcards.pin.len > 0 && ++p->pin_tries < PROCEDURE_PIN_TRIES;
    p->wildcards.pin = SLICE_NONE;
    if (pin_was_wrong)
        run_ask_mac_cfg(p);
    else
        old_done(p);
}

bool run_looks_like_boot(const struct procedure *p, struct slice bytes)
{
    struct boot_file boot;
    struct url url = { 0 };
    url_parse(p->asking->url, &url);
    struct slice last = url_last_segment(&url);
    if (slice_ends_nocase(last, SLICE(".boot")))
        return true;
    if (slice_ends_nocase(last, SLICE(".cfg")))
        return false;
    return boot_parse(bytes, p->asking->url, p->arena, NULL, &boot) && boot.count > 0;
}

static void got_single(struct procedure *p, struct slice bytes)
{
    p->report.mechanism = MECHANISM_SINGLE_FILE;
    if (run_looks_like_boot(p, bytes)) {
        if (identity_reads_boot_files(&p->id))
            got_boot(p, MECHANISM_SINGLE_FILE, bytes);
        else
            run_fail_file(p, FILE_REFUSED, SLICE("a boot file, and this firmware reads none"));
        return;
    }
    if (!settings_begin(&p->run, &p->after.central))
        run_fail_memory(p);
    else if (got_cfg(p, bytes))
        ask_local(p);
}

struct slice run_local_ignored(const struct procedure *p)
{
    if (!settings_is_on(&p->after.central, PARAM("custom.protect")))
        return SLICE("static.auto_provision.custom.protect = 0: personal settings do not count");
    return p->run.overwrite ? SLICE_NONE : SLICE("overwrite_mode = 0: the one stored on the phone counts");
}

void run_ignore_local(struct procedure *p, struct slice why)
{
    p->asking->outcome = FILE_SKIPPED;
    p->asking->why = why;
    run_conclude(p);
}

static void got_local(struct procedure *p, struct slice bytes)
{
    p->local = ARENA_NEW(p->arena, struct cfg_file);
    if (p->local && run_remember_file(p) && cfg_parse(bytes, p->asking->url, p->arena, &p->report.findings, p->local))
        run_conclude(p);
    else
        run_fail_memory(p);
}

void run_got_file(struct procedure *p, struct slice bytes)
{
    enum state state = p->state;
    const struct run_cfg *cfg = NULL;
    if (state == STATE_SINGLE)
        got_single(p, bytes);
    else if (state == STATE_MAC_BOOT || state == STATE_COMMON_BOOT)
        got_boot(p, state == STATE_MAC_BOOT ? MECHANISM_MAC_BOOT : MECHANISM_COMMON_BOOT, bytes);
    else if (state == STATE_LOCAL)
        got_local(p, bytes);
    else
        cfg = got_cfg(p, bytes);
    if (!cfg)
        return;
    if (state == STATE_INCLUDE) {
        p->own_found = p->own_found || !p->rest_pass;
        next_include(p);
    } else {
        run_ask_resources_of(p, cfg, state == STATE_COMMON_CFG ? run_ask_mac_cfg : old_done);
    }
}

void run_absent_file(struct procedure *p)
{
    switch (p->state) {
    case STATE_SINGLE:
        run_fail(p, SLICE("the one file that the server URL names is not there"));
        break;
    case STATE_MAC_BOOT:
        ask_common_boot(p);
        break;
    case STATE_COMMON_BOOT:
        start_old(p, SLICE("no boot file: the old mechanism, the common CFG file first"));
        break;
    case STATE_INCLUDE:
        next_include(p);
        break;
    case STATE_COMMON_CFG:
        run_ask_mac_cfg(p);
        break;
    case STATE_MAC_CFG:
        mac_cfg_absent(p);
        break;
    case STATE_LOCAL:
        run_conclude(p);
        break;
    case STATE_KEY_RSA:
    case STATE_KEY_SHARED:
        run_no_key_file(p);
        break;
    case STATE_CALL:
    case STATE_CALL_WAIT:
    case STATE_RETRY_WAIT:
    case STATE_PIN:
    case STATE_RESOURCE:
    case STATE_KEEP:
    case STATE_DROP:
    case STATE_APPLY:
    case STATE_REBOOT:
    case STATE_DONE:
        break;
    }
}
