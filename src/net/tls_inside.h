/* Inside net/tls: what its files share. */
#ifndef DIALTONE_NET_TLS_INSIDE_H
#define DIALTONE_NET_TLS_INSIDE_H

#include "net/tls.h"

#include <openssl/ssl.h>

/* tls_tickets.c */
bool tls_tickets_use(struct tls_tickets *t, SSL_CTX *context);

#endif
