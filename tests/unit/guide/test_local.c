#include "tests/unit/test.h"

#include "guide/cfg.h"
#include "guide/local.h"

static struct settings with(struct arena *arena, const char *key, const char *value)
{
    struct settings s;
    settings_init(&s, arena);
    if (key)
        assert_true(settings_put(&s, slice_str(key), slice_str(value), (struct origin){ SETTINGS_FLASH, 0 }));
    return s;
}

static void the_file_is_read_back_by_the_reader_of_cfg_files(void **state)
{
    struct arena *arena = *state;
    char bytes[512];
    struct buf out = BUF_ON(bytes);
    struct cfg_file cfg;
    struct settings s = with(arena, "features.dnd.enable", "1");
    assert_true(
        settings_put(&s, SLICE("account.1.label"), SLICE("a = b # c"), (struct origin){ SETTINGS_FLASH, 0 }));
    assert_true(local_print(&s, arena, &out));
    assert_slice(buf_slice(&out), "#!version:1.0.0.1\naccount.1.label = a = b # c\nfeatures.dnd.enable = 1\n");
    assert_true(cfg_parse(buf_slice(&out), SLICE("f"), arena, NULL, &cfg));
    assert_int_equal(cfg.count, 2);
    assert_slice(cfg.assignments->value, "a = b # c");
    struct buf small = buf_on(bytes, 20);
    assert_false(local_print(&s, arena, &small));
    settings_free(&s);
}

static void the_file_goes_to_the_server_or_to_the_sync_path(void **state)
{
    struct arena *arena = *state;
    struct wildcards w = { .pn = SLICE("T46S") };
    struct slice url;
    struct settings none = with(arena, NULL, NULL);
    assert_true(mac_parse(SLICE("00156574B150"), &w.mac));
    assert_null(local_url(&none, SLICE("http://h/d/"), &w, arena, &url));
    assert_slice(url, "http://h/d/00156574b150-local.cfg");
    struct settings path = with(arena, "static.auto_provision.custom.sync.path", "ftp://b/$PN");
    assert_null(local_url(&path, SLICE("http://h/d/"), &w, arena, &url));
    assert_slice(url, "ftp://b/T46S/00156574b150-local.cfg");
    struct settings bad = with(arena, "static.auto_provision.custom.sync.path", "gopher://b/");
    assert_non_null(local_url(&bad, SLICE("http://h/d/"), &w, arena, &url));
    settings_free(&none);
    settings_free(&path);
    settings_free(&bad);
}

static void what_is_static_is_never_personal_and_from_84_on_protect_decides(void **state)
{
    struct arena *arena = *state;
    struct settings off = with(arena, NULL, NULL),
                    on = with(arena, "static.auto_provision.custom.protect", "1");
    struct firmware old = { { 66, 83, 0, 1 } }, new = { { 66, 84, 0, 1 } };
    assert_int_equal(local_layer_of(&off, SLICE("account.1.label"), old), LOCAL_PERSONAL);
    assert_int_equal(local_layer_of(&off, SLICE("account.1.label"), new), LOCAL_CENTRAL);
    assert_int_equal(local_layer_of(&on, SLICE("account.1.label"), new), LOCAL_PERSONAL);
    assert_int_equal(local_layer_of(&on, SLICE("static.unheard.of"), old), LOCAL_CENTRAL);
    /* The old name of a static setting. */
    assert_int_equal(local_layer_of(&on, SLICE("auto_provision.power_on"), old), LOCAL_CENTRAL);
    settings_free(&off);
    settings_free(&on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_file_is_read_back_by_the_reader_of_cfg_files),
        test_with_arena(the_file_goes_to_the_server_or_to_the_sync_path),
        test_with_arena(what_is_static_is_never_personal_and_from_84_on_protect_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
