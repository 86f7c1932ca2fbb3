/* server/ftp_session.h: control and data connection together (security.md R10), each a socket pair, on a manual
 * clock: whatever comes on either and whenever, nothing is used after it was freed, nothing is left behind, and
 * what is said are replies.
 *
 * Input: steps of two bytes, what and how much; some take so many bytes more. */
#include "fuzz.h"

#include "net/socket.h"
#include "server/ftp_session.h"
#include "tests/fake_uploads.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SMALL_BYTES 579
#define LARGE_BYTES ((size_t)300 * 1024)
#define LISTED 300
#define PORTS 2
#define STEPS_MAX 400

struct blob {
    int unused;
};
struct ftp_port {
    void *context;
    uint16_t number;
};
struct ftp_ports {
    struct ftp_port port[PORTS];
};
struct tree_listing {
    unsigned at;
    char name[16];
};

static struct {
    struct manual_clock clock;
    struct config config;
    struct worker worker;
    struct ftp_service *service;
    struct ftp_ports ports;
    union address peer;
    int control, data; /* our ends; -1: none */
    bool refuse_connection;
    int files, listings; /* open */
    size_t line_len;     /* of the line that is being heard */
    char line[8];
} f;

/* --- what a session stands on ------------------------------------------------------------------------------
 */

static struct blob small;
static char small_bytes[SMALL_BYTES];
static int large_fd = -1;

struct slice blob_bytes(const struct blob *b)
{
    (void)b;
    return slice_of(small_bytes, sizeof small_bytes);
}

int blob_descriptor(const struct blob *b)
{
    (void)b;
    return -1;
}

const char *tree_answer_words(enum tree_answer answer)
{
    return answer == TREE_ABSENT ? "absent" : "no";
}

enum tree_answer tree_ask(struct tree *t, const struct tree_question *q, struct tree_file *ret_file)
{
    (void)t;
    struct slice name = rootdir_name(q->name);
    if (!name.len || slice_eq(name, SLICE("dir")))
        return TREE_DIRECTORY;
    if (!rootdir_name_ok(name))
        return TREE_BAD_NAME;
    bool is_small = slice_eq(name, SLICE("small"));
    if (!is_small && !slice_eq(name, SLICE("large")))
        return name.len % 2 ? TREE_ABSENT : TREE_FORBIDDEN;
    *ret_file = (struct tree_file){ .blob = is_small ? &small : NULL,
                                    .fd = is_small ? -1 : large_fd,
                                    .size = is_small ? SMALL_BYTES : LARGE_BYTES };
    f.files++;
    return TREE_FILE;
}

void tree_file_release(struct tree_file *file)
{
    *file = (struct tree_file){ .fd = -1 };
    f.files--;
}

bool tree_file_unchanged(const struct tree_file *file)
{
    (void)file;
    return true;
}

ssize_t tree_file_read(const struct tree_file *file, uint64_t offset, void *into, size_t len)
{
    if (!file->blob)
        return pread(file->fd, into, len, (off_t)offset);
    struct slice part = slice_first(slice_from(blob_bytes(file->blob), (size_t)offset), len);
    memcpy(into, part.ptr, part.len);
    return (ssize_t)part.len;
}

enum tree_answer tree_list(struct tree *t, struct slice directory, struct tree_listing **ret_listing)
{
    struct tree_question question = { directory };
    struct tree_file file;
    enum tree_answer answer = tree_ask(t, &question, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (answer != TREE_DIRECTORY)
        return TREE_ABSENT;
    *ret_listing = calloc(1, sizeof **ret_listing);
    MUST(*ret_listing);
    f.listings++;
    return TREE_DIRECTORY;
}

enum tree_step tree_listing_next(struct tree_listing *l, struct tree_entry *ret_entry)
{
    struct buf out = BUF_ON(l->name);
    if (l->at++ == LISTED)
        return TREE_STEP_END;
    buf_format(&out, "name-%u", l->at);
    *ret_entry = (struct tree_entry){ buf_slice(&out), l->at % 7 == 0, l->at, 0 };
    return l->at % 5 ? TREE_STEP_ENTRY : TREE_STEP_NOTHING;
}

void tree_listing_close(struct tree_listing *l)
{
    f.listings--;
    free(l);
}

void journal_event_set_name(struct journal_event *e, struct slice name)
{
    e->name_len = (uint8_t)slice_first(name, UINT8_MAX).len;
}

void journal_note(struct journal *j, const struct journal_event *e)
{
    (void)j;
    MUST(e->protocol == PROTOCOL_FTP && e->code < 600);
}

int ftp_ports_open(struct loop *loop, const union address *at, const struct ftp_ports_range *range,
                   const struct ftp_borrower *borrower, struct ftp_ports **ret_ports)
{
    (void)loop;
    (void)at;
    (void)range;
    MUST(borrower == &ftp_data_borrower);
    *ret_ports = &f.ports;
    return 0;
}

void ftp_ports_close(struct ftp_ports *p, void (*done)(void *context), void *context)
{
    for (size_t i = 0; i < PORTS; i++)
        MUST(!p->port[i].context);
    done(context);
}

struct ftp_port *ftp_ports_lend(struct ftp_ports *p, void *context)
{
    for (size_t i = 0; i < PORTS; i++)
        if (!p->port[i].context) {
            p->port[i] = (struct ftp_port){ context, (uint16_t)(2000 + i) };
            return &p->port[i];
        }
    return NULL;
}

uint16_t ftp_port_number(const struct ftp_port *port)
{
    return port->number;
}

void ftp_ports_give_back(struct ftp_ports *p, struct ftp_port *port)
{
    (void)p;
    MUST(port->context);
    port->context = NULL;
}

/* Ours goes to *ret_own, the server's is given back. */
static int make_pair(int *ret_own)
{
    int fds[2], bytes = 8192;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    *ret_own = fds[1];
    return fds[0];
}

static void hang_up(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int socket_connect(const union address *to, int *ret_fd)
{
    MUST(address_same_host(to, &f.peer) && address_port(to) >= FTP_DATA_PORT_MIN);
    if (f.refuse_connection)
        return -ECONNREFUSED;
    hang_up(&f.data);
    *ret_fd = make_pair(&f.data);
    return 0;
}

int socket_local_address(int fd, union address *ret_address)
{
    (void)fd;
    *ret_address = f.peer;
    return 0;
}

void socket_keep_urgent(int fd)
{
    (void)fd;
}

/* --- steps -------------------------------------------------------------------------------------------------
 */

static void pump(void)
{
    for (int i = 0; i < 3; i++)
        uv_run(&f.worker.loop.uv, UV_RUN_NOWAIT);
}

/* A line of a reply is `NNN `, `NNN-` or a blank and something. */
static void hear(char c)
{
    if (f.line_len < sizeof f.line)
        f.line[f.line_len] = c;
    f.line_len++;
    MUST(!byte_is_control(c) || c == '\r' || c == '\n');
    if (c != '\n')
        return;
    bool goes_on = f.line[0] == ' ';
    MUST(goes_on || (f.line_len > 4 && f.line[0] >= '1' && f.line[0] <= '5' && byte_is_digit(f.line[1]) &&
                     byte_is_digit(f.line[2]) && (f.line[3] == ' ' || f.line[3] == '-')));
    f.line_len = 0;
}

static void listen_to_control(void)
{
    char bytes[4096];
    ssize_t n = 0;
    while (f.control >= 0 && (n = recv(f.control, bytes, sizeof bytes, 0)) > 0)
        for (ssize_t i = 0; i < n; i++)
            hear(bytes[i]);
    if (n == 0)
        hang_up(&f.control);
}

static void say(struct slice text)
{
    if (f.control >= 0 && text.len)
        send(f.control, text.ptr, text.len, MSG_NOSIGNAL);
}

/* What mutation would hardly find. */
static const char *const lines[] = {
    "USER anonymous\r\nPASS \r\n",
    "TYPE I\r\n",
    "TYPE A\r\n",
    "EPSV\r\n",
    "PASV\r\n",
    "PORT 127,0,0,1,8,0\r\n",
    "EPRT |1|127.0.0.1|2048|\r\n",
    "RETR small\r\n",
    "RETR large\r\n",
    "STOR a\r\n",
    "APPE a\r\n",
    "STOU\r\n",
    "REST 100\r\n",
    "LIST\r\n",
    "NLST name*\r\n",
    "MLSD dir\r\n",
    "ABOR\r\n",
    "STAT\r\n",
    "QUIT\r\n",
    "NOOP\r\n",
    "RNFR small\r\n",
    "RNTO b\r\n",
    "DELE a\r\n",
    "MKD a\r\n",
    "SIZE small\r\n",
    "CWD dir\r\n",
    "MLST small\r\n",
    "STAT small\r\n",
    "AUTH TLS\r\n",
    "PROT P\r\n",
    "FEAT\r\n",
    "\377\364\377\362ABOR\r\n",
    "USER x\r\n",
    "PASS y\r\n",
};

static void open_data(unsigned how)
{
    union address peer = f.peer;
    struct ftp_port *port = &f.ports.port[how % PORTS];
    if (!port->context)
        return;
    if (how & 8)
        peer.v4.sin_addr.s_addr ^= htonl(1);
    int own, theirs = make_pair(&own);
    hang_up(&f.data);
    f.data = own;
    ftp_data_borrower.accepted(port->context, theirs, &peer);
}

static void lose_port(unsigned which)
{
    struct ftp_port *port = &f.ports.port[which % PORTS];
    void *context = port->context;
    if (!context)
        return;
    port->context = NULL;
    ftp_data_borrower.lost(context);
}

static void drain_data(void)
{
    char bytes[65536];
    ssize_t n = 0;
    while (f.data >= 0 && (n = recv(f.data, bytes, sizeof bytes, 0)) > 0)
        pump();
    if (n == 0)
        hang_up(&f.data);
}

static void on_drained(void *context)
{
    bool *done = context;
    MUST(!*done);
    *done = true;
}

static bool drained;

/* Uses up bytes of its own where it takes some. */
static void step(uint8_t what, uint8_t much, struct slice *rest)
{
    struct slice bytes = SLICE_NONE;
    switch (what % 16) {
    case 0:
    case 1:
        bytes = slice_first(*rest, much);
        *rest = slice_from(*rest, bytes.len);
        say(bytes);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        say(slice_str(lines[much % (sizeof lines / sizeof *lines)]));
        break;
    case 6:
        open_data(much);
        break;
    case 7:
        bytes = slice_first(*rest, much);
        *rest = slice_from(*rest, bytes.len);
        if (f.data >= 0 && bytes.len)
            send(f.data, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        break;
    case 8:
        drain_data();
        break;
    case 9:
        hang_up(&f.data);
        break;
    case 10:
        manual_clock_advance(&f.clock, (uint64_t)much * 200);
        break;
    case 11:
        fake_upload.commit = much % 4 ? UPLOAD_FINE : UPLOAD_BROKEN;
        fake_upload_settle();
        break;
    case 12:
        fake_upload.begin = much % 8 == 1 ? UPLOAD_FULL : UPLOAD_FINE;
        fake_upload.write = much % 8 == 2 ? UPLOAD_TOO_LARGE : UPLOAD_FINE;
        fake_upload.change = much % 8 == 3 ? UPLOAD_FORBIDDEN : UPLOAD_FINE;
        f.refuse_connection = much & 16;
        break;
    case 13:
        lose_port(much);
        break;
    case 14:
        if (much % 8 == 7)
            hang_up(&f.control);
        else if (much % 8 == 6 && f.control >= 0)
            shutdown(f.control, SHUT_WR);
        break;
    case 15:
        if (much == 255 && !f.service->draining)
            ftp_service_drain(f.service, on_drained, &drained);
        break;
    }
    /* A client that does not read fills its replies' room. */
    pump();
    if (!(what & 16))
        listen_to_control();
}

/* --- an input ----------------------------------------------------------------------------------------------
 */

static void begin(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr any = { .sa_family = AF_UNIX };
    /* Nobody knows its name. */
    MUST(bind(listener, &any, sizeof any.sa_family) == 0 && listen(listener, 1) == 0);
    /* As the program does: sendfile() knows no MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    if (large_fd < 0) {
        memset(small_bytes, '\n', sizeof small_bytes);
        large_fd = memfd_create("large", MFD_CLOEXEC);
        MUST(ftruncate(large_fd, LARGE_BYTES) == 0);
    }
    memset(&f, 0, sizeof f);
    memset(&fake_upload, 0, offsetof(__typeof__(fake_upload), bytes));
    drained = false;
    manual_clock_init(&f.clock, INT64_C(1795331144000));
    f.config = (struct config){ .ftp_sessions = 4,
                                .ftp_peer_sessions = 4,
                                .ftp_login_s = 30,
                                .ftp_idle_s = 60,
                                .ftp_active = true,
                                .ftp_tls = SLICE("optional"),
                                .ftp_passive_ports = SLICE("2000-2001") };
    f.worker = (struct worker){ .config = &f.config, .share = 1, .ftp_share = 1, .hash_seed = 7 };
    f.data = f.control = -1;
    MUST(address_parse(SLICE("127.0.0.1"), 4711, &f.peer));
    MUST(loop_open(&f.worker.loop, &f.clock.clock, NULL, NULL) == 0);
    MUST(ftp_service_open(&f.worker, listener, &f.service) == 0);
    ftp_session_accept(f.service, make_pair(&f.control), &f.peer);
    pump();
}

static void end(void)
{
    hang_up(&f.data);
    pump();
    ftp_service_close(f.service);
    loop_close(&f.worker.loop);
    fake_upload_settle();
    hang_up(&f.control);
    MUST(f.files == 0 && f.listings == 0 && fake_upload.open == 0);
    MUST(!f.ports.port[0].context && !f.ports.port[1].context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    begin();
    for (int i = 0; i < STEPS_MAX && rest.len >= 2; i++) {
        uint8_t what = (uint8_t)rest.ptr[0], much = (uint8_t)rest.ptr[1];
        rest = slice_from(rest, 2);
        step(what, much, &rest);
    }
    end();
    return 0;
}
