#include "server/users.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define PASSWORD_BYTES_MIN 8
#define DIGITS_MIN 12
#define SALT_BYTES 16
/* What EVP_PBE_scrypt may take; its own default of 32 MiB is below what user_hash.h lets in. */
#define SCRYPT_BYTES_MAX ((uint64_t)80 << 20)

static const struct user nobody = {
    .hash = { .n = USER_SCRYPT_N,
              .r = USER_SCRYPT_R,
              .p = USER_SCRYPT_P,
              .salt_len = SALT_BYTES,
              .md5 = "00000000000000000000000000000000",
              .sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
};

static bool is_short_number(struct slice password)
{
    for (size_t i = 0; i < password.len; i++)
        if (!byte_is_digit(password.ptr[i]))
            return false;
    return password.len < DIGITS_MIN;
}

const char *password_fault(struct slice password, bool weak_too)
{
    for (size_t i = 0; i < password.len; i++)
        if (byte_is_control(password.ptr[i]))
            return "holds a control byte";
    if (password.len == 0)
        return "is blank";
    if (password.len > AUTH_PASSWORD_BYTES_MAX)
        return "is longer than 128 bytes";
    if (weak_too)
        return NULL;
    if (password.len < PASSWORD_BYTES_MIN)
        return "is shorter than 8 characters";
    return is_short_number(password) ? "is a number of fewer than 12 digits" : NULL;
}

static bool scrypt(const struct user_hash *h, struct slice password, unsigned char ret_hash[USER_HASH_BYTES])
{
    return EVP_PBE_scrypt(password.ptr ? password.ptr : "", password.len, h->salt, h->salt_len, h->n, h->r,
                          h->p, SCRYPT_BYTES_MAX, ret_hash, USER_HASH_BYTES) == 1;
}

bool user_hash_make(struct slice name, struct slice password, const unsigned char salt[SALT_BYTES],
                    struct user_hash *ret_hash)
{
    struct user_hash h = { .n = USER_SCRYPT_N, .r = USER_SCRYPT_R, .p = USER_SCRYPT_P, .salt_len = SALT_BYTES };
    char hex[AUTH_HEX_BYTES];
    memcpy(h.salt, salt, SALT_BYTES);
    if (!scrypt(&h, password, h.hash) || !auth_ha1(AUTH_SHA256, name, SLICE(USER_REALM), password, hex))
        return false;
    memcpy(h.sha256, hex, sizeof h.sha256);
    if (auth_ha1(AUTH_MD5, name, SLICE(USER_REALM), password, hex))
        memcpy(h.md5, hex, sizeof h.md5);
    *ret_hash = h;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct user *)a)->name, ((const struct user *)b)->name);
}

struct users users_of(struct user *list, size_t count)
{
    struct users u = { list, count, true };
    if (count)
        qsort(list, count, sizeof *list, by_name);
    for (size_t i = 0; i < count; i++)
        u.all_have_ha1 = u.all_have_ha1 && list[i].hash.sha256[0];
    return u;
}

const struct user *users_find(const struct users *u, struct slice name)
{
    struct user key = { .name = name };
    return u->count ? bsearch(&key, u->list, u->count, sizeof key, by_name) : NULL;
}

static bool scrypt_fits(const struct user_hash *h, struct slice password)
{
    unsigned char hash[USER_HASH_BYTES];
    return scrypt(h, password, hash) && CRYPTO_memcmp(hash, h->hash, sizeof hash) == 0;
}

const struct user *users_check_password(const struct users *u, struct slice name, struct slice password)
{
    const struct user *found = users_find(u, name);
    const struct user *against = found ? found : &nobody;
    char hex[AUTH_HEX_BYTES] = "";
    bool likely = true;
    if (against->hash.sha256[0])
        likely = auth_ha1(AUTH_SHA256, name, SLICE(USER_REALM), password, hex) &&
                 CRYPTO_memcmp(hex, against->hash.sha256, 64) == 0;
    if (!likely && u->all_have_ha1)
        return NULL;
    bool fits = scrypt_fits(&against->hash, password);
    return found && likely && fits ? found : NULL;
}

const struct user *users_check_digest(const struct users *u, const struct auth *auth, struct slice method)
{
    const struct user *found = users_find(u, auth->user);
    const struct user_hash *h = found ? &found->hash : &nobody.hash;
    const char *ha1 = auth->algorithm == AUTH_MD5 ? h->md5 : h->sha256;
    bool there = ha1[0] != '\0';
    char hex[AUTH_HEX_BYTES], sent[AUTH_HEX_BYTES];
    if (!there)
        ha1 = nobody.hash.sha256;
    size_t digits = auth_digits(auth->algorithm);
    if (auth->response.len != digits || !auth_response(auth, slice_of(ha1, digits), method, hex))
        return NULL;
    for (size_t i = 0; i < digits; i++)
        sent[i] = byte_lower(auth->response.ptr[i]);
    bool same = CRYPTO_memcmp(hex, sent, digits) == 0;
    return found && there && same && slice_eq(auth->realm, SLICE(USER_REALM)) ? found : NULL;
}
