/* users.file (server/users_file.h), changed: lines put in and taken out, the rest as it is, comments too. */
#ifndef DIALTONE_CLI_PASSWD_FILE_H
#define DIALTONE_CLI_PASSWD_FILE_H

#include "server/users_file.h"

struct passwd_change {
    struct slice name;
    struct slice line; /* `NAME:HASH`; "": whoever has this name is taken out */
};

/* Makes the file when it is missing, mode 0600; else it keeps its owner and mode. Replaced whole or not at all,
 * by one program at a time. A MAC is the same in every spelling. 0, or a negative errno and `why` in one line;
 * *ret_known is how many of the names were there before. */
int passwd_file_change(const char *path, const struct passwd_change *changes, size_t count, struct arena *arena,
                       struct buf *why, size_t *ret_known);

#endif
