/* FTP's control connection and listings: RFC 959, 1123 (4.1), 2228, 2389, 2428, 2640, 3659, 4217.
 *
 * Bytes <-> structs, serving side: no socket, no clock, no heap. What is parsed borrows from the line. */
#ifndef DIALTONE_PROTO_FTP_H
#define DIALTONE_PROTO_FTP_H

#include "base/buf.h"

/* A command line with its end; the longest path fits twice. No phone comes near. */
#define FTP_LINE_BYTES_MAX 768
/* An absolute path; what is resolved to more is refused. */
#define FTP_PATH_BYTES_MAX 384
/* The longest reply that is built here, HELP's and FEAT's included, with a path that is all quotes. */
#define FTP_REPLY_BYTES_MAX 896
/* REST and sizes. */
#define FTP_OFFSET_MAX ((uint64_t)INT64_MAX)
/* Ports below are the system's services: no data connection is made to one (RFC 2577 section 3). */
#define FTP_DATA_PORT_MIN 1024

/* --- lines --- */

/* Takes lines out of a Telnet stream (RFC 959 5.3, RFC 1123 4.1.2.10): commands of Telnet (IAC ...) are thrown
 * away, so ABOR is found behind the interrupt and synch that clients send before it; the urgent mark must be
 * kept in line by the socket (SO_OOBINLINE). CR LF and a bare LF end a line. Zeroed at start. */
struct ftp_reader {
    uint16_t len, at; /* bytes held; those before `at` are done with */
    uint8_t telnet;
    bool skipping; /* within a line that is too long */
    char bytes[FTP_LINE_BYTES_MAX];
};
enum ftp_line {
    FTP_LINE_MORE, /* not whole yet */
    FTP_LINE_WHOLE,
    FTP_LINE_LONG /* the end of a line that was longer than FTP_LINE_BYTES_MAX; what it said is gone */
};
/* Where to read into, `*ret_len` bytes at most: 0 while whole lines fill it that nobody has taken. */
char *ftp_reader_room(struct ftp_reader *r, size_t *ret_len);
/* `len` bytes were read there. */
void ftp_reader_add(struct ftp_reader *r, size_t len);
/* The next line, without its end; looking takes nothing. Borrowed until ftp_reader_room(). */
enum ftp_line ftp_reader_look(struct ftp_reader *r, struct slice *ret_line);
/* Done with the line that ftp_reader_look() gave last: it is blanked out, since lines hold passwords. */
void ftp_reader_take(struct ftp_reader *r);

/* --- commands --- */

enum ftp_verb {
    FTP_ABOR,
    FTP_ACCT,
    FTP_ALLO,
    FTP_APPE,
    FTP_AUTH,
    FTP_CCC,
    FTP_CDUP,
    FTP_CWD,
    FTP_DELE,
    FTP_EPRT,
    FTP_EPSV,
    FTP_FEAT,
    FTP_HELP,
    FTP_LIST,
    FTP_MDTM,
    FTP_MKD,
    FTP_MLSD,
    FTP_MLST,
    FTP_MODE,
    FTP_NLST,
    FTP_NOOP,
    FTP_OPTS,
    FTP_PASS,
    FTP_PASV,
    FTP_PBSZ,
    FTP_PORT,
    FTP_PROT,
    FTP_PWD,
    FTP_QUIT,
    FTP_REIN,
    FTP_REST,
    FTP_RETR,
    FTP_RMD,
    FTP_RNFR,
    FTP_RNTO,
    FTP_SITE,
    FTP_SIZE,
    FTP_SMNT,
    FTP_STAT,
    FTP_STOR,
    FTP_STOU,
    FTP_STRU,
    FTP_SYST,
    FTP_TYPE,
    FTP_USER,
    FTP_VERBS /* how many */
};
enum ftp_argument { FTP_ARGUMENT_NONE, FTP_ARGUMENT_MAY, FTP_ARGUMENT_MUST };

struct ftp_command {
    enum ftp_verb verb;
    struct slice argument; /* as sent, without the blank before it; "" when there is none */
};
enum ftp_fault {
    FTP_FINE,
    FTP_EMPTY,     /* nothing but blanks */
    FTP_UNKNOWN,   /* no verb of the table: 500 */
    FTP_BAD_BYTES, /* a control byte in the argument, NUL included: 501 */
    FTP_ARGUMENT_MISSING,
    FTP_ARGUMENT_EXTRA
};
/* Verbs without case; XCUP, XCWD, XPWD, XMKD and XRMD (RFC 1123) are their short names' equals. `verb` is
 * filled from FTP_BAD_BYTES on. */
enum ftp_fault ftp_parse(struct slice line, struct ftp_command *ret_command);
/* "RETR". */
const char *ftp_verb_name(enum ftp_verb verb);
/* Whether the server knows it but never does it: 502. */
bool ftp_verb_is_foreign(enum ftp_verb verb);
/* May be said by who is not logged in. */
bool ftp_verb_is_open(enum ftp_verb verb);

/* Six decimals of 0..255 between commas, nothing else. */
bool ftp_parse_port(struct slice argument, uint8_t ret_host[4], uint16_t *ret_port);
/* `|1|10.2.5.193|6275|`: the delimiter is any of 33..126. The host is not looked at. False: malformed. */
struct ftp_endpoint {
    unsigned family; /* 1: IPv4, 2: IPv6, others are nobody's yet; 522 */
    struct slice host;
    uint16_t port;
};
bool ftp_parse_eprt(struct slice argument, struct ftp_endpoint *ret_endpoint);
/* "" (family 0), a number or ALL. */
struct ftp_epsv {
    bool all;
    unsigned family;
};
bool ftp_parse_epsv(struct slice argument, struct ftp_epsv *ret_epsv);
/* One letter, for MODE and STRU; 0 for anything else. */
char ftp_parse_letter(struct slice argument);
/* A, A N, I, L 8; *ret_known false for a well-formed type that we do not serve: 504. False: malformed. */
bool ftp_parse_type(struct slice argument, bool *ret_known, bool *ret_binary);
bool ftp_parse_rest(struct slice argument, uint64_t *ret_offset);
/* AUTH (RFC 4217 section 4): TLS, or TLS-C, which is the same. */
bool ftp_parse_auth(struct slice argument);
/* PBSZ: a number of 32 bits; TLS has no use for it. */
bool ftp_parse_pbsz(struct slice argument);

/* Facts of MLST and MLSD (RFC 3659 section 7.5), a set. */
#define FTP_FACT_TYPE 1u
#define FTP_FACT_SIZE 2u
#define FTP_FACT_MODIFY 4u
#define FTP_FACT_PERM 8u
#define FTP_FACTS_ALL 15u
enum ftp_option { FTP_OPTION_UTF8_ON, FTP_OPTION_FACTS, FTP_OPTION_UNKNOWN };
/* OPTS. Facts that are unknown are left out, as RFC 3659 7.9 asks. */
enum ftp_option ftp_parse_options(struct slice argument, unsigned *ret_facts);
/* `type;size;` of a set. */
void ftp_put_facts(struct buf *out, unsigned facts);

/* --- paths --- */

/* `argument` seen from `directory` (absolute, no slash at its end but the root's): `.` and `..` are taken out,
 * so the result has neither, and slashes do not double. False when it climbs above the root, is too long or
 * holds a control byte; `out` is then what it is. Whether it exists is the tree's to say. */
bool ftp_path_resolve(struct slice directory, struct slice argument, struct buf *out);
/* The argument of LIST and NLST without options such as `-la`, which clients send out of habit. */
struct slice ftp_list_argument(struct slice argument);
/* `*` and `?` in the last segment are a pattern. */
bool ftp_is_pattern(struct slice name);
/* No recursion; at most pattern.len * name.len steps (security.md R9). */
bool ftp_pattern_matches(struct slice pattern, struct slice name);

/* --- replies --- */

/* `226 text\r\n`. */
void ftp_put_reply(struct buf *out, unsigned code, const char *text);
/* `257 "path" text`, quotes doubled (RFC 959 appendix II). */
void ftp_put_path(struct buf *out, unsigned code, struct slice path, const char *text);
void ftp_put_passive(struct buf *out, const uint8_t host[4], uint16_t port);
void ftp_put_extended_passive(struct buf *out, uint16_t port);
/* `tls`: AUTH TLS, PBSZ and PROT are among them (RFC 4217). */
void ftp_put_features(struct buf *out, unsigned facts, bool tls);
void ftp_put_help(struct buf *out);

/* A file or directory as listings show it. */
struct ftp_entry {
    struct slice name; /* one segment; MLST: the whole path */
    bool is_directory;
    uint64_t size;   /* bytes */
    int64_t mtime_s; /* since 1970-01-01 UTC */
    bool takes_new;  /* a directory: something new may be put there */
    bool changes;    /* it may be replaced, renamed and removed */
};
/* `20261122083656`, UTC; the year is held within 1970..9999. */
void ftp_put_time(struct buf *out, int64_t seconds);
/* `-r--r--r--   1 ftp      ftp           579 Nov 22 08:36 name`: as `ls -l` writes it (with w where one may),
 * in UTC; the year in place of the time when it is half a year from `now_s`. What ends a line is the caller's.
 */
void ftp_put_long_line(struct buf *out, const struct ftp_entry *entry, int64_t now_s);
/* `type=file;size=579;modify=20261122083656;perm=r; name`. */
void ftp_put_facts_line(struct buf *out, const struct ftp_entry *entry, unsigned facts);
/* What any line of a listing takes at most, but for the name. */
#define FTP_LISTING_LINE_BYTES 128

/* TYPE A. On its way out: LF goes as CR LF, and a CR LF of the file as it is. Start zeroed. */
struct ftp_ascii {
    bool after_cr; /* decoding: it has not gone out yet */
};
/* Encodes until `in` is used up or `out` has no room for what the next byte needs; never sets out->full. Gives
 * the bytes used. */
size_t ftp_ascii_encode(struct ftp_ascii *state, struct slice in, struct buf *out);
/* And on its way in: CR LF becomes LF, any other CR stays. All of `in` is used; `out` needs room for one byte more than
 * `in` has, and may lie over it when it begins that byte before it. */
void ftp_ascii_decode(struct ftp_ascii *state, struct slice in, struct buf *out);
/* At the end: a CR that still waited for what follows. */
void ftp_ascii_decode_end(struct ftp_ascii *state, struct buf *out);

#endif
