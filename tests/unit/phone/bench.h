/* A transport on a loop with a manual clock, and little servers on the same loop that play a script: no thread,
 * no sleep. A test that hangs ends after BENCH_DEADLINE_MS of real time.
 *
 * Servers listen on a port of 127.0.0.1 that the kernel picks and write down what they were told. */
#ifndef DIALTONE_TESTS_PHONE_BENCH_H
#define DIALTONE_TESTS_PHONE_BENCH_H

#include "tests/unit/test.h"

#include "phone/fetch.h"

#define BENCH_DEADLINE_MS 20000
#define BENCH_TEXT_MAX 16384

struct bench {
    struct manual_clock clock;
    struct loop loop;
    uv_timer_t deadline;
    struct transport *transport;
    struct transport_request request; /* what bench_fetch() asks for, but the URL */
    char url[4096];
    /* The last outcome. */
    unsigned done;
    enum fetch_outcome outcome;
    char *bytes;
    size_t len;
    char why[512];
    void (*when_done)(struct bench *b); /* NULL: the loop stops */
    struct tcp_server *tcp_servers;
    struct tftp_server *tftp_servers;
};

/* One listener; every connection plays the same script. */
struct tcp_peer;
struct tcp_server {
    struct bench *bench;
    struct tcp_server *next;
    uv_tcp_t listener;
    uint16_t port;
    unsigned connections;
    char heard[BENCH_TEXT_MAX]; /* everything that any connection said, NUL-terminated */
    size_t heard_len;
    /* More was heard on `peer`. NULL: nothing is ever answered. */
    void (*on_heard)(struct tcp_peer *peer);
    void (*on_peer)(struct tcp_peer *peer); /* NULL: nothing is said first */
    void (*on_gone)(struct tcp_peer *peer); /* the client hung up; NULL: nothing happens */
    const void *script;
    unsigned step;
    struct tcp_peer *peers;
};

struct tcp_peer {
    uv_tcp_t tcp;
    struct tcp_server *server;
    struct tcp_peer *next;
    char said[BENCH_TEXT_MAX]; /* what this connection said and nobody took yet */
    size_t said_len;
    void *extra; /* the test's */
    void (*free_extra)(void *extra);
    bool closing;
};

struct bench *bench_new(void);
/* Closes the transport (when the test did not) and everything on the loop. */
void bench_free(struct bench *b);
int bench_setup(void **state);
int bench_teardown(void **state);
#define test_with_bench(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

/* Starts a fetch of the formatted URL. */
void bench_start(struct bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and runs until its outcome is there. */
void bench_fetch(struct bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Runs until something stops the loop. */
void bench_run(struct bench *b);
/* Runs until `*count` is at least `want`. */
void bench_run_until(struct bench *b, const unsigned *count, unsigned want);
void assert_fetched_at(const struct bench *b, enum fetch_outcome outcome, const char *bytes, const char *why,
                       const char *file, int line);
#define assert_fetched(b, outcome, bytes, why)                                                                 \
    assert_fetched_at((b), (outcome), (bytes), (why), __FILE__, __LINE__)

/* A server that plays `script`, which is copied; the bench owns and closes it. */
struct tcp_server *tcp_server_open(struct bench *b, const struct tcp_server *script);
/* Nobody listens on its port any more. */
void tcp_server_stop(struct tcp_server *s);
void tcp_say(struct tcp_peer *p, struct slice text);
/* What was said stays said; then the connection ends. */
void tcp_hang_up(struct tcp_peer *p);
/* Takes the first line, or the head up to and with its empty line, out of what the peer said. */
bool tcp_take_line(struct tcp_peer *p, struct slice *ret_line);
bool tcp_take_head(struct tcp_peer *p, struct slice *ret_head);

/* A TFTP server for one file. */
struct tftp_server {
    struct bench *bench;
    struct tftp_server *next;
    uv_udp_t requests, transfers; /* answers come from another port, RFC 1350 section 4 */
    uint16_t port;
    struct slice file;
    unsigned deaf;        /* requests that get no answer */
    bool no_options;      /* answers with DATA as if there were no options */
    bool says_tsize;      /* in its OACK */
    uint64_t lies_tsize;  /* says this instead of the file's; 0: does not */
    unsigned stops_after; /* blocks, then it is silent; 0: does not */
    uint64_t pause_ms;    /* goes by on the clock before every block */
    bool strangers;       /* before every block an ERROR 1 comes from a port that is not this transfer's */
    bool fails;           /* ERROR `error` with `text` instead of the file */
    uint16_t error;
    struct slice text;   /* sent as it is: bring the NUL */
    const char *instead; /* NULL, or the bytes of a nonsensical first answer */
    size_t instead_len;
    /* What came. */
    unsigned asked, acks, errors;
    char name[512], options[128]; /* of the last request; options with blanks between */
    unsigned block_bytes;
};

struct tftp_server *tftp_server_open(struct bench *b, const struct tftp_server *script);

#endif
