#include "cli/dhcp_report.h"

#include "base/url.h"
#include "cli/verb.h"
#include "proto/dhcp6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>

/* A value as text: four characters a byte at most. */
#define TEXT_BYTES (4 * URL_BYTES_MAX + 64)
#define NOTE_BYTES 256
/* More than ever hold at once. */
#define NOTES_MAX 8

struct notes {
    char text[NOTES_MAX][NOTE_BYTES];
    size_t count;
};

static void note(struct notes *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct notes *n, const char *format, ...)
{
    va_list args;
    if (n->count == NOTES_MAX)
        return;
    va_start(args, format);
    vsnprintf(n->text[n->count++], NOTE_BYTES, format, args);
    va_end(args);
}

const char *dhcp_error_words(int error, bool v6)
{
    static const struct {
        int error;
        const char *words;
    } table[] = {
        { EPERM, "no right to listen on the wire: run it as root, or give it CAP_NET_RAW and CAP_NET_BIND_SERVICE" },
        { EACCES, "no right to use DHCP's ports: run it as root, or give it CAP_NET_RAW and CAP_NET_BIND_SERVICE" },
        { EADDRINUSE, "another DHCPv6 client on this host has port 546" },
        { EADDRNOTAVAIL, "the interface has no address of its own yet" },
        { EAFNOSUPPORT, "this machine does not speak it" },
        { ENETDOWN, "the interface is down" },
        { ENODEV, "there is no such Ethernet interface" },
    };
    if (!error)
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].error == -error)
            return v6 && error == -EADDRNOTAVAIL ? "the interface has no IPv6 address" : table[i].words;
    return strerror(-error);
}

/* --- findings --- */

static void note_value(struct notes *n, const struct dhcp_options *o, const struct option_finding *f)
{
    bool asked = address_option_rank(f->code, f->v6, &o->custom4, &o->custom6) != SIZE_MAX;
    if (!asked)
        note(n, "phones look at option %u only when it is in their list of custom options (--option %u)",
             f->code, f->code);
    else if (!f->usable)
        note(n, "%s", option_verdict_words(f->verdict));
    if (f->acs)
        note(n, "it looks like the address of a TR-069 server (ACS), not of a provisioning server");
    if (f->verdict == OPTION_HOST)
        note(n, "it has no scheme, so phones put static.auto_provision.server.type before it");
}

static void note_answer(struct notes *n, const struct dhcp_answer *a)
{
    if (a->status)
        note(n, "the server answers with status %u instead of success", a->status);
    if (a->cut)
        note(n, "an option claims more bytes than the message has; what stands behind it is lost");
    if (a->repeated)
        note(n, "option %u comes more than once, and clients join the parts into one value (RFC 3396)", a->repeated);
    if (!a->winner)
        note(n, "a phone learns no provisioning server from this answer");
}

static bool same_family_other_url(const struct dhcp_answer *a, const struct dhcp_answer *b)
{
    return a->v6 == b->v6 && a->winner && b->winner && !slice_eq(a->winner->url, b->winner->url);
}

size_t dhcp_report_servers(const struct dhcp_result *r, bool v6)
{
    size_t count = 0;
    for (const struct dhcp_answer *a = r->first; a; a = a->next) {
        bool known = a->v6 != v6;
        for (const struct dhcp_answer *b = r->first; b != a; b = b->next)
            known = known || (b->v6 == v6 && b->server == a->server && address_eq(&a->from, &b->from));
        count += !known;
    }
    return count;
}

bool dhcp_report_disagrees(const struct dhcp_result *r)
{
    for (const struct dhcp_answer *a = r->first; a; a = a->next)
        for (const struct dhcp_answer *b = r->first; b != a; b = b->next)
            if (same_family_other_url(a, b))
                return true;
    return false;
}

static void note_all(struct notes *n, const struct dhcp_options *o, const struct dhcp_result *r)
{
    const char *four = dhcp_error_words(r->error4, false), *six = dhcp_error_words(r->error6, true);
    if (o->v4 && four)
        note(n, "IPv4 could not be asked: %s", four);
    if (o->v6 && six)
        note(n, "IPv6 could not be asked: %s", six);
    if (dhcp_report_servers(r, false) > 1)
        note(n, "%zu DHCPv4 servers answer; which one a phone takes is chance", dhcp_report_servers(r, false));
    if (dhcp_report_disagrees(r))
        note(n, "servers name different provisioning servers");
    if (r->dropped)
        note(n, "%zu more answers were not looked at", r->dropped);
    if (!r->first)
        note(n, "no DHCP server answered");
}

/* --- text --- */

static void put_v4(struct buf *out, uint32_t address)
{
    buf_format(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

static const char *kind_of(const struct dhcp_answer *a)
{
    return a->v6 ? "REPLY" : dhcp4_type_name((enum dhcp4_type)a->type);
}

static void print_notes(const struct notes *n, const char *indent, FILE *to)
{
    for (size_t i = 0; i < n->count; i++)
        fprintf(to, "%s! %s\n", indent, n->text[i]);
}

static void print_finding(const struct dhcp_options *o, const struct dhcp_answer *a,
                          const struct option_finding *f, FILE *to)
{
    char bytes[TEXT_BYTES];
    struct buf value = BUF_ON(bytes);
    struct notes n = { .count = 0 };
    buf_escaped(&value, f->verdict == OPTION_INSIDE ? f->url : f->value);
    fprintf(to, "  option %-5u %s%.*s%s%s%s\n", f->code, f->usable ? "" : "\"", SLICE_ARG(buf_slice(&value)),
            f->usable ? "" : "\"", f->verdict == OPTION_INSIDE ? " (in a sub-option)" : "",
            a->winner == f ? "  <- wins" : "");
    note_value(&n, o, f);
    print_notes(&n, "               ", to);
}

void dhcp_report_answer(const struct dhcp_answer *a, struct buf *out)
{
    buf_format(out, "%s from ", kind_of(a));
    address_print_host(&a->from, out);
    if (a->server && a->server != (a->v6 ? 0 : ntohl(a->from.v4.sin_addr.s_addr))) {
        buf_str(out, " for server ");
        put_v4(out, a->server);
    }
    if (a->offered) {
        buf_str(out, a->type == DHCP4_OFFER ? ", offers " : ", gives ");
        put_v4(out, a->offered);
    }
    if (a->times > 1)
        buf_format(out, ", %u times", a->times);
}

static void print_answer(const struct dhcp_options *o, const struct dhcp_answer *a, FILE *to)
{
    char bytes[256];
    struct buf line = BUF_ON(bytes);
    struct notes n = { .count = 0 };
    dhcp_report_answer(a, &line);
    fprintf(to, "%.*s\n", SLICE_ARG(buf_slice(&line)));
    for (size_t i = 0; i < a->count; i++)
        print_finding(o, a, &a->findings[i], to);
    note_answer(&n, a);
    print_notes(&n, "  ", to);
}

bool dhcp_report_text(const struct dhcp_options *o, const struct dhcp_result *r, FILE *to)
{
    char bytes[TEXT_BYTES];
    struct buf url = BUF_ON(bytes);
    struct notes n = { .count = 0 };
    for (const struct dhcp_answer *a = r->first; a; a = a->next)
        print_answer(o, a, to);
    note_all(&n, o, r);
    print_notes(&n, "", to);
    if (r->winner) {
        buf_escaped(&url, r->winner->winner->url);
        fprintf(to, "a phone would ask %.*s (option %u)\n", SLICE_ARG(buf_slice(&url)), r->winner->winner->code);
    } else {
        fprintf(to, "a phone learns no provisioning server here\n");
    }
    return fflush(to) == 0;
}

/* --- JSON --- */

static json_t *json_escaped(struct slice s)
{
    char bytes[TEXT_BYTES];
    struct buf out = BUF_ON(bytes);
    buf_escaped(&out, s);
    return json_stringn(out.ptr, out.len);
}

static json_t *json_notes(const struct notes *n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n->count; i++)
        json_array_append_new(list, json_string(n->text[i]));
    return list;
}

static json_t *json_v4(uint32_t address)
{
    char bytes[32];
    struct buf out = BUF_ON(bytes);
    if (!address)
        return json_null();
    put_v4(&out, address);
    return json_stringn(out.ptr, out.len);
}

static json_t *json_finding(const struct dhcp_options *o, const struct option_finding *f)
{
    struct notes n = { .count = 0 };
    note_value(&n, o, f);
    return json_pack("{si so ss so so so}", "option", (int)f->code, "value", json_escaped(f->value), "verdict",
                     option_verdict_words(f->verdict), "url", f->usable ? json_escaped(f->url) : json_null(),
                     "sub_option", f->verdict == OPTION_INSIDE ? json_integer(f->sub) : json_null(), "notes",
                     json_notes(&n));
}

static json_t *json_answer(const struct dhcp_options *o, const struct dhcp_answer *a)
{
    char bytes[INET6_ADDRSTRLEN + 1];
    struct buf from = BUF_ON(bytes);
    struct notes n = { .count = 0 };
    json_t *findings = json_array();
    address_print_host(&a->from, &from);
    for (size_t i = 0; i < a->count; i++)
        json_array_append_new(findings, json_finding(o, &a->findings[i]));
    note_answer(&n, a);
    return json_pack("{ss si so so so si so so so}", "kind", kind_of(a), "family", a->v6 ? 6 : 4, "from",
                     json_stringn(from.ptr, from.len), "server", json_v4(a->server), "offered", json_v4(a->offered),
                     "times", (int)a->times, "options", findings, "winning_option",
                     a->winner ? json_integer(a->winner->code) : json_null(), "notes", json_notes(&n));
}

static json_t *json_lease(const struct dhcp_result *r)
{
    const struct dhcp4_lease *l = &r->lease.lease;
    if (!r->lease.held)
        return json_null();
    return json_pack("{so so so so sI}", "address", json_v4(l->address), "mask", json_v4(l->mask), "router",
                     json_v4(l->router), "dns", json_v4(l->dns), "seconds", (json_int_t)l->seconds);
}

bool dhcp_report_json(const struct dhcp_options *o, const struct dhcp_result *r, FILE *to)
{
    struct notes n = { .count = 0 };
    json_t *answers = json_array();
    for (const struct dhcp_answer *a = r->first; a; a = a->next)
        json_array_append_new(answers, json_answer(o, a));
    note_all(&n, o, r);
    const struct option_finding *winner = r->winner ? r->winner->winner : NULL;
    json_t *report = json_pack("{ss so so so so so}", "interface", o->interface.name, "answers", answers, "url",
                               winner ? json_escaped(winner->url) : json_null(), "option",
                               winner ? json_integer(winner->code) : json_null(), "lease", json_lease(r), "notes",
                               json_notes(&n));
    bool done = report && json_dumpf(report, to, JSON_INDENT(2)) == 0 && fputc('\n', to) != EOF && fflush(to) == 0;
    json_decref(report);
    return done;
}
