#include "guide/digest.h"

#include <openssl/evp.h>

bool digest_md5(struct slice bytes, char ret_hex[DIGEST_MD5_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, digest, &length, EVP_md5(), NULL) != 1 ||
        length != 16)
        return false;
    for (size_t i = 0; i < length; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[DIGEST_MD5_HEX - 1] = '\0';
    return true;
}
