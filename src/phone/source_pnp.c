#include "phone/source_pnp.h"

#include "guide/address_source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source_pnp {
    struct source source;
    struct loop *loop;
    struct source_pnp_options options;
    struct pnp_client *client; /* NULL: none is asking */
    source_done *done;
    void *context;
    char words[160];
};

static void on_done(void *context, const struct pnp_client_result *r)
{
    struct source_pnp *p = context;
    struct found_address found = { .url = r->found ? r->url : SLICE_NONE, .source = address_source_name(ADDRESS_PNP) };
    struct buf words = BUF_ON(p->words);
    p->client = NULL;
    if (r->found) {
        buf_str(&words, "from ");
        address_print(&r->from, &words);
    } else {
        buf_str(&words, r->why);
    }
    p->done(p->context, &found, buf_slice(&words));
}

/* Its address may be some milliseconds old, by DHCP. */
static int find_local(struct source_pnp *p, union address *ret_local)
{
    struct interface interface;
    *ret_local = (union address){ .sa.sa_family = AF_UNSPEC };
    if (!p->options.interface[0])
        return 0;
    int error = interface_find(slice_str(p->options.interface), &interface);
    if (!error && interface.address == 0)
        error = -EADDRNOTAVAIL;
    if (!error)
        *ret_local = (union address){ .v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(interface.address) } };
    return error;
}

static const char *start(struct source *s, const struct source_ask *ask, source_done *done, void *context)
{
    struct source_pnp *p = container_of(s, struct source_pnp, source);
    struct pnp_client_options o = {
        .id = &ask->id,
        .vendor = settings_value(ask->settings, SLICE("auto_provision.pnp_event_vendor")),
        .destination = p->options.destination,
        .timeout_ms = p->options.timeout_ms,
    };
    p->done = done;
    p->context = context;
    int error = find_local(p, &o.local);
    if (!error)
        error = pnp_client_start(p->loop, &o, on_done, p, &p->client);
    if (!error)
        return NULL;
    p->client = NULL;
    snprintf(p->words, sizeof p->words, "cannot ask: %s", strerror(-error));
    return p->words;
}

static void cancel(struct source *s)
{
    struct source_pnp *p = container_of(s, struct source_pnp, source);
    if (p->client)
        pnp_client_cancel(p->client);
    p->client = NULL;
}

static void drop(struct source *s)
{
    cancel(s);
    free(container_of(s, struct source_pnp, source));
}

struct source *source_pnp_new(struct loop *loop, const struct source_pnp_options *options)
{
    struct source_pnp *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = loop;
    p->options = *options;
    p->source = (struct source){ ADDRESS_PNP, start, cancel, drop };
    return &p->source;
}
