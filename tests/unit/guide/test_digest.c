#include "tests/unit/test.h"

#include "guide/digest.h"

static void md5_of_the_vectors_of_rfc_1321(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } vectors[] = {
        { "", "d41d8cd98f00b204e9800998ecf8427e" },
        { "a", "0cc175b9c0f1b6a831c399e269772661" },
        { "abc", "900150983cd24fb0d6963f7d28e17f72" },
        { "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
        { "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
          "57edf4a22be3c955ac49da2e2107b67a" },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char hex[DIGEST_MD5_HEX];
        assert_true(digest_md5(slice_str(vectors[i].text), hex));
        assert_string_equal(hex, vectors[i].hex);
    }
}

static void an_empty_slice_without_bytes_has_a_digest_too(void **state)
{
    (void)state;
    char hex[DIGEST_MD5_HEX];
    assert_true(digest_md5(SLICE_NONE, hex));
    assert_string_equal(hex, "d41d8cd98f00b204e9800998ecf8427e");
}

static void bytes_after_a_nul_count(void **state)
{
    (void)state;
    char one[DIGEST_MD5_HEX], other[DIGEST_MD5_HEX];
    assert_true(digest_md5(SLICE("a\0b"), one));
    assert_true(digest_md5(SLICE("a\0c"), other));
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(md5_of_the_vectors_of_rfc_1321),
        cmocka_unit_test(an_empty_slice_without_bytes_has_a_digest_too),
        cmocka_unit_test(bytes_after_a_nul_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
