/* Inside the tree: what tree.c (asking), tree_cache.c (remembering), tree_watch.c (directories and their
 * events), tree_names.c (MAC names in any case) and tree_list.c (listings) share. */
#ifndef DIALTONE_SERVER_TREE_INTERNAL_H
#define DIALTONE_SERVER_TREE_INTERNAL_H

#include "server/tree.h"

/* A chained hash table of whatever has a struct link inside. The hash is of the name with its ASCII letters
 * folded, so all spellings of one name stand in one chain, and seeded, so that a peer cannot aim at one. */
struct link {
    struct link *next;
    uint64_t hash;
};
struct table {
    struct link **slots;
    size_t room; /* a power of two, or 0 */
    size_t count;
};
uint64_t table_hash(struct slice name, uint64_t seed);
/* False when there is no memory for the slots. */
bool table_add(struct table *t, struct link *link, uint64_t hash);
void table_remove(struct table *t, struct link *link);
/* The links with this hash, one a call; NULL first and at the end. */
struct link *table_next(const struct table *t, uint64_t hash, const struct link *after);
void table_free(struct table *t);

struct blob {
    unsigned holders; /* the cache is one, each transfer another */
    int fd;           /* anonymous memory that sendfile can send, mapped at `bytes`; -1: `bytes` follow this struct */
    size_t room;
    size_t len;
    char *bytes;
};
struct blob *blob_new(size_t room);
void blob_release(struct blob *b);

struct directory;

/* What is known of one name: its bytes, or that it is absent. */
struct entry {
    struct link link;
    struct entry *newer, *older;           /* in its order of use */
    struct entry *sibling, **sibling_link; /* in its directory */
    bool absent;
    struct tree_file file; /* when not absent */
    size_t charge;         /* bytes that it counts for */
    size_t len;
    char path[];
};
struct use_order {
    struct entry *newest, *oldest;
    size_t count, bytes, bytes_max;
};

/* A directory that exists. */
struct directory {
    struct link by_path, by_watch;
    int watch; /* inotify's descriptor; -1: not watched, nothing in it is kept but the index */
    struct directory *parent, *children, *sibling;
    struct entry *entries;
    struct name_index *names;     /* NULL: not listed yet */
    struct timespec listed_mtime; /* of the directory; to trust the index of one that is not watched */
    uint64_t listed_inode;
    size_t len;
    char path[]; /* "." for the root */
};

struct tree {
    struct tree *uploads; /* NULL: none */
    const struct rootdir *root;
    char *root_path;
    bool keep, ignore_case;
    int inotify; /* -1: none */
    uint64_t seed;
    struct table entries, directories, watches;
    struct directory *top;
    struct use_order blobs, absences;
    struct tree_counts counts;
    bool told_no_watch, told_network;
};

/* tree.c */
enum tree_answer tree_answer_of(int error);

/* tree_cache.c */
struct entry *cache_find(struct tree *t, struct slice path);
/* Takes over one hold on the blob. `file` NULL: absent. */
void cache_add(struct tree *t, struct directory *d, struct slice path, const struct tree_file *file);
void cache_drop(struct tree *t, struct entry *e);
/* Every spelling of this path. */
void cache_drop_path(struct tree *t, struct slice path);

/* tree_watch.c */
/* Reads all events that have come and forgets what they touch. */
void watch_read_events(struct tree *t);
/* The directory that holds `name`, watched if that can be. -ENOENT, or another negative errno. */
int watch_directory_of(struct tree *t, struct slice name, struct directory **ret_directory);
void watch_forget(struct tree *t);
/* Opens a directory for reading; *ret_direct: no symbolic link was on the way. */
int watch_open_directory(const struct tree *t, struct slice path, int flags, int *ret_fd, bool *ret_direct);

/* tree_names.c */
/* The MAC names of one directory, or `all`, under all spellings. Takes over `fd`. NULL: out of memory or unreadable. */
struct name_index *names_list(int fd, uint64_t seed, bool all);
void names_free(struct name_index *n);
void names_add(struct name_index *n, struct slice name);
void names_remove(struct name_index *n, struct slice name);
/* The first in byte order that spells `name`; "" when none does. *ret_many: there are more. */
struct slice names_find(const struct name_index *n, struct slice name, bool *ret_many);

#endif
