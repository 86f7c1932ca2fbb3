/* A tree and a journal for tests of the server's services: link-time stand-ins for server/tree.c and
 * server/journal.c. Include in one file of a test program. */
#ifndef DIALTONE_TESTS_SERVER_FAKES_H
#define DIALTONE_TESTS_SERVER_FAKES_H

#include "server/journal.h"
#include "server/tree.h"

#include <errno.h>
#include <stdlib.h>

struct blob {
    struct slice bytes;
    unsigned holders;
};

struct fake_file {
    const char *name;
    enum tree_answer answer;
    struct blob blob;
    bool large; /* handed out as a descriptor (its index + 1000) */
    bool stale; /* reading a large one gives -ESTALE */
};

static struct fake_file fake_files[16];
static size_t fake_file_count;
static int fake_held; /* files that have been given out and not released */
static struct journal_event fake_events[8192];
static size_t fake_event_count;

static inline void fakes_reset(void)
{
    fake_file_count = fake_event_count = 0;
    fake_held = 0;
}

static inline struct fake_file *fake_add(const char *name, enum tree_answer answer, struct slice bytes,
                                         bool large)
{
    struct fake_file *f = &fake_files[fake_file_count++];
    *f = (struct fake_file){ name, answer, { bytes, 0 }, large, false };
    return f;
}

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
    static const char *const words[] = { "found",     "absent",         "refused name",
                                         "forbidden", "is a directory", "broken", "guarded" };
    return words[answer];
}

enum tree_answer tree_ask(struct tree *t, const struct tree_question *q, struct tree_file *ret_file)
{
    (void)t;
    struct slice name = q->name;
    while (name.len && name.ptr[0] == '/')
        name = slice_from(name, 1);
    if (!rootdir_name_ok(name))
        return TREE_BAD_NAME;
    for (size_t i = 0; i < fake_file_count; i++) {
        struct fake_file *f = &fake_files[i];
        if (!slice_eq(name, slice_str(f->name)))
            continue;
        if (f->answer != TREE_FILE)
            return f->answer;
        *ret_file = (struct tree_file){ .fd = f->large ? 1000 + (int)i : -1, .size = f->blob.bytes.len };
        ret_file->blob = f->large ? NULL : &f->blob;
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
    (void)file;
    fake_held--;
}

ssize_t tree_file_read(const struct tree_file *file, uint64_t offset, void *into, size_t len)
{
    const struct fake_file *f = &fake_files[file->fd - 1000];
    if (f->stale)
        return -ESTALE;
    struct slice rest = slice_first(slice_from(f->blob.bytes, (size_t)offset), len);
    memcpy(into, rest.ptr, rest.len);
    return (ssize_t)rest.len;
}

void journal_event_set_name(struct journal_event *e, struct slice name)
{
    e->name_len = (uint8_t)(name.len < 255 ? name.len : 255);
    memcpy(e->name, name.ptr, e->name_len);
}

void journal_note(struct journal *j, const struct journal_event *e)
{
    (void)j;
    if (fake_event_count < sizeof fake_events / sizeof *fake_events)
        fake_events[fake_event_count++] = *e;
}

#endif
