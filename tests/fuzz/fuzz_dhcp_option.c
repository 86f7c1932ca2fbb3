/* guide/address_option.h: a value as any option, and a text as a list of options. */
#include "fuzz.h"

#include "base/url.h"
#include "guide/address_option.h"

static void check_finding(const struct option_finding *f, struct slice value)
{
    struct url url;
    MUST(f->value.ptr == value.ptr && f->value.len == value.len);
    MUST(f->usable == (f->verdict <= OPTION_INSIDE) && f->usable == (f->url.len > 0));
    MUST(option_verdict_words(f->verdict)[0] != '?');
    if (!f->usable)
        return;
    MUST(f->kind != ADDRESS_BAD && url_parse(f->url, &url) && url_is_absolute(f->url));
    /* R19: a host is letters, and the rest of a URL is printable. */
    MUST(slice_find(url.host, ' ') == url.host.len && slice_find(url.host, '`') == url.host.len);
    for (size_t i = 0; i < f->url.len; i++)
        MUST(!byte_is_control(f->url.ptr[i]));
    MUST((f->sub != 0) == (f->verdict == OPTION_INSIDE));
}

static void check_list(struct slice text, bool v6)
{
    struct option_list list;
    uint16_t codes[OPTION_CUSTOMS_MAX + 2];
    if (!option_list_parse(text, v6, &list))
        return;
    MUST(list.count <= OPTION_CUSTOMS_MAX);
    size_t count = option_list_order(&list, v6, codes);
    MUST(count == list.count + (v6 ? 1 : 2));
    for (size_t i = 0; i < count; i++)
        MUST(address_option_rank(codes[i], v6, &list, &list) == i + (v6 ? OPTION_CUSTOMS_MAX + 2 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        uint16_t code;
        bool v6;
    } options[] = { { 66, false }, { 43, false }, { 128, false }, { 59, true } };
    struct slice value = slice_of(data, size);
    struct option_finding f;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct arena arena;
        arena_init(&arena, (size_t)1 << 20);
        if (address_option_read(options[i].code, options[i].v6, value, SLICE("http"), &arena, &f))
            check_finding(&f, value);
        arena_free(&arena);
    }
    check_list(value, false);
    check_list(value, true);
    return 0;
}
