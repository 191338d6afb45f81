/* Between a process and its system: a clock that is wrong, a disk that is slow or takes nothing.
   What it does stands in a file that is shared with the tests: three 64-bit numbers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile struct { int64_t clock_s, sync_ms, read_only; } calm, *now = (void *)&calm;
static const char *folder = "/nowhere";

/* What the system itself has by this name. */
#define FIND(name) if (!real) real = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("FAULTS_STATE");
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof calm, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) now = map;
    if (getenv("FAULTS_DISK")) folder = getenv("FAULTS_DISK");
    close(fd);
}

static int below(const char *path) { return strncmp(path, folder, strlen(folder)) == 0; }

static int refused(const char *path) {
    if (!now->read_only || !path || !below(path)) return 0;
    errno = EROFS;
    return 1;
}

static int refused_fd(int fd) {
    char name[32], path[4096];
    if (!now->read_only) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return refused(path);
}

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC); }

#define OPEN(name)                                                            \
    int name(const char *path, int flags, ...) {                              \
        static int (*real)(const char *, int, ...);                           \
        va_list more;                                                         \
        va_start(more, flags);                                                \
        mode_t mode = va_arg(more, mode_t);                                   \
        va_end(more);                                                         \
        if (writes(flags) && refused(path)) return -1;                        \
        FIND(#name);                                                          \
        return real(path, flags, mode);                                       \
    }
OPEN(open)
OPEN(open64)

#define ON_FD(type, name, parameters, ...)                                    \
    type name parameters {                                                    \
        static type (*real) parameters;                                       \
        if (refused_fd(fd)) return -1;                                        \
        FIND(#name);                                                          \
        return real(__VA_ARGS__);                                             \
    }
ON_FD(ssize_t, write, (int fd, const void *data, size_t size), fd, data, size)
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), fd, data, size, at)
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), fd, data, size, at)
ON_FD(int, ftruncate, (int fd, off_t size), fd, size)
ON_FD(int, ftruncate64, (int fd, off64_t size), fd, size)

#define ON_PATH(name, parameters, ...)                                        \
    int name parameters {                                                     \
        static int (*real) parameters;                                        \
        if (refused(path)) return -1;                                         \
        FIND(#name);                                                          \
        return real(__VA_ARGS__);                                             \
    }
ON_PATH(mkdir, (const char *path, mode_t mode), path, mode)
ON_PATH(unlink, (const char *path), path)
ON_PATH(rename, (const char *path, const char *other), path, other)
ON_PATH(link, (const char *other, const char *path), other, path)

#define SYNC(name)                                                            \
    int name(int fd) {                                                        \
        static int (*real)(int);                                              \
        if (now->sync_ms) usleep(now->sync_ms * 1000);                        \
        FIND(#name);                                                          \
        return real(fd);                                                      \
    }
SYNC(fsync)
SYNC(fdatasync)

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    FIND("clock_gettime");
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += now->clock_s;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    static int (*real)(struct timeval *restrict, void *restrict);
    FIND("gettimeofday");
    int result = real(time, zone);
    time->tv_sec += now->clock_s;
    return result;
}

time_t time(time_t *at) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (at) *at = found.tv_sec;
    return found.tv_sec;
}
