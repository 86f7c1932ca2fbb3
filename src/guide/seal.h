/* Encrypted files: AES in ECB mode with the characters of a key as its bytes (guide, "Encrypting Configuration
 * Files"; facts.md 1.1, 1.2).
 *
 * An encrypted file has the name of the plain one, a length that is a multiple of 16, and no mark of any kind.
 * Nothing in it can be proven: a wrong key or a changed byte shows only in what comes out. So nothing that this opens
 * is to be used before seal_judge() has looked at it (security.md R26). The format is the phones' and no better than
 * it is; nothing of dialtone's own is kept in it.
 *
 * Here is no socket, file or clock. Keys are the caller's to wipe: seal_wipe(). */
#ifndef DIALTONE_GUIDE_SEAL_H
#define DIALTONE_GUIDE_SEAL_H

#include "base/arena.h"

enum { SEAL_BLOCK_BYTES = 16, SEAL_KEY_BYTES_MAX = 32 };

/* A key in memory that can be wiped. 16 characters: AES-128; 32: AES-256. */
struct seal_key {
    char text[SEAL_KEY_BYTES_MAX];
    size_t len; /* 0: none */
};
static inline struct slice seal_key_slice(const struct seal_key *key)
{
    return slice_of(key->text, key->len);
}
void seal_wipe(void *bytes, size_t len);

/* Why this text cannot be a key ("has neither 16 nor 32 characters"); NULL: it can. The characters are the guide's:
 * digits, letters and # $ % * + , - . : = ? @ [ ] ^ _ { } ~ */
const char *seal_key_fault(struct slice text);
/* False, and untouched, when it has a fault. */
bool seal_key_take(struct slice text, struct seal_key *ret_key);
/* In constant time for keys of one length. */
bool seal_key_eq(struct slice a, struct slice b);
/* A key of 16 or 32 letters and digits from random bytes, of which it uses each at most once; false when they did not
 * suffice (one in ten is of no use). */
enum { SEAL_RANDOM_BYTES = 256 };
bool seal_key_make(const unsigned char random[SEAL_RANDOM_BYTES], size_t len, struct seal_key *ret_key);

/* Key files, `<base>_Security.enc`: the key itself, encrypted with a key that all phones share and everybody knows.
 * It hides nothing. 16 bytes; what it is for a key of 32 characters no source says: two blocks here. */
bool seal_key_wrap(struct slice key, char into[SEAL_KEY_BYTES_MAX]);
/* False when no key comes out. */
bool seal_key_unwrap(struct slice bytes, struct seal_key *ret_key);
/* `y000000000066_Security.enc` for `d/y000000000066.cfg`: what stands before the ending, and `ending`. */
bool seal_key_file_name(struct slice name, struct slice ending, struct arena *arena, struct slice *ret_name);
#define SEAL_SECURITY_ENC SLICE("_Security.enc")
#define SEAL_ENC SLICE(".enc")

/* What a file looks like. Nothing marks AES: it is that when its length fits and it is no text. */
enum seal_form { SEAL_PLAIN, SEAL_AES, SEAL_ENVELOPE };
enum seal_form seal_form(struct slice bytes);

/* How the last block is filled: the vendor's old tool uses spaces, its newer one PKCS#7 (facts.md 1.1). Spaces are
 * the default: they harm no text, whether a phone takes them away or not. */
enum seal_padding { SEAL_SPACES, SEAL_PKCS7 };
/* Bytes of the encrypted file for so many plain ones. */
size_t seal_size(size_t plain, enum seal_padding padding);
/* `key` without fault. False when the crypto library or memory fails. */
bool seal_close(struct slice key, struct slice plain, enum seal_padding padding, struct arena *arena,
                struct slice *ret_bytes);
/* Takes valid PKCS#7 away, else fewer than 16 NULs or fewer than 16 spaces at the end, else nothing. False when the
 * length is no multiple of 16, or as above. A wrong key is not seen here. */
bool seal_open(struct slice key, struct slice bytes, struct arena *arena, struct slice *ret_plain);

/* What came out. Good: UTF-8 text with a header `#!version`, or XML. A changed byte of the cipher spoils 16 bytes of
 * text, so stricter than plain files are read (facts.md 8.1 has comments in other encodings): a comment of random bytes
 * could hide the settings that it swallowed. */
enum seal_text {
    SEAL_TEXT_GOOD,
    SEAL_TEXT_NO_HEADER, /* clean text, which a wrong key never gives; but a phone cannot tell */
    SEAL_TEXT_DAMAGED,   /* a header, and bytes that are not UTF-8 text: changed on its way */
    SEAL_TEXT_GARBAGE    /* another key */
};
enum seal_text seal_judge(struct slice plain);
/* "the key is wrong: what comes out is no text" ...; NULL for a good one. */
const char *seal_text_fault(enum seal_text text);

#endif
