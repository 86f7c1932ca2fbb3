/* multipart/form-data: every case is read whole, byte by byte and in pieces, and must mean the same. */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "proto/http_form.h"

#define TYPE "multipart/form-data; boundary=xYz"
#define FILE_PART "--xYz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.cfg\"\r\n\r\n"
#define FIELD_PART "--xYz\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\n"

static char story_bytes[65536];
static struct buf story;

/* What happened as text: `[a.cfg]data` for a file, `[]data` for a field, `.` at the end, `!reason` for a refusal. */
static void tell(struct http_form *f, enum http_form_answer answer, struct slice data)
{
    switch (answer) {
    case HTTP_FORM_PART:
        buf_format(&story, "[%.*s]", SLICE_ARG(f->is_file ? f->filename : SLICE_NONE));
        break;
    case HTTP_FORM_DATA:
        assert_true(data.len > 0);
        buf_text(&story, data);
        break;
    case HTTP_FORM_END:
        buf_byte(&story, '.');
        break;
    case HTTP_FORM_REFUSED:
        buf_format(&story, "!%s", f->reason);
        break;
    case HTTP_FORM_MORE:
        break;
    }
}

static struct slice read_in_pieces(const char *type, struct slice text, size_t step)
{
    struct http_form f;
    story = BUF_ON(story_bytes);
    if (!http_form_start(&f, slice_str(type)))
        return SLICE("no boundary");
    for (size_t at = 0; at < text.len; at += step) {
        struct slice input = slice_first(slice_from(text, at), step), data = SLICE_NONE;
        enum http_form_answer answer;
        while ((answer = http_form_next(&f, &input, &data)) != HTTP_FORM_MORE) {
            tell(&f, answer, data);
            if (answer == HTTP_FORM_REFUSED)
                return buf_slice(&story);
        }
        assert_int_equal(input.len, 0);
    }
    return buf_slice(&story);
}

static void check(const char *type, const char *text, const char *expected)
{
    static const size_t steps[] = { 1 << 20, 1, 2, 3, 5, 64 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_slice(read_in_pieces(type, slice_str(text), steps[i]), expected);
}

static void a_file_comes_with_its_name_and_its_bytes(void **state)
{
    (void)state;
    check(TYPE, FILE_PART "hello\r\n--xYz--\r\n", "[a.cfg]hello.");
    check(TYPE, FILE_PART "\r\n--xYz--", "[a.cfg].");
    check(TYPE, FILE_PART "hello\r\n--xYz--\r\nan epilogue\r\n--xYz\r\n", "[a.cfg]hello.");
    check(TYPE, "a preamble\r\n" FILE_PART "x\r\n--xYz--", "[a.cfg]x.");
    check(TYPE, "\r\n" FILE_PART "x\r\n--xYz--", "[a.cfg]x.");
    check(TYPE, FIELD_PART "Upload\r\n" FILE_PART "x\r\n--xYz--", "[]Upload[a.cfg]x.");
    check(TYPE, FILE_PART "half", "[a.cfg]half");
}

static void what_only_begins_like_a_delimiter_is_data(void **state)
{
    (void)state;
    check(TYPE, FILE_PART "a\r\n--xY\r\n--xyz\r\r\n-\r\n--xYz--", "[a.cfg]a\r\n--xY\r\n--xyz\r\r\n-.");
    check(TYPE, FILE_PART "--xYz\r\n--xYz--", "[a.cfg]--xYz.");
    check(TYPE, FILE_PART "a\n--xYz\n\r\n--xYz--", "[a.cfg]a\n--xYz\n.");
    check(TYPE, FILE_PART "\r\n\r\n--xYz--", "[a.cfg]\r\n.");
    check(TYPE, FILE_PART "\r\r\r\n--xYz--", "[a.cfg]\r\r.");
}

static void boundaries_as_the_rfc_has_them(void **state)
{
    (void)state;
    const char *part = "--a b'()+_,-./:=?\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a b'()+_,-./:=?--";
    check("multipart/form-data; charset=x; Boundary=\"a b'()+_,-./:=?\"", part, "[]x.");
    check("multipart/form-data;boundary=xYz ; x=y", FILE_PART "x\r\n--xYz \t\r\nContent-Disposition: form-data\r\n\r\n"
          "y\r\n--xYz--", "[a.cfg]x[]y.");
    static const char *const bad[] = { "multipart/form-data", "multipart/form-data; boundary=",
                                       "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"x ",
                                       "multipart/form-data; boundary=\"x \"", "multipart/form-data; boundary=a\"b",
                                       "multipart/form-data; boundary=\"a\rb\"", "multipart/form-data; =; boundary",
                                       ("multipart/form-data; boundary=aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"
                                        "eeeeeeeeeeffffffffffgggggggggg1") };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(bad[i], "", "no boundary");
}

static void names_are_read_as_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *disposition, *story;
    } cases[] = {
        { "form-data; name=f; filename=a.cfg", "[a.cfg]." },
        { "FORM-DATA;name=\"f\";FileName=\"a b;c.cfg\"", "[a b;c.cfg]." },
        { "form-data; filename=\"../x\"", "[../x]." },
        { "form-data; filename=\"a\\\"b\"", "[a\\\"b]." },
        { "form-data; filename=\"\"", "[]." },
        { "form-data; filename*=utf-8''a.cfg", "[]." },
        { "form-data; filename=\"no end", "[]." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[512];
        struct buf text = BUF_ON(bytes);
        buf_format(&text, "--xYz\r\ncontent-disposition: %s\r\nContent-Type: x/y\r\n\r\n\r\n--xYz--",
                   cases[i].disposition);
        assert_true(buf_terminate(&text));
        check(TYPE, bytes, cases[i].story);
    }
}

static void r20_what_is_malformed_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *story;
    } cases[] = {
        { "--xYz\r\n\r\nx", "!a part of the form has no name" },
        { "--xYz\r\nContent-Type: x/y\r\n\r\nx", "!a part of the form has no name" },
        { "--xYz\r\nContent-Disposition: attachment; filename=x\r\n\r\nx", "!bad header in the form" },
        { "--xYz\r\nContent-Disposition: form-data\r\nContent-Disposition: form-data\r\n\r\nx", "!bad header in the form" },
        { "--xYz\r\nContent-Disposition : form-data\r\n\r\nx", "!bad header in the form" },
        { "--xYz\r\nContent-Disposition: form-data;\r\n filename=x\r\n\r\nx", "!bad header in the form" },
        { "--xYz\r\nno colon\r\n\r\nx", "!bad header in the form" },
        { "--xYz\r\nContent-Disposition: form-data\r\nContent-Transfer-Encoding: base64\r\n\r\nx",
          "!bad header in the form" },
        { "--xYz\r\nContent-Disposition: form-data\n\r\nx", "!control byte in the form" },
        { "--xYz\r\nContent-Disposition: form-data\rx", "!control byte in the form" },
        { "--xYz\r\nContent-\001Disposition: form-data\r\n\r\nx", "!control byte in the form" },
        { "--xYzz\r\n", "!bad delimiter in the form" },
        { "--xYz\n", "!bad delimiter in the form" },
        { "--xYz-x", "!bad delimiter in the form" },
        { "--xYz -", "!bad delimiter in the form" },
        { "--xYz\rx", "!bad delimiter in the form" },
        { FILE_PART "x\r\n--xYz", "[a.cfg]x" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(TYPE, cases[i].text, cases[i].story);
}

static void parts_preamble_and_header_lines_are_bounded(void **state)
{
    (void)state;
    static char bytes[16384];
    struct buf text = BUF_ON(bytes);
    for (int i = 0; i < HTTP_FORM_PARTS_MAX + 1; i++)
        buf_str(&text, FIELD_PART "\r\n");
    assert_true(buf_terminate(&text));
    struct slice told = read_in_pieces(TYPE, buf_slice(&text), 100);
    assert_true(slice_ends(told, SLICE("[]!too many parts in the form")));
    text = BUF_ON(bytes);
    for (int i = 0; i < 1100; i++)
        buf_byte(&text, 'x');
    assert_slice(read_in_pieces(TYPE, buf_slice(&text), 100), "!no delimiter in the form");
    text = BUF_ON(bytes);
    buf_str(&text, "--xYz\r\nX: ");
    for (int i = 0; i < 1100; i++)
        buf_byte(&text, 'x');
    assert_slice(read_in_pieces(TYPE, buf_slice(&text), 100), "!header of the form too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_with_its_name_and_its_bytes),
        cmocka_unit_test(what_only_begins_like_a_delimiter_is_data),
        cmocka_unit_test(boundaries_as_the_rfc_has_them),
        cmocka_unit_test(names_are_read_as_they_stand),
        cmocka_unit_test(r20_what_is_malformed_is_refused),
        cmocka_unit_test(parts_preamble_and_header_lines_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
