#include "server/redirect.h"

#include "base/rootdir.h"
#include "base/url.h"

static struct slice bare(struct slice path)
{
    while (path.len && path.ptr[0] == '/')
        path = slice_from(path, 1);
    while (path.len && path.ptr[path.len - 1] == '/')
        path = slice_first(path, path.len - 1);
    return path;
}

/* Whole segments of it. */
static bool covers(struct slice prefix, struct slice name)
{
    return prefix.len == 0 ||
           (slice_starts(name, prefix) && (name.len == prefix.len || name.ptr[prefix.len] == '/'));
}

/* --- from the configuration --- */

static bool is_path(struct slice to)
{
    return to.len && to.ptr[0] == '/';
}

static bool path_ok(struct slice path)
{
    struct slice name = bare(path);
    bool one_slash = path.len < 2 || path.ptr[1] != '/';
    return one_slash && slice_find(path, '?') == path.len && slice_find(path, '#') == path.len &&
           (name.len == 0 || rootdir_name_ok(name));
}

bool redirect_target_ok(struct slice to)
{
    struct url url;
    if (is_path(to))
        return path_ok(to);
    return url_parse(to, &url) &&
           (slice_eq_nocase(url.scheme, SLICE("http")) || slice_eq_nocase(url.scheme, SLICE("https"))) &&
           url.host.len && !url.has_user && !url.has_query && path_ok(url.path);
}

static uint16_t default_port(bool https)
{
    return https ? 443 : 80;
}

static bool make_one(const struct config_redirect *from, size_t number, struct arena *arena, struct redirect *r)
{
    struct url url = { 0 };
    uint64_t status = 302;
    *r = (struct redirect){ .number = number };
    slice_u64(from->status, 301, 308, &status);
    r->status = (unsigned)status;
    if (!arena_copy(arena, bare(from->from), &r->from) || !arena_copy(arena, from->to, &r->to))
        return false;
    while (r->to.len && r->to.ptr[r->to.len - 1] == '/')
        r->to = slice_first(r->to, r->to.len - 1);
    r->path = bare(r->to);
    if (is_path(from->to) || !url_parse(r->to, &url))
        return true;
    r->path = bare(url.path);
    r->host = url.host;
    r->https = slice_eq_nocase(url.scheme, SLICE("https"));
    r->port = url.port ? url.port : default_port(r->https);
    return true;
}

bool redirects_make(const struct config *c, struct arena *arena, struct redirects *ret_redirects)
{
    struct redirect *list = ARENA_ARRAY(arena, struct redirect, CONFIG_RULES_MAX);
    struct redirects r = { list, 0 };
    if (!list)
        return false;
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++)
        if (c->redirects[n].used && !make_one(&c->redirects[n], n + 1, arena, &list[r.count++]))
            return false;
    *ret_redirects = r;
    return true;
}

/* --- finding --- */

static const struct redirect *longest(const struct redirects *r, struct slice name)
{
    const struct redirect *found = NULL;
    for (size_t i = 0; i < r->count; i++)
        if (covers(r->list[i].from, name) && (!found || r->list[i].from.len > found->from.len))
            found = &r->list[i];
    return found;
}

/* Where the names of one redirect go, once: the path alone. False: too long, which only a loop becomes. */
static bool follow(const struct redirect *r, struct buf *name)
{
    char bytes[ROOTDIR_PATH_MAX];
    struct buf next = BUF_ON(bytes);
    struct slice rest = bare(slice_from(buf_slice(name), r->from.len));
    buf_text(&next, r->path);
    if (rest.len && next.len)
        buf_byte(&next, '/');
    buf_text(&next, rest);
    name->len = 0;
    buf_text(name, buf_slice(&next));
    return buf_ok(&next) && buf_ok(name);
}

/* Each step is by a redirect; more steps than there are redirects come to one of them again. */
static bool comes_back(const struct redirects *r, const struct redirect *from, const char *behind)
{
    char bytes[ROOTDIR_PATH_MAX];
    struct buf name = BUF_ON(bytes);
    buf_text(&name, from->from);
    buf_str(&name, name.len || !behind[0] ? behind : behind + 1);
    for (size_t steps = 0; steps <= r->count; steps++) {
        const struct redirect *next = longest(r, buf_slice(&name));
        if (!next || next->host.len)
            return false;
        if (!follow(next, &name))
            return true;
    }
    return true;
}

const struct redirect *redirects_loop(const struct redirects *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (comes_back(r, &r->list[i], "") || comes_back(r, &r->list[i], "/x"))
            return &r->list[i];
    return NULL;
}

static bool is_host(const struct redirect *r, const struct redirect_question *q)
{
    char bytes[URL_BYTES_MAX];
    struct buf text = BUF_ON(bytes);
    struct url url;
    if (q->host.len == 0)
        return true; /* HTTP/1.0 may say none: better served than led around */
    buf_str(&text, "http://");
    buf_text(&text, q->host);
    if (!buf_ok(&text) || !url_parse(buf_slice(&text), &url))
        return false;
    return slice_eq_nocase(url.host, r->host) && (url.port ? url.port : default_port(q->https)) == r->port;
}

static bool is_there_already(const struct redirect *r, const struct redirect_question *q, struct slice name)
{
    return r->host.len && r->https == q->https && covers(r->from, r->path) && covers(r->path, name) && is_host(r, q);
}

/* Decoded text as part of a path: what would end it is escaped too. */
static void put_path(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' || c == '?' || c == '#')
            buf_format(out, "%%%02X", (unsigned char)c);
        else
            url_encode(slice_of(&c, 1), out);
    }
}

unsigned redirect_find(const struct redirects *r, const struct redirect_question *q, struct buf *location)
{
    struct slice name = rootdir_name(q->name), rest;
    bool slash = name.len && name.ptr[name.len - 1] == '/';
    name = slice_first(name, name.len - slash);
    const struct redirect *found = name.len == 0 || rootdir_name_ok(name) ? longest(r, name) : NULL;
    if (!found || is_there_already(found, q, name))
        return 0;
    rest = bare(slice_from(name, found->from.len));
    url_encode(found->to, location);
    if (rest.len || slash || found->path.len == 0)
        buf_byte(location, '/');
    put_path(rest, location);
    if (rest.len && slash)
        buf_byte(location, '/');
    if (q->has_query) {
        buf_byte(location, '?');
        url_encode(q->query, location);
    }
    return found->status;
}
