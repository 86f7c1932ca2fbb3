#include "net/socket.h"
#include "server/ftp_session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void on_data_late(struct timer *timer);

/* --- the connection --- */

static void on_closed(struct stream *stream)
{
    struct ftp_data *d = container_of(stream, struct ftp_data, stream);
    struct ftp_service *service = d->service;
    free(d);
    ftp_service_let_go(service);
}

static void on_ready(struct stream *stream)
{
    struct ftp_data *d = container_of(stream, struct ftp_data, stream);
    struct ftp_session *s = d->session;
    if (!s)
        return;
    if (d->connecting && stream_connected(stream)) {
        ftp_transfer_end(s, 425, OUTCOME_STOPPED, "no data connection could be made");
    } else {
        bool takes_turns = !d->connecting && s->transfer == FTP_TRANSFER_FILE;
        d->connecting = false;
        if (takes_turns) {
            ftp_transfer_take_turn(s);
            return;
        }
        ftp_transfer_advance(s);
    }
    ftp_session_run(s);
}

/* Takes over `fd`. */
static bool open_data(struct ftp_session *s, int fd, bool connecting)
{
    struct ftp_data *d = calloc(1, sizeof *d);
    if (!d) {
        close(fd);
        return false;
    }
    d->service = s->service;
    d->session = s;
    d->connecting = connecting;
    d->service->open++;
    stream_open(&d->stream, ftp_loop(s), fd, on_ready, on_closed);
    stream_pace(&d->stream, service_rate(d->service->worker->config->ftp_rate_bytes));
    s->data = d;
    return true;
}

void ftp_data_close(struct ftp_session *s, bool abort)
{
    struct ftp_data *d = s->data;
    if (!d)
        return;
    s->data = NULL;
    d->session = NULL;
    loop_drop_turn(ftp_loop(s), &d->turn);
    stream_close(&d->stream, abort); /* may free d */
}

static void give_port_back(struct ftp_session *s)
{
    if (s->port)
        ftp_ports_give_back(s->service->ports, s->port);
    s->port = NULL;
}

void ftp_data_drop(struct ftp_session *s)
{
    timer_stop(&ftp_loop(s)->wheel, &s->data_timer);
    give_port_back(s);
    ftp_data_close(s, true);
    s->active_port = 0;
}

static void wait_for_data(struct ftp_session *s)
{
    loop_timer(ftp_loop(s), &s->data_timer, FTP_DATA_WAIT_S * 1000, on_data_late);
}

uint16_t ftp_data_listen(struct ftp_session *s)
{
    ftp_data_drop(s);
    s->port = ftp_ports_lend(s->service->ports, s);
    if (!s->port)
        return 0;
    wait_for_data(s);
    return ftp_port_number(s->port);
}

const char *ftp_data_fault(const struct ftp_session *s, unsigned *ret_code)
{
    if (!s->data && !s->port && !s->active_port) {
        *ret_code = 425;
        return "no PASV, EPSV, PORT or EPRT came before";
    }
    if (ftp_needs_tls(s) && !s->private) {
        *ret_code = 521;
        return "no PROT P came before";
    }
    return NULL;
}

/* Only the phone itself is let in; whoever else found the port is sent away, and the port waits on. */
static void on_accepted(void *context, int fd, const union address *peer)
{
    struct ftp_session *s = context;
    if (!address_same_host(peer, &s->peer)) {
        close(fd);
        return;
    }
    give_port_back(s);
    if (!open_data(s, fd, false)) {
        if (s->transfer)
            ftp_transfer_end(s, 425, OUTCOME_BROKEN, "out of memory");
    } else if (s->transfer) {
        ftp_transfer_advance(s);
    } else {
        wait_for_data(s);
        return;
    }
    ftp_session_run(s);
}

static void on_lost(void *context)
{
    struct ftp_session *s = context;
    s->port = NULL;
    if (!s->transfer) {
        ftp_data_drop(s);
        return;
    }
    ftp_transfer_end(s, 425, OUTCOME_STOPPED, "the data port was needed elsewhere");
    /* Its reply goes out when its turn comes: this is another session's. */
    stream_wait(&s->control, UV_WRITABLE);
}

const struct ftp_borrower ftp_data_borrower = { on_accepted, on_lost };

static void on_data_late(struct timer *timer)
{
    struct ftp_session *s = container_of(timer, struct ftp_session, data_timer);
    if (!s->transfer) {
        ftp_data_drop(s);
        return;
    }
    ftp_transfer_end(s, 425, OUTCOME_STOPPED, "no data connection came in time");
    ftp_session_run(s);
}

bool ftp_data_connect(struct ftp_session *s)
{
    union address to = s->peer;
    int fd;
    address_set_port(&to, s->active_port);
    s->active_port = 0;
    if (socket_connect(&to, &fd) || !open_data(s, fd, true))
        return false;
    wait_for_data(s);
    return stream_wait(&s->data->stream, UV_WRITABLE) == 0;
}
