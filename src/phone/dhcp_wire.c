#include "phone/dhcp_wire.h"

#include "proto/dhcp6.h"
#include "proto/udp4.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <unistd.h>

/* A whole Ethernet frame, were it a jumbo one. */
#define PACKET_BYTES_MAX 9216
/* Messages read before anything else on the loop has its turn. */
#define BATCH 16

struct ear {
    uv_poll_t poll;
    int fd;
    bool open;
};

struct real {
    struct dhcp_wire wire; /* first */
    struct loop *loop;
    struct ear four, six;
    unsigned handles; /* not yet closed */
    bool closed;
    uint8_t hop[6]; /* who brought the last message of a server: where renewals go */
    char bytes[PACKET_BYTES_MAX];
};

static struct real *of(struct dhcp_wire *w)
{
    return container_of(w, struct real, wire);
}

/* --- IPv4 --- */

/* IPv4, UDP, not a later fragment, to port 68: the kernel drops the rest of the interface's traffic. */
static int set_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP4_CLIENT_PORT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, PACKET_BYTES_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

/* Protocol 0 hears nothing: with its filter in place the bind turns it on, for this interface alone. */
static int open_four(const struct interface *i)
{
    struct sockaddr_ll here = { .sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_IP),
                                .sll_ifindex = (int)i->index };
    int on = 1, error, fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    error = set_filter(fd);
    if (!error && setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0)
        error = -errno;
    if (!error && bind(fd, (struct sockaddr *)&here, sizeof here) < 0)
        error = -errno;
    if (error)
        close(fd);
    return error ? error : fd;
}

static int send4(struct dhcp_wire *w, const struct dhcp4_target *to, struct slice message)
{
    struct real *r = of(w);
    char bytes[DHCP4_BYTES_MAX + UDP4_HEADER_BYTES];
    struct buf out = BUF_ON(bytes);
    struct udp4 datagram = { to->from, to->to, DHCP4_CLIENT_PORT, DHCP4_SERVER_PORT, message };
    struct sockaddr_ll there = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
                                 .sll_ifindex = (int)w->interface.index, .sll_halen = ETH_ALEN };
    udp4_put(&out, &datagram);
    if (!buf_ok(&out))
        return -EMSGSIZE;
    memset(there.sll_addr, 0xff, ETH_ALEN);
    if (to->to != UINT32_MAX)
        memcpy(there.sll_addr, r->hop, sizeof r->hop);
    ssize_t sent = sendto(r->four.fd, out.ptr, out.len, 0, (struct sockaddr *)&there, sizeof there);
    return sent < 0 ? -errno : 0;
}

static bool is_summed(struct msghdr *message)
{
    struct tpacket_auxdata about;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&about, CMSG_DATA(c), sizeof about);
        return !(about.tp_status & TP_STATUS_CSUMNOTREADY);
    }
    return true;
}

/* False when nothing more waits. */
static bool receive_four(struct real *r)
{
    struct sockaddr_ll from = { 0 };
    struct iovec room = { r->bytes, sizeof r->bytes };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &room, .msg_iovlen = 1,
                              .msg_control = &control, .msg_controllen = sizeof control };
    struct udp4 datagram;
    ssize_t len = recvmsg(r->four.fd, &message, 0);
    if (len < 0)
        return errno == EINTR;
    if (!udp4_parse(slice_of(r->bytes, (size_t)len), is_summed(&message), &datagram) ||
        datagram.to_port != DHCP4_CLIENT_PORT || datagram.from_port != DHCP4_SERVER_PORT)
        return true;
    union address peer = { .v4 = { .sin_family = AF_INET, .sin_port = htons(datagram.from_port),
                                   .sin_addr.s_addr = htonl(datagram.from) } };
    if (from.sll_halen == sizeof r->hop)
        memcpy(r->hop, from.sll_addr, sizeof r->hop);
    r->wire.received(&r->wire, false, &peer, datagram.payload);
    return true;
}

/* --- IPv6 --- */

static int open_six(const struct interface *i)
{
    union address here = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(DHCP6_CLIENT_PORT) } };
    int on = 1, index = (int)i->index, error = 0;
    if (!i->has_link_local)
        return -EADDRNOTAVAIL;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, i->name, sizeof i->name) < 0 ||
        bind(fd, &here.sa, sizeof here.v6) < 0)
        error = -errno;
    if (error)
        close(fd);
    return error ? error : fd;
}

static int send6(struct dhcp_wire *w, struct slice message)
{
    union address all = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(DHCP6_SERVER_PORT),
                                  .sin6_scope_id = w->interface.index } };
    inet_pton(AF_INET6, "ff02::1:2", &all.v6.sin6_addr);
    ssize_t sent = sendto(of(w)->six.fd, message.ptr, message.len, 0, &all.sa, sizeof all.v6);
    return sent < 0 ? -errno : 0;
}

static bool receive_six(struct real *r)
{
    union address from = { 0 };
    socklen_t len = sizeof from;
    ssize_t got = recvfrom(r->six.fd, r->bytes, sizeof r->bytes, 0, &from.sa, &len);
    if (got < 0)
        return errno == EINTR;
    r->wire.received(&r->wire, true, &from, slice_of(r->bytes, (size_t)got));
    return true;
}

/* --- both --- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct real *r = poll->data;
    (void)status;
    (void)events;
    loop_woke(r->loop);
    for (int i = 0; i < BATCH && !r->closed; i++)
        if (!(poll == &r->four.poll ? receive_four(r) : receive_six(r)))
            return;
}

static void on_closed(uv_handle_t *handle)
{
    struct real *r = handle->data;
    if (--r->handles == 0)
        free(r);
}

/* The descriptor goes at once (uv_poll allows it), so that the next search finds port 546 free. */
static void close_ear(struct ear *ear)
{
    if (!ear->open)
        return;
    ear->open = false;
    uv_close((uv_handle_t *)&ear->poll, on_closed);
    close(ear->fd);
}

static void close_wire(struct dhcp_wire *w)
{
    struct real *r = of(w);
    r->closed = true;
    close_ear(&r->four);
    close_ear(&r->six);
    if (!r->handles)
        free(r);
}

static int configure(struct dhcp_wire *w, const struct dhcp4_lease *lease)
{
    int error = interface_set_address(&w->interface, lease ? lease->address : 0, lease ? lease->mask : 0);
    if (!error && lease && lease->router)
        error = interface_set_router(&w->interface, lease->router);
    return error;
}

static int listen_on(struct real *r, struct ear *ear, int fd)
{
    if (fd < 0)
        return fd;
    int error = uv_poll_init(&r->loop->uv, &ear->poll, fd);
    if (error) {
        close(fd);
        return error;
    }
    ear->poll.data = r;
    ear->fd = fd;
    ear->open = true;
    r->handles++;
    uv_poll_start(&ear->poll, UV_READABLE, on_readable);
    return 0;
}

int dhcp_wire_open(struct loop *loop, const struct interface *interface, bool v4, bool v6, struct dhcp_wire **ret_wire)
{
    struct real *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->loop = loop;
    r->wire = (struct dhcp_wire){ .interface = *interface, .send4 = send4, .send6 = send6, .configure = configure,
                                  .close = close_wire };
    r->wire.error4 = v4 ? listen_on(r, &r->four, open_four(interface)) : -EAFNOSUPPORT;
    r->wire.error6 = v6 ? listen_on(r, &r->six, open_six(interface)) : -EAFNOSUPPORT;
    if (r->wire.error4 && r->wire.error6) {
        int error = v4 ? r->wire.error4 : r->wire.error6;
        close_wire(&r->wire);
        return error;
    }
    *ret_wire = &r->wire;
    return 0;
}
