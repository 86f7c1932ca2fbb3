#include "server/confine.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers of Debian 12; the numbers are the kernel's interface. */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define ACCESS_NET_BIND UINT64_C(1)          /* ABI 4: of a TCP socket */
#define ACCESS_NET_CONNECT UINT64_C(2)
#define SCOPE_ALL UINT64_C(3)                /* ABI 6: abstract unix sockets and signals to others */

struct ruleset {
    uint64_t files, net, scoped;
};

#define ACCESS_READ ((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define ACCESS_STATE                                                                                           \
    (ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | ACCESS_TRUNCATE)

#define ACCESS_UPLOADS                                                                                         \
    (ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* What server/change.h does; renaming from directory to directory takes ABI 2. */
#define ACCESS_CHANGES (ACCESS_UPLOADS | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER)

static struct ruleset ruleset_of(long abi, bool connects, size_t *ret_size)
{
    struct ruleset r = { LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1, 0, 0 };
    r.files |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    r.files |= abi >= 3 ? ACCESS_TRUNCATE : 0;
    r.files |= abi >= 5 ? ACCESS_IOCTL_DEV : 0;
    r.net = abi < 4 ? 0 : connects ? ACCESS_NET_BIND : ACCESS_NET_BIND | ACCESS_NET_CONNECT;
    r.scoped = abi >= 6 ? SCOPE_ALL : 0;
    *ret_size = abi >= 6   ? sizeof r
                : abi >= 4 ? offsetof(struct ruleset, scoped)
                           : offsetof(struct ruleset, net);
    return r;
}

/* `access` is cut to what the kernel knows. */
static int allow_fd(int ruleset, const struct ruleset *r, int fd, uint64_t access)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = access & r->files, .parent_fd = fd };
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

static int allow_path(int ruleset, const struct ruleset *r, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = allow_fd(ruleset, r, fd, access);
    close(fd);
    return error;
}

/* The directory of a file; "." for a bare name. */
static void directory_of(const char *file, char *into, size_t size)
{
    size_t slash = slice_find_last(slice_str(file), '/');
    if (!file[slash])
        snprintf(into, size, ".");
    else
        snprintf(into, size, "%.*s", slash ? (int)slash : 1, file);
}

/* "/" or directly below: too much to open for one file. */
static bool is_top(const char *directory)
{
    char up[4200];
    struct stat root, parent;
    snprintf(up, sizeof up, "%s/..", directory);
    return stat("/", &root) < 0 || stat(up, &parent) < 0 ||
           (root.st_dev == parent.st_dev && root.st_ino == parent.st_ino);
}

/* A file that is read again, and its directory, so that it can be replaced by rename. */
static int allow_again(int ruleset, const struct ruleset *r, const char *file)
{
    char directory[4100];
    directory_of(file, directory, sizeof directory);
    if (!is_top(directory))
        return allow_path(ruleset, r, directory, ACCESS_READ);
    log_info(
        "%s: SIGHUP finds it only as long as it is rewritten in place; in a directory of its own it may be "
        "replaced",
        file);
    return allow_path(ruleset, r, file, LANDLOCK_ACCESS_FS_READ_FILE);
}

/* Also where a symbolic link leads, as certificate robots leave them. */
static int allow_list(int ruleset, const struct ruleset *r, struct slice files)
{
    struct slice part;
    int error = 0;
    while (!error && slice_cut(&files, ',', &part)) {
        char file[PATH_MAX], target[PATH_MAX];
        part = slice_trim(part);
        snprintf(file, sizeof file, "%.*s", SLICE_ARG(part));
        error = allow_again(ruleset, r, file);
        if (!error && realpath(file, target) && strcmp(file, target) != 0)
            error = allow_again(ruleset, r, target);
    }
    return error;
}

static int allow_all(int ruleset, const struct ruleset *r, const struct confine_options *o)
{
    char directory[4100];
    int error = allow_fd(ruleset, r, o->root_fd, o->writes_root ? ACCESS_CHANGES : ACCESS_READ);
    if (!error && o->database[0]) {
        directory_of(o->database, directory, sizeof directory);
        int state = allow_path(ruleset, r, directory, ACCESS_STATE);
        /* The journal has said already that it keeps no rows. */
        error = state == -ENOENT || state == -EACCES ? 0 : state;
    }
    if (!error && o->uploads && o->uploads[0])
        error = allow_path(ruleset, r, o->uploads, o->writes_root ? ACCESS_CHANGES : ACCESS_UPLOADS);
    if (!error && o->config_file[0])
        error = allow_again(ruleset, r, o->config_file);
    if (!error)
        error = allow_list(ruleset, r, o->certificates);
    if (!error)
        error = allow_list(ruleset, r, o->keys);
    if (!error)
        error = allow_list(ruleset, r, o->client_ca);
    if (!error)
        error = allow_list(ruleset, r, o->client_crl);
    if (!error)
        error = allow_list(ruleset, r, o->users);
    if (!error && CONFINE_SANITIZED)
        error = allow_path(ruleset, r, "/proc", ACCESS_READ);
    return error;
}

int confine_files(const struct confine_options *o)
{
    size_t size;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return -EOPNOTSUPP;
    struct ruleset r = ruleset_of(abi, o->connects, &size);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
    int error = ruleset < 0 ? -errno : allow_all(ruleset, &r, o);
    if (!error && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        error = -errno;
    if (ruleset >= 0)
        close(ruleset);
    if (error)
        log_error("confine: landlock: %s", strerror(-error));
    return error;
}
