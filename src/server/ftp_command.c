#include "server/ftp_session.h"

#include "server/access.h"

#include <errno.h>
#include <stdlib.h>

typedef void handler(struct ftp_session *s, struct slice argument);

static void reply(struct ftp_session *s, unsigned code, const char *text)
{
    ftp_session_reply(s, code, text);
}

/* --- names --- */

static void set_name(struct ftp_session *s, struct slice name)
{
    name = slice_first(name, sizeof s->name);
    if (!slice_eq(name, ftp_name(s)))
        s->noted = false;
    if (name.len)
        memcpy(s->name, name.ptr, name.len);
    s->name_len = (uint16_t)name.len;
    s->pattern_at = 0;
    s->started_ms = ftp_loop(s)->now_ms;
    s->wall_ms = ftp_loop(s)->wall_ms;
}

/* The argument as a path becomes s->name; false, answered and noted, for one that leads out. */
static bool aim(struct ftp_session *s, struct slice argument)
{
    char path[2 * FTP_PATH_BYTES_MAX];
    struct buf out = BUF_ON(path);
    if (ftp_path_resolve(slice_of(s->cwd, s->cwd_len), argument, &out)) {
        set_name(s, buf_slice(&out));
        return true;
    }
    set_name(s, argument);
    ftp_transfer_note(s, 550, OUTCOME_REFUSED, "refused name");
    reply(s, 550, "That name leads out of the tree or is too long.");
    return false;
}

/* An answer of the tree that gives nothing. An absence that the journal has just heard of is no second one:
 * phones say SIZE and then RETR. */
static void refuse_name(struct ftp_session *s, enum tree_answer answer)
{
    bool broken = answer == TREE_BROKEN, absent = answer == TREE_ABSENT;
    unsigned code = broken ? 450 : 550;
    const char *words = tree_answer_words(answer);
    if (!s->noted)
        ftp_transfer_note(s, code, broken ? OUTCOME_BROKEN : absent ? OUTCOME_ABSENT : OUTCOME_REFUSED, words);
    s->noted = true;
    reply(s, code, words);
}

/* Everybody is anonymous here, so a rule that wants a login refuses. */
static bool may_read(const struct ftp_session *s, struct slice name)
{
    struct access_request r = { .caller = { .protocol = PROTOCOL_FTP, .peer = &s->peer }, .name = name };
    return access_decide(s->service->worker->access, &r).answer == ACCESS_YES;
}

static enum tree_answer ask(struct ftp_session *s, struct tree_file *ret_file)
{
    struct tree_question question = { ftp_name(s) };
    if (!may_read(s, question.name))
        return TREE_FORBIDDEN;
    return tree_ask(s->service->worker->tree, &question, ret_file);
}

/* *ret_file is the caller's to release. */
static bool find_file(struct ftp_session *s, struct slice argument, struct tree_file *ret_file)
{
    if (!aim(s, argument))
        return false;
    enum tree_answer answer = ask(s, ret_file);
    if (answer != TREE_FILE)
        refuse_name(s, answer);
    return answer == TREE_FILE;
}

/* --- who --- */

static void user(struct ftp_session *s, struct slice argument)
{
    s->named = true;
    s->anonymous = slice_eq_nocase(argument, SLICE("anonymous")) || slice_eq_nocase(argument, SLICE("ftp"));
    if (s->logged_in)
        ftp_service_put(s, FTP_PLACE_STRANGER);
    s->logged_in = false;
    reply(s, 331, s->anonymous ? "Any password will do." : "Password, please.");
}

static void pass(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    if (!s->named) {
        reply(s, s->logged_in ? 202 : 503, s->logged_in ? "Logged in already." : "USER first.");
        return;
    }
    s->named = false;
    if (!s->anonymous) {
        s->faults++;
        reply(s, 530, "Login refused: this server takes anonymous only.");
        return;
    }
    s->logged_in = true;
    s->faults = 0;
    ftp_service_put(s, FTP_PLACE_IDLE);
    reply(s, 230, "Logged in, reading only.");
}

static void account(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    reply(s, s->logged_in ? 202 : 530, s->logged_in ? "No account is needed." : "USER and PASS first.");
}

/* --- where --- */

static void cwd_path(struct ftp_session *s, unsigned code, const char *text)
{
    struct buf out = ftp_session_out(s);
    ftp_put_path(&out, code, slice_of(s->cwd, s->cwd_len), text);
    ftp_session_said(s, &out);
}

static void pwd(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    cwd_path(s, 257, "is where you are.");
}

static void cdup(struct ftp_session *s, struct slice argument)
{
    size_t slash = slice_find_last(slice_of(s->cwd, s->cwd_len), '/');
    (void)argument;
    s->cwd_len = (uint16_t)(slash ? slash : 1);
    cwd_path(s, 250, "is where you are now.");
}

static void cwd(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    /* At the root too: clients go up without looking where they are. */
    if (slice_eq(argument, SLICE(".."))) {
        cdup(s, argument);
        return;
    }
    if (!aim(s, argument))
        return;
    enum tree_answer answer = ask(s, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (answer != TREE_DIRECTORY) {
        reply(s, 550, answer == TREE_FILE ? "not a directory" : tree_answer_words(answer));
        return;
    }
    memcpy(s->cwd, s->name, s->name_len);
    s->cwd_len = s->name_len;
    cwd_path(s, 250, "is where you are now.");
}

/* --- how --- */

static void type(struct ftp_session *s, struct slice argument)
{
    bool known, binary;
    if (!ftp_parse_type(argument, &known, &binary)) {
        reply(s, 501, "TYPE A, I or L 8.");
    } else if (!known) {
        reply(s, 504, "TYPE A, I or L 8 only.");
    } else {
        s->binary = binary;
        reply(s, 200, binary ? "Binary." : "ASCII.");
    }
}

static void one_letter(struct ftp_session *s, struct slice argument, char served, const char *others)
{
    char letter = ftp_parse_letter(argument);
    if (letter == served)
        reply(s, 200, "Good.");
    else if (letter && strchr(others, letter))
        reply(s, 504, "Not this one.");
    else
        reply(s, 501, "No such parameter.");
}

static void mode(struct ftp_session *s, struct slice argument)
{
    one_letter(s, argument, 's', "bcz");
}

static void stru(struct ftp_session *s, struct slice argument)
{
    one_letter(s, argument, 'f', "rp");
}

static void rest(struct ftp_session *s, struct slice argument)
{
    char text[64];
    struct buf out = BUF_ON(text);
    uint64_t offset;
    if (!ftp_parse_rest(argument, &offset)) {
        reply(s, 501, "REST takes a number of bytes.");
        return;
    }
    s->rest = offset;
    buf_format(&out, "Next from byte %llu on.", (unsigned long long)offset);
    buf_terminate(&out);
    reply(s, 350, text);
}

static void opts(struct ftp_session *s, struct slice argument)
{
    unsigned facts = 0;
    struct buf out = ftp_session_out(s);
    switch (ftp_parse_options(argument, &facts)) {
    case FTP_OPTION_UTF8_ON:
        reply(s, 200, "Names are UTF-8 here, always.");
        break;
    case FTP_OPTION_UNKNOWN:
        reply(s, 501, "No such option.");
        break;
    case FTP_OPTION_FACTS:
        s->facts = (uint8_t)facts;
        buf_str(&out, "200 MLST OPTS ");
        ftp_put_facts(&out, facts);
        buf_str(&out, "\r\n");
        ftp_session_said(s, &out);
        break;
    }
}

/* --- data connections --- */

static void pasv(struct ftp_session *s, struct slice argument)
{
    union address local;
    (void)argument;
    if (s->epsv_all) {
        reply(s, 503, "EPSV ALL was said.");
    } else if (s->peer.sa.sa_family != AF_INET) {
        reply(s, 425, "PASV is for IPv4: say EPSV.");
    } else {
        uint16_t port = ftp_data_listen(s);
        struct buf out = ftp_session_out(s);
        if (!port || stream_local_address(&s->control, &local)) {
            reply(s, 425, "No data port is free: try again.");
            return;
        }
        ftp_put_passive(&out, (const uint8_t *)&local.v4.sin_addr, port);
        ftp_session_said(s, &out);
    }
}

static unsigned family_of(const struct ftp_session *s)
{
    return s->peer.sa.sa_family == AF_INET ? 1 : 2;
}

static void wrong_family(struct ftp_session *s)
{
    reply(s, 522,
          family_of(s) == 1 ? "Network protocol not supported, use (1)."
                            : "Network protocol not supported, use (2).");
}

static void epsv(struct ftp_session *s, struct slice argument)
{
    struct ftp_epsv asked;
    if (!ftp_parse_epsv(argument, &asked)) {
        reply(s, 501, "EPSV, EPSV 1, EPSV 2 or EPSV ALL.");
    } else if (asked.all) {
        s->epsv_all = true;
        reply(s, 200, "EPSV only from now on.");
    } else if (asked.family && asked.family != family_of(s)) {
        wrong_family(s);
    } else {
        uint16_t port = ftp_data_listen(s);
        struct buf out = ftp_session_out(s);
        if (port)
            ftp_put_extended_passive(&out, port);
        else
            ftp_put_reply(&out, 425, "No data port is free: try again.");
        ftp_session_said(s, &out);
    }
}

/* Where PORT and EPRT may lead: back to who asks, and to no port of the system's (security.md R7). */
static void set_active(struct ftp_session *s, const union address *to)
{
    if (!s->service->worker->config->ftp_active) {
        reply(s, 502, "Passive mode only: say PASV or EPSV.");
    } else if (!address_same_host(to, &s->peer) || address_port(to) < FTP_DATA_PORT_MIN) {
        reply(s, 504, "Only to your own address, and to no port below 1024.");
    } else {
        ftp_data_drop(s);
        s->active_port = address_port(to);
        reply(s, 200, "Good.");
    }
}

static void port(struct ftp_session *s, struct slice argument)
{
    uint8_t host[4];
    uint16_t number;
    if (s->epsv_all) {
        reply(s, 503, "EPSV ALL was said.");
    } else if (!ftp_parse_port(argument, host, &number)) {
        reply(s, 501, "PORT takes six numbers of 0 to 255.");
    } else {
        union address to = { .v4 = { .sin_family = AF_INET } };
        memcpy(&to.v4.sin_addr, host, sizeof host);
        address_set_port(&to, number);
        set_active(s, &to);
    }
}

static void eprt(struct ftp_session *s, struct slice argument)
{
    struct ftp_endpoint asked;
    union address to;
    if (s->epsv_all) {
        reply(s, 503, "EPSV ALL was said.");
    } else if (!ftp_parse_eprt(argument, &asked)) {
        reply(s, 501, "EPRT |family|address|port|.");
    } else if (asked.family != family_of(s)) {
        wrong_family(s);
    } else if (!address_parse(asked.host, asked.port, &to)) {
        reply(s, 501, "That is no address.");
    } else {
        /* A link's number cannot be written there. */
        if (to.sa.sa_family == AF_INET6 && s->peer.sa.sa_family == AF_INET6)
            to.v6.sin6_scope_id = s->peer.v6.sin6_scope_id;
        set_active(s, &to);
    }
}

/* --- files --- */

static bool make_chunk(struct ftp_session *s)
{
    s->chunk = malloc(sizeof *s->chunk);
    if (!s->chunk)
        return false;
    s->chunk->listing = NULL;
    s->chunk->ascii = (struct ftp_ascii){ 0 };
    s->chunk->at = s->chunk->len = 0;
    return true;
}

static void refuse_transfer(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason)
{
    ftp_transfer_note(s, code, outcome, reason);
    reply(s, code, reason);
}

static void retr(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    uint64_t from = s->rest;
    s->rest = 0;
    bool found = find_file(s, argument, &file);
    /* What SIZE has told the journal stands for this one only. */
    s->noted = false;
    if (!found) {
        ftp_data_drop(s);
        return;
    }
    s->file = file;
    s->holds_file = true;
    s->at = from;
    if (!ftp_data_is_set(s))
        refuse_transfer(s, 425, OUTCOME_REFUSED, "no PASV, EPSV, PORT or EPRT came before");
    else if (from > file.size)
        refuse_transfer(s, 554, OUTCOME_REFUSED, "REST is past the end");
    else if (from && !s->binary)
        refuse_transfer(s, 554, OUTCOME_REFUSED, "REST is for TYPE I");
    else if (!s->binary && !make_chunk(s))
        refuse_transfer(s, 451, OUTCOME_BROKEN, "out of memory");
    else
        s->transfer = FTP_TRANSFER_FILE;
    if (s->transfer) {
        ftp_transfer_begin(s);
        return;
    }
    s->holds_file = false;
    tree_file_release(&s->file);
    ftp_data_drop(s);
}

static void size(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    struct buf out;
    if (!s->binary) {
        reply(s, 550, "SIZE is for TYPE I.");
        return;
    }
    if (!find_file(s, argument, &file))
        return;
    out = ftp_session_out(s);
    buf_format(&out, "213 %llu\r\n", (unsigned long long)file.size);
    ftp_session_said(s, &out);
    tree_file_release(&file);
}

static void mdtm(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    struct buf out;
    if (!find_file(s, argument, &file))
        return;
    out = ftp_session_out(s);
    buf_str(&out, "213 ");
    ftp_put_time(&out, file.mtime.tv_sec);
    buf_str(&out, "\r\n");
    ftp_session_said(s, &out);
    tree_file_release(&file);
}

/* --- listings --- */

/* A name that is no directory may be a file: one line about it, for LIST, NLST and STAT. */
static bool describe_file(struct ftp_session *s, struct buf *out)
{
    struct tree_file file;
    enum tree_answer answer = ask(s, &file);
    if (answer != TREE_FILE) {
        refuse_name(s, answer);
        return false;
    }
    struct ftp_entry entry = { ftp_name(s), false, file.size, file.mtime.tv_sec };
    if (s->list == FTP_LIST_NAMES)
        buf_text(out, entry.name);
    else
        ftp_put_long_line(out, &entry, ftp_loop(s)->wall_ms / 1000);
    buf_str(out, "\r\n");
    tree_file_release(&file);
    return true;
}

/* s->name is what is asked; a pattern in its last segment is what to look for in the rest. */
static bool fill_chunk(struct ftp_session *s)
{
    struct ftp_chunk *c = s->chunk;
    struct buf out = BUF_ON(c->text);
    struct slice directory = ftp_name(s);
    if (s->list != FTP_LIST_FACTS && ftp_is_pattern(directory)) {
        s->pattern_at = (uint16_t)(slice_find_last(directory, '/') + 1);
        directory = slice_first(directory, s->pattern_at - 1u);
    }
    enum tree_answer answer = may_read(s, directory)
                                  ? tree_list(s->service->worker->tree, directory, &c->listing)
                                  : TREE_FORBIDDEN;
    if (answer == TREE_DIRECTORY)
        return true;
    if (answer != TREE_ABSENT || s->list == FTP_LIST_FACTS) {
        refuse_name(s, answer);
        return false;
    }
    bool found = describe_file(s, &out);
    c->len = out.len;
    return found;
}

static void list_as(struct ftp_session *s, struct slice argument, enum ftp_list kind)
{
    s->rest = 0;
    s->list = (uint8_t)kind;
    if (!aim(s, argument)) {
        ftp_data_drop(s);
    } else if (!ftp_data_is_set(s)) {
        refuse_transfer(s, 425, OUTCOME_REFUSED, "no PASV, EPSV, PORT or EPRT came before");
    } else if (!make_chunk(s)) {
        refuse_transfer(s, 451, OUTCOME_BROKEN, "out of memory");
        ftp_data_drop(s);
    } else if (fill_chunk(s)) {
        s->transfer = FTP_TRANSFER_LIST;
        ftp_transfer_begin(s);
    } else {
        free(s->chunk);
        s->chunk = NULL;
        ftp_data_drop(s);
    }
}

static void list(struct ftp_session *s, struct slice argument)
{
    list_as(s, ftp_list_argument(argument), FTP_LIST_LONG);
}

static void nlst(struct ftp_session *s, struct slice argument)
{
    list_as(s, ftp_list_argument(argument), FTP_LIST_NAMES);
}

static void mlsd(struct ftp_session *s, struct slice argument)
{
    list_as(s, argument, FTP_LIST_FACTS);
}

static void mlst(struct ftp_session *s, struct slice argument)
{
    struct tree_file file = { .fd = -1 };
    if (!aim(s, argument))
        return;
    enum tree_answer answer = ask(s, &file);
    if (answer != TREE_FILE && answer != TREE_DIRECTORY) {
        refuse_name(s, answer);
        return;
    }
    struct ftp_entry entry = { ftp_name(s), answer == TREE_DIRECTORY, file.size, file.mtime.tv_sec };
    struct buf out = ftp_session_out(s);
    buf_str(&out, "250-Here it is:\r\n ");
    /* The tree tells no time of a directory. */
    ftp_put_facts_line(&out, &entry, entry.is_directory ? s->facts & ~FTP_FACT_MODIFY : s->facts);
    buf_str(&out, "\r\n");
    ftp_put_reply(&out, 250, "End");
    ftp_session_said(s, &out);
    if (answer == TREE_FILE)
        tree_file_release(&file);
}

/* --- the rest --- */

static void stat_session(struct ftp_session *s)
{
    struct buf out = ftp_session_out(s);
    buf_str(&out, "211-dialtone\r\n From ");
    address_print_host(&s->peer, &out);
    buf_format(&out, ", %s\r\n TYPE %s, MODE S, STRU F\r\n", s->logged_in ? "logged in" : "not logged in",
               s->binary ? "I" : "A");
    if (s->transfer)
        buf_format(&out, " %llu bytes sent of the transfer under way\r\n", (unsigned long long)s->sent);
    ftp_put_reply(&out, 211, "End");
    ftp_session_said(s, &out);
}

static void stat_name(struct ftp_session *s, struct slice argument)
{
    char line[FTP_PATH_BYTES_MAX + FTP_LISTING_LINE_BYTES];
    struct buf text = BUF_ON(line);
    struct tree_file file;
    s->list = FTP_LIST_LONG;
    if (!aim(s, ftp_list_argument(argument)))
        return;
    enum tree_answer answer = ask(s, &file);
    if (answer == TREE_DIRECTORY) {
        reply(s, 504, "Directories by LIST or MLSD.");
        return;
    }
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (!describe_file(s, &text))
        return;
    struct buf out = ftp_session_out(s);
    buf_str(&out, "213-Here it is:\r\n ");
    buf_text(&out, buf_slice(&text));
    ftp_put_reply(&out, 213, "End");
    ftp_session_said(s, &out);
}

static void stat_any(struct ftp_session *s, struct slice argument)
{
    if (slice_trim(argument).len)
        stat_name(s, argument);
    else
        stat_session(s);
}

/* Before an answer to ABOR comes the end of what it aborts (RFC 959 4.1.3). */
static void abor(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    if (s->transfer)
        ftp_transfer_end(s, 426, OUTCOME_STOPPED, "aborted");
    ftp_data_drop(s);
    reply(s, 226, "Nothing is under way.");
}

static void quit(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    s->leaving = true;
}

static void noop(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    reply(s, 200, "Good.");
}

static void allo(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    reply(s, 202, "Not needed.");
}

static void syst(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    reply(s, 215, "UNIX Type: L8");
}

static void feat(struct ftp_session *s, struct slice argument)
{
    struct buf out = ftp_session_out(s);
    (void)argument;
    ftp_put_features(&out, s->facts);
    ftp_session_said(s, &out);
}

static void help(struct ftp_session *s, struct slice argument)
{
    struct buf out = ftp_session_out(s);
    (void)argument;
    ftp_put_help(&out);
    ftp_session_said(s, &out);
}

/* Until there are access rules. The journal hears of it: a phone may have tried to leave its settings here. */
static void write_something(struct ftp_session *s, struct slice argument)
{
    s->rest = 0;
    ftp_data_drop(s);
    if (aim(s, argument))
        refuse_transfer(s, 550, OUTCOME_REFUSED, "writing is not allowed");
}

static void rnto(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    reply(s, 503, "RNFR first.");
}

static handler *const handlers[FTP_VERBS] = {
    [FTP_ABOR] = abor,
    [FTP_ACCT] = account,
    [FTP_ALLO] = allo,
    [FTP_APPE] = write_something,
    [FTP_CDUP] = cdup,
    [FTP_CWD] = cwd,
    [FTP_DELE] = write_something,
    [FTP_EPRT] = eprt,
    [FTP_EPSV] = epsv,
    [FTP_FEAT] = feat,
    [FTP_HELP] = help,
    [FTP_LIST] = list,
    [FTP_MDTM] = mdtm,
    [FTP_MKD] = write_something,
    [FTP_MLSD] = mlsd,
    [FTP_MLST] = mlst,
    [FTP_MODE] = mode,
    [FTP_NLST] = nlst,
    [FTP_NOOP] = noop,
    [FTP_OPTS] = opts,
    [FTP_PASS] = pass,
    [FTP_PASV] = pasv,
    [FTP_PORT] = port,
    [FTP_PWD] = pwd,
    [FTP_QUIT] = quit,
    [FTP_REST] = rest,
    [FTP_RETR] = retr,
    [FTP_RMD] = write_something,
    [FTP_RNFR] = write_something,
    [FTP_RNTO] = rnto,
    [FTP_SIZE] = size,
    [FTP_STAT] = stat_any,
    [FTP_STOR] = write_something,
    [FTP_STOU] = write_something,
    [FTP_STRU] = stru,
    [FTP_SYST] = syst,
    [FTP_TYPE] = type,
    [FTP_USER] = user,
};

static void answer_fault(struct ftp_session *s, enum ftp_fault fault)
{
    s->faults++;
    reply(s, fault == FTP_EMPTY || fault == FTP_UNKNOWN ? 500 : 501,
          fault == FTP_EMPTY || fault == FTP_UNKNOWN ? "No such command."
          : fault == FTP_BAD_BYTES                   ? "Control bytes."
          : fault == FTP_ARGUMENT_MISSING            ? "Something is missing."
                                                     : "That is too much.");
}

void ftp_command_answer(struct ftp_session *s, struct slice line)
{
    struct ftp_command c;
    enum ftp_fault fault = ftp_parse(line, &c);
    if (fault != FTP_FINE)
        answer_fault(s, fault);
    else if (!s->logged_in && !ftp_verb_is_open(c.verb))
        reply(s, 530, "USER and PASS first.");
    else if (ftp_verb_is_foreign(c.verb) || !handlers[c.verb])
        reply(s, 502, "Not here.");
    else
        handlers[c.verb](s, c.argument);
}

bool ftp_command_is_urgent(struct slice line)
{
    struct ftp_command c;
    if (ftp_parse(line, &c) != FTP_FINE)
        return false;
    return c.verb == FTP_ABOR || c.verb == FTP_NOOP || c.verb == FTP_QUIT ||
           (c.verb == FTP_STAT && slice_trim(c.argument).len == 0);
}
