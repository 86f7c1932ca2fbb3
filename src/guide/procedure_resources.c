#include "base/url.h"
#include "guide/procedure_inside.h"

static bool asks_for_file(const struct param *param)
{
    return param && (param->url == PARAM_URL_RESOURCE || param->url == PARAM_URL_FIRMWARE ||
                     param->url == PARAM_URL_HANDSET);
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

static bool record_resource(struct procedure *p, const struct cfg_assignment *a)
{
    struct report_resource *resource = ARENA_NEW(p->arena, struct report_resource);
    struct slice text;
    if (!resource)
        return false;
    *resource = (struct report_resource){ .key = a->key, .url = a->value };
    if (!address_expand(a->value, &p->wildcards, p->arena, &text) ||
        !url_resolve(p->resource_cfg->cfg.file, text, p->arena, &resource->url)) {
        resource->outcome = FILE_FAILED;
        resource->why = SLICE("not a URL");
        diag_add(&p->report.findings, SEVERITY_ERROR,
                 (struct place){ p->resource_cfg->cfg.file, a->line, a->value_column }, "%.*s is not a URL",
                 SLICE_ARG(a->key));
    }
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
            p->state = STATE_RESOURCE;
            p->attempts = 0;
            p->why = SLICE_NONE;
            return;
        }
    }
    p->after_resources(p);
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
