/* A tree, a directory of uploads and a worker over both, for the tests of what is written. */
#ifndef DIALTONE_TESTS_UPLOAD_HOUSE_H
#define DIALTONE_TESTS_UPLOAD_HOUSE_H

#include "server/upload.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct house {
    char dir[64];
    struct config config;
    struct manual_clock manual;
    struct worker worker;
    struct rootdir root;
    bool open;
} h;
static enum upload_answer last_answer;
static unsigned answers;

static inline void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline void open_uploads(void)
{
    struct tree *over;
    assert_int_equal(uploads_open("state/uploads", 7, &h.worker.uploads), 0);
    assert_int_equal(loop_open(&h.worker.loop, &h.manual.clock, NULL, &h.worker), 0);
    assert_int_equal(tree_open(&h.root, "root", &h.worker.loop, &h.worker.tree), 0);
    assert_int_equal(tree_open(uploads_root(h.worker.uploads), "state/uploads", &h.worker.loop, &over), 0);
    tree_overlay(h.worker.tree, over);
    h.open = true;
}

static inline void close_uploads(void)
{
    tree_close(h.worker.tree);
    loop_close(&h.worker.loop);
    uploads_close(h.worker.uploads);
    h.open = false;
}

static inline int setup(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    answers = 0;
    snprintf(h.dir, sizeof h.dir, "/tmp/dialtone-upload-XXXXXX");
    if (!mkdtemp(h.dir) || chdir(h.dir) || mkdir("root", 0755) || mkdir("root/desk", 0755))
        return -1;
    put("root/desk/00156574b150.cfg", "x");
    manual_clock_init(&h.manual, 1700000000000);
    h.config = (struct config){ .upload_overwrite = true,
                                .upload_mode = SLICE("0600"),
                                .upload_file_max = 5000,
                                .upload_total_mib = 1,
                                .upload_files = 100,
                                .upload_at_once = 10,
                                .upload_versions = 2 };
    h.worker = (struct worker){ .config = &h.config, .root = &h.root, .share = 1 };
    if (rootdir_open_root("root", false, &h.root))
        return -1;
    open_uploads();
    return 0;
}

static inline int teardown(void **state)
{
    char command[128];
    (void)state;
    if (h.open)
        close_uploads();
    rootdir_close(&h.root);
    snprintf(command, sizeof command, "rm -rf %s", h.dir);
    return chdir("/") || system(command);
}

static inline enum upload_answer begin(const char *name, struct upload **ret_upload)
{
    union address peer;
    struct upload_request r = { .name = slice_str(name) };
    assert_true(address_parse(SLICE("127.0.0.1"), 4000, &peer));
    r.caller.peer = &peer;
    return upload_begin(&h.worker, &r, ret_upload);
}

static inline void on_done(void *context, enum upload_answer answer)
{
    assert_ptr_equal(context, &h);
    last_answer = answer;
    answers++;
}

static inline enum upload_answer finish(struct upload *u)
{
    unsigned before = answers;
    upload_commit(u, on_done, &h);
    while (answers == before)
        uv_run(&h.worker.loop.uv, UV_RUN_ONCE);
    return last_answer;
}

static inline enum upload_answer put_up(const char *name, const char *text)
{
    struct upload *u;
    enum upload_answer answer = begin(name, &u);
    if (answer != UPLOAD_FINE)
        return answer;
    answer = upload_write(u, slice_str(text));
    if (answer == UPLOAD_FINE)
        return finish(u);
    upload_abort(u);
    return answer;
}

static inline void assert_file(const char *path, const char *text)
{
    char full[128], bytes[64] = "";
    snprintf(full, sizeof full, "state/uploads/%s", path);
    FILE *f = fopen(full, "r");
    if (!text) {
        assert_null(f);
        return;
    }
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof bytes - 1, f), strlen(text));
    fclose(f);
    assert_string_equal(bytes, text);
}

static inline void assert_served(const char *name, const char *text)
{
    struct tree_question q = { slice_str(name) };
    struct tree_file file;
    assert_int_equal(tree_ask(h.worker.tree, &q, &file), TREE_FILE);
    assert_true(file.uploaded);
    assert_slice(blob_bytes(file.blob), text);
    tree_file_release(&file);
}

#endif
