#include "proto/ftp.h"

/* Telnet (RFC 854). */
#define IAC 255
#define TELNET_WILL 251
#define TELNET_DONT 254
#define TELNET_COMMAND_FIRST 236

enum telnet { TELNET_DATA, TELNET_AFTER_IAC, TELNET_OPTION };

char *ftp_reader_room(struct ftp_reader *r, size_t *ret_len)
{
    if (r->at) {
        memmove(r->bytes, r->bytes + r->at, (size_t)(r->len - r->at));
        r->len = (uint16_t)(r->len - r->at);
        r->at = 0;
        memset(r->bytes + r->len, 0, sizeof r->bytes - r->len);
    }
    /* Full and no end in sight. */
    if (r->len == sizeof r->bytes && slice_find(slice_of(r->bytes, r->len), '\n') == r->len) {
        r->skipping = true;
        r->len = 0;
    }
    *ret_len = sizeof r->bytes - r->len;
    return r->bytes + r->len;
}

/* True when `c` is data. A command that is none leaves its byte: a kernel that took the urgent byte out of the
 * stream leaves an IAC alone before the text. */
static bool is_data(struct ftp_reader *r, unsigned char c)
{
    enum telnet state = (enum telnet)r->telnet;
    r->telnet = TELNET_DATA;
    switch (state) {
    case TELNET_DATA:
        if (c == IAC)
            r->telnet = TELNET_AFTER_IAC;
        return c != IAC;
    case TELNET_AFTER_IAC:
        if (c >= TELNET_WILL && c <= TELNET_DONT)
            r->telnet = TELNET_OPTION;
        return c == IAC || c < TELNET_COMMAND_FIRST;
    case TELNET_OPTION:
        break;
    }
    return false;
}

void ftp_reader_add(struct ftp_reader *r, size_t len)
{
    const char *from = r->bytes + r->len;
    for (size_t i = 0; i < len; i++)
        if (is_data(r, (unsigned char)from[i]))
            r->bytes[r->len++] = from[i];
}

enum ftp_line ftp_reader_look(struct ftp_reader *r, struct slice *ret_line)
{
    struct slice rest = slice_of(r->bytes + r->at, (size_t)(r->len - r->at));
    size_t end = slice_find(rest, '\n');
    if (end == rest.len) {
        if (r->skipping)
            r->at = r->len;
        return FTP_LINE_MORE;
    }
    struct slice line = slice_first(rest, end);
    if (line.len && line.ptr[line.len - 1] == '\r')
        line = slice_first(line, line.len - 1);
    *ret_line = r->skipping ? SLICE_NONE : line;
    return r->skipping ? FTP_LINE_LONG : FTP_LINE_WHOLE;
}

void ftp_reader_take(struct ftp_reader *r)
{
    struct slice rest = slice_of(r->bytes + r->at, (size_t)(r->len - r->at));
    size_t end = slice_find(rest, '\n');
    /* It may have been a password. */
    memset(r->bytes + r->at, 0, end);
    r->at = (uint16_t)(r->at + (end == rest.len ? end : end + 1));
    r->skipping = false;
}

/* --- commands --- */

struct verb_row {
    char name[5];
    char other[5]; /* RFC 1123 4.1.3.1 wants the X forms taken */
    uint8_t argument;
    bool open;    /* without a login */
    bool foreign; /* known and never done */
};

#define NONE FTP_ARGUMENT_NONE
#define MAY FTP_ARGUMENT_MAY
#define MUST FTP_ARGUMENT_MUST
static const struct verb_row verbs[FTP_VERBS] = {
    [FTP_ABOR] = { "ABOR", "", NONE, false, false },   [FTP_ACCT] = { "ACCT", "", MAY, true, false },
    [FTP_ALLO] = { "ALLO", "", MAY, false, false },    [FTP_APPE] = { "APPE", "", MUST, false, false },
    [FTP_AUTH] = { "AUTH", "", MUST, true, false },    [FTP_CCC] = { "CCC", "", NONE, true, false },
    [FTP_CDUP] = { "CDUP", "XCUP", NONE, false, false },
    [FTP_CWD] = { "CWD", "XCWD", MAY, false, false },  [FTP_DELE] = { "DELE", "", MUST, false, false },
    [FTP_EPRT] = { "EPRT", "", MUST, false, false },   [FTP_EPSV] = { "EPSV", "", MAY, false, false },
    [FTP_FEAT] = { "FEAT", "", NONE, true, false },    [FTP_HELP] = { "HELP", "", MAY, true, false },
    [FTP_LIST] = { "LIST", "", MAY, false, false },    [FTP_MDTM] = { "MDTM", "", MUST, false, false },
    [FTP_MKD] = { "MKD", "XMKD", MUST, false, false }, [FTP_MLSD] = { "MLSD", "", MAY, false, false },
    [FTP_MLST] = { "MLST", "", MAY, false, false },    [FTP_MODE] = { "MODE", "", MUST, false, false },
    [FTP_NLST] = { "NLST", "", MAY, false, false },    [FTP_NOOP] = { "NOOP", "", MAY, true, false },
    [FTP_OPTS] = { "OPTS", "", MUST, true, false },    [FTP_PASS] = { "PASS", "", MAY, true, false },
    [FTP_PASV] = { "PASV", "", NONE, false, false },   [FTP_PBSZ] = { "PBSZ", "", MUST, true, false },
    [FTP_PORT] = { "PORT", "", MUST, false, false },   [FTP_PROT] = { "PROT", "", MUST, true, false },
    [FTP_PWD] = { "PWD", "XPWD", NONE, false, false }, [FTP_QUIT] = { "QUIT", "", NONE, true, false },
    [FTP_REIN] = { "REIN", "", NONE, true, true },     [FTP_REST] = { "REST", "", MUST, false, false },
    [FTP_RETR] = { "RETR", "", MUST, false, false },   [FTP_RMD] = { "RMD", "XRMD", MUST, false, false },
    [FTP_RNFR] = { "RNFR", "", MUST, false, false },   [FTP_RNTO] = { "RNTO", "", MUST, false, false },
    [FTP_SITE] = { "SITE", "", MAY, false, false },     [FTP_SIZE] = { "SIZE", "", MUST, false, false },
    [FTP_SMNT] = { "SMNT", "", MAY, false, true },     [FTP_STAT] = { "STAT", "", MAY, false, false },
    [FTP_STOR] = { "STOR", "", MUST, false, false },   [FTP_STOU] = { "STOU", "", MAY, false, false },
    [FTP_STRU] = { "STRU", "", MUST, false, false },   [FTP_SYST] = { "SYST", "", NONE, true, false },
    [FTP_TYPE] = { "TYPE", "", MUST, false, false },   [FTP_USER] = { "USER", "", MUST, true, false },
};
#undef NONE
#undef MAY
#undef MUST

const char *ftp_verb_name(enum ftp_verb verb)
{
    return verbs[verb].name;
}

bool ftp_verb_is_foreign(enum ftp_verb verb)
{
    return verbs[verb].foreign;
}

bool ftp_verb_is_open(enum ftp_verb verb)
{
    return verbs[verb].open;
}

static const struct verb_row *find_verb(struct slice word)
{
    if (word.len < 3 || word.len > 4)
        return NULL;
    for (size_t i = 0; i < FTP_VERBS; i++)
        if (slice_eq_nocase(word, slice_str(verbs[i].name)) || slice_eq_nocase(word, slice_str(verbs[i].other)))
            return &verbs[i];
    return NULL;
}

enum ftp_fault ftp_parse(struct slice line, struct ftp_command *ret_command)
{
    struct slice argument = line, word = SLICE_NONE;
    if (slice_trim(line).len == 0)
        return FTP_EMPTY;
    slice_cut(&argument, ' ', &word);
    const struct verb_row *row = find_verb(word);
    if (!row)
        return FTP_UNKNOWN;
    *ret_command = (struct ftp_command){ (enum ftp_verb)(row - verbs), argument };
    for (size_t i = 0; i < argument.len; i++)
        if (byte_is_control(argument.ptr[i]))
            return FTP_BAD_BYTES;
    if (row->argument == FTP_ARGUMENT_MUST && argument.len == 0)
        return FTP_ARGUMENT_MISSING;
    if (row->argument == FTP_ARGUMENT_NONE && slice_trim(argument).len)
        return FTP_ARGUMENT_EXTRA;
    return FTP_FINE;
}

bool ftp_parse_port(struct slice argument, uint8_t ret_host[4], uint16_t *ret_port)
{
    struct slice rest = argument, part;
    uint64_t field[6];
    for (size_t i = 0; i < 6; i++)
        if (!slice_cut(&rest, ',', &part) || !slice_u64(part, 0, UINT8_MAX, &field[i]))
            return false;
    /* slice_cut() does not tell a list that ends with a comma. */
    if (rest.len || argument.ptr[argument.len - 1] == ',')
        return false;
    for (size_t i = 0; i < 4; i++)
        ret_host[i] = (uint8_t)field[i];
    *ret_port = (uint16_t)(field[4] << 8 | field[5]);
    return true;
}

bool ftp_parse_eprt(struct slice argument, struct ftp_endpoint *ret_endpoint)
{
    struct slice part[3];
    uint64_t family, port;
    if (argument.len < 2 || argument.ptr[0] < 33 || argument.ptr[0] > 126 ||
        argument.ptr[argument.len - 1] != argument.ptr[0])
        return false;
    char delimiter = argument.ptr[0];
    struct slice rest = slice_from(slice_first(argument, argument.len - 1), 1);
    for (size_t i = 0; i < 3; i++)
        if (!slice_cut(&rest, delimiter, &part[i]))
            return false;
    /* slice_cut() does not tell a list that ends with a delimiter. */
    if (part[2].ptr + part[2].len != argument.ptr + argument.len - 1 ||
        !slice_u64(part[0], 1, UINT16_MAX, &family) || part[1].len == 0 ||
        !slice_u64(part[2], 1, UINT16_MAX, &port))
        return false;
    *ret_endpoint = (struct ftp_endpoint){ (unsigned)family, part[1], (uint16_t)port };
    return true;
}

bool ftp_parse_epsv(struct slice argument, struct ftp_epsv *ret_epsv)
{
    struct slice word = slice_trim(argument);
    uint64_t family = 0;
    bool all = slice_eq_nocase(word, SLICE("ALL"));
    if (word.len && !all && !slice_u64(word, 1, UINT16_MAX, &family))
        return false;
    *ret_epsv = (struct ftp_epsv){ all, (unsigned)family };
    return true;
}

char ftp_parse_letter(struct slice argument)
{
    struct slice word = slice_trim(argument);
    return word.len == 1 && byte_is_alpha(word.ptr[0]) ? byte_lower(word.ptr[0]) : '\0';
}

bool ftp_parse_type(struct slice argument, bool *ret_known, bool *ret_binary)
{
    struct slice rest = slice_trim(argument), first;
    if (!slice_cut(&rest, ' ', &first))
        return false;
    char letter = ftp_parse_letter(first), format = ftp_parse_letter(rest);
    uint64_t bits = 0;
    bool known = false;
    switch (letter) {
    case 'a':
    case 'e':
        /* N, T or C: without marks, with Telnet's or with a printer's. */
        if (rest.len && format != 'n' && format != 't' && format != 'c')
            return false;
        known = letter == 'a' && (!rest.len || format == 'n');
        break;
    case 'i':
        if (rest.len)
            return false;
        known = true;
        break;
    case 'l':
        if (!slice_u64(rest, 1, UINT8_MAX, &bits))
            return false;
        known = bits == 8;
        break;
    default:
        return false;
    }
    *ret_known = known;
    *ret_binary = letter != 'a';
    return true;
}

bool ftp_parse_rest(struct slice argument, uint64_t *ret_offset)
{
    return slice_u64(slice_trim(argument), 0, FTP_OFFSET_MAX, ret_offset);
}

bool ftp_parse_auth(struct slice argument)
{
    struct slice word = slice_trim(argument);
    return slice_eq_nocase(word, SLICE("TLS")) || slice_eq_nocase(word, SLICE("TLS-C"));
}

bool ftp_parse_pbsz(struct slice argument)
{
    uint64_t size;
    return slice_u64(slice_trim(argument), 0, UINT32_MAX, &size);
}

static const struct {
    const char *name;
    unsigned fact;
} fact_names[] = { { "type", FTP_FACT_TYPE },
                   { "size", FTP_FACT_SIZE },
                   { "modify", FTP_FACT_MODIFY },
                   { "perm", FTP_FACT_PERM } };
#define FACTS (sizeof fact_names / sizeof *fact_names)

static unsigned parse_facts(struct slice list)
{
    unsigned facts = 0;
    struct slice word;
    while (slice_cut(&list, ';', &word))
        for (size_t i = 0; i < FACTS; i++)
            if (slice_eq_nocase(word, slice_str(fact_names[i].name)))
                facts |= fact_names[i].fact;
    return facts;
}

enum ftp_option ftp_parse_options(struct slice argument, unsigned *ret_facts)
{
    struct slice rest = slice_trim(argument), first = SLICE_NONE;
    slice_cut(&rest, ' ', &first);
    rest = slice_trim(rest);
    if (slice_eq_nocase(first, SLICE("MLST"))) {
        *ret_facts = parse_facts(rest);
        return FTP_OPTION_FACTS;
    }
    bool utf8 = slice_eq_nocase(first, SLICE("UTF8")) || slice_eq_nocase(first, SLICE("UTF-8"));
    /* NLST is RFC 2640's spelling of ON for older clients. */
    bool on = !rest.len || slice_eq_nocase(rest, SLICE("ON")) || slice_eq_nocase(rest, SLICE("NLST"));
    return utf8 && on ? FTP_OPTION_UTF8_ON : FTP_OPTION_UNKNOWN;
}

void ftp_put_facts(struct buf *out, unsigned facts)
{
    for (size_t i = 0; i < FACTS; i++)
        if (facts & fact_names[i].fact)
            buf_format(out, "%s;", fact_names[i].name);
}

/* `*` after each fact that is on (RFC 3659 7.8). */
void ftp_put_features(struct buf *out, unsigned facts, bool tls)
{
    buf_format(out, "211-Extensions:\r\n%s EPRT\r\n EPSV\r\n MDTM\r\n MLST ", tls ? " AUTH TLS\r\n" : "");
    for (size_t i = 0; i < FACTS; i++)
        buf_format(out, "%s%s;", fact_names[i].name, facts & fact_names[i].fact ? "*" : "");
    buf_format(out, "\r\n PASV\r\n%s REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n", tls ? " PBSZ\r\n PROT\r\n" : "");
    ftp_put_reply(out, 211, "End");
}

void ftp_put_help(struct buf *out)
{
    size_t in_line = 0;
    buf_str(out, "214-Commands that are understood (RFC 959, 2389, 2428, 3659):");
    for (size_t i = 0; i < FTP_VERBS; i++) {
        if (verbs[i].foreign)
            continue;
        buf_format(out, "%s%-5s", in_line % 12 ? "" : "\r\n ", verbs[i].name);
        in_line++;
    }
    buf_str(out, "\r\n");
    ftp_put_reply(out, 214, "End");
}
