#include "server/serve_internal.h"

#include "base/log.h"
#include "net/tls.h"

#include <errno.h>

static void on_drained(void *context)
{
    struct crew *c = context;
    if (--c->undrained == 0)
        loop_stop(&c->worker.loop);
}

static void on_last_moment(struct timer *timer)
{
    struct crew *c = container_of(timer, struct crew, at_last);
    log_warning("transfers that were still under way after %u s are ended", c->config.run_drain_s);
    loop_stop(&c->worker.loop);
}

static void drain(struct crew *c)
{
    c->draining = true;
    loop_timer(&c->worker.loop, &c->at_last, (uint64_t)c->config.run_drain_s * 1000, on_last_moment);
    /* One more than there are, so that the last done() cannot come before all were asked. */
    c->undrained = 1;
    for (size_t i = 0; i < c->serve->endpoint_count; i++)
        c->undrained += c->services[i] != NULL;
    for (size_t i = 0; i < c->serve->endpoint_count; i++)
        if (c->services[i])
            c->serve->endpoints[i].kind->drain(c->services[i], on_drained, c);
    on_drained(c);
}

static void reload(struct crew *c, unsigned reloads)
{
    c->seen_reloads = reloads;
    pthread_mutex_lock(&c->serve->fresh_lock);
    c->config = c->serve->fresh;
    c->worker.access = c->serve->access;
    atomic_store(&c->access, c->serve->access);
    if (c->tls) {
        tls_context_close(c->worker.tls);
        tls_context_close(c->worker.tls_legacy);
        c->worker.tls = tls_context_share(c->serve->tls);
        c->worker.tls_legacy = tls_context_share(c->serve->tls_legacy);
    }
    pthread_mutex_unlock(&c->serve->fresh_lock);
    tree_forget(c->worker.tree);
}

static void on_wake(struct loop *loop)
{
    struct crew *c = loop->context;
    unsigned reloads = atomic_load(&c->serve->reloads);
    enum wish wish = atomic_load(&c->serve->wish);
    if (reloads != c->seen_reloads)
        reload(c, reloads);
    if (wish == WISH_HURRY)
        loop_stop(loop);
    else if (wish == WISH_DRAIN && !c->draining)
        drain(c);
}

static int open_services(struct crew *c, size_t index)
{
    struct serve *s = c->serve;
    for (size_t i = 0; i < s->endpoint_count; i++) {
        struct endpoint *l = &s->endpoints[i];
        if (l->kind->tls != c->tls || index >= serve_workers_of(s, l->kind))
            continue;
        int error = l->kind->open(&c->worker, l->fds[index], &c->services[i]);
        /* The service has it either way. */
        l->fds[index] = -1;
        if (error) {
            log_error("%s: %s", protocol_name(l->kind->protocol), strerror(-error));
            return error;
        }
    }
    return 0;
}

static int open_tree(struct crew *c)
{
    struct serve *s = c->serve;
    struct tree *uploads;
    int error = tree_open(&s->root, s->root_path, &c->worker.loop, &c->worker.tree);
    if (!error && uploads_root(s->uploads)) {
        error = tree_open(uploads_root(s->uploads), s->uploads_path, &c->worker.loop, &uploads);
        if (!error)
            tree_overlay(c->worker.tree, uploads);
    }
    if (!error && c->config.root_ignore_case)
        tree_ignore_case(c->worker.tree);
    return error;
}

int crew_open(struct serve *s, size_t index)
{
    struct crew *c = &s->crew[index];
    *c = (struct crew){ .serve = s, .config = *s->config, .tls = index >= s->workers };
    c->worker.journal = s->journal;
    c->worker.uploads = s->uploads;
    c->worker.root = &s->root;
    c->worker.config = &c->config;
    c->worker.access = s->access;
    c->worker.login = s->login;
    c->worker.guard = s->guard;
    atomic_store(&c->access, s->access);
    c->worker.hash_seed = s->hash_seed;
    c->worker.share = (unsigned)(c->tls ? s->tls_workers : s->workers);
    c->worker.index = (unsigned)(c->tls ? index - s->workers : index);
    c->worker.ftp_share = (unsigned)(s->workers + (s->ftp_relay ? s->tls_workers : 0));
    c->worker.ftp_index = (unsigned)index;
    c->worker.ftp_relay = s->ftp_relay;
    c->worker.tls = c->tls ? tls_context_share(s->tls) : NULL;
    c->worker.tls_legacy = c->tls ? tls_context_share(s->tls_legacy) : NULL;
    int error = loop_open(&c->worker.loop, &clock_system, on_wake, c);
    c->has_loop = !error;
    if (!error)
        error = open_tree(c);
    if (error) {
        log_error("a worker could not be set up: %s", strerror(-error));
        return error;
    }
    return open_services(c, c->worker.index);
}

/* On the thread that no longer runs the loop: it has ended, or never began. */
void crew_close(struct crew *c)
{
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    if (!c->has_loop) {
        tls_context_close(c->worker.tls);
        tls_context_close(c->worker.tls_legacy);
        return;
    }
    timer_stop(&c->worker.loop.wheel, &c->at_last);
    for (size_t i = 0; i < c->serve->endpoint_count; i++)
        if (c->services[i])
            c->serve->endpoints[i].kind->close(c->services[i]);
    tree_close(c->worker.tree);
    loop_close(&c->worker.loop);
    tls_context_close(c->worker.tls);
    tls_context_close(c->worker.tls_legacy);
    c->worker.tls = c->worker.tls_legacy = NULL;
}

static void *run(void *context)
{
    struct crew *c = context;
    loop_run(&c->worker.loop);
    atomic_store(&c->ended, true);
    return NULL;
}

int crew_run(struct crew *c)
{
    int error = -pthread_create(&c->thread, NULL, run, c);
    c->has_thread = !error;
    return error;
}
