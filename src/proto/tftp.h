/* TFTP datagrams: RFC 1350, options 2347, blksize 2348, timeout and tsize 2349, windowsize 7440.
 *
 * Bytes <-> structs, for both sides: no socket, no clock, no heap. Everything parsed borrows from the
 * datagram. */
#ifndef DIALTONE_PROTO_TFTP_H
#define DIALTONE_PROTO_TFTP_H

#include "base/buf.h"

enum tftp_opcode { TFTP_RRQ = 1, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR, TFTP_OACK };
enum tftp_mode { TFTP_OCTET, TFTP_NETASCII };

/* RFC 1350 section 5 and RFC 2347. */
enum tftp_error {
    TFTP_ERROR_OTHER = 0, /* the text says what */
    TFTP_ERROR_ABSENT,
    TFTP_ERROR_ACCESS,
    TFTP_ERROR_FULL,
    TFTP_ERROR_ILLEGAL,
    TFTP_ERROR_STRANGER, /* unknown transfer identifier */
    TFTP_ERROR_EXISTS,
    TFTP_ERROR_USER,
    TFTP_ERROR_OPTION
};

#define TFTP_REQUEST_BYTES_MAX 512 /* RFC 2347: "The maximum size of a request packet is 512 octets" */
#define TFTP_NAME_BYTES_MAX 255    /* what the journal holds; no phone asks for more */
#define TFTP_ERROR_TEXT_MAX 128    /* longer texts are cut when built and when parsed */
#define TFTP_HEADER_BYTES 4        /* of DATA and ACK */
#define TFTP_OACK_BYTES_MAX 128    /* all four options at their longest */
#define TFTP_BLKSIZE_DEFAULT 512
#define TFTP_BLKSIZE_MIN 8
#define TFTP_BLKSIZE_MAX 65464
#define TFTP_TSIZE_MAX ((uint64_t)INT64_MAX)

/* The options that we know. A value means something only when its `has_` is set. */
struct tftp_options {
    bool has_blksize, has_timeout, has_tsize, has_windowsize;
    bool malformed;      /* a known option held a value out of its range; that one counts as not given */
    uint8_t timeout_s;   /* 1..255 */
    uint16_t blksize;    /* bytes, 8..65464 */
    uint16_t windowsize; /* blocks, 1..65535 */
    uint64_t tsize;      /* bytes, 0..TFTP_TSIZE_MAX */
};
bool tftp_options_any(const struct tftp_options *o);

struct tftp_packet {
    enum tftp_opcode opcode;
    enum tftp_mode mode;         /* RRQ, WRQ */
    uint16_t block;              /* DATA, ACK */
    uint16_t code;               /* ERROR: as sent, perhaps beyond enum tftp_error */
    struct slice name;           /* RRQ, WRQ: 1..TFTP_NAME_BYTES_MAX bytes, as sent, any byte but NUL */
    struct slice bytes;          /* DATA: the block; ERROR: its text */
    struct tftp_options options; /* RRQ, WRQ, OACK */
};

enum tftp_fault {
    TFTP_FINE,
    TFTP_TRUNCATED, /* ends before it should: a header cut short, a text without its NUL (security.md R15) */
    TFTP_UNKNOWN_OPCODE,
    TFTP_LONG_REQUEST,
    TFTP_NO_NAME,
    TFTP_LONG_NAME,
    TFTP_UNKNOWN_MODE /* neither octet nor netascii; RFC 1350's mail is obsolete */
};
/* A few words for logs and for the text of an ERROR. */
const char *tftp_fault_words(enum tftp_fault fault);

/* Any datagram of either side. *ret_packet is filled on TFTP_FINE; after a fault of a request, `opcode` and
 * what was read of `name` (cut to TFTP_NAME_BYTES_MAX) are there nevertheless, for the journal; `opcode` is 0
 * when not even that could be read.
 *
 * Options: names without case; unknown ones are ignored; of one given twice the first counts, as a server
 * that scans until it finds the name would see it; values are strict decimals within their RFC's range, and a
 * known option with another value counts as not given (the RFCs let a server leave out what it will not
 * do). An empty option name ends the list: some boot loaders pad requests with zeros. */
enum tftp_fault tftp_parse(struct slice datagram, struct tftp_packet *ret_packet);

/* Builders. The buffer's sticky `full` tells when it did not fit. */
void tftp_put_request(struct buf *out, enum tftp_opcode opcode, struct slice name, enum tftp_mode mode,
                      const struct tftp_options *options);
void tftp_put_oack(struct buf *out, const struct tftp_options *options);
/* Up to 65464 bytes of the block follow, put by the caller. */
void tftp_put_data_header(struct buf *out, uint16_t block);
void tftp_put_ack(struct buf *out, uint16_t block);
void tftp_put_error(struct buf *out, uint16_t code, struct slice text);

/* What a server will do at most. */
struct tftp_ceilings {
    uint16_t blksize;    /* bytes */
    uint16_t windowsize; /* blocks */
    uint32_t window;     /* bytes of a whole window, though one block always may go; 0: no bound */
};
/* A server's answer to a read request: only what it will keep to (security.md R14). blksize and windowsize are
 * answered lower when over the ceiling (RFC 2348, RFC 7440 section 3), timeout as asked or not at all
 * (RFC 2349), tsize with `size`, but not with 0: libcurl, so our own phone too, takes that for an illegal OACK.
 * In netascii neither tsize nor windowsize is answered: the size on the wire is known only at the end, and
 * blocks do not start at offsets that can be computed. */
struct tftp_options tftp_answer_options(const struct tftp_packet *request, struct tftp_ceilings ceilings,
                                        uint64_t size);
/* The same to a write request: tsize as announced (RFC 2349), and a window in netascii too. */
struct tftp_options tftp_answer_write_options(const struct tftp_packet *request, struct tftp_ceilings ceilings);
/* A client's check of an OACK: nothing that was not asked, nothing higher than asked, nothing malformed. False:
 * send ERROR 8. */
bool tftp_oack_fits(const struct tftp_options *asked, const struct tftp_options *answered);

/* netascii (RFC 1350 section 1, RFC 764): LF goes as CR LF, CR as CR NUL. What a byte owes when a block is
 * full is carried into the next block (security.md R16). Start with a zeroed state. */
struct tftp_netascii {
    bool owes; /* encoder: `owed` goes first into the next block; decoder: the last byte was a CR */
    char owed;
};
/* Encodes until `in` is used up or `out` is full to its cap; never sets out->full. Gives the bytes used. */
size_t tftp_netascii_encode(struct tftp_netascii *state, struct slice in, struct buf *out);
/* A CR before anything but LF and NUL is kept. `out` needs in.len + 1 bytes. */
void tftp_netascii_decode(struct tftp_netascii *state, struct slice in, struct buf *out);
/* A CR at the very end of a file that was never completed. */
void tftp_netascii_decode_end(struct tftp_netascii *state, struct buf *out);

#endif
