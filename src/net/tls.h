/* TLS for net/stream by OpenSSL, first of all the serving side: what is offered, certificates of both ends,
 * tickets, one session a connection.
 *
 * What is offered (security.md R6): TLS 1.3 and 1.2, in 1.2 only suites that are forward secret and
 * authenticated (ECDHE with AES-GCM or ChaCha20-Poly1305); no compression, no renegotiation, no early data; by
 * ALPN http/1.1, by FTP ftp, and nothing else, so that a session meant for another protocol ends here (ALPACA,
 * CVE-2021-3618). The server's order of suites holds; a peer that puts ChaCha20 first, as phones without AES in
 * hardware do, gets it. An ECDSA and an RSA certificate stand side by side: a peer gets the first kind that it
 * can check.
 *
 * A context is an SSL_CTX, named here by its struct so that nobody else needs OpenSSL's headers. It counts its
 * references itself, and a session holds one: a context can be replaced while connections made with it live on.
 * Contexts and tickets may be used by any thread at once, a session by one at a time.
 *
 * Weaker ones, for phones that know nothing better, are offered by a context with `legacy` and by no other:
 * TLS 1.0 and 1.1, suites with CBC and SHA-1, RSA key exchange where the library still has it.
 *
 * Certificates of phones (security.md R5): chain to an authority that was named, purpose, validity and
 * revocation are checked in the handshake. tls_session_peer() tells whom the peer proved to be. A ticket
 * carries the peer's certificate, and is good only where the very same is trusted: contexts with other
 * authorities, other revocations or another kind of context ask for a full handshake, so what was revoked does
 * not come in by an old session; nor does a certificate that has expired meanwhile.
 *
 * OpenSSL writes through this file's own BIO (MSG_NOSIGNAL): no SIGPIPE. */
#ifndef DIALTONE_NET_TLS_H
#define DIALTONE_NET_TLS_H

#include "base/buf.h"
#include "base/clock.h"

#include <sys/types.h>

/* One of a kind: ECDSA and RSA. */
#define TLS_PAIRS_MAX 2
/* A chain of a few certificates, or a key. */
#define TLS_FILE_BYTES_MAX ((size_t)256 * 1024)
/* Authorities of every make of phone, or 100,000 revoked certificates. */
#define TLS_LIST_BYTES_MAX ((size_t)16 * 1024 * 1024)
/* Plain bytes in a record (RFC 8446, 5.1): what is written in one go, and the buffer of a file that is sent. */
#define TLS_RECORD_BYTES ((size_t)16384)
/* Ticket keys: so long does one encrypt, and so many are known. A ticket holds TLS_TICKET_S. */
#define TLS_TICKET_KEY_S 3600
#define TLS_TICKET_KEYS 3
#define TLS_TICKET_S 7200

struct ssl_ctx_st;

/* The keys of session tickets, shared by all threads and by contexts that follow each other. A new key is drawn
 * when one is needed and the last one is older than TLS_TICKET_KEY_S; the oldest is forgotten then. */
struct tls_tickets;
/* 0 or -ENOMEM. The clock must outlive it, and it all contexts and sessions. */
int tls_tickets_open(const struct clock *clock, struct tls_tickets **ret_tickets);
/* NULL is none. */
void tls_tickets_close(struct tls_tickets *t);

/* PEM files: the server's certificate with the chain behind it, and its private key without a passphrase. */
struct tls_pair {
    const char *certificate, *key;
};

/* What is asked of peers. */
enum tls_clients {
    TLS_CLIENTS_OFF,
    TLS_CLIENTS_OPTIONAL, /* one without a certificate, or with one that is not good, comes in and is nobody */
    TLS_CLIENTS_REQUIRED
};

struct tls_options {
    struct tls_pair pairs[TLS_PAIRS_MAX];
    size_t pair_count; /* at least 1, unless `pairs_of` is given */
    struct ssl_ctx_st *pairs_of; /* its certificates and keys are taken instead of files; NULL: none */
    bool only_1_3;
    bool legacy;
    uid_t key_owner; /* who may own the key besides root and this process's user */
    struct tls_tickets *tickets;
    enum tls_clients clients;
    /* With clients: PEM file of the authorities, whole chains or any part of them down to the one that signs; of
     * their revocation lists, which then every authority that signs must have there and current ("": none); serial
     * numbers that are revoked, hexadecimal with or without colons, separated by commas. Copied. */
    const char *client_ca, *client_crl;
    struct slice client_revoked;
    /* Host names (`*.` in front for one label of any kind), separated by commas: a peer that names another one by
     * SNI is told unrecognized_name. "": any will do. One that names none is served. */
    struct slice server_names;
};

/* Refuses a key that anybody but its owner may read, or that belongs to a stranger (R6). 0, or a negative errno
 * and in `why` one line that names the file. */
int tls_context_open(const struct tls_options *options, struct buf *why, struct ssl_ctx_st **ret_context);
/* One more reference; NULL is none. */
struct ssl_ctx_st *tls_context_share(struct ssl_ctx_st *context);
/* One less; NULL is none. */
void tls_context_close(struct ssl_ctx_st *context);

/* --- the side that connects --- */

struct tls_connect_options {
    const char *authorities; /* PEM file of whom to trust; NULL: the machine's list */
    bool anybody;            /* no certificate is checked */
};
/* TLS 1.3 and 1.2. As tls_context_open(). */
int tls_connect_context_open(const struct tls_connect_options *options, struct buf *why,
                             struct ssl_ctx_st **ret_context);

/* A session on a connected, non-blocking socket, which stays the caller's. The handshake is done within the
 * first reads. An idle one costs some 14 KiB (measured), since its buffers are given back when they are empty.
 */
struct tls_session;
/* 0 or -ENOMEM. */
int tls_session_open(struct ssl_ctx_st *context, int fd, struct tls_session **ret_session);
void tls_session_close(struct tls_session *t);
/* Before the handshake: this end connects, with a context of tls_connect_context_open(), and the peer has to prove that
 * it is `host`, a name or a numeric address. False: out of memory, or `host` is neither. */
bool tls_session_connect(struct tls_session *t, struct slice host);

/* What a session is for: which protocol may be asked for by ALPN, and which tickets are good (a ticket of one
 * protocol is none of another). */
enum tls_purpose {
    TLS_HTTP,
    TLS_FTP,
    /* A data connection of FTP: takes the tickets of TLS_FTP and gives none out, for a client that only sends would
     * never read them, and a connection that is closed unread is reset, what it sent included. An end without
     * close_notify is an error here (-EPROTO): anybody on the way could have cut off the rest. */
    TLS_FTP_DATA
};
/* Before the first read or write; TLS_HTTP otherwise. */
void tls_session_set_purpose(struct tls_session *t, enum tls_purpose purpose);

/* The handshake alone, for who has nothing to read or write: 0 when it is done, -EAGAIN, or another negative errno. */
int tls_session_settle(struct tls_session *t);
/* These four are what stream.h says of stream_read() and its kin. -EAGAIN of any of them says that
 * tls_session_events() tells what to wait for; after -EAGAIN, or when less was written than offered, the next
 * write has to begin with the bytes that were not taken. -EPROTOTYPE: the peer speaks HTTP without TLS. */
ssize_t tls_session_read(struct tls_session *t, void *into, size_t len);
ssize_t tls_session_write(struct tls_session *t, struct slice first, struct slice second, bool more);
ssize_t tls_session_send_file(struct tls_session *t, int file, uint64_t offset, size_t len);
/* Tells the peer that nothing follows. */
void tls_session_end(struct tls_session *t);

/* What to poll for when UV_READABLE or UV_WRITABLE is waited for; bytes that are there already wake at once. */
int tls_session_events(const struct tls_session *t, int event);
/* Why the session failed: static text, NULL when it did not. */
const char *tls_session_fault(const struct tls_session *t);

enum tls_peer {
    TLS_PEER_NONE, /* showed no certificate */
    TLS_PEER_BAD,  /* showed one that counts for nothing */
    TLS_PEER_GOOD
};
/* Once the handshake is done. With GOOD the common name goes to `name` (at most 64 bytes; left empty when there is
 * none, several, or one that holds control bytes), with BAD why it is not good to *ret_why (static). */
enum tls_peer tls_session_peer(const struct tls_session *t, struct buf *name, const char **ret_why);
/* Whether `context` would let this peer in too, or be no less sure of it: what is trusted may have changed since
 * the handshake. */
bool tls_session_still_good(const struct tls_session *t, struct ssl_ctx_st *context);

#endif
