#include "base/bucket.h"

bool bucket_take(struct bucket *b, uint32_t rate, uint32_t burst, uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000, step_us = 1000000 / rate;
    uint64_t at_us = b->next_us > now_us ? b->next_us : now_us;
    if (at_us + step_us - now_us > step_us * burst)
        return false;
    b->next_us = at_us + step_us;
    return true;
}
