/* SIP messages (RFC 3261): bytes to struct and back, as far as provisioning needs them.
 *
 * Two readers, one verdict. Ours looks at every byte first: it finds the end of the head, joins folded
 * lines, names the header fields (compact forms too) and keeps what they say as it was sent, since an answer
 * has to repeat it to the letter. libosip2's parser then takes the start line and the addresses apart.
 *
 * Deployed peers send poor SIP (facts.md 0.10, 2, 3) and are understood: lines that end in a bare LF, a head
 * without its empty line, Via without branch, From and To without tag, compact names, `MAC%3a...` as user.
 * What is refused: control bytes in the head, a start line or a body length that cannot be told, a request
 * without what an answer to it must repeat. Of an answer only the Call-ID is asked for: of a part that
 * cannot be read, the text is there and the parsed members are empty.
 *
 * No socket, no clock. libosip2 allocates while a message is read and has freed all when sip_read() returns.
 * Safe from any thread. */
#ifndef DIALTONE_PROTO_SIP_H
#define DIALTONE_PROTO_SIP_H

#include "base/arena.h"
#include "base/buf.h"

/* A longer message is refused. What phones and registrars send fits an Ethernet frame. */
#define SIP_MESSAGE_BYTES_MAX 16384
/* More header lines are refused; a REGISTER through several proxies has some 30. */
#define SIP_FIELDS_MAX 64
/* Room for what sip_read() takes from an arena for any one message. */
#define SIP_READ_BYTES_MAX ((size_t)2 * SIP_MESSAGE_BYTES_MAX + 8192)

enum sip_method {
    SIP_METHOD_OTHER, /* see method_text */
    SIP_METHOD_ACK,
    SIP_METHOD_BYE,
    SIP_METHOD_CANCEL,
    SIP_METHOD_INFO,
    SIP_METHOD_INVITE,
    SIP_METHOD_MESSAGE,
    SIP_METHOD_NOTIFY,
    SIP_METHOD_OPTIONS,
    SIP_METHOD_PUBLISH,
    SIP_METHOD_REFER,
    SIP_METHOD_REGISTER,
    SIP_METHOD_SUBSCRIBE
};

enum sip_field {
    SIP_FIELD_ACCEPT,
    SIP_FIELD_ALLOW,
    SIP_FIELD_ALLOW_EVENTS,
    SIP_FIELD_AUTHORIZATION,
    SIP_FIELD_CALL_ID,
    SIP_FIELD_CONTACT,
    SIP_FIELD_CONTENT_LENGTH,
    SIP_FIELD_CONTENT_TYPE,
    SIP_FIELD_CSEQ,
    SIP_FIELD_DATE,
    SIP_FIELD_EVENT,
    SIP_FIELD_EXPIRES,
    SIP_FIELD_FROM,
    SIP_FIELD_MAX_FORWARDS,
    SIP_FIELD_MIN_EXPIRES,
    SIP_FIELD_PROXY_AUTHENTICATE,
    SIP_FIELD_PROXY_AUTHORIZATION,
    SIP_FIELD_RECORD_ROUTE,
    SIP_FIELD_RETRY_AFTER,
    SIP_FIELD_ROUTE,
    SIP_FIELD_SERVER,
    SIP_FIELD_SUBSCRIPTION_STATE,
    SIP_FIELD_SUPPORTED,
    SIP_FIELD_TO,
    SIP_FIELD_USER_AGENT,
    SIP_FIELD_VIA,
    SIP_FIELD_WWW_AUTHENTICATE,
    SIP_FIELD_COUNT
};

/* A header line, unfolded and trimmed. */
struct sip_line {
    enum sip_field field; /* SIP_FIELD_COUNT: none of the above */
    struct slice name;    /* as sent */
    struct slice value;
};

struct sip_uri {
    struct slice text;   /* as sent, without brackets; empty: there is none, or it could not be read */
    struct slice scheme; /* "sip", "sips" or another one, then without the rest */
    struct slice user;   /* with its %XX undone: may hold any byte but NUL */
    struct slice host;   /* without the brackets of an IPv6 address */
    uint16_t port;       /* 0: none given */
};

struct sip_party {
    struct sip_uri uri;
    struct slice tag; /* ptr NULL: none */
};

/* The topmost. */
struct sip_via {
    struct slice transport; /* "UDP" */
    struct slice host;      /* sent-by, without brackets; empty: could not be read */
    uint16_t port;          /* 0: none given */
    struct slice branch;    /* ptr NULL: none */
    struct slice received;  /* ptr NULL: none */
    bool has_rport;
    uint16_t rport; /* 0: asked for and not filled in */
};

/* Borrows from the arena that it was read into, from the bytes nothing. */
struct sip_message {
    uint16_t status;          /* 100..699; 0: a request */
    struct slice reason;      /* of an answer */
    enum sip_method method;   /* of an answer: what its CSeq says */
    struct slice method_text; /* likewise */
    struct sip_uri target;    /* of a request */
    struct sip_line *lines;
    size_t line_count;
    struct slice field[SIP_FIELD_COUNT]; /* the first of its name; ptr NULL: not there */
    struct sip_via via;
    struct sip_party from, to;
    struct sip_uri contact; /* the first one */
    uint32_t cseq;
    struct slice body; /* what Content-Length says, without one all the rest */
    bool cut;          /* Content-Length says more than there is: RFC 3261 18.3 refuses such a message */
};

/* One whole message, a datagram or what sip_frame() found. False with *ret_reason (static text) when it is
 * none. */
bool sip_read(struct slice bytes, struct arena *arena, struct sip_message *ret_message, const char **ret_reason);

enum sip_frame {
    SIP_FRAME_MORE,
    SIP_FRAME_WHOLE,
    SIP_FRAME_EMPTY, /* empty lines: between messages, and as keep-alive (RFC 5626 4.4.1) */
    SIP_FRAME_BAD    /* too long, or a length that cannot be told: close the stream */
};
/* What a stream begins with; for WHOLE and EMPTY its bytes in *ret_len. A message without Content-Length has
 * no body (RFC 3261 20.14). */
enum sip_frame sip_frame(struct slice stream, size_t *ret_len);

/* `;name=value` behind a header's own value, its quotes removed: of `ua-profile;vendor="yealink"` the vendor. A
 * parameter without `=` gives an empty value. False: not there. */
bool sip_param(struct slice value, struct slice name, struct slice *ret_value);
/* A header's value before its parameters, trimmed. */
struct slice sip_value(struct slice value);
/* The user that phones ask PnP with: `MAC001565...`, `MAC:001565...`, `MAC%3a001565...`: what follows MAC.
 * Empty: none. */
struct slice sip_mac_user(struct slice user);
enum sip_method sip_method_of(struct slice text);
/* "NOTIFY"; of OTHER "". */
struct slice sip_method_name(enum sip_method method);
/* "Call-ID". */
struct slice sip_field_name(enum sip_field field);
/* "OK", "Bad Request"; "" for a status that nobody here sends. */
struct slice sip_reason(uint16_t status);

/* --- writing: the start line and the fields, then sip_put_end() ---
 *
 * A text with a control byte in it spoils the writer as if it were full: nothing that came from outside can
 * begin a line of its own. */

/* A request's start line and what every request has. */
struct sip_request {
    enum sip_method method;
    struct slice uri;
    struct slice sent_by; /* of the Via: `10.0.0.1:5059` */
    struct slice branch;  /* with its `z9hG4bK` (SIP_BRANCH_COOKIE) */
    struct slice from;    /* whole values, with tags */
    struct slice to;
    struct slice call_id;
    uint32_t cseq;
    struct slice contact; /* empty: none */
};
#define SIP_BRANCH_COOKIE "z9hG4bK"
/* By UDP; in the order in which a Yealink W52P sends (facts.md 2). */
void sip_put_request(struct buf *out, const struct sip_request *request);
/* By another `transport`, as a Via names it: "TCP", "TLS". */
void sip_put_request_by(struct buf *out, struct slice transport, const struct sip_request *request);

/* Where a request came from: what the topmost Via of its answer says of it. */
struct sip_source {
    struct slice host; /* numeric; empty: say nothing */
    uint16_t port;
};
/* Start line and what an answer repeats (RFC 3261 8.2.6.2): every Via, the topmost one with `received` where
 * sent-by is another host and with `rport` where that was asked for (RFC 3581 4), From, To with `to_tag`
 * where it has none, Call-ID, CSeq. */
void sip_put_answer(struct buf *out, const struct sip_message *request, uint16_t status, struct slice to_tag,
                    const struct sip_source *source);

void sip_put_field(struct buf *out, enum sip_field field, struct slice value);
void sip_put_number(struct buf *out, enum sip_field field, uint32_t value);
/* Content-Type when there is a body, Content-Length, the empty line, the body. */
void sip_put_end(struct buf *out, struct slice type, struct slice body);
/* A message as it was read, with full field names and a right Content-Length. */
void sip_print(const struct sip_message *message, struct buf *out);

#endif
