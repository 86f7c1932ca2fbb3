#include "tests/unit/test.h"

#include "server/config.h"

#include <stdio.h>

struct room {
    struct config config;
    struct diag findings;
};

static struct room *room_on(struct arena *a)
{
    struct room *r = ARENA_NEW(a, struct room);
    diag_init(&r->findings, a);
    config_init(&r->config, a);
    return r;
}

static void assert_finding(const struct room *r, size_t index, const char *expected)
{
    char bytes[1024];
    const struct finding *f = r->findings.first;
    for (; f && index; index--)
        f = f->next;
    assert_non_null(f);
    struct buf out = BUF_ON(bytes);
    diag_print(f, &out);
    assert_slice(buf_slice(&out), expected);
}

static void every_default_is_a_value_that_its_own_row_accepts(void **state)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);
    struct room *r = room_on(*state);
    assert_true(count > 15);
    for (size_t i = 0; i < count; i++) {
        assert_true(config_set(&r->config, slice_str(keys[i].key), slice_str(keys[i].default_value),
                               (struct place){ 0 }, &r->findings));
        assert_true(strlen(keys[i].description) > 5 && !strchr(keys[i].description, '\n'));
    }
    assert_null(r->findings.first);
}

static void port_ranges_are_strict(void **state)
{
    static const char *const bad[] = { "", "-", "1023", "1024-", "-2000", "2000-1999", "65536", "1024-65535", "a-b" };
    uint16_t first = 0, last = 0;
    (void)state;
    assert_true(config_ports(SLICE("61000-61255"), &first, &last));
    assert_int_equal(first, 61000);
    assert_int_equal(last, 61255);
    assert_true(config_ports(SLICE("65535"), &first, &last));
    assert_int_equal(first, 65535);
    assert_int_equal(last, 65535);
    assert_true(config_ports(SLICE("2000 - 10191"), &first, &last));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (config_ports(slice_str(bad[i]), &first, &last))
            fail_msg("taken: %s", bad[i]);
}

static void a_file_is_read_with_comments_and_blanks(void **state)
{
    struct room *r = room_on(*state);
    assert_true(config_parse(&r->config,
                             SLICE("\xef\xbb\xbf# comment\r\n\r\n  root =  /srv/phones  \r\ntftp.port=0\n"
                                   "\thttp.enable = 0\nlisten = 127.0.0.1, [::1]\nworkers = 3"),
                             SLICE("d.conf"), &r->findings));
    assert_slice(r->config.root, "/srv/phones");
    assert_slice(r->config.listen, "127.0.0.1, [::1]");
    assert_true(r->config.tftp_port_set);
    assert_int_equal(r->config.tftp_port, 0);
    assert_false(r->config.http_port_set);
    assert_false(r->config.http_enable);
    assert_int_equal(r->config.workers, 3);
}

static void a_bad_value_is_said_with_its_place_and_its_bounds(void **state)
{
    struct room *r = room_on(*state);
    assert_false(
        config_parse(&r->config,
                     SLICE("root = /a\ntftp.port = 65536\nno equals\n  nothing.here = 1\n"
                           "journal = maybe\nlisten = localhost\nroot =\nworkers = -1\ntftp.port = 0x10\n"
                           "root.follow_symlinks = yes\nlisten = 1.2.3.4,\nhttp.port = 8081"),
                     SLICE("d.conf"), &r->findings));
    static const char *const expected[] = {
        "d.conf:2:13: error: tftp.port: '65536' is not a number within the bounds: 0 to 65535",
        "d.conf:3:1: error: no '=' in this line",
        "d.conf:4:3: error: 'nothing.here' is not a key of this configuration",
        "d.conf:5:11: error: journal: 'maybe' is not one of the words: off lines rows both",
        "d.conf:6:10: error: listen: 'localhost' is not a list of addresses: at most 1024 bytes",
        "d.conf:7:1: error: root: '' is blank: at most 4095 bytes",
        "d.conf:8:11: error: workers: '-1' is not a number within the bounds: 0 to 64",
        "d.conf:9:13: error: tftp.port: '0x10' is not a number within the bounds: 0 to 65535",
        "d.conf:10:24: error: root.follow_symlinks: 'yes' is not a number within the bounds: 0 to 1",
        "d.conf:11:10: error: listen: '1.2.3.4,' is not a list of addresses: at most 1024 bytes",
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_finding(r, i, expected[i]);
    assert_int_equal(r->findings.count[SEVERITY_ERROR], sizeof expected / sizeof *expected);
    /* What was good is taken all the same. */
    assert_int_equal(r->config.http_port, 8081);
    assert_slice(r->config.root, "/a");
}

static void what_is_printed_reads_back_to_the_same(void **state)
{
    char first[8192], second[8192];
    struct room *r = room_on(*state), *again = room_on(*state);
    struct buf one = BUF_ON(first), two = BUF_ON(second);
    assert_true(config_parse(&r->config,
                             SLICE("root = /srv/a b = c\nhttp.port = 0\nlisten = ::1\nrun.user = nobody\n"
                                   "journal = off\ntftp.rate = 7\n"),
                             SLICE("d.conf"), &r->findings));
    assert_true(config_print(&r->config, &one));
    assert_true(config_parse(&again->config, buf_slice(&one), SLICE("printed"), &again->findings));
    assert_null(again->findings.first);
    assert_true(config_print(&again->config, &two));
    assert_true(slice_eq(buf_slice(&one), buf_slice(&two)));
    assert_slice(again->config.root, "/srv/a b = c");
    assert_true(again->config.http_port_set);
    assert_false(again->config.tftp_port_set);
    assert_false(config_print(&r->config, &(struct buf){ first, 0, 100, false }));
}

static void count_restart(void *context, const struct config_key *key)
{
    struct buf *out = context;
    buf_str(out, key->key);
    buf_byte(out, ' ');
}

static void reloading_takes_limits_and_names_what_needs_a_restart(void **state)
{
    char bytes[256];
    struct buf restart = BUF_ON(bytes);
    struct room *r = room_on(*state), *fresh = room_on(*state);
    assert_true(config_parse(&fresh->config,
                             SLICE("root = /other\ntftp.port = 7000\nhttp.idle_s = 9\nrun.confine = 0\n"),
                             SLICE("d.conf"), &fresh->findings));
    config_apply_live(&r->config, &fresh->config, count_restart, &restart);
    assert_slice(buf_slice(&restart), "root tftp.port run.confine ");
    assert_int_equal(r->config.http_idle_s, 9);
    assert_slice(r->config.root, "/srv/dialtone");
    assert_false(r->config.tftp_port_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(every_default_is_a_value_that_its_own_row_accepts),
        cmocka_unit_test(port_ranges_are_strict),
        test_with_arena(a_file_is_read_with_comments_and_blanks),
        test_with_arena(a_bad_value_is_said_with_its_place_and_its_bounds),
        test_with_arena(what_is_printed_reads_back_to_the_same),
        test_with_arena(reloading_takes_limits_and_names_what_needs_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
