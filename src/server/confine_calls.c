#include "server/confine.h"

#include "base/log.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What libuv, SQLite, OpenSSL, glibc's threads and the server itself call once they run, found with strace.
 * By name, so that a call unknown to this machine or this libseccomp is left out. */
static const char *const allowed[] = {
    /* files; landlock says which */
    "open", "openat", "openat2", "close", "close_range", "read", "readv", "pread64", "preadv", "preadv2",
    "write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "lseek", "_llseek", "ftruncate",
    "ftruncate64", "fallocate", "fsync", "fdatasync", "fadvise64", "flock", "fcntl", "fcntl64", "dup", "dup3",
    "stat", "stat64", "fstat", "fstat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs",
    "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd",
    "getdents64", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat",
    "mkdir", "mkdirat", "fchmod", "fchown", "fchown32",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "pipe2",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "memfd_create",
    /* threads */
    "futex", "futex_time64", "futex_waitv", "set_robust_list", "rseq", "gettid", "sched_yield",
    "sched_getaffinity", "membarrier", "exit", "exit_group", "restart_syscall",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigtimedwait_time64",
    "sigaltstack",
    /* time */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "clock_nanosleep_time64",
    "gettimeofday", "nanosleep", "time",
    /* sockets; socket() itself is below */
    "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname", "getpeername", "getsockopt",
    "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "ppoll_time64",
    "select", "pselect6", "eventfd2", "timerfd_create", "timerfd_settime",
    /* who and where */
    "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32",
    "getegid32", "uname", "sysinfo", "getrandom", "getrusage"
};

/* An attacker's first steps; nothing of ours ever takes them. */
static const char *const deadly[] = { "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev" };

/* Callers try these and fall back: glibc's threads to clone, libuv to epoll. EPERM would stop them. */
static const char *const missing[] = { "clone3", "io_uring_setup", "io_uring_enter", "io_uring_register" };

/* AddressSanitizer and its leak check (see the header). */
static const char *const sanitizer[] = {
    "clone", "clone3",           "ptrace",    "mmap",   "mmap2", "mprotect",    "wait4",
    "prctl", "process_vm_readv", "prlimit64", "tgkill", "kill",  "personality", "getdents"
};

/* `when` NULL: always. A call that this machine does not have is no error. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, const struct scmp_arg_cmp *when)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add_array(filter, action, number, when ? 1 : 0, when);
}

static int add_each(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    int error = 0;
    for (size_t i = 0; !error && i < count; i++)
        error = add(filter, action, names[i], NULL);
    return error;
}
#define ADD_EACH(filter, action, names) add_each(filter, action, names, sizeof(names) / sizeof *(names))

/* Calls that are harmless with some arguments only. */
static int add_conditional(scmp_filter_ctx filter)
{
    const struct {
        const char *name;
        struct scmp_arg_cmp when;
    } rules[] = {
        { "socket", SCMP_A0_64(SCMP_CMP_EQ, AF_INET, 0) },
        { "socket", SCMP_A0_64(SCMP_CMP_EQ, AF_INET6, 0) },
        /* Threads, no processes. */
        { "clone", SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) },
        /* No memory becomes code. */
        { "mmap", SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
        { "mmap2", SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
        { "mprotect", SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
        { "ioctl", SCMP_A1_64(SCMP_CMP_EQ, FIONBIO, 0) },
        { "ioctl", SCMP_A1_64(SCMP_CMP_EQ, FIOCLEX, 0) },
        { "ioctl", SCMP_A1_64(SCMP_CMP_EQ, FIONREAD, 0) },
        { "ioctl", SCMP_A1_64(SCMP_CMP_EQ, TCGETS, 0) },
        { "prctl", SCMP_A0_64(SCMP_CMP_EQ, PR_SET_NAME, 0) },
        /* Asking for limits, not setting them. */
        { "prlimit64", SCMP_A2_64(SCMP_CMP_EQ, 0, 0) },
        /* abort() */
        { "tgkill", SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0) },
    };
    int error = 0;
    for (size_t i = 0; !error && i < sizeof rules / sizeof *rules; i++)
        error = add(filter, SCMP_ACT_ALLOW, rules[i].name, &rules[i].when);
    return error;
}

static int fill(scmp_filter_ctx filter)
{
    int error = ADD_EACH(filter, SCMP_ACT_ALLOW, allowed);
    if (!error && CONFINE_SANITIZED)
        return ADD_EACH(filter, SCMP_ACT_ALLOW, sanitizer);
    if (!error)
        error = ADD_EACH(filter, SCMP_ACT_KILL_PROCESS, deadly);
    if (!error)
        error = ADD_EACH(filter, SCMP_ACT_ERRNO(ENOSYS), missing);
    return error;
}

int confine_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int error = filter ? fill(filter) : -ENOMEM;
    if (!error)
        error = add_conditional(filter);
    if (!error) {
        seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
        /* Older kernels switch a costly processor mitigation on with any filter, which is meant for programs
         * that run foreign code; this one runs none. */
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
        error = seccomp_load(filter);
    }
    if (filter)
        seccomp_release(filter);
    if (error)
        log_error("confine: seccomp: %s", strerror(-error));
    return error;
}
