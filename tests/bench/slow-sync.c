/*
 * slow-sync - a library for LD_PRELOAD that makes each sync of a file take longer, as on a disk that
 * is far away or busy.
 *
 * The environment variable SLOW_SYNC_MS is how long fsync(2) and fdatasync(2) wait before
 * they do what they are for.  tests/bench/held and tests/milter/store.py run rcptguardd with it.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_disk(void)
{
    const char *text = getenv("SLOW_SYNC_MS");
    long milliseconds = text == NULL ? 0 : atol(text);
    struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) == -1)
        continue;
}

int fsync(int descriptor)
{
    wait_for_disk();
    return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    wait_for_disk();
    return (int)syscall(SYS_fdatasync, descriptor);
}
