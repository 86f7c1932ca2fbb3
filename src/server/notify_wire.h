/* Many NOTIFYs (server/notify.h) at once on a loop: one UDP socket a family, a connection each by TCP and TLS. */
#ifndef DIALTONE_SERVER_NOTIFY_WIRE_H
#define DIALTONE_SERVER_NOTIFY_WIRE_H

#include "net/loop.h"
#include "server/notify.h"

struct ssl_ctx_st;
struct notify_wire;

/* Once a NOTIFY is over; it is gone afterwards. From the loop, never from within notify_wire_send(). */
typedef void notify_done(void *context, void *mark, const struct notify *n);

/* `tls`: of tls_connect_context_open(), shared; NULL: no TLS. 0 or a negative errno. */
int notify_wire_open(struct loop *loop, struct ssl_ctx_st *tls, notify_done *done, void *context,
                     struct notify_wire **ret_wire);
/* To `to`, which is where the target's host is. What `options` borrows lives until `done`; its `local` and `number` are
 * set here. `mark` is the caller's. 0 or a negative errno: then `done` does not come. */
int notify_wire_send(struct notify_wire *w, const union address *to, const struct notify_options *options, void *mark);
/* What still goes on is dropped; frees on the loop. NULL is none. */
void notify_wire_close(struct notify_wire *w);

#endif
