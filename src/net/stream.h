/* One accepted TCP connection: read, write, wait, close.
 *
 * A stream buffers nothing. It enters epoll when it first has to wait and not before: a connection that is
 * read, answered and closed in one go costs no system call beyond those three.
 *
 * TLS (net/tls.h) is a filter behind stream_read(), stream_write(), stream_send_file() and stream_end(): whoever
 * uses a stream speaks in plain bytes and must not touch the descriptor. A stream without it pays one test of a
 * byte for that, and no memory: the session hangs in `poll.data`, which libuv leaves to its user. */
#ifndef DIALTONE_NET_STREAM_H
#define DIALTONE_NET_STREAM_H

#include "net/address.h"
#include "net/loop.h"
#include "net/tls.h"

/* So much of a large file in one turn (net/loop.h): some 20 us of work plain and 80 by TLS. */
#define STREAM_TURN_BYTES ((size_t)128 * 1024)

struct stream {
    struct loop *loop;
    int fd;          /* -1: closed */
    bool polled;     /* `poll` is open */
    uint8_t waiting; /* what is polled for: UV_READABLE, UV_WRITABLE, with TLS both; 0 */
    bool filtered;   /* `poll.data` is a struct tls_session */
    uv_poll_t poll;
    void (*ready)(struct stream *s);  /* what was waited for came, or the connection broke: try */
    void (*closed)(struct stream *s); /* the struct may be freed; may be called within stream_close() */
};

/* Takes `fd` (non-blocking). No system call. */
void stream_open(struct stream *s, struct loop *loop, int fd, void (*ready)(struct stream *s),
                 void (*closed)(struct stream *s));
/* From now on TLS, whose handshake is done within the first reads. 0 or -ENOMEM. */
int stream_filter(struct stream *s, struct ssl_ctx_st *context);
/* The same for another protocol than HTTP. */
int stream_filter_for(struct stream *s, struct ssl_ctx_st *context, enum tls_purpose purpose);
/* This end connects, and the peer has to be `host` (tls_session_connect()). 0 or a negative errno. */
int stream_filter_to(struct stream *s, struct ssl_ctx_st *context, struct slice host);
/* 0 when there is no filter or its handshake is done; -EAGAIN: wait for UV_WRITABLE and try again; another negative
 * errno. For who may have nothing to write. */
int stream_settle(struct stream *s);
/* Plain bytes again, for an answer to a peer that speaks no TLS (-EPROTOTYPE of stream_read()). */
void stream_unfilter(struct stream *s);
/* Why TLS failed: static text, NULL when it did not. */
const char *stream_fault(const struct stream *s);
/* tls_session_peer() and tls_session_still_good(); without TLS nobody has shown anything, and all is well. */
enum tls_peer stream_peer(const struct stream *s, struct buf *name, const char **ret_why);
bool stream_still_good(const struct stream *s, struct ssl_ctx_st *context);
/* Bytes read, 0 at the end of what the peer sends, -EAGAIN when there is nothing now, another negative errno
 * when the connection is broken. */
ssize_t stream_read(struct stream *s, void *into, size_t len);
/* Both texts (either may be empty) in one call. `more`: further bytes follow at once, wait for them to fill the
 * packet. Bytes written, -EAGAIN, or another negative errno. What was not taken has to come first in the next
 * write. */
ssize_t stream_write(struct stream *s, struct slice first, struct slice second, bool more);
/* From a file, by TLS a record at a time: bytes sent, 0 when the file ends before `offset`, -EAGAIN, another
 * negative errno. */
ssize_t stream_send_file(struct stream *s, int file, uint64_t offset, size_t len);
/* Calls `ready` when `event` (UV_READABLE, UV_WRITABLE) comes, until told otherwise; 0 waits for nothing. 0 or
 * a negative errno. */
int stream_wait(struct stream *s, int event);
/* What a connection that was on its way came to, once `ready` was called for UV_WRITABLE: 0 or a negative errno. */
int stream_connected(const struct stream *s);
int stream_local_address(const struct stream *s, union address *ret_address);
/* Bytes that the peer has not acknowledged yet. */
uint64_t stream_unacknowledged(const struct stream *s);
/* From now on at most so many bytes a second, on the average of some seconds; 0 is no limit. The kernel spaces
 * the packets, and what does not leave yet waits in the socket's buffer. */
void stream_pace(struct stream *s, uint32_t bytes_a_second);
/* Nothing more will be written. */
void stream_end(struct stream *s);
/* Lets go of the descriptor without closing it: the connection lives on, for somebody else. Otherwise like
 * stream_close(); no filter may be there. */
int stream_release(struct stream *s);
/* `abort`: throw away what is unsent and reset the connection. */
void stream_close(struct stream *s, bool abort);

#endif
