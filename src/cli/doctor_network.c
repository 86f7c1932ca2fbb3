/* dialtone doctor: who else answers phones on this network. Both questions are asked at once, as a phone asks
 * them, and listened to until the end. */
#include "cli/doctor.h"

#include "base/url.h"
#include "cli/dhcp_report.h"
#include "net/datagram.h"
#include "phone/dhcp.h"
#include "phone/pnp_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* A server may ping an address for three seconds before it offers it. */
#define DHCP_LISTEN_MS 6000
/* Who answers PnP more often than that is counted once all the same. */
#define PNP_SERVERS_MAX 32

struct listening {
    struct doctor *doctor;
    struct interface on;
    unsigned open; /* questions that are not over */
    struct pnp_client *pnp;
    struct dhcp_client *dhcp;
    struct dhcp_options asked;
    unsigned pnp_answers;
    bool own_answered; /* this machine by PnP */
    union address servers[PNP_SERVERS_MAX];
    char urls[PNP_SERVERS_MAX][PNP_URL_BYTES_MAX + 1];
};

static void close_one(struct listening *l)
{
    if (--l->open == 0)
        loop_stop(&l->doctor->loop);
}

/* --- PnP --- */

/* An address that a socket of ours can have. */
static bool is_this_machine(const union address *address)
{
    union address host = *address;
    address_set_port(&host, 0);
    int fd = datagram_bind(&host);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_told_already(const struct listening *l, const union address *from, const char *url)
{
    for (unsigned i = 0; i < l->pnp_answers; i++)
        if (address_eq(&l->servers[i], from) && slice_eq(slice_str(l->urls[i]), slice_str(url)))
            return true;
    return false;
}

static void say_pnp(struct doctor *d, const char *who, const char *url, bool own)
{
    struct doctor_about a = {
        own ? DOCTOR_FINE : DOCTOR_WARNING, "pnp", who,
        "switch that PnP server off, or let it tell the URL that is meant: phones take the first answer,"
        " and PnP goes before DHCP and before their flash",
        GUIDE_CONFIGURED
    };
    if (!own && d->configured && d->loaded.config.pnp_enable)
        a.severity = DOCTOR_ERROR;
    doctor_find(d, &a, "%s answers phones by PnP with %s", own ? "this machine" : "another server", url);
}

static void on_pnp_heard(void *context, const union address *from, struct slice url)
{
    struct listening *l = context;
    char who_bytes[96], shown_bytes[URL_BYTES_MAX], text[PNP_URL_BYTES_MAX + 1];
    struct buf who = BUF_ON(who_bytes), shown = BUF_ON(shown_bytes);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(url));
    if (l->pnp_answers == PNP_SERVERS_MAX || is_told_already(l, from, text))
        return;
    l->servers[l->pnp_answers] = *from;
    snprintf(l->urls[l->pnp_answers++], sizeof text, "%s", text);
    address_print(from, &who);
    buf_terminate(&who);
    url_print_public(url, &shown);
    buf_terminate(&shown);
    bool own = is_this_machine(from);
    l->own_answered = l->own_answered || own;
    say_pnp(l->doctor, who_bytes, shown_bytes, own);
    doctor_add_url(l->doctor, url, SLICE("PnP"));
}

static void on_pnp_done(void *context, const struct pnp_client_result *r)
{
    struct listening *l = context;
    struct doctor *d = l->doctor;
    struct doctor_about a = { DOCTOR_ERROR, "pnp", l->on.name,
                              "look at pnp.interfaces and at the firewall (UDP port 5060, group " PNP_GROUP_HOST
                              ")",
                              GUIDE_REACHABLE };
    l->pnp = NULL;
    if (d->pnp_runs && !l->own_answered)
        doctor_find(d, &a, "the server runs on this machine and does not answer here");
    else if (!l->pnp_answers)
        doctor_say(d, DOCTOR_NOTE, "pnp", l->on.name, "%s", r->why);
    close_one(l);
}

static void ask_pnp(struct listening *l)
{
    struct doctor *d = l->doctor;
    struct pnp_client_options o = { .id = &d->id, .timeout_ms = d->wait_ms, .heard = on_pnp_heard };
    o.local = (union address){ .v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(l->on.address) } };
    int error = l->on.address ? pnp_client_start(&d->loop, &o, on_pnp_done, l, &l->pnp) : -EADDRNOTAVAIL;
    if (!error)
        l->open++;
    else
        doctor_find(d,
                    &(struct doctor_about){ DOCTOR_WARNING, "pnp", l->on.name, "give the interface an address",
                                            GUIDE_REACHABLE },
                    "it could not be asked who answers: %s", dhcp_error_words(error, false));
}

/* --- DHCP --- */

static void say_answer(struct doctor *d, const struct dhcp_answer *a)
{
    char line_bytes[256], url_bytes[URL_BYTES_MAX];
    struct buf line = BUF_ON(line_bytes), url = BUF_ON(url_bytes);
    dhcp_report_answer(a, &line);
    buf_terminate(&line);
    struct doctor_about about = { DOCTOR_FINE, "dhcp", line_bytes, NULL, GUIDE_DHCP };
    if (a->winner) {
        url_print_public(a->winner->url, &url);
        doctor_find(d, &about, "phones take %.*s from option %u", SLICE_ARG(buf_slice(&url)), a->winner->code);
        return;
    }
    about.severity = DOCTOR_NOTE;
    doctor_find(d, &about,
                "phones learn no provisioning server from it; `dialtone dhcp snippet` prints what it wants");
}

static void say_disagreement(struct doctor *d, const struct listening *l, const struct dhcp_result *r)
{
    size_t servers = dhcp_report_servers(r, false);
    struct doctor_about a = { DOCTOR_WARNING, "dhcp", l->on.name,
                              "leave one of them; `dialtone dhcp probe` shows all that they say", GUIDE_DHCP };
    if (dhcp_report_disagrees(r)) {
        a.severity = DOCTOR_ERROR;
        doctor_find(d, &a,
                    "DHCP servers name different provisioning servers; which one a phone takes is chance");
    } else if (servers > 1) {
        doctor_find(d, &a, "%zu DHCPv4 servers answer; which one a phone takes is chance", servers);
    }
}

static void on_dhcp_done(void *context, const struct dhcp_result *r)
{
    struct listening *l = context;
    struct doctor *d = l->doctor;
    const char *why = dhcp_error_words(r->error4, false);
    struct doctor_about a = { DOCTOR_NOTE, "dhcp", l->on.name, "do what it says", GUIDE_DHCP };
    for (const struct dhcp_answer *one = r->first; one; one = one->next)
        say_answer(d, one);
    say_disagreement(d, l, r);
    if (why)
        doctor_find(d, &a, "IPv4 could not be asked: %s", why);
    else if (!r->first)
        doctor_find(d, &a, "no DHCP server answered: phones here have static addresses, or none");
    if (r->winner)
        doctor_add_url(d, r->winner->winner->url, SLICE("DHCP"));
    close_one(l);
}

static void ask_dhcp(struct listening *l)
{
    struct doctor *d = l->doctor;
    l->asked = (struct dhcp_options){ .interface = l->on,
                                      .mode = DHCP_PROBE,
                                      .v4 = true,
                                      .v6 = true,
                                      .mac = d->id.mac,
                                      .vendor_class = SLICE("yealink"),
                                      .collect = true,
                                      .wait_ms = d->wait_ms ? d->wait_ms : DHCP_LISTEN_MS };
    int error = dhcp_client_start(&d->loop, &l->asked, on_dhcp_done, l, &l->dhcp);
    if (!error)
        l->open++;
    else
        doctor_find(d,
                    &(struct doctor_about){ DOCTOR_WARNING, "dhcp", l->on.name, "do what it says", GUIDE_DHCP },
                    "it could not be asked who answers: %s", dhcp_error_words(error, false));
}

void doctor_network(struct doctor *d)
{
    struct listening l = { .doctor = d };
    int error = d->interface ? interface_find(slice_str(d->interface), &l.on) : interface_first(&l.on);
    struct doctor_about a = { d->interface ? DOCTOR_ERROR : DOCTOR_WARNING, "network",
                              d->interface ? d->interface : "interfaces",
                              "-i names the interface towards the phones; --no-probe asks nothing",
                              GUIDE_REACHABLE };
    if (!error && !l.on.up)
        error = -ENETDOWN;
    if (error) {
        doctor_find(d, &a, "%s", d->interface ? dhcp_error_words(error, false) : "no Ethernet interface is up");
        return;
    }
    ask_pnp(&l);
    ask_dhcp(&l);
    if (l.open)
        loop_run(&d->loop);
    dhcp_client_stop(l.dhcp);
}
