/* One check-sync NOTIFY out of any dialog (guide, "SIP NOTIFY Message"; facts.md 3) to one phone, as state without
 * sockets: what to send, what came back. Time is passed in.
 *
 * Sent as proto/sip_transaction.h says: by UDP again and again until timer F, by TCP and TLS once. 401 and 407 are
 * answered by digest, once, and once more when the nonce was stale; nothing else is followed, no redirect. Answers are
 * told by the Call-ID. */
#ifndef DIALTONE_SERVER_NOTIFY_H
#define DIALTONE_SERVER_NOTIFY_H

#include "net/address.h"
#include "proto/sip_transaction.h"

#define NOTIFY_MESSAGE_BYTES_MAX 4096

enum notify_transport { NOTIFY_UDP, NOTIFY_TCP, NOTIFY_TLS };

/* `sip:user@host[:port][;transport=udp|tcp|tls]`; borrows from the text. */
struct notify_target {
    struct slice user; /* "": none */
    struct slice host; /* a name or a numeric address, without brackets */
    uint16_t port;     /* 5060, by TLS 5061, when the text has none */
    enum notify_transport transport;
};
/* `sip:` may be missing; `sips:` is TLS. False: nobody could send there. */
bool notify_target_parse(struct slice text, struct notify_target *ret_target);
/* The same back. */
void notify_target_print(const struct notify_target *target, struct buf *out);

enum notify_outcome {
    NOTIFY_GOING,
    NOTIFY_ANSWERED, /* 2xx */
    NOTIFY_REFUSED,  /* any other final status */
    NOTIFY_SILENT,
    NOTIFY_UNREACHABLE
};
/* "answered", "refused" ... */
const char *notify_outcome_name(enum notify_outcome outcome);

/* Borrowed until the end. */
struct notify_options {
    struct notify_target target;
    union address local; /* where answers come to */
    bool reboot;
    struct slice user, password; /* user "": a challenge is an answer like any other */
    uint64_t number;             /* drawn by chance: Call-ID, tag, branches and cnonces are made of it */
    uint32_t wait_ms;            /* at most; 0: what timer F is */
};

struct notify {
    enum notify_outcome outcome;
    uint16_t status;  /* of the last final answer; 0: none came */
    char reason[64];  /* its reason, as sent, cut */
    const char *why;  /* static text, "": nothing to add */
    unsigned tries;   /* times that a message was to be sent */
    struct notify_options options;
    struct sip_client client;
    uint64_t start_ms, end_ms;
    uint32_t cseq;
    unsigned logins;
    uint16_t len, call_id_len;
    char call_id[96];
    char message[NOTIFY_MESSAGE_BYTES_MAX];
};

/* Then send notify_message(). False: it does not fit, or a text has a control byte in it. */
bool notify_start(struct notify *n, const struct notify_options *options, uint64_t now_ms);
struct slice notify_message(const struct notify *n);
/* When notify_timeout() has to be called; UINT64_MAX once it is over. */
uint64_t notify_due_ms(const struct notify *n);
/* True: send notify_message() again. */
bool notify_timeout(struct notify *n, uint64_t now_ms);
/* Whether an answer belongs to it. */
bool notify_is_mine(const struct notify *n, const struct sip_message *answer);
/* True: send notify_message(), which is another one now. */
bool notify_answered(struct notify *n, const struct sip_message *answer, uint64_t now_ms);
/* `why`: static text. */
void notify_unreachable(struct notify *n, const char *why);

#endif
