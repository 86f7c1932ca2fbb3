#include "proto/http_range.h"

enum spec { SPEC_BAD, SPEC_OUTSIDE, SPEC_INSIDE };

/* `from-`, `from-last` or `-suffix`. */
static enum spec parse_spec(struct slice text, uint64_t size, struct http_range *r)
{
    uint64_t first, last = UINT64_MAX;
    size_t dash = slice_find(text, '-');
    if (dash == text.len)
        return SPEC_BAD;
    struct slice left = slice_first(text, dash), right = slice_from(text, dash + 1);
    if (right.len && !slice_u64(right, 0, UINT64_MAX, &last))
        return SPEC_BAD;
    if (left.len == 0) {
        if (right.len == 0)
            return SPEC_BAD;
        *r = (struct http_range){ last < size ? size - last : 0, size };
        return last && size ? SPEC_INSIDE : SPEC_OUTSIDE;
    }
    if (!slice_u64(left, 0, UINT64_MAX, &first) || first > last)
        return SPEC_BAD;
    if (first >= size)
        return SPEC_OUTSIDE;
    /* last + 1 cannot overflow: it is taken only when last is below size. */
    *r = (struct http_range){ first, last < size ? last + 1 : size };
    return SPEC_INSIDE;
}

enum http_range_answer http_range_parse(struct slice value, uint64_t size, struct http_ranges *ret_ranges)
{
    struct http_ranges ranges = { .count = 0 };
    struct slice item;
    uint64_t left = size; /* what the ranges may still take */
    size_t seen = 0;
    if (!slice_starts_nocase(value, SLICE("bytes=")))
        return HTTP_RANGE_WHOLE;
    value = slice_from(value, 6);
    while (slice_cut(&value, ',', &item)) {
        struct http_range r = { 0 };
        item = slice_trim(item);
        if (item.len == 0)
            continue; /* RFC 9110 5.6.1.2: empty list elements count for nothing */
        if (++seen > HTTP_RANGES_MAX)
            return HTTP_RANGE_WHOLE;
        enum spec spec = parse_spec(item, size, &r);
        if (spec == SPEC_BAD || (spec == SPEC_INSIDE && r.end - r.from > left))
            return HTTP_RANGE_WHOLE;
        if (spec == SPEC_OUTSIDE)
            continue;
        left -= r.end - r.from;
        ranges.range[ranges.count++] = r;
    }
    if (seen == 0)
        return HTTP_RANGE_WHOLE;
    if (ranges.count == 0)
        return HTTP_RANGE_NONE;
    *ret_ranges = ranges;
    return HTTP_RANGE_PARTS;
}

void http_range_print(const struct http_range *range, uint64_t size, struct buf *out)
{
    buf_str(out, "bytes ");
    buf_number(out, range->from);
    buf_byte(out, '-');
    buf_number(out, range->end - 1);
    buf_byte(out, '/');
    buf_number(out, size);
}
