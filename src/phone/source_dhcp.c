#include "phone/source_dhcp.h"

#include "guide/address_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8415 21.16: the number of whoever made the thing; Yealink's is not known, so none is sent (facts.md 4). */
#define NO_ENTERPRISE 0

struct source_dhcp {
    struct source source;
    struct loop *loop;
    struct source_dhcp_options options;
    struct dhcp_client *client;
    source_done *done;
    void *context;
    char words[160];
};

enum dhcp_mode source_dhcp_mode(const struct interface *interface, struct mac mac)
{
    if (memcmp(interface->mac, mac.bytes, sizeof mac.bytes) == 0)
        return DHCP_LEASE;
    return interface->address ? DHCP_INFORM : DHCP_PROBE;
}

bool source_dhcp_read(const struct settings *s, struct dhcp_options *ret_options)
{
    struct dhcp_options o = { .enterprise = NO_ENTERPRISE };
    bool good4 = option_list_parse(
        settings_value(s, SLICE("static.auto_provision.dhcp_option.list_user_options")), false, &o.custom4);
    bool good6 = option_list_parse(
        settings_value(s, SLICE("static.auto_provision.dhcp_option.list_user6_options")), true, &o.custom6);
    address_families(s, &o.v4, &o.v6);
    o.vendor_class = slice_first(settings_value(s, SLICE("static.auto_provision.dhcp_option.option60_value")), 255);
    o.server_type = settings_value(s, SLICE("static.auto_provision.server.type"));
    *ret_options = o;
    return good4 && good6;
}

static void finish(struct source_dhcp *d, const struct found_address *found, const char *why)
{
    source_done *done = d->done;
    d->done = NULL;
    done(d->context, found, slice_str(why));
}

static const char *why_none(struct source_dhcp *d, const struct dhcp_result *r)
{
    int error = r->error4 ? r->error4 : r->error6;
    if (r->count)
        snprintf(d->words, sizeof d->words, "%zu answer%s, none with a usable URL", r->count, r->count == 1 ? "" : "s");
    else if (error)
        snprintf(d->words, sizeof d->words, "cannot ask: %s", strerror(-error));
    else
        snprintf(d->words, sizeof d->words, "no answer");
    return d->words;
}

static void on_done(void *context, const struct dhcp_result *r)
{
    struct source_dhcp *d = context;
    struct found_address found = { .source = address_source_name(ADDRESS_DHCP) };
    if (d->options.heard)
        d->options.heard(d->options.context, r);
    if (!r->winner) {
        finish(d, &found, why_none(d, r));
        return;
    }
    const struct option_finding *w = r->winner->winner;
    found.url = w->url;
    snprintf(d->words, sizeof d->words, "%soption %u", w->v6 ? "IPv6 " : "", w->code);
    finish(d, &found, d->words);
}

static const char *start(struct source *s, const struct source_ask *ask, source_done *done, void *context)
{
    struct source_dhcp *d = container_of(s, struct source_dhcp, source);
    struct dhcp_options o;
    source_dhcp_read(ask->settings, &o);
    o.interface = d->options.interface;
    o.mac = ask->id.mac;
    o.mode = source_dhcp_mode(&o.interface, o.mac);
    o.wait_ms = d->options.wait_ms;
    o.collect = d->options.collect;
    o.wire = d->options.wire;
    d->done = done;
    d->context = context;
    dhcp_client_stop(d->client);
    d->client = NULL;
    int error = dhcp_client_start(d->loop, &o, on_done, d, &d->client);
    if (!error)
        return NULL;
    snprintf(d->words, sizeof d->words, "%s: %s", o.interface.name, strerror(-error));
    return d->words;
}

/* A lease goes on being renewed while the phone lives: only the end of it, or the next search, lets it go. */
static void cancel(struct source *s)
{
    struct source_dhcp *d = container_of(s, struct source_dhcp, source);
    dhcp_client_stop(d->client);
    d->client = NULL;
}

static void drop(struct source *s)
{
    cancel(s);
    free(container_of(s, struct source_dhcp, source));
}

struct source *source_dhcp_new(struct loop *loop, const struct source_dhcp_options *options)
{
    struct source_dhcp *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->loop = loop;
    d->options = *options;
    d->source = (struct source){ ADDRESS_DHCP, start, cancel, drop };
    return &d->source;
}
