#include "server/ftp_verbs.h"

#include <errno.h>
#include <stdlib.h>

#define NAME_BYTES_MAX 255

static void on_send_check(struct timer *timer);

/* --- what goes over it --- */

static void put_entry(const struct ftp_session *s, const struct ftp_entry *entry, struct buf *out)
{
    switch ((enum ftp_list)s->list) {
    case FTP_LIST_NAMES:
        /* As it was asked for, so that it can be fetched as it stands (RFC 1123 4.1.2.7). */
        buf_text(out, entry->name);
        break;
    case FTP_LIST_LONG:
        ftp_put_long_line(out, entry, ftp_loop(s)->wall_ms / 1000);
        break;
    case FTP_LIST_FACTS:
        ftp_put_facts_line(out, entry, s->facts);
        break;
    }
    buf_str(out, "\r\n");
}

static struct slice directory_of(const struct ftp_session *s)
{
    return s->pattern_at > 1 ? slice_first(ftp_name(s), s->pattern_at - 1u)
           : s->pattern_at   ? SLICE("/")
                             : ftp_name(s);
}

/* Some entries more. The end of the directory closes the listing. */
static void refill_from_listing(struct ftp_session *s)
{
    struct ftp_chunk *c = s->chunk;
    struct buf out = BUF_ON(c->text);
    struct slice pattern = s->pattern_at ? slice_from(ftp_name(s), s->pattern_at) : SLICE("*");
    enum tree_step step = TREE_STEP_NOTHING;
    for (unsigned i = 0; i < FTP_LIST_STEPS && step <= TREE_STEP_NOTHING; i++) {
        struct tree_entry e;
        if (out.cap - out.len < FTP_LISTING_LINE_BYTES + NAME_BYTES_MAX)
            break;
        step = tree_listing_next(c->listing, &e);
        if (step != TREE_STEP_ENTRY || !ftp_pattern_matches(pattern, e.name))
            continue;
        struct ftp_entry entry = { e.name, e.is_directory, e.size, e.mtime_s, false, false };
        if (ftp_name_see(s, directory_of(s), &entry))
            put_entry(s, &entry, &out);
    }
    c->at = 0;
    c->len = out.len;
    if (step <= TREE_STEP_NOTHING)
        return;
    s->list_cut = step != TREE_STEP_END;
    tree_listing_close(c->listing);
    c->listing = NULL;
}

static int refill_from_file(struct ftp_session *s)
{
    struct ftp_chunk *c = s->chunk;
    struct buf out = BUF_ON(c->text);
    char *input = s->service->input;
    ssize_t n = tree_file_read(&s->file, s->at, input, sizeof s->service->input);
    if (n < 0)
        return (int)n;
    /* Doubled it still fits. */
    ftp_ascii_encode(&c->ascii, slice_of(input, (size_t)n), &out);
    s->at += (uint64_t)n;
    c->at = 0;
    c->len = out.len;
    return 0;
}

static bool has_more(const struct ftp_session *s)
{
    if (s->chunk && (s->chunk->at < s->chunk->len || s->chunk->listing))
        return true;
    return s->transfer == FTP_TRANSFER_FILE && s->at < s->file.size;
}

/* Bytes that went, 0 when there was nothing to send yet, or a negative errno. */
static ssize_t push_chunk(struct ftp_session *s)
{
    struct ftp_chunk *c = s->chunk;
    int error = 0;
    if (c->at == c->len && c->listing)
        refill_from_listing(s);
    else if (c->at == c->len)
        error = refill_from_file(s);
    if (error)
        return -ESTALE;
    if (c->at == c->len)
        return 0;
    ssize_t n = stream_write(&s->data->stream, slice_of(c->text + c->at, c->len - c->at), SLICE_NONE, false);
    c->at += n > 0 ? (size_t)n : 0;
    return n;
}

static ssize_t push_file(struct ftp_session *s, size_t limit)
{
    const struct blob *blob = s->file.blob;
    int fd = blob ? blob_descriptor(blob) : s->file.fd;
    uint64_t left = s->file.size - s->at;
    size_t len = left < limit ? (size_t)left : limit;
    ssize_t n;
    if (blob && fd < 0)
        n = stream_write(&s->data->stream, slice_first(slice_from(blob_bytes(blob), s->at), len), SLICE_NONE,
                         false);
    else if (!blob && !tree_file_unchanged(&s->file))
        return -ESTALE;
    else
        n = stream_send_file(&s->data->stream, fd, s->at, len);
    if (n == 0)
        return -ESTALE;
    s->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

static enum ftp_progress push(struct ftp_session *s)
{
    size_t done = 0;
    while (has_more(s)) {
        ssize_t n = s->chunk ? push_chunk(s) : push_file(s, STREAM_TURN_BYTES - done);
        if (n < 0 && n != -EAGAIN)
            return n == -ESTALE || n == -EIO ? FTP_PROGRESS_BROKEN : FTP_PROGRESS_GONE;
        s->sent += n > 0 ? (uint64_t)n : 0;
        done += n > 0 ? (size_t)n : 0;
        /* Nothing to send yet: a listing that looked at its share of entries for this round. */
        if (n == -EAGAIN || (n == 0 && has_more(s)))
            return FTP_PROGRESS_BLOCKED;
        /* A listing reads directories, which takes longer than copying. */
        if (s->chunk && s->chunk->listing)
            return FTP_PROGRESS_BLOCKED;
        if (done >= STREAM_TURN_BYTES && has_more(s))
            return FTP_PROGRESS_TURN_OVER;
    }
    return FTP_PROGRESS_DONE;
}

/* 0, -EAGAIN or what broke: TLS where PROT P asks for it. */
static int settle(struct ftp_session *s)
{
    struct stream *stream = &s->data->stream;
    int error = 0;
    if (s->private && !stream->filtered)
        error = stream_filter_for(stream, s->service->worker->tls, TLS_FTP_DATA);
    return error ? error : stream_settle(stream);
}

static enum ftp_progress go_on(struct ftp_session *s)
{
    int error = settle(s);
    if (error)
        return error == -EAGAIN   ? FTP_PROGRESS_BLOCKED
               : error == -ENOMEM ? FTP_PROGRESS_BROKEN
                                  : FTP_PROGRESS_GONE;
    return s->transfer == FTP_TRANSFER_STORE ? ftp_store_pull(s) : push(s);
}

static int waits_for(struct ftp_session *s)
{
    bool reads = s->transfer == FTP_TRANSFER_STORE && stream_settle(&s->data->stream) == 0;
    return reads ? UV_READABLE : UV_WRITABLE;
}

/* What TLS says of it is more than that it broke. */
static const char *why_gone(const struct ftp_session *s)
{
    const char *fault = stream_fault(&s->data->stream);
    return fault ? fault : "the peer went away";
}

static void watch_progress(struct ftp_session *s)
{
    if (!timer_is_running(&s->data_timer) || s->data_timer.fire != on_send_check)
        loop_timer(ftp_loop(s), &s->data_timer, FTP_SEND_CHECK_S * 1000, on_send_check);
}

static void on_turn(struct turn *turn)
{
    struct ftp_session *s = container_of(turn, struct ftp_data, turn)->session;
    ftp_transfer_advance(s);
    ftp_session_run(s);
}

void ftp_transfer_take_turn(struct ftp_session *s)
{
    stream_wait(&s->data->stream, 0);
    loop_take_turn(ftp_loop(s), &s->data->turn, on_turn);
    watch_progress(s);
}

void ftp_transfer_advance(struct ftp_session *s)
{
    switch (go_on(s)) {
    case FTP_PROGRESS_DONE:
        ftp_transfer_end(s, 226, OUTCOME_SENT, s->list_cut ? "the listing is not complete" : NULL);
        break;
    case FTP_PROGRESS_BLOCKED:
        if (stream_wait(&s->data->stream, waits_for(s)) != 0)
            ftp_transfer_end(s, 451, OUTCOME_BROKEN, "no room to wait for the peer");
        else
            watch_progress(s);
        break;
    case FTP_PROGRESS_TURN_OVER:
        ftp_transfer_take_turn(s);
        break;
    case FTP_PROGRESS_GONE:
        ftp_transfer_end(s, 426, OUTCOME_STOPPED, why_gone(s));
        break;
    case FTP_PROGRESS_BROKEN:
        ftp_transfer_end(s, 451, OUTCOME_BROKEN, "the file changed or could not be read");
        break;
    case FTP_PROGRESS_ENDED:
        break;
    }
}

static void on_send_check(struct timer *timer)
{
    struct ftp_session *s = container_of(timer, struct ftp_session, data_timer);
    int64_t taken = (int64_t)s->sent - (int64_t)stream_unacknowledged(&s->data->stream);
    if (taken - s->taken >= (int64_t)FTP_SEND_FLOOR_BYTES) {
        s->taken = taken;
        loop_timer(ftp_loop(s), &s->data_timer, FTP_SEND_CHECK_S * 1000, on_send_check);
        return;
    }
    ftp_transfer_end(s, 426, OUTCOME_STOPPED,
                     s->transfer == FTP_TRANSFER_STORE ? "sent too little for too long"
                                                       : "took too little for too long");
    ftp_session_run(s);
}

/* --- a transfer --- */

bool ftp_chunk_new(struct ftp_session *s)
{
    s->chunk = malloc(sizeof *s->chunk);
    if (!s->chunk)
        return false;
    s->chunk->listing = NULL;
    s->chunk->ascii = (struct ftp_ascii){ 0 };
    s->chunk->at = s->chunk->len = 0;
    return true;
}

void ftp_transfer_refuse(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason)
{
    ftp_transfer_note(s, code, outcome, reason);
    ftp_session_reply(s, code, reason);
}

void ftp_transfer_begin(struct ftp_session *s)
{
    s->sent = 0;
    s->taken = 0;
    s->faults = 0;
    s->list_cut = false;
    ftp_service_put(s, FTP_PLACE_BUSY);
    struct buf out = ftp_session_out(s);
    if (s->transfer == FTP_TRANSFER_FILE)
        buf_format(&out, "150 Here it comes (%llu bytes).\r\n", (unsigned long long)(s->file.size - s->at));
    else if (s->unique)
        buf_format(&out, "150 FILE: %.*s\r\n", SLICE_ARG(ftp_name(s)));
    else
        ftp_put_reply(&out, 150, s->transfer == FTP_TRANSFER_STORE ? "Send it." : "Here it comes.");
    ftp_session_said(s, &out);
    if (s->data)
        ftp_transfer_advance(s);
    else if (!s->port && !ftp_data_connect(s))
        ftp_transfer_end(s, 425, OUTCOME_STOPPED, "no data connection could be made");
}

void ftp_transfer_note(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason)
{
    struct journal_event e;
    memset(&e, 0, offsetof(struct journal_event, name));
    e.protocol = PROTOCOL_FTP;
    e.outcome = outcome;
    e.peer = s->peer;
    e.wall_ms = s->wall_ms;
    e.duration_ms = (uint32_t)(ftp_loop(s)->now_ms - s->started_ms);
    e.bytes = s->transfer ? s->sent : 0;
    e.code = (uint16_t)code;
    e.reason = reason;
    e.certificate = s->proven ? JOURNAL_CERTIFICATE_MAC : JOURNAL_CERTIFICATE_NONE;
    e.certificate_mac = s->certificate;
    journal_event_set_name(&e, ftp_name(s));
    journal_note(s->service->worker->journal, &e);
}

static void let_go(struct ftp_session *s)
{
    ftp_store_let_go(s);
    s->unique = false;
    if (s->chunk && s->chunk->listing)
        tree_listing_close(s->chunk->listing);
    free(s->chunk);
    s->chunk = NULL;
    if (s->holds_file)
        tree_file_release(&s->file);
    s->holds_file = false;
    s->transfer = FTP_TRANSFER_NONE;
}

void ftp_transfer_end(struct ftp_session *s, unsigned code, enum outcome outcome, const char *reason)
{
    char text[128];
    struct buf out = BUF_ON(text);
    ftp_transfer_note(s, code, outcome, reason);
    let_go(s);
    /* The end of the connection is the end of the file; a reset says that it is not. */
    ftp_data_close(s, code != 226);
    ftp_data_drop(s);
    ftp_service_put(s, FTP_PLACE_IDLE);
    buf_format(&out, "%s%s%s", code == 226 ? "Done" : "Not done", reason ? ": " : ".", reason ? reason : "");
    buf_terminate(&out);
    ftp_session_reply(s, code, text);
    ftp_session_rested(s);
}
