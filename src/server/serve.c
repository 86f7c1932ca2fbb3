#include "server/serve.h"

#include "base/log.h"
#include "server/serve_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/* How often somebody who waits for the workers looks. */
#define LOOK_MS 10

static char *text_of(struct slice s)
{
    return strndup(s.ptr ? s.ptr : "", s.len);
}

/* Readable at all: one that cannot be listed would make every answer "absent". */
static int open_root(struct serve *s)
{
    int fd;
    s->root_path = text_of(s->config->root);
    int error = s->root_path ? rootdir_open_root(s->root_path, s->config->root_follow, &s->root) : -ENOMEM;
    if (!error) {
        error = rootdir_open(&s->root, SLICE("."), O_RDONLY | O_DIRECTORY, &fd);
        if (!error)
            close(fd);
    }
    if (error)
        log_error("root %.*s: %s", SLICE_ARG(s->config->root), strerror(-error));
    return error;
}

static int open_journal(struct serve *s)
{
    struct slice kind = s->config->journal;
    bool lines = slice_eq(kind, SLICE("lines")) || slice_eq(kind, SLICE("both"));
    bool rows = slice_eq(kind, SLICE("rows")) || slice_eq(kind, SLICE("both"));
    if (!lines && !rows)
        return 0;
    if (rows && asprintf(&s->database, "%.*s/journal.db", SLICE_ARG(s->config->state_dir)) < 0) {
        s->database = NULL;
        return -ENOMEM;
    }
    struct journal_options options = { s->database, s->config->journal_rows, lines ? STDOUT_FILENO : -1 };
    return journal_open(&options, &s->journal);
}

/* A server that cannot take uploads still serves, and writes into the tree where rules let it. */
static int open_uploads(struct serve *s)
{
    const struct config *c = s->config;
    bool in_state = c->upload_dir.len == 0;
    if (!c->upload_enable)
        return uploads_open(NULL, s->hash_seed, &s->uploads);
    if (asprintf(&s->uploads_path, "%.*s%s", SLICE_ARG(in_state ? c->state_dir : c->upload_dir),
                 in_state ? "/uploads" : "") < 0) {
        s->uploads_path = NULL;
        return -ENOMEM;
    }
    if (uploads_open(s->uploads_path, s->hash_seed, &s->uploads) == 0)
        return 0;
    log_warning("uploads are refused; upload.enable = 0 says the same without this warning");
    return uploads_open(NULL, s->hash_seed, &s->uploads);
}

static size_t worker_count(bool any, uint32_t asked)
{
    size_t count = asked ? asked : uv_available_parallelism();
    return !any ? 0 : count < WORKERS_MAX ? count : WORKERS_MAX;
}

static bool has_plain(const struct config *c)
{
    return c->tftp_enable || c->http_enable || c->ftp_enable || c->pnp_enable;
}

size_t serve_crew_count(const struct serve *s)
{
    return s->workers + s->tls_workers;
}

static int open_all(struct serve *s)
{
    int error = access_open(s->config, &s->access);
    s->writes_root = access_writes_tree(s->access);
    if (!error)
        error = login_open(&s->login);
    if (error)
        log_error("users and rules could not be set up: %s", strerror(-error));
    if (!error)
        error = open_root(s);
    if (!error)
        error = serve_tls_open(s);
    if (!error && serve_has_ftps(s->config))
        error = ftp_relay_open(&s->ftp_relay);
    if (!error)
        error = serve_bind(s);
    if (!error)
        error = open_journal(s);
    if (!error)
        error = open_uploads(s);
    if (!error)
        uploads_survey(s->uploads, &s->root, s->access);
    if (!error)
        error = serve_guard_open(s);
    for (size_t i = 0; !error && i < serve_crew_count(s); i++)
        error = crew_open(s, i);
    return error;
}

int serve_open(const struct config *config, struct serve **ret_serve)
{
    struct serve *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->config = config;
    s->fresh = *config;
    s->root.fd = -1;
    s->workers = worker_count(has_plain(config), config->workers);
    s->tls_workers = worker_count(serve_has_tls(config), config->tls_workers);
    pthread_mutex_init(&s->fresh_lock, NULL);
    s->crew = calloc(serve_crew_count(s) + 1, sizeof *s->crew);
    int error = -ENOMEM;
    if (s->crew && getrandom(&s->hash_seed, sizeof s->hash_seed, 0) == sizeof s->hash_seed)
        error = open_all(s);
    if (error) {
        serve_close(s);
        return error;
    }
    *ret_serve = s;
    return 0;
}

int serve_run(struct serve *s)
{
    int error = s->journal ? journal_start(s->journal) : 0;
    for (size_t i = 0; !error && i < serve_crew_count(s); i++)
        error = crew_run(&s->crew[i]);
    if (error)
        log_error("cannot start a thread: %s", strerror(-error));
    return error;
}

int serve_start(const struct config *config, struct serve **ret_serve)
{
    struct serve *s;
    int error = serve_open(config, &s);
    if (error)
        return error;
    error = serve_run(s);
    if (error)
        serve_close(s);
    else
        *ret_serve = s;
    return error;
}

/* Of those that are shown. */
static const struct endpoint *endpoint_at(const struct serve *s, size_t index)
{
    for (size_t i = 0; i < s->endpoint_count; i++)
        if (!s->endpoints[i].kind->behind && index-- == 0)
            return &s->endpoints[i];
    return NULL;
}

bool serve_listener(const struct serve *s, size_t index, enum protocol *ret_protocol,
                    union address *ret_address)
{
    const struct endpoint *e = endpoint_at(s, index);
    if (!e)
        return false;
    *ret_protocol = e->kind->protocol;
    *ret_address = e->address;
    return true;
}

bool serve_listener_is_legacy(const struct serve *s, size_t index)
{
    const struct endpoint *e = endpoint_at(s, index);
    return e && e->kind->legacy;
}

uint16_t serve_port(const struct serve *s, enum protocol protocol)
{
    for (size_t i = 0; i < s->endpoint_count; i++)
        if (s->endpoints[i].kind->protocol == protocol)
            return address_port(&s->endpoints[i].address);
    return 0;
}

int serve_root_fd(const struct serve *s)
{
    return s->root.fd;
}

const char *serve_database(const struct serve *s)
{
    return s->database ? s->database : "";
}

const char *serve_uploads(const struct serve *s)
{
    return uploads_root(s->uploads) ? s->uploads_path : "";
}

static void wake_all(struct serve *s)
{
    for (size_t i = 0; i < serve_crew_count(s); i++)
        if (s->crew[i].has_thread)
            loop_wake(&s->crew[i].worker.loop);
}

static void say_restart(void *context, const struct config_key *key)
{
    (void)context;
    log_warning("%s: changed, takes effect after a restart", key->key);
}

static bool is_used(const struct serve *s, const struct access *a)
{
    for (size_t i = 0; i < serve_crew_count(s); i++)
        if (atomic_load(&s->crew[i].access) == a)
            return true;
    return a == s->access;
}

/* Rules and users that no worker looks at any more. Under fresh_lock. */
static void free_old_access(struct serve *s)
{
    struct access **at = &s->access;
    while (*at) {
        struct access *a = *at;
        if (is_used(s, a)) {
            at = &a->older;
            continue;
        }
        *at = a->older;
        access_close(a);
    }
}

/* Under fresh_lock. */
static void take_access(struct serve *s, struct access *a)
{
    a->older = s->access;
    s->access = a;
    free_old_access(s);
}

bool serve_open_to(const struct serve *s, size_t index, struct buf *out)
{
    unsigned protocols = 0;
    for (size_t i = 0; i < s->endpoint_count; i++)
        protocols |= 1u << s->endpoints[i].kind->protocol;
    return access_open_to(s->access, protocols, index, out);
}

void serve_reload(struct serve *s, const struct config *fresh)
{
    struct access *a = NULL;
    serve_tls_reload(s, fresh);
    int error = access_open(fresh, &a);
    if (error)
        log_error("%s: users and rules stay as they were", strerror(-error));
    if (access_writes_tree(a) && !s->writes_root)
        log_warning(
            "access rules that let files of the tree be written take effect after a restart: this process gave up"
            " the right to");
    uploads_survey(s->uploads, &s->root, a);
    pthread_mutex_lock(&s->fresh_lock);
    config_apply_live(&s->fresh, fresh, say_restart, NULL);
    if (a)
        take_access(s, a);
    pthread_mutex_unlock(&s->fresh_lock);
    uploads_recount(s->uploads);
    atomic_fetch_add(&s->reloads, 1);
    wake_all(s);
}

static void wish(struct serve *s, enum wish what)
{
    if (atomic_load(&s->wish) < what)
        atomic_store(&s->wish, what);
    wake_all(s);
}

void serve_drain(struct serve *s)
{
    wish(s, WISH_DRAIN);
}

void serve_hurry(struct serve *s)
{
    wish(s, WISH_HURRY);
}

bool serve_is_drained(struct serve *s)
{
    for (size_t i = 0; i < serve_crew_count(s); i++)
        if (s->crew[i].has_thread && !atomic_load(&s->crew[i].ended))
            return false;
    return true;
}

void serve_close(struct serve *s)
{
    if (s->crew)
        serve_hurry(s);
    for (size_t i = 0; s->crew && i < serve_crew_count(s); i++)
        crew_close(&s->crew[i]);
    journal_close(s->journal);
    uploads_close(s->uploads);
    serve_unbind(s);
    serve_tls_close(s);
    ftp_relay_close(s->ftp_relay);
    rootdir_close(&s->root);
    for (struct access *a = s->access, *older; a; a = older) {
        older = a->older;
        access_close(a);
    }
    login_close(s->login);
    guard_close(s->guard);
    pthread_mutex_destroy(&s->fresh_lock);
    free(s->crew);
    free(s->database);
    free(s->uploads_path);
    free(s->root_path);
    free(s);
}

void serve_stop(struct serve *s)
{
    serve_drain(s);
    while (!serve_is_drained(s))
        uv_sleep(LOOK_MS);
    serve_close(s);
}
