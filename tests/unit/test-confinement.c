/* test-confinement - what the process that reads messages can do no more, and what it still can */

#include <config.h>

#include "milter/queue/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool memory_is_limited = false;
#else
static const bool memory_is_limited = true;
#endif

#define MEMORY (256u * 1024 * 1024)

/* Exit codes of the confined process; an attempt says by SUCCEEDED that it was not stopped. */
enum { REFUSED = 0, SUCCEEDED = 1, NOT_CONFINED = 2 };

/* A directory with a file, as the ledger's has one. */
struct fixture {
    char *folder, *file, *other;
    bool truncate_is_known; /* to what confines */
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->folder = g_dir_make_tmp("rcptguard-confinement-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->folder, "ledger.db", NULL);
    fixture->other = g_build_filename(fixture->folder, "other", NULL);
    g_assert_true(g_file_set_contents(fixture->file, "text", -1, NULL));
}

/* Whatever the attempt was, the file is as it was and alone in its directory. */
static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(fixture->file, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "text");
    g_unlink(fixture->file);
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->folder);
    g_free(fixture->file);
    g_free(fixture->other);
}

/* In a process of its own, since there is no way back.  Its wait status. */
static int attempt(struct fixture *fixture, int (*act)(struct fixture *fixture))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        char *error = NULL;
        _exit(confine(MEMORY, 1, &error) == -1 ? NOT_CONFINED : act(fixture));
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return status;
}

static void assert_refused(struct fixture *fixture, int (*act)(struct fixture *fixture))
{
    int status = attempt(fixture, act);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, REFUSED);
}

/* Which one there is; 0: none.  From 3 on it knows truncate(2), see landlock(7). */
static long landlock_version(void)
{
#if defined(HAVE_LINUX_LANDLOCK_H) && defined(SYS_landlock_create_ruleset)
    return MAX(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), 0);
#else
    return 0;
#endif
}

static bool have_landlock(void)
{
    return landlock_version() > 0;
}

static bool have_filter(void)
{
    g_autofree char *version = confinement_library_version();
    return version != NULL && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != -1;
}

/* ---- files */

static int open_ledger(struct fixture *fixture)
{
    return open(fixture->file, O_RDONLY) == -1 && open(fixture->folder, O_RDONLY | O_DIRECTORY) == -1 ? REFUSED
                                                                                                      : SUCCEEDED;
}

/* Its owner, whose process it is, could. */
static void test_ledger(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    if (!have_landlock() && !have_filter()) {
        g_test_skip("there is neither Landlock nor seccomp");
        return;
    }
    g_assert_cmpint(open_ledger(fixture), ==, SUCCEEDED);
    assert_refused(fixture, open_ledger);
}

static int write_files(struct fixture *fixture)
{
    const char *file = fixture->file, *other = fixture->other;
    bool written = open(file, O_WRONLY) != -1 || open(file, O_RDWR | O_APPEND) != -1 ||
                   (fixture->truncate_is_known && truncate(file, 0) == 0) ||
                   open(other, O_WRONLY | O_CREAT, 0600) != -1 ||
                   open(fixture->folder, O_TMPFILE | O_RDWR, 0600) != -1 || creat(other, 0600) != -1 ||
                   mkdir(other, 0700) != -1 || symlink("x", other) != -1 || mkfifo(other, 0600) != -1 ||
                   unlink(file) != -1 || rename(file, other) != -1 || link(file, other) != -1;
    return written ? SUCCEEDED : REFUSED;
}

static void test_write(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->truncate_is_known = have_filter() || landlock_version() >= 3;
    if (have_landlock() || have_filter())
        assert_refused(fixture, write_files);
    else
        g_test_skip("there is neither Landlock nor seccomp");
}

/* Nor by a descriptor that was open before. */
static int write_open(struct fixture *fixture)
{
    (void)fixture;
    signal(SIGXFSZ, SIG_IGN);
    return write(9, "more", 4) == -1 ? REFUSED : SUCCEEDED;
}

static void test_write_open(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    int file = open(fixture->file, O_WRONLY | O_APPEND);
    g_assert_cmpint(dup2(file, 9), ==, 9);
    assert_refused(fixture, write_open);
    close(9);
    close(file);
}

/* The C library has most charsets in files; where it has not, or none may be read, the answer is clear too. */
static int convert(struct fixture *fixture)
{
    (void)fixture;
    g_autofree char *text = g_convert("\xC4\xE3\xBA\xC3", 4, "UTF-8", "GB18030", NULL, NULL, NULL);
    return g_strcmp0(text, "\xE4\xBD\xA0\xE5\xA5\xBD") == 0 ? REFUSED : SUCCEEDED;
}

static void test_charset(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    if (have_landlock())
        assert_refused(fixture, convert);
    else
        g_test_skip("this kernel has no Landlock, without which no file is read");
}

/* ---- other processes */

static int execute(struct fixture *fixture)
{
    (void)fixture;
    execl("/bin/true", "true", NULL);
    return REFUSED;
}

static int connect_out(struct fixture *fixture)
{
    (void)fixture;
    int pair[2];
    return socket(AF_UNIX, SOCK_STREAM, 0) == -1 && socket(AF_INET, SOCK_STREAM, 0) == -1 &&
                   socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1
               ? REFUSED
               : SUCCEEDED;
}

static int start_process(struct fixture *fixture)
{
    (void)fixture;
    return fork() == -1 ? REFUSED : SUCCEEDED;
}

static int signal_parent(struct fixture *fixture)
{
    (void)fixture;
    return kill(getppid(), 0) == -1 ? REFUSED : SUCCEEDED;
}

static int raise_limit(struct fixture *fixture)
{
    (void)fixture;
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_AS, &limit) == -1 && setrlimit(RLIMIT_FSIZE, &limit) == -1 ? REFUSED : SUCCEEDED;
}

static int end_by_abort(struct fixture *fixture)
{
    (void)fixture;
    abort();
}

static void test_calls(struct fixture *fixture, gconstpointer data)
{
    static int (*const stopped[])(struct fixture *) = {execute, start_process, signal_parent};
    (void)data;
    if (!have_filter()) {
        g_test_skip("there is no seccomp");
        return;
    }
    assert_refused(fixture, connect_out);
    for (size_t i = 0; i < G_N_ELEMENTS(stopped); i++) {
        int status = attempt(fixture, stopped[i]);
        g_test_message("attempt %zu: wait status %x", i, (unsigned)status);
        g_assert_true(WIFSIGNALED(status));
        g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
    }
    int status = attempt(fixture, end_by_abort);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGABRT);
}

/* A call that a newer C library may try first is not there, as on an older kernel, and no reason to end. */
static int call_unknown(struct fixture *fixture)
{
    (void)fixture;
    return syscall(SYS_getpriority, 0, 0) == -1 && errno == ENOSYS ? REFUSED : SUCCEEDED;
}

static void test_unknown(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    if (have_filter())
        assert_refused(fixture, call_unknown);
    else
        g_test_skip("there is no seccomp");
}

/* ---- limits */

static int take_memory(struct fixture *fixture)
{
    (void)fixture;
    return mmap(NULL, MEMORY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? REFUSED : SUCCEEDED;
}

static int run_on(struct fixture *fixture)
{
    (void)fixture;
    for (volatile bool on = true; on;)
        continue;
    return SUCCEEDED;
}

static int open_many(struct fixture *fixture)
{
    (void)fixture;
    unsigned opened = 0;
    while (opened < 100 && dup(2) != -1)
        opened++;
    return opened < 16 ? REFUSED : SUCCEEDED;
}

static void test_limits(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    if (memory_is_limited)
        assert_refused(fixture, take_memory);
    assert_refused(fixture, open_many);
    if (have_filter())
        assert_refused(fixture, raise_limit);
    int status = attempt(fixture, run_on);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGXCPU);
}

#define ADD(name, function) g_test_add("/confinement/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("ledger", test_ledger);
    ADD("write", test_write);
    ADD("write-open", test_write_open);
    ADD("charset", test_charset);
    ADD("calls", test_calls);
    ADD("unknown", test_unknown);
    ADD("limits", test_limits);
    return g_test_run();
}
