#include "server/access.h"

#include "guide/name.h"

/* What is bound by which proof, for this protocol. */
static enum access_bind bind_for(const struct access *a, const struct access_rule *rule, enum protocol protocol)
{
    enum access_bind bind = rule ? rule->bind : ACCESS_BIND_AUTO;
    if (bind != ACCESS_BIND_AUTO)
        return bind;
    return a && a->certificates && protocol == PROTOCOL_HTTPS ? ACCESS_BIND_AUTO : ACCESS_BIND_NONE;
}

static bool user_mac(const struct caller *c, struct mac *ret_mac)
{
    return c->user && mac_parse(c->user->name, ret_mac);
}

static bool is_proven(enum access_bind bind, const struct caller *c, struct slice name)
{
    struct mac mac;
    if (bind != ACCESS_BIND_LOGIN && c->certificate && name_is_of(name, *c->certificate))
        return true;
    return bind != ACCESS_BIND_CERTIFICATE && user_mac(c, &mac) && name_is_of(name, mac);
}

/* TFTP knows no logins; and where no user is a phone, none helps. */
static bool login_helps(const struct access *a, const struct access_rule *rule, enum access_bind bind,
                        const struct access_request *r)
{
    bool somebody = a->users.any_mac || (bind == ACCESS_BIND_AUTO && rule && rule->users.len);
    return bind != ACCESS_BIND_CERTIFICATE && somebody && !r->caller.user && r->caller.protocol != PROTOCOL_TFTP;
}

/* Whoever configures a user for a directory means its files; but a phone's login is for that phone's. */
static bool is_granted(const struct access_rule *rule, const struct caller *c)
{
    struct caller by_login = { .user = c->user };
    struct mac mac;
    return rule && c->user && !user_mac(c, &mac) && access_names_caller(rule, &by_login);
}

struct access_verdict access_bound(const struct access *a, const struct access_rule *rule,
                                   const struct access_request *r, struct slice name, struct access_verdict v)
{
    enum access_bind bind = bind_for(a, rule, r->caller.protocol);
    if (v.answer != ACCESS_YES || bind == ACCESS_BIND_NONE || !name_is_bound(name) ||
        is_proven(bind, &r->caller, name))
        return v;
    if (bind == ACCESS_BIND_AUTO && is_granted(rule, &r->caller))
        return v;
    if (login_helps(a, rule, bind, r)) {
        v.answer = ACCESS_LOGIN;
        v.reason = "login needed";
        return v;
    }
    v.answer = r->act == ACCESS_READ ? ACCESS_HIDDEN : ACCESS_NO;
    v.reason = r->caller.certificate || r->caller.user ? "another phone's file" : "who asks has not proven its MAC";
    return v;
}

bool access_names_caller(const struct access_rule *rule, const struct caller *c)
{
    struct slice rest = rule->users, name;
    struct mac mac, own;
    while ((c->user || c->certificate) && slice_cut(&rest, ',', &name)) {
        name = slice_trim(name);
        if (slice_eq(name, SLICE("*")) || (c->user && slice_eq(name, c->user->name)))
            return true;
        if (mac_parse(name, &mac) &&
            ((c->certificate && mac_eq(mac, *c->certificate)) || (user_mac(c, &own) && mac_eq(mac, own))))
            return true;
    }
    return false;
}

/* --- said aloud ---------------------------------------------------------------------------------------------- */

/* By which protocols somebody without any proof gets what is under this rule. */
static unsigned open_by(const struct access *a, const struct access_rule *rule, unsigned protocols)
{
    unsigned open = 0;
    if (rule && (!rule->anonymous || !rule->read))
        return 0;
    for (enum protocol p = PROTOCOL_TFTP; p <= PROTOCOL_FTP; p++)
        if (protocols & (rule ? rule->protocols : ~0u) & 1u << p && bind_for(a, rule, p) == ACCESS_BIND_NONE)
            open |= 1u << p;
    return open;
}

static void put_open(const struct access_rule *rule, bool rules, unsigned open, struct buf *out)
{
    bool first = true;
    if (!rule && rules)
        buf_str(out, "outside of the access rules: ");
    if (rule && rule->network_count)
        buf_format(out, "anyone on the networks of the rule for /%.*s", SLICE_ARG(rule->prefix));
    else if (rule && rule->segments)
        buf_format(out, "under /%.*s: anyone on these networks", SLICE_ARG(rule->prefix));
    else
        buf_str(out, "anyone on these networks");
    buf_str(out, " who knows a MAC address gets its files by ");
    for (enum protocol p = PROTOCOL_TFTP; p <= PROTOCOL_FTP; p++) {
        if (!(open & 1u << p))
            continue;
        buf_format(out, "%s%s", first ? "" : ", ", protocol_name(p));
        first = false;
    }
}

/* The rule of an index, counted behind "no rule", which is there unless one is for everything. */
bool access_open_to(const struct access *a, unsigned protocols, size_t index, struct buf *out)
{
    size_t count = a ? a->rule_count : 0;
    bool everything = false;
    for (size_t i = 0; i < count; i++)
        everything = everything || a->rules[i].segments == 0;
    for (size_t i = everything ? 1 : 0; i <= count; i++) {
        const struct access_rule *rule = i ? &a->rules[i - 1] : NULL;
        unsigned open = open_by(a, rule, protocols);
        if (!open || index-- > 0)
            continue;
        put_open(rule, count > 0, open, out);
        return true;
    }
    return false;
}
