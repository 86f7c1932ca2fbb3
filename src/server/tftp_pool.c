#include "server/tftp_pool.h"

#include "base/log.h"

#include <errno.h>

static int open_one(struct tftp_pool *p, struct datagram_set *set, union address at, uint16_t port, bool learn_local,
                    datagram_received *received, void *context)
{
    address_set_port(&at, port);
    int fd = datagram_bind(&at);
    if (fd < 0)
        return fd;
    int error = datagram_open(&p->socket[p->count], set, fd, learn_local, received, context);
    p->count += !error;
    return error;
}

int tftp_pool_open(struct tftp_pool *p, const struct worker *w, struct datagram_set *set, const union address *at,
                   bool learn_local, datagram_received *received, void *context)
{
    uint16_t first, last;
    struct slice range = w->config->tftp_port_range;
    int error = 0;
    if (!range.len) {
        while (!error && p->count < TFTP_POOL_SOCKETS)
            error = open_one(p, set, *at, 0, learn_local, received, context);
        return error;
    }
    if (!config_ports(range, &first, &last))
        return -EINVAL;
    for (unsigned n = first + w->index; n <= last && p->count < TFTP_POOL_SOCKETS; n += w->share)
        error = open_one(p, set, *at, (uint16_t)n, learn_local, received, context);
    if (p->count)
        return 0;
    error = error ? error : -EADDRINUSE;
    log_error("tftp: no port of tftp.port_range %.*s for worker %u of %u: %s", SLICE_ARG(range), w->index + 1, w->share,
              strerror(-error));
    return error;
}
