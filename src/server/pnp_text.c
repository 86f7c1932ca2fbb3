#include "server/pnp_text.h"

static void put_own_contact(struct buf *out, const struct pnp_dialog *d)
{
    buf_str(out, "<sip:");
    address_print(d->own, out);
    buf_byte(out, '>');
}

bool pnp_put_answer(struct buf *out, const struct pnp_dialog *d)
{
    char host[64], tag[24], contact[80];
    struct buf h = BUF_ON(host), t = BUF_ON(tag), c = BUF_ON(contact);
    address_print_host(d->peer, &h);
    buf_format(&t, "%016llx", (unsigned long long)d->tag);
    put_own_contact(&c, d);
    struct sip_source source = { buf_slice(&h), address_port(d->peer) };
    sip_put_answer(out, d->subscribe, 200, buf_slice(&t), &source);
    sip_put_field(out, SIP_FIELD_CONTACT, buf_slice(&c));
    sip_put_number(out, SIP_FIELD_EXPIRES, 0);
    sip_put_end(out, SLICE_NONE, SLICE_NONE);
    return buf_ok(out) && buf_ok(&h) && buf_ok(&t) && buf_ok(&c);
}

/* Where it is sent does not depend on this: always to the packet's source (security.md R17). */
static void put_target(struct buf *out, const struct pnp_dialog *d)
{
    if (d->subscribe->contact.text.len) {
        buf_text(out, d->subscribe->contact.text);
        return;
    }
    buf_str(out, "sip:");
    address_print(d->peer, out);
}

/* The SUBSCRIBE's To, as the other side knows it: with our tag. */
static void put_from(struct buf *out, const struct pnp_dialog *d)
{
    buf_text(out, d->subscribe->field[SIP_FIELD_TO]);
    if (!d->subscribe->to.tag.ptr)
        buf_format(out, ";tag=%016llx", (unsigned long long)d->tag);
}

bool pnp_put_notify(struct buf *out, const struct pnp_dialog *d, struct slice url)
{
    char own[64], branch[32], contact[80], target[PNP_SUBSCRIBE_BYTES_MAX], from[PNP_SUBSCRIBE_BYTES_MAX];
    struct buf o = BUF_ON(own), b = BUF_ON(branch), c = BUF_ON(contact), t = BUF_ON(target), f = BUF_ON(from);
    address_print(d->own, &o);
    buf_format(&b, SIP_BRANCH_COOKIE "%016llx", (unsigned long long)d->branch);
    put_own_contact(&c, d);
    put_target(&t, d);
    put_from(&f, d);
    struct sip_request r = { SIP_METHOD_NOTIFY, buf_slice(&t), buf_slice(&o), buf_slice(&b), buf_slice(&f),
                             d->subscribe->field[SIP_FIELD_FROM], d->subscribe->field[SIP_FIELD_CALL_ID],
                             d->subscribe->cseq + 1, buf_slice(&c) };
    sip_put_request(out, &r);
    sip_put_field(out, SIP_FIELD_SUBSCRIPTION_STATE, SLICE("terminated;reason=noresource"));
    sip_put_field(out, SIP_FIELD_EVENT, SLICE("ua-profile"));
    sip_put_end(out, SLICE("application/url"), url);
    return buf_ok(out) && buf_ok(&o) && buf_ok(&b) && buf_ok(&c) && buf_ok(&t) && buf_ok(&f);
}
