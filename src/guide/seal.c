#include "guide/seal.h"

#include "base/buf.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/* The vendor's tool and every phone have it; public since 2014 (facts.md 1.1). */
#define FIXED_KEY SLICE("EKs35XacP6eybA25")
#define BOM SLICE("\xef\xbb\xbf")
/* Enough to see what a file is. */
#define HEAD_BYTES 4096

void seal_wipe(void *bytes, size_t len)
{
    OPENSSL_cleanse(bytes, len);
}

static bool is_key_byte(char c)
{
    static const char others[] = "#$%*+,-.:=?@[]^_{}~";
    return byte_is_alpha(c) || byte_is_digit(c) || memchr(others, c, sizeof others - 1);
}

const char *seal_key_fault(struct slice text)
{
    if (text.len != 16 && text.len != 32)
        return "has neither 16 nor 32 characters";
    for (size_t i = 0; i < text.len; i++)
        if (!is_key_byte(text.ptr[i]))
            return "holds a character that no key may have: digits, letters and # $ % * + , - . : = ? @ [ ] ^ "
                   "_ { } ~ "
                   "are allowed";
    return NULL;
}

bool seal_key_take(struct slice text, struct seal_key *ret_key)
{
    if (seal_key_fault(text))
        return false;
    memcpy(ret_key->text, text.ptr, text.len);
    ret_key->len = text.len;
    return true;
}

bool seal_key_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool seal_key_make(const unsigned char random[SEAL_RANDOM_BYTES], size_t len, struct seal_key *ret_key)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { LETTERS = sizeof letters - 1 };
    struct seal_key key = { .len = 0 };
    for (size_t i = 0; i < SEAL_RANDOM_BYTES && key.len < len && len <= sizeof key.text; i++)
        if (random[i] < 256 / LETTERS * LETTERS) /* so that all are as likely */
            key.text[key.len++] = letters[random[i] % LETTERS];
    bool made = key.len == len && !seal_key_fault(seal_key_slice(&key));
    if (made)
        *ret_key = key;
    seal_wipe(&key, sizeof key);
    return made;
}

/* Whole blocks; `from` and `to` may be the same. */
static bool run_cipher(struct slice key, bool encrypt, const void *from, size_t len, void *to)
{
    const EVP_CIPHER *cipher = key.len == 32 ? EVP_aes_256_ecb() : EVP_aes_128_ecb();
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    bool done = context && len <= INT_MAX &&
                EVP_CipherInit_ex(context, cipher, NULL, (const unsigned char *)key.ptr, NULL, encrypt) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                (len == 0 || EVP_CipherUpdate(context, to, &written, from, (int)len) == 1) &&
                (size_t)written == len;
    EVP_CIPHER_CTX_free(context); /* wipes its copy of the key */
    return done;
}

bool seal_key_wrap(struct slice key, char into[SEAL_KEY_BYTES_MAX])
{
    return !seal_key_fault(key) && run_cipher(FIXED_KEY, true, key.ptr, key.len, into);
}

bool seal_key_unwrap(struct slice bytes, struct seal_key *ret_key)
{
    char text[SEAL_KEY_BYTES_MAX];
    if (bytes.len != 16 && bytes.len != 32)
        return false;
    bool done = run_cipher(FIXED_KEY, false, bytes.ptr, bytes.len, text) &&
                seal_key_take(slice_of(text, bytes.len), ret_key);
    seal_wipe(text, sizeof text);
    return done;
}

bool seal_key_file_name(struct slice name, struct slice ending, struct arena *arena, struct slice *ret_name)
{
    size_t slash = slice_find_last(name, '/');
    struct slice last = slash == name.len ? name : slice_from(name, slash + 1);
    return arena_format(arena, ret_name, "%.*s%.*s", SLICE_ARG(slice_first(last, slice_find_last(last, '.'))),
                        SLICE_ARG(ending));
}

static bool is_text_control(char c)
{
    /* 0x1a ends text files of old editors. */
    return c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == 0x1a;
}

static bool is_odd_control(char c)
{
    return byte_is_control(c) && !is_text_control(c);
}

static size_t count_odd_controls(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += is_odd_control(text.ptr[i]);
    return count;
}

/* Bytes that no UTF-8 text holds. */
static size_t count_odd(struct slice text)
{
    size_t odd = 0;
    for (size_t i = 0, len; i < text.len; i += len ? len : 1) {
        len = utf8_length(slice_from(text, i));
        odd += len == 0 || is_odd_control(text.ptr[i]);
    }
    return odd;
}

static size_t count_nuls(struct slice text)
{
    size_t nuls = 0;
    for (size_t i = 0; i < text.len; i++)
        nuls += text.ptr[i] == '\0';
    return nuls;
}

static struct slice without_bom(struct slice text)
{
    return slice_starts(text, BOM) ? slice_from(text, BOM.len) : text;
}

static bool is_header(struct slice text)
{
    return slice_starts_nocase(text, SLICE("#!version")) || slice_starts_nocase(text, SLICE("#!/version"));
}

/* A header, or a comment of whatever encoding. */
static bool starts_as_text(struct slice head)
{
    struct slice text = slice_trim(without_bom(head));
    return is_header(text) || (slice_starts(text, SLICE("#")) && count_odd_controls(head) == 0);
}

/* Of the bytes of a cipher 55 in 100 are odd ones. With 2 blocks a quarter is missed three times in ten
 * thousand, with 5 blocks once in ten million; a single block must have but one. UTF-16 text and images have
 * many NULs. */
static bool is_cipher(struct slice bytes)
{
    struct slice head = slice_first(bytes, HEAD_BYTES);
    if (bytes.len == 0 || bytes.len % SEAL_BLOCK_BYTES || starts_as_text(head) ||
        count_nuls(head) > head.len / 8)
        return false;
    return head.len == SEAL_BLOCK_BYTES ? count_odd(head) > 0 : count_odd(head) > head.len / 4;
}

enum seal_form seal_form(struct slice bytes)
{
    struct slice start = slice_trim(without_bom(slice_first(bytes, HEAD_BYTES)));
    if (slice_starts_nocase(start, SLICE("#!encrypt:")))
        return SEAL_ENVELOPE;
    return is_cipher(bytes) ? SEAL_AES : SEAL_PLAIN;
}

size_t seal_size(size_t plain, enum seal_padding padding)
{
    size_t blocks = plain / SEAL_BLOCK_BYTES + (padding == SEAL_PKCS7 || plain % SEAL_BLOCK_BYTES);
    return blocks * SEAL_BLOCK_BYTES;
}

bool seal_close(struct slice key, struct slice plain, enum seal_padding padding, struct arena *arena,
                struct slice *ret_bytes)
{
    if (plain.len > INT_MAX - SEAL_BLOCK_BYTES)
        return false;
    size_t size = seal_size(plain.len, padding), fill = size - plain.len;
    char *bytes = arena_alloc(arena, size ? size : 1);
    if (!bytes)
        return false;
    if (plain.len)
        memcpy(bytes, plain.ptr, plain.len);
    memset(bytes + plain.len, padding == SEAL_PKCS7 ? (int)fill : ' ', fill);
    if (!run_cipher(key, true, bytes, size, bytes))
        return false;
    *ret_bytes = slice_of(bytes, size);
    return true;
}

static bool ends_in_pkcs7(struct slice plain)
{
    if (plain.len == 0)
        return false;
    unsigned char fill = (unsigned char)plain.ptr[plain.len - 1];
    if (fill == 0 || fill > SEAL_BLOCK_BYTES)
        return false;
    for (size_t i = plain.len - fill; i < plain.len; i++)
        if ((unsigned char)plain.ptr[i] != fill)
            return false;
    return true;
}

static struct slice without_run(struct slice plain, char byte)
{
    size_t run = 0;
    while (run < plain.len && plain.ptr[plain.len - 1 - run] == byte)
        run++;
    return run < SEAL_BLOCK_BYTES ? slice_first(plain, plain.len - run) : plain;
}

static struct slice without_padding(struct slice plain)
{
    if (ends_in_pkcs7(plain))
        return slice_first(plain, plain.len - (unsigned char)plain.ptr[plain.len - 1]);
    struct slice shorter = without_run(plain, '\0');
    return shorter.len < plain.len ? shorter : without_run(plain, ' ');
}

bool seal_open(struct slice key, struct slice bytes, struct arena *arena, struct slice *ret_plain)
{
    char *plain = bytes.len % SEAL_BLOCK_BYTES ? NULL : arena_alloc(arena, bytes.len + 1);
    if (!plain || !run_cipher(key, false, bytes.ptr, bytes.len, plain))
        return false;
    *ret_plain = without_padding(slice_of(plain, bytes.len));
    return true;
}

static bool has_header(struct slice text)
{
    struct slice line;
    while (slice_cut(&text, '\n', &line))
        if (is_header(slice_trim(line)))
            return true;
    return false;
}

enum seal_text seal_judge(struct slice plain)
{
    struct slice text = without_bom(plain), start = slice_trim(text);
    bool header = has_header(text);
    if (count_odd(text))
        return header ? SEAL_TEXT_DAMAGED : SEAL_TEXT_GARBAGE;
    if (header || slice_starts(start, SLICE("<")))
        return SEAL_TEXT_GOOD;
    return start.len ? SEAL_TEXT_NO_HEADER : SEAL_TEXT_GARBAGE;
}

const char *seal_text_fault(enum seal_text text)
{
    switch (text) {
    case SEAL_TEXT_GOOD:
        return NULL;
    case SEAL_TEXT_NO_HEADER:
        return "what comes out has no header `#!version:1.0.0.1`, by which a phone knows the right key";
    case SEAL_TEXT_DAMAGED:
        return "the file is damaged, or is not UTF-8: what comes out has a header, and then bytes that no text "
               "holds";
    case SEAL_TEXT_GARBAGE:
        return "the key is wrong: what comes out is no text";
    }
    return NULL;
}
