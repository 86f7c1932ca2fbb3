#include "proto/http_form.h"

enum state {
    STATE_PREAMBLE,
    STATE_DATA,
    STATE_AFTER, /* behind a delimiter */
    STATE_AFTER_DASH,
    STATE_AFTER_BLANK,
    STATE_AFTER_LF,
    STATE_HEAD,
    STATE_END,
    STATE_REFUSED
};

/* --- parameters --- */

struct slice http_media_type(struct slice value)
{
    return slice_trim(slice_first(value, slice_find(value, ';')));
}

/* Bytes of the quoted string that `s` begins with, both quotes included; 0: it has no end. */
static size_t quoted_length(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '"')
            return i + 1;
        if (s.ptr[i] == '\\')
            i++;
    }
    return 0;
}

/* `; name=value` off the front of *rest. */
static bool take_parameter(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    struct slice s = slice_trim(*rest);
    if (s.len == 0 || s.ptr[0] != ';')
        return false;
    s = slice_trim(slice_from(s, 1));
    size_t equals = slice_find(s, '=');
    struct slice value = slice_trim(slice_from(s, equals + 1));
    bool quoted = value.len && value.ptr[0] == '"';
    size_t len = quoted ? quoted_length(value) : slice_find(value, ';');
    if (equals == s.len || (quoted && len == 0))
        return false;
    *ret_name = slice_trim(slice_first(s, equals));
    *ret_value = quoted ? slice_of(value.ptr + 1, len - 2) : slice_trim(slice_first(value, len));
    *rest = slice_from(value, len);
    return true;
}

bool http_media_parameter(struct slice value, struct slice name, struct slice *ret_value)
{
    struct slice rest = slice_from(value, slice_find(value, ';')), key, found;
    while (take_parameter(&rest, &key, &found))
        if (slice_eq_nocase(key, name)) {
            *ret_value = found;
            return true;
        }
    return false;
}

/* RFC 2046 5.1.1: bchars, and no blank at the end. */
static bool boundary_ok(struct slice boundary)
{
    static const char marks[] = "'()+_,-./:=? ";
    for (size_t i = 0; i < boundary.len; i++)
        if (!byte_is_alpha(boundary.ptr[i]) && !byte_is_digit(boundary.ptr[i]) &&
            !memchr(marks, boundary.ptr[i], sizeof marks - 1))
            return false;
    return boundary.len && boundary.len <= HTTP_BOUNDARY_BYTES_MAX && boundary.ptr[boundary.len - 1] != ' ';
}

bool http_form_start(struct http_form *f, struct slice content_type)
{
    struct slice boundary;
    if (!http_media_parameter(content_type, SLICE("boundary"), &boundary) || !boundary_ok(boundary))
        return false;
    *f = (struct http_form){ .delimiter = "\r\n--", .delimiter_len = (uint8_t)(4 + boundary.len) };
    memcpy(f->delimiter + 4, boundary.ptr, boundary.len);
    f->matched = 2; /* the first delimiter needs no line before it */
    return true;
}

/* --- header lines of a part --- */

static enum http_form_answer refuse(struct http_form *f, const char *reason)
{
    f->reason = reason;
    f->state = STATE_REFUSED;
    return HTTP_FORM_REFUSED;
}

/* RFC 7578 4.7: nothing that would have to be decoded. */
static bool is_plain_encoding(struct slice value)
{
    static const struct slice plain[] = { { "binary", 6 }, { "8bit", 4 }, { "7bit", 4 } };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (slice_eq_nocase(value, plain[i]))
            return true;
    return false;
}

static bool read_line(struct http_form *f, struct slice line, bool *told)
{
    size_t colon = slice_find(line, ':');
    struct slice name = slice_first(line, colon), value = slice_trim(slice_from(line, colon + 1));
    if (colon == line.len || colon == 0 || slice_trim(name).len != name.len)
        return false;
    if (slice_eq_nocase(name, SLICE("content-transfer-encoding")))
        return is_plain_encoding(value);
    if (!slice_eq_nocase(name, SLICE("content-disposition")))
        return true;
    if (*told || !slice_eq_nocase(http_media_type(value), SLICE("form-data")))
        return false;
    *told = true;
    f->is_file = http_media_parameter(value, SLICE("filename"), &f->filename) && f->filename.len;
    return true;
}

static enum http_form_answer read_head(struct http_form *f)
{
    struct slice rest = slice_of(f->head, f->head_len), line;
    bool told = false;
    f->is_file = false;
    f->filename = SLICE_NONE;
    while (slice_cut(&rest, '\n', &line)) {
        line = slice_first(line, line.len - 1); /* its CR */
        if (line.len && !read_line(f, line, &told))
            return refuse(f, "bad header in the form");
    }
    if (!told)
        return refuse(f, "a part of the form has no name");
    f->state = STATE_DATA;
    return HTTP_FORM_PART;
}

static bool head_is_whole(const struct http_form *f)
{
    struct slice head = slice_of(f->head, f->head_len);
    return slice_eq(head, SLICE("\r\n")) || slice_ends(head, SLICE("\r\n\r\n"));
}

static enum http_form_answer take_head_byte(struct http_form *f, char c)
{
    bool after_cr = f->head_len && f->head[f->head_len - 1] == '\r';
    if ((c == '\n') != after_cr || (byte_is_control(c) && c != '\r' && c != '\n' && c != '\t'))
        return refuse(f, "control byte in the form");
    if (f->head_len == HTTP_FORM_HEAD_BYTES_MAX)
        return refuse(f, "header of the form too long");
    f->head[f->head_len++] = c;
    return head_is_whole(f) ? read_head(f) : HTTP_FORM_MORE;
}

/* --- delimiters --- */

/* Behind a delimiter: `--`, or blanks and the end of the line. */
static enum http_form_answer take_after(struct http_form *f, char c)
{
    bool blank = c == ' ' || c == '\t';
    if (f->state == STATE_AFTER && c == '-') {
        f->state = STATE_AFTER_DASH;
    } else if (f->state == STATE_AFTER_DASH && c == '-') {
        f->state = STATE_END;
        return HTTP_FORM_END;
    } else if ((f->state == STATE_AFTER || f->state == STATE_AFTER_BLANK) && (blank || c == '\r')) {
        f->state = blank ? STATE_AFTER_BLANK : STATE_AFTER_LF;
    } else if (f->state == STATE_AFTER_LF && c == '\n') {
        if (++f->parts > HTTP_FORM_PARTS_MAX)
            return refuse(f, "too many parts in the form");
        f->head_len = 0;
        f->state = STATE_HEAD;
    } else {
        return refuse(f, "bad delimiter in the form");
    }
    return HTTP_FORM_MORE;
}

/* The next piece that is no delimiter; empty: there is none in this input, or a delimiter is whole. A delimiter
 * begins with its only CR, so what was taken for one begins anew at the next CR and nowhere else. */
static struct slice scan(struct http_form *f, struct slice *input)
{
    while (input->len) {
        if (f->matched == 0 && input->ptr[0] != '\r') {
            struct slice data = slice_first(*input, slice_find(*input, '\r'));
            *input = slice_from(*input, data.len);
            return data;
        }
        if (input->ptr[0] != f->delimiter[f->matched]) {
            struct slice data = slice_of(f->delimiter, f->matched);
            f->matched = 0;
            return data;
        }
        *input = slice_from(*input, 1);
        if (++f->matched == f->delimiter_len) {
            f->matched = 0;
            f->state = STATE_AFTER;
            break;
        }
    }
    return SLICE_NONE;
}

static enum http_form_answer take_data(struct http_form *f, struct slice *input, struct slice *ret_data)
{
    bool preamble = f->state == STATE_PREAMBLE;
    struct slice data = scan(f, input);
    if (data.len == 0)
        return HTTP_FORM_MORE;
    if (!preamble) {
        *ret_data = data;
        return HTTP_FORM_DATA;
    }
    if (data.len > (size_t)HTTP_FORM_PREAMBLE_BYTES_MAX - f->preamble)
        return refuse(f, "no delimiter in the form");
    f->preamble = (uint16_t)(f->preamble + data.len);
    return HTTP_FORM_MORE;
}

static enum http_form_answer take_byte(struct http_form *f, struct slice *input)
{
    char c = input->ptr[0];
    *input = slice_from(*input, 1);
    return f->state == STATE_HEAD ? take_head_byte(f, c) : take_after(f, c);
}

enum http_form_answer http_form_next(struct http_form *f, struct slice *input, struct slice *ret_data)
{
    enum http_form_answer answer = HTTP_FORM_MORE;
    if (f->state == STATE_REFUSED)
        return HTTP_FORM_REFUSED;
    while (input->len && answer == HTTP_FORM_MORE && f->state != STATE_END) {
        if (f->state == STATE_PREAMBLE || f->state == STATE_DATA)
            answer = take_data(f, input, ret_data);
        else
            answer = take_byte(f, input);
    }
    if (f->state == STATE_END && answer == HTTP_FORM_MORE) {
        *input = slice_from(*input, input->len);
        return HTTP_FORM_MORE;
    }
    return answer;
}
