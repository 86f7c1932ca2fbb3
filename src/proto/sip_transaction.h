/* The two transactions of a request that is no INVITE (RFC 3261 17.1.2 and 17.2.2), as state without
 * sockets, timers or tables: time is passed in as milliseconds that never go back, and the owner says what
 * came and is told what to do. Where there are many, the owner keeps them in a hash table by
 * sip_transaction_key(). */
#ifndef DIALTONE_PROTO_SIP_TRANSACTION_H
#define DIALTONE_PROTO_SIP_TRANSACTION_H

#include "proto/sip.h"

/* RFC 3261 17.1.1.1: the round trip that is reckoned with, the longest wait between two tries, and how long
 * a datagram may wander in the network. */
#define SIP_T1_MS 500
#define SIP_T2_MS 4000
#define SIP_T4_MS 5000
/* Timers F and J. */
#define SIP_LIFE_MS ((uint64_t)64 * SIP_T1_MS)

enum sip_client_state {
    SIP_CLIENT_TRYING,
    SIP_CLIENT_PROCEEDING, /* a 1xx came: tries go on every T2 */
    SIP_CLIENT_COMPLETED,  /* answered; by UDP more answers may come (timer K) */
    SIP_CLIENT_ENDED
};

/* Who asks. */
struct sip_client {
    enum sip_client_state state;
    uint16_t status;   /* of the final answer; 0: there was none */
    uint8_t tries;     /* times that the request was to be sent */
    uint8_t tries_max; /* 0: as often as timer F allows, by UDP 11 times */
    bool reliable;
    uint32_t wait_ms; /* timer E's */
    uint64_t try_ms;  /* when timer E fires */
    uint64_t end_ms;  /* when timer F, later K, fires */
};

/* The owner sends the request at once, for the first time. `reliable`: TCP, TLS; nothing is sent twice. */
void sip_client_start(struct sip_client *c, uint8_t tries_max, bool reliable, uint64_t now_ms);
/* When sip_client_timeout() has to be called; UINT64_MAX once it has ended. */
uint64_t sip_client_due_ms(const struct sip_client *c);
/* True: send the same bytes again. Later than due is fine: then one try is made, not all that were missed. */
bool sip_client_timeout(struct sip_client *c, uint64_t now_ms);
/* An answer to it came. True for the first final one, whose status the owner may act on. */
bool sip_client_answered(struct sip_client *c, uint16_t status, uint64_t now_ms);
/* The network said that nobody is there (ICMP), or nobody is interested any more. */
void sip_client_stop(struct sip_client *c);

/* Who answers. */
struct sip_server {
    struct slice answer; /* the owner's bytes; empty: none yet */
    uint64_t end_ms;     /* when timer J fires */
};

/* What the owner has answered with; the bytes must live as long as the transaction. */
void sip_server_answered(struct sip_server *s, struct slice answer, bool reliable, uint64_t now_ms);
/* The request came again. True: send *ret_answer, the same bytes as before. False: no answer yet, or it is
 * over and the request is a new one. */
bool sip_server_asked_again(const struct sip_server *s, uint64_t now_ms, struct slice *ret_answer);

/* Enough for any message that sip_read() takes. */
#define SIP_KEY_BYTES_MAX SIP_MESSAGE_BYTES_MAX
/* What is equal in a request and its retransmission and in no other request (RFC 3261 17.2.3): the branch
 * with sent-by and method, and for peers without the cookie in it (RFC 2543, scripts) Request-URI, tags and
 * the first Via too. Call-ID and CSeq are in it always, for firmware whose branch is always the same. Not to
 * be used for ACK and CANCEL. */
void sip_transaction_key(const struct sip_message *request, struct buf *out);

#endif
