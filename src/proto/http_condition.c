#include "proto/http_condition.h"

#include "proto/http_date.h"

void http_etag_print(uint64_t etag, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    char text[HTTP_ETAG_BYTES];
    text[0] = text[HTTP_ETAG_BYTES - 1] = '"';
    for (size_t i = HTTP_ETAG_BYTES - 2; i >= 1; i--, etag >>= 4)
        text[i] = digits[etag & 15];
    buf_bytes(out, text, sizeof text);
}

/* Takes one entity-tag off the front of *list. Its opaque part is compared as a whole, so no text inside the
 * quotes has to be understood. */
static bool take_etag(struct slice *list, bool *ret_weak, struct slice *ret_tag)
{
    bool weak = slice_starts(*list, SLICE("W/"));
    struct slice s = slice_from(*list, weak ? 2 : 0);
    if (s.len == 0 || s.ptr[0] != '"')
        return false;
    size_t end = slice_find(slice_from(s, 1), '"');
    if (end + 2 > s.len)
        return false;
    *ret_weak = weak;
    *ret_tag = slice_first(s, end + 2);
    *list = slice_from(s, end + 2);
    return true;
}

/* One value of If-Match or If-None-Match. Strong comparison takes no weak tag (RFC 9110 8.8.3.2). */
static bool list_names(struct slice list, struct slice own, bool strong)
{
    struct slice tag;
    bool weak;
    if (slice_eq(list, SLICE("*")))
        return true;
    while (list.len) {
        if (list.ptr[0] == ' ' || list.ptr[0] == '\t' || list.ptr[0] == ',')
            list = slice_from(list, 1);
        else if (!take_etag(&list, &weak, &tag))
            return false;
        else if (slice_eq(tag, own) && !(weak && strong))
            return true;
    }
    return false;
}

static bool field_names(const struct http_request *r, enum http_field field, uint64_t etag, bool strong)
{
    char bytes[HTTP_ETAG_BYTES];
    struct buf own = BUF_ON(bytes);
    struct slice list;
    size_t at = 0;
    http_etag_print(etag, &own);
    while (http_request_next(r, field, &at, &list))
        if (list_names(list, buf_slice(&own), strong))
            return true;
    return false;
}

static bool field_date(const struct http_request *r, enum http_field field, int64_t now, int64_t *ret_date)
{
    return http_request_has(r, field) && !(r->repeated & 1u << field) &&
           http_date_parse(r->field[field], now, ret_date);
}

enum http_condition http_condition(const struct http_request *r, const struct http_validator *v, int64_t now)
{
    int64_t date;
    if (http_request_has(r, HTTP_FIELD_IF_MATCH)) {
        if (!field_names(r, HTTP_FIELD_IF_MATCH, v->etag, true))
            return HTTP_CONDITION_FAILED;
    } else if (field_date(r, HTTP_FIELD_IF_UNMODIFIED_SINCE, now, &date) && v->modified > date) {
        return HTTP_CONDITION_FAILED;
    }
    if (http_request_has(r, HTTP_FIELD_IF_NONE_MATCH))
        return field_names(r, HTTP_FIELD_IF_NONE_MATCH, v->etag, false) ? HTTP_CONDITION_NOT_MODIFIED
                                                                        : HTTP_CONDITION_HOLDS;
    if (field_date(r, HTTP_FIELD_IF_MODIFIED_SINCE, now, &date) && v->modified <= date)
        return HTTP_CONDITION_NOT_MODIFIED;
    return HTTP_CONDITION_HOLDS;
}

bool http_condition_write(const struct http_request *r, const struct http_validator *v, int64_t now)
{
    int64_t date;
    if (http_request_has(r, HTTP_FIELD_IF_MATCH)) {
        if (!v || !field_names(r, HTTP_FIELD_IF_MATCH, v->etag, true))
            return false;
    } else if (v && field_date(r, HTTP_FIELD_IF_UNMODIFIED_SINCE, now, &date) && v->modified > date) {
        return false;
    }
    return !v || !field_names(r, HTTP_FIELD_IF_NONE_MATCH, v->etag, false);
}

bool http_range_applies(const struct http_request *r, const struct http_validator *v, int64_t now)
{
    unsigned twice = 1u << HTTP_FIELD_RANGE | 1u << HTTP_FIELD_IF_RANGE;
    struct slice if_range = r->field[HTTP_FIELD_IF_RANGE];
    int64_t date;
    if (r->method != HTTP_METHOD_GET || !http_request_has(r, HTTP_FIELD_RANGE) || (r->repeated & twice))
        return false;
    if (!if_range.ptr)
        return true;
    if (if_range.len && if_range.ptr[0] == '"')
        return field_names(r, HTTP_FIELD_IF_RANGE, v->etag, true);
    /* A date is a strong validator only when the file cannot have changed again within that second
     * (RFC 9110 8.8.2.2). */
    return http_date_parse(if_range, now, &date) && date == v->modified && now > v->modified;
}
