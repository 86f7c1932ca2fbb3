/* UDP sockets on a loop: received in batches, sent in batches at the end of the round.
 *
 * The sockets of one loop share a set: one array of receive buffers (a batch is handled completely before the
 * next is received) and one queue of what is to be sent. Nothing is allocated a datagram. */
#ifndef DIALTONE_NET_DATAGRAM_H
#define DIALTONE_NET_DATAGRAM_H

#include "base/buf.h"
#include "net/address.h"
#include "net/loop.h"

/* Datagrams a recvmmsg or sendmmsg: past some 30 the system call no longer weighs. */
#define DATAGRAM_BATCH 64
/* What may wait to be sent: several rounds of a busy worker. What does not fit is lost, as on a wire. */
#define DATAGRAM_QUEUE 2048
#define DATAGRAM_QUEUE_BYTES ((size_t)2 * 1024 * 1024)
/* A power-on burst of thousands of phones must fit while the worker is busy (design.md). */
#define DATAGRAM_RECEIVE_BUFFER (8 * 1024 * 1024)
#define DATAGRAM_SEND_BUFFER (2 * 1024 * 1024)

/* One end of our own: the address a datagram came to, so that a server bound to `*` on a machine with several
 * addresses answers from the one that was asked. Zeroed: let the kernel choose. */
struct datagram_local {
    sa_family_t family; /* AF_UNSPEC: none */
    union {
        struct in_addr v4;
        struct in6_addr v6;
    };
};

struct datagram_in {
    union address from;
    struct datagram_local to; /* only when the socket was opened with `learn_local` */
    struct slice bytes;       /* borrowed for the call */
    bool cut;                 /* longer than the set's receive buffers */
    bool to_group;            /* sent to an IPv4 multicast group; only with `learn_local`, `to` is ours all the same */
};

struct datagram_set;
struct datagram;
/* A batch; the messages in the order of their coming. */
typedef void datagram_received(struct datagram *d, const struct datagram_in *messages, size_t count);

struct datagram {
    uv_poll_t poll;
    int fd;
    bool blocked;             /* the kernel takes no more; waits to be writable */
    struct datagram_set *set; /* NULL: not open */
    datagram_received *received;
    void (*undelivered)(struct datagram *d, const union address *to);
    void *context; /* the owner's */
    void (*closed)(struct datagram *d);
};

/* `receive_bytes`: the longest datagram that is received whole. 0 or -ENOMEM. */
int datagram_set_open(struct loop *loop, size_t receive_bytes, struct datagram_set **ret_set);
/* After all its sockets have closed. What is still queued is dropped. */
void datagram_set_close(struct datagram_set *set);
/* Datagrams that found no room or that the kernel refused. */
uint64_t datagram_set_lost(const struct datagram_set *set);

/* A new socket bound to `local` (port 0: any free one; an IPv6 one takes no IPv4). A descriptor or a negative errno. */
int datagram_bind(const union address *local);
/* Takes a bound descriptor over (also when it fails), makes its buffers large and starts receiving. 0 or a
 * negative errno. The struct must not move until `closed` has been called. */
int datagram_open(struct datagram *d, struct datagram_set *set, int fd, bool learn_local,
                  datagram_received *received, void *context);
/* From now on the owner is told what the network says of datagrams that could not be delivered (ICMP). IPv4 only. 0 or
 * a negative errno. */
int datagram_tell_undelivered(struct datagram *d,
                              void (*undelivered)(struct datagram *d, const union address *to));
int datagram_local_address(const struct datagram *d, union address *ret_address);
/* Receives no more and drops what is queued; `closed` comes from the loop, when the memory may go. */
void datagram_close(struct datagram *d, void (*closed)(struct datagram *d));

/* Takes the next batch at once instead of at its turn, for who must know what this socket has to say before
 * going on. Also from within another socket's `received`, but not deeper. */
void datagram_receive_now(struct datagram *d);

/* Room for one datagram of at most `cap` bytes to `to` (NULL: whom the socket is connected to); fill it, then
 * commit its length before the next call into this set. A room that is not committed is forgotten. False when
 * too much is queued. It leaves at the end of the round. */
bool datagram_reserve(struct datagram *d, const union address *to, const struct datagram_local *from,
                      size_t cap, struct buf *ret_room);
void datagram_commit(struct datagram_set *set, size_t len);
/* Sends what is queued now, for who closes a socket in this round; what the kernel does not take at once stays
 * queued. */
void datagram_flush(struct datagram_set *set);

#endif
