/* What boot files and CFG files share: lines, comments, the header, [MODEL] prefixes, positions.
 *
 * Tolerant as phones are (facts.md 8.1): a byte order mark, CR LF or LF or both, no final line end, blanks
 * and tabs anywhere, a header that is late, missing or written `#!/version:` (facts.md 0.2), bytes that are
 * not UTF-8. Each tolerance is a finding, said once a file at its first place.
 *
 * Source: guide, the guideline tables of "Editing Common Boot File" and "Editing Common CFG File". */
#ifndef DIALTONE_GUIDE_LINE_H
#define DIALTONE_GUIDE_LINE_H

#include "base/diag.h"
#include "guide/model.h"

/* A file that no phone can use as boot file or CFG file, and why: "an HTML page, not a configuration",
 * "looks encrypted ...", "the old [ section ] format ...". NULL: it is text of the right kind. */
const char *line_refusal(struct slice bytes);

struct line {
    uint32_t number; /* from 1 */
    uint32_t column; /* of the content's first byte, from 1 */
    bool has_prefix;
    struct slice models;  /* inside the brackets of a prefix, as written */
    struct slice content; /* behind the prefix, trimmed; never empty */
};

struct line_reader {
    struct slice rest;
    struct slice file; /* its name, for findings */
    struct diag *findings;
    uint32_t number;
    bool header_seen, header_sought;
    unsigned said; /* tolerances already told */
    bool crlf, lf;
};

/* Both slices are borrowed; `findings` may be NULL. */
void line_reader_init(struct line_reader *r, struct slice bytes, struct slice file, struct diag *findings);
/* The next line that is neither blank, comment nor header. */
bool line_next(struct line_reader *r, struct line *ret_line);
/* A place on the line for findings. `within` points into the line's text, or is NULL for its start. */
struct place line_place(const struct line_reader *r, const struct line *line, const char *within);

/* Splits `key = value` at the first `=`, both trimmed. False when there is no `=` or no key. */
bool line_split(const struct line *line, struct slice *ret_key, struct slice *ret_value);

/* Whether a prefix `T46S, T48S` names this phone. Spaces around names do not count. */
bool line_models_match(struct slice models, const struct model *model);

#endif
