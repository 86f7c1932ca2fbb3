/* RSA mode: encrypted files of the vendor's newer tool (facts.md 1.3).
 *
 *     #!encrypt:1.0.0.0
 *     #!key_signatue:RSA_256            so it is spelt; `signature` is taken as well
 *     #!conf_encryption:AES_256         or AES_128
 *     #!key_ciphertext:<base64 of the AES key, encrypted with RSA, PKCS#1 v1.5>
 *     #!---BEGIN CONFIG DATA---
 *     <base64 of AES-ECB of the file, PKCS#7>
 *     #!---END CONFIG DATA---
 *
 * Lines end in LF or CR LF. The vendor had one pair of keys for everybody, whose private half is public; here are only
 * pairs of one's own, as PEM: a private key without passphrase, for closing a public one or a private one. RSA as
 * small as the vendor's 1024 bits is taken.
 *
 * All return NULL, or what is wrong, as a sentence without its full stop; "out of memory" among them. */
#ifndef DIALTONE_GUIDE_SEAL_ENVELOPE_H
#define DIALTONE_GUIDE_SEAL_ENVELOPE_H

#include "guide/seal.h"

/* A larger PEM is no key. */
#define SEAL_PEM_BYTES_MAX ((size_t)64 * 1024)

/* What comes out is to be judged as that of seal_open(). */
const char *seal_envelope_open(struct slice private_pem, struct slice bytes, struct arena *arena,
                               struct slice *ret_plain);
const char *seal_envelope_close(struct slice public_pem, struct slice key, struct slice plain, struct arena *arena,
                                struct slice *ret_text);
/* The key in a key file `<base>.enc`. No source says how it is laid out: the RSA bytes as they are, or in base64. */
const char *seal_rsa_unwrap(struct slice private_pem, struct slice bytes, struct arena *arena,
                            struct seal_key *ret_key);
/* NULL: it can open (or close) envelopes. */
const char *seal_rsa_fault(struct slice pem, bool private_half);

#endif
