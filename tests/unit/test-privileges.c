/* test-privileges - what a process that only reads can do no more */

#include "milter/common/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

/* In a process of its own, since there is no way back. */
static int try_all(const char *folder)
{
    g_autofree char *file = g_build_filename(folder, "file", NULL), *other = g_build_filename(folder, "other", NULL);
    g_autofree char *text = NULL;
    if (!privileges_only_read())
        return SKIPPED;
    if (!g_file_get_contents(file, &text, NULL, NULL) || g_strcmp0(text, "text") != 0)
        return 1;
    if (open(file, O_WRONLY) != -1 || open(file, O_RDWR | O_APPEND) != -1 || errno != EACCES)
        return 2;
    if (open(other, O_WRONLY | O_CREAT, 0600) != -1 || mkdir(other, 0700) != -1 || symlink("x", other) != -1)
        return 3;
    if (unlink(file) != -1 || rename(file, other) != -1 || link(file, other) != -1)
        return 4;
    execl("/bin/true", "true", NULL);
    return errno == EACCES ? 0 : 5;
}

static void test_only_read(void)
{
    g_autofree char *folder = g_dir_make_tmp("rcptguard-only-read-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    int status = 0;
    g_assert_true(g_file_set_contents(file, "text", -1, NULL));
    pid_t child = fork();
    if (child == 0)
        _exit(try_all(folder));
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    g_unlink(file);
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* and so nothing else is in it */
    if (WEXITSTATUS(status) == SKIPPED)
        g_test_skip("this kernel has no Landlock");
    else
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/privileges/only-read", test_only_read);
    return g_test_run();
}
