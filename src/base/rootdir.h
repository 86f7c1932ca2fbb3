/* Files beneath one directory, and nothing else.
 *
 * Every name is resolved by the kernel with openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
 * RESOLVE_NO_SYMLINKS), so neither `..`, an absolute name nor a symbolic link made between check and use
 * leads out (security.md R1, R2). One option allows symbolic links that stay beneath. */
#ifndef DIALTONE_BASE_ROOTDIR_H
#define DIALTONE_BASE_ROOTDIR_H

#include "base/arena.h"

#include <sys/types.h>

/* Linux's own ceilings. */
#define ROOTDIR_PATH_MAX 4095
#define ROOTDIR_NAME_MAX 255

struct rootdir {
    int fd; /* -1: not open */
    bool follow_symlinks;
};

/* 0 or a negative errno. The path is an operator's, not a peer's. */
int rootdir_open_root(const char *path, bool follow_symlinks, struct rootdir *ret_root);
void rootdir_close(struct rootdir *root);

/* True for a relative name that a peer may ask for: no NUL, no other control byte, no backslash, no `..` or
 * `.` segment, no empty segment, no leading slash, within Linux's lengths. "" is not a name. */
bool rootdir_name_ok(struct slice name);
/* A name as a peer asks for it without its leading slashes: what is looked up, and what access rules see. */
struct slice rootdir_name(struct slice asked);

/* Opens beneath the root with O_CLOEXEC | O_NONBLOCK added: a FIFO in the tree cannot hold a worker.
 * 0 and a descriptor that the caller closes, or a negative errno: -EINVAL for a name that is not ok,
 * -EXDEV or -ELOOP for one that leads out. "." opens the root itself. */
int rootdir_open(const struct rootdir *root, struct slice name, int flags, int *ret_fd);
/* Fills `into` from a descriptor; fewer bytes only at the end of the file. Or a negative errno. */
ssize_t rootdir_read_at(int fd, uint64_t offset, void *into, size_t len);
/* The whole of a regular file, at most `limit` bytes. -EFBIG when it is longer, -EISDIR, -ENOENT ... */
int rootdir_read(const struct rootdir *root, struct slice name, size_t limit, struct arena *arena,
                 struct slice *ret_bytes);

/* What rootdir_list meets: `name` is relative to the root and borrowed for the call. False stops the walk. */
struct rootdir_entry {
    struct slice name;
    bool is_directory;
    off_t size; /* bytes */
};
typedef bool rootdir_visit(void *context, const struct rootdir_entry *entry);
/* The regular files and directories directly in `directory` ("." for the root), sorted by name; other kinds
 * are left out. At most `limit` entries: -EMFILE past that. */
int rootdir_list(const struct rootdir *root, struct slice directory, size_t limit, struct arena *arena,
                 rootdir_visit *visit, void *context);

/* Puts `bytes` under `name` whole or not at all: temporary file, fsync, rename, fsync of the directory.
 * Mode 0600. 0 or a negative errno; the old file stays on any failure. */
int rootdir_replace(const struct rootdir *root, struct slice name, struct slice bytes);

/* The same in steps, for who has more to say or gets the bytes one by one. All give 0 or a negative errno. */

/* The directory part, "." for none, and the last segment. */
void rootdir_split(struct slice name, struct slice *ret_directory, struct slice *ret_last);
#define ROOTDIR_TEMPORARY_BYTES 48
/* A new empty file in `dirfd`, for writing, with a name that no other has. */
int rootdir_temporary(int dirfd, mode_t mode, char into[ROOTDIR_TEMPORARY_BYTES], int *ret_fd);
/* Whether a last segment is such a name: not to be served, and what is left of one that died. */
bool rootdir_is_temporary(struct slice last);
/* All of the bytes, at the descriptor's position. */
int rootdir_write(int fd, struct slice bytes);
/* The first `len` bytes of one file over the first of another. -ESTALE when there are fewer. */
int rootdir_copy(int from, int to, uint64_t len);
/* fsync of the temporary file, rename, fsync of the directory. A symbolic link is replaced, never followed; a directory
 * is -EISDIR. Unless `may_replace`, -EEXIST when anything has the name. The temporary file is gone after an error, but
 * for one of the last fsync, when the new file is there. */
int rootdir_place(int dirfd, int fd, const char *temporary, const char *name, bool may_replace);
/* The first in byte order of the entries of `dirfd` that are `name` when case does not count; -ENOENT. */
int rootdir_spelling(int dirfd, struct slice name, char into[ROOTDIR_NAME_MAX + 1]);

#endif
