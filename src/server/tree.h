/* The one question that four protocols ask: which bytes, for which phone, under this name?
 *
 * The answer is the same whatever the protocol. Names arrive decoded once by the protocol's codec; they are
 * resolved by the kernel beneath the tree's directory descriptor (base/rootdir.h, security.md R1 and R2).
 * Small files are kept in memory as immutable blobs and forgotten when inotify says that something changed;
 * large ones are handed out as a descriptor. The events are read at the start of every question: what was
 * changed before the question was put is never answered from memory, and a tree that is written to while
 * nobody asks costs nothing. Not kept, because inotify does not tell of their changes: files with more than
 * one hard link, files reached through a symbolic link, and everything on network file systems. A write
 * through a shared memory mapping is not seen either, until the next other change or SIGHUP. The root itself
 * is the directory that was opened at start: one put in its place by rename takes a restart.
 *
 * MAC-oriented names are found whatever the case of their letters (the guide asks for lower case; trees in the
 * wild hold both, facts.md 8.1): exact first, then the first in byte order.
 *
 * With tree_ignore_case() that holds for every name and for each directory on the way to it (root.ignore_case): the
 * programs of Windows that dialtone replaces serve trees so. Names below a directory that is spelled otherwise are not
 * kept in memory.
 *
 * What phones have sent lies in a directory of its own, as a tree laid over this one (tree_overlay).
 *
 * A tree belongs to one loop and one thread; every worker has its own over the same directory. */
#ifndef DIALTONE_SERVER_TREE_H
#define DIALTONE_SERVER_TREE_H

#include "base/buf.h"
#include "base/rootdir.h"

#include <time.h>

struct loop;
struct tree;

/* Files up to this size live in memory. A CFG file has some tens of kilobytes, a boot file less than one. */
#define TREE_BLOB_BYTES_MAX ((size_t)64 * 1024)
/* Ceiling for all blobs of one tree: some thousand CFG files; the least recently asked go first. */
#define TREE_CACHE_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* Ceiling for remembered absences: some 60,000 phones that ask for a `<mac>.boot` that is not there. */
#define TREE_ABSENT_BYTES_MAX ((size_t)8 * 1024 * 1024)
/* Directories that are watched at once; past that everything is forgotten and learnt anew. */
#define TREE_DIRECTORIES_MAX 4096

/* Immutable once made. Freed when the cache and every transfer have let go. */
struct blob;
struct slice blob_bytes(const struct blob *b);
/* The same bytes for sendfile, when there are enough of them to be worth it; -1 otherwise. The blob's. */
int blob_descriptor(const struct blob *b);

enum tree_answer {
    TREE_FILE,      /* *ret_file is filled */
    TREE_ABSENT,    /* no such file */
    TREE_BAD_NAME,  /* a name that no phone asks for: `..`, control bytes, too long */
    TREE_FORBIDDEN, /* there, but not to be given: a symbolic link, no permission, not a regular file */
    TREE_DIRECTORY,
    TREE_BROKEN,    /* the machine failed: EIO, out of memory or descriptors */
    TREE_GUARDED    /* said by server/guard.h, never by a tree: too many phones that nobody knows were asked for */
};
/* "absent", "refused name" ... one word or two for logs. */
const char *tree_answer_words(enum tree_answer answer);

/* A file as it was at the moment of asking. */
struct tree_file {
    struct blob *blob; /* small file; then fd is -1 */
    int fd;            /* large file, for pread and sendfile; owned */
    uint64_t size;     /* bytes */
    struct timespec mtime;
    struct timespec ctime; /* ctime and links are for tree_file_unchanged() */
    uint64_t links;
    bool uploaded; /* a phone sent it: not of the administrator's tree */
    uint64_t etag; /* of inode, size and mtime: changes when the file does; the same in every worker */
};

struct tree_question {
    /* Relative, decoded; leading slashes are skipped. "" or "/" is the root: TREE_DIRECTORY. */
    struct slice name;
};

/* Keeps files in memory and watches them for `loop`, the one whose thread asks; NULL loop: no cache at all
 * (explain, check, tests). The root is borrowed, its path is for messages. 0 or a negative errno. */
int tree_open(const struct rootdir *root, const char *root_path, struct loop *loop, struct tree **ret_tree);
/* Lays a tree of what phones sent over `t`, which owns it from then on: a name that phones send (guide/name.h) is
 * looked for there first, with its last segment in lower case, as uploads are stored. Each of the two watches and
 * keeps its own root, so a file that comes or goes in either is seen at the next question. */
void tree_overlay(struct tree *t, struct tree *uploads);
/* From now on case does not count in names; here and in what is laid over it. */
void tree_ignore_case(struct tree *t);
/* A directory as it is spelled on the disk, "." for the root; false when there is none, or no room. */
bool tree_directory_spelling(struct tree *t, struct slice directory, struct buf *ret_spelling);
void tree_close(struct tree *t);
enum tree_answer tree_ask(struct tree *t, const struct tree_question *q, struct tree_file *ret_file);
void tree_file_release(struct tree_file *file);
/* False when a large file is no longer what it was when asked (size, mtime or ctime moved): the transfer must
 * end. A file that was replaced by rename or deleted meanwhile is still whole behind its descriptor: true. */
bool tree_file_unchanged(const struct tree_file *file);
/* Bytes at `offset`, fewer only at the end of the file; negative errno, -ESTALE when the file changed. */
ssize_t tree_file_read(const struct tree_file *file, uint64_t offset, void *into, size_t len);
/* Forgets everything (SIGHUP). Blobs that a transfer holds live on. */
void tree_forget(struct tree *t);

/* What is directly in a directory, one entry a call, in the directory's own order: nothing is gathered, so a large
 * one costs no memory and can be read a little at a time. Left out: what cannot be asked for by name (control
 * bytes, backslashes), what is neither file nor directory, links but those that root.follow_symlinks lets be
 * followed beneath the root. What phones have sent comes last, and in place of what the tree has under such a name. */
struct tree_listing;
struct tree_entry {
    struct slice name; /* one segment; borrowed until the next call */
    bool is_directory;
    uint64_t size;   /* bytes */
    int64_t mtime_s; /* since 1970-01-01 UTC */
};
/* A bound on one listing (security.md R9): more entries than any tree of phones has in one directory. */
#define TREE_LISTING_ENTRIES_MAX 100000
/* `directory` as in a question; TREE_DIRECTORY: *ret_listing is there. TREE_ABSENT: no such directory. */
enum tree_answer tree_list(struct tree *t, struct slice directory, struct tree_listing **ret_listing);
enum tree_step {
    TREE_STEP_ENTRY,   /* *ret_entry is filled */
    TREE_STEP_NOTHING, /* one was left out; go on */
    TREE_STEP_END,
    TREE_STEP_TOO_MANY,
    TREE_STEP_BROKEN /* the directory could not be read further */
};
enum tree_step tree_listing_next(struct tree_listing *l, struct tree_entry *ret_entry);
void tree_listing_close(struct tree_listing *l);

struct tree_counts {
    uint64_t hits, opens;    /* questions answered from memory; open() calls */
    uint64_t listings;       /* directories read for their MAC names */
    uint64_t events;         /* inotify events read */
    size_t blobs, absences;  /* kept now */
    size_t blob_bytes, absent_bytes, directories;
};
struct tree_counts tree_counts(const struct tree *t);

#endif
