/* The inside of phone/control: control.c has the connections, control_api.c what the requests mean. */
#ifndef DIALTONE_PHONE_CONTROL_INSIDE_H
#define DIALTONE_PHONE_CONTROL_INSIDE_H

#include "base/url.h"
#include "phone/control.h"
#include "proto/http_request.h"

struct control_answer {
    unsigned status;
    char *bytes; /* on the heap, with a line end; NULL: out of memory */
    size_t len;
};

/* Whether the head may be answered at all; 0, or the status of the refusal with *ret_error. */
unsigned control_check(const struct http_request *r, const char **ret_error);
/* `body` is whole. */
struct control_answer control_handle(struct life *life, struct screen *screen, const struct http_request *r,
                                     struct slice body);
struct control_answer control_refuse(unsigned status, const char *error);

#endif
