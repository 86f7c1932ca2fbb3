/* What is changed without a body: removing, renaming, directories, whatever the protocol.
 *
 * Each asks the access rules itself: `overwrite` for what is there, `create` for a new directory and for a name that
 * nothing has yet; where they say no, or want a login, the answer is UPLOAD_FORBIDDEN. A name with a MAC is for that
 * phone alone where it is known who asks, as for uploads. Names are relative and decoded; leading slashes are skipped.
 *
 * They return when it is done, and do not wait for the disk: that follows on a thread of libuv's pool. UPLOAD_BUSY is
 * for now: a moment later it may go. */
#ifndef DIALTONE_SERVER_CHANGE_H
#define DIALTONE_SERVER_CHANGE_H

#include "server/upload.h"

/* A file. What a phone sent stays behind as its youngest version, for `dialtone local restore`. */
enum upload_answer change_remove(struct worker *w, const struct caller *caller, struct slice name);
/* A file, over another one too; or a directory, where nothing has the new name and no access rule is for something
 * below either name. What phones send keeps its name, and nothing else gets such a one. */
enum upload_answer change_rename(struct worker *w, const struct caller *caller, struct slice from, struct slice to);
/* In a directory that is there. */
enum upload_answer change_make_directory(struct worker *w, const struct caller *caller, struct slice name);
/* An empty one; what phones sent into it counts, its older versions do not. */
enum upload_answer change_remove_directory(struct worker *w, const struct caller *caller, struct slice name);

#endif
