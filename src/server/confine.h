/* Walls around a running server (security.md R28): what a fault in it could reach is made small, and each
 * wall is tried after it was set up.
 *
 * Called by the main thread while it is the only one: threads inherit everything. Nothing of it can be undone.
 *
 * Builds with AddressSanitizer stand behind lower walls, since its reports read /proc and its leak check
 * traces the process: it stays dumpable, /proc may be read, and clone, ptrace and executable memory are let
 * through. Such builds are for tests. */
#ifndef DIALTONE_SERVER_CONFINE_H
#define DIALTONE_SERVER_CONFINE_H

#include "base/slice.h"

#include <sys/types.h>

struct confine_options {
    int root_fd;             /* the tree, O_PATH: may be read */
    bool writes_root;        /* and written: some access rule lets files of it be */
    const char *database;    /* its directory may be written; "" for none */
    const char *uploads;     /* a directory where files and directories may be made; NULL or "" for none */
    const char *config_file; /* may be read again; "" for none. Its directory too, so that it can be replaced
                                by rename, unless that is a top one such as /etc */
    struct slice certificates, keys; /* files separated by commas; they and their directories may be read again,
                                        under the same condition */
    struct slice client_ca, client_crl, users; /* a file each, likewise; "" for none */
    struct slice user;       /* whom to become when started as root; "" is the owner of the tree */
    bool connects;           /* to clients over TCP, as FTP's active mode does */
};

/* No core file (R27), as many descriptors as the hard limit allows. */
void confine_limits(void);
/* All of what follows, in this order. 0, or a negative errno with log lines that say which wall is missing.
 * A kernel without landlock is said in the log and accepted. */
int confine_process(const struct confine_options *options);

/* Whom confine_user() will make of a process that was started as root; otherwise it stays who it is. 0 or a
 * negative errno, said in the log. */
int confine_account(int root_fd, struct slice user, uid_t *ret_uid);
/* The user and groups that confine_user() would make of this process, and nothing else: for a child that looks what a
 * server could read and write. Changes nothing where the process is not root's. 0 or a negative errno. */
int confine_become(int root_fd, struct slice user);
/* Groups, user and all capabilities, new privileges, dumps. Started as root with a tree that is root's own,
 * the process stays user 0 without any capability, and a warning says so. The database becomes the user's. */
int confine_user(const struct confine_options *options);
/* Landlock: the tree read-only unless `writes_root`, the database's directory and the uploads writable, no TCP
 * socket bound, none connected unless `connects`, no other file at all. -EOPNOTSUPP when the kernel has none.
 */
int confine_files(const struct confine_options *options);
/* Seccomp: an allow-list. What is not on it fails with EPERM; starting a program or tracing one kills. */
int confine_calls(void);

/* Each tries to do what must not be possible any more. 0 when every wall stands, else -EPERM and log lines.
 * `with_files`: confine_files() succeeded. */
int confine_try(const struct confine_options *options, bool with_files);
/* Before confine_calls(), which forbids the child it needs: a child that is behind the same filter tries to
 * start a program and must die of it. */
int confine_try_program(void);

#if defined __SANITIZE_ADDRESS__
#define CONFINE_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED 0
#endif

#endif
