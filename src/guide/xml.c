#include "guide/xml.h"

#include "guide/utf16.h"

#include <expat.h>

struct walk {
    const struct xml_watch *watch;
    struct diag *findings;
    struct arena *arena;
    struct slice file;
    XML_Parser parser;
    uint32_t lines_before; /* of what was left out in front */
    unsigned depth, roots; /* the top is ours, at depth 0 */
    bool ampersand_said;
    struct slice why;
};

static uint32_t line_of(const struct walk *w)
{
    return (uint32_t)XML_GetCurrentLineNumber(w->parser) + w->lines_before;
}

static void stop(struct walk *w, const char *why)
{
    if (w->why.len == 0)
        arena_format(w->arena, &w->why, "line %u: %s", line_of(w), why);
    XML_StopParser(w->parser, XML_FALSE);
}

static void note(struct walk *w, uint32_t line, const char *what)
{
    diag_add(w->findings, SEVERITY_NOTE, (struct place){ w->file, line, 0 }, "%s", what);
}

static size_t gather(const char **pairs, struct xml_attribute *attributes)
{
    size_t count = 0;
    for (; pairs[2 * count] && count < XML_ATTRIBUTES_MAX; count++)
        attributes[count] = (struct xml_attribute){ slice_str(pairs[2 * count]), slice_str(pairs[2 * count + 1]) };
    return pairs[2 * count] ? XML_ATTRIBUTES_MAX + 1 : count;
}

static void on_start(void *context, const char *name, const char **pairs)
{
    struct walk *w = context;
    struct xml_attribute attributes[XML_ATTRIBUTES_MAX];
    unsigned depth = w->depth++;
    if (depth == 0)
        return;
    size_t count = gather(pairs, attributes);
    struct slice why = SLICE_NONE;
    if (depth == 1 && ++w->roots == 2)
        note(w, line_of(w), "more than one element at the top: not XML, but phones write it so");
    if (count > XML_ATTRIBUTES_MAX)
        stop(w, "too many attributes");
    else if (depth > XML_DEPTH_MAX)
        stop(w, "nested too deeply");
    else if (!w->watch->element(w->watch->context, slice_str(name), attributes, count, depth - 1, line_of(w), &why))
        stop(w, why.ptr);
}

static void on_end(void *context, const char *name)
{
    struct walk *w = context;
    (void)name;
    w->depth--;
}

static bool feed(struct walk *w, struct slice text, bool last)
{
    /* Expat counts in int. */
    while (text.len > 1 << 20) {
        if (XML_Parse(w->parser, text.ptr, 1 << 20, 0) != XML_STATUS_OK)
            return false;
        text = slice_from(text, 1 << 20);
    }
    return XML_Parse(w->parser, text.ptr, (int)text.len, last) == XML_STATUS_OK;
}

/* `&amp;`, `&#38;`, `&#x26;`. */
static bool is_reference(struct slice s)
{
    static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_starts(s, slice_str(known[i])))
            return true;
    size_t end = slice_find(slice_first(s, 12), ';');
    uint64_t number;
    struct slice digits = slice_from(slice_first(s, end), 2);
    if (!slice_starts(s, SLICE("&#")) || end >= 12)
        return false;
    return slice_u64(digits, 1, 0x10ffff, &number) ||
           (slice_starts(digits, SLICE("x")) && slice_hex_u64(slice_from(digits, 1), 1, 0x10ffff, &number));
}

/* Everything else that begins with `&` is one that nobody escaped. */
static bool feed_content(struct walk *w, struct slice text)
{
    while (text.len) {
        size_t at = slice_find(text, '&');
        if (!feed(w, slice_first(text, at), false))
            return false;
        text = slice_from(text, at);
        if (text.len == 0)
            break;
        bool reference = is_reference(text);
        if (!reference && !w->ampersand_said)
            note(w, line_of(w), "a bare & where &amp; should stand");
        w->ampersand_said |= !reference;
        if (!feed(w, reference ? SLICE("&") : SLICE("&amp;"), false))
            return false;
        text = slice_from(text, 1);
    }
    return true;
}

static uint32_t count_lines(struct slice s)
{
    uint32_t lines = 0;
    for (size_t i = 0; i < s.len; i++)
        lines += s.ptr[i] == '\n';
    return lines;
}

/* Mark, blank lines and the declaration, which may not stand inside of our own top. */
static bool leave_out_front(struct walk *w, struct slice *text, struct slice *ret_encoding)
{
    struct slice all = *text, front = all;
    *ret_encoding = SLICE_NONE;
    if (slice_starts(*text, SLICE("\xef\xbb\xbf")))
        *text = slice_from(*text, 3);
    struct slice marked = *text;
    while (text->len && (text->ptr[0] == ' ' || text->ptr[0] == '\t' || text->ptr[0] == '\r' || text->ptr[0] == '\n'))
        *text = slice_from(*text, 1);
    if (slice_starts(*text, SLICE("<?xml"))) {
        size_t end = slice_find_text(*text, SLICE("?>"));
        if (end == text->len)
            return false;
        if (marked.len != text->len)
            note(w, 1, "blanks before <?xml: not XML, but phones write it so");
        *ret_encoding = slice_first(*text, end);
        *text = slice_from(*text, end + 2);
    }
    front.len = all.len - text->len;
    w->lines_before = count_lines(front);
    return true;
}

static const char *encoding_of(struct slice declaration)
{
    static const char *const known[] = { "ISO-8859-1", "US-ASCII" };
    size_t at = slice_find_text(declaration, SLICE("encoding"));
    struct slice rest = slice_from(declaration, at);
    size_t quote = slice_find(rest, '"') < rest.len ? slice_find(rest, '"') : slice_find(rest, '\'');
    struct slice value = slice_from(rest, quote + 1);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_starts_nocase(value, slice_str(known[i])))
            return known[i];
    return "UTF-8";
}

static bool walk(struct walk *w, struct slice text)
{
    if (!feed(w, SLICE("<top>"), false) || !feed_content(w, text))
        return false;
    if (!feed(w, SLICE("</top>"), true))
        return false;
    if (w->roots)
        return true;
    w->why = SLICE("it holds no element");
    return false;
}

static void say_why(struct walk *w)
{
    if (w->why.len)
        return;
    enum XML_Error error = XML_GetErrorCode(w->parser);
    bool ended = error == XML_ERROR_TAG_MISMATCH || error == XML_ERROR_NO_ELEMENTS ||
                 error == XML_ERROR_UNCLOSED_TOKEN;
    const char *words = ended && w->depth > 1 ? "ends in the middle, or a tag is not closed" : XML_ErrorString(error);
    stop(w, words);
}

bool xml_walk(struct slice bytes, struct slice file, const struct xml_watch *watch, struct diag *findings,
              struct arena *arena, struct slice *ret_why)
{
    struct walk w = { .watch = watch, .findings = findings, .arena = arena, .file = file };
    struct slice text = bytes, declaration;
    *ret_why = SLICE("out of memory");
    bool wide = utf16_is(bytes);
    if (wide && !utf16_to_utf8(bytes, arena, &text))
        return false;
    *ret_why = SLICE("the XML declaration does not end");
    if (!leave_out_front(&w, &text, &declaration))
        return false;
    *ret_why = SLICE("a document type (DTD) is not accepted");
    if (slice_find_text(text, SLICE("<!DOCTYPE")) < text.len || slice_find_text(text, SLICE("<!ENTITY")) < text.len)
        return false;
    *ret_why = SLICE("out of memory");
    w.parser = XML_ParserCreate(wide ? "UTF-8" : encoding_of(declaration));
    if (!w.parser)
        return false;
    XML_SetUserData(w.parser, &w);
    XML_SetElementHandler(w.parser, on_start, on_end);
    bool good = walk(&w, text);
    if (!good)
        say_why(&w);
    XML_ParserFree(w.parser);
    *ret_why = w.why;
    return good;
}
