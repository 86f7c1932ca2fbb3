#include "proto/sip_inside.h"

/* Compact forms: RFC 3261 7.3.3, RFC 6665 8.4. */
static const struct {
    struct slice name;
    char compact;
} fields[SIP_FIELD_COUNT] = {
    [SIP_FIELD_ACCEPT] = { { "Accept", 6 }, 0 },
    [SIP_FIELD_ALLOW] = { { "Allow", 5 }, 0 },
    [SIP_FIELD_ALLOW_EVENTS] = { { "Allow-Events", 12 }, 'u' },
    [SIP_FIELD_AUTHORIZATION] = { { "Authorization", 13 }, 0 },
    [SIP_FIELD_CALL_ID] = { { "Call-ID", 7 }, 'i' },
    [SIP_FIELD_CONTACT] = { { "Contact", 7 }, 'm' },
    [SIP_FIELD_CONTENT_LENGTH] = { { "Content-Length", 14 }, 'l' },
    [SIP_FIELD_CONTENT_TYPE] = { { "Content-Type", 12 }, 'c' },
    [SIP_FIELD_CSEQ] = { { "CSeq", 4 }, 0 },
    [SIP_FIELD_DATE] = { { "Date", 4 }, 0 },
    [SIP_FIELD_EVENT] = { { "Event", 5 }, 'o' },
    [SIP_FIELD_EXPIRES] = { { "Expires", 7 }, 0 },
    [SIP_FIELD_FROM] = { { "From", 4 }, 'f' },
    [SIP_FIELD_MAX_FORWARDS] = { { "Max-Forwards", 12 }, 0 },
    [SIP_FIELD_MIN_EXPIRES] = { { "Min-Expires", 11 }, 0 },
    [SIP_FIELD_PROXY_AUTHENTICATE] = { { "Proxy-Authenticate", 18 }, 0 },
    [SIP_FIELD_PROXY_AUTHORIZATION] = { { "Proxy-Authorization", 19 }, 0 },
    [SIP_FIELD_RECORD_ROUTE] = { { "Record-Route", 12 }, 0 },
    [SIP_FIELD_RETRY_AFTER] = { { "Retry-After", 11 }, 0 },
    [SIP_FIELD_ROUTE] = { { "Route", 5 }, 0 },
    [SIP_FIELD_SERVER] = { { "Server", 6 }, 0 },
    [SIP_FIELD_SUBSCRIPTION_STATE] = { { "Subscription-State", 18 }, 0 },
    [SIP_FIELD_SUPPORTED] = { { "Supported", 9 }, 'k' },
    [SIP_FIELD_TO] = { { "To", 2 }, 't' },
    [SIP_FIELD_USER_AGENT] = { { "User-Agent", 10 }, 0 },
    [SIP_FIELD_VIA] = { { "Via", 3 }, 'v' },
    [SIP_FIELD_WWW_AUTHENTICATE] = { { "WWW-Authenticate", 16 }, 0 },
};

struct slice sip_field_name(enum sip_field field)
{
    return fields[field].name;
}

static enum sip_field field_of(struct slice name)
{
    for (int i = 0; i < SIP_FIELD_COUNT; i++) {
        bool compact = name.len == 1 && byte_lower(name.ptr[0]) == fields[i].compact;
        if (compact || slice_eq_nocase(name, fields[i].name))
            return (enum sip_field)i;
    }
    return SIP_FIELD_COUNT;
}

static struct slice skip_empty_lines(struct slice s)
{
    while (s.len && (s.ptr[0] == '\r' || s.ptr[0] == '\n'))
        s = slice_from(s, 1);
    return s;
}

/* The head's bytes up to and with its empty line; all of `s` when there is none. */
static size_t head_length(struct slice s, bool *ret_whole)
{
    struct slice rest = s, line;
    *ret_whole = true;
    while (slice_cut(&rest, '\n', &line)) {
        bool ended = line.ptr + line.len < s.ptr + s.len;
        if (ended && (line.len == 0 || slice_eq(line, SLICE("\r"))))
            return s.len - rest.len;
    }
    *ret_whole = false;
    return s.len;
}

/* A line that goes on with a blank on the next one becomes one line, in place (RFC 3261 7.3.1). */
static void unfold(char *head, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (head[i] != '\n' || (head[i + 1] != ' ' && head[i + 1] != '\t'))
            continue;
        head[i] = ' ';
        if (i > 0 && head[i - 1] == '\r')
            head[i - 1] = ' ';
    }
}

static bool line_is_clean(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (byte_is_control(line.ptr[i]) && line.ptr[i] != '\t')
            return false;
    return true;
}

static struct slice without_cr(struct slice line)
{
    return line.len && line.ptr[line.len - 1] == '\r' ? slice_first(line, line.len - 1) : line;
}

static size_t count_lines(struct slice head)
{
    size_t count = 0;
    for (size_t i = 0; i < head.len; i++)
        count += head.ptr[i] == '\n';
    return count + 1;
}

static const char *add_line(struct sip_message *m, struct slice line)
{
    size_t colon = slice_find(line, ':');
    struct slice name = slice_trim(slice_first(line, colon));
    if (colon == line.len || !name.len)
        return "a header line without a name";
    if (m->line_count == SIP_FIELDS_MAX)
        return "too many header lines";
    struct sip_line *l = &m->lines[m->line_count++];
    *l = (struct sip_line){ field_of(name), name, slice_trim(slice_from(line, colon + 1)) };
    if (l->field != SIP_FIELD_COUNT && !m->field[l->field].ptr)
        m->field[l->field] = l->value;
    return NULL;
}

/* `head`: unfolded. NULL, or what is wrong with it. */
static const char *read_lines(struct slice head, struct sip_message *m, struct slice *ret_start)
{
    struct slice line;
    const char *reason = NULL;
    bool first = true;
    while (!reason && slice_cut(&head, '\n', &line)) {
        line = without_cr(line);
        if (!line.len)
            break;
        if (!line_is_clean(line))
            return "a control byte in the head";
        if (first)
            *ret_start = line;
        else
            reason = add_line(m, line);
        first = false;
    }
    return first ? "no start line" : reason;
}

/* All of them must agree. False: they do not, or one is no number. */
static bool content_length(const struct sip_message *m, bool *ret_has, uint64_t *ret_len)
{
    uint64_t len = 0, other;
    bool has = false;
    for (size_t i = 0; i < m->line_count; i++) {
        if (m->lines[i].field != SIP_FIELD_CONTENT_LENGTH)
            continue;
        if (!slice_u64(m->lines[i].value, 0, UINT32_MAX, &other) || (has && other != len))
            return false;
        len = other;
        has = true;
    }
    *ret_has = has;
    *ret_len = len;
    return true;
}

static bool read_body(struct slice rest, struct sip_message *m)
{
    uint64_t len;
    bool has;
    if (!content_length(m, &has, &len))
        return false;
    m->cut = has && len > rest.len;
    m->body = has && !m->cut ? slice_first(rest, (size_t)len) : rest;
    return true;
}

bool sip_read(struct slice bytes, struct arena *arena, struct sip_message *ret_message, const char **ret_reason)
{
    struct sip_message m = { 0 };
    struct slice copy, start;
    bool whole;
    *ret_reason = "too long";
    bytes = skip_empty_lines(bytes);
    if (bytes.len > SIP_MESSAGE_BYTES_MAX)
        return false;
    size_t head = head_length(bytes, &whole), lines = count_lines(slice_first(bytes, head));
    *ret_reason = "out of memory";
    m.lines = ARENA_ARRAY(arena, struct sip_line, lines < SIP_FIELDS_MAX ? lines : SIP_FIELDS_MAX);
    if (!m.lines || !arena_copy(arena, bytes, &copy))
        return false;
    unfold((char *)copy.ptr, head);
    *ret_reason = read_lines(slice_first(copy, head), &m, &start);
    if (*ret_reason)
        return false;
    *ret_reason = "a bad Content-Length";
    if (!read_body(slice_from(copy, head), &m) || !sip_read_parts(start, arena, &m, ret_reason))
        return false;
    *ret_message = m;
    return true;
}

/* Of a head in a stream: what follows it. */
static bool body_of_head(struct slice head, uint64_t *ret_len)
{
    struct sip_line lines[SIP_FIELDS_MAX];
    struct sip_message m = { .lines = lines };
    struct slice line;
    bool has;
    slice_cut(&head, '\n', &line);
    while (slice_cut(&head, '\n', &line)) {
        line = without_cr(line);
        if (line.len &&
            field_of(slice_trim(slice_first(line, slice_find(line, ':')))) == SIP_FIELD_CONTENT_LENGTH &&
            add_line(&m, line))
            return false;
    }
    return content_length(&m, &has, ret_len);
}

enum sip_frame sip_frame(struct slice stream, size_t *ret_len)
{
    struct slice rest = skip_empty_lines(stream);
    uint64_t body;
    bool whole;
    if (rest.len < stream.len) {
        *ret_len = stream.len - rest.len;
        return SIP_FRAME_EMPTY;
    }
    size_t head = head_length(rest, &whole);
    if (!whole)
        return rest.len >= SIP_MESSAGE_BYTES_MAX ? SIP_FRAME_BAD : SIP_FRAME_MORE;
    if (!body_of_head(slice_first(rest, head), &body) || head + body > SIP_MESSAGE_BYTES_MAX)
        return SIP_FRAME_BAD;
    if (head + body > rest.len)
        return SIP_FRAME_MORE;
    *ret_len = head + (size_t)body;
    return SIP_FRAME_WHOLE;
}
