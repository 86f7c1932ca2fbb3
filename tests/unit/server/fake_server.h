/* A tree and a journal for the tests of services: a table of files in memory, a list of events. */
#ifndef DIALTONE_TESTS_FAKE_SERVER_H
#define DIALTONE_TESTS_FAKE_SERVER_H

#include "server/service.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAKE_FILES 8
#define FAKE_EVENTS 700
#define FAKE_MTIME 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

struct blob {
    struct slice bytes;
};

static struct fake_file {
    const char *name;
    struct blob blob;
    int fd; /* a large file's; -1 */
    uint64_t size;
    enum tree_answer answer;
    bool changed;
    bool uploaded;
    uint64_t unchanged_checks; /* answers "unchanged" so often before it says otherwise */
} fake_files[FAKE_FILES];
static size_t fake_file_count;
static int fake_held; /* files given out and not let go */

static struct journal_event fake_events[FAKE_EVENTS];
static size_t fake_event_count;

struct slice blob_bytes(const struct blob *b)
{
    return b->bytes;
}

int blob_descriptor(const struct blob *b)
{
    (void)b;
    return -1;
}

const char *tree_answer_words(enum tree_answer answer)
{
    static const char *const words[] = {
        "file", "absent", "refused name", "forbidden", "a directory", "broken"
    };
    return words[answer];
}

enum tree_answer tree_ask(struct tree *t, const struct tree_question *q, struct tree_file *ret_file)
{
    struct slice name = q->name;
    (void)t;
    while (name.len && name.ptr[0] == '/')
        name = slice_from(name, 1);
    if (name.len == 0)
        return TREE_DIRECTORY;
    if (!rootdir_name_ok(name))
        return TREE_BAD_NAME;
    for (size_t i = 0; i < fake_file_count; i++) {
        struct fake_file *f = &fake_files[i];
        if (!slice_eq(name, slice_str(f->name)))
            continue;
        if (f->answer != TREE_FILE)
            return f->answer;
        *ret_file = (struct tree_file){ .blob = f->fd < 0 ? &f->blob : NULL,
                                        .fd = f->fd,
                                        .size = f->size,
                                        .mtime = { FAKE_MTIME, 0 },
                                        .uploaded = f->uploaded,
                                        .etag = 0xab };
        fake_held++;
        return TREE_FILE;
    }
    return TREE_ABSENT;
}

bool tree_directory_spelling(struct tree *t, struct slice directory, struct buf *ret_spelling)
{
    (void)t;
    buf_text(ret_spelling, directory);
    return buf_ok(ret_spelling);
}

void tree_file_release(struct tree_file *file)
{
    assert_true(file->blob || file->fd >= 0);
    *file = (struct tree_file){ .fd = -1 };
    fake_held--;
    assert_true(fake_held >= 0);
}

bool tree_file_unchanged(const struct tree_file *file)
{
    for (size_t i = 0; i < fake_file_count; i++) {
        struct fake_file *f = &fake_files[i];
        if (f->fd == file->fd && f->changed && f->unchanged_checks-- == 0)
            return false;
    }
    return true;
}

ssize_t tree_file_read(const struct tree_file *file, uint64_t offset, void *into, size_t len)
{
    if (!tree_file_unchanged(file))
        return -ESTALE;
    if (!file->blob)
        return pread(file->fd, into, len, (off_t)offset);
    struct slice part = slice_first(slice_from(file->blob->bytes, offset), len);
    memcpy(into, part.ptr, part.len);
    return (ssize_t)part.len;
}

/* The table's files without a slash in their name, and `fake_more` files that only listings show. */
static size_t fake_more;
static int fake_listings; /* open ones */
struct tree_listing {
    size_t at;
    char name[32];
};

enum tree_answer tree_list(struct tree *t, struct slice directory, struct tree_listing **ret_listing)
{
    (void)t;
    if (slice_eq(directory, SLICE("/nope")))
        return TREE_ABSENT;
    if (directory.len > 1 && !slice_eq(directory, SLICE("/dir")))
        return TREE_ABSENT;
    *ret_listing = calloc(1, sizeof **ret_listing);
    fake_listings++;
    return *ret_listing ? TREE_DIRECTORY : TREE_BROKEN;
}

enum tree_step tree_listing_next(struct tree_listing *l, struct tree_entry *ret_entry)
{
    size_t i = l->at++;
    if (i >= fake_file_count + fake_more)
        return TREE_STEP_END;
    if (i >= fake_file_count) {
        struct buf out = BUF_ON(l->name);
        buf_format(&out, "more-%zu", i);
        *ret_entry = (struct tree_entry){ buf_slice(&out), false, i, FAKE_MTIME };
        return TREE_STEP_ENTRY;
    }
    const struct fake_file *f = &fake_files[i];
    if (f->answer != TREE_FILE && f->answer != TREE_DIRECTORY)
        return TREE_STEP_NOTHING;
    *ret_entry = (struct tree_entry){ slice_str(f->name), f->answer == TREE_DIRECTORY, f->size, FAKE_MTIME };
    return TREE_STEP_ENTRY;
}

void tree_listing_close(struct tree_listing *l)
{
    fake_listings--;
    free(l);
}

void journal_event_set_name(struct journal_event *e, struct slice name)
{
    e->name_len = (uint8_t)slice_first(name, UINT8_MAX).len;
    memcpy(e->name, name.ptr ? name.ptr : "", e->name_len);
}

void journal_event_set_agent(struct journal_event *e, struct slice agent)
{
    e->agent_len = (uint8_t)slice_first(agent, JOURNAL_AGENT_BYTES).len;
    memcpy(e->agent, agent.ptr, e->agent_len);
}

void journal_note(struct journal *j, const struct journal_event *e)
{
    (void)j;
    assert_true(fake_event_count < FAKE_EVENTS);
    fake_events[fake_event_count++] = *e;
}

static inline struct fake_file *fake_add(const char *name, enum tree_answer answer)
{
    assert_true(fake_file_count < FAKE_FILES);
    struct fake_file *f = &fake_files[fake_file_count++];
    *f = (struct fake_file){ .name = name, .answer = answer, .fd = -1 };
    return f;
}

static inline struct fake_file *fake_small(const char *name, struct slice bytes)
{
    struct fake_file *f = fake_add(name, TREE_FILE);
    f->blob.bytes = bytes;
    f->size = bytes.len;
    return f;
}

/* Byte i of it is i / 251. */
static inline struct fake_file *fake_large(const char *name, size_t size)
{
    struct fake_file *f = fake_add(name, TREE_FILE);
    unsigned char block[4096];
    f->fd = memfd_create(name, MFD_CLOEXEC);
    f->size = size;
    assert_true(f->fd >= 0);
    for (size_t at = 0; at < size; at += sizeof block) {
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (unsigned char)((at + i) / 251);
        size_t len = size - at < sizeof block ? size - at : sizeof block;
        assert_int_equal(write(f->fd, block, len), (ssize_t)len);
    }
    return f;
}

static inline void fake_reset(void)
{
    for (size_t i = 0; i < fake_file_count; i++)
        if (fake_files[i].fd >= 0)
            close(fake_files[i].fd);
    fake_file_count = 0;
    fake_event_count = 0;
    fake_held = 0;
    fake_more = 0;
}

#endif
