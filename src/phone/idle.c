#include "phone/idle.h"

static struct idle *idle_of(struct dialog *d)
{
    return container_of(d, struct idle, dialog);
}

static void draw_facts(const struct idle_facts *f, struct screen_view *v)
{
    char bytes[64];
    struct buf title = BUF_ON(bytes);
    buf_format(&title, "%02u:%02u", f->hour, f->minute);
    buf_str(&title, f->dnd ? "  DND" : "");
    buf_str(&title, f->in_call ? "  in a call" : "");
    view_title(v, buf_slice(&title));
    if (f->network_unavailable)
        view_line(v, "Network unavailable");
    for (size_t i = 0; i < f->account_count; i++)
        view_line(v, "%.*s", SLICE_ARG(f->accounts[i]));
    if (f->account_count == 0)
        view_line(v, "No service");
    if (f->status.len)
        view_line(v, "%.*s", SLICE_ARG(f->status));
}

static void idle_draw(struct dialog *d, struct screen_view *v)
{
    const struct idle *i = idle_of(d);
    struct idle_facts facts = { 0 };
    if (i->describe)
        i->describe(i->context, &facts);
    draw_facts(&facts, v);
    view_soft(v, 1, facts.in_call ? "EndCall" : "Call");
    view_soft(v, 3, "DND");
    view_soft(v, 4, "Menu");
}

static void pick(const struct idle *i, enum idle_pick what)
{
    if (i->picked)
        i->picked(i->context, what);
}

static void on_number(struct form *f, bool accepted)
{
    const struct idle *i = container_of(f, struct idle, number);
    struct slice number = form_text(f, 0);
    if (accepted && number.len && i->dialled)
        i->dialled(i->context, number);
}

static void start_number(struct idle *i, struct slice first)
{
    form_init(&i->number, "dial", "Dial", on_number);
    form_add(&i->number, "Number", FIELD_NUMBER, IDLE_NUMBER_MAX, first);
    form_open(&i->number, i->dialog.screen);
}

static void idle_key(struct dialog *d, enum key key)
{
    struct idle *i = idle_of(d);
    char digit = key_digit(key);
    if (digit)
        start_number(i, slice_of(&digit, 1));
    else if (key == KEY_SOFT_1)
        pick(i, IDLE_CALL);
    else if (key == KEY_SOFT_3)
        pick(i, IDLE_DND);
    else if (key == KEY_SOFT_4)
        screen_push(d->screen, &i->menu);
}

static void idle_text(struct dialog *d, struct slice text)
{
    start_number(idle_of(d), text);
}

static void menu_draw(struct dialog *d, struct screen_view *v)
{
    (void)d;
    view_title(v, SLICE("Menu"));
    view_line(v, "1 Auto Provision Now");
    view_line(v, "2 Reboot");
    view_soft(v, 1, "Back");
}

static void menu_key(struct dialog *d, enum key key)
{
    const struct idle *i = container_of(d, struct idle, menu);
    bool picked = key == KEY_1 || key == KEY_2;
    if (picked || key == KEY_X || key == KEY_SOFT_1)
        screen_pop(d);
    if (picked)
        pick(i, key == KEY_1 ? IDLE_PROVISION : IDLE_REBOOT);
}

void idle_init(struct idle *i, void *context)
{
    *i = (struct idle){ .dialog = { .name = "idle", .draw = idle_draw, .key = idle_key, .text = idle_text },
                        .menu = { .name = "menu", .draw = menu_draw, .key = menu_key },
                        .context = context };
}

void idle_open(struct idle *i, struct screen *s)
{
    screen_push(s, &i->dialog);
}

void idle_close(struct idle *i)
{
    form_close(&i->number);
    screen_pop(&i->menu);
    screen_pop(&i->dialog);
}
