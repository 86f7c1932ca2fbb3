#include "server/ftp_verbs.h"

void ftp_login_user(struct ftp_session *s, struct slice argument)
{
    s->named = true;
    s->anonymous = slice_eq_nocase(argument, SLICE("anonymous")) || slice_eq_nocase(argument, SLICE("ftp"));
    if (s->logged_in)
        ftp_service_put(s, FTP_PLACE_STRANGER);
    s->logged_in = false;
    ftp_session_reply(s, 331, s->anonymous ? "Any password will do." : "Password, please.");
}

void ftp_login_pass(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    if (!s->named) {
        ftp_session_reply(s, s->logged_in ? 202 : 503, s->logged_in ? "Logged in already." : "USER first.");
        return;
    }
    s->named = false;
    if (!s->anonymous) {
        s->faults++;
        ftp_session_reply(s, 530, "Login refused: this server takes anonymous only.");
        return;
    }
    s->logged_in = true;
    s->faults = 0;
    ftp_service_put(s, FTP_PLACE_IDLE);
    ftp_session_reply(s, 230, "Logged in, reading only.");
}

void ftp_login_acct(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, s->logged_in ? 202 : 530,
                      s->logged_in ? "No account is needed." : "USER and PASS first.");
}
