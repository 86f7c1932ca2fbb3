/* Certificates of phones: who is let in, who it is said to be, and that no old session lets in whom no new one would. */
#include "tests/unit/net/tls_wire.h"

#include <time.h>

struct house {
    struct bench *bench;
    struct test_authority authority, stranger;
    EVP_PKEY *key; /* of every peer */
    X509 *issuing; /* an authority below `authority`, with the same key as the peers */
};

static int house_setup(void **state)
{
    struct bench *b;
    wire_setup((void **)&b);
    struct house *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->bench = b;
    test_authority_make(&h->authority, h->bench->files.dir, "authority");
    test_authority_make(&h->stranger, h->bench->files.dir, "stranger");
    h->key = EVP_EC_gen("P-256");
    const struct test_peer issuing = { .common_name = "issuing", .serial = 9, .authority = true };
    h->issuing = test_certificate(&h->authority, &issuing, h->key);
    *state = h;
    return 0;
}

static int house_teardown(void **state)
{
    struct house *h = *state;
    struct bench *b = h->bench;
    X509_free(h->issuing);
    EVP_PKEY_free(h->key);
    test_authority_remove(&h->authority);
    test_authority_remove(&h->stranger);
    free(h);
    return wire_teardown((void **)&b);
}

static struct tls_options options(struct house *h, enum tls_clients clients)
{
    struct tls_options o = options_of(h->bench, false);
    o.clients = clients;
    o.client_ca = h->authority.file;
    return o;
}

static void use(struct house *h, const struct tls_options *o)
{
    char bytes[256] = "";
    struct buf why = BUF_ON(bytes);
    struct ssl_ctx_st *context = NULL;
    if (tls_context_open(o, &why, &context))
        fail_msg("%.*s", SLICE_ARG(buf_slice(&why)));
    tls_context_close(h->bench->context);
    h->bench->context = context;
}

static void use_plainly(struct house *h, enum tls_clients clients)
{
    struct tls_options o = options(h, clients);
    use(h, &o);
}

struct seen {
    ssize_t read; /* what the server's read said at last */
    enum tls_peer peer;
    char name[80];
    const char *why; /* of a peer that is bad, or the fault */
    bool resumed;
};

/* A handshake with this certificate (NULL: none; taken), resuming what the last one left when `again`. */
static struct seen meet(struct house *h, X509 *certificate, bool again, int version)
{
    struct wire w;
    struct seen seen = { 0 };
    struct buf name = BUF_ON(seen.name);
    struct bench *b = h->bench;
    open_wire(b, &w);
    SSL_set_max_proto_version(w.peer, version);
    if (certificate) {
        assert_int_equal(SSL_use_certificate(w.peer, certificate), 1);
        assert_int_equal(SSL_use_PrivateKey(w.peer, h->key), 1);
        SSL_add1_chain_cert(w.peer, h->issuing);
        X509_free(certificate);
    }
    SSL_SESSION *session = again ? SSL_SESSION_dup(b->session) : NULL;
    if (session)
        SSL_set_session(w.peer, session);
    seen.read = shake(&w);
    /* By TLS 1.3 the client is done before the server has looked. */
    for (int i = 0; i < 4 && seen.read == -EAGAIN; i++) {
        char byte;
        seen.read = tls_session_read(w.server, &byte, 1);
        SSL_read(w.peer, &byte, 1);
    }
    seen.why = tls_session_fault(w.server);
    if (seen.read == -EAGAIN)
        seen.peer = tls_session_peer(w.server, &name, &seen.why);
    buf_terminate(&name);
    seen.resumed = SSL_session_reused(w.peer) == 1;
    SSL_SESSION_free(session);
    SSL_set_shutdown(w.peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    close_wire(&w);
    return seen;
}

static X509 *peer(struct house *h, const char *common_name, long serial)
{
    const struct test_peer p = { .common_name = common_name, .serial = serial };
    return test_certificate(&h->authority, &p, h->key);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define EACH_VERSION for (size_t v = 0; v < sizeof versions / sizeof *versions; v++)

static void r5_a_certificate_of_the_authority_names_its_phone(void **state)
{
    struct house *h = *state;
    EACH_VERSION
    {
        use_plainly(h, TLS_CLIENTS_REQUIRED);
        struct seen seen = meet(h, peer(h, "00:15:65:74:B1:50", 7), false, versions[v]);
        assert_int_equal(seen.read, -EAGAIN);
        assert_int_equal(seen.peer, TLS_PEER_GOOD);
        assert_string_equal(seen.name, "00:15:65:74:B1:50");
        use_plainly(h, TLS_CLIENTS_OFF);
        seen = meet(h, peer(h, "00:15:65:74:B1:50", 7), false, versions[v]);
        assert_int_equal(seen.peer, TLS_PEER_NONE);
    }
}

static void r5_required_lets_nobody_in_without_one_and_optional_does(void **state)
{
    struct house *h = *state;
    EACH_VERSION
    {
        use_plainly(h, TLS_CLIENTS_REQUIRED);
        struct seen seen = meet(h, NULL, false, versions[v]);
        assert_int_equal(seen.read, -EPROTO);
        assert_string_equal(seen.why, "the peer has no certificate, and one is required");
        use_plainly(h, TLS_CLIENTS_OPTIONAL);
        seen = meet(h, NULL, false, versions[v]);
        assert_int_equal(seen.read, -EAGAIN);
        assert_int_equal(seen.peer, TLS_PEER_NONE);
    }
}

/* Whoever shows this: refused where one is required, nobody where it is optional, also when he resumes. */
static void is_bad(struct house *h, struct tls_options o, X509 *certificate, const char *why)
{
    EACH_VERSION
    {
        X509_up_ref(certificate);
        o.clients = TLS_CLIENTS_REQUIRED;
        use(h, &o);
        struct seen seen = meet(h, certificate, false, versions[v]);
        assert_int_equal(seen.read, -EPROTO);
        assert_string_equal(seen.why, why);
        X509_up_ref(certificate);
        o.clients = TLS_CLIENTS_OPTIONAL;
        use(h, &o);
        seen = meet(h, certificate, false, versions[v]);
        assert_int_equal(seen.read, -EAGAIN);
        assert_int_equal(seen.peer, TLS_PEER_BAD);
        assert_string_equal(seen.why, why);
        assert_string_equal(seen.name, "");
        X509_up_ref(certificate);
        seen = meet(h, certificate, true, versions[v]);
        assert_int_equal(seen.peer, TLS_PEER_BAD);
        assert_string_equal(seen.why, why);
    }
    X509_free(certificate);
}

static void r5_chain_purpose_and_validity_are_checked(void **state)
{
    struct house *h = *state;
    static const struct {
        struct test_peer peer;
        bool stranger;
        const char *why;
    } cases[] = {
        { { .until_s = -60 }, false, "the peer's certificate has expired" },
        { { .from_s = 600 }, false, "the peer's certificate is not valid yet: is this machine's clock right?" },
        { { .usage = "serverAuth" }, false, "the peer's certificate is not for clients" },
        { { .serial = 0 }, true, "the peer's certificate is by an authority that is not trusted" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_peer p = cases[i].peer;
        p.common_name = "00156574b150";
        p.serial = 7;
        X509 *x = test_certificate(cases[i].stranger ? &h->stranger : &h->authority, &p, h->key);
        is_bad(h, options(h, TLS_CLIENTS_REQUIRED), x, cases[i].why);
    }
}

static void r5_a_revoked_serial_number_is_refused_however_it_is_written(void **state)
{
    struct house *h = *state;
    static const char *const lists[] = { "1ab3", "00:1A:B3", "77, 0x001Ab3 ,5", "1:ab:3" };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct tls_options o = options(h, TLS_CLIENTS_REQUIRED);
        o.client_revoked = slice_str(lists[i]);
        is_bad(h, o, peer(h, "00156574b150", 0x1ab3), "the peer's certificate is revoked");
        o.clients = TLS_CLIENTS_REQUIRED;
        use(h, &o);
        assert_int_equal(meet(h, peer(h, "00156574b150", 0x1ab4), false, TLS1_3_VERSION).peer, TLS_PEER_GOOD);
    }
}

static void r5_a_revocation_list_is_kept_to(void **state)
{
    struct house *h = *state;
    struct tls_options o = options(h, TLS_CLIENTS_REQUIRED);
    o.client_crl = h->authority.crl;
    test_authority_revoke(&h->authority, 7, 3600);
    is_bad(h, o, peer(h, "00156574b150", 7), "the peer's certificate is revoked");
    o.clients = TLS_CLIENTS_REQUIRED;
    use(h, &o);
    assert_int_equal(meet(h, peer(h, "00156574b150", 8), false, TLS1_3_VERSION).peer, TLS_PEER_GOOD);
    test_authority_revoke(&h->authority, 7, -3600);
    is_bad(h, o, peer(h, "00156574b150", 8), "the revocation list of the peer's authority is out of date");
    test_authority_revoke(&h->stranger, 7, 3600);
    o.client_crl = h->stranger.crl;
    is_bad(h, o, peer(h, "00156574b150", 8), "there is no revocation list of the peer's authority");
}

static void an_authority_in_between_is_enough_by_itself(void **state)
{
    struct house *h = *state;
    struct test_authority issuing = { h->issuing, h->key, "", "" };
    const struct test_peer p = { .common_name = "00156574b150", .serial = 3 };
    char file[128];
    /* The peer brings it, and the list has what is above it. */
    use_plainly(h, TLS_CLIENTS_REQUIRED);
    assert_int_equal(meet(h, test_certificate(&issuing, &p, h->key), false, TLS1_3_VERSION).peer, TLS_PEER_GOOD);
    /* The list has it, and nothing above. */
    snprintf(file, sizeof file, "%s/issuing.pem", h->bench->files.dir);
    test_write(file, h->issuing);
    struct tls_options o = options(h, TLS_CLIENTS_REQUIRED);
    o.client_ca = file;
    use(h, &o);
    assert_int_equal(meet(h, test_certificate(&issuing, &p, h->key), false, TLS1_3_VERSION).peer, TLS_PEER_GOOD);
    unlink(file);
}

static void r5_a_certificate_with_no_one_name_names_nobody(void **state)
{
    struct house *h = *state;
    static const struct test_peer peers[] = {
        { .serial = 5 },
        { .serial = 5, .common_name = "00156574b150", .second_name = "00156574b151" },
        { .serial = 5, .common_name = "00156574b150\n" },
    };
    use_plainly(h, TLS_CLIENTS_REQUIRED);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        struct seen seen = meet(h, test_certificate(&h->authority, &peers[i], h->key), false, TLS1_3_VERSION);
        assert_int_equal(seen.peer, TLS_PEER_GOOD);
        assert_string_equal(seen.name, "");
    }
}

static void a_resumed_session_is_still_the_phone_that_it_was(void **state)
{
    struct house *h = *state;
    EACH_VERSION
    {
        use_plainly(h, TLS_CLIENTS_REQUIRED);
        assert_false(meet(h, peer(h, "00156574b150", 7), false, versions[v]).resumed);
        use_plainly(h, TLS_CLIENTS_REQUIRED); /* read again, and nothing new in it */
        struct seen seen = meet(h, NULL, true, versions[v]);
        assert_true(seen.resumed);
        assert_int_equal(seen.peer, TLS_PEER_GOOD);
        assert_string_equal(seen.name, "00156574b150");
    }
}

static void r5_a_ticket_does_not_let_in_who_was_revoked(void **state)
{
    struct house *h = *state;
    EACH_VERSION
    {
        struct tls_options o = options(h, TLS_CLIENTS_REQUIRED);
        o.client_crl = h->authority.crl;
        test_authority_revoke(&h->authority, 0, 3600);
        use(h, &o);
        assert_int_equal(meet(h, peer(h, "00156574b150", 7), false, versions[v]).peer, TLS_PEER_GOOD);
        test_authority_revoke(&h->authority, 7, 3600);
        use(h, &o);
        struct seen seen = meet(h, peer(h, "00156574b150", 7), true, versions[v]);
        assert_int_equal(seen.read, -EPROTO);
        assert_string_equal(seen.why, "the peer's certificate is revoked");
        /* Nor by the list of serial numbers, nor by taking the authority away. */
        test_authority_revoke(&h->authority, 0, 3600);
        use(h, &o);
        assert_int_equal(meet(h, peer(h, "00156574b150", 7), false, versions[v]).peer, TLS_PEER_GOOD);
        o.client_revoked = SLICE("07");
        use(h, &o);
        assert_int_equal(meet(h, peer(h, "00156574b150", 7), true, versions[v]).read, -EPROTO);
        o = options(h, TLS_CLIENTS_REQUIRED);
        use(h, &o);
        assert_int_equal(meet(h, peer(h, "00156574b150", 7), false, versions[v]).peer, TLS_PEER_GOOD);
        o.client_ca = h->stranger.file;
        use(h, &o);
        assert_int_equal(meet(h, peer(h, "00156574b150", 7), true, versions[v]).read, -EPROTO);
    }
}

/* An FTP session, without a certificate of its own when it resumes. */
static struct seen meet_by_ftp(struct house *h, X509 *certificate, bool again)
{
    struct wire w;
    struct seen seen = { 0 };
    struct buf name = BUF_ON(seen.name);
    open_wire(h->bench, &w);
    tls_session_set_purpose(w.server, TLS_FTP);
    if (certificate) {
        assert_int_equal(SSL_use_certificate(w.peer, certificate), 1);
        assert_int_equal(SSL_use_PrivateKey(w.peer, h->key), 1);
        X509_free(certificate);
    }
    SSL_SESSION *session = again ? SSL_SESSION_dup(h->bench->session) : NULL;
    if (session)
        SSL_set_session(w.peer, session);
    seen.read = shake(&w);
    if (seen.read == -EAGAIN)
        seen.peer = tls_session_peer(w.server, &name, &seen.why);
    buf_terminate(&name);
    seen.resumed = SSL_session_reused(w.peer) == 1;
    SSL_SESSION_free(session);
    SSL_set_shutdown(w.peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    close_wire(&w);
    return seen;
}

static void r5_a_ticket_of_ftp_is_bound_to_what_is_trusted_too(void **state)
{
    struct house *h = *state;
    struct tls_options o = options(h, TLS_CLIENTS_OPTIONAL);
    use(h, &o);
    assert_string_equal(meet_by_ftp(h, peer(h, "00156574b150", 7), false).name, "00156574b150");
    struct seen seen = meet_by_ftp(h, NULL, true);
    assert_true(seen.resumed);
    assert_string_equal(seen.name, "00156574b150");
    /* Not by HTTPS, and not once it is revoked. */
    assert_false(meet(h, NULL, true, TLS1_3_VERSION).resumed);
    assert_string_equal(meet_by_ftp(h, peer(h, "00156574b150", 7), false).name, "00156574b150");
    o.client_revoked = SLICE("7");
    use(h, &o);
    seen = meet_by_ftp(h, NULL, true);
    assert_false(seen.resumed);
    assert_int_equal(seen.peer, TLS_PEER_NONE);
}

static void r5_a_ticket_is_no_use_once_the_certificate_in_it_has_expired(void **state)
{
    struct house *h = *state;
    EACH_VERSION
    {
        h->bench->clock.wall_now_ms = (int64_t)time(NULL) * 1000;
        use_plainly(h, TLS_CLIENTS_REQUIRED);
        assert_int_equal(meet(h, peer(h, "00156574b150", 7), false, versions[v]).peer, TLS_PEER_GOOD);
        assert_true(meet(h, peer(h, "00156574b150", 7), true, versions[v]).resumed);
        /* The ticket's certificate is good for a day from its making, which may have taken some seconds. OpenSSL
         * itself looks at the machine's clock, and would let it in by a full handshake. */
        h->bench->clock.wall_now_ms += INT64_C(2) * 86400 * 1000;
        struct seen seen = meet(h, peer(h, "00156574b150", 7), true, versions[v]);
        assert_int_equal(seen.read, -EAGAIN);
        assert_false(seen.resumed);
    }
}

static void a_session_without_a_certificate_is_not_resumed_where_one_is_required(void **state)
{
    struct house *h = *state;
    EACH_VERSION
    {
        static const enum tls_clients before[] = { TLS_CLIENTS_OFF, TLS_CLIENTS_OPTIONAL };
        for (size_t i = 0; i < 2; i++) {
            use_plainly(h, before[i]);
            assert_int_equal(meet(h, NULL, false, versions[v]).read, -EAGAIN);
            use_plainly(h, TLS_CLIENTS_REQUIRED);
            assert_int_equal(meet(h, NULL, true, versions[v]).read, -EPROTO);
        }
    }
}

static void r5_a_connection_that_stays_is_judged_by_what_is_trusted_now(void **state)
{
    struct house *h = *state;
    struct wire w;
    struct ssl_ctx_st *then;
    struct tls_options o = options(h, TLS_CLIENTS_REQUIRED);
    use(h, &o);
    open_wire(h->bench, &w);
    X509 *x = peer(h, "00156574b150", 7);
    SSL_use_certificate(w.peer, x);
    SSL_use_PrivateKey(w.peer, h->key);
    X509_free(x);
    assert_int_equal(shake(&w), -EAGAIN);
    then = tls_context_share(h->bench->context);
    assert_true(tls_session_still_good(w.server, then));
    o.client_revoked = SLICE("8");
    use(h, &o);
    assert_true(tls_session_still_good(w.server, h->bench->context));
    o.client_revoked = SLICE("7");
    use(h, &o);
    assert_false(tls_session_still_good(w.server, h->bench->context));
    use_plainly(h, TLS_CLIENTS_OFF);
    assert_true(tls_session_still_good(w.server, h->bench->context));
    tls_context_close(then);
    close_wire(&w);
}

static void is_refused(struct house *h, const struct tls_options *o, const char *words)
{
    char bytes[256] = "";
    struct buf why = BUF_ON(bytes);
    struct ssl_ctx_st *context = NULL;
    assert_true(tls_context_open(o, &why, &context) < 0);
    if (slice_find_text(buf_slice(&why), slice_str(words)) == why.len)
        fail_msg("\"%s\" is not in \"%s\"", words, bytes);
    (void)h;
}

static void lists_that_are_not_what_they_should_be_are_named(void **state)
{
    struct house *h = *state;
    struct tls_options o = options(h, TLS_CLIENTS_OPTIONAL);
    o.client_ca = "";
    is_refused(h, &o, "tls.client_certificates wants tls.client_ca");
    o.client_ca = "/nonexistent";
    is_refused(h, &o, "/nonexistent: No such file");
    o.client_ca = h->bench->files.rsa_key;
    is_refused(h, &o, "rsa.key: no authorities' certificates in PEM");
    o = options(h, TLS_CLIENTS_OPTIONAL);
    o.client_crl = h->authority.file;
    is_refused(h, &o, "authority.pem: no revocation lists in PEM");
    o.client_crl = NULL;
    o.client_revoked = SLICE("12, phone");
    is_refused(h, &o, "tls.client_revoked: 'phone' is no serial number");
}

static void certificates_and_keys_can_be_taken_from_another_context(void **state)
{
    struct house *h = *state;
    struct tls_options o = options(h, TLS_CLIENTS_REQUIRED);
    struct ssl_ctx_st *old = tls_context_share(h->bench->context);
    o.pairs_of = old;
    o.pairs[0] = o.pairs[1] = (struct tls_pair){ "/nonexistent", "/nonexistent" };
    use(h, &o);
    tls_context_close(old);
    assert_int_equal(meet(h, peer(h, "00156574b150", 7), false, TLS1_3_VERSION).peer, TLS_PEER_GOOD);
}

/* --- names and old phones ---------------------------------------------------------------------------------- */

static ssize_t meet_as(struct house *h, const char *name)
{
    struct wire w;
    open_wire(h->bench, &w);
    if (name)
        SSL_set_tlsext_host_name(w.peer, name);
    ssize_t n = shake(&w);
    if (n == -EPROTO)
        assert_string_equal(tls_session_fault(w.server), "the peer names another server: is it in tls.server_names?");
    close_wire(&w);
    return n;
}

static void r6_a_session_meant_for_another_server_ends_in_the_handshake(void **state)
{
    struct house *h = *state;
    struct tls_options o = options_of(h->bench, false);
    assert_int_equal(meet_as(h, "anything.example"), -EAGAIN);
    o.server_names = SLICE("prov.example, *.phones.example");
    use(h, &o);
    static const char *const ours[] = { "prov.example", "PROV.example", "prov.example.", "a.phones.example", NULL };
    static const char *const others[] = { "www.example", "x.prov.example", "phones.example", "a.b.phones.example",
                                          "*.phones.example.org" };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(meet_as(h, ours[i]), -EAGAIN);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(meet_as(h, others[i]), -EPROTO);
}

static void r6_only_a_legacy_context_knows_old_versions_and_suites(void **state)
{
    struct house *h = *state;
    static const struct {
        int version;
        const char *suite;
    } cases[] = { { TLS1_VERSION, "ECDHE-RSA-AES128-SHA" },     { TLS1_1_VERSION, "ECDHE-ECDSA-AES256-SHA" },
                  { TLS1_VERSION, "AES128-SHA" },               { TLS1_2_VERSION, "AES128-GCM-SHA256" },
                  { TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256" } };
    struct tls_options o = options_of(h->bench, false);
    for (int legacy = 0; legacy < 2; legacy++) {
        o.legacy = legacy != 0;
        use(h, &o);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct wire w;
            open_wire(h->bench, &w);
            SSL_set_security_level(w.peer, 0);
            SSL_set_min_proto_version(w.peer, cases[i].version);
            SSL_set_max_proto_version(w.peer, cases[i].version);
            SSL_set_cipher_list(w.peer, cases[i].suite);
            assert_int_equal(shake(&w), legacy ? -EAGAIN : -EPROTO);
            close_wire(&w);
        }
    }
    /* What nobody should speak any more is not there either. */
    struct wire w;
    open_wire(h->bench, &w);
    SSL_set_security_level(w.peer, 0);
    SSL_set_max_proto_version(w.peer, TLS1_2_VERSION);
    SSL_set_cipher_list(w.peer, "aNULL:eNULL:@SECLEVEL=0");
    assert_int_equal(shake(&w), -EPROTO);
    close_wire(&w);
}

static void r6_a_legacy_session_is_not_resumed_elsewhere(void **state)
{
    struct house *h = *state;
    struct tls_options o = options_of(h->bench, false);
    SSL_CTX_set_max_proto_version(h->bench->peer_context, TLS1_2_VERSION);
    o.legacy = true;
    use(h, &o);
    assert_false(resumes(h->bench));
    assert_true(resumes(h->bench));
    o.legacy = false;
    use(h, &o);
    assert_false(resumes(h->bench));
}

int main(void)
{
#define CLIENTS_TEST(f) cmocka_unit_test_setup_teardown(f, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        CLIENTS_TEST(r5_a_certificate_of_the_authority_names_its_phone),
        CLIENTS_TEST(r5_required_lets_nobody_in_without_one_and_optional_does),
        CLIENTS_TEST(r5_chain_purpose_and_validity_are_checked),
        CLIENTS_TEST(r5_a_revoked_serial_number_is_refused_however_it_is_written),
        CLIENTS_TEST(r5_a_revocation_list_is_kept_to),
        CLIENTS_TEST(an_authority_in_between_is_enough_by_itself),
        CLIENTS_TEST(r5_a_certificate_with_no_one_name_names_nobody),
        CLIENTS_TEST(a_resumed_session_is_still_the_phone_that_it_was),
        CLIENTS_TEST(r5_a_ticket_does_not_let_in_who_was_revoked),
        CLIENTS_TEST(r5_a_ticket_of_ftp_is_bound_to_what_is_trusted_too),
        CLIENTS_TEST(r5_a_ticket_is_no_use_once_the_certificate_in_it_has_expired),
        CLIENTS_TEST(a_session_without_a_certificate_is_not_resumed_where_one_is_required),
        CLIENTS_TEST(r5_a_connection_that_stays_is_judged_by_what_is_trusted_now),
        CLIENTS_TEST(lists_that_are_not_what_they_should_be_are_named),
        CLIENTS_TEST(certificates_and_keys_can_be_taken_from_another_context),
        CLIENTS_TEST(r6_a_session_meant_for_another_server_ends_in_the_handshake),
        CLIENTS_TEST(r6_only_a_legacy_context_knows_old_versions_and_suites),
        CLIENTS_TEST(r6_a_legacy_session_is_not_resumed_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
