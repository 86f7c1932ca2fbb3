/* TLS sessions over a socketpair against OpenSSL's own client, in one thread and without a loop. */
#include "tests/unit/net/tls_wire.h"

#include <sys/mman.h>
#include <uv.h>

static void both_versions_shake_hands_and_talk(void **state)
{
    struct bench *b = *state;
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    for (size_t i = 0; i < 2; i++) {
        struct wire w;
        char bytes[64];
        open_wire(b, &w);
        SSL_set_min_proto_version(w.peer, versions[i]);
        SSL_set_max_proto_version(w.peer, versions[i]);
        assert_int_equal(shake(&w), -EAGAIN);
        assert_int_equal(SSL_version(w.peer), versions[i]);
        assert_null(SSL_get_current_compression(w.peer));
        say(&w, "question");
        assert_int_equal(tls_session_read(w.server, bytes, sizeof bytes), 8);
        assert_slice(slice_of(bytes, 8), "question");
        assert_int_equal(tls_session_write(w.server, SLICE("an "), SLICE("answer"), false), 9);
        /* Both texts in one record. */
        assert_int_equal(SSL_read(w.peer, bytes, sizeof bytes), 9);
        assert_slice(slice_of(bytes, 9), "an answer");
        assert_null(tls_session_fault(w.server));
        close_wire(&w);
    }
}

static void a_peer_gets_the_certificate_that_it_can_check(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *suites;
        int kind;
    } cases[] = { { "ECDHE-RSA-AES128-GCM-SHA256", EVP_PKEY_RSA },
                  { "ECDHE-ECDSA-AES128-GCM-SHA256", EVP_PKEY_EC },
                  { "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", EVP_PKEY_EC } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire w;
        open_wire(b, &w);
        SSL_set_max_proto_version(w.peer, TLS1_2_VERSION);
        SSL_set_cipher_list(w.peer, cases[i].suites);
        assert_int_equal(shake(&w), -EAGAIN);
        assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(w.peer))),
                         cases[i].kind);
        close_wire(&w);
    }
}

static void r6_what_is_weak_is_refused_and_the_fault_says_so(void **state)
{
    struct bench *b = *state;
    static const struct {
        int version;
        const char *suites, *fault;
    } cases[] = {
        { TLS1_1_VERSION, "ALL:@SECLEVEL=0", "the peer speaks only older versions of TLS" },
        { TLS1_2_VERSION, "AES128-GCM-SHA256:@SECLEVEL=0", "the peer speaks only older cipher suites" },
        { TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "the peer speaks only older cipher suites" },
        { TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "the peer speaks only older cipher suites" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire w;
        open_wire(b, &w);
        SSL_set_security_level(w.peer, 0);
        SSL_set_min_proto_version(w.peer, cases[i].version);
        SSL_set_max_proto_version(w.peer, cases[i].version);
        SSL_set_cipher_list(w.peer, cases[i].suites);
        assert_int_equal(shake(&w), -EPROTO);
        assert_string_equal(tls_session_fault(w.server), cases[i].fault);
        assert_int_equal(tls_session_write(w.server, SLICE("x"), SLICE_NONE, false), -EPIPE);
        close_wire(&w);
    }
}

static void r6_renegotiation_is_refused(void **state)
{
    struct bench *b = *state;
    struct wire w;
    char byte;
    open_wire(b, &w);
    SSL_set_max_proto_version(w.peer, TLS1_2_VERSION);
    assert_int_equal(shake(&w), -EAGAIN);
    assert_int_equal(SSL_renegotiate(w.peer), 1);
    SSL_do_handshake(w.peer);
    assert_int_equal(tls_session_read(w.server, &byte, 1), -EAGAIN);
    assert_true(SSL_do_handshake(w.peer) != 1);
    close_wire(&w);
}

static void r6_only_http_1_1_is_chosen_by_alpn(void **state)
{
    struct bench *b = *state;
    struct wire w;
    const unsigned char *chosen;
    unsigned len;
    open_wire(b, &w);
    SSL_set_alpn_protos(w.peer, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    assert_int_equal(shake(&w), -EAGAIN);
    SSL_get0_alpn_selected(w.peer, &chosen, &len);
    assert_slice(slice_of(chosen, len), "http/1.1");
    close_wire(&w);
    open_wire(b, &w);
    SSL_set_alpn_protos(w.peer,
                        (const unsigned char *)"\x03"
                                               "ftp",
                        4);
    assert_int_equal(shake(&w), -EPROTO);
    close_wire(&w);
}

static void a_ticket_is_good_for_another_context_with_the_same_keys(void **state)
{
    struct bench *b = *state;
    assert_false(resumes(b));
    tls_context_close(b->context);
    b->context = context_of(b, false);
    assert_true(resumes(b));
}

static void every_use_of_a_ticket_brings_the_next_one_by_tls_1_3(void **state)
{
    struct bench *b = *state;
    assert_false(resumes(b));
    for (int i = 0; i < 4; i++) {
        SSL_SESSION *before = b->session;
        SSL_SESSION_up_ref(before);
        assert_true(resumes(b));
        assert_ptr_not_equal(b->session, before);
        SSL_SESSION_free(before);
    }
}

static void ticket_keys_change_and_the_old_ones_are_forgotten(void **state)
{
    struct bench *b = *state;
    SSL_CTX_set_max_proto_version(b->peer_context, TLS1_2_VERSION);
    assert_false(resumes(b));
    SSL_SESSION *first = SSL_SESSION_dup(b->session);
    for (int i = 1; i <= TLS_TICKET_KEYS; i++) {
        manual_clock_advance(&b->clock, (uint64_t)TLS_TICKET_KEY_S * 1000);
        SSL_SESSION_free(b->session);
        b->session = NULL;
        assert_false(resumes(b)); /* draws the next key */
        SSL_SESSION_free(b->session);
        b->session = SSL_SESSION_dup(first);
        assert_int_equal(resumes(b), i < TLS_TICKET_KEYS);
    }
    SSL_SESSION_free(first);
}

static void a_session_outlives_the_context_that_made_it(void **state)
{
    struct bench *b = *state;
    struct wire w;
    char bytes[16];
    open_wire(b, &w);
    assert_int_equal(shake(&w), -EAGAIN);
    tls_context_close(b->context);
    b->context = NULL;
    say(&w, "still");
    assert_int_equal(tls_session_read(w.server, bytes, sizeof bytes), 5);
    close_wire(&w);
}

static void bytes_that_openssl_holds_wake_at_once_and_half_a_record_does_not(void **state)
{
    struct bench *b = *state;
    struct wire w;
    char bytes[16];
    open_wire(b, &w);
    assert_int_equal(tls_session_events(w.server, UV_READABLE), UV_READABLE);
    assert_int_equal(shake(&w), -EAGAIN);
    say(&w, "0123456789");
    assert_int_equal(tls_session_read(w.server, bytes, 4), 4);
    assert_int_equal(tls_session_events(w.server, UV_READABLE), UV_READABLE | UV_WRITABLE);
    assert_int_equal(tls_session_read(w.server, bytes, sizeof bytes), 6);
    assert_int_equal(tls_session_events(w.server, UV_READABLE), UV_READABLE);
    assert_int_equal(tls_session_events(w.server, 0), 0);
    /* The beginning of a record, and no more. */
    assert_int_equal(send(w.fds[1], "\x17\x03\x03\x00\x40junk", 9, MSG_NOSIGNAL), 9);
    assert_int_equal(tls_session_read(w.server, bytes, sizeof bytes), -EAGAIN);
    assert_int_equal(tls_session_events(w.server, UV_READABLE), UV_READABLE);
    close_wire(&w);
}

/* Reads on both sides until all has come; the server writes on where it stopped. */
static void pass(struct wire *w, int file, struct slice all)
{
    size_t sent = 0, got = 0;
    static char heard[1 << 20];
    for (int i = 0; i < 20000 && got < all.len; i++) {
        struct slice rest = slice_from(all, sent);
        struct slice first = slice_first(rest, sent == 0 ? 100 : 0);
        ssize_t n = file >= 0 ? tls_session_send_file(w->server, file, sent, rest.len)
                              : tls_session_write(w->server, first, slice_from(rest, first.len), false);
        if (sent < all.len)
            assert_true(n > 0 || n == -EAGAIN);
        if (n == -EAGAIN)
            assert_int_equal(tls_session_events(w->server, UV_WRITABLE), UV_WRITABLE);
        sent += n > 0 ? (size_t)n : 0;
        int heard_now = SSL_read(w->peer, heard + got, 7000);
        got += heard_now > 0 ? (size_t)heard_now : 0;
    }
    assert_int_equal(got, all.len);
    assert_memory_equal(heard, all.ptr, all.len);
}

static void a_slow_reader_gets_every_byte_from_memory_and_from_a_file(void **state)
{
    struct bench *b = *state;
    static char large[900001];
    struct wire w;
    int file = memfd_create("large", MFD_CLOEXEC);
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7 ^ i >> 9);
    assert_int_equal(write(file, large, sizeof large), sizeof large);
    for (int from_file = 0; from_file < 2; from_file++) {
        open_wire(b, &w);
        assert_int_equal(shake(&w), -EAGAIN);
        pass(&w, from_file ? file : -1, slice_of(large, sizeof large));
        close_wire(&w);
    }
    open_wire(b, &w);
    assert_int_equal(shake(&w), -EAGAIN);
    assert_int_equal(tls_session_send_file(w.server, file, sizeof large, 10), 0);
    assert_int_equal(tls_session_send_file(w.server, -1, 0, 10), -EBADF);
    close_wire(&w);
    close(file);
}

static void the_end_is_told_once_and_only_after_a_handshake(void **state)
{
    struct bench *b = *state;
    struct wire w;
    char byte;
    open_wire(b, &w);
    tls_session_end(w.server);
    assert_int_equal(recv(w.fds[1], &byte, 1, 0), -1);
    assert_int_equal(shake(&w), -EAGAIN);
    tls_session_end(w.server);
    tls_session_end(w.server);
    assert_int_equal(SSL_read(w.peer, &byte, 1), 0);
    assert_int_equal(SSL_get_error(w.peer, 0), SSL_ERROR_ZERO_RETURN);
    close_wire(&w);
}

static void a_peer_that_goes_away_is_the_end_or_a_fault_within_the_handshake(void **state)
{
    struct bench *b = *state;
    struct wire w;
    char byte;
    open_wire(b, &w);
    assert_int_equal(shake(&w), -EAGAIN);
    shutdown(w.fds[1], SHUT_WR);
    assert_int_equal(tls_session_read(w.server, &byte, 1), 0);
    assert_null(tls_session_fault(w.server));
    close_wire(&w);
    open_wire(b, &w);
    SSL_do_handshake(w.peer);
    assert_int_equal(tls_session_read(w.server, &byte, 1), -EAGAIN);
    shutdown(w.fds[1], SHUT_WR);
    assert_true(tls_session_read(w.server, &byte, 1) <= 0);
    assert_string_equal(tls_session_fault(w.server), "the peer went away within the TLS handshake");
    close_wire(&w);
    /* One that never said anything is no event. */
    open_wire(b, &w);
    shutdown(w.fds[1], SHUT_WR);
    assert_true(tls_session_read(w.server, &byte, 1) <= 0);
    assert_null(tls_session_fault(w.server));
    close_wire(&w);
}

static void a_broken_connection_is_an_error_and_no_signal(void **state)
{
    struct bench *b = *state;
    struct wire w;
    open_wire(b, &w);
    assert_int_equal(shake(&w), -EAGAIN);
    close(w.fds[1]);
    w.fds[1] = -1;
    assert_int_equal(tls_session_write(w.server, SLICE("x"), SLICE_NONE, false), -EPIPE);
    tls_session_end(w.server);
    close_wire(&w);
}

static void what_is_no_tls_is_told_apart(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *text;
        int error;
    } cases[] = { { "GET / HTTP/1.1\r\n\r\n", -EPROTOTYPE },
                  { "HEAD / HTTP/1.1\r\n\r\n", -EPROTOTYPE },
                  { "USER anonymous\r\n", -EPROTO } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire w;
        char byte;
        open_wire(b, &w);
        assert_true(send(w.fds[1], cases[i].text, strlen(cases[i].text), 0) > 0);
        assert_int_equal(tls_session_read(w.server, &byte, 1), cases[i].error);
        assert_non_null(tls_session_fault(w.server));
        assert_int_equal(tls_session_read(w.server, &byte, 1), -ECONNRESET);
        close_wire(&w);
    }
}

static void r6_only_1_3_refuses_1_2(void **state)
{
    struct bench *b = *state;
    struct wire w;
    tls_context_close(b->context);
    b->context = context_of(b, true);
    open_wire(b, &w);
    SSL_set_max_proto_version(w.peer, TLS1_2_VERSION);
    assert_int_equal(shake(&w), -EPROTO);
    close_wire(&w);
}

static void refused(struct bench *b, struct tls_pair pair, int error, const char *words)
{
    char bytes[256] = "";
    struct buf why = BUF_ON(bytes);
    struct ssl_ctx_st *context = NULL;
    struct tls_options o = options_of(b, false);
    o.pairs[0] = pair;
    o.pair_count = 1;
    assert_int_equal(tls_context_open(&o, &why, &context), error);
    if (slice_find_text(buf_slice(&why), slice_str(words)) == why.len)
        fail_msg("\"%s\" is not in \"%s\"", words, bytes);
}

static void r6_a_key_that_others_may_read_or_own_is_refused(void **state)
{
    struct bench *b = *state;
    struct tls_pair pair = { b->files.rsa, b->files.rsa_key };
    static const mode_t modes[] = { 0640, 0604, 0610, 0666 };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(pair.key, modes[i]), 0);
        refused(b, pair, -EPERM, "lets others than its owner at the private key");
    }
    assert_int_equal(chmod(pair.key, 0400), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(pair.key, 4321, 4321), 0);
        refused(b, pair, -EPERM, "the private key belongs to user 4321");
    }
}

static void files_that_are_not_what_they_should_be_are_named(void **state)
{
    struct bench *b = *state;
    struct certificates *f = &b->files;
    refused(b, (struct tls_pair){ "/nonexistent", f->rsa_key }, -ENOENT, "/nonexistent: No such file");
    refused(b, (struct tls_pair){ f->dir, f->rsa_key }, -EINVAL, "is no regular file");
    refused(b, (struct tls_pair){ f->rsa_key, f->rsa_key }, -EINVAL, "rsa.key: no certificate in PEM");
    refused(b, (struct tls_pair){ f->rsa, f->ecdsa_key }, -EINVAL,
            "ecdsa.key: is not the key of the certificate");
    refused(b, (struct tls_pair){ "/dev/zero", f->rsa_key }, -EINVAL, "is no regular file");
}

int main(void)
{
#define TLS_TEST(f) cmocka_unit_test_setup_teardown(f, wire_setup, wire_teardown)
    const struct CMUnitTest tests[] = {
        TLS_TEST(both_versions_shake_hands_and_talk),
        TLS_TEST(a_peer_gets_the_certificate_that_it_can_check),
        TLS_TEST(r6_what_is_weak_is_refused_and_the_fault_says_so),
        TLS_TEST(r6_renegotiation_is_refused),
        TLS_TEST(r6_only_http_1_1_is_chosen_by_alpn),
        TLS_TEST(r6_only_1_3_refuses_1_2),
        TLS_TEST(r6_a_key_that_others_may_read_or_own_is_refused),
        TLS_TEST(files_that_are_not_what_they_should_be_are_named),
        TLS_TEST(a_ticket_is_good_for_another_context_with_the_same_keys),
        TLS_TEST(every_use_of_a_ticket_brings_the_next_one_by_tls_1_3),
        TLS_TEST(ticket_keys_change_and_the_old_ones_are_forgotten),
        TLS_TEST(a_session_outlives_the_context_that_made_it),
        TLS_TEST(bytes_that_openssl_holds_wake_at_once_and_half_a_record_does_not),
        TLS_TEST(a_slow_reader_gets_every_byte_from_memory_and_from_a_file),
        TLS_TEST(the_end_is_told_once_and_only_after_a_handshake),
        TLS_TEST(a_peer_that_goes_away_is_the_end_or_a_fault_within_the_handshake),
        TLS_TEST(a_broken_connection_is_an_error_and_no_signal),
        TLS_TEST(what_is_no_tls_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
