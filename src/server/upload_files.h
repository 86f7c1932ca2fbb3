/* Uploads on the disk: a directory that mirrors the tree's directories, used by the server and by `dialtone local`.
 *
 *   desk/00156574b150-local.cfg        what the phone sent last
 *   desk/.00156574b150-local.cfg.1     what it had sent before that; .2 is older, and so on
 *   desk/.dialtone-123-7.tmp           on its way
 *
 * Versions lie beside their file, not in a directory of their own: link and rename within one directory work
 * behind every Landlock, and one fsync settles both. Names with a leading dot are never served.
 *
 * Everything here may wait for the disk. Nothing here locks: one writer at a time for one directory. */
#ifndef DIALTONE_SERVER_UPLOAD_FILES_H
#define DIALTONE_SERVER_UPLOAD_FILES_H

#include "base/buf.h"
#include "base/rootdir.h"

#define UPLOAD_VERSIONS_MAX 100
/* A version's name: its file's is twelve digits and one of six endings. */
#define UPLOAD_NAME_BYTES 64

/* ".00156574b150-local.cfg.2", terminated. */
void upload_files_version_name(struct slice last, unsigned version, char into[UPLOAD_NAME_BYTES]);

/* Opens the directory of `name` beneath the uploads for reading; with `make`, missing ones are made, mode 0700. */
int upload_files_directory(const struct rootdir *uploads, struct slice directory, bool make, int *ret_fd);

/* What became of the numbers on the disk, for quotas: what is gone of the files and bytes that there were, the
 * temporary file among them. */
struct upload_gone {
    uint64_t files, bytes;
};
/* Makes the written temporary file the current one, whole or not at all: fsync of the file, the old one becomes
 * version 1 and the others move up to `versions`, rename over, fsync of the directory. A file that holds the same
 * bytes as the current one changes nothing and is dropped. On an error the old file is what it was, and the
 * temporary one is gone; only when the last fsync fails may the new file be there. */
int upload_files_install(int dirfd, int fd, const char *temporary, const char *name, unsigned versions,
                         struct upload_gone *ret_gone);

/* The current file becomes version 1, so that `dialtone local restore` can bring it back; with `versions` 0 it is
 * gone for good. -ENOENT when there is none. */
int upload_files_remove(int dirfd, const char *name, unsigned versions, struct upload_gone *ret_gone);

/* Files and bytes beneath `directory` of the uploads, or of a tree, "." for all; -ENOENT. What was on its way when a
 * server died is removed: where `old_s` is not 0, when nobody has touched it for so many seconds. */
int upload_files_count(const struct rootdir *root, struct slice directory, unsigned old_s, uint64_t *ret_files,
                       uint64_t *ret_bytes);

/* The files beneath, versions too, as names of the tree. 0 or a negative errno. */
int upload_files_names(const struct rootdir *root, void (*each)(void *context, struct slice name), void *context);

#endif
