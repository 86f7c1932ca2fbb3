/* A real HTTP service on a loopback socket, with a clock that is moved by hand and a tree that is a table; and
 * clients for it. Nothing sleeps: the loop is turned until what is waited for has come. */
#ifndef DIALTONE_TESTS_HTTP_HARNESS_H
#define DIALTONE_TESTS_HTTP_HARNESS_H

#include "tests/unit/server/fake_server.h"

#include "proto/http_request.h"
#include "server/http_connection.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>

#define WALL_MS INT64_C(1795331144000)
/* Rounds of the loop within which everything that has come must be answered; each waits a millisecond for more.
 */
#define ROUNDS_MAX 3000

struct server {
    struct manual_clock clock;
    struct config config;
    struct worker worker;
    struct http_service *service;
    union address address;
    bool drained;
};

struct client {
    int fd;
    bool ended; /* the server closed, or reset */
    size_t len;
    char bytes[256 * 1024];
};

static char small_bytes[579];

static inline void pump(struct server *s)
{
    for (int i = 0; i < 20; i++)
        uv_run(&s->worker.loop.uv, UV_RUN_NOWAIT);
}

static inline void advance(struct server *s, uint64_t ms)
{
    pump(s);
    manual_clock_advance(&s->clock, ms);
    pump(s);
}

/* `open`: http_service_open or https_service_open, which takes new connections with `tls`. */
static inline int setup_service(void **state,
                                int (*open)(struct worker *worker, int fd, struct http_service **ret_service),
                                struct ssl_ctx_st *tls)
{
    struct server *s = calloc(1, sizeof *s);
    socklen_t len = sizeof s->address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!s || fd < 0 || !address_parse(SLICE("127.0.0.1"), 0, &s->address))
        return -1;
    manual_clock_init(&s->clock, WALL_MS);
    s->config = (struct config){
        .http_connections = 8, .http_peer_connections = 6, .http_head_s = 10, .http_idle_s = 60
    };
    s->worker = (struct worker){ .config = &s->config, .share = 1, .hash_seed = 7, .tls = tls };
    if (loop_open(&s->worker.loop, &s->clock.clock, NULL, s) != 0 ||
        bind(fd, &s->address.sa, address_length(&s->address)) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, &s->address.sa, &len) != 0 || open(&s->worker, fd, &s->service) != 0)
        return -1;
    memset(small_bytes, 'c', sizeof small_bytes);
    fake_small("y000000000028.cfg", slice_of(small_bytes, sizeof small_bytes));
    fake_small("empty.boot", SLICE(""));
    fake_add("link.cfg", TREE_FORBIDDEN);
    fake_add("dir", TREE_DIRECTORY);
    fake_add("io.cfg", TREE_BROKEN);
    *state = s;
    return 0;
}

static inline int setup(void **state)
{
    return setup_service(state, http_service_open, NULL);
}

static inline void finish(struct server *s)
{
    if (s->service)
        http_service_close(s->service);
    s->service = NULL;
    loop_close(&s->worker.loop);
    assert_int_equal(fake_held, 0);
}

static inline void done_asking(void);

static inline int teardown(void **state)
{
    struct server *s = *state;
    done_asking();
    finish(s);
    fake_reset();
    free(s);
    return 0;
}

static inline struct client *dial(struct server *s, int receive_bytes)
{
    struct client *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes)
        assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes), 0);
    assert_int_equal(connect(c->fd, &s->address.sa, address_length(&s->address)), 0);
    return c;
}

static inline void hang_up(struct client *c)
{
    close(c->fd);
    free(c);
}

static inline void say(struct client *c, const char *text)
{
    assert_int_equal(send(c->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Takes what is there; true when something came. */
static inline bool hear(struct client *c)
{
    assert_true(c->len < sizeof c->bytes);
    ssize_t n = recv(c->fd, c->bytes + c->len, sizeof c->bytes - c->len, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        c->ended = true;
    c->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static inline struct slice heard(const struct client *c)
{
    return slice_of(c->bytes, c->len);
}

static inline void serve_one_round(struct server *s, struct client *c)
{
    struct pollfd ready = { .fd = c->fd, .events = POLLIN };
    pump(s);
    poll(&ready, 1, 1);
    hear(c);
}

/* Until `len` bytes are there or the server closes. */
static inline void hear_bytes(struct server *s, struct client *c, size_t len)
{
    for (int i = 0; i < ROUNDS_MAX && c->len < len && !c->ended; i++)
        serve_one_round(s, c);
    assert_true(c->len >= len);
}

static inline void hear_end(struct server *s, struct client *c)
{
    for (int i = 0; i < ROUNDS_MAX && !c->ended; i++)
        serve_one_round(s, c);
    assert_true(c->ended);
}

static inline bool has(const struct client *c, const char *text)
{
    return slice_find_text(heard(c), slice_str(text)) < c->len;
}

/* One whole answer with a body of `body` bytes; forgets it afterwards but for *ret_head. */
static inline int hear_answer(struct server *s, struct client *c, size_t body)
{
    size_t head = 0;
    for (int i = 0; i < ROUNDS_MAX && !head; i++) {
        size_t at = slice_find_text(heard(c), SLICE("\r\n\r\n"));
        if (at < c->len)
            head = at + 4;
        else
            serve_one_round(s, c);
    }
    assert_true(head > 13);
    hear_bytes(s, c, head + body);
    uint64_t status = 0;
    assert_true(slice_u64(slice_of(c->bytes + 9, 3), 100, 599, &status));
    return (int)status;
}

static inline void forget(struct client *c)
{
    c->len = 0;
}

/* Who asked last, kept for a look at what came. */
static struct client *asker;

static inline void done_asking(void)
{
    if (asker)
        hang_up(asker);
    asker = NULL;
}

/* A connection that says `text` and hears until the end. Returns the status; the client stays until the next.
 */
static inline int ask(struct server *s, const char *text)
{
    uint64_t status = 0;
    done_asking();
    asker = dial(s, 0);
    say(asker, text);
    hear_end(s, asker);
    if (asker->len > 12)
        assert_true(slice_u64(slice_of(asker->bytes + 9, 3), 100, 599, &status));
    return (int)status;
}

static inline const struct journal_event *only_event(void)
{
    assert_int_equal(fake_event_count, 1);
    fake_event_count = 0;
    return &fake_events[0];
}

static inline struct slice name_of(const struct journal_event *e)
{
    return slice_of(e->name, e->name_len);
}

#define TAIL " HTTP/1.1\r\nHost: h\r\nUser-Agent: Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50\r\n"
#define CLOSE "Connection: close\r\n\r\n"

#define http_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
