#include "phone/pnp.h"

#include "base/url.h"

/* Room to read one answer of any server. */
#define READ_BYTES SIP_READ_BYTES_MAX

static void put_event(struct buf *out, const struct pnp_identity *i)
{
    buf_str(out, "ua-profile;profile-type=\"device\";vendor=\"");
    buf_text(out, i->vendor.len ? i->vendor : SLICE("yealink"));
    buf_str(out, "\";model=\"");
    buf_text(out, model_short_name(i->id->model));
    buf_str(out, "\";version=\"");
    firmware_print(i->id->firmware, out);
    buf_byte(out, '"');
}

/* The texts of the SUBSCRIBE that are made of others. */
struct parts {
    char uri[64], branch[40], from[160], to[96], contact[128], event[256], agent[128], sent_by[64];
};

static bool put_subscribe(struct buf *out, const struct pnp_identity *i, struct slice call_id)
{
    struct parts p;
    struct buf uri = BUF_ON(p.uri), branch = BUF_ON(p.branch), from = BUF_ON(p.from), to = BUF_ON(p.to);
    struct buf contact = BUF_ON(p.contact), event = BUF_ON(p.event), agent = BUF_ON(p.agent),
               by = BUF_ON(p.sent_by);
    unsigned long long number = i->number;
    buf_str(&uri, "sip:MAC");
    mac_print_bare(i->id->mac, &uri);
    buf_str(&uri, "@" PNP_GROUP_HOST);
    address_print(i->local, &by);
    buf_format(&branch, SIP_BRANCH_COOKIE "%llu", number);
    buf_format(&to, "<%.*s>", SLICE_ARG(buf_slice(&uri)));
    buf_format(&from, "<%.*s>;tag=%llu", SLICE_ARG(buf_slice(&uri)), number);
    buf_str(&contact, "<sip:MAC");
    mac_print_bare(i->id->mac, &contact);
    buf_format(&contact, "@%.*s>", SLICE_ARG(buf_slice(&by)));
    put_event(&event, i);
    identity_print_user_agent(i->id, false, &agent);
    struct sip_request r = { SIP_METHOD_SUBSCRIBE, buf_slice(&uri), buf_slice(&by), buf_slice(&branch),
                             buf_slice(&from),     buf_slice(&to),  call_id,        1,
                             buf_slice(&contact) };
    sip_put_request(out, &r);
    sip_put_field(out, SIP_FIELD_USER_AGENT, buf_slice(&agent));
    sip_put_number(out, SIP_FIELD_EXPIRES, 0);
    sip_put_field(out, SIP_FIELD_EVENT, buf_slice(&event));
    sip_put_field(out, SIP_FIELD_ACCEPT, SLICE("application/url"));
    sip_put_end(out, SLICE_NONE, SLICE_NONE);
    return buf_ok(out) && buf_ok(&uri) && buf_ok(&by) && buf_ok(&branch) && buf_ok(&to) && buf_ok(&from) &&
           buf_ok(&contact) && buf_ok(&event) && buf_ok(&agent);
}

bool pnp_start(struct pnp *p, const struct pnp_identity *identity, uint64_t now_ms)
{
    struct buf id = BUF_ON(p->call_id), out = BUF_ON(p->subscribe);
    *p = (struct pnp){ .state = PNP_ASKING };
    p->collect = identity->collect;
    p->end_ms = now_ms + (identity->timeout_ms ? identity->timeout_ms : PNP_TIMEOUT_MS);
    buf_format(&id, "%llu@", (unsigned long long)identity->number);
    address_print_host(identity->local, &id);
    if (!buf_ok(&id) || slice_find(identity->vendor, '"') < identity->vendor.len ||
        !put_subscribe(&out, identity, buf_slice(&id)))
        return false;
    p->call_id_len = (uint16_t)id.len;
    p->subscribe_len = (uint16_t)out.len;
    sip_client_start(&p->client, 0, false, now_ms);
    return true;
}

struct slice pnp_subscribe(const struct pnp *p)
{
    return slice_of(p->subscribe, p->subscribe_len);
}

/* security.md R19: schemes from a fixed list. */
static bool can_be_fetched(struct slice text)
{
    static const struct slice schemes[] = { { "tftp", 4 }, { "ftp", 3 }, { "http", 4 }, { "https", 5 } };
    struct url u;
    if (text.len > PNP_URL_BYTES_MAX || !url_parse(text, &u))
        return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (slice_eq_nocase(u.scheme, schemes[i]))
            return true;
    return false;
}

static void over(struct pnp *p, enum pnp_state state, const char *why)
{
    p->state = state;
    p->why = why;
    sip_client_stop(&p->client);
}

/* Servers put line ends behind the URL, and a NUL. */
static struct slice url_of(const struct sip_message *m)
{
    struct slice body = m->body;
    return slice_trim(slice_first(body, slice_find(body, '\0')));
}

static void take_url(struct pnp *p, const union address *from, const struct sip_message *m)
{
    struct slice url = url_of(m);
    if (p->state != PNP_ASKING)
        return;
    if (m->cut || !can_be_fetched(url)) {
        p->why = p->heard ? p->why : "a NOTIFY came without a URL that can be fetched";
        return;
    }
    memcpy(p->url, url.ptr, url.len);
    p->url_len = (uint16_t)url.len;
    p->from = *from;
    p->heard++;
    p->why = "a NOTIFY brought it";
    if (!p->collect)
        over(p, PNP_FOUND, p->why);
}

static void put_answer(struct buf *out, const union address *from, const struct sip_message *m)
{
    char host[64];
    struct buf h = BUF_ON(host);
    address_print_host(from, &h);
    struct sip_source source = { buf_slice(&h), address_port(from) };
    sip_put_answer(out, m, 200, SLICE_NONE, &source);
    sip_put_end(out, SLICE_NONE, SLICE_NONE);
    if (!buf_ok(out))
        out->len = 0;
}

void pnp_receive(struct pnp *p, const union address *from, struct slice bytes, uint64_t now_ms, struct buf *out)
{
    struct arena arena;
    struct sip_message m;
    const char *reason;
    arena_init(&arena, READ_BYTES);
    if (!sip_read(bytes, &arena, &m, &reason) ||
        !slice_eq(m.field[SIP_FIELD_CALL_ID], slice_of(p->call_id, p->call_id_len))) {
        arena_free(&arena);
        return;
    }
    /* Of several servers on the group one may have nothing for us: only a yes ends the asking. */
    if (m.status && m.status < 300) {
        p->answered = p->answered || m.status >= 200;
        sip_client_answered(&p->client, m.status, now_ms);
    } else if (m.method == SIP_METHOD_NOTIFY && !m.status) {
        take_url(p, from, &m);
        put_answer(out, from, &m);
    }
    arena_free(&arena);
}

uint64_t pnp_due_ms(const struct pnp *p)
{
    uint64_t try_ms = sip_client_due_ms(&p->client);
    if (p->state != PNP_ASKING)
        return UINT64_MAX;
    return try_ms < p->end_ms ? try_ms : p->end_ms;
}

bool pnp_timeout(struct pnp *p, uint64_t now_ms)
{
    if (p->state != PNP_ASKING)
        return false;
    if (now_ms >= p->end_ms) {
        over(p, p->heard ? PNP_FOUND : PNP_NOTHING,
             p->why        ? p->why
             : p->answered ? "an answer came, but no NOTIFY with a URL"
                           : "nobody answered");
        return false;
    }
    return sip_client_timeout(&p->client, now_ms);
}
