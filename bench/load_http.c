#include "bench/load_tls.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Larger than any response measured, so that one read takes what has arrived. */
#define READ_BYTES 65536

/* The four headers of a real phone (facts.md 5.1). */
static bool prepare(struct load *load)
{
    struct buf out = BUF_ON(load->request_bytes);
    char host[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &load->server.sin_addr, host, sizeof host);
    buf_format(&out, "GET %s%.*s HTTP/1.1\r\n", slice_starts(load->path, SLICE("/")) ? "" : "/",
               SLICE_ARG(load->path));
    buf_format(&out, "Host: %s:%u\r\n", host, ntohs(load->server.sin_port));
    buf_str(&out, "User-Agent: Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50\r\nAccept: */*\r\n");
    buf_format(&out, "Connection: %s\r\n\r\n", load->close ? "close" : "Keep-Alive");
    load->request = buf_slice(&out);
    return buf_ok(&out);
}

static bool prepare_tls(struct load *load)
{
    return prepare(load) && load_tls_prepare(load);
}

static void hang_up(struct load_client *client)
{
    load_tls_close(client);
    load_close(client);
}

/* The client starts anew after a failure, and has to find nothing. */
static void fail(struct load *load, struct load_client *client, enum load_outcome outcome)
{
    hang_up(client);
    load_end(load, client, outcome);
}

static void send_request(struct load *load, struct load_client *client);

/* A server may close an idle connection just as the next request is sent; then the client connects anew
 * (RFC 9112 9.3.1). Anything else that ends a connection early is a failure. */
static void lost(struct load *load, struct load_client *client)
{
    struct http_state *http = &client->http;
    hang_up(client);
    if (!http->reused || http->head_len > 0 || client->resends == LOAD_RESENDS) {
        load_end(load, client, LOAD_CONNECTION);
        return;
    }
    client->resends++;
    load->retries++;
    load->protocol->start(load, client);
}

static void connect_client(struct load *load, struct load_client *client)
{
    client->http.reused = false;
    if (!load_open(load, client, SOCK_STREAM, EPOLLIN | EPOLLOUT | EPOLLET) ||
        (connect(client->fd, (const struct sockaddr *)&load->server, sizeof load->server) < 0 &&
         errno != EINPROGRESS) ||
        (load->tls && !load_tls_open(load, client)))
        fail(load, client, LOAD_CONNECTION);
    else
        send_request(load, client);
}

static void start(struct load *load, struct load_client *client)
{
    struct http_state *http = &client->http;
    http->sent = http->body = http->last = false;
    http->head_len = 0;
    load_wait_ms(client, LOAD_STALL_MS);
    if (client->fd < 0)
        connect_client(load, client);
    else
        send_request(load, client);
}

/* On the loopback the connection usually stands when connect() returns, so the first try mostly succeeds. */
static void send_request(struct load *load, struct load_client *client)
{
    ssize_t len = client->ssl ? load_tls_send(client, load->request)
                              : send(client->fd, load->request.ptr, load->request.len, MSG_NOSIGNAL);
    if (len == (ssize_t)load->request.len)
        client->http.sent = true;
    else if (len >= 0 || errno != EAGAIN)
        lost(load, client);
}

/* `head` is the status line and the fields. */
static enum load_outcome check_head(const struct load *load, struct http_state *http, struct slice head)
{
    struct slice line, name;
    uint64_t length = UINT64_MAX;
    slice_cut(&head, '\n', &line);
    if (!slice_starts(line, SLICE("HTTP/1.1 ")))
        return LOAD_MALFORMED;
    if (!slice_starts(line, SLICE("HTTP/1.1 200 ")))
        return LOAD_REFUSED;
    http->last = load->close;
    while (slice_cut(&head, '\n', &line)) {
        slice_cut(&line, ':', &name);
        struct slice value = slice_trim(line);
        if (slice_eq_nocase(name, SLICE("Connection")) && slice_eq_nocase(value, SLICE("close")))
            http->last = true;
        if (slice_eq_nocase(name, SLICE("Content-Length")) && !slice_u64(value, 0, INT64_MAX, &length))
            return LOAD_MALFORMED;
    }
    return length == load->expected.len ? LOAD_OK : LOAD_CONTENT;
}

/* Collects the header; what follows it stays in *bytes. */
static enum load_outcome take_head(const struct load *load, struct http_state *http, struct slice *bytes)
{
    size_t before = http->head_len;
    struct slice part = slice_first(*bytes, sizeof http->head - before);
    memcpy(http->head + before, part.ptr, part.len);
    http->head_len += part.len;

    struct slice head = slice_of(http->head, http->head_len);
    size_t end = slice_find_text(head, SLICE("\r\n\r\n"));
    if (end == head.len) {
        *bytes = SLICE_NONE;
        return head.len < sizeof http->head ? LOAD_OK : LOAD_MALFORMED;
    }
    http->body = true;
    *bytes = slice_from(*bytes, end + 4 - before);
    return check_head(load, http, slice_first(head, end));
}

/* Of a body that is only counted the bytes need not come up here: then the clients take next to nothing of the
 * machine. By TLS they must be read all the same. */
static ssize_t receive(const struct load *load, struct load_client *client, char *into, size_t len)
{
    if (client->ssl)
        return load_tls_receive(client, into, len);
    return recv(client->fd, into, len, load->count && client->http.body ? MSG_TRUNC : 0);
}

/* True while the answer goes on. */
static bool take(struct load *load, struct load_client *client, struct slice bytes)
{
    struct http_state *http = &client->http;
    enum load_outcome outcome = http->body ? LOAD_OK : take_head(load, http, &bytes);
    if (outcome == LOAD_OK && !load_take(load, client, bytes))
        outcome = LOAD_CONTENT;
    if (outcome == LOAD_OK && (!http->body || http->last || client->received < load->expected.len))
        return true;
    http->reused = true;
    if (outcome == LOAD_OK)
        load_end(load, client, outcome);
    else
        fail(load, client, outcome);
    return false;
}

static void ended(struct load *load, struct load_client *client)
{
    if (!client->http.body) {
        lost(load, client);
        return;
    }
    bool as_meant = !client->ssl || load_tls_is_as_meant(client);
    hang_up(client);
    load_end(load, client,
             client->received != load->expected.len ? LOAD_CONTENT : as_meant ? LOAD_OK : LOAD_HANDSHAKE);
}

static void event(struct load *load, struct load_client *client)
{
    static char bytes[READ_BYTES];
    if (!client->http.sent)
        send_request(load, client);
    while (client->fd >= 0 && client->http.sent) {
        ssize_t len = receive(load, client, bytes, sizeof bytes);
        if (len < 0 && errno == EAGAIN)
            return;
        if (len < 0) {
            lost(load, client);
            return;
        }
        if (len == 0) {
            ended(load, client);
            return;
        }
        if (!take(load, client, slice_of(bytes, (size_t)len)))
            return;
    }
}

static void overdue(struct load *load, struct load_client *client)
{
    fail(load, client, LOAD_SILENT);
}

const struct load_protocol load_http = { "http", prepare, start, event, overdue };
const struct load_protocol load_https = { "https", prepare_tls, start, event, overdue };
