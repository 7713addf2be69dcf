/*
 * tsan-glib - makes GLib's locks known to ThreadSanitizer.
 *
 * GLib's GMutex and GCond are futexes in a library that is not instrumented, so
 * ThreadSanitizer takes what they guard for races.  This is preloaded by the tests'
 * harness: each function does what GLib's own does, and tells the order that it
 * makes.
 */

#define _GNU_SOURCE

#include <dlfcn.h>

typedef int gboolean;
typedef long long gint64;

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define REAL(result, name, ...)                                                                                        \
    static result (*real)(__VA_ARGS__);                                                                                \
    if (real == 0)                                                                                                     \
    real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

void g_mutex_lock(void *mutex)
{
    REAL(void, "g_mutex_lock", void *);
    real(mutex);
    __tsan_acquire(mutex);
}

gboolean g_mutex_trylock(void *mutex)
{
    REAL(gboolean, "g_mutex_trylock", void *);
    gboolean taken = real(mutex);
    if (taken)
        __tsan_acquire(mutex);
    return taken;
}

void g_mutex_unlock(void *mutex)
{
    REAL(void, "g_mutex_unlock", void *);
    __tsan_release(mutex);
    real(mutex);
}

void g_cond_wait(void *cond, void *mutex)
{
    REAL(void, "g_cond_wait", void *, void *);
    __tsan_release(mutex);
    real(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(void *cond, void *mutex, gint64 end)
{
    REAL(gboolean, "g_cond_wait_until", void *, void *, gint64);
    __tsan_release(mutex);
    gboolean told = real(cond, mutex, end);
    __tsan_acquire(mutex);
    return told;
}
