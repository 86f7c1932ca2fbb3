/* slice_u64 and slice_hex_u64: what they accept is exactly the digits, and both bounds hold. */
#include "fuzz.h"

#include "base/buf.h"

typedef bool parse_number(struct slice, uint64_t, uint64_t, uint64_t *);

static struct slice without_zeros(struct slice text)
{
    while (text.len > 1 && text.ptr[0] == '0')
        text = slice_from(text, 1);
    return text;
}

static bool is_number(struct slice text, const char *digits, struct slice most)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\0' || !strchr(digits, text.ptr[i]))
            return false;
    struct slice bare = without_zeros(text);
    return bare.len && (bare.len < most.len || slice_eq_nocase(bare, most) ||
                        (bare.len == most.len && slice_compare(bare, most) < 0));
}

static void check_bounds(parse_number *parse, struct slice text, uint64_t value)
{
    uint64_t again = 0;
    MUST(parse(text, value, value, &again) && again == value);
    again = 42;
    MUST(value == UINT64_MAX || !parse(text, value + 1, UINT64_MAX, &again));
    MUST(value == 0 || !parse(text, 0, value - 1, &again));
    MUST(again == 42);
}

static void check(parse_number *parse, struct slice text, bool right, const char *format)
{
    char bytes[32];
    struct buf out = BUF_ON(bytes);
    uint64_t value = 42;
    bool parsed = parse(text, 0, UINT64_MAX, &value);
    MUST(parsed == right);
    MUST(parsed || value == 42);
    if (!parsed)
        return;
    snprintf(bytes, sizeof bytes, format[0] == 'x' ? "%llx" : "%llu", (unsigned long long)value);
    out.len = strlen(bytes);
    MUST(slice_eq_nocase(buf_slice(&out), without_zeros(text)));
    check_bounds(parse, text, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    check(slice_u64, text, is_number(text, "0123456789", SLICE("18446744073709551615")), "u");
    /* Sixteen digits hold every hexadecimal number, so the length alone decides. */
    check(slice_hex_u64, text, is_number(text, "0123456789abcdefABCDEF", SLICE("ffffffffffffffff")), "x");
    return 0;
}
