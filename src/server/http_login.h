/* Access rules and logins over HTTP (RFC 9110 11, RFC 7616, RFC 7617). */
#ifndef DIALTONE_SERVER_HTTP_LOGIN_H
#define DIALTONE_SERVER_HTTP_LOGIN_H

#include "proto/http_request.h"
#include "server/access.h"
#include "server/login.h"
#include "server/service.h"

/* What a client that was refused for failing or guessing too often shall wait. */
#define HTTP_LOGIN_RETRY_S LOGIN_TRY_S
/* Room for the challenges of a 401. */
#define HTTP_CHALLENGES_BYTES 512

struct http_admission {
    unsigned status; /* 0: go on; 401, 403, 429; 404: to be answered as a name that is not there */
    const char *reason; /* with 404 for the journal alone */
    enum access_write write; /* what a request to write may do */
};

/* May this request do what `ask` says? Credentials are looked at only where a rule wants them; who has logged in is put
 * into ask->caller. Whether
 * there is such a file makes no difference. `challenges` is filled for a 401: `WWW-Authenticate` lines with
 * their CRLFs, Digest with MD5 first since that is what phones know (facts.md 5.3) and some take the first
 * Digest there is, then SHA-256, then Basic. */
struct http_admission http_login(struct worker *w, const struct http_request *request,
                                 struct access_request *ask, struct buf *challenges);

#endif
