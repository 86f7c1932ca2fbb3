/* dialtone doctor: what a phone gets from each URL that phones are told: a phone of its own runs the procedure
 * there once, with empty flash, and what it meets is told. */
#include "cli/doctor.h"

#include "base/url.h"
#include "phone/fetch.h"
#include "phone/phone.h"

#include <stdio.h>
#include <string.h>

/* The waits between tries are nobody's here. */
#define TIME_SCALE 1000

struct visit {
    struct doctor *doctor;
    const char *about; /* the URL, public, and who tells it */
    bool failed;       /* a file has said why */
};

/* What went wrong, by the words that phone/fetch.h has for it. */
static const struct {
    struct slice words;
    enum doctor_guide guide;
    const char *todo;
} troubles[] = {
    { { "certificate", 11 },
      GUIDE_TRUST,
      "import the certificate of its authority into the phones, or give the server one that"
      " phones trust; --trusted FILE tries it" },
    { { "user name", 9 },
      GUIDE_CREDENTIALS,
      "set static.auto_provision.server.username and .password, or put them into the URL" },
    { { "refused", 7 }, GUIDE_REACHABLE, "start the server there, or correct the port of the URL" },
    { { "host name", 9 }, GUIDE_URL, "correct the host of the URL, or the DNS" },
    { { "no TLS", 6 }, GUIDE_URL, "look whether it is the port for HTTPS" },
    { { "not of this protocol", 20 }, GUIDE_URL, "look whether scheme and port of the URL go together" },
    { { "HTTP 404", 8 },
      GUIDE_EXIST,
      "put a boot file or CFG file there, or correct the directory of the URL" },
    { { "HTTP 5", 6 }, GUIDE_SET_UP, "look into the server's own log" },
};
static const char other_todo[] = "look whether the server runs and a firewall lets phones through";

static void say_trouble(struct visit *v, struct slice why, const char *what)
{
    struct doctor_about a = { DOCTOR_ERROR, "url", v->about, other_todo, GUIDE_REACHABLE };
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        if (slice_find_text(why, troubles[i].words) == why.len)
            continue;
        a.guide = troubles[i].guide;
        a.todo = troubles[i].todo;
        break;
    }
    doctor_find(v->doctor, &a, "%s: %.*s", what, SLICE_ARG(why));
    v->failed = true;
}

static void name_of(struct slice url, char name[256])
{
    struct url u;
    struct slice last = url_parse(url, &u) ? url_last_segment(&u) : SLICE_NONE;
    snprintf(name, 256, "%.*s", SLICE_ARG(last));
}

static void on_file(void *context, const struct report_file *f)
{
    struct visit *v = context;
    char name[256];
    name_of(f->url, name);
    if (f->outcome == FILE_FAILED || f->outcome == FILE_REFUSED)
        say_trouble(v, f->why, name);
    else if (f->outcome == FILE_ABSENT)
        doctor_say(v->doctor, DOCTOR_NOTE, "url", v->about, "%s (%s) is not there: %.*s", name,
                   name_kind_words(f->kind), SLICE_ARG(f->why));
    else if (f->outcome == FILE_USED)
        doctor_say(v->doctor, DOCTOR_FINE, "url", v->about, "%s (%s) comes, %zu bytes", name,
                   name_kind_words(f->kind), f->size);
}

static void on_resource(void *context, const struct report_resource *r)
{
    struct visit *v = context;
    char bytes[URL_BYTES_MAX];
    struct buf url = BUF_ON(bytes);
    url_print_public(r->url, &url);
    if (r->outcome == FILE_FAILED || r->outcome == FILE_REFUSED || r->outcome == FILE_ABSENT)
        doctor_find(v->doctor,
                    &(struct doctor_about){ DOCTOR_WARNING, "url", v->about,
                                            "put it there, or correct the parameter", GUIDE_EXIST },
                    "%.*s, which %.*s asks for, is not to be had: %.*s", SLICE_ARG(buf_slice(&url)),
                    SLICE_ARG(r->key), SLICE_ARG(r->why));
}

static void say_nothing_there(struct visit *v, const struct report *r)
{
    bool named = v->doctor->named;
    struct doctor_about a = { named ? DOCTOR_ERROR : DOCTOR_WARNING, "url", v->about,
                              "put a boot file or CFG file there, or correct the directory of the URL",
                              GUIDE_EXIST };
    doctor_find(v->doctor, &a, "%.*s would not be provisioned: %.*s%s", SLICE_ARG(v->doctor->id.model->product),
                SLICE_ARG(r->why), named ? "" : "; --mac, --model and --firmware name a phone of yours");
}

static void on_done(void *context, const struct report *r)
{
    struct visit *v = context;
    const char *how = mechanism_name(r->mechanism);
    if (r->outcome == RUN_FAILED && !v->failed)
        say_nothing_there(v, r);
    else if (r->outcome != RUN_FAILED)
        doctor_say(v->doctor, DOCTOR_FINE, "url", v->about, "a %.*s is provisioned there (%s), %zu settings",
                   SLICE_ARG(v->doctor->id.model->product), how ? how : "firmware", r->applied);
    loop_stop(&v->doctor->loop);
}

static void try_url(struct doctor *d, struct transport *transport, const struct doctor_url *url)
{
    char bytes[URL_BYTES_MAX + 64];
    struct buf about = BUF_ON(bytes);
    struct flash flash;
    url_print_public(url->url, &about);
    buf_format(&about, " (%.*s)", SLICE_ARG(url->told_by));
    buf_terminate(&about);
    struct visit v = { .doctor = d, .about = bytes };
    struct phone_options options = { .id = d->id, .server = url->url, .time_scale = TIME_SCALE };
    struct phone_watch watch = { .file = on_file, .resource = on_resource, .done = on_done, .context = &v };
    int error = flash_open_chip(&flash, d->id.mac);
    struct phone *phone = error ? NULL : phone_new(&d->loop, transport, &flash, &options, &watch);
    const char *why = phone ? phone_power_on(phone) : "out of memory";
    if (why)
        say_trouble(&v, slice_str(why), "nothing was asked");
    else
        loop_run(&d->loop);
    phone_free(phone);
    if (!error)
        flash_close(&flash);
}

static void say_who(struct doctor *d)
{
    char bytes[64], version[64];
    struct buf mac = BUF_ON(bytes), firmware = BUF_ON(version);
    mac_print_colons(d->id.mac, &mac);
    buf_terminate(&mac);
    firmware_print(d->id.firmware, &firmware);
    doctor_say(d, DOCTOR_NOTE, "phone", bytes, "URLs are tried as a %.*s with firmware %.*s%s",
               SLICE_ARG(d->id.model->product), SLICE_ARG(buf_slice(&firmware)),
               d->named ? "" : "; --mac, --model and --firmware name a phone of yours");
}

static int open_transport(struct doctor *d, struct trust **ret_trust, struct transport **ret_transport)
{
    char bytes[4500];
    struct buf why = BUF_ON(bytes);
    const struct trust_files files = { .trusted = d->trusted };
    int error = trust_open(&files, &why, ret_trust);
    if (!error)
        error = fetch_open(&d->loop, ret_transport);
    if (error)
        doctor_find(d,
                    &(struct doctor_about){ DOCTOR_ERROR, "url", d->trusted ? d->trusted : "transport",
                                            "correct --trusted", GUIDE_TRUST },
                    "%.*s", SLICE_ARG(why.len ? buf_slice(&why) : slice_str(strerror(-error))));
    else
        fetch_trust(*ret_transport, *ret_trust);
    return error;
}

void doctor_urls(struct doctor *d)
{
    struct transport *transport = NULL;
    struct trust *trust = NULL;
    if (d->configured && d->loaded.config.pnp_enable && d->loaded.config.pnp_url.len)
        doctor_add_url(d, d->loaded.config.pnp_url, SLICE("pnp.url"));
    if (d->url_count == 0) {
        doctor_say(d, DOCTOR_NOTE, "url", "none", "nobody tells phones a URL; --url names one to try");
        return;
    }
    say_who(d);
    if (open_transport(d, &trust, &transport) == 0)
        for (size_t i = 0; i < d->url_count; i++)
            try_url(d, transport, &d->urls[i]);
    if (transport)
        transport->close(transport);
    trust_close(trust);
}
