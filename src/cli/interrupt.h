/* SIGINT and SIGTERM end a loop: what every verb that runs one wants. */
#ifndef DIALTONE_CLI_INTERRUPT_H
#define DIALTONE_CLI_INTERRUPT_H

#include "net/loop.h"

struct interrupt {
    struct loop *loop;
    bool came;
    uv_signal_t signals[2];
};

void interrupt_open(struct interrupt *i, struct loop *loop);
/* Before loop_close(). */
void interrupt_close(struct interrupt *i);

#endif
