/* One TFTP write transfer on the serving side, as a state machine: no socket, no clock, no heap, no file.
 *
 * The same shape as server/tftp_transfer.h, and the same wire. Where the bytes go is a struct tftp_sink.
 *
 *   tftp_upload_start()            what goes out                 then waits for
 *     request with options         OACK                          DATA 1
 *     request without              ACK 0                         DATA 1     (window is 1 without options)
 *   tftp_upload_receive()
 *     the awaited DATA             ACK when the window is full   the next one
 *     the last DATA, a short one   nothing                       STORING: tftp_upload_stored()
 *       fewer bytes than tsize     ERROR 0 (octet mode only)     ended: stopped
 *     the last DATA once more      its ACK again, nothing is written
 *     DATA behind a gap            the ACK of what came in order, once a gap (RFC 7440 section 4)
 *     DATA too old, or other       nothing
 *     ERROR                        nothing, ever (R13)           ended: stopped
 *   tftp_upload_stored()           the last ACK                  DALLYING, or ERROR and ended
 *   tftp_upload_timeout()          ONE datagram: the OACK or the last ACK
 *
 * The last ACK goes out when the file is on the disk: a phone that has it has its file kept. Then the machine
 * dallies (RFC 1350 section 6): should that ACK be lost, the phone sends its last block again and gets it again,
 * for TFTP_DALLY_MS, or twice the negotiated timeout when that is longer; then it has ended, stored.
 *
 * Retransmission is server/tftp_talk.h's. What is answered to a
 * datagram is an ACK of four bytes, never more than came (security.md R13). While it stores nothing is sent. */
#ifndef DIALTONE_SERVER_TFTP_UPLOAD_H
#define DIALTONE_SERVER_TFTP_UPLOAD_H

#include "server/tftp_talk.h"

/* curl, atftp and busybox send again after 1 to 6 s. */
#define TFTP_DALLY_MS 10000
/* What fits into an Ethernet frame; receive buffers are made for it. */
#define TFTP_UPLOAD_BLKSIZE_MAX 1468

/* Where the bytes go, in order. False: the transfer ends with *ret_code and *ret_reason (static). */
struct tftp_sink {
    bool (*take)(struct tftp_sink *sink, struct slice bytes, uint16_t *ret_code, const char **ret_reason);
};

struct tftp_upload {
    struct tftp_talk talk; /* due_ms: when to call tftp_upload_timeout() */
    uint64_t had;       /* blocks received in order */
    uint64_t acked;     /* of them acknowledged */
    uint64_t bytes;     /* given to the sink */
    bool netascii;
    bool gap_told;      /* since the last new block */
    struct tftp_netascii text;
};

/* Sends the first datagram. `request` is a WRQ; blksize is at most TFTP_UPLOAD_BLKSIZE_MAX. */
void tftp_upload_start(struct tftp_upload *u, const struct tftp_packet *request, struct tftp_ceilings ceilings,
                       struct tftp_wire *wire, uint64_t now_ms);
/* A packet from the peer, whatever it is. */
void tftp_upload_receive(struct tftp_upload *u, const struct tftp_packet *packet, struct tftp_sink *sink,
                         struct tftp_wire *wire, uint64_t now_ms);
/* Does nothing before due_ms. */
void tftp_upload_timeout(struct tftp_upload *u, struct tftp_wire *wire, uint64_t now_ms);
/* The peer sent its request a second time. */
void tftp_upload_asked_again(struct tftp_upload *u, struct tftp_wire *wire, uint64_t now_ms);
/* In STORING: the file is on the disk (`reason` NULL), or why not. */
void tftp_upload_stored(struct tftp_upload *u, uint16_t code, const char *reason, struct tftp_wire *wire,
                        uint64_t now_ms);
/* Ends it from our side; `code` and `reason` go to the peer as an ERROR when `wire` is not NULL. One that dallies
 * stays stored. */
void tftp_upload_stop(struct tftp_upload *u, enum outcome outcome, uint16_t code, const char *reason,
                      struct tftp_wire *wire);

#endif
