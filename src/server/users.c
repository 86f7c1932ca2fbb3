#include "server/users.h"

#include "guide/mac.h"

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

/* Names that are one to users_find() give the same bytes. */
static void canonical(struct slice name, struct buf *out)
{
    struct mac mac;
    if (mac_parse(name, &mac))
        mac_print_bare(mac, out);
    else
        buf_text(out, slice_first(name, AUTH_USER_BYTES_MAX));
}

static bool is_same(struct slice a, struct slice b)
{
    struct mac mac, other;
    if (slice_eq(a, b))
        return true;
    return mac_parse(a, &mac) && mac_parse(b, &other) && mac_eq(mac, other);
}

/* FNV-1a. Nobody but the operator puts names into the table. */
static size_t hash_of(struct slice name)
{
    char bytes[AUTH_USER_BYTES_MAX + 16];
    struct buf out = BUF_ON(bytes);
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    canonical(name, &out);
    for (size_t i = 0; i < out.len; i++)
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

/* Where a name is, or where it would be: at most half of the slots are taken. */
static size_t slot_of(const struct users *u, const uint32_t *slots, struct slice name)
{
    size_t at = hash_of(name) & u->slot_mask;
    while (slots[at] && !is_same(u->list[slots[at] - 1].name, name))
        at = (at + 1) & u->slot_mask;
    return at;
}

bool users_of(const struct user *list, size_t count, struct arena *arena, struct users *ret_users)
{
    struct users u = { .list = list, .count = count, .all_have_ha1 = true };
    struct mac mac;
    size_t size = 2;
    while (size < 2 * count)
        size *= 2;
    uint32_t *slots = ARENA_ARRAY(arena, uint32_t, size);
    if (!slots || count >= UINT32_MAX / 4)
        return false;
    memset(slots, 0, size * sizeof *slots);
    u.slot_mask = size - 1;
    for (size_t i = 0; i < count; i++) {
        size_t at = slot_of(&u, slots, list[i].name);
        u.repeated += slots[at] != 0;
        slots[at] = (uint32_t)i + 1;
        u.all_have_ha1 = u.all_have_ha1 && list[i].hash.sha256[0];
        u.any_mac = u.any_mac || mac_parse(list[i].name, &mac);
    }
    u.slots = slots;
    *ret_users = u;
    return true;
}

const struct user *users_find(const struct users *u, struct slice name)
{
    uint32_t found = u->count && name.len <= AUTH_USER_BYTES_MAX ? u->slots[slot_of(u, u->slots, name)] : 0;
    return found ? &u->list[found - 1] : NULL;
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
        likely = auth_ha1(AUTH_SHA256, found ? found->name : name, SLICE(USER_REALM), password, hex) &&
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
