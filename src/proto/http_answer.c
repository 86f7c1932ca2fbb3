#include "proto/http_answer.h"

#include "proto/http_date.h"

static const struct {
    unsigned status;
    const char *words;
} statuses[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

const char *http_status_words(unsigned status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].words;
    return "Unknown";
}

static const struct {
    struct slice end, type;
} types[] = {
    { { ".cfg", 4 }, { "text/plain", 10 } },
    { { ".boot", 5 }, { "text/plain", 10 } },
    { { ".txt", 4 }, { "text/plain", 10 } },
    { { ".log", 4 }, { "text/plain", 10 } },
    { { ".lang", 5 }, { "text/plain", 10 } },
    { { ".xml", 4 }, { "text/xml", 8 } },
    { { ".wav", 4 }, { "audio/wav", 9 } },
    { { ".png", 4 }, { "image/png", 9 } },
    { { ".jpg", 4 }, { "image/jpeg", 10 } },
    { { ".jpeg", 5 }, { "image/jpeg", 10 } },
    { { ".bmp", 4 }, { "image/bmp", 9 } },
    { { ".gif", 4 }, { "image/gif", 9 } },
    { { ".pem", 4 }, { "application/x-pem-file", 22 } },
};

struct slice http_content_type(struct slice name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_ends_nocase(name, types[i].end))
            return types[i].type;
    return SLICE("application/octet-stream"); /* .rom, .bin, .zip, .dob ... */
}

static void put_validator(const struct http_answer *a, struct buf *out)
{
    buf_text(out, SLICE("Last-Modified: "));
    if (a->modified.len)
        buf_text(out, a->modified);
    else
        http_date_print(a->validator->modified, out);
    buf_text(out, SLICE("\r\nETag: "));
    http_etag_print(a->validator->etag, out);
    buf_text(out, SLICE("\r\n"));
}

static void put_line(const char *name, struct slice value, struct buf *out)
{
    if (value.len == 0)
        return;
    buf_str(out, name);
    buf_text(out, value);
    buf_text(out, SLICE("\r\n"));
}

static void put_content(const struct http_answer *a, struct buf *out)
{
    put_line("Content-Type: ", a->content_type, out);
    if (a->status != 304 && a->status != 204) {
        buf_text(out, SLICE("Content-Length: "));
        buf_number(out, a->content_length);
        buf_text(out, SLICE("\r\n"));
    }
    if (a->range) {
        buf_text(out, SLICE("Content-Range: "));
        http_range_print(a->range, a->file_size, out);
        buf_text(out, SLICE("\r\n"));
    } else if (a->status == 416) {
        buf_text(out, SLICE("Content-Range: bytes */"));
        buf_number(out, a->file_size);
        buf_text(out, SLICE("\r\n"));
    }
}

void http_answer_print(const struct http_answer *a, struct buf *out)
{
    if (a->status == 200) {
        buf_text(out, SLICE("HTTP/1.1 200 OK\r\nServer: dialtone\r\nAccept-Ranges: bytes\r\n"));
    } else {
        buf_text(out, SLICE("HTTP/1.1 "));
        buf_number(out, a->status);
        buf_byte(out, ' ');
        buf_str(out, http_status_words(a->status));
        buf_text(out, SLICE("\r\nServer: dialtone\r\n"));
    }
    buf_text(out, a->date);
    put_content(a, out);
    if (a->validator)
        put_validator(a, out);
    put_line("Allow: ", a->allow, out);
    put_line("Location: ", a->location, out);
    buf_text(out, a->challenges);
    if (a->retry_after_s) {
        buf_text(out, SLICE("Retry-After: "));
        buf_number(out, a->retry_after_s);
        buf_text(out, SLICE("\r\n"));
    }
    if (a->close)
        buf_text(out, SLICE("Connection: close\r\n"));
    else if (a->http_1_0)
        buf_text(out, SLICE("Connection: keep-alive\r\n"));
    buf_text(out, SLICE("\r\n"));
}

#define SEPARATOR "dialtone-part-9e1d57b0c4a8f362"

struct slice http_multipart_type(void)
{
    return SLICE("multipart/byteranges; boundary=" SEPARATOR);
}

void http_multipart_print(const struct http_ranges *ranges, size_t index, struct slice content_type,
                          uint64_t file_size, struct buf *out)
{
    buf_text(out, SLICE("\r\n--" SEPARATOR));
    if (index == ranges->count) {
        buf_text(out, SLICE("--\r\n"));
        return;
    }
    buf_text(out, SLICE("\r\nContent-Type: "));
    buf_text(out, content_type);
    buf_text(out, SLICE("\r\nContent-Range: "));
    http_range_print(&ranges->range[index], file_size, out);
    buf_text(out, SLICE("\r\n\r\n"));
}

uint64_t http_multipart_length(const struct http_ranges *ranges, struct slice content_type, uint64_t file_size)
{
    char bytes[256];
    uint64_t length = 0; /* cannot overflow: the parts together are no longer than the file */
    for (size_t i = 0; i <= ranges->count; i++) {
        struct buf text = BUF_ON(bytes);
        http_multipart_print(ranges, i, content_type, file_size, &text);
        length += text.len;
        if (i < ranges->count)
            length += ranges->range[i].end - ranges->range[i].from;
    }
    return length;
}
