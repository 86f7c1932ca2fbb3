/* AUTH TLS: the connection moves to a service for TLS, and nothing that was said in the clear goes along. */
#include "net/tls.h"
#include "tests/unit/certificates.h"
#include "tests/unit/server/ftp_harness.h"

#include <fcntl.h>
#include <openssl/ssl.h>

static struct certificates files;
static struct tls_tickets *tickets;
static struct ssl_ctx_st *context;
static SSL_CTX *peer_context;
static struct ftp_service *secure;

static int setup_all(void **state)
{
    char bytes[256];
    struct buf why = BUF_ON(bytes);
    struct tls_options o = { .pair_count = 1, .key_owner = geteuid() };
    (void)state;
    certificates_make(&files);
    if (tls_tickets_open(&clock_system, &tickets))
        return -1;
    o.tickets = tickets;
    o.pairs[0] = (struct tls_pair){ files.ecdsa, files.ecdsa_key };
    peer_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(peer_context, SSL_SESS_CACHE_CLIENT);
    return tls_context_open(&o, &why, &context);
}

static int teardown_all(void **state)
{
    (void)state;
    SSL_CTX_free(peer_context);
    tls_context_close(context);
    tls_tickets_close(tickets);
    certificates_remove(&files);
    return 0;
}

/* Both services stand on one loop here. */
static int setup_tls(void **state)
{
    if (setup(state))
        return -1;
    struct server *s = *state;
    int fd = dup(s->service->listener.fd);
    s->config.ftp_tls = SLICE("optional");
    s->worker.tls = context;
    s->worker.ftp_share = 2;
    s->worker.ftp_index = 1;
    return ftp_relay_open(&s->worker.ftp_relay) || ftps_service_open(&s->worker, fd, &secure);
}

static int teardown_tls(void **state)
{
    struct server *s = *state;
    if (secure)
        ftp_service_close(secure);
    finish(s);
    secure = NULL;
    ftp_relay_close(s->worker.ftp_relay);
    return teardown(state);
}

static bool shake(struct server *s, SSL *ssl)
{
    int done = 0;
    for (int i = 0; i < ROUNDS_MAX && done != 1; i++) {
        struct pollfd ready = { .fd = SSL_get_fd(ssl), .events = POLLIN };
        done = SSL_do_handshake(ssl);
        if (done != 1 && SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ)
            return false;
        pump(s);
        if (done != 1)
            poll(&ready, 1, 1);
    }
    return done == 1;
}

static SSL *begin_on(int fd)
{
    SSL *ssl = SSL_new(peer_context);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    return ssl;
}

/* The next reply by TLS; 0: the connection ended. */
static int secret_reply(struct server *s, struct client *c, SSL *ssl)
{
    struct slice text;
    for (int i = 0; i < ROUNDS_MAX; i++) {
        pump(s);
        int n = SSL_read(ssl, c->bytes + c->len, (int)(sizeof c->bytes - c->len));
        c->len += n > 0 ? (size_t)n : 0;
        if (slice_find(unseen(c), '\n') < unseen(c).len)
            return reply_text(s, c, &text);
        if (n <= 0 && SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
            return 0;
        struct pollfd ready = { .fd = c->fd, .events = POLLIN };
        poll(&ready, 1, 1);
    }
    return -1;
}

static int secret_ask(struct server *s, struct client *c, SSL *ssl, const char *line)
{
    char text[256];
    int len = snprintf(text, sizeof text, "%s\r\n", line);
    assert_int_equal(SSL_write(ssl, text, len), len);
    return secret_reply(s, c, ssl);
}

static SSL *secure_session(struct server *s, struct client *c)
{
    assert_int_equal(ask(s, c, "AUTH TLS"), 234);
    SSL *ssl = begin_on(c->fd);
    assert_true(shake(s, ssl));
    return ssl;
}

static struct client *greet(struct server *s)
{
    struct client *c = dial(s);
    assert_int_equal(reply(s, c), 220);
    return c;
}

static SSL *log_in_secretly(struct server *s, struct client *c)
{
    SSL *ssl = secure_session(s, c);
    assert_int_equal(secret_ask(s, c, ssl, "USER anonymous"), 331);
    assert_int_equal(secret_ask(s, c, ssl, "PASS "), 230);
    assert_int_equal(secret_ask(s, c, ssl, "TYPE I"), 200);
    return ssl;
}

static void end(struct client *c, SSL *ssl)
{
    SSL_free(ssl);
    hang_up(c);
}

static uint16_t secret_passive(struct server *s, struct client *c, SSL *ssl)
{
    uint64_t port = 0;
    assert_int_equal(secret_ask(s, c, ssl, "EPSV"), 229);
    struct slice text = slice_of(c->bytes, c->at);
    struct slice rest =
        slice_from(text, slice_find_last(slice_first(text, slice_find_last(text, '|')), '|') + 1);
    assert_true(slice_u64(slice_first(rest, slice_find(rest, '|')), 1024, 65535, &port));
    return (uint16_t)port;
}

/* All that comes by TLS on a data connection; true: it ended with close_notify. */
static bool take_all_secretly(struct server *s, SSL *ssl)
{
    int n = 0, error = SSL_ERROR_WANT_READ;
    bulk_len = 0;
    for (int i = 0; i < 100 * ROUNDS_MAX && (n > 0 || error == SSL_ERROR_WANT_READ); i++) {
        pump(s);
        n = SSL_read(ssl, bulk + bulk_len, (int)(2 * LARGE_BYTES - bulk_len));
        bulk_len += n > 0 ? (size_t)n : 0;
        error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, n);
        struct pollfd ready = { .fd = SSL_get_fd(ssl), .events = POLLIN };
        if (n <= 0)
            poll(&ready, 1, 1);
    }
    return error == SSL_ERROR_ZERO_RETURN;
}

static bool fetch_secretly(struct server *s, struct client *c, SSL *control, const char *line, bool *ret_reused)
{
    char text[128];
    int fd = dial_port(s, secret_passive(s, c, control), NULL),
        len = snprintf(text, sizeof text, "%s\r\n", line);
    assert_int_equal(SSL_write(control, text, len), len);
    SSL *data = begin_on(fd);
    SSL_set_session(data, SSL_get_session(control));
    assert_true(shake(s, data));
    *ret_reused = SSL_session_reused(data);
    bool whole = take_all_secretly(s, data);
    SSL_free(data);
    close(fd);
    assert_int_equal(secret_reply(s, c, control), 150);
    assert_int_equal(secret_reply(s, c, control), 226);
    return whole;
}

static void a_session_goes_on_by_tls_and_so_do_its_files(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    bool reused;
    SSL *ssl = log_in_secretly(s, c);
    assert_true(TAILQ_EMPTY(&s->service->strangers) && s->service->slots == 0);
    assert_int_equal(secret_ask(s, c, ssl, "PROT P"), 503);
    assert_int_equal(secret_ask(s, c, ssl, "PBSZ x"), 501);
    assert_int_equal(secret_ask(s, c, ssl, "PBSZ 0"), 200);
    assert_int_equal(secret_ask(s, c, ssl, "PROT S"), 536);
    assert_int_equal(secret_ask(s, c, ssl, "PROT X"), 504);
    assert_int_equal(secret_ask(s, c, ssl, "PROT P"), 200);
    assert_true(fetch_secretly(s, c, ssl, "RETR y000000000028.cfg", &reused));
    assert_true(slice_eq(got(), slice_of(small_bytes, sizeof small_bytes)));
    assert_int_equal(only_event()->outcome, OUTCOME_SENT);
    /* Of the session's own ticket. */
    assert_true(reused);
    assert_true(fetch_secretly(s, c, ssl, "RETR empty.boot", &reused) && bulk_len == 0);
    assert_true(fetch_secretly(s, c, ssl, "RETR large.rom", &reused) && bulk_len == LARGE_BYTES);
    assert_true((unsigned char)bulk[LARGE_BYTES - 1] == (unsigned char)((LARGE_BYTES - 1) / 251));
    assert_true(fetch_secretly(s, c, ssl, "LIST", &reused) && got_has("y000000000028.cfg"));
    assert_int_equal(secret_ask(s, c, ssl, "PROT C"), 200);
    int fd = dial_port(s, secret_passive(s, c, ssl), NULL);
    assert_int_equal(SSL_write(ssl, "RETR y000000000028.cfg\r\n", 24), 24);
    assert_true(take_all(s, fd));
    assert_int_equal(bulk_len, sizeof small_bytes);
    assert_int_equal(secret_reply(s, c, ssl), 150);
    assert_int_equal(secret_reply(s, c, ssl), 226);
    assert_int_equal(secret_ask(s, c, ssl, "AUTH TLS"), 503);
    assert_int_equal(secret_ask(s, c, ssl, "CCC"), 534);
    assert_int_equal(secret_ask(s, c, ssl, "QUIT"), 221);
    end(c, ssl);
}

static void what_was_sent_in_the_clear_behind_auth_is_never_answered(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    say(c, "AUTH TLS\r\nUSER anonymous\r\nPASS x\r\nDELE empty.boot\r\n");
    assert_int_equal(reply(s, c), 234);
    assert_int_equal(unseen(c).len, 0);
    SSL *ssl = begin_on(c->fd);
    assert_true(shake(s, ssl));
    assert_int_equal(secret_ask(s, c, ssl, "PWD"), 530);
    assert_int_equal(secret_ask(s, c, ssl, "PASS x"), 503);
    assert_int_equal(unseen(c).len, 0);
    assert_int_equal(fake_event_count, 0);
    end(c, ssl);
}

static void a_login_in_the_clear_counts_for_nothing_by_tls(void **state)
{
    struct server *s = *state;
    struct client *c = log_in(s);
    passive(s, c);
    assert_int_equal(ask(s, c, "CWD dir"), 250);
    SSL *ssl = secure_session(s, c);
    assert_int_equal(ftp_ports_free(s->service->ports), PORTS);
    assert_int_equal(secret_ask(s, c, ssl, "PWD"), 530);
    assert_int_equal(secret_ask(s, c, ssl, "USER ftp"), 331);
    assert_int_equal(secret_ask(s, c, ssl, "PASS x"), 230);
    assert_int_equal(secret_ask(s, c, ssl, "PWD"), 257);
    assert_true(slice_find_text(slice_of(c->bytes, c->at), SLICE("257 \"/\"")) < c->at);
    end(c, ssl);
}

static void with_tls_required_nothing_goes_without(void **state)
{
    struct server *s = *state;
    s->config.ftp_tls = SLICE("required");
    struct client *c = greet(s);
    assert_int_equal(ask(s, c, "USER anonymous"), 530);
    assert_int_equal(ask(s, c, "PASS x"), 503);
    assert_int_equal(ask(s, c, "FEAT"), 211);
    SSL *ssl = log_in_secretly(s, c);
    secret_passive(s, c, ssl);
    assert_int_equal(secret_ask(s, c, ssl, "RETR y000000000028.cfg"), 521);
    assert_int_equal(secret_ask(s, c, ssl, "PBSZ 0"), 200);
    assert_int_equal(secret_ask(s, c, ssl, "PROT C"), 534);
    secret_passive(s, c, ssl);
    assert_int_equal(secret_ask(s, c, ssl, "LIST"), 521);
    assert_int_equal(secret_ask(s, c, ssl, "PROT P"), 200);
    end(c, ssl);
}

static void auth_knows_tls_only(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s);
    struct slice text;
    assert_int_equal(ask(s, c, "AUTH"), 501);
    assert_int_equal(ask(s, c, "AUTH SSL"), 504);
    assert_int_equal(ask(s, c, "AUTH KERBEROS_V4"), 504);
    say(c, "FEAT\r\n");
    assert_int_equal(reply_text(s, c, &text), 211);
    assert_true(slice_find_text(text, SLICE("\r\n AUTH TLS\r\n")) < text.len);
    assert_int_equal(ask(s, c, "auth tls-c"), 234);
    hang_up(c);
}

static void alpaca_a_peer_that_names_another_protocol_is_refused(void **state)
{
    struct server *s = *state;
    static const unsigned char web[] = "\x08http/1.1", ftp[] = "\x02h2\x03"
                                                               "ftp";
    struct client *c = greet(s);
    assert_int_equal(ask(s, c, "AUTH TLS"), 234);
    SSL *ssl = begin_on(c->fd);
    SSL_set_alpn_protos(ssl, web, sizeof web - 1);
    assert_false(shake(s, ssl));
    end(c, ssl);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_int_equal(e->name_len, 0);
    c = greet(s);
    assert_int_equal(ask(s, c, "AUTH TLS"), 234);
    ssl = begin_on(c->fd);
    SSL_set_alpn_protos(ssl, ftp, sizeof ftp - 1);
    assert_true(shake(s, ssl));
    end(c, ssl);
}

static void whoever_shakes_no_hands_in_time_is_let_go(void **state)
{
    struct server *s = *state;
    struct client *c = greet(s), *other = greet(s);
    assert_int_equal(ask(s, c, "AUTH TLS"), 234);
    assert_int_equal(ask(s, other, "AUTH TLS"), 234);
    say(other, "USER anonymous\r\n");
    hear_end(s, other);
    assert_int_equal(secure->slots, 1);
    advance(s, 30 * 1000 + 100);
    hear_end(s, c);
    assert_int_equal(secure->slots, 0);
    hang_up(c);
    hang_up(other);
}

static void without_a_worker_for_tls_the_peer_is_told(void **state)
{
    struct server *s = *state;
    ftp_service_close(secure);
    secure = NULL;
    pump(s);
    struct client *c = greet(s);
    assert_int_equal(ask(s, c, "AUTH TLS"), 431);
    hear_end(s, c);
    assert_int_equal(s->service->slots, 0);
    hang_up(c);
}

static void a_full_service_says_421_before_the_handshake(void **state)
{
    struct server *s = *state;
    struct client *c[6];
    s->config.ftp_peer_sessions = 2;
    for (size_t i = 0; i < 3; i++) {
        c[i] = greet(s);
        assert_int_equal(ask(s, c[i], "AUTH TLS"), i < 2 ? 234 : 421);
    }
    for (size_t i = 0; i < 3; i++)
        hang_up(c[i]);
}

#define ftps_test(f) cmocka_unit_test_setup_teardown(f, setup_tls, teardown_tls)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ftps_test(a_session_goes_on_by_tls_and_so_do_its_files),
        ftps_test(what_was_sent_in_the_clear_behind_auth_is_never_answered),
        ftps_test(a_login_in_the_clear_counts_for_nothing_by_tls),
        ftps_test(with_tls_required_nothing_goes_without),
        ftps_test(auth_knows_tls_only),
        ftps_test(alpaca_a_peer_that_names_another_protocol_is_refused),
        ftps_test(whoever_shakes_no_hands_in_time_is_let_go),
        ftps_test(without_a_worker_for_tls_the_peer_is_told),
        ftps_test(a_full_service_says_421_before_the_handshake),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
