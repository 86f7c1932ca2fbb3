/* Sockets that wait for peers. Every worker binds one of its own to the same address (SO_REUSEPORT) and the
 * kernel deals the peers out. All are close-on-exec and non-blocking; an IPv6 one takes IPv6 only. */
#ifndef DIALTONE_NET_SOCKET_H
#define DIALTONE_NET_SOCKET_H

#include "net/address.h"

/* A power-on burst of a thousand phones fits; the kernel's 208 KiB lose most of it. */
#define SOCKET_RECEIVE_BYTES (8 * 1024 * 1024)
#define SOCKET_BACKLOG 4096

/* SOCK_DGRAM or SOCK_STREAM; a stream listens already. Port 0 takes any free one, and *address has it then.
 * 0 or a negative errno. */
int socket_bind(int type, union address *address, int *ret_fd);
/* A stream socket that has this port (not 0) and does not listen yet. Other sockets may share it until one listens
 * (SO_REUSEADDR), since connections of an earlier run linger. 0 or a negative errno. */
int socket_reserve(const union address *address, int *ret_fd);
/* A stream on its way to `to`: writable once it is there or has failed. 0 or a negative errno. */
int socket_connect(const union address *to, int *ret_fd);
/* What is said out of band on the connections of a listening socket stays in their stream (FTP's interrupts). */
void socket_keep_urgent(int fd);
/* Its own end. 0 or a negative errno. */
int socket_local_address(int fd, union address *ret_address);
/* The address that this machine's routes give to what is sent `to` there; port 0. 0 or a negative errno. */
int socket_towards(const union address *to, union address *ret_local);
/* Whether anybody has this address and port: another program of the same user could share it unseen, since
 * it may set SO_REUSEPORT too. 0, -EADDRINUSE, -EACCES ... */
int socket_probe(int type, const union address *address);

#endif
