/* Which key opens which file, and what goes out encrypted, as a phone's settings say (facts.md 1.2).
 *
 *     static.auto_provision.aes_key_16.com   common and custom CFG files, the common boot file
 *     static.auto_provision.aes_key_16.mac   <mac>.cfg, <mac>-local.cfg, <mac>-contact.xml, <mac>.boot; blank: .com
 *
 * Newer firmware calls them aes_key.com and aes_key.mac; settings know both names. */
#ifndef DIALTONE_GUIDE_SEAL_KEYS_H
#define DIALTONE_GUIDE_SEAL_KEYS_H

#include "guide/name.h"
#include "guide/seal.h"
#include "guide/settings.h"

/* Keys from elsewhere: an activation code's com_aes and mac_aes, or what a person gives. "": none. Borrowed. */
struct seal_keys {
    struct slice common, mac;
    struct slice rsa_private; /* PEM, for RSA mode */
};

enum seal_owner { SEAL_COMMON, SEAL_MAC };
enum seal_owner seal_owner_of(enum name_kind kind);
/* "the common AES key", "the MAC-oriented AES key". */
const char *seal_owner_words(enum seal_owner owner);

/* The key that holds: what a CFG file of this run has set, else the given one, else the one in flash; for the MAC-
 * oriented one then the common one. "" when there is none. It may have a fault: seal_key_fault(). */
struct slice seal_keys_for(const struct seal_keys *given, const struct settings *s, enum seal_owner owner);

/* What a phone sends of a MAC-local CFG file, contact file or call log: encrypted when the settings
 * static.auto_provision.encryption.config, .directory and .call_log ask for it, under the same name, with the MAC-
 * oriented key (that the bytes are those of seal_close() is assumed: facts.md 1.4, "unknown"); else as it is. NULL, or
 * why it must not be sent: nothing that is to be encrypted goes out in clear. *ret_bytes may be `plain` itself. */
const char *seal_for_upload(const struct seal_keys *given, const struct settings *s, enum name_kind kind,
                            struct slice plain, struct arena *arena, struct slice *ret_bytes);

#endif
