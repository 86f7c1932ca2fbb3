#include "server/ftp_verbs.h"

static ftp_handler *const handlers[FTP_VERBS] = {
    [FTP_ABOR] = ftp_state_abor, [FTP_ACCT] = ftp_login_acct, [FTP_ALLO] = ftp_write_allo,
    [FTP_APPE] = ftp_write_appe, [FTP_AUTH] = ftp_login_auth, [FTP_CCC] = ftp_login_ccc,
    [FTP_CDUP] = ftp_state_cdup, [FTP_CWD] = ftp_state_cwd,   [FTP_DELE] = ftp_write_dele,
    [FTP_EPRT] = ftp_open_eprt,  [FTP_EPSV] = ftp_open_epsv,  [FTP_FEAT] = ftp_state_feat,
    [FTP_HELP] = ftp_state_help, [FTP_LIST] = ftp_list_list,  [FTP_MDTM] = ftp_read_mdtm,
    [FTP_MKD] = ftp_write_mkd,   [FTP_MLSD] = ftp_list_mlsd,  [FTP_MLST] = ftp_list_mlst,
    [FTP_MODE] = ftp_state_mode, [FTP_NLST] = ftp_list_nlst,  [FTP_NOOP] = ftp_state_noop,
    [FTP_OPTS] = ftp_state_opts, [FTP_PASS] = ftp_login_pass, [FTP_PASV] = ftp_open_pasv,
    [FTP_PBSZ] = ftp_login_pbsz, [FTP_PROT] = ftp_login_prot, [FTP_PORT] = ftp_open_port,
    [FTP_PWD] = ftp_state_pwd,   [FTP_QUIT] = ftp_state_quit, [FTP_REST] = ftp_state_rest,
    [FTP_RETR] = ftp_read_retr,  [FTP_RMD] = ftp_write_rmd,   [FTP_RNFR] = ftp_write_rnfr,
    [FTP_RNTO] = ftp_write_rnto, [FTP_SITE] = ftp_write_site, [FTP_SIZE] = ftp_read_size,
    [FTP_STAT] = ftp_state_stat, [FTP_STOR] = ftp_write_stor, [FTP_STOU] = ftp_write_stou,
    [FTP_STRU] = ftp_state_stru, [FTP_SYST] = ftp_state_syst, [FTP_TYPE] = ftp_state_type,
    [FTP_USER] = ftp_login_user,
};

static void answer_fault(struct ftp_session *s, enum ftp_fault fault)
{
    s->faults++;
    ftp_session_reply(s, fault == FTP_EMPTY || fault == FTP_UNKNOWN ? 500 : 501,
                      fault == FTP_EMPTY || fault == FTP_UNKNOWN ? "No such command."
                      : fault == FTP_BAD_BYTES                   ? "Control bytes."
                      : fault == FTP_ARGUMENT_MISSING            ? "Something is missing."
                                                                 : "That is too much.");
}

void ftp_command_answer(struct ftp_session *s, struct slice line)
{
    struct ftp_command c;
    enum ftp_fault fault = ftp_parse(line, &c);
    if (s->renaming && (fault != FTP_FINE || c.verb != FTP_RNTO))
        ftp_write_forget(s);
    if (fault != FTP_FINE)
        answer_fault(s, fault);
    else if (!s->logged_in && !ftp_verb_is_open(c.verb))
        ftp_session_reply(s, 530, "USER and PASS first.");
    else if (ftp_verb_is_foreign(c.verb) || !handlers[c.verb])
        ftp_session_reply(s, 502, "Not here.");
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
