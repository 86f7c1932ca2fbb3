/* UTF-16 text as UTF-8: language packs are UTF-16LE with a byte order mark as often as not (facts.md 0.12). */
#ifndef DIALTONE_GUIDE_UTF16_H
#define DIALTONE_GUIDE_UTF16_H

#include "base/arena.h"

/* Whether a byte order mark of UTF-16, either end first, begins it. */
bool utf16_is(struct slice bytes);
/* Without the mark. A lone surrogate becomes U+FFFD, an odd last byte is left out. False: out of memory. */
bool utf16_to_utf8(struct slice bytes, struct arena *arena, struct slice *ret_text);

#endif
