#include "proto/ftp.h"

#include "tests/unit/test.h"

#include <stdio.h>

static void feed(struct ftp_reader *r, const char *bytes, size_t len)
{
    size_t room;
    char *into = ftp_reader_room(r, &room);
    assert_true(len <= room);
    memcpy(into, bytes, len);
    ftp_reader_add(r, len);
}
#define FEED(r, literal) feed((r), (literal), sizeof(literal) - 1)

static void assert_line(struct ftp_reader *r, const char *expected)
{
    struct slice line;
    assert_int_equal(ftp_reader_look(r, &line), FTP_LINE_WHOLE);
    assert_slice(line, expected);
    ftp_reader_take(r);
}

static void assert_no_line(struct ftp_reader *r)
{
    struct slice line;
    assert_int_equal(ftp_reader_look(r, &line), FTP_LINE_MORE);
}

static void lines_end_with_crlf_or_lf_and_come_in_pieces(void **state)
{
    struct ftp_reader r = { 0 };
    (void)state;
    FEED(&r, "USER ftp\r\nPASS \nNO");
    assert_line(&r, "USER ftp");
    assert_line(&r, "PASS ");
    assert_no_line(&r);
    FEED(&r, "OP\r");
    assert_no_line(&r);
    FEED(&r, "\n\r\n");
    assert_line(&r, "NOOP");
    assert_line(&r, "");
    assert_no_line(&r);
}

static void looking_at_a_line_takes_nothing(void **state)
{
    struct ftp_reader r = { 0 };
    struct slice line;
    (void)state;
    FEED(&r, "RETR a\r\nABOR\r\n");
    assert_int_equal(ftp_reader_look(&r, &line), FTP_LINE_WHOLE);
    assert_line(&r, "RETR a");
    assert_line(&r, "ABOR");
}

static void telnet_commands_are_taken_out_wherever_they_are_cut(void **state)
{
    static const char bytes[] = "\xff\xf4\xff\xf2"
                                "ABOR\r\nRE\xff\xfb\x01TR \xff\xff.cfg\r\n\xff"
                                "QUIT\r\n";
    (void)state;
    for (size_t step = 1; step < sizeof bytes; step++) {
        struct ftp_reader r = { 0 };
        for (size_t at = 0; at < sizeof bytes - 1; at += step)
            feed(&r, bytes + at, at + step > sizeof bytes - 1 ? sizeof bytes - 1 - at : step);
        assert_line(&r, "ABOR");
        assert_line(&r, "RETR \xff.cfg");
        /* The kernel of a client that sends the synch out of band may keep its second byte. */
        assert_line(&r, "QUIT");
        assert_no_line(&r);
    }
}

static void a_line_that_is_too_long_is_one_fault_and_what_follows_is_read(void **state)
{
    struct ftp_reader r = { 0 };
    struct slice line;
    char many[FTP_LINE_BYTES_MAX];
    (void)state;
    memset(many, 'x', sizeof many);
    for (int i = 0; i < 5; i++) {
        feed(&r, many, sizeof many);
        assert_no_line(&r);
    }
    FEED(&r, "xx\r\nNOOP\r\n");
    assert_int_equal(ftp_reader_look(&r, &line), FTP_LINE_LONG);
    ftp_reader_take(&r);
    assert_line(&r, "NOOP");
    /* Full, but with a line: nothing is lost, there is only no room. */
    r = (struct ftp_reader){ 0 };
    memset(many, '\n', sizeof many);
    feed(&r, many, sizeof many);
    size_t room;
    ftp_reader_room(&r, &room);
    assert_int_equal(room, 0);
    assert_line(&r, "");
}

static void verbs_are_found_without_case_and_under_their_old_names(void **state)
{
    static const struct {
        const char *line;
        enum ftp_fault fault;
        enum ftp_verb verb;
        const char *argument;
    } cases[] = {
        { "RETR sip.cfg", FTP_FINE, FTP_RETR, "sip.cfg" },
        { "retr  two blanks ", FTP_FINE, FTP_RETR, " two blanks " },
        { "PASS", FTP_FINE, FTP_PASS, "" },
        { "PASS ", FTP_FINE, FTP_PASS, "" },
        { "XpWd", FTP_FINE, FTP_PWD, "" },
        { "XCUP", FTP_FINE, FTP_CDUP, "" },
        { "CWD", FTP_FINE, FTP_CWD, "" },
        { "PWD ", FTP_FINE, FTP_PWD, "" },
        { "RETR", FTP_ARGUMENT_MISSING, FTP_RETR, "" },
        { "QUIT now", FTP_ARGUMENT_EXTRA, FTP_QUIT, "now" },
        { "RETR a\tb", FTP_BAD_BYTES, FTP_RETR, "a\tb" },
        { "RETR a\rb", FTP_BAD_BYTES, FTP_RETR, "a\rb" },
        { "", FTP_EMPTY, 0, NULL },
        { "  ", FTP_EMPTY, 0, NULL },
        { " RETR x", FTP_UNKNOWN, 0, NULL },
        { "GET / HTTP/1.1", FTP_UNKNOWN, 0, NULL },
        { "RETRY x", FTP_UNKNOWN, 0, NULL },
        { "RE", FTP_UNKNOWN, 0, NULL },
        { "RETR\tx", FTP_UNKNOWN, 0, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ftp_command c = { 0 };
        if (ftp_parse(slice_str(cases[i].line), &c) != cases[i].fault)
            fail_msg("%s", cases[i].line);
        if (!cases[i].argument)
            continue;
        assert_int_equal(c.verb, cases[i].verb);
        assert_slice(c.argument, cases[i].argument);
    }
}

static void every_verb_has_a_name_of_its_own_that_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < FTP_VERBS; i++) {
        char line[16];
        struct ftp_command c = { 0 };
        snprintf(line, sizeof line, "%s x", ftp_verb_name((enum ftp_verb)i));
        enum ftp_fault fault = ftp_parse(slice_str(line), &c);
        assert_true(fault == FTP_FINE || fault == FTP_ARGUMENT_EXTRA);
        assert_int_equal(c.verb, i);
    }
}

static void r7_port_takes_six_strict_bytes(void **state)
{
    static const char *const bad[] = { "",
                                       "1,2,3,4,5",
                                       "1,2,3,4,5,6,7",
                                       "1,2,3,4,5,6,",
                                       ",1,2,3,4,5,6",
                                       "1,2,3,4,5,256",
                                       "256,2,3,4,5,6",
                                       "1,2,3,4,99999,1",
                                       "1,2,3,4,-5,6",
                                       "1,2,3,4,+5,6",
                                       "1,2,3,4, 5,6",
                                       "1,2,3,4,5,6 ",
                                       "1,2,,4,5,6",
                                       "0x1,2,3,4,5,6",
                                       "18446744073709551617,2,3,4,5,6" };
    uint8_t host[4];
    uint16_t port = 0;
    (void)state;
    assert_true(ftp_parse_port(SLICE("10,2,5,193,24,131"), host, &port));
    assert_int_equal(host[0], 10);
    assert_int_equal(host[3], 193);
    assert_int_equal(port, 24 * 256 + 131);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ftp_parse_port(slice_str(bad[i]), host, &port))
            fail_msg("taken: %s", bad[i]);
}

static void r7_eprt_takes_three_fields_between_one_delimiter(void **state)
{
    static const char *const bad[] = { "",
                                       "|",
                                       "||",
                                       "|||",
                                       "|1|h|0|",
                                       "|1|h|65536|",
                                       "|1||80|",
                                       "|0|h|80|",
                                       "|1|h|80",
                                       "1|h|80|",
                                       "|1|h|80|9|",
                                       "|1|h|80||",
                                       " 1 h 80 ",
                                       "|x|h|80|",
                                       "|1|h|-80|",
                                       "\xff"
                                       "1\xffh\xff"
                                       "80\xff" };
    struct ftp_endpoint e;
    (void)state;
    assert_true(ftp_parse_eprt(SLICE("|2|fe80::1|6275|"), &e));
    assert_int_equal(e.family, 2);
    assert_slice(e.host, "fe80::1");
    assert_int_equal(e.port, 6275);
    assert_true(ftp_parse_eprt(SLICE("!1!10.2.5.193!1024!"), &e));
    assert_slice(e.host, "10.2.5.193");
    assert_true(ftp_parse_eprt(SLICE("|3|x|1024|"), &e));
    assert_int_equal(e.family, 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ftp_parse_eprt(slice_str(bad[i]), &e))
            fail_msg("taken: %s", bad[i]);
}

static void the_other_parameters_are_strict_too(void **state)
{
    static const struct {
        const char *type;
        bool ok, known, binary;
    } types[] = {
        { "A", true, true, false },     { "a n", true, true, false },  { "A T", true, false, false },
        { "I", true, true, true },      { "L 8", true, true, true },   { "L 7", true, false, true },
        { "E", true, false, true },     { "L", false, false, false },  { "X", false, false, false },
        { "A X", false, false, false }, { "II", false, false, false }, { "I N", false, false, false }
    };
    struct ftp_epsv epsv;
    uint64_t offset;
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bool known = false, binary = false;
        if (ftp_parse_type(slice_str(types[i].type), &known, &binary) != types[i].ok ||
            known != types[i].known || (types[i].ok && binary != types[i].binary))
            fail_msg("TYPE %s", types[i].type);
    }
    assert_true(ftp_parse_epsv(SLICE(""), &epsv) && !epsv.all && epsv.family == 0);
    assert_true(ftp_parse_epsv(SLICE("all"), &epsv) && epsv.all);
    assert_true(ftp_parse_epsv(SLICE("2"), &epsv) && epsv.family == 2);
    assert_false(ftp_parse_epsv(SLICE("-1"), &epsv));
    assert_false(ftp_parse_epsv(SLICE("ALLES"), &epsv));
    assert_true(ftp_parse_rest(SLICE("9223372036854775807"), &offset));
    assert_false(ftp_parse_rest(SLICE("9223372036854775808"), &offset));
    assert_false(ftp_parse_rest(SLICE("-1"), &offset));
    assert_false(ftp_parse_rest(SLICE("1a"), &offset));
    assert_int_equal(ftp_parse_letter(SLICE("S")), 's');
    assert_int_equal(ftp_parse_letter(SLICE("SS")), 0);
    assert_int_equal(ftp_parse_letter(SLICE("1")), 0);
}

static void options_choose_facts(void **state)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    unsigned facts = 99;
    (void)state;
    assert_int_equal(ftp_parse_options(SLICE("UTF8 ON"), &facts), FTP_OPTION_UTF8_ON);
    assert_int_equal(ftp_parse_options(SLICE("utf-8"), &facts), FTP_OPTION_UTF8_ON);
    assert_int_equal(ftp_parse_options(SLICE("UTF8 OFF"), &facts), FTP_OPTION_UNKNOWN);
    assert_int_equal(ftp_parse_options(SLICE("HASH SHA-1"), &facts), FTP_OPTION_UNKNOWN);
    assert_int_equal(ftp_parse_options(SLICE("MLST Size;unix.mode;type;"), &facts), FTP_OPTION_FACTS);
    ftp_put_facts(&out, facts);
    assert_slice(buf_slice(&out), "type;size;");
    assert_int_equal(ftp_parse_options(SLICE("MLST"), &facts), FTP_OPTION_FACTS);
    assert_int_equal(facts, 0);
}

static void r1_paths_have_no_dots_and_none_leads_out(void **state)
{
    static const struct {
        const char *directory, *argument, *path;
    } cases[] = {
        { "/", "sip.cfg", "/sip.cfg" },
        { "/", "/", "/" },
        { "/", "", "/" },
        { "/desk", "", "/desk" },
        { "/desk", "sip.cfg", "/desk/sip.cfg" },
        { "/desk", "/sip.cfg", "/sip.cfg" },
        { "/desk", "..", "/" },
        { "/a/b", "../c/./d//e/", "/a/c/d/e" },
        { "/", "a/../b", "/b" },
        { "/", "...", "/..." },
        { "/", "..a", "/..a" },
        { "/", "..", NULL },
        { "/desk", "../..", NULL },
        { "/", "/../etc/passwd", NULL },
        { "/", "a/../../etc", NULL },
        { "/", "a\nb", NULL },
    };
    char bytes[2 * FTP_PATH_BYTES_MAX], deep[FTP_PATH_BYTES_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_ON(bytes);
        bool ok = ftp_path_resolve(slice_str(cases[i].directory), slice_str(cases[i].argument), &out);
        if (ok != (cases[i].path != NULL))
            fail_msg("%s in %s", cases[i].argument, cases[i].directory);
        if (ok)
            assert_slice(buf_slice(&out), cases[i].path);
    }
    memset(deep, 'd', sizeof deep);
    struct buf out = BUF_ON(bytes);
    assert_false(ftp_path_resolve(SLICE("/"), slice_of(deep, sizeof deep), &out));
    out = BUF_ON(bytes);
    assert_false(ftp_path_resolve(SLICE("/"), slice_of(deep, FTP_PATH_BYTES_MAX), &out));
    out = BUF_ON(bytes);
    assert_true(ftp_path_resolve(SLICE("/"), slice_of(deep, FTP_PATH_BYTES_MAX - 1), &out));
}

static void list_options_are_stepped_over(void **state)
{
    (void)state;
    assert_slice(ftp_list_argument(SLICE("-la")), "");
    assert_slice(ftp_list_argument(SLICE(" -a -l  my dir ")), "my dir");
    assert_slice(ftp_list_argument(SLICE("a-b")), "a-b");
}

static void r9_patterns_match_in_steps_that_are_bounded(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = { { "*", "", true },
                  { "*.cfg", "a.cfg", true },
                  { "*.cfg", "a.cfgx", false },
                  { "?", "", false },
                  { "a?c", "abc", true },
                  { "a*b*c", "axxbyyc", true },
                  { "a*b*c", "axxcyyb", false },
                  { "**", "x", true },
                  { "abc", "ab", false },
                  { "*a", "aaab", false },
                  { "*aab", "aaab", true },
                  { "", "", true } };
    char pattern[64], name[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ftp_pattern_matches(slice_str(cases[i].pattern), slice_str(cases[i].name)) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].name);
    /* What takes a matcher that tries every way (CVE-2011-0762) longer than there is time. */
    for (size_t i = 0; i < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 2);
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 'b';
    assert_false(ftp_pattern_matches(slice_of(pattern, sizeof pattern), slice_of(name, sizeof name)));
    assert_true(ftp_is_pattern(SLICE("/a/*.cfg")));
    assert_false(ftp_is_pattern(SLICE("/a*/b")));
}

static void replies_are_as_the_rfcs_write_them(void **state)
{
    static const uint8_t host[4] = { 10, 2, 5, 193 };
    char bytes[2 * FTP_REPLY_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    (void)state;
    ftp_put_reply(&out, 226, "Done.");
    ftp_put_path(&out, 257, SLICE("/a \"b\""), "here");
    ftp_put_passive(&out, host, 6275);
    ftp_put_extended_passive(&out, 6275);
    assert_slice(buf_slice(&out), "226 Done.\r\n"
                                  "257 \"/a \"\"b\"\"\" here\r\n"
                                  "227 Entering Passive Mode (10,2,5,193,24,131).\r\n"
                                  "229 Entering Extended Passive Mode (|||6275|)\r\n");
    out = BUF_ON(bytes);
    ftp_put_features(&out, FTP_FACT_SIZE, false);
    assert_true(slice_find_text(buf_slice(&out), SLICE("\r\n MLST type;size*;modify;perm;\r\n")) < out.len);
    assert_true(slice_ends(buf_slice(&out), SLICE("\r\n211 End\r\n")));
    assert_false(slice_find_text(buf_slice(&out), SLICE("AUTH")) < out.len);
    out = BUF_ON(bytes);
    ftp_put_features(&out, FTP_FACTS_ALL, true);
    assert_true(slice_find_text(buf_slice(&out), SLICE("\r\n AUTH TLS\r\n")) < out.len);
    assert_true(slice_find_text(buf_slice(&out), SLICE("\r\n PBSZ\r\n PROT\r\n")) < out.len);
    assert_true(out.len <= FTP_REPLY_BYTES_MAX);
    out = BUF_ON(bytes);
    ftp_put_help(&out);
    assert_true(slice_find_text(buf_slice(&out), SLICE("RETR")) < out.len);
    assert_false(slice_find_text(buf_slice(&out), SLICE("SMNT")) < out.len);
    assert_true(out.len <= FTP_REPLY_BYTES_MAX);
    char quotes[FTP_PATH_BYTES_MAX];
    memset(quotes, '"', sizeof quotes);
    out = BUF_ON(bytes);
    ftp_put_path(&out, 250, slice_of(quotes, sizeof quotes), "is where you are now.");
    assert_true(out.len <= FTP_REPLY_BYTES_MAX);
}

static void listings_are_as_ls_and_rfc_3659_write_them(void **state)
{
    static const int64_t now_s = 1795336616; /* 2026-11-22 08:36:56 */
    struct ftp_entry file = { SLICE("sip.cfg"), false, 579, 1795336616, false, false };
    struct ftp_entry directory = { SLICE("desk"), true, 4096, 784111777, false, false };
    char bytes[1024];
    struct buf out = BUF_ON(bytes);
    (void)state;
    ftp_put_long_line(&out, &file, now_s);
    buf_str(&out, "\n");
    ftp_put_long_line(&out, &directory, now_s);
    buf_str(&out, "\n");
    ftp_put_facts_line(&out, &file, FTP_FACTS_ALL);
    buf_str(&out, "\n");
    ftp_put_facts_line(&out, &directory, FTP_FACTS_ALL);
    buf_str(&out, "\n");
    ftp_put_facts_line(&out, &file, 0);
    assert_slice(buf_slice(&out), "-r--r--r--   1 ftp      ftp               579 Nov 22 08:36 sip.cfg\n"
                                  "dr-xr-xr-x   1 ftp      ftp              4096 Nov  6  1994 desk\n"
                                  "type=file;size=579;modify=20261122083656;perm=r; sip.cfg\n"
                                  "type=dir;modify=19941106084937;perm=el; desk\n"
                                  " sip.cfg");
    directory.takes_new = true;
    out = BUF_ON(bytes);
    ftp_put_facts_line(&out, &directory, FTP_FACT_PERM);
    ftp_put_long_line(&out, &directory, now_s);
    directory.changes = file.changes = true;
    ftp_put_facts_line(&out, &directory, FTP_FACT_PERM);
    ftp_put_facts_line(&out, &file, FTP_FACT_PERM);
    ftp_put_long_line(&out, &file, now_s);
    assert_slice(buf_slice(&out),
                 "perm=celm; deskdrwxr-xr-x   1 ftp      ftp              4096 Nov  6  1994 desk"
                 "perm=cdeflmp; deskperm=adfrw; sip.cfg-rw-r--r--   1 ftp      ftp               579 Nov 22 08:36 sip.cfg");
    struct ftp_entry worst = { SLICE(""), false, UINT64_MAX, INT64_MAX, false, false };
    out = BUF_ON(bytes);
    ftp_put_long_line(&out, &worst, now_s);
    assert_true(out.len + 2 <= FTP_LISTING_LINE_BYTES);
    out = BUF_ON(bytes);
    ftp_put_facts_line(&out, &worst, FTP_FACTS_ALL);
    assert_true(out.len + 2 <= FTP_LISTING_LINE_BYTES);
    out = BUF_ON(bytes);
    ftp_put_time(&out, -5);
    assert_slice(buf_slice(&out), "19700101000000");
    out = BUF_ON(bytes);
    ftp_put_time(&out, 1709208000); /* a leap day */
    assert_slice(buf_slice(&out), "20240229120000");
}

static void ascii_gives_every_line_crlf_wherever_a_block_ends(void **state)
{
    static const char text[] = "one\ntwo\r\n\n\rthree\r";
    (void)state;
    for (size_t cap = 2; cap < 40; cap++) {
        struct ftp_ascii encoder = { 0 };
        char all[64], block[40];
        struct buf out = BUF_ON(all);
        for (size_t at = 0; at < sizeof text - 1;) {
            struct buf b = buf_on(block, cap);
            size_t used = ftp_ascii_encode(&encoder, slice_from(slice_of(text, sizeof text - 1), at), &b);
            assert_true(used > 0 && buf_ok(&b));
            at += used;
            buf_text(&out, buf_slice(&b));
        }
        assert_slice(buf_slice(&out), "one\r\ntwo\r\n\r\n\rthree\r");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_crlf_or_lf_and_come_in_pieces),
        cmocka_unit_test(looking_at_a_line_takes_nothing),
        cmocka_unit_test(telnet_commands_are_taken_out_wherever_they_are_cut),
        cmocka_unit_test(a_line_that_is_too_long_is_one_fault_and_what_follows_is_read),
        cmocka_unit_test(verbs_are_found_without_case_and_under_their_old_names),
        cmocka_unit_test(every_verb_has_a_name_of_its_own_that_is_found),
        cmocka_unit_test(r7_port_takes_six_strict_bytes),
        cmocka_unit_test(r7_eprt_takes_three_fields_between_one_delimiter),
        cmocka_unit_test(the_other_parameters_are_strict_too),
        cmocka_unit_test(options_choose_facts),
        cmocka_unit_test(r1_paths_have_no_dots_and_none_leads_out),
        cmocka_unit_test(list_options_are_stepped_over),
        cmocka_unit_test(r9_patterns_match_in_steps_that_are_bounded),
        cmocka_unit_test(replies_are_as_the_rfcs_write_them),
        cmocka_unit_test(listings_are_as_ls_and_rfc_3659_write_them),
        cmocka_unit_test(ascii_gives_every_line_crlf_wherever_a_block_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
