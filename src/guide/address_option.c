#include "guide/address_option.h"

#include "base/cursor.h"
#include "base/url.h"

bool option_list_parse(struct slice text, bool v6, struct option_list *ret_list)
{
    struct option_list list = { 0 };
    uint64_t min = v6 ? OPTION_CUSTOM6_MIN : OPTION_CUSTOM4_MIN, max = v6 ? OPTION_CUSTOM6_MAX : OPTION_CUSTOM4_MAX;
    struct slice part;
    text = slice_trim(text);
    bool more = text.len > 0;
    if (more && text.ptr[text.len - 1] == ',')
        return false;
    while (slice_cut(&text, ',', &part)) {
        uint64_t code;
        if (list.count == OPTION_CUSTOMS_MAX || !slice_u64(slice_trim(part), min, max, &code))
            return false;
        for (size_t i = 0; i < list.count; i++)
            if (list.codes[i] == code)
                return false;
        list.codes[list.count++] = (uint16_t)code;
    }
    *ret_list = list;
    return true;
}

size_t option_list_order(const struct option_list *custom, bool v6, uint16_t *ret_codes)
{
    size_t count = custom->count;
    memcpy(ret_codes, custom->codes, count * sizeof *ret_codes);
    if (v6) {
        ret_codes[count++] = OPTION_V6_BOOTFILE;
    } else {
        ret_codes[count++] = OPTION_V4_TFTP_SERVER;
        ret_codes[count++] = OPTION_V4_VENDOR;
    }
    return count;
}

const char *option_verdict_words(enum option_verdict verdict)
{
    switch (verdict) {
    case OPTION_URL:
        return "a URL";
    case OPTION_HOST:
        return "a host without scheme, read with the server type's";
    case OPTION_INSIDE:
        return "a URL in a sub-option";
    case OPTION_EMPTY:
        return "empty";
    case OPTION_CONTROL:
        return "has control bytes inside, so it is no URL";
    case OPTION_LONG:
        return "longer than any URL may be";
    case OPTION_SCHEME:
        return "a URL, but its scheme is not tftp, ftp, http or https";
    case OPTION_NO_URL:
        return "not a URL and not a host";
    case OPTION_NO_SUB:
        return "neither a URL as plain text nor sub-options with a URL";
    }
    return "?";
}

/* Servers that end texts with NULs are common; RFC 2132 section 2 asks clients to live with them. */
static struct slice without_nuls(struct slice value)
{
    while (value.len && value.ptr[value.len - 1] == '\0')
        value.len--;
    return value;
}

static bool has_controls(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]))
            return true;
    return false;
}

/* What a name, an IPv4 or an IPv6 address is written with; `$` begins a wildcard. Blanks, quotes, brackets and the
 * like are nobody's host, and curl or a log should not have to find that out. */
static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!byte_is_alpha(c) && !byte_is_digit(c) && !strchr(".-_:%$", c))
            return false;
    }
    return host.len > 0;
}

static bool mentions(struct slice text, struct slice word)
{
    for (size_t i = 0; i + word.len <= text.len; i++)
        if (slice_starts_nocase(slice_from(text, i), word))
            return true;
    return false;
}

/* facts.md 4: option 43 carries the address of a TR-069 server as well. 7547 is that protocol's port. */
static bool is_acs(const struct url *url)
{
    static const struct slice words[] = { { "cwmp", 4 }, { "tr069", 5 }, { "tr-069", 6 }, { "/acs", 4 } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (mentions(url->path, words[i]) || mentions(url->host, words[i]))
            return true;
    return url->port == 7547 || slice_starts_nocase(url->host, SLICE("acs."));
}

/* What the text is; a URL gets its scheme and its slash. */
static bool read_text(struct slice text, struct slice type, struct arena *arena, struct option_finding *f)
{
    struct url url;
    struct slice read;
    f->verdict = OPTION_NO_URL;
    f->kind = address_read(text, type, arena, &read);
    if (f->kind == ADDRESS_BAD) {
        if (url_is_absolute(text) && url_parse(text, &url))
            f->verdict = OPTION_SCHEME;
        return arena->failures == 0;
    }
    if (!url_parse(read, &url) || !is_host(url.host))
        return true;
    f->verdict = url_is_absolute(text) ? OPTION_URL : OPTION_HOST;
    f->usable = true;
    f->acs = is_acs(&url);
    f->url = read;
    return true;
}

/* The first sub-option whose value is a URL with a scheme of ours. */
static bool read_inside(struct slice value, struct slice type, struct arena *arena, struct option_finding *f)
{
    struct cursor c = cursor_on(value);
    f->verdict = OPTION_NO_SUB;
    while (!cursor_at_end(&c)) {
        uint8_t sub = cursor_u8(&c);
        if (sub == 0)
            continue;
        /* 255 ends the list (RFC 2132 8.4). */
        if (sub == 255)
            break;
        struct slice text = without_nuls(cursor_bytes(&c, cursor_u8(&c)));
        if (!cursor_ok(&c) || has_controls(text) || !url_is_absolute(text))
            continue;
        if (!read_text(text, type, arena, f))
            return false;
        if (f->usable) {
            f->verdict = OPTION_INSIDE;
            f->sub = sub;
            return true;
        }
    }
    f->verdict = OPTION_NO_SUB;
    return true;
}

bool address_option_read(uint16_t code, bool v6, struct slice value, struct slice type, struct arena *arena,
                         struct option_finding *ret_finding)
{
    struct option_finding f = { .code = code, .v6 = v6, .value = value };
    struct slice text = without_nuls(value);
    bool vendor = !v6 && code == OPTION_V4_VENDOR;
    bool ok = true;
    type = type.len ? type : SLICE("tftp");
    /* Vendor bytes hold anything, so there only a text with a scheme is taken for a URL. */
    if (text.len == 0)
        f.verdict = OPTION_EMPTY;
    else if (vendor && (has_controls(text) || !url_is_absolute(text)))
        ok = read_inside(value, type, arena, &f);
    else if (text.len > URL_BYTES_MAX)
        f.verdict = OPTION_LONG;
    else if (has_controls(text))
        f.verdict = OPTION_CONTROL;
    else
        ok = read_text(text, type, arena, &f);
    if (ok)
        *ret_finding = f;
    return ok;
}

size_t address_option_rank(uint16_t code, bool v6, const struct option_list *custom4, const struct option_list *custom6)
{
    uint16_t codes[OPTION_CUSTOMS_MAX + 2];
    size_t count = option_list_order(v6 ? custom6 : custom4, v6, codes);
    for (size_t i = 0; i < count; i++)
        if (codes[i] == code)
            return i + (v6 ? OPTION_CUSTOMS_MAX + 2 : 0);
    return SIZE_MAX;
}

const struct option_finding *address_option_choose(const struct option_finding *findings, size_t count,
                                                   const struct option_list *custom4, const struct option_list *custom6)
{
    const struct option_finding *best = NULL;
    size_t best_rank = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t rank = address_option_rank(findings[i].code, findings[i].v6, custom4, custom6);
        if (!findings[i].usable || rank >= best_rank)
            continue;
        best = &findings[i];
        best_rank = rank;
    }
    return best;
}
