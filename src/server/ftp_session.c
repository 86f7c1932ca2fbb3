#include "server/ftp_session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

_Static_assert(sizeof(struct ftp_session) + sizeof(struct ftp_data) <= FTP_SESSION_BYTES_MAX, "a session grew");

/* A client that pipelines without end lets the others have their turn after so many full readers. */
#define READS_A_ROUND 4

/* --- what is said --- */

struct buf ftp_session_out(struct ftp_session *s)
{
    return buf_on(s->out + s->out_len, sizeof s->out - s->out_len);
}

void ftp_session_said(struct ftp_session *s, const struct buf *out)
{
    s->out_len = (uint16_t)(s->out_len + out->len);
}

void ftp_session_reply(struct ftp_session *s, unsigned code, const char *text)
{
    struct buf out = ftp_session_out(s);
    ftp_put_reply(&out, code, text);
    ftp_session_said(s, &out);
}

/* 0 when all is out, -EAGAIN, or the error of a broken connection. */
static int flush(struct ftp_session *s)
{
    while (s->out_at < s->out_len) {
        struct slice rest = slice_of(s->out + s->out_at, (size_t)(s->out_len - s->out_at));
        ssize_t n = stream_write(&s->control, rest, SLICE_NONE, false);
        if (n < 0)
            return (int)n;
        s->out_at = (uint16_t)(s->out_at + n);
    }
    s->out_at = s->out_len = 0;
    return 0;
}

static bool has_room(const struct ftp_session *s)
{
    return s->out_len <= FTP_REPLY_BATCH;
}

/* --- the end --- */

static void on_closed(struct stream *stream)
{
    struct ftp_session *s = container_of(stream, struct ftp_session, control);
    struct ftp_service *service = s->service;
    free(s);
    ftp_service_let_go(service);
}

/* Whatever becomes of the connection: it counts no longer. */
static void leave(struct ftp_session *s)
{
    struct ftp_service *service = s->service;
    free(s->renaming);
    s->renaming = NULL;
    ftp_data_drop(s);
    timer_stop(&service->worker->loop.wheel, &s->timer);
    ftp_service_put(s, FTP_PLACE_NONE);
    peer_limits_end(service->limits, s->limit);
    service->slots--;
}

void ftp_session_drop(struct ftp_session *s, unsigned code, const char *text)
{
    struct ftp_service *service = s->service;
    if (s->transfer)
        ftp_transfer_end(s, 426, OUTCOME_STOPPED,
                         s->storing    ? "the session ended; the file is being stored"
                         : code == 421 ? "the server ended it"
                                       : "the session ended");
    if (text)
        ftp_session_reply(s, code, text);
    flush(s);
    leave(s);
    stream_close(&s->control, false); /* may free s */
    ftp_service_slot_freed(service);
}

static void say_last(struct stream *stream, unsigned code, const char *text)
{
    char bytes[128];
    struct buf out = BUF_ON(bytes);
    ftp_put_reply(&out, code, text);
    stream_write(stream, buf_slice(&out), SLICE_NONE, false);
    stream_close(stream, false);
}

static void on_refused_closed(struct stream *stream)
{
    (void)stream;
}

/* Whom there is no room for: told so in plain text, and gone at once. */
static void refuse(struct ftp_service *service, int fd, unsigned code, const char *text)
{
    struct stream stream;
    stream_open(&stream, &service->worker->loop, fd, NULL, on_refused_closed);
    say_last(&stream, code, text);
}

/* After AUTH TLS, with all replies before it out; who has not taken those is not waited for. What else was sent
 * in the clear is forgotten with the session. A worker for TLS says the reply. */
static void hand_over(struct ftp_session *s)
{
    struct ftp_service *service = s->service;
    union address peer = s->peer;
    if (flush(s)) {
        ftp_session_drop(s, 0, NULL);
        return;
    }
    leave(s);
    int fd = stream_release(&s->control); /* may free s */
    if (!ftp_relay_give(service->worker->ftp_relay, &service->at, fd, &peer))
        refuse(service, fd, 431, "No room for TLS: come back later.");
    ftp_service_slot_freed(service);
}

void ftp_session_retire(struct ftp_session *s)
{
    if (!s->transfer)
        ftp_session_drop(s, 421, "The server is stopping.");
}

/* --- going on --- */

static void on_late(struct timer *timer)
{
    struct ftp_session *s = container_of(timer, struct ftp_session, timer);
    ftp_session_drop(s, 421, s->logged_in ? "Nothing was said for too long." : "No login in time.");
}

/* A login has one term however much is said before it; a session has a new one with every command. */
static void restart_timer(struct ftp_session *s)
{
    const struct config *config = s->service->worker->config;
    if (s->transfer)
        timer_stop(&ftp_loop(s)->wheel, &s->timer);
    else if (s->logged_in)
        loop_timer(ftp_loop(s), &s->timer, (uint64_t)config->ftp_idle_s * 1000, on_late);
    else if (!timer_is_running(&s->timer))
        loop_timer(ftp_loop(s), &s->timer, (uint64_t)config->ftp_login_s * 1000, on_late);
}

void ftp_session_rested(struct ftp_session *s)
{
    restart_timer(s);
}

/* The next line, when it is its turn. */
static bool answer_line(struct ftp_session *s)
{
    struct slice line = SLICE_NONE;
    enum ftp_line found = ftp_reader_look(&s->reader, &line);
    bool waits = s->transfer && (s->storing || found == FTP_LINE_LONG || !ftp_command_is_urgent(line));
    if (found == FTP_LINE_MORE || waits)
        return false;
    if (found == FTP_LINE_LONG) {
        s->faults++;
        ftp_session_reply(s, 500, "Line too long.");
    } else {
        ftp_command_answer(s, line);
    }
    ftp_reader_take(&s->reader);
    restart_timer(s);
    return true;
}

/* Why a session without a transfer ends now; NULL: it goes on. */
static const char *last_word(const struct ftp_session *s, unsigned *ret_code)
{
    *ret_code = 421;
    if (s->faults >= FTP_FAULTS_MAX)
        return "Too much that was not understood.";
    if (s->service->draining)
        return "The server is stopping.";
    *ret_code = 221;
    return s->leaving ? "Goodbye." : NULL;
}

/* Bytes read, 0 when there is nothing to read now or no room, -errno when the connection is broken. */
static ssize_t receive(struct ftp_session *s)
{
    size_t room;
    char *into = ftp_reader_room(&s->reader, &room);
    if (room == 0 || s->ended)
        return 0;
    ssize_t n = stream_read(&s->control, into, room);
    if (n > 0)
        ftp_reader_add(&s->reader, (size_t)n);
    /* A read that was not filled has emptied the socket: no call to be told so. By TLS more may have been read
     * ahead. */
    s->drained = n != 0 && n < (ssize_t)room && !s->control.filtered;
    /* What it asked before it fell silent is still answered. */
    s->ended = n == 0;
    return n == -EAGAIN ? 0 : n;
}

bool ftp_session_is_there(struct ftp_session *s)
{
    return receive(s) >= 0 && !s->ended;
}

static void wait_for_more(struct ftp_session *s)
{
    size_t room;
    ftp_reader_room(&s->reader, &room);
    int event = s->out_len ? UV_WRITABLE : room && !s->ended ? UV_READABLE : 0;
    if (stream_wait(&s->control, event) != 0)
        ftp_session_drop(s, 0, NULL);
}

/* False: the session is gone. */
static bool end_if_due(struct ftp_session *s)
{
    unsigned code;
    const char *word = s->transfer ? NULL : last_word(s, &code);
    if (s->moving && !word) {
        hand_over(s);
        return false;
    }
    if (word)
        ftp_session_drop(s, code, word);
    return word == NULL;
}

/* A handshake that failed: the operator wants to know why. */
static void note_fault(struct ftp_session *s)
{
    const char *fault = stream_fault(&s->control);
    if (!fault || s->logged_in ||
        !fault_log_may_tell(&s->service->faults, s->limit, PROTOCOL_FTP, ftp_loop(s)->now_ms))
        return;
    s->name_len = 0;
    s->wall_ms = ftp_loop(s)->wall_ms;
    s->started_ms = ftp_loop(s)->now_ms;
    ftp_transfer_note(s, 0, OUTCOME_STOPPED, fault);
}

void ftp_session_run(struct ftp_session *s)
{
    unsigned reads = 0;
    for (;;) {
        while (has_room(s) && answer_line(s))
            if (!end_if_due(s))
                return;
        if (!end_if_due(s))
            return;
        int error = flush(s);
        ssize_t got = error || s->drained || reads++ == READS_A_ROUND ? 0 : receive(s);
        if ((error && error != -EAGAIN) || got < 0) {
            note_fault(s);
            ftp_session_drop(s, 0, NULL);
            return;
        }
        struct slice line;
        bool more = got > 0 || (!error && !s->transfer && ftp_reader_look(&s->reader, &line) != FTP_LINE_MORE);
        if (!more)
            break;
    }
    if (s->ended && !s->transfer && s->out_len == 0)
        ftp_session_drop(s, 0, NULL);
    else
        wait_for_more(s);
}

static void on_ready(struct stream *stream)
{
    struct ftp_session *s = container_of(stream, struct ftp_session, control);
    s->drained = false;
    ftp_session_run(s);
}

/* --- the beginning --- */

/* NULL: told that there is no room, and gone. */
static struct ftp_session *begin(struct ftp_service *service, int fd, const union address *peer)
{
    struct ftp_session *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return NULL;
    }
    s->service = service;
    s->peer = *peer;
    s->facts = FTP_FACTS_ALL;
    s->file.fd = -1;
    s->cwd[0] = '/';
    s->cwd_len = 1;
    if (service->draining || !ftp_service_admit(service, s)) {
        free(s);
        refuse(service, fd, 421,
               service->draining ? "The server is stopping." : "Too many sessions: come back later.");
        return NULL;
    }
    service->open++;
    stream_open(&s->control, &service->worker->loop, fd, on_ready, on_closed);
    return s;
}

void ftp_session_accept(struct ftp_service *service, int fd, const union address *peer)
{
    struct ftp_session *s = begin(service, fd, peer);
    if (!s)
        return;
    ftp_session_reply(s, 220, "dialtone");
    s->drained = true; /* it waits for this */
    restart_timer(s);
    ftp_session_run(s);
}

/* The last words in the clear, and the handshake follows. */
void ftp_session_take(struct ftp_service *service, int fd, const union address *peer)
{
    struct ftp_session *s = begin(service, fd, peer);
    if (!s)
        return;
    restart_timer(s);
    ftp_session_reply(s, 234, "Go on with TLS.");
    if (flush(s) || stream_filter_for(&s->control, service->worker->tls, TLS_FTP))
        ftp_session_drop(s, 0, NULL);
    else
        ftp_session_run(s);
}
