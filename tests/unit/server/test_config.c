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
        struct slice key = slice_str(keys[i].key);
        char bytes[64];
        struct buf rule = BUF_ON(bytes);
        if (keys[i].times == CONFIG_PER_RULE)
            buf_format(&rule, "access.64.%s", keys[i].key + strlen("access.N."));
        if (keys[i].times == CONFIG_PER_PNP)
            buf_format(&rule, "pnp.64.%s", keys[i].key + strlen("pnp.N."));
        if (keys[i].times == CONFIG_PER_REDIRECT)
            buf_format(&rule, "redirect.64.%s", keys[i].key + strlen("redirect.N."));
        if (keys[i].default_value)
            assert_true(config_set(&r->config, rule.len ? buf_slice(&rule) : key, slice_str(keys[i].default_value),
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

#define HASH                                                                                                   \
    "scrypt$4096$8$1$00112233445566778899aabbccddeeff$"                                                        \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff;md5$00112233445566778899aabbccddeeff"

static void rules_and_users_are_printed_as_they_are_read(void **state)
{
    char first[16384], second[16384];
    struct room *r = room_on(*state), *again = room_on(*state);
    struct buf one = BUF_ON(first), two = BUF_ON(second);
    assert_true(config_parse(&r->config,
                             SLICE("access.2.prefix = /T23G_1/\naccess.2.users = alice, bob\naccess.2.read=0\n"
                                   "access.64.prefix = /\naccess.64.anonymous = 1\n"
                                   "access.64.networks = 10.0.0.0/8, 2001:db8::/32\naccess.64.protocols = tftp,ftp\n"
                                   "access.2.write = uploads\nuser.bob = " HASH "\nuser.alice = " HASH
                                   "\nuser.bob = " HASH ";sha256$00112233445566778899aabbccddeeff"
                                   "00112233445566778899aabbccddeeff\n"),
                             SLICE("d.conf"), &r->findings));
    assert_true(config_check(&r->config, &r->findings));
    assert_null(r->findings.first);
    assert_int_equal(r->config.user_count, 2);
    assert_true(config_print(&r->config, &one));
    assert_true(config_parse(&again->config, buf_slice(&one), SLICE("printed"), &again->findings));
    assert_null(again->findings.first);
    assert_true(config_print(&again->config, &two));
    assert_true(slice_eq(buf_slice(&one), buf_slice(&two)));
    assert_slice(again->config.access[63].networks, "10.0.0.0/8, 2001:db8::/32");
    assert_false(again->config.access[1].read);
    assert_slice(again->config.users->name, "bob");
    assert_true(slice_ends(again->config.users->hash, SLICE("eeff")));
    assert_int_equal(again->config.users->hash.len, strlen(HASH) + 72);
}

static void r27_a_bad_hash_is_not_repeated_and_bad_rules_are_said(void **state)
{
    struct room *r = room_on(*state);
    assert_false(config_parse(&r->config,
                              SLICE("user.alice = hunter2\nuser.a:b = x\naccess.0.prefix = /\naccess.65.prefix = /\n"
                                    "access.1.prefix = a/\naccess.1.prefix = /a/../b\naccess.1.prefix = /a//b\n"
                                    "access.1.networks = 10.0.0.0/33\naccess.1.networks = lan\n"
                                    "access.1.users = a,,b\naccess.1.protocols = tftp, gopher\n"
                                    "access.1.write = all\naccess.1.nothing = 1\naccess.01x.read = 1\n"),
                              SLICE("d.conf"), &r->findings));
    assert_finding(r, 0, "d.conf:1:14: error: user.alice: the value is not what `dialtone passwd` prints");
    assert_finding(r, 1, "d.conf:2:1: error: 'user.a:b' is not a key of this configuration");
    assert_finding(r, 5, "d.conf:6:19: error: access.1.prefix: '/a/../b' is not a path that begins with / and names "
                         "no . or ..: at most 1024 bytes");
    assert_finding(r, 7, "d.conf:8:21: error: access.1.networks: '10.0.0.0/33' is not a list of networks: at most "
                         "4096 bytes");
    assert_finding(r, 10, "d.conf:11:22: error: access.1.protocols: 'tftp, gopher' is not a list of these words: "
                          "tftp http https ftp");
    assert_int_equal(r->findings.count[SEVERITY_ERROR], 14);
}

static void what_only_the_whole_tells_is_checked(void **state)
{
    struct room *r = room_on(*state);
    assert_true(config_parse(&r->config,
                             SLICE("access.1.read = 1\naccess.2.prefix = /a\naccess.3.prefix = /a/\n"
                                   "access.4.prefix = /b\naccess.4.users = alice, nobody\nuser.alice = " HASH "\n"),
                             SLICE("d.conf"), &r->findings));
    assert_false(config_check(&r->config, &r->findings));
    assert_finding(r, 0, "configuration: error: access.1 has no access.1.prefix");
    assert_finding(r, 1, "configuration: error: access.2 and access.3 have one prefix");
    assert_finding(r, 2, "configuration: error: access.4.users: there is no user.nobody");
    assert_int_equal(r->findings.count[SEVERITY_ERROR], 3);
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

static bool set(struct room *r, const char *key, const char *value)
{
    return config_set(&r->config, slice_str(key), slice_str(value), (struct place){ 0 }, &r->findings);
}

/* security.md R17. */
static void a_password_in_a_pnp_url_is_refused_unless_it_is_https(void **state)
{
    struct room *r = room_on(*state);
    assert_false(set(r, "pnp.url", "http://user:secret@10.2.1.199/"));
    assert_false(set(r, "pnp.1.url", "ftp://user@10.2.1.199/"));
    assert_finding(r, 0, ": error: pnp.url: the value holds a user name or password: everybody on the network would read"
                         " it, and again when it is used; only an https URL may");
    assert_true(set(r, "pnp.url", "https://user:secret@10.2.1.199/"));
    assert_true(config_check(&r->config, &r->findings));
    assert_finding(r, 2, "configuration: warning: pnp.url holds a user name: everybody on the network can read it; it is"
                         " safe only where the server asks for a device certificate too");
}

static void a_pnp_url_is_one_that_phones_can_fetch_from(void **state)
{
    struct room *r = room_on(*state);
    assert_true(set(r, "pnp.url", "HTTP://10.2.1.199/$PN/$MAC.boot"));
    assert_true(set(r, "pnp.url", ""));
    assert_false(set(r, "pnp.url", "10.2.1.199"));
    assert_false(set(r, "pnp.url", "gopher://10.2.1.199/"));
    assert_false(set(r, "pnp.url", "http://"));
    assert_false(set(r, "pnp.url", "http://h/\x01"));
}

static void pnp_rules_say_whom_they_are_for(void **state)
{
    struct room *r = room_on(*state);
    assert_true(set(r, "pnp.2.url", "https://10.2.1.199/snom/"));
    assert_false(config_check(&r->config, &r->findings));
    assert_finding(r, 0, "configuration: error: pnp.2 says of no phone that it is for it: pnp.2.vendor = * is for all");
    assert_true(set(r, "pnp.2.mac", "00:04:13, 000413-25, 0004.1325.90fe"));
    assert_true(config_check(&r->config, &r->findings));
    static const char *const bad[] = { "00041325900fe0", "00:04:1x", ":00", "00:", "00::04", ",", "00," };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(set(r, "pnp.2.mac", bad[i]));
    assert_false(set(r, "pnp.65.url", ""));
    assert_false(set(r, "pnp.0.url", ""));
    assert_false(set(r, "pnp.1.port", "1"));
}

static void pnp_needs_something_to_say(void **state)
{
    struct room *r = room_on(*state);
    assert_true(config_check(&r->config, &r->findings));
    assert_true(set(r, "pnp.enable", "1"));
    assert_false(config_check(&r->config, &r->findings));
    assert_finding(r, 0, "configuration: error: pnp.enable is 1, but neither pnp.url nor a rule pnp.N.url says where to");
    assert_true(set(r, "pnp.3.url", "tftp://10.2.1.199/") && set(r, "pnp.3.vendor", "*"));
    assert_true(config_check(&r->config, &r->findings));
}

static void pnp_rules_are_printed_as_they_are_read(void **state)
{
    struct room *r = room_on(*state), *again = room_on(*state);
    static char bytes[64 * 1024];
    struct buf out = BUF_ON(bytes);
    assert_true(set(r, "pnp.7.vendor", "snom") && set(r, "pnp.7.url", "https://h/{mac}.xml"));
    assert_true(config_print(&r->config, &out));
    assert_true(config_parse(&again->config, buf_slice(&out), SLICE("f"), &again->findings));
    assert_slice(again->config.pnp[6].vendors, "snom");
    assert_slice(again->config.pnp[6].url, "https://h/{mac}.xml");
    assert_true(again->config.pnp[6].used && !again->config.pnp[5].used);
}

static void told(void *context, const struct config_key *key)
{
    *(const char **)context = key->key;
}

static void a_changed_pnp_rule_wants_a_restart(void **state)
{
    struct room *r = room_on(*state), *fresh = room_on(*state);
    const char *restart = NULL;
    assert_true(set(fresh, "pnp.rate", "7"));
    config_apply_live(&r->config, &fresh->config, told, &restart);
    assert_null(restart);
    assert_int_equal(r->config.pnp_rate, 7);
    assert_true(set(fresh, "pnp.1.url", "http://h/"));
    config_apply_live(&r->config, &fresh->config, told, &restart);
    assert_string_equal(restart, "pnp.N.url");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(every_default_is_a_value_that_its_own_row_accepts),
        cmocka_unit_test(port_ranges_are_strict),
        test_with_arena(a_file_is_read_with_comments_and_blanks),
        test_with_arena(a_bad_value_is_said_with_its_place_and_its_bounds),
        test_with_arena(what_is_printed_reads_back_to_the_same),
        test_with_arena(rules_and_users_are_printed_as_they_are_read),
        test_with_arena(r27_a_bad_hash_is_not_repeated_and_bad_rules_are_said),
        test_with_arena(what_only_the_whole_tells_is_checked),
        test_with_arena(reloading_takes_limits_and_names_what_needs_a_restart),
        test_with_arena(a_password_in_a_pnp_url_is_refused_unless_it_is_https),
        test_with_arena(a_pnp_url_is_one_that_phones_can_fetch_from),
        test_with_arena(pnp_rules_say_whom_they_are_for),
        test_with_arena(pnp_needs_something_to_say),
        test_with_arena(pnp_rules_are_printed_as_they_are_read),
        test_with_arena(a_changed_pnp_rule_wants_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
