#include "cli/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define DRAWING_BYTES ((size_t)32 * 1024)
#define INPUT_BYTES 256

/* What terminals send for a key: xterm, the Linux console, rxvt. */
static const struct {
    const char *bytes;
    enum key key;
} sequences[] = {
    { "\033[A", KEY_UP },       { "\033[B", KEY_DOWN },     { "\033[C", KEY_RIGHT },
    { "\033[D", KEY_LEFT },     { "\033OA", KEY_UP },       { "\033OB", KEY_DOWN },
    { "\033OC", KEY_RIGHT },    { "\033OD", KEY_LEFT },     { "\033OP", KEY_SOFT_1 },
    { "\033OQ", KEY_SOFT_2 },   { "\033OR", KEY_SOFT_3 },   { "\033OS", KEY_SOFT_4 },
    { "\033[11~", KEY_SOFT_1 }, { "\033[12~", KEY_SOFT_2 }, { "\033[13~", KEY_SOFT_3 },
    { "\033[14~", KEY_SOFT_4 }, { "\033[[A", KEY_SOFT_1 },  { "\033[[B", KEY_SOFT_2 },
    { "\033[[C", KEY_SOFT_3 },  { "\033[[D", KEY_SOFT_4 },  { "\r", KEY_OK },
    { "\n", KEY_OK },           { "\x7f", KEY_SOFT_3 },     { "\b", KEY_SOFT_3 },
    { "\033", KEY_X },
};

/* Bytes taken; 0: they begin no key. */
static size_t take_key(struct terminal *t, struct slice input)
{
    enum key key;
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        struct slice bytes = slice_str(sequences[i].bytes);
        if (slice_starts(input, bytes)) {
            life_key(t->life, sequences[i].key);
            return bytes.len;
        }
    }
    if (key_parse(slice_first(input, 1), &key) && key_digit(key)) {
        life_key(t->life, key);
        return 1;
    }
    return 0;
}

static void take(struct terminal *t, struct slice input)
{
    while (input.len) {
        size_t len = take_key(t, input);
        if (len == 0) {
            len = utf8_length(input);
            len = len ? len : 1;
            life_text(t->life, slice_first(input, len));
        }
        input = slice_from(input, len);
    }
}

static void on_keys(uv_poll_t *poll, int status, int events)
{
    struct terminal *t = poll->data;
    char bytes[INPUT_BYTES];
    (void)events;
    loop_woke(t->loop);
    ssize_t got = status < 0 ? 0 : read(STDIN_FILENO, bytes, sizeof bytes);
    if (got > 0 && t->life)
        take(t, slice_of(bytes, (size_t)got));
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        uv_poll_stop(poll);
}

bool terminal_open(struct terminal *t, struct loop *loop, struct screen *screen)
{
    *t = (struct terminal){ .loop = loop, .screen = screen };
    if (tcgetattr(STDIN_FILENO, &t->before) < 0 || uv_poll_init(&loop->uv, &t->keys, STDIN_FILENO))
        return false;
    struct termios raw = t->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    t->polled = true;
    t->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    t->keys.data = t;
    uv_poll_start(&t->keys, UV_READABLE, on_keys);
    return t->raw;
}

void terminal_plug(struct terminal *t, struct life *life)
{
    t->life = life;
}

static void take_off(struct terminal *t)
{
    if (t->drawn)
        printf("\033[%uA\033[J", t->drawn);
    t->drawn = 0;
}

static void draw(struct round_end *work)
{
    struct terminal *t = container_of(work, struct terminal, redraw);
    struct screen_view view;
    static char bytes[DRAWING_BYTES];
    struct buf out = BUF_ON(bytes);
    screen_view(t->screen, &view);
    screen_print(&view, &out);
    take_off(t);
    fwrite(out.ptr, 1, out.len, stdout);
    for (size_t i = 0; i < out.len; i++)
        t->drawn += out.ptr[i] == '\n';
    fflush(stdout);
}

void terminal_redraw(struct terminal *t)
{
    loop_at_round_end(t->loop, &t->redraw, draw);
}

void terminal_make_room(struct terminal *t)
{
    take_off(t);
    terminal_redraw(t);
}

void terminal_close(struct terminal *t)
{
    if (t->raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &t->before);
    if (t->polled)
        uv_close((uv_handle_t *)&t->keys, NULL);
    t->raw = t->polled = false;
}
