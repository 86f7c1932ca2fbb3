/* users.file: users by the ten thousand, one `NAME:HASH` a line, as `dialtone passwd --file` writes it.
 *
 * Blank lines and lines that begin with `#` are skipped. NAME is a user's name (server/user_hash.h), HASH what
 * user_hash_parse() reads. Whoever can read the file can log in as anybody in it, so it has to be its owner's and
 * its group's alone (security.md R27). */
#ifndef DIALTONE_SERVER_USERS_FILE_H
#define DIALTONE_SERVER_USERS_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "server/users.h"

/* 50,000 phones are 15 MiB. */
#define USERS_FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* The bytes are malloc'd: cleanse and free. 0, or a negative errno and in `why` a line that names the file. */
int users_file_read(const char *path, struct buf *why, char **ret_bytes, size_t *ret_len);
/* The next line that is a user's: cut off from *rest, *line counted on. False at the end. `ret_hash` is what stands
 * behind the first colon, not looked at. */
bool users_file_next(struct slice *rest, uint32_t *line, struct slice *ret_name, struct slice *ret_hash);
/* Users of the file behind the `count` that are in `list` already, all into the arena. 0, or a negative errno and
 * `why` with file and line. */
int users_file_add(const char *path, const struct user *list, size_t count, struct arena *arena, struct buf *why,
                   struct user **ret_list, size_t *ret_count);

#endif
