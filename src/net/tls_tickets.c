#include "net/tls_inside.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

struct ticket_key {
    unsigned char name[16], cipher[32],
        mac[32]; /* sizes of AES-256 and HMAC-SHA-256; OpenSSL fixes the name's */
};

struct tls_tickets {
    pthread_mutex_t lock;
    const struct clock *clock;
    EVP_CIPHER *cipher;
    uint64_t drawn_ms; /* when the first key was */
    size_t count;
    struct ticket_key keys[TLS_TICKET_KEYS]; /* the youngest first */
};

int tls_tickets_open(const struct clock *clock, struct tls_tickets **ret_tickets)
{
    struct tls_tickets *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->clock = clock;
    t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    pthread_mutex_init(&t->lock, NULL);
    if (!t->cipher) {
        tls_tickets_close(t);
        return -ENOMEM;
    }
    *ret_tickets = t;
    return 0;
}

void tls_tickets_close(struct tls_tickets *t)
{
    if (!t)
        return;
    EVP_CIPHER_free(t->cipher);
    pthread_mutex_destroy(&t->lock);
    OPENSSL_cleanse(t, sizeof *t);
    free(t);
}

/* The key to encrypt with. */
static bool youngest(struct tls_tickets *t, struct ticket_key *ret_key)
{
    uint64_t now_ms = clock_now_ms(t->clock);
    struct ticket_key fresh;
    bool ok = true;
    pthread_mutex_lock(&t->lock);
    if (t->count == 0 || now_ms - t->drawn_ms >= (uint64_t)TLS_TICKET_KEY_S * 1000) {
        ok = RAND_bytes((unsigned char *)&fresh, sizeof fresh) == 1;
        if (ok) {
            memmove(&t->keys[1], &t->keys[0], sizeof t->keys - sizeof t->keys[0]);
            t->keys[0] = fresh;
            t->count += t->count < TLS_TICKET_KEYS;
            t->drawn_ms = now_ms;
        }
    }
    *ret_key = t->keys[0];
    pthread_mutex_unlock(&t->lock);
    return ok;
}

static bool named(struct tls_tickets *t, const unsigned char *name, struct ticket_key *ret_key)
{
    bool found = false;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; !found && i < t->count; i++) {
        found = memcmp(t->keys[i].name, name, sizeof t->keys[i].name) == 0;
        if (found)
            *ret_key = t->keys[i];
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int encrypt(struct tls_tickets *t, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    int iv_len = EVP_CIPHER_get_iv_length(t->cipher);
    bool ok = youngest(t, &key) && RAND_bytes(iv, iv_len) == 1 &&
              EVP_EncryptInit_ex2(cipher, t->cipher, key.cipher, iv, NULL) == 1 && set_mac(mac, &key);
    memcpy(name, key.name, sizeof key.name);
    OPENSSL_cleanse(&key, sizeof key);
    return ok ? 1 : -1;
}

static int decrypt(struct tls_tickets *t, const unsigned char *name, const unsigned char *iv,
                   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    if (!named(t, name, &key))
        return 0; /* a full handshake */
    bool ok = EVP_DecryptInit_ex2(cipher, t->cipher, key.cipher, iv, NULL) == 1 && set_mac(mac, &key);
    OPENSSL_cleanse(&key, sizeof key);
    return ok ? 1 : -1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3) */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int encrypting)
{
    struct tls_tickets *t = tls_mind_of(SSL_get_SSL_CTX(ssl))->tickets;
    return encrypting ? encrypt(t, name, iv, cipher, mac) : decrypt(t, name, iv, cipher, mac);
}

/* SSL_CTX_set_session_ticket_cb(3). What else a ticket must fit to, its session id context says (tls_clients.c). */
static SSL_TICKET_RETURN on_session(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len,
                                    SSL_TICKET_STATUS status, void *context)
{
    const struct tls_tickets *t = tls_mind_of(SSL_get_SSL_CTX(ssl))->tickets;
    (void)name;
    (void)name_len;
    (void)context;
    if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_ABORT;
    if (!tls_clients_session_ok(session, clock_wall_ms(t->clock)))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    /* TLS 1.3 wants a new one for each use (RFC 8446, C.4); clients forget the one that they have used. */
    return SSL_version(ssl) >= TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

bool tls_tickets_use(SSL_CTX *context)
{
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, NULL, on_session, NULL) == 1;
}
