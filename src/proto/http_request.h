/* An HTTP/1 request head: bytes to struct (RFC 9112).
 *
 * Two readers, one verdict. A guard looks at every byte first and refuses what llhttp 8.1 (Debian 12) lets
 * through or what no honest client sends: lines that end in a bare LF, a CR without LF (CVE-2023-30589), a
 * blank before the colon, folded lines, control bytes. It also finds the end of the head, so llhttp sees a head
 * once and whole, and no state of it outlives the call. What the guard says depends on the bytes up to where it
 * stands and on nothing else: cutting a head into pieces never changes the verdict.
 *
 * Every refusal is final: answer its status and close (security.md R20), never look for a second request. */
#ifndef DIALTONE_PROTO_HTTP_REQUEST_H
#define DIALTONE_PROTO_HTTP_REQUEST_H

#include "base/slice.h"

/* Request line and header lines together; past it 431, or 414 while still in the target. A phone sends some
 * 170 bytes (facts.md 5.2). */
#define HTTP_HEAD_BYTES_MAX 8192
/* Longer targets: 414. The guide's parameters allow 511 characters; some room for a proxy's absolute form. */
#define HTTP_TARGET_BYTES_MAX 2048
/* Longer methods: 501. */
#define HTTP_METHOD_BYTES_MAX 32
/* More header lines: 431. */
#define HTTP_FIELDS_MAX 100

enum http_guard_answer { HTTP_GUARD_MORE, HTTP_GUARD_WHOLE, HTTP_GUARD_REFUSED };

/* Where the guard stands in one head; all zero before its first byte. */
struct http_guard {
    uint16_t at;         /* bytes looked at; the length of the head once whole */
    uint16_t target_len; /* bytes */
    uint16_t status;     /* of a refusal: 400, 414, 431, 501, 505 */
    uint8_t state;
    uint8_t method_len; /* bytes */
    uint8_t fields;     /* header lines so far */
    uint8_t version_at; /* bytes of `HTTP/1.1` seen */
    char major, minor;  /* digits */
    const char *reason; /* of a refusal; static */
};

/* `head` are the bytes from the head's first on, those of earlier calls included (they are not looked at
 * again). */
enum http_guard_answer http_guard(struct http_guard *g, struct slice head);

/* The target as far as the guard has seen it, for the journal of a head that is refused or never whole. */
struct slice http_guard_target(const struct http_guard *g, struct slice head);

/* RFC 9110 5.6.2: may stand in a method or a header's name. */
bool http_is_token(char c);

enum http_method {
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_PUT,
    HTTP_METHOD_POST,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_OTHER,  /* RFC 9110 names it, nobody here serves it: 405 */
    HTTP_METHOD_UNKNOWN /* 501 */
};

static inline bool http_method_writes(enum http_method m)
{
    return m == HTTP_METHOD_PUT || m == HTTP_METHOD_POST || m == HTTP_METHOD_DELETE;
}

enum http_field {
    HTTP_FIELD_HOST,
    HTTP_FIELD_RANGE,
    HTTP_FIELD_EXPECT,
    HTTP_FIELD_IF_MATCH,
    HTTP_FIELD_IF_RANGE,
    HTTP_FIELD_CONNECTION,
    HTTP_FIELD_USER_AGENT,
    HTTP_FIELD_CONTENT_TYPE,
    HTTP_FIELD_AUTHORIZATION,
    HTTP_FIELD_CONTENT_RANGE,
    HTTP_FIELD_IF_NONE_MATCH,
    HTTP_FIELD_CONTENT_LENGTH,
    HTTP_FIELD_CONTENT_ENCODING,
    HTTP_FIELD_IF_MODIFIED_SINCE,
    HTTP_FIELD_TRANSFER_ENCODING,
    HTTP_FIELD_IF_UNMODIFIED_SINCE,
    HTTP_FIELD_COUNT
};

/* Borrows from the bytes of the head. */
struct http_request {
    enum http_method method;
    struct slice method_text; /* as sent: Digest needs it */
    struct slice target;
    bool http_1_0;
    bool keep_alive; /* RFC 9112 9.3 */
    struct slice head;
    struct slice field[HTTP_FIELD_COUNT]; /* the first of its name, trimmed; ptr NULL: not there */
    uint32_t repeated;                    /* bit `1 << field`: there is more than one */
    bool has_length;                      /* there is a Content-Length */
    bool chunked;                         /* a body in chunks follows */
    uint64_t content_length;              /* bytes of body that follow otherwise */
    bool expect_continue;
};

/* 0 and *ret_request, or the status of a refusal with *ret_reason (static text): 400, 417, 501. `head` is what
 * http_guard() found whole. Method, target and the header lines are set in *ret_request even then, for the
 * journal. */
int http_request_parse(const struct http_guard *g, struct slice head, struct http_request *ret_request,
                       const char **ret_reason);

static inline bool http_request_has(const struct http_request *r, enum http_field field)
{
    return r->field[field].ptr != NULL;
}
/* Every value of a field that may come on several lines: start with *at = 0. Reads `head` and nothing else,
 * which may be part of a head. */
bool http_request_next(const struct http_request *r, enum http_field field, size_t *at,
                       struct slice *ret_value);

/* The path of a target, still percent-encoded, without its query: `/a/b` of origin form `/a/b?c` and of
 * absolute form `http://host/a/b?c` (RFC 9112 3.2.2: a server must take it, for proxies' sake). False for `*`,
 * for `host:port`, for a user in the authority and for a fragment. */
bool http_target_path(struct slice target, struct slice *ret_path);

#endif
