/* Inside net/tls: what its files share. */
#ifndef DIALTONE_NET_TLS_INSIDE_H
#define DIALTONE_NET_TLS_INSIDE_H

#include "net/tls.h"

#include <openssl/ssl.h>

/* tls_session.c: the name for ALPN, with its length before it, as SSL_select_next_proto() wants it. */
struct slice tls_session_alpn(const SSL *ssl);

/* tls_tickets.c */
bool tls_tickets_use(struct tls_tickets *t, SSL_CTX *context);

#endif
