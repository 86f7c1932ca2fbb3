/* Runs over encrypted files: which key opens which, key files, what is refused. */
#include "procedure_test.h"

#include "guide/digest.h"
#include "guide/seal_envelope.h"
#include "tests/seal_vectors.h"

#define COM "0123456789abcdef"
#define MAC "fedcba9876543210fedcba9876543210"
#define KEY_COM "static.auto_provision.aes_key_16.com = " COM "\n"
#define KEY_MAC "static.auto_provision.aes_key.mac = " MAC "\n"
#define IN_FILE "static.auto_provision.aes_key_in_file = 1\n"
#define ONLY_ENCRYPTED "static.auto_provision.update_file_mode = 1\n"
#define FLASH_COM "central." KEY_COM
#define FLASH_MAC "central.static.auto_provision.aes_key_16.mac = " MAC "\n"
#define FLASH_KEYS FLASH_COM FLASH_MAC

static struct script_file *sealed(struct script *s, struct arena *a, const char *name, const char *plain, const char *key)
{
    struct script_file *f = file(s, name, "");
    assert_true(seal_close(slice_str(key), slice_str(plain), SEAL_SPACES, a, &f->content));
    return f;
}

static struct script_file *wrapped_key(struct script *s, struct arena *a, const char *name, const char *key)
{
    char *bytes = arena_alloc(a, SEAL_KEY_BYTES_MAX);
    struct script_file *f = file(s, name, "");
    assert_true(seal_key_wrap(slice_str(key), bytes));
    f->content = slice_of(bytes, strlen(key));
    return f;
}

static struct script_file *envelope(struct script *s, struct arena *a, const char *name, const char *plain)
{
    struct script_file *f = file(s, name, "");
    assert_null(seal_envelope_close(SEALED_PUBLIC_PEM, SEALED_LONG_KEY, slice_str(plain), a, &f->content));
    return f;
}

static void assert_lacks(struct slice text, const char *part)
{
    if (slice_find_text(text, slice_str(part)) < text.len)
        fail_msg("\"%s\" is in: %.*s", part, SLICE_ARG(text));
}

static void boot_common_mac_and_local_open_with_the_keys_in_flash(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_KEYS);
    sealed(s, *state, BOOT, H "include:config <" COMMON_CFG ">\ninclude:config <$mac.cfg>\n", COM);
    sealed(s, *state, COMMON_CFG, H PROTECT SYNC "x = 1\n", COM);
    sealed(s, *state, MAC_CFG, H "y = 2\n", MAC);
    sealed(s, *state, LOCAL, H "z = 3\n", MAC);
    struct slice text = run(s, *state);
    assert_true(slice_starts(text, SLICE(MAC_BOOT " absent\n" BOOT " got\n" COMMON_CFG " got\n" MAC_CFG " got\n" LOCAL
                                         " got\napply\ncommon-boot overwrite provisioned\n- absent " MAC_BOOT "\n"
                                         "- used " BOOT ": decrypted with the common AES key\n"
                                         "- used " COMMON_CFG " 3: decrypted with the common AES key\n"
                                         "- used " MAC_CFG " 1: decrypted with the MAC-oriented AES key\n"
                                         "- used " LOCAL ": decrypted with the MAC-oriented AES key\n")));
    assert_holds(text, "= x = 1\n= y = 2\n= z = 3\n");
    assert_lacks(text, "! ");
}

static void a_mac_oriented_boot_file_opens_with_the_mac_oriented_key(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_KEYS);
    sealed(s, *state, MAC_BOOT, H "include:config <a.cfg>\n", MAC);
    sealed(s, *state, "a.cfg", H "x = 1\n", COM);
    assert_holds(run(s, *state), "mac-boot overwrite provisioned\n");
}

static void a_blank_mac_oriented_key_means_the_common_one(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM);
    sealed(s, *state, MAC_CFG, H "y = 2\n", COM);
    assert_holds(run(s, *state), "- used " MAC_CFG " 1: decrypted with the MAC-oriented AES key\n");
}

static void a_pin_file_opens_with_the_mac_oriented_key(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_KEYS);
    sealed(s, *state, COMMON_CFG, H "static.custom_mac_cfg.url = http://h/$pin.cfg\n", COM);
    sealed(s, *state, "A31.cfg", H "x = 31\n", MAC);
    s->pins[0] = SLICE("A31");
    s->pin_count = 1;
    assert_holds(run(s, *state), "- used A31.cfg 1: decrypted with the MAC-oriented AES key\n");
}

static void both_paddings_of_openssl_are_read(void **state)
{
    const struct slice files[] = { SEALED_SPACES, SEALED_PKCS7, SEALED_NULS };
    for (size_t i = 0; i < 3; i++) {
        struct script *s = script(*state);
        flash(s, "central.static.auto_provision.aes_key.com = Ab3$_0123456789z\n");
        file(s, COMMON_CFG, "")->content = files[i];
        assert_holds(run(s, *state), "= account.1.enable = 1\n");
    }
}

/* R26: a wrong key is found before anything is applied, and the finding says what is the matter. */
static void r26_a_wrong_key_applies_nothing_and_says_so(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM "central.x = 0\n");
    sealed(s, *state, BOOT, H "include:config <a.cfg>\ninclude:config <b.cfg>\n", COM);
    file(s, "a.cfg", H "x = 1\n");
    sealed(s, *state, "b.cfg", H "y = 2\n", "another_key_here");
    struct slice text = run(s, *state);
    assert_holds(text, "common-boot overwrite failed: http://h/b.cfg: the key is wrong: what comes out is no text (AES, opened with "
                       "the common AES key)");
    assert_holds(text, "! b.cfg:1: error: the key is wrong: what comes out is no text (AES, opened with the common AES key)");
    assert_holds(text, "= x = 0\n");
    assert_lacks(text, "apply");
    assert_lacks(text, "~ ");
}

static void a_file_in_the_other_key_is_told_as_such(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_KEYS);
    sealed(s, *state, MAC_CFG, H "x = 1\n", COM);
    assert_holds(run(s, *state), "(AES, opened with the MAC-oriented AES key; the common AES key would be right)");
    sealed(s, *state, COMMON_CFG, H "x = 1\n", MAC);
    assert_holds(run(s, *state), "(AES, opened with the common AES key; the MAC-oriented AES key would be right)");
}

/* R26: every bit of an encrypted file, flipped in turn. */
static void r26_a_flipped_bit_applies_nothing(void **state)
{
    char bytes[64];
    (void)state;
    for (size_t bit = 0; bit < 48 * 8; bit += 5) {
        struct arena own;
        struct script *s;
        arena_init(&own, (size_t)64 << 20);
        s = script(&own);
        flash(s, "central.static.auto_provision.aes_key.com = Ab3$_0123456789z\n");
        memcpy(bytes, SEALED_SPACES.ptr, 48);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        file(s, COMMON_CFG, "")->content = slice_of(bytes, 48);
        struct slice text = run(s, &own);
        assert_holds(text, "old failed: ");
        assert_lacks(text, "apply");
        arena_free(&own);
    }
}

static void a_key_that_a_file_brings_holds_from_the_next_file_on(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM);
    file(s, BOOT, H "include:config <a.cfg>\ninclude:config <b.cfg>\n");
    sealed(s, *state, "a.cfg", H "static.auto_provision.aes_key.com = " MAC "\n", COM);
    sealed(s, *state, "b.cfg", H "y = 2\n", MAC);
    struct slice text = run(s, *state);
    assert_holds(text, "common-boot overwrite provisioned\n");
    assert_holds(text, "= static.auto_provision.aes_key_16.com = " MAC "\n");
    /* The same files again: the old key is gone, so the first one does not open any more. */
    assert_holds(run(s, *state), "failed: http://h/a.cfg: the key is wrong");
}

static void a_key_that_stands_in_the_plain_common_file_opens_the_mac_oriented_one(void **state)
{
    struct script *s = script(*state);
    file(s, COMMON_CFG, H KEY_COM KEY_MAC);
    sealed(s, *state, MAC_CFG, H "y = 2\n", MAC);
    assert_holds(run(s, *state), "= y = 2\n");
}

static void keys_of_an_activation_code_come_before_those_in_flash(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_KEYS);
    s->keys = (struct seal_keys){ .common = SLICE("activation__code"), .mac = SLICE("activation__mac_") };
    sealed(s, *state, COMMON_CFG, H "x = 1\n", "activation__code");
    sealed(s, *state, MAC_CFG, H "y = 2\n", "activation__mac_");
    assert_holds(run(s, *state), "= x = 1\n= y = 2\n");
}

static void a_key_of_a_file_comes_before_that_of_an_activation_code(void **state)
{
    struct script *s = script(*state);
    s->keys = (struct seal_keys){ .common = SLICE("activation__code") };
    sealed(s, *state, COMMON_CFG, H KEY_MAC "x = 1\n", "activation__code");
    sealed(s, *state, MAC_CFG, H "y = 2\n", MAC);
    assert_holds(run(s, *state), "= x = 1\n= y = 2\n");
}

static void without_a_key_an_encrypted_file_is_refused_as_such(void **state)
{
    struct script *s = script(*state);
    sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    struct slice text = run(s, *state);
    assert_holds(text, "old failed: http://h/" COMMON_CFG ": looks encrypted (AES); this phone has no key for it\n");
    assert_holds(text, "! " COMMON_CFG ":1: error: looks encrypted (AES)");
}

static void a_key_of_a_wrong_length_is_told(void **state)
{
    struct script *s = script(*state);
    flash(s, "central.static.auto_provision.aes_key_16.com = short\n");
    sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    assert_holds(run(s, *state), "looks encrypted (AES); the common AES key has neither 16 nor 32 characters");
}

static void an_encrypted_file_without_a_header_is_refused(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM);
    sealed(s, *state, COMMON_CFG, "x = 1\n", COM);
    assert_holds(run(s, *state), "what comes out has no header `#!version:1.0.0.1`");
}

static void update_file_mode_1_takes_encrypted_cfg_files_only(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM "central." ONLY_ENCRYPTED);
    file(s, BOOT, H "include:config <a.cfg>\n");
    struct script_file *a = sealed(s, *state, "a.cfg", H "x = 1\n", COM);
    assert_holds(run(s, *state), "common-boot overwrite provisioned\n");
    a->content = SLICE(H "x = 2\n");
    struct slice text = run(s, *state);
    assert_holds(text, "failed: http://h/a.cfg: not encrypted; static.auto_provision.update_file_mode = 1 takes encrypted files only");
    assert_holds(text, "= x = 1\n");
}

static void update_file_mode_1_is_for_the_file_that_the_url_names_and_mac_local_too(void **state)
{
    struct script *s = script(*state);
    s->server = SLICE("http://h/one.cfg");
    flash(s, "central." ONLY_ENCRYPTED);
    file(s, "one.cfg", H "x = 1\n");
    assert_holds(run(s, *state), "failed: http://h/one.cfg: not encrypted");
    s = script(*state);
    s->server = SLICE("http://h/one.boot");
    flash(s, FLASH_COM "central." ONLY_ENCRYPTED);
    file(s, "one.boot", H "include:config <a.cfg>\n");
    sealed(s, *state, "a.cfg", H PROTECT SYNC "x = 1\n", COM);
    file(s, LOCAL, H "z = 3\n");
    assert_holds(run(s, *state), "failed: http://h/" LOCAL ": not encrypted");
}

static void digests_are_of_what_came_over_the_wire(void **state)
{
    struct script *s = script(*state);
    char hex[DIGEST_MD5_HEX];
    flash(s, FLASH_COM);
    struct script_file *f = sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    run(s, *state);
    assert_true(digest_md5(f->content, hex));
    assert_holds(s->flash, hex);
    assert_holds(run(s, *state), "old unchanged: every file is the same as last time\n");
    assert_true(seal_close(SLICE(COM), SLICE(H "x = 1\n"), SEAL_PKCS7, *state, &f->content));
    assert_holds(run(s, *state), "old provisioned\n");
}

static void key_files_are_asked_for_rsa_first(void **state)
{
    struct script *s = script(*state);
    flash(s, "central." IN_FILE);
    sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    wrapped_key(s, *state, "y000000000066_Security.enc", COM);
    sealed(s, *state, MAC_CFG, H "y = 2\n", MAC);
    wrapped_key(s, *state, "00156574b150_Security.enc", MAC);
    assert_slice(run(s, *state), MAC_BOOT " absent\n" BOOT " absent\n" COMMON_CFG " got\ny000000000066.enc absent\n"
                 "y000000000066_Security.enc got\n" MAC_CFG " got\n00156574b150.enc absent\n00156574b150_Security.enc got\n"
                 "apply\nold provisioned\n- absent " MAC_BOOT "\n- absent " BOOT "\n"
                 "- used " COMMON_CFG " 1: decrypted with the key in y000000000066_Security.enc\n"
                 "- absent y000000000066.enc\n- used y000000000066_Security.enc\n"
                 "- used " MAC_CFG " 1: decrypted with the key in 00156574b150_Security.enc\n"
                 "- absent 00156574b150.enc\n- used 00156574b150_Security.enc\n"
                 "= static.auto_provision.aes_key_in_file = 1\n= x = 1\n= y = 2\n~ x\n~ y\n");
}

static void a_key_file_for_rsa_opens_with_a_private_key_of_ones_own(void **state)
{
    struct script *s = script(*state);
    flash(s, "central." IN_FILE);
    file(s, COMMON_CFG, "")->content = SEALED_SPACES;
    file(s, "y000000000066.enc", SEALED_WRAPPED_KEY "\n");
    struct slice text = run(s, *state);
    assert_holds(text, "- refused y000000000066.enc: it is for an RSA private key, and this phone has none\n");
    assert_holds(text, "- refused " COMMON_CFG ": looks encrypted (AES); its key file y000000000066.enc is of no use\n");
    s->keys.rsa_private = SEALED_PRIVATE_PEM;
    assert_holds(run(s, *state), "= account.1.enable = 1\n");
}

static void with_aes_key_in_file_no_other_key_is_tried(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM "central." IN_FILE);
    sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    assert_holds(run(s, *state), "old failed: http://h/" COMMON_CFG ": looks encrypted (AES); static.auto_provision.aes_key_in_file = "
                                 "1, and no key file is there\n");
}

static void a_key_file_that_does_not_come_fails_the_run_after_its_tries(void **state)
{
    struct script *s = script(*state);
    flash(s, "central." IN_FILE);
    sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    add(s, "y000000000066.enc", FETCH_FAILED, "");
    struct slice text = run(s, *state);
    assert_holds(text, "y000000000066.enc failed\nwait 5000\ny000000000066.enc failed\nwait 5000\ny000000000066.enc failed\n"
                       "old failed: http://h/y000000000066.enc: no answer\n");
    assert_holds(text, "- failed " COMMON_CFG ": encrypted, and its key file could not be had\n"
                       "- failed y000000000066.enc: no answer\n");
}

static void a_broken_key_file_is_told(void **state)
{
    struct script *s = script(*state);
    flash(s, "central." IN_FILE);
    sealed(s, *state, COMMON_CFG, H "x = 1\n", COM);
    struct script_file *f = file(s, "y000000000066_Security.enc", "0123456789abcdef");
    struct slice text = run(s, *state);
    assert_holds(text, "- refused " COMMON_CFG ": looks encrypted (AES); its key file y000000000066_Security.enc is of no use");
    assert_holds(text, "- refused y000000000066_Security.enc: no key comes out of it\n");
    f->content = SLICE("");
    assert_holds(run(s, *state), "- refused y000000000066_Security.enc: no key comes out of it\n");
}

static void envelopes_open_with_a_private_key_of_ones_own(void **state)
{
    struct script *s = script(*state);
    flash(s, "central." IN_FILE);
    s->keys.rsa_private = SEALED_PRIVATE_PEM;
    file(s, COMMON_CFG, SEALED_ENVELOPE_WITH("\r\n"));
    envelope(s, *state, MAC_CFG, H "y = 2\n");
    struct slice text = run(s, *state);
    assert_holds(text, "- used " COMMON_CFG " 1: decrypted with the RSA private key\n");
    assert_holds(text, "= account.1.enable = 1\n");
    assert_holds(text, "= y = 2\n");
}

static void envelopes_that_cannot_be_opened_say_why(void **state)
{
    struct script *s = script(*state);
    struct script_file *f = file(s, COMMON_CFG, SEALED_ENVELOPE_WITH("\n"));
    assert_holds(run(s, *state), "encrypted in RSA mode; static.auto_provision.aes_key_in_file = 0");
    flash(s, "central." IN_FILE);
    assert_holds(run(s, *state), "encrypted in RSA mode; this phone has no key for it");
    s->keys.rsa_private = SEALED_PRIVATE_PEM;
    f->content = SLICE("#!encrypt:1.0.0.0\n#!key_ciphertext:\n");
    assert_holds(run(s, *state), "encrypted in RSA mode; its key_ciphertext is empty");
}

static void what_an_encrypted_file_hides_is_refused_as_in_a_plain_one(void **state)
{
    struct script *s = script(*state);
    flash(s, FLASH_COM);
    sealed(s, *state, COMMON_CFG, "<html>\n<body>404 Not Found</body></html>\n", COM);
    assert_holds(run(s, *state), "failed: http://h/" COMMON_CFG ": an HTML page, not a configuration file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(boot_common_mac_and_local_open_with_the_keys_in_flash),
        test_with_arena(a_mac_oriented_boot_file_opens_with_the_mac_oriented_key),
        test_with_arena(a_blank_mac_oriented_key_means_the_common_one),
        test_with_arena(a_pin_file_opens_with_the_mac_oriented_key),
        test_with_arena(both_paddings_of_openssl_are_read),
        test_with_arena(r26_a_wrong_key_applies_nothing_and_says_so),
        test_with_arena(a_file_in_the_other_key_is_told_as_such),
        cmocka_unit_test(r26_a_flipped_bit_applies_nothing),
        test_with_arena(a_key_that_a_file_brings_holds_from_the_next_file_on),
        test_with_arena(a_key_that_stands_in_the_plain_common_file_opens_the_mac_oriented_one),
        test_with_arena(keys_of_an_activation_code_come_before_those_in_flash),
        test_with_arena(a_key_of_a_file_comes_before_that_of_an_activation_code),
        test_with_arena(without_a_key_an_encrypted_file_is_refused_as_such),
        test_with_arena(a_key_of_a_wrong_length_is_told),
        test_with_arena(an_encrypted_file_without_a_header_is_refused),
        test_with_arena(update_file_mode_1_takes_encrypted_cfg_files_only),
        test_with_arena(update_file_mode_1_is_for_the_file_that_the_url_names_and_mac_local_too),
        test_with_arena(digests_are_of_what_came_over_the_wire),
        test_with_arena(key_files_are_asked_for_rsa_first),
        test_with_arena(a_key_file_for_rsa_opens_with_a_private_key_of_ones_own),
        test_with_arena(with_aes_key_in_file_no_other_key_is_tried),
        test_with_arena(a_key_file_that_does_not_come_fails_the_run_after_its_tries),
        test_with_arena(a_broken_key_file_is_told),
        test_with_arena(envelopes_open_with_a_private_key_of_ones_own),
        test_with_arena(envelopes_that_cannot_be_opened_say_why),
        test_with_arena(what_an_encrypted_file_hides_is_refused_as_in_a_plain_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
