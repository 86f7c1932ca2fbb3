/* What the services of one worker share: its loop, the tree, the journal, the limits. */
#ifndef DIALTONE_SERVER_SERVICE_H
#define DIALTONE_SERVER_SERVICE_H

#include "net/address.h"
#include "net/loop.h"
#include "server/config.h"
#include "server/journal.h"
#include "server/tree.h"

/* What http.rate_bytes and ftp.rate_bytes cannot fall below: a reader who takes less is cut as too slow. */
#define SERVICE_RATE_MIN 4096
static inline uint32_t service_rate(uint32_t bytes)
{
    return bytes && bytes < SERVICE_RATE_MIN ? SERVICE_RATE_MIN : bytes;
}

struct access;
struct ftp_relay;
struct guard;
struct login;
struct uploads;

struct worker {
    struct loop loop;
    struct tree *tree;
    const struct rootdir *root; /* the tree's; NULL: nothing is written into it */
    struct uploads *uploads;    /* shared by all workers; NULL: nothing is written at all */
    struct journal *journal; /* shared by all workers; NULL: none */
    const struct config *config;
    const struct access *access; /* NULL: no rules; may be another one after any callback */
    struct login *login;         /* shared by all workers; NULL only without rules */
    struct ssl_ctx_st *tls; /* what new TLS connections are made with (net/tls.h); NULL: none */
    struct ssl_ctx_st *tls_legacy; /* the same for old phones, on a listener of their own */
    struct guard *guard; /* shared by all workers; NULL: none */
    uint64_t hash_seed; /* drawn at start, see address_hash() */
    unsigned share;     /* number of workers: limits "in all" are divided by it */
    unsigned index;     /* of this one, below `share` */
    /* Likewise of all workers that serve FTP, those for TLS included: they share its data ports. */
    unsigned ftp_share, ftp_index;
    struct ftp_relay *ftp_relay; /* shared by all workers; NULL: no TLS by FTP */
};

/* A service is opened on sockets that were bound before privileges were dropped:
 *
 *   struct NAME_service;
 *   int NAME_service_open(struct worker *worker, int fd, struct NAME_service **ret_service);
 *   void NAME_service_drain(struct NAME_service *s, void (*done)(void *context), void *context);
 *   void NAME_service_close(struct NAME_service *s);
 *
 * `open` owns the listening descriptor from then on, also when it fails. Limits of `config` that SIGHUP can
 * change (config_keys(): live) are read there at each use; `config` changes between two callbacks only.
 * `tls` changes at SIGHUP, likewise between two callbacks; connections keep what they were made with.
 * `drain` (SIGTERM) takes no new request, finishes those under way and then calls `done` once; `close` drops
 * what is left and frees, its handles closing on the loop. */

#endif
