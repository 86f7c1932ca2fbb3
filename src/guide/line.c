#include "guide/line.h"

#include "guide/seal.h"

enum tolerance {
    SAID_BOM = 1,
    SAID_LATE_HEADER = 2,
    SAID_ENCODING = 4,
    SAID_INDENT = 8,
    SAID_TRAILING = 16,
    SAID_NO_FINAL_END = 32
};

#define BOM SLICE("\xef\xbb\xbf")

static struct slice without_bom(struct slice bytes)
{
    return slice_starts(bytes, BOM) ? slice_from(bytes, BOM.len) : bytes;
}

/* Ends text files of old editors, where the last line would end. */
#define END_MARK 0x1a

/* Control bytes that text does not hold. */
static size_t count_controls(struct slice bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        count += byte_is_control(c) && c != '\t' && c != '\r' && c != '\n' && c != '\f' && c != END_MARK;
    }
    return count;
}

static const char *refusal_by_start(struct slice bytes)
{
    static const struct {
        struct slice start;
        const char *why;
    } table[] = {
        { { "\xff\xfe", 2 }, "UTF-16 text; save it as ASCII or UTF-8" },
        { { "\xfe\xff", 2 }, "UTF-16 text; save it as ASCII or UTF-8" },
        { { "#!encrypt:", 10 }, "encrypted in RSA mode; this phone has no key for it" },
        { { "<!doctype html", 14 }, "an HTML page, not a configuration file" },
        { { "<html", 5 }, "an HTML page, not a configuration file" },
        { { "<?xml", 5 }, "an XML file, not a configuration file" },
    };
    struct slice text = slice_trim(without_bom(bytes));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (slice_starts_nocase(text, table[i].start))
            return table[i].why;
    /* Many resource files have no declaration (facts.md 8.1), nor have error pages. */
    if (text.len > 1 && text.ptr[0] == '<' && (byte_is_alpha(text.ptr[1]) || text.ptr[1] == '!'))
        return "XML or HTML, not a configuration file";
    return NULL;
}

static bool only_brackets(struct slice text)
{
    return text.len >= 2 && text.ptr[0] == '[' && slice_find(text, ']') == text.len - 1;
}

static bool names_models(struct slice list)
{
    struct slice name;
    while (slice_cut(&list, ',', &name))
        if (!model_find(slice_trim(name)))
            return false;
    return true;
}

/* Firmware V6x wrote `[ cfg:/phone/config/user.ini,reboot=0 ]`, `[ account ]`, `[ DNS ]` and `;;` comments (facts.md
 * 7.9): a blank behind the bracket or small letters, which a list of models has not, not even a misspelt one. */
static bool is_section(struct slice text)
{
    if (!only_brackets(text) || names_models(slice_from(slice_first(text, text.len - 1), 1)))
        return false;
    bool section = text.ptr[1] == ' ' || text.ptr[1] == '\t';
    for (size_t i = 1; i < text.len - 1 && !section; i++)
        section = (text.ptr[i] >= 'a' && text.ptr[i] <= 'z') || text.ptr[i] == ':' || text.ptr[i] == '/';
    return section;
}

static bool starts_with_section(struct slice bytes)
{
    struct slice text;
    bytes = without_bom(bytes);
    while (slice_cut(&bytes, '\n', &text)) {
        text = slice_trim(text);
        if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == ';')
            continue;
        return is_section(text);
    }
    return false;
}

const char *line_refusal(struct slice bytes)
{
    /* Enough to see what a file is. */
    struct slice head = slice_first(bytes, 4096);
    const char *why = refusal_by_start(bytes);
    if (why)
        return why;
    if (seal_form(bytes) == SEAL_AES)
        return "looks encrypted (AES); this phone has no key for it";
    if (count_controls(head) > head.len / 32)
        return "binary data, not a configuration file";
    if (starts_with_section(bytes))
        return "the old [ section ] format of firmware 6x and earlier; write it anew as `parameter = value`";
    return NULL;
}

void line_reader_init(struct line_reader *r, struct slice bytes, struct slice file, struct diag *findings)
{
    *r = (struct line_reader){ .rest = bytes, .file = file, .findings = findings };
    if (slice_find(bytes, '\r') < bytes.len && slice_find(bytes, '\n') == bytes.len)
        diag_add(findings, SEVERITY_ERROR, (struct place){ file, 1, 0 },
                 "lines end in CR alone: phones see one single line");
}

static void say_once(struct line_reader *r, enum tolerance what, enum severity severity, uint32_t column,
                     const char *text)
{
    if (r->said & what)
        return;
    r->said |= what;
    diag_add(r->findings, severity, (struct place){ r->file, r->number, column }, "%s", text);
}

/* The raw line without its end; false at the end of the file. */
static bool take_line(struct line_reader *r, struct slice *ret_text)
{
    size_t before = r->rest.len;
    struct slice text;
    if (!slice_cut(&r->rest, '\n', &text))
        return false;
    r->number++;
    bool ended = before > text.len;
    bool cr = text.len && text.ptr[text.len - 1] == '\r';
    if (cr || (!ended && text.ptr[text.len - 1] == END_MARK))
        text.len--;
    if (ended && cr && !r->crlf && !r->lf)
        diag_add(r->findings, SEVERITY_NOTE, (struct place){ r->file, r->number, 0 }, "lines end in CR LF");
    if (ended && (cr ? r->lf && !r->crlf : r->crlf && !r->lf))
        diag_add(r->findings, SEVERITY_NOTE, (struct place){ r->file, r->number, 0 },
                 "line ends are mixed, CR LF and LF");
    r->crlf = r->crlf || (ended && cr);
    r->lf = r->lf || (ended && !cr);
    if (!ended && slice_trim(text).len)
        say_once(r, SAID_NO_FINAL_END, SEVERITY_NOTE, 0, "the last line has no line end");
    *ret_text = text;
    return true;
}

static void look_at_bytes(struct line_reader *r, struct slice text)
{
    if (r->said & SAID_ENCODING)
        return;
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_length(slice_from(text, i));
        if (len == 0) {
            say_once(r, SAID_ENCODING, SEVERITY_NOTE, (uint32_t)i + 1, "bytes that are not UTF-8");
            return;
        }
        i += len;
    }
}

static bool is_header(struct slice text)
{
    return slice_starts_nocase(text, SLICE("#!version")) || slice_starts_nocase(text, SLICE("#!/version"));
}

static void look_at_header(struct line_reader *r, struct slice raw, struct slice text)
{
    struct place at = { r->file, r->number, (uint32_t)(text.ptr - raw.ptr) + 1 };
    if (r->header_seen)
        return;
    r->header_seen = true;
    if (slice_starts_nocase(text, SLICE("#!/")))
        diag_add(r->findings, SEVERITY_NOTE, at, "the header is written `#!version:1.0.0.1`, without a slash");
    else if (!slice_eq(text, SLICE("#!version:1.0.0.1")))
        diag_add(r->findings, SEVERITY_NOTE, at, "the header must appear as `#!version:1.0.0.1`");
    if (r->number > 1)
        diag_add(r->findings, SEVERITY_WARNING, at, "the header must stand in the first line");
    else if (text.ptr != raw.ptr)
        diag_add(r->findings, SEVERITY_NOTE, at, "blanks before the header");
}

/* Says that the header is missing, where the first content shows it. */
static void look_for_header(struct line_reader *r)
{
    if (r->header_seen || r->header_sought)
        return;
    r->header_sought = true;
    struct slice rest = r->rest, text;
    while (slice_cut(&rest, '\n', &text))
        if (is_header(slice_trim(text)))
            return;
    r->header_seen = true;
    diag_add(r->findings, SEVERITY_WARNING, (struct place){ r->file, 1, 0 },
             "no header: the first line must be `#!version:1.0.0.1`");
}

static void look_at_spacing(struct line_reader *r, struct slice raw, struct slice text)
{
    size_t indent = (size_t)(text.ptr - raw.ptr);
    if (indent)
        say_once(r, SAID_INDENT, SEVERITY_NOTE, (uint32_t)indent + 1, "the line is indented");
    if (indent + text.len < raw.len)
        say_once(r, SAID_TRAILING, SEVERITY_NOTE, (uint32_t)(indent + text.len) + 1, "blanks at the end of the line");
}

static void look_at_names(const struct line_reader *r, const struct line *line)
{
    struct slice rest = line->models, name;
    if (rest.len == 0)
        diag_add(r->findings, SEVERITY_WARNING, line_place(r, line, rest.ptr), "an empty [MODEL] prefix");
    while (slice_cut(&rest, ',', &name)) {
        name = slice_trim(name);
        const struct model *model = model_find(name);
        if (name.len == 0)
            diag_add(r->findings, SEVERITY_WARNING, line_place(r, line, name.ptr), "an empty name in a [MODEL] prefix");
        else if (!model)
            diag_add(r->findings, SEVERITY_WARNING, line_place(r, line, name.ptr),
                     "%.*s is no phone model that a [MODEL] prefix can name", SLICE_ARG(name));
        else if (model->name.len == 0)
            diag_add(r->findings, SEVERITY_WARNING, line_place(r, line, name.ptr),
                     "no [MODEL] prefix can name a %.*s", SLICE_ARG(model->product));
        else if (!model_answers_to(model, name))
            diag_add(r->findings, SEVERITY_WARNING, line_place(r, line, name.ptr),
                     "a [MODEL] prefix names this phone %.*s, not %.*s", SLICE_ARG(model->name), SLICE_ARG(name));
    }
}

/* True when the line has content; false when its brackets were all. */
static bool split_prefix(const struct line_reader *r, struct slice text, struct line *line)
{
    size_t close = slice_find(text, ']');
    line->content = text;
    if (text.ptr[0] != '[' || close == text.len)
        return true;
    line->has_prefix = true;
    line->models = slice_trim(slice_from(slice_first(text, close), 1));
    line->content = slice_trim(slice_from(text, close + 1));
    line->column += (uint32_t)(line->content.ptr - text.ptr);
    bool old_section = is_section(text);
    if (old_section)
        diag_add(r->findings, SEVERITY_ERROR, line_place(r, line, text.ptr),
                 "an old [ section ]: phones do not read it; the line is ignored");
    else
        look_at_names(r, line);
    if (!old_section && line->content.len == 0)
        diag_add(r->findings, SEVERITY_ERROR, line_place(r, line, text.ptr),
                 "a [MODEL] prefix must stand on the line of what it belongs to");
    return line->content.len > 0;
}

bool line_next(struct line_reader *r, struct line *ret_line)
{
    struct slice raw;
    while (take_line(r, &raw)) {
        if (r->number == 1 && slice_starts(raw, BOM)) {
            raw = slice_from(raw, BOM.len);
            say_once(r, SAID_BOM, SEVERITY_NOTE, 1, "a byte order mark before the header");
        }
        look_at_bytes(r, raw);
        struct slice text = slice_trim(raw);
        if (text.len && is_header(text))
            look_at_header(r, raw, text);
        if (text.len == 0 || text.ptr[0] == '#')
            continue;
        look_for_header(r);
        look_at_spacing(r, raw, text);
        struct line line = { .number = r->number, .content = text };
        line.column = (uint32_t)(text.ptr - raw.ptr) + 1;
        if (!split_prefix(r, text, &line))
            continue;
        *ret_line = line;
        return true;
    }
    return false;
}

struct place line_place(const struct line_reader *r, const struct line *line, const char *within)
{
    /* The column counts from the content, which `within` may stand before (in the prefix) or after. */
    ptrdiff_t offset = within ? within - line->content.ptr : 0;
    return (struct place){ r->file, line->number, (uint32_t)((ptrdiff_t)line->column + offset) };
}

bool line_split(const struct line *line, struct slice *ret_key, struct slice *ret_value)
{
    size_t equals = slice_find(line->content, '=');
    struct slice key = slice_trim(slice_first(line->content, equals));
    if (equals == line->content.len || key.len == 0)
        return false;
    *ret_key = key;
    *ret_value = slice_trim(slice_from(line->content, equals + 1));
    return true;
}

bool line_models_match(struct slice models, const struct model *model)
{
    struct slice name;
    while (slice_cut(&models, ',', &name))
        if (model_answers_to(model, slice_trim(name)))
            return true;
    return false;
}
