#include "server/guard.h"

#include "base/log.h"
#include "guide/name.h"
#include "server/login_table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

struct guard {
    uint64_t secret[2];
    pthread_mutex_t lock; /* of the tables */
    struct login_table hosts, phones;
};

/* Who asks for whose file. */
struct quest {
    uint64_t phone, host;
    struct login_key here;
    bool watched; /* somebody's file, and there is a guard */
    bool known;   /* here */
    bool good;
    bool counts; /* when it misses */
};

int guard_open(struct guard **ret_guard)
{
    struct guard *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    pthread_mutex_init(&g->lock, NULL);
    int error = getrandom(g->secret, sizeof g->secret, 0) == sizeof g->secret ? 0 : -EIO;
    if (!error)
        error = login_table_open(&g->hosts, GUARD_HOSTS / LOGIN_TABLE_WAYS);
    if (!error)
        error = login_table_open(&g->phones, 2 * GUARD_PHONES / LOGIN_TABLE_WAYS);
    if (error) {
        guard_close(g);
        return error;
    }
    *ret_guard = g;
    return 0;
}

void guard_close(struct guard *g)
{
    if (!g)
        return;
    login_table_close(&g->hosts);
    login_table_close(&g->phones);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

/* --- keys --- */

/* The finalizer of SplitMix64: every bit of the input moves every bit of the output. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* 0 is no phone and no address. */
static struct login_key key_of(const struct guard *g, uint64_t phone, uint64_t host)
{
    struct login_key key;
    for (size_t i = 0; i < 2; i++)
        key.words[i] = mix(mix(mix(g->secret[i] ^ phone) + g->secret[1 - i]) ^ host);
    key.words[1] |= 1;
    return key;
}

static uint64_t phone_of(struct mac mac)
{
    uint64_t n = 1;
    for (size_t i = 0; i < sizeof mac.bytes; i++)
        n = n << 8 | mac.bytes[i];
    return n;
}

/* A /64 that begins as an IPv4 address does is not that one. */
static uint64_t host_of(const union address *peer)
{
    struct slice owner = address_owner(peer);
    uint64_t n = 0;
    memcpy(&n, owner.ptr, owner.len);
    return mix(n + owner.len);
}

static struct quest quest_of(const struct guard *g, struct mac mac, const union address *peer)
{
    struct quest q = { .phone = phone_of(mac), .host = peer ? host_of(peer) : 0, .watched = true };
    q.here = key_of(g, q.phone, q.host);
    return q;
}

static struct login_key anywhere(const struct guard *g, const struct quest *q)
{
    return key_of(g, q->phone, 0);
}

static struct login_entry *host_entry(struct guard *g, const struct quest *q, uint64_t now_ms)
{
    return login_table_of(&g->hosts, key_of(g, 0, q->host), now_ms);
}

/* --- what is known --- */

static struct login_bounds bounds_of(const struct config *c)
{
    return (struct login_bounds){ c->guard_unknown, c->guard_unknown_s, GUARD_REFUSALS, c->guard_shut_s };
}

static bool has_proven(const struct caller *c, struct mac mac)
{
    struct mac own;
    return caller_mac(c, &own) && mac_eq(own, mac);
}

/* False: refused. Under lock. */
static bool admit(struct guard *g, const struct worker *w, const struct caller *c, struct mac mac, struct quest *q)
{
    uint64_t now_ms = w->loop.now_ms;
    struct login_bounds bounds = bounds_of(w->config);
    const struct login_entry *here = login_table_find(&g->phones, q->here, now_ms);
    if (here || has_proven(c, mac)) {
        q->known = here != NULL;
        q->good = here && here->good;
        return true;
    }
    q->counts = login_table_find(&g->phones, anywhere(g, q), now_ms) == NULL;
    return login_entry_may_try(host_entry(g, q, now_ms), &bounds, now_ms);
}

static bool may_ask(struct worker *w, const struct caller *c, struct slice name, struct quest *ret_quest)
{
    struct guard *g = w->guard;
    struct mac mac;
    ret_quest->watched = false;
    if (!g || !w->config->guard_unknown || !name_owner(name, &mac))
        return true;
    *ret_quest = quest_of(g, mac, c->peer);
    pthread_mutex_lock(&g->lock);
    bool may = admit(g, w, c, mac, ret_quest);
    pthread_mutex_unlock(&g->lock);
    return may;
}

/* Under lock. */
static void remember(struct guard *g, const struct quest *q, bool good, uint64_t now_ms)
{
    struct login_entry *e = login_table_of(&g->phones, q->here, now_ms);
    e->good = e->good || good;
    e = login_table_of(&g->phones, anywhere(g, q), now_ms);
    e->good = e->good || good;
}

static void say(const struct caller *c)
{
    char bytes[64];
    struct buf host = BUF_ON(bytes);
    address_print_host(c->peer, &host);
    log_warning("guessing: too many unknown phones asked for from %.*s by %s", SLICE_ARG(buf_slice(&host)),
                protocol_name(c->protocol));
}

static void note(struct worker *w, const struct caller *c, const struct quest *q, bool missed)
{
    struct guard *g = w->guard;
    struct login_bounds bounds = bounds_of(w->config);
    bool tell = false;
    if (!q->watched || (q->known && (q->good || missed)))
        return;
    pthread_mutex_lock(&g->lock);
    if (missed && q->counts)
        tell = login_entry_failed(host_entry(g, q, w->loop.now_ms), &bounds, w->loop.now_ms);
    remember(g, q, !missed, w->loop.now_ms);
    pthread_mutex_unlock(&g->lock);
    if (tell)
        say(c);
}

void guard_remember(struct guard *g, struct slice name, const union address *peer, bool good, uint64_t order)
{
    struct mac mac;
    if (!g || !name_owner(name, &mac))
        return;
    struct quest q = quest_of(g, mac, peer);
    pthread_mutex_lock(&g->lock);
    remember(g, &q, good, order);
    pthread_mutex_unlock(&g->lock);
}

/* --- questions --- */

enum tree_answer guard_ask(struct worker *w, const struct caller *c, struct slice name, struct tree_file *ret_file)
{
    const struct tree_question question = { name };
    struct quest q;
    if (!may_ask(w, c, name, &q))
        return TREE_GUARDED;
    enum tree_answer answer = tree_ask(w->tree, &question, ret_file);
    /* What could not be looked at is as unknown as before. */
    if (answer != TREE_BROKEN && answer != TREE_BAD_NAME)
        note(w, c, &q, answer == TREE_ABSENT);
    return answer;
}

enum tree_answer guard_hide(struct worker *w, const struct caller *c, struct slice name)
{
    struct quest q;
    if (!may_ask(w, c, name, &q))
        return TREE_GUARDED;
    note(w, c, &q, true);
    return TREE_ABSENT;
}

bool guard_write(struct worker *w, const struct caller *c, struct slice name)
{
    struct quest q;
    if (!may_ask(w, c, name, &q))
        return false;
    note(w, c, &q, true);
    return true;
}
