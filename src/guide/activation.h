/* Auto provisioning via activation code (guide, chapter of that name): what the user dials on the idle screen names
 * one of static.autoprovision.1 to .50, and that one a server, a user and the keys of its files. */
#ifndef DIALTONE_GUIDE_ACTIVATION_H
#define DIALTONE_GUIDE_ACTIVATION_H

#include "guide/settings.h"

#define ACTIVATIONS_MAX 50
/* Guide: numeric characters, `#` and `*`, within 32 characters. */
#define ACTIVATION_CODE_MAX 32

/* Slices borrow from the settings; "" where nothing is configured. */
struct activation {
    unsigned number; /* X, from 1 */
    struct slice name, code, url, user, password;
    struct slice com_aes, mac_aes; /* facts.md 1.2 */
};

/* The first one whose code was dialled, character for character. False: none, or it has no URL. */
bool activation_find(const struct settings *s, struct slice dialled, struct activation *ret_activation);
/* Only a phone without a registered account takes one: no enabled account has a user name. */
bool activation_is_open(const struct settings *s);
/* "static.autoprovision.3.user", terminated: where what the user entered is kept for the next time. */
bool activation_key(unsigned number, struct slice last, struct buf *out);

#endif
