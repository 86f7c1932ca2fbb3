/* A real FTP service on a loopback socket, with a clock that is moved by hand and a tree that is a table; and
 * clients for it. Nothing sleeps: the loop is turned until what is waited for has come. */
#ifndef DIALTONE_TESTS_FTP_HARNESS_H
#define DIALTONE_TESTS_FTP_HARNESS_H

#include "tests/fake_uploads.h"
#include "tests/unit/server/fake_server.h"

#include "server/ftp_session.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>

#define WALL_MS INT64_C(1795331144000)
#define ROUNDS_MAX 3000
#define LARGE_BYTES ((size_t)8 << 20)
#define PORTS 4

struct server {
    struct manual_clock clock;
    struct config config;
    struct worker worker;
    struct ftp_service *service;
    union address address;
    char ports[32];
    bool drained;
};

struct client {
    int fd;
    bool ended;
    size_t len, at; /* bytes heard, and those that an earlier reply() has seen */
    char bytes[64 * 1024];
};

static char small_bytes[579];
static char *bulk; /* what a data connection brought */
static size_t bulk_len;

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

static inline int open_server(void **state, const char *host)
{
    struct server *s = calloc(1, sizeof *s);
    union address at;
    int fd;
    if (!s || !address_parse(slice_str(host), 0, &at))
        return -1;
    s->address = at;
    fd = socket(at.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof s->address;
    manual_clock_init(&s->clock, WALL_MS);
    /* Of this process alone, and below what the kernel gives to clients. */
    unsigned first = 20000 + (unsigned)getpid() % 3000 * 4;
    snprintf(s->ports, sizeof s->ports, "%u-%u", first, first + PORTS - 1);
    s->config = (struct config){ .ftp_sessions = 6,
                                 .ftp_peer_sessions = 5,
                                 .ftp_login_s = 30,
                                 .ftp_idle_s = 300,
                                 .ftp_active = true,
                                 .ftp_passive_ports = slice_str(s->ports) };
    s->worker = (struct worker){ .config = &s->config, .share = 1, .ftp_share = 1, .hash_seed = 7 };
    if (loop_open(&s->worker.loop, &s->clock.clock, NULL, s) != 0 ||
        bind(fd, &s->address.sa, address_length(&s->address)) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, &s->address.sa, &len) != 0 || ftp_service_open(&s->worker, fd, &s->service) != 0)
        return -1;
    memset(small_bytes, 'c', sizeof small_bytes);
    small_bytes[10] = '\n';
    fake_small("y000000000028.cfg", slice_of(small_bytes, sizeof small_bytes));
    fake_small("empty.boot", SLICE(""));
    fake_add("link.cfg", TREE_FORBIDDEN);
    fake_add("dir", TREE_DIRECTORY);
    fake_add("io.cfg", TREE_BROKEN);
    fake_large("large.rom", LARGE_BYTES);
    bulk = malloc(2 * LARGE_BYTES);
    *state = s;
    return 0;
}

static inline int setup(void **state)
{
    return open_server(state, "127.0.0.1");
}

static inline int setup_v6(void **state)
{
    return open_server(state, "::1");
}

static inline void finish(struct server *s)
{
    if (!s->service)
        return;
    ftp_service_close(s->service);
    s->service = NULL;
    loop_close(&s->worker.loop);
    assert_int_equal(fake_held, 0);
    assert_int_equal(fake_listings, 0);
}

static inline int teardown(void **state)
{
    struct server *s = *state;
    finish(s);
    fake_reset();
    free(bulk);
    free(s);
    return 0;
}

static inline int dial_port(const struct server *s, uint16_t port, const char *from)
{
    union address to = s->address, own;
    int fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_set_port(&to, port);
    if (from) {
        assert_true(address_parse(slice_str(from), 0, &own));
        assert_int_equal(bind(fd, &own.sa, address_length(&own)), 0);
    }
    if (connect(fd, &to.sa, address_length(&to)) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline struct client *dial_from(struct server *s, const char *from)
{
    struct client *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->fd = dial_port(s, address_port(&s->address), from);
    assert_true(c->fd >= 0);
    /* A line that is sent in two parts does not wait for an acknowledgement. */
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return c;
}

static inline struct client *dial(struct server *s)
{
    return dial_from(s, NULL);
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

static inline void hear(struct server *s, struct client *c)
{
    struct pollfd ready = { .fd = c->fd, .events = POLLIN };
    pump(s);
    poll(&ready, 1, 1);
    assert_true(c->len < sizeof c->bytes);
    ssize_t n = recv(c->fd, c->bytes + c->len, sizeof c->bytes - c->len, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        c->ended = true;
    c->len += n > 0 ? (size_t)n : 0;
}

static inline struct slice unseen(const struct client *c)
{
    return slice_from(slice_of(c->bytes, c->len), c->at);
}

/* The code of the next reply, whole; its text goes to *ret_text. */
static inline int reply_text(struct server *s, struct client *c, struct slice *ret_text)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        struct slice rest = unseen(c), line, text = rest;
        size_t used = 0;
        uint64_t code = 0;
        while (slice_find(rest, '\n') < rest.len && slice_cut(&rest, '\n', &line)) {
            used += line.len + 1;
            if (line.len > 4 && line.ptr[3] == ' ' && slice_u64(slice_first(line, 3), 100, 599, &code)) {
                *ret_text = slice_first(text, used);
                c->at += used;
                return (int)code;
            }
        }
        if (c->ended)
            return 0;
        hear(s, c);
    }
    return -1;
}

static inline int reply(struct server *s, struct client *c)
{
    struct slice text;
    return reply_text(s, c, &text);
}

static inline int ask(struct server *s, struct client *c, const char *line)
{
    say(c, line);
    say(c, "\r\n");
    return reply(s, c);
}

static inline void hear_end(struct server *s, struct client *c)
{
    for (int i = 0; i < ROUNDS_MAX && !c->ended; i++)
        hear(s, c);
    assert_true(c->ended);
}

static inline struct client *log_in(struct server *s)
{
    struct client *c = dial(s);
    assert_int_equal(reply(s, c), 220);
    assert_int_equal(ask(s, c, "USER anonymous"), 331);
    assert_int_equal(ask(s, c, "PASS "), 230);
    assert_int_equal(ask(s, c, "TYPE I"), 200);
    return c;
}

static inline uint16_t passive(struct server *s, struct client *c)
{
    struct slice text;
    uint64_t port = 0;
    say(c, "EPSV\r\n");
    assert_int_equal(reply_text(s, c, &text), 229);
    struct slice rest = slice_from(text, slice_find_text(text, SLICE("(|||")) + 4);
    assert_true(slice_u64(slice_first(rest, slice_find(rest, '|')), 1024, 65535, &port));
    return (uint16_t)port;
}

/* All that a data connection brings until it ends; false when it was reset. */
static inline bool take_all(struct server *s, int fd)
{
    bulk_len = 0;
    for (int i = 0; i < 100 * ROUNDS_MAX; i++) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        pump(s);
        poll(&ready, 1, 1);
        ssize_t n = recv(fd, bulk + bulk_len, 2 * LARGE_BYTES - bulk_len, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            close(fd);
            return n == 0;
        }
        bulk_len += n > 0 ? (size_t)n : 0;
    }
    fail_msg("the data connection does not end");
    return false;
}

/* Passive, 150, bytes, 226. */
static inline void fetch(struct server *s, struct client *c, const char *line)
{
    uint16_t port = passive(s, c);
    int fd = dial_port(s, port, NULL);
    assert_true(fd >= 0);
    say(c, line);
    say(c, "\r\n");
    assert_true(take_all(s, fd));
    assert_int_equal(reply(s, c), 150);
    assert_int_equal(reply(s, c), 226);
}

static inline struct slice got(void)
{
    return slice_of(bulk, bulk_len);
}

static inline bool got_has(const char *text)
{
    return slice_find_text(got(), slice_str(text)) < bulk_len;
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

#define ftp_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define ftp_test_v6(f) cmocka_unit_test_setup_teardown(f, setup_v6, teardown)

#endif
