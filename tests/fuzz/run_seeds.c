/*
 * run_seeds - a main for a fuzz target that is no fuzzer: it runs each file once,
 * as a test in TAP.
 *
 *     fuzz-TARGET [FILE or FOLDER...]
 *
 * Without arguments these are the seeds of the target.  A seed that takes more
 * than SEED_LIMIT of this thread's CPU time fails the test.
 */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#endif

/* Seconds; generous, since machines are slow and busy. */
#ifdef SANITIZED
#define SEED_LIMIT 20.0
#else
#define SEED_LIMIT 2.0
#endif

static unsigned replayed;
static bool failed;

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void replay_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree uint8_t *data = NULL;
    gsize size;
    double seconds;

    if (!g_file_get_contents(path, &text, &size, &error)) {
        printf("# %s\n", error->message);
        failed = true;
        return;
    }
    /* In a block of its own size, so that a sanitizer sees each byte too far. */
    data = g_malloc(size > 0 ? size : 1);
    if (size > 0)
        memcpy(data, text, size);
    /* Said before, so that it is known what a crash was about. */
    printf("# %s\n", path);
    fflush(stdout);
    seconds = cpu_seconds();
    LLVMFuzzerTestOneInput(data, size);
    seconds = cpu_seconds() - seconds;
    replayed++;
    if (seconds > SEED_LIMIT) {
        printf("# took %.1f s of CPU time; at most %.0f s are allowed\n", seconds, SEED_LIMIT);
        failed = true;
    }
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void replay(const char *path)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *folder = g_dir_open(path, 0, NULL);
    const char *name;

    if (folder == NULL) {
        replay_file(path);
        return;
    }
    while ((name = g_dir_read_name(folder)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_dir_close(folder);
    g_ptr_array_sort(names, compare_names);
    for (unsigned i = 0; i < names->len; i++) {
        g_autofree char *below = g_build_filename(path, g_ptr_array_index(names, i), NULL);
        replay(below);
    }
}

int main(int argc, char **argv)
{
    const char *top = g_getenv("top_srcdir");
    g_autofree char *seeds = g_build_filename(top != NULL ? top : ".", "tests/fuzz/seeds", fuzz_target, NULL);

    printf("1..1\n");
    if (argc < 2)
        replay(seeds);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (replayed == 0)
        printf("# there are no seeds\n");
    failed = failed || replayed == 0;
    printf("%sok 1 - %s: %u seeds\n", failed ? "not " : "", fuzz_target, replayed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
