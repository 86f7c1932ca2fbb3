/* The LCD as text. */
#include "phone/screen.h"

#define SOFT_COLUMNS ((SCREEN_COLUMNS - 3) / SCREEN_SOFT_KEYS)

/* Characters, not bytes: what is printed lines up in a terminal. */
static size_t columns_of(struct slice text)
{
    size_t columns = 0;
    while (text.len) {
        size_t len = utf8_length(text);
        text = slice_from(text, len ? len : 1);
        columns++;
    }
    return columns;
}

static struct slice cut_to(struct slice text, size_t columns)
{
    struct slice rest = text;
    while (rest.len && columns) {
        size_t len = utf8_length(rest);
        rest = slice_from(rest, len ? len : 1);
        columns--;
    }
    return slice_first(text, text.len - rest.len);
}

/* Escaped, cut or filled to exactly so many columns. */
static void put_cell(struct buf *out, struct slice text, size_t columns)
{
    char bytes[4 * SCREEN_TEXT_BYTES];
    struct buf safe = BUF_ON(bytes);
    buf_escaped(&safe, text);
    struct slice shown = cut_to(buf_slice(&safe), columns);
    buf_text(out, shown);
    for (size_t at = columns_of(shown); at < columns; at++)
        buf_byte(out, ' ');
}

static void put_row(struct buf *out, struct slice text)
{
    buf_str(out, "| ");
    put_cell(out, text, SCREEN_COLUMNS - 2);
    buf_str(out, " |\n");
}

static void put_border(struct buf *out)
{
    buf_byte(out, '+');
    for (size_t i = 0; i < SCREEN_COLUMNS; i++)
        buf_byte(out, '-');
    buf_str(out, "+\n");
}

/* A long value shows its end, where the typing goes on. */
static void put_field(struct buf *out, const struct screen_view *v, size_t index)
{
    char bytes[SCREEN_TEXT_BYTES];
    struct buf row = BUF_ON(bytes);
    const struct screen_field *f = &v->fields[index];
    size_t room = SCREEN_COLUMNS - 8, label = columns_of(f->label);
    size_t left = room > label ? room - label : 0;
    buf_str(&row, index == v->focus ? "> " : "  ");
    buf_text(&row, f->label);
    buf_str(&row, ": ");
    buf_text(&row, f->value.len > left ? slice_from(f->value, f->value.len - left) : f->value);
    buf_str(&row, index == v->focus ? "_" : "");
    put_row(out, buf_slice(&row));
}

void screen_print(const struct screen_view *v, struct buf *out)
{
    size_t rows = v->line_count + v->field_count;
    put_border(out);
    put_row(out, v->title);
    for (size_t i = 0; i < v->line_count; i++)
        put_row(out, v->lines[i]);
    for (size_t i = 0; i < v->field_count; i++)
        put_field(out, v, i);
    while (rows++ < 5)
        put_row(out, SLICE_NONE);
    buf_byte(out, '|');
    for (size_t i = 0; i < SCREEN_SOFT_KEYS; i++) {
        put_cell(out, v->soft[i], SOFT_COLUMNS);
        buf_byte(out, '|');
    }
    for (size_t at = SCREEN_SOFT_KEYS * (SOFT_COLUMNS + 1); at < SCREEN_COLUMNS + 1; at++)
        buf_str(out, at == SCREEN_COLUMNS ? "|" : " ");
    buf_byte(out, '\n');
    put_border(out);
}

static void put_part(struct buf *out, struct slice text)
{
    if (text.len == 0)
        return;
    buf_str(out, out->len ? " | " : "");
    buf_escaped(out, text);
}

void screen_print_line(const struct screen_view *v, struct buf *out)
{
    bool any = false;
    put_part(out, v->title);
    for (size_t i = 0; i < v->line_count; i++)
        put_part(out, v->lines[i]);
    for (size_t i = 0; i < v->field_count; i++) {
        put_part(out, v->fields[i].label);
        buf_str(out, ": ");
        buf_escaped(out, v->fields[i].value);
    }
    for (size_t i = 0; i < SCREEN_SOFT_KEYS; i++) {
        if (v->soft[i].len == 0)
            continue;
        buf_str(out, any ? " [" : " | [");
        buf_text(out, v->soft[i]);
        buf_byte(out, ']');
        any = true;
    }
}
