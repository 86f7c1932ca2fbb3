/* Answers that were given, so that a retransmission gets the same one (RFC 3261 17.2.2): the last so many. */
#ifndef DIALTONE_PHONE_RING_MEMORY_H
#define DIALTONE_PHONE_RING_MEMORY_H

#include "base/arena.h"
#include "net/address.h"
#include "proto/sip_transaction.h"

#define RING_KEY_BYTES 16
/* What RING_RATE and RING_BURST let in within the life of a transaction (SIP_LIFE_MS): none is forgotten too early. */
#define RING_REMEMBERED 680

struct ring_key {
    unsigned char bytes[RING_KEY_BYTES];
};

struct ring_remembered {
    struct ring_key key;
    struct sip_server server; /* its answer is malloc'd; empty: a free place */
};

struct ring_memory {
    struct ring_remembered entries[RING_REMEMBERED];
    size_t next; /* the oldest */
};

/* Of a request and where it came from. False: out of memory. */
bool ring_key_of(const struct sip_message *request, const union address *from, struct arena *arena,
                 struct ring_key *ret_key);
bool ring_memory_find(const struct ring_memory *m, const struct ring_key *key, uint64_t now_ms,
                      struct slice *ret_answer);
/* A copy, in place of the oldest one. False: out of memory. */
bool ring_memory_add(struct ring_memory *m, const struct ring_key *key, struct slice answer, uint64_t now_ms);
void ring_memory_clear(struct ring_memory *m);

#endif
