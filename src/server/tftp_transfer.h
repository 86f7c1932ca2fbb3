/* One TFTP read transfer on the serving side, as a state machine: no socket, no clock, no heap.
 *
 * Whoever drives it hands in packets and the time and gives room for datagrams (struct tftp_wire); so it runs
 * over the service's sockets as over a test's fake wire.
 *
 *   tftp_transfer_start()          what goes out            then waits for
 *     request with options         OACK                     ACK 0
 *     request without              DATA 1                   ACK 1      (window is 1 without options)
 *   tftp_transfer_receive()
 *     ACK of the awaited or of     the next `windowsize`    the ACK of the last of them
 *     a block in the window        blocks after it
 *                                  (a first window begins at once, later ones go when tftp_transfer_go_on() says so)
 *     ACK of the last block        nothing                  ended: sent
 *     ACK already had, other       nothing
 *     ERROR                        nothing, ever (R13)      ended: stopped
 *   tftp_transfer_timeout()        ONE datagram: the OACK or the block after the last acknowledged one
 *   tftp_transfer_asked_again()    the first datagram once more, when the last one is TFTP_ECHO_MS old
 *
 * Retransmission is server/tftp_talk.h's, with one datagram a time: with a window of 1 a peer that has fallen silent
 * gets 8 in all (security.md R13). Only the clock resends: an ACK that acknowledges nothing new is ignored, so a
 * doubled packet never doubles what follows (the sorcerer's apprentice, RFC 1123 4.2.3.1). An ACK inside the window
 * means that the blocks after it were lost, and they go again (RFC 7440 section 4), once for what was out at that
 * time.
 *
 * Block numbers wrap from 65535 to 0; inside they are 64 bits. A file whose size is a multiple of the block
 * size ends with an empty block; so does an empty file.
 *
 * Uploads are another machine, server/tftp_upload.h; the wire, the end and the waits are the same. */
#ifndef DIALTONE_SERVER_TFTP_TRANSFER_H
#define DIALTONE_SERVER_TFTP_TRANSFER_H

#include "server/tftp_talk.h"
#include "server/tree.h"

/* Some 180 bytes; the blob of `file` is shared with the tree's cache. */
struct tftp_transfer {
    struct tftp_talk talk; /* due_ms: when to call tftp_transfer_timeout() */
    struct tree_file file; /* owned */
    uint64_t acked;        /* blocks acknowledged */
    uint64_t sent;         /* highest block sent; 0: none, or the OACK */
    uint64_t next, until;  /* blocks that the window has room for and that are still to go; next > until: none */
    uint64_t again_until;  /* highest block that was out when a window last went again */
    uint64_t text_at;      /* netascii: offset at which block acked + 1 starts */
    uint64_t text_next;    /* netascii: offset behind it, once sent */
    bool netascii;
    bool text_last;        /* netascii: block acked + 1 is the last */
    struct tftp_netascii text_state, text_next_state;
};

/* Takes `file` over and sends the first datagram. `request` is an RRQ. */
void tftp_transfer_start(struct tftp_transfer *t, const struct tftp_packet *request,
                         const struct tree_file *file, struct tftp_ceilings ceilings, struct tftp_wire *wire,
                         uint64_t now_ms);
/* A packet from the peer, whatever it is. */
void tftp_transfer_receive(struct tftp_transfer *t, const struct tftp_packet *packet, struct tftp_wire *wire,
                           uint64_t now_ms);
/* Its turn has come: blocks that wait for one. Nothing when none do. */
void tftp_transfer_go_on(struct tftp_transfer *t, struct tftp_wire *wire);
/* Does nothing before due_ms. */
void tftp_transfer_timeout(struct tftp_transfer *t, struct tftp_wire *wire, uint64_t now_ms);
/* The peer sent its request a second time. One that has answered already sent it before it heard us. */
void tftp_transfer_asked_again(struct tftp_transfer *t, struct tftp_wire *wire, uint64_t now_ms);
/* Ends it from our side; `code` and `reason` go to the peer as an ERROR when `wire` is not NULL. */
void tftp_transfer_stop(struct tftp_transfer *t, enum outcome outcome, uint16_t code, const char *reason,
                        struct tftp_wire *wire);
/* Lets go of the file. */
void tftp_transfer_release(struct tftp_transfer *t);
/* Bytes of the file that the peer has acknowledged. */
uint64_t tftp_transfer_acked_bytes(const struct tftp_transfer *t);

#endif
