/* The guard against guessing phones (security.md R3, R4): whoever knows the vendor's address blocks could ask for every
 * MAC in them. It stands between the four protocols and the tree, and knows phones from guesses.
 *
 * What it looks at is names that belong to one phone (guide/name.h, name_owner()); all others pass it by. A phone that
 * has asked from an address before is known there: it counts nothing and is never refused, so hundreds of phones behind
 * a NAT go on whatever a stranger among them does. So does who has proven his MAC (server/caller.h). A phone that is
 * known from elsewhere, or has sent files, counts nothing either when it misses, but once the address has used up its
 * allowance it is refused there like others: otherwise a guesser would learn from the refusals which phones exist.
 *
 * Any other phone, asked for in vain, counts once against the address (of IPv6 its /64): `guard.unknown` of them at
 * once, enough for a whole building's first day, then one in `guard.unknown_s` seconds. Beyond that it is refused
 * unlooked-at, and after GUARD_REFUSALS refusals every phone is that was never asked for from there, for
 * `guard.shut_s` seconds. To write under a name counts like a miss: otherwise a guesser would introduce
 * himself by that. A burst is one line in the log, the one that fail2ban reads:
 *
 *   guessing: too many unknown phones asked for from 10.2.20.73 by http
 *
 * A refusal is TREE_GUARDED, the same bytes whether there is such a file or not, and never "absent": a phone that hears
 * that applies the common files alone (guide, "Downloading and Parsing Files").
 *
 * One for all workers, behind a mutex that is held for some hundred nanoseconds. It remembers GUARD_PHONES phones (56
 * bytes twice for each: here, and anywhere); of those that it forgets it knows less, and no harm comes of it but a
 * count. */
#ifndef DIALTONE_SERVER_GUARD_H
#define DIALTONE_SERVER_GUARD_H

#include "server/caller.h"
#include "server/service.h"

#define GUARD_PHONES ((size_t)32768)
/* Addresses that are told apart. */
#define GUARD_HOSTS ((size_t)8192)
#define GUARD_REFUSALS 50

struct guard;
/* 0 or a negative errno. */
int guard_open(struct guard **ret_guard);
/* NULL is none. */
void guard_close(struct guard *g);

/* At start: this name was asked for from there in good standing, or, `peer` NULL, is there of what phones sent. `good`:
 * there was a file. The oldest first; `order` counts up. */
void guard_remember(struct guard *g, struct slice name, const union address *peer, bool good, uint64_t order);

/* tree_ask() behind the guard: for a caller whom the access rules let read. Without worker->guard, tree_ask(). */
enum tree_answer guard_ask(struct worker *w, const struct caller *c, struct slice name, struct tree_file *ret_file);
/* For a name that the rules hide: TREE_ABSENT or TREE_GUARDED, as it would be for one that is not there. */
enum tree_answer guard_hide(struct worker *w, const struct caller *c, struct slice name);
/* Before anything is written, renamed or removed under a name. False: TREE_GUARDED. */
bool guard_write(struct worker *w, const struct caller *c, struct slice name);

#endif
