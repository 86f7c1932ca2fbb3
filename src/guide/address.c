#include "guide/address.h"

#include "base/url.h"

static size_t match_wildcard(struct slice at, const struct wildcards *w, struct buf *out)
{
    static const struct {
        struct slice name;
        enum { PN, MAC, PIN } what;
    } table[] = { { { "$PN", 3 }, PN },   { { "$pn", 3 }, PN },   { { "$MAC", 4 }, MAC },
                  { { "$mac", 4 }, MAC }, { { "$PIN", 4 }, PIN }, { { "$pin", 4 }, PIN } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!slice_starts(at, table[i].name))
            continue;
        if (table[i].what == PIN && w->pin.len == 0)
            return 0;
        if (table[i].what == MAC)
            mac_print_bare(w->mac, out);
        else
            buf_text(out, table[i].what == PN ? w->pn : w->pin);
        return table[i].name.len;
    }
    return 0;
}

bool address_expand(struct slice text, const struct wildcards *w, struct arena *arena, struct slice *ret_text)
{
    char bytes[URL_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    for (size_t i = 0; i < text.len;) {
        size_t len = text.ptr[i] == '$' ? match_wildcard(slice_from(text, i), w, &out) : 0;
        if (len == 0)
            buf_byte(&out, text.ptr[i++]);
        i += len;
    }
    return buf_ok(&out) && arena_copy(arena, buf_slice(&out), ret_text);
}

bool address_wants_pin(struct slice text)
{
    return slice_find_text(text, SLICE("$pin")) < text.len || slice_find_text(text, SLICE("$PIN")) < text.len;
}

static bool known_scheme(struct slice scheme)
{
    static const char *const known[] = { "tftp", "ftp", "http", "https" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_eq_nocase(scheme, slice_str(known[i])))
            return true;
    return false;
}

enum address_kind address_read(struct slice text, struct slice type, struct arena *arena, struct slice *ret_url)
{
    struct slice whole = slice_trim(text);
    struct url url;
    if (whole.len && !url_is_absolute(whole) &&
        !arena_format(arena, &whole, "%.*s://%.*s", SLICE_ARG(type), SLICE_ARG(whole)))
        return ADDRESS_BAD;
    if (!url_parse(whole, &url) || !known_scheme(url.scheme))
        return ADDRESS_BAD;
    struct slice last = url_last_segment(&url);
    bool file = url.has_query || slice_ends_nocase(last, SLICE(".boot")) || slice_ends_nocase(last, SLICE(".cfg"));
    const char *slash = file || (last.len == 0 && url.path.len) ? "" : "/";
    if (!arena_format(arena, ret_url, "%.*s%s", SLICE_ARG(whole), slash))
        return ADDRESS_BAD;
    return file ? ADDRESS_FILE : ADDRESS_DIRECTORY;
}
