#include "tests/unit/test.h"

#include "base/log.h"
#include "server/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* root/a.cfg, state/journal.db, outside; every wall is built in a child, since nothing of it can be undone. */
struct house {
    char dir[64], database[96], config[96], certificates[96], keys[192];
    struct confine_options options;
    int log_fd;
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    *state = h;
    snprintf(h->dir, sizeof h->dir, "/tmp/dialtone-confine-XXXXXX");
    if (!mkdtemp(h->dir) || chdir(h->dir) || chmod(".", 0755))
        return -1;
    mkdir("root", 0755);
    mkdir("state", 0700);
    mkdir("conf", 0755);
    mkdir("tls", 0755);
    mkdir("tls/server", 0755);
    mkdir("tls/ca", 0755);
    mkdir("robot", 0755);
    put("tls/server/rsa.pem", "c");
    put("tls/ca/ca.key", "k");
    put("robot/ecdsa.key", "k");
    if (symlink("../../robot/ecdsa.key", "tls/server/ecdsa.key"))
        return -1;
    put("root/a.cfg", "x=1");
    put("state/journal.db", "");
    put("outside", "o");
    put("conf/dialtone.conf", "");
    snprintf(h->database, sizeof h->database, "%s/state/journal.db", h->dir);
    snprintf(h->config, sizeof h->config, "%s/conf/dialtone.conf", h->dir);
    snprintf(h->certificates, sizeof h->certificates, "%s/tls/server/rsa.pem", h->dir);
    snprintf(h->keys, sizeof h->keys, "%s/tls/server/rsa.pem, %s/tls/server/ecdsa.key", h->dir, h->dir);
    h->log_fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0600);
    log_setup(LOG_INFO, h->log_fd);
    h->options = (struct confine_options){ .root_fd = open("root", O_PATH | O_DIRECTORY),
                                           .database = h->database,
                                           .config_file = h->config,
                                           .certificates = slice_str(h->certificates),
                                           .keys = slice_str(h->keys) };
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    char command[128];
    log_setup(LOG_INFO, 2);
    close(h->log_fd);
    close(h->options.root_fd);
    snprintf(command, sizeof command, "rm -rf %s", h->dir);
    int rc = chdir("/") || system(command);
    free(h);
    return rc;
}

/* The child's result: 0 when it could do exactly what it should. */
static int in_child(struct house *h, int (*what)(struct house *h))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        confine_limits();
        _exit(what(h));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Leaves with the line of the first thing that is not as it should be. */
#define MUST(condition)                                                                                        \
    do                                                                                                         \
        if (!(condition))                                                                                      \
            return __LINE__ % 250 + 1;                                                                         \
    while (0)

static bool logged(struct house *h, const char *text)
{
    char log[4096] = "";
    return pread(h->log_fd, log, sizeof log - 1, 0) >= 0 && strstr(log, text);
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
}

/* What a walled process says of a TCP connection to a port where nobody listens. */
static int connect_behind_walls(struct house *h)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    MUST(confine_user(&h->options) == 0);
    int files = confine_files(&h->options);
    MUST(files == 0 || files == -EOPNOTSUPP);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    MUST(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0);
    int error = errno;
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(0), .sin_addr = to.sin_addr };
    MUST(files || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4 ||
         (bind(fd, (struct sockaddr *)&own, sizeof own) < 0 && errno == EACCES));
    return error == EACCES ? 251 : error == ECONNREFUSED ? 0 : 252;
}

static void tcp_connections_are_made_only_where_active_ftp_needs_them(void **state)
{
    struct house *h = *state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4)
        assert_int_equal(in_child(h, connect_behind_walls), 251);
    h->options.connects = true;
    assert_int_equal(in_child(h, connect_behind_walls), 0);
}

static int limits(struct house *h)
{
    struct rlimit core, files;
    (void)h;
    MUST(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    MUST(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur == files.rlim_max);
    return 0;
}

static void there_is_no_core_file_and_there_are_all_descriptors(void **state)
{
    assert_int_equal(in_child(*state, limits), 0);
}

static bool no_capability_is_left(void)
{
    char line[256];
    unsigned long long sets = 0, set;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Cap", 3) == 0) {
            uint64_t value = 1;
            slice_hex_u64(slice_trim(slice_from(slice_str(line), 7)), 0, UINT64_MAX, &value);
            set = value;
            sets |= set;
        }
    if (f)
        fclose(f);
    return f && sets == 0;
}

static int owner_of_tree(struct house *h)
{
    struct stat st;
    MUST(chown("root", 4321, 4322) == 0);
    MUST(confine_user(&h->options) == 0);
    MUST(getuid() == 4321 && geteuid() == 4321 && getgid() == 4322 && getgroups(0, NULL) == 0);
    MUST(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1);
    MUST(no_capability_is_left());
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    MUST(CONFINE_SANITIZED || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    MUST(stat("state", &st) == 0 && st.st_uid == 4321);
    MUST(open("state/journal.db", O_RDWR) >= 0);
    return 0;
}

static void root_becomes_the_owner_of_the_tree(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(*state, owner_of_tree), 0);
}

static int named_user(struct house *h)
{
    h->options.user = SLICE("nobody");
    MUST(confine_user(&h->options) == 0);
    MUST(getuid() != 0 && setuid(0) == -1 && no_capability_is_left());
    return 0;
}

static int unknown_user(struct house *h)
{
    h->options.user = SLICE("no-such-user-here");
    MUST(confine_user(&h->options) == -ENOENT);
    MUST(logged(h, "no such user"));
    return 0;
}

static void root_becomes_the_user_that_is_named(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(*state, named_user), 0);
    assert_int_equal(in_child(*state, unknown_user), 0);
}

static int tree_of_root(struct house *h)
{
    MUST(confine_user(&h->options) == 0);
    MUST(no_capability_is_left());
    MUST(logged(h, "without any capability"));
    /* User 0 is no more than any owner now. */
    MUST(chown("outside", 1, 1) == -1 && errno == EPERM);
    return 0;
}

static void a_tree_of_roots_own_leaves_user_0_without_capabilities(void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(*state, tree_of_root), 0);
}

static int files(struct house *h)
{
    char bytes[8];
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(confine_files(&h->options) == 0);
    int fd = openat(h->options.root_fd, "a.cfg", O_RDONLY);
    MUST(fd >= 0 && read(fd, bytes, sizeof bytes) == 3);
    MUST(open("root", O_RDONLY | O_DIRECTORY) >= 0);
    MUST(openat(h->options.root_fd, "a.cfg", O_WRONLY) == -1 && errno == EACCES);
    MUST(openat(h->options.root_fd, "new", O_WRONLY | O_CREAT, 0600) == -1 && errno == EACCES);
    MUST(mkdir("root/new", 0700) == -1 && unlink("root/a.cfg") == -1 && rename("root/a.cfg", "root/b") == -1);
    MUST(open("outside", O_RDONLY) == -1 && errno == EACCES);
    MUST(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
    MUST(open("/", O_RDONLY | O_DIRECTORY) == -1);
    MUST(open("state/journal.db", O_RDWR) >= 0);
    fd = open("state/journal.db-wal", O_RDWR | O_CREAT, 0600);
    MUST(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0);
    MUST(unlink("state/journal.db-wal") == 0);
    MUST(symlink("/etc", "state/l") == -1 && mkdir("state/d", 0700) == -1);
    MUST(rename("state/journal.db", "root/moved") == -1);
    /* Certificates and keys also where a link leads, to be read at SIGHUP; the CA's key lies apart. */
    MUST(open("tls/server/rsa.pem", O_RDONLY) >= 0 && open("tls/server/rsa.pem", O_WRONLY) == -1);
    MUST(open("tls/server/ecdsa.key", O_RDONLY) >= 0 && unlink("tls/server/ecdsa.key") == -1);
    MUST(open("tls/ca/ca.key", O_RDONLY) == -1 && errno == EACCES);
    MUST(open("conf/dialtone.conf", O_RDONLY) >= 0 && open("conf/dialtone.conf", O_WRONLY) == -1);
    return 0;
}

static void only_the_tree_is_read_and_only_the_state_is_written(void **state)
{
    if (!has_landlock())
        skip();
    assert_int_equal(in_child(*state, files), 0);
}

static int uploads(struct house *h)
{
    MUST(mkdir("up", 0700) == 0);
    h->options.uploads = "up";
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(confine_files(&h->options) == 0);
    MUST(mkdir("up/desk", 0700) == 0);
    int fd = open("up/desk/t", O_WRONLY | O_CREAT | O_EXCL, 0600);
    MUST(fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0);
    MUST(link("up/desk/t", "up/desk/u") == 0 && rename("up/desk/t", "up/desk/u") == 0);
    MUST(unlink("up/desk/t") == 0 && unlink("up/desk/u") == 0);
    /* No more than that: no links, devices or sockets, nothing taken away as a directory, nothing from elsewhere. */
    MUST(symlink("/etc", "up/l") == -1 && mkfifo("up/f", 0600) == -1 && rmdir("up/desk") == -1);
    MUST(link("root/a.cfg", "up/a") == -1 && rename("state/journal.db", "up/j") == -1);
    MUST(openat(h->options.root_fd, "new", O_WRONLY | O_CREAT, 0600) == -1 && errno == EACCES);
    return 0;
}

static void uploads_are_written_to_their_own_directory_only(void **state)
{
    if (!has_landlock())
        skip();
    assert_int_equal(in_child(*state, uploads), 0);
}

static int tree(struct house *h)
{
    int root = h->options.root_fd;
    MUST(mkdir("up", 0700) == 0);
    h->options.uploads = "up";
    h->options.writes_root = true;
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(confine_files(&h->options) == 0);
    MUST(mkdirat(root, "d", 0700) == 0);
    int fd = openat(root, "d/t", O_WRONLY | O_CREAT | O_EXCL, 0600);
    MUST(fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0);
    MUST(renameat2(root, "d/t", root, "d/u", RENAME_NOREPLACE) == 0);
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 2)
        MUST(renameat(root, "d/u", root, "u") == 0 && renameat(root, "u", root, "d/u") == 0);
    MUST(unlinkat(root, "d/u", 0) == 0 && unlinkat(root, "d", AT_REMOVEDIR) == 0);
    /* No links, devices or sockets, nothing outside. */
    MUST(symlinkat("/etc", root, "l") == -1 && mkfifoat(root, "f", 0600) == -1);
    MUST(open("outside", O_WRONLY) == -1 && mkdir("conf/d", 0700) == -1 && open("conf/x", O_WRONLY | O_CREAT, 0600) == -1);
    MUST(linkat(AT_FDCWD, "conf/dialtone.conf", root, "c", 0) == -1);
    MUST(confine_try(&h->options, true) == -EPERM);
    MUST(!logged(h, "write into the root") && !logged(h, "read /etc/passwd"));
    return 0;
}

static void the_tree_is_written_only_when_a_rule_lets_it_be(void **state)
{
    if (!has_landlock())
        skip();
    assert_int_equal(in_child(*state, tree), 0);
}

static void *return_it(void *context)
{
    return context;
}

static int calls(struct house *h)
{
    pthread_t thread;
    (void)h;
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_calls() == 0);
    MUST(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM);
    MUST(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && socket(AF_NETLINK, SOCK_RAW, 0) == -1);
    MUST(socket(AF_INET, SOCK_DGRAM, 0) >= 0 && socket(AF_INET6, SOCK_STREAM, 0) >= 0);
    MUST(setuid(0) == -1 && errno == EPERM);
    MUST(mount("none", "/tmp", "tmpfs", 0, NULL) == -1 && errno == EPERM);
    MUST(unshare(CLONE_NEWUSER) == -1 && errno == EPERM);
    MUST(syscall(SYS_io_uring_setup, 4, NULL) == -1 && errno == (CONFINE_SANITIZED ? EPERM : ENOSYS));
    MUST(syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM);
    if (!CONFINE_SANITIZED) {
        MUST(fork() == -1);
        MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
        MUST(kill(getppid(), 0) == -1 && errno == EPERM);
    }
    MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    MUST(pthread_create(&thread, NULL, return_it, NULL) == 0 && pthread_join(thread, NULL) == 0);
    return 0;
}

static void only_calls_that_a_server_needs_are_answered(void **state)
{
    assert_int_equal(in_child(*state, calls), 0);
}

static int start_program(struct house *h)
{
    char program[] = "/bin/true";
    char *argv[] = { program, NULL };
    (void)h;
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_calls() == 0);
    execve(program, argv, NULL);
    return errno == EPERM ? 3 : 1;
}

static int trace(struct house *h)
{
    (void)h;
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_calls() == 0);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 3;
}

static void starting_or_tracing_a_program_kills(void **state)
{
    assert_int_equal(in_child(*state, start_program), CONFINE_SANITIZED ? 3 : 1000 + SIGSYS);
    assert_int_equal(in_child(*state, trace), CONFINE_SANITIZED ? 3 : 1000 + SIGSYS);
}

static int abort_itself(struct house *h)
{
    (void)h;
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_calls() == 0);
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void abort_still_works(void **state)
{
    assert_int_equal(in_child(*state, abort_itself), 1000 + SIGABRT);
}

static int nothing_confined(struct house *h)
{
    MUST(confine_try(&h->options, true) == -EPERM);
    MUST(logged(h, "still possible to read /etc/passwd"));
    MUST(logged(h, "still possible to write into the root"));
    MUST(CONFINE_SANITIZED || logged(h, "still possible to start a process"));
    MUST(access("root/.dialtone-try", F_OK) == -1);
    if (geteuid() == 0)
        MUST(logged(h, "still possible to call setuid(0)"));
    return 0;
}

static void trying_finds_every_wall_that_is_missing(void **state)
{
    assert_int_equal(in_child(*state, nothing_confined), 0);
}

static int all(struct house *h)
{
    MUST(confine_process(&h->options) == 0);
    MUST(openat(h->options.root_fd, "a.cfg", O_RDONLY) >= 0);
    MUST(socket(AF_PACKET, SOCK_RAW, 0) == -1);
    return 0;
}

static int state_above_root(struct house *h)
{
    char database[96];
    snprintf(database, sizeof database, "%s/journal.db", h->dir);
    h->options.database = database;
    MUST(confine_process(&h->options) == -EPERM);
    MUST(logged(h, "write into the root"));
    return 0;
}

static void all_walls_together_pass_their_own_trial(void **state)
{
    assert_int_equal(in_child(*state, all), 0);
    if (has_landlock())
        assert_int_equal(in_child(*state, state_above_root), 0);
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(tcp_connections_are_made_only_where_active_ftp_needs_them),
        test(there_is_no_core_file_and_there_are_all_descriptors),
        test(root_becomes_the_owner_of_the_tree),
        test(root_becomes_the_user_that_is_named),
        test(a_tree_of_roots_own_leaves_user_0_without_capabilities),
        test(only_the_tree_is_read_and_only_the_state_is_written),
        test(uploads_are_written_to_their_own_directory_only),
        test(the_tree_is_written_only_when_a_rule_lets_it_be),
        test(only_calls_that_a_server_needs_are_answered),
        test(starting_or_tracing_a_program_kills),
        test(abort_still_works),
        test(trying_finds_every_wall_that_is_missing),
        test(all_walls_together_pass_their_own_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
