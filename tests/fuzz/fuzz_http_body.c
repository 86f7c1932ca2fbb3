/* Bodies of requests (proto/http_body.h, proto/http_form.h): in chunks, and as a form within. The first byte says
 * how the rest is cut. */
#include "fuzz.h"

#include "proto/http_body.h"
#include "proto/http_form.h"

/* What a reading came to: everything that it handed out, folded into a number. */
struct came {
    uint64_t sum, bytes;
    size_t used;
    int answer;
};

static void fold(struct came *c, struct slice data)
{
    MUST(data.len > 0);
    for (size_t i = 0; i < data.len; i++)
        c->sum = c->sum * 1099511628211u ^ (unsigned char)data.ptr[i];
    c->bytes += data.len;
}

static struct came read_body(struct slice text, const struct http_request *request, size_t step)
{
    struct came c = { 0 };
    struct http_body b;
    http_body_start(&b, request);
    for (size_t at = 0; at <= text.len; at += step) {
        struct slice input = slice_first(slice_from(text, at), step), data;
        size_t len = input.len;
        while ((c.answer = (int)http_body_next(&b, &input, &data)) == HTTP_BODY_DATA)
            fold(&c, data);
        c.used += len - input.len;
        if (c.answer != HTTP_BODY_MORE)
            break;
        MUST(input.len == 0);
    }
    MUST((c.answer == HTTP_BODY_REFUSED) == (b.reason != NULL));
    MUST(b.extensions <= HTTP_CHUNK_EXTENSION_BYTES_MAX + 1 && b.trailers <= HTTP_TRAILER_BYTES_MAX + 1);
    MUST(c.bytes <= c.used && c.used <= text.len);
    return c;
}

static struct came read_form(struct slice text, size_t step)
{
    struct came c = { 0 };
    struct http_form f;
    MUST(http_form_start(&f, SLICE("multipart/form-data; boundary=\"b\"")));
    for (size_t at = 0; at <= text.len; at += step) {
        struct slice input = slice_first(slice_from(text, at), step), data;
        while ((c.answer = (int)http_form_next(&f, &input, &data)) != HTTP_FORM_MORE) {
            if (c.answer == HTTP_FORM_REFUSED) {
                MUST(f.reason);
                return c;
            }
            if (c.answer == HTTP_FORM_DATA)
                fold(&c, data);
            if (c.answer == HTTP_FORM_PART)
                c.sum += f.is_file ? f.filename.len : 1u << 20;
            MUST(f.filename.len <= f.head_len && f.parts <= HTTP_FORM_PARTS_MAX);
        }
        MUST(input.len == 0);
    }
    return c;
}

static void same(struct came a, struct came b)
{
    MUST(a.sum == b.sum && a.bytes == b.bytes && a.used == b.used && a.answer == b.answer);
}

static void check_media(struct slice text)
{
    struct slice value;
    struct http_form f;
    http_media_type(text);
    if (http_media_parameter(text, SLICE("boundary"), &value))
        MUST(value.len < text.len);
    if (http_form_start(&f, text))
        MUST(f.delimiter_len > 4 && f.delimiter_len <= sizeof f.delimiter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    size_t step = size ? data[0] % 61u + 1 : 1;
    text = slice_from(text, 1);
    const struct http_request chunked = { .chunked = true }, counted = { .content_length = size / 2 };
    same(read_body(text, &chunked, text.len + 1), read_body(text, &chunked, step));
    same(read_body(text, &chunked, text.len + 1), read_body(text, &chunked, 1));
    same(read_body(text, &counted, text.len + 1), read_body(text, &counted, step));
    same(read_form(text, text.len + 1), read_form(text, step));
    same(read_form(text, text.len + 1), read_form(text, 1));
    check_media(text);
    return 0;
}
