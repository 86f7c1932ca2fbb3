#include "net/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <unistd.h>

static uint32_t v4_of(const struct sockaddr *a)
{
    struct sockaddr_in v4;
    memcpy(&v4, a, sizeof v4);
    return ntohl(v4.sin_addr.s_addr);
}

static void take_v6(struct interface *i, const struct sockaddr *a)
{
    struct sockaddr_in6 v6;
    memcpy(&v6, a, sizeof v6);
    if (i->has_link_local || !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
        return;
    i->has_link_local = true;
    i->link_local = v6.sin6_addr;
}

/* The list has a line for each address of an interface, and one for its hardware. */
static bool take_hardware(struct interface *i, const struct ifaddrs *line)
{
    struct sockaddr_ll hardware;
    if (!line->ifa_addr || line->ifa_addr->sa_family != AF_PACKET)
        return false;
    memcpy(&hardware, line->ifa_addr, sizeof hardware);
    if (hardware.sll_hatype != ARPHRD_ETHER || hardware.sll_halen != sizeof i->mac || line->ifa_flags & IFF_LOOPBACK)
        return false;
    *i = (struct interface){ .index = (unsigned)hardware.sll_ifindex };
    memcpy(i->name, line->ifa_name, strnlen(line->ifa_name, sizeof i->name - 1));
    memcpy(i->mac, hardware.sll_addr, sizeof i->mac);
    i->up = (line->ifa_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
    return true;
}

static void take_addresses(struct interface *i, const struct ifaddrs *list)
{
    for (const struct ifaddrs *line = list; line; line = line->ifa_next) {
        if (!line->ifa_addr || !slice_eq(slice_str(line->ifa_name), slice_str(i->name)))
            continue;
        if (line->ifa_addr->sa_family == AF_INET && !i->address) {
            i->address = v4_of(line->ifa_addr);
            i->mask = line->ifa_netmask ? v4_of(line->ifa_netmask) : 0;
        } else if (line->ifa_addr->sa_family == AF_INET6) {
            take_v6(i, line->ifa_addr);
        }
    }
}

/* How well it fits; 0: not at all. */
static unsigned fitness(const struct interface *i, struct slice name)
{
    if (name.len)
        return slice_eq(name, slice_str(i->name));
    return i->up ? 1 + (i->address != 0) : 0;
}

/* "" stands for any. */
static int find(struct slice name, struct interface *ret_interface)
{
    struct ifaddrs *list;
    unsigned best = 0;
    if (getifaddrs(&list) < 0)
        return -errno;
    for (const struct ifaddrs *line = list; line; line = line->ifa_next) {
        struct interface i;
        if (!take_hardware(&i, line))
            continue;
        take_addresses(&i, list);
        unsigned fit = fitness(&i, name);
        if (fit > best) {
            *ret_interface = i;
            best = fit;
        }
    }
    freeifaddrs(list);
    return best ? 0 : -ENODEV;
}

int interface_find(struct slice name, struct interface *ret_interface)
{
    return name.len ? find(name, ret_interface) : -ENODEV;
}

int interface_first(struct interface *ret_interface)
{
    return find(SLICE_NONE, ret_interface);
}

static struct sockaddr sockaddr_of(uint32_t address)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
    struct sockaddr a;
    memcpy(&a, &v4, sizeof a);
    return a;
}

/* ioctl and not netlink: two requests, and the kernel adds the network's own route by itself. */
int interface_set_address(const struct interface *i, uint32_t address, uint32_t mask)
{
    struct ifreq request = { 0 };
    int error = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(request.ifr_name, i->name, sizeof request.ifr_name);
    request.ifr_addr = sockaddr_of(address);
    if (ioctl(fd, SIOCSIFADDR, &request) < 0)
        error = -errno;
    request.ifr_netmask = sockaddr_of(mask);
    if (!error && address && ioctl(fd, SIOCSIFNETMASK, &request) < 0)
        error = -errno;
    close(fd);
    return error;
}

int interface_set_router(const struct interface *i, uint32_t router)
{
    char name[IF_NAMESIZE];
    struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY, .rt_dev = name };
    int error = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(name, i->name, sizeof name);
    route.rt_dst = route.rt_genmask = sockaddr_of(0);
    route.rt_gateway = sockaddr_of(router);
    if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
        error = -errno;
    close(fd);
    return error;
}
