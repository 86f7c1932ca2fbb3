#include "phone/fetch_inside.h"

#include "base/cursor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* libcurl counts in whole seconds before it repeats a TFTP request. */
#define NUDGE_MS 500
#define TFTP_OPCODE_ERROR 5
#define TFTP_OPCODE_OACK 6

struct fetch_watch {
    struct fetch_watch *next;
    struct fetch *fetch;
    curl_socket_t fd;
    uv_poll_t poll;
};

static struct fetch *of(struct transport *t)
{
    return container_of(t, struct fetch, transport);
}

static void on_silence(struct timer *timer);

void fetch_heard(struct fetch *f)
{
    loop_timer(f->loop, &f->silence, f->timeout_ms, on_silence);
}

/* Nothing is under way any more, the bytes are the caller's to free. */
static char *take_down(struct fetch *f)
{
    char *bytes = f->bytes;
    f->done = NULL;
    timer_stop(&f->loop->wheel, &f->silence);
    timer_stop(&f->loop->wheel, &f->nudge);
    curl_multi_remove_handle(f->multi, f->easy);
    uv_timer_stop(&f->curl_timer);
    f->bytes = NULL;
    f->len = f->cap = 0;
    return bytes;
}

/* The transport may be busy with the next request or closed when this returns. */
static void finish(struct fetch *f, CURLcode code)
{
    char text[FETCH_WHY_BYTES];
    struct buf why = BUF_ON(text);
    transport_done *done = f->done;
    void *context = f->context;
    struct fetched fetched = { .outcome = fetch_judge(f, code, &why) };
    fetched.denied = fetched.outcome == FETCH_FAILED && fetch_is_denied(f, code);
    size_t len = fetched.outcome == FETCH_GOT && !f->discard ? f->len : 0;
    char *bytes = take_down(f);
    fetched.bytes = slice_of(len ? bytes : "", len);
    fetched.why = buf_slice(&why);
    done(context, &fetched);
    free(bytes);
}

static void on_silence(struct timer *timer)
{
    finish(container_of(timer, struct fetch, silence), CURLE_OPERATION_TIMEDOUT);
}

static void on_unusable(uv_timer_t *timer)
{
    finish(container_of(timer, struct fetch, curl_timer), CURLE_URL_MALFORMAT);
}

static void on_nudge(struct timer *timer);

/* Hands the request to libcurl; it begins with libcurl's first timer. */
static bool launch(struct fetch *f)
{
    f->stop = FETCH_STOP_NONE;
    f->short_of_memory = false;
    f->control = CURL_SOCKET_BAD;
    f->ftp_status = 0;
    f->ftp_over = f->head_is_whole = false;
    f->tftp_error = -1;
    f->tftp_refused = f->tftp_nonsense = f->tftp_agreed = false;
    f->tftp_text[0] = f->error[0] = '\0';
    f->tftp_peer.sa.sa_family = AF_UNSPEC;
    f->len = f->sent = 0;
    if (curl_multi_add_handle(f->multi, f->easy))
        return false;
    fetch_heard(f);
    if (f->scheme == FETCH_TFTP)
        loop_timer(f->loop, &f->nudge, NUDGE_MS, on_nudge);
    return true;
}

static void launch_again(struct fetch *f)
{
    curl_multi_remove_handle(f->multi, f->easy);
    if (!launch(f))
        finish(f, CURLE_OUT_OF_MEMORY);
}

/* libcurl keeps neither the number nor the text of an ERROR packet (RFC 1350 section 5): look before it does. */
static void note_tftp_error(struct fetch *f, struct cursor *c)
{
    uint16_t number = cursor_u16(c);
    if (!cursor_ok(c))
        return;
    struct buf text = BUF_ON(f->tftp_text);
    buf_text(&text, slice_first(c->rest, slice_find(c->rest, '\0')));
    buf_terminate(&text);
    f->tftp_error = number;
    f->tftp_refused = true;
}

/* Whether it comes from where the first answer came from: the address and port that a transfer keeps to its end
 * (RFC 1350 section 4). libcurl takes anybody's, and so a late ERROR of an earlier transfer as its own. */
static bool is_of_transfer(struct fetch *f, const union address *from)
{
    if (f->tftp_peer.sa.sa_family == AF_UNSPEC)
        f->tftp_peer = *from;
    return address_eq(&f->tftp_peer, from);
}

/* An OACK that comes twice, because the wire doubled it or the server had not heard the answer, makes libcurl
 * begin anew in the middle: the first block is kept twice, or the second one sent as the first. So the second
 * OACK is not for it, nor is what a stranger sends. False: nothing has come that is. */
static bool peek_tftp(struct fetch *f, curl_socket_t fd)
{
    char packet[4 + FETCH_TFTP_TEXT_MAX];
    for (;;) {
        union address from = { .sa.sa_family = AF_UNSPEC };
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(fd, packet, sizeof packet, MSG_PEEK | MSG_DONTWAIT, &from.sa, &from_len);
        struct cursor c = cursor_on(slice_of(packet, len < 0 ? 0 : (size_t)len));
        uint16_t opcode = cursor_u16(&c);
        if (len < 0)
            return false;
        bool ours = is_of_transfer(f, &from);
        if (ours && opcode == TFTP_OPCODE_ERROR)
            note_tftp_error(f, &c);
        if (ours && (opcode != TFTP_OPCODE_OACK || !f->tftp_agreed))
            return true;
        recv(fd, packet, sizeof packet, MSG_DONTWAIT);
    }
}

/* Lets libcurl work; the last thing that its caller does. */
static void drive(struct fetch *f, curl_socket_t fd, int events)
{
    int running, left;
    /* It reads whatever it is called for. */
    if (f->done && f->scheme == FETCH_TFTP && f->watches && peek_tftp(f, f->watches->fd))
        fetch_heard(f);
    f->driven = fd;
    CURLMcode error = curl_multi_socket_action(f->multi, fd, events, &running);
    f->driven = CURL_SOCKET_BAD;
    const CURLMsg *message = curl_multi_info_read(f->multi, &left);
    if (!f->done)
        return;
    if (error || f->short_of_memory) {
        f->short_of_memory = true;
        finish(f, CURLE_OUT_OF_MEMORY);
    } else if (message) {
        CURLcode code = message->data.result;
        if (fetch_try_again(f, code))
            launch_again(f);
        else
            finish(f, code);
    }
}

static void on_nudge(struct timer *timer)
{
    struct fetch *f = container_of(timer, struct fetch, nudge);
    loop_timer(f->loop, timer, NUDGE_MS, on_nudge);
    if (f->watches)
        drive(f, f->watches->fd, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct fetch_watch *w = poll->data;
    struct fetch *f = w->fetch;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE) {
        flags |= CURL_CSELECT_IN;
        if (f->done)
            fetch_heard(f);
    }
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    drive(f, w->fd, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct fetch_watch *watch_new(struct fetch *f, curl_socket_t fd)
{
    struct fetch_watch *w = malloc(sizeof *w);
    if (!w)
        return NULL;
    *w = (struct fetch_watch){ .next = f->watches, .fetch = f, .fd = fd, .poll = { .data = w } };
    if (uv_poll_init_socket(&f->loop->uv, &w->poll, fd)) {
        free(w);
        return NULL;
    }
    f->watches = w;
    return w;
}

static void watch_drop(struct fetch *f, struct fetch_watch *w)
{
    struct fetch_watch **at = &f->watches;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct fetch *f = context;
    struct fetch_watch *w = socket_context;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            watch_drop(f, w);
        return 0;
    }
    if (!w) {
        w = watch_new(f, fd);
        curl_multi_assign(f->multi, fd, w);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (!w || uv_poll_start(&w->poll, events, on_poll))
        f->short_of_memory =
            true; /* drive() ends the request: an error here would end the multi handle for good */
    return 0;
}

static void on_curl_timer(uv_timer_t *timer)
{
    drive(container_of(timer, struct fetch, curl_timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *context)
{
    struct fetch *f = context;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&f->curl_timer);
    else
        uv_timer_start(&f->curl_timer, on_curl_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* A new handle: nothing of the last request is left, above all no nonce, which a server that has forgotten it
 * may answer with a plain 401. */
static bool renew(struct fetch *f)
{
    curl_easy_cleanup(f->easy);
    f->easy = curl_easy_init();
    return f->easy && fetch_prepare(f);
}

static bool fetch_start(struct transport *t, const struct transport_request *r, transport_done *done,
                        void *context)
{
    struct fetch *f = of(t);
    assert(!f->done);
    f->second_try = false;
    f->scheme = FETCH_NO_SCHEME;
    int error = renew(f) ? fetch_describe(f, r) : -ENOMEM;
    if (error == -EINVAL) {
        f->scheme = FETCH_NO_SCHEME;
        f->stop = FETCH_STOP_NONE;
        f->short_of_memory = false;
        uv_timer_start(&f->curl_timer, on_unusable, 0, 0);
    } else if (error || !launch(f)) {
        return false;
    }
    f->done = done;
    f->context = context;
    return true;
}

static void fetch_cancel(struct transport *t)
{
    struct fetch *f = of(t);
    if (f->done)
        free(take_down(f));
}

static void on_closed(uv_handle_t *handle)
{
    free(container_of((uv_timer_t *)(void *)handle, struct fetch, curl_timer));
}

static void fetch_close(struct transport *t)
{
    struct fetch *f = of(t);
    fetch_cancel(t);
    curl_easy_cleanup(f->easy);
    curl_multi_cleanup(f->multi);
    curl_slist_free_all(f->headers);
    curl_slist_free_all(f->upload_headers);
    while (f->watches)
        watch_drop(f, f->watches);
    uv_close((uv_handle_t *)&f->curl_timer, on_closed);
    curl_global_cleanup();
}

static bool prepare(struct fetch *f)
{
    f->multi = curl_multi_init();
    return f->multi &&
           !curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket) &&
           !curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) &&
           !curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish) &&
           !curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
}

void fetch_trust(struct transport *t, const struct trust *trust)
{
    of(t)->trust = trust;
}

int fetch_open(struct loop *loop, struct transport **ret_transport)
{
    struct fetch *f = malloc(sizeof *f);
    if (!f)
        return -ENOMEM;
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(f);
        return -ENOMEM;
    }
    *f = (struct fetch){ .transport = { fetch_start, fetch_cancel, fetch_close }, .loop = loop };
    uv_timer_init(&loop->uv, &f->curl_timer);
    if (!prepare(f)) {
        fetch_close(&f->transport);
        return -ENOMEM;
    }
    *ret_transport = &f->transport;
    return 0;
}
