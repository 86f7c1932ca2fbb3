#include "guide_test.h"

#include "guide/memory.h"

static struct mac mac_of(const char *text)
{
    struct mac mac;
    assert_true(mac_parse(slice_str(text), &mac));
    return mac;
}

static struct slice print(struct arena *a, const struct memory *m)
{
    size_t cap = (size_t)64 << 10;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    assert_non_null(out.ptr);
    assert_true(memory_print(m, mac_of("00156574b150"), a, &out));
    return buf_slice(&out);
}

static const char *parse(struct arena *a, struct slice bytes, struct memory *m)
{
    memory_init(m, a);
    return memory_parse(m, bytes, mac_of("00156574b150"), a);
}

static void put(struct settings *s, struct slice key, struct slice value)
{
    assert_true(settings_put(s, key, value, (struct origin){ SLICE("f"), 7 }));
}

#define MD5 "0123456789abcdef0123456789abcdef"
static const char full[] = "#!version:1.0.0.1\n"
                           "## The flash of one phone. Written by dialtone; do not edit.\n"
                           "phone.mac = 00:15:65:74:b1:50\n"
                           "phone.model = SIP-T46S\n"
                           "phone.firmware = 66.84.0.15\n"
                           "file.1.name = y000000000000.boot\n"
                           "file.1.md5 = " MD5 "\n"
                           "file.2.name = a b.cfg\n"
                           "file.2.md5 = " MD5 "\n"
                           "central.account.1.label = Reception\n"
                           "central.static.security.user_password = admin:a\n"
                           "central.static.security.user_password = user:b\n"
                           "personal.features.dnd_mode = 1\n"
                           "flash.end = 1\n";

static void a_full_flash_prints_and_reads_as_the_header_shows(void **state)
{
    struct memory m, again;
    memory_init(&m, *state);
    m.model = SLICE("SIP-T46S");
    m.firmware = SLICE("66.84.0.15");
    assert_true(memory_add_file(&m, SLICE("y000000000000.boot"), SLICE(MD5), *state));
    assert_true(memory_add_file(&m, SLICE("a b.cfg"), SLICE(MD5), *state));
    put(&m.central, SLICE("account.1.label"), SLICE("Reception"));
    put(&m.central, SLICE("security.user_password"), SLICE("user:b"));
    put(&m.central, SLICE("security.user_password"), SLICE("admin:a"));
    put(&m.personal, SLICE("features.dnd_mode"), SLICE("1"));
    assert_slice(print(*state, &m), full);
    assert_null(parse(*state, SLICE(full), &again));
    assert_slice(print(*state, &again), full);
    assert_slice(again.model, "SIP-T46S");
    assert_slice(again.firmware, "66.84.0.15");
    assert_true(memory_same_files(&m, &again));
    const struct setting *label = settings_get(&again.central, SLICE("account.1.label"));
    assert_slice(label->origin.file, "flash");
    assert_int_equal(label->origin.line, 10);
    memory_free(&m);
    memory_free(&again);
}

static void an_empty_flash_prints_and_reads(void **state)
{
    struct memory m, again;
    memory_init(&m, *state);
    struct slice text = print(*state, &m);
    assert_null(parse(*state, text, &again));
    assert_int_equal(again.central.count + again.personal.count, 0);
    assert_null(again.files);
    memory_free(&m);
    memory_free(&again);
}

static void odd_bytes_in_a_value_survive(void **state)
{
    static const struct slice values[] = {
        { "a\0b", 3 },         { "a # b = c \" $ | %", 17 }, { "\xd6\xd0\xce\xc4", 4 }, { "a\rb", 3 },
        { "[T46S] x = 1", 12 }, { "#!version", 9 },           { "x\x1a", 2 },            { "\x1a", 1 },
        { "\xef\xbb\xbfx", 4 }, { "", 0 },                    { "\x0b\x0c\x7f", 3 },     { "%s%n%.*s", 8 },
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct memory m, again;
        memory_init(&m, *state);
        put(&m.central, SLICE("account.1.label"), values[i]);
        put(&m.personal, SLICE("account.2.label"), values[i]);
        assert_null(parse(*state, print(*state, &m), &again));
        assert_true(slice_eq(settings_value(&again.central, SLICE("account.1.label")), values[i]));
        assert_true(slice_eq(settings_value(&again.personal, SLICE("account.2.label")), values[i]));
        memory_free(&m);
        memory_free(&again);
    }
}

static void odd_keys_survive(void **state)
{
    static const char *const keys[] = { "[T46S", "#x", "central.x", "flash.end", "phone.mac", "\xd6\xd0", "a..b", "." };
    struct memory m, again;
    memory_init(&m, *state);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(&m.personal, slice_str(keys[i]), SLICE("1"));
    assert_null(parse(*state, print(*state, &m), &again));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_slice(settings_value(&again.personal, slice_str(keys[i])), "1");
    assert_int_equal(again.personal.count, m.personal.count);
    memory_free(&m);
    memory_free(&again);
}

static void users_whose_names_hold_a_nul_stay_apart(void **state)
{
    struct memory m;
    memory_init(&m, *state);
    put(&m.central, SLICE("security.user_password"), slice_of("a\0b:1", 5));
    put(&m.central, SLICE("security.user_password"), slice_of("a\0c:1", 5));
    assert_int_equal(m.central.count, 2);
    memory_free(&m);
}

static void assert_wrong(void **state, struct slice bytes, const char *part)
{
    struct memory m;
    const char *wrong = parse(*state, bytes, &m);
    if (!wrong || !strstr(wrong, part))
        fail_msg("\"%s\" is not \"%s\"", wrong ? wrong : "(nothing wrong)", part);
    memory_free(&m);
}

static void a_damaged_flash_is_told(void **state)
{
    assert_wrong(state, SLICE(""), "damaged");
    assert_wrong(state, SLICE("\xff\xff\xff\xff"), "damaged");
    assert_wrong(state, SLICE("<html>"), "damaged");
    /* Cut anywhere before the last line's `=`, it shows. */
    for (size_t len = 0; len < sizeof full - sizeof "= 1\n"; len++)
        assert_wrong(state, slice_of(full, len), "damaged");
}

static void a_flash_of_another_phone_is_told(void **state)
{
    assert_wrong(state, SLICE("phone.mac = 00:15:65:74:b1:51\nflash.end = 1\n"), "another phone");
    assert_wrong(state, SLICE("phone.mac = nonsense\nflash.end = 1\n"), "another phone");
    assert_wrong(state, SLICE("flash.end = 1\n"), "another phone");
}

static void files_are_the_same_with_names_digests_and_order(void **state)
{
    struct memory a, b;
    memory_init(&a, *state);
    memory_init(&b, *state);
    assert_true(memory_same_files(&a, &b));
    assert_true(memory_add_file(&a, SLICE("x"), SLICE("1"), *state));
    assert_false(memory_same_files(&a, &b));
    assert_false(memory_same_files(&b, &a));
    assert_true(memory_add_file(&b, SLICE("x"), SLICE("1"), *state));
    assert_true(memory_same_files(&a, &b));
    assert_true(memory_add_file(&a, SLICE("y"), SLICE("2"), *state));
    assert_true(memory_add_file(&a, SLICE("z"), SLICE("3"), *state));
    assert_true(memory_add_file(&b, SLICE("z"), SLICE("3"), *state));
    assert_true(memory_add_file(&b, SLICE("y"), SLICE("2"), *state));
    assert_false(memory_same_files(&a, &b));
    assert_true(memory_has_file(&a, SLICE("y"), SLICE("2")));
    assert_false(memory_has_file(&a, SLICE("y"), SLICE("3")));
    assert_false(memory_has_file(&a, SLICE("w"), SLICE("2")));
    memory_free(&a);
    memory_free(&b);
}

static void a_buffer_too_small_is_told(void **state)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    struct memory m;
    memory_init(&m, *state);
    assert_false(memory_print(&m, mac_of("00156574b150"), *state, &out));
    memory_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_full_flash_prints_and_reads_as_the_header_shows),
        test_with_arena(an_empty_flash_prints_and_reads),
        test_with_arena(odd_bytes_in_a_value_survive),
        test_with_arena(odd_keys_survive),
        test_with_arena(users_whose_names_hold_a_nul_stay_apart),
        test_with_arena(a_damaged_flash_is_told),
        test_with_arena(a_flash_of_another_phone_is_told),
        test_with_arena(files_are_the_same_with_names_digests_and_order),
        test_with_arena(a_buffer_too_small_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
