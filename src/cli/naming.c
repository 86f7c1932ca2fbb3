#include "cli/naming.h"

bool naming_path(const struct naming *n, struct slice url, struct buf *out)
{
    struct url server, target;
    if (!url_parse(n->server, &server) || !url_parse(url, &target) || !target.scheme.len ||
        !url_same_host(&server, &target))
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
    if (n->relative && naming_path(n, url, out))
        return;
    out->len = start;
    url_print_public(url, out);
}
