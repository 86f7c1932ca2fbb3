/* What the tests of whole runs share: a phone, its server and its flash in a script, a run of it, the names. */
#ifndef DIALTONE_TESTS_PROCEDURE_TEST_H
#define DIALTONE_TESTS_PROCEDURE_TEST_H

#include "guide_test.h"

#include "tests/guide_script.h"

#define H "#!version:1.0.0.1\n"
#define BOOT "y000000000000.boot"
#define MAC_BOOT "00156574b150.boot"
#define COMMON_CFG "y000000000066.cfg"
#define MAC_CFG "00156574b150.cfg"
#define LOCAL "00156574b150-local.cfg"
#define PROTECT "static.auto_provision.custom.protect = 1\n"
#define SYNC "static.auto_provision.custom.sync = 1\n"

/* A T46S out of its box that provisions from http://h/. */
static inline struct script *script(struct arena *a)
{
    struct script *s = ARENA_NEW(a, struct script);
    assert_non_null(s);
    s->id = phone("T46S", "66.84.0.15");
    s->server = SLICE("http://h/");
    s->wish_limit = 2000;
    return s;
}

static inline struct script_file *add(struct script *s, const char *name, enum fetch_outcome outcome, const char *content)
{
    assert_true(s->file_count < SCRIPT_FILES_MAX);
    struct script_file *file = &s->files[s->file_count++];
    *file = (struct script_file){ slice_str(name), outcome, slice_str(content), 0 };
    return file;
}

static inline struct script_file *file(struct script *s, const char *name, const char *content)
{
    return add(s, name, FETCH_GOT, content);
}

/* What the phone already holds. */
static inline void flash(struct script *s, const char *lines)
{
    struct buf out = BUF_ON(s->flash_bytes);
    buf_format(&out, "phone.mac = 00:15:65:74:b1:50\n%sflash.end = 1\n", lines);
    assert_true(buf_ok(&out));
    s->flash = buf_slice(&out);
}

/* One run on an arena of its own, so that nothing of it can be looked at afterwards. */
static inline struct slice run(struct script *s, struct arena *a)
{
    size_t cap = (size_t)256 << 10;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    struct memory memory;
    struct slice flash_copy;
    struct arena arena;
    assert_non_null(out.ptr);
    arena_init(&arena, (size_t)32 << 20);
    memory_init(&memory, &arena);
    assert_true(arena_copy(&arena, s->flash, &flash_copy));
    if (flash_copy.len)
        assert_null(memory_parse(&memory, flash_copy, s->id.mac, &arena));
    struct procedure_start start = { .id = s->id, .server = s->server, .memory = &memory, .keys = s->keys };
    struct procedure *p = procedure_new(&start, &arena);
    assert_non_null(p);
    s->wishes = 0;
    while (script_step(s, p, &out))
        ;
    assert_true(s->wishes <= s->wish_limit);
    assert_int_equal(procedure_wish(p).kind, WISH_DONE);
    script_put_report(procedure_report(p), &arena, &out);
    procedure_free(p);
    memory_free(&memory);
    arena_free(&arena);
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}

static inline void assert_holds(struct slice text, const char *part)
{
    if (slice_find_text(text, slice_str(part)) == text.len)
        fail_msg("\"%s\" is not in: %.*s", part, SLICE_ARG(text));
}

#endif
