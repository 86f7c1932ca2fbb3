#include "proto/sip_inside.h"

#include <osipparser2/osip_parser.h>

/* --- our own eye on a value: quotes, brackets, parameters --- */

/* Index of the first `stop` outside of quotes and, with `angle`, of angle brackets; s.len when there is
 * none. */
static size_t find_outside(struct slice s, char stop, bool angle)
{
    bool quoted = false, inside = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && !inside && c == stop)
            return i;
        else if (!quoted && angle && (c == '<' || c == '>'))
            inside = c == '<';
    }
    return s.len;
}

struct slice sip_first_element(struct slice value)
{
    return slice_trim(slice_first(value, find_outside(value, ',', true)));
}

struct slice sip_value(struct slice value)
{
    return slice_trim(slice_first(value, find_outside(value, ';', true)));
}

static struct slice unquoted(struct slice s)
{
    bool quotes = s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';
    return quotes ? slice_first(slice_from(s, 1), s.len - 2) : s;
}

bool sip_param(struct slice value, struct slice name, struct slice *ret_value)
{
    struct slice rest = slice_from(value, find_outside(value, ';', true));
    while (rest.len) {
        rest = slice_from(rest, 1);
        size_t end = find_outside(rest, ';', false);
        struct slice one = slice_first(rest, end);
        size_t equals = slice_find(one, '=');
        rest = slice_from(rest, end);
        if (!slice_eq_nocase(slice_trim(slice_first(one, equals)), name))
            continue;
        *ret_value = unquoted(slice_trim(slice_from(one, equals + 1)));
        return true;
    }
    return false;
}

struct slice sip_mac_user(struct slice user)
{
    if (!slice_starts_nocase(user, SLICE("MAC")))
        return SLICE_NONE;
    struct slice rest = slice_from(user, 3);
    if (slice_starts_nocase(rest, SLICE("%3a")))
        return slice_from(rest, 3);
    return slice_from(rest, slice_starts(rest, SLICE(":")) ? 1 : 0);
}

/* The address within a name-addr or addr-spec, as it was sent. */
static struct slice address_text(struct slice value)
{
    size_t open = find_outside(value, '<', false);
    if (open == value.len)
        return sip_value(value);
    struct slice inner = slice_from(value, open + 1);
    return slice_trim(slice_first(inner, slice_find(inner, '>')));
}

/* --- the rest by libosip2 --- */

static const struct slice methods[] = {
    [SIP_METHOD_OTHER] = { "", 0 },          [SIP_METHOD_ACK] = { "ACK", 3 },
    [SIP_METHOD_BYE] = { "BYE", 3 },         [SIP_METHOD_CANCEL] = { "CANCEL", 6 },
    [SIP_METHOD_INFO] = { "INFO", 4 },       [SIP_METHOD_INVITE] = { "INVITE", 6 },
    [SIP_METHOD_MESSAGE] = { "MESSAGE", 7 }, [SIP_METHOD_NOTIFY] = { "NOTIFY", 6 },
    [SIP_METHOD_OPTIONS] = { "OPTIONS", 7 }, [SIP_METHOD_PUBLISH] = { "PUBLISH", 7 },
    [SIP_METHOD_REFER] = { "REFER", 5 },     [SIP_METHOD_REGISTER] = { "REGISTER", 8 },
    [SIP_METHOD_SUBSCRIBE] = { "SUBSCRIBE", 9 },
};

enum sip_method sip_method_of(struct slice text)
{
    for (size_t i = 1; i < sizeof methods / sizeof *methods; i++)
        if (slice_eq(methods[i], text))
            return (enum sip_method)i;
    return SIP_METHOD_OTHER;
}

struct slice sip_method_name(enum sip_method method)
{
    return methods[method];
}

static void be_silent(const char *file, int line, osip_trace_level_t level, const char *format, va_list list)
{
    (void)file, (void)line, (void)level, (void)format, (void)list;
}
/* libosip2 fills a table that all messages share, and prints what it does not like unless told otherwise.
 * Before main(), when there is no other thread yet. */
__attribute__((constructor)) static void prepare(void)
{
    osip_trace_initialize_func(TRACE_LEVEL0, be_silent);
    parser_init();
}

struct reading {
    osip_message_t *osip;
    struct arena *arena;
    struct sip_message *m;
};

/* False: out of memory. NULL gives an empty slice. */
static bool keep(struct reading *r, const char *text, struct slice *ret_text)
{
    *ret_text = SLICE_NONE;
    return !text || arena_copy(r->arena, slice_str(text), ret_text);
}

static bool keep_port(const char *text, uint16_t *ret_port)
{
    uint64_t port = 0;
    if (text && !slice_u64(slice_str(text), 1, 65535, &port))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* False: there is none, or one that nobody could send to. */
static bool keep_uri(struct reading *r, const osip_uri_t *from, struct slice text, struct sip_uri *ret_uri)
{
    struct sip_uri u = { .text = text };
    if (!from || !text.len || !keep(r, from->scheme, &u.scheme) || !keep(r, from->username, &u.user) ||
        !keep(r, from->host, &u.host) || !keep_port(from->port, &u.port))
        return false;
    bool ours = slice_eq_nocase(u.scheme, SLICE("sip")) || slice_eq_nocase(u.scheme, SLICE("sips"));
    if (ours && !u.host.len)
        return false;
    *ret_uri = u;
    return true;
}

/* A value as libosip2 wants it: NUL-terminated. NULL: not there, or out of memory. */
static const char *terminated(struct reading *r, struct slice value)
{
    struct slice copy;
    return value.len && arena_copy(r->arena, value, &copy) ? copy.ptr : NULL;
}

static bool read_via(struct reading *r)
{
    struct slice value = sip_first_element(r->m->field[SIP_FIELD_VIA]), rport;
    const char *text = terminated(r, value);
    struct sip_via v = { 0 };
    uint64_t number = 0;
    if (!text || osip_message_set_via(r->osip, text) != 0)
        return false;
    const osip_via_t *via = osip_list_get(&r->osip->vias, 0);
    if (!via || !keep(r, via->protocol, &v.transport) || !keep(r, via->host, &v.host) || !v.host.len ||
        !keep_port(via->port, &v.port))
        return false;
    sip_param(value, SLICE("branch"), &v.branch);
    sip_param(value, SLICE("received"), &v.received);
    v.has_rport = sip_param(value, SLICE("rport"), &rport);
    if (v.has_rport && rport.len && !slice_u64(rport, 1, 65535, &number))
        return false;
    v.rport = (uint16_t)number;
    r->m->via = v;
    return true;
}

/* From and To are one shape, and in libosip2 one type. */
static bool read_party(struct reading *r, enum sip_field field, int set(osip_message_t *, const char *),
                       osip_from_t **parsed, struct sip_party *ret_party)
{
    struct slice value = r->m->field[field];
    const char *text = terminated(r, value);
    struct sip_party p = { 0 };
    if (!text || set(r->osip, text) != 0 || !*parsed ||
        !keep_uri(r, (*parsed)->url, address_text(value), &p.uri))
        return false;
    sip_param(value, SLICE("tag"), &p.tag);
    *ret_party = p;
    return true;
}

/* `*` is no address, and is none here. */
static bool read_contact(struct reading *r)
{
    struct slice value = sip_first_element(r->m->field[SIP_FIELD_CONTACT]);
    const char *text = terminated(r, value);
    if (!text || osip_message_set_contact(r->osip, text) != 0)
        return false;
    const osip_contact_t *contact = osip_list_get(&r->osip->contacts, 0);
    return contact && keep_uri(r, contact->url, address_text(value), &r->m->contact);
}

static bool read_cseq(struct reading *r)
{
    const char *text = terminated(r, r->m->field[SIP_FIELD_CSEQ]);
    struct slice method;
    uint64_t number;
    if (!text || osip_message_set_cseq(r->osip, text) != 0 || !r->osip->cseq->number || !r->osip->cseq->method ||
        !slice_u64(slice_str(r->osip->cseq->number), 0, INT32_MAX, &number) ||
        !keep(r, r->osip->cseq->method, &method))
        return false;
    r->m->cseq = (uint32_t)number;
    if (!r->m->status)
        return slice_eq(method, r->m->method_text);
    r->m->method_text = method;
    r->m->method = sip_method_of(method);
    return true;
}

/* The R-URI as it was sent, or the status. */
static struct slice second_word(struct slice start)
{
    struct slice word;
    slice_cut(&start, ' ', &word);
    slice_cut(&start, ' ', &word);
    return word;
}

static bool read_start(struct reading *r, struct slice start)
{
    struct sip_message *m = r->m;
    bool answer = slice_starts_nocase(start, SLICE("SIP/"));
    struct slice text, version;
    uint64_t status;
    /* Poor servers leave the blank before an empty reason out. */
    if (!arena_format(r->arena, &text, "%.*s%s\r\n\r\n", SLICE_ARG(start), answer ? " " : "") ||
        osip_message_parse(r->osip, text.ptr, text.len) != 0 || !keep(r, r->osip->sip_version, &version) ||
        !slice_eq_nocase(version, SLICE("SIP/2.0")))
        return false;
    if (answer) {
        if (!slice_u64(second_word(start), 100, 699, &status) || !keep(r, r->osip->reason_phrase, &text))
            return false;
        m->status = (uint16_t)status;
        m->reason = slice_trim(text);
        return true;
    }
    if (!keep(r, r->osip->sip_method, &m->method_text) ||
        !keep_uri(r, r->osip->req_uri, second_word(start), &m->target))
        return false;
    m->method = sip_method_of(m->method_text);
    return true;
}

static bool read_all(struct reading *r, struct slice start, const char **ret_reason)
{
    struct sip_message *m = r->m;
    *ret_reason = "a bad start line";
    if (!read_start(r, start))
        return false;
    *ret_reason = "no Call-ID";
    if (!m->field[SIP_FIELD_CALL_ID].len)
        return false;
    bool via = read_via(r);
    bool from = read_party(r, SIP_FIELD_FROM, osip_message_set_from, &r->osip->from, &m->from);
    bool to = read_party(r, SIP_FIELD_TO, osip_message_set_to, &r->osip->to, &m->to);
    bool cseq = read_cseq(r);
    read_contact(r);
    *ret_reason = !via    ? "no Via that can be read"
                  : !from ? "no From that can be read"
                  : !to   ? "no To that can be read"
                          : "no CSeq that fits";
    return m->status || (via && from && to && cseq);
}

bool sip_read_parts(struct slice start, struct arena *arena, struct sip_message *m, const char **ret_reason)
{
    struct reading r = { .arena = arena, .m = m };
    *ret_reason = "out of memory";
    if (osip_message_init(&r.osip) != 0)
        return false;
    size_t failures = arena->failures;
    bool fine = read_all(&r, start, ret_reason);
    osip_message_free(r.osip);
    if (arena->failures > failures) {
        *ret_reason = "out of memory";
        return false;
    }
    return fine;
}
