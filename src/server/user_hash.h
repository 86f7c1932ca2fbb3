/* What the configuration keeps of a user's password: `user.NAME = ` and this text, as `dialtone passwd` prints
 * it:
 *
 *   scrypt$N$r$p$SALT$HASH[;md5$HA1][;sha256$HA1]
 *
 * SALT, HASH and HA1 are lower-case hexadecimal. HA1 is what Digest needs (RFC 7616 3.4.2, over name, realm
 * `dialtone` and password): whoever has it can log in by Digest, so the file is as secret as the passwords. A
 * line without the HA1s serves Basic alone. Pure text, no crypto: see server/users.h. */
#ifndef DIALTONE_SERVER_USER_HASH_H
#define DIALTONE_SERVER_USER_HASH_H

#include "base/buf.h"

/* Fixed: the HA1s hold it. */
#define USER_REALM "dialtone"
#define USER_NAME_BYTES_MAX 63
#define USER_SALT_BYTES_MAX 32
#define USER_HASH_BYTES 32
#define USER_HASH_TEXT_BYTES_MAX 512

struct user_hash {
    uint32_t n, r, p; /* n: a power of two, 2..32768; r, p: 1..16, so at most 64 MiB a check */
    size_t salt_len;  /* bytes, 8 at least */
    unsigned char salt[USER_SALT_BYTES_MAX], hash[USER_HASH_BYTES];
    char md5[33], sha256[65]; /* HA1; "": not there */
};

/* Letters, digits, `.`, `_`, `-` and `@`; no blank, comma or colon, so that it fits everywhere. */
bool user_name_ok(struct slice name);
bool user_hash_parse(struct slice text, struct user_hash *ret_hash);
void user_hash_print(const struct user_hash *h, struct buf *out);

#endif
