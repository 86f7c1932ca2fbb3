/* Digests of files as phones compute them (guide, "Resolving and Updating Configurations": the phone compares
 * the MD5 of a downloaded file with that of the last one). MD5 tells files apart here; it protects nothing. */
#ifndef DIALTONE_GUIDE_DIGEST_H
#define DIALTONE_GUIDE_DIGEST_H

#include "base/slice.h"

enum { DIGEST_MD5_HEX = 33 }; /* 32 lower-case digits and a NUL */

/* False when the crypto library refuses MD5 (a FIPS build) or has no memory; ret_hex is untouched then. */
bool digest_md5(struct slice bytes, char ret_hex[DIGEST_MD5_HEX]);

#endif
