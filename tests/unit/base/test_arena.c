#include "tests/unit/test.h"

static void memory_is_zeroed_aligned_and_separate(void **state)
{
    struct arena *a = *state;
    char *first = arena_alloc(a, 3), *second = arena_alloc(a, 20000), *third = arena_alloc(a, 1);
    assert_true(first && second && third);
    assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
    for (size_t i = 0; i < 20000; i++)
        assert_int_equal(second[i], 0);
    memset(second, 'x', 20000);
    assert_int_equal(*first, 0);
    assert_int_equal(*third, 0);
}

static void the_limit_holds(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100);
    assert_non_null(arena_alloc(&a, 90));
    assert_null(arena_alloc(&a, 90));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 90));
    arena_free(&a);
}

static void copies_and_formats_end_in_a_nul(void **state)
{
    struct slice copy, text;
    assert_true(arena_copy(*state, slice_of("ab\0c", 4), &copy));
    assert_int_equal(copy.len, 4);
    assert_int_equal(copy.ptr[4], 0);
    assert_true(arena_format(*state, &text, "%s-%d", "x", 5));
    assert_slice(text, "x-5");
    assert_int_equal(text.ptr[3], 0);
}

static void what_found_no_room_is_counted(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64);
    assert_non_null(arena_alloc(&a, 48));
    assert_int_equal(a.failures, 0);
    assert_null(arena_alloc(&a, 48));
    assert_null(arena_array(&a, SIZE_MAX, 2));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_int_equal(a.failures, 3);
    arena_reset(&a);
    assert_int_equal(a.failures, 0);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(memory_is_zeroed_aligned_and_separate),
        cmocka_unit_test(the_limit_holds),
        test_with_arena(copies_and_formats_end_in_a_nul),
        cmocka_unit_test(what_found_no_room_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
