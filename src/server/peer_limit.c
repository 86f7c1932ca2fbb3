#include "server/peer_limit.h"

#include <errno.h>
#include <stdlib.h>

/* Idle addresses that are remembered beside the busy ones. */
#define IDLE_MIN 1024
#define NOBODY UINT32_MAX

struct peer_limits {
    uint64_t seed;
    struct peer_limit *entries;
    uint32_t *buckets;
    uint32_t mask;           /* number of buckets - 1 */
    uint32_t count, used;    /* entries there are; entries that were ever taken */
    uint32_t oldest, newest; /* of the idle ones, by when they were asked for last */
};

int peer_limits_open(uint32_t busy_max, uint64_t seed, struct peer_limits **ret_limits)
{
    struct peer_limits *l = calloc(1, sizeof *l);
    uint32_t buckets = 1;
    if (!l)
        return -ENOMEM;
    l->seed = seed;
    l->count = busy_max + IDLE_MIN;
    while (buckets < l->count)
        buckets *= 2;
    l->mask = buckets - 1;
    l->oldest = l->newest = NOBODY;
    /* Pages that no peer has asked for yet cost nothing. */
    l->entries = calloc(l->count, sizeof *l->entries);
    l->buckets = malloc(buckets * sizeof *l->buckets);
    if (!l->entries || !l->buckets) {
        peer_limits_close(l);
        return -ENOMEM;
    }
    memset(l->buckets, 0xff, buckets * sizeof *l->buckets);
    *ret_limits = l;
    return 0;
}

void peer_limits_close(struct peer_limits *l)
{
    if (!l)
        return;
    free(l->entries);
    free(l->buckets);
    free(l);
}

static uint32_t index_of(const struct peer_limits *l, const struct peer_limit *p)
{
    return (uint32_t)(p - l->entries);
}

static void unlink_idle(struct peer_limits *l, struct peer_limit *p)
{
    *(p->older == NOBODY ? &l->oldest : &l->entries[p->older].newer) = p->newer;
    *(p->newer == NOBODY ? &l->newest : &l->entries[p->newer].older) = p->older;
}

static void link_newest(struct peer_limits *l, struct peer_limit *p)
{
    p->older = l->newest;
    p->newer = NOBODY;
    *(l->newest == NOBODY ? &l->oldest : &l->entries[l->newest].newer) = index_of(l, p);
    l->newest = index_of(l, p);
}

static uint32_t *bucket_of(struct peer_limits *l, const union address *host)
{
    return &l->buckets[address_hash(host, l->seed) & l->mask];
}

static void forget(struct peer_limits *l, struct peer_limit *p)
{
    uint32_t *at = bucket_of(l, &p->host);
    while (*at != index_of(l, p))
        at = &l->entries[*at].next_in_bucket;
    *at = p->next_in_bucket;
    unlink_idle(l, p);
}

static struct peer_limit *make(struct peer_limits *l, const union address *host)
{
    struct peer_limit *p;
    if (l->used < l->count) {
        p = &l->entries[l->used++];
    } else if (l->oldest != NOBODY) {
        p = &l->entries[l->oldest];
        forget(l, p);
    } else {
        return NULL;
    }
    uint32_t *bucket = bucket_of(l, host);
    *p = (struct peer_limit){ .host = *host, .next_in_bucket = *bucket };
    *bucket = index_of(l, p);
    link_newest(l, p);
    return p;
}

struct peer_limit *peer_limits_of(struct peer_limits *l, const union address *peer)
{
    union address host = *peer;
    address_set_port(&host, 0);
    for (uint32_t i = *bucket_of(l, &host); i != NOBODY; i = l->entries[i].next_in_bucket) {
        struct peer_limit *p = &l->entries[i];
        if (!address_same_host(&p->host, &host))
            continue;
        if (p->busy == 0) {
            unlink_idle(l, p);
            link_newest(l, p);
        }
        return p;
    }
    return make(l, &host);
}

void peer_limits_begin(struct peer_limits *l, struct peer_limit *p)
{
    if (p->busy++ == 0)
        unlink_idle(l, p);
}

void peer_limits_end(struct peer_limits *l, struct peer_limit *p)
{
    if (--p->busy == 0)
        link_newest(l, p);
}
