/* Weak stand-ins for what other branches build. Delete this file when they are merged. */
#include "server/http_service.h"
#include "server/tftp_service.h"

#include <stdlib.h>
#include <unistd.h>

#define WEAK __attribute__((weak))

struct tftp_service {
    int fd;
};
struct http_service {
    int fd;
};

#define STAND_IN(name)                                                                                       \
    WEAK int name##_service_open(struct worker *worker, int fd, struct name##_service **ret_service)         \
    {                                                                                                        \
        (void)worker;                                                                                        \
        *ret_service = malloc(sizeof **ret_service);                                                         \
        (*ret_service)->fd = fd;                                                                             \
        return 0;                                                                                            \
    }                                                                                                        \
    WEAK void name##_service_drain(struct name##_service *s, void (*done)(void *), void *context)            \
    {                                                                                                        \
        (void)s;                                                                                             \
        done(context);                                                                                       \
    }                                                                                                        \
    WEAK void name##_service_close(struct name##_service *s)                                                 \
    {                                                                                                        \
        close(s->fd);                                                                                        \
        free(s);                                                                                             \
    }
STAND_IN(tftp)
STAND_IN(http)
