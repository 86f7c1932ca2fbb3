#include "tests/unit/phone/bench.h"

#include "base/cursor.h"

#include <signal.h>
#include <stdio.h>

static void on_deadline(uv_timer_t *timer)
{
    struct bench *b = timer->data;
    snprintf(b->why, sizeof b->why, "(the test hung)");
    loop_stop(&b->loop);
}

struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof *b);
    signal(SIGPIPE, SIG_IGN); /* a script may speak to a client that hung up */
    assert_non_null(b);
    manual_clock_init(&b->clock, 0);
    assert_int_equal(loop_open(&b->loop, &b->clock.clock, NULL, b), 0);
    assert_int_equal(fetch_open(&b->loop, &b->transport), 0);
    uv_timer_init(&b->loop.uv, &b->deadline);
    b->deadline.data = b;
    b->request =
        (struct transport_request){ .user_agent = SLICE("Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50"),
                                    .timeout_ms = 5000,
                                    .limit = 1000000 };
    return b;
}

static void peer_close(struct tcp_peer *p);

static void close_servers(struct bench *b)
{
    for (struct tcp_server *s = b->tcp_servers; s; s = s->next) {
        while (s->peers)
            peer_close(s->peers);
        tcp_server_stop(s);
    }
    for (struct tftp_server *s = b->tftp_servers; s; s = s->next) {
        uv_close((uv_handle_t *)&s->requests, NULL);
        uv_close((uv_handle_t *)&s->transfers, NULL);
    }
}

static void free_servers(struct bench *b)
{
    while (b->tcp_servers) {
        struct tcp_server *next = b->tcp_servers->next;
        free(b->tcp_servers);
        b->tcp_servers = next;
    }
    while (b->tftp_servers) {
        struct tftp_server *next = b->tftp_servers->next;
        free(b->tftp_servers);
        b->tftp_servers = next;
    }
}

void bench_free(struct bench *b)
{
    if (b->transport)
        b->transport->close(b->transport);
    close_servers(b);
    uv_close((uv_handle_t *)&b->deadline, NULL);
    loop_close(&b->loop);
    free_servers(b);
    free(b->bytes);
    free(b);
}

int bench_setup(void **state)
{
    *state = bench_new();
    return 0;
}

int bench_teardown(void **state)
{
    bench_free(*state);
    return 0;
}

static void on_done(void *context, const struct fetched *fetched)
{
    struct bench *b = context;
    b->done++;
    b->outcome = fetched->outcome;
    free(b->bytes);
    b->len = fetched->bytes.len;
    b->bytes = malloc(b->len + 1);
    assert_non_null(b->bytes);
    if (b->len)
        memcpy(b->bytes, fetched->bytes.ptr, b->len);
    b->bytes[b->len] = '\0';
    snprintf(b->why, sizeof b->why, "%.*s", SLICE_ARG(fetched->why));
    if (b->when_done)
        b->when_done(b);
    else
        loop_stop(&b->loop);
}

__attribute__((format(printf, 2, 0))) static void start(struct bench *b, const char *format, va_list args)
{
    unsigned before = b->done;
    int len = vsnprintf(b->url, sizeof b->url, format, args);
    assert_in_range(len, 0, sizeof b->url - 1);
    b->request.url = slice_str(b->url);
    assert_true(b->transport->start(b->transport, &b->request, on_done, b));
    assert_int_equal(b->done, before); /* never from inside start */
}

void bench_start(struct bench *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    start(b, format, args);
    va_end(args);
}

void bench_run(struct bench *b)
{
    uv_timer_start(&b->deadline, on_deadline, BENCH_DEADLINE_MS, 0);
    loop_run(&b->loop);
    uv_timer_stop(&b->deadline);
}

void bench_fetch(struct bench *b, const char *format, ...)
{
    va_list args;
    unsigned before = b->done;
    va_start(args, format);
    start(b, format, args);
    va_end(args);
    bench_run(b);
    if (b->done != before + 1)
        fail_msg("%s: no outcome: %s", b->url, b->why);
}

void bench_run_until(struct bench *b, const unsigned *count, unsigned want)
{
    uv_timer_start(&b->deadline, on_deadline, BENCH_DEADLINE_MS, 0);
    uint64_t due = uv_timer_get_due_in(&b->deadline);
    while (*count < want && due > 0) {
        uv_run(&b->loop.uv, UV_RUN_ONCE);
        due = uv_is_active((uv_handle_t *)&b->deadline) ? uv_timer_get_due_in(&b->deadline) : 0;
    }
    uv_timer_stop(&b->deadline);
    assert_true(*count >= want);
}

void assert_fetched_at(const struct bench *b, enum fetch_outcome outcome, const char *bytes, const char *why,
                       const char *file, int line)
{
    bool same = b->outcome == outcome && strcmp(b->why, why) == 0;
    if (!same || b->len != strlen(bytes) || memcmp(b->bytes, bytes, b->len) != 0) {
        print_error("%s\n  outcome %d, %zu bytes, \"%s\"\n", b->url, (int)b->outcome, b->len, b->why);
        _fail(file, line);
    }
}

/* TCP. */

static uint16_t port_of(const struct sockaddr_storage *address)
{
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static void loopback(struct sockaddr_in *address)
{
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, address), 0);
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct tcp_peer *p = handle->data;
    if (p->extra && p->free_extra)
        p->free_extra(p->extra);
    free(p);
}

static void peer_close(struct tcp_peer *p)
{
    struct tcp_peer **at = &p->server->peers;
    if (p->closing)
        return;
    p->closing = true;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char bytes[65536];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static void keep(char *to, size_t *len, const char *bytes, size_t count)
{
    size_t room = BENCH_TEXT_MAX - 1 - *len;
    memcpy(to + *len, bytes, count < room ? count : room);
    *len += count < room ? count : room;
    to[*len] = '\0';
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct tcp_peer *p = stream->data;
    struct tcp_server *s = p->server;
    if (count < 0) {
        if (s->on_gone)
            s->on_gone(p);
        peer_close(p);
        return;
    }
    keep(s->heard, &s->heard_len, buf->base, (size_t)count);
    keep(p->said, &p->said_len, buf->base, (size_t)count);
    if (s->on_heard)
        s->on_heard(p);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct tcp_server *s = listener->data;
    struct tcp_peer *p = calloc(1, sizeof *p);
    assert_int_equal(status, 0);
    assert_non_null(p);
    p->server = s;
    p->next = s->peers;
    s->peers = p;
    s->connections++;
    uv_tcp_init(&s->bench->loop.uv, &p->tcp);
    p->tcp.data = p;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
    uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
    if (s->on_peer)
        s->on_peer(p);
}

struct tcp_server *tcp_server_open(struct bench *b, const struct tcp_server *script)
{
    struct sockaddr_in address;
    struct sockaddr_storage bound;
    int len = sizeof bound;
    struct tcp_server *s = malloc(sizeof *s);
    assert_non_null(s);
    *s = *script;
    s->bench = b;
    s->next = b->tcp_servers;
    b->tcp_servers = s;
    loopback(&address);
    uv_tcp_init(&b->loop.uv, &s->listener);
    s->listener.data = s;
    assert_int_equal(uv_tcp_bind(&s->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&s->listener, 8, on_connection), 0);
    assert_int_equal(uv_tcp_getsockname(&s->listener, (struct sockaddr *)&bound, &len), 0);
    s->port = port_of(&bound);
    return s;
}

void tcp_server_stop(struct tcp_server *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->listener))
        uv_close((uv_handle_t *)&s->listener, NULL);
}

/* Loopback takes what our scripts say at once; what it does not take goes with the connection. */
void tcp_say(struct tcp_peer *p, struct slice text)
{
    while (text.len && !p->closing) {
        uv_buf_t buf = uv_buf_init((char *)text.ptr, (unsigned)text.len);
        int sent = uv_try_write((uv_stream_t *)&p->tcp, &buf, 1);
        if (sent <= 0)
            break;
        text = slice_from(text, (size_t)sent);
    }
}

void tcp_hang_up(struct tcp_peer *p)
{
    peer_close(p);
}

static void take(struct tcp_peer *p, size_t len, char *to, size_t room, struct slice *ret_text)
{
    assert_true(len < room);
    memcpy(to, p->said, len);
    to[len] = '\0';
    memmove(p->said, p->said + len, p->said_len - len);
    p->said_len -= len;
    *ret_text = slice_of(to, len);
}

bool tcp_take_line(struct tcp_peer *p, struct slice *ret_line)
{
    static char line[BENCH_TEXT_MAX];
    struct slice said = slice_of(p->said, p->said_len);
    size_t end = slice_find_text(said, SLICE("\r\n"));
    if (end == said.len)
        return false;
    take(p, end + 2, line, sizeof line, ret_line);
    *ret_line = slice_first(*ret_line, end);
    return true;
}

bool tcp_take_head(struct tcp_peer *p, struct slice *ret_head)
{
    static char head[BENCH_TEXT_MAX];
    struct slice said = slice_of(p->said, p->said_len);
    size_t end = slice_find_text(said, SLICE("\r\n\r\n"));
    if (end == said.len)
        return false;
    take(p, end + 4, head, sizeof head, ret_head);
    return true;
}

/* TFTP. */

static void send_to(uv_udp_t *udp, const struct buf *packet, const struct sockaddr *to)
{
    uv_buf_t buf = uv_buf_init(packet->ptr, (unsigned)packet->len);
    assert_true(buf_ok(packet));
    assert_int_equal(uv_udp_try_send(udp, &buf, 1, to), (int)packet->len);
}

static void send_strangers_error(struct tftp_server *s, const struct sockaddr *to)
{
    char bytes[64];
    struct buf packet = BUF_ON(bytes);
    buf_u16(&packet, 5);
    buf_u16(&packet, 1);
    buf_str(&packet, "another transfer's");
    buf_byte(&packet, '\0');
    send_to(&s->requests, &packet, to);
}

static void send_block(struct tftp_server *s, unsigned number, const struct sockaddr *to)
{
    char bytes[2048];
    struct buf packet = BUF_ON(bytes);
    size_t from = (size_t)(number - 1) * s->block_bytes;
    if (from > s->file.len || (s->stops_after && number > s->stops_after))
        return;
    manual_clock_advance(&s->bench->clock, s->pause_ms);
    if (s->strangers)
        send_strangers_error(s, to);
    buf_u16(&packet, 3);
    buf_u16(&packet, (uint16_t)number);
    buf_text(&packet, slice_first(slice_from(s->file, from), s->block_bytes));
    send_to(&s->transfers, &packet, to);
}

static void send_oack(struct tftp_server *s, const struct sockaddr *to)
{
    char bytes[128];
    struct buf packet = BUF_ON(bytes);
    buf_u16(&packet, 6);
    buf_str(&packet, "blksize");
    buf_byte(&packet, '\0');
    buf_number(&packet, s->block_bytes);
    buf_byte(&packet, '\0');
    if (s->says_tsize) {
        buf_str(&packet, "tsize");
        buf_byte(&packet, '\0');
        buf_number(&packet, s->lies_tsize ? s->lies_tsize : s->file.len);
        buf_byte(&packet, '\0');
    }
    send_to(&s->transfers, &packet, to);
}

static void send_error(struct tftp_server *s, const struct sockaddr *to)
{
    char bytes[256];
    struct buf packet = BUF_ON(bytes);
    buf_u16(&packet, 5);
    buf_u16(&packet, s->error);
    buf_text(&packet, s->text);
    send_to(&s->transfers, &packet, to);
}

static void note_request(struct tftp_server *s, struct cursor *c)
{
    struct buf name = BUF_ON(s->name), options = BUF_ON(s->options);
    buf_text(&name, cursor_zstring(c));
    assert_slice(cursor_zstring(c), "octet");
    while (!cursor_at_end(c) && cursor_ok(c)) {
        buf_text(&options, cursor_zstring(c));
        buf_byte(&options, ' ');
    }
    assert_true(cursor_ok(c) && buf_terminate(&name) && buf_terminate(&options));
}

static void answer_request(struct tftp_server *s, const struct sockaddr *from)
{
    bool with_options = s->options[0] && !s->no_options;
    s->block_bytes = with_options ? 1432 : 512;
    if (s->instead) {
        struct buf packet = { (char *)s->instead, s->instead_len, s->instead_len, false };
        send_to(&s->transfers, &packet, from);
    } else if (s->fails) {
        send_error(s, from);
    } else if (with_options) {
        send_oack(s, from);
    } else {
        send_block(s, 1, from);
    }
}

static void on_request(uv_udp_t *udp, ssize_t count, const uv_buf_t *buf, const struct sockaddr *from,
                       unsigned flags)
{
    struct tftp_server *s = udp->data;
    struct cursor c = cursor_on(slice_of(buf->base, count > 0 ? (size_t)count : 0));
    (void)flags;
    if (!from)
        return;
    s->asked++;
    assert_int_equal(cursor_u16(&c), 1);
    note_request(s, &c);
    if (s->deaf)
        s->deaf--;
    else
        answer_request(s, from);
}

static void on_transfer(uv_udp_t *udp, ssize_t count, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags)
{
    struct tftp_server *s = udp->data;
    struct cursor c = cursor_on(slice_of(buf->base, count > 0 ? (size_t)count : 0));
    (void)flags;
    if (!from)
        return;
    unsigned opcode = cursor_u16(&c), number = cursor_u16(&c);
    if (opcode == 5)
        s->errors++;
    if (opcode != 4)
        return;
    s->acks++;
    send_block(s, number + 1, from);
}

static uint16_t open_udp(struct tftp_server *s, uv_udp_t *udp, uv_udp_recv_cb on_packet)
{
    struct sockaddr_in address;
    struct sockaddr_storage bound;
    int len = sizeof bound;
    loopback(&address);
    uv_udp_init(&s->bench->loop.uv, udp);
    udp->data = s;
    assert_int_equal(uv_udp_bind(udp, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_udp_recv_start(udp, on_alloc, on_packet), 0);
    assert_int_equal(uv_udp_getsockname(udp, (struct sockaddr *)&bound, &len), 0);
    return port_of(&bound);
}

struct tftp_server *tftp_server_open(struct bench *b, const struct tftp_server *script)
{
    struct tftp_server *s = malloc(sizeof *s);
    assert_non_null(s);
    *s = *script;
    s->bench = b;
    s->next = b->tftp_servers;
    b->tftp_servers = s;
    open_udp(s, &s->transfers, on_transfer);
    s->port = open_udp(s, &s->requests, on_request);
    return s;
}
