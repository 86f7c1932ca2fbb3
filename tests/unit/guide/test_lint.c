#include "tests/unit/test.h"

#include "guide/lint.h"
#include "tests/seal_vectors.h"

#define H "#!version:1.0.0.1\n"

/* What `check` is given beside the tree. */
static struct seal_keys given;

/* The findings over a tree of name, content pairs, a line each. */
static struct slice look(struct arena *a, const char *const (*files)[2], size_t count)
{
    static char bytes[8192];
    struct buf out = BUF_ON(bytes);
    struct diag findings;
    struct lint l;
    diag_init(&findings, a);
    lint_init(&l, a, &findings);
    l.given = given;
    for (size_t i = 0; i < count; i++)
        assert_true(lint_add(&l, slice_str(files[i][0]), slice_str(files[i][1])));
    assert_true(lint_finish(&l));
    for (const struct finding *f = findings.first; f; f = f->next) {
        diag_print(f, &out);
        buf_byte(&out, '\n');
    }
    return buf_slice(&out);
}
#define LOOK(...)                                                                                             \
    look(*state, (const char *const[][2]){ __VA_ARGS__ }, sizeof((const char *const[][2]){ __VA_ARGS__ }) / sizeof(char *[2]))

static void a_sound_tree_has_no_findings(void **state)
{
    assert_slice(LOOK({ "sip.cfg", H "a = 1\n" }, { "desk/y000000000000.boot", H "include:config <../sip.cfg>\n" },
                      { "desk/00156574b150.cfg", H "a = 1\n" }, { "old/y000000000066.cfg", H "a = 1\n" },
                      { "Customring.wav", "" }),
                 "");
}

static void an_include_that_is_not_in_the_tree_is_an_error_at_its_place(void **state)
{
    assert_slice(LOOK({ "d/y000000000000.boot", H "include:config <none.cfg>\ninclude:config \"../x.cfg\"\n" },
                      { "d/x.cfg", H }),
                 "d/y000000000000.boot:2:17: error: d/none.cfg is not in the tree\n"
                 "d/y000000000000.boot:3:17: error: x.cfg is not in the tree\n");
}

static void exclude_mode_expects_that_a_model_has_no_file_of_its_own(void **state)
{
    assert_slice(LOOK({ "y000000000000.boot", H "[T46S]include:config <t46s.cfg>\ninclude:config <a.cfg>\n"
                                              "specific_model.excluded_mode = 1\n" },
                      { "a.cfg", H }),
                 "y000000000000.boot:2:23: note: t46s.cfg is not in the tree\n");
}

static void what_cannot_be_looked_up_is_not_judged(void **state)
{
    assert_slice(LOOK({ "y000000000000.boot", H "include:config <$mac.cfg>\ninclude:config <tftp://10.2.5.193/n.cfg>\n" }),
                 "");
}

static void percent_escapes_and_blanks_name_the_same_file(void **state)
{
    assert_slice(LOOK({ "HTTP Directory/sip.cfg", H },
                      { "y000000000000.boot", H "include:config <HTTP Directory/sip.cfg>\n"
                                              "include:config <HTTP%20Directory/sip.cfg>\n" }),
                 "");
}

static void both_boot_files_at_once_are_told(void **state)
{
    assert_slice(LOOK({ "d/00156574b150.boot", H "include:config <a.cfg>\n" },
                      { "d/y000000000000.boot", H "include:config <a.cfg>\n" }, { "d/a.cfg", H },
                      { "805ec0112233.boot", H "include:config <d/a.cfg>\n" }),
                 "d/00156574b150.boot: note: this phone reads its own boot file only, not d/y000000000000.boot "
                 "beside it\n");
}

static void names_that_no_phone_asks_for_are_told(void **state)
{
    assert_slice(LOOK({ "y0000000000000.boot", H "include:config <a.cfg>\n" }, { "a.cfg", H },
                      { "00156574B150.cfg", H }, { "y000000000099.cfg", H }, { "805EC0112233-contact.xml", "" }),
                 "y0000000000000.boot: warning: no phone asks for a boot file of this name: it is <mac>.boot or "
                 "y000000000000.boot\n"
                 "00156574B150.cfg: note: phones ask for the MAC in lower case; only dialtone finds this spelling\n"
                 "y000000000099.cfg: warning: no phone model has the common CFG number 99\n"
                 "805EC0112233-contact.xml: note: phones ask for the MAC in lower case; only dialtone finds this "
                 "spelling\n");
}

static void files_that_no_phone_reads_are_errors(void **state)
{
    assert_slice(LOOK({ "a.cfg", "<html>404</html>" }, { "00156574b150.cfg", "[ account ]\npath = /x\n" },
                      { "y000000000000.boot", H "overwrite_mode = 1\n" }),
                 "a.cfg:1: error: an HTML page, not a configuration file\n"
                 "00156574b150.cfg:1: error: the old [ section ] format of firmware 6x and earlier; write it anew as "
                 "`parameter = value`\n"
                 "y000000000000.boot: warning: includes no CFG file\n");
}

static void memory_that_ends_anywhere_is_told(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 4000; limit += 16) {
        struct arena a;
        struct diag findings;
        struct lint l;
        arena_init(&a, limit);
        diag_init(&findings, &a);
        lint_init(&l, &a, &findings);
        bool whole = lint_add(&l, SLICE("y000000000000.boot"), SLICE(H "include:config <none.cfg>\n")) &&
                     lint_add(&l, SLICE("00156574b150.boot"), SLICE(H)) && lint_finish(&l);
        /* Either everything was looked at and told, or it is known that it was not. */
        assert_true(!whole || findings.lost || findings.count[SEVERITY_ERROR] == 1);
        arena_free(&a);
    }
}

/* It holds `account.1.enable = 1`; as a boot file that is a misplaced line. */
#define ENCRYPTED SEALED_SPACES.ptr

static void an_encrypted_file_without_any_key_is_not_looked_into(void **state)
{
    assert_slice(LOOK({ "sip.cfg", ENCRYPTED }, { "y000000000066.cfg", SEALED_ENVELOPE_WITH("\n") }),
                 "sip.cfg: warning: looks encrypted (AES); no key was given or found, so it was not looked into\n"
                 "y000000000066.cfg: warning: looks encrypted (RSA mode); no key was given or found, so it was not looked "
                 "into\n");
}

static void an_encrypted_file_is_looked_into_with_a_given_key(void **state)
{
    given.mac = SEALED_KEY;
    struct slice with_mac = LOOK({ "y000000000000.boot", ENCRYPTED });
    given = (struct seal_keys){ .common = SEALED_KEY };
    struct slice with_common = LOOK({ "y000000000000.boot", ENCRYPTED });
    given = (struct seal_keys){ .rsa_private = SEALED_PRIVATE_PEM };
    struct slice with_rsa = LOOK({ "y000000000000.boot", SEALED_ENVELOPE_WITH("\n") });
    given = (struct seal_keys){ 0 };
    assert_true(slice_eq(with_mac, with_common) && slice_eq(with_mac, with_rsa));
    assert_true(slice_starts(with_mac, SLICE("y000000000000.boot:2:1: ")));
    assert_true(slice_ends(with_mac, SLICE("y000000000000.boot: warning: includes no CFG file\n")));
}

static void keys_in_the_settings_of_the_tree_open_files_of_the_tree(void **state)
{
    assert_slice(LOOK({ "a.cfg", ENCRYPTED }, { "b.cfg", H "static.auto_provision.aes_key.com = Ab3$_0123456789z\n" }), "");
    assert_slice(LOOK({ "a.cfg", ENCRYPTED }, { "b.cfg", H "auto_provision.aes_key_16.mac = Ab3$_0123456789z\n" }), "");
    assert_slice(LOOK({ "a.cfg", ENCRYPTED }, { "b.cfg", H "static.autoprovision.3.com_aes = Ab3$_0123456789z\n" }), "");
}

static void a_key_file_beside_a_file_opens_that_file_alone(void **state)
{
    assert_slice(LOOK({ "d/a.cfg", ENCRYPTED }, { "d/a_Security.enc", SEALED_SECURITY_ENC.ptr }), "");
    assert_slice(LOOK({ "a.cfg", ENCRYPTED }, { "d/a_security.enc", SEALED_SECURITY_ENC.ptr }),
                 "a.cfg: error: looks encrypted (AES); no key that was given or found opens it\n");
    assert_slice(LOOK({ "a_Security.enc", "no key" }), "a_Security.enc: error: no key comes out of this key file\n");
}

static void a_wrong_key_is_an_error(void **state)
{
    given.common = SLICE("0123456789abcdef");
    assert_slice(LOOK({ "a.cfg", ENCRYPTED }),
                 "a.cfg: error: looks encrypted (AES); no key that was given or found opens it\n");
    given = (struct seal_keys){ .rsa_private = SEALED_PRIVATE_PEM };
    assert_slice(LOOK({ "a.cfg", "#!encrypt:1.0.0.0\n#!key_ciphertext:\n" }),
                 "a.cfg: error: looks encrypted (RSA mode); no key that was given or found opens it\n");
    given = (struct seal_keys){ 0 };
}

static void a_key_in_an_opened_file_opens_one_before_it(void **state)
{
    struct slice second, first = SLICE(H "static.auto_provision.aes_key_16.mac = fedcba9876543210\n");
    assert_true(seal_close(SLICE("0123456789abcdef"), first, SEAL_PKCS7, *state, &first));
    assert_true(seal_close(SLICE("fedcba9876543210"), SLICE(H "b\n"), SEAL_SPACES, *state, &second));
    struct diag findings;
    struct lint l;
    diag_init(&findings, *state);
    lint_init(&l, *state, &findings);
    l.given.common = SLICE("0123456789abcdef");
    assert_true(lint_add(&l, SLICE("00156574b150.cfg"), second) && lint_add(&l, SLICE("y000000000066.cfg"), first));
    assert_true(lint_finish(&l));
    assert_int_equal(findings.count[SEVERITY_ERROR], 1);
    assert_slice(findings.first->text, "no `parameter = value` in this line; phones ignore it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_sound_tree_has_no_findings),
        test_with_arena(an_include_that_is_not_in_the_tree_is_an_error_at_its_place),
        test_with_arena(exclude_mode_expects_that_a_model_has_no_file_of_its_own),
        test_with_arena(what_cannot_be_looked_up_is_not_judged),
        test_with_arena(percent_escapes_and_blanks_name_the_same_file),
        test_with_arena(both_boot_files_at_once_are_told),
        test_with_arena(names_that_no_phone_asks_for_are_told),
        test_with_arena(files_that_no_phone_reads_are_errors),
        cmocka_unit_test(memory_that_ends_anywhere_is_told),
        test_with_arena(an_encrypted_file_without_any_key_is_not_looked_into),
        test_with_arena(an_encrypted_file_is_looked_into_with_a_given_key),
        test_with_arena(keys_in_the_settings_of_the_tree_open_files_of_the_tree),
        test_with_arena(a_key_file_beside_a_file_opens_that_file_alone),
        test_with_arena(a_wrong_key_is_an_error),
        test_with_arena(a_key_in_an_opened_file_opens_one_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
