#include "tests/unit/test.h"

#include "base/log.h"
#include "server/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct house {
    char dir[64];
    int log_fd;
    struct arena arena;
    struct config config;
    struct diag findings;
};

static void set(struct house *h, const char *key, const char *value)
{
    assert_true(config_set(&h->config, slice_str(key), slice_str(value), (struct place){ 0 }, &h->findings));
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    char path[96];
    *state = h;
    snprintf(h->dir, sizeof h->dir, "/tmp/dialtone-serve-XXXXXX");
    if (!mkdtemp(h->dir) || chdir(h->dir))
        return -1;
    mkdir("root", 0755);
    h->log_fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0600);
    log_setup(LOG_INFO, h->log_fd);
    arena_init(&h->arena, 1 << 20);
    diag_init(&h->findings, &h->arena);
    config_init(&h->config, &h->arena);
    snprintf(path, sizeof path, "%s/root", h->dir);
    set(h, "root", path);
    snprintf(path, sizeof path, "%s/state", h->dir);
    set(h, "state.dir", path);
    set(h, "listen", "127.0.0.1");
    set(h, "tftp.port", "0");
    set(h, "http.port", "0");
    set(h, "ftp.port", "0");
    set(h, "workers", "3");
    set(h, "journal", "rows");
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    char command[128];
    log_setup(LOG_INFO, 2);
    close(h->log_fd);
    arena_free(&h->arena);
    snprintf(command, sizeof command, "rm -rf %s", h->dir);
    int rc = chdir("/") || system(command);
    free(h);
    return rc;
}

static bool logged(struct house *h, const char *text)
{
    char log[4096] = "";
    return pread(h->log_fd, log, sizeof log - 1, 0) >= 0 && strstr(log, text);
}

static size_t descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_server_runs_in_threads_of_this_process_and_leaves_nothing(void **state)
{
    struct house *h = *state;
    struct serve *s;
    size_t before = 0;
    for (unsigned i = 0; i < 3; i++) {
        /* libuv keeps a pipe of its own for the process from its first loop on. */
        before = i == 1 ? descriptors() : before;
        assert_int_equal(serve_start(&h->config, &s), 0);
        assert_true(serve_port(s, PROTOCOL_TFTP) > 0 && serve_port(s, PROTOCOL_HTTP) > 0 &&
                    serve_port(s, PROTOCOL_FTP) > 0);
        assert_int_equal(serve_port(s, PROTOCOL_HTTPS), 0);
        serve_stop(s);
    }
    assert_int_equal(descriptors(), before);
}

static void a_port_in_use_is_named_also_when_it_is_our_own(void **state)
{
    struct house *h = *state;
    struct serve *s, *second;
    char port[32], text[128];
    assert_int_equal(serve_start(&h->config, &s), 0);
    snprintf(port, sizeof port, "%u", serve_port(s, PROTOCOL_HTTP));
    set(h, "http.port", port);
    size_t before = descriptors();
    assert_int_equal(serve_start(&h->config, &second), -EADDRINUSE);
    assert_int_equal(descriptors(), before);
    snprintf(text, sizeof text, "http: cannot listen on 127.0.0.1:%s: Address already in use", port);
    assert_true(logged(h, text));
    set(h, "http.port", "0");
    snprintf(port, sizeof port, "%u", serve_port(s, PROTOCOL_TFTP));
    set(h, "tftp.port", port);
    assert_int_equal(serve_start(&h->config, &second), -EADDRINUSE);
    snprintf(text, sizeof text, "tftp: cannot listen on 127.0.0.1:%s: Address already in use", port);
    assert_true(logged(h, text));
    serve_stop(s);
}

static void a_bad_root_is_named(void **state)
{
    struct house *h = *state;
    struct serve *s;
    set(h, "root", "/nonexistent/root");
    assert_int_equal(serve_start(&h->config, &s), -ENOENT);
    assert_true(logged(h, "root /nonexistent/root: No such file or directory"));
    set(h, "root", "/dev/null");
    assert_int_equal(serve_start(&h->config, &s), -ENOTDIR);
    set(h, "root", "root");
    set(h, "tftp.enable", "0");
    set(h, "http.enable", "0");
    set(h, "ftp.enable", "0");
    assert_int_equal(serve_start(&h->config, &s), -EDESTADDRREQ);
}

static void one_protocol_may_be_off_and_several_addresses_on(void **state)
{
    struct house *h = *state;
    struct serve *s;
    enum protocol protocol;
    union address a;
    size_t count = 0;
    set(h, "tftp.enable", "0");
    set(h, "ftp.enable", "0");
    set(h, "listen", "127.0.0.1, 127.0.0.2,[::1]");
    assert_int_equal(serve_start(&h->config, &s), 0);
    for (; serve_listener(s, count, &protocol, &a); count++)
        assert_int_equal(protocol, PROTOCOL_HTTP);
    assert_int_equal(count, 3);
    serve_stop(s);
}

static void an_unusable_state_directory_does_not_stop_it(void **state)
{
    struct house *h = *state;
    struct serve *s;
    set(h, "state.dir", "/nonexistent/state");
    assert_int_equal(serve_start(&h->config, &s), 0);
    assert_true(logged(h, "keeps no rows"));
    serve_stop(s);
}

static void reloading_and_hurrying_are_harmless_at_any_time(void **state)
{
    struct house *h = *state;
    struct config fresh = h->config;
    struct serve *s;
    assert_int_equal(serve_open(&h->config, &s), 0);
    fresh.workers = 5;
    fresh.http_idle_s = 7;
    serve_reload(s, &fresh);
    assert_true(logged(h, "workers: changed, takes effect after a restart"));
    assert_int_equal(serve_run(s), 0);
    for (unsigned i = 0; i < 50; i++)
        serve_reload(s, &fresh);
    serve_drain(s);
    serve_drain(s);
    serve_hurry(s);
    serve_reload(s, &fresh);
    serve_close(s);
    assert_int_equal(serve_open(&h->config, &s), 0);
    serve_close(s);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(a_server_runs_in_threads_of_this_process_and_leaves_nothing),
        test(a_port_in_use_is_named_also_when_it_is_our_own),
        test(a_bad_root_is_named),
        test(one_protocol_may_be_off_and_several_addresses_on),
        test(an_unusable_state_directory_does_not_stop_it),
        test(reloading_and_hurrying_are_harmless_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
