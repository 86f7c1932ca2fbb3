#include "guide_test.h"

#include "guide/boot.h"

static void put_switch(struct buf *out, const char *name, enum boot_switch value)
{
    static const char *const words[] = { [BOOT_OFF] = "off", [BOOT_ON] = "on" };
    if (value != BOOT_UNSET)
        buf_format(out, "%s %s\n", name, words[value]);
}

/* The includes as `line:column:[models]target|`, the switches that are set, the findings, in one text. */
static struct slice parse(struct arena *a, struct slice bytes)
{
    size_t cap = (size_t)256 << 10, count = 0;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    struct diag findings;
    struct boot_file boot;
    assert_non_null(out.ptr);
    diag_init(&findings, a);
    assert_true(boot_parse(bytes, SLICE("f"), a, &findings, &boot));
    assert_slice(boot.file, "f");
    for (const struct boot_include *i = boot.includes; i; i = i->next, count++) {
        buf_format(&out, "%u:%u:", i->line, i->column);
        if (i->has_prefix)
            buf_format(&out, "[%.*s]", SLICE_ARG(i->models));
        buf_format(&out, "%.*s|\n", SLICE_ARG(i->target));
    }
    assert_int_equal(count, boot.count);
    put_switch(&out, "overwrite", boot.overwrite_mode);
    put_switch(&out, "exclude", boot.excluded_mode);
    buf_text(&out, findings_text(&findings, a));
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}
#define HEADER "#!version:1.0.0.1\n"
#define PARSE(literal) parse(*state, SLICE(HEADER literal))

static void the_example_of_the_guide_reads_as_it_says(void **state)
{
    assert_slice(PARSE("## The header above must appear as-is in the first line\n\n"
                       "##[$MODEL]include:config <xxx.cfg>\n##[$MODEL,$MODEL]include:config \"xxx.cfg\"\n\n"
                       "[T46S]include:config <tftp://10.2.5.193/network.cfg>\n"
                       "[T48S,T46G]include:config <../sip.cfg>\ninclude:config \"features.cfg\"\n\n"
                       "overwrite_mode = 1\nspecific_model.excluded_mode=0\n"),
                 "7:23:[T46S]tftp://10.2.5.193/network.cfg|\n8:28:[T48S,T46G]../sip.cfg|\n"
                 "9:17:features.cfg|\noverwrite on\nexclude off\n");
}

static void nothing_set_stays_unset(void **state)
{
    assert_slice(PARSE(""), "");
    assert_slice(parse(*state, SLICE("")), "");
}

static void include_stands_in_every_kind_of_marks(void **state)
{
    assert_slice(PARSE("include:config <a.cfg>\ninclude:config \"b.cfg\"\ninclude:config<c.cfg>\n"
                       "include:config < d.cfg >\nInclude:Config <e.cfg>\ninclude : config <f.cfg>\n"),
                 "2:17:a.cfg|\n3:17:b.cfg|\n4:16:c.cfg|\n5:18:d.cfg|\n6:17:e.cfg|\n7:19:f.cfg|\n");
    assert_slice(PARSE("include:config a.cfg\n"), "2:16:a.cfg|\nf:2:16: note: neither quotes nor < > around the URL\n");
    assert_slice(PARSE("include:config <a b/(c),$mac.cfg>\n"), "2:17:a b/(c),$mac.cfg|\n");
}

static void curly_quotes_are_told_and_taken(void **state)
{
    assert_slice(PARSE("include:config \xe2\x80\x9c" "a.cfg\xe2\x80\x9d\n"),
                 "2:19:a.cfg|\nf:2:16: warning: curly quotes around the URL; write straight ones or < >\n");
    assert_slice(PARSE("include:config \xe2\x80\x9d" "a.cfg\xe2\x80\x9d\n"),
                 "2:19:a.cfg|\nf:2:16: warning: curly quotes around the URL; write straight ones or < >\n");
    assert_slice(PARSE("include:config \xe2\x80\x98" "a.cfg\xe2\x80\x99\n"),
                 "2:19:a.cfg|\nf:2:16: warning: curly quotes around the URL; write straight ones or < >\n");
}

static void marks_that_do_not_close_are_told(void **state)
{
    assert_slice(PARSE("include:config <a.cfg\n"), "2:17:a.cfg|\nf:2:16: warning: the mark around the URL is not closed\n");
    assert_slice(PARSE("include:config \"a.cfg\n"),
                 "2:17:a.cfg|\nf:2:16: warning: the mark around the URL is not closed\n");
    assert_slice(PARSE("include:config <a.cfg> # mine\n"),
                 "2:17:a.cfg|\nf:2:23: warning: text behind the URL is ignored\n");
    assert_slice(PARSE("include:config <a.cfg\"\n"),
                 "2:17:a.cfg\"|\nf:2:16: warning: the mark around the URL is not closed\n"
                 "f:2:17: warning: the file to include must be a .cfg\n");
}

static void an_include_without_a_file_is_an_error(void **state)
{
    assert_slice(PARSE("include:config\ninclude:config <>\ninclude:config \"  \"\n"),
                 "f:2:1: error: include names no file\nf:3:1: error: include names no file\n"
                 "f:4:1: error: include names no file\n");
}

static void what_is_included_should_be_a_cfg(void **state)
{
    assert_slice(PARSE("include:config <sip.txt>\ninclude:config <http://h/p.php?mac=$mac>\ninclude:config <A.CFG>\n"),
                 "2:17:sip.txt|\n3:17:http://h/p.php?mac=$mac|\n4:17:A.CFG|\n"
                 "f:2:17: warning: the file to include must be a .cfg\n"
                 "f:3:17: warning: the file to include must be a .cfg\n");
    assert_slice(PARSE("include:config <http://h/a.cfg?mac=1.2>\n"), "2:17:http://h/a.cfg?mac=1.2|\n");
    assert_slice(PARSE("[T46S] include:config <d\\a.cfg>\n"),
                 "2:24:[T46S]d\\a.cfg|\nf:2:25: error: directories are separated by a slash, not a backslash\n");
}

static void prefixes_may_hold_spaces_and_be_wrong(void **state)
{
    assert_slice(PARSE("[T46S, T23G] include:config <a.cfg>\n[T46s]include:config <b.cfg>\n[X9]include:config <c.cfg>\n"),
                 "2:30:[T46S, T23G]a.cfg|\n3:23:[T46s]b.cfg|\n4:21:[X9]c.cfg|\n"
                 "f:3:2: warning: a [MODEL] prefix names this phone T46S, not T46s\n"
                 "f:4:2: warning: X9 is no phone model that a [MODEL] prefix can name\n");
}

static void both_spellings_of_the_excluded_mode_count(void **state)
{
    assert_slice(PARSE("specific_model.excluded_mode = 1\n"), "exclude on\n");
    assert_slice(PARSE("static.specific_model.excluded_mode=1\n"), "exclude on\n");
    assert_slice(PARSE("overwrite_mode=0\n"), "overwrite off\n");
}

static void a_mode_set_twice_counts_as_set_last(void **state)
{
    assert_slice(PARSE("overwrite_mode = 1\noverwrite_mode = 0\n"),
                 "overwrite off\nf:3:1: warning: set a second time; the last one counts\n");
    assert_slice(PARSE("specific_model.excluded_mode = 0\nstatic.specific_model.excluded_mode = 1\n"),
                 "exclude on\nf:3:1: warning: set a second time; the last one counts\n");
}

static void a_mode_is_0_or_1_and_for_every_model(void **state)
{
    assert_slice(PARSE("overwrite_mode = yes\n"),
                 "f:2:18: error: overwrite_mode is 0 or 1, not `yes`; the line is ignored\n");
    assert_slice(PARSE("overwrite_mode =\n"),
                 "f:2:1: error: overwrite_mode is 0 or 1, not ``; the line is ignored\n");
    assert_slice(PARSE("overwrite_mode = 0\noverwrite_mode = 2\n"),
                 "overwrite off\nf:3:18: error: overwrite_mode is 0 or 1, not `2`; the line is ignored\n");
    assert_slice(PARSE("[T46S] overwrite_mode = 0\n"),
                 "f:2:8: warning: a [MODEL] prefix does not go with this; the line is ignored\n");
}

static void what_does_not_belong_in_a_boot_file_is_told(void **state)
{
    assert_slice(PARSE("account.1.enable = 1\n  features.dnd_mode\nincludes:config <a.cfg>\n"),
                 "f:2:1: error: account.1.enable does not belong in a boot file; phones ignore it here\n"
                 "f:3:3: note: the line is indented\n"
                 "f:3:3: error: neither include:config nor `key = value`; the line is ignored\n"
                 "f:4:1: error: neither include:config nor `key = value`; the line is ignored\n");
    assert_slice(PARSE("include:configuration <a.cfg>\n"),
                 "f:2:1: error: neither include:config nor `key = value`; the line is ignored\n");
}

static void tolerances_of_lines_hold_in_boot_files(void **state)
{
    assert_slice(parse(*state, SLICE("\xef\xbb\xbf#!/version:1.0.0.1\r\n\t[T46S]\tinclude:config \"a.cfg\"  \r\n"
                                     "# \xd6\xd0\r\noverwrite_mode=0")),
                 "2:25:[T46S]a.cfg|\noverwrite off\nf:1: note: lines end in CR LF\n"
                 "f:1:1: note: a byte order mark before the header\n"
                 "f:1:1: note: the header is written `#!version:1.0.0.1`, without a slash\n"
                 "f:2:2: note: the line is indented\nf:2:31: note: blanks at the end of the line\n"
                 "f:3:3: note: bytes that are not UTF-8\nf:4: note: the last line has no line end\n");
}

static void more_includes_than_any_tree_holds_are_cut_and_told(void **state)
{
    struct arena *a = *state;
    size_t cap = (size_t)64 << 10, count = 0;
    struct buf text = buf_on(arena_alloc(a, cap), cap);
    struct diag findings;
    struct boot_file boot;
    assert_non_null(text.ptr);
    buf_str(&text, HEADER);
    for (int i = 0; i < BOOT_INCLUDES_MAX + 5; i++)
        buf_format(&text, "include:config <%d.cfg>\n", i);
    buf_str(&text, "overwrite_mode = 0\n");
    diag_init(&findings, a);
    assert_true(buf_ok(&text) && boot_parse(buf_slice(&text), SLICE("f"), a, &findings, &boot));
    for (const struct boot_include *i = boot.includes; i; i = i->next)
        count++;
    assert_int_equal(count, BOOT_INCLUDES_MAX);
    assert_int_equal(boot.count, BOOT_INCLUDES_MAX);
    assert_int_equal(boot.overwrite_mode, BOOT_OFF);
    assert_slice(findings_text(&findings, a),
                 "f:1002:1: error: more than 1000 include statements; the rest is ignored\n");
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    struct boot_file boot;
    struct arena small;
    arena_init(&small, 10);
    assert_false(boot_parse(SLICE("include:config <a.cfg>\n"), SLICE("f"), &small, NULL, &boot));
    arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_example_of_the_guide_reads_as_it_says),
        test_with_arena(nothing_set_stays_unset),
        test_with_arena(include_stands_in_every_kind_of_marks),
        test_with_arena(curly_quotes_are_told_and_taken),
        test_with_arena(marks_that_do_not_close_are_told),
        test_with_arena(an_include_without_a_file_is_an_error),
        test_with_arena(what_is_included_should_be_a_cfg),
        test_with_arena(prefixes_may_hold_spaces_and_be_wrong),
        test_with_arena(both_spellings_of_the_excluded_mode_count),
        test_with_arena(a_mode_set_twice_counts_as_set_last),
        test_with_arena(a_mode_is_0_or_1_and_for_every_model),
        test_with_arena(what_does_not_belong_in_a_boot_file_is_told),
        test_with_arena(tolerances_of_lines_hold_in_boot_files),
        test_with_arena(more_includes_than_any_tree_holds_are_cut_and_told),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
