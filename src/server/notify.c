#include "server/notify.h"

#include "proto/auth.h"

#define PORT 5060
#define PORT_TLS 5061
/* A first one, and one more for a stale nonce. */
#define LOGINS_MAX 2

/* --- whom to send to --- */

static const struct {
    const char *name, *via;
} transports[] = { [NOTIFY_UDP] = { "udp", "UDP" }, [NOTIFY_TCP] = { "tcp", "TCP" }, [NOTIFY_TLS] = { "tls", "TLS" } };
#define TRANSPORTS (sizeof transports / sizeof *transports)

static uint16_t default_port(enum notify_transport transport)
{
    return transport == NOTIFY_TLS ? PORT_TLS : PORT;
}

/* What may stand in a user part or a host without being quoted. */
static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]) || strchr(" <>\"@;?", text.ptr[i]))
            return false;
    return true;
}

static bool parse_transport(struct slice parameters, enum notify_transport *transport)
{
    struct slice one, name;
    while (slice_cut(&parameters, ';', &one)) {
        size_t i = 0;
        if (!slice_cut(&one, '=', &name) || !slice_eq_nocase(name, SLICE("transport")))
            continue;
        while (i < TRANSPORTS && !slice_eq_nocase(one, slice_str(transports[i].name)))
            i++;
        if (i == TRANSPORTS)
            return false;
        *transport = (enum notify_transport)i;
    }
    return true;
}

/* `host`, `host:port`, `[::1]:port`. */
static bool parse_place(struct slice text, struct notify_target *t)
{
    bool brackets = text.len && text.ptr[0] == '[';
    size_t end = slice_find(text, brackets ? ']' : ':');
    struct slice port = slice_from(text, brackets ? end + 1 : end);
    uint64_t number = default_port(t->transport);
    t->host = brackets ? slice_from(slice_first(text, end), 1) : slice_first(text, end);
    if (port.len && (port.ptr[0] != ':' || !slice_u64(slice_from(port, 1), 1, UINT16_MAX, &number)))
        return false;
    t->port = (uint16_t)number;
    return t->host.len && t->host.len < 256 && (!brackets || end < text.len);
}

bool notify_target_parse(struct slice text, struct notify_target *ret_target)
{
    struct notify_target t = { .transport = NOTIFY_UDP };
    if (slice_starts_nocase(text, SLICE("sips:")))
        t.transport = NOTIFY_TLS;
    if (slice_starts_nocase(text, SLICE("sips:")) || slice_starts_nocase(text, SLICE("sip:")))
        text = slice_from(text, slice_find(text, ':') + 1);
    size_t end = slice_find(text, ';'), at = slice_find_last(slice_first(text, end), '@');
    if (!parse_transport(slice_from(text, end + 1), &t.transport))
        return false;
    struct slice place = slice_first(text, end);
    if (at < place.len) {
        t.user = slice_first(place, at);
        place = slice_from(place, at + 1);
    }
    if (!parse_place(place, &t) || !is_plain(t.user) || !is_plain(t.host) || t.user.len > 255)
        return false;
    *ret_target = t;
    return true;
}

static void put_host(struct slice host, struct buf *out)
{
    bool brackets = slice_find(host, ':') < host.len;
    buf_format(out, brackets ? "[%.*s]" : "%.*s", SLICE_ARG(host));
}

void notify_target_print(const struct notify_target *t, struct buf *out)
{
    buf_str(out, "sip:");
    if (t->user.len)
        buf_format(out, "%.*s@", SLICE_ARG(t->user));
    put_host(t->host, out);
    if (t->port != default_port(t->transport))
        buf_format(out, ":%u", t->port);
    if (t->transport != NOTIFY_UDP)
        buf_format(out, ";transport=%s", transports[t->transport].name);
}

const char *notify_outcome_name(enum notify_outcome outcome)
{
    static const char *const names[] = { "going", "answered", "refused", "silent", "unreachable" };
    return names[outcome];
}

/* --- the message --- */

/* The texts that it is made of. */
struct parts {
    char uri[640], by[64], branch[64], from[160], to[700], contact[96];
};

static void put_local_host(const struct notify *n, struct buf *out)
{
    char bytes[64];
    struct buf host = BUF_ON(bytes);
    address_print_host(&n->options.local, &host);
    put_host(buf_slice(&host), out);
}

/* `authorization`: empty, or a field's value. */
static bool make(struct notify *n, enum sip_field field, struct slice authorization)
{
    struct parts p;
    const struct notify_options *o = &n->options;
    unsigned long long number = o->number;
    struct buf uri = BUF_ON(p.uri), by = BUF_ON(p.by), branch = BUF_ON(p.branch), from = BUF_ON(p.from);
    struct buf to = BUF_ON(p.to), contact = BUF_ON(p.contact), out = BUF_ON(n->message);
    n->cseq++;
    notify_target_print(&o->target, &uri);
    address_print(&o->local, &by);
    buf_format(&branch, SIP_BRANCH_COOKIE "%llx.%u", number, n->cseq);
    buf_str(&from, "<sip:dialtone@");
    put_local_host(n, &from);
    buf_format(&from, ">;tag=%llx", number);
    buf_format(&to, "<%.*s>", SLICE_ARG(buf_slice(&uri)));
    buf_format(&contact, "<sip:dialtone@%.*s>", SLICE_ARG(buf_slice(&by)));
    struct sip_request r = { SIP_METHOD_NOTIFY, buf_slice(&uri), buf_slice(&by),
                             buf_slice(&branch), buf_slice(&from), buf_slice(&to),
                             slice_of(n->call_id, n->call_id_len), n->cseq, buf_slice(&contact) };
    sip_put_request_by(&out, slice_str(transports[o->target.transport].via), &r);
    sip_put_field(&out, SIP_FIELD_USER_AGENT, SLICE("dialtone"));
    sip_put_field(&out, SIP_FIELD_SUBSCRIPTION_STATE, SLICE("terminated"));
    sip_put_field(&out, SIP_FIELD_EVENT, o->reboot ? SLICE("check-sync;reboot=true") : SLICE("check-sync"));
    if (authorization.len)
        sip_put_field(&out, field, authorization);
    sip_put_end(&out, SLICE_NONE, SLICE_NONE);
    n->len = (uint16_t)out.len;
    return buf_ok(&out) && buf_ok(&uri) && buf_ok(&by) && buf_ok(&branch) && buf_ok(&from) && buf_ok(&to) &&
           buf_ok(&contact);
}

static void begin(struct notify *n, uint64_t now_ms)
{
    sip_client_start(&n->client, 0, n->options.target.transport != NOTIFY_UDP, now_ms);
    n->tries++;
}

bool notify_start(struct notify *n, const struct notify_options *options, uint64_t now_ms)
{
    *n = (struct notify){ .options = *options, .why = "" };
    struct buf id = BUF_ON(n->call_id);
    buf_format(&id, "%llx@", (unsigned long long)options->number);
    put_local_host(n, &id);
    n->call_id_len = (uint16_t)id.len;
    n->start_ms = now_ms;
    n->end_ms = options->wait_ms ? now_ms + options->wait_ms : UINT64_MAX;
    if (!buf_ok(&id) || !make(n, SIP_FIELD_AUTHORIZATION, SLICE_NONE))
        return false;
    begin(n, now_ms);
    return true;
}

struct slice notify_message(const struct notify *n)
{
    return slice_of(n->message, n->len);
}

/* --- what comes of it --- */

static void over(struct notify *n, enum notify_outcome outcome, const char *why)
{
    n->outcome = outcome;
    n->why = why;
    sip_client_stop(&n->client);
}

uint64_t notify_due_ms(const struct notify *n)
{
    uint64_t due_ms = sip_client_due_ms(&n->client);
    if (n->outcome != NOTIFY_GOING)
        return UINT64_MAX;
    return due_ms < n->end_ms ? due_ms : n->end_ms;
}

bool notify_timeout(struct notify *n, uint64_t now_ms)
{
    if (n->outcome != NOTIFY_GOING)
        return false;
    bool again = sip_client_timeout(&n->client, now_ms);
    if (now_ms >= n->end_ms || n->client.state == SIP_CLIENT_ENDED) {
        over(n, NOTIFY_SILENT, n->logins ? "no answer to the password" : "no answer");
        return false;
    }
    n->tries += again;
    return again;
}

void notify_unreachable(struct notify *n, const char *why)
{
    if (n->outcome == NOTIFY_GOING)
        over(n, NOTIFY_UNREACHABLE, why);
}

bool notify_is_mine(const struct notify *n, const struct sip_message *m)
{
    return m->status && slice_eq(m->field[SIP_FIELD_CALL_ID], slice_of(n->call_id, n->call_id_len));
}

static void keep_reason(struct notify *n, const struct sip_message *m)
{
    struct buf reason = BUF_ON(n->reason);
    n->status = m->status;
    buf_text(&reason, slice_first(m->reason, sizeof n->reason - 1));
    buf_terminate(&reason);
}

/* The best challenge that can be answered: peers put MD5 first for others' sake. Each is read into its own half
 * of the room. */
static bool find_challenge(const struct sip_message *m, enum sip_field field, char room[2][AUTH_VALUE_BYTES_MAX],
                           struct auth_challenge *ret_challenge)
{
    bool found = false;
    for (size_t i = 0; i < m->line_count; i++) {
        struct auth_challenge c;
        struct buf into = buf_on(room[found], AUTH_VALUE_BYTES_MAX);
        if (m->lines[i].field != field || !auth_challenge_parse(m->lines[i].value, &into, &c))
            continue;
        if (!found || (ret_challenge->algorithm == AUTH_MD5 && c.algorithm == AUTH_SHA256))
            *ret_challenge = c;
        found = true;
        if (c.algorithm == AUTH_SHA256)
            break;
    }
    return found;
}

static bool put_login(struct notify *n, const struct auth_challenge *c, struct buf *out)
{
    char uri_bytes[640], cnonce_bytes[32];
    struct buf uri = BUF_ON(uri_bytes), cnonce = BUF_ON(cnonce_bytes);
    const struct notify_options *o = &n->options;
    notify_target_print(&o->target, &uri);
    buf_format(&cnonce, "%llx%x", (unsigned long long)(o->number ^ o->number >> 17), n->logins);
    struct auth_reply reply = { o->user, o->password, sip_method_name(SIP_METHOD_NOTIFY), buf_slice(&uri),
                                buf_slice(&cnonce), 1 };
    return auth_put_digest(c, &reply, out);
}

/* Of a 401 or 407. True: the message with the password is ready. */
static bool log_in(struct notify *n, const struct sip_message *m, uint64_t now_ms)
{
    bool proxy = m->status == 407;
    char room[2][AUTH_VALUE_BYTES_MAX], value_bytes[NOTIFY_MESSAGE_BYTES_MAX / 2];
    struct buf value = BUF_ON(value_bytes);
    struct auth_challenge c;
    const char *why = NULL;
    if (!n->options.user.len)
        why = "it wants a user name and a password";
    else if (!find_challenge(m, proxy ? SIP_FIELD_PROXY_AUTHENTICATE : SIP_FIELD_WWW_AUTHENTICATE, room, &c))
        why = "it wants a password in a way that is not known here";
    else if (n->logins && (!c.stale || n->logins == LOGINS_MAX))
        why = "user name or password not accepted";
    else if (n->logins++, !put_login(n, &c, &value) ||
             !make(n, proxy ? SIP_FIELD_PROXY_AUTHORIZATION : SIP_FIELD_AUTHORIZATION, buf_slice(&value)))
        why = "its challenge is too long";
    if (why) {
        over(n, NOTIFY_REFUSED, why);
        return false;
    }
    begin(n, now_ms);
    return true;
}

bool notify_answered(struct notify *n, const struct sip_message *m, uint64_t now_ms)
{
    /* A late answer to the message before the password says nothing new. */
    if (n->outcome != NOTIFY_GOING || (m->cseq && m->cseq < n->cseq) ||
        !sip_client_answered(&n->client, m->status, now_ms))
        return false;
    keep_reason(n, m);
    if (m->status == 401 || m->status == 407)
        return log_in(n, m, now_ms);
    over(n, m->status < 300 ? NOTIFY_ANSWERED : NOTIFY_REFUSED, "");
    return false;
}
