#include "server/ftp_verbs.h"

void ftp_read_retr(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    uint64_t from = s->rest;
    unsigned code = 0;
    s->rest = 0;
    bool found = ftp_name_find(s, argument, &file);
    /* What SIZE has told the journal stands for this one only. */
    s->noted = false;
    if (!found) {
        ftp_data_drop(s);
        return;
    }
    s->file = file;
    s->holds_file = true;
    s->at = from;
    const char *fault = ftp_data_fault(s, &code);
    if (fault)
        ftp_transfer_refuse(s, code, OUTCOME_REFUSED, fault);
    else if (from > file.size)
        ftp_transfer_refuse(s, 554, OUTCOME_REFUSED, "REST is past the end");
    else if (from && !s->binary)
        ftp_transfer_refuse(s, 554, OUTCOME_REFUSED, "REST is for TYPE I");
    else if (!s->binary && !ftp_chunk_new(s))
        ftp_transfer_refuse(s, 451, OUTCOME_BROKEN, "out of memory");
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

void ftp_read_size(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    struct buf out;
    if (!s->binary) {
        ftp_session_reply(s, 550, "SIZE is for TYPE I.");
        return;
    }
    if (!ftp_name_find(s, argument, &file))
        return;
    out = ftp_session_out(s);
    buf_format(&out, "213 %llu\r\n", (unsigned long long)file.size);
    ftp_session_said(s, &out);
    tree_file_release(&file);
}

void ftp_read_mdtm(struct ftp_session *s, struct slice argument)
{
    struct tree_file file;
    struct buf out;
    if (!ftp_name_find(s, argument, &file))
        return;
    out = ftp_session_out(s);
    buf_str(&out, "213 ");
    ftp_put_time(&out, file.mtime.tv_sec);
    buf_str(&out, "\r\n");
    ftp_session_said(s, &out);
    tree_file_release(&file);
}
