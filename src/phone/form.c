#include "phone/form.h"

static struct form *form_of(struct dialog *d)
{
    return container_of(d, struct form, dialog);
}

static void form_draw(struct dialog *d, struct screen_view *v)
{
    const struct form *f = form_of(d);
    view_title(v, slice_str(f->title));
    if (f->question)
        view_line(v, "%s", f->question);
    for (size_t i = 0; i < f->count; i++)
        view_field(v, slice_str(f->fields[i].label), form_text(f, i), f->fields[i].kind);
    v->focus = f->focus;
    view_soft(v, 1, "Cancel");
    view_soft(v, 3, f->count ? "Delete" : "");
    view_soft(v, 4, f->accept ? f->accept : "OK");
}

static void finish(struct form *f, bool accepted)
{
    form_close(f);
    if (f->done)
        f->done(f, accepted);
}

static bool takes(const struct form_field *field, char c)
{
    size_t max = field->max && field->max < FORM_TEXT_MAX ? field->max : FORM_TEXT_MAX;
    bool fits = field->kind != FIELD_NUMBER || byte_is_digit(c) || c == '*' || c == '#';
    return fits && !byte_is_control(c) && field->len < max;
}

static void type(struct form *f, struct slice text)
{
    struct form_field *field = &f->fields[f->focus];
    for (size_t i = 0; f->count && i < text.len; i++)
        if (takes(field, text.ptr[i]))
            field->text[field->len++] = text.ptr[i];
}

static void take_back(struct form *f)
{
    struct form_field *field = &f->fields[f->focus];
    /* A whole character, not the last byte of one. */
    while (field->len && (field->text[field->len - 1] & 0xc0) == 0x80)
        field->len--;
    if (field->len)
        field->len--;
}

static void form_text_entered(struct dialog *d, struct slice text)
{
    type(form_of(d), text);
}

static void move(struct form *f, size_t by)
{
    if (f->count)
        f->focus = (f->focus + by) % f->count;
}

static void form_key(struct dialog *d, enum key key)
{
    struct form *f = form_of(d);
    char digit = key_digit(key);
    if (digit)
        type(f, slice_of(&digit, 1));
    else if (key == KEY_SOFT_3)
        take_back(f);
    else if (key == KEY_UP)
        move(f, f->count - 1);
    else if (key == KEY_DOWN)
        move(f, 1);
    else if (key == KEY_OK || key == KEY_SOFT_4)
        finish(f, true);
    else if (key == KEY_X || key == KEY_SOFT_1)
        finish(f, false);
}

static void form_expired(struct dialog *d)
{
    finish(form_of(d), false);
}

void form_init(struct form *f, const char *name, const char *title, void (*done)(struct form *f, bool accepted))
{
    form_close(f);
    *f = (struct form){ .dialog = { .name = name,
                                    .draw = form_draw,
                                    .key = form_key,
                                    .text = form_text_entered,
                                    .expired = form_expired },
                        .title = title,
                        .done = done };
}

void form_add(struct form *f, const char *label, enum field_kind kind, size_t max, struct slice value)
{
    if (f->count == SCREEN_FIELDS_MAX)
        return;
    struct form_field *field = &f->fields[f->count];
    *field = (struct form_field){ .label = label, .kind = kind, .max = max };
    f->focus = f->count++;
    type(f, value);
    f->focus = 0;
}

void form_wipe(struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        explicit_bzero(f->fields[i].text, sizeof f->fields[i].text);
        f->fields[i].len = 0;
    }
}

static void notice_draw(struct dialog *d, struct screen_view *v)
{
    const struct notice *n = container_of(d, struct notice, dialog);
    view_title(v, slice_str(n->title));
    for (size_t i = 0; i < sizeof n->lines / sizeof *n->lines; i++)
        if (n->lines[i][0])
            view_line(v, "%s", n->lines[i]);
    if (n->confirm)
        view_soft(v, 4, "OK");
}

static void notice_over(struct dialog *d)
{
    struct notice *n = container_of(d, struct notice, dialog);
    notice_hide(n);
    if (n->done)
        n->done(n);
}

static void notice_key(struct dialog *d, enum key key)
{
    const struct notice *n = container_of(d, struct notice, dialog);
    if (n->confirm && (key == KEY_OK || key == KEY_X || key == KEY_SOFT_4))
        notice_over(d);
}

void notice_init(struct notice *n, const char *name, const char *title)
{
    notice_hide(n);
    *n = (struct notice){
        .dialog = { .name = name, .draw = notice_draw, .key = notice_key, .expired = notice_over },
        .title = title
    };
}

void notice_line(struct notice *n, size_t line, struct slice text)
{
    struct buf out = BUF_ON(n->lines[line]);
    buf_text(&out, slice_first(text, NOTICE_LINE_BYTES - 1));
    buf_terminate(&out);
}

void notice_show(struct notice *n, struct screen *s, uint64_t for_ms)
{
    screen_push(s, &n->dialog);
    if (for_ms)
        dialog_expires(&n->dialog, for_ms);
}
