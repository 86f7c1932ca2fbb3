#include "bench/load.h"

#include "base/buf.h"
#include "base/cursor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum tftp_opcode { TFTP_RRQ = 1, TFTP_DATA = 3, TFTP_ACK = 4, TFTP_ERROR = 5, TFTP_OACK = 6 };

/* What a server sends that ignores options (RFC 1350), and what a phone asks for (facts.md 5.7). */
#define PLAIN_BLOCK_BYTES 512
#define ASKED_BLOCK_BYTES 1432
#define DATAGRAM_BYTES 65536

static bool prepare(struct load *load)
{
    struct buf out = BUF_ON(load->request_bytes);
    buf_u16(&out, TFTP_RRQ);
    buf_text(&out, load->path);
    buf_bytes(&out, "\0octet\0blksize", sizeof "\0octet\0blksize");
    buf_number(&out, ASKED_BLOCK_BYTES);
    buf_byte(&out, '\0');
    if (load->window) {
        buf_bytes(&out, "windowsize", sizeof "windowsize");
        buf_number(&out, load->window);
        buf_byte(&out, '\0');
    }
    load->request = buf_slice(&out);
    return buf_ok(&out);
}

static void send_to(struct load_client *client, const struct sockaddr_in *to, struct slice bytes)
{
    /* A datagram that could not be sent is one that was lost: the resend timer makes it good. */
    ssize_t ignored = sendto(client->fd, bytes.ptr, bytes.len, 0, (const struct sockaddr *)to, sizeof *to);
    (void)ignored;
    load_wait_ms(client, LOAD_RESEND_MS);
}

static void send_ack(struct load_client *client)
{
    char bytes[4];
    struct buf out = BUF_ON(bytes);
    client->tftp.unacked = 0;
    buf_u16(&out, TFTP_ACK);
    buf_u16(&out, client->tftp.block);
    send_to(client, &client->tftp.peer, buf_slice(&out));
}

/* A transfer has a socket of its own: RFC 1350 4 wants a fresh port for each. */
static void start(struct load *load, struct load_client *client)
{
    load_close(client);
    client->tftp = (struct tftp_state){ .block_bytes = PLAIN_BLOCK_BYTES, .window = 1 };
    if (!load_open(load, client, SOCK_DGRAM, EPOLLIN)) {
        load_end(load, client, LOAD_CONNECTION);
        return;
    }
    send_to(client, &load->server, load->request);
}

/* Only what was asked for, and at most so much of it (RFC 2348, RFC 7440). */
static bool accept_options(const struct load *load, struct load_client *client, struct cursor *c)
{
    uint64_t number;
    do {
        struct slice name = cursor_zstring(c);
        struct slice value = cursor_zstring(c);
        if (!cursor_ok(c))
            return false;
        if (slice_eq_nocase(name, SLICE("blksize")) && slice_u64(value, 8, ASKED_BLOCK_BYTES, &number))
            client->tftp.block_bytes = (size_t)number;
        else if (slice_eq_nocase(name, SLICE("windowsize")) && slice_u64(value, 1, load->window, &number))
            client->tftp.window = (uint16_t)number;
        else
            return false;
    } while (!cursor_at_end(c));
    return true;
}

/* Says once how far the blocks in order have come, until one more does: after a gap the rest of the window is lost
 * (RFC 7440 section 4), and a block that is old means that the server lacks our word. */
static void tell_gap(struct load_client *client)
{
    if (client->tftp.window > 1 && client->tftp.gap_told)
        return;
    client->tftp.gap_told = true;
    send_ack(client);
}

static void take_data(struct load *load, struct load_client *client, struct cursor *c)
{
    uint16_t block = cursor_u16(c);
    struct slice bytes = c->rest;
    if (!cursor_ok(c) || bytes.len > client->tftp.block_bytes) {
        load_end(load, client, LOAD_MALFORMED);
        return;
    }
    if (block == client->tftp.block || (client->tftp.window > 1 && block != (uint16_t)(client->tftp.block + 1)))
        tell_gap(client);
    if (block != (uint16_t)(client->tftp.block + 1))
        return;
    client->tftp.block = block;
    client->tftp.gap_told = false;
    client->resends = 0;
    if (++client->tftp.unacked >= client->tftp.window || bytes.len < client->tftp.block_bytes)
        send_ack(client);
    else
        load_wait_ms(client, LOAD_RESEND_MS);
    if (!load_take(load, client, bytes))
        load_end(load, client, LOAD_CONTENT);
    else if (bytes.len == client->tftp.block_bytes)
        return;
    else if (client->received != load->expected.len)
        load_end(load, client, LOAD_CONTENT);
    else
        load_end(load, client, LOAD_OK);
}

static void take(struct load *load, struct load_client *client, struct slice datagram)
{
    struct cursor c = cursor_on(datagram);
    uint16_t opcode = cursor_u16(&c);
    if (opcode == TFTP_DATA)
        take_data(load, client, &c);
    else if (opcode == TFTP_ERROR)
        load_end(load, client, LOAD_REFUSED);
    else if (opcode != TFTP_OACK || (client->tftp.block == 0 && !accept_options(load, client, &c)))
        load_end(load, client, LOAD_MALFORMED);
    else if (client->tftp.block == 0)
        send_ack(client);
}

static void event(struct load *load, struct load_client *client)
{
    static char bytes[DATAGRAM_BYTES];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(client->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    if (len < 0 && errno != EAGAIN)
        load_end(load, client, LOAD_CONNECTION);
    if (len < 0 || from.sin_addr.s_addr != load->server.sin_addr.s_addr)
        return;
    if (client->tftp.peer.sin_port == 0)
        client->tftp.peer = from;
    if (client->tftp.peer.sin_port == from.sin_port)
        take(load, client, slice_of(bytes, (size_t)len));
}

static void overdue(struct load *load, struct load_client *client)
{
    if (client->resends == LOAD_RESENDS) {
        load_end(load, client, LOAD_SILENT);
        return;
    }
    client->resends++;
    load->retries++;
    if (client->tftp.peer.sin_port)
        send_ack(client);
    else
        send_to(client, &load->server, load->request);
}

const struct load_protocol load_tftp = { "tftp", prepare, start, event, overdue };
