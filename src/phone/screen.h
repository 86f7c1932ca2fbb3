/* The phone's LCD and its keys, as data: what is shown, what a key does. Who draws it (a terminal, the control
 * API) reads a view; who wants something of the user pushes a dialog.
 *
 * Dialogs lie on each other. The topmost is seen and gets the keys; the others wait. The lowest is the idle
 * screen (phone/idle.h). A dialog is part of whoever pushed it, who pops it before its memory goes. Knows no
 * socket; timers are the loop's.
 *
 * Source: guide, "Zero Touch", "Auto Provisioning via Activation Code", "Auto Provisioning via PIN Code": what
 * the dialogs ask, the four soft keys, the message that goes after two seconds. */
#ifndef DIALTONE_PHONE_SCREEN_H
#define DIALTONE_PHONE_SCREEN_H

#include "base/buf.h"
#include "net/loop.h"

enum key {
    KEY_0,
    KEY_1,
    KEY_2,
    KEY_3,
    KEY_4,
    KEY_5,
    KEY_6,
    KEY_7,
    KEY_8,
    KEY_9,
    KEY_STAR,
    KEY_POUND,
    KEY_SOFT_1, /* below the screen, from the left; what each does stands above it */
    KEY_SOFT_2,
    KEY_SOFT_3,
    KEY_SOFT_4,
    KEY_OK,
    KEY_X, /* cancel */
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT
};
enum { KEY_COUNT = KEY_RIGHT + 1 };

/* `0` .. `9`, `*`, `#`, `soft1` .. `soft4`, `ok`, `x`, `up`, `down`, `left`, `right`. */
const char *key_name(enum key key);
bool key_parse(struct slice name, enum key *ret_key);
/* The character that a key stands for when a number is entered; '\0': none. */
char key_digit(enum key key);

#define SCREEN_LINES_MAX 8
#define SCREEN_FIELDS_MAX 4
#define SCREEN_SOFT_KEYS 4
/* Columns between the borders when drawn as text. */
#define SCREEN_COLUMNS 46
/* Of all texts of one view. */
#define SCREEN_TEXT_BYTES 3072

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_PASSWORD };

struct screen_field {
    struct slice label, value; /* a password as stars, one a character */
    enum field_kind kind;
};

/* What is seen now. The texts are copies that live in the view itself: it must not be copied. */
struct screen_view {
    const char *name; /* of the dialog, for programs: "idle", "pin", "updating" ...; static */
    struct slice title;
    struct slice lines[SCREEN_LINES_MAX];
    size_t line_count;
    struct screen_field fields[SCREEN_FIELDS_MAX];
    size_t field_count, focus;           /* the field that text goes to */
    struct slice soft[SCREEN_SOFT_KEYS]; /* "": the key does nothing */
    char room[SCREEN_TEXT_BYTES];
    struct buf texts; /* on `room`; what does not fit is left out */
};

/* For who draws: everything is copied. Lines and fields over the maximum are left out. */
void view_title(struct screen_view *v, struct slice text);
void view_line(struct screen_view *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void view_field(struct screen_view *v, struct slice label, struct slice value, enum field_kind kind);
/* `number` from 1; the text is static. */
void view_soft(struct screen_view *v, unsigned number, const char *text);

struct screen;

/* A part of the screen's stack. All functions but `draw` may be NULL. */
struct dialog {
    const char *name; /* static */
    void (*draw)(struct dialog *d, struct screen_view *v);
    void (*key)(struct dialog *d, enum key key);
    /* A whole text at once, for scripts and keyboards; without it the keys of its characters are pressed. */
    void (*text)(struct dialog *d, struct slice text);
    void (*expired)(struct dialog *d); /* the time of dialog_expires() is over */
    /* The screen's own. */
    struct screen *screen; /* NULL: not pushed */
    struct dialog *below;
    struct timer timer;
};

struct screen {
    struct loop *loop;
    struct dialog *top;
    uint32_t time_scale;            /* times are this many times shorter; 1: real time */
    void (*changed)(void *context); /* what is seen may have changed; NULL: nobody looks */
    void *context;
    uint64_t version; /* counts the changes */
};

void screen_init(struct screen *s, struct loop *loop, uint32_t time_scale);
/* Power is gone: every dialog is off the stack, without a word to them. */
void screen_clear(struct screen *s);
void screen_push(struct screen *s, struct dialog *d);
/* From wherever it lies; one that is not pushed stays so. */
void screen_pop(struct dialog *d);
/* `expired` is called after so long, on top or not, unless it was popped; a second call starts again. */
void dialog_expires(struct dialog *d, uint64_t after_ms);
/* What a dialog shows has changed. */
void screen_touch(struct screen *s);

void screen_key(struct screen *s, enum key key);
void screen_text(struct screen *s, struct slice text);
/* What is seen; an empty view when nothing was pushed. */
void screen_view(const struct screen *s, struct screen_view *ret_view);
/* As text, framed, with a line end behind every line; foreign bytes are escaped. */
void screen_print(const struct screen_view *v, struct buf *out);
/* The same in one line, for logs and scripts: `title | line | label: value | [OK] [Cancel]`. */
void screen_print_line(const struct screen_view *v, struct buf *out);

#endif
