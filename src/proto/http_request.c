#include "proto/http_request.h"

#include "base/url.h"

#include <llhttp.h>

/* By length, which is what tells most of them apart. */
static const struct slice field_names[HTTP_FIELD_COUNT] = {
    [HTTP_FIELD_HOST] = { "host", 4 },
    [HTTP_FIELD_RANGE] = { "range", 5 },
    [HTTP_FIELD_EXPECT] = { "expect", 6 },
    [HTTP_FIELD_IF_MATCH] = { "if-match", 8 },
    [HTTP_FIELD_IF_RANGE] = { "if-range", 8 },
    [HTTP_FIELD_CONNECTION] = { "connection", 10 },
    [HTTP_FIELD_USER_AGENT] = { "user-agent", 10 },
    [HTTP_FIELD_CONTENT_TYPE] = { "content-type", 12 },
    [HTTP_FIELD_AUTHORIZATION] = { "authorization", 13 },
    [HTTP_FIELD_CONTENT_RANGE] = { "content-range", 13 },
    [HTTP_FIELD_IF_NONE_MATCH] = { "if-none-match", 13 },
    [HTTP_FIELD_CONTENT_LENGTH] = { "content-length", 14 },
    [HTTP_FIELD_CONTENT_ENCODING] = { "content-encoding", 16 },
    [HTTP_FIELD_IF_MODIFIED_SINCE] = { "if-modified-since", 17 },
    [HTTP_FIELD_TRANSFER_ENCODING] = { "transfer-encoding", 17 },
    [HTTP_FIELD_IF_UNMODIFIED_SINCE] = { "if-unmodified-since", 19 },
};

/* The first of each length. */
static const uint8_t first_field[] = {
    [4] = HTTP_FIELD_HOST,           [5] = HTTP_FIELD_RANGE,          [6] = HTTP_FIELD_EXPECT,
    [8] = HTTP_FIELD_IF_MATCH,       [10] = HTTP_FIELD_CONNECTION,    [12] = HTTP_FIELD_CONTENT_TYPE,
    [13] = HTTP_FIELD_AUTHORIZATION, [14] = HTTP_FIELD_CONTENT_LENGTH, [16] = HTTP_FIELD_CONTENT_ENCODING,
    [17] = HTTP_FIELD_IF_MODIFIED_SINCE, [19] = HTTP_FIELD_IF_UNMODIFIED_SINCE,
};

static const struct {
    struct slice name;
    enum http_method method;
} methods[] = {
    { { "GET", 3 }, HTTP_METHOD_GET },       { { "HEAD", 4 }, HTTP_METHOD_HEAD },
    { { "PUT", 3 }, HTTP_METHOD_PUT },       { { "POST", 4 }, HTTP_METHOD_POST },
    { { "DELETE", 6 }, HTTP_METHOD_DELETE }, { { "OPTIONS", 7 }, HTTP_METHOD_OPTIONS },
    { { "PATCH", 5 }, HTTP_METHOD_OTHER },   { { "TRACE", 5 }, HTTP_METHOD_OTHER },
    { { "CONNECT", 7 }, HTTP_METHOD_OTHER },
};

static enum http_method method_of(struct slice name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (slice_eq(name, methods[i].name))
            return methods[i].method;
    return HTTP_METHOD_UNKNOWN;
}

/* What llhttp's callbacks gather. */
struct reading {
    struct http_request *request;
    struct slice name, value;
};

/* A span may come in several calls; within one buffer its pieces touch. */
static void extend(struct slice *span, const char *at, size_t len)
{
    *span = span->ptr && span->ptr + span->len == at ? slice_of(span->ptr, span->len + len) : slice_of(at, len);
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct reading *r = parser->data;
    extend(&r->request->target, at, len);
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t len)
{
    struct reading *r = parser->data;
    extend(&r->name, at, len);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct reading *r = parser->data;
    extend(&r->value, at, len);
    return 0;
}

/* `name` is a token, as the guard has seen: no byte of one but a capital becomes a letter or a dash by the bit that
 * makes it small. */
static bool is_field(struct slice name, struct slice lower)
{
    for (size_t i = 0; i < lower.len; i++)
        if ((name.ptr[i] | 0x20) != lower.ptr[i])
            return false;
    return true;
}

static int on_value_complete(llhttp_t *parser)
{
    struct reading *r = parser->data;
    size_t len = r->name.len, i = len < sizeof first_field ? first_field[len] : HTTP_FIELD_COUNT;
    for (; i < HTTP_FIELD_COUNT && field_names[i].len == len; i++) {
        struct slice *field = &r->request->field[i];
        if (!is_field(r->name, field_names[i]))
            continue;
        if (field->ptr)
            r->request->repeated |= 1u << i;
        else
            *field = r->value.ptr ? slice_trim(r->value) : SLICE("");
        break;
    }
    r->name = r->value = SLICE_NONE;
    return 0;
}

/* Later is too late: llhttp forgets the flags once the message is complete. */
static int on_head_complete(llhttp_t *parser)
{
    struct reading *r = parser->data;
    r->request->keep_alive = llhttp_should_keep_alive(parser);
    return 0;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_head_complete,
};

static bool run_parser(struct slice head, struct http_request *request)
{
    struct reading reading = { .request = request };
    llhttp_t parser;
    request->target = SLICE_NONE;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &reading;
    llhttp_errno_t error = llhttp_execute(&parser, head.ptr, head.len);
    request->http_1_0 = parser.http_minor == 0;
    /* PAUSED_UPGRADE: CONNECT, or a client that offers another protocol, which nobody has to take. */
    return error == HPE_OK || error == HPE_PAUSED_UPGRADE;
}

/* RFC 9112 3.2: exactly one, and nothing in it that another reader could take for a path or a second name. */
static bool host_ok(const struct http_request *r)
{
    static const char allowed[] = "-._~%!$&'()*+;=:[]";
    struct slice host = r->field[HTTP_FIELD_HOST];
    if (!host.ptr)
        return r->http_1_0;
    for (size_t i = 0; i < host.len; i++)
        if (!byte_is_alpha(host.ptr[i]) && !byte_is_digit(host.ptr[i]) &&
            !memchr(allowed, host.ptr[i], sizeof allowed - 1))
            return false;
    return !(r->repeated & 1u << HTTP_FIELD_HOST);
}

/* RFC 9112 6: one way to tell how long the body is, or none at all. */
static int check_framing(struct http_request *r, const char **ret_reason)
{
    struct slice length = r->field[HTTP_FIELD_CONTENT_LENGTH], coding = r->field[HTTP_FIELD_TRANSFER_ENCODING];
    unsigned twice = 1u << HTTP_FIELD_CONTENT_LENGTH | 1u << HTTP_FIELD_TRANSFER_ENCODING;
    if ((length.ptr && coding.ptr) || (r->repeated & twice)) {
        *ret_reason = "body length told twice";
        return 400;
    }
    if (length.ptr && !slice_u64(length, 0, INT64_MAX, &r->content_length)) {
        *ret_reason = "bad Content-Length";
        return 400;
    }
    r->has_length = length.ptr != NULL;
    if (!coding.ptr)
        return 0;
    r->chunked = !r->http_1_0 && slice_eq_nocase(coding, SLICE("chunked"));
    *ret_reason = "transfer coding not served";
    if (r->chunked)
        return 0;
    return r->http_1_0 || !slice_ends_nocase(coding, SLICE("chunked")) ? 400 : 501;
}

static int check_expect(struct http_request *r, const char **ret_reason)
{
    struct slice expect = r->field[HTTP_FIELD_EXPECT];
    if (!expect.ptr || r->http_1_0)
        return 0; /* RFC 9110 10.1.1: 1.0 knows no Expect */
    r->expect_continue = slice_eq_nocase(expect, SLICE("100-continue"));
    *ret_reason = "expectation not met";
    return r->expect_continue ? 0 : 417;
}

/* The guard lets one pass before the request line. */
static struct slice without_empty_line(struct slice head)
{
    return slice_from(head, head.len && head.ptr[0] == '\r' ? 2 : 0);
}

struct slice http_guard_target(const struct http_guard *g, struct slice head)
{
    return slice_first(slice_from(without_empty_line(head), (size_t)g->method_len + 1), g->target_len);
}

int http_request_parse(const struct http_guard *g, struct slice head, struct http_request *ret_request,
                       const char **ret_reason)
{
    struct slice target = http_guard_target(g, head);
    head = without_empty_line(head);
    *ret_request = (struct http_request){ .head = head, .method = method_of(slice_first(head, g->method_len)) };
    ret_request->method_text = slice_first(head, g->method_len);
    ret_request->target = target;
    if (ret_request->method == HTTP_METHOD_UNKNOWN) {
        *ret_reason = "unknown method";
        return 501;
    }
    bool parsed = run_parser(head, ret_request);
    bool agree = slice_eq(ret_request->target, target);
    ret_request->target = target;
    if (!parsed || !agree) {
        *ret_reason = "malformed request";
        return 400;
    }
    if (!host_ok(ret_request)) {
        *ret_reason = "no valid Host";
        return 400;
    }
    int status = check_framing(ret_request, ret_reason);
    return status ? status : check_expect(ret_request, ret_reason);
}

bool http_request_next(const struct http_request *r, enum http_field field, size_t *at, struct slice *ret_value)
{
    struct slice rest = slice_from(r->head, *at), line;
    while (slice_cut(&rest, '\n', &line)) {
        size_t colon = slice_find(line, ':');
        *at = r->head.len - rest.len;
        if (colon < line.len && slice_eq_nocase(slice_first(line, colon), field_names[field])) {
            *ret_value = slice_trim(slice_from(line, colon + 1));
            return true;
        }
    }
    return false;
}

bool http_target_path(struct slice target, struct slice *ret_path)
{
    struct url url;
    if (slice_find(target, '#') < target.len)
        return false;
    if (target.len && target.ptr[0] == '/') {
        *ret_path = slice_first(target, slice_find(target, '?'));
        return true;
    }
    bool http = slice_starts_nocase(target, SLICE("http://")) || slice_starts_nocase(target, SLICE("https://"));
    if (!http || !url_parse(target, &url) || url.has_user)
        return false;
    *ret_path = url.path.len ? url.path : SLICE("/");
    return true;
}
