/* Names that have moved: HTTP's 301, 302, 307 and 308 (RFC 9110 15.4).
 *
 * Whole directories by prefix, as in access rules: the longest prefix decides, by whole segments. What lies
 * behind the prefix goes behind the target, and so does the query. Where it leads to is the configuration's
 * word alone: of a request only the rest of the path gets into a target, escaped and never as a host (no open
 * redirect).
 *
 * A target with a scheme and a host is left alone by a request that is there already: `/` to
 * `https://pbx.example/` leads from HTTP to HTTPS and serves over HTTPS. A target that is only a path must not
 * lead back; redirects_fault() finds that.
 *
 * Immutable once made; threads share it. */
#ifndef DIALTONE_SERVER_REDIRECT_H
#define DIALTONE_SERVER_REDIRECT_H

#include "base/arena.h"
#include "base/buf.h"
#include "server/config.h"

struct redirect {
    struct slice from; /* without slashes at its ends; "": everything */
    struct slice to;   /* a URL or a path, without its last slash */
    struct slice path; /* of `to`, without slashes at its ends */
    struct slice host; /* "": `to` is a path */
    uint16_t port;
    bool https; /* scheme of `to` */
    unsigned status;
    size_t number; /* N of redirect.N */
};

struct redirects {
    const struct redirect *list;
    size_t count;
};

/* What may be asked to be led to: a path that begins with one slash, or a URL of http or https with a host, without a
 * user and without a query. */
bool redirect_target_ok(struct slice to);

/* Of a configuration; copies what it needs. False: no memory. */
bool redirects_make(const struct config *c, struct arena *arena, struct redirects *ret_redirects);
/* A redirect that leads to itself, alone or by way of others; NULL: there is none. */
const struct redirect *redirects_loop(const struct redirects *r);

struct redirect_question {
    struct slice name;  /* decoded path */
    struct slice query; /* still encoded, without its `?` */
    bool has_query;
    bool https;
    struct slice host; /* the Host header's; "": none */
};
/* 0: nothing has moved. Otherwise the status, and the text of a Location line in `location`, whose room bounds it. */
unsigned redirect_find(const struct redirects *r, const struct redirect_question *q, struct buf *location);

#endif
