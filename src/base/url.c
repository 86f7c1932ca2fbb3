#include "base/url.h"

static bool scheme_length(struct slice text, size_t *ret_len)
{
    size_t len = slice_find_text(text, SLICE("://"));
    if (len == text.len || len == 0 || !byte_is_alpha(text.ptr[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        char c = text.ptr[i];
        if (!byte_is_alpha(c) && !byte_is_digit(c) && c != '+' && c != '-' && c != '.')
            return false;
    }
    *ret_len = len;
    return true;
}

bool url_is_absolute(struct slice text)
{
    size_t len;
    return scheme_length(text, &len);
}

static bool has_controls(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]))
            return true;
    return false;
}

static void split_userinfo(struct slice *authority, struct url *url)
{
    size_t at = slice_find_last(*authority, '@');
    if (at == authority->len)
        return;
    struct slice userinfo = slice_first(*authority, at);
    *authority = slice_from(*authority, at + 1);
    size_t colon = slice_find(userinfo, ':');
    url->has_user = true;
    url->has_password = colon < userinfo.len;
    url->user = slice_first(userinfo, colon);
    url->password = slice_from(userinfo, colon + 1);
}

static bool split_host(struct slice authority, struct url *url)
{
    struct slice port = SLICE_NONE;
    bool bracketed = authority.len && authority.ptr[0] == '[';
    size_t end = bracketed ? slice_find(authority, ']') : slice_find(authority, ':');
    if (bracketed && end == authority.len)
        return false;
    url->host = bracketed ? slice_from(slice_first(authority, end), 1) : slice_first(authority, end);
    /* Brackets are put back only around a host with a colon, so only such a host may have come in them. */
    if (bracketed && slice_find(url->host, ':') == url->host.len)
        return false;
    port = slice_from(authority, bracketed ? end + 1 : end);
    if (port.len > 1) {
        uint64_t number;
        if (port.ptr[0] != ':' || !slice_u64(slice_from(port, 1), 1, 65535, &number))
            return false;
        url->port = (uint16_t)number;
    } else if (port.len && port.ptr[0] != ':') {
        return false;
    }
    return url->host.len > 0;
}

bool url_parse(struct slice text, struct url *ret_url)
{
    struct url url = { 0 };
    size_t len;
    if (text.len == 0 || text.len > URL_BYTES_MAX || has_controls(text))
        return false;
    if (scheme_length(text, &len)) {
        url.scheme = slice_first(text, len);
        text = slice_from(text, len + 3);
        size_t end = slice_find(text, '/');
        size_t question = slice_find(text, '?');
        struct slice authority = slice_first(text, end < question ? end : question);
        text = slice_from(text, authority.len);
        split_userinfo(&authority, &url);
        if (!split_host(authority, &url))
            return false;
    }
    size_t question = slice_find(text, '?');
    url.path = slice_first(text, question);
    url.has_query = question < text.len;
    url.query = slice_from(text, question + 1);
    *ret_url = url;
    return true;
}

struct slice url_last_segment(const struct url *url)
{
    size_t slash = slice_find_last(url->path, '/');
    return slash == url->path.len ? url->path : slice_from(url->path, slash + 1);
}

bool url_same_host(const struct url *a, const struct url *b)
{
    return slice_eq_nocase(a->host, b->host);
}

/* Writes `path` (without its leading slash) with its `.`, `..` and empty segments taken out, always
 * starting with a slash; a path that ended in a slash or a dot segment still ends in a slash. */
static void put_clean_path(struct buf *out, struct slice path)
{
    size_t root = out->len;
    bool directory = path.len == 0 || path.ptr[path.len - 1] == '/';
    struct slice segment;
    while (slice_cut(&path, '/', &segment)) {
        bool up = slice_eq(segment, SLICE(".."));
        bool dots = up || slice_eq(segment, SLICE("."));
        if (up) {
            struct slice written = slice_from(buf_slice(out), root);
            size_t slash = slice_find_last(written, '/');
            out->len = root + (slash == written.len ? 0 : slash);
        } else if (!dots && segment.len) {
            buf_byte(out, '/');
            buf_text(out, segment);
        }
        directory = directory || (dots && path.len == 0);
    }
    if (directory)
        buf_byte(out, '/');
}

static void put_authority(struct buf *out, const struct url *url, const struct url *credentials)
{
    buf_text(out, url->scheme);
    buf_str(out, "://");
    if (credentials->has_user) {
        buf_text(out, credentials->user);
        if (credentials->has_password)
            buf_byte(out, ':');
        buf_text(out, credentials->password);
        buf_byte(out, '@');
    }
    bool v6 = slice_find(url->host, ':') < url->host.len;
    buf_str(out, v6 ? "[" : "");
    buf_text(out, url->host);
    buf_str(out, v6 ? "]" : "");
    if (url->port)
        buf_format(out, ":%u", url->port);
}

static bool keep(struct buf *out, struct arena *arena, struct slice *ret_text)
{
    return buf_ok(out) && out->len <= URL_BYTES_MAX && arena_copy(arena, buf_slice(out), ret_text);
}

static void put_query(struct buf *out, const struct url *url)
{
    if (url->has_query) {
        buf_byte(out, '?');
        buf_text(out, url->query);
    }
}

bool url_resolve(struct slice base, struct slice reference, struct arena *arena, struct slice *ret_text)
{
    char text[2 * URL_BYTES_MAX], merged[2 * URL_BYTES_MAX];
    struct buf out = BUF_ON(text), path = BUF_ON(merged);
    struct url from, to;
    if (!url_parse(base, &from) || !url_parse(reference, &to))
        return false;
    if (to.scheme.len) {
        bool lend = !to.has_user && from.scheme.len && url_same_host(&from, &to);
        put_authority(&out, &to, lend ? &from : &to);
        put_clean_path(&out, slice_from(to.path, to.path.len && to.path.ptr[0] == '/'));
    } else {
        if (to.path.len == 0 || to.path.ptr[0] != '/')
            buf_text(&path, slice_first(from.path, from.path.len - url_last_segment(&from).len));
        buf_text(&path, to.path);
        if (from.scheme.len)
            put_authority(&out, &from, &from);
        struct slice all = buf_slice(&path);
        put_clean_path(&out, slice_from(all, all.len && all.ptr[0] == '/'));
    }
    put_query(&out, &to);
    return buf_ok(&path) && keep(&out, arena, ret_text);
}

bool url_directory(struct slice text, struct arena *arena, struct slice *ret_text)
{
    char bytes[URL_BYTES_MAX + 8];
    struct buf out = BUF_ON(bytes);
    struct url url;
    if (!url_parse(text, &url))
        return false;
    if (url.scheme.len)
        put_authority(&out, &url, &url);
    buf_text(&out, slice_first(url.path, url.path.len - url_last_segment(&url).len));
    if (out.len == 0 || out.ptr[out.len - 1] != '/')
        buf_byte(&out, '/');
    return keep(&out, arena, ret_text);
}

/* Bytes from `at` on that stand for themselves. */
static size_t plain_length(struct slice text, size_t at)
{
    size_t from = at;
    while (at < text.len && text.ptr[at] != '%' && !byte_is_control(text.ptr[at]))
        at++;
    return at - from;
}

bool url_decode(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i += 3) {
        size_t plain = plain_length(text, i);
        buf_bytes(out, text.ptr + i, plain);
        i += plain;
        if (i == text.len)
            break;
        bool whole = text.ptr[i] == '%' && text.len - i > 2;
        int high = whole ? byte_hex(text.ptr[i + 1]) : -1;
        int low = whole ? byte_hex(text.ptr[i + 2]) : -1;
        if (high < 0 || low < 0 || byte_is_control((char)(high << 4 | low)))
            return false;
        buf_byte(out, (char)(high << 4 | low));
    }
    return buf_ok(out);
}

static bool stays_as_is(char c)
{
    static const char plain[] = "-._~!$&'()*+,;=:@/?%";
    return byte_is_alpha(c) || byte_is_digit(c) || (c && strchr(plain, c));
}

void url_encode(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (stays_as_is(text.ptr[i]))
            buf_byte(out, text.ptr[i]);
        else
            buf_format(out, "%%%02X", (unsigned char)text.ptr[i]);
    }
}

void url_print_public(struct slice text, struct buf *out)
{
    struct url url;
    if (!url_parse(text, &url) || !url.has_user) {
        buf_text(out, text);
        return;
    }
    struct url nobody = { 0 };
    put_authority(out, &url, &nobody);
    buf_text(out, url.path);
    put_query(out, &url);
}
