#include "server/users.h"
#include "tests/unit/test.h"

#include <stdio.h>

static const unsigned char salt[16] = "0123456789abcde";

static void a_line_is_what_was_made_and_holds_no_password(void **state)
{
    char bytes[USER_HASH_TEXT_BYTES_MAX], again[USER_HASH_TEXT_BYTES_MAX];
    struct buf out = BUF_ON(bytes), two = BUF_ON(again);
    struct user_hash h, parsed;
    (void)state;
    assert_true(user_hash_make(SLICE("alice"), SLICE("secret-one"), salt, &h));
    user_hash_print(&h, &out);
    assert_true(buf_ok(&out));
    assert_int_equal(slice_find_text(buf_slice(&out), SLICE("secret")), out.len);
    assert_true(user_hash_parse(buf_slice(&out), &parsed));
    user_hash_print(&parsed, &two);
    assert_true(slice_eq(buf_slice(&out), buf_slice(&two)));
    /* printf alice:dialtone:secret-one | md5sum */
    assert_slice(slice_str(h.md5), "4b14c71106c8b4fee0228118c6394094");
}

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct users table_of(const struct user *list, size_t count)
{
    struct users users;
    arena_free(&arena);
    arena_init(&arena, (size_t)16 << 20);
    assert_true(users_of(list, count, &arena, &users));
    return users;
}

static void scrypt_is_rfc_7914s(void **state)
{
    /* Its third vector: password "pleaseletmein", salt "SodiumChloride", N 16384, r 8, p 1, the first 32 bytes.
     */
    struct user u = { .name = SLICE("a") };
    (void)state;
    assert_true(user_hash_parse(SLICE("scrypt$16384$8$1$536f6469756d43686c6f72696465$"
                                      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"),
                                &u.hash));
    struct users users = table_of(&u, 1);
    assert_false(users.all_have_ha1);
    assert_ptr_equal(users_check_password(&users, SLICE("a"), SLICE("pleaseletmein")), &users.list[0]);
    assert_null(users_check_password(&users, SLICE("a"), SLICE("pleaseletmeim")));
    assert_null(users_check_password(&users, SLICE("b"), SLICE("pleaseletmein")));
}

#define SALTED "scrypt$4096$8$1$00112233445566778899aabbccddeeff$"
#define HASH32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void malformed_lines_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "secret",
        "bcrypt$4096$8$1$00$00",
        SALTED,
        SALTED HASH32 "00",
        SALTED HASH32 ";",
        SALTED HASH32 ";md5$00",
        SALTED HASH32 ";sha1$00112233445566778899aabbccddeeff",
        SALTED HASH32 ";sha256$" HASH32 ";sha256$" HASH32,
        "scrypt$4095$8$1$00112233445566778899aabbccddeeff$" HASH32,
        "scrypt$65536$8$1$00112233445566778899aabbccddeeff$" HASH32,
        "scrypt$1$8$1$00112233445566778899aabbccddeeff$" HASH32,
        "scrypt$4096$0$1$00112233445566778899aabbccddeeff$" HASH32,
        "scrypt$4096$8$99999999999$00112233445566778899aabbccddeeff$" HASH32,
        "scrypt$32768$17$1$00112233445566778899aabbccddeeff$" HASH32,
        "scrypt$4096$8$1$0011$" HASH32,
        "scrypt$4096$8$1$00112233445566778899AABBCCDDEEFF$" HASH32,
    };
    struct user_hash h;
    (void)state;
    assert_true(user_hash_parse(SLICE(SALTED HASH32 ";sha256$" HASH32), &h));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (user_hash_parse(slice_str(bad[i]), &h))
            fail_msg("%s", bad[i]);
}

static struct users two_users(struct user list[2])
{
    list[0] = (struct user){ .name = SLICE("bob") };
    list[1] = (struct user){ .name = SLICE("alice") };
    assert_true(user_hash_make(SLICE("bob"), SLICE("secret-two"), salt, &list[0].hash));
    assert_true(user_hash_make(SLICE("alice"), SLICE("secret-one"), salt, &list[1].hash));
    return table_of(list, 2);
}

static void only_the_right_password_of_the_right_user_fits(void **state)
{
    struct user list[2];
    struct users users = two_users(list);
    (void)state;
    assert_slice(users_check_password(&users, SLICE("alice"), SLICE("secret-one"))->name, "alice");
    assert_slice(users_check_password(&users, SLICE("bob"), SLICE("secret-two"))->name, "bob");
    assert_null(users_check_password(&users, SLICE("alice"), SLICE("secret-two")));
    assert_null(users_check_password(&users, SLICE("carol"), SLICE("secret-one")));
    assert_null(users_check_password(&users, SLICE("Alice"), SLICE("secret-one")));
    assert_null(users_check_password(&users, SLICE(""), SLICE("")));
    struct users none = table_of(list, 0);
    assert_null(users_check_password(&none, SLICE("alice"), SLICE("secret-one")));
}

static void digest_wants_the_realm_and_the_algorithm_that_are_there(void **state)
{
    struct user list[2];
    struct users users = two_users(list);
    struct auth a = { .scheme = AUTH_DIGEST,
                      .user = SLICE("alice"),
                      .algorithm = AUTH_MD5,
                      .nonce = SLICE("n"),
                      .realm = SLICE(USER_REALM),
                      .uri = SLICE("/x"),
                      .nc = SLICE("00000001"),
                      .cnonce = SLICE("c") };
    char hex[AUTH_HEX_BYTES];
    (void)state;
    for (enum auth_algorithm g = AUTH_MD5; g <= AUTH_SHA256; g++) {
        const struct user_hash *h = &users.list[1].hash;
        a.algorithm = g;
        assert_true(auth_response(&a, slice_str(g == AUTH_MD5 ? h->md5 : h->sha256), SLICE("GET"), hex));
        a.response = slice_str(hex);
        assert_ptr_equal(users_check_digest(&users, &a, SLICE("GET")), &users.list[1]);
        assert_null(users_check_digest(&users, &a, SLICE("PUT")));
        a.realm = SLICE("other");
        assert_null(users_check_digest(&users, &a, SLICE("GET")));
        a.realm = SLICE(USER_REALM);
    }
    list[1].hash.sha256[0] = '\0';
    assert_null(users_check_digest(&users, &a, SLICE("GET")));
}

static void an_unknown_name_cannot_log_in_with_what_stands_in_for_its_line(void **state)
{
    struct users users = table_of(NULL, 0);
    struct auth a = { .scheme = AUTH_DIGEST,
                      .user = SLICE("x"),
                      .algorithm = AUTH_MD5,
                      .nonce = SLICE("n"),
                      .realm = SLICE(USER_REALM),
                      .uri = SLICE("/x"),
                      .nc = SLICE("00000001"),
                      .cnonce = SLICE("c") };
    char hex[AUTH_HEX_BYTES];
    (void)state;
    assert_true(auth_response(&a, SLICE("00000000000000000000000000000000"), SLICE("GET"), hex));
    a.response = slice_str(hex);
    assert_null(users_check_digest(&users, &a, SLICE("GET")));
}

static void r4_weak_passwords_are_named(void **state)
{
    (void)state;
    assert_null(password_fault(SLICE("abcdefgh"), false));
    assert_null(password_fault(SLICE("123456789012"), false));
    assert_non_null(password_fault(SLICE("abcdefg"), false));
    assert_non_null(password_fault(SLICE("123456"), false));
    assert_non_null(password_fault(SLICE("12345678901"), false));
    assert_null(password_fault(SLICE("1"), true));
    assert_non_null(password_fault(SLICE(""), true));
    assert_non_null(password_fault(SLICE("a\tb"), true));
}

static void a_mac_is_found_in_any_spelling_and_another_name_only_as_it_is(void **state)
{
    struct user list[] = { { .name = SLICE("alice") }, { .name = SLICE("00156574B150") } };
    static const char *const spellings[] = { "00156574b150", "00:15:65:74:b1:50", "00-15-65-74-B1-50",
                                             "0015.6574.b150" };
    struct users users = table_of(list, 2);
    (void)state;
    assert_true(users.any_mac);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        assert_ptr_equal(users_find(&users, slice_str(spellings[i])), &list[1]);
    assert_ptr_equal(users_find(&users, SLICE("alice")), &list[0]);
    assert_null(users_find(&users, SLICE("ALICE")));
    assert_null(users_find(&users, SLICE("00156574b151")));
    assert_null(users_find(&users, SLICE("")));
    assert_null(users_find(&users, slice_of(salt, 0)));
}

static void a_phones_password_fits_whatever_the_spelling_of_its_name(void **state)
{
    struct user list[1] = { { .name = SLICE("00156574b150") } };
    (void)state;
    assert_true(user_hash_make(list[0].name, SLICE("secret-one"), salt, &list[0].hash));
    struct users users = table_of(list, 1);
    assert_non_null(users_check_password(&users, SLICE("00-15-65-74-B1-50"), SLICE("secret-one")));
    assert_null(users_check_password(&users, SLICE("00-15-65-74-B1-50"), SLICE("secret-two")));
}

static void fifty_thousand_phones_are_all_found_and_the_last_of_a_name_counts(void **state)
{
    enum { PHONES = 50000 };
    static struct user list[PHONES + 1];
    static char names[PHONES][13];
    (void)state;
    for (unsigned i = 0; i < PHONES; i++) {
        snprintf(names[i], sizeof names[i], "001565%06x", i * 3);
        list[i].name = slice_str(names[i]);
    }
    list[PHONES].name = SLICE("00-15-65-00-00-03");
    struct users users = table_of(list, PHONES + 1);
    for (unsigned i = 0; i < PHONES; i++)
        assert_ptr_equal(users_find(&users, slice_str(names[i])), &list[i == 1 ? PHONES : i]);
    assert_null(users_find(&users, SLICE("001565000001")));
    assert_int_equal(users.repeated, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_mac_is_found_in_any_spelling_and_another_name_only_as_it_is, teardown),
        cmocka_unit_test_teardown(a_phones_password_fits_whatever_the_spelling_of_its_name, teardown),
        cmocka_unit_test_teardown(fifty_thousand_phones_are_all_found_and_the_last_of_a_name_counts, teardown),
        cmocka_unit_test_teardown(a_line_is_what_was_made_and_holds_no_password, teardown),
        cmocka_unit_test_teardown(scrypt_is_rfc_7914s, teardown),
        cmocka_unit_test_teardown(malformed_lines_are_refused, teardown),
        cmocka_unit_test_teardown(only_the_right_password_of_the_right_user_fits, teardown),
        cmocka_unit_test_teardown(digest_wants_the_realm_and_the_algorithm_that_are_there, teardown),
        cmocka_unit_test_teardown(an_unknown_name_cannot_log_in_with_what_stands_in_for_its_line, teardown),
        cmocka_unit_test_teardown(r4_weak_passwords_are_named, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
