/* URLs (base/url.h): the first line is a base, the rest a reference; each also stands alone. */
#include "fuzz.h"

#include "base/url.h"

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_parts(struct slice text, const struct url *url)
{
    MUST(text.len <= URL_BYTES_MAX);
    MUST(within(url->scheme, text) && within(url->user, text) && within(url->password, text));
    MUST(within(url->host, text) && within(url->path, text) && within(url->query, text));
    MUST(url_is_absolute(text) == (url->scheme.len > 0));
    MUST((url->host.len > 0) == (url->scheme.len > 0));
    MUST(url->has_user || !url->has_password);
    MUST(slice_find(url->path, '?') == url->path.len);
    MUST(slice_find(url_last_segment(url), '/') == url_last_segment(url).len);
}

static void check_public(struct slice text)
{
    static char bytes[2 * URL_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    struct url url;
    url_print_public(text, &out);
    MUST(buf_ok(&out));
    MUST(url_parse(buf_slice(&out), &url) && !url.has_user);
}

static void check_alone(struct slice text, struct arena *arena)
{
    struct slice directory;
    struct url url, parent;
    if (!url_parse(text, &url))
        return;
    check_parts(text, &url);
    check_public(text);
    if (!url_directory(text, arena, &directory))
        return;
    MUST(slice_ends(directory, SLICE("/")));
    MUST(url_parse(directory, &parent) && !parent.has_query && url_same_host(&url, &parent));
}

static void check_path(struct slice path)
{
    struct slice segment;
    MUST(slice_starts(path, SLICE("/")));
    path = slice_from(path, 1);
    while (slice_cut(&path, '/', &segment)) {
        MUST(segment.len);
        MUST(!slice_eq(segment, SLICE(".")) && !slice_eq(segment, SLICE("..")));
    }
}

static void check_resolved(struct slice base, struct slice reference, struct arena *arena)
{
    struct slice text, again;
    struct url from, to, result;
    if (!url_resolve(base, reference, arena, &text))
        return;
    MUST(url_parse(base, &from) && url_parse(reference, &to) && url_parse(text, &result));
    const struct url *target = to.scheme.len ? &to : &from;
    check_path(result.path);
    MUST(url_same_host(&result, target));
    MUST(slice_eq(result.scheme, target->scheme) && result.port == target->port);
    MUST(!result.has_user || target->has_user || (from.has_user && url_same_host(&from, &to)));
    MUST(slice_eq(result.query, to.query) && result.has_query == to.has_query);
    MUST(url_resolve(text, text, arena, &again) && slice_eq(text, again));
}

static bool has_controls(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]))
            return true;
    return false;
}

static void check_decoded(struct slice text, struct arena *arena)
{
    size_t cap = text.len + 1, wide = 3 * text.len + 1;
    struct buf plain = buf_on(ARENA_ARRAY(arena, char, cap), cap);
    struct buf coded = buf_on(ARENA_ARRAY(arena, char, wide), wide);
    struct buf again = buf_on(ARENA_ARRAY(arena, char, cap), cap);
    MUST(plain.ptr && coded.ptr && again.ptr);
    if (!url_decode(text, &plain))
        return;
    struct slice decoded = buf_slice(&plain);
    MUST(decoded.len <= text.len && !has_controls(decoded));
    url_encode(decoded, &coded);
    MUST(buf_ok(&coded) && slice_find(buf_slice(&coded), ' ') == coded.len);
    if (slice_find(decoded, '%') < decoded.len)
        return;
    MUST(url_decode(buf_slice(&coded), &again) && slice_eq(buf_slice(&again), decoded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice reference = slice_of(data, size), base = SLICE_NONE;
    struct arena arena;
    arena_init(&arena, (size_t)16 << 20);
    slice_cut(&reference, '\n', &base);
    check_alone(base, &arena);
    check_alone(reference, &arena);
    check_resolved(base, reference, &arena);
    check_decoded(base, &arena);
    check_decoded(reference, &arena);
    arena_free(&arena);
    return 0;
}
