/* The phone's SIP side, as far as provisioning goes: the NOTIFY `Event: check-sync` that makes a phone
 * provision itself (guide, "SIP NOTIFY Message"; facts.md 3), as state without sockets. Bytes come and go, time
 * is passed in.
 *
 *     NOTIFY, Event check-sync        200, in a dialog or out of one, never 481; guide/check_sync.h says what
 * it does NOTIFY, what registrars send    200, nothing is done: message-summary (RFC 3842), keep-alive NOTIFY,
 * another event or none   489 with Allow-Events (RFC 6665 8.3.2); ACTION-URI is one of these, for the guide
 *                                     does not know it
 *     OPTIONS                         200
 *     another known method            405 with Allow; an unknown one 501
 *     ACK, answers                    nothing
 *
 * A retransmission gets the answer that was given, and nothing is done again; the same request from another
 * port is another one, since scripts use one Call-ID and CSeq for ever.
 *
 * Who may (security.md R18): with sip.trust_ctrl = 1 only trusted peers get anything but 403. What a check-sync
 * needs besides is enum ring_auth. A peer is known by the address that its datagram names, which anybody on the
 * same wire can forge: where that matters, RING_AUTH_ALWAYS.
 *
 * Answers go to where the request came from (R17). Rates: RING_RATE requests a second of trusted peers and
 * RING_STRANGER_RATE of all others; what is over that is dropped. */
#ifndef DIALTONE_PHONE_RING_H
#define DIALTONE_PHONE_RING_H

#include "guide/model.h"
#include "guide/settings.h"
#include "net/address.h"
#include "proto/sip.h"

#define RING_RATE 20
#define RING_BURST 40
/* Also what a stranger may try of passwords. */
#define RING_STRANGER_RATE 5
#define RING_STRANGER_BURST 20
/* Lines a second that are told of it. */
#define RING_TELL_RATE 2
#define RING_TELL_BURST 20
/* An answer repeats what the request had, and adds less than this. */
#define RING_ANSWER_BYTES_MAX (SIP_MESSAGE_BYTES_MAX + 2048)
#define RING_SECRET_BYTES 32

enum ring_trust {
    RING_STRANGER,
    RING_TRUSTED, /* the provisioning server, or a SIP server of an account */
    RING_UNKNOWN  /* a name is being looked up: the same question has an answer in a moment */
};

enum ring_auth {
    RING_AUTH_STRANGERS, /* trusted peers come in; others by digest with an account's password, or not at all */
    RING_AUTH_ALWAYS,    /* everybody by digest */
    RING_AUTH_OPEN       /* nobody is asked, as by real phones */
};

/* What the phone is at this moment. */
struct ring_view {
    const struct settings *settings; /* NULL: off, or rebooting: nothing new is answered */
    struct identity id;
};

/* Everything is called from within ring_receive(). */
struct ring_world {
    struct ring_view (*view)(void *context);
    enum ring_trust (*trust)(void *context, const union address *from);
    /* A check-sync that was accepted and does something. */
    void (*check_sync)(void *context, bool reboot);
    /* One printable line about what came; borrowed. */
    void (*told)(void *context, struct slice line);
    void *context;
};

struct ring_options {
    struct ring_world world;
    enum ring_auth auth;
    unsigned char secret[RING_SECRET_BYTES]; /* drawn by chance: nonces and tags are made of it */
};

/* How a request came. */
struct ring_source {
    union address address;
    bool reliable; /* TCP, TLS: nothing is sent twice */
};

enum ring_verdict {
    RING_SILENT,
    RING_ANSWERED, /* `out` has the answer */
    RING_BAD       /* no SIP: a stream is closed */
};

struct ring;
/* 0 or -ENOMEM. */
int ring_open(const struct ring_options *options, struct ring **ret_ring);
void ring_close(struct ring *r);
/* One whole message. `out` has room for RING_ANSWER_BYTES_MAX. */
enum ring_verdict ring_receive(struct ring *r, const struct ring_source *from, struct slice bytes, uint64_t now_ms,
                               struct buf *out);

#endif
