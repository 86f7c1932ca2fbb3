#include "server/ftp_verbs.h"

/* The address that the client has reached us by. */
static bool find_own_address(const struct ftp_session *s, union address *ret_address)
{
    const union address *at = &s->service->at;
    bool any = at->sa.sa_family != AF_INET || at->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    if (any)
        return stream_local_address(&s->control, ret_address) == 0;
    *ret_address = *at;
    return true;
}

void ftp_open_pasv(struct ftp_session *s, struct slice argument)
{
    union address local;
    (void)argument;
    if (s->epsv_all) {
        ftp_session_reply(s, 503, "EPSV ALL was said.");
    } else if (s->peer.sa.sa_family != AF_INET) {
        ftp_session_reply(s, 425, "PASV is for IPv4: say EPSV.");
    } else {
        uint16_t port = ftp_data_listen(s);
        struct buf out = ftp_session_out(s);
        if (!port || !find_own_address(s, &local)) {
            ftp_session_reply(s, 425, "No data port is free: try again.");
            return;
        }
        ftp_put_passive(&out, (const uint8_t *)&local.v4.sin_addr, port);
        ftp_session_said(s, &out);
    }
}

static unsigned family_of(const struct ftp_session *s)
{
    return s->peer.sa.sa_family == AF_INET ? 1 : 2;
}

static void wrong_family(struct ftp_session *s)
{
    ftp_session_reply(s, 522,
                      family_of(s) == 1 ? "Network protocol not supported, use (1)."
                                        : "Network protocol not supported, use (2).");
}

void ftp_open_epsv(struct ftp_session *s, struct slice argument)
{
    struct ftp_epsv asked;
    if (!ftp_parse_epsv(argument, &asked)) {
        ftp_session_reply(s, 501, "EPSV, EPSV 1, EPSV 2 or EPSV ALL.");
    } else if (asked.all) {
        s->epsv_all = true;
        ftp_session_reply(s, 200, "EPSV only from now on.");
    } else if (asked.family && asked.family != family_of(s)) {
        wrong_family(s);
    } else {
        uint16_t port = ftp_data_listen(s);
        struct buf out = ftp_session_out(s);
        if (port)
            ftp_put_extended_passive(&out, port);
        else
            ftp_put_reply(&out, 425, "No data port is free: try again.");
        ftp_session_said(s, &out);
    }
}

/* Where PORT and EPRT may lead: back to who asks, and to no port of the system's (security.md R7). */
static void set_active(struct ftp_session *s, const union address *to)
{
    if (!s->service->worker->config->ftp_active) {
        ftp_session_reply(s, 502, "Passive mode only: say PASV or EPSV.");
    } else if (!address_same_host(to, &s->peer) || address_port(to) < FTP_DATA_PORT_MIN) {
        ftp_session_reply(s, 504, "Only to your own address, and to no port below 1024.");
    } else {
        ftp_data_drop(s);
        s->active_port = address_port(to);
        ftp_session_reply(s, 200, "Good.");
    }
}

void ftp_open_port(struct ftp_session *s, struct slice argument)
{
    uint8_t host[4];
    uint16_t number;
    if (s->epsv_all) {
        ftp_session_reply(s, 503, "EPSV ALL was said.");
    } else if (!ftp_parse_port(argument, host, &number)) {
        ftp_session_reply(s, 501, "PORT takes six numbers of 0 to 255.");
    } else {
        union address to = { .v4 = { .sin_family = AF_INET } };
        memcpy(&to.v4.sin_addr, host, sizeof host);
        address_set_port(&to, number);
        set_active(s, &to);
    }
}

void ftp_open_eprt(struct ftp_session *s, struct slice argument)
{
    struct ftp_endpoint asked;
    union address to;
    if (s->epsv_all) {
        ftp_session_reply(s, 503, "EPSV ALL was said.");
    } else if (!ftp_parse_eprt(argument, &asked)) {
        ftp_session_reply(s, 501, "EPRT |family|address|port|.");
    } else if (asked.family != family_of(s)) {
        wrong_family(s);
    } else if (!address_parse(asked.host, asked.port, &to)) {
        ftp_session_reply(s, 501, "That is no address.");
    } else {
        /* A link's number cannot be written there. */
        if (to.sa.sa_family == AF_INET6 && s->peer.sa.sa_family == AF_INET6)
            to.v6.sin6_scope_id = s->peer.v6.sin6_scope_id;
        set_active(s, &to);
    }
}
