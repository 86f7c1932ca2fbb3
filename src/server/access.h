/* Access rules: who may read and write what, one meaning for all protocols (security.md R3).
 *
 * The rule whose prefix is the longest decides, and no other: by whole segments, so `/T23G_1/` is not for
 * `/T23G_10/x`. Without a rule for a name everybody may read it and phones may upload (the open mode).
 *
 * Names of phones can be bound (`bind`): <MAC>.boot, <MAC>.cfg, <MAC>-... are then given only to the caller who has
 * proven that MAC, by his certificate or by a login under it. To everybody else they are not there: the wrong phone
 * hears exactly what it would hear of a name that nobody has (security.md R3).
 *
 * `users` of a rule are those of the configuration; a MAC among them is also the phone whose certificate names it,
 * and `*` everybody who is known by either.
 *
 * Case: the tree finds MAC names whatever their case, and a file system may ignore case altogether. So where a
 * longer rule would match if case did not count, that one has to allow too. A symbolic link
 * (root.follow_symlinks) is what its own name says, not what it points to.
 *
 * Immutable once made; threads share it. */
#ifndef DIALTONE_SERVER_ACCESS_H
#define DIALTONE_SERVER_ACCESS_H

#include "server/caller.h"
#include "server/config.h"
#include "server/redirect.h"
#include "server/users.h"

/* What proves to whom the name of a phone's own file belongs (guide/name.h, name_is_bound()). */
enum access_bind {
    ACCESS_BIND_AUTO, /* with tls.client_certificates: either, by HTTPS and for no one whom the rule names; else none */
    ACCESS_BIND_NONE,
    ACCESS_BIND_CERTIFICATE,
    ACCESS_BIND_LOGIN, /* under the MAC, in any spelling */
    ACCESS_BIND_EITHER
};

enum access_write { ACCESS_WRITE_NONE, ACCESS_WRITE_UPLOADS, ACCESS_WRITE_CREATE, ACCESS_WRITE_OVERWRITE };

struct access_rule {
    struct slice prefix; /* without slashes at its ends */
    size_t segments;
    struct slice users; /* as in the configuration */
    struct network *networks;
    size_t network_count; /* 0: any */
    unsigned protocols;   /* bit 1 << enum protocol */
    bool anonymous, read;
    enum access_write write;
    enum access_bind bind;
    uint64_t file_max, directory_max; /* bytes */
};

struct access {
    struct arena arena;
    struct access_rule rules[CONFIG_RULES_MAX];
    size_t rule_count;
    bool certificates; /* phones are asked for theirs */
    struct users users;
    struct redirects redirects; /* not a rule, but it changes with them at SIGHUP */
    struct access *older; /* server/serve.c's: what a worker may still use */
};

/* Of a configuration that config_check() found fine; copies what it needs and reads users.file. 0 or a negative errno,
 * said in the log but for -ENOMEM. */
int access_open(const struct config *config, struct access **ret_access);
/* NULL is none. */
void access_close(struct access *a);

enum access_act { ACCESS_READ, ACCESS_WRITE };

struct access_request {
    struct caller caller;
    struct slice name; /* decoded, as it is given to tree_ask() */
    enum access_act act;
};

/* In the order of their strictness. */
enum access_answer {
    ACCESS_YES,
    ACCESS_LOGIN, /* the right user may */
    ACCESS_HIDDEN, /* reading only: another phone's. To be answered byte by byte as a name that is not there, and
                      without a look at the tree, whose time could tell */
    ACCESS_NO     /* no login helps */
};

struct access_verdict {
    enum access_answer answer;
    const char *reason;      /* static; NULL with YES */
    enum access_write write; /* what a YES to ACCESS_WRITE allows */
};

/* `a` NULL: no rules. */
struct access_verdict access_decide(const struct access *a, const struct access_request *r);

/* Whether a longer rule gives the caller something beneath `directory`: he may go through it then, whatever the
 * directory's own rule says of reading it. */
bool access_leads_on(const struct access *a, const struct caller *caller, struct slice directory);

/* How much may be written under a name, whoever does: the deciding rule's say. */
struct access_ceilings {
    struct slice directory;    /* its prefix, without slashes at its ends; borrowed from `a` */
    uint64_t file, directory_bytes; /* at most; UINT64_MAX without a rule */
};
struct access_ceilings access_ceilings(const struct access *a, struct slice name);

/* Whether some rule lets files of the tree itself be written. */
bool access_writes_tree(const struct access *a);
/* Whether some rule is for something beneath `name`, and not for itself: its owner may be another. */
bool access_divides(const struct access *a, struct slice name);

/* What is open to those who only know a MAC address, to be said at start, one text a call: "anyone on these networks
 * who knows a MAC address gets its files by tftp, http". `protocols` are those that are served, bit 1 << enum protocol;
 * `index` counts from 0. False: nothing more is. `a` NULL: no rules. */
bool access_open_to(const struct access *a, unsigned protocols, size_t index, struct buf *out);

/* access_bind.c: a verdict of YES, as far as the name's binding lets it stand. `rule` NULL: there is none. */
struct access_verdict access_bound(const struct access *a, const struct access_rule *rule,
                                   const struct access_request *r, struct slice name, struct access_verdict v);
/* Whether the rule's users hold the caller: by his login, or by the MAC that his certificate names. */
bool access_names_caller(const struct access_rule *rule, const struct caller *caller);

#endif
