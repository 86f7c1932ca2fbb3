/* kill -9 at every instant at which the flash is touched: what is left is the flash before the write or the one
 * after it, byte by byte, and the phone starts with it. The calls by which it is written stand behind this
 * file's own (meson.build), which end the process at the one that is asked for: before it, after half of it,
 * after it. */
#include "tests/unit/phone/life_desk.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SNAPSHOTS_MAX 256

ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *new);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int from, const char *old, int to, const char *new);

#define INSTANTS_MAX 4096

static bool armed;         /* while a phone lives */
static unsigned countdown; /* instants until the end; 0: never */
static unsigned instants;  /* so far */
static unsigned renames;   /* so far */

/* Of the life that nothing ends: the flash after each rename, and how many there were at each instant. */
static struct shots {
    bool recording;
    char path[256];
    char *bytes[SNAPSHOTS_MAX + 1]; /* 0: NULL, no flash yet */
    size_t len[SNAPSHOTS_MAX + 1];
    unsigned renames_at[INSTANTS_MAX];
} shots;

static char *slurp(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *bytes = malloc(FLASH_BYTES_MAX);
    assert_non_null(bytes);
    *ret_len = fread(bytes, 1, FLASH_BYTES_MAX, file);
    fclose(file);
    return bytes;
}

static void instant(void)
{
    if (!armed)
        return;
    instants++;
    assert_true(instants < INSTANTS_MAX);
    shots.renames_at[instants] = renames;
    if (countdown && --countdown == 0)
        kill(getpid(), SIGKILL);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (!armed)
        return __real_write(fd, bytes, len);
    instant();
    /* In two pieces, as a kernel may do it. */
    ssize_t half = __real_write(fd, bytes, len > 300 ? len / 2 : len);
    instant();
    return half;
}

int __wrap_fsync(int fd)
{
    if (!armed)
        return __real_fsync(fd);
    /* The kernel keeps what a killed process wrote: no need to wait for the disk a thousand times. */
    instant();
    return 0;
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    instant();
    int result = __real_renameat(from, old, to, new);
    renames += armed;
    if (armed && shots.recording)
        shots.bytes[renames] = slurp(shots.path, &shots.len[renames]);
    instant();
    return result;
}

/* --- one life, the same every time --- */

static void serve_label(struct life_desk *d, char cfg[256], unsigned number)
{
    snprintf(cfg, 256, CFG_HEAD "account.1.label = Label %u\nstatic.auto_provision.custom.protect = 1\n",
             number);
    serve_text(d, "/y000000000000.boot", CFG_HEAD "include:config <all.cfg>\n");
    serve_text(d, "/all.cfg", cfg);
}

static struct life_desk *new_desk(const char *directory)
{
    void *state;
    assert_int_equal(life_desk_setup(&state), 0);
    struct life_desk *d = state;
    flash_close(&d->flash);
    assert_int_equal(flash_open(&d->flash, directory, true, d->options.id.mac), 0);
    return d;
}

static void free_desk(struct life_desk *d)
{
    void *state = d;
    life_desk_teardown(&state);
}

static void live(struct life_desk *d)
{
    char cfg[256], value[32];
    serve_label(d, cfg, 0);
    begin(d);
    for (unsigned i = 1; i <= 10; i++) {
        serve_label(d, cfg, i);
        life_provision_now(d->life);
        pass(d, 1000);
        snprintf(value, sizeof value, "%u", i);
        assert_int_equal(life_set(d->life, SLICE("features.something"), slice_str(value)), 0);
    }
    life_reboot(d->life);
    pass(d, 10000);
}

static void remove_all(const char *directory)
{
    char path[512];
    DIR *dir = opendir(directory);
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(directory);
}

static void record(const char *directory)
{
    struct life_desk *d = new_desk(directory);
    snprintf(shots.path, sizeof shots.path, "%s/001565112233.flash", directory);
    shots.recording = armed = true;
    live(d);
    shots.recording = armed = false;
    free_desk(d);
    remove_all(directory);
}

/* Ends a life at this instant. */
static void cut_at(const char *directory, unsigned at)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct life_desk *d = new_desk(directory);
        instants = renames = 0;
        countdown = at;
        armed = true;
        live(d);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void look_at_flash(unsigned at)
{
    size_t len = 0;
    char *bytes = slurp(shots.path, &len);
    unsigned shot = shots.renames_at[at];
    if (!shots.bytes[shot] != !bytes || len != shots.len[shot] ||
        (bytes && memcmp(bytes, shots.bytes[shot], len) != 0))
        fail_msg("cut at instant %u: the flash is not the one after write %u", at, shot);
    free(bytes);
}

/* With what is left, and no server. */
static void start_again(const char *directory)
{
    struct life_desk *d = new_desk(directory);
    d->silent = true;
    begin(d);
    assert_int_not_equal(life_facts(d->life).state, LIFE_OFF);
    free_desk(d);
}

static void cut_at_any_instant_the_flash_is_the_old_or_the_new_one(void **state)
{
    /* In memory where there is such a place: thousands of files come and go. */
    char shm[] = "/dev/shm/dialtone-power-cut-XXXXXX", tmp[] = "/tmp/dialtone-power-cut-XXXXXX";
    char *directory = access("/dev/shm", W_OK) == 0 ? shm : tmp;
    (void)state;
    assert_non_null(mkdtemp(directory));
    record(directory);
    unsigned last = instants;
    assert_in_range(last, 200, INSTANTS_MAX);
    for (unsigned at = 1; at <= last; at++) {
        cut_at(directory, at);
        look_at_flash(at);
        if (at % 16 == 0)
            start_again(directory);
        remove_all(directory);
    }
    for (unsigned i = 0; i <= SNAPSHOTS_MAX; i++)
        free(shots.bytes[i]);
    print_message("cut at %u instants, %u writes\n", last, shots.renames_at[last]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_any_instant_the_flash_is_the_old_or_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
