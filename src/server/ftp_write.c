#include "server/change.h"
#include "server/ftp_verbs.h"
#include "server/guard.h"

#include <stdlib.h>
#include <sys/random.h>

/* --- who may --- */

static struct access_verdict judge_writing(const struct ftp_session *s)
{
    struct access_request r = { .caller = ftp_caller(s), .name = ftp_name(s), .act = ACCESS_WRITE };
    return access_decide(s->service->worker->access, &r);
}

/* What only a login could give. */
static bool wants_login(const struct ftp_session *s, struct access_verdict v)
{
    return v.answer == ACCESS_LOGIN && !ftp_caller(s).user;
}

static void refuse_verdict(struct ftp_session *s, struct access_verdict v)
{
    ftp_transfer_refuse(s, wants_login(s, v) ? 530 : 550, OUTCOME_REFUSED, v.reason);
}

static void refuse_answer(struct ftp_session *s, enum upload_answer answer)
{
    struct access_verdict v = { .answer = ACCESS_YES };
    if (answer == UPLOAD_FORBIDDEN)
        v = judge_writing(s);
    if (v.answer != ACCESS_YES)
        refuse_verdict(s, v);
    else
        ftp_transfer_refuse(s, ftp_store_code(answer),
                            answer == UPLOAD_BROKEN ? OUTCOME_BROKEN : OUTCOME_REFUSED,
                            upload_answer_words(answer));
}

/* False: refused, and answered. */
static bool may_touch(struct ftp_session *s)
{
    struct caller caller = ftp_caller(s);
    bool may = guard_write(s->service->worker, &caller, ftp_name(s));
    if (!may)
        ftp_transfer_refuse(s, 450, OUTCOME_REFUSED, tree_answer_words(TREE_GUARDED));
    return may;
}

/* The argument becomes s->name, which may be changed as far as guessing goes. */
static bool aim_to_change(struct ftp_session *s, struct slice argument)
{
    return ftp_name_aim(s, argument) && may_touch(s);
}

/* --- with a body --- */

enum kind { KIND_STORE, KIND_APPEND, KIND_UNIQUE };

static enum upload_answer begin(struct ftp_session *s, enum kind kind, uint64_t offset, struct access_verdict v)
{
    struct upload_request r = { .caller = ftp_caller(s),
                                .name = ftp_name(s),
                                .write = v.write,
                                .append = kind == KIND_APPEND,
                                .offset = kind == KIND_APPEND ? 0 : offset };
    if (kind == KIND_UNIQUE && r.write > ACCESS_WRITE_CREATE)
        r.write = ACCESS_WRITE_CREATE;
    return upload_begin(s->service->worker, &r, &s->upload);
}

/* s->name is what to write to. */
static void store(struct ftp_session *s, enum kind kind)
{
    uint64_t offset = s->rest;
    unsigned code = 0;
    const char *fault = ftp_data_fault(s, &code);
    struct access_verdict v = judge_writing(s);
    enum upload_answer answer = UPLOAD_FINE;
    s->rest = 0;
    s->noted = false;
    if (fault)
        ftp_transfer_refuse(s, code, OUTCOME_REFUSED, fault);
    else if (offset && !s->binary)
        ftp_transfer_refuse(s, 554, OUTCOME_REFUSED, "REST is for TYPE I");
    else if (v.answer != ACCESS_YES)
        refuse_verdict(s, v);
    else if (may_touch(s) && (answer = begin(s, kind, offset, v)) != UPLOAD_FINE)
        refuse_answer(s, answer);
    if (s->upload)
        s->transfer = FTP_TRANSFER_STORE;
    if (!s->transfer) {
        ftp_data_drop(s);
        return;
    }
    s->ascii = (struct ftp_ascii){ 0 };
    s->unique = kind == KIND_UNIQUE;
    ftp_transfer_begin(s);
}

/* A name that leads out leaves neither offset nor data connection. */
static bool aim(struct ftp_session *s, struct slice argument)
{
    if (ftp_name_aim(s, argument))
        return true;
    s->rest = 0;
    ftp_data_drop(s);
    return false;
}

void ftp_write_stor(struct ftp_session *s, struct slice argument)
{
    if (aim(s, argument))
        store(s, KIND_STORE);
}

void ftp_write_appe(struct ftp_session *s, struct slice argument)
{
    if (aim(s, argument))
        store(s, KIND_APPEND);
}

/* A name that nobody else draws; what the client proposes stands before it (RFC 959 4.1.3). */
void ftp_write_stou(struct ftp_session *s, struct slice argument)
{
    char text[FTP_PATH_BYTES_MAX];
    struct buf out = BUF_ON(text);
    uint32_t random = 0;
    struct slice wish = slice_trim(argument);
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        ftp_session_reply(s, 451, "No name could be made.");
        return;
    }
    buf_text(&out, wish.len ? wish : SLICE("file"));
    buf_format(&out, ".%08x", random);
    s->rest = 0;
    if (aim(s, buf_ok(&out) ? buf_slice(&out) : argument))
        store(s, KIND_UNIQUE);
}

/* --- without a body --- */

static void changed(struct ftp_session *s, enum upload_answer answer, unsigned code, const char *what)
{
    if (answer != UPLOAD_FINE) {
        refuse_answer(s, answer);
        return;
    }
    ftp_transfer_note(s, code, OUTCOME_STORED, what);
    if (code != 257) {
        ftp_session_reply(s, code, what);
        return;
    }
    struct buf out = ftp_session_out(s);
    ftp_put_path(&out, code, ftp_name(s), what);
    ftp_session_said(s, &out);
}

void ftp_write_dele(struct ftp_session *s, struct slice argument)
{
    struct caller caller = ftp_caller(s);
    if (aim_to_change(s, argument))
        changed(s, change_remove(s->service->worker, &caller, ftp_name(s)), 250, "removed");
}

void ftp_write_mkd(struct ftp_session *s, struct slice argument)
{
    struct caller caller = ftp_caller(s);
    if (aim_to_change(s, argument))
        changed(s, change_make_directory(s->service->worker, &caller, ftp_name(s)), 257, "made");
}

void ftp_write_rmd(struct ftp_session *s, struct slice argument)
{
    struct caller caller = ftp_caller(s);
    if (aim_to_change(s, argument))
        changed(s, change_remove_directory(s->service->worker, &caller, ftp_name(s)), 250, "directory removed");
}

void ftp_write_forget(struct ftp_session *s)
{
    free(s->renaming);
    s->renaming = NULL;
}

/* What it is called now; whether it may be renamed is told here already, as far as it can be. */
void ftp_write_rnfr(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    if (!aim_to_change(s, argument))
        return;
    struct access_verdict v = judge_writing(s);
    if (v.answer == ACCESS_YES && v.write < ACCESS_WRITE_OVERWRITE)
        v = (struct access_verdict){ ACCESS_NO, "what is there may not be changed", v.write };
    if (v.answer != ACCESS_YES) {
        refuse_verdict(s, v);
        return;
    }
    struct tree_question question = { ftp_name(s) };
    enum tree_answer answer = tree_ask(s->service->worker->tree, &question, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (answer != TREE_FILE && answer != TREE_DIRECTORY) {
        ftp_name_refuse(s, answer);
        return;
    }
    s->renaming = strndup(s->name, s->name_len);
    ftp_session_reply(s, s->renaming ? 350 : 451, s->renaming ? "RNTO next." : "out of memory");
}

void ftp_write_rnto(struct ftp_session *s, struct slice argument)
{
    struct caller caller = ftp_caller(s);
    if (!s->renaming) {
        ftp_session_reply(s, 503, "RNFR first.");
        return;
    }
    if (aim_to_change(s, argument))
        changed(s, change_rename(s->service->worker, &caller, slice_str(s->renaming), ftp_name(s)), 250,
                "renamed");
    ftp_write_forget(s);
}

/* Nothing is reserved, but clients say how much they will send. */
void ftp_write_allo(struct ftp_session *s, struct slice argument)
{
    struct slice rest = slice_trim(argument), size = SLICE_NONE;
    uint64_t bytes;
    slice_cut(&rest, ' ', &size);
    if (slice_u64(size, 0, FTP_OFFSET_MAX, &bytes))
        ftp_session_reply(s, 202, "Not needed.");
    else
        ftp_session_reply(s, 501, "ALLO takes a number of bytes.");
}

/* Permissions and times are the server's to set. */
void ftp_write_site(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, 502, "No SITE command is served.");
}
