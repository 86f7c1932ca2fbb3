/* A TLS session of ours over a socketpair against OpenSSL's own client, in one thread and without a loop. */
#ifndef DIALTONE_TESTS_TLS_WIRE_H
#define DIALTONE_TESTS_TLS_WIRE_H

#include "net/tls.h"
#include "tests/unit/certificates.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#define TURNS_MAX 200

struct bench {
    struct certificates files;
    struct manual_clock clock;
    struct tls_tickets *tickets;
    struct ssl_ctx_st *context; /* the server's, both kinds */
    SSL_CTX *peer_context;
    SSL_SESSION *session; /* the newest that the client was given */
};

struct wire {
    int fds[2]; /* the server's, the client's */
    struct tls_session *server;
    SSL *peer;
};

static inline struct tls_options options_of(struct bench *b, bool only_1_3)
{
    struct tls_options o = {
        .pair_count = 2, .only_1_3 = only_1_3, .tickets = b->tickets, .key_owner = geteuid()
    };
    o.pairs[0] = (struct tls_pair){ b->files.ecdsa, b->files.ecdsa_key };
    o.pairs[1] = (struct tls_pair){ b->files.rsa, b->files.rsa_key };
    return o;
}

static inline struct ssl_ctx_st *context_of(struct bench *b, bool only_1_3)
{
    char bytes[256] = "";
    struct buf why = BUF_ON(bytes);
    struct ssl_ctx_st *context = NULL;
    struct tls_options o = options_of(b, only_1_3);
    int error = tls_context_open(&o, &why, &context);
    if (error)
        fail_msg("%d: %s", error, bytes);
    return context;
}

static inline int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct bench *b = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION_free(b->session);
    b->session = session;
    return 1;
}

static inline int wire_setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    signal(SIGPIPE, SIG_DFL); /* nothing here may raise it */
    certificates_make(&b->files);
    manual_clock_init(&b->clock, 0);
    assert_int_equal(tls_tickets_open(&b->clock.clock, &b->tickets), 0);
    b->context = context_of(b, false);
    b->peer_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_app_data(b->peer_context, b);
    SSL_CTX_set_session_cache_mode(b->peer_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(b->peer_context, on_new_session);
    *state = b;
    return 0;
}

static inline int wire_teardown(void **state)
{
    struct bench *b = *state;
    SSL_SESSION_free(b->session);
    SSL_CTX_free(b->peer_context);
    tls_context_close(b->context);
    tls_tickets_close(b->tickets);
    certificates_remove(&b->files);
    free(b);
    return 0;
}

static inline void open_wire(struct bench *b, struct wire *w)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, w->fds), 0);
    assert_int_equal(tls_session_open(b->context, w->fds[0], &w->server), 0);
    w->peer = SSL_new(b->peer_context);
    assert_non_null(w->peer);
    SSL_set_fd(w->peer, w->fds[1]);
    SSL_set_connect_state(w->peer);
}

static inline void close_wire(struct wire *w)
{
    tls_session_close(w->server);
    SSL_free(w->peer);
    close(w->fds[0]);
    if (w->fds[1] >= 0)
        close(w->fds[1]);
}

/* Both ends in turn. What the server's read says at last; the client is done when that is -EAGAIN. */
static inline ssize_t shake(struct wire *w)
{
    ssize_t n = -EAGAIN;
    char byte;
    for (int i = 0; i < TURNS_MAX && n == -EAGAIN; i++) {
        bool done = SSL_do_handshake(w->peer) == 1;
        n = tls_session_read(w->server, &byte, 1);
        if (done)
            break;
    }
    /* Takes the ticket of TLS 1.3. */
    SSL_read(w->peer, &byte, 1);
    return n;
}

static inline void say(struct wire *w, const char *text)
{
    assert_int_equal(SSL_write(w->peer, text, (int)strlen(text)), (int)strlen(text));
}

static inline bool resumes(struct bench *b)
{
    struct wire w;
    open_wire(b, &w);
    SSL_SESSION *session = b->session ? SSL_SESSION_dup(b->session) : NULL;
    if (session)
        SSL_set_session(w.peer, session);
    assert_int_equal(shake(&w), -EAGAIN);
    bool resumed = SSL_session_reused(w.peer) == 1;
    SSL_SESSION_free(session);
    /* OpenSSL throws a session away that ended without this. */
    SSL_set_shutdown(w.peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    close_wire(&w);
    return resumed;
}

#endif
