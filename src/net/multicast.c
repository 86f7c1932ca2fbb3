#include "net/multicast.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

/* Larger than what the kernel puts into one datagram of a dump. */
#define NETLINK_BYTES 32768

struct member {
    int index;
    uint8_t name_len;
    char name[MULTICAST_NAME_BYTES];
};

struct multicast {
    struct multicast_options options;
    struct loop *loop;
    int netlink;
    uv_poll_t poll;
    struct member members[MULTICAST_INTERFACES_MAX];
    size_t count;
    void (*closed)(void *context);
    void *closed_context;
};

static struct slice name_of(const struct member *m)
{
    return slice_of(m->name, m->name_len);
}

static bool is_wanted(const struct multicast *m, struct slice name, unsigned flags)
{
    struct slice rest = m->options.interfaces, one;
    if (!(flags & IFF_UP))
        return false;
    if (!rest.len)
        return flags & IFF_MULTICAST && !(flags & IFF_LOOPBACK);
    while (slice_cut(&rest, ',', &one))
        if (slice_eq(slice_trim(one), name))
            return true;
    return false;
}

static int set_membership(const struct multicast *m, int option, int index)
{
    struct ip_mreqn r = { .imr_multiaddr = m->options.group, .imr_ifindex = index };
    return setsockopt(m->options.socket, IPPROTO_IP, option, &r, sizeof r) < 0 ? -errno : 0;
}

static size_t find(const struct multicast *m, int index)
{
    size_t i = 0;
    while (i < m->count && m->members[i].index != index)
        i++;
    return i;
}

static void join(struct multicast *m, int index, struct slice name)
{
    size_t at = find(m, index);
    if (at < m->count && slice_eq(name_of(&m->members[at]), name))
        return;
    if (m->count == MULTICAST_INTERFACES_MAX) {
        m->options.changed(m->options.context, name, false, -ENOBUFS);
        return;
    }
    int error = at < m->count ? 0 : set_membership(m, IP_ADD_MEMBERSHIP, index);
    /* Joined before we were told: nothing is missing. */
    if (error == -EADDRINUSE)
        error = 0;
    if (!error) {
        struct member *e = &m->members[at];
        e->index = index;
        e->name_len = (uint8_t)name.len;
        memcpy(e->name, name.ptr, name.len);
        m->count += at == m->count;
    }
    m->options.changed(m->options.context, name, !error, error);
}

static void leave(struct multicast *m, int index)
{
    size_t at = find(m, index);
    if (at == m->count)
        return;
    struct member gone = m->members[at];
    /* Of an interface that is gone the membership is still there, and counts towards the kernel's 20. */
    set_membership(m, IP_DROP_MEMBERSHIP, index);
    m->members[at] = m->members[--m->count];
    m->options.changed(m->options.context, name_of(&gone), false, 0);
}

static struct slice interface_name(struct nlmsghdr *h)
{
    struct ifinfomsg *info = NLMSG_DATA(h);
    size_t len = IFLA_PAYLOAD(h);
    for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len))
        if (a->rta_type == IFLA_IFNAME)
            return slice_of(RTA_DATA(a), strnlen(RTA_DATA(a), RTA_PAYLOAD(a)));
    return SLICE_NONE;
}

static void on_message(struct multicast *m, struct nlmsghdr *h)
{
    if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
        h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        return;
    struct ifinfomsg *info = NLMSG_DATA(h);
    struct slice name = interface_name(h);
    /* Bridges tell of their ports in the same words; those are no interfaces of ours. */
    if (info->ifi_family != AF_UNSPEC || !name.len || name.len >= MULTICAST_NAME_BYTES)
        return;
    if (h->nlmsg_type == RTM_NEWLINK && is_wanted(m, name, info->ifi_flags))
        join(m, info->ifi_index, name);
    else
        leave(m, info->ifi_index);
}

static int ask_for_all(const struct multicast *m)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } ask = { { sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 0, 0 }, { .ifi_family = AF_UNSPEC } };
    return send(m->netlink, &ask, sizeof ask, 0) < 0 ? -errno : 0;
}

/* Bytes received from the kernel, 0 for what others sent, a negative errno. */
static ssize_t receive(struct multicast *m, void *into, size_t cap)
{
    struct sockaddr_nl from = { 0 };
    socklen_t len = sizeof from;
    ssize_t got = recvfrom(m->netlink, into, cap, 0, (struct sockaddr *)&from, &len);
    return got < 0 ? -errno : from.nl_pid == 0 ? got : 0;
}

/* All that waits. When the kernel had to drop some, everything is asked for again. */
static void read_all(struct multicast *m)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_BYTES];
    ssize_t got;
    while ((got = receive(m, bytes, sizeof bytes)) >= 0 || got == -EINTR) {
        size_t len = got > 0 ? (size_t)got : 0;
        for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)bytes; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
            on_message(m, h);
    }
    if (got == -ENOBUFS)
        ask_for_all(m);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct multicast *m = poll->data;
    (void)events;
    loop_woke(m->loop);
    read_all(m);
    /* libuv stops a poll that had an error, which here is only that messages were dropped. */
    if (status < 0)
        uv_poll_start(poll, UV_READABLE, on_ready);
}

static int open_netlink(struct multicast *m)
{
    struct sockaddr_nl own = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
    m->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (m->netlink < 0)
        return -errno;
    if (bind(m->netlink, (struct sockaddr *)&own, sizeof own) < 0)
        return -errno;
    int error = uv_poll_init(&m->loop->uv, &m->poll, m->netlink);
    if (error)
        return error;
    m->poll.data = m;
    return uv_poll_start(&m->poll, UV_READABLE, on_ready);
}

int multicast_open(struct loop *loop, const struct multicast_options *options, struct multicast **ret_multicast)
{
    struct multicast *m = calloc(1, sizeof *m);
    int no = 0;
    if (!m)
        return -ENOMEM;
    m->options = *options;
    m->loop = loop;
    setsockopt(options->socket, IPPROTO_IP, IP_MULTICAST_ALL, &no, sizeof no);
    int error = open_netlink(m);
    if (error) {
        if (m->netlink >= 0)
            close(m->netlink);
        free(m);
        return error;
    }
    error = ask_for_all(m);
    if (error) {
        multicast_close(m, NULL, NULL);
        return error;
    }
    read_all(m);
    *ret_multicast = m;
    return 0;
}

size_t multicast_count(const struct multicast *m)
{
    return m->count;
}

static void on_closed(uv_handle_t *handle)
{
    struct multicast *m = handle->data;
    void (*closed)(void *context) = m->closed;
    void *context = m->closed_context;
    free(m);
    if (closed)
        closed(context);
}

void multicast_close(struct multicast *m, void (*closed)(void *context), void *context)
{
    m->closed = closed;
    m->closed_context = context;
    uv_close((uv_handle_t *)&m->poll, on_closed);
    close(m->netlink);
}

int multicast_send_from(int socket, const union address *local)
{
    struct ip_mreqn r = { .imr_address = local->v4.sin_addr };
    return setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &r, sizeof r) < 0 ? -errno : 0;
}

bool address_is_multicast(const union address *a)
{
    return a->sa.sa_family == AF_INET && IN_MULTICAST(ntohl(a->v4.sin_addr.s_addr));
}
