#include "server/confine.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_NAME ".dialtone-try"
/* What is nobody's to read through this server, and is on every machine. */
#define FOREIGN_FILE "/etc/passwd"

static int breach(const char *what)
{
    log_error("confine: it is still possible to %s", what);
    return -EPERM;
}

/* A tree that holds /etc is a strange one, but the operator's to choose. */
static bool foreign_is_ours(const struct confine_options *o)
{
    struct stat root, top, etc;
    return fstat(o->root_fd, &root) < 0 || stat("/", &top) < 0 || stat("/etc", &etc) < 0 ||
           (root.st_dev == top.st_dev && root.st_ino == top.st_ino) ||
           (root.st_dev == etc.st_dev && root.st_ino == etc.st_ino);
}

static int try_root(const struct confine_options *o)
{
    int fd = openat(o->root_fd, TRY_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        unlinkat(o->root_fd, TRY_NAME, 0);
    }
    return fd < 0 ? 0 : breach("write into the root (is state.dir or upload.dir above it?)");
}

static int try_files(const struct confine_options *o)
{
    int error = 0;
    int fd = foreign_is_ours(o) ? -1 : open(FOREIGN_FILE, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        error = breach("read " FOREIGN_FILE);
    }
    int root = o->writes_root ? 0 : try_root(o);
    return root ? root : error;
}

static int try_calls(void)
{
    int error = 0;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd >= 0) {
        close(fd);
        error = breach("open a packet socket");
    }
    if (setuid(0) == 0)
        error = breach("call setuid(0)");
    /* A process that is no thread of ours. */
    pid_t child = CONFINE_SANITIZED ? -1 : fork();
    if (child == 0)
        _exit(0);
    if (child > 0) {
        waitpid(child, NULL, 0);
        error = breach("start a process");
    }
    return error;
}

int confine_try(const struct confine_options *options, bool with_files)
{
    int files = with_files ? try_files(options) : 0;
    int calls = try_calls();
    return files ? files : calls;
}

int confine_try_program(void)
{
    char program[] = "/proc/self/exe", verb[] = "version";
    char *const argv[] = { program, verb, NULL };
    int status = 0;
    pid_t child = fork();
    if (child < 0) {
        log_error("confine: no child to try with: %s", strerror(errno));
        return -errno;
    }
    if (child == 0) {
        if (confine_calls())
            _exit(2);
        execve(program, argv, NULL);
        _exit(errno == EPERM ? 3 : 1);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    /* Death is the usual answer; behind the lower walls of a sanitizer it is EPERM. */
    bool stopped = (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
                   (CONFINE_SANITIZED && WIFEXITED(status) && WEXITSTATUS(status) == 3);
    return stopped ? 0 : breach("start a program");
}
