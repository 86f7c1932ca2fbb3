/* A peer's or a listener's address: IPv4 or IPv6 and a port. */
#ifndef DIALTONE_NET_ADDRESS_H
#define DIALTONE_NET_ADDRESS_H

#include "base/buf.h"

#include <netinet/in.h>
#include <sys/socket.h>

union address {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Numeric only, brackets optional: `127.0.0.1`, `::1`, `[::1]`, `*` for every IPv4 address, `[::]`. Names are
 * not looked up. */
bool address_parse(struct slice host, uint16_t port, union address *ret_address);
/* For bind, connect and sendto. */
socklen_t address_length(const union address *a);
uint16_t address_port(const union address *a);
void address_set_port(union address *a, uint16_t port);
/* Host and port equal. */
bool address_eq(const union address *a, const union address *b);
bool address_same_host(const union address *a, const union address *b);
/* Spreads hosts and ports; `seed` is drawn at start so that a peer cannot aim at one bucket. */
uint64_t address_hash(const union address *a, uint64_t seed);
/* The bytes that whoever may use several addresses at will has in common: of IPv6 its /64, of IPv4 all four. Borrowed;
 * an IPv4 address mapped into IPv6 is the IPv4 address. */
struct slice address_owner(const union address *a);
/* `10.2.20.73:69`, `[::1]:69`; an IPv4 address mapped into IPv6 prints as IPv4. */
void address_print(const union address *a, struct buf *out);
void address_print_host(const union address *a, struct buf *out);

/* Addresses that begin with the same bits. */
struct network {
    union address base;
    unsigned bits; /* 0..32, or 0..128 */
};
/* `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the prefix do not count. */
bool network_parse(struct slice text, struct network *ret_network);
/* An IPv4 address mapped into IPv6 is the IPv4 address. */
bool network_holds(const struct network *n, const union address *a);

#endif
