#include "tests/unit/test.h"

#include "guide/seal_envelope.h"
#include "tests/seal_vectors.h"

static struct slice must_open(struct arena *a, struct slice bytes)
{
    struct slice plain = SLICE_NONE;
    const char *why = seal_envelope_open(SEALED_PRIVATE_PEM, bytes, a, &plain);
    if (why)
        fail_msg("does not open: %s", why);
    return plain;
}

static void assert_refused(struct arena *a, struct slice bytes, const char *expected)
{
    struct slice plain;
    const char *why = seal_envelope_open(SEALED_PRIVATE_PEM, bytes, a, &plain);
    if (!why || strcmp(why, expected) != 0)
        fail_msg("refused as \"%s\", not as \"%s\"", why ? why : "(not at all)", expected);
}

static void an_envelope_of_openssl_opens_with_either_line_end(void **state)
{
    assert_true(slice_eq(must_open(*state, SLICE(SEALED_ENVELOPE_WITH("\n"))), SEALED_PLAIN));
    assert_true(slice_eq(must_open(*state, SLICE(SEALED_ENVELOPE_WITH("\r\n"))), SEALED_PLAIN));
}

static void the_misspelt_line_may_be_spelt_or_missing_and_the_data_folded(void **state)
{
    assert_true(slice_eq(must_open(*state, SLICE("\xef\xbb\xbf#!encrypt:1.0.0.0\n#!key_signature:RSA_256\n"
                                                 "#!conf_encryption: aes_256\n#!key_ciphertext: " SEALED_WRAPPED_LONG_KEY
                                                 " \n#!---BEGIN CONFIG DATA---\nDl9qs4ab+1qhygz+Y4CLVJGHECuvUs2j\n"
                                                 "klM8NkL9rOoVNq0U4UxD4NG1CmPosmXS\n#!---END CONFIG DATA---\n")),
                        SEALED_PLAIN));
    assert_true(slice_eq(must_open(*state, SLICE("#!key_ciphertext:" SEALED_WRAPPED_LONG_KEY "\n#!conf_encryption:AES_256\n"
                                                 "#!---BEGIN CONFIG DATA---\n" SEALED_LONG_BASE64)),
                        SEALED_PLAIN));
}

static void an_envelope_without_a_key_is_refused_with_a_word(void **state)
{
    assert_refused(*state,
                   SLICE("#!encrypt:1.0.0.0\n#!key_signatue:RSA_256\n#!conf_encryption:AES_256\n#!key_ciphertext:\n"
                         "#!---BEGIN CONFIG DATA---\n" SEALED_LONG_BASE64 "\n#!---END CONFIG DATA---\n"),
                   "its key_ciphertext is empty: the tool that made it lost the key, and nothing opens it");
    assert_refused(*state, SLICE("#!encrypt:1.0.0.0\n"), "it has no line key_ciphertext");
}

static void broken_envelopes_are_refused_each_with_its_own_word(void **state)
{
#define START "#!encrypt:1.0.0.0\n#!conf_encryption:AES_256\n#!key_ciphertext:"
#define DATA "\n#!---BEGIN CONFIG DATA---\n"
    assert_refused(*state, SLICE("#!encrypt:1.0.0.0\n#!conf_encryption:DES\n#!key_ciphertext:AAAA\n"),
                   "its conf_encryption is neither AES_128 nor AES_256");
    assert_refused(*state, SLICE(START "AAAA\n"), "it holds no data");
    assert_refused(*state, SLICE(START "AAAA" DATA "\n#!---END CONFIG DATA---\n"), "it holds no data");
    assert_refused(*state, SLICE(START "A*AA" DATA SEALED_LONG_BASE64), "its key_ciphertext is no base64");
    assert_refused(*state, SLICE(START "AAAA" DATA "AAAA"), "its data is no base64 of whole AES blocks");
    assert_refused(*state, SLICE(START "AAAA" DATA "A"), "its data is no base64 of whole AES blocks");
    assert_refused(*state, SLICE(START "AAAA" DATA SEALED_LONG_BASE64),
                   "the private key is not the one it was made for");
    assert_refused(*state, SLICE(START SEALED_WRAPPED_KEY DATA SEALED_LONG_BASE64),
                   "the length of its key is not the one that conf_encryption says");
}

static void what_is_closed_opens_again_with_both_lengths_of_keys(void **state)
{
    static const char *const words[] = { "AES_128", "AES_256" };
    const struct slice keys[] = { SEALED_KEY, SEALED_LONG_KEY };
    for (size_t i = 0; i < 2; i++) {
        struct slice text, plain = SEALED_PLAIN;
        assert_null(seal_envelope_close(SEALED_PUBLIC_PEM, keys[i], plain, *state, &text));
        assert_int_equal(seal_form(text), SEAL_ENVELOPE);
        assert_true(slice_find_text(text, slice_str(words[i])) < text.len);
        assert_true(slice_starts(text, SLICE("#!encrypt:1.0.0.0\n#!key_signatue:RSA_256\n#!conf_encryption:AES_")));
        assert_true(slice_ends(text, SLICE("\n#!---END CONFIG DATA---\n")));
        assert_true(slice_eq(must_open(*state, text), plain));
        assert_null(seal_envelope_close(SEALED_PRIVATE_PEM, keys[i], SLICE(""), *state, &text));
        assert_int_equal(must_open(*state, text).len, 0);
    }
}

static void only_rsa_keys_as_pem_are_keys(void **state)
{
    struct slice out;
    assert_null(seal_rsa_fault(SEALED_PRIVATE_PEM, true));
    assert_null(seal_rsa_fault(SEALED_PUBLIC_PEM, false));
    assert_non_null(seal_rsa_fault(SEALED_PUBLIC_PEM, true));
    assert_non_null(seal_rsa_fault(SLICE(""), true));
    assert_non_null(seal_rsa_fault(SLICE("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"), false));
    /* An EC key is a key, but not of this kind. */
    assert_non_null(seal_rsa_fault(SLICE("-----BEGIN PUBLIC KEY-----\n"
                                         "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
                                         "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
                                         "-----END PUBLIC KEY-----\n"), false));
    assert_string_equal(seal_envelope_close(SLICE("no pem"), SEALED_KEY, SEALED_PLAIN, *state, &out),
                        "the key is no RSA key as PEM");
    assert_string_equal(seal_envelope_open(SLICE("no pem"), SLICE(SEALED_ENVELOPE_WITH("\n")), *state, &out),
                        "the private key is no RSA key as PEM without a passphrase");
}

static void a_key_file_of_rsa_opens_as_bytes_and_as_base64(void **state)
{
    struct seal_key key = { .len = 0 };
    assert_null(seal_rsa_unwrap(SEALED_PRIVATE_PEM, SLICE(SEALED_WRAPPED_KEY "\r\n"), *state, &key));
    assert_true(seal_key_eq(seal_key_slice(&key), SEALED_KEY));
    assert_null(seal_rsa_unwrap(SEALED_PRIVATE_PEM, SLICE(SEALED_WRAPPED_LONG_KEY), *state, &key));
    assert_true(seal_key_eq(seal_key_slice(&key), SEALED_LONG_KEY));
    assert_non_null(seal_rsa_unwrap(SEALED_PRIVATE_PEM, SLICE("nonsense"), *state, &key));
    assert_non_null(seal_rsa_unwrap(SEALED_PRIVATE_PEM, SLICE(""), *state, &key));
    assert_non_null(seal_rsa_unwrap(SEALED_PRIVATE_PEM, SEALED_SPACES, *state, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(an_envelope_of_openssl_opens_with_either_line_end),
        test_with_arena(the_misspelt_line_may_be_spelt_or_missing_and_the_data_folded),
        test_with_arena(an_envelope_without_a_key_is_refused_with_a_word),
        test_with_arena(broken_envelopes_are_refused_each_with_its_own_word),
        test_with_arena(what_is_closed_opens_again_with_both_lengths_of_keys),
        test_with_arena(only_rsa_keys_as_pem_are_keys),
        test_with_arena(a_key_file_of_rsa_opens_as_bytes_and_as_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
