#include "server/ftp_verbs.h"
#include "server/guard.h"

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

/* --- who may --- */

uint64_t ftp_user_mark(const struct user *user)
{
    uint64_t mark;
    memcpy(&mark, user->hash.hash, sizeof mark);
    return mark;
}

struct caller ftp_caller(const struct ftp_session *s)
{
    const struct access *a = s->service->worker->access;
    const struct user *user = NULL;
    if (a && s->logged_in && !s->anonymous)
        user = users_find(&a->users, slice_of(s->user, s->user_len));
    if (user && ftp_user_mark(user) != s->user_mark)
        user = NULL;
    bool proven = s->proven && stream_still_good(&s->control, s->service->worker->tls);
    return (struct caller){ .protocol = PROTOCOL_FTP,
                            .peer = &s->peer,
                            .user = user,
                            .certificate = proven ? &s->certificate : NULL };
}

static struct access_verdict judge_reading(const struct ftp_session *s, struct slice name)
{
    struct access_request r = { .caller = ftp_caller(s), .name = name, .act = ACCESS_READ };
    return access_decide(s->service->worker->access, &r);
}

bool ftp_name_may_read(const struct ftp_session *s, struct slice name)
{
    return judge_reading(s, name).answer == ACCESS_YES;
}

bool ftp_name_may_enter(const struct ftp_session *s, struct slice directory)
{
    struct caller caller = ftp_caller(s);
    /* Everybody stands at the root when he comes. */
    return slice_eq(directory, SLICE("/")) || ftp_name_may_read(s, directory) ||
           access_leads_on(s->service->worker->access, &caller, directory);
}

static enum access_write write_level(const struct ftp_session *s, struct slice name)
{
    struct access_request r = { .caller = ftp_caller(s), .name = name, .act = ACCESS_WRITE };
    struct access_verdict v = access_decide(s->service->worker->access, &r);
    return v.answer == ACCESS_YES ? v.write : ACCESS_WRITE_NONE;
}

void ftp_name_mark(const struct ftp_session *s, struct slice name, struct ftp_entry *entry)
{
    enum access_write level = write_level(s, name);
    entry->takes_new = level >= ACCESS_WRITE_CREATE;
    entry->changes = level >= ACCESS_WRITE_OVERWRITE;
}

bool ftp_name_see(const struct ftp_session *s, struct slice directory, struct ftp_entry *entry)
{
    char path[FTP_PATH_BYTES_MAX + ROOTDIR_NAME_MAX + 2];
    struct buf out = BUF_ON(path);
    const struct access *a = s->service->worker->access;
    if (!a || a->rule_count == 0)
        return true;
    buf_text(&out, directory);
    buf_str(&out, directory.len > 1 ? "/" : "");
    buf_text(&out, entry->name);
    struct slice name = buf_slice(&out);
    if (!buf_ok(&out) || !(entry->is_directory ? ftp_name_may_enter(s, name) : ftp_name_may_read(s, name)))
        return false;
    ftp_name_mark(s, name, entry);
    return true;
}

/* --- what the tree says --- */

struct ftp_refusal ftp_name_refusal(const struct ftp_session *s, enum tree_answer answer)
{
    const char *words = tree_answer_words(answer);
    struct ftp_refusal r = { 550, words, words, OUTCOME_REFUSED };
    struct access_verdict v = { .answer = ACCESS_YES };
    if (answer == TREE_FORBIDDEN || answer == TREE_ABSENT)
        v = judge_reading(s, ftp_name(s));
    if (answer == TREE_BROKEN || answer == TREE_GUARDED)
        r.code = 450;
    else if (v.answer == ACCESS_LOGIN && !ftp_caller(s).user)
        r.code = 530;
    if (v.answer == ACCESS_YES) {
        r.outcome = answer == TREE_BROKEN   ? OUTCOME_BROKEN
                    : answer == TREE_ABSENT ? OUTCOME_ABSENT
                                            : OUTCOME_REFUSED;
        return r;
    }
    r.words = v.reason;
    r.reply = v.answer == ACCESS_HIDDEN ? tree_answer_words(TREE_ABSENT) : v.reason;
    return r;
}

/* An absence that the journal has just heard of is no second one: phones say SIZE and then RETR. */
void ftp_name_refuse(struct ftp_session *s, enum tree_answer answer)
{
    struct ftp_refusal r = ftp_name_refusal(s, answer);
    if (!s->noted)
        ftp_transfer_note(s, r.code, r.outcome, r.words);
    s->noted = true;
    ftp_session_reply(s, r.code, r.reply);
}

enum tree_answer ftp_name_ask(struct ftp_session *s, struct tree_file *ret_file)
{
    struct caller caller = ftp_caller(s);
    struct access_verdict v = judge_reading(s, ftp_name(s));
    if (v.answer == ACCESS_HIDDEN)
        return guard_hide(s->service->worker, &caller, ftp_name(s));
    if (v.answer != ACCESS_YES)
        return TREE_FORBIDDEN;
    return guard_ask(s->service->worker, &caller, ftp_name(s), ret_file);
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
