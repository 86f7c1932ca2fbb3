/* What is different when the HTTP service speaks TLS: the handshake's time and slot, what the journal is told.
 */
#include "net/tls.h"
#include "tests/unit/certificates.h"
#include "tests/unit/server/http_harness.h"

#include <openssl/ssl.h>

static struct certificates files;
static struct tls_tickets *tickets;
static struct ssl_ctx_st *context;
static SSL_CTX *peer_context;

static struct ssl_ctx_st *new_context(void)
{
    char bytes[256];
    struct buf why = BUF_ON(bytes);
    struct ssl_ctx_st *made = NULL;
    struct tls_options o = { .pair_count = 2, .tickets = tickets, .key_owner = geteuid() };
    o.pairs[0] = (struct tls_pair){ files.ecdsa, files.ecdsa_key };
    o.pairs[1] = (struct tls_pair){ files.rsa, files.rsa_key };
    assert_int_equal(tls_context_open(&o, &why, &made), 0);
    return made;
}

static int setup_all(void **state)
{
    (void)state;
    certificates_make(&files);
    assert_int_equal(tls_tickets_open(&clock_system, &tickets), 0);
    context = new_context();
    peer_context = SSL_CTX_new(TLS_client_method());
    return 0;
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

static int setup_tls(void **state)
{
    return setup_service(state, https_service_open, context);
}

/* A client that has shaken hands. `c->bytes` stays unused: what is said and heard is plain here. */
struct session {
    struct client *c;
    SSL *ssl;
};

static struct session begin(struct server *s)
{
    struct session x = { dial(s, 0), SSL_new(peer_context) };
    assert_int_equal(fcntl(x.c->fd, F_SETFL, O_NONBLOCK), 0);
    SSL_set_fd(x.ssl, x.c->fd);
    SSL_set_connect_state(x.ssl);
    return x;
}

static bool shake(struct server *s, struct session *x)
{
    int done = 0;
    for (int i = 0; i < ROUNDS_MAX && done != 1; i++) {
        struct pollfd ready = { .fd = x->c->fd, .events = POLLIN };
        done = SSL_do_handshake(x->ssl);
        if (done != 1 && SSL_get_error(x->ssl, done) != SSL_ERROR_WANT_READ)
            return false;
        pump(s);
        poll(&ready, 1, 1);
    }
    return done == 1;
}

static void finish_session(struct session *x)
{
    SSL_free(x->ssl);
    hang_up(x->c);
}

/* What is heard until `end` stands there, or the connection ended. */
static struct slice hear_until(struct server *s, struct session *x, const char *end)
{
    struct client *c = x->c;
    c->len = 0;
    for (int i = 0; i < ROUNDS_MAX && !c->ended && slice_find_text(heard(c), slice_str(end)) == c->len; i++) {
        struct pollfd ready = { .fd = c->fd, .events = POLLIN };
        pump(s);
        poll(&ready, 1, 1);
        int n = SSL_read(x->ssl, c->bytes + c->len, (int)(sizeof c->bytes - c->len));
        if (n > 0)
            c->len += (size_t)n;
        else
            c->ended = SSL_get_error(x->ssl, n) != SSL_ERROR_WANT_READ;
    }
    return heard(c);
}

static void ask_tls(struct session *x, const char *text)
{
    assert_int_equal(SSL_write(x->ssl, text, (int)strlen(text)), (int)strlen(text));
}

static void a_phone_gets_its_file_and_the_journal_says_https(void **state)
{
    struct server *s = *state;
    struct session x = begin(s);
    assert_true(shake(s, &x));
    ask_tls(&x, "GET /y000000000028.cfg" TAIL CLOSE);
    hear_until(s, &x, "no such text");
    assert_true(slice_starts(heard(x.c), SLICE("HTTP/1.1 200 OK\r\n")));
    assert_true(slice_ends(heard(x.c), slice_of(small_bytes, sizeof small_bytes)));
    /* Ended by close_notify, not by a broken connection. */
    assert_int_equal(SSL_get_shutdown(x.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    const struct journal_event *e = only_event();
    assert_int_equal(e->protocol, PROTOCOL_HTTPS);
    assert_int_equal(e->outcome, OUTCOME_SENT);
    assert_int_equal(e->bytes, 579);
    assert_slice(slice_of(e->agent, e->agent_len), "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50");
    finish_session(&x);
}

static void a_hundred_pipelined_requests_in_one_record_are_all_answered(void **state)
{
    struct server *s = *state;
    static char text[100 * 48 + 1];
    struct buf out = BUF_ON(text);
    struct session x = begin(s);
    assert_true(shake(s, &x));
    for (int i = 0; i < 100; i++)
        buf_str(&out, "HEAD /y000000000028.cfg HTTP/1.1\r\nHost: h\r\n\r\n");
    buf_terminate(&out);
    ask_tls(&x, text);
    ask_tls(&x, text);
    ask_tls(&x, "GET /nope" TAIL CLOSE);
    assert_true(slice_find_text(hear_until(s, &x, "404 Not Found"), SLICE("404 Not Found")) < x.c->len);
    assert_int_equal(fake_event_count, 201);
    finish_session(&x);
}

static void r12_a_handshake_has_to_be_done_within_the_time_of_a_head(void **state)
{
    struct server *s = *state;
    struct session x = begin(s);
    assert_int_equal(SSL_do_handshake(x.ssl), -1);
    pump(s);
    advance(s, 9000);
    assert_int_equal(s->service->slots, 1);
    advance(s, 1100);
    hear_end(s, x.c);
    assert_int_equal(s->service->slots, 0);
    assert_int_equal(fake_event_count, 0);
    finish_session(&x);
}

static void the_head_has_to_come_in_the_same_time_as_the_handshake(void **state)
{
    struct server *s = *state;
    struct session x = begin(s);
    assert_true(shake(s, &x));
    advance(s, 6000);
    ask_tls(&x, "GET /y0000");
    advance(s, 4100);
    assert_true(slice_starts(hear_until(s, &x, "408"), SLICE("HTTP/1.1 408 ")));
    assert_int_equal(only_event()->code, 408);
    finish_session(&x);
}

static void r11_half_handshakes_make_room_for_others(void **state)
{
    struct server *s = *state;
    struct session half[6];
    s->config.http_peer_connections = 100;
    s->service->slots_max = 5;
    for (size_t i = 0; i < 6; i++) {
        half[i] = begin(s);
        assert_int_equal(SSL_do_handshake(half[i].ssl), -1);
        pump(s);
    }
    assert_int_equal(s->service->slots, 5);
    assert_true(shake(s, &half[5]));
    ask_tls(&half[5], "GET /y000000000028.cfg" TAIL CLOSE);
    assert_true(slice_starts(hear_until(s, &half[5], "\r\n\r\n"), SLICE("HTTP/1.1 200 ")));
    for (size_t i = 0; i < 6; i++)
        finish_session(&half[i]);
}

static void r11_an_address_with_its_share_of_handshakes_gets_no_more(void **state)
{
    struct server *s = *state;
    struct session x[7];
    for (size_t i = 0; i < 7; i++) {
        x[i] = begin(s);
        assert_int_equal(SSL_do_handshake(x[i].ssl), -1);
        pump(s);
    }
    assert_int_equal(s->service->slots, 6);
    assert_int_equal(only_event()->code, 503);
    hear_end(s, x[6].c);
    assert_true(shake(s, &x[0]));
    for (size_t i = 0; i < 7; i++)
        finish_session(&x[i]);
}

static void plain_http_is_told_that_this_is_https(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, "GET /y000000000028.cfg" TAIL CLOSE), 400);
    assert_true(has(asker, "plain HTTP on the port of HTTPS"));
    assert_int_equal(only_event()->protocol, PROTOCOL_HTTPS);
}

static void a_handshake_that_fails_is_one_event_with_its_reason(void **state)
{
    struct server *s = *state;
    struct session x = begin(s);
    SSL_set_security_level(x.ssl, 0);
    SSL_set_max_proto_version(x.ssl, TLS1_1_VERSION);
    SSL_set_cipher_list(x.ssl, "ALL:@SECLEVEL=0");
    assert_false(shake(s, &x));
    pump(s);
    const struct journal_event *e = only_event();
    assert_int_equal(e->protocol, PROTOCOL_HTTPS);
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_int_equal(e->name_len, 0);
    assert_string_equal(e->reason, "the peer speaks only older versions of TLS");
    finish_session(&x);
}

static void a_new_context_is_for_new_connections(void **state)
{
    struct server *s = *state;
    struct session old = begin(s), young;
    struct ssl_ctx_st *fresh = new_context();
    assert_true(shake(s, &old));
    s->worker.tls = fresh;
    tls_context_close(context);
    context = new_context();
    young = begin(s);
    assert_true(shake(s, &young));
    ask_tls(&old, "GET /y000000000028.cfg" TAIL "\r\n");
    assert_true(slice_starts(hear_until(s, &old, "ccc"), SLICE("HTTP/1.1 200 ")));
    ask_tls(&young, "GET /y000000000028.cfg" TAIL "\r\n");
    assert_true(slice_starts(hear_until(s, &young, "ccc"), SLICE("HTTP/1.1 200 ")));
    finish_session(&old);
    finish_session(&young);
    tls_context_close(fresh);
}

static void count_done(void *done)
{
    ++*(int *)done;
}

static void draining_tells_idle_sessions_the_end(void **state)
{
    struct server *s = *state;
    struct session x = begin(s);
    int done = 0;
    assert_true(shake(s, &x));
    ask_tls(&x, "GET /y000000000028.cfg" TAIL "\r\n");
    hear_until(s, &x, "ccc");
    http_service_drain(s->service, count_done, &done);
    assert_int_equal(done, 1);
    hear_until(s, &x, "no such text");
    assert_int_equal(SSL_get_shutdown(x.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    finish_session(&x);
}

int main(void)
{
#define HTTPS_TEST(f) cmocka_unit_test_setup_teardown(f, setup_tls, teardown)
    const struct CMUnitTest tests[] = {
        HTTPS_TEST(a_phone_gets_its_file_and_the_journal_says_https),
        HTTPS_TEST(a_hundred_pipelined_requests_in_one_record_are_all_answered),
        HTTPS_TEST(r12_a_handshake_has_to_be_done_within_the_time_of_a_head),
        HTTPS_TEST(the_head_has_to_come_in_the_same_time_as_the_handshake),
        HTTPS_TEST(r11_half_handshakes_make_room_for_others),
        HTTPS_TEST(r11_an_address_with_its_share_of_handshakes_gets_no_more),
        HTTPS_TEST(plain_http_is_told_that_this_is_https),
        HTTPS_TEST(a_handshake_that_fails_is_one_event_with_its_reason),
        HTTPS_TEST(a_new_context_is_for_new_connections),
        HTTPS_TEST(draining_tells_idle_sessions_the_end),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
