/* TLS for the load generator's HTTP clients: each keeps its own session, as a phone does. */
#ifndef DIALTONE_BENCH_LOAD_TLS_H
#define DIALTONE_BENCH_LOAD_TLS_H

#include "bench/load.h"

#include <sys/types.h>

/* False: OpenSSL cannot do what was asked for. */
bool load_tls_prepare(struct load *load);
/* On the client's socket, which connects. */
bool load_tls_open(struct load *load, struct load_client *client);
/* The session stays. */
void load_tls_close(struct load_client *client);
/* At the very end: sessions and what they were made with. */
void load_tls_end(struct load *load, struct load_client *clients, size_t count);
/* These two answer like send() and recv(). */
ssize_t load_tls_send(struct load_client *client, struct slice bytes);
ssize_t load_tls_receive(struct load_client *client, void *into, size_t len);
/* False: a full handshake where a session was to be resumed. */
bool load_tls_is_as_meant(const struct load_client *client);

#endif
