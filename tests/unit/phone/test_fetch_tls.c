#include "tests/unit/phone/bench.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* A TLS server over the bench's TCP one: records go through two memory BIOs. */
struct tls_script {
    SSL_CTX *context;
    const char *answer;
};

struct tls_peer {
    SSL *ssl;
    char said[4096];
    size_t said_len;
};

static void free_peer(void *extra)
{
    struct tls_peer *t = extra;
    SSL_free(t->ssl);
    free(t);
}

static void on_peer(struct tcp_peer *p)
{
    const struct tls_script *script = p->server->script;
    struct tls_peer *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->ssl = SSL_new(script->context);
    assert_non_null(t->ssl);
    SSL_set_bio(t->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(t->ssl);
    p->extra = t;
    p->free_extra = free_peer;
}

static void flush(struct tcp_peer *p, struct tls_peer *t)
{
    char bytes[8192];
    int len;
    while ((len = BIO_read(SSL_get_wbio(t->ssl), bytes, sizeof bytes)) > 0)
        tcp_say(p, slice_of(bytes, (size_t)len));
}

static void on_records(struct tcp_peer *p)
{
    const struct tls_script *script = p->server->script;
    struct tls_peer *t = p->extra;
    BIO_write(SSL_get_rbio(t->ssl), p->said, (int)p->said_len);
    p->said_len = 0;
    int len = SSL_read(t->ssl, t->said + t->said_len, (int)(sizeof t->said - t->said_len));
    t->said_len += len > 0 ? (size_t)len : 0;
    struct slice said = slice_of(t->said, t->said_len);
    bool asked = slice_find_text(said, SLICE("\r\n\r\n")) < said.len;
    if (asked) {
        SSL_write(t->ssl, script->answer, (int)strlen(script->answer));
        SSL_shutdown(t->ssl);
    }
    flush(p, t);
    if (asked)
        tcp_hang_up(p);
}

static X509 *certificate(EVP_PKEY *key, const char *alternative_name, long days)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600L * 24 * 10);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600L * 24 * days);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative_name);
    assert_non_null(extension);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static SSL_CTX *context_for(const char *alternative_name, long days)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(context);
    assert_non_null(key);
    X509 *x = certificate(key, alternative_name, days);
    assert_int_equal(SSL_CTX_use_certificate(context, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(x);
    EVP_PKEY_free(key);
    return context;
}

static struct tcp_server *https(struct bench *b, struct tls_script *script)
{
    script->answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    return tcp_server_open(
        b, &(struct tcp_server){ .on_peer = on_peer, .on_heard = on_records, .script = script });
}

static void a_phone_that_trusts_anyone_fetches(void **state)
{
    struct bench *b = *state;
    struct tls_script script = { .context = context_for("DNS:elsewhere.example", 10) };
    struct tcp_server *s = https(b, &script);
    bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
    SSL_CTX_free(script.context);
    assert_fetched(b, FETCH_GOT, "hello", "");
}

static void an_unknown_certificate_is_not_trusted(void **state)
{
    struct bench *b = *state;
    struct tls_script script = { .context = context_for("IP:127.0.0.1", 10) };
    struct tcp_server *s = https(b, &script);
    b->request.verify_peer = true;
    bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
    SSL_CTX_free(script.context);
    assert_fetched(b, FETCH_FAILED, "", "the server's certificate is not trusted: 'test' is not in the phone's trusted certificates list: import it at "
                   "Security > Trusted Certificates > Import Trusted Certificates, or switch off Only Accept Trusted "
                   "Certificates there");
}

static void the_name_is_looked_at_even_when_the_issuer_is_not(void **state)
{
    struct bench *b = *state;
    struct tls_script other = { .context = context_for("DNS:elsewhere.example", 10) };
    struct tls_script own = { .context = context_for("IP:127.0.0.1", -1) };
    struct tcp_server *s = https(b, &other);
    b->request.verify_host = true;
    bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
    SSL_CTX_free(other.context);
    assert_fetched(b, FETCH_FAILED, "", "the server's certificate 'test' is for another host");
    s = https(b, &own);
    bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
    SSL_CTX_free(own.context);
    assert_fetched(b, FETCH_GOT, "hello", "");
}

static void flags_of_one_request_do_not_outlive_it(void **state)
{
    struct bench *b = *state;
    struct tls_script script = { .context = context_for("IP:127.0.0.1", 10) };
    struct tcp_server *s = https(b, &script);
    for (int i = 0; i < 4; i++) {
        b->request.verify_peer = i % 2 == 1;
        bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
        assert_int_equal(b->outcome, i % 2 == 1 ? FETCH_FAILED : FETCH_GOT);
    }
    SSL_CTX_free(script.context);
}

static void hang_up(struct tcp_peer *p)
{
    tcp_hang_up(p);
}

static void say_http(struct tcp_peer *p)
{
    tcp_say(p, SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"));
    tcp_hang_up(p);
}

static void a_server_without_tls_says_so(void **state)
{
    struct bench *b = *state;
    struct tcp_server *s = tcp_server_open(b, &(struct tcp_server){ .on_heard = say_http });
    bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
    assert_fetched(b, FETCH_FAILED, "", "no TLS connection: wrong version number");
    s = tcp_server_open(b, &(struct tcp_server){ .on_heard = hang_up });
    bench_fetch(b, "https://127.0.0.1:%u/a.cfg", s->port);
    assert_int_equal(b->outcome, FETCH_FAILED);
    /* Whether the end of a connection is seen as such or as a reset is the kernel's and libcurl's affair. */
    assert_true(strcmp(b->why, "no TLS connection: Connection reset by peer") == 0 ||
                strcmp(b->why, "no TLS connection: the connection broke off") == 0);
}

static void a_handshake_that_stops_is_a_failure(void **state)
{
    struct bench *b = *state;
    struct tcp_server *s = tcp_server_open(b, &(struct tcp_server){ 0 });
    bench_start(b, "https://127.0.0.1:%u/a.cfg", s->port);
    for (int round = 0; round < 100 && s->heard_len == 0; round++)
        uv_run(&b->loop.uv, UV_RUN_ONCE);
    manual_clock_advance(&b->clock, 5100);
    bench_run_until(b, &b->done, 1);
    assert_fetched(b, FETCH_FAILED, "", "no answer within 5 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(a_phone_that_trusts_anyone_fetches),
        test_with_bench(an_unknown_certificate_is_not_trusted),
        test_with_bench(the_name_is_looked_at_even_when_the_issuer_is_not),
        test_with_bench(flags_of_one_request_do_not_outlive_it),
        test_with_bench(a_server_without_tls_says_so),
        test_with_bench(a_handshake_that_stops_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
