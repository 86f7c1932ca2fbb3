/* What a server says at start of the files that may be written into its tree. */
#include "server/serve_internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool serve_writes_root(const struct serve *s)
{
    return s->writes_root;
}

/* The rule's directory, or the one that its file is in. */
static int open_directory(const struct rootdir *root, struct slice prefix, int *ret_fd)
{
    struct rootdir strict = { root->fd, false };
    struct slice directory, last;
    int error = rootdir_open(&strict, prefix.len ? prefix : SLICE("."), O_RDONLY | O_DIRECTORY, ret_fd);
    if (error != -ENOTDIR && error != -ENOENT)
        return error;
    rootdir_split(prefix, &directory, &last);
    return rootdir_open(&strict, directory, O_RDONLY | O_DIRECTORY, ret_fd);
}

static int try_directory(const struct rootdir *root, struct slice prefix)
{
    int fd;
    int error = open_directory(root, prefix, &fd);
    if (error)
        return error;
    error = faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
    close(fd);
    return error;
}

static void say_rule(const struct serve *s, const struct access_rule *rule)
{
    const char *what = rule->write == ACCESS_WRITE_CREATE ? "new files may be written" : "any file may be written";
    const char *who = rule->anonymous ? ", by anybody" : "";
    log_warning("/%.*s: %s into the tree%s", SLICE_ARG(rule->prefix), what, who);
    int error = try_directory(&s->root, rule->prefix);
    if (error)
        log_warning("/%.*s: but not by this process, as user %u: %s", SLICE_ARG(rule->prefix), (unsigned)geteuid(),
                    strerror(-error));
}

void serve_say_writing(const struct serve *s)
{
    for (size_t i = 0; i < s->access->rule_count; i++)
        if (s->access->rules[i].write >= ACCESS_WRITE_CREATE)
            say_rule(s, &s->access->rules[i]);
}
