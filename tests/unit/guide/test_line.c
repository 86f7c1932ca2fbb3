#include "guide_test.h"

#include "guide/line.h"

/* The content lines as `number:column:[models]content|`, and the findings, in one text. */
static struct slice read_all(struct arena *a, struct slice bytes)
{
    size_t cap = (size_t)256 << 10;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    struct diag findings;
    struct line_reader reader;
    struct line line;
    assert_non_null(out.ptr);
    diag_init(&findings, a);
    line_reader_init(&reader, bytes, SLICE("f"), &findings);
    while (line_next(&reader, &line)) {
        buf_format(&out, "%u:%u:", line.number, line.column);
        if (line.has_prefix)
            buf_format(&out, "[%.*s]", SLICE_ARG(line.models));
        buf_format(&out, "%.*s|\n", SLICE_ARG(line.content));
    }
    buf_text(&out, findings_text(&findings, a));
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}
#define READ(literal) read_all(*state, SLICE(literal))
#define HEADER "#!version:1.0.0.1\n"

static void a_clean_file_has_no_findings(void **state)
{
    assert_slice(READ(HEADER "## The header above must appear as-is in the first line\n\na = 1\n[T46S]b = 2\n"),
                 "4:1:a = 1|\n5:7:[T46S]b = 2|\n");
    assert_slice(READ(""), "");
    assert_slice(READ(HEADER), "");
}

static void a_byte_order_mark_is_told_and_does_not_hide_the_header(void **state)
{
    assert_slice(READ("\xef\xbb\xbf" HEADER "a=1\n"), "2:1:a=1|\nf:1:1: note: a byte order mark before the header\n");
    assert_slice(READ("\xef\xbb\xbf" "a=1\n" HEADER),
                 "1:1:a=1|\nf:1:1: note: a byte order mark before the header\n"
                 "f:2:1: warning: the header must stand in the first line\n");
}

static void line_ends_of_all_kinds_read_alike(void **state)
{
    assert_slice(READ("#!version:1.0.0.1\r\na=1\r\n\r\nb=2\r\n"), "2:1:a=1|\n4:1:b=2|\nf:1: note: lines end in CR LF\n");
    assert_slice(READ("#!version:1.0.0.1\na=1\r\nb=2\nc=3\r\n"),
                 "2:1:a=1|\n3:1:b=2|\n4:1:c=3|\nf:2: note: line ends are mixed, CR LF and LF\n");
    assert_slice(READ("#!version:1.0.0.1\r\na=1\nb=2\n"),
                 "2:1:a=1|\n3:1:b=2|\nf:1: note: lines end in CR LF\n"
                 "f:2: note: line ends are mixed, CR LF and LF\n");
    assert_slice(READ(HEADER "a=1"), "2:1:a=1|\nf:2: note: the last line has no line end\n");
    assert_slice(READ(HEADER "a=1\r"), "2:1:a=1|\nf:2: note: the last line has no line end\n");
    assert_slice(READ(HEADER "a=1\n   "), "2:1:a=1|\n");
}

static void lines_that_end_in_cr_alone_are_an_error(void **state)
{
    assert_slice(READ("#!version:1.0.0.1\ra = 1\r"),
                 "f:1: error: lines end in CR alone: phones see one single line\n"
                 "f:1: note: the last line has no line end\n"
                 "f:1:1: note: the header must appear as `#!version:1.0.0.1`\n");
}

static void the_header_may_be_missing_late_or_odd(void **state)
{
    assert_slice(READ("# mine\na=1\nb=2\n"),
                 "2:1:a=1|\n3:1:b=2|\nf:1: warning: no header: the first line must be `#!version:1.0.0.1`\n");
    assert_slice(READ("a=1\n" HEADER "b=2\n"),
                 "1:1:a=1|\n3:1:b=2|\nf:2:1: warning: the header must stand in the first line\n");
    assert_slice(READ("\n" HEADER "b=2\n"), "3:1:b=2|\nf:2:1: warning: the header must stand in the first line\n");
    assert_slice(READ(" " HEADER "b=2\n"), "2:1:b=2|\nf:1:2: note: blanks before the header\n");
    assert_slice(READ("#!/version:1.0.0.1\nb=2\n"),
                 "2:1:b=2|\nf:1:1: note: the header is written `#!version:1.0.0.1`, without a slash\n");
    assert_slice(READ("#!VERSION:1.0.0.1\nb=2\n"),
                 "2:1:b=2|\nf:1:1: note: the header must appear as `#!version:1.0.0.1`\n");
    assert_slice(READ("#!version:1.0.0.2\nb=2\n"),
                 "2:1:b=2|\nf:1:1: note: the header must appear as `#!version:1.0.0.1`\n");
}

static void a_late_header_with_a_slash_is_told_to_be_late(void **state)
{
    assert_slice(READ("# mine\n#!/version:1.0.0.1\nb=2\n"),
                 "3:1:b=2|\nf:2:1: note: the header is written `#!version:1.0.0.1`, without a slash\n"
                 "f:2:1: warning: the header must stand in the first line\n");
}

static void blanks_and_tabs_stand_anywhere(void **state)
{
    assert_slice(READ(HEADER "a=1\na= 1\na =1\na = 1\n"), "2:1:a=1|\n3:1:a= 1|\n4:1:a =1|\n5:1:a = 1|\n");
    assert_slice(READ(HEADER "\ta\t=\t1\n  b = 2\n"), "2:2:a\t=\t1|\n3:3:b = 2|\nf:2:2: note: the line is indented\n");
    assert_slice(READ(HEADER "a = 1 \t\nb = 2  \n"), "2:1:a = 1|\n3:1:b = 2|\nf:2:6: note: blanks at the end of the line\n");
    assert_slice(READ(HEADER "  # indented comment\n\t## and another\n \t \n"), "");
}

static void bytes_that_are_not_utf8_are_told_once_at_their_place(void **state)
{
    /* `# ` and two GBK characters; then a key with a Latin-1 value. */
    assert_slice(READ(HEADER "# \xd6\xd0\xce\xc4\na = M\xfcller\n"),
                 "3:1:a = M\xfcller|\nf:2:3: note: bytes that are not UTF-8\n");
    assert_slice(READ(HEADER "a = M\xc3\xbcller\n"), "2:1:a = M\xc3\xbcller|\n");
}

static void the_end_mark_of_old_editors_is_no_line(void **state)
{
    assert_slice(READ(HEADER "a = 1\n\x1a"), "2:1:a = 1|\n");
}

static void prefixes_are_taken_off_with_their_spaces(void **state)
{
    assert_slice(READ(HEADER "[T46S, T23G]  a = 1\n [ T46S ,T48S ] b = 2\n[T46S]c = [x]\n"),
                 "2:15:[T46S, T23G]a = 1|\n3:17:[T46S ,T48S]b = 2|\n4:7:[T46S]c = [x]|\n"
                 "f:3:2: note: the line is indented\n");
}

static void a_misspelt_model_is_told_where_it_stands(void **state)
{
    assert_slice(READ(HEADER "[T46X]a = 1\n"),
                 "2:7:[T46X]a = 1|\nf:2:2: warning: T46X is no phone model that a [MODEL] prefix can name\n");
    assert_slice(READ(HEADER "  [T46S, T48X] a = 1\n"),
                 "2:16:[T46S, T48X]a = 1|\nf:2:3: note: the line is indented\n"
                 "f:2:10: warning: T48X is no phone model that a [MODEL] prefix can name\n");
    assert_slice(READ(HEADER "[SIP-T46S,t48s,W60P]a = 1\n"),
                 "2:21:[SIP-T46S,t48s,W60P]a = 1|\n"
                 "f:2:2: warning: a [MODEL] prefix names this phone T46S, not SIP-T46S\n"
                 "f:2:11: warning: a [MODEL] prefix names this phone T48S, not t48s\n"
                 "f:2:16: warning: no [MODEL] prefix can name a W60P\n");
}

static void prefixes_without_a_name_or_a_line_are_told(void **state)
{
    assert_slice(READ(HEADER "[]a = 1\n[ ] b = 2\n"),
                 "2:3:[]a = 1|\n3:5:[]b = 2|\nf:2:2: warning: an empty [MODEL] prefix\n"
                 "f:3:3: warning: an empty [MODEL] prefix\n");
    assert_slice(READ(HEADER "[T46S,,T48S]a = 1\n"),
                 "2:13:[T46S,,T48S]a = 1|\nf:2:7: warning: an empty name in a [MODEL] prefix\n");
    assert_slice(READ(HEADER "[T46S]\na = 1\n"),
                 "3:1:a = 1|\nf:2:1: error: a [MODEL] prefix must stand on the line of what it belongs to\n");
    assert_slice(READ(HEADER "a = 1\n[ account ]\n"),
                 "2:1:a = 1|\nf:3:1: error: an old [ section ]: phones do not read it; the line is ignored\n");
    assert_slice(READ(HEADER "[T46S a = 1\n"), "2:1:[T46S a = 1|\n");
}

static bool matches(const char *models, const char *model)
{
    return line_models_match(slice_str(models), model_find(slice_str(model)));
}

static void a_prefix_names_the_models_it_lists(void **state)
{
    (void)state;
    assert_true(matches("T46S", "SIP-T46S"));
    assert_true(matches("T48S, T46S", "SIP-T46S"));
    assert_true(matches(" T48S ,\tT46S ", "SIP-T46S"));
    assert_true(matches("T58", "SIP-T58A"));
    assert_true(matches("T21P_E2", "SIP-T21 E2"));
    assert_true(matches("T21P_E2", "SIP-T21P E2"));
    assert_false(matches("T46", "SIP-T46S"));
    assert_false(matches("T46S", "SIP-T46U"));
    assert_false(matches("", "SIP-T46S"));
    assert_false(matches("", "W60P"));
    assert_false(matches("W60P", "W60P"));
    assert_false(matches("CP860", "CP860"));
}

static bool split(const char *text, struct slice *ret_key, struct slice *ret_value)
{
    struct line line = { .content = slice_str(text) };
    return line_split(&line, ret_key, ret_value);
}

static void a_line_splits_at_its_first_equal_sign(void **state)
{
    (void)state;
    struct slice key, value;
    assert_true(split("a.b \t=\t x = y=z # \"$|%", &key, &value));
    assert_slice(key, "a.b");
    assert_slice(value, "x = y=z # \"$|%");
    assert_true(split("a=", &key, &value));
    assert_slice(value, "");
    assert_false(split("a", &key, &value));
    assert_false(split("= 1", &key, &value));
}

static void assert_refused(struct slice bytes, const char *part)
{
    const char *why = line_refusal(bytes);
    if (!why || !strstr(why, part))
        fail_msg("refused as \"%s\", not as \"%s\"", why ? why : "(not at all)", part);
}
#define REFUSED(literal, part) assert_refused(SLICE(literal), part)

static void files_that_are_no_configuration_are_refused_by_name(void **state)
{
    (void)state;
    REFUSED("<html><body>Not found</body></html>", "HTML");
    REFUSED("\r\n  <!DOCTYPE HTML PUBLIC>\n<HTML>", "HTML");
    REFUSED("\xef\xbb\xbf<HTML>", "HTML");
    REFUSED("<?xml version=\"1.0\"?>\n<DialRule/>", "XML");
    REFUSED("\xff\xfe#\0!\0v\0", "UTF-16");
    REFUSED("\xfe\xff\0#\0!\0v", "UTF-16");
    REFUSED("#!encrypt:1.0.0.0\n#!key_signatue:RSA_256\n", "RSA");
    REFUSED("\x7f" "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0\x01", "binary");
}

static void a_phone_book_under_the_name_of_a_cfg_is_refused(void **state)
{
    (void)state;
    REFUSED("<root_group>\n<group display_name=\"a\"/>\n</root_group>\n", "XML");
    REFUSED("<!-- exported -->\n<DialNow/>\n", "XML");
    REFUSED("<h1>404 Not Found</h1>\n", "XML");
    assert_null(line_refusal(SLICE("<\n")));
}

/* The vectors of facts.md 1.4, made with the openssl command: AES-128-ECB of 39 bytes, in three paddings. */
static void encrypted_files_are_refused_as_such(void **state)
{
    (void)state;
    static const char spaces[] = "\x64\x8c\x4e\x50\xba\x64\xd7\xbe\xbb\x97\xa3\x16\xf1\x5a\xeb\x1b"
                                 "\x8e\x6b\xae\xb7\x6a\xb7\x11\x7a\x2b\xa4\x3f\x70\x26\x90\x79\xc1"
                                 "\xb4\xbb\x96\xb8\x60\x34\xde\x64\xeb\x29\x3f\xd7\x8b\xb2\x59\x45";
    assert_refused(slice_of(spaces, 48), "AES");
}

static void files_of_old_firmware_are_refused_by_name(void **state)
{
    (void)state;
    REFUSED("[ cfg:/phone/config/user.ini,reboot=0 ]\npath = /phone/config/user.ini\n", "[ section ]");
    REFUSED("#!version:1.0.0.1\n;; old comment\n\n  [ account ]\r\npath=/x\r\n", "[ section ]");
    assert_null(line_refusal(SLICE(HEADER "[T46S]\na = 1\n")));
    assert_null(line_refusal(SLICE(HEADER "[T46S, T48S]\n")));
    assert_null(line_refusal(SLICE(HEADER "[T46X] a = 1\n")));
    assert_null(line_refusal(SLICE(HEADER "a = 1\n[ account ]\n")));
}

static void text_in_any_encoding_is_not_refused(void **state)
{
    (void)state;
    assert_null(line_refusal(SLICE("")));
    assert_null(line_refusal(SLICE("\xef\xbb\xbf" HEADER "a=1\n")));
    assert_null(line_refusal(SLICE("# \xd6\xd0\xce\xc4 \xb5\xe7\xbb\xb0\na = \xd6\xd0\n")));
    assert_null(line_refusal(SLICE(HEADER "a\t=\t1\f\r\n\x1a")));
    assert_null(line_refusal(SLICE("#!/version:1.0.0.1\n")));
}

/* 4 MiB of short lines whose header stands last: each line must not look for it anew. */
static void a_big_file_whose_header_stands_last_is_read_in_no_time(void **state)
{
    struct arena *a = *state;
    size_t len = (size_t)4 << 20, lines = 0;
    char *bytes = arena_alloc(a, len);
    struct line_reader reader;
    struct line line;
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = "a=1\n"[i % 4];
    memcpy(bytes + len - 20, HEADER "\n\n", 20);
    line_reader_init(&reader, slice_of(bytes, len), SLICE("f"), NULL);
    while (line_next(&reader, &line))
        lines++;
    assert_int_equal(lines, len / 4 - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_clean_file_has_no_findings),
        test_with_arena(a_byte_order_mark_is_told_and_does_not_hide_the_header),
        test_with_arena(line_ends_of_all_kinds_read_alike),
        test_with_arena(lines_that_end_in_cr_alone_are_an_error),
        test_with_arena(the_header_may_be_missing_late_or_odd),
        test_with_arena(a_late_header_with_a_slash_is_told_to_be_late),
        test_with_arena(blanks_and_tabs_stand_anywhere),
        test_with_arena(bytes_that_are_not_utf8_are_told_once_at_their_place),
        test_with_arena(the_end_mark_of_old_editors_is_no_line),
        test_with_arena(prefixes_are_taken_off_with_their_spaces),
        test_with_arena(a_misspelt_model_is_told_where_it_stands),
        test_with_arena(prefixes_without_a_name_or_a_line_are_told),
        cmocka_unit_test(a_prefix_names_the_models_it_lists),
        cmocka_unit_test(a_line_splits_at_its_first_equal_sign),
        cmocka_unit_test(files_that_are_no_configuration_are_refused_by_name),
        cmocka_unit_test(a_phone_book_under_the_name_of_a_cfg_is_refused),
        cmocka_unit_test(encrypted_files_are_refused_as_such),
        cmocka_unit_test(files_of_old_firmware_are_refused_by_name),
        cmocka_unit_test(text_in_any_encoding_is_not_refused),
        test_with_arena(a_big_file_whose_header_stands_last_is_read_in_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
