#include "server/http_login.h"

#include <openssl/crypto.h>

static void put_digest(enum auth_algorithm algorithm, struct slice nonce, bool stale, struct buf *out)
{
    buf_str(out, "WWW-Authenticate: ");
    auth_challenge_digest(SLICE(USER_REALM), algorithm, nonce, stale, out);
    buf_str(out, "\r\n");
}

static void put_challenges(struct worker *w, bool stale, struct buf *out)
{
    char bytes[LOGIN_NONCE_BYTES];
    struct buf nonce = BUF_ON(bytes);
    if (login_nonce(w->login, w->loop.now_ms, &nonce)) {
        put_digest(AUTH_MD5, buf_slice(&nonce), stale, out);
        put_digest(AUTH_SHA256, buf_slice(&nonce), stale, out);
    }
    buf_str(out, "WWW-Authenticate: ");
    auth_challenge_basic(SLICE(USER_REALM), out);
    buf_str(out, "\r\n");
}

/* One header, understood, and about this very request. */
static bool read_header(const struct http_request *request, struct buf *room, struct auth *ret_auth)
{
    return http_request_has(request, HTTP_FIELD_AUTHORIZATION) &&
           !(request->repeated & 1u << HTTP_FIELD_AUTHORIZATION) &&
           auth_parse(request->field[HTTP_FIELD_AUTHORIZATION], room, ret_auth) &&
           (ret_auth->scheme == AUTH_BASIC || slice_eq(ret_auth->uri, request->target));
}

static enum login_answer log_in(struct worker *w, const struct http_request *request, const struct auth *auth,
                                const struct access_request *ask, const struct user **ret_user)
{
    struct login_try t = { &w->access->users, ask->caller.peer, ask->caller.protocol, w->loop.now_ms };
    if (auth->scheme == AUTH_BASIC)
        return login_password(w->login, &t, auth->user, auth->password, ret_user);
    return login_digest(w->login, &t, auth, request->method_text, ret_user);
}

static struct http_admission refuse(struct worker *w, const char *reason, bool stale, struct buf *challenges)
{
    put_challenges(w, stale, challenges);
    return (struct http_admission){ 401, reason, ACCESS_WRITE_NONE };
}

static struct http_admission with_login(struct worker *w, const struct http_request *request,
                                        struct access_request *ask, struct buf *challenges)
{
    char bytes[AUTH_VALUE_BYTES_MAX];
    struct buf room = BUF_ON(bytes);
    struct auth auth;
    if (!read_header(request, &room, &auth))
        return refuse(w, "login needed", false, challenges);
    enum login_answer answer = log_in(w, request, &auth, ask, &ask->caller.user);
    OPENSSL_cleanse(bytes, sizeof bytes);
    switch (answer) {
    case LOGIN_DONE:
        break;
    case LOGIN_WRONG:
        return refuse(w, "wrong user or password", false, challenges);
    case LOGIN_STALE:
        return refuse(w, "login has expired", true, challenges);
    case LOGIN_WAIT:
        return (struct http_admission){ 429, "too many failed logins", ACCESS_WRITE_NONE };
    }
    struct access_verdict v = access_decide(w->access, ask);
    if (v.answer == ACCESS_HIDDEN)
        return (struct http_admission){ 404, v.reason, ACCESS_WRITE_NONE };
    return v.answer == ACCESS_YES ? (struct http_admission){ 0, NULL, v.write }
                                  : refuse(w, v.reason, false, challenges);
}

struct http_admission http_login(struct worker *w, const struct http_request *request,
                                 struct access_request *ask, struct buf *challenges)
{
    struct access_verdict v = access_decide(w->access, ask);
    switch (v.answer) {
    case ACCESS_YES:
        return (struct http_admission){ 0, NULL, v.write };
    case ACCESS_LOGIN:
        return with_login(w, request, ask, challenges);
    case ACCESS_HIDDEN:
        return (struct http_admission){ 404, v.reason, ACCESS_WRITE_NONE };
    case ACCESS_NO:
        break;
    }
    return (struct http_admission){ 403, v.reason, ACCESS_WRITE_NONE };
}
