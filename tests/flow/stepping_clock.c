/* A system clock that can be stepped, for one process: preloaded, it adds the seconds that the file STEPPING_CLOCK begins
 * with (eight bytes, of this machine's order) to CLOCK_REALTIME. The file is mapped before the process gives up its rights,
 * so that whoever runs the test steps the clock by writing to it. The monotonic clock stays what it is, as with the real one. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *step_s;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("STEPPING_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *step_s, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (at != MAP_FAILED)
        step_s = at;
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t id, struct timespec *into)
{
    if (!real)
        begin();
    int error = real(id, into);
    if (error == 0 && step_s && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        into->tv_sec += (time_t)*step_s;
    return error;
}

int gettimeofday(struct timeval *restrict into, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    *into = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *into)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into)
        *into = now.tv_sec;
    return now.tv_sec;
}
