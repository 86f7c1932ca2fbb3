#include "guide_test.h"

#include "guide/cfg.h"

/* The assignments as `line:column:[models]key|value|value_column`, and the findings, in one text. */
static struct slice parse(struct arena *a, struct slice bytes)
{
    size_t cap = (size_t)64 << 10, count = 0;
    struct buf out = buf_on(arena_alloc(a, cap), cap);
    struct diag findings;
    struct cfg_file cfg;
    assert_non_null(out.ptr);
    diag_init(&findings, a);
    assert_true(cfg_parse(bytes, SLICE("f"), a, &findings, &cfg));
    assert_slice(cfg.file, "f");
    for (const struct cfg_assignment *i = cfg.assignments; i; i = i->next, count++) {
        buf_format(&out, "%u:%u:", i->line, i->column);
        if (i->has_prefix)
            buf_format(&out, "[%.*s]", SLICE_ARG(i->models));
        buf_format(&out, "%.*s|%.*s|%u\n", SLICE_ARG(i->key), SLICE_ARG(i->value), i->value_column);
    }
    assert_int_equal(count, cfg.count);
    buf_text(&out, findings_text(&findings, a));
    assert_true(buf_ok(&out));
    return buf_slice(&out);
}
#define HEADER "#!version:1.0.0.1\n"
#define PARSE(literal) parse(*state, SLICE(HEADER literal))

static void the_examples_of_the_guide_read_as_they_say(void **state)
{
    assert_slice(PARSE("phone_setting.phone_lock_enable = 1\nstatic.lang.wui = English\n"
                       "[T46S] features.dnd_mode = 1\n[T48G, T23G] features.dnd_mode = 0\n"
                       "static.network.dhcp_host_name =\n"),
                 "2:1:phone_setting.phone_lock_enable|1|35\n3:1:static.lang.wui|English|19\n"
                 "4:8:[T46S]features.dnd_mode|1|28\n5:14:[T48G, T23G]features.dnd_mode|0|34\n"
                 "6:1:static.network.dhcp_host_name||32\n");
}

static void four_spacings_tabs_and_indents_read_alike(void **state)
{
    assert_slice(PARSE("a=1\na= 1\na =1\na = 1\n\ta\t=\t1\t\n"),
                 "2:1:a|1|3\n3:1:a|1|4\n4:1:a|1|4\n5:1:a|1|5\n6:2:a|1|6\n"
                 "f:6:2: note: the line is indented\nf:6:7: note: blanks at the end of the line\n");
}

static void any_byte_may_stand_in_a_value(void **state)
{
    assert_slice(PARSE("a = b=c\nd = #1234\ne = x # no comment\nf = \"q\"\ng = *84$Tinvite$\nh = a|b%20\n"
                       "i = %NULL%\nj = [T46S]x\nk = include:config <a.cfg>\n"),
                 "2:1:a|b=c|5\n3:1:d|#1234|5\n4:1:e|x # no comment|5\n5:1:f|\"q\"|5\n6:1:g|*84$Tinvite$|5\n"
                 "7:1:h|a|b%20|5\n8:1:i|%NULL%|5\n9:1:j|[T46S]x|5\n10:1:k|include:config <a.cfg>|5\n");
    assert_slice(PARSE("a = \xd6\xd0\xce\xc4\n"), "2:1:a|\xd6\xd0\xce\xc4|5\nf:2:5: note: bytes that are not UTF-8\n");
}

static void keys_keep_their_case_and_may_repeat(void **state)
{
    assert_slice(PARSE("voice.G722_1c_48kpbs = 1\nx = 1\nx = 2\nsatic.security.ca_cert = 0\n"),
                 "2:1:voice.G722_1c_48kpbs|1|24\n3:1:x|1|5\n4:1:x|2|5\n5:1:satic.security.ca_cert|0|26\n");
}

static void a_line_that_is_only_a_key_is_ignored_and_told(void **state)
{
    assert_slice(PARSE("account.1.enable\na = 1\n= 5\n"),
                 "3:1:a|1|5\nf:2:1: error: no `parameter = value` in this line; phones ignore it\n"
                 "f:4:1: error: no `parameter = value` in this line; phones ignore it\n");
    assert_slice(PARSE("[T46S] account.1.enable\n"),
                 "f:2:8: error: no `parameter = value` in this line; phones ignore it\n");
}

static void a_blank_inside_a_name_is_told(void **state)
{
    assert_slice(PARSE("account 1.enable = 1\n[T46S account.1.enable = 1\n"),
                 "f:2:1: error: a blank inside the parameter's name `account 1.enable`; phones ignore it\n"
                 "f:3:1: error: a blank inside the parameter's name `[T46S account.1.enable`; phones ignore it\n");
}

static void what_belongs_in_a_boot_file_is_told(void **state)
{
    assert_slice(PARSE("overwrite_mode = 1\nspecific_model.excluded_mode=1\nstatic.specific_model.excluded_mode=1\n"),
                 "f:2:1: error: overwrite_mode can only be used in boot files; phones ignore it here\n"
                 "f:3:1: error: the exclude mode can only be used in boot files; phones ignore it here\n"
                 "f:4:1: error: the exclude mode can only be used in boot files; phones ignore it here\n");
}

static void an_include_is_told_alike_whatever_its_url(void **state)
{
    assert_slice(PARSE("include:config <a.cfg>\ninclude:config <http://h/a.cfg?m=1>\n"),
                 "f:2:1: error: include belongs in a boot file; phones ignore it here\n"
                 "f:3:1: error: include belongs in a boot file; phones ignore it here\n");
}

static void tolerances_of_lines_hold_in_cfg_files(void **state)
{
    assert_slice(parse(*state, SLICE("\xef\xbb\xbf #!version:1.0.0.1\r\n ## \xd6\xd0\r\na = 1\nb = 2")),
                 "3:1:a|1|5\n4:1:b|2|5\nf:1: note: lines end in CR LF\n"
                 "f:1:1: note: a byte order mark before the header\nf:1:2: note: blanks before the header\n"
                 "f:2:5: note: bytes that are not UTF-8\nf:3: note: line ends are mixed, CR LF and LF\n"
                 "f:4: note: the last line has no line end\n");
}

static bool applies(struct arena *a, const char *line, const char *model, const char *firmware)
{
    struct identity id = phone(model, firmware);
    struct cfg_file cfg;
    assert_true(cfg_parse(slice_str(line), SLICE("f"), a, NULL, &cfg));
    assert_int_equal(cfg.count, 1);
    return cfg_applies(cfg.assignments, &id);
}

static void a_line_is_for_the_models_of_its_prefix_from_83_on(void **state)
{
    struct arena *a = *state;
    assert_true(applies(a, "x = 1", "T46S", "66.82.0.1"));
    assert_true(applies(a, "[T46S] x = 1", "T46S", "66.83.0.1"));
    assert_true(applies(a, "[T23G, T46S] x = 1", "T46S", "66.86.0.1"));
    assert_false(applies(a, "[T46S] x = 1", "T46S", "66.82.0.1"));
    assert_false(applies(a, "[T48S] x = 1", "T46S", "66.84.0.1"));
    assert_false(applies(a, "[] x = 1", "T46S", "66.84.0.1"));
    assert_true(applies(a, "[T58] x = 1", "T58A", "58.84.0.1"));
    assert_true(applies(a, "[T21P_E2] x = 1", "SIP-T21 E2", "52.84.0.1"));
    assert_true(applies(a, "x = 1", "W60P", "77.83.0.1"));
    assert_false(applies(a, "[W60P] x = 1", "W60P", "77.85.0.1"));
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    struct cfg_file cfg;
    struct arena small;
    arena_init(&small, 10);
    assert_false(cfg_parse(SLICE("a = 1\n"), SLICE("f"), &small, NULL, &cfg));
    arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(the_examples_of_the_guide_read_as_they_say),
        test_with_arena(four_spacings_tabs_and_indents_read_alike),
        test_with_arena(any_byte_may_stand_in_a_value),
        test_with_arena(keys_keep_their_case_and_may_repeat),
        test_with_arena(a_line_that_is_only_a_key_is_ignored_and_told),
        test_with_arena(a_blank_inside_a_name_is_told),
        test_with_arena(what_belongs_in_a_boot_file_is_told),
        test_with_arena(an_include_is_told_alike_whatever_its_url),
        test_with_arena(tolerances_of_lines_hold_in_cfg_files),
        test_with_arena(a_line_is_for_the_models_of_its_prefix_from_83_on),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
