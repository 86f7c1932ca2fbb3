#include "base/url.h"
#include "guide/procedure_inside.h"

#include <stdlib.h>

/* A contact file in UTF-16 of the largest size, and what the walk needs. */
#define RESOURCE_SCRATCH_BYTES ((size_t)32 << 20)

static bool asks_for_file(const struct param *param)
{
    return param && (param->url == PARAM_URL_RESOURCE || param->url == PARAM_URL_FIRMWARE ||
                     param->url == PARAM_URL_HANDSET || resource_deleted_by(param->name));
}

/* The value that holds in the end, not one that a later line overrode. A file that is included twice has one name
 * in two places: the place tells. */
static bool is_in_force(const struct procedure *p, const struct cfg_file *cfg, const struct cfg_assignment *a)
{
    if (!asks_for_file(param_find(a->key, NULL)) || !cfg_applies(a, &p->id))
        return false;
    const struct setting *s = settings_get(&p->after.central, a->key);
    return s && asks_for_file(s->param) && s->origin.file.ptr == cfg->file.ptr && s->origin.line == a->line;
}

static bool next_resource_line(struct procedure *p, const struct cfg_assignment **ret_line)
{
    while (p->resource_cfg) {
        for (const struct cfg_assignment *a = p->resource_next; a; a = a->next) {
            if (!is_in_force(p, &p->resource_cfg->cfg, a))
                continue;
            p->resource_next = a->next;
            *ret_line = a;
            return true;
        }
        p->resource_cfg = p->resource_one_cfg ? NULL : p->resource_cfg->next;
        p->resource_next = p->resource_cfg ? p->resource_cfg->cfg.assignments : NULL;
    }
    return false;
}

/* Settles what needs no question: a bad URL, a phone that has no use for it. FILE_ASKED: it is to be asked for. */
static void judge_line(struct procedure *p, const struct cfg_assignment *a, struct report_resource *resource)
{
    struct place at = { p->resource_cfg->cfg.file, a->line, a->value_column };
    struct slice text;
    p->resource = resource_find(a->key);
    p->resource_line = a->line;
    if (!address_expand(a->value, &p->wildcards, p->arena, &text) ||
        !url_resolve(p->resource_cfg->cfg.file, text, p->arena, &resource->url)) {
        resource->outcome = FILE_FAILED;
        resource->why = SLICE("not a URL");
        diag_add(&p->report.findings, SEVERITY_ERROR, at, "%.*s is not a URL", SLICE_ARG(a->key));
    } else if (p->resource && !resource_fits(p->resource, p->id.model)) {
        resource->outcome = FILE_SKIPPED;
        resource->why = SLICE("not for this model");
        diag_add(&p->report.findings, SEVERITY_NOTE, at, "a %s is not for this model", p->resource->words);
    }
}

/* The line of a `.delete`: what goes is settled here, and flash asked later. */
static void judge_delete(struct procedure *p, const struct cfg_assignment *a, struct report_resource *resource)
{
    p->resource = resource_deleted_by(a->key);
    p->resource_line = a->line;
    if (resource_delete_name(a->value, &p->resource_name))
        return;
    resource->outcome = FILE_FAILED;
    resource->why = SLICE("not http://localhost/all or http://localhost/<name>");
    diag_add(&p->report.findings, SEVERITY_ERROR,
             (struct place){ p->resource_cfg->cfg.file, a->line, a->value_column }, "%.*s is %.*s", SLICE_ARG(a->key),
             SLICE_ARG(resource->why));
}

static bool record_resource(struct procedure *p, const struct cfg_assignment *a)
{
    struct report_resource *resource = ARENA_NEW(p->arena, struct report_resource);
    if (!resource)
        return false;
    *resource = (struct report_resource){ .key = a->key, .url = a->value };
    if (resource_deleted_by(a->key))
        judge_delete(p, a, resource);
    else
        judge_line(p, a, resource);
    if (p->report.last_resource)
        p->report.last_resource->next = resource;
    else
        p->report.resources = resource;
    p->report.last_resource = resource;
    return true;
}

void run_ask_resources(struct procedure *p)
{
    const struct cfg_assignment *a;
    while (next_resource_line(p, &a)) {
        if (!record_resource(p, a)) {
            run_fail_memory(p);
            return;
        }
        if (p->report.last_resource->outcome == FILE_ASKED) {
            p->state = resource_deleted_by(a->key) ? STATE_DROP : STATE_RESOURCE;
            p->attempts = 0;
            p->why = SLICE_NONE;
            return;
        }
    }
    p->after_resources(p);
}

/* What a check finds is told in the place of the line that asks. */
static void tell_odd(struct procedure *p, const struct diag *odd)
{
    struct report_resource *resource = p->report.last_resource;
    for (const struct finding *f = odd->first; f; f = f->next)
        diag_add(&p->report.findings, f->severity, (struct place){ resource->url, f->line, f->column }, "%.*s",
                 SLICE_ARG(f->text));
}

/* With memory of its own: a contact file of megabytes is gone again when it has been looked at. */
static bool check(struct procedure *p, struct slice bytes)
{
    struct arena scratch;
    struct diag odd;
    struct report_resource *resource = p->report.last_resource;
    arena_init(&scratch, RESOURCE_SCRATCH_BYTES);
    diag_init(&odd, &scratch);
    struct resource_check c = resource_check(p->resource, p->resource_name, bytes, resource->url, &odd, &scratch);
    tell_odd(p, &odd);
    if (!c.good) {
        resource->outcome = FILE_REFUSED;
        arena_copy(p->arena, c.why, &resource->why);
        diag_add(&p->report.findings, SEVERITY_ERROR, (struct place){ resource->url, 0, 0 }, "not taken as %s: %.*s",
                 p->resource->words, SLICE_ARG(c.why));
    }
    arena_free(&scratch);
    return c.good;
}

static bool copy_bytes(struct procedure *p, struct slice bytes)
{
    free(p->resource_bytes);
    p->resource_bytes = malloc(bytes.len);
    p->resource_len = bytes.len;
    if (p->resource_bytes)
        memcpy(p->resource_bytes, bytes.ptr, bytes.len);
    return p->resource_bytes;
}

static bool name_of(struct procedure *p)
{
    char bytes[URL_BYTES_MAX];
    struct buf name = BUF_ON(bytes);
    struct url url = { 0 };
    url_parse(p->report.last_resource->url, &url);
    if (!url_decode(url_last_segment(&url), &name))
        return arena_copy(p->arena, url_last_segment(&url), &p->resource_name);
    return arena_copy(p->arena, buf_slice(&name), &p->resource_name);
}

static void refuse_sealed(struct procedure *p, const char *why)
{
    struct report_resource *resource = p->report.last_resource;
    resource->outcome = FILE_REFUSED;
    resource->why = slice_str(why);
    diag_add(&p->report.findings, SEVERITY_ERROR, (struct place){ resource->url, 0, 0 }, "not taken as %s: %s",
             p->resource->words, why);
}

/* <mac>-contact.xml may be encrypted as CFG files are, and has to be with update_file_mode 1 (facts.md 1.2). Whether
 * the key was right shows when the XML is read. False: refused, and told. */
static bool open_sealed(struct procedure *p, struct slice *bytes)
{
    bool contact = name_meaning(p->resource_name).kind == NAME_MAC_CONTACT;
    bool sealed = seal_form(*bytes) == SEAL_AES;
    struct slice key = seal_keys_for(&p->keys, &p->after.central, SEAL_MAC);
    const char *why = NULL;
    if (!contact)
        return true;
    if (!sealed && settings_is_on(&p->after.central, PARAM("update_file_mode")))
        why = "static.auto_provision.update_file_mode = 1: only an encrypted one is accepted";
    else if (sealed && key.len == 0)
        why = "it is encrypted (AES), and this phone has no key for it";
    else if (sealed && seal_key_fault(key))
        why = "it is encrypted (AES), and the MAC-oriented AES key is not one";
    else if (sealed && !seal_open(key, *bytes, p->arena, bytes))
        why = "out of memory";
    if (why)
        refuse_sealed(p, why);
    return !why;
}

void run_got_resource(struct procedure *p, struct slice bytes)
{
    if (!name_of(p)) {
        run_fail_memory(p);
    } else if (!open_sealed(p, &bytes) || !check(p, bytes)) {
        run_ask_resources(p);
    } else if (copy_bytes(p, bytes)) {
        p->state = STATE_KEEP;
    } else {
        run_fail_memory(p);
    }
}

void run_kept_resource(struct procedure *p, bool kept, struct slice why)
{
    struct report_resource *resource = p->report.last_resource;
    free(p->resource_bytes);
    p->resource_bytes = NULL;
    resource->outcome = kept ? FILE_USED : FILE_FAILED;
    if (!kept || why.len)
        resource->why = why;
    run_ask_resources(p);
}

/* Old mechanism: resources and firmware are acted on file by file (facts.md 0.7, 5.6). */
void run_ask_resources_of(struct procedure *p, const struct run_cfg *cfg, void (*then)(struct procedure *p))
{
    p->after_resources = then;
    p->resource_cfg = cfg->resources_known ? NULL : cfg;
    p->resource_next = cfg->cfg.assignments;
    p->resource_one_cfg = true;
    run_ask_resources(p);
}

void run_ask_all_resources(struct procedure *p, void (*then)(struct procedure *p))
{
    p->after_resources = then;
    p->resource_cfg = p->cfgs;
    p->resource_next = p->cfgs ? p->cfgs->cfg.assignments : NULL;
    p->resource_one_cfg = false;
    run_ask_resources(p);
}
