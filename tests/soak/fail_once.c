/*
 * fail_once - the Nth call of a kind fails, or ends the process; loaded by LD_PRELOAD.
 *
 * $FAIL_ONCE names a file that is mapped by each process whose program is called rcptguard...; others are left alone.
 * It holds a `struct order`, which tests/lib/faultshim.py writes and reads while they run: the count is theirs
 * together.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum kind { KIND_WRITE = 1, KIND_FSYNC = 2, KIND_RENAME = 4, KIND_OPEN = 8, KIND_FCNTL = 16, KIND_FORK = 32 };
enum action { ACTION_FAIL, ACTION_FAIL_ALWAYS, ACTION_KILL };

struct order {
    int kinds;     /* enum kind; 0: nothing is to fail */
    int countdown; /* which of these calls, from 1 on */
    int error;     /* errno */
    int action;
    int fired;   /* how many calls failed */
    int seen[6]; /* how many there were, by kind */
    char place[256];
};

static struct order *order;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* The function whose place is taken, found once; ISO C has no conversion from dlsym's pointer. */
#define REAL(name)                                                                                                     \
    static __typeof__(&name) real_function;                                                                            \
    if (real_function == NULL) {                                                                                       \
        void *found = next(#name);                                                                                     \
        memcpy(&real_function, &found, sizeof found);                                                                  \
    }

__attribute__((constructor)) static void begin(void)
{
    char program[256] = "";
    const char *file = getenv("FAIL_ONCE");
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    const char *name = length > 0 ? strrchr(program, '/') : NULL;
    if (file == NULL || name == NULL || strncmp(name + 1, "rcptguard", 9) != 0)
        return;
    int (*real_open)(const char *, int, ...);
    void *found = next("open");
    memcpy(&real_open, &found, sizeof found);
    int descriptor = real_open(file, O_RDWR | O_CLOEXEC);
    if (descriptor == -1)
        return;
    void *place = mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (place != MAP_FAILED)
        order = place;
}

/* Whether this call is the one; errno is set then. */
static int fails(enum kind kind, const char *call, const char *what)
{
    if (order == NULL || (order->kinds & (int)kind) == 0)
        return 0;
    __sync_fetch_and_add(&order->seen[__builtin_ctz(kind)], 1);
    int left = __sync_sub_and_fetch(&order->countdown, 1);
    if (left > 0 || (left < 0 && order->action != ACTION_FAIL_ALWAYS))
        return 0;
    if (__sync_fetch_and_add(&order->fired, 1) == 0)
        snprintf(order->place, sizeof order->place, "%s %s", call, what);
    if (order->action == ACTION_KILL)
        kill(getpid(), SIGKILL);
    errno = order->error;
    return 1;
}

/*
 * GLib's threads wake each other by an eventfd, which is no file, and libmilter's by a pipe, which has no disk; and
 * standard error is what the test reads.  A disk that fails for good takes no connection with it.
 */
static int is_counted(int descriptor)
{
    struct stat status;
    if (order == NULL || descriptor == STDERR_FILENO || fstat(descriptor, &status) == -1)
        return 0;
    if (order->action == ACTION_FAIL_ALWAYS)
        return S_ISREG(status.st_mode);
    return (status.st_mode & S_IFMT) != 0 && !S_ISFIFO(status.st_mode);
}

static int fails_at(enum kind kind, const char *call, int descriptor)
{
    char link[64], target[200] = "";
    if (!is_counted(descriptor))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1);
    return fails(kind, call, length > 0 ? target : "?");
}

/* ---- write */

EXPORTED ssize_t write(int descriptor, const void *data, size_t size)
{
    REAL(write)
    return fails_at(KIND_WRITE, "write", descriptor) ? -1 : real_function(descriptor, data, size);
}

EXPORTED ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    REAL(writev)
    return fails_at(KIND_WRITE, "writev", descriptor) ? -1 : real_function(descriptor, parts, count);
}

EXPORTED ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset)
{
    REAL(pwrite)
    return fails_at(KIND_WRITE, "pwrite", descriptor) ? -1 : real_function(descriptor, data, size, offset);
}

EXPORTED int ftruncate(int descriptor, off_t size)
{
    REAL(ftruncate)
    return fails_at(KIND_WRITE, "ftruncate", descriptor) ? -1 : real_function(descriptor, size);
}

/* ---- fsync */

EXPORTED int fsync(int descriptor)
{
    REAL(fsync)
    return fails_at(KIND_FSYNC, "fsync", descriptor) ? -1 : real_function(descriptor);
}

EXPORTED int fdatasync(int descriptor)
{
    REAL(fdatasync)
    return fails_at(KIND_FSYNC, "fdatasync", descriptor) ? -1 : real_function(descriptor);
}

/* ---- rename, and what else gives a file a name or takes it */

EXPORTED int rename(const char *from, const char *to)
{
    REAL(rename)
    return fails(KIND_RENAME, "rename", to) ? -1 : real_function(from, to);
}

EXPORTED int link(const char *from, const char *to)
{
    REAL(link)
    return fails(KIND_RENAME, "link", to) ? -1 : real_function(from, to);
}

EXPORTED int unlink(const char *path)
{
    REAL(unlink)
    return fails(KIND_RENAME, "unlink", path) ? -1 : real_function(path);
}

/* ---- open */

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(arguments, int) : 0;
}

EXPORTED int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    REAL(open)
    return fails(KIND_OPEN, "open", path) ? -1 : real_function(path, flags, mode);
}

EXPORTED int openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    REAL(openat)
    return fails(KIND_OPEN, "openat", path) ? -1 : real_function(folder, path, flags, mode);
}

EXPORTED FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen)
    return fails(KIND_OPEN, "fopen", path) ? NULL : real_function(path, mode);
}

/* ---- fcntl */

EXPORTED int fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    REAL(fcntl)
    return fails_at(KIND_FCNTL, "fcntl", descriptor) ? -1 : real_function(descriptor, command, argument);
}

/* ---- fork */

EXPORTED pid_t fork(void)
{
    REAL(fork)
    return fails(KIND_FORK, "fork", "") ? -1 : real_function();
}

EXPORTED int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    REAL(posix_spawn)
    return fails(KIND_FORK, "posix_spawn", path)
               ? errno
               : real_function(pid, path, actions, attributes, arguments, environment);
}

/* ---- the other names that glibc has for these */

#ifdef __GLIBC__
EXPORTED ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset)
{
    REAL(pwrite64)
    return fails_at(KIND_WRITE, "pwrite", descriptor) ? -1 : real_function(descriptor, data, size, offset);
}

EXPORTED int ftruncate64(int descriptor, off64_t size)
{
    REAL(ftruncate64)
    return fails_at(KIND_WRITE, "ftruncate", descriptor) ? -1 : real_function(descriptor, size);
}

EXPORTED int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    REAL(open64)
    return fails(KIND_OPEN, "open", path) ? -1 : real_function(path, flags, mode);
}

EXPORTED int openat64(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    REAL(openat64)
    return fails(KIND_OPEN, "openat", path) ? -1 : real_function(folder, path, flags, mode);
}

EXPORTED FILE *fopen64(const char *path, const char *mode)
{
    REAL(fopen64)
    return fails(KIND_OPEN, "fopen", path) ? NULL : real_function(path, mode);
}

EXPORTED int fcntl64(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    REAL(fcntl64)
    return fails_at(KIND_FCNTL, "fcntl", descriptor) ? -1 : real_function(descriptor, command, argument);
}
#endif
