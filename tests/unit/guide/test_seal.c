#include "tests/unit/test.h"

#include "guide/seal.h"
#include "tests/seal_vectors.h"

#include <stdio.h>

#define H "#!version:1.0.0.1\n"

static struct slice must_close(struct arena *a, struct slice key, struct slice plain, enum seal_padding padding)
{
    struct slice bytes;
    assert_true(seal_close(key, plain, padding, a, &bytes));
    assert_int_equal(bytes.len, seal_size(plain.len, padding));
    return bytes;
}

static struct slice must_open(struct arena *a, struct slice key, struct slice bytes)
{
    struct slice plain;
    assert_true(seal_open(key, bytes, a, &plain));
    return plain;
}

static void assert_same(struct slice a, struct slice b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
}

static void what_openssl_made_opens_whatever_its_padding(void **state)
{
    assert_same(must_open(*state, SEALED_KEY, SEALED_SPACES), SEALED_PLAIN);
    assert_same(must_open(*state, SEALED_KEY, SEALED_PKCS7), SEALED_PLAIN);
    assert_same(must_open(*state, SEALED_KEY, SEALED_NULS), SEALED_PLAIN);
    assert_same(must_open(*state, SEALED_LONG_KEY, SEALED_LONG), SEALED_PLAIN);
}

static void closing_gives_the_bytes_that_openssl_gives(void **state)
{
    assert_same(must_close(*state, SEALED_KEY, SEALED_PLAIN, SEAL_SPACES), SEALED_SPACES);
    assert_same(must_close(*state, SEALED_KEY, SEALED_PLAIN, SEAL_PKCS7), SEALED_PKCS7);
    assert_same(must_close(*state, SEALED_LONG_KEY, SEALED_PLAIN, SEAL_PKCS7), SEALED_LONG);
}

static void an_aligned_file_gets_no_spaces_but_a_block_of_pkcs7(void **state)
{
    struct slice plain = SLICE("#!version:1.0.0.1\r\naccount.1.label=0000000000000");
    struct slice spaces = must_close(*state, SEALED_KEY, plain, SEAL_SPACES);
    struct slice pkcs7 = must_close(*state, SEALED_KEY, plain, SEAL_PKCS7);
    assert_int_equal(spaces.len, 48);
    assert_int_equal(pkcs7.len, 64);
    assert_same(slice_first(pkcs7, 48), spaces);
    assert_same(slice_from(pkcs7, 48), SEALED_ALIGNED_LAST);
    assert_same(must_open(*state, SEALED_KEY, spaces), plain);
    assert_same(must_open(*state, SEALED_KEY, pkcs7), plain);
}

/* A file that is no text at its end shows what is taken away and what stays. */
static void only_padding_is_taken_away(void **state)
{
    static const struct {
        struct slice raw, plain;
    } cases[] = {
        { { "0123456789abcd  ", 16 }, { "0123456789abcd", 14 } },
        { { "0123456789abcd\0\0", 16 }, { "0123456789abcd", 14 } },
        { { "0123456789abcd \0", 16 }, { "0123456789abcd ", 15 } },
        { { "0123456789abcd\2\2", 16 }, { "0123456789abcd", 14 } },
        { { "0123456789abcd\3\3", 16 }, { "0123456789abcd\3\3", 16 } },
        { { "0123456789abcdef", 16 }, { "0123456789abcdef", 16 } },
        { { "a               ", 16 }, { "a", 1 } },
        { { "0123456789abcdef                ", 32 }, { "0123456789abcdef                ", 32 } },
        { { "0123456789abcdef\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32 },
          { "0123456789abcdef\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32 } },
        { { "\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10", 16 }, { "", 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_same(must_open(*state, SEALED_KEY, must_close(*state, SEALED_KEY, cases[i].raw, SEAL_SPACES)),
                    cases[i].plain);
}

static void an_empty_file_opens_as_one(void **state)
{
    assert_int_equal(must_close(*state, SEALED_KEY, SLICE_NONE, SEAL_SPACES).len, 0);
    assert_int_equal(must_open(*state, SEALED_KEY, must_close(*state, SEALED_KEY, SLICE_NONE, SEAL_PKCS7)).len, 0);
    assert_int_equal(must_open(*state, SEALED_KEY, SLICE_NONE).len, 0);
}

static void a_broken_block_does_not_open(void **state)
{
    struct slice plain;
    for (size_t len = 1; len < 48; len++)
        assert_int_equal(seal_open(SEALED_KEY, slice_first(SEALED_SPACES, len), *state, &plain), len % 16 == 0);
}

static void keys_are_16_or_32_of_the_characters_of_the_guide(void **state)
{
    (void)state;
    assert_null(seal_key_fault(SLICE("0aA#$%*+,-.:=?@[")));
    assert_null(seal_key_fault(SLICE("]^_{}~0123456789ABCDEFGHIJKLMNOP")));
    static const size_t wrong[] = { 0, 1, 15, 17, 31, 33 };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(seal_key_fault(slice_first(SLICE("0123456789012345678901234567890123456789"), wrong[i])),
                            "has neither 16 nor 32 characters");
    const char *allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:=?@[]^_{}~";
    for (int c = 0; c < 256; c++) {
        char key[16];
        memset(key, 'a', sizeof key);
        key[7] = (char)c;
        bool fine = c && strchr(allowed, c);
        assert_int_equal(seal_key_fault(slice_of(key, 16)) == NULL, fine);
    }
}

static void a_key_file_is_the_key_in_the_key_that_all_phones_share(void **state)
{
    (void)state;
    char wrapped[SEAL_KEY_BYTES_MAX];
    struct seal_key key = { .len = 0 };
    assert_true(seal_key_wrap(SEALED_KEY, wrapped));
    assert_memory_equal(wrapped, SEALED_SECURITY_ENC.ptr, 16);
    assert_true(seal_key_unwrap(SEALED_SECURITY_ENC, &key));
    assert_slice(seal_key_slice(&key), "Ab3$_0123456789z");
    assert_true(seal_key_wrap(SEALED_LONG_KEY, wrapped));
    assert_true(seal_key_unwrap(slice_of(wrapped, 32), &key));
    assert_true(seal_key_eq(seal_key_slice(&key), SEALED_LONG_KEY));
}

static void what_is_no_key_file_gives_no_key(void **state)
{
    (void)state;
    struct seal_key key = { .len = 3 };
    assert_false(seal_key_unwrap(SLICE(""), &key));
    assert_false(seal_key_unwrap(SLICE("0123456789abcdef"), &key));
    assert_false(seal_key_unwrap(slice_first(SEALED_SECURITY_ENC, 15), &key));
    assert_false(seal_key_unwrap(SEALED_SPACES, &key));
    assert_int_equal(key.len, 3);
    char wrapped[SEAL_KEY_BYTES_MAX];
    assert_false(seal_key_wrap(SLICE("too short"), wrapped));
}

static void key_files_are_named_after_their_file_without_its_ending(void **state)
{
    struct slice name;
    assert_true(seal_key_file_name(SLICE("d/y000000000066.cfg"), SEAL_SECURITY_ENC, *state, &name));
    assert_slice(name, "y000000000066_Security.enc");
    assert_true(seal_key_file_name(SLICE("00156574b150.boot"), SEAL_ENC, *state, &name));
    assert_slice(name, "00156574b150.enc");
    assert_true(seal_key_file_name(SLICE("bare"), SEAL_ENC, *state, &name));
    assert_slice(name, "bare.enc");
}

static void keys_compare_by_all_of_their_bytes(void **state)
{
    (void)state;
    assert_true(seal_key_eq(SEALED_KEY, SLICE("Ab3$_0123456789z")));
    assert_false(seal_key_eq(SEALED_KEY, SLICE("Ab3$_0123456789y")));
    assert_false(seal_key_eq(SEALED_KEY, SLICE("Bb3$_0123456789z")));
    assert_false(seal_key_eq(SEALED_KEY, SEALED_LONG_KEY));
    assert_true(seal_key_eq(SLICE_NONE, SLICE_NONE));
}

static void a_made_key_uses_every_letter_alike_and_no_byte_twice(void **state)
{
    (void)state;
    unsigned char random[SEAL_RANDOM_BYTES];
    unsigned seen[256] = { 0 };
    struct seal_key key;
    for (unsigned i = 0; i < 256; i++)
        random[i] = (unsigned char)i;
    for (unsigned from = 0; from < 256; from += 16) {
        memmove(random, random + 16, sizeof random - 16);
        for (unsigned i = 0; i < 16; i++)
            random[240 + i] = (unsigned char)(from + i);
        assert_true(seal_key_make(random, 16, &key));
        assert_null(seal_key_fault(seal_key_slice(&key)));
        for (size_t i = 0; i < key.len; i++)
            seen[(unsigned char)key.text[i]]++;
    }
    assert_true(seen['0'] && seen['z'] && !seen['_']);
    assert_true(seal_key_make(random, 32, &key));
    assert_int_equal(key.len, 32);
    assert_false(seal_key_make(random, 20, &key));
    memset(random, 255, sizeof random);
    assert_false(seal_key_make(random, 16, &key));
}

static void encrypted_files_are_told_from_text(void **state)
{
    assert_int_equal(seal_form(SEALED_SPACES), SEAL_AES);
    assert_int_equal(seal_form(SEALED_LONG), SEAL_AES);
    assert_int_equal(seal_form(SEALED_SECURITY_ENC), SEAL_AES);
    assert_int_equal(seal_form(slice_first(SEALED_SPACES, 47)), SEAL_PLAIN);
    assert_int_equal(seal_form(SLICE("")), SEAL_PLAIN);
    assert_int_equal(seal_form(SLICE("0123456789abcdef")), SEAL_PLAIN);
    assert_int_equal(seal_form(SLICE("#!encrypt:1.0.0.0\n")), SEAL_ENVELOPE);
    assert_int_equal(seal_form(SLICE("\xef\xbb\xbf\r\n#!ENCRYPT:1.0.0.0\n")), SEAL_ENVELOPE);
    assert_int_equal(seal_form(SLICE("#!version:1.0.0.1\n# \xd6\xd0\xce\xc4\xd6\xd0\xce\xc4\xd6\n")), SEAL_PLAIN);
    assert_int_equal(seal_form(SLICE("# \xd6\xd0\xce\xc4\xd6\xd0\xce\xc4\xd6\xd0\xce\xc4\xd6\n")), SEAL_PLAIN);
    assert_int_equal(seal_form(SLICE("\xff\xfe#\0!\0v\0e\0r\0s\0i\0")), SEAL_PLAIN);
    (void)state;
}

/* Ten thousand small files, each in another key: what small ciphers look like by chance. */
static void small_encrypted_files_are_hardly_ever_missed(void **state)
{
    struct arena *a = *state;
    unsigned missed[8] = { 0 };
    for (unsigned i = 0; i < 10000; i++) {
        char key[17];
        snprintf(key, sizeof key, "key-number-%05u", i);
        for (size_t blocks = 2; blocks < 8; blocks++) {
            struct slice plain = slice_first(SLICE(H "account.1.enable = 1\naccount.1.label = Reception desk of the "
                                                     "house\naccount.1.user_name = 1001\nx = 1\n"), 16 * blocks);
            missed[blocks] += seal_form(must_close(a, slice_of(key, 16), plain, SEAL_SPACES)) != SEAL_AES;
        }
        arena_reset(a);
    }
    assert_true(missed[2] < 20 && missed[3] < 3);
    assert_int_equal(missed[4] + missed[5] + missed[6] + missed[7], 0);
}

/* R26: unauthenticated, so a wrong key must show in what comes out. */
static void r26_a_wrong_key_never_gives_text(void **state)
{
    struct arena *a = *state;
    for (unsigned i = 0; i < 3000; i++) {
        char key[17];
        snprintf(key, sizeof key, "key-number-%05u", i);
        assert_int_equal(seal_judge(must_open(a, slice_of(key, 16), SEALED_SPACES)), SEAL_TEXT_GARBAGE);
        arena_reset(a);
    }
}

/* R26: every bit of a file, flipped in turn, spoils the block that it stands in. */
static void r26_a_flipped_bit_is_found(void **state)
{
    struct arena *a = *state;
    struct slice plain = SLICE(H "account.1.enable = 1\naccount.1.label = Reception\naccount.1.password = 123\n");
    struct slice bytes = must_close(a, SEALED_KEY, plain, SEAL_SPACES);
    char flipped[256];
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        struct arena own;
        arena_init(&own, 4096);
        memcpy(flipped, bytes.ptr, bytes.len);
        flipped[bit / 8] = (char)(flipped[bit / 8] ^ 1 << bit % 8);
        enum seal_text text = seal_judge(must_open(&own, SEALED_KEY, slice_of(flipped, bytes.len)));
        if (text != SEAL_TEXT_GARBAGE && text != SEAL_TEXT_DAMAGED)
            fail_msg("bit %zu is judged %d", bit, (int)text);
        arena_free(&own);
    }
}

static void what_phones_read_is_judged_good(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        enum seal_text judged;
    } cases[] = {
        { SLICE(H "a = 1\n"), SEAL_TEXT_GOOD },
        { SLICE("\xef\xbb\xbf" H "a = M\xc3\xbcller\n"), SEAL_TEXT_GOOD },
        { SLICE(" #!/version:1.0.0.1\r\n# \xe4\xb8\xad\r\na = 1\r\n\x1a"), SEAL_TEXT_GOOD },
        { SLICE(H "# \xd6\xd0\xce\xc4\na = 1\n"), SEAL_TEXT_DAMAGED },
        { SLICE("## late\n" H "a = 1\n"), SEAL_TEXT_GOOD },
        { SLICE("\r\n<root_group>\n</root_group>\n"), SEAL_TEXT_GOOD },
        { SLICE("a = 1\n"), SEAL_TEXT_NO_HEADER },
        { SLICE(H "a = M\xfcller\n"), SEAL_TEXT_DAMAGED },
        { SLICE(H "# \x01\n"), SEAL_TEXT_DAMAGED },
        { SLICE(H "a = 1\n\0\0"), SEAL_TEXT_DAMAGED },
        { SLICE("a = \x01\n"), SEAL_TEXT_GARBAGE },
        { SLICE(""), SEAL_TEXT_GARBAGE },
        { SLICE("\n \n"), SEAL_TEXT_GARBAGE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (seal_judge(cases[i].text) != cases[i].judged)
            fail_msg("case %zu is judged %d", i, (int)seal_judge(cases[i].text));
        assert_int_equal(seal_text_fault(cases[i].judged) == NULL, cases[i].judged == SEAL_TEXT_GOOD);
    }
}

static void a_wiped_key_is_gone(void **state)
{
    (void)state;
    static const struct seal_key nothing;
    struct seal_key key = { .len = 0 };
    assert_true(seal_key_take(SEALED_KEY, &key));
    seal_wipe(&key, sizeof key);
    assert_memory_equal(&key, &nothing, sizeof key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(what_openssl_made_opens_whatever_its_padding),
        test_with_arena(closing_gives_the_bytes_that_openssl_gives),
        test_with_arena(an_aligned_file_gets_no_spaces_but_a_block_of_pkcs7),
        test_with_arena(only_padding_is_taken_away),
        test_with_arena(an_empty_file_opens_as_one),
        test_with_arena(a_broken_block_does_not_open),
        cmocka_unit_test(keys_are_16_or_32_of_the_characters_of_the_guide),
        cmocka_unit_test(a_key_file_is_the_key_in_the_key_that_all_phones_share),
        cmocka_unit_test(what_is_no_key_file_gives_no_key),
        test_with_arena(key_files_are_named_after_their_file_without_its_ending),
        cmocka_unit_test(keys_compare_by_all_of_their_bytes),
        cmocka_unit_test(a_made_key_uses_every_letter_alike_and_no_byte_twice),
        cmocka_unit_test(encrypted_files_are_told_from_text),
        test_with_arena(small_encrypted_files_are_hardly_ever_missed),
        test_with_arena(r26_a_wrong_key_never_gives_text),
        test_with_arena(r26_a_flipped_bit_is_found),
        cmocka_unit_test(what_phones_read_is_judged_good),
        cmocka_unit_test(a_wiped_key_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
