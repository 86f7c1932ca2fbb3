#include "bench/load.h"

#include "base/buf.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536

/* What the guide's phone says for one file, after its USER was refused. `%s` is the file's name. */
static const struct {
    const char *text;
    unsigned code, other; /* the replies that are good; `other` 0: one only */
} steps[] = {
    { NULL, 220, 0 },           { "USER anonymous\r\n", 331, 230 }, { "PASS \r\n", 230, 0 },
    { "TYPE I\r\n", 200, 0 },   { "PASV\r\n", 227, 0 },           { "SIZE %s\r\n", 213, 0 },
    { "RETR %s\r\n", 150, 125 }, { NULL, 226, 0 },                 { "QUIT\r\n", 221, 0 },
};
enum { STEP_PASV = 4, STEP_DONE = 7, STEPS = sizeof steps / sizeof *steps };

/* A path that the commands have room for. */
static bool prepare(struct load *load)
{
    return load->path.len + 16 < sizeof load->request_bytes;
}

static void close_data(struct load_client *client)
{
    if (client->ftp.has_data)
        close(client->ftp.data);
    client->ftp.has_data = false;
}

static void finish(struct load *load, struct load_client *client, enum load_outcome outcome)
{
    close_data(client);
    load_close(client);
    load_end(load, client, outcome);
}

static bool begin_connection(struct load *load, struct load_client *client, const struct sockaddr_in *to)
{
    return load_open(load, client, SOCK_STREAM, EPOLLIN) &&
           (connect(client->fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno == EINPROGRESS);
}

static void start(struct load *load, struct load_client *client)
{
    close_data(client);
    client->ftp = (struct ftp_state){ 0 };
    load_wait_ms(client, LOAD_STALL_MS);
    if (!begin_connection(load, client, &load->server))
        finish(load, client, LOAD_CONNECTION);
}

/* `227 ... (127,0,0,1,p,q)`. */
static bool connect_data(struct load *load, struct load_client *client, struct slice line)
{
    struct sockaddr_in to = load->server;
    struct slice rest = slice_from(line, slice_find(line, '(') + 1), part;
    uint64_t field[6];
    rest = slice_first(rest, slice_find(rest, ')'));
    for (size_t i = 0; i < 6; i++)
        if (!slice_cut(&rest, ',', &part) || !slice_u64(part, 0, 255, &field[i]))
            return false;
    to.sin_port = htons((uint16_t)(field[4] << 8 | field[5]));
    int control = client->fd;
    bool fine = begin_connection(load, client, &to);
    client->ftp.data = client->fd;
    client->ftp.has_data = client->fd >= 0;
    client->fd = control;
    return fine;
}

static bool say(struct load *load, struct load_client *client)
{
    char bytes[LOAD_HEAD_BYTES];
    struct buf out = BUF_ON(bytes);
    struct slice rest = slice_str(steps[client->ftp.step].text), before;
    while (slice_cut(&rest, '%', &before)) {
        buf_text(&out, before);
        if (rest.len) {
            buf_text(&out, load->path);
            rest = slice_from(rest, 1);
        }
    }
    return send(client->fd, bytes, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
}

/* The last reply of a file is good when its bytes are all there; the two may come in either order. */
static void go_on(struct load *load, struct load_client *client)
{
    struct ftp_state *ftp = &client->ftp;
    if (ftp->step == STEP_DONE && ftp->has_data)
        return;
    if (ftp->step == STEP_DONE && client->received != load->expected.len) {
        finish(load, client, LOAD_CONTENT);
        return;
    }
    if (++ftp->step == STEPS)
        finish(load, client, LOAD_OK);
    else if (steps[ftp->step].text && !say(load, client))
        finish(load, client, LOAD_CONNECTION);
}

/* One line of a reply. */
static void take_line(struct load *load, struct load_client *client, struct slice line)
{
    struct ftp_state *ftp = &client->ftp;
    uint64_t code = 0;
    if (line.len < 4 || line.ptr[3] != ' ' || !slice_u64(slice_first(line, 3), 100, 599, &code))
        return;
    if (ftp->said || (code != steps[ftp->step].code && code != steps[ftp->step].other)) {
        finish(load, client, code >= 400 ? LOAD_REFUSED : LOAD_MALFORMED);
    } else if (ftp->step == STEP_PASV && !connect_data(load, client, line)) {
        finish(load, client, LOAD_CONNECTION);
    } else if (ftp->step == STEP_DONE) {
        ftp->said = true;
        go_on(load, client);
        if (client->busy && ftp->step > STEP_DONE)
            ftp->said = false;
    } else {
        go_on(load, client);
    }
}

/* False: the request has ended, or there is nothing more. */
static bool read_control(struct load *load, struct load_client *client)
{
    struct ftp_state *ftp = &client->ftp;
    char bytes[1024];
    uint64_t request = client->started_us;
    ssize_t len = recv(client->fd, bytes, sizeof bytes, 0);
    if (len < 0 && errno == EAGAIN)
        return false;
    if (len <= 0) {
        finish(load, client, LOAD_CONNECTION);
        return false;
    }
    for (ssize_t i = 0; i < len; i++) {
        if (ftp->line_len < sizeof ftp->line)
            ftp->line[ftp->line_len++] = bytes[i];
        if (bytes[i] != '\n')
            continue;
        struct slice line = slice_of(ftp->line, ftp->line_len);
        ftp->line_len = 0;
        take_line(load, client, line);
        if (!client->busy || client->started_us != request || client->fd < 0)
            return false;
    }
    return true;
}

static void read_data(struct load *load, struct load_client *client)
{
    static char bytes[READ_BYTES];
    while (client->busy && client->ftp.has_data) {
        ssize_t len = recv(client->ftp.data, bytes, sizeof bytes, 0);
        if (len < 0 && errno == EAGAIN)
            return;
        if (len < 0) {
            finish(load, client, LOAD_CONNECTION);
        } else if (len == 0) {
            close_data(client);
            if (client->ftp.said) {
                client->ftp.said = false;
                go_on(load, client);
            }
            return;
        } else if (!load_take(load, client, slice_of(bytes, (size_t)len))) {
            finish(load, client, LOAD_CONTENT);
        }
    }
}

static void event(struct load *load, struct load_client *client)
{
    load_wait_ms(client, LOAD_STALL_MS);
    read_data(load, client);
    if (client->busy && client->fd >= 0)
        read_control(load, client);
}

static void overdue(struct load *load, struct load_client *client)
{
    finish(load, client, LOAD_SILENT);
}

const struct load_protocol load_ftp = { "ftp", prepare, start, event, overdue };
