#include "cli/naming.h"

static bool in_scope(const struct naming *n, const struct url *url)
{
    struct url server;
    if (n->scope == NAMING_URLS || !url->scheme.len || !url_parse(n->server, &server) ||
        !url_same_host(&server, url))
        return false;
    return n->scope == NAMING_HOST || (slice_eq_nocase(server.scheme, url->scheme) && server.port == url->port);
}

bool naming_path(const struct naming *n, struct slice url, struct buf *out)
{
    struct url target;
    if (!url_parse(url, &target) || !in_scope(n, &target))
        return false;
    struct slice path = target.path;
    while (path.len && path.ptr[0] == '/')
        path = slice_from(path, 1);
    if (path.len == 0)
        path = SLICE(".");
    return url_decode(path, out);
}

void naming_print(const struct naming *n, struct slice url, struct buf *out)
{
    size_t start = out->len;
    if (naming_path(n, url, out))
        return;
    out->len = start;
    url_print_public(url, out);
}
