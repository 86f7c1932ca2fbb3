/* Walks an XML resource file, as forgiving as the phones that made it and as hard as security.md R25 asks.
 *
 * Real files are not XML documents (facts.md 0.12): contact.xml has two elements at its top, phone books hold a bare
 * `&`, line ends stand before `<?xml`. Those are accepted with a finding. There is no document type, so no entity but
 * the five of the standard; depth, attributes and bytes are bounded and the time is linear in the input. */
#ifndef DIALTONE_GUIDE_XML_H
#define DIALTONE_GUIDE_XML_H

#include "base/diag.h"

#define XML_DEPTH_MAX 64
#define XML_ATTRIBUTES_MAX 256

struct xml_attribute {
    struct slice name, value;
};

struct xml_watch {
    /* An element begins; `depth` 0 is the top. Attributes are borrowed for the call. False ends the walk as bad:
     * the callee has said why in *why. */
    bool (*element)(void *context, struct slice name, const struct xml_attribute *attributes, size_t count,
                    unsigned depth, uint32_t line, struct slice *why);
    void *context;
};

/* UTF-8, or what the XML declaration or a byte order mark says (UTF-16, ISO-8859-1). True: read to its end. False:
 * *ret_why says what is wrong ("line 7: mismatched tag"), in the arena. */
bool xml_walk(struct slice bytes, struct slice file, const struct xml_watch *watch, struct diag *findings,
              struct arena *arena, struct slice *ret_why);

#endif
