/* Access rules as a configuration writes them, for tests. */
#ifndef DIALTONE_TESTS_ACCESS_RULES_H
#define DIALTONE_TESTS_ACCESS_RULES_H

#include "server/access.h"

/* `text`: lines of a configuration. `users`: "alice:secret bob:other", with both digests. The caller closes it.
 */
static inline struct access *access_of(const char *text, const char *users)
{
    static const unsigned char salt[16] = "0123456789abcde";
    struct arena arena;
    struct config c;
    struct diag findings;
    struct access *a = NULL;
    struct slice rest = slice_str(users), part, name;
    arena_init(&arena, (size_t)1 << 20);
    diag_init(&findings, &arena);
    config_init(&c, &arena);
    bool fine = config_parse(&c, slice_str(text), SLICE("test"), &findings);
    while (slice_cut(&rest, ' ', &part)) {
        char key[96], value[USER_HASH_TEXT_BYTES_MAX];
        struct buf k = BUF_ON(key), v = BUF_ON(value);
        struct user_hash hash;
        slice_cut(&part, ':', &name);
        buf_format(&k, "user.%.*s", SLICE_ARG(name));
        fine = fine && user_hash_make(name, part, salt, &hash);
        user_hash_print(&hash, &v);
        fine = fine && config_set(&c, buf_slice(&k), buf_slice(&v), (struct place){ 0 }, &findings);
    }
    if (!fine || !config_check(&c, &findings) || access_open(&c, &a))
        a = NULL;
    arena_free(&arena);
    return a;
}

#endif
