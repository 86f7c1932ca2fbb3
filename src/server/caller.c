#include "server/caller.h"

#include "server/users.h"

bool caller_mac(const struct caller *c, struct mac *ret_mac)
{
    if (!c->certificate)
        return c->user && mac_parse(c->user->name, ret_mac);
    *ret_mac = *c->certificate;
    return true;
}

void caller_note_certificate(const struct stream *s, struct journal_event *e)
{
    char bytes[80];
    struct buf name = BUF_ON(bytes);
    const char *why = NULL;
    e->certificate = JOURNAL_CERTIFICATE_NONE;
    switch (stream_peer(s, &name, &why)) {
    case TLS_PEER_NONE:
        break;
    case TLS_PEER_BAD:
        e->certificate = JOURNAL_CERTIFICATE_BAD;
        e->reason = why;
        break;
    case TLS_PEER_GOOD:
        e->certificate = mac_parse(buf_slice(&name), &e->certificate_mac) ? JOURNAL_CERTIFICATE_MAC
                                                                         : JOURNAL_CERTIFICATE_GENERIC;
        break;
    }
}

bool caller_claims(const struct caller *c, struct mac *ret_mac)
{
    if (caller_mac(c, ret_mac))
        return true;
    if (!c->agent)
        return false;
    *ret_mac = *c->agent;
    return true;
}
