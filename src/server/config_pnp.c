#include "base/url.h"
#include "server/config_value.h"

static const struct place whole = { { "configuration", 13 }, 0, 0 };

/* PnP is not encrypted: what it says is read by the whole network. */
static void warn_of_password(struct slice key, struct slice url, struct diag *findings)
{
    struct url u;
    if (url.len && url_parse(url, &u) && u.has_user)
        diag_add(findings, SEVERITY_WARNING, whole,
                 "%.*s holds a user name: everybody on the network can read it; it is safe"
                 " only where the server asks for a device certificate too",
                 SLICE_ARG(key));
}

static bool check_rule(const struct config *c, size_t n, struct diag *findings)
{
    const struct config_pnp *rule = &c->pnp[n];
    char bytes[32];
    struct buf key = BUF_ON(bytes);
    buf_format(&key, "pnp.%zu.url", n + 1);
    warn_of_password(buf_slice(&key), rule->url, findings);
    if (rule->vendors.len || rule->models.len || rule->macs.len)
        return true;
    diag_add(findings, SEVERITY_ERROR, whole,
             "pnp.%zu says of no phone that it is for it: pnp.%zu.vendor = * is for all", n + 1, n + 1);
    return false;
}

bool config_pnp_check(const struct config *c, struct diag *findings)
{
    bool ok = true, answers = c->pnp_url.len > 0;
    warn_of_password(SLICE("pnp.url"), c->pnp_url, findings);
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++) {
        if (!c->pnp[n].used)
            continue;
        ok = check_rule(c, n, findings) && ok;
        answers = answers || c->pnp[n].url.len;
    }
    if (!c->pnp_enable || answers)
        return ok;
    diag_add(findings, SEVERITY_ERROR, whole,
             "pnp.enable is 1, but neither pnp.url nor a rule pnp.N.url says where to");
    return false;
}
