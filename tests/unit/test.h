/* What every unit test needs: cmocka, slices compared with literals, an arena as state. */
#ifndef DIALTONE_TESTS_TEST_H
#define DIALTONE_TESTS_TEST_H

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static inline void assert_slice_at(struct slice actual, const char *expected, const char *file, int line)
{
    if (!slice_eq(actual, slice_str(expected))) {
        print_error("\"%.*s\" is not \"%s\"\n", SLICE_ARG(actual), expected);
        _fail(file, line);
    }
}
#define assert_slice(actual, expected) assert_slice_at((actual), (expected), __FILE__, __LINE__)

static inline int arena_state_setup(void **state)
{
    struct arena *a = malloc(sizeof *a);
    if (!a)
        return -1;
    arena_init(a, (size_t)64 << 20);
    *state = a;
    return 0;
}

static inline int arena_state_teardown(void **state)
{
    arena_free(*state);
    free(*state);
    return 0;
}
/* *state is an empty struct arena with room for 64 MiB. */
#define test_with_arena(f) cmocka_unit_test_setup_teardown(f, arena_state_setup, arena_state_teardown)

#endif
