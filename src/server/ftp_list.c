#include "guide/name.h"
#include "server/ftp_verbs.h"
#include "server/guard.h"

#include <stdlib.h>

/* A name that is no directory may be a file: one line about it, for LIST, NLST and STAT. */
static bool describe_file(struct ftp_session *s, struct buf *out)
{
    struct tree_file file;
    enum tree_answer answer = ftp_name_ask(s, &file);
    if (answer != TREE_FILE) {
        ftp_name_refuse(s, answer);
        return false;
    }
    struct ftp_entry entry = { ftp_name(s), false, file.size, file.mtime.tv_sec, false, false };
    ftp_name_mark(s, entry.name, &entry);
    if (s->list == FTP_LIST_NAMES)
        buf_text(out, entry.name);
    else
        ftp_put_long_line(out, &entry, ftp_loop(s)->wall_ms / 1000);
    buf_str(out, "\r\n");
    tree_file_release(&file);
    return true;
}

/* A phone's own directory is as much a guess as its files. */
static enum tree_answer list_directory(struct ftp_session *s, struct slice directory, struct tree_listing **ret_listing)
{
    struct caller caller = ftp_caller(s);
    struct tree_file file;
    if (!ftp_name_may_read(s, directory))
        return TREE_FORBIDDEN;
    enum tree_answer answer = TREE_DIRECTORY;
    if (name_is_bound(directory))
        answer = guard_ask(s->service->worker, &caller, directory, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    return answer == TREE_GUARDED ? answer : tree_list(s->service->worker->tree, directory, ret_listing);
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
    enum tree_answer answer = list_directory(s, directory, &c->listing);
    if (answer == TREE_DIRECTORY)
        return true;
    if (answer != TREE_ABSENT || s->list == FTP_LIST_FACTS) {
        ftp_name_refuse(s, answer);
        return false;
    }
    bool found = describe_file(s, &out);
    c->len = out.len;
    return found;
}

static void list_as(struct ftp_session *s, struct slice argument, enum ftp_list kind)
{
    unsigned code = 0;
    s->rest = 0;
    s->list = (uint8_t)kind;
    if (!ftp_name_aim(s, argument)) {
        ftp_data_drop(s);
        return;
    }
    const char *fault = ftp_data_fault(s, &code);
    if (fault) {
        ftp_transfer_refuse(s, code, OUTCOME_REFUSED, fault);
    } else if (!ftp_chunk_new(s)) {
        ftp_transfer_refuse(s, 451, OUTCOME_BROKEN, "out of memory");
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

void ftp_list_list(struct ftp_session *s, struct slice argument)
{
    list_as(s, ftp_list_argument(argument), FTP_LIST_LONG);
}

void ftp_list_nlst(struct ftp_session *s, struct slice argument)
{
    list_as(s, ftp_list_argument(argument), FTP_LIST_NAMES);
}

void ftp_list_mlsd(struct ftp_session *s, struct slice argument)
{
    list_as(s, argument, FTP_LIST_FACTS);
}

void ftp_list_mlst(struct ftp_session *s, struct slice argument)
{
    struct tree_file file = { .fd = -1 };
    if (!ftp_name_aim(s, argument))
        return;
    enum tree_answer answer = ftp_name_ask(s, &file);
    if (answer != TREE_FILE && answer != TREE_DIRECTORY) {
        ftp_name_refuse(s, answer);
        return;
    }
    struct ftp_entry entry = { ftp_name(s), answer == TREE_DIRECTORY, file.size, file.mtime.tv_sec, false, false };
    ftp_name_mark(s, entry.name, &entry);
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

void ftp_list_stat(struct ftp_session *s, struct slice argument)
{
    char line[FTP_PATH_BYTES_MAX + FTP_LISTING_LINE_BYTES];
    struct buf text = BUF_ON(line);
    struct tree_file file;
    s->list = FTP_LIST_LONG;
    if (!ftp_name_aim(s, ftp_list_argument(argument)))
        return;
    enum tree_answer answer = ftp_name_ask(s, &file);
    if (answer == TREE_DIRECTORY) {
        ftp_session_reply(s, 504, "Directories by LIST or MLSD.");
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
