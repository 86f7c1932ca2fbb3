#include "server/login.h"

#include "base/log.h"
#include "server/login_table.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#define SECRET_BYTES 32
#define MAC_BYTES 16
/* Of LOGIN_TABLE_WAYS entries each. */
#define TABLE_SETS ((size_t)2048)
/* What a keyed hash is over: a kind, an address, a name, a password. */
#define MESSAGE_BYTES 512

/* So that one cannot stand for the other. */
enum key_kind { KEY_ADDRESS = 1, KEY_NAME, KEY_PASSWORD, KEY_NONCE, KEY_NONCE_MAC };

struct login {
    unsigned char secret[SECRET_BYTES];
    pthread_mutex_t lock;
    struct login_table table; /* under lock */
    atomic_uint serial;       /* of nonces */
};

static bool mac(const struct login *l, enum key_kind kind, struct slice a, struct slice b,
                unsigned char ret_mac[EVP_MAX_MD_SIZE])
{
    char bytes[MESSAGE_BYTES];
    struct buf text = BUF_ON(bytes);
    buf_byte(&text, (char)kind);
    buf_u16(&text, (uint16_t)a.len);
    buf_text(&text, a);
    buf_text(&text, b);
    bool fine = buf_ok(&text) && HMAC(EVP_sha256(), l->secret, SECRET_BYTES, (unsigned char *)bytes, text.len,
                                      ret_mac, NULL) != NULL;
    OPENSSL_cleanse(bytes, sizeof bytes);
    return fine;
}

static struct login_key key_of(const struct login *l, enum key_kind kind, struct slice a, struct slice b)
{
    unsigned char bytes[EVP_MAX_MD_SIZE] = { 0 };
    struct login_key key;
    mac(l, kind, a, b, bytes); /* without memory: all share one entry, which refuses rather than lets in */
    memcpy(&key, bytes, sizeof key);
    key.words[1] |= 1;
    return key;
}

int login_open(struct login **ret_login)
{
    struct login *l = calloc(1, sizeof *l);
    static const unsigned char salt[16];
    struct user_hash warm;
    char bytes[LOGIN_NONCE_BYTES];
    struct buf out = BUF_ON(bytes);
    if (!l)
        return -ENOMEM;
    pthread_mutex_init(&l->lock, NULL);
    bool fine = login_table_open(&l->table, TABLE_SETS) == 0 &&
                getrandom(l->secret, sizeof l->secret, 0) == sizeof l->secret &&
                user_hash_make(SLICE("nobody"), SLICE("nothing"), salt, &warm) && login_nonce(l, 0, &out);
    if (!fine) {
        login_close(l);
        return -EIO;
    }
    *ret_login = l;
    return 0;
}

void login_close(struct login *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    login_table_close(&l->table);
    OPENSSL_cleanse(l->secret, sizeof l->secret);
    free(l);
}

/* --- the guard; under lock --- */

static const struct login_bounds bounds = { LOGIN_TRIES, LOGIN_TRY_S, LOGIN_REFUSALS, LOGIN_SHUT_S };

/* Whose allowance a try is on. */
static struct login_entry *allowance(struct login *l, const struct login_try *t, struct slice name)
{
    struct slice host = address_owner(t->peer);
    struct login_entry *own = login_table_find(&l->table, key_of(l, KEY_NAME, host, name), t->now_ms);
    if (own && own->good)
        return own;
    return login_table_of(&l->table, key_of(l, KEY_ADDRESS, host, SLICE_NONE), t->now_ms);
}

static bool may_try(struct login *l, const struct login_try *t, struct slice name)
{
    return login_entry_may_try(allowance(l, t, name), &bounds, t->now_ms);
}

/* True: the burst is to be said. */
static bool note_failure(struct login *l, const struct login_try *t, struct slice name)
{
    return login_entry_failed(allowance(l, t, name), &bounds, t->now_ms);
}

static void note_success(struct login *l, const struct login_try *t, struct slice name)
{
    struct login_key key = key_of(l, KEY_NAME, address_owner(t->peer), name);
    login_table_of(&l->table, key, t->now_ms)->good = true;
}

static enum login_answer fail(struct login *l, const struct login_try *t, struct slice name)
{
    char bytes[64];
    struct buf host = BUF_ON(bytes);
    pthread_mutex_lock(&l->lock);
    bool say = note_failure(l, t, name);
    pthread_mutex_unlock(&l->lock);
    address_print_host(t->peer, &host);
    if (say)
        log_warning("guessing: too many failed logins from %.*s by %s", SLICE_ARG(buf_slice(&host)),
                    protocol_name(t->protocol));
    return LOGIN_WRONG;
}

/* --- passwords --- */

enum login_answer login_password(struct login *l, const struct login_try *t, struct slice name,
                                 struct slice password, const struct user **ret_user)
{
    static const unsigned char none[USER_HASH_BYTES];
    if (name.len > AUTH_USER_BYTES_MAX || password.len > AUTH_PASSWORD_BYTES_MAX)
        return LOGIN_WRONG;
    const struct user *user = users_find(t->users, name);
    struct slice hash = slice_of(user ? user->hash.hash : none, USER_HASH_BYTES);
    struct login_key key = key_of(l, KEY_PASSWORD, hash, password);
    pthread_mutex_lock(&l->lock);
    bool may = may_try(l, t, name);
    bool known = may && user && login_table_find(&l->table, key, t->now_ms);
    pthread_mutex_unlock(&l->lock);
    if (!may)
        return LOGIN_WAIT;
    if (!known)
        user = users_check_password(t->users, name, password);
    if (!user)
        return fail(l, t, name);
    pthread_mutex_lock(&l->lock);
    login_table_of(&l->table, key, t->now_ms)->good = true;
    note_success(l, t, name);
    pthread_mutex_unlock(&l->lock);
    *ret_user = user;
    return LOGIN_DONE;
}

/* --- Digest --- */

/* TIME (12 digits, ms) SERIAL (8 digits) and a MAC over both (32 digits). */
static bool nonce_mac(const struct login *l, struct slice head, char ret_hex[2 * MAC_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    if (!mac(l, KEY_NONCE_MAC, head, SLICE_NONE, bytes))
        return false;
    for (size_t i = 0; i < MAC_BYTES; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return true;
}

bool login_nonce(struct login *l, uint64_t now_ms, struct buf *out)
{
    char hex[2 * MAC_BYTES];
    size_t from = out->len;
    buf_format(out, "%012llx%08x", (unsigned long long)now_ms & 0xffffffffffff,
               atomic_fetch_add(&l->serial, 1));
    if (!buf_ok(out) || !nonce_mac(l, slice_from(buf_slice(out), from), hex))
        return false;
    buf_bytes(out, hex, sizeof hex);
    return buf_ok(out);
}

/* Ours, and not too old. */
static bool is_fresh(const struct login *l, struct slice nonce, uint64_t now_ms, uint64_t *ret_made_ms)
{
    char hex[2 * MAC_BYTES];
    uint64_t made_ms;
    if (nonce.len != LOGIN_NONCE_BYTES || !nonce_mac(l, slice_first(nonce, 20), hex) ||
        CRYPTO_memcmp(hex, nonce.ptr + 20, sizeof hex) != 0 ||
        !slice_hex_u64(slice_first(nonce, 12), 0, UINT64_MAX, &made_ms))
        return false;
    *ret_made_ms = made_ms;
    /* Another worker may be a round ahead of this one. */
    return made_ms > now_ms || now_ms - made_ms < (uint64_t)LOGIN_NONCE_S * 1000;
}

/* A count is used once. Requests on several connections may overtake each other, by 64 at most. Under lock. */
static bool use_count(struct login *l, struct login_key key, uint32_t count, uint64_t made_ms, uint64_t now_ms)
{
    struct login_entry *e = login_table_find(&l->table, key, now_ms);
    if (!e) {
        if (made_ms < login_table_floor(&l->table, key))
            return false;
        e = login_table_of(&l->table, key, now_ms);
        e->good = e->is_nonce = true;
        e->made_ms = made_ms;
        e->highest = count;
        e->seen = 1;
        return true;
    }
    if (count > e->highest) {
        uint32_t by = count - e->highest;
        e->seen = by < 64 ? e->seen << by | 1 : 1;
        e->highest = count;
        return true;
    }
    uint32_t back = e->highest - count;
    if (back >= 64 || e->seen >> back & 1)
        return false;
    e->seen |= UINT64_C(1) << back;
    return true;
}

enum login_answer login_digest(struct login *l, const struct login_try *t, const struct auth *auth,
                               struct slice method, const struct user **ret_user)
{
    uint64_t made_ms = 0;
    bool fresh = is_fresh(l, auth->nonce, t->now_ms, &made_ms);
    if (auth->user.len > AUTH_USER_BYTES_MAX)
        return LOGIN_WRONG;
    struct login_key key = key_of(l, KEY_NONCE, fresh ? auth->nonce : SLICE_NONE, auth->user);
    pthread_mutex_lock(&l->lock);
    bool may = (fresh && login_table_find(&l->table, key, t->now_ms)) || may_try(l, t, auth->user);
    pthread_mutex_unlock(&l->lock);
    if (!may)
        return LOGIN_WAIT;
    const struct user *user = users_check_digest(t->users, auth, method);
    if (!user)
        return fail(l, t, auth->user);
    pthread_mutex_lock(&l->lock);
    note_success(l, t, auth->user);
    bool counted = fresh && use_count(l, key, auth->count, made_ms, t->now_ms);
    pthread_mutex_unlock(&l->lock);
    if (!counted)
        return LOGIN_STALE;
    *ret_user = user;
    return LOGIN_DONE;
}
