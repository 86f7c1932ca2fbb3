#include "phone/ring_names.h"

#include <stdlib.h>

struct named {
    uv_getaddrinfo_t request;
    struct ring_names *names;
    bool asking, known; /* known: an answer came, if only that there is none */
    uint64_t due_ms;    /* when it is to be looked up again */
    uint64_t wanted_ms; /* when it was last asked for */
    char name[256];     /* "": a free place */
    size_t count;
    union address found[RING_NAME_ADDRESSES_MAX];
};

struct ring_names {
    struct loop *loop;
    bool closing;
    size_t asking;
    struct named places[RING_HOSTS_MAX];
};

struct ring_names *ring_names_new(struct loop *loop)
{
    struct ring_names *n = calloc(1, sizeof *n);
    if (n)
        n->loop = loop;
    return n;
}

void ring_names_close(struct ring_names *n)
{
    if (!n)
        return;
    n->closing = true;
    for (size_t i = 0; i < RING_HOSTS_MAX; i++)
        if (n->places[i].asking)
            uv_cancel((uv_req_t *)&n->places[i].request);
    if (n->asking == 0)
        free(n);
}

static void keep(struct named *p, const struct addrinfo *list)
{
    p->count = 0;
    for (; list && p->count < RING_NAME_ADDRESSES_MAX; list = list->ai_next) {
        if (list->ai_family == AF_INET || list->ai_family == AF_INET6)
            memcpy(&p->found[p->count++], list->ai_addr, list->ai_addrlen);
    }
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct named *p = container_of(request, struct named, request);
    struct ring_names *n = p->names;
    p->asking = false;
    n->asking--;
    if (n->closing) {
        uv_freeaddrinfo(list);
        if (n->asking == 0)
            free(n);
        return;
    }
    loop_woke(n->loop);
    keep(p, status == 0 ? list : NULL);
    uv_freeaddrinfo(list);
    p->known = true;
    p->due_ms = n->loop->now_ms + (p->count ? RING_NAMES_S : RING_NAMES_RETRY_S) * UINT64_C(1000);
}

static void ask(struct ring_names *n, struct named *p)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
    p->names = n;
    if (uv_getaddrinfo(&n->loop->uv, &p->request, on_found, p->name, NULL, &hints) == 0) {
        p->asking = true;
        n->asking++;
        return;
    }
    p->known = true;
    p->due_ms = n->loop->now_ms + RING_NAMES_RETRY_S * UINT64_C(1000);
}

/* The place of a name; a new one takes a free place or that of the name that nobody has wanted for longest. */
static struct named *place_of(struct ring_names *n, struct slice host)
{
    struct named *oldest = NULL;
    for (size_t i = 0; i < RING_HOSTS_MAX; i++) {
        struct named *p = &n->places[i];
        if (slice_eq_nocase(slice_str(p->name), host))
            return p;
        if (!p->asking && (!oldest || p->wanted_ms < oldest->wanted_ms))
            oldest = p;
    }
    if (!oldest || host.len >= sizeof oldest->name)
        return NULL;
    memset(oldest, 0, sizeof *oldest);
    memcpy(oldest->name, host.ptr, host.len);
    return oldest;
}

static struct named *want(struct ring_names *n, struct slice host)
{
    struct named *p = place_of(n, host);
    if (!p)
        return NULL;
    p->wanted_ms = n->loop->now_ms;
    if (!p->asking && n->loop->now_ms >= p->due_ms)
        ask(n, p);
    return p;
}

void ring_names_look(struct ring_names *n, const struct slice *hosts, size_t count)
{
    union address a;
    for (size_t i = 0; i < count; i++)
        if (!address_parse(hosts[i], 0, &a))
            want(n, hosts[i]);
}

static enum ring_trust judge_name(const struct named *p, const union address *from)
{
    for (size_t i = 0; p && i < p->count; i++)
        if (address_same_host(&p->found[i], from))
            return RING_TRUSTED;
    return p && !p->known ? RING_UNKNOWN : RING_STRANGER;
}

enum ring_trust ring_names_judge(struct ring_names *n, const struct slice *hosts, size_t count,
                                 const union address *from)
{
    enum ring_trust trust = RING_STRANGER;
    for (size_t i = 0; i < count && trust != RING_TRUSTED; i++) {
        union address a;
        bool numeric = address_parse(hosts[i], 0, &a);
        enum ring_trust one = numeric ? (address_same_host(&a, from) ? RING_TRUSTED : RING_STRANGER)
                                      : judge_name(want(n, hosts[i]), from);
        trust = one == RING_STRANGER ? trust : one;
    }
    return trust;
}
