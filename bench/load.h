/* The load generator: many small clients in one thread, each with its own source address, so that a server
 * sees as many phones as there are clients.
 *
 * load.c owns the options, the loop and the figures; load_tftp.c, load_http.c and load_ftp.c each know one protocol. A
 * protocol starts a request, hears events and silence, and ends the request with load_end(), after which it
 * leaves the client alone: the next request may be under way already. */
#ifndef DIALTONE_BENCH_LOAD_H
#define DIALTONE_BENCH_LOAD_H

#include "base/slice.h"

#include <netinet/in.h>

/* Silence after which a client sends its last datagram again, and how often before it gives up. */
#define LOAD_RESEND_MS 1000
#define LOAD_RESENDS 5
/* Silence on a TCP connection that counts as a failure. */
#define LOAD_STALL_MS 10000
/* The response header of any server measured is far shorter. */
#define LOAD_HEAD_BYTES 1024

enum load_outcome {
    LOAD_OK,
    LOAD_REFUSED,    /* the server said no: a TFTP ERROR, any status but 200 */
    LOAD_CONTENT,    /* too short, too long or other bytes than expected */
    LOAD_SILENT,     /* no answer in time */
    LOAD_CONNECTION, /* refused, reset or closed early, or no socket to be had */
    LOAD_MALFORMED,  /* not an answer of this protocol */
    LOAD_HANDSHAKE,  /* a session was to be resumed, and the server shook hands in full */
    LOAD_OUTCOMES
};

struct tftp_state {
    struct sockaddr_in peer; /* the server's end of this transfer; port 0: not yet answered */
    uint16_t block;          /* the last that arrived; 0: none */
    uint16_t window, unacked; /* blocks: an acknowledgement, come since the last one */
    bool gap_told;           /* since the last new block */
    size_t block_bytes;
};

struct http_state {
    bool sent;   /* the request is on its way */
    bool reused; /* the connection has carried an answer before */
    bool last;   /* the connection ends with this answer */
    bool body;   /* the header is read */
    size_t head_len;
    char head[LOAD_HEAD_BYTES];
};

struct ftp_state {
    bool has_data, said; /* said: the reply behind the bytes has come before their end */
    int data;            /* descriptor */
    uint8_t step;
    uint16_t line_len;
    char line[256];
};

struct load_client {
    int fd; /* -1: none */
    bool busy;
    struct in_addr source;
    unsigned resends;    /* since the last progress */
    uint64_t started_us; /* of the request under way */
    uint64_t due_us;     /* when the loop looks after this client; 0: never */
    size_t received;     /* bytes of the file so far, all of them as expected */
    struct ssl_st *ssl;  /* NULL: none */
    struct ssl_session_st *session; /* the newest; NULL: none yet */
    bool resumes;        /* the connection was to resume it */
    union {
        struct tftp_state tftp;
        struct http_state http;
        struct ftp_state ftp;
    };
};

struct load;

struct load_protocol {
    const char *name;
    /* Builds the request, the same for all clients. False: the path is too long. */
    bool (*prepare)(struct load *load);
    void (*start)(struct load *load, struct load_client *client);
    void (*event)(struct load *load, struct load_client *client);
    /* due_us has passed. */
    void (*overdue)(struct load *load, struct load_client *client);
};
extern const struct load_protocol load_tftp, load_http, load_https, load_ftp;

struct load {
    const struct load_protocol *protocol;
    struct sockaddr_in server;
    struct slice path;
    struct slice expected; /* the file that every answer must equal */
    bool close;            /* HTTP: a connection a request */
    bool count;            /* bytes of a file are counted, not compared */
    uint64_t window;       /* TFTP: blocks to ask for; 0: no such option */
    bool tls_1_2, rsa, resume; /* HTTPS: not TLS 1.3, not ECDSA, sessions are used again */
    struct ssl_ctx_st *tls;    /* NULL: plain */

    struct slice request; /* bytes of the first message, in request_bytes */
    char request_bytes[LOAD_HEAD_BYTES];
    uint64_t retries;
    uint64_t bytes; /* of files, those of requests that failed or were cut too */
    int epoll;
};

/* Monotonic. */
uint64_t load_now_us(void);
/* Sets when the loop calls overdue(). */
void load_wait_ms(struct load_client *client, uint64_t ms);
/* A non-blocking socket of the client's own address in client->fd, watched for `events`. */
bool load_open(struct load *load, struct load_client *client, int type, uint32_t events);
void load_close(struct load_client *client);
/* Takes the next bytes of the file; false when they are not the expected ones. */
bool load_take(struct load *load, struct load_client *client, struct slice bytes);

/* End of a request. After a good one the next starts at once, from within this call; after a failure a little
 * later and with a new socket. With --rate the next starts when its time has come. */
void load_end(struct load *load, struct load_client *client, enum load_outcome outcome);

#endif
