#include "proto/sip_inside.h"

static const struct {
    uint16_t status;
    const char *reason;
} reasons[] = {
    { 100, "Trying" },
    { 200, "OK" },
    { 202, "Accepted" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 413, "Request Entity Too Large" },
    { 415, "Unsupported Media Type" },
    { 420, "Bad Extension" },
    { 423, "Interval Too Brief" },
    { 480, "Temporarily Unavailable" },
    { 481, "Call/Transaction Does Not Exist" },
    { 486, "Busy Here" },
    { 489, "Bad Event" },
    { 500, "Server Internal Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "Version Not Supported" },
};

struct slice sip_reason(uint16_t status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return slice_str(reasons[i].reason);
    return SLICE_NONE;
}

static void put(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]) && text.ptr[i] != '\t')
            out->full = true;
    buf_text(out, text);
}

static void put_line(struct buf *out, struct slice name, struct slice value)
{
    put(out, name);
    buf_str(out, ": ");
    put(out, value);
    buf_str(out, "\r\n");
}

void sip_put_field(struct buf *out, enum sip_field field, struct slice value)
{
    put_line(out, sip_field_name(field), value);
}

void sip_put_number(struct buf *out, enum sip_field field, uint32_t value)
{
    put(out, sip_field_name(field));
    buf_format(out, ": %u\r\n", value);
}

void sip_put_request(struct buf *out, const struct sip_request *r)
{
    sip_put_request_by(out, SLICE("UDP"), r);
}

void sip_put_request_by(struct buf *out, struct slice transport, const struct sip_request *r)
{
    put(out, sip_method_name(r->method));
    buf_byte(out, ' ');
    put(out, r->uri);
    buf_str(out, " SIP/2.0\r\nVia: SIP/2.0/");
    put(out, transport);
    buf_byte(out, ' ');
    put(out, r->sent_by);
    buf_str(out, ";branch=");
    put(out, r->branch);
    buf_str(out, "\r\n");
    sip_put_field(out, SIP_FIELD_FROM, r->from);
    sip_put_field(out, SIP_FIELD_TO, r->to);
    sip_put_field(out, SIP_FIELD_CALL_ID, r->call_id);
    buf_format(out, "CSeq: %u ", r->cseq);
    put(out, sip_method_name(r->method));
    buf_str(out, "\r\n");
    if (r->contact.len)
        sip_put_field(out, SIP_FIELD_CONTACT, r->contact);
    sip_put_number(out, SIP_FIELD_MAX_FORWARDS, 70);
}

/* Parameters but those that the receiver of a request fills in. */
static void put_via_params(struct buf *out, struct slice params)
{
    struct slice one;
    while (slice_cut(&params, ';', &one)) {
        struct slice name = slice_trim(slice_first(one, slice_find(one, '=')));
        if (!name.len || slice_eq_nocase(name, SLICE("received")) || slice_eq_nocase(name, SLICE("rport")))
            continue;
        buf_byte(out, ';');
        put(out, slice_trim(one));
    }
}

static void put_top_via(struct buf *out, const struct sip_message *m, const struct sip_source *source)
{
    struct slice value = m->field[SIP_FIELD_VIA], top = sip_first_element(value);
    struct slice sent_by = slice_first(top, slice_find(top, ';'));
    buf_str(out, "Via: ");
    put(out, slice_trim(sent_by));
    put_via_params(out, slice_from(top, sent_by.len));
    if (m->via.has_rport || !slice_eq_nocase(m->via.host, source->host)) {
        buf_str(out, ";received=");
        put(out, source->host);
    }
    if (m->via.has_rport)
        buf_format(out, ";rport=%u", source->port);
    put(out, slice_from(value, (size_t)(top.ptr + top.len - value.ptr)));
    buf_str(out, "\r\n");
}

static void put_vias(struct buf *out, const struct sip_message *m, const struct sip_source *source)
{
    bool first = source->host.len > 0;
    for (size_t i = 0; i < m->line_count; i++) {
        if (m->lines[i].field != SIP_FIELD_VIA)
            continue;
        if (first)
            put_top_via(out, m, source);
        else
            sip_put_field(out, SIP_FIELD_VIA, m->lines[i].value);
        first = false;
    }
}

void sip_put_answer(struct buf *out, const struct sip_message *request, uint16_t status, struct slice to_tag,
                    const struct sip_source *source)
{
    buf_format(out, "SIP/2.0 %u ", status);
    put(out, sip_reason(status));
    buf_str(out, "\r\n");
    put_vias(out, request, source);
    sip_put_field(out, SIP_FIELD_FROM, request->field[SIP_FIELD_FROM]);
    put(out, sip_field_name(SIP_FIELD_TO));
    buf_str(out, ": ");
    put(out, request->field[SIP_FIELD_TO]);
    if (!request->to.tag.ptr && to_tag.len) {
        buf_str(out, ";tag=");
        put(out, to_tag);
    }
    buf_str(out, "\r\n");
    sip_put_field(out, SIP_FIELD_CALL_ID, request->field[SIP_FIELD_CALL_ID]);
    sip_put_field(out, SIP_FIELD_CSEQ, request->field[SIP_FIELD_CSEQ]);
}

void sip_put_end(struct buf *out, struct slice type, struct slice body)
{
    if (body.len && type.len)
        sip_put_field(out, SIP_FIELD_CONTENT_TYPE, type);
    buf_format(out, "Content-Length: %zu\r\n\r\n", body.len);
    buf_text(out, body);
}

void sip_print(const struct sip_message *m, struct buf *out)
{
    if (m->status) {
        buf_format(out, "SIP/2.0 %u ", m->status);
        put(out, m->reason);
    } else {
        put(out, m->method_text);
        buf_byte(out, ' ');
        put(out, m->target.text);
        buf_str(out, " SIP/2.0");
    }
    buf_str(out, "\r\n");
    for (size_t i = 0; i < m->line_count; i++) {
        const struct sip_line *l = &m->lines[i];
        if (l->field != SIP_FIELD_CONTENT_LENGTH)
            put_line(out, l->field == SIP_FIELD_COUNT ? l->name : sip_field_name(l->field), l->value);
    }
    sip_put_end(out, SLICE_NONE, m->body);
}
