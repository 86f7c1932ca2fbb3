/* DHCPv4 messages: RFC 2131, options 2132, vendor class 60, long options 3396, overload (option 52).
 *
 * Bytes <-> structs, for both sides: no socket, no clock, no heap. Everything parsed borrows from the
 * datagram. What a message says of itself is never trusted: a length that points past its area ends that
 * area, an end marker ends it, repeats are joined (RFC 3396) and never replace what was already taken
 * (security.md R19). */
#ifndef DIALTONE_PROTO_DHCP4_H
#define DIALTONE_PROTO_DHCP4_H

#include "base/buf.h"

enum { DHCP4_SERVER_PORT = 67, DHCP4_CLIENT_PORT = 68 };

/* Option 53 (RFC 2132 9.6). */
enum dhcp4_type {
    DHCP4_DISCOVER = 1,
    DHCP4_OFFER,
    DHCP4_REQUEST,
    DHCP4_DECLINE,
    DHCP4_ACK,
    DHCP4_NAK,
    DHCP4_RELEASE,
    DHCP4_INFORM
};
/* "DISCOVER", "OFFER" ... */
const char *dhcp4_type_name(enum dhcp4_type type);

/* The options that a phone's search for its server touches. */
enum dhcp4_code {
    DHCP4_PAD = 0,
    DHCP4_MASK = 1,
    DHCP4_ROUTERS = 3,
    DHCP4_DNS = 6,
    DHCP4_VENDOR = 43,
    DHCP4_REQUESTED = 50,
    DHCP4_LEASE_TIME = 51,
    DHCP4_OVERLOAD = 52,
    DHCP4_TYPE = 53,
    DHCP4_SERVER_ID = 54,
    DHCP4_PARAMETERS = 55,
    DHCP4_MESSAGE = 56,
    DHCP4_MAX_SIZE = 57,
    DHCP4_T1 = 58,
    DHCP4_T2 = 59,
    DHCP4_VENDOR_CLASS = 60,
    DHCP4_TFTP_SERVER = 66,
    DHCP4_END = 255
};

#define DHCP4_HEADER_BYTES 240 /* the fixed part and the magic cookie */
/* RFC 1542 2.1: relays may drop shorter ones. */
#define DHCP4_BYTES_MIN 300
/* What a client of ours says that it takes (option 57): one Ethernet frame without the IP and UDP headers. */
#define DHCP4_BYTES_MAX 1472

/* Addresses in host byte order; 0: none. */
struct dhcp4_message {
    bool reply;     /* BOOTREPLY: from a server */
    bool broadcast; /* flag: answer to everybody */
    enum dhcp4_type type;
    uint32_t xid;
    uint16_t secs;
    uint32_t ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[6];
    bool overload_file, overload_sname; /* these fields hold options */
    struct slice options, file, sname;  /* the three areas as sent */
};

enum dhcp4_fault {
    DHCP4_FINE,
    DHCP4_TRUNCATED,
    DHCP4_NOT_DHCP,   /* neither request nor reply, or no magic cookie (plain BOOTP) */
    DHCP4_NO_ETHERNET, /* another kind of hardware address than six bytes of Ethernet */
    DHCP4_NO_TYPE     /* option 53 missing, of a wrong length or unknown */
};
const char *dhcp4_fault_words(enum dhcp4_fault fault);

/* *ret_message is filled on DHCP4_FINE only. Of option 53, 52 and every other one of a fixed length the first
 * occurrence counts, and it must have exactly that length. */
enum dhcp4_fault dhcp4_parse(struct slice datagram, struct dhcp4_message *ret_message);

/* Steps over the options of all areas in RFC 3396's order: options, then file, then sname where overloaded.
 *
 *     struct dhcp4_walk walk = dhcp4_walk(&message);
 *     while (dhcp4_next(&walk, &code, &value)) ...                                                          */
struct dhcp4_walk {
    struct slice area[3];
    unsigned at;
    bool cut; /* an option claimed more bytes than its area has left: the rest of that area was not read */
};
struct dhcp4_walk dhcp4_walk(const struct dhcp4_message *m);
bool dhcp4_next(struct dhcp4_walk *walk, uint8_t *ret_code, struct slice *ret_value);

/* The value of an option, all its parts joined, written behind what `out` holds. False when no part is there.
 * A value that does not fit leaves `out` full: then it is no value, half a URL is none. */
bool dhcp4_value(const struct dhcp4_message *m, uint8_t code, struct buf *out);
/* How many times it occurs. */
size_t dhcp4_count(const struct dhcp4_message *m, uint8_t code);
/* First occurrence, four bytes exactly (an address, seconds). */
bool dhcp4_u32(const struct dhcp4_message *m, uint8_t code, uint32_t *ret_value);
/* First occurrence of a list of addresses: its first one. */
bool dhcp4_first_address(const struct dhcp4_message *m, uint8_t code, uint32_t *ret_address);

/* Builders; the buffer's sticky `full` tells when it did not fit. The header carries option 53; then options, then
 * the end, which pads to DHCP4_BYTES_MIN. */
void dhcp4_put_header(struct buf *out, const struct dhcp4_message *m);
/* Split into parts of 255 bytes where it is longer (RFC 3396). */
void dhcp4_put_option(struct buf *out, uint8_t code, struct slice value);
void dhcp4_put_u32(struct buf *out, uint8_t code, uint32_t value);
void dhcp4_put_end(struct buf *out);

#endif
