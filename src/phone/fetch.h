/* Real protocols for the phone: TFTP, FTP, HTTP and HTTPS by libcurl on the phone's loop.
 *
 * As the real phones ask: TFTP with blksize 1432 (facts.md 5.7) to an IPv4 address unless the URL holds an IPv6
 * one, HTTP with Host, User-Agent, Accept and `Connection: close` (5.2), FTP in passive mode with SIZE and RETR
 * of the whole path, and after a 530 once more as `anonymous` with an empty password (5.7). Redirects: at most
 * 5, to http and https only (5.3), of downloads alone. The address in an FTP 227 answer is ignored (security.md R8).
 *
 * Absent is what the server says is not there: HTTP 403, 404 and 410, FTP 550 and 553, any TFTP ERROR (the
 * guide's own capture shows a phone go on after "Access violation"). Refused, because another try brings
 * nothing better: a file over the limit, announced or not; a redirect to another protocol; what is not a URL,
 * or names no file over TFTP or FTP. Everything else that brings no file has failed: silence, an HTTP status
 * that is neither 200 (203) nor absent, 401 after the credentials were tried once, a body that ends early, a file
 * over TFTP that is not as long as its tsize said (0 says nothing), a
 * certificate that is not good.
 *
 * Silence is counted on the loop's clock from the last packet or record that came, so a long transfer that goes
 * on is not cut. Nothing of the environment counts: no proxy, no .netrc, no cookies; the trusted certificates
 * are the system's, read only when a request verifies, and what phone/trust.h adds to them.
 *
 * What libcurl does otherwise than a phone: its TFTP request carries tsize and timeout besides blksize; an
 * empty file that is announced as tsize 0 is asked for twice, the second time without options; FTP has a PWD;
 * and while it waits for the reply that ends an FTP transfer the loop stands still, at most timeout_ms in whole
 * seconds.
 *
 * OpenSSL writes to sockets that may be closed: the process ignores SIGPIPE. */
#ifndef DIALTONE_PHONE_FETCH_H
#define DIALTONE_PHONE_FETCH_H

#include "net/loop.h"
#include "phone/transport.h"
#include "phone/trust.h"

/* 0 and a transport on `loop`, or a negative errno. Closed by its own `close`, which leaves handles closing on
 * the loop. */
int fetch_open(struct loop *loop, struct transport **ret_transport);
/* Of such a transport: what is imported besides the settings, and the phone's own certificate. Borrowed; NULL: none. */
void fetch_trust(struct transport *t, const struct trust *trust);

#endif
