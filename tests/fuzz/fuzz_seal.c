/* Encrypted files (guide/seal.h, guide/seal_envelope.h): any bytes, opened and looked at in every way; then closed and
 * opened again. */
#include "fuzz.h"

#include "guide/seal_envelope.h"
#include "tests/seal_vectors.h"

static void check_open(struct slice bytes, struct arena *arena)
{
    struct slice plain;
    bool opened = seal_open(SEALED_KEY, bytes, arena, &plain);
    MUST(opened == (bytes.len % SEAL_BLOCK_BYTES == 0));
    if (!opened)
        return;
    MUST(plain.len <= bytes.len && bytes.len - plain.len <= SEAL_BLOCK_BYTES);
    enum seal_text text = seal_judge(plain);
    MUST((seal_text_fault(text) == NULL) == (text == SEAL_TEXT_GOOD));
}

/* Blanks and line ends after a good text may be taken for padding, nothing else. */
static void check_closed(struct slice plain, struct arena *arena)
{
    struct slice bytes, again;
    MUST(seal_close(SEALED_LONG_KEY, plain, SEAL_PKCS7, arena, &bytes));
    MUST(bytes.len == seal_size(plain.len, SEAL_PKCS7) && bytes.len % SEAL_BLOCK_BYTES == 0);
    MUST(seal_open(SEALED_LONG_KEY, bytes, arena, &again) && slice_eq(plain, again));
    if (seal_judge(plain) != SEAL_TEXT_GOOD)
        return;
    MUST(seal_close(SEALED_KEY, plain, SEAL_SPACES, arena, &bytes));
    MUST(bytes.len == seal_size(plain.len, SEAL_SPACES));
    MUST(seal_open(SEALED_KEY, bytes, arena, &again));
    MUST(slice_eq(slice_trim(plain), slice_trim(again)));
}

static void check_keys(struct slice bytes, struct arena *arena)
{
    char wrapped[SEAL_KEY_BYTES_MAX];
    struct seal_key key = { .len = 0 };
    struct slice name;
    if (seal_key_unwrap(bytes, &key)) {
        MUST(!seal_key_fault(seal_key_slice(&key)));
        MUST(seal_key_wrap(seal_key_slice(&key), wrapped) && slice_eq(slice_of(wrapped, key.len), bytes));
    }
    MUST(seal_key_wrap(bytes, wrapped) == !seal_key_fault(bytes));
    if (bytes.len < 1000)
        MUST(seal_key_file_name(bytes, SEAL_ENC, arena, &name) && slice_ends(name, SEAL_ENC));
    if (!seal_rsa_unwrap(SEALED_PRIVATE_PEM, bytes, arena, &key))
        MUST(!seal_key_fault(seal_key_slice(&key)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of(data, size), plain = SLICE_NONE;
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    enum seal_form form = seal_form(bytes);
    MUST(form != SEAL_AES || size % SEAL_BLOCK_BYTES == 0);
    check_open(bytes, &arena);
    check_closed(bytes, &arena);
    check_keys(bytes, &arena);
    const char *why = seal_envelope_open(SEALED_PRIVATE_PEM, bytes, &arena, &plain);
    MUST(why ? *why != '\0' : plain.len < size);
    arena_free(&arena);
    return 0;
}
