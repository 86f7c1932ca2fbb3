/* dialtone doctor: this machine. */
#include "cli/doctor.h"

#include "cli/port_owner.h"
#include "net/datagram.h"
#include "net/multicast.h"
#include "phone/pnp.h"
#include "server/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* 2024-01-01: before this program was there. */
#define CLOCK_SANE_S 1704067200

/* --- configuration --- */

static void look_at_configuration(struct doctor *d)
{
    static const enum doctor_severity severities[] = {
        [SEVERITY_NOTE] = DOCTOR_NOTE, [SEVERITY_WARNING] = DOCTOR_WARNING, [SEVERITY_ERROR] = DOCTOR_ERROR
    };
    char bytes[512];
    for (const struct finding *f = d->loaded.findings.first; f; f = f->next) {
        struct buf about = BUF_ON(bytes);
        buf_text(&about, f->file);
        if (f->line)
            buf_format(&about, ":%u", f->line);
        buf_terminate(&about);
        doctor_find(d,
                    &(struct doctor_about){ severities[f->severity], "config", bytes,
                                            "correct it; `dialtone serve"
                                            " --check-config` says the same",
                                            GUIDE_SET_UP },
                    "%.*s", SLICE_ARG(f->text));
    }
    if (!d->loaded.findings.first)
        doctor_say(d, DOCTOR_FINE, "config", d->words.file ? d->words.file : "command line",
                   "nothing is wrong with it");
}

/* --- ports --- */

static void say_taken(struct doctor *d, const struct serve_place *p, const char *about)
{
    struct port_owner owner = { .pid = 0 };
    bool known = port_owner_find(p->socket_type, &p->address, &owner) && owner.pid;
    struct doctor_about a = { DOCTOR_ERROR, "port", about, "end that program, or give the server another port",
                              GUIDE_SET_UP };
    if (known && slice_eq(slice_str(owner.name), SLICE("dialtone")) &&
        slice_eq(slice_str(owner.verb), SLICE("serve"))) {
        a.severity = DOCTOR_NOTE;
        d->pnp_runs = d->pnp_runs || p->protocol == PROTOCOL_PNP;
        doctor_find(d, &a, "taken by dialtone, process %u: the server runs already", owner.pid);
    } else if (known) {
        doctor_find(d, &a, "taken by %s, process %u", owner.name, owner.pid);
    } else {
        doctor_find(d, &a, "taken by a program that this user may not see");
    }
}

static void look_at_port(struct doctor *d, const struct serve_place *p)
{
    char bytes[128];
    struct buf out = BUF_ON(bytes);
    buf_format(&out, "%s ", p->key);
    address_print(&p->address, &out);
    buf_terminate(&out);
    struct doctor_about a = { DOCTOR_ERROR, "port", bytes, NULL, GUIDE_SET_UP };
    if (p->error == -EADDRINUSE) {
        say_taken(d, p, bytes);
    } else if (p->error == -EACCES) {
        a.todo = "start the server as root or with CAP_NET_BIND_SERVICE, or give it a port from 1024 on";
        doctor_find(d, &a, "this user may not have it");
    } else if (p->error == -EADDRNOTAVAIL) {
        a.todo = "correct listen: addresses of this machine, or * for all";
        doctor_find(d, &a, "this machine does not have that address");
    } else if (p->error) {
        doctor_find(d, &a, "%s", strerror(-p->error));
    } else if (p->fallback) {
        a.severity = DOCTOR_WARNING;
        a.todo = "start the server as root or with CAP_NET_BIND_SERVICE, or name the port in the URL that "
                 "phones get";
        doctor_find(
            d, &a,
            "free, but phones ask port %u unless their URL says otherwise, and this user may not have that",
            p->usual_port);
    } else {
        a.severity = DOCTOR_FINE;
        doctor_find(d, &a, address_port(&p->address) ? "free" : "any free port is taken");
    }
}

static void look_at_ports(struct doctor *d)
{
    static struct serve_place places[SERVE_PLACES_MAX];
    size_t count = serve_places(&d->loaded.config, places);
    for (size_t i = 0; i < count; i++)
        look_at_port(d, &places[i]);
    if (count == 0)
        doctor_find(d,
                    &(struct doctor_about){ DOCTOR_ERROR, "port", "listen",
                                            "switch a protocol on: tftp.enable, http.enable,"
                                            " ftp.enable",
                                            GUIDE_SET_UP },
                    "no protocol is served");
}

/* --- multicast --- */

struct membership {
    struct doctor *doctor;
    size_t joined;
    struct slice names; /* that were asked for and have not come */
};

static void on_changed(void *context, struct slice interface, bool joined, int error)
{
    struct membership *m = context;
    char name[MULTICAST_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(interface));
    m->joined += joined;
    struct doctor_about a = { DOCTOR_FINE, "multicast", name, "look whether the interface can multicast",
                              GUIDE_REACHABLE };
    if (joined) {
        doctor_find(m->doctor, &a, PNP_GROUP_HOST " can be joined: PnP requests of phones are heard there");
    } else if (error) {
        a.severity = DOCTOR_ERROR;
        doctor_find(m->doctor, &a, PNP_GROUP_HOST " cannot be joined: %s", strerror(-error));
    }
}

static void on_left(void *context)
{
    loop_stop(context);
}

static void look_for_names(struct doctor *d)
{
    struct slice rest = d->loaded.config.pnp_interfaces, one;
    char name[MULTICAST_NAME_BYTES + 1];
    while (slice_cut(&rest, ',', &one)) {
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(slice_trim(one)));
        if (name[0] && if_nametoindex(name) == 0)
            doctor_find(d,
                        &(struct doctor_about){ DOCTOR_ERROR, "multicast", name,
                                                "correct pnp.interfaces, or plug it in", GUIDE_REACHABLE },
                        "there is no such interface");
    }
}

/* Members there are already: a server that runs, or somebody else's. */
static void look_for_members(struct doctor *d)
{
    char wanted[16], name[64] = "";
    char *line = NULL;
    size_t cap = 0;
    FILE *file = fopen("/proc/net/igmp", "re");
    snprintf(wanted, sizeof wanted, "%08X", inet_addr(PNP_GROUP_HOST));
    while (file && getline(&line, &cap, file) > 0) {
        struct slice text = slice_str(line), index;
        if (byte_is_digit(line[0]) && slice_cut(&text, '\t', &index))
            snprintf(name, sizeof name, "%.*s", SLICE_ARG(slice_first(text, slice_find(text, ' '))));
        else if (slice_starts(slice_trim(text), slice_str(wanted)))
            doctor_say(d, DOCTOR_NOTE, "multicast", name,
                       "a program here is a member of " PNP_GROUP_HOST " already");
    }
    free(line);
    if (file)
        fclose(file);
}

static void look_at_multicast(struct doctor *d)
{
    struct membership m = { .doctor = d };
    union address any = { .v4 = { .sin_family = AF_INET } };
    int fd = datagram_bind(&any);
    struct multicast_options options = { .socket = fd,
                                         .interfaces = d->loaded.config.pnp_interfaces,
                                         .changed = on_changed,
                                         .context = &m,
                                         .group.s_addr = inet_addr(PNP_GROUP_HOST) };
    struct multicast *multicast;
    int error = fd < 0 ? fd : multicast_open(&d->loop, &options, &multicast);
    if (!error) {
        multicast_close(multicast, on_left, &d->loop);
        loop_run(&d->loop);
    }
    if (fd >= 0)
        close(fd);
    struct doctor_about a = { DOCTOR_ERROR, "multicast", "pnp.interfaces",
                              "switch an interface on that can multicast", GUIDE_REACHABLE };
    if (error)
        doctor_find(d, &a, "%s", strerror(-error));
    else if (m.joined == 0)
        doctor_find(d, &a, "phones' PnP requests are heard on no interface");
}

/* --- clock --- */

static void look_at_clock(struct doctor *d)
{
    struct timex t = { .modes = 0 };
    time_t now = time(NULL);
    struct tm utc;
    char text[64] = "";
    if (gmtime_r(&now, &utc))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    struct doctor_about a = { DOCTOR_FINE, "clock", text,
                              "set it, and keep it by NTP: certificates and weekly updates go by it",
                              GUIDE_SET_UP };
    if (now < CLOCK_SANE_S) {
        a.severity = DOCTOR_ERROR;
        doctor_find(d, &a, "that is long past");
    } else if (adjtimex(&t) == TIME_ERROR) {
        a.severity = DOCTOR_WARNING;
        doctor_find(d, &a, "nothing keeps it right: the kernel knows of no synchronisation");
    } else {
        doctor_find(d, &a, "synchronised");
    }
}

void doctor_here(struct doctor *d)
{
    look_at_clock(d);
    if (!d->configured) {
        doctor_say(
            d, DOCTOR_NOTE, "config", "none",
            "--config, --root and -o name the server's; without them only network and URLs are looked at");
        return;
    }
    look_at_configuration(d);
    look_at_ports(d);
    if (!d->loaded.config.pnp_enable)
        return;
    look_for_names(d);
    look_at_multicast(d);
    look_for_members(d);
}
