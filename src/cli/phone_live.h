/* A phone that lives: `dialtone phone` without --once. On a terminal it is drawn and takes keys; otherwise it
 * prints plain lines. */
#ifndef DIALTONE_CLI_PHONE_LIVE_H
#define DIALTONE_CLI_PHONE_LIVE_H

#include "cli/phone_options.h"
#include "guide/procedure.h"
#include "phone/flash.h"

/* Until SIGINT, SIGTERM or the end of a key script that says so. The exit status: of the last run. */
int phone_live(const struct verb *verb, const struct phone_arguments *arguments, const struct seal_keys *keys,
               const struct flash *flash);

#endif
