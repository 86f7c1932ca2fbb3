#include "cli/search.h"

#include "cli/dhcp_report.h"
#include "phone/source_dhcp.h"
#include "phone/source_pnp.h"
#include "phone/zero_touch.h"

#include <stdio.h>
#include <string.h>

int search_interface(const struct verb *verb, const char *name, struct interface *ret_interface)
{
    int error = name ? interface_find(slice_str(name), ret_interface) : interface_first(ret_interface);
    if (error && name)
        fprintf(stderr, "dialtone %s: %s: %s\n", verb->name, name, dhcp_error_words(error, false));
    else if (error)
        fprintf(stderr, "dialtone %s: no Ethernet interface is up; -i names one\n", verb->name);
    return error ? EXIT_FAILED : EXIT_DONE;
}

struct mac search_mac(const struct interface *i)
{
    return (struct mac){ { 0x00, 0x15, 0x65, i->mac[3], i->mac[4], i->mac[5] } };
}

/* As long as `dhcp probe` listens: a server may ping an address for three seconds before it offers it. */
#define LISTEN_MS 6000

int search_open(const struct verb *verb, const struct search_options *options, struct discover **ret_discover)
{
    struct source_dhcp_options dhcp = { .collect = options->all,
                                        .wait_ms = options->all ? LISTEN_MS : 0,
                                        .heard = options->heard,
                                        .context = options->context };
    struct source_pnp_options pnp = { .timeout_ms = 0 };
    int status = search_interface(verb, options->interface, &dhcp.interface);
    if (status)
        return status;
    memcpy(pnp.interface, dhcp.interface.name, sizeof pnp.interface);
    struct discover_options o = {
        .loop = options->loop,
        .id = options->id,
        .zero_touch = zero_touch_new(),
        .pnp = source_pnp_new(options->loop, &pnp),
        .dhcp = source_dhcp_new(options->loop, &dhcp),
        .all = options->all,
        /* An address that a phone's own interface has is of a lease that it has to go on with. */
        .network_first =
            dhcp.interface.address == 0 || source_dhcp_mode(&dhcp.interface, options->id.mac) == DHCP_LEASE,
        .told = options->told,
        .context = options->context,
    };
    *ret_discover = discover_new(&o);
    if (!*ret_discover)
        fprintf(stderr, "dialtone %s: out of memory\n", verb->name);
    return *ret_discover ? EXIT_DONE : EXIT_FAILED;
}
