#include "net/socket.h"

#include <errno.h>
#include <unistd.h>

static void set_option(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

static int open_socket(int type, const union address *a, int *ret_fd)
{
    int fd = socket(a->sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (a->sa.sa_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    /* On a stream: restart while old connections linger. On a datagram socket it would share the port. */
    if (type == SOCK_STREAM)
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    *ret_fd = fd;
    return 0;
}

int socket_probe(int type, const union address *address)
{
    int fd = -1;
    int error = open_socket(type, address, &fd);
    if (error)
        return error;
    error = bind(fd, &address->sa, address_length(address)) < 0 ? -errno : 0;
    close(fd);
    return error;
}

static void widen(int fd)
{
    int bytes = SOCKET_RECEIVE_BYTES;
    /* FORCE goes past net.core.rmem_max and needs CAP_NET_ADMIN. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
        set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

int socket_bind(int type, union address *address, int *ret_fd)
{
    socklen_t len = sizeof *address;
    int fd = -1;
    int error = open_socket(type, address, &fd);
    if (error)
        return error;
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (type == SOCK_DGRAM)
        widen(fd);
    if (bind(fd, &address->sa, address_length(address)) < 0 ||
        (type == SOCK_STREAM && listen(fd, SOCKET_BACKLOG) < 0) || getsockname(fd, &address->sa, &len) < 0) {
        error = -errno;
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

int socket_reserve(const union address *address, int *ret_fd)
{
    int fd = -1;
    int error = open_socket(SOCK_STREAM, address, &fd);
    if (!error && bind(fd, &address->sa, address_length(address)) < 0) {
        error = -errno;
        close(fd);
    }
    if (!error)
        *ret_fd = fd;
    return error;
}

int socket_connect(const union address *to, int *ret_fd)
{
    int fd = -1;
    int error = open_socket(SOCK_STREAM, to, &fd);
    if (!error && connect(fd, &to->sa, address_length(to)) < 0 && errno != EINPROGRESS) {
        error = -errno;
        close(fd);
    }
    if (!error)
        *ret_fd = fd;
    return error;
}

void socket_keep_urgent(int fd)
{
    set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

int socket_local_address(int fd, union address *ret_address)
{
    union address a = { 0 };
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.sa, &len) < 0)
        return -errno;
    *ret_address = a;
    return 0;
}

/* Connecting a datagram socket asks the routes and sends nothing. */
int socket_towards(const union address *to, union address *ret_local)
{
    union address local;
    int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, &to->sa, address_length(to)) < 0 ? -errno : socket_local_address(fd, &local);
    close(fd);
    if (error)
        return error;
    address_set_port(&local, 0);
    *ret_local = local;
    return 0;
}
