#include "phone/ring_login.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* A nonce: when it was made, its number, and our mark over both. */
#define HEAD_DIGITS 20
#define MARK_DIGITS 32
#define NONCE_DIGITS (HEAD_DIGITS + MARK_DIGITS)
#define KEY_BYTES 64

bool ring_login_hash(const struct ring_login *l, struct slice text, size_t digits, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!HMAC(EVP_sha256(), l->secret, sizeof l->secret, (const unsigned char *)text.ptr, text.len, bytes, &len) ||
        digits > (size_t)len * 2)
        return false;
    for (size_t i = 0; i < digits; i++)
        buf_byte(out, hex[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4]);
    return buf_ok(out);
}

static struct slice account_value(const struct settings *s, unsigned account, const char *key)
{
    char bytes[KEY_BYTES];
    struct buf name = BUF_ON(bytes);
    buf_format(&name, "account.%u.%s", account, key);
    return settings_value(s, buf_slice(&name));
}

static struct slice user_of(const struct settings *s, unsigned account)
{
    struct slice name = account_value(s, account, "auth_name");
    return name.len ? name : account_value(s, account, "user_name");
}

/* The first one with a password; 0: none. */
static unsigned first_account(const struct settings *s)
{
    for (unsigned x = 1; x <= RING_ACCOUNTS_MAX; x++)
        if (account_value(s, x, "password").len && user_of(s, x).len)
            return x;
    return 0;
}

bool ring_login_possible(const struct settings *s)
{
    return first_account(s) != 0;
}

/* The domain that the account's credentials belong to, as its server would challenge with. */
static struct slice realm_of(const struct settings *s)
{
    struct slice host = account_value(s, first_account(s), "sip_server.1.address");
    for (size_t i = 0; i < host.len; i++)
        if (byte_is_control(host.ptr[i]) || host.ptr[i] == '"' || host.ptr[i] == '\\')
            return SLICE("phone");
    return host.len && host.len <= 255 ? host : SLICE("phone");
}

static bool put_nonce(struct ring_login *l, uint64_t now_ms, struct buf *out)
{
    size_t from = out->len;
    buf_format(out, "%012llx%08x", (unsigned long long)now_ms & 0xffffffffffff, ++l->serial);
    return buf_ok(out) && ring_login_hash(l, slice_from(buf_slice(out), from), MARK_DIGITS, out);
}

void ring_login_challenge(struct ring_login *l, const struct settings *s, bool stale, uint64_t now_ms, struct buf *out)
{
    static const enum auth_algorithm algorithms[] = { AUTH_MD5, AUTH_SHA256 };
    char nonce_bytes[NONCE_DIGITS + 1], value_bytes[512];
    struct buf nonce = BUF_ON(nonce_bytes);
    if (!put_nonce(l, now_ms, &nonce)) {
        out->full = true;
        return;
    }
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        struct buf value = BUF_ON(value_bytes);
        auth_challenge_digest(realm_of(s), algorithms[i], buf_slice(&nonce), stale, &value);
        sip_put_field(out, SIP_FIELD_WWW_AUTHENTICATE, buf_slice(&value));
    }
}

/* Ours, and not too old. */
static bool is_fresh(const struct ring_login *l, struct slice nonce, uint64_t now_ms, uint32_t *ret_serial)
{
    char bytes[MARK_DIGITS + 1];
    struct buf mark = BUF_ON(bytes);
    uint64_t made_ms, serial;
    if (nonce.len != NONCE_DIGITS || !ring_login_hash(l, slice_first(nonce, HEAD_DIGITS), MARK_DIGITS, &mark) ||
        CRYPTO_memcmp(bytes, nonce.ptr + HEAD_DIGITS, MARK_DIGITS) != 0 ||
        !slice_hex_u64(slice_first(nonce, 12), 0, UINT64_MAX, &made_ms) ||
        !slice_hex_u64(slice_first(slice_from(nonce, 12), 8), 0, UINT32_MAX, &serial))
        return false;
    *ret_serial = (uint32_t)serial;
    return now_ms - made_ms < (uint64_t)RING_NONCE_S * 1000;
}

/* A count is used once, and they go up. */
static bool use_count(struct ring_login *l, uint32_t serial, uint32_t count)
{
    for (size_t i = 0; i < RING_NONCES; i++) {
        if (l->used[i].serial != serial)
            continue;
        bool fine = count > l->used[i].highest;
        l->used[i].highest = fine ? count : l->used[i].highest;
        return fine;
    }
    if (serial <= l->floor)
        return false;
    if (l->used[l->next].serial > l->floor)
        l->floor = l->used[l->next].serial;
    l->used[l->next].serial = serial;
    l->used[l->next].highest = count;
    l->next = (l->next + 1) % RING_NONCES;
    return true;
}

static bool is_right(const struct settings *s, unsigned account, const struct auth *a, struct slice method)
{
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    size_t digits = auth_digits(a->algorithm);
    bool right = auth_ha1(a->algorithm, a->user, a->realm, account_value(s, account, "password"), ha1) &&
                 auth_response(a, slice_of(ha1, digits), method, response) &&
                 CRYPTO_memcmp(response, a->response.ptr, digits) == 0;
    OPENSSL_cleanse(ha1, sizeof ha1);
    return right;
}

static bool is_known(const struct settings *s, const struct auth *a, struct slice method)
{
    for (unsigned x = 1; x <= RING_ACCOUNTS_MAX; x++)
        if (account_value(s, x, "password").len && a->user.len && slice_eq(user_of(s, x), a->user) &&
            is_right(s, x, a, method))
            return true;
    return false;
}

/* A request may carry credentials for proxies on its way too. */
static bool find_ours(const struct settings *s, const struct sip_message *m, struct buf *room, struct auth *ret_auth)
{
    for (size_t i = 0; i < m->line_count; i++) {
        *room = buf_on(room->ptr, room->cap);
        if (m->lines[i].field == SIP_FIELD_AUTHORIZATION && auth_parse(m->lines[i].value, room, ret_auth) &&
            ret_auth->scheme == AUTH_DIGEST && slice_eq(ret_auth->realm, realm_of(s)))
            return true;
    }
    return false;
}

enum ring_login_answer ring_login_check(struct ring_login *l, const struct settings *s, const struct sip_message *m,
                                        uint64_t now_ms)
{
    char bytes[AUTH_VALUE_BYTES_MAX];
    struct buf room = BUF_ON(bytes);
    struct auth a;
    uint32_t serial = 0;
    if (!m->field[SIP_FIELD_AUTHORIZATION].ptr)
        return RING_LOGIN_NONE;
    if (!find_ours(s, m, &room, &a) || !is_known(s, &a, m->method_text))
        return RING_LOGIN_WRONG;
    return is_fresh(l, a.nonce, now_ms, &serial) && use_count(l, serial, a.count) ? RING_LOGIN_DONE : RING_LOGIN_STALE;
}
