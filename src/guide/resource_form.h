/* How resource files that are not XML are checked: enough to refuse what is cut off or another thing altogether, such
 * as a server's error page under the name of a ring tone. */
#ifndef DIALTONE_GUIDE_RESOURCE_FORM_H
#define DIALTONE_GUIDE_RESOURCE_FORM_H

#include "guide/resource.h"

/* NULL, or what is wrong with it, static. *ret_entries counts what the form has several of. */
const char *resource_form_fault(enum resource_form form, struct slice name, struct slice bytes, struct arena *arena,
                                size_t *ret_entries);

#endif
