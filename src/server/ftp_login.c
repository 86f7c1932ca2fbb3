#include "server/ftp_verbs.h"
#include "server/login.h"

/* --- TLS (RFC 4217) --- */

void ftp_login_auth(struct ftp_session *s, struct slice argument)
{
    if (ftp_is_secure(s))
        ftp_session_reply(s, 503, "TLS is there already.");
    else if (!s->service->worker->ftp_relay)
        ftp_session_reply(s, 502, "Not here.");
    else if (!ftp_parse_auth(argument))
        ftp_session_reply(s, 504, "AUTH TLS only.");
    else
        s->moving = true; /* who takes the connection says the reply */
}

void ftp_login_pbsz(struct ftp_session *s, struct slice argument)
{
    if (!ftp_is_secure(s)) {
        ftp_session_reply(s, 503, "AUTH TLS first.");
    } else if (!ftp_parse_pbsz(argument)) {
        ftp_session_reply(s, 501, "PBSZ 0.");
    } else {
        s->sized = true;
        ftp_session_reply(s, 200, "PBSZ=0");
    }
}

void ftp_login_prot(struct ftp_session *s, struct slice argument)
{
    char level = ftp_parse_letter(argument);
    if (!s->sized) {
        ftp_session_reply(s, 503, "AUTH TLS and PBSZ first.");
    } else if (level == 's' || level == 'e') {
        ftp_session_reply(s, 536, "PROT C or P: TLS has no other.");
    } else if (level != 'c' && level != 'p') {
        ftp_session_reply(s, 504, "PROT C or P.");
    } else if (level == 'c' && ftp_needs_tls(s)) {
        ftp_session_reply(s, 534, "PROT P only.");
    } else {
        s->private = level == 'p';
        ftp_session_reply(s, 200, s->private ? "Data by TLS." : "Data in the clear.");
    }
}

/* A session that began with TLS ends with it. */
void ftp_login_ccc(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, ftp_is_secure(s) ? 534 : 533, "Not here.");
}

/* --- users --- */

/* The handshake is done by now. */
static void look_at_certificate(struct ftp_session *s)
{
    struct journal_event e;
    caller_note_certificate(&s->control, &e);
    s->proven = e.certificate == JOURNAL_CERTIFICATE_MAC;
    s->certificate = s->proven ? e.certificate_mac : (struct mac){ 0 };
}

void ftp_login_user(struct ftp_session *s, struct slice argument)
{
    if (ftp_needs_tls(s) && !ftp_is_secure(s)) {
        s->faults++;
        ftp_session_reply(s, 530, "TLS first: AUTH TLS.");
        return;
    }
    /* Nobody has a name that is longer. */
    struct slice name = argument.len <= sizeof s->user ? argument : SLICE_NONE;
    look_at_certificate(s);
    s->named = true;
    s->anonymous = slice_eq_nocase(argument, SLICE("anonymous")) || slice_eq_nocase(argument, SLICE("ftp"));
    s->user_len = (uint8_t)name.len;
    if (name.len)
        memcpy(s->user, name.ptr, name.len);
    if (s->logged_in)
        ftp_service_put(s, FTP_PLACE_STRANGER);
    s->logged_in = false;
    ftp_session_reply(s, 331, s->anonymous ? "Any password will do." : "Password, please.");
}

/* NULL: it is he. */
static const char *refuse_user(struct ftp_session *s, struct slice password)
{
    struct worker *w = s->service->worker;
    const struct user *user;
    if (s->anonymous)
        return NULL;
    if (!w->access || w->access->users.count == 0)
        return "Login refused: this server takes anonymous only.";
    struct login_try t = { &w->access->users, &s->peer, PROTOCOL_FTP, w->loop.now_ms };
    switch (login_password(w->login, &t, slice_of(s->user, s->user_len), password, &user)) {
    case LOGIN_DONE:
        s->user_mark = ftp_user_mark(user);
        return NULL;
    case LOGIN_WAIT:
        return "Too many failed logins: come back later.";
    case LOGIN_WRONG:
    case LOGIN_STALE:
        break;
    }
    return "Login refused.";
}

void ftp_login_pass(struct ftp_session *s, struct slice argument)
{
    if (!s->named) {
        ftp_session_reply(s, s->logged_in ? 202 : 503, s->logged_in ? "Logged in already." : "USER first.");
        return;
    }
    s->named = false;
    const char *refusal = refuse_user(s, argument);
    if (refusal) {
        s->faults++;
        ftp_session_reply(s, 530, refusal);
        return;
    }
    s->logged_in = true;
    s->faults = 0;
    ftp_service_put(s, FTP_PLACE_IDLE);
    ftp_session_reply(s, 230, "Logged in.");
}

void ftp_login_acct(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, s->logged_in ? 202 : 530,
                      s->logged_in ? "No account is needed." : "USER and PASS first.");
}
