#include "cli/interrupt.h"

#include <signal.h>

static void on_signal(uv_signal_t *signal, int number)
{
    struct interrupt *i = signal->data;
    (void)number;
    i->came = true;
    loop_stop(i->loop);
}

void interrupt_open(struct interrupt *i, struct loop *loop)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    *i = (struct interrupt){ .loop = loop };
    for (size_t n = 0; n < 2; n++) {
        uv_signal_init(&loop->uv, &i->signals[n]);
        i->signals[n].data = i;
        uv_signal_start(&i->signals[n], on_signal, numbers[n]);
    }
}

void interrupt_close(struct interrupt *i)
{
    for (size_t n = 0; n < 2; n++)
        uv_close((uv_handle_t *)&i->signals[n], NULL);
}
