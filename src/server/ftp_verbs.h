/* Inside the FTP service: what answers each command. Every one of these says exactly one reply at once, or begins a
 * transfer, whose end says the last one. The argument borrows from the line. */
#ifndef DIALTONE_SERVER_FTP_VERBS_H
#define DIALTONE_SERVER_FTP_VERBS_H

#include "server/access.h"
#include "server/ftp_session.h"

typedef void ftp_handler(struct ftp_session *s, struct slice argument);

/* ftp_login.c: who it is. */
ftp_handler ftp_login_acct, ftp_login_auth, ftp_login_ccc, ftp_login_pass, ftp_login_pbsz, ftp_login_prot,
    ftp_login_user;
/* ftp_state.c: where it stands and how it wants it. */
ftp_handler ftp_state_abor, ftp_state_cdup, ftp_state_cwd, ftp_state_feat, ftp_state_help;
ftp_handler ftp_state_mode, ftp_state_noop, ftp_state_opts, ftp_state_pwd, ftp_state_quit, ftp_state_rest;
ftp_handler ftp_state_stat, ftp_state_stru, ftp_state_syst, ftp_state_type;
/* ftp_open.c: where the next data connection comes from. */
ftp_handler ftp_open_eprt, ftp_open_epsv, ftp_open_pasv, ftp_open_port;
/* ftp_read.c and ftp_list.c; the last is STAT with a name. */
ftp_handler ftp_read_mdtm, ftp_read_retr, ftp_read_size;
ftp_handler ftp_list_list, ftp_list_mlsd, ftp_list_mlst, ftp_list_nlst, ftp_list_stat;
/* ftp_write.c */
ftp_handler ftp_write_allo, ftp_write_appe, ftp_write_dele, ftp_write_mkd, ftp_write_rmd, ftp_write_rnfr,
    ftp_write_rnto;
ftp_handler ftp_write_site, ftp_write_stor, ftp_write_stou;
/* What RNFR said, when something else than RNTO follows. */
void ftp_write_forget(struct ftp_session *s);

/* ftp_store.c */
unsigned ftp_store_code(enum upload_answer answer);

/* ftp_name.c: names as commands give them, and what the caller may do with them. */

/* Who asks. A user whose line in the configuration is another one by now, or gone, is nobody. */
struct caller ftp_caller(const struct ftp_session *s);
uint64_t ftp_user_mark(const struct user *user);

/* The argument as a path becomes s->name; false, answered and noted, for one that leads out. */
bool ftp_name_aim(struct ftp_session *s, struct slice argument);
bool ftp_name_may_read(const struct ftp_session *s, struct slice name);
/* Or go through, on the way to what he may read. */
bool ftp_name_may_enter(const struct ftp_session *s, struct slice directory);
/* Whether a listing of `directory` shows this entry of it; if so, says in it what may be done with it. */
bool ftp_name_see(const struct ftp_session *s, struct slice directory, struct ftp_entry *entry);
/* The latter alone, for a whole name. */
void ftp_name_mark(const struct ftp_session *s, struct slice name, struct ftp_entry *entry);
/* The tree about s->name; what the rules keep from the caller is forbidden, whether it is there or not. */
enum tree_answer ftp_name_ask(struct ftp_session *s, struct tree_file *ret_file);
/* For an answer of the tree that gives nothing: the reply, and what the journal is told. Static texts. A name that is
 * another phone's is answered as one that is not there (security.md R3). */
struct ftp_refusal {
    unsigned code;
    const char *reply, *words;
    enum outcome outcome;
};
struct ftp_refusal ftp_name_refusal(const struct ftp_session *s, enum tree_answer answer);
/* Says that reply and notes it. */
void ftp_name_refuse(struct ftp_session *s, enum tree_answer answer);
/* All of these: true when there is a file, which is the caller's to release. */
bool ftp_name_find(struct ftp_session *s, struct slice argument, struct tree_file *ret_file);

#endif
