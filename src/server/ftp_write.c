#include "server/ftp_verbs.h"

/* Until there are access rules. The journal hears of it: a phone may have tried to leave its settings here. */
void ftp_write_refused(struct ftp_session *s, struct slice argument)
{
    s->rest = 0;
    ftp_data_drop(s);
    if (ftp_name_aim(s, argument))
        ftp_transfer_refuse(s, 550, OUTCOME_REFUSED, "writing is not allowed");
}

void ftp_write_rnto(struct ftp_session *s, struct slice argument)
{
    (void)argument;
    ftp_session_reply(s, 503, "RNFR first.");
}
