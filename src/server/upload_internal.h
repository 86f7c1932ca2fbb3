/* Inside the writing core: what upload.c (one file), uploads.c (all of them: room and numbers), upload_place.c (where a
 * name belongs) and change.c share. */
#ifndef DIALTONE_SERVER_UPLOAD_INTERNAL_H
#define DIALTONE_SERVER_UPLOAD_INTERNAL_H

#include "server/upload.h"
#include "server/upload_files.h"

#include <pthread.h>

/* What lies below the prefix of an access rule, in the tree and among the uploads. Lives as long as the uploads. */
struct upload_room {
    struct upload_room *next;
    uint64_t bytes;  /* UPLOAD_ENTRY_BYTES more a file; with what is on its way */
    uint64_t coming; /* of them: on its way */
    size_t len;
    char prefix[];
};
/* What an empty file takes of a directory's room, so that these have a ceiling too. */
#define UPLOAD_ENTRY_BYTES 4096

struct uploads {
    struct rootdir root; /* fd -1: what phones send is not taken */
    int lock_fd;
    pthread_mutex_t lock;         /* of the following */
    uint64_t files, bytes;        /* of the uploads: on the disk and on their way */
    uint64_t coming_files, coming_bytes; /* of them: on their way */
    uint32_t busy;
    struct peer_limits *peers;
    struct upload_room *rooms;
    pthread_mutex_t installing; /* one at a time moves versions */
};

static inline bool uploads_has_root(const struct uploads *u)
{
    return u->root.fd >= 0;
}
/* The room of this ceiling's directory; NULL: it has no ceiling. */
struct upload_room *uploads_room(struct uploads *u, const struct access_ceilings *c);

/* What one file that is being written takes. */
struct upload_share {
    struct uploads *uploads;
    struct upload_room *room; /* NULL: none is counted */
    bool in_tree;             /* it takes nothing of the uploads' quota */
    uint64_t size, size_max;  /* bytes */
    uint64_t total_max, room_max;
};
/* Takes a place among those under way, with `announced` bytes to come. */
enum upload_answer uploads_begin(struct worker *w, const struct caller *caller, struct upload_share *s,
                                 uint64_t announced);
/* Takes `len` bytes more. */
enum upload_answer uploads_take(struct upload_share *s, uint64_t len);
/* Ends it. `gone`: what is not on the disk, or has gone from it. */
void uploads_end(struct upload_share *s, struct upload_gone gone);
/* What has gone from the disk otherwise. */
void uploads_forget(struct upload_share *s, struct upload_gone gone);
/* One file of the tree more; UPLOAD_FULL when the room has no place for it. */
enum upload_answer uploads_add(struct upload_share *s, uint64_t bytes);
/* One from room to room. */
enum upload_answer uploads_move(struct upload_share *from, struct upload_share *to, uint64_t bytes);

/* Where a name belongs. Not to be copied: some of it points into itself. */
struct upload_place {
    bool in_tree;           /* else: among the uploads */
    bool exists;            /* a file has the name */
    bool is_directory;      /* upload_place_any(): a directory has it */
    int dirfd;              /* of the tree's directory, opened for reading; -1 for the uploads */
    mode_t mode;            /* of the file that exists in the tree */
    uint64_t size;          /* its bytes, in the tree */
    struct slice name;      /* relative, of the request */
    struct slice directory; /* of it, "." for the root; as it is spelled on the disk, borrowed from `path` then */
    char path[ROOTDIR_PATH_MAX];
    char last[ROOTDIR_NAME_MAX + 1]; /* as it is spelled on the disk */
};
/* Where a file goes that may be written so; UPLOAD_FINE, or why it may not. */
enum upload_answer upload_place_find(struct worker *w, const struct caller *caller, struct slice name,
                                     enum access_write write, struct upload_place *ret_place);
/* Where something is that is to be changed, or may be made: no rule and no existence is judged. */
enum upload_answer upload_place_any(struct worker *w, const struct caller *caller, struct slice name,
                                    struct upload_place *ret_place);
void upload_place_close(struct upload_place *p);

/* 0 is FINE. */
enum upload_answer upload_answer_of(int error);

#endif
