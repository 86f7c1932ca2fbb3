/* Memory that ends at every place: the arena's ceiling at every size, OpenSSL's allocations in turn. */
#include "tests/unit/test.h"

#include "guide/seal_envelope.h"
#include "tests/seal_vectors.h"

#include <openssl/crypto.h>

static size_t allocations, failing; /* the `failing`-th one fails; 0: none does */

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return ++allocations == failing ? NULL : malloc(size);
}

static void *take_again(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return ++allocations == failing ? NULL : realloc(old, size);
}

static void give_back(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* True when it did what it should; anything else must be a clean failure. */
typedef bool task(struct arena *a);

static bool close_and_open(struct arena *a)
{
    struct slice bytes, plain;
    if (!seal_close(SEALED_KEY, SEALED_PLAIN, SEAL_SPACES, a, &bytes) || !seal_open(SEALED_KEY, bytes, a, &plain))
        return false;
    assert_true(slice_eq(plain, SEALED_PLAIN));
    return true;
}

static bool wrap_and_unwrap(struct arena *a)
{
    char wrapped[SEAL_KEY_BYTES_MAX];
    struct seal_key key;
    struct slice name;
    return seal_key_wrap(SEALED_KEY, wrapped) && seal_key_unwrap(slice_of(wrapped, 16), &key) &&
           seal_key_file_name(SLICE("a.cfg"), SEAL_ENC, a, &name);
}

static bool open_envelope(struct arena *a)
{
    struct slice plain;
    const char *why = seal_envelope_open(SEALED_PRIVATE_PEM, SLICE(SEALED_ENVELOPE_WITH("\n")), a, &plain);
    if (!why)
        assert_true(slice_eq(plain, SEALED_PLAIN));
    else
        assert_true(*why);
    return !why;
}

static bool close_envelope(struct arena *a)
{
    struct slice text;
    return !seal_envelope_close(SEALED_PUBLIC_PEM, SEALED_KEY, SEALED_PLAIN, a, &text);
}

static bool unwrap_key_file(struct arena *a)
{
    struct seal_key key;
    return !seal_rsa_unwrap(SEALED_PRIVATE_PEM, SLICE(SEALED_WRAPPED_KEY), a, &key);
}

static task *const tasks[] = { close_and_open, wrap_and_unwrap, open_envelope, close_envelope, unwrap_key_file };
#define TASKS (sizeof tasks / sizeof *tasks)

static bool run(task *t, size_t limit)
{
    struct arena a;
    arena_init(&a, limit);
    bool done = t(&a);
    arena_free(&a);
    return done;
}

static void an_arena_that_ends_anywhere_is_a_clean_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < TASKS; i++) {
        size_t limit = 0;
        while (!run(tasks[i], limit))
            limit += 64;
        assert_in_range(limit, 64, 1 << 16);
    }
}

static void an_allocation_of_the_crypto_library_that_fails_is_a_clean_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < TASKS; i++) {
        failing = 0;
        assert_true(run(tasks[i], 1 << 16)); /* what is loaded once is loaded */
        allocations = 0;
        assert_true(run(tasks[i], 1 << 16));
        size_t all = allocations, failed = 0;
        /* A PEM key takes OpenSSL thousands: of those, one in seventeen. */
        for (size_t n = 1; n <= all; n += n < 100 ? 1 : 17) {
            allocations = 0;
            failing = n;
            failed += !run(tasks[i], 1 << 16);
            failing = 0;
        }
        /* None of them has left anything behind that fails later. */
        assert_true(run(tasks[i], 1 << 16));
        assert_true(all > 0 && failed > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_that_ends_anywhere_is_a_clean_failure),
        cmocka_unit_test(an_allocation_of_the_crypto_library_that_fails_is_a_clean_failure),
    };
    if (CRYPTO_set_mem_functions(take, take_again, give_back) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
