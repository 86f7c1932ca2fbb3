/* The LCD and the keypad on a terminal: the screen is drawn below the timeline and redrawn in place; keys come
 * as they are pressed.
 *
 *     0-9 * #        themselves           F1 .. F4     soft keys
 *     Enter          OK                   Esc          X
 *     arrows         themselves           Backspace    soft key 3, which is Delete where one types
 *     anything else  text */
#ifndef DIALTONE_CLI_TERMINAL_H
#define DIALTONE_CLI_TERMINAL_H

#include "phone/life.h"

#include <termios.h>

struct terminal {
    struct loop *loop;
    struct life *life;
    struct screen *screen;
    struct termios before;
    bool raw, polled;
    uv_poll_t keys;
    struct round_end redraw;
    unsigned drawn; /* lines of the LCD on the terminal; 0: it is not there */
};

/* Standard input and output are terminals. False: keys cannot be taken one by one. */
bool terminal_open(struct terminal *t, struct loop *loop, struct screen *screen);
/* Who hears the keys. */
void terminal_plug(struct terminal *t, struct life *life);
/* At the end of the round. */
void terminal_redraw(struct terminal *t);
/* Something else is about to be printed: takes the LCD off; it comes back at the end of the round. */
void terminal_make_room(struct terminal *t);
void terminal_close(struct terminal *t);

#endif
