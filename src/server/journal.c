#include "server/journal.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "guide/model.h"
#include "guide/name.h"
#include "store/journal_store.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Two such queues of half a kilobyte an event: the workers fill one while the thread empties the other. Room
 * for 160,000 requests a second at the pace below. */
#define QUEUE_EVENTS ((size_t)8192)
/* After the first event the thread waits this long for more, so that a burst is one transaction. */
#define GATHER_MS 50
/* A line is at most this long: a name of 256 bytes may grow fourfold when escaped. */
#define LINE_BYTES 2048
/* A pipe takes this much whole or not at all (PIPE_BUF), so lines of others do not fall in between. */
#define WRITE_BYTES 4096
#define WRITE_WAIT_MS 1000
/* Rows are prepared and committed so many at once. */
#define BATCH_ROWS ((size_t)512)

struct queue {
    struct journal_event *events;
    size_t count;
};

struct journal {
    pthread_mutex_t lock;
    pthread_cond_t some, many; /* the first event has come; half of the queue is full, or it ends */
    struct queue queue[2];
    struct queue *filling;
    uint64_t dropped; /* since it was last said */
    bool closing, running;
    pthread_t thread;

    /* The thread's own. */
    struct journal_store *store;
    struct arena arena; /* texts of one batch of rows */
    int line_fd;
    bool told_lines;
    uint64_t lines_lost;
    char out[WRITE_BYTES];
    size_t out_len, out_lines;
};

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = { "sent",   "unchanged", "absent", "refused",
                                         "broken", "stopped",   "stored", "removed" };
    return names[outcome];
}

void journal_event_set_name(struct journal_event *e, struct slice name)
{
    e->name_len = (uint8_t)(name.len < UINT8_MAX ? name.len : UINT8_MAX);
    if (e->name_len)
        memcpy(e->name, name.ptr, e->name_len);
}

void journal_event_set_agent(struct journal_event *e, struct slice agent)
{
    e->agent_len = (uint8_t)(agent.len < JOURNAL_AGENT_BYTES ? agent.len : JOURNAL_AGENT_BYTES);
    if (e->agent_len)
        memcpy(e->agent, agent.ptr, e->agent_len);
}

/* Who asked, as far as the name and the User-Agent tell; texts in an arena. */
struct who {
    struct slice mac, model, firmware;
    const char *meaning;
};

static const struct model *model_of_name(const struct name_meaning *m)
{
    const struct model *first = m->has_common_cfg ? model_by_common_cfg(m->common_cfg, NULL) : NULL;
    /* A number that several models share does not tell which one asks. */
    return first && !model_by_common_cfg(m->common_cfg, first) ? first : NULL;
}

static struct who who_asked(const struct journal_event *e, struct arena *arena)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct name_meaning m = name_meaning(slice_of(e->name, e->name_len));
    struct user_agent agent = user_agent_parse(slice_of(e->agent, e->agent_len));
    const struct model *model = agent.model ? agent.model : model_of_name(&m);
    struct who who = { SLICE_NONE, SLICE_NONE, SLICE_NONE, e->meaning ? e->meaning : name_kind_words(m.kind) };
    if (model)
        who.model = model->name.len ? model->name : model->product;
    /* What is proven goes before what the request says, the phone's own word, and that before the name: one may fetch
     * another's file. */
    const struct mac *proven = journal_event_certificate(e);
    if (proven || e->has_mac || agent.has_mac || m.has_mac) {
        mac_print_colons(proven ? *proven : e->has_mac ? e->mac : agent.has_mac ? agent.mac : m.mac, &out);
        arena_copy(arena, buf_slice(&out), &who.mac);
    }
    if (agent.has_firmware) {
        out = BUF_ON(bytes);
        firmware_print(agent.firmware, &out);
        arena_copy(arena, buf_slice(&out), &who.firmware);
    }
    return who;
}

static struct slice escaped_copy(struct slice text, struct arena *arena)
{
    char bytes[4 * JOURNAL_NAME_BYTES];
    struct buf out = BUF_ON(bytes);
    struct slice copy = SLICE_NONE;
    buf_escaped(&out, text);
    arena_copy(arena, buf_slice(&out), &copy);
    return copy;
}

static struct slice peer_text(const union address *peer, struct arena *arena)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct slice copy = SLICE_NONE;
    address_print(peer, &out);
    arena_copy(arena, buf_slice(&out), &copy);
    return copy;
}

static struct slice certificate_text(const struct journal_event *e, const struct who *who)
{
    static const char *const words[] = { "", "bad", "generic" };
    return e->certificate == JOURNAL_CERTIFICATE_MAC ? who->mac : slice_str(words[e->certificate]);
}

static struct journal_row row_of(const struct journal_event *e, struct arena *arena)
{
    struct who who = who_asked(e, arena);
    return (struct journal_row){
        .time_ms = e->wall_ms,
        .protocol = slice_str(protocol_name(e->protocol)),
        .peer = peer_text(&e->peer, arena),
        .mac = who.mac,
        .model = who.model,
        .firmware = who.firmware,
        .name = escaped_copy(slice_of(e->name, e->name_len), arena),
        .meaning = slice_str(who.meaning),
        .outcome = slice_str(outcome_name(e->outcome)),
        .reason = slice_str(e->reason),
        .bytes = e->bytes,
        .ms = e->duration_ms,
        .code = e->code,
        .certificate = certificate_text(e, &who),
    };
}

static bool write_out(int fd, struct slice bytes, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    while (bytes.len) {
        int ready = poll(&p, 1, wait_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || p.revents & (POLLERR | POLLNVAL))
            return false;
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (done < 0)
            return false;
        bytes = slice_from(bytes, (size_t)done);
    }
    return true;
}

static void flush_lines(struct journal *j)
{
    /* A reader that did not read once is not waited for again, until it does. */
    bool ok = write_out(j->line_fd, slice_of(j->out, j->out_len), j->told_lines ? 0 : WRITE_WAIT_MS);
    if (!ok && !j->told_lines)
        log_error("the journal's lines are lost: nobody takes them, or the disk is full");
    j->told_lines = !ok;
    j->lines_lost += ok ? 0 : j->out_lines;
    j->out_len = j->out_lines = 0;
}

static void put_line(struct journal *j, struct slice line)
{
    if (line.len > sizeof j->out - j->out_len)
        flush_lines(j);
    memcpy(j->out + j->out_len, line.ptr, line.len);
    j->out_len += line.len;
    j->out_lines++;
}

static void put_known(struct buf *out, struct slice text)
{
    buf_byte(out, ' ');
    buf_text(out, text.len ? text : SLICE("-"));
}

static void print_row(const struct journal_row *row, bool with_code, struct buf *out)
{
    clock_print_wall(row->time_ms, out);
    put_known(out, row->protocol);
    put_known(out, row->peer);
    put_known(out, row->mac);
    put_known(out, row->model);
    put_known(out, row->firmware);
    put_known(out, row->meaning);
    buf_str(out, " \"");
    buf_text(out, row->name);
    buf_str(out, "\" ");
    buf_text(out, row->outcome);
    if (row->code && with_code)
        buf_format(out, " %u", row->code);
    if (row->reason.len) {
        buf_str(out, " (");
        buf_text(out, row->reason);
        buf_str(out, ")");
    }
    buf_format(out, " %llu B %u ms", (unsigned long long)row->bytes, row->ms);
    if (row->certificate.len) {
        buf_str(out, " certificate ");
        buf_text(out, row->certificate);
    }
    buf_byte(out, '\n');
}

static void write_lines(struct journal *j, const struct journal_event *events, const struct journal_row *rows,
                        size_t count)
{
    char bytes[LINE_BYTES];
    for (size_t i = 0; j->line_fd >= 0 && i < count; i++) {
        struct buf out = BUF_ON(bytes);
        print_row(&rows[i], events[i].protocol != PROTOCOL_TFTP, &out);
        if (buf_ok(&out))
            put_line(j, buf_slice(&out));
    }
    if (j->out_lines)
        flush_lines(j);
}

static void write_dropped(struct journal *j, uint64_t dropped)
{
    char bytes[LINE_BYTES];
    struct buf out = BUF_ON(bytes);
    if (j->line_fd < 0 || (!dropped && !j->lines_lost))
        return;
    clock_print_wall(clock_wall_ms(&clock_system), &out);
    buf_format(&out, " journal %llu events dropped, %llu lines lost\n", (unsigned long long)dropped,
               (unsigned long long)j->lines_lost);
    j->lines_lost = 0;
    put_line(j, buf_slice(&out));
}

static void write_queue(struct journal *j, struct queue *q, uint64_t dropped)
{
    struct journal_row rows[BATCH_ROWS];
    write_dropped(j, dropped);
    for (size_t at = 0; at < q->count; at += BATCH_ROWS) {
        size_t count = q->count - at < BATCH_ROWS ? q->count - at : BATCH_ROWS;
        arena_reset(&j->arena);
        for (size_t i = 0; i < count; i++)
            rows[i] = row_of(&q->events[at + i], &j->arena);
        write_lines(j, q->events + at, rows, count);
        if (j->store)
            journal_store_add(j->store, rows, count);
    }
    q->count = 0;
}

static void gather(struct journal *j)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GATHER_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    while (!j->closing && j->filling->count < QUEUE_EVENTS / 2)
        if (pthread_cond_timedwait(&j->many, &j->lock, &until) == ETIMEDOUT)
            break;
}

static void *run(void *context)
{
    struct journal *j = context;
    pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!j->filling->count && !j->closing)
            pthread_cond_wait(&j->some, &j->lock);
        if (!j->filling->count && j->closing)
            break;
        gather(j);
        struct queue *full = j->filling;
        uint64_t dropped = j->dropped;
        j->filling = full == &j->queue[0] ? &j->queue[1] : &j->queue[0];
        j->dropped = 0;
        pthread_mutex_unlock(&j->lock);
        write_queue(j, full, dropped);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

void journal_note(struct journal *j, const struct journal_event *e)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    struct queue *q = j->filling;
    if (q->count == QUEUE_EVENTS) {
        j->dropped++;
    } else {
        q->events[q->count++] = *e;
        if (q->count == 1)
            pthread_cond_signal(&j->some);
        if (q->count == QUEUE_EVENTS / 2)
            pthread_cond_signal(&j->many);
    }
    pthread_mutex_unlock(&j->lock);
}

static void free_journal(struct journal *j)
{
    journal_store_close(j->store);
    arena_free(&j->arena);
    pthread_cond_destroy(&j->some);
    pthread_cond_destroy(&j->many);
    pthread_mutex_destroy(&j->lock);
    free(j->queue[0].events);
    free(j->queue[1].events);
    free(j);
}

int journal_open(const struct journal_options *options, struct journal **ret_journal)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->some, NULL);
    pthread_cond_init(&j->many, &monotonic);
    pthread_condattr_destroy(&monotonic);
    arena_init(&j->arena, BATCH_ROWS * LINE_BYTES);
    j->line_fd = options->line_fd;
    j->filling = &j->queue[0];
    for (size_t i = 0; i < 2; i++)
        if (!(j->queue[i].events = calloc(QUEUE_EVENTS, sizeof *j->queue[i].events))) {
            free_journal(j);
            return -ENOMEM;
        }
    if (options->database)
        journal_store_open(options->database,
                           options->rows_max ? options->rows_max : JOURNAL_STORE_ROWS_DEFAULT, &j->store);
    *ret_journal = j;
    return 0;
}

void journal_requests(struct journal *j, uint64_t limit, journal_store_visit *visit, void *context)
{
    if (j && j->store)
        journal_store_requests(j->store, limit, visit, context);
}

int journal_start(struct journal *j)
{
    int error = -pthread_create(&j->thread, NULL, run, j);
    j->running = !error;
    return error;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->closing = true;
    pthread_cond_signal(&j->some);
    pthread_cond_signal(&j->many);
    pthread_mutex_unlock(&j->lock);
    if (j->running)
        pthread_join(j->thread, NULL);
    free_journal(j);
}
