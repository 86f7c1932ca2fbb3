/* UDP in IPv4, for who must speak before it has an address: RFC 791, RFC 768.
 *
 * Bytes <-> structs. Addresses and ports in host byte order. No fragments, no IP options when building. */
#ifndef DIALTONE_PROTO_UDP4_H
#define DIALTONE_PROTO_UDP4_H

#include "base/buf.h"

#define UDP4_HEADER_BYTES 28 /* both headers, without IP options */

struct udp4 {
    uint32_t from, to;
    uint16_t from_port, to_port;
    struct slice payload;
};

/* False for what is no whole, sound UDP datagram: lengths that do not fit, a fragment, a wrong checksum.
 * `summed` false: the sender's kernel left the UDP checksum to hardware that a virtual wire does not have
 * (packet(7), TP_STATUS_CSUMNOTREADY); it is not looked at then. */
bool udp4_parse(struct slice packet, bool summed, struct udp4 *ret_datagram);
/* The buffer's sticky `full` tells when it did not fit. */
void udp4_put(struct buf *out, const struct udp4 *datagram);

#endif
