#include "server/upload_internal.h"

#include "guide/name.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum upload_answer upload_answer_of(int error)
{
    switch (-error) {
    case 0:
        return UPLOAD_FINE;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return UPLOAD_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return UPLOAD_READ_ONLY;
    default:
        return UPLOAD_BROKEN;
    }
}

/* Names with a leading dot are ours, or the operator's. */
static bool has_hidden_part(struct slice name)
{
    struct slice part;
    while (slice_cut(&name, '/', &part))
        if (part.len && part.ptr[0] == '.')
            return true;
    return false;
}

static enum upload_answer judge_name(const struct caller *caller, struct slice name)
{
    struct name_meaning m = name_meaning(name);
    struct mac mac;
    if (!rootdir_name_ok(name) || has_hidden_part(name))
        return UPLOAD_BAD_NAME;
    return m.has_mac && caller_claims(caller, &mac) && !mac_eq(mac, m.mac) ? UPLOAD_STRANGER : UPLOAD_FINE;
}

static bool is_sent(const struct worker *w, struct slice name)
{
    struct name_meaning m = name_meaning(name);
    return m.has_mac && name_kind_is_sent(m.kind) && uploads_has_root(w->uploads);
}

static enum upload_answer judge_directory(struct worker *w, struct slice directory)
{
    struct tree_file file;
    struct tree_question where = { .name = slice_eq(directory, SLICE(".")) ? SLICE("") : directory };
    enum tree_answer answer = tree_ask(w->tree, &where, &file);
    if (answer == TREE_FILE)
        tree_file_release(&file);
    if (answer == TREE_DIRECTORY)
        return UPLOAD_FINE;
    return answer == TREE_BROKEN ? UPLOAD_BROKEN : UPLOAD_NO_DIRECTORY;
}

/* Where links are followed for reading, they are not for writing. */
static enum upload_answer open_directory(const struct worker *w, struct upload_place *p)
{
    struct rootdir strict = { w->root->fd, false };
    int error = rootdir_open(&strict, p->directory, O_RDONLY | O_DIRECTORY, &p->dirfd);
    if (error == -ELOOP || error == -ENOENT || error == -ENOTDIR)
        return UPLOAD_NO_DIRECTORY;
    return upload_answer_of(error);
}

/* The name on the disk, which may be spelled otherwise than asked. */
static enum upload_answer look(struct upload_place *p, bool found)
{
    struct stat st;
    int error = fstatat(p->dirfd, p->last, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    if (error == -ENOENT && found) {
        char asked[ROOTDIR_NAME_MAX + 1];
        memcpy(asked, p->last, sizeof asked);
        error = rootdir_spelling(p->dirfd, slice_str(asked), p->last);
        if (!error && fstatat(p->dirfd, p->last, &st, AT_SYMLINK_NOFOLLOW) < 0)
            error = -errno;
    }
    if (error)
        return error == -ENOENT ? UPLOAD_FINE : upload_answer_of(error);
    p->is_directory = S_ISDIR(st.st_mode);
    p->exists = S_ISREG(st.st_mode);
    p->mode = st.st_mode & 0666;
    p->size = (uint64_t)st.st_size;
    return p->exists || p->is_directory ? UPLOAD_FINE : UPLOAD_EXISTS;
}

static enum upload_answer locate(struct worker *w, struct upload_place *p, bool found)
{
    if (!p->in_tree) {
        p->exists = found;
        for (char *at = p->last; *at; at++)
            *at = byte_lower(*at);
        return UPLOAD_FINE;
    }
    if (!w->root)
        return UPLOAD_OFF;
    enum upload_answer answer = open_directory(w, p);
    return answer == UPLOAD_FINE ? look(p, found) : answer;
}

static enum upload_answer ask(struct worker *w, struct upload_place *p)
{
    struct tree_question what = { .name = p->name };
    struct tree_file file;
    switch (tree_ask(w->tree, &what, &file)) {
    case TREE_FILE:
        p->in_tree = !file.uploaded;
        tree_file_release(&file);
        return locate(w, p, true);
    case TREE_ABSENT:
        p->in_tree = !is_sent(w, p->name);
        return locate(w, p, false);
    case TREE_DIRECTORY:
        p->in_tree = true;
        return locate(w, p, true);
    case TREE_BAD_NAME:
        return UPLOAD_BAD_NAME;
    case TREE_FORBIDDEN:
        return UPLOAD_EXISTS;
    case TREE_BROKEN:
    case TREE_GUARDED:
        break;
    }
    return UPLOAD_BROKEN;
}

/* Among the uploads there is one directory for all spellings of the tree's. */
static bool set_directory(struct worker *w, struct upload_place *p)
{
    struct buf path = BUF_ON(p->path);
    if (!w->config->root_ignore_case)
        return true;
    if (!tree_directory_spelling(w->tree, p->directory, &path))
        return false;
    p->directory = buf_slice(&path);
    return true;
}

enum upload_answer upload_place_any(struct worker *w, const struct caller *caller, struct slice name,
                                    struct upload_place *ret_place)
{
    struct upload_place *p = ret_place;
    struct buf out = BUF_ON(p->last);
    struct slice last;
    p->in_tree = p->exists = p->is_directory = false;
    p->dirfd = -1;
    p->mode = 0;
    p->size = 0;
    p->name = rootdir_name(name);
    enum upload_answer answer = w->uploads ? judge_name(caller, p->name) : UPLOAD_OFF;
    if (answer != UPLOAD_FINE)
        return answer;
    rootdir_split(p->name, &p->directory, &last);
    buf_text(&out, last);
    if (!buf_terminate(&out))
        return UPLOAD_BAD_NAME;
    answer = judge_directory(w, p->directory);
    if (answer == UPLOAD_FINE && !set_directory(w, p))
        answer = UPLOAD_NO_DIRECTORY;
    if (answer == UPLOAD_FINE)
        answer = ask(w, p);
    if (answer != UPLOAD_FINE)
        upload_place_close(p);
    return answer;
}

/* Before anything is looked up: what a rule does not let be written at all. */
static enum upload_answer judge_rule(const struct worker *w, struct slice name, enum access_write write)
{
    if (write >= ACCESS_WRITE_CREATE)
        return UPLOAD_FINE;
    if (!uploads_has_root(w->uploads))
        return UPLOAD_OFF;
    return is_sent(w, name) ? UPLOAD_FINE : UPLOAD_BAD_NAME;
}

static bool may_replace(const struct worker *w, const struct upload_place *p, enum access_write write)
{
    return write == ACCESS_WRITE_OVERWRITE || (!p->in_tree && w->config->upload_overwrite);
}

enum upload_answer upload_place_find(struct worker *w, const struct caller *caller, struct slice name,
                                     enum access_write write, struct upload_place *ret_place)
{
    struct upload_place *p = ret_place;
    enum upload_answer answer = w->uploads ? judge_rule(w, rootdir_name(name), write) : UPLOAD_OFF;
    if (answer == UPLOAD_FINE)
        answer = upload_place_any(w, caller, name, p);
    if (answer != UPLOAD_FINE)
        return answer;
    bool taken = p->is_directory || (p->exists && !may_replace(w, p, write));
    /* What an upload would be hidden behind. */
    if (!taken && (!p->in_tree || write >= ACCESS_WRITE_CREATE))
        return UPLOAD_FINE;
    upload_place_close(p);
    return UPLOAD_EXISTS;
}

void upload_place_close(struct upload_place *p)
{
    if (p->dirfd >= 0)
        close(p->dirfd);
    p->dirfd = -1;
}
