/* One accepted TCP connection: read, write, wait, close.
 *
 * A stream buffers nothing. It enters epoll when it first has to wait and not before: a connection that is
 * read, answered and closed in one go costs no system call beyond those three.
 *
 * TLS will come as a filter behind stream_read(), stream_write() and stream_send_file(); whoever uses a stream
 * must not touch the descriptor. */
#ifndef DIALTONE_NET_STREAM_H
#define DIALTONE_NET_STREAM_H

#include "net/address.h"
#include "net/loop.h"

#include <sys/types.h>

struct stream {
    struct loop *loop;
    int fd;          /* -1: closed */
    bool polled;     /* `poll` is open */
    uint8_t waiting; /* UV_READABLE or UV_WRITABLE; 0 */
    uv_poll_t poll;
    void (*ready)(struct stream *s);  /* what was waited for came, or the connection broke: try */
    void (*closed)(struct stream *s); /* the struct may be freed; may be called within stream_close() */
};

/* Takes `fd` (non-blocking). No system call. */
void stream_open(struct stream *s, struct loop *loop, int fd, void (*ready)(struct stream *s),
                 void (*closed)(struct stream *s));
/* Bytes read, 0 at the end of what the peer sends, -EAGAIN when there is nothing now, another negative errno
 * when the connection is broken. */
ssize_t stream_read(struct stream *s, void *into, size_t len);
/* Both texts (either may be empty) in one call. `more`: further bytes follow at once, wait for them to fill the
 * packet. Bytes written, -EAGAIN, or another negative errno. */
ssize_t stream_write(struct stream *s, struct slice first, struct slice second, bool more);
/* From a file: bytes sent, 0 when the file ends before `offset`, -EAGAIN, another negative errno. */
ssize_t stream_send_file(struct stream *s, int file, uint64_t offset, size_t len);
/* Calls `ready` when `event` (UV_READABLE, UV_WRITABLE) comes, until told otherwise; 0 waits for nothing. 0 or
 * a negative errno. */
int stream_wait(struct stream *s, int event);
/* What a connection that was on its way came to, once `ready` was called for UV_WRITABLE: 0 or a negative errno. */
int stream_connected(const struct stream *s);
int stream_local_address(const struct stream *s, union address *ret_address);
/* Bytes that the peer has not acknowledged yet. */
uint64_t stream_unacknowledged(const struct stream *s);
/* Nothing more will be written. */
void stream_end(struct stream *s);
/* `abort`: throw away what is unsent and reset the connection. */
void stream_close(struct stream *s, bool abort);

#endif
