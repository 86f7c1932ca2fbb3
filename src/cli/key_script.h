/* What a user does, as lines: `dialtone phone --keys FILE`. One command a line; `#` begins a comment.
 *
 *     wait 2.5             so many seconds of the phone's time
 *     until idle           until this screen is shown (man/dialtone-phone.1 lists the names)
 *     press 1 2 * ok       keys, one after the other
 *     text A31             a whole text into the field in focus
 *     dial *123            from the idle screen, OK pressed behind it
 *     call on | call off   the call switch
 *     set KEY = VALUE      a personal setting; without a value it is reset
 *     provision, reboot, check-sync [reboot]
 *     show                 prints the screen
 *     end                  the program ends
 *
 * Lines come from a file, or from standard input as they are typed. */
#ifndef DIALTONE_CLI_KEY_SCRIPT_H
#define DIALTONE_CLI_KEY_SCRIPT_H

#include "phone/life.h"

#define KEY_SCRIPT_LINE_MAX 1024
/* Of a whole file; what is typed may be any length. */
#define KEY_SCRIPT_BYTES_MAX ((size_t)64 * 1024)

struct key_script {
    struct loop *loop;
    struct life *life;
    struct screen *screen;
    uint32_t time_scale;
    void (*show)(void *context);                                    /* `show` */
    void (*wrong)(void *context, unsigned line, struct slice text); /* a line that is no command */
    void (*end)(void *context);                                     /* `end` */
    void *context;
    /* Its own. */
    int fd;
    bool polled, ended;
    uv_poll_t poll;
    struct timer wait;
    unsigned line;
    char until[32]; /* name of the screen that is waited for */
    char text[KEY_SCRIPT_BYTES_MAX];
    size_t len;
};

/* `path` "-": standard input. 0 or a negative errno. Set everything above `fd` first. */
int key_script_open(struct key_script *s, const char *path);
/* The screen has changed: `until` may be over. */
void key_script_look(struct key_script *s);
void key_script_close(struct key_script *s);

#endif
