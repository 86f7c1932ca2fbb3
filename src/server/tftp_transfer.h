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
 *     ACK of the last block        nothing                  ended: sent
 *     ACK already had, other       nothing
 *     ERROR                        nothing, ever (R13)      ended: stopped
 *   tftp_transfer_timeout()        ONE datagram: the OACK or the block after the last acknowledged one
 *   tftp_transfer_asked_again()    the first datagram once more, when the last one is TFTP_ECHO_MS old
 *
 * Retransmission, the only one: when due_ms has passed with nothing new acknowledged, one datagram goes out
 * again and the wait doubles: 1 s (or the negotiated timeout), 2 s, 4 s, up to 8 s (or the negotiated timeout
 * when that is longer). Every new acknowledgement starts again at the first wait. A peer that has never
 * answered gets 5 datagrams in all, one that has fallen silent 7 more after what it was sent while it still
 * answered: 8 with a window of 1 (security.md R13). Only the clock resends: an ACK that acknowledges nothing
 * new is ignored, so a doubled packet never doubles what follows (the sorcerer's apprentice, RFC 1123 4.2.3.1).
 * An ACK inside the window means that the blocks after it were lost, and they go again (RFC 7440 section 4),
 * once for what was out at that time.
 *
 * Block numbers wrap from 65535 to 0; inside they are 64 bits. A file whose size is a multiple of the block
 * size ends with an empty block; so does an empty file.
 *
 * Uploads are another machine, server/tftp_upload.h; the wire, the end and the waits are the same. */
#ifndef DIALTONE_SERVER_TFTP_TRANSFER_H
#define DIALTONE_SERVER_TFTP_TRANSFER_H

#include "proto/tftp.h"
#include "server/journal.h"
#include "server/tree.h"

#define TFTP_FIRST_WAIT_MS 1000
#define TFTP_LONGEST_WAIT_MS 8000
/* A request that comes a second time sooner was doubled on the way; later it was sent again. */
#define TFTP_ECHO_MS 100
#define TFTP_RESENDS_UNPROVEN 4 /* to a peer that has not answered yet: it may be a forged address */
#define TFTP_RESENDS 7
/* Blocks, and bytes of all of them: what a peer with Linux's default receive buffer (208 KiB, the kernel's own
 * overhead counted) takes without loss. atftp asks for 64 blocks of 64 KiB and loses most of each window. */
#define TFTP_WINDOW_CEILING 64
#define TFTP_WINDOW_BYTES (96 * 1024)

/* Where datagrams go: the one peer of the transfer. `reserve` gives room for at most `cap` bytes and false when
 * there is none, which counts as lost on the way; `commit` sends the first `len` bytes of it. */
struct tftp_wire {
    bool (*reserve)(struct tftp_wire *wire, size_t cap, struct buf *ret_room);
    void (*commit)(struct tftp_wire *wire, size_t len);
};

enum tftp_state {
    TFTP_UNPROVEN,  /* nothing has come from the peer but the request */
    TFTP_UNDER_WAY, /* it has acknowledged something, or sent a block */
    TFTP_STORING,   /* uploads: all blocks are here, the file is not yet on the disk */
    TFTP_DALLYING,  /* uploads: the last ACK may have to go again */
    TFTP_ENDED
};

/* Some 160 bytes; the blob of `file` is shared with the tree's cache. */
struct tftp_transfer {
    struct tree_file file; /* owned */
    uint64_t acked;        /* blocks acknowledged */
    uint64_t sent;         /* highest block sent; 0: none, or the OACK */
    uint64_t again_until;  /* highest block that was out when a window last went again */
    uint64_t due_ms;       /* when to call tftp_transfer_timeout() */
    uint64_t text_at;      /* netascii: offset at which block acked + 1 starts */
    uint64_t text_next;    /* netascii: offset behind it, once sent */
    const char *reason;    /* why it ended otherwise than well; static or NULL */
    uint32_t wait_ms;      /* the wait that is running */
    uint16_t blksize;      /* bytes */
    uint16_t windowsize;   /* blocks */
    uint16_t code;         /* ERROR sent or received; 0: none */
    uint8_t timeout_s;     /* 0: none negotiated */
    uint8_t resends;       /* since the last acknowledgement of something new */
    uint8_t state;         /* enum tftp_state */
    uint8_t outcome;       /* enum outcome, once ended */
    bool netascii, with_blksize, with_tsize, with_windowsize; /* the last three: in the OACK */
    bool text_last;                                           /* netascii: block acked + 1 is the last */
    struct tftp_netascii text_state, text_next_state;
};

/* Takes `file` over and sends the first datagram. `request` is an RRQ. */
void tftp_transfer_start(struct tftp_transfer *t, const struct tftp_packet *request,
                         const struct tree_file *file, struct tftp_ceilings ceilings, struct tftp_wire *wire,
                         uint64_t now_ms);
/* A packet from the peer, whatever it is. */
void tftp_transfer_receive(struct tftp_transfer *t, const struct tftp_packet *packet, struct tftp_wire *wire,
                           uint64_t now_ms);
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
