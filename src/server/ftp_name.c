#include "server/access.h"
#include "server/ftp_verbs.h"

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
bool ftp_name_aim(struct ftp_session *s, struct slice argument)
{
    char path[2 * FTP_PATH_BYTES_MAX];
    struct buf out = BUF_ON(path);
    if (ftp_path_resolve(slice_of(s->cwd, s->cwd_len), argument, &out)) {
        set_name(s, buf_slice(&out));
        return true;
    }
    set_name(s, argument);
    ftp_transfer_note(s, 550, OUTCOME_REFUSED, "refused name");
    ftp_session_reply(s, 550, "That name leads out of the tree or is too long.");
    return false;
}

/* An answer of the tree that gives nothing. An absence that the journal has just heard of is no second one:
 * phones say SIZE and then RETR. */
void ftp_name_refuse(struct ftp_session *s, enum tree_answer answer)
{
    bool broken = answer == TREE_BROKEN, absent = answer == TREE_ABSENT;
    unsigned code = broken ? 450 : 550;
    const char *words = tree_answer_words(answer);
    if (!s->noted)
        ftp_transfer_note(s, code, broken ? OUTCOME_BROKEN : absent ? OUTCOME_ABSENT : OUTCOME_REFUSED, words);
    s->noted = true;
    ftp_session_reply(s, code, words);
}

/* Everybody is anonymous here, so a rule that wants a login refuses. */
bool ftp_name_may_read(const struct ftp_session *s, struct slice name)
{
    struct access_request r = { .caller = { .protocol = PROTOCOL_FTP, .peer = &s->peer }, .name = name };
    return access_decide(s->service->worker->access, &r).answer == ACCESS_YES;
}

enum tree_answer ftp_name_ask(struct ftp_session *s, struct tree_file *ret_file)
{
    struct tree_question question = { ftp_name(s) };
    if (!ftp_name_may_read(s, question.name))
        return TREE_FORBIDDEN;
    return tree_ask(s->service->worker->tree, &question, ret_file);
}

/* *ret_file is the caller's to release. */
bool ftp_name_find(struct ftp_session *s, struct slice argument, struct tree_file *ret_file)
{
    if (!ftp_name_aim(s, argument))
        return false;
    enum tree_answer answer = ftp_name_ask(s, ret_file);
    if (answer != TREE_FILE)
        ftp_name_refuse(s, answer);
    return answer == TREE_FILE;
}
