/*
 * fake_clock - another time of day; loaded by LD_PRELOAD.
 *
 * $FAKE_CLOCK names a file with two numbers in binary, of the type int64_t: the seconds that the clock is ahead, and
 * those that the monotonic clock is.  They may change while the program runs.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static const volatile int64_t *ahead;

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("FAKE_CLOCK");
    int descriptor = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor == -1)
        return;
    void *place = mmap(NULL, 2 * sizeof *ahead, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (place != MAP_FAILED)
        ahead = place;
}

static time_t shift(void)
{
    return ahead == NULL ? 0 : (time_t)*ahead;
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "clock_gettime");
        memcpy(&real, &found, sizeof found);
    }
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift();
    if (result == 0 && clock == CLOCK_MONOTONIC && ahead != NULL)
        now->tv_sec += (time_t)ahead[1];
    return result;
}

EXPORTED int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec time;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &time) == -1)
        return -1;
    *now = (struct timeval){time.tv_sec, time.tv_nsec / 1000};
    return 0;
}

EXPORTED time_t time(time_t *there)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) == -1)
        return -1;
    if (there != NULL)
        *there = now.tv_sec;
    return now.tv_sec;
}
