#include "tests/unit/test.h"

#include "guide/seal_keys.h"
#include "tests/seal_vectors.h"

#define P "static.auto_provision."

static void put(struct settings *s, const char *key, const char *value, bool from_flash)
{
    struct origin origin = { from_flash ? SETTINGS_FLASH : SLICE("a.cfg"), 1 };
    assert_true(settings_put(s, slice_str(key), slice_str(value), origin));
}

static void files_of_one_phone_have_the_mac_oriented_key(void **state)
{
    (void)state;
    static const enum name_kind macs[] = { NAME_MAC_BOOT, NAME_MAC_CFG, NAME_MAC_LOCAL, NAME_MAC_CONTACT, NAME_MAC_CALLLOG };
    static const enum name_kind commons[] = { NAME_COMMON_BOOT, NAME_COMMON_CFG, NAME_CUSTOM_CFG, NAME_OTHER };
    for (size_t i = 0; i < sizeof macs / sizeof *macs; i++)
        assert_int_equal(seal_owner_of(macs[i]), SEAL_MAC);
    for (size_t i = 0; i < sizeof commons / sizeof *commons; i++)
        assert_int_equal(seal_owner_of(commons[i]), SEAL_COMMON);
}

static void a_key_is_the_files_then_the_given_one_then_the_flashs(void **state)
{
    struct settings s;
    struct seal_keys given = { .common = SLICE("given-common") };
    settings_init(&s, *state);
    assert_slice(seal_keys_for(NULL, &s, SEAL_MAC), "");
    put(&s, P "aes_key.com", "flash-common", true);
    assert_slice(seal_keys_for(NULL, &s, SEAL_COMMON), "flash-common");
    assert_slice(seal_keys_for(NULL, &s, SEAL_MAC), "flash-common");
    assert_slice(seal_keys_for(&given, &s, SEAL_MAC), "given-common");
    put(&s, P "aes_key_16.mac", "flash-mac", true);
    assert_slice(seal_keys_for(&given, &s, SEAL_MAC), "flash-mac");
    given.mac = SLICE("given-mac");
    assert_slice(seal_keys_for(&given, &s, SEAL_MAC), "given-mac");
    put(&s, "auto_provision.aes_key_16.mac", "file-mac", false);
    assert_slice(seal_keys_for(&given, &s, SEAL_MAC), "file-mac");
    assert_slice(seal_keys_for(&given, &s, SEAL_COMMON), "given-common");
    settings_free(&s);
}

static void nothing_goes_out_encrypted_unless_it_is_asked_for(void **state)
{
    struct settings s;
    struct slice out;
    settings_init(&s, *state);
    put(&s, P "aes_key_16.mac", "Ab3$_0123456789z", true);
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_PLAIN));
    put(&s, P "encryption.directory", "1", true);
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_PLAIN));
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_CONTACT, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_SPACES));
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_LOG, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_PLAIN));
    put(&s, P "encryption.config", "1", true);
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_SPACES));
    put(&s, P "encryption.call_log", "1", true);
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_CALLLOG, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_SPACES));
    settings_free(&s);
}

static void what_is_to_be_encrypted_never_goes_out_in_clear(void **state)
{
    struct settings s;
    struct slice out = SLICE_NONE;
    struct arena small;
    settings_init(&s, *state);
    put(&s, P "encryption.config", "1", true);
    assert_non_null(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    put(&s, P "aes_key_16.com", "short", true);
    assert_non_null(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    put(&s, P "aes_key_16.com", "Ab3$_0123456789z", true);
    put(&s, P "aes_key_16.com", "short", true);
    struct seal_keys given = { .mac = SEALED_KEY };
    assert_null(seal_for_upload(&given, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_SPACES));
    out = SLICE_NONE;
    put(&s, P "aes_key_16.com", "Ab3$_0123456789z", true);
    arena_init(&small, 8);
    assert_string_equal(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, &small, &out), "out of memory");
    assert_null(out.ptr);
    arena_free(&small);
    assert_null(seal_for_upload(NULL, &s, NAME_MAC_LOCAL, SEALED_PLAIN, *state, &out));
    assert_true(slice_eq(out, SEALED_SPACES));
    settings_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_one_phone_have_the_mac_oriented_key),
        test_with_arena(a_key_is_the_files_then_the_given_one_then_the_flashs),
        test_with_arena(nothing_goes_out_encrypted_unless_it_is_asked_for),
        test_with_arena(what_is_to_be_encrypted_never_goes_out_in_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
