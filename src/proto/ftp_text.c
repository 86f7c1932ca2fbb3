#include "proto/ftp.h"

#include "base/civil.h"

#define DAY_S 86400
/* The last second of the year 9999. */
#define TIME_MAX_S INT64_C(253402300799)
#define HALF_A_YEAR_S ((int64_t)182 * DAY_S)

/* --- paths --- */

static void climb(struct buf *out)
{
    out->len = slice_find_last(buf_slice(out), '/');
}

bool ftp_path_resolve(struct slice directory, struct slice argument, struct buf *out)
{
    struct slice rest = argument, segment;
    for (size_t i = 0; i < argument.len; i++)
        if (byte_is_control(argument.ptr[i]))
            return false;
    if (!slice_starts(argument, SLICE("/")) && directory.len > 1)
        buf_text(out, directory);
    while (slice_cut(&rest, '/', &segment)) {
        if (slice_eq(segment, SLICE("..")) && out->len == 0)
            return false;
        if (slice_eq(segment, SLICE(".."))) {
            climb(out);
        } else if (segment.len && !slice_eq(segment, SLICE("."))) {
            buf_byte(out, '/');
            buf_text(out, segment);
        }
        if (!buf_ok(out))
            return false;
    }
    if (out->len == 0)
        buf_byte(out, '/');
    return buf_ok(out) && out->len <= FTP_PATH_BYTES_MAX;
}

struct slice ftp_list_argument(struct slice argument)
{
    struct slice rest = slice_trim(argument);
    while (slice_starts(rest, SLICE("-"))) {
        struct slice word;
        slice_cut(&rest, ' ', &word);
        rest = slice_trim(rest);
    }
    return rest;
}

bool ftp_is_pattern(struct slice name)
{
    size_t slash = slice_find_last(name, '/');
    struct slice last = slash == name.len ? name : slice_from(name, slash + 1);
    return slice_find(last, '*') < last.len || slice_find(last, '?') < last.len;
}

/* Where a star could take one byte more is all that has to be remembered, and only of the last star. */
bool ftp_pattern_matches(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, after_star = 0, taken = 0;
    bool star = false;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = true;
            after_star = ++p;
            taken = n;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == name.ptr[n])) {
            p++;
            n++;
        } else if (star) {
            p = after_star;
            n = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* --- replies --- */

void ftp_put_reply(struct buf *out, unsigned code, const char *text)
{
    buf_format(out, "%u %s\r\n", code, text);
}

void ftp_put_path(struct buf *out, unsigned code, struct slice path, const char *text)
{
    buf_format(out, "%u \"", code);
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '"')
            buf_byte(out, '"');
        buf_byte(out, path.ptr[i]);
    }
    buf_format(out, "\" %s\r\n", text);
}

void ftp_put_passive(struct buf *out, const uint8_t host[4], uint16_t port)
{
    buf_format(out, "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u).\r\n", host[0], host[1], host[2], host[3],
               port >> 8, port & 0xffu);
}

void ftp_put_extended_passive(struct buf *out, uint16_t port)
{
    buf_format(out, "229 Entering Extended Passive Mode (|||%u|)\r\n", port);
}

/* --- listings --- */

static struct civil civil_of(int64_t seconds)
{
    struct civil c;
    int64_t at = seconds < 0 ? 0 : seconds > TIME_MAX_S ? TIME_MAX_S : seconds;
    int64_t rest = at % DAY_S;
    civil_of_days(at / DAY_S, &c);
    c.hour = (unsigned)(rest / 3600);
    c.minute = (unsigned)(rest / 60 % 60);
    c.second = (unsigned)(rest % 60);
    return c;
}

void ftp_put_time(struct buf *out, int64_t seconds)
{
    struct civil c = civil_of(seconds);
    buf_format(out, "%04u%02u%02u%02u%02u%02u", (unsigned)c.year, c.month, c.day, c.hour, c.minute, c.second);
}

static const char *long_mode(const struct ftp_entry *e)
{
    if (e->is_directory)
        return e->changes || e->takes_new ? "drwxr-xr-x" : "dr-xr-xr-x";
    return e->changes ? "-rw-r--r--" : "-r--r--r--";
}

/* RFC 3659 7.5.5. */
static const char *permissions(const struct ftp_entry *e)
{
    if (e->is_directory)
        return e->changes ? "cdeflmp" : e->takes_new ? "celm" : "el";
    return e->changes ? "adfrw" : "r";
}

void ftp_put_long_line(struct buf *out, const struct ftp_entry *entry, int64_t now_s)
{
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct civil c = civil_of(entry->mtime_s);
    buf_format(out, "%s   1 ftp      ftp      %12llu %s %2u ",
               long_mode(entry), (unsigned long long)entry->size,
               months[c.month - 1], c.day);
    if (entry->mtime_s > now_s - HALF_A_YEAR_S && entry->mtime_s < now_s + DAY_S)
        buf_format(out, "%02u:%02u ", c.hour, c.minute);
    else
        buf_format(out, "%5u ", (unsigned)c.year);
    buf_text(out, entry->name);
}

void ftp_put_facts_line(struct buf *out, const struct ftp_entry *entry, unsigned facts)
{
    if (facts & FTP_FACT_TYPE)
        buf_format(out, "type=%s;", entry->is_directory ? "dir" : "file");
    if (facts & FTP_FACT_SIZE && !entry->is_directory)
        buf_format(out, "size=%llu;", (unsigned long long)entry->size);
    if (facts & FTP_FACT_MODIFY) {
        buf_str(out, "modify=");
        ftp_put_time(out, entry->mtime_s);
        buf_byte(out, ';');
    }
    if (facts & FTP_FACT_PERM)
        buf_format(out, "perm=%s;", permissions(entry));
    buf_byte(out, ' ');
    buf_text(out, entry->name);
}

/* --- TYPE A --- */

size_t ftp_ascii_encode(struct ftp_ascii *state, struct slice in, struct buf *out)
{
    size_t used = 0;
    for (; used < in.len; used++) {
        char c = in.ptr[used];
        bool expand = c == '\n' && !state->after_cr;
        if (out->len + (expand ? 2 : 1) > out->cap)
            break;
        if (expand)
            buf_byte(out, '\r');
        buf_byte(out, c);
        state->after_cr = c == '\r';
    }
    return used;
}

void ftp_ascii_decode(struct ftp_ascii *state, struct slice in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (state->after_cr && c != '\n')
            buf_byte(out, '\r');
        state->after_cr = c == '\r';
        if (c != '\r')
            buf_byte(out, c);
    }
}

void ftp_ascii_decode_end(struct ftp_ascii *state, struct buf *out)
{
    if (state->after_cr)
        buf_byte(out, '\r');
    state->after_cr = false;
}
