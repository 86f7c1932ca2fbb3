/* Bad wires: what comes twice, what breaks off. */
#include "tests/unit/phone/bench.h"

#include "base/cursor.h"

#define BLOCK 1432
#define BLOCKS_MAX 8

enum { ACK = 4, DATA = 3, OACK = 6, WRQ = 2 };

/* After the first DATA or ACK of the phone's it says its OACK once more, and what follows from that. */
struct echoing_server {
    uv_udp_t udp;
    uint16_t port;
    bool echoed;
    char file[BLOCKS_MAX * BLOCK + 1]; /* what it sends, or what came */
    size_t len;
    uint64_t announces; /* tsize in its OACK */
    unsigned had;       /* blocks of an upload */
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char bytes[4096];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static void say(struct echoing_server *s, struct buf *packet, const struct sockaddr *to)
{
    uv_buf_t buf = uv_buf_init(packet->ptr, (unsigned)packet->len);
    assert_true(buf_ok(packet));
    assert_int_equal(uv_udp_try_send(&s->udp, &buf, 1, to), (int)packet->len);
}

static void say_oack(struct echoing_server *s, const struct sockaddr *to)
{
    char bytes[128];
    struct buf packet = BUF_ON(bytes);
    buf_u16(&packet, OACK);
    buf_bytes(&packet, "blksize\0001432\0tsize", sizeof "blksize\0001432\0tsize");
    buf_number(&packet, s->announces);
    buf_byte(&packet, '\0');
    say(s, &packet, to);
}

static void say_ack(struct echoing_server *s, unsigned number, const struct sockaddr *to)
{
    char bytes[4];
    struct buf packet = BUF_ON(bytes);
    buf_u16(&packet, ACK);
    buf_u16(&packet, (uint16_t)number);
    say(s, &packet, to);
}

static void say_block(struct echoing_server *s, unsigned number, const struct sockaddr *to)
{
    char bytes[4 + BLOCK];
    struct buf packet = BUF_ON(bytes);
    size_t from = (size_t)(number - 1) * BLOCK;
    if (from > s->len)
        return;
    buf_u16(&packet, DATA);
    buf_u16(&packet, (uint16_t)number);
    buf_text(&packet, slice_first(slice_of(s->file + from, s->len - from), BLOCK));
    say(s, &packet, to);
}

static void take_block(struct echoing_server *s, unsigned number, struct slice bytes, const struct sockaddr *from)
{
    if (!s->echoed)
        say_oack(s, from);
    s->echoed = true;
    if (number == s->had + 1) {
        assert_true(s->len + bytes.len < sizeof s->file);
        memcpy(s->file + s->len, bytes.ptr, bytes.len);
        s->len += bytes.len;
        s->had++;
    }
    say_ack(s, s->had, from);
}

static void give_block(struct echoing_server *s, unsigned acked, const struct sockaddr *from)
{
    say_block(s, acked + 1, from);
    if (s->echoed || acked != 1)
        return;
    s->echoed = true;
    say_oack(s, from);
    say_block(s, 1, from);
}

static void on_packet(uv_udp_t *udp, ssize_t count, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
    struct echoing_server *s = udp->data;
    struct cursor c = cursor_on(slice_of(buf->base, count > 0 ? (size_t)count : 0));
    (void)flags;
    if (!from)
        return;
    unsigned opcode = cursor_u16(&c), number = cursor_u16(&c);
    if (opcode <= WRQ)
        say_oack(s, from);
    else if (opcode == DATA)
        take_block(s, number, c.rest, from);
    else if (opcode == ACK)
        give_block(s, number, from);
}

static void open_server(struct echoing_server *s, struct bench *b)
{
    struct sockaddr_in address;
    int len = sizeof address;
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
    uv_udp_init(&b->loop.uv, &s->udp);
    s->udp.data = s;
    assert_int_equal(uv_udp_bind(&s->udp, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_udp_recv_start(&s->udp, on_alloc, on_packet), 0);
    assert_int_equal(uv_udp_getsockname(&s->udp, (struct sockaddr *)&address, &len), 0);
    s->port = ntohs(address.sin_port);
}

static void fill(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + i / BLOCK);
    bytes[len] = '\0';
}

static void fetch_from(struct bench *b, struct echoing_server *s)
{
    open_server(s, b);
    bench_fetch(b, "tftp://127.0.0.1:%u/00156574b150-local.cfg", s->port);
    uv_close((uv_handle_t *)&s->udp, NULL);
    uv_run(&b->loop.uv, UV_RUN_NOWAIT);
}

/* libcurl starts anew at an OACK, with what it has not sent yet as the first block. */
static void an_upload_whose_oack_comes_twice_arrives_whole(void **state)
{
    struct bench *b = *state;
    struct echoing_server s = { .had = 0 };
    char file[3 * BLOCK + 101];
    fill(file, sizeof file - 1);
    b->request.verb = TRANSPORT_PUT;
    b->request.body = slice_str(file);
    fetch_from(b, &s);
    assert_fetched(b, FETCH_GOT, "", "");
    assert_int_equal(s.len, sizeof file - 1);
    assert_memory_equal(s.file, file, s.len);
}

static void a_download_whose_oack_and_first_block_come_twice_arrives_whole(void **state)
{
    struct bench *b = *state;
    struct echoing_server s = { .len = 3 * BLOCK + 100, .announces = 3 * BLOCK + 100 };
    fill(s.file, s.len);
    fetch_from(b, &s);
    assert_fetched(b, FETCH_GOT, s.file, "");
}

static void a_file_of_another_length_than_was_announced_has_failed(void **state)
{
    struct bench *b = *state;
    struct echoing_server s = { .len = 2 * BLOCK + 100, .announces = 2 * BLOCK, .echoed = true };
    fill(s.file, s.len);
    fetch_from(b, &s);
    assert_fetched(b, FETCH_FAILED, "", "2964 bytes came, and the server has announced 2864");
}

static void say_head(struct tcp_peer *p)
{
    struct slice head;
    if (!tcp_take_head(p, &head))
        return;
    tcp_say(p, slice_str(p->server->script));
    tcp_hang_up(p);
}

/* libcurl is content with it. */
static void an_answer_that_ends_in_its_head_is_no_empty_file(void **state)
{
    struct bench *b = *state;
    static const char head_of[] = "the connection broke off in the head of the answer";
    static const struct {
        const char *head, *why;
    } heads[] = {
        { "HTTP/1.1 200 OK\r\n", head_of },
        { "HTTP/1.1 200 OK\r\nContent-Le", head_of },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r", head_of },
        { "HTTP/1.1 404 Not Found\r\nContent-Le", head_of },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", head_of },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "the connection broke off in the middle of the file" },
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        for (int put = 0; put < 2; put++) {
            struct tcp_server *s =
                tcp_server_open(b, &(struct tcp_server){ .on_heard = say_head, .script = heads[i].head });
            b->request.verb = put ? TRANSPORT_PUT : TRANSPORT_GET;
            bench_fetch(b, "http://127.0.0.1:%u/a.cfg", s->port);
            assert_fetched(b, FETCH_FAILED, "", heads[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(an_upload_whose_oack_comes_twice_arrives_whole),
        test_with_bench(a_download_whose_oack_and_first_block_come_twice_arrives_whole),
        test_with_bench(a_file_of_another_length_than_was_announced_has_failed),
        test_with_bench(an_answer_that_ends_in_its_head_is_no_empty_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
