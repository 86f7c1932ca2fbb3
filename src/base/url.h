/* URLs as provisioning uses them (RFC 3986): taken apart, resolved against a base, made printable.
 *
 * Deviation from RFC 3986: a path may hold blanks, brackets, `$` and any byte but controls, as the guide's
 * own `HTTP Directory/sip.cfg` and ROM names do (facts.md 6.2). */
#ifndef DIALTONE_BASE_URL_H
#define DIALTONE_BASE_URL_H

#include "base/arena.h"
#include "base/buf.h"

/* A URL longer than this is refused (the guide's parameters allow 511 characters). */
#define URL_BYTES_MAX 2048

/* All parts borrow from the text that was parsed. */
struct url {
    struct slice scheme;   /* as written; "" when the text has none */
    struct slice user;     /* still percent-encoded */
    struct slice password; /* still percent-encoded */
    bool has_user, has_password;
    struct slice host; /* without the brackets of an IPv6 address */
    uint16_t port;     /* 0: none given */
    struct slice path; /* with its leading slash when there is one; still percent-encoded */
    struct slice query;
    bool has_query;
};

/* False for a text that no fetch could use: empty, too long, control bytes, a bad port, no host. */
bool url_parse(struct slice text, struct url *ret_url);
/* True when `text` starts with `scheme://`. */
bool url_is_absolute(struct slice text);
/* `reference` seen from `base`, dot segments removed (RFC 3986 5.2; `..` at the root stays at the root).
 * The base's user and password go along to the same host only. False: not a URL, too long, or out of
 * memory. */
bool url_resolve(struct slice base, struct slice reference, struct arena *arena, struct slice *ret_text);
/* The directory that `text` stands in: up to and with the last slash of the path, no query. */
bool url_directory(struct slice text, struct arena *arena, struct slice *ret_text);
/* The last path segment, still encoded; empty for a directory. */
struct slice url_last_segment(const struct url *url);
/* Same host, whatever scheme and port: the four protocols serve one tree. */
bool url_same_host(const struct url *a, const struct url *b);

/* Puts `%XX` back into bytes, once. False for a bad escape, a NUL or another control byte (security.md R1). */
bool url_decode(struct slice text, struct buf *out);
/* The text fit for a request line: blanks, quotes, brackets, controls and non-ASCII bytes become %XX;
 * what is escaped already stays. */
void url_encode(struct slice text, struct buf *out);
/* The text for logs and reports: user and password left out (security.md R27). */
void url_print_public(struct slice text, struct buf *out);

#endif
