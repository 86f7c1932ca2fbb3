#include "guide/seal_envelope.h"

#include "base/buf.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define NO_MEMORY "out of memory"
#define BEGIN SLICE("#!---BEGIN CONFIG DATA---")
#define END SLICE("#!---END CONFIG DATA---")

struct envelope {
    struct slice cipher; /* "AES_256" */
    struct slice key;    /* base64 */
    struct slice data;   /* base64, maybe on several lines */
    bool key_seen, data_seen;
};

static bool take_value(struct slice line, struct slice name, struct slice *ret_value)
{
    if (!slice_starts_nocase(line, name))
        return false;
    *ret_value = slice_trim(slice_from(line, name.len));
    return true;
}

static void parse(struct slice text, struct envelope *ret_envelope)
{
    struct envelope e = { 0 };
    struct slice line;
    while (!e.data_seen && slice_cut(&text, '\n', &line)) {
        line = slice_trim(line);
        take_value(line, SLICE("#!conf_encryption:"), &e.cipher);
        if (take_value(line, SLICE("#!key_ciphertext:"), &e.key))
            e.key_seen = true;
        e.data_seen = slice_starts_nocase(line, BEGIN);
    }
    if (e.data_seen)
        e.data = slice_trim(slice_first(text, slice_find_text(text, END)));
    *ret_envelope = e;
}

/* Without blanks and line ends, in fours. False for what is no base64, or without memory. */
static bool decode(struct slice text, struct arena *arena, struct slice *ret_bytes)
{
    struct buf compact = buf_on(arena_alloc(arena, text.len + 1), text.len + 1);
    unsigned char *bytes = arena_alloc(arena, text.len + 4);
    if (!compact.ptr || !bytes || text.len > INT_MAX - 4)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ' && text.ptr[i] != '\t' && text.ptr[i] != '\r' && text.ptr[i] != '\n')
            buf_byte(&compact, text.ptr[i]);
    size_t padding = 0;
    while (padding < 2 && padding < compact.len && compact.ptr[compact.len - 1 - padding] == '=')
        padding++;
    int len = EVP_DecodeBlock(bytes, (const unsigned char *)compact.ptr, (int)compact.len);
    if (len < 0 || (size_t)len < padding || compact.len % 4)
        return false;
    *ret_bytes = slice_of(bytes, (size_t)len - padding);
    return true;
}

/* Never asks at the terminal, as the library would. */
static int no_passphrase(char *into, int size, int writing, void *context)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static EVP_PKEY *read_pem(struct slice pem, bool private_half)
{
    if (pem.len == 0 || pem.len > SEAL_PEM_BYTES_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = NULL;
    if (bio && !private_half)
        key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    if (bio && !key && BIO_reset(bio) == 1)
        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error(); /* others on this thread look at the queue after their own calls */
    return key;
}

const char *seal_rsa_fault(struct slice pem, bool private_half)
{
    EVP_PKEY *key = read_pem(pem, private_half);
    EVP_PKEY_free(key);
    if (key)
        return NULL;
    return private_half ? "is no RSA private key as PEM without a passphrase" : "is no RSA key as PEM";
}

/* RSA of one block, either way. */
static bool run_rsa(EVP_PKEY *key, bool encrypt, struct slice from, struct arena *arena,
                    struct slice *ret_bytes)
{
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    int (*run)(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t) =
        encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
    size_t len = key ? (size_t)EVP_PKEY_get_size(key) : 0;
    unsigned char *bytes = arena_alloc(arena, len + 1);
    bool done = context && bytes &&
                (encrypt ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                run(context, bytes, &len, (const unsigned char *)from.ptr, from.len) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    if (done)
        *ret_bytes = slice_of(bytes, len);
    return done;
}

/* From RSA bytes to the AES key in them. */
static const char *unwrap(struct slice private_pem, struct slice bytes, struct arena *arena,
                          struct seal_key *ret_key)
{
    const char *fault = seal_rsa_fault(private_pem, true);
    if (fault)
        return "the private key is no RSA key as PEM without a passphrase";
    EVP_PKEY *key = read_pem(private_pem, true);
    struct slice text = SLICE_NONE;
    bool done = run_rsa(key, false, bytes, arena, &text) && seal_key_take(text, ret_key);
    if (text.len)
        seal_wipe((char *)text.ptr, text.len);
    EVP_PKEY_free(key);
    return done ? NULL : "the private key is not the one it was made for";
}

const char *seal_rsa_unwrap(struct slice private_pem, struct slice bytes, struct arena *arena,
                            struct seal_key *ret_key)
{
    struct slice decoded;
    bool text = seal_form(bytes) == SEAL_PLAIN && decode(slice_trim(bytes), arena, &decoded);
    return unwrap(private_pem, text ? decoded : bytes, arena, ret_key);
}

static size_t key_bytes_of(struct slice cipher)
{
    if (slice_eq_nocase(cipher, SLICE("AES_128")))
        return 16;
    return slice_eq_nocase(cipher, SLICE("AES_256")) ? 32 : 0;
}

static const char *open_parts(const struct envelope *e, struct slice private_pem, struct arena *arena,
                              struct slice *ret_plain)
{
    struct slice wrapped, data;
    struct seal_key key = { .len = 0 };
    if (!decode(e->key, arena, &wrapped))
        return "its key_ciphertext is no base64";
    if (!decode(e->data, arena, &data) || data.len == 0 || data.len % SEAL_BLOCK_BYTES)
        return "its data is no base64 of whole AES blocks";
    const char *why = unwrap(private_pem, wrapped, arena, &key);
    if (!why && key.len != key_bytes_of(e->cipher))
        why = "the length of its key is not the one that conf_encryption says";
    if (!why && !seal_open(seal_key_slice(&key), data, arena, ret_plain))
        why = NO_MEMORY;
    seal_wipe(&key, sizeof key);
    return why;
}

const char *seal_envelope_open(struct slice private_pem, struct slice bytes, struct arena *arena,
                               struct slice *ret_plain)
{
    struct envelope e;
    size_t failures = arena->failures;
    parse(bytes, &e);
    if (!e.key_seen)
        return "it has no line key_ciphertext";
    /* One of the tool's versions writes such files (facts.md 1.3). */
    if (e.key.len == 0)
        return "its key_ciphertext is empty: the tool that made it lost the key, and nothing opens it";
    if (key_bytes_of(e.cipher) == 0)
        return "its conf_encryption is neither AES_128 nor AES_256";
    if (!e.data_seen || e.data.len == 0)
        return "it holds no data";
    const char *why = open_parts(&e, private_pem, arena, ret_plain);
    return why && arena->failures > failures ? NO_MEMORY : why;
}

static void put_base64(struct buf *out, struct slice bytes)
{
    /* The encoder ends its text with a NUL. */
    size_t len = (bytes.len + 2) / 3 * 4;
    if (out->cap - out->len < len + 1) {
        out->full = true;
        return;
    }
    EVP_EncodeBlock((unsigned char *)out->ptr + out->len, (const unsigned char *)bytes.ptr, (int)bytes.len);
    out->len += len;
}

static void print(struct buf *out, size_t key_bytes, struct slice wrapped, struct slice data)
{
    buf_str(out, "#!encrypt:1.0.0.0\n#!key_signatue:RSA_256\n#!conf_encryption:");
    buf_str(out, key_bytes == 32 ? "AES_256\n#!key_ciphertext:" : "AES_128\n#!key_ciphertext:");
    put_base64(out, wrapped);
    buf_byte(out, '\n');
    buf_text(out, BEGIN);
    buf_byte(out, '\n');
    put_base64(out, data);
    buf_byte(out, '\n');
    buf_text(out, END);
    buf_byte(out, '\n');
}

const char *seal_envelope_close(struct slice public_pem, struct slice key, struct slice plain,
                                struct arena *arena, struct slice *ret_text)
{
    struct slice wrapped, data;
    EVP_PKEY *rsa = read_pem(public_pem, false);
    if (!rsa)
        return "the key is no RSA key as PEM";
    bool wrapped_well = run_rsa(rsa, true, key, arena, &wrapped);
    EVP_PKEY_free(rsa);
    if (!wrapped_well)
        return "the RSA key is too short for an AES key";
    if (!seal_close(key, plain, SEAL_PKCS7, arena, &data) || data.len > INT_MAX / 2)
        return NO_MEMORY;
    size_t cap = 256 + (wrapped.len + data.len) / 3 * 4 + 16;
    struct buf out = buf_on(arena_alloc(arena, cap), cap);
    if (!out.ptr)
        return NO_MEMORY;
    print(&out, key.len, wrapped, data);
    *ret_text = buf_slice(&out);
    return buf_ok(&out) ? NULL : NO_MEMORY;
}
