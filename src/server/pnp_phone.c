#include "server/pnp_phone.h"

/* The MAC is the user of every address in the message; the Contact may lack it. */
static bool mac_of(const struct sip_message *m, struct mac *ret_mac)
{
    const struct sip_uri *places[] = { &m->target, &m->from.uri, &m->to.uri, &m->contact };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (mac_parse(sip_mac_user(places[i]->user), ret_mac))
            return true;
    return false;
}

struct pnp_phone pnp_phone_of(const struct sip_message *m)
{
    struct user_agent agent = user_agent_parse(m->field[SIP_FIELD_USER_AGENT]);
    struct slice event = m->field[SIP_FIELD_EVENT];
    struct pnp_phone p = { 0 };
    p.has_mac = mac_of(m, &p.mac);
    if (!p.has_mac && agent.has_mac) {
        p.has_mac = true;
        p.mac = agent.mac;
    }
    sip_param(event, SLICE("vendor"), &p.vendor);
    if (!sip_param(event, SLICE("model"), &p.model) && agent.model)
        p.model = agent.model->product;
    /* The vendor is a setting of the phone (auto_provision.pnp_event_vendor); OEM is one of its values
     * (facts.md 2). */
    bool unsaid = !p.vendor.len || slice_eq_nocase(p.vendor, SLICE("OEM"));
    bool looks = agent.is_phone || (p.has_mac && mac_is_yealink(p.mac));
    p.ours = slice_eq_nocase(p.vendor, SLICE("yealink")) || (unsaid && looks);
    return p;
}

typedef bool condition(struct slice word, const struct pnp_phone *phone);

static bool is_vendor(struct slice word, const struct pnp_phone *phone)
{
    bool ours = phone->ours && slice_eq_nocase(word, SLICE("yealink"));
    return ours || slice_eq(word, SLICE("*")) || (phone->vendor.len && slice_eq_nocase(word, phone->vendor));
}

static bool is_model(struct slice word, const struct pnp_phone *phone)
{
    const struct model *model = model_find(word);
    return slice_eq_nocase(word, phone->model) || (model && model == model_find(phone->model));
}

static bool has_mac_prefix(struct slice word, const struct pnp_phone *phone)
{
    char prefix[CONFIG_MAC_DIGITS], mac[CONFIG_MAC_DIGITS + 1];
    struct buf wanted = BUF_ON(prefix), own = BUF_ON(mac);
    mac_print_bare(phone->mac, &own);
    return phone->has_mac && config_mac_prefix(word, &wanted) &&
           slice_starts(buf_slice(&own), buf_slice(&wanted));
}

/* One of the words; an empty list asks for nothing. */
static bool holds(struct slice list, condition *match, const struct pnp_phone *phone)
{
    struct slice word;
    if (!list.len)
        return true;
    while (slice_cut(&list, ',', &word))
        if (match(slice_trim(word), phone))
            return true;
    return false;
}

bool pnp_choose(const struct config *c, const struct pnp_phone *phone, struct slice *ret_url,
                const char **ret_reason)
{
    struct slice url = phone->ours ? c->pnp_url : SLICE_NONE;
    *ret_reason =
        phone->ours ? "pnp.url is blank and no rule is for it" : "another brand, and no rule is for it";
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++) {
        const struct config_pnp *rule = &c->pnp[n];
        if (!rule->used || !holds(rule->vendors, is_vendor, phone) || !holds(rule->models, is_model, phone) ||
            !holds(rule->macs, has_mac_prefix, phone))
            continue;
        url = rule->url;
        *ret_reason = "its rule has no URL";
        break;
    }
    if (url.len)
        *ret_url = url;
    return url.len > 0;
}
