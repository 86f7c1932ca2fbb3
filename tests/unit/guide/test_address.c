#include "guide_test.h"

#include "base/url.h"
#include "guide/address.h"

static struct slice expand(struct arena *a, const char *text, const char *pn, const char *pin)
{
    struct wildcards w = { .pn = slice_str(pn), .pin = slice_str(pin) };
    struct slice out = SLICE("(failed)");
    assert_true(mac_parse(SLICE("00156543EC97"), &w.mac));
    assert_true(address_expand(slice_str(text), &w, a, &out));
    return out;
}

static void wildcards_stand_for_what_the_guide_says(void **state)
{
    struct arena *a = *state;
    assert_slice(expand(a, "tftp://192.168.1.100/$PN", "T42G", ""), "tftp://192.168.1.100/T42G");
    assert_slice(expand(a, "tftp://192.168.1.100/$PN", "T46G", ""), "tftp://192.168.1.100/T46G");
    assert_slice(expand(a, "tftp://192.168.1.100/$PN/$MAC.boot", "T42G", ""),
                 "tftp://192.168.1.100/T42G/00156543ec97.boot");
    assert_slice(expand(a, "$mac/$MAC$PN$pn", "T42G", ""), "00156543ec97/00156543ec97T42GT42G");
    assert_slice(expand(a, "$PN-103.83.0.122.rom", "W90B", ""), "W90B-103.83.0.122.rom");
    assert_slice(expand(a, "http://10.2.11.101/$pin.cfg", "T46U", "A31"), "http://10.2.11.101/A31.cfg");
}

static void other_dollar_signs_stay(void **state)
{
    struct arena *a = *state;
    assert_slice(expand(a, "*84$Tinvite$", "T42G", "1"), "*84$Tinvite$");
    assert_slice(expand(a, "$", "T42G", ""), "$");
    assert_slice(expand(a, "$P$M$ma$Mac$Pn$$PN", "T42G", ""), "$P$M$ma$Mac$Pn$T42G");
    assert_slice(expand(a, "$pin.cfg", "T42G", ""), "$pin.cfg");
    assert_slice(expand(a, "", "T42G", ""), "");
    assert_slice(expand(a, "x$PN", "$MAC", ""), "x$MAC");
}

static void a_result_longer_than_a_url_is_refused(void **state)
{
    struct arena *a = *state;
    struct wildcards w = { .pn = SLICE("0123456789abcdef") };
    char text[URL_BYTES_MAX];
    struct slice out = SLICE("untouched");
    memset(text, 'x', sizeof text);
    assert_true(address_expand(slice_of(text, sizeof text), &w, a, &out));
    assert_int_equal(out.len, URL_BYTES_MAX);
    out = SLICE("untouched");
    memcpy(text, "$PN", 3);
    assert_false(address_expand(slice_of(text, sizeof text), &w, a, &out));
    assert_slice(out, "untouched");
    assert_true(address_expand(slice_of(text, sizeof text - 13), &w, a, &out));
    assert_int_equal(out.len, URL_BYTES_MAX);
}

static void a_pin_is_wanted_where_it_stands(void **state)
{
    (void)state;
    assert_true(address_wants_pin(SLICE("http://h/$pin.cfg")));
    assert_true(address_wants_pin(SLICE("$PIN")));
    assert_false(address_wants_pin(SLICE("http://h/pin.cfg")));
    assert_false(address_wants_pin(SLICE("")));
}

static void assert_read(void **state, const char *text, const char *type, enum address_kind kind, const char *expected)
{
    struct slice url = SLICE("");
    assert_int_equal(address_read(slice_str(text), slice_str(type), *state, &url), kind);
    assert_slice(url, expected);
}

static void a_directory_gets_its_final_slash(void **state)
{
    assert_read(state, "tftp://10.2.5.193", "http", ADDRESS_DIRECTORY, "tftp://10.2.5.193/");
    assert_read(state, "tftp://10.2.5.193/", "http", ADDRESS_DIRECTORY, "tftp://10.2.5.193/");
    assert_read(state, "http://h:8080/a/T46S", "tftp", ADDRESS_DIRECTORY, "http://h:8080/a/T46S/");
    assert_read(state, "ftp://u:p@h/a b", "tftp", ADDRESS_DIRECTORY, "ftp://u:p@h/a b/");
    assert_read(state, "https://[2001:db8::1]/x", "tftp", ADDRESS_DIRECTORY, "https://[2001:db8::1]/x/");
    assert_read(state, "  HTTP://h \r\n", "tftp", ADDRESS_DIRECTORY, "HTTP://h/");
    assert_read(state, "http://h/x.boot/", "tftp", ADDRESS_DIRECTORY, "http://h/x.boot/");
}

static void a_host_without_scheme_gets_the_type_of_the_server(void **state)
{
    assert_read(state, "10.2.5.193", "tftp", ADDRESS_DIRECTORY, "tftp://10.2.5.193/");
    assert_read(state, "prov.example.com/T46S", "https", ADDRESS_DIRECTORY, "https://prov.example.com/T46S/");
    assert_read(state, "h:69/x.cfg", "tftp", ADDRESS_FILE, "tftp://h:69/x.cfg");
}

static void a_complete_file_name_or_a_query_is_one_file(void **state)
{
    assert_read(state, "tftp://h/T42G/00156543ec97.boot", "tftp", ADDRESS_FILE, "tftp://h/T42G/00156543ec97.boot");
    assert_read(state, "http://h/x.CFG", "tftp", ADDRESS_FILE, "http://h/x.CFG");
    assert_read(state, "http://h/prov?mac=00156543ec97", "tftp", ADDRESS_FILE, "http://h/prov?mac=00156543ec97");
    assert_read(state, "http://h?x", "tftp", ADDRESS_FILE, "http://h?x");
}

static void what_no_phone_can_fetch_from_is_bad(void **state)
{
    static const char *const bad[] = { "", "  ", "sip://h/", "file:///etc/passwd", "http://", "http://h:0/", "tftp://h\n/" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_read(state, bad[i], "tftp", ADDRESS_BAD, "");
    assert_read(state, "10.2.5.193", "gopher", ADDRESS_BAD, "");
    assert_read(state, "10.2.5.193", "", ADDRESS_BAD, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(wildcards_stand_for_what_the_guide_says),
        test_with_arena(other_dollar_signs_stay),
        test_with_arena(a_result_longer_than_a_url_is_refused),
        cmocka_unit_test(a_pin_is_wanted_where_it_stands),
        test_with_arena(a_directory_gets_its_final_slash),
        test_with_arena(a_host_without_scheme_gets_the_type_of_the_server),
        test_with_arena(a_complete_file_name_or_a_query_is_one_file),
        test_with_arena(what_no_phone_can_fetch_from_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
