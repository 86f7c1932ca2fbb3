/* Real protocols for the phone: TFTP, FTP, HTTP and HTTPS by libcurl on the phone's loop.
 *
 * As the real phones ask: TFTP with blksize 1432 (facts.md 5.7), HTTP with Host, User-Agent, Accept and
 * `Connection: close` (5.2), FTP in passive mode with SIZE and RETR of the whole path, and after a 530 once
 * more as `anonymous` with an empty password (5.7). Redirects: at most 5, to http and https only (5.3). The
 * address in an FTP 227 answer is ignored (security.md R8).
 *
 * Absent is what the server says is not there: HTTP 403, 404 and 410, FTP 550 and 553, any TFTP ERROR (the guide's own
 * capture shows a phone go on after "Access violation"). Everything else that brings no file has failed. */
#ifndef DIALTONE_PHONE_FETCH_H
#define DIALTONE_PHONE_FETCH_H

#include "net/loop.h"
#include "phone/transport.h"

/* 0 and a transport on `loop`, or a negative errno. Closed by its own `close`, which leaves handles closing on
 * the loop. */
int fetch_open(struct loop *loop, struct transport **ret_transport);

#endif
