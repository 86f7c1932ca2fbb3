/* What a TFTP transfer on the serving side is in either direction: the options that hold, waiting and sending
 * again, the end. No socket, no clock, no heap. tftp_transfer.h and tftp_upload.h stand on it.
 *
 * Retransmission, the only one: when due_ms has passed with nothing new from the peer, one datagram goes out
 * again and the wait doubles: 1 s (or the negotiated timeout), 2 s, 4 s, up to 8 s (or the negotiated timeout
 * when that is longer). Everything new starts again at the first wait. A peer that has never answered gets 5
 * datagrams in all, one that has fallen silent 7 more after what it was sent while it still answered
 * (security.md R13). */
#ifndef DIALTONE_SERVER_TFTP_TALK_H
#define DIALTONE_SERVER_TFTP_TALK_H

#include "proto/tftp.h"
#include "server/journal.h"

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

/* So much of a window in one turn (net/loop.h): some 40 us of work. */
#define TFTP_BLOCKS_A_TURN 16

/* Where datagrams go: the one peer of the transfer. `reserve` gives room for at most `cap` bytes and false when
 * there is none, which counts as lost on the way; `commit` sends the first `len` bytes of it. */
struct tftp_wire {
    bool (*reserve)(struct tftp_wire *wire, size_t cap, struct buf *ret_room);
    void (*commit)(struct tftp_wire *wire, size_t len);
    /* There is more to send than one turn is for: tftp_transfer_go_on() is to be called when the next one comes. NULL:
     * there are no turns, all goes at once. */
    void (*take_turn)(struct tftp_wire *wire);
};

enum tftp_state {
    TFTP_UNPROVEN,  /* nothing has come from the peer but the request */
    TFTP_UNDER_WAY, /* it has acknowledged something, or sent a block */
    TFTP_STORING,   /* uploads: all blocks are here, the file is not yet on the disk */
    TFTP_DALLYING,  /* uploads: the last ACK may have to go again */
    TFTP_ENDED
};

struct tftp_talk {
    uint64_t due_ms;     /* when to be asked again */
    uint64_t tsize;      /* bytes, in the OACK */
    const char *reason;  /* why it ended otherwise than well; static or NULL */
    uint32_t wait_ms;    /* the wait that is running */
    uint16_t blksize;    /* bytes */
    uint16_t windowsize; /* blocks */
    uint16_t code;       /* ERROR sent or received; 0: none */
    uint8_t timeout_s;   /* 0: none negotiated */
    uint8_t resends;     /* since the last news */
    uint8_t state;       /* enum tftp_state */
    uint8_t outcome;     /* enum outcome, once ended (uploads: or stored) */
    bool with_blksize, with_tsize, with_windowsize; /* in the OACK */
};

/* `answered`: what the OACK shall say; without any there is none. */
struct tftp_talk tftp_talk_of(const struct tftp_options *answered, uint64_t now_ms);
bool tftp_talk_has_oack(const struct tftp_talk *k);
void tftp_talk_send_oack(const struct tftp_talk *k, struct tftp_wire *wire);

/* Of the waits: the shortest. */
uint32_t tftp_talk_first_wait_ms(const struct tftp_talk *k);
/* Something new has come. */
void tftp_talk_wait_afresh(struct tftp_talk *k, uint64_t now_ms);
/* The wait is over, and one datagram is to go again; the next wait runs. False: it is not over, or was the last
 * one, and then the talk has ended, for `silence` when the peer had answered once. */
bool tftp_talk_is_due(struct tftp_talk *k, const char *silence, uint64_t now_ms);
/* The peer sent its request a second time: whether the first datagram is to go again. Not one that has answered
 * already, which sent it before it heard us, and not one that was doubled on the way. */
bool tftp_talk_is_asked_again(struct tftp_talk *k, uint64_t now_ms);

void tftp_talk_end(struct tftp_talk *k, enum outcome outcome, uint16_t code, const char *reason);
/* The same from our side; `code` and `reason` go to the peer as an ERROR when `wire` is not NULL. */
void tftp_talk_stop(struct tftp_talk *k, enum outcome outcome, uint16_t code, const char *reason,
                    struct tftp_wire *wire);

#endif
