#include "phone/screen.h"

#include <stdarg.h>
#include <stdio.h>

/* In the order of enum key. */
static const char *const key_names[KEY_COUNT] = {
    "0", "1",     "2",     "3",     "4",     "5",  "6", "7",  "8",    "9",    "*",
    "#", "soft1", "soft2", "soft3", "soft4", "ok", "x", "up", "down", "left", "right",
};

const char *key_name(enum key key)
{
    return key_names[key];
}

bool key_parse(struct slice name, enum key *ret_key)
{
    for (unsigned key = 0; key < KEY_COUNT; key++) {
        if (slice_eq_nocase(name, slice_str(key_names[key]))) {
            *ret_key = (enum key)key;
            return true;
        }
    }
    return false;
}

char key_digit(enum key key)
{
    return key <= KEY_POUND ? key_names[key][0] : '\0';
}

/* A copy in the view; what does not fit is cut off whole. */
static struct slice keep(struct screen_view *v, struct slice text)
{
    size_t at = v->texts.len;
    buf_text(&v->texts, text);
    if (!buf_ok(&v->texts)) {
        v->texts.full = false;
        return SLICE_NONE;
    }
    return slice_of(v->room + at, text.len);
}

void view_title(struct screen_view *v, struct slice text)
{
    v->title = keep(v, text);
}

void view_line(struct screen_view *v, const char *format, ...)
{
    char bytes[SCREEN_TEXT_BYTES / SCREEN_LINES_MAX];
    va_list args;
    if (v->line_count == SCREEN_LINES_MAX)
        return;
    va_start(args, format);
    int len = vsnprintf(bytes, sizeof bytes, format, args);
    va_end(args);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof bytes ? (size_t)len : sizeof bytes - 1;
    v->lines[v->line_count++] = keep(v, slice_of(bytes, kept));
}

static struct slice keep_stars(struct screen_view *v, struct slice secret)
{
    size_t at = v->texts.len;
    for (size_t i = 0; i < secret.len; i++)
        buf_byte(&v->texts, '*');
    v->texts.full = false;
    return slice_of(v->room + at, v->texts.len - at);
}

void view_field(struct screen_view *v, struct slice label, struct slice value, enum field_kind kind)
{
    if (v->field_count == SCREEN_FIELDS_MAX)
        return;
    struct screen_field *f = &v->fields[v->field_count++];
    f->kind = kind;
    f->label = keep(v, label);
    f->value = kind == FIELD_PASSWORD ? keep_stars(v, value) : keep(v, value);
}

void view_soft(struct screen_view *v, unsigned number, const char *text)
{
    if (number >= 1 && number <= SCREEN_SOFT_KEYS)
        v->soft[number - 1] = slice_str(text);
}

void screen_init(struct screen *s, struct loop *loop, uint32_t time_scale)
{
    *s = (struct screen){ .loop = loop, .time_scale = time_scale };
}

void screen_touch(struct screen *s)
{
    s->version++;
    if (s->changed)
        s->changed(s->context);
}

static void let_go(struct dialog *d)
{
    timer_stop(&d->screen->loop->wheel, &d->timer);
    d->screen = NULL;
    d->below = NULL;
}

void screen_clear(struct screen *s)
{
    while (s->top) {
        struct dialog *d = s->top;
        s->top = d->below;
        let_go(d);
    }
    screen_touch(s);
}

void screen_push(struct screen *s, struct dialog *d)
{
    screen_pop(d);
    d->screen = s;
    d->below = s->top;
    s->top = d;
    screen_touch(s);
}

void screen_pop(struct dialog *d)
{
    struct screen *s = d->screen;
    if (!s)
        return;
    struct dialog **at = &s->top;
    while (*at != d)
        at = &(*at)->below;
    *at = d->below;
    let_go(d);
    screen_touch(s);
}

static void on_expired(struct timer *timer)
{
    struct dialog *d = container_of(timer, struct dialog, timer);
    if (d->expired)
        d->expired(d);
}

void dialog_expires(struct dialog *d, uint64_t after_ms)
{
    if (d->screen)
        loop_timer(d->screen->loop, &d->timer, after_ms / d->screen->time_scale, on_expired);
}

void screen_key(struct screen *s, enum key key)
{
    if (!s->top || !s->top->key)
        return;
    s->top->key(s->top, key);
    screen_touch(s);
}

void screen_text(struct screen *s, struct slice text)
{
    enum key key;
    if (s->top && s->top->text) {
        s->top->text(s->top, text);
        screen_touch(s);
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        if (key_parse(slice_of(text.ptr + i, 1), &key) && key_digit(key))
            screen_key(s, key);
}

void screen_view(const struct screen *s, struct screen_view *ret_view)
{
    struct screen_view *v = ret_view;
    v->name = "";
    v->title = SLICE_NONE;
    v->line_count = v->field_count = v->focus = 0;
    for (size_t i = 0; i < SCREEN_SOFT_KEYS; i++)
        v->soft[i] = SLICE_NONE;
    v->texts = buf_on(v->room, sizeof v->room);
    if (!s->top)
        return;
    v->name = s->top->name;
    if (s->top->draw)
        s->top->draw(s->top, v);
}
