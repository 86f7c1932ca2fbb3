/* DHCPv6 messages between clients and servers: RFC 8415, bootfile URL RFC 5970.
 *
 * Only what a phone needs that asks for information and takes no address. Bytes <-> structs: no socket, no
 * clock, no heap; everything parsed borrows from the datagram. A length that points past the message makes the
 * whole message malformed, as RFC 8415 16 wants it; of a repeated option the first counts (security.md R19). */
#ifndef DIALTONE_PROTO_DHCP6_H
#define DIALTONE_PROTO_DHCP6_H

#include "base/buf.h"

enum { DHCP6_CLIENT_PORT = 546, DHCP6_SERVER_PORT = 547 };

enum dhcp6_type { DHCP6_REPLY = 7, DHCP6_INFORMATION_REQUEST = 11 };

enum dhcp6_code {
    DHCP6_CLIENT_ID = 1,
    DHCP6_SERVER_ID = 2,
    DHCP6_REQUESTED = 6,
    DHCP6_ELAPSED = 8,
    DHCP6_STATUS = 13,
    DHCP6_VENDOR_CLASS = 16,
    DHCP6_DNS = 23,
    DHCP6_REFRESH = 32,
    DHCP6_BOOTFILE_URL = 59,
    DHCP6_INF_MAX_RT = 83
};

/* An Ethernet frame's worth: IPv6 and UDP headers taken off. */
#define DHCP6_BYTES_MAX 1452
#define DHCP6_DUID_BYTES_MAX 130 /* RFC 8415 11.1 */

struct dhcp6_message {
    uint8_t type; /* as sent */
    uint32_t xid; /* 24 bits */
    struct slice options;
};

/* False for a message cut short, of a relay, or with an option that reaches past its end. */
bool dhcp6_parse(struct slice datagram, struct dhcp6_message *ret_message);

/* Takes the next option off the front of `rest` (begin with message.options); false at the end. */
bool dhcp6_next(struct slice *rest, uint16_t *ret_code, struct slice *ret_value);
/* The first one of this code. */
bool dhcp6_value(const struct dhcp6_message *m, uint16_t code, struct slice *ret_value);
size_t dhcp6_count(const struct dhcp6_message *m, uint16_t code);
/* Option 13; 0 (success) when there is none, as RFC 8415 21.13 says. */
uint16_t dhcp6_status(const struct dhcp6_message *m);

/* Builders; the buffer's sticky `full` tells when it did not fit. */
void dhcp6_put_header(struct buf *out, uint8_t type, uint32_t xid);
void dhcp6_put_option(struct buf *out, uint16_t code, struct slice value);
/* A DUID of the kind LL: the MAC address alone (RFC 8415 11.4). */
void dhcp6_put_client_id(struct buf *out, const uint8_t mac[6]);
/* Hundredths of a second since the first message; more than fits is 0xffff. */
void dhcp6_put_elapsed(struct buf *out, uint64_t elapsed_ms);
void dhcp6_put_requested(struct buf *out, const uint16_t *codes, size_t count);
/* One class of this enterprise (an IANA private enterprise number). */
void dhcp6_put_vendor_class(struct buf *out, uint32_t enterprise, struct slice text);

#endif
