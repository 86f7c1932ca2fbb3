/* What a fuzz target defines and may use.
 *
 * A target is tests/fuzz/fuzz_<name>.c with a folder of seeds tests/fuzz/corpus/<name>/, and one line in
 * tests/meson.build. It is built twice: against replay.c, for the test suite, and with -Dfuzz=true against
 * libFuzzer. It keeps no state from one input to the next. */
#ifndef DIALTONE_TESTS_FUZZ_H
#define DIALTONE_TESTS_FUZZ_H

#include "base/slice.h"

#include <stdio.h>
#include <stdlib.h>

/* Looks at one input of `size` bytes; returns 0. Whatever is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that every input must have. Not assert(): it has to hold in a release build too. */
#define MUST(property)                                                                                         \
    do {                                                                                                       \
        if (!(property)) {                                                                                     \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);                      \
            abort();                                                                                           \
        }                                                                                                      \
    } while (0)

#endif
