/* Inside net/tls: what its files share.
 *
 *   tls.c          a context: what is offered, how it is put together
 *   tls_files.c    certificates and keys out of PEM files
 *   tls_clients.c  certificates of peers: whom to trust, who is revoked, what is said of one
 *   tls_tickets.c  keys of tickets, and whether a ticket is still good
 *   tls_connect.c  a context of the side that connects
 *   tls_session.c  one connection */
#ifndef DIALTONE_NET_TLS_INSIDE_H
#define DIALTONE_NET_TLS_INSIDE_H

#include "net/tls.h"

#include <openssl/ssl.h>

/* tls_session.c: the name for ALPN, with its length before it, as SSL_select_next_proto() wants it. */
struct slice tls_session_alpn(const SSL *ssl);

struct tls_loaded {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

/* What OpenSSL's context does not keep for us; hangs at it and goes with it. */
struct tls_mind {
    struct tls_tickets *tickets;
    struct tls_loaded pairs[TLS_PAIRS_MAX];
    size_t pair_count;
    enum tls_clients clients;
    char *revoked, *names; /* the lists, as they were given */
    unsigned char trust[32]; /* digest over everything that decides who is let in */
};

/* tls.c */
struct tls_mind *tls_mind_of(const SSL_CTX *context);

/* tls_files.c. All say in `why` what is wrong with which file. */
int tls_say(struct buf *why, const char *file, const char *what, int error);
/* -EINVAL, with OpenSSL's own first word about it. */
int tls_say_openssl(struct buf *why, const char *file, const char *what);
/* malloc'd, at most TLS_LIST_BYTES_MAX. */
int tls_read_list(const char *file, struct buf *why, char **ret_bytes, size_t *ret_len);
int tls_load_pair(const struct tls_pair *pair, uid_t key_owner, struct tls_loaded *l, struct buf *why);
bool tls_share_pair(const struct tls_loaded *from, struct tls_loaded *l);
void tls_free_pair(struct tls_loaded *l);
int tls_no_passphrase(char *into, int size, int writing, void *context);

/* tls_clients.c */
int tls_clients_use(const struct tls_options *o, struct tls_mind *m, SSL_CTX *context, struct buf *why);
/* Of a ticket: whether the certificate in it has not expired. */
bool tls_clients_session_ok(SSL_SESSION *session, int64_t wall_ms);
/* Static words for OpenSSL's verdict on a peer's certificate. */
const char *tls_clients_words(long verdict);
/* tls_session_peer() and tls_session_still_good(). */
enum tls_peer tls_ssl_peer(const SSL *ssl, struct buf *name, const char **ret_why);
bool tls_ssl_still_good(const SSL *ssl, SSL_CTX *context);

/* tls_tickets.c */
bool tls_tickets_use(SSL_CTX *context);

#endif
