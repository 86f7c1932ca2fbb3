#include "server/ftp_verbs.h"
#include "server/guard.h"

/* --- where --- */

static void cwd_path(struct ftp_session *s, unsigned code, const char *text)
{
    struct buf out = ftp_session_out(s);
    ftp_put_path(&out, code, slice_of(s->cwd, s->cwd_len), text);
    ftp_session_said(s, &out);
}

void ftp_state_pwd(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    cwd_path(s, 257, "is where you are.");
}

void ftp_state_cdup(struct ftp_session *s, struct slice argument)
{
    size_t slash = slice_find_last(slice_of(s->cwd, s->cwd_len), '/');
    (void)argument;
    s->cwd_len = (uint16_t)(slash ? slash : 1);
    cwd_path(s, 250, "is where you are now.");
}

void ftp_state_cwd(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    /* At the root too: clients go up without looking where they are. */
    if (slice_eq(argument, SLICE(".."))) {
        ftp_state_cdup(s, argument);
        return;
    }
    if (!ftp_name_aim(s, argument))
        return;
    struct caller caller = ftp_caller(s);
    enum tree_answer answer = ftp_name_may_enter(s, ftp_name(s))
                                  ? guard_ask(s->service->worker, &caller, ftp_name(s), &file)
                                  : TREE_FORBIDDEN;
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (answer != TREE_DIRECTORY) {
        struct ftp_refusal r = ftp_name_refusal(s, answer);
        ftp_session_reply(s, r.code, answer == TREE_FILE ? "not a directory" : r.reply);
        return;
    }
    memcpy(s->cwd, s->name, s->name_len);
    s->cwd_len = s->name_len;
    cwd_path(s, 250, "is where you are now.");
}

/* --- how --- */

void ftp_state_type(struct ftp_session *s, struct slice argument)
{
    bool known, binary;
    if (!ftp_parse_type(argument, &known, &binary)) {
        ftp_session_reply(s, 501, "TYPE A, I or L 8.");
    } else if (!known) {
        ftp_session_reply(s, 504, "TYPE A, I or L 8 only.");
    } else {
        s->binary = binary;
        ftp_session_reply(s, 200, binary ? "Binary." : "ASCII.");
    }
}

static void one_letter(struct ftp_session *s, struct slice argument, char served, const char *others)
{
    char letter = ftp_parse_letter(argument);
    if (letter == served)
        ftp_session_reply(s, 200, "Good.");
    else if (letter && strchr(others, letter))
        ftp_session_reply(s, 504, "Not this one.");
    else
        ftp_session_reply(s, 501, "No such parameter.");
}

void ftp_state_mode(struct ftp_session *s, struct slice argument)
{
    one_letter(s, argument, 's', "bcz");
}

void ftp_state_stru(struct ftp_session *s, struct slice argument)
{
    one_letter(s, argument, 'f', "rp");
}

void ftp_state_rest(struct ftp_session *s, struct slice argument)
{
    char text[64];
    struct buf out = BUF_ON(text);
    uint64_t offset;
    if (!ftp_parse_rest(argument, &offset)) {
        ftp_session_reply(s, 501, "REST takes a number of bytes.");
        return;
    }
    s->rest = offset;
    buf_format(&out, "Next from byte %llu on.", (unsigned long long)offset);
    buf_terminate(&out);
    ftp_session_reply(s, 350, text);
}

void ftp_state_opts(struct ftp_session *s, struct slice argument)
{
    unsigned facts = 0;
    struct buf out = ftp_session_out(s);
    switch (ftp_parse_options(argument, &facts)) {
    case FTP_OPTION_UTF8_ON:
        ftp_session_reply(s, 200, "Names are UTF-8 here, always.");
        break;
    case FTP_OPTION_UNKNOWN:
        ftp_session_reply(s, 501, "No such option.");
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

/* --- the rest --- */

static void stat_session(struct ftp_session *s)
{
    struct buf out = ftp_session_out(s);
    buf_str(&out, "211-dialtone\r\n From ");
    address_print_host(&s->peer, &out);
    buf_format(&out, ", %s%s\r\n TYPE %s, MODE S, STRU F, PROT %s\r\n",
               s->logged_in ? "logged in" : "not logged in", ftp_is_secure(s) ? ", by TLS" : "",
               s->binary ? "I" : "A", s->private ? "P" : "C");
    if (s->transfer)
        buf_format(&out, " %llu bytes %s by the transfer under way\r\n", (unsigned long long)s->sent,
                   s->transfer == FTP_TRANSFER_STORE ? "received" : "sent");
    ftp_put_reply(&out, 211, "End");
    ftp_session_said(s, &out);
}

void ftp_state_stat(struct ftp_session *s, struct slice argument)
{
    if (slice_trim(argument).len)
        ftp_list_stat(s, argument);
    else
        stat_session(s);
}

/* Before an answer to ABOR comes the end of what it aborts (RFC 959 4.1.3). */
void ftp_state_abor(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    if (s->transfer)
        ftp_transfer_end(s, 426, OUTCOME_STOPPED, "aborted");
    ftp_data_drop(s);
    ftp_session_reply(s, 226, "Nothing is under way.");
}

void ftp_state_quit(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    s->leaving = true;
}

void ftp_state_noop(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, 200, "Good.");
}

void ftp_state_syst(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, 215, "UNIX Type: L8");
}

void ftp_state_feat(struct ftp_session *s, struct slice argument)
{
    struct buf out = ftp_session_out(s);
    (void)argument;
    ftp_put_features(&out, s->facts, ftp_is_secure(s) || s->service->worker->ftp_relay);
    ftp_session_said(s, &out);
}

void ftp_state_help(struct ftp_session *s, struct slice argument)
{
    struct buf out = ftp_session_out(s);
    (void)argument;
    ftp_put_help(&out);
    ftp_session_said(s, &out);
}
