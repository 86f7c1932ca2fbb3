#include "server/confine.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Enough for the record of any user. */
#define USER_BYTES 4096

void confine_limits(void)
{
    const struct rlimit none = { 0, 0 };
    struct rlimit files;
    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int fail(const char *what)
{
    int error = errno ? -errno : -EPERM;
    log_error("confine: %s: %s", what, strerror(-error));
    return error;
}

struct account {
    char name[256]; /* "": only numbers are known */
    uid_t uid;
    gid_t gid;
};

static int named_account(struct slice user, struct account *ret_account)
{
    struct account a = { .name = "" };
    char bytes[USER_BYTES];
    struct passwd record, *found = NULL;
    snprintf(a.name, sizeof a.name, "%.*s", SLICE_ARG(user));
    int error = getpwnam_r(a.name, &record, bytes, sizeof bytes, &found);
    if (error || !found) {
        log_error("run.user %s: %s", a.name, error ? strerror(error) : "no such user");
        return error ? -error : -ENOENT;
    }
    a.uid = found->pw_uid;
    a.gid = found->pw_gid;
    *ret_account = a;
    return 0;
}

static int account_of(const struct confine_options *o, struct account *ret_account)
{
    struct stat st;
    if (o->user.len)
        return named_account(o->user, ret_account);
    if (fstat(o->root_fd, &st) < 0)
        return fail("the root's owner");
    *ret_account = (struct account){ .uid = st.st_uid, .gid = st.st_gid };
    return 0;
}

int confine_account(int root_fd, struct slice user, uid_t *ret_uid)
{
    const struct confine_options o = { .root_fd = root_fd, .user = user };
    struct account a = { .uid = geteuid() };
    int error = a.uid == 0 ? account_of(&o, &a) : 0;
    if (!error)
        *ret_uid = a.uid;
    return error;
}

/* Root made it, the server writes there. A directory that is not private, such as /var/lib itself, is somebody
 * else's business. */
static void give_directory(struct slice directory, const struct account *a)
{
    char path[4200];
    struct stat st;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(directory));
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 077) == 0 &&
        lchown(path, a->uid, a->gid) < 0)
        log_warning("%s: cannot be given to the server's user: %s", path, strerror(errno));
}

/* The directory of a file or directory. */
static struct slice above(const char *path)
{
    struct slice text = slice_str(path);
    return slice_first(text, slice_find_last(text, '/'));
}

static void give_uploads(const char *uploads, const struct account *a)
{
    give_directory(above(uploads), a);
    give_directory(slice_str(uploads), a);
}

static void give_database(const char *database, const struct account *a)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
    char path[4200];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(path, sizeof path, "%s%s", database, endings[i]);
        int ignored = fchownat(AT_FDCWD, path, a->uid, a->gid, AT_SYMLINK_NOFOLLOW);
        (void)ignored;
    }
    give_directory(above(database), a);
}

static int become(const struct account *a)
{
    int groups = a->name[0] ? initgroups(a->name, a->gid) : setgroups(0, NULL);
    if (groups < 0 || setresgid(a->gid, a->gid, a->gid) < 0 || setresuid(a->uid, a->uid, a->uid) < 0)
        return fail("giving up root");
    return 0;
}

int confine_become(int root_fd, struct slice user)
{
    const struct confine_options o = { .root_fd = root_fd, .user = user };
    struct account a;
    if (geteuid() != 0)
        return 0;
    int error = account_of(&o, &a);
    return error ? error : become(&a);
}

/* The bounding set goes while there is still the capability to lower it. */
static void drop_bounding(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { 0 };
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) < 0)
        return fail("giving up capabilities");
    return 0;
}

int confine_user(const struct confine_options *o)
{
    struct account a = { .uid = geteuid() };
    int error = 0;
    if (a.uid == 0)
        error = account_of(o, &a);
    if (!error && geteuid() == 0) {
        if (o->database[0])
            give_database(o->database, &a);
        if (o->uploads && o->uploads[0])
            give_uploads(o->uploads, &a);
        drop_bounding();
        error = become(&a);
    }
    if (!error)
        error = drop_capabilities();
    if (!error && a.uid == 0)
        log_warning(
            "running as user 0, the owner of the root, though without any capability: run.user names another");
    if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        error = fail("no new privileges");
    if (!error && !CONFINE_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        error = fail("no dumps");
    return error;
}

int confine_process(const struct confine_options *options)
{
    int error = confine_user(options);
    if (error)
        return error;
    int files = confine_files(options);
    if (files == -EOPNOTSUPP)
        log_warning(
            "confine: this kernel has no landlock: files outside of the root are kept only by permissions");
    else if (files)
        return files;
    error = confine_try_program();
    if (!error)
        error = confine_calls();
    return error ? error : confine_try(options, files == 0);
}
