/* Which addresses the hosts have that a phone trusts: numeric ones as they are, names by the machine's resolver
 * (A and AAAA). A name is looked up when it is first asked for, and again when it is asked for and what is known is
 * RING_NAMES_S old; until the new answer is there the old one holds. One that does not resolve trusts nobody. */
#ifndef DIALTONE_PHONE_RING_NAMES_H
#define DIALTONE_PHONE_RING_NAMES_H

#include "net/loop.h"
#include "phone/ring.h"
#include "phone/ring_trust.h"

#define RING_NAMES_S 300
/* After a look-up that failed. */
#define RING_NAMES_RETRY_S 10
/* Addresses of one name. */
#define RING_NAME_ADDRESSES_MAX 8

struct ring_names;
/* NULL: out of memory. */
struct ring_names *ring_names_new(struct loop *loop);
/* Frees when the look-ups that go on have ended, on the loop. */
void ring_names_close(struct ring_names *n);
/* Starts the look-ups that are due. */
void ring_names_look(struct ring_names *n, const struct slice *hosts, size_t count);
/* The same, and whether `from` is one of them. */
enum ring_trust ring_names_judge(struct ring_names *n, const struct slice *hosts, size_t count,
                                 const union address *from);

#endif
