/* A whole run with memory that ends at every place: the arena's ceiling at every size, every malloc() in turn
 * (linked with --wrap=malloc). */
#include "guide_test.h"

#include "tests/guide_script.h"
#include "tests/seal_vectors.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static size_t mallocs, failing; /* the `failing`-th malloc() fails; 0: none does */

void *__wrap_malloc(size_t size)
{
    return ++mallocs == failing ? NULL : __real_malloc(size);
}

#define H "#!version:1.0.0.1\n"
#define FLASH                                                                                                    \
    "phone.mac = 00:15:65:74:b1:50\nphone.model = SIP-T46S\nphone.firmware = 66.83.0.1\nfile.1.name = a.cfg\n"  \
    "file.1.md5 = 0123\ncentral.kept = 1\ncentral.static.syslog.server = a\npersonal.lang.gui = Own\n"         \
    "central.static.security.user_password = admin:a\nflash.end = 1\n"

static void add(struct script *s, const char *name, const char *content)
{
    s->files[s->file_count++] = (struct script_file){ slice_str(name), FETCH_GOT, slice_str(content), 0 };
}

/* Both take what the guide has: prefixes, modes, resources, a PIN, MAC-local, findings of all kinds. */
static void new_mechanism(struct script *s)
{
    add(s, "y000000000000.boot", "#!/version:1.0.0.1\ninclude:config <a.cfg>\n[T46S, T4X]include:config b.cfg\n"
                                 "include:config <http://h:0/>\n[T48S]include:config <c.cfg>\nnonsense\n");
    add(s, "a.cfg", H "static.auto_provision.custom.sync = 1\nstatic.auto_provision.custom.protect = 1\nx =\n"
                      "ringtone.url = $MAC.wav\nlcd_logo.url = http://h:0/\nsecurity.user_password = user:b\n");
    add(s, "b.cfg", H "kept = 2\naccount.1.label = %NULL%\nsecurity.user_password = user:c\nlang.gui = Central\n");
    add(s, "-local.cfg", H "lang.gui = Server\nstatic.x = 1\n");
    s->files[s->file_count - 1].name = SLICE("00156574b150-local.cfg");
}

static void old_mechanism(struct script *s)
{
    add(s, "y000000000066.cfg", H "static.custom_mac_cfg.url = $pin.cfg\nstatic.firmware.url = x.rom\nkept = %NULL%\n"
                                  "lang.gui = Central\n");
    add(s, "A31.cfg", H "account.1.label = 31\nlcd_logo.url = l.dob\nsecurity.user_password = admin:b\n");
    s->pins[0] = SLICE("B1");
    s->pins[1] = SLICE("A31");
    s->pin_count = 2;
}

/* A key that is given, then one from a key file. */
static void encrypted(struct script *s)
{
    add(s, "y000000000000.boot", H "include:config <a.cfg>\ninclude:config <b.cfg>\ninclude:config <c.cfg>\n");
    add(s, "a.cfg", "");
    s->files[s->file_count - 1].content = SEALED_SPACES;
    add(s, "b.cfg", H "static.auto_provision.aes_key_in_file = 1\n");
    add(s, "c.cfg", "");
    s->files[s->file_count - 1].content = SEALED_PKCS7;
    add(s, "c_Security.enc", "");
    s->files[s->file_count - 1].content = SEALED_SECURITY_ENC;
    s->keys.common = SEALED_KEY;
}

/* Runs it and says how it ended. `tree` fills a script that is not made of wrapped memory. */
static enum run_outcome run(void (*tree)(struct script *), size_t limit, struct buf *out)
{
    static struct script s;
    struct memory before;
    struct arena arena;
    enum run_outcome outcome = RUN_FAILED;
    memset(&s, 0, sizeof s);
    s.id = phone("T46S", "66.84.0.15");
    s.server = SLICE("http://h/");
    s.wish_limit = 200;
    tree(&s);
    arena_init(&arena, limit);
    memory_init(&before, &arena);
    struct procedure_start start = { .id = s.id, .server = s.server, .memory = &before, .keys = s.keys };
    bool read = !memory_parse(&before, SLICE(FLASH), s.id.mac, &arena);
    struct procedure *p = read ? procedure_new(&start, &arena) : NULL;
    while (p && script_step(&s, p, out))
        if (procedure_wish(p).kind == WISH_APPLY)
            failing = 0; /* what is to come is the flash's memory, not the run's */
    if (p) {
        const struct report *r = procedure_report(p);
        outcome = r->outcome;
        assert_int_equal(procedure_wish(p).kind, WISH_DONE);
        if (outcome == RUN_FAILED)
            assert_slice(r->why, "out of memory");
        /* Nothing was applied: what held before holds on, whole. */
        if (outcome == RUN_FAILED)
            assert_int_equal(r->effective.count, 4);
        arena.limit = SIZE_MAX;
        failing = 0;
        script_put_report(r, &arena, out);
    }
    procedure_free(p);
    memory_free(&before);
    arena_free(&arena);
    assert_true(buf_ok(out));
    return outcome;
}

enum { TEXT_BYTES = 64 << 10 };
static char whole[TEXT_BYTES], part[TEXT_BYTES];

/* Every run ends as without a limit, or fails without having applied anything. False when it failed. */
static bool ends_well(void (*tree)(struct script *), size_t limit, struct slice expected)
{
    struct buf out = BUF_ON(part);
    if (run(tree, limit, &out) == RUN_FAILED) {
        size_t applied = slice_find_text(buf_slice(&out), SLICE("apply\n"));
        assert_true(applied == out.len);
        return false;
    }
    assert_true(slice_eq(buf_slice(&out), expected));
    return true;
}

static void try_every_limit(void (*tree)(struct script *))
{
    struct buf out = BUF_ON(whole);
    size_t failed = 0;
    assert_int_equal(run(tree, (size_t)1 << 20, &out), RUN_PROVISIONED);
    for (size_t limit = 0;; limit += 8, failed++)
        if (ends_well(tree, limit, buf_slice(&out)))
            break;
    assert_true(failed > 100);
}

static void try_every_malloc(void (*tree)(struct script *))
{
    struct buf out = BUF_ON(whole);
    mallocs = 0;
    failing = 0;
    assert_int_equal(run(tree, (size_t)1 << 20, &out), RUN_PROVISIONED);
    size_t all = mallocs, failed = 0;
    for (size_t n = 1; n <= all; n++) {
        mallocs = 0;
        failing = n;
        failed += !ends_well(tree, (size_t)1 << 20, buf_slice(&out));
        failing = 0;
    }
    /* Others are the flash's and the report's. */
    assert_true(failed > 5);
}

static void an_arena_that_ends_anywhere_fails_the_new_mechanism_cleanly(void **state)
{
    (void)state;
    try_every_limit(new_mechanism);
}

static void an_arena_that_ends_anywhere_fails_the_old_mechanism_cleanly(void **state)
{
    (void)state;
    try_every_limit(old_mechanism);
}

static void an_arena_that_ends_anywhere_fails_encrypted_files_cleanly(void **state)
{
    (void)state;
    try_every_limit(encrypted);
}

static void a_malloc_that_fails_fails_encrypted_files_cleanly(void **state)
{
    (void)state;
    try_every_malloc(encrypted);
}

static void a_malloc_that_fails_fails_the_new_mechanism_cleanly(void **state)
{
    (void)state;
    try_every_malloc(new_mechanism);
}

static void a_malloc_that_fails_fails_the_old_mechanism_cleanly(void **state)
{
    (void)state;
    try_every_malloc(old_mechanism);
}

/* Enough settings that the hash tables grow, which asks for memory too. */
static void a_table_that_cannot_grow_is_told_or_lives_on(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        char bytes[16];
        struct arena arena;
        struct settings s;
        size_t put = 0;
        bool all = true;
        arena_init(&arena, (size_t)8 << 20);
        settings_init(&s, &arena);
        mallocs = 0;
        failing = n;
        for (unsigned i = 0; i < 2000 && all; i++) {
            struct buf key = BUF_ON(bytes);
            struct slice copy = SLICE("x");
            buf_format(&key, "k%u", i);
            all = arena_copy(&arena, buf_slice(&key), &copy) &&
                  settings_put(&s, copy, SLICE("1"), (struct origin){ SLICE("f"), 1 });
            put += all;
        }
        failing = 0;
        assert_int_equal(s.count, put);
        for (unsigned i = 0; i < put; i++) {
            struct buf key = BUF_ON(bytes);
            buf_format(&key, "k%u", i);
            assert_non_null(settings_get(&s, buf_slice(&key)));
        }
        settings_free(&s);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_that_ends_anywhere_fails_the_new_mechanism_cleanly),
        cmocka_unit_test(an_arena_that_ends_anywhere_fails_the_old_mechanism_cleanly),
        cmocka_unit_test(a_malloc_that_fails_fails_the_new_mechanism_cleanly),
        cmocka_unit_test(a_malloc_that_fails_fails_the_old_mechanism_cleanly),
        cmocka_unit_test(an_arena_that_ends_anywhere_fails_encrypted_files_cleanly),
        cmocka_unit_test(a_malloc_that_fails_fails_encrypted_files_cleanly),
        cmocka_unit_test(a_table_that_cannot_grow_is_told_or_lives_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
