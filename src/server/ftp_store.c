/* Bytes that come over the data connection: STOR, APPE, STOU. */
#include "server/ftp_verbs.h"

#include <errno.h>

/* So much in one go, then the others get their turn. */
#define RECEIVE_BYTES_A_ROUND ((size_t)1024 * 1024)

unsigned ftp_store_code(enum upload_answer answer)
{
    static const uint16_t codes[UPLOAD_ANSWERS] = {
        [UPLOAD_FINE] = 226,       [UPLOAD_OFF] = 550,       [UPLOAD_BAD_NAME] = 553,
        [UPLOAD_STRANGER] = 550,   [UPLOAD_FORBIDDEN] = 550, [UPLOAD_NO_DIRECTORY] = 550,
        [UPLOAD_ABSENT] = 550,     [UPLOAD_EXISTS] = 550,    [UPLOAD_NOT_EMPTY] = 550,
        [UPLOAD_BAD_OFFSET] = 554, [UPLOAD_TOO_LARGE] = 552, [UPLOAD_FULL] = 452,
        [UPLOAD_BUSY] = 450,       [UPLOAD_TOO_OFTEN] = 450, [UPLOAD_READ_ONLY] = 550,
        [UPLOAD_BROKEN] = 451,
    };
    return codes[answer];
}

static void end_as(struct ftp_session *s, enum upload_answer answer)
{
    bool broken = answer == UPLOAD_BROKEN;
    if (answer == UPLOAD_FINE)
        ftp_transfer_end(s, 226, OUTCOME_STORED, NULL);
    else
        ftp_transfer_end(s, ftp_store_code(answer), broken ? OUTCOME_BROKEN : OUTCOME_REFUSED,
                         upload_answer_words(answer));
}

static void on_stored(void *context, enum upload_answer answer)
{
    struct ftp_session *s = context;
    s->upload = NULL;
    s->storing = false;
    end_as(s, answer);
    ftp_session_run(s);
}

/* TYPE A: `bytes` has one byte of room before it. */
static enum upload_answer take(struct ftp_session *s, char *bytes, size_t len)
{
    struct slice text = slice_of(bytes, len);
    struct buf out = buf_on(bytes - 1, len + 1);
    if (!s->binary) {
        ftp_ascii_decode(&s->ascii, text, &out);
        text = buf_slice(&out);
    }
    s->sent += len;
    return text.len ? upload_write(s->upload, text) : UPLOAD_FINE;
}

/* Only a client that is there waits for a reply; one that has died may have had more to send. From here on the
 * file is stored whatever comes. */
static void finish(struct ftp_session *s)
{
    char last;
    struct buf out = buf_on(&last, 1);
    enum upload_answer answer = UPLOAD_FINE;
    if (!ftp_session_is_there(s)) {
        ftp_transfer_end(s, 426, OUTCOME_STOPPED, "the peer went away");
        return;
    }
    ftp_ascii_decode_end(&s->ascii, &out);
    if (out.len)
        answer = upload_write(s->upload, buf_slice(&out));
    if (answer != UPLOAD_FINE) {
        end_as(s, answer);
        return;
    }
    ftp_data_close(s, false);
    ftp_data_drop(s);
    s->storing = true;
    upload_commit(s->upload, on_stored, s);
}

static void on_quiet(struct timer *timer)
{
    struct ftp_session *s = container_of(timer, struct ftp_session, data_timer);
    finish(s);
    ftp_session_run(s);
}

/* TLS says itself that nothing is missing. */
static void at_end(struct ftp_session *s)
{
    if (s->data->stream.filtered) {
        finish(s);
        return;
    }
    stream_wait(&s->data->stream, 0);
    loop_timer(ftp_loop(s), &s->data_timer, FTP_LAST_WORD_MS, on_quiet);
}

enum ftp_progress ftp_store_pull(struct ftp_session *s)
{
    struct ftp_service *service = s->service;
    for (size_t done = 0; done < RECEIVE_BYTES_A_ROUND;) {
        ssize_t n = stream_read(&s->data->stream, service->received + 1, sizeof service->received - 1);
        if (n == -EAGAIN)
            return FTP_PROGRESS_BLOCKED;
        if (n < 0)
            return FTP_PROGRESS_GONE;
        if (n == 0) {
            at_end(s);
            return FTP_PROGRESS_ENDED;
        }
        done += (size_t)n;
        enum upload_answer answer = take(s, service->received + 1, (size_t)n);
        if (answer != UPLOAD_FINE) {
            end_as(s, answer);
            return FTP_PROGRESS_ENDED;
        }
    }
    return FTP_PROGRESS_BLOCKED;
}

void ftp_store_let_go(struct ftp_session *s)
{
    if (s->upload && s->storing)
        upload_leave(s->upload);
    else if (s->upload)
        upload_abort(s->upload);
    s->upload = NULL;
    s->storing = false;
}
