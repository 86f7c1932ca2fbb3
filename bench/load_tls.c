#include "bench/load_tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

static int client_index = -1;

/* The newest is kept: servers may send several. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct load_client *client = SSL_get_ex_data(ssl, client_index);
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

/* One suite and one kind of signature, so that both servers do the same arithmetic. */
static bool pin(SSL_CTX *context, bool rsa, bool tls_1_2)
{
    int version = tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    return SSL_CTX_set_min_proto_version(context, version) == 1 &&
           SSL_CTX_set_max_proto_version(context, version) == 1 &&
           SSL_CTX_set_cipher_list(context, rsa ? "ECDHE-RSA-AES128-GCM-SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 &&
           SSL_CTX_set1_sigalgs_list(context, rsa ? "rsa_pss_rsae_sha256" : "ecdsa_secp256r1_sha256") == 1;
}

bool load_tls_prepare(struct load *load)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    client_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (!context || client_index < 0 || !pin(context, load->rsa, load->tls_1_2))
        return false;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    /* What is measured is the server: the client does not check its certificate. */
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    load->tls = context;
    return true;
}

bool load_tls_open(struct load *load, struct load_client *client)
{
    int on = 1;
    /* The client's last word of a handshake and its request are two packets: no waiting between them. */
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->ssl = SSL_new(load->tls);
    if (!client->ssl || SSL_set_fd(client->ssl, client->fd) != 1)
        return false;
    SSL_set_ex_data(client->ssl, client_index, client);
    SSL_set_connect_state(client->ssl);
    client->resumes = load->resume && client->session;
    if (client->resumes)
        SSL_set_session(client->ssl, client->session);
    return true;
}

void load_tls_close(struct load_client *client)
{
    if (!client->ssl)
        return;
    /* Without this OpenSSL takes the session for a broken one. */
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client->ssl);
    client->ssl = NULL;
}

void load_tls_end(struct load *load, struct load_client *clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        load_tls_close(&clients[i]);
        SSL_SESSION_free(clients[i].session);
    }
    SSL_CTX_free(load->tls);
}

/* As recv() and send() have it. */
static ssize_t judge(struct load_client *client, int result, size_t n)
{
    if (result == 1)
        return (ssize_t)n;
    int error = SSL_get_error(client->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
}

ssize_t load_tls_send(struct load_client *client, struct slice bytes)
{
    size_t n = 0;
    int result = SSL_write_ex(client->ssl, bytes.ptr, bytes.len, &n);
    return judge(client, result, n);
}

ssize_t load_tls_receive(struct load_client *client, void *into, size_t len)
{
    size_t n = 0;
    int result = SSL_read_ex(client->ssl, into, len, &n);
    return judge(client, result, n);
}

bool load_tls_is_as_meant(const struct load_client *client)
{
    return !client->resumes || SSL_session_reused(client->ssl) == 1;
}
