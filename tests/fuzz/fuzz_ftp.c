/* Bytes of a control connection, in pieces of a length that the first byte tells: lines, commands, their
 * arguments, paths. */
#include "proto/ftp.h"
#include "tests/fuzz/fuzz.h"

static bool within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_path(struct slice argument)
{
    char bytes[2 * FTP_PATH_BYTES_MAX], again_bytes[2 * FTP_PATH_BYTES_MAX];
    struct buf path = BUF_ON(bytes), again = BUF_ON(again_bytes);
    if (!ftp_path_resolve(SLICE("/a/b"), argument, &path))
        return;
    struct slice rest = buf_slice(&path), segment;
    MUST(path.len >= 1 && path.len <= FTP_PATH_BYTES_MAX && bytes[0] == '/');
    MUST(path.len == 1 || bytes[path.len - 1] != '/');
    rest = slice_from(rest, 1);
    while (slice_cut(&rest, '/', &segment))
        MUST(segment.len && !slice_eq(segment, SLICE(".")) && !slice_eq(segment, SLICE("..")));
    MUST(ftp_path_resolve(SLICE("/"), buf_slice(&path), &again) &&
         slice_eq(buf_slice(&path), buf_slice(&again)));
    char reply[FTP_REPLY_BYTES_MAX];
    struct buf out = BUF_ON(reply);
    ftp_put_path(&out, 257, buf_slice(&path), "is where you are now.");
    MUST(buf_ok(&out));
}

static void check_arguments(struct slice a)
{
    struct ftp_endpoint endpoint;
    struct ftp_epsv epsv;
    uint8_t host[4];
    uint16_t port;
    uint64_t offset;
    unsigned facts = 0;
    bool known, binary;
    ftp_parse_port(a, host, &port);
    if (ftp_parse_eprt(a, &endpoint))
        MUST(within(endpoint.host, a) && endpoint.host.len && endpoint.port && endpoint.family);
    ftp_parse_epsv(a, &epsv);
    if (ftp_parse_rest(a, &offset))
        MUST(offset <= FTP_OFFSET_MAX);
    ftp_parse_options(a, &facts);
    MUST((facts & ~FTP_FACTS_ALL) == 0);
    ftp_parse_type(a, &known, &binary);
    MUST(within(ftp_list_argument(a), a));
    MUST(ftp_pattern_matches(SLICE("*"), a));
    MUST(ftp_is_pattern(a) || ftp_pattern_matches(a, a) || slice_find(a, '/') < a.len);
    check_path(a);
}

static void check_line(struct slice line)
{
    struct ftp_command c;
    MUST(slice_find(line, '\n') == line.len);
    enum ftp_fault fault = ftp_parse(line, &c);
    if (fault == FTP_EMPTY || fault == FTP_UNKNOWN)
        return;
    MUST(c.verb < FTP_VERBS && within(c.argument, line));
    check_arguments(c.argument);
}

static void check_ascii(struct slice text)
{
    struct ftp_ascii state = { 0 };
    char block[7];
    size_t at = 0;
    while (at < text.len) {
        struct buf out = BUF_ON(block);
        size_t used = ftp_ascii_encode(&state, slice_from(text, at), &out);
        MUST(used && buf_ok(&out) && out.len >= used);
        at += used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ftp_reader r = { 0 };
    struct slice line, rest = slice_from(slice_of(data, size), 1);
    size_t step = size ? data[0] + 1u : 1;
    while (rest.len) {
        size_t room;
        char *into = ftp_reader_room(&r, &room);
        MUST(room > 0 && room <= FTP_LINE_BYTES_MAX);
        struct slice piece = slice_first(slice_first(rest, step), room);
        memcpy(into, piece.ptr, piece.len);
        ftp_reader_add(&r, piece.len);
        rest = slice_from(rest, piece.len);
        enum ftp_line found;
        while ((found = ftp_reader_look(&r, &line)) != FTP_LINE_MORE) {
            if (found == FTP_LINE_WHOLE)
                check_line(line);
            ftp_reader_take(&r);
        }
    }
    check_ascii(slice_of(data, size));
    return 0;
}
