#include "server/config_value.h"
#include "server/redirect.h"

static const struct place whole = { { "configuration", 13 }, 0, 0 };

static bool check_one(const struct config *c, size_t n, struct diag *findings)
{
    const struct config_redirect *r = &c->redirects[n];
    if (!r->from.len || !r->to.len) {
        diag_add(findings, SEVERITY_ERROR, whole, "redirect.%zu has no redirect.%zu.%s", n + 1, n + 1,
                 r->from.len ? "to" : "from");
        return false;
    }
    return true;
}

static bool check_pairs(const struct redirects *r, struct diag *findings)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < i; j++)
            if (slice_eq(r->list[i].from, r->list[j].from)) {
                diag_add(findings, SEVERITY_ERROR, whole, "redirect.%zu and redirect.%zu are from one prefix",
                         r->list[j].number, r->list[i].number);
                return false;
            }
    return true;
}

bool config_redirect_check(const struct config *c, struct diag *findings)
{
    struct redirects r;
    bool ok = true;
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++)
        if (c->redirects[n].used)
            ok = check_one(c, n, findings) && ok;
    if (!ok || !redirects_make(c, c->arena, &r) || !check_pairs(&r, findings))
        return false;
    const struct redirect *loop = redirects_loop(&r);
    if (loop)
        diag_add(findings, SEVERITY_ERROR, whole, "redirect.%zu leads to itself", loop->number);
    return !loop;
}
