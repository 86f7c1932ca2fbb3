/* HTTP (proto/http_*.h): a request head, and each of its values once more as range and as date. */
#include "fuzz.h"

#include "proto/http_answer.h"
#include "proto/http_date.h"
#include "proto/http_request.h"

struct verdict {
    enum http_guard_answer answer;
    uint16_t at, status;
};

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static struct verdict guard_in_pieces(struct slice text, size_t step)
{
    struct http_guard g = { 0 };
    enum http_guard_answer answer = HTTP_GUARD_MORE;
    for (size_t have = 0; answer == HTTP_GUARD_MORE;) {
        have = have + step < text.len ? have + step : text.len;
        answer = http_guard(&g, slice_first(text, have));
        if (have == text.len)
            break;
    }
    MUST(g.at <= text.len && g.at <= HTTP_HEAD_BYTES_MAX);
    MUST((answer == HTTP_GUARD_REFUSED) == (g.status != 0) && (g.status == 0) == (g.reason == NULL));
    MUST(within(http_guard_target(&g, text), text));
    return (struct verdict){ answer, g.at, g.status };
}

static void check_ranges(struct slice value, uint64_t size)
{
    struct http_ranges ranges;
    char bytes[2048];
    struct buf out = BUF_ON(bytes);
    uint64_t sum = 0;
    if (http_range_parse(value, size, &ranges) != HTTP_RANGE_PARTS)
        return;
    MUST(ranges.count >= 1 && ranges.count <= HTTP_RANGES_MAX);
    for (size_t i = 0; i < ranges.count; i++) {
        MUST(ranges.range[i].from < ranges.range[i].end && ranges.range[i].end <= size);
        MUST(ranges.range[i].end - ranges.range[i].from <= size - sum);
        sum += ranges.range[i].end - ranges.range[i].from;
    }
    for (size_t i = 0; i <= ranges.count; i++)
        http_multipart_print(&ranges, i, SLICE("text/plain"), size, &out);
    MUST(buf_ok(&out));
    if (size < UINT64_MAX / 2)
        MUST(http_multipart_length(&ranges, SLICE("text/plain"), size) == out.len + sum);
}

static void check_date(struct slice value)
{
    char bytes[HTTP_DATE_BYTES];
    struct buf out = BUF_ON(bytes);
    int64_t at, again;
    if (!http_date_parse(value, 1795331144, &at))
        return;
    http_date_print(at, &out);
    MUST(out.len == HTTP_DATE_BYTES);
    MUST(http_date_parse(buf_slice(&out), 0, &again) && again == at);
}

static void check_request(struct slice head, struct http_guard *g)
{
    static const struct http_validator version = { 0xab, 784111777 };
    struct http_request r;
    const char *reason = NULL;
    struct slice path;
    int status = http_request_parse(g, head, &r, &reason);
    MUST(status == 0 || (status >= 400 && reason));
    MUST(within(r.target, head) && r.target.len);
    if (http_target_path(r.target, &path))
        MUST(path.len && path.ptr[0] == '/');
    if (status)
        return;
    MUST(r.method != HTTP_METHOD_UNKNOWN && !(r.chunked && r.content_length));
    for (int i = 0; i < HTTP_FIELD_COUNT; i++) {
        MUST(r.field[i].len == 0 || within(r.field[i], head));
        check_ranges(r.field[i], 1000);
        check_date(r.field[i]);
    }
    http_condition(&r, &version, 1795331144);
    http_range_applies(&r, &version, 1795331144);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct verdict whole = guard_in_pieces(text, size ? size : 1);
    for (size_t step = 1; step <= 17; step += 4) {
        struct verdict pieces = guard_in_pieces(text, step);
        MUST(pieces.answer == whole.answer && pieces.at == whole.at && pieces.status == whole.status);
    }
    struct http_guard g = { 0 };
    if (http_guard(&g, text) == HTTP_GUARD_WHOLE)
        check_request(slice_first(text, g.at), &g);
    static const uint64_t sizes[] = { 0, 1, 579, UINT64_C(1) << 63, UINT64_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_ranges(text, sizes[i]);
    check_date(text);
    return 0;
}
