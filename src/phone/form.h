/* Two dialogs that nearly everything needs: a form with fields to fill in, and a notice.
 *
 *     +----------------------------------------------+
 *     | Auto Provision                               |
 *     | > User Name: 00156574b150_                   |
 *     |   Password: ******                           |
 *     |Cancel     |           |Delete     |OK        |
 *
 * Digits, `*` and `#` go into the field in focus; up and down change it; soft key 3 takes the last character
 * back; OK and soft key 4 accept the whole form, X and soft key 1 cancel it. Letters come as whole texts
 * (screen_text()): the ways in which the real keypads write letters are no part of provisioning. */
#ifndef DIALTONE_PHONE_FORM_H
#define DIALTONE_PHONE_FORM_H

#include "phone/screen.h"

/* The longest thing that is entered is a URL (facts.md 6.1: 511 characters). */
#define FORM_TEXT_MAX 511

struct form_field {
    const char *label; /* static */
    enum field_kind kind;
    size_t max; /* bytes; at most FORM_TEXT_MAX, 0: that */
    char text[FORM_TEXT_MAX + 1];
    size_t len;
};

struct form {
    struct dialog dialog;
    const char *title, *question, *accept; /* static; `question` and `accept` may be NULL: no line, "OK" */
    struct form_field fields[SCREEN_FIELDS_MAX];
    size_t count, focus;
    /* The form is off the screen again; its fields are there until the owner wipes or opens it. Also called
     * with false when its time is over. */
    void (*done)(struct form *f, bool accepted);
};

/* Nothing entered and no field yet. `name` is static, for programs. */
void form_init(struct form *f, const char *name, const char *title,
               void (*done)(struct form *f, bool accepted));
/* A field below those there are; `value` stands in it already. */
void form_add(struct form *f, const char *label, enum field_kind kind, size_t max, struct slice value);
static inline void form_open(struct form *f, struct screen *s)
{
    screen_push(s, &f->dialog);
}
/* Without a word to `done`. */
static inline void form_close(struct form *f)
{
    screen_pop(&f->dialog);
}
static inline struct slice form_text(const struct form *f, size_t field)
{
    return slice_of(f->fields[field].text, f->fields[field].len);
}
/* Passwords do not stay in memory (security.md R27). */
void form_wipe(struct form *f);

#define NOTICE_LINE_BYTES 128

/* A title and up to three lines. Keys do nothing, but with `confirm` OK, X and soft key 4 end it. */
struct notice {
    struct dialog dialog;
    const char *title; /* static */
    char lines[3][NOTICE_LINE_BYTES];
    bool confirm;
    void (*done)(struct notice *n); /* it went by itself or by a key; NULL: nobody cares */
};

/* All lines empty. */
void notice_init(struct notice *n, const char *name, const char *title);
/* `line` from 0; cut when longer. */
void notice_line(struct notice *n, size_t line, struct slice text);
/* Goes by itself after `for_ms`; 0: stays. */
void notice_show(struct notice *n, struct screen *s, uint64_t for_ms);
static inline void notice_hide(struct notice *n)
{
    screen_pop(&n->dialog);
}

#endif
