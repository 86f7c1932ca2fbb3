/* A TFTP service on the loopback and phones that say one thing at a time. Include in one file of a test program. */
#ifndef DIALTONE_TESTS_TFTP_HARNESS_H
#define DIALTONE_TESTS_TFTP_HARNESS_H

#include "tests/unit/test.h"

#include "tests/server_fakes.h"

#include "net/datagram.h"
#include "proto/tftp.h"
#include "server/tftp_service.h"

#include <stdio.h>
#include <unistd.h>

static struct worker worker;
static struct config config;
static struct manual_clock manual;
static struct tftp_service *service;
static union address server;
static char content[4000];
static unsigned drained;

static inline void open_service(const char *host)
{
    assert_true(address_parse(slice_str(host), 0, &server));
    int fd = datagram_bind(&server);
    assert_true(fd >= 0);
    socklen_t len = sizeof server;
    assert_int_equal(getsockname(fd, &server.sa, &len), 0);
    assert_int_equal(tftp_service_open(&worker, fd, &service), 0);
}

static inline int setup(void **state)
{
    (void)state;
    fakes_reset();
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 13 + (i >> 7));
    fake_add("y000000000000.boot", TREE_FILE, slice_of(content, 579), false);
    fake_add("big.rom", TREE_FILE, slice_of(content, sizeof content), true);
    fake_add("dir", TREE_DIRECTORY, SLICE_NONE, false);
    fake_add("secret", TREE_FORBIDDEN, SLICE_NONE, false);
    fake_add("ill", TREE_BROKEN, SLICE_NONE, false);
    manual_clock_init(&manual, 1700000000000);
    config = (struct config){ .tftp_transfers = 6000, .tftp_peer_transfers = 6000, .tftp_blksize_max = 1468 };
    worker = (struct worker){ .config = &config, .hash_seed = 99, .share = 1 };
    drained = 0;
    return loop_open(&worker.loop, &manual.clock, NULL, &worker);
}

static inline int setup_single(void **state)
{
    int error = setup(state);
    config.tftp_single_port = true;
    return error;
}

static inline int teardown(void **state)
{
    (void)state;
    if (service)
        tftp_service_close(service);
    service = NULL;
    loop_close(&worker.loop);
    return fake_held;
}

static inline void turn(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        uv_run(&worker.loop.uv, UV_RUN_NOWAIT);
}

static inline void wait_ms(uint64_t ms)
{
    for (; ms >= 100; ms -= 100) {
        manual_clock_advance(&manual, 100);
        turn(1);
    }
    manual_clock_advance(&manual, ms);
    turn(2);
}

static inline int phone(void)
{
    union address own = server;
    address_set_port(&own, 0);
    if (own.sa.sa_family == AF_INET)
        own.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = datagram_bind(&own);
    assert_true(fd >= 0);
    return fd;
}

static inline void say(int fd, const union address *to, struct slice bytes)
{
    assert_int_equal(sendto(fd, bytes.ptr, bytes.len, 0, &to->sa, address_length(to)), (ssize_t)bytes.len);
}

static inline void ask(int fd, enum tftp_opcode opcode, const char *name, struct tftp_options options)
{
    char bytes[600];
    struct buf b = BUF_ON(bytes);
    tftp_put_request(&b, opcode, slice_str(name), TFTP_OCTET, &options);
    say(fd, &server, buf_slice(&b));
}

static inline void ask_plain(int fd, const char *name)
{
    ask(fd, TFTP_RRQ, name, (struct tftp_options){ 0 });
}

static inline void ack(int fd, const union address *to, uint16_t block)
{
    char bytes[TFTP_HEADER_BYTES];
    struct buf b = BUF_ON(bytes);
    tftp_put_ack(&b, block);
    say(fd, to, buf_slice(&b));
}

static char heard[2000];

/* The next packet; *from: who sent it. */
static inline struct tftp_packet hear(int fd, union address *from)
{
    struct tftp_packet p = { 0 };
    for (unsigned round = 0; round < 2000; round++) {
        socklen_t len = sizeof *from;
        ssize_t got = recvfrom(fd, heard, sizeof heard, MSG_DONTWAIT, &from->sa, &len);
        if (got >= 0) {
            assert_int_equal(tftp_parse(slice_of(heard, (size_t)got), &p), TFTP_FINE);
            return p;
        }
        turn(1);
    }
    fail_msg("nothing heard");
    return p;
}

static inline bool hears_nothing(int fd)
{
    turn(5);
    return recv(fd, heard, sizeof heard, MSG_DONTWAIT) < 0;
}

/* A port of its own, as every answer of a transfer, or the one that was asked. */
static inline void assert_answers_from(const union address *from)
{
    assert_true((address_port(from) == address_port(&server)) == config.tftp_single_port);
}

static inline void expect_error(int fd, uint16_t code, const char *text)
{
    union address from;
    struct tftp_packet p = hear(fd, &from);
    assert_int_equal(p.opcode, TFTP_ERROR);
    assert_int_equal(p.code, code);
    assert_slice(p.bytes, text);
    assert_answers_from(&from);
}

static inline const struct journal_event *only_event(enum outcome outcome, const char *name)
{
    assert_int_equal(fake_event_count, 1);
    const struct journal_event *e = &fake_events[0];
    assert_int_equal(e->protocol, PROTOCOL_TFTP);
    assert_int_equal(e->outcome, outcome);
    assert_slice(slice_of(e->name, e->name_len), name);
    fake_event_count = 0;
    return e;
}

static inline void fetch(const char *name, size_t size)
{
    int fd = phone();
    union address from, first;
    size_t got = 0;
    ask(fd, TFTP_RRQ, name, (struct tftp_options){ .has_blksize = true, .blksize = 1432 });
    struct tftp_packet p = hear(fd, &first);
    assert_int_equal(p.opcode, TFTP_OACK);
    assert_int_equal(p.options.blksize, 1432);
    assert_answers_from(&first);
    ack(fd, &first, 0);
    for (uint16_t block = 1;; block++) {
        manual_clock_advance(&manual, 3);
        p = hear(fd, &from);
        assert_true(address_eq(&from, &first));
        assert_int_equal(p.opcode, TFTP_DATA);
        assert_int_equal(p.block, block);
        assert_memory_equal(p.bytes.ptr, content + got, p.bytes.len);
        got += p.bytes.len;
        ack(fd, &first, block);
        if (p.bytes.len < 1432)
            break;
    }
    assert_int_equal(got, size);
    turn(3);
    close(fd);
}

#endif
