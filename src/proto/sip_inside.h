/* Between the files of proto/sip: sip.c (head, fields, frames), sip_parts.c (start line and addresses, by
 * libosip2). */
#ifndef DIALTONE_PROTO_SIP_INSIDE_H
#define DIALTONE_PROTO_SIP_INSIDE_H

#include "proto/sip.h"

/* The first element of a field that may be a list: up to a comma outside of quotes and angle brackets. */
struct slice sip_first_element(struct slice value);
/* Fills target, status, reason, method, via, from, to, contact and cseq from `start` and m->field. False with
 * *ret_reason. */
bool sip_read_parts(struct slice start, struct arena *arena, struct sip_message *m, const char **ret_reason);

#endif
