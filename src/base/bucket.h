/* A token bucket in one number (the generic cell rate algorithm). Time is passed in. */
#ifndef DIALTONE_BASE_BUCKET_H
#define DIALTONE_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: full. */
struct bucket {
    uint64_t next_us; /* when it would be full again */
};
/* Takes a token out of at most `burst`, refilled with `rate` (1..1000000) a second. False: there is none. */
bool bucket_take(struct bucket *b, uint32_t rate, uint32_t burst, uint64_t now_ms);

#endif
